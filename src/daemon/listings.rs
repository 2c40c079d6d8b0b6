//! From listings to observations: compare with the inventory, find the titles, fill the batch.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::ControlFlow;

use super::folders::{Around, Stored};
use super::inner::Within;
use super::moves::Moves;
use super::overlay::Overlay;
use crate::catalog::{Folders, Placed, Placer, TitleAt, stem};
use crate::core::Core;
use crate::domain::{
    Awake, FileId, FilePath, FsId, Item, ItemKey, LostFile, Observation, Place, RelPath, RootName,
    Sensor, Timestamp,
};
use crate::inventory::{
    Comparison, Directory, Inventory, InventoryError, Listing, Media, Rules, compare,
};
use crate::store::{Arrival, Batch};

/// What the listings of one report come to.
#[derive(Debug, Default)]
pub(super) struct Applied {
    /// What is to be stored: directories, titles, arrivals.
    pub(super) batch: Batch,
    /// What the core is to be told, in order.
    pub(super) observations: Vec<Observation>,
    /// Directories that lie on another file system than before: nothing was concluded from them.
    pub(super) foreign: Vec<RelPath>,
    /// Directories that were listed as they should be.
    pub(super) native: Vec<RelPath>,
    /// How many media files came, replaced ones left out.
    pub(super) came: u64,
    /// How many media files went.
    pub(super) lost: u64,
}

/// The root that the listings are of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context<'a> {
    /// Its name.
    pub(super) root: &'a RootName,
    /// The name of its own folder, which may be a title's.
    pub(super) title: &'a str,
    /// Where it lies, if it is mounted below another.
    pub(super) within: Option<&'a Within>,
    /// What counts in it.
    pub(super) rules: &'a Rules,
    /// What noticed it.
    pub(super) sensor: Sensor,
    /// Whether this is the first walk, which only learns.
    pub(super) baseline: bool,
    /// The time now.
    pub(super) awake: Awake,
}

/// A media file that went or came, with the record that it was in.
pub(super) struct Change {
    pub(super) path: RelPath,
    pub(super) media: Media,
    pub(super) fs: FsId,
    looked: Timestamp,
    /// When it came into being, if it came and that was asked.
    born: Option<Timestamp>,
}

/// Compares listings with the inventory, in their order. `moves` is what the kernel told of renames,
/// `core` knows whose files have names that tell nothing.
pub(super) fn apply(
    context: Context<'_>,
    inventory: &dyn Inventory,
    listings: &[Listing],
    moves: &Moves,
    core: &Core,
) -> Result<Applied, InventoryError> {
    let mut applied = Applied::default();
    let mut view = Overlay { root: context.root, inventory, changed: BTreeMap::new() };
    let (mut lost, mut found, mut renamed) = (Vec::new(), Vec::new(), Vec::new());
    for listing in listings {
        let mut known = view.record(&listing.dir)?;
        if known.is_none() && !context.baseline {
            known = view.implied(listing)?;
        }
        let Ok(result) = compare(known.as_ref(), listing) else {
            applied.foreign.push(listing.dir.clone());
            continue;
        };
        applied.native.push(listing.dir.clone());
        if result.is_unchanged() && known.is_some() {
            continue;
        }
        for name in &result.lost_dirs {
            expand(&mut view, &listing.dir.join(name), &mut lost)?;
        }
        let looked = known.as_ref().map_or(listing.at, |known| known.looked);
        applied.came += result.found.len() as u64;
        collect(listing, &result, looked, &mut lost, &mut found);
        let full =
            |media: &Media| FilePath::new(context.root.clone(), listing.dir.join(&media.name));
        renamed.extend(result.renamed.iter().map(|(old, new)| (full(old), full(new))));
        view.changed.insert(listing.dir.clone(), Some(result.next));
    }
    lost.retain(|change| still_counts(context.rules, change));
    applied.lost = lost.len() as u64;

    let before = Stored { root: context.root, inventory };
    let before = Around::new(&before, inventory, context.within);
    let owners = Owners {
        placer: before.placer(context.root, context.title),
        context,
        core,
        claims: if lost.is_empty() { HashMap::new() } else { core.claims() },
    };
    // Whose they are is asked before the losses take their old names out of what is followed.
    let renamed: Vec<Observation> =
        renamed.into_iter().map(|(from, to)| owners.renamed(from, to)).collect();
    let lost_by_title = by_title(|change| owners.of(change), &lost);
    let after = Around::new(&view, inventory, context.within);
    let placer = after.placer(context.root, context.title);
    let found_by_title = by_title(|change| placer.place(&change.path), &found);
    let mut left = Left { placer: &placer, view: &view, loose: HashMap::new() };
    for (title, files) in &lost_by_title {
        applied.observations.push(lost_observation(context, title, files));
        if !left.is_left(title) {
            applied.batch.gone_titles.push(title.clone());
        }
    }
    for (title, files) in &found_by_title {
        // A trailer alone brings nothing back to life.
        let main = files.iter().filter(|(_, extra)| !extra);
        let files: Vec<FilePath> = main.map(|(change, _)| path(context, change)).collect();
        if !files.is_empty() {
            applied.observations.push(Observation::Seen { item: title.item.clone(), files });
        }
        applied.batch.titles.push(title.clone());
    }
    applied.observations.extend(renamed);
    if !context.baseline {
        applied.batch.arrivals = found
            .iter()
            .map(|change| {
                let path = path(context, change);
                let moved_from = moves.origin(&path);
                let id = FileId { fs: change.fs, inode: change.media.inode };
                Arrival { id, path, at: context.awake, moved_from, born: change.born }
            })
            .collect();
    }
    let root = context.root;
    let changed = view.changed.into_iter();
    applied.batch.directories.extend(changed.map(|(dir, record)| (root.clone(), dir, record)));
    Ok(applied)
}

