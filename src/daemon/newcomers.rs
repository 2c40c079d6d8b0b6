//! Files of roots that were learned lately. The first walk of a root takes note of no arrivals, since
//! all of it arrives: what is lost elsewhere may be there under another name all the same.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::time::Duration;

use crate::core::{Core, Probe};
use crate::domain::{FileId, FilePath, LostFile, RelPath, RootName};
use crate::inventory::{Inventory, InventoryError};
use crate::prober::{Arrived, Story};

/// How long after a root was learned a loss in one that was known before may have gone there.
const AFTER_ANOTHER: Duration = Duration::from_hours(48);
/// The same for a loss in that root itself, or in one that was learned together with it.
const AFTER_ITSELF: Duration = Duration::from_mins(10);
/// Roots that are learned within this time are learned together.
const TOGETHER: Duration = Duration::from_mins(1);

/// The inodes of roots that were learned lately, read when they are first asked for.
#[derive(Debug, Default)]
pub(super) struct Newcomers {
    inodes: HashMap<RootName, Vec<u64>>,
}

impl Newcomers {
    /// The names in roots that were learned lately that have the inode of a lost file.
    pub(super) fn find(
        &mut self,
        core: &Core,
        inventory: &dyn Inventory,
        probe: &Probe,
    ) -> Result<Vec<Arrived>, InventoryError> {
        let learned = |root: &RootName| core.roots().get(root).and_then(|root| root.state.learned);
        let mut arrived = Vec::new();
        for root in core.roots().keys() {
            let Some(at) = learned(root) else { continue };
            let may_be_there = |file: &&LostFile| {
                let before = learned(&file.path.root).is_none_or(|own| own.plus(TOGETHER) < at);
                let window =
                    if before && file.path.root != *root { AFTER_ANOTHER } else { AFTER_ITSELF };
                file.looked <= at && probe.detected < at.plus(window)
            };
            let lost: Vec<&LostFile> = probe.lost.iter().filter(may_be_there).collect();
            let inodes = match self.inodes.get(root) {
                _ if lost.is_empty() => continue,
                Some(inodes) => inodes,
                None => {
                    let inodes = read(inventory, root)?;
                    self.inodes.entry(root.clone()).or_insert(inodes)
                }
            };
            let is_there = |file: &&&LostFile| inodes.binary_search(&file.id.inode).is_ok();
            let hits: HashMap<FileId, &LostFile> =
                lost.iter().filter(is_there).map(|file| (file.id, *file)).collect();
            if !hits.is_empty() {
                locate(inventory, root, &hits, &mut arrived)?;
            }
        }
        Ok(arrived)
    }

    /// Lets go of what was read: nothing is under review, or a root was learned.
    pub(super) fn clear(&mut self) {
        self.inodes = HashMap::new();
    }
}

fn read(inventory: &dyn Inventory, root: &RootName) -> Result<Vec<u64>, InventoryError> {
    let mut inodes = Vec::new();
    inventory.within(root, &RelPath::root(), &mut |_, record| {
        inodes.extend(record.files.iter().map(|file| file.inode));
        ControlFlow::Continue(())
    })?;
    inodes.sort_unstable();
    Ok(inodes)
}

