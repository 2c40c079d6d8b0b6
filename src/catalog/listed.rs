//! What all instances list, joined: which titles lie where, what is to be asked about one, and of
//! whom.
//!
//! Must never take two titles for one because they lie in one folder: their ids are joined only
//! where kinds agree and no provider contradicts.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::changes::Changes;
use super::mapping::Mapping;
use super::past::{Past, Remembered};
use super::shelf::{Index, Shelf, keys, may_be_one, same_name, share_an_id};
use crate::domain::{
    FilePath, Instance, Item, Kind, Listed, Listing, Place, ProviderIds, Question, ServiceFolder,
    Timestamp,
};

/// More titles in one place are not one work, whatever their ids.
const MANY: usize = 64;

/// What all instances list.
#[derive(Debug, Clone, Default)]
pub struct Titles {
    mappings: BTreeMap<Instance, Mapping>,
    shelves: BTreeMap<Instance, (Shelf, Index)>,
    past: Past,
}

/// Whether an instance has a say about an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Concern {
    /// It lists it, or did: it has to be asked.
    Listed,
    /// It was heard and never listed it.
    Never,
    /// It was never heard, so nobody knows.
    Unheard,
}

/// Everything that is known of one item from everyone.
struct Joined {
    kind: Kind,
    ids: ProviderIds,
    anidb: BTreeSet<u64>,
}

impl Titles {
    /// What was stored, for the instances that are configured now: those that `mappings` has. The
    /// titles of others are only remembered.
    #[must_use]
    pub fn new(
        mappings: BTreeMap<Instance, Mapping>,
        shelves: Vec<Shelf>,
        past: Vec<Remembered>,
    ) -> Self {
        let mut titles = Self { mappings, shelves: BTreeMap::new(), past: Past::new(past) };
        for shelf in shelves {
            match titles.mappings.get(&shelf.instance) {
                Some(mapping) => {
                    let index = Index::of(&shelf.titles, mapping);
                    titles.shelves.insert(shelf.instance.clone(), (shelf, index));
                }
                None => {
                    let Shelf { instance, titles: listed, folders, at, .. } = &shelf;
                    titles.past.add(instance, listed, folders, &Mapping::default(), *at);
                }
            }
        }
        titles
    }

    /// Takes over a sane listing whole and says what is different. What is missing from one that
    /// moved while it was read is kept.
    pub fn learn(&mut self, instance: &Instance, listing: Listing) -> Changes {
        let Listing { about, mut titles, folders, moving, begun, .. } = listing;
        let before = self.shelves.remove(instance).map(|(shelf, _)| shelf);
        let is_first = before.is_none();
        let (before, folders_before) =
            before.map(|shelf| (shelf.titles, shelf.folders)).unwrap_or_default();
        let moving = moving.is_some();
        // The first one only teaches.
        let changes =
            if is_first { Changes::default() } else { Changes::between(&before, &titles, moving) };
        if moving {
            let mut missing = Changes::between(&before, &titles, false).dropped;
            let new: BTreeSet<&str> = titles.iter().map(|title| title.id.as_str()).collect();
            missing.retain(|title| !new.contains(title.id.as_str()));
            titles.extend(missing);
        }
        let mapping = self.mapping(instance);
        let gone: Vec<Listed> = changes.dropped.iter().chain(&changes.emptied).cloned().collect();
        self.past.add(instance, &gone, &folders_before, &mapping, begun);
        let index = Index::of(&titles, &mapping);
        let shelf = Shelf { instance: instance.clone(), about, at: begun, titles, folders };
        self.shelves.insert(instance.clone(), (shelf, index));
        changes
    }

    fn mapping(&self, instance: &Instance) -> Mapping {
        self.mappings.get(instance).cloned().unwrap_or_default()
    }

    /// What an instance listed when it was last believed.
    #[must_use]
    pub fn shelf(&self, instance: &Instance) -> Option<&Shelf> {
        self.shelves.get(instance).map(|(shelf, _)| shelf)
    }

    /// The folder that an instance had an item in, as it was when it last listed it with a file.
    #[must_use]
    pub fn folder_of(&self, instance: &Instance, item: &Item) -> Option<&ServiceFolder> {
        self.past.folder_of(instance, item)
    }

    /// What all listed.
    pub fn shelves(&self) -> impl Iterator<Item = &Shelf> {
        self.shelves.values().map(|(shelf, _)| shelf)
    }

    /// The titles that are listed no more, oldest first.
    #[must_use]
    pub fn past(&self) -> &[Remembered] {
        self.past.all()
    }

