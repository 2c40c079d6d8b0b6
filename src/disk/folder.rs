//! What can be told of a folder without reading it: whether something may have been put into it.

use rustix::fs::{AtFlags, FileType, StatxFlags, statx};

use super::open::open_dir;
use super::{RootDir, timestamp};
use crate::domain::{RelPath, Timestamp};

/// A folder, seen from the one above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FolderStat {
    /// When anything about it last changed: the names in it, its rights, its own name, its place.
    /// Unlike the time of writing it can't be set back.
    pub touched: Timestamp,
    /// Whether it certainly has no folders in it: most file systems count them as links.
    pub is_flat: bool,
}

impl RootDir {
    /// Looks at a folder from above; `None` when nothing can be said, for whatever reason.
    #[must_use]
    pub fn folder(&self, path: &RelPath) -> Option<FolderStat> {
        let (parent, name) = path.parent().zip(path.name())?;
        let dir = open_dir(self.as_fd(), parent.as_bytes()).ok()?;
        let mask = StatxFlags::BASIC_STATS;
        let stat = statx(&dir, name, AtFlags::SYMLINK_NOFOLLOW, mask).ok()?;
        if FileType::from_raw_mode(stat.stx_mode.into()) != FileType::Directory {
            return None;
        }
        let touched = timestamp(&stat.stx_ctime).max(timestamp(&stat.stx_mtime));
        Some(FolderStat { touched, is_flat: stat.stx_nlink == 2 })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::sync::Arc;

    use super::*;
    use crate::disk::{Host, open_root};

    #[test]
    fn a_folder_shows_when_it_was_touched_and_that_it_has_no_folders() {
        let tree = tempfile::tempdir_in("/dev/shm").unwrap();
        fs::create_dir(tree.path().join("film")).unwrap();
        fs::write(tree.path().join("file"), "").unwrap();
        let root = open_root(&Arc::new(Host::new().unwrap()), tree.path(), None).unwrap();
        let look = |path: &str| root.folder(&RelPath::parse(path.as_bytes()).unwrap());
        let first = look("film").unwrap();
        assert!(first.is_flat);
        fs::create_dir(tree.path().join("film/extras")).unwrap();
        let filled = look("film").unwrap();
        assert!(!filled.is_flat && filled.touched >= first.touched);
        fs::set_permissions(tree.path().join("film"), fs::Permissions::from_mode(0o700)).unwrap();
        let touched = look("film").unwrap();
        assert!(touched.touched >= filled.touched);
        assert_eq!((look("file"), look("none"), look("")), (None, None, None));
    }
}