fn locate(
    inventory: &dyn Inventory,
    root: &RootName,
    hits: &HashMap<FileId, &LostFile>,
    arrived: &mut Vec<Arrived>,
) -> Result<(), InventoryError> {
    inventory.within(root, &RelPath::root(), &mut |dir, record| {
        for file in &record.files {
            let id = FileId { fs: record.fs, inode: file.inode };
            let path = || FilePath::new(root.clone(), dir.join(&file.name));
            if let Some(lost) = hits.get(&id).filter(|lost| lost.path != path()) {
                arrived.push(Arrived {
                    path: path(),
                    lost: lost.path.clone(),
                    id,
                    looked: lost.looked,
                    said_so: false,
                    born: None,
                    // Which of two names was the later one nobody saw.
                    last: false,
                    story: Story::Untold,
                });
            }
        }
        ControlFlow::Continue(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{Policy, Saved};
    use crate::domain::{
        Awake, CandidateId, FsId, Item, Kind, Now, ProbeId, ProviderIds, Timestamp,
    };
    use crate::inventory::{Directory, Media};

    /// An inventory of one file, under the same name in every root.
    struct OneFile;

    const INODE: u64 = 7;

    impl OneFile {
        fn record() -> Directory {
            let file = Media { name: b"other.mkv"[..].into(), inode: INODE, alias: false };
            Directory { fs: FsId(1), files: vec![file], ..Directory::default() }
        }
    }

    impl Inventory for OneFile {
        fn directory(
            &self,
            _: &RootName,
            _: &RelPath,
        ) -> Result<Option<Directory>, InventoryError> {
            Ok(Some(Self::record()))
        }

        fn within(
            &self,
            _: &RootName,
            dir: &RelPath,
            each: &mut dyn FnMut(RelPath, Directory) -> ControlFlow<()>,
        ) -> Result<(), InventoryError> {
            // There is nothing more to tell, whether it wants to hear it or not.
            match each(dir.clone(), Self::record()) {
                ControlFlow::Continue(()) | ControlFlow::Break(()) => Ok(()),
            }
        }
    }

    fn root(name: &str) -> RootName {
        RootName::parse(name).unwrap()
    }

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_millis(minutes * 60_000)
    }

    /// The roots in which a file of root `a` is found that was last seen and lost at these minutes.
    fn found(learned: &[(&str, i64)], looked: i64, detected: i64, inode: u64) -> Vec<String> {
        let now = |minutes| Now { wall: at(minutes), awake: Awake::default() };
        let mut core = Core::new(Policy::default(), Saved::default(), None, now(0));
        for (name, minutes) in learned {
            core.configure_root(now(0), &root(name), "basis", false);
            core.learned(now(*minutes), &root(name));
        }
        let probe = Probe {
            id: ProbeId(1),
            candidate: CandidateId(1),
            item: Item {
                kind: Kind::Film,
                title: "Heat".into(),
                year: None,
                ids: ProviderIds::default(),
            },
            detected: at(detected),
            from: Awake::default(),
            after: Awake::default(),
            places: vec![],
            lost: vec![LostFile {
                path: FilePath::new(root("a"), RelPath::parse(b"heat.mkv").unwrap()),
                id: FileId { fs: FsId(1), inode },
                looked: at(looked),
                extra: false,
                retired: false,
                sought: false,
            }],
            follows: vec![],
        };
        let arrived = Newcomers::default().find(&core, &OneFile, &probe).unwrap();
        arrived.into_iter().map(|arrived| arrived.path.to_string()).collect()
    }

    #[test]
    fn what_is_lost_in_an_old_root_is_looked_for_in_one_that_was_learned_since() {
        let roots = [("a", 10), ("b", 1_000)];
        assert_eq!(found(&roots, 10, 1_001, INODE), ["b:other.mkv"]);
        assert_eq!(found(&roots, 10, 1_000 + 47 * 60, INODE), ["b:other.mkv"]);
        assert_eq!(found(&roots, 10, 1_000 + 48 * 60, INODE), [""; 0]);
        assert_eq!(found(&roots, 1_001, 1_002, INODE), [""; 0], "it was still there after that");
        assert_eq!(found(&roots, 10, 1_001, INODE + 1), [""; 0]);
    }

    #[test]
    fn while_everything_is_learned_a_file_may_have_gone_anywhere() {
        let roots = [("a", 10), ("b", 10)];
        assert_eq!(found(&roots, 9, 11, INODE), ["a:other.mkv", "b:other.mkv"]);
        assert_eq!(found(&roots, 9, 20, INODE), [""; 0], "a second link is no new name");
    }
}
