//! A place where disks can be mounted and lost: a thread with a mount namespace of its own. All
//! that it starts lives in that namespace, and when it ends, so do its mounts and loop devices.
//!
//! Must never mount anything that another process can see, and never leave a process that hangs on
//! a file system of ours: [`Rig`] ends those file systems before it ends what uses them.

use std::fs;
use std::io::Write;
use std::ops::Range;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use serde_json::Value;

use super::fuse::Abort;
use crate::e2e::daemon::{Daemon, Home, LONG, SETTLE};
use crate::e2e::make;
use crate::e2e::wait::{throughout, until};

/// A health must be told within this time.
pub(crate) const SOON: Duration = Duration::from_secs(5);
/// What hangs after this time is let go, so that the test can fail instead of hanging too.
const TOO_LONG: Duration = Duration::from_secs(150);

/// How many tests could not run here.
static SKIPPED: AtomicUsize = AtomicUsize::new(0);

/// Says, past the capture of what a test prints, that a test did not run.
pub(crate) fn skip(test: &str, why: &str) {
    let count = SKIPPED.fetch_add(1, Ordering::Relaxed) + 1;
    let line = format!("SKIPPED ({count} on mounts so far): {test}: {why}\n");
    drop(std::io::stderr().write_all(line.as_bytes()));
}

/// Whether a program is installed.
pub(crate) fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/sbin".into(), "/usr/sbin".into()])
        .any(|dir| dir.join(program).is_file())
}

/// Runs a test on a thread with mounts of its own. `needs` are the programs that it can't do
/// without.
pub(crate) fn with_mounts(test: &str, needs: &[&str], run: impl FnOnce(&Rig) + Send) {
    if !rustix::process::geteuid().is_root() {
        return skip(test, "only root can mount");
    }
    if let Some(missing) = needs.iter().find(|program| !has(program)) {
        return skip(test, &format!("{missing} is not installed"));
    }
    let aborts = Aborts::default();
    let (done, watched) = channel::<()>();
    let too_late = aborts.clone();
    // It is not waited for: it ends when `done` is dropped.
    thread::spawn(move || {
        if watched.recv_timeout(TOO_LONG) == Err(RecvTimeoutError::Timeout) {
            too_late.all();
        }
    });
    let outcome = thread::scope(|scope| {
        let inner = scope.spawn(|| {
            unshare(CloneFlags::CLONE_NEWNS).expect("a mount namespace");
            let private = MsFlags::MS_PRIVATE | MsFlags::MS_REC;
            mount(None::<&str>, "/", None::<&str>, private, None::<&str>).expect("private mounts");
            run(&Rig::new(aborts));
        });
        inner.join()
    });
    drop(done);
    if let Err(panic) = outcome {
        resume_unwind(panic);
    }
}

/// The FUSE connections that are still open.
#[derive(Debug, Clone, Default)]
pub(crate) struct Aborts(Arc<Mutex<Vec<Abort>>>);

impl Aborts {
    pub(crate) fn add(&self, abort: Abort) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(abort);
    }

    fn all(&self) {
        for abort in self.0.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            abort.now();
        }
    }
}

/// A home for a daemon, and mounts around it.
pub(crate) struct Rig {
    pub(crate) home: Home,
    pub(crate) aborts: Aborts,
}

impl Rig {
    fn new(aborts: Aborts) -> Self {
        let mut home = Home::new();
        let to_end = aborts.clone();
        // A process that waits for a file system of ours can't even be killed.
        home.before_kill = Some(Box::new(move || to_end.all()));
        Self { home, aborts }
    }

    /// The mount point that is the only root.
    pub(crate) fn media(&self) -> PathBuf {
        self.home.media()
    }

    /// A directory beside the root; made if it is not there.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        let path = self.home.path().join(name);
        fs::create_dir_all(&path).unwrap();
        path
    }

    /// Runs a program that must succeed; a word that begins with `@` is a name beside the root, so
    /// `@media` is the root.
    #[track_caller]
    pub(crate) fn run(&self, line: &str) {
        let output = self.try_run(line);
        assert!(output.is_ok(), "{line}: {}", output.unwrap_err());
    }

    /// Runs a program, and says what it said when it fails.
    pub(crate) fn try_run(&self, line: &str) -> Result<(), String> {
        let home = self.home.path().to_str().unwrap();
        let words: Vec<String> = line
            .split_whitespace()
            .map(|word| match word.split_once('@') {
                Some((before, name)) => format!("{before}{home}/{name}"),
                None => word.to_owned(),
            })
            .collect();
        let path = std::env::var("PATH").unwrap_or_default();
        let output = Command::new(&words[0])
            .args(&words[1..])
            .env("PATH", format!("{path}:/usr/sbin:/sbin"))
            .output()
            .map_err(|error| error.to_string())?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() { Ok(()) } else { Err(said) }
    }

    /// A file beside the root that holds an empty file system of this type. It takes no room until
    /// it is written.
    pub(crate) fn image(&self, name: &str, fs_type: &str) -> PathBuf {
        let path = self.home.path().join(name);
        // The least that mkfs.xfs takes; the same for all.
        fs::File::create(&path).unwrap().set_len(300 << 20).unwrap();
        let quick = match fs_type {
            "ext4" => "-q -F -O ^has_journal",
            _ => "-q -f",
        };
        self.run(&format!("mkfs.{fs_type} {quick} @{name}"));
        path
    }

    /// Starts the daemon on a library of 300 films that it adopts.
    pub(crate) fn start(&self) -> Daemon<'_> {
        let daemon = self.home.start();
        wait_health(&daemon, "online", LONG);
        daemon
    }

    /// Lets time pass in which nothing may be reported. It is longer than a loss takes to be told.
    pub(crate) fn nothing_is_told(&self, daemon: &Daemon<'_>) {
        throughout(SETTLE * 2, || assert!(self.home.ledger().is_empty(), "{:?}", daemon.dead()));
        assert!(daemon.deletions().is_empty(), "{:?}", daemon.dead());
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.aborts.all();
        // The namespace ends with the thread; but until then the home can't be removed.
        let home = self.home.path().to_path_buf();
        let table = fs::read_to_string("/proc/thread-self/mountinfo").unwrap_or_default();
        let points = table.lines().rev().filter_map(|line| line.split(' ').nth(4));
        for point in points.map(Path::new).filter(|point| point.starts_with(&home)) {
            nix::mount::umount2(point, nix::mount::MntFlags::MNT_DETACH).ok();
        }
    }
}

/// The name of a film.
pub(crate) fn film(number: usize) -> String {
    format!("Film {number:03} (2000)")
}

/// Makes films in a directory.
pub(crate) fn films(dir: &Path, numbers: Range<usize>) {
    for number in numbers {
        make(dir, &format!("{0}/{0}.mkv", film(number)));
    }
}

/// The first root in the status.
pub(crate) fn root(daemon: &Daemon<'_>) -> Option<Value> {
    daemon.status().map(|status| status["roots"][0].clone())
}

/// Waits until the first root has this health, and gives the reason.
#[track_caller]
pub(crate) fn wait_health(daemon: &Daemon<'_>, health: &str, within: Duration) -> String {
    let mut last = None;
    let what = format!("the root is {health}");
    let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        until(&what, within, || {
            last = root(daemon);
            last.as_ref().filter(|root| root["health"] == health).map(|root| root["reason"].clone())
        })
    }));
    match found {
        Ok(reason) => reason.as_str().unwrap().to_owned(),
        Err(_) => panic!("{what}: not within {within:?}, but {last:?}"),
    }
}
