//! Opening what lies below a held directory, by real directories only.
//!
//! Must never follow a symbolic link, and never leave the directory it starts from.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{Mode, OFlags, ResolveFlags, openat, openat2};
use rustix::io::Errno;

/// The longest piece of a path that is given to the kernel at once; its limit is 4,096 with the
/// terminating zero.
const PIECE: usize = 4_000;

const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC).union(OFlags::NOFOLLOW);

const PLAIN: ResolveFlags = ResolveFlags::NO_SYMLINKS.union(ResolveFlags::NO_MAGICLINKS);

/// Set once the kernel or a sandbox refused `openat2`.
static STEPWISE: AtomicBool = AtomicBool::new(false);

/// Opens the directory at `path` below `base`, for reading, if no mount lies in between. `None`
/// when one does, or when it can't be known so cheaply.
pub(super) fn open_dir_on_mount(
    base: BorrowedFd<'_>,
    path: &[u8],
) -> Result<Option<OwnedFd>, Errno> {
    if path.is_empty() || path.len() > PIECE || STEPWISE.load(Ordering::Relaxed) {
        return Ok(None);
    }
    match openat2(base, path, DIRECTORY, Mode::empty(), PLAIN | ResolveFlags::NO_XDEV) {
        Ok(fd) => Ok(Some(fd)),
        Err(Errno::XDEV | Errno::NOSYS | Errno::PERM) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Opens the directory at `path` below `base`, for reading.
pub(super) fn open_dir(base: BorrowedFd<'_>, path: &[u8]) -> Result<OwnedFd, Errno> {
    if path.is_empty() {
        return openat(base, c".", DIRECTORY, Mode::empty());
    }
    let mut held: Option<OwnedFd> = None;
    let mut rest = path;
    while !rest.is_empty() {
        let (piece, tail) = split(rest)?;
        let from = held.as_ref().map_or(base, |fd| fd.as_fd());
        held = Some(open_piece(from, piece)?);
        rest = tail;
    }
    held.ok_or(Errno::INVAL)
}

fn split(path: &[u8]) -> Result<(&[u8], &[u8]), Errno> {
    if path.len() <= PIECE {
        return Ok((path, &[]));
    }
    let end = path[..=PIECE].iter().rposition(|b| *b == b'/').ok_or(Errno::NAMETOOLONG)?;
    Ok((&path[..end], &path[end + 1..]))
}

fn open_piece(from: BorrowedFd<'_>, piece: &[u8]) -> Result<OwnedFd, Errno> {
    if !STEPWISE.load(Ordering::Relaxed) {
        match openat2(from, piece, DIRECTORY, Mode::empty(), PLAIN) {
            // Old seccomp filters say EPERM to calls that they don't know; so does a directory that
            // is really forbidden, which the steps will find out.
            Err(Errno::NOSYS) => STEPWISE.store(true, Ordering::Relaxed),
            Err(Errno::PERM) => {}
            other => return other,
        }
    }
    open_stepwise(from, piece)
}

fn open_stepwise(from: BorrowedFd<'_>, piece: &[u8]) -> Result<OwnedFd, Errno> {
    let mut held: Option<OwnedFd> = None;
    for name in piece.split(|b| *b == b'/') {
        let from = held.as_ref().map_or(from, |fd| fd.as_fd());
        held = Some(openat(from, name, DIRECTORY, Mode::empty())?);
    }
    held.ok_or(Errno::INVAL)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn no_link_is_followed_in_either_way() {
        let tree = tempfile::tempdir().unwrap();
        fs::create_dir_all(tree.path().join("real/below")).unwrap();
        symlink("real", tree.path().join("link")).unwrap();
        symlink("/", tree.path().join("real/out")).unwrap();
        fs::write(tree.path().join("file"), "").unwrap();
        let base = File::open(tree.path()).unwrap();
        for open in [open_dir, open_stepwise] {
            let open = |path: &[u8]| open(base.as_fd(), path);
            assert!(open(b"real/below").is_ok());
            for path in ["link", "link/below", "real/out", "real/out/etc"] {
                let error = open(path.as_bytes()).unwrap_err();
                assert!(matches!(error, Errno::LOOP | Errno::NOTDIR), "{path}: {error}");
            }
            assert_eq!(open(b"file").unwrap_err(), Errno::NOTDIR);
            assert_eq!(open(b"nothing/below").unwrap_err(), Errno::NOENT);
        }
    }

    #[test]
    fn a_mount_in_between_is_noticed() {
        let base = File::open("/").unwrap();
        assert!(open_dir_on_mount(base.as_fd(), b"proc/sys").unwrap().is_none());
        let tree = tempfile::tempdir().unwrap();
        fs::create_dir(tree.path().join("a")).unwrap();
        let base = File::open(tree.path()).unwrap();
        assert!(open_dir_on_mount(base.as_fd(), b"a").unwrap().is_some());
        assert_eq!(open_dir_on_mount(base.as_fd(), b"b").unwrap_err(), Errno::NOENT);
    }

    #[test]
    fn a_path_longer_than_the_kernel_takes_is_opened_in_pieces() {
        let tree = tempfile::tempdir().unwrap();
        let name = [b'n'; 200];
        let base = File::open(tree.path()).unwrap();
        let mut path = Vec::new();
        for _ in 0..50 {
            let parent = open_dir(base.as_fd(), &path).unwrap();
            rustix::fs::mkdirat(&parent, &name[..], Mode::RWXU).unwrap();
            if !path.is_empty() {
                path.push(b'/');
            }
            path.extend_from_slice(&name);
        }
        assert!(path.len() > 10_000);
        assert!(open_dir(base.as_fd(), &path).is_ok());
    }
}
