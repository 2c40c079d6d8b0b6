//! Listing one directory: every name in it, or an error, never a part.

use std::collections::HashMap;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{AtFlags, FileType, RawDir, StatxFlags, statat, statx};
use rustix::io::Errno;

use super::identity::stat_dir;
use super::open::{open_dir, open_dir_on_mount};
use super::{RootDir, timestamp, words};
use crate::clock::Clock;
use crate::domain::{FsId, RelPath};
use crate::inventory::{Listing, Media, Name, Other, Rules};

/// A directory could not be listed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LookError {
    /// There is no directory of that name, reached by real directories. Only the listing of its
    /// parent can say that it is gone.
    #[error("{dir} is not a directory below its root: {why}")]
    Missing {
        /// The directory.
        dir: RelPath,
        /// What the kernel says.
        why: String,
    },
    /// It may not be read.
    #[error("{dir} may not be read: {why}")]
    Denied {
        /// The directory.
        dir: RelPath,
        /// What the kernel says.
        why: String,
    },
    /// It can't be read, or only in part.
    #[error("{dir} can't be read: {why}")]
    Failed {
        /// The directory.
        dir: RelPath,
        /// What the kernel says.
        why: String,
    },
    /// It is not on the mount of its root: what lies there is of another root.
    #[error("{dir} is not on the mount of its root")]
    Mounted {
        /// The directory.
        dir: RelPath,
    },
}

impl LookError {
    fn new(dir: &RelPath, error: Errno) -> Self {
        let (dir, why) = (dir.clone(), words(error));
        match error {
            Errno::NOENT | Errno::NOTDIR | Errno::LOOP => Self::Missing { dir, why },
            Errno::ACCESS | Errno::PERM => Self::Denied { dir, why },
            _ => Self::Failed { dir, why },
        }
    }
}

/// The largest room that is tried for entries of a file system with very long names.
const LARGEST_BUFFER: usize = 4 * 1_024 * 1_024;

impl RootDir {
    /// Lists a directory.
    ///
    /// Media files are regular files and symbolic links with a media name; subdirectories are real
    /// directories that no rule ignores; the other regular files are kept apart.
    ///
    /// # Errors
    /// [`LookError`] when not every name in it could be read.
    pub fn list(
        &self,
        dir: &RelPath,
        rules: &Rules,
        clock: &dyn Clock,
    ) -> Result<Listing, LookError> {
        let (fd, fs) = self.open(dir)?;
        self.list_open(dir, &fd, fs, rules, clock)
    }

    /// Lists a directory of the root's own mount.
    ///
    /// # Errors
    /// [`LookError`] when not every name in it could be read; [`LookError::Mounted`] when it lies on
    /// another mount.
    pub fn list_own(
        &self,
        dir: &RelPath,
        rules: &Rules,
        clock: &dyn Clock,
    ) -> Result<Listing, LookError> {
        let failed = |error| LookError::new(dir, error);
        let fd = match open_dir_on_mount(self.as_fd(), dir.as_bytes()).map_err(failed)? {
            Some(fd) => fd,
            None => {
                let fd = open_dir(self.as_fd(), dir.as_bytes()).map_err(failed)?;
                if stat_dir(&fd).map_err(failed)?.stx_mnt_id != self.identity().mount {
                    return Err(LookError::Mounted { dir: dir.clone() });
                }
                fd
            }
        };
        self.list_open(dir, &fd, self.file_system(), rules, clock)
    }

    fn list_open(
        &self,
        dir: &RelPath,
        fd: &OwnedFd,
        fs: FsId,
        rules: &Rules,
        clock: &dyn Clock,
    ) -> Result<Listing, LookError> {
        let failed = |error| LookError::new(dir, error);
        let mut listing = Listing {
            dir: dir.clone(),
            fs,
            at: clock.wall(),
            files: vec![],
            subdirs: vec![],
            others: vec![],
            tells_others: true,
            births: HashMap::new(),
        };
        self.read(fd, rules, &mut listing).map_err(failed)?;
        listing.at = clock.wall();
        listing.files.sort_unstable();
        listing.subdirs.sort_unstable();
        listing.others.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(listing)
    }

