//! One path, looked at afresh: there, certainly not there, or nothing that can be said.

use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::time::Duration;

use rustix::fs::{AtFlags, FileType, RawDir, StatxFlags, statx};
use rustix::io::Errno;

use super::identity::{has_events, stat_dir};
use super::open::open_dir;
use super::{RootDir, timestamp, words};
use crate::domain::{FileId, FileState, FsId, RelPath, Timestamp};

/// How far the clock of a file server may be ahead.
const SERVER_CLOCK: Duration = Duration::from_mins(10);

/// What one file or link is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileStat {
    /// Its inode, on the file system of the directory it lies in.
    pub id: FileId,
    /// When the inode came into being, where the file system knows.
    pub born: Option<Timestamp>,
    /// When it was last written or born, whichever is later: a copy keeps the time of writing.
    pub written: Timestamp,
    /// Whether it is a regular file.
    pub is_regular: bool,
    /// Whether it is a symbolic link.
    pub is_link: bool,
    /// Its size in bytes.
    pub size: u64,
}

impl RootDir {
    /// Looks at a path that was a media file on the file system `fs`.
    #[must_use]
    pub fn look(&self, path: &RelPath, fs: FsId) -> FileState {
        let unknown = |why: String| FileState::Unknown { why };
        let Some((parent, name)) = path.parent().zip(path.name()) else {
            return unknown("the root itself is not a file".to_owned());
        };
        let error = match open_dir(self.as_fd(), parent.as_bytes()) {
            Ok(dir) => match statx(&dir, name, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::TYPE) {
                Ok(stat) if kind(stat.stx_mode) == FileType::Directory => {
                    return unknown(format!("{path} is a directory now"));
                }
                Ok(_) => return FileState::Present,
                Err(error) => error,
            },
            Err(error) => error,
        };
        if !matches!(error, Errno::NOENT | Errno::NOTDIR) {
            return unknown(format!("{path} can't be looked at: {}", words(error)));
        }
        match self.nearest_ancestor(&parent, fs) {
            Ok(()) => FileState::Absent,
            Err(why) => unknown(why),
        }
    }

    /// An absence counts only under a real, readable directory of the file system that the file
    /// was on.
    fn nearest_ancestor(&self, parent: &RelPath, fs: FsId) -> Result<(), String> {
        let mut folder = parent.clone();
        loop {
            let fd = match open_dir(self.as_fd(), folder.as_bytes()) {
                Ok(fd) => fd,
                Err(error @ (Errno::NOENT | Errno::NOTDIR)) => match folder.parent() {
                    Some(above) => {
                        // A link in the place of a folder may lead to where the file is now.
                        if error == Errno::NOTDIR && self.is_link(&folder) {
                            return Err(format!(
                                "{folder} is a symbolic link now, and links are not followed; it \
                                 ends when the folder is there again; or make a root of what the \
                                 link leads to, and then remove the link"
                            ));
                        }
                        folder = above;
                        continue;
                    }
                    None => return Err(format!("the root is gone: {}", words(error))),
                },
                Err(error) => return Err(format!("{folder} can't be opened: {}", words(error))),
            };
            let mut room = [MaybeUninit::uninit(); 1_024];
            match RawDir::new(&fd, &mut room).next() {
                Some(Err(error)) => {
                    return Err(format!("{folder} can't be read: {}", words(error)));
                }
                None => return Err(format!("{folder} was removed while it was looked at")),
                Some(Ok(_)) => {}
            }
            let stat =
                stat_dir(&fd).map_err(|e| format!("{folder} can't be asked: {}", words(e)))?;
            if stat.stx_mnt_id != self.identity().mount {
                // A mount of the same file system looks like it in everything but this.
                return Err(format!("{folder} is not on the mount of its root"));
            }
            if self.file_system() != fs {
                return Err(format!("{folder} lies on another file system than the file was on"));
            }
            return Ok(());
        }
    }

    fn is_link(&self, path: &RelPath) -> bool {
        self.stat(path).is_some_and(|stat| stat.is_link)
    }

    /// A birth time, if it can be true. One that is later than now was stamped by another clock, and
    /// tells nothing. A file server stamps by its own, which may be ahead a little.
    #[must_use]
    pub fn believe_birth(&self, born: Timestamp, now: Timestamp) -> Option<Timestamp> {
        self.precedes(born, now).then_some(born)
    }

    /// Whether a birth time is no later than a time of our own. A number that is taken for a move too
    /// many costs less than one too few.
    #[must_use]
    pub fn precedes(&self, born: Timestamp, ours: Timestamp) -> bool {
        let is_ours = has_events(&self.identity().fs_type);
        born <= if is_ours { ours } else { ours.plus(SERVER_CLOCK) }
    }

