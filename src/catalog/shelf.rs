//! What one instance listed when it was last believed, and how to find a title in it.
//!
//! Must never decide what a listing is worth; that is for `sanity`, before it gets here.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::{Deserialize, Serialize};

use super::mapping::{Mapped, Mapping};
use crate::domain::{
    About, FilePath, Instance, Item, ItemKey, Listed, Place, ProviderIds, ServiceFolder,
    ServicePath, Timestamp,
};

/// The titles of one instance. This is its stored form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shelf {
    /// Whose.
    pub instance: Instance,
    /// Who it said to be.
    pub about: About,
    /// When the listing was begun.
    pub at: Timestamp,
    /// Everything that it listed.
    pub titles: Vec<Listed>,
    /// Its configured folders.
    pub folders: Vec<ServiceFolder>,
}

/// Whether both name the same provider and title.
pub(super) fn share_an_id(a: &ProviderIds, b: &ProviderIds) -> bool {
    fn equal<T: PartialEq>(a: Option<&T>, b: Option<&T>) -> bool {
        a.is_some() && a == b
    }
    equal(a.tmdb.as_ref(), b.tmdb.as_ref())
        || equal(a.tvdb.as_ref(), b.tvdb.as_ref())
        || equal(a.imdb.as_ref(), b.imdb.as_ref())
}

/// Whether both can be one title: they share an id, or none of theirs differs. That one differs beside
/// one that is shared may be a merge at that provider; to take them for one can only keep it alive.
pub(super) fn may_be_one(a: &ProviderIds, b: &ProviderIds) -> bool {
    share_an_id(a, b) || !a.contradict(b)
}

/// Whether both are one title, whatever their ids in the instance: by a provider, or by name where
/// one of them is known to no provider.
pub(super) fn same(a: &Listed, b: &Listed) -> bool {
    let (x, y) = (&a.item, &b.item);
    if x.kind != y.kind || !may_be_one(&x.ids, &y.ids) {
        return false;
    }
    let nameless = x.ids.is_empty() || y.ids.is_empty();
    share_an_id(&x.ids, &y.ids)
        || (a.anidb.is_some() && a.anidb == b.anidb)
        || (nameless && same_name(x, y) && (a.anidb.is_none() || b.anidb.is_none()))
}

/// Whether title and year are the same.
pub(super) fn same_name(a: &Item, b: &Item) -> bool {
    // The first key is of kind, title and year.
    a.match_keys().first() == b.match_keys().first()
}

/// The keys under which a title is found.
pub(super) fn keys(item: &Item, anidb: Option<u64>) -> Vec<ItemKey> {
    let mut keys = item.match_keys();
    keys.extend(anidb.map(|number| ItemKey::new(format!("anidb:{number}"))));
    keys
}

/// Where in a list things are that hash alike, in order: a tenth of what the texts themselves take,
/// of which a library has hundreds of thousands. Who looks something up compares what is found.
#[derive(Debug, Clone, Default)]
struct Hashed(Vec<(u64, u32)>);

impl Hashed {
    fn new(mut entries: Vec<(u64, u32)>) -> Self {
        entries.sort_unstable();
        entries.shrink_to_fit();
        Self(entries)
    }

    fn find(&self, hash: u64) -> impl Iterator<Item = usize> {
        let first = self.0.partition_point(|(other, _)| *other < hash);
        let alike = self.0[first..].iter().take_while(move |(other, _)| *other == hash);
        alike.filter_map(|(_, at)| usize::try_from(*at).ok())
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// Ways into the titles of a shelf; made anew with each listing and each mapping. Each lookup is
/// given the titles that it was made for.
#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    ids: Hashed,
    keys: Hashed,
    files: BTreeMap<FilePath, Vec<usize>>,
    folders: BTreeMap<FilePath, Vec<usize>>,
}

impl Index {
    /// Ids and keys alone, for titles that nobody looks for by their place.
    pub(super) fn without_places(titles: &[Listed]) -> Self {
        let (mut ids, mut all_keys) = (Vec::new(), Vec::new());
        for (at, title) in (0_u32..).zip(titles) {
            ids.push((hash(&title.id), at));
            let keys = keys(&title.item, title.anidb);
            all_keys.extend(keys.iter().map(|key| (hash(key.as_str()), at)));
        }
        let (ids, keys) = (Hashed::new(ids), Hashed::new(all_keys));
        Self { ids, keys, ..Self::default() }
    }

    pub(super) fn of(titles: &[Listed], mapping: &Mapping) -> Self {
        let mut index = Self::without_places(titles);
        let here = |path: &ServicePath| match mapping.map(path) {
            Mapped::Here(file) => Some(file),
            Mapped::Outside(_) | Mapped::Unmapped => None,
        };
        for (at, title) in titles.iter().enumerate() {
            for file in title.files.iter().filter_map(|file| here(&file.path)) {
                index.files.entry(file).or_default().push(at);
            }
            if let Some(folder) = title.folder.as_ref().and_then(here) {
                index.folders.entry(folder).or_default().push(at);
            }
        }
        // A folder of several titles is a shelf for loose films: only their files tell them apart.
        for at in index.folders.values_mut().filter(|at| at.len() > 1) {
            at.retain(|at| titles[*at].files.is_empty());
        }
        index.folders.retain(|_, at| !at.is_empty());
        index
    }

    pub(super) fn by_id(&self, titles: &[Listed], id: &str) -> Option<usize> {
        self.ids.find(hash(id)).find(|at| titles[*at].id == id)
    }

    pub(super) fn by_keys(&self, titles: &[Listed], wanted: &[ItemKey]) -> BTreeSet<usize> {
        let found: BTreeSet<usize> =
            wanted.iter().flat_map(|key| self.keys.find(hash(key.as_str()))).collect();
        let has_one = |at: &usize| {
            let title = &titles[*at];
            keys(&title.item, title.anidb).iter().any(|key| wanted.contains(key))
        };
        found.into_iter().filter(has_one).collect()
    }

    /// The titles that name just this file.
    pub(super) fn by_file(&self, file: &FilePath) -> BTreeSet<usize> {
        self.files.get(file).into_iter().flatten().copied().collect()
    }

    /// The titles of the innermost folder that a path is, or lies in.
    pub(super) fn by_folder_above(&self, path: &FilePath) -> BTreeSet<usize> {
        let mut rel = Some(path.rel.clone());
        while let Some(folder) = rel {
            let here = FilePath::new(path.root.clone(), folder.clone());
            if let Some(at) = self.folders.get(&here) {
                return at.iter().copied().collect();
            }
            rel = folder.parent();
        }
        BTreeSet::new()
    }

    /// The titles whose folder or a file of theirs is the title's folder, or lies in it or around it.
    /// A folder that is shared says nothing by itself.
    pub(super) fn by_place(&self, place: &Place) -> BTreeSet<usize> {
        if place.loose {
            return BTreeSet::new();
        }
        let folder = FilePath::new(place.root.clone(), place.folder.clone());
        let mut found = self.by_folder_above(&folder);
        for paths in [&self.files, &self.folders] {
            found.extend(below(paths, &folder).flatten());
        }
        found
    }
}

/// The entries strictly below `folder`, which lie side by side.
fn below<'a>(
    paths: &'a BTreeMap<FilePath, Vec<usize>>,
    folder: &'a FilePath,
) -> impl Iterator<Item = &'a [usize]> {
    let first = FilePath::new(folder.root.clone(), folder.rel.join(b"\x01"));
    paths
        .range(first..)
        .take_while(|(path, _)| path.root == folder.root && path.rel.is_within(&folder.rel))
        .map(|(_, at)| at.as_slice())
}
