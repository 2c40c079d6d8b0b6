//! The built daemon, started and asked as a service manager and a person would.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::Place;

/// Longer than anything measured here may take.
const LONG: Duration = Duration::from_mins(10);

/// A daemon that runs. Killed when dropped.
pub(crate) struct Daemon {
    child: Child,
    runtime: PathBuf,
    log: PathBuf,
    /// How long it took from its start until it said READY.
    pub(crate) ready: Duration,
    /// The processor time that it took until then.
    pub(crate) worked: Duration,
    /// Nothing is ever sent: waiting on it for a time is how a bench waits between two looks.
    pause: (Sender<()>, Receiver<()>),
}

impl Daemon {
    /// Starts it on a root, in the environment that the unit gives it, and waits until it says READY.
    /// The state directory is kept by name.
    pub(crate) fn start(place: &Place, state: &str, root: &Path) -> Result<Self> {
        Self::start_with(place, state, root, &of_the_unit()?)
    }

    /// The same with a configuration file.
    pub(crate) fn configured(place: &Place, state: &str, config: &Path) -> Result<Self> {
        let args = [OsStr::new("--config"), config.as_os_str()];
        Self::launch(place, state, &args, &of_the_unit()?)
    }

    /// The same in another environment than the unit gives it.
    pub(crate) fn start_with(
        place: &Place,
        state: &str,
        root: &Path,
        environment: &[(&str, &str)],
    ) -> Result<Self> {
        let args = ["--config", "/dev/null", "--root"].map(OsStr::new);
        let args = [&args[..], &[root.as_os_str()]].concat();
        Self::launch(place, state, &args, environment)
    }

    fn launch(
        place: &Place,
        state: &str,
        args: &[&OsStr],
        environment: &[(&str, &str)],
    ) -> Result<Self> {
        let path = |end: &str| place.path(&format!("{state}.{end}"));
        let (runtime, notify, log) = (path("run"), path("notify"), path("log"));
        drop(std::fs::remove_file(&notify));
        let socket = UnixDatagram::bind(&notify).context("the notify socket")?;
        socket.set_read_timeout(Some(LONG))?;
        let began = place.now();
        let child = Command::new(env!("CARGO_BIN_EXE_obituarr"))
            .args(["run", "--settle", "1s", "--log", "text"])
            .args(["--log-level", "info"])
            .args(args)
            .arg("--state-dir")
            .arg(place.path(state))
            .arg("--runtime-dir")
            .arg(&runtime)
            .env_remove("MALLOC_ARENA_MAX")
            .env_remove("MALLOC_TRIM_THRESHOLD_")
            .envs(environment.iter().copied())
            .env("NOTIFY_SOCKET", &notify)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log)?)
            .spawn()
            .context("starting the daemon")?;
        let (ready, worked) = (Duration::ZERO, Duration::ZERO);
        let mut daemon = Self { child, runtime, log, ready, worked, pause: channel() };
        let mut message = [0; 65_536];
        loop {
            let length = socket.recv(&mut message).with_context(|| daemon.log())?;
            let text = String::from_utf8_lossy(&message[..length]);
            if text.lines().any(|line| line == "READY=1") {
                break;
            }
            ensure!(!text.contains("ERRNO="), "it did not start: {text}\n{}", daemon.log());
        }
        daemon.ready = place.now() - began;
        daemon.worked = super::processor(daemon.pid())?;
        Ok(daemon)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has told so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Asks the status socket.
    pub(crate) fn ask(&self, path: &str) -> Result<Value> {
        let mut stream = UnixStream::connect(self.runtime.join("status.sock"))?;
        stream.set_read_timeout(Some(LONG))?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (_, body) = answer.split_once("\r\n\r\n").context("an answer without a body")?;
        serde_json::from_str(body).with_context(|| answer.clone())
    }

    /// How many media files it knows of.
    pub(crate) fn files(&self) -> Result<u64> {
        self.ask("/v1/status")?["roots"][0]["files"].as_u64().context("no files in the status")
    }

    /// Does nothing for a time.
    pub(crate) fn pause(&self, time: Duration) -> Result<()> {
        let waited = self.pause.1.recv_timeout(time);
        ensure!(waited == Err(RecvTimeoutError::Timeout), "something was sent");
        Ok(())
    }

    /// Waits until something is so; how long that took since `began`.
    pub(crate) fn until(
        &self,
        place: &Place,
        began: Duration,
        mut is_so: impl FnMut() -> Result<bool>,
    ) -> Result<Duration> {
        while !is_so()? {
            ensure!(place.now() - began < LONG, "it never came to that:\n{}", self.log());
            self.pause(Duration::from_millis(5))?;
        }
        Ok(place.now() - began)
    }

    /// Asks it to end and waits for that.
    pub(crate) fn stop(mut self) -> Result<()> {
        let pid = i32::try_from(self.pid()).ok().and_then(rustix::process::Pid::from_raw);
        let pid = pid.context("a process without a number")?;
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        let ended = self.child.wait()?;
        ensure!(ended.success(), "it did not end well: {ended}\n{}", self.log());
        Ok(())
    }
}

/// What the unit sets in its environment.
fn of_the_unit() -> Result<Vec<(&'static str, &'static str)>> {
    let unit = include_str!("../../systemd/obituarr.service");
    let lines = unit.lines().filter_map(|line| line.strip_prefix("Environment="));
    let set: Vec<(&str, &str)> =
        lines.flat_map(str::split_whitespace).filter_map(|set| set.split_once('=')).collect();
    ensure!(!set.is_empty(), "the unit sets no environment any more");
    Ok(set)
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It has ended already where it was stopped.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
