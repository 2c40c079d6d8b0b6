//! Opens a state directory: takes its lock, heals what a crash or a bad disk left, brings store and
//! ledger together.
//!
//! The order matters. Without the lock nothing is touched. What a crash leaves half written is
//! removed before sled sees it. A store that can't be opened is moved aside, never deleted.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};

use super::engine::{StartError, await_release};
use super::error::{Healed, OpenError, StoreError};
use super::guard::Opening;
use super::ledger::{Ledger, stamp};
use super::sled_store::{SCHEMA, Store};
use super::{Loaded, Storage, reconcile};
use crate::domain::{DeletionId, Timestamp};

/// sled reads its whole log when it opens; longer than this is a hang.
const OPEN_DEADLINE: Duration = Duration::from_mins(5);
/// sled's threads keep its lock for a moment after it was closed.
const PATIENCE: Duration = Duration::from_secs(2);

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
    remove_half_snapshots(&path, &mut healed);
    let (store, had_store) = match existing(dir, &path)? {
        Existing::Whole(store) => (store, true),
        Existing::None => (make(dir, &path)?, false),
        Existing::Damaged(why) => {
            let aside = dir.join(format!("store.corrupt-{}", stamp(now)));
            fs::rename(&path, &aside)
                .map_err(|source| OpenError::StateDir { path: dir.to_path_buf(), source })?;
            healed.push(Healed::SetAside { why, aside });
            (make(dir, &path)?, false)
        }
    };
    let set_aside = healed.iter().any(|healed| matches!(healed, Healed::SetAside { .. }));
    let rolled_back = had_store && store.is_rolled_back()?;
    if rolled_back {
        healed.push(Healed::RolledBack);
    }
    let store = Arc::new(store.ready(lock)?);
    let (mut ledger, lines, ledger_healed) = Ledger::open(dir, now)?;
    healed.extend(ledger_healed);
    let (entries, rewritten) = reconcile::reconcile(&*store, &mut ledger, &lines)?;
    if entries > 0 || rewritten > 0 {
        healed.push(Healed::Reconciled { entries, lines: rewritten });
    }
    let mut loaded = store.load()?;
    if store.quarantined() > 0 {
        let (count, what) = (store.quarantined(), store.take_damage());
        healed.push(Healed::BadRecords { count, what });
        let titles = closed_without_entry(&store, &loaded)?;
        if !titles.is_empty() {
            healed.push(Healed::LostEntries { titles });
        }
    }
    let rebuilt = set_aside || rolled_back || (!had_store && !lines.is_empty());
    let written: Vec<Timestamp> = lines.iter().map(|line| line.at).collect();
    loaded.retired = reconcile::retired(loaded.heartbeat, &lines);
    let stale = reconcile::stale(rebuilt, loaded.heartbeat, &written, now);
    Ok(Opened { store, ledger, loaded, healed, stale })
}

/// The titles whose life was closed by a deletion of which there is no record.
fn closed_without_entry(store: &Store, loaded: &Loaded) -> Result<Vec<String>, StoreError> {
    let mut titles = Vec::new();
    for state in loaded.saved.items.iter().filter(|state| state.closed.is_some()) {
        if store.entry(&DeletionId::new(&state.item.key(), state.life))?.is_none() {
            titles.push(state.item.to_string());
        }
    }
    Ok(titles)
}

/// What is found where the store should be.
enum Existing {
    None,
    Whole(Store),
    Damaged(String),
}

fn existing(dir: &Path, path: &Path) -> Result<Existing, OpenError> {
    if is_nothing(path) {
        return Ok(Existing::None);
    }
    read_through(path)?;
    match try_open(path) {
        Ok(store) => match store.schema()? {
            Some(found) if found > SCHEMA => {
                Err(OpenError::Newer { path: path.to_path_buf(), found, known: SCHEMA })
            }
            Some(found) => {
                store.migrate(found)?;
                Ok(Existing::Whole(store))
            }
            // A store gets its name when its schema is in it, so this one has lost it: sled takes a
            // log that it can't read for an empty one.
            None => Ok(Existing::Damaged("nothing of it can be read".to_owned())),
        },
        Err(Failure::Damaged(why)) => Ok(Existing::Damaged(why)),
        Err(Failure::Transient(error)) => Err(error.into()),
        Err(Failure::InUse) => {
            Err(OpenError::AlreadyRunning { path: dir.to_path_buf(), pid: None })
        }
    }
}