    /// Opens a directory and says which file system it lies on: mostly its root's own.
    fn open(&self, dir: &RelPath) -> Result<(OwnedFd, FsId), LookError> {
        let failed = |error| LookError::new(dir, error);
        if let Some(fd) = open_dir_on_mount(self.as_fd(), dir.as_bytes()).map_err(failed)? {
            return Ok((fd, self.file_system()));
        }
        let fd = open_dir(self.as_fd(), dir.as_bytes()).map_err(failed)?;
        let mount = stat_dir(&fd).map_err(failed)?.stx_mnt_id;
        let fs = self
            .file_system_of(mount, fd.as_fd())
            .map_err(|why| LookError::Failed { dir: dir.clone(), why })?;
        Ok((fd, fs))
    }

    fn read(&self, fd: impl AsFd, rules: &Rules, listing: &mut Listing) -> Result<(), Errno> {
        let mut buffer = self.buffer.borrow_mut();
        loop {
            match read_all(&fd, &mut buffer, rules, listing) {
                Err(Errno::INVAL) if buffer.capacity() < LARGEST_BUFFER => {
                    let larger = buffer.capacity() * 2;
                    buffer.reserve(larger);
                    (listing.files, listing.subdirs, listing.others) = (vec![], vec![], vec![]);
                    rustix::fs::seek(&fd, rustix::fs::SeekFrom::Start(0))?;
                }
                done => return done,
            }
        }
    }

    /// Asks for the birth times of some of a listing's other files and media files. Where the file
    /// system doesn't know, or another file has the name now, there are none.
    ///
    /// # Errors
    /// [`LookError`] when the directory can't be opened again.
    pub fn births(
        &self,
        listing: &mut Listing,
        others: &[usize],
        files: &[usize],
    ) -> Result<(), LookError> {
        if others.is_empty() && files.is_empty() {
            return Ok(());
        }
        let dir = &listing.dir;
        let fd = open_dir(self.as_fd(), dir.as_bytes()).map_err(|e| LookError::new(dir, e))?;
        let born = |name: &[u8], inode| {
            let mask = StatxFlags::INO | StatxFlags::BTIME;
            let stat = statx(&fd, name, AtFlags::SYMLINK_NOFOLLOW, mask).ok()?;
            let known = stat.stx_mask & StatxFlags::BTIME.bits() != 0;
            (known && stat.stx_ino == inode).then(|| timestamp(&stat.stx_btime))
        };
        for index in others {
            let Some(other) = listing.others.get_mut(*index) else { continue };
            other.born = born(&other.name, other.inode).or(other.born);
        }
        for file in files.iter().filter_map(|index| listing.files.get(*index)) {
            let born = born(&file.name, file.inode);
            let born = born.and_then(|born| self.believe_birth(born, listing.at));
            listing.births.extend(born.map(|born| (file.name.clone(), born)));
        }
        Ok(())
    }
}

