//! Media files that were moved to a name that is no media file's, in another directory: no listing
//! finds them there, so they are written down where they were found.

use std::collections::BTreeMap;

use crate::domain::{Awake, FileId, FilePath, Now, Timestamp};
use crate::inventory::{Directory, Inventory, InventoryError, Media};
use crate::store::Arrival;

/// Where a lost file went.
#[derive(Debug)]
pub(super) struct Stray {
    /// Its old name.
    from: FilePath,
    /// Its new name.
    to: FilePath,
    id: FileId,
    at: Timestamp,
    /// The same in awake time.
    awake: Awake,
}

impl Stray {
    /// A file that was found under another name just now.
    pub(super) fn new(from: FilePath, to: FilePath, id: FileId, now: Now) -> Self {
        Self { from, to, id, at: now.wall, awake: now.awake }
    }

    /// The name that appeared.
    pub(super) fn arrival(&self) -> Arrival {
        let (path, from) = (self.to.clone(), self.from.clone());
        Arrival { id: self.id, path, at: self.awake, moved_from: Some(from), born: None }
    }
}

/// The records of the directories that strays were found in, with the strays in them.
pub(super) fn keep(
    inventory: &dyn Inventory,
    strays: &[Stray],
) -> Result<BTreeMap<FilePath, Directory>, InventoryError> {
    let mut changed: BTreeMap<FilePath, Directory> = BTreeMap::new();
    for stray in strays {
        let Some((dir, name)) = stray.to.rel.parent().zip(stray.to.rel.name()) else { continue };
        let at = FilePath::new(stray.to.root.clone(), dir);
        let known = match changed.remove(&at) {
            Some(known) => Some(known),
            None => inventory.directory(&at.root, &at.rel)?,
        };
        let empty = Directory { fs: stray.id.fs, looked: stray.at, ..Directory::default() };
        let mut directory = known.unwrap_or(empty);
        // It is certain that this one was there.
        directory.looked = directory.looked.max(stray.at);
        let slot = directory.files.binary_search_by(|file| (*file.name).cmp(name));
        if let Err(slot) = slot {
            let media = Media { name: name.into(), inode: stray.id.inode, alias: true };
            directory.files.insert(slot, media);
        }
        changed.insert(at, directory);
    }
    Ok(changed)
}
