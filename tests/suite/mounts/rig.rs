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
    say(&format!("SKIPPED ({count} on mounts so far): {test}: {why}"));
}

/// Says something past the capture of what a test prints.
pub(crate) fn say(line: &str) {
    drop(std::io::stderr().write_all(format!("{line}\n").as_bytes()));
}

/// Whether a program is installed; or, given with its path, whether a device is there.
fn has(program: &str) -> bool {
    if program.starts_with('/') {
        return Path::new(program).exists();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/sbin".into(), "/usr/sbin".into()])
        .any(|dir| dir.join(program).is_file())
}

/// Runs a test on a thread with mounts of its own. `needs` are the programs and devices that it
/// can't do without.
pub(crate) fn with_mounts(test: &str, needs: &[&str], run: impl FnOnce(&mut Rig) + Send) {
    if !rustix::process::geteuid().is_root() {
        return skip(test, "only root can mount");
    }
    if let Some(missing) = needs.iter().find(|program| !has(program)) {
        return skip(test, &format!("there is no {missing}"));
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
            // Root in a container need not be allowed to.
            if let Err(error) = unshare(CloneFlags::CLONE_NEWNS) {
                return skip(test, &format!("no mount namespace can be made: {error}"));
            }
            let private = MsFlags::MS_PRIVATE | MsFlags::MS_REC;
            mount(None::<&str>, "/", None::<&str>, private, None::<&str>).expect("private mounts");
            run(&mut Rig::new(aborts));
        });
        inner.join()
    });
    drop(done);
    if let Err(panic) = outcome {
        resume_unwind(panic);
    }
}

/// One of several tests that wait most of the time, and so can run side by side.
pub(crate) type Case<'a> = (String, Box<dyn FnOnce(&mut Rig) + Send + 'a>);

/// Runs tests side by side, each with mounts of its own; fails when one does, and names it.
pub(crate) fn side_by_side(needs: &[&str], cases: Vec<Case<'_>>) {
    let failed: Vec<String> = thread::scope(|scope| {
        let started = cases.into_iter().map(|(name, run)| {
            let test = name.clone();
            (name, scope.spawn(move || with_mounts(&test, needs, run)))
        });
        let started: Vec<_> = started.collect();
        started.into_iter().filter_map(|(name, run)| run.join().err().map(|_| name)).collect()
    });
    assert!(failed.is_empty(), "failed: {}", failed.join("; "));
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
    loops: Mutex<Vec<String>>,
}

impl Rig {
    fn new(aborts: Aborts) -> Self {
        let mut home = Home::new();
        // In memory, whatever the machine's own is like, and gone with the namespace.
        let nothing = MsFlags::empty();
        mount(Some("home"), home.path(), Some("tmpfs"), nothing, None::<&str>).expect("a tmpfs");
        fs::create_dir(home.media()).unwrap();
        // What a file system of ours shows is another's word, and must be seen twice.
        home.environment.push(("OBITUARR__REMOTE__CONFIRM", "1s".to_owned()));
        let to_end = aborts.clone();
        // A process that waits for a file system of ours can't even be killed.
        home.before_kill = Some(Box::new(move || to_end.all()));
        Self { home, aborts, loops: Mutex::default() }
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
        self.say(line);
    }

    /// Runs a program that must succeed, and gives what it said.
    #[track_caller]
    pub(crate) fn say(&self, line: &str) -> String {
        self.try_run(line).unwrap_or_else(|said| panic!("{line}: {said}"))
    }

    /// Runs a program, and gives what it said, as an error when it fails.
    pub(crate) fn try_run(&self, line: &str) -> Result<String, String> {
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
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() { Ok(said(&output.stdout)) } else { Err(said(&output.stderr)) }
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

    /// Attaches a file beside the root to a loop device, which stays until the test is over.
    pub(crate) fn loop_device(&self, name: &str) -> String {
        let device = self.say(&format!("losetup --find --show @{name}")).trim().to_owned();
        self.loops.lock().unwrap().push(device.clone());
        device
    }

    /// Names the root in a file, as a service does: unlike one that a person names, it need not be
    /// there yet.
    pub(crate) fn configure(&mut self) {
        let text = format!("[roots.media]\npath = \"{}\"\n", self.media().display());
        self.home.configure(&text);
    }

    /// Starts the daemon on a library of 300 films that it adopts.
    pub(crate) fn start(&self) -> Daemon<'_> {
        let daemon = self.home.start();
        wait_health(&daemon, "online", LONG);
        daemon
    }

    /// Lets time pass in which nothing may be reported. It is longer than a loss takes to be told.
    #[track_caller]
    pub(crate) fn nothing_is_told(&self, daemon: &Daemon<'_>) {
        throughout(SETTLE * 2, || assert!(self.home.ledger().is_empty(), "{:?}", daemon.dead()));
        assert!(daemon.deletions().is_empty(), "{:?}", daemon.dead());
    }
}

impl Rig {
    /// What is left to show once a disk is back: film 7 went meanwhile, and that is told once.
    #[track_caller]
    pub(crate) fn the_one_deletion_is_told_once(&self, daemon: Daemon<'_>) {
        daemon.wait_deletions(1);
        daemon.check();
        assert_eq!(daemon.dead(), ["Film 007"]);
        assert_eq!(daemon.stop(), 0);
        assert_eq!(self.home.ledger().len(), 1);
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
        for device in self.loops.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            drop(self.try_run(&format!("losetup --detach {device}")));
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
    daemon.get("/v1/status").map(|status| status["roots"][0].clone())
}

/// Waits until the first root has this health, and gives the reason.
#[track_caller]
pub(crate) fn wait_health(daemon: &Daemon<'_>, health: &str, within: Duration) -> String {
    until(&format!("the root is {health}"), within, || {
        let root = root(daemon)?;
        (root["health"] == health).then(|| root["reason"].as_str().unwrap().to_owned())
    })
}

/// Waits until the reason of the first root's health says this, and gives the reason.
#[track_caller]
pub(crate) fn wait_reason(daemon: &Daemon<'_>, part: &str) -> String {
    until(&format!("the reason says: {part}"), SOON, || {
        let reason = root(daemon)?["reason"].as_str()?.to_owned();
        reason.contains(part).then_some(reason)
    })
}
