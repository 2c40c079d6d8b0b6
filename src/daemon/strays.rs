//! Media files that the kernel moved to a name that is no media file's, in another directory: no
//! listing finds them there, so they are written down where they went.

use std::collections::BTreeMap;

use super::listings::{Change, Context, path};
use super::moves::Moves;
use crate::domain::{FileId, FilePath, RelPath, Timestamp};
use crate::inventory::{Directory, Inventory, InventoryError, Media, Rules};
use crate::store::Arrival;

/// Where a lost file went.
#[derive(Debug)]
pub(super) struct Stray {
    /// Its old name, with what was known of it.
    pub(super) from: FilePath,
    /// Its new name.
    pub(super) to: FilePath,
    id: FileId,
    at: Timestamp,
}

impl Stray {
    /// The name that appeared.
    pub(super) fn arrival(&self) -> Arrival {
        let (path, from) = (self.to.clone(), self.from.clone());
        Arrival { id: self.id, path, at: self.at, moved_from: Some(from) }
    }
}

/// The lost files that went to a name that counts for nothing by itself. A folder that the rules
/// ignore is a trash folder: what goes there is removed.
pub(super) fn strays(
    context: Context<'_>,
    moves: &Moves,
    lost: &[Change],
    at: Timestamp,
) -> Vec<Stray> {
    let mut strays = Vec::new();
    for change in lost {
        let from = path(context, change);
        let Some(to) = moves.destination(&from) else { continue };
        let name = to.rel.name().unwrap_or_default();
        if !context.rules.is_media(name) && !is_ignored(context.rules, &to.rel) {
            let id = FileId { fs: change.fs, inode: change.media.inode };
            strays.push(Stray { from, to, id, at });
        }
    }
    strays
}

fn is_ignored(rules: &Rules, path: &RelPath) -> bool {
    let dirs = path.parent().unwrap_or_default();
    dirs.components().any(|name| rules.is_ignored_dir(name))
}

/// Adds strays to the records of the directories that they went to. `record` reads one of the root
/// of the listings as it will be.
pub(super) fn keep(
    context: Context<'_>,
    inventory: &dyn Inventory,
    strays: &[Stray],
    record: &dyn Fn(&RelPath) -> Result<Option<Directory>, InventoryError>,
) -> Result<BTreeMap<FilePath, Directory>, InventoryError> {
    let mut changed: BTreeMap<FilePath, Directory> = BTreeMap::new();
    for stray in strays {
        let Some((dir, name)) = stray.to.rel.parent().zip(stray.to.rel.name()) else { continue };
        let at = FilePath::new(stray.to.root.clone(), dir);
        let known = match changed.remove(&at) {
            Some(known) => Some(known),
            None if at.root == *context.root => record(&at.rel)?,
            None => inventory.directory(&at.root, &at.rel)?,
        };
        let empty = Directory { fs: stray.id.fs, looked: stray.at, ..Directory::default() };
        let mut directory = known.unwrap_or(empty);
        let slot = directory.files.binary_search_by(|file| (*file.name).cmp(name));
        if let Err(slot) = slot {
            let media = Media { name: name.into(), inode: stray.id.inode, alias: true };
            directory.files.insert(slot, media);
        }
        changed.insert(at, directory);
    }
    Ok(changed)
}
