//! Opens a state directory: takes its lock, heals what a crash or a bad disk left, brings store and
//! ledger together.
//!
//! The order matters. Without the lock nothing is touched. What a crash leaves half written is
//! removed before sled sees it. A store that can't be opened is moved aside, never deleted.

use std::any::Any;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};

use super::error::{Healed, OpenError, StoreError};
use super::ledger::{Ledger, stamp};
use super::sled_store::{SCHEMA, Store};
use super::{Loaded, Storage, reconcile};
use crate::domain::Timestamp;

/// sled reads its whole log when it opens; longer than this is a hang.
const OPEN_DEADLINE: Duration = Duration::from_mins(5);
/// The thread whose panics are findings, not faults of ours.
const OPENER: &str = "open store";

/// An open state directory.
#[derive(Debug)]
pub struct Opened {
    /// The store.
    pub store: Arc<Store>,
    /// The ledger.
    pub ledger: Ledger,
    /// What the store holds.
    pub loaded: Loaded,
    /// What was damaged, and what was done about it.
    pub healed: Vec<Healed>,
    /// Why losses that the comparison at start finds can't be dated, if they can't.
    pub stale: Option<String>,
}

/// Opens the state directory `dir`, which is made if it is not there and `create` allows it.
///
/// # Errors
/// When it can't be used, is in use, or was written by a newer version. Damage is no error.
pub fn open(dir: &Path, create: bool, now: Timestamp) -> Result<Opened, OpenError> {
    let lock = lock(dir, create)?;
    let mut healed = Vec::new();
    let path = dir.join("store");
    let had_store = fs::symlink_metadata(&path).is_ok();
    remove_half_snapshots(&path, &mut healed);
    let was_written = path.with_extension("mark").exists();
    let had_records = had_store && (can_be_read(&path)? > 0 || was_written);
    let mut set_aside = false;
    let opened = match try_open(&path) {
        // sled takes a log that it can't read for an empty one.
        Ok(store) if had_records && store.schema()?.is_none() => {
            Err(Failure::Damaged("nothing of it can be read".to_owned()))
        }
        opened => opened,
    };
    let store = match opened {
        Ok(store) => store,
        Err(Failure::Transient(error)) => return Err(error.into()),
        Err(Failure::InUse) => {
            return Err(OpenError::AlreadyRunning { path: dir.to_path_buf(), pid: None });
        }
        Err(Failure::Damaged(why)) => {
            let aside = dir.join(format!("store.corrupt-{}", stamp(now)));
            fs::rename(&path, &aside)
                .map_err(|source| OpenError::StateDir { path: dir.to_path_buf(), source })?;
            healed.push(Healed::SetAside { why, aside });
            set_aside = true;
            try_open(&path).map_err(|failure| match failure {
                Failure::Transient(error) => error,
                Failure::InUse => other(&path, "in use"),
                Failure::Damaged(why) => {
                    StoreError::Sled { path: path.clone(), doing: "made", source: why.into() }
                }
            })?
        }
    };
    match store.schema()? {
        Some(found) if found > SCHEMA => {
            return Err(OpenError::Newer { path, found, known: SCHEMA });
        }
        Some(_) => {}
        None => store.initialise()?,
    }
    let rolled_back = !set_aside && store.is_rolled_back()?;
    if rolled_back {
        healed.push(Healed::RolledBack);
    }
    let store = Arc::new(store.keep(lock));
    let (mut ledger, lines, ledger_healed) = Ledger::open(dir, now)?;
    healed.extend(ledger_healed);
    let (entries, rewritten) = reconcile::reconcile(&*store, &mut ledger, &lines)?;
    if entries > 0 || rewritten > 0 {
        healed.push(Healed::Reconciled { entries, lines: rewritten });
    }
    let loaded = store.load()?;
    if store.quarantined() > 0 {
        healed.push(Healed::BadRecords { count: store.quarantined() });
    }
    let rebuilt = set_aside || rolled_back || (!had_store && !lines.is_empty());
    let newest = lines.iter().map(|line| line.at).max();
    let stale = reconcile::stale(rebuilt, loaded.heartbeat, newest, now);
    Ok(Opened { store, ledger, loaded, healed, stale })
}

/// Reads every byte of the store, and tells how many its log has. sled takes a read that fails for
/// the end of its log and forgets what is behind: a disk that fails must be found before that.
fn can_be_read(store: &Path) -> Result<u64, OpenError> {
    let fail = |source: io::Error| StoreError::Sled {
        path: store.to_path_buf(),
        doing: "read",
        source: source.into(),
    };
    if !store.is_dir() {
        return Ok(0);
    }
    let mut log = 0;
    for entry in fs::read_dir(store).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        if entry.file_type().map_err(fail)?.is_file() {
            let mut file = File::open(entry.path()).map_err(fail)?;
            let length = io::copy(&mut file, &mut io::sink()).map_err(fail)?;
            log = if entry.file_name() == "db" { length } else { log };
        }
    }
    Ok(log)
}