/// Whether there is no such path, or only an empty directory.
fn is_nothing(path: &Path) -> bool {
    match fs::read_dir(path) {
        Ok(mut entries) => entries.next().is_none(),
        Err(_) => !is_there(path),
    }
}

/// Makes an empty store. It has its name only when it is whole, so that no crash leaves one that
/// looks damaged.
fn make(dir: &Path, path: &Path) -> Result<Store, OpenError> {
    let unusable = |source| OpenError::StateDir { path: dir.to_path_buf(), source };
    let new = path.with_extension("new");
    match fs::remove_dir_all(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(unusable(error)),
        _ => {}
    }
    let fresh = |failure| match failure {
        Failure::Transient(error) => error,
        Failure::InUse => other(path, "in use"),
        Failure::Damaged(why) => {
            StoreError::Sled { path: path.to_path_buf(), doing: "made", source: why.into() }
        }
    };
    try_open(&new).map_err(fresh)?.initialise()?;
    fs::rename(&new, path).map_err(unusable)?;
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(unusable)?;
    Ok(try_open(path).map_err(fresh)?)
}

/// Reads every byte of the store. sled takes a read that fails for the end of its log and forgets
/// what is behind: a disk that fails must be found before that.
fn read_through(store: &Path) -> Result<(), OpenError> {
    let fail = |source: io::Error| StoreError::Sled {
        path: store.to_path_buf(),
        doing: "read",
        source: source.into(),
    };
    if !store.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(store).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        if entry.file_type().map_err(fail)?.is_file() {
            let mut file = File::open(entry.path()).map_err(fail)?;
            io::copy(&mut file, &mut io::sink()).map_err(fail)?;
        }
    }
    Ok(())
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

/// Opens sled on a thread of its own: on damaged files it may never come back.
fn try_open(path: &Path) -> Result<Store, Failure> {
    let place = path.to_path_buf();
    let closed = on_thread("await store", PATIENCE, move || await_release(&place));
    // Any other error than a lock that is held comes again from sled, which names it better.
    if matches!(closed, Err(RecvTimeoutError::Timeout)) {
        return Err(Failure::InUse);
    }
    let _expected = Opening::begin();
    let place = path.to_path_buf();
    match on_thread("open store", OPEN_DEADLINE, move || Store::start(&place)) {
        Ok(Ok(store)) => Ok(store),
        Ok(Err(error)) => Err(judge(path, error)),
        Err(RecvTimeoutError::Timeout) => {
            Err(Failure::Transient(other(path, "it does not open in time")))
        }
        Err(RecvTimeoutError::Disconnected) => {
            Err(Failure::Transient(other(path, "no thread to open it on")))
        }
    }
}

fn on_thread<T: Send + 'static>(
    name: &str,
    deadline: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, RecvTimeoutError> {
    let (sender, receiver) = channel();
    let thread = std::thread::Builder::new().name(name.to_owned());
    // The receiver has given up if it is gone.
    let thread = thread.spawn(move || drop(sender.send(work())));
    thread.map_err(|_| RecvTimeoutError::Disconnected)?;
    receiver.recv_timeout(deadline)
}

fn judge(path: &Path, error: StartError) -> Failure {
    let text = error.to_string();
    let is_usable = path.is_dir() || !is_there(path);
    let transient = match &error {
        // sled wraps the error of its lock into text.
        StartError::Sled(_) if text.contains("could not acquire lock") => return Failure::InUse,
        StartError::Sled(sled::Error::Io(error)) => !is_damage(error),
        StartError::Sled(_) => false,
        StartError::GaveUp(_) => os_error_in(&text).is_some_and(|error| !is_damage(&error)),
    };
    if transient && is_usable {
        return Failure::Transient(other(path, error));
    }
    Failure::Damaged(text.lines().next().unwrap_or_default().to_owned())
}

/// The system's error in the debug form of one, as a panic shows it: `Os { code: 28, … }`.
fn os_error_in(text: &str) -> Option<io::Error> {
    let (_, behind) = text.split_once("Os { code: ")?;
    let digits: String = behind.chars().take_while(char::is_ascii_digit).collect();
    Some(io::Error::from_raw_os_error(digits.parse().ok()?))
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

fn other(path: &Path, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
    StoreError::Sled { path: path.to_path_buf(), doing: "opened", source: source.into() }
}