    /// What lies at a path; `None` when nothing can be seen there, for whatever reason.
    #[must_use]
    pub fn stat(&self, path: &RelPath) -> Option<FileStat> {
        let (parent, name) = path.parent().zip(path.name())?;
        let dir = open_dir(self.as_fd(), parent.as_bytes()).ok()?;
        let mask = StatxFlags::BASIC_STATS | StatxFlags::BTIME | StatxFlags::MNT_ID;
        let stat = statx(&dir, name, AtFlags::SYMLINK_NOFOLLOW, mask).ok()?;
        let fs = self.file_system_of(stat.stx_mnt_id, dir.as_fd()).ok()?;
        let has_birth = stat.stx_mask & StatxFlags::BTIME.bits() != 0;
        let born = has_birth.then(|| timestamp(&stat.stx_btime));
        let modified = timestamp(&stat.stx_mtime);
        Some(FileStat {
            id: FileId { fs, inode: stat.stx_ino },
            born,
            written: born.map_or(modified, |born| born.max(modified)),
            is_regular: kind(stat.stx_mode) == FileType::RegularFile,
            is_link: kind(stat.stx_mode) == FileType::Symlink,
            size: stat.stx_size,
        })
    }
}

fn kind(mode: u16) -> FileType {
    FileType::from_raw_mode(mode.into())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::os::unix::fs::symlink;
    use std::path::Path;
    use std::sync::Arc;
    use std::time::SystemTime;

    use super::*;
    use crate::disk::{Host, open_root};

    fn root(path: &Path) -> RootDir {
        open_root(&Arc::new(Host::new().unwrap()), path, None).unwrap()
    }

    fn rel(path: &str) -> RelPath {
        RelPath::parse(path.as_bytes()).unwrap()
    }

    fn check_absence(base: &Path) {
        fs::create_dir_all(base.join("film/extras")).unwrap();
        fs::write(base.join("film/a.mkv"), "").unwrap();
        fs::write(base.join("file"), "").unwrap();
        fs::create_dir(base.join("film/dir.mkv")).unwrap();
        symlink("nowhere", base.join("film/link.mkv")).unwrap();
        symlink("film", base.join("moved")).unwrap();
        symlink("loop", base.join("loop")).unwrap();
        let root = root(base);
        let fs = root.file_system();
        let look = |path: &str| root.look(&rel(path), fs);
        assert_eq!(look("film/a.mkv"), FileState::Present);
        assert_eq!(look("film/link.mkv"), FileState::Present);
        for path in ["film/b.mkv", "gone/deep/b.mkv", "b.mkv", "file/b.mkv"] {
            assert_eq!(look(path), FileState::Absent, "{path}");
        }
        let long = format!("film/{}.mkv", "n".repeat(300));
        for (path, word) in [
            ("film/dir.mkv", "directory"),
            ("moved/b.mkv", "symbolic link"),
            ("moved/deep/b.mkv", "symbolic link"),
            ("loop/b.mkv", "symbolic link"),
            (&long, "too long"),
        ] {
            let FileState::Unknown { why } = look(path) else { panic!("{path}: {:?}", look(path)) };
            assert!(why.contains(word), "{path}: {why}");
        }
        let FileState::Unknown { why } = root.look(&rel("film/b.mkv"), FsId(fs.0 ^ 1)) else {
            panic!("believed on a foreign file system")
        };
        assert_eq!(why, "film lies on another file system than the file was on");
    }

    #[test]
    fn only_a_name_that_is_not_there_under_a_readable_folder_is_absent() {
        check_absence(tempfile::tempdir().unwrap().path());
    }

    #[test]
    fn the_same_in_memory() {
        check_absence(tempfile::tempdir_in("/dev/shm").unwrap().path());
    }

    #[test]
    fn a_root_that_went_away_proves_nothing() {
        let outer = tempfile::tempdir().unwrap();
        let path = outer.path().join("root");
        fs::create_dir(&path).unwrap();
        let root = root(&path);
        fs::remove_dir(&path).unwrap();
        let state = root.look(&rel("a.mkv"), root.file_system());
        assert!(matches!(state, FileState::Unknown { .. }), "{state:?}");
    }

    #[test]
    fn a_copy_with_an_old_time_of_writing_was_still_written_at_its_birth() {
        let tree = tempfile::tempdir().unwrap();
        let file = File::create(tree.path().join("a.mkv")).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(5)).unwrap();
        let stat = root(tree.path()).stat(&rel("a.mkv")).unwrap();
        assert!(stat.is_regular && !stat.is_link);
        let expected = stat.born.unwrap_or(Timestamp::from_millis(5_000));
        assert_eq!(stat.written, expected);
        assert_eq!(root(tree.path()).stat(&rel("b.mkv")), None);
    }
}