/// A directory is gone: so is every record below it.
pub(super) fn expand(
    view: &mut Overlay<'_>,
    dir: &RelPath,
    lost: &mut Vec<Change>,
) -> Result<(), InventoryError> {
    let mut below: BTreeMap<RelPath, Option<Directory>> = BTreeMap::new();
    view.inventory.within(view.root, dir, &mut |path, record| {
        below.insert(path, Some(record));
        ControlFlow::Continue(())
    })?;
    below.extend(view.changed_within(dir).map(|(path, record)| (path.clone(), record.clone())));
    for (path, record) in below {
        let Some(record) = record else { continue };
        lost.extend(record.files.into_iter().map(|media| Change {
            path: path.join(&media.name),
            media,
            fs: record.fs,
            looked: record.looked,
            born: None,
        }));
        view.changed.insert(path, None);
    }
    Ok(())
}

fn collect(
    listing: &Listing,
    result: &Comparison,
    looked: Timestamp,
    lost: &mut Vec<Change>,
    found: &mut Vec<Change>,
) {
    let change = |media: &Media, looked, born| Change {
        path: listing.dir.join(&media.name),
        media: media.clone(),
        fs: listing.fs,
        looked,
        born,
    };
    lost.extend(result.lost.iter().map(|media| change(media, looked, None)));
    let came = result.found.iter().chain(&result.replaced);
    let born = |media: &Media| listing.births.get(&media.name).copied();
    found.extend(came.map(|media| change(media, listing.at, born(media))));
}

/// A lost name that the rules no longer count was lost to the configuration, not to the disk.
pub(super) fn still_counts(rules: &Rules, change: &Change) -> bool {
    let dirs = change.path.parent().unwrap_or_default();
    let counts = change.media.alias || rules.is_media(&change.media.name);
    counts && !dirs.components().any(|name| rules.is_ignored_dir(name))
}