    /// The title that an instance has, or had last, under an id.
    #[must_use]
    pub fn by_id(&self, instance: &Instance, id: &str) -> Option<&Item> {
        let now = self
            .shelves
            .get(instance)
            .and_then(|(shelf, index)| Some(&shelf.titles[index.by_id(&shelf.titles, id)?].item));
        now.or_else(|| self.past.by_id(instance, id))
    }

    /// The titles that an instance has at a path: that name the file, or whose folder is the
    /// innermost above it.
    pub fn at_path(&self, path: &FilePath) -> Vec<(&Instance, &Listed)> {
        self.find(|index, _| {
            let mut at = index.by_file(path);
            at.extend(index.by_folder_above(path));
            at
        })
    }

    /// The titles that lie in a place.
    pub fn at_place(&self, place: &Place) -> Vec<(&Instance, &Listed)> {
        self.find(|index, _| index.by_place(place))
    }

    /// The titles that may be an item by a provider's id or by title and year.
    pub fn alike(&self, item: &Item) -> Vec<(&Instance, &Listed)> {
        let wanted = keys(item, None);
        let mut found = self.find(|index, titles| index.by_keys(titles, &wanted));
        found.retain(|(_, title)| agree(item.kind, &item.ids, title));
        found
    }

    fn find(
        &self,
        look: impl Fn(&Index, &[Listed]) -> BTreeSet<usize>,
    ) -> Vec<(&Instance, &Listed)> {
        let mut found = Vec::new();
        for (instance, (shelf, index)) in &self.shelves {
            found.extend(
                look(index, &shelf.titles).into_iter().map(|at| (instance, &shelf.titles[at])),
            );
        }
        found
    }

    /// What an instance is to be asked about an item whose files `lost` lay in `places`.
    #[must_use]
    pub fn question(
        &self,
        item: &Item,
        places: &[Place],
        lost: &[FilePath],
        instance: &Instance,
        not_before: Timestamp,
    ) -> Question {
        let joined = self.join(item, places, lost);
        let mapping = self.mapping(instance);
        Question {
            known: self.known(item, places, lost, instance, &joined),
            lost: lost.iter().flat_map(|file| mapping.names(file)).collect(),
            kind: joined.kind,
            ids: joined.ids,
            anidb: joined.anidb.into_iter().collect(),
            not_before,
        }
    }

    /// Whether an instance has a say about an item.
    #[must_use]
    pub fn concerns(
        &self,
        item: &Item,
        places: &[Place],
        lost: &[FilePath],
        instance: &Instance,
    ) -> Concern {
        if !self.shelves.contains_key(instance) {
            return Concern::Unheard;
        }
        let here = |found: &[(&Instance, &Listed)]| found.iter().any(|(of, _)| *of == instance);
        let joined = self.join(item, places, lost);
        let is_listed = here(&self.lying(places, lost, |_| true))
            || here(&self.alike(item))
            || !self.known(item, places, lost, instance, &joined).is_empty();
        if is_listed { Concern::Listed } else { Concern::Never }
    }

    /// The titles that lie where the item does, those that name a lost file first.
    fn lying(
        &self,
        places: &[Place],
        lost: &[FilePath],
        wanted: impl Fn(&Listed) -> bool,
    ) -> Vec<(&Instance, &Listed)> {
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        let around = lost
            .iter()
            .flat_map(|file| self.find(|index, _| index.by_folder_above(file)))
            .chain(places.iter().flat_map(|place| self.at_place(place)));
        for (instance, title) in self.exact(lost).into_iter().chain(around) {
            if seen.insert((instance, title.id.as_str())) && wanted(title) {
                found.push((instance, title));
            }
        }
        found
    }

    /// The titles that name one of the lost files.
    fn exact(&self, lost: &[FilePath]) -> Vec<(&Instance, &Listed)> {
        self.find(|index, _| lost.iter().flat_map(|file| index.by_file(file)).collect())
    }

    /// Film or series is told from the layout where nobody knows better.
    fn kind(&self, item: &Item, places: &[Place], lost: &[FilePath]) -> Kind {
        let kinds: BTreeSet<Kind> =
            self.lying(places, lost, |_| true).iter().map(|(_, title)| title.item.kind).collect();
        match kinds.first() {
            Some(kind) if !kinds.contains(&item.kind) => *kind,
            _ => item.kind,
        }
    }

