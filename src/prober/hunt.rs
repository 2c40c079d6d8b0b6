//! Looks through a whole root for files by their inodes, under whatever name they have.
//!
//! What is media is found by its listing. This is for what was given another kind of name and moved
//! while nobody heard of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::{Ground, Open};
use crate::clock::Clock;
use crate::disk::{Host, LookError, RootDir};
use crate::domain::{FileId, FilePath, RelPath, RootLook, RootName, Timestamp};

/// What is looked for: each file with the time when it was certainly still there.
pub type Sought = HashMap<FileId, Timestamp>;

/// How often a root is gone through, at most, that changes meanwhile.
const MOST_ROUNDS: usize = 3;

/// The files that are there under a name that is no media file's. `unseen` are the directories that
/// are known not to be listed. `None` when not all else could be listed, or the root did not stay
/// what it was: then nothing may be concluded from what was not found. Blocks as long as the disk does.
#[must_use]
pub fn hunt(
    name: &RootName,
    ground: &Ground,
    sought: &Sought,
    unseen: &BTreeSet<RelPath>,
    host: &Arc<Host>,
    clock: &dyn Clock,
) -> Option<Vec<(FilePath, FileId)>> {
    let grounds = [(name.clone(), ground.clone())].into();
    let mut open = Open { host, grounds: &grounds, roots: BTreeMap::new() };
    let (ground, Ok(root)) = open.root(name)? else { return None };
    let round = |_| go_through(name, ground, root, sought, unseen, clock);
    let found = (0..MOST_ROUNDS).map(round).find(|found| *found != Err(Changed::Meanwhile));
    let before = RootLook::Seen { identity: root.identity().clone() };
    found?.ok().filter(|_| root.look_again() == before)
}

/// Why a round through a root tells nothing.
#[derive(Debug, PartialEq, Eq)]
enum Changed {
    /// A directory went while others were listed: what was in it may be where was looked before.
    Meanwhile,
    /// One can't be listed.
    Unseen,
}

fn go_through(
    name: &RootName,
    ground: &Ground,
    root: &RootDir,
    sought: &Sought,
    unseen: &BTreeSet<RelPath>,
    clock: &dyn Clock,
) -> Result<Vec<(FilePath, FileId)>, Changed> {
    let mut found = Vec::new();
    let mut to_list = vec![RelPath::root()];
    while let Some(dir) = to_list.pop() {
        let listing = match root.list(&dir, &ground.rules, clock) {
            Ok(listing) => listing,
            Err(_) if unseen.contains(&dir) => continue,
            Err(LookError::Missing { .. }) => return Err(Changed::Meanwhile),
            Err(_) => return Err(Changed::Unseen),
        };
        for other in &listing.others {
            let id = FileId { fs: listing.fs, inode: other.inode };
            let Some(looked) = sought.get(&id) else { continue };
            let path = dir.join(&other.name);
            let Some(stat) = root.stat(&path).filter(|stat| stat.id == id) else { continue };
            // Where no birth time is kept the number must do: a loss too few costs less.
            let born = stat.born.and_then(|born| root.believe_birth(born, clock.wall()));
            if born.is_none_or(|born| root.precedes(born, *looked)) {
                found.push((FilePath::new(name.clone(), path), id));
            }
        }
        to_list.extend(listing.subdirs.iter().map(|name| dir.join(name)));
    }
    Ok(found)
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
            hunt(&name, &ground, &[(id, looked)].into(), &BTreeSet::new(), &host, &clock).unwrap()
        };
        let hour = std::time::Duration::from_hours(1);
        let there = FilePath::new(name.clone(), RelPath::parse(b"old/deep/x.bak").unwrap());
        assert_eq!(found(clock.wall().plus(hour)), [(there, id)]);
        assert_eq!(found(clock.wall().minus(hour)), [], "born since: another file's number");
        fs::rename(&path, tree.path().join("x.mkv")).unwrap();
        assert_eq!(found(clock.wall().plus(hour)), [], "a media file needs no hunt");
        let dark = Ground { dark: Some("it hangs".into()), ..ground.clone() };
        let none = BTreeSet::new();
        assert_eq!(hunt(&name, &dark, &Sought::new(), &none, &host, &clock), None);
    }
}