/// Changes grouped by the title that they belong to, in the order in which titles come up.
pub(super) fn by_title(
    place: impl Fn(&Change) -> Placed,
    changes: &[Change],
) -> Vec<(TitleAt, Vec<(&Change, bool)>)> {
    let mut groups: Vec<(TitleAt, Vec<(&Change, bool)>)> = Vec::new();
    let mut at: HashMap<TitleAt, usize> = HashMap::new();
    for change in changes {
        let Placed { title, extra, .. } = place(change);
        // Files come title by title.
        if let Some((_, files)) = groups.last_mut().filter(|(last, _)| *last == title) {
            files.push((change, extra));
            continue;
        }
        let at = *at.entry(title.clone()).or_insert(groups.len());
        if at == groups.len() {
            groups.push((title, Vec::new()));
        }
        groups[at].1.push((change, extra));
    }
    groups
}

/// Tells whose a lost file is.
pub(super) struct Owners<'a> {
    pub(super) placer: Placer<'a>,
    pub(super) context: Context<'a>,
    pub(super) core: &'a Core,
    pub(super) claims: HashMap<Place, Item>,
}

impl Owners<'_> {
    /// By what it was called before, if its last name told nothing; else by where it lay. A title
    /// that is already missing files there keeps its name: what is left may look like another.
    pub(super) fn of(&self, change: &Change) -> Placed {
        if change.media.alias {
            return self.followed(&path(self.context, change));
        }
        let mut placed = self.placer.place(&change.path);
        if let Some(item) = self.claims.get(&placed.title.place) {
            placed.title.item.clone_from(item);
        }
        placed
    }

    fn known(&self, path: &FilePath) -> Option<Placed> {
        let (item, place) = self.core.followed(path)?;
        let title = TitleAt { item: item.clone(), place: place.clone() };
        Some(Placed { title, extra: false, special: false })
    }

    fn followed(&self, path: &FilePath) -> Placed {
        if let Some(known) = self.known(path) {
            return known;
        }
        // Followed since before that was written down: its name without the last part.
        let name = path.rel.name().unwrap_or_default();
        let plain = Some(stem(name)).filter(|plain| self.context.rules.is_media(plain));
        let dir = path.rel.parent().unwrap_or_default();
        self.placer.place(&dir.join(plain.unwrap_or(name)))
    }

    fn renamed(&self, from: FilePath, to: FilePath) -> Observation {
        let named = self.context.rules.is_media(from.rel.name().unwrap_or_default());
        let placed = match self.known(&from) {
            Some(known) => known,
            None if named => self.placer.place(&from.rel),
            None => self.followed(&from),
        };
        Observation::Renamed { item: placed.title.item, place: placed.title.place, from, to }
    }
}

pub(super) fn lost_observation(
    context: Context<'_>,
    title: &TitleAt,
    files: &[(&Change, bool)],
) -> Observation {
    let mut lost: Vec<LostFile> = files
        .iter()
        .map(|(change, extra)| LostFile {
            path: path(context, change),
            id: FileId { fs: change.fs, inode: change.media.inode },
            looked: change.looked,
            extra: *extra,
            retired: false,
            sought: false,
        })
        .collect();
    lost.sort_by(|a, b| a.path.cmp(&b.path));
    lost.dedup_by(|a, b| a.path == b.path);
    Observation::Lost {
        item: title.item.clone(),
        places: vec![title.place.clone()],
        files: lost,
        sensor: context.sensor,
    }
}

/// Tells which titles have a file left at their place.
struct Left<'a> {
    placer: &'a Placer<'a>,
    view: &'a Overlay<'a>,
    loose: HashMap<RelPath, HashSet<ItemKey>>,
}

impl Left<'_> {
    fn is_left(&mut self, title: &TitleAt) -> bool {
        let folder = &title.place.folder;
        if !title.place.loose {
            return self.view.has_media_below(folder);
        }
        let (placer, view) = (self.placer, self.view);
        let keys = self.loose.entry(folder.clone()).or_insert_with(|| {
            let files = view.folder(folder).unwrap_or_default().files;
            let placed = files.iter().map(|file| placer.place(&folder.join(&file.name)).title);
            placed.flat_map(|title| title.item.match_keys()).collect()
        });
        title.item.match_keys().iter().any(|key| keys.contains(key))
    }
}

pub(super) fn path(context: Context<'_>, change: &Change) -> FilePath {
    FilePath::new(context.root.clone(), change.path.clone())
}