fn read_all(
    fd: impl AsFd,
    buffer: &mut Vec<u8>,
    rules: &Rules,
    listing: &mut Listing,
) -> Result<(), Errno> {
    let mut entries = RawDir::new(&fd, buffer.spare_capacity_mut());
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name == b"." || name == b".." {
            continue;
        }
        let mut kind = entry.file_type();
        if kind == FileType::Unknown {
            kind = match statat(&fd, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => FileType::from_raw_mode(stat.st_mode),
                // It went while it was being read: not there, and an event tells of it.
                Err(Errno::NOENT) => continue,
                Err(error) => return Err(error),
            };
        }
        let inode = entry.ino();
        match kind {
            FileType::Directory if !rules.is_ignored_dir(name) => listing.subdirs.push(name.into()),
            FileType::RegularFile | FileType::Symlink if rules.is_media(name) => {
                listing.files.push(Media { name: name.into(), inode, alias: false });
            }
            FileType::RegularFile => listing.others.push(Other {
                name: Name::from(name),
                inode,
                born: None,
                moved_from: None,
            }),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::fs;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{MetadataExt, symlink};
    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::clock::SystemClock;
    use crate::disk::{Host, open_root};

    fn root(path: &Path) -> RootDir {
        open_root(&Arc::new(Host::new().unwrap()), path, None).unwrap()
    }

    fn list(root: &RootDir, dir: &str) -> Result<Listing, LookError> {
        let dir = RelPath::parse(dir.as_bytes()).unwrap();
        root.list(&dir, &Rules::new(["mkv"], [".*", "lost+found"]), &SystemClock::new())
    }

    fn tree() -> tempfile::TempDir {
        let tree = tempfile::tempdir().unwrap();
        for dir in ["b", "a (2001)", ".trash", ".hack (2002)"] {
            fs::create_dir(tree.path().join(dir)).unwrap();
        }
        for file in ["z.mkv", "y\n.MKV", "a.nfo", "b/x.mkv", ".hidden.mkv"] {
            fs::write(tree.path().join(file), "").unwrap();
        }
        fs::write(tree.path().join(OsStr::from_bytes(b"\xff.mkv")), "").unwrap();
        symlink("nowhere", tree.path().join("link.mkv")).unwrap();
        symlink("b", tree.path().join("folder")).unwrap();
        tree
    }

    #[test]
    fn a_listing_has_every_name_in_order_and_in_its_place() {
        let tree = tree();
        let listing = list(&root(tree.path()), "").unwrap();
        let files: Vec<&[u8]> = listing.files.iter().map(|file| &*file.name).collect();
        assert_eq!(files, [&b"link.mkv"[..], b"y\n.MKV", b"z.mkv", b"\xff.mkv"]);
        let subdirs: Vec<&[u8]> = listing.subdirs.iter().map(|name| &**name).collect();
        assert_eq!(subdirs, [&b".hack (2002)"[..], b"a (2001)", b"b"]);
        let others: Vec<&[u8]> = listing.others.iter().map(|other| &*other.name).collect();
        assert_eq!(others, [&b".hidden.mkv"[..], b"a.nfo"]);
        let inode = fs::symlink_metadata(tree.path().join("link.mkv")).unwrap().ino();
        assert_eq!(listing.files[0].inode, inode);
    }

    #[test]
    fn what_is_no_directory_is_missing_and_never_empty() {
        let tree = tree();
        let root = root(tree.path());
        for dir in ["none", "none/below", "z.mkv", "folder", "link.mkv/x"] {
            let error = list(&root, dir).unwrap_err();
            assert!(matches!(error, LookError::Missing { .. }), "{dir}: {error}");
        }
        let long = "n".repeat(300);
        assert!(matches!(list(&root, &long), Err(LookError::Failed { .. })));
    }

    #[test]
    fn a_root_that_was_removed_while_held_is_an_error() {
        let outer = tempfile::tempdir().unwrap();
        let path = outer.path().join("root");
        fs::create_dir(&path).unwrap();
        let root = root(&path);
        fs::remove_dir(&path).unwrap();
        let result = list(&root, "");
        assert!(matches!(result, Err(LookError::Missing { .. })), "{result:?}");
    }

    #[test]
    fn a_directory_larger_than_the_buffer_is_read_whole() {
        let tree = tempfile::tempdir().unwrap();
        for number in 0..5_000 {
            fs::write(tree.path().join(format!("{number:0100}.mkv")), "").unwrap();
        }
        assert_eq!(list(&root(tree.path()), "").unwrap().files.len(), 5_000);
    }

    #[test]
    fn another_mount_below_the_root_is_another_file_system() {
        let slash = root(Path::new("/"));
        let (outer, inner) = (list(&slash, "").unwrap().fs, list(&slash, "proc/sys").unwrap().fs);
        assert_eq!(outer, slash.file_system());
        assert_ne!(outer, inner);
    }

    #[test]
    fn birth_times_are_asked_of_the_files_named_only() {
        let tree = tree();
        let root = root(tree.path());
        let mut listing = list(&root, "").unwrap();
        root.births(&mut listing, &[1], &[]).unwrap();
        assert_eq!(listing.others[0].born, None);
        let known = fs::metadata(tree.path().join("a.nfo")).unwrap().created().is_ok();
        assert_eq!(listing.others[1].born.is_some(), known);
        listing.others[1].born = None;
        listing.others[1].inode += 1;
        root.births(&mut listing, &[1], &[]).unwrap();
        assert_eq!(listing.others[1].born, None);
        assert!(listing.births.is_empty());
        root.births(&mut listing, &[], &[0]).unwrap();
        let first = listing.files[0].name.clone();
        assert_eq!(listing.births.contains_key(&first), known);
        listing.births.clear();
        listing.at = crate::domain::Timestamp::default();
        root.births(&mut listing, &[], &[0]).unwrap();
        assert!(listing.births.is_empty(), "nothing is born after it was seen");
    }
}
