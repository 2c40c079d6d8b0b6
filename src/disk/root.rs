//! A root's own directory, held open.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{AtFlags, CWD, Mode, OFlags, RawDir, openat, statat};
use rustix::io::Errno;

use super::host::Host;
use super::identity::{identify, is_mount_point};
use super::inner::{InnerMounts, real_path, why_idle};
use super::pool::{self, Branches};
use super::words;
use crate::domain::{AbsPath, FsId, Identity, RelPath, RootLook};

/// Room for directory entries; one read of it takes some hundred names.
pub(super) const BUFFER: usize = 64 * 1_024;

/// A root can't be looked at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoRoot {
    /// The directory is not there.
    #[error("{0}")]
    Missing(String),
    /// It can't be opened or read, or its marker file is missing.
    #[error("{0}")]
    Unreadable(String),
    /// It is on an automount that has nothing mounted; a look would mount it.
    #[error("{0}")]
    Idle(String),
}

impl From<NoRoot> for RootLook {
    fn from(error: NoRoot) -> Self {
        match error {
            NoRoot::Missing(why) => Self::Missing { why },
            NoRoot::Unreadable(why) => Self::Unreadable { why },
            NoRoot::Idle(why) => Self::Idle { why },
        }
    }
}

/// A root's directory: what lies below it is looked at from this descriptor, so a mount that comes
/// over the root in between can't mix two trees.
pub struct RootDir {
    pub(super) fd: OwnedFd,
    path: PathBuf,
    marker: Option<String>,
    /// Whether it must be a mount point.
    is_inner: bool,
    identity: Identity,
    fs: FsId,
    pub(super) host: Arc<Host>,
    pub(super) buffer: RefCell<Vec<u8>>,
    pub(super) branches: Option<Branches>,
    pub(super) inner: RefCell<HashMap<u64, FsId>>,
}

impl fmt::Debug for RootDir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RootDir").field("path", &self.path).field("fd", &self.fd).finish()
    }
}

/// Opens a root: its configured path may be a link, `marker` is a file that must be in it.
///
/// # Errors
/// [`NoRoot`] when it is not there or can't be read.
pub fn open_root(host: &Arc<Host>, path: &Path, marker: Option<&str>) -> Result<RootDir, NoRoot> {
    open(host, path, marker, false)
}

/// Opens a root that was found as a mount below another: it is there only while something is
/// mounted at its path.
///
/// # Errors
/// [`NoRoot`] when nothing is mounted there, or it can't be read.
pub fn open_inner_root(host: &Arc<Host>, path: &Path) -> Result<RootDir, NoRoot> {
    open(host, path, None, true)
}