/// Makes the directory and takes its lock.
fn lock(dir: &Path, create: bool) -> Result<File, OpenError> {
    let unusable = |source| OpenError::StateDir { path: dir.to_path_buf(), source };
    if create && !dir.is_dir() {
        // Others may pass through, to the status socket below it; they can't list it.
        DirBuilder::new().recursive(true).mode(0o711).create(dir).map_err(unusable)?;
    }
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(dir.join("lock"))
        .map_err(unusable)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => {
            let mut text = String::new();
            let pid = file.read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
            return Err(OpenError::AlreadyRunning { path: dir.to_path_buf(), pid });
        }
        Err(error) => return Err(unusable(error.into())),
    }
    let written = file
        .set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| writeln!(file, "{}", std::process::id()));
    written.map_err(unusable)?;
    Ok(file)
}

/// sled 0.34 takes a snapshot that a crash left half written for a whole one, and can then never be
/// opened again; without the file it opens with nothing lost (sled issues 1527, 1533).
fn remove_half_snapshots(store: &Path, healed: &mut Vec<Healed>) {
    let Ok(entries) = fs::read_dir(store) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            let file = entry.path();
            // If it can't be removed, opening fails and the store is set aside.
            if fs::remove_file(&file).is_ok() {
                healed.push(Healed::Snapshot { file });
            }
        }
    }
}

/// Why a store did not open.
enum Failure {
    /// The disk is full or fails: moving the store aside would not help.
    Transient(StoreError),
    /// Somebody else has it open.
    InUse,
    /// What is stored can't be read.
    Damaged(String),
}

/// Opens sled on a thread of its own: on damaged files it may panic.
fn try_open(path: &Path) -> Result<Store, Failure> {
    let _one_at_a_time = HOOK.lock().unwrap_or_else(PoisonError::into_inner);
    let hook = Arc::new(std::panic::take_hook());
    let outer = Arc::clone(&hook);
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current().name() != Some(OPENER) {
            outer(info);
        }
    }));
    let (sender, receiver) = channel();
    let place = path.to_path_buf();
    let opener = std::thread::Builder::new().name(OPENER.to_owned()).spawn(move || {
        let opened = std::panic::catch_unwind(|| {
            let store = Store::open(&place)?;
            store.verify()?;
            Ok::<Store, StoreError>(store)
        });
        // The receiver has given up if it is gone.
        drop(sender.send(opened));
    });
    let result = match opener {
        Ok(_) => receiver.recv_timeout(OPEN_DEADLINE),
        Err(_) => Err(RecvTimeoutError::Disconnected),
    };
    std::panic::set_hook(Box::new(move |info| hook(info)));
    match result {
        Ok(Ok(Ok(store))) => Ok(store),
        Ok(Ok(Err(error))) => Err(judge(path, error)),
        Ok(Err(panic)) => Err(Failure::Damaged(message(&*panic))),
        Err(RecvTimeoutError::Timeout) => {
            Err(Failure::Transient(other(path, "it does not open in time")))
        }
        Err(RecvTimeoutError::Disconnected) => {
            Err(Failure::Transient(other(path, "no thread to open it on")))
        }
    }
}

/// The panic hook belongs to the whole process.
static HOOK: Mutex<()> = Mutex::new(());

fn judge(path: &Path, error: StoreError) -> Failure {
    let StoreError::Sled { source, .. } = &error else { return Failure::Transient(error) };
    match source.downcast_ref::<sled::Error>() {
        // sled wraps the error of its lock into text.
        Some(sled::Error::Io(io)) if io.to_string().contains("could not acquire lock") => {
            Failure::InUse
        }
        Some(sled::Error::Io(io)) if !is_damage(io) && (path.is_dir() || !is_there(path)) => {
            Failure::Transient(error)
        }
        Some(error) => Failure::Damaged(error.to_string()),
        None => Failure::Transient(other(path, "unknown")),
    }
}

fn is_there(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// What sled reports as bad content; anything else is the disk's or the system's.
fn is_damage(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        error.kind(),
        Kind::NotFound
            | Kind::InvalidData
            | Kind::UnexpectedEof
            | Kind::InvalidInput
            | Kind::IsADirectory
            | Kind::NotADirectory
    )
}

fn other(path: &Path, why: &'static str) -> StoreError {
    StoreError::Sled { path: PathBuf::from(path), doing: "opened", source: why.into() }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    let first = text.and_then(|text| text.lines().next()).unwrap_or("sled panicked");
    first.to_owned()
}
