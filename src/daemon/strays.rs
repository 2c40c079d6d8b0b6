//! Media files that the kernel moved to a name that is no media file's, in another directory: no
//! listing finds them there, so they are written down where they went.

use std::collections::{BTreeMap, BTreeSet};

use super::listings::{Change, Context, path};
use super::moves::Moves;
use crate::catalog::{Folders, Placer};
use crate::domain::{Awake, FileId, FilePath, Item, Now, RelPath, RootName, Timestamp, normalise};
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
        Arrival { id: self.id, path, at: self.awake, moved_from: Some(from) }
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
            strays.push(Stray { from, to, id, at, awake: context.awake });
        }
    }
    strays
}

/// The lost files that went into the folder of another title, which had files before: there they are
/// taken for that title's, and nobody but us would miss them when they die. `owner` says whose a lost
/// file is, `placer` where each path belongs now, by the state of `folders`.
pub(super) fn merged(
    context: Context<'_>,
    moves: &Moves,
    lost: &[Change],
    owner: &dyn Fn(&Change) -> Item,
    placer: &Placer<'_>,
    folders: &dyn Folders,
) -> Vec<(FilePath, FilePath)> {
    let to_media = |change: &Change| {
        let from = path(context, change);
        let to = moves.destination(&from).filter(|to| to.root == *context.root)?;
        let is_media = context.rules.is_media(to.rel.name().unwrap_or_default());
        is_media.then(|| (owner(change), from, to))
    };
    let moved: Vec<(Item, FilePath, FilePath)> = lost.iter().filter_map(to_media).collect();
    let came: BTreeSet<&RelPath> = moved.iter().map(|(_, _, to)| &to.rel).collect();
    let into_another = |(item, _, to): &&(Item, FilePath, FilePath)| {
        let there = placer.place(&to.rel).title;
        let same_name = normalise(&there.item.title) == normalise(&item.title);
        !same_name && !there.place.loose && has_media_besides(folders, &there.place.folder, &came)
    };
    let pairs = moved.iter().filter(into_another);
    pairs.map(|(_, from, to)| (from.clone(), to.clone())).collect()
}

fn has_media_besides(folders: &dyn Folders, dir: &RelPath, besides: &BTreeSet<&RelPath>) -> bool {
    let Some(record) = folders.folder(dir) else { return false };
    record.files.iter().any(|file| !besides.contains(&dir.join(&file.name)))
        || record.subdirs.iter().any(|name| has_media_besides(folders, &dir.join(name), besides))
}

fn is_ignored(rules: &Rules, path: &RelPath) -> bool {
    let dirs = path.parent().unwrap_or_default();
    dirs.components().any(|name| rules.is_ignored_dir(name))
}

/// Adds strays to the records of the directories that they went to. `record` reads one of `root` as
/// it will be.
pub(super) fn keep(
    root: &RootName,
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
            None if at.root == *root => record(&at.rel)?,
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
