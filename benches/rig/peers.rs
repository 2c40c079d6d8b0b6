//! Other programs that watch trees, on the same tree in the same run, where they are installed.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};

use super::{Place, resident};

/// How long a peer took to watch a tree, and what it holds resident, in MiB.
pub(crate) type Armed = Option<(Duration, f64)>;

/// A peer's process, killed when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn is_installed(program: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).any(|dir| dir.join(program).is_file())
}

/// `inotifywait -m -r`, until it says that its watches are there.
pub(crate) fn inotifywait(place: &Place, root: &Path) -> Result<Armed> {
    if !is_installed("inotifywait") {
        return Ok(None);
    }
    let began = place.now();
    let mut child = Command::new("inotifywait");
    child.args(["-m", "-r", "-e", "create,delete,move"]).arg(root);
    child.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut running = Running(child.spawn()?);
    let said = running.0.stderr.take().context("no standard error")?;
    for line in BufReader::new(said).lines() {
        if line?.contains("Watches established") {
            return Ok(Some((place.now() - began, resident(running.0.id())?)));
        }
    }
    Ok(None)
}

/// watchman, until it has answered a question about the whole tree.
pub(crate) fn watchman(place: &Place, root: &Path) -> Result<Armed> {
    if !is_installed("watchman") {
        return Ok(None);
    }
    let dir = place.path("watchman");
    std::fs::create_dir_all(&dir)?;
    let option = |name: &str, file: &str| format!("--{name}={}", dir.join(file).display());
    let began = place.now();
    let mut server = Command::new("watchman");
    server.args(["--foreground", &option("sockname", "sock"), &option("statefile", "state")]);
    server.args([option("logfile", "log"), option("pidfile", "pid")]);
    server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let running = Running(server.spawn()?);
    let ask = |words: &[&str]| -> Result<bool> {
        let mut client = Command::new("watchman");
        client
            .args(["--no-spawn", "--no-local", &option("sockname", "sock")])
            .args(words)
            .arg(root);
        client.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(client.status()?.success())
    };
    // The socket is not there at once.
    while !ask(&["watch"])? {
        if place.now() - began > Duration::from_secs(60) {
            return Ok(None);
        }
    }
    let mut find = Command::new("watchman");
    find.args(["--no-spawn", "--no-local", &option("sockname", "sock"), "find"]);
    find.arg(root).arg("*.none").stdout(Stdio::null()).stderr(Stdio::null());
    let answered = find.status()?.success();
    let took = place.now() - began;
    Ok(answered
        .then_some(())
        .map(|()| resident(running.0.id()))
        .transpose()?
        .map(|rss| (took, rss)))
}
