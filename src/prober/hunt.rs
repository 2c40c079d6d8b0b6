//! Looks through a whole root for files by their inodes, under whatever name they have.
//!
//! What is media is found by its listing. This is for what was given another kind of name and moved
//! while nobody heard of it.

use std::collections::HashMap;
use std::sync::Arc;

use super::search::precedes;
use super::{Ground, Open};
use crate::clock::Clock;
use crate::disk::Host;
use crate::domain::{FileId, FilePath, RelPath, RootLook, RootName, Timestamp};

/// What is looked for.
pub type Sought = HashMap<FileId, Missing>;

/// A file that is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missing {
    /// When it was certainly still there: an inode born later is another file's.
    pub looked: Timestamp,
    /// Whether the kernel said that it was moved away: then its number is proof enough where no
    /// birth time is kept.
    pub moved: bool,
}

/// The files that are there under a name that is no media file's. `None` when the root could not be
/// looked through, or did not stay what it was. Blocks as long as the disk does.
#[must_use]
pub fn hunt(
    name: &RootName,
    ground: &Ground,
    sought: &Sought,
    host: &Arc<Host>,
    clock: &dyn Clock,
) -> Option<Vec<(FilePath, FileId)>> {
    let grounds = [(name.clone(), ground.clone())].into();
    let mut open = Open { host, grounds: &grounds, roots: std::collections::BTreeMap::new() };
    let (ground, Ok(root)) = open.root(name)? else { return None };
    let mut found = Vec::new();
    let mut to_list = vec![RelPath::root()];
    while let Some(dir) = to_list.pop() {
        // One that can't be listed is held against every loss already.
        let Ok(listing) = root.list(&dir, &ground.rules, clock) else { continue };
        for other in &listing.others {
            let id = FileId { fs: listing.fs, inode: other.inode };
            let Some(missing) = sought.get(&id) else { continue };
            let path = dir.join(&other.name);
            let Some(stat) = root.stat(&path).filter(|stat| stat.id == id) else { continue };
            let is_it = |born| precedes(root, born, missing.looked);
            if stat.born.map_or(missing.moved, is_it) {
                found.push((FilePath::new(name.clone(), path), id));
            }
        }
        to_list.extend(listing.subdirs.iter().map(|name| dir.join(name)));
    }
    let before = RootLook::Seen { identity: root.identity().clone() };
    (root.look_again() == before).then_some(found)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt;

    use super::*;
    use crate::clock::SystemClock;
    use crate::disk::open_root;
    use crate::inventory::Rules;

    #[test]
    fn a_file_is_found_by_its_inode_under_any_name_if_it_is_old_enough() {
        let tree = tempfile::tempdir().unwrap();
        fs::create_dir_all(tree.path().join("old/deep")).unwrap();
        let path = tree.path().join("old/deep/x.bak");
        fs::write(&path, "film").unwrap();
        let host = Arc::new(Host::new().unwrap());
        let fs = open_root(&host, tree.path(), None).unwrap().file_system();
        let id = FileId { fs, inode: fs::metadata(&path).unwrap().ino() };
        let name = RootName::parse("media").unwrap();
        let ground = Ground {
            path: tree.path().into(),
            rules: Rules::new(["mkv"], []),
            marker: None,
            is_inner: false,
            dark: None,
            retired: false,
        };
        let clock = SystemClock::new();
        let found = |looked: Timestamp| {
            let missing = Missing { looked, moved: false };
            hunt(&name, &ground, &[(id, missing)].into(), &host, &clock).unwrap()
        };
        let hour = std::time::Duration::from_hours(1);
        let there = FilePath::new(name.clone(), RelPath::parse(b"old/deep/x.bak").unwrap());
        assert_eq!(found(clock.wall().plus(hour)), [(there, id)]);
        assert_eq!(found(clock.wall().minus(hour)), [], "born since: another file's number");
        fs::rename(&path, tree.path().join("x.mkv")).unwrap();
        assert_eq!(found(clock.wall().plus(hour)), [], "a media file needs no hunt");
        let dark = Ground { dark: Some("it hangs".into()), ..ground.clone() };
        assert_eq!(hunt(&name, &dark, &Sought::new(), &host, &clock), None);
    }
}
