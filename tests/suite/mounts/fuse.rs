//! A file system of ours that shows a directory and, when told, hangs, fails or lies. It is served
//! by threads of the test, so it can't outlive it.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::Write;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime};

use fuser::{
    Config, Errno, FileAttr, FileHandle, FileType, Filesystem, Generation, INodeNo, ReplyAttr,
    ReplyDirectory, ReplyEmpty, ReplyEntry, Request, Session, SessionACL,
};
use nix::mount::{MsFlags, mount};

use super::rig::Rig;

/// Nothing is remembered by the kernel: each look asks us.
const NO_CACHE: Duration = Duration::ZERO;
/// So many requests are answered at the same time, or hang at the same time.
const THREADS: usize = 8;
/// A request hangs no longer than this, whatever happens to the test.
const LONGEST_HANG: Duration = Duration::from_secs(140);

/// How the file system behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Mood {
    /// It shows what is there.
    #[default]
    Well,
    /// It answers nothing until its mood changes.
    Hangs,
    /// Each third name can't be looked at, nor each third folder below the root listed: EIO.
    FailsPartly,
    /// It lists the first half of each directory, without any error.
    ListsHalf,
    /// It does so in one directory of this name.
    ListsHalfOf(&'static str),
    /// A listing ends with EIO after the first half of the names.
    BreaksOff,
}

#[derive(Debug, Default)]
struct State {
    mood: Mutex<Mood>,
    changed: Condvar,
}

/// A mounted file system.
#[derive(Debug)]
pub(crate) struct Fuse {
    state: Arc<State>,
    abort: Abort,
}

impl Fuse {
    /// Shows `source` at the mount point `at`.
    pub(crate) fn mount(rig: &Rig, source: &Path, at: &Path) -> Self {
        let device = File::options().read(true).write(true).open("/dev/fuse").expect("/dev/fuse");
        let fd = device.as_raw_fd();
        let options = format!("fd={fd},rootmode=40000,user_id=0,group_id=0,allow_other");
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
        mount(Some("shown"), at, Some("fuse.shown"), flags, Some(&*options)).expect("a mount");
        let state = Arc::new(State::default());
        let shown = Shown::new(source, Arc::clone(&state));
        let mut config = Config::default();
        config.n_threads = Some(THREADS);
        config.acl = SessionACL::All;
        let session = Session::from_fd(shown, OwnedFd::from(device), SessionACL::All, config);
        let session = session.expect("a session");
        thread::spawn(move || drop(session.run()));
        let abort = Abort::of(rig, at);
        rig.aborts.add(abort.clone());
        Self { state, abort }
    }

    /// Behaves so from now on; what hangs is answered.
    pub(crate) fn be(&self, mood: Mood) {
        *self.state.mood.lock().unwrap_or_else(PoisonError::into_inner) = mood;
        self.state.changed.notify_all();
    }

    /// Ends the connection, as the death of a server does: what hangs and what comes gets ENOTCONN.
    pub(crate) fn die(&self) {
        self.abort.now();
    }
}

/// Ends a FUSE connection. The file is held open, since the kernel gives its number to another
/// connection, which may be of another test, as soon as this one has ended.
#[derive(Debug, Clone)]
pub(crate) struct Abort(Arc<File>);

impl Abort {
    fn of(rig: &Rig, mounted: &Path) -> Self {
        let control = rig.beside("fusectl");
        if fs::read_dir(&control).unwrap().next().is_none() {
            let flags = MsFlags::empty();
            mount(Some("fusectl"), &control, Some("fusectl"), flags, None::<&str>).unwrap();
        }
        let minor = nix::sys::stat::minor(fs::metadata(mounted).unwrap().dev());
        let abort = control.join(minor.to_string()).join("abort");
        Self(Arc::new(File::options().write(true).open(abort).expect("the connection")))
    }

    /// Ends it; a connection that has ended already is no error.
    pub(crate) fn now(&self) {
        drop((&*self.0).write_all(b"1"));
    }
}

/// The file system itself: a directory, seen through a mood.
struct Shown {
    state: Arc<State>,
    paths: Mutex<Paths>,
}

/// Inode numbers are handed out as paths are asked for.
struct Paths {
    of: HashMap<u64, PathBuf>,
    numbers: HashMap<PathBuf, u64>,
}

impl Shown {
    fn new(source: &Path, state: Arc<State>) -> Self {
        let of = HashMap::from([(INodeNo::ROOT.0, source.to_path_buf())]);
        let numbers = HashMap::from([(source.to_path_buf(), INodeNo::ROOT.0)]);
        Self { state, paths: Mutex::new(Paths { of, numbers }) }
    }