    fn join(&self, item: &Item, places: &[Place], lost: &[FilePath]) -> Joined {
        let kind = self.kind(item, places, lost);
        let ids = if kind == item.kind { item.ids.clone() } else { ProviderIds::default() };
        let mut joined = Joined { kind, ids, anidb: BTreeSet::new() };
        let exact = self.exact(lost).len();
        let lying = self.lying(places, lost, |_| true);
        let is_one = one_work(kind, &lying);
        for (at, (_, title)) in lying.iter().enumerate() {
            // Of several works in one place only those that are told apart are the item.
            if is_one || at < exact || same_name(item, &title.item) {
                joined.take(title);
            }
        }
        // By name only where there is a year, and only one work of that name.
        let named = self.alike(&Item { ids: joined.ids.clone(), kind, ..item.clone() });
        if item.year.is_some() && one_work(kind, &named) {
            named.iter().for_each(|(_, title)| joined.take(title));
        }
        if joined.ids.is_empty() {
            // Nobody lists it any more: who it was is remembered.
            let past = self.past.of(item, places, lost);
            let of_kind = || past.iter().filter(|one| one.item.kind == kind);
            let is_one = of_kind().all(|a| of_kind().all(|b| may_be_one(&a.item.ids, &b.item.ids)));
            if is_one {
                of_kind().for_each(|one| joined.learn(&one.item.ids, one.anidb));
            }
        }
        // Each id that is learnt may find titles that know others.
        for _ in 0..3 {
            let of = Item { kind, ids: joined.ids.clone(), ..item.clone() };
            let mut wanted = keys(&of, None);
            for number in &joined.anidb {
                wanted.extend(keys(&of, Some(*number)).pop());
            }
            for (_, title) in self.find(|index, titles| index.by_keys(titles, &wanted)) {
                let shared = share_an_id(&joined.ids, &title.item.ids)
                    || title.anidb.is_some_and(|number| joined.anidb.contains(&number));
                if shared {
                    joined.take(title);
                }
            }
        }
        joined
    }

    /// The ids under which an instance lists or listed what may be the item.
    fn known(
        &self,
        item: &Item,
        places: &[Place],
        lost: &[FilePath],
        instance: &Instance,
        joined: &Joined,
    ) -> Vec<String> {
        let of = Item { kind: joined.kind, ids: joined.ids.clone(), ..item.clone() };
        let fits = |title: &Listed| agree(joined.kind, &joined.ids, title);
        let mut found = self.exact(lost);
        found.extend(self.lying(places, lost, fits));
        found.extend(self.alike(&of));
        for number in &joined.anidb {
            let wanted = keys(&of, Some(*number));
            found.extend(
                self.find(|index, titles| index.by_keys(titles, &wanted))
                    .into_iter()
                    .filter(|(_, t)| fits(t)),
            );
        }
        let now = found.iter().filter(|(of, _)| *of == instance).map(|(_, title)| title.id.clone());
        let lay = self.past.of(item, places, lost).into_iter().filter(|one| {
            one.instance == *instance
                && one.item.kind == joined.kind
                && may_be_one(&one.item.ids, &joined.ids)
        });
        let lay = lay.map(|one| one.id.clone());
        let before = self.past.ids_of(instance, &of, &joined.anidb).into_iter().chain(lay);
        let known: BTreeSet<String> = now.chain(before).collect();
        known.into_iter().collect()
    }
}

impl Joined {
    /// Adds what a title knows that was not known, unless it is another's.
    fn take(&mut self, title: &Listed) {
        let ids = &title.item.ids;
        // One that differs in any is asked about, and lends nothing.
        if title.item.kind != self.kind || ids.contradict(&self.ids) {
            return;
        }
        self.learn(ids, title.anidb);
    }

    fn learn(&mut self, ids: &ProviderIds, anidb: Option<u64>) {
        self.ids.tmdb = self.ids.tmdb.or(ids.tmdb);
        self.ids.tvdb = self.ids.tvdb.or(ids.tvdb);
        self.ids.imdb = self.ids.imdb.take().or_else(|| ids.imdb.clone());
        self.anidb.extend(anidb);
    }
}

/// Whether a title can be an item of this kind with these ids.
fn agree(kind: Kind, ids: &ProviderIds, title: &Listed) -> bool {
    title.item.kind == kind && may_be_one(&title.item.ids, ids)
}

/// Whether titles that were found together can be one work.
fn one_work(kind: Kind, titles: &[(&Instance, &Listed)]) -> bool {
    let of_kind = || titles.iter().map(|(_, title)| title).filter(|title| title.item.kind == kind);
    titles.len() <= MANY
        && of_kind().all(|a| of_kind().all(|b| may_be_one(&a.item.ids, &b.item.ids)))
}