fn open(
    host: &Arc<Host>,
    path: &Path,
    marker: Option<&str>,
    is_inner: bool,
) -> Result<RootDir, NoRoot> {
    let shown = AbsPath::new(path);
    let unreadable = |why: String| NoRoot::Unreadable(format!("{shown}: {why}"));
    let idle = why_idle(host, path);
    if let Some(why) = idle.map_err(|e| unreadable(format!("no mount table: {e}")))? {
        return Err(NoRoot::Idle(why));
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let fd = match openat(CWD, path, flags, Mode::empty()) {
        Ok(fd) => fd,
        Err(Errno::NOENT) => {
            return Err(NoRoot::Missing(format!("there is no directory {shown}")));
        }
        Err(Errno::NOTDIR) => {
            return Err(NoRoot::Missing(format!("{shown} is not a directory")));
        }
        Err(error) => return Err(unreadable(format!("can't be opened: {}", words(error)))),
    };
    if is_inner && !is_mount_point(&fd).map_err(unreadable)? {
        return Err(NoRoot::Missing(format!("nothing is mounted at {shown}")));
    }
    let mut identity = identify(host, &fd).map_err(unreadable)?;
    let pool = pool::see(host, path, fd.as_fd(), &identity).map_err(unreadable)?;
    let (pool, branches) = pool.map_or((None, None), |(p, b)| (Some(Box::new(p)), Some(b)));
    identity.pool = pool;
    let mut buffer = Vec::with_capacity(BUFFER);
    if let Some(Err(error)) = RawDir::new(&fd, buffer.spare_capacity_mut()).next() {
        return Err(unreadable(format!("can't be read: {}", words(error))));
    }
    if let Some(marker) = marker {
        statat(&fd, marker, AtFlags::SYMLINK_NOFOLLOW).map_err(|error| {
            unreadable(format!("its marker file {marker} can't be seen: {}", words(error)))
        })?;
    }
    Ok(RootDir {
        fd,
        path: path.to_path_buf(),
        marker: marker.map(str::to_owned),
        is_inner,
        fs: identity.file_system(),
        identity,
        host: Arc::clone(host),
        buffer: RefCell::new(buffer),
        branches,
        inner: RefCell::default(),
    })
}

impl RootDir {
    /// What it was found to be when it was opened.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The file system that it lies on.
    #[must_use]
    pub fn file_system(&self) -> FsId {
        self.fs
    }

    /// Its path, as configured.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Looks at the path again from outside, as if for the first time: the same identity as
    /// [`RootDir::identity`] says that all looks in between were looks at the root.
    #[must_use]
    pub fn look_again(&self) -> RootLook {
        match open(&self.host, &self.path, self.marker.as_deref(), self.is_inner) {
            Ok(root) => RootLook::Seen { identity: root.identity },
            Err(error) => error.into(),
        }
    }

    /// The mounts below it, by the mount table.
    ///
    /// # Errors
    /// When the mount table can't be read.
    pub fn inner_mounts(&self) -> std::io::Result<InnerMounts> {
        let path = real_path(self.as_fd()).unwrap_or_else(|| self.path.clone());
        self.host.inner(&path)
    }

    /// Why a directory below it must not be opened: it is on an automount that has nothing mounted.
    #[must_use]
    pub fn why_idle(&self, dir: &RelPath) -> Option<String> {
        let path = real_path(self.as_fd()).unwrap_or_else(|| self.path.clone());
        why_idle(&self.host, &dir.under(&path)).ok()?
    }

    /// The file system of the mount with this number, which lies below the root or is its own.
    pub(super) fn file_system_of(&self, mount: u64, dir: BorrowedFd<'_>) -> Result<FsId, String> {
        if mount == self.identity.mount {
            return Ok(self.fs);
        }
        if let Some(fs) = self.inner.borrow().get(&mount) {
            return Ok(*fs);
        }
        let fs = identify(&self.host, dir)?.file_system();
        self.inner.borrow_mut().insert(mount, fs);
        Ok(fs)
    }

    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn open(path: &Path, marker: Option<&str>) -> Result<RootDir, NoRoot> {
        open_root(&Arc::new(Host::new().unwrap()), path, marker)
    }

    #[test]
    fn a_root_that_stays_is_the_same_on_both_sides() {
        let tree = tempfile::tempdir().unwrap();
        symlink(tree.path(), tree.path().join("link")).unwrap();
        let root = open(&tree.path().join("link"), None).unwrap();
        assert_eq!(root.look_again(), RootLook::Seen { identity: root.identity().clone() });
    }

    #[test]
    fn a_root_renamed_away_is_missing_and_one_put_in_its_place_is_another() {
        let tree = tempfile::tempdir().unwrap();
        let path = tree.path().join("movies");
        fs::create_dir(&path).unwrap();
        let root = open(&path, None).unwrap();
        fs::rename(&path, tree.path().join("away")).unwrap();
        assert!(matches!(root.look_again(), RootLook::Missing { .. }));
        fs::create_dir(&path).unwrap();
        let RootLook::Seen { identity } = root.look_again() else { panic!("not seen") };
        assert!(root.identity().inode.is_none() || root.identity().matches(&identity).is_err());
    }

    #[test]
    fn what_is_wrong_with_a_root_is_said_in_words() {
        let tree = tempfile::tempdir().unwrap();
        fs::write(tree.path().join("file"), "").unwrap();
        symlink("b", tree.path().join("a")).unwrap();
        symlink("a", tree.path().join("b")).unwrap();
        let check = |name: &str, marker: Option<&str>, expected: &str| {
            let error = open(&tree.path().join(name), marker).unwrap_err();
            let why = error.to_string().replace(tree.path().to_str().unwrap(), "ROOT");
            assert_eq!(why, expected);
        };
        check("none", None, "there is no directory ROOT/none");
        check("file", None, "ROOT/file is not a directory");
        check("a", None, "ROOT/a: can't be opened: too many levels of symbolic links");
        let marker = "ROOT/: its marker file .here can't be seen: no such file or directory";
        check("", Some(".here"), marker);
        fs::write(tree.path().join(".here"), "").unwrap();
        assert!(open(tree.path(), Some(".here")).is_ok());
    }
}