    /// The mood, once it is another than to hang.
    fn mood(&self) -> Mood {
        let mood = self.state.mood.lock().unwrap_or_else(PoisonError::into_inner);
        let hangs = |mood: &mut Mood| *mood == Mood::Hangs;
        let waited = self.state.changed.wait_timeout_while(mood, LONGEST_HANG, hangs);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn paths(&self) -> MutexGuard<'_, Paths> {
        self.paths.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, inode: INodeNo) -> Result<PathBuf, Errno> {
        self.paths().of.get(&inode.0).cloned().ok_or(Errno::ESTALE)
    }

    fn number(&self, path: &Path) -> INodeNo {
        let mut paths = self.paths();
        if let Some(number) = paths.numbers.get(path) {
            return INodeNo(*number);
        }
        let number = paths.of.len() as u64 + 1;
        paths.of.insert(number, path.to_path_buf());
        paths.numbers.insert(path.to_path_buf(), number);
        INodeNo(number)
    }

    fn attributes(&self, path: &Path) -> Result<FileAttr, Errno> {
        let found = fs::symlink_metadata(path).map_err(Errno::from)?;
        let time = |at: std::io::Result<SystemTime>| at.unwrap_or(SystemTime::UNIX_EPOCH);
        Ok(FileAttr {
            ino: self.number(path),
            size: found.len(),
            blocks: found.blocks(),
            atime: time(found.accessed()),
            mtime: time(found.modified()),
            ctime: time(found.modified()),
            crtime: time(found.created()),
            kind: FileType::from_std(found.file_type()).unwrap_or(FileType::RegularFile),
            perm: u16::try_from(found.mode() & 0o7777).unwrap(),
            nlink: u32::try_from(found.nlink()).unwrap(),
            uid: found.uid(),
            gid: found.gid(),
            rdev: 0,
            blksize: 4_096,
            flags: 0,
        })
    }

    fn entry(&self, parent: INodeNo, name: &OsStr) -> Result<FileAttr, Errno> {
        let mood = self.mood();
        let path = self.path(parent)?.join(name);
        if mood == Mood::FailsPartly && is_third(name) {
            return Err(Errno::EIO);
        }
        self.attributes(&path)
    }

    fn names(&self, dir: INodeNo) -> Result<Vec<(INodeNo, FileType, OsString)>, Errno> {
        let mood = self.mood();
        let path = self.path(dir)?;
        let is_root = dir == INodeNo::ROOT;
        if mood == Mood::FailsPartly && !is_root && path.file_name().is_some_and(is_third) {
            return Err(Errno::EIO);
        }
        let mut names: Vec<(INodeNo, FileType, OsString)> = fs::read_dir(&path)
            .map_err(Errno::from)?
            .flatten()
            .map(|entry| {
                let kind = entry.file_type().ok().and_then(FileType::from_std);
                let number = self.number(&entry.path());
                (number, kind.unwrap_or(FileType::RegularFile), entry.file_name())
            })
            .collect();
        names.sort_by(|a, b| a.2.cmp(&b.2));
        let halved = match mood {
            Mood::ListsHalf | Mood::BreaksOff => true,
            Mood::ListsHalfOf(name) => path.file_name().is_some_and(|found| found == name),
            Mood::Well | Mood::Hangs | Mood::FailsPartly => false,
        };
        if halved {
            names.truncate(names.len().div_ceil(2));
        }
        Ok(names)
    }
}

/// Whether a name is one of the third that fails.
fn is_third(name: &OsStr) -> bool {
    let sum: u32 = name.as_encoded_bytes().iter().map(|byte| u32::from(*byte)).sum();
    sum.is_multiple_of(3)
}

fn answer(done: Result<(), Errno>, reply: ReplyEmpty) {
    match done {
        Ok(()) => reply.ok(),
        Err(error) => reply.error(error),
    }
}

impl Filesystem for Shown {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        match self.entry(parent, name) {
            Ok(found) => reply.entry(&NO_CACHE, &found, Generation(0)),
            Err(error) => reply.error(error),
        }
    }

    fn getattr(&self, _: &Request, inode: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        self.mood();
        match self.path(inode).and_then(|path| self.attributes(&path)) {
            Ok(found) => reply.attr(&NO_CACHE, &found),
            Err(error) => reply.error(error),
        }
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        self.mood();
        answer(self.path(parent).and_then(|path| Ok(fs::remove_file(path.join(name))?)), reply);
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        self.mood();
        answer(self.path(parent).and_then(|path| Ok(fs::remove_dir(path.join(name))?)), reply);
    }

    fn readdir(
        &self,
        _: &Request,
        inode: INodeNo,
        _: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        match self.names(inode) {
            Ok(names) => {
                let from = usize::try_from(offset).unwrap();
                if from >= names.len() && self.mood() == Mood::BreaksOff {
                    return reply.error(Errno::EIO);
                }
                for (at, (number, kind, name)) in names.iter().enumerate().skip(from) {
                    if reply.add(*number, at as u64 + 1, *kind, name) {
                        break;
                    }
                }
                reply.ok();
            }
            Err(error) => reply.error(error),
        }
    }
}
