//! Titles that were listed once and are no more, so that an obituary has a name and an instance that
//! listed a title is known to have done so.
//!
//! Must never grow without end: the oldest are forgotten first.

use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::mapping::{Mapped, Mapping};
use super::shelf::{keys, may_be_one};
use crate::domain::{FilePath, Instance, Item, ItemKey, Listed, Place, ServiceFolder, Timestamp};

/// So many are remembered.
pub const MOST_REMEMBERED: usize = 20_000;

/// A title that an instance listed. This is its stored form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// Who listed it.
    pub instance: Instance,
    /// Under which id.
    pub id: String,
    /// What it was.
    pub item: Item,
    /// Its number in AniDB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anidb: Option<u64>,
    /// Where it lay here: its folder, or else its first file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<FilePath>,
    /// The service's folder that it lay in, as that was when it was last listed with a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<ServiceFolder>,
    /// When it was first not listed, or without a file.
    pub at: Timestamp,
}

/// All of them.
#[derive(Debug, Clone, Default)]
pub(super) struct Past {
    /// Oldest first.
    all: Vec<Remembered>,
    keys: HashMap<ItemKey, Vec<usize>>,
}

impl Past {
    pub(super) fn new(all: Vec<Remembered>) -> Self {
        let mut past = Self { all, keys: HashMap::new() };
        past.trim();
        past
    }

    pub(super) fn all(&self) -> &[Remembered] {
        &self.all
    }

    /// Remembers titles that an instance listed until `at`.
    pub(super) fn add(
        &mut self,
        instance: &Instance,
        titles: &[Listed],
        folders: &[ServiceFolder],
        mapping: &Mapping,
        at: Timestamp,
    ) {
        if titles.is_empty() {
            return;
        }
        let ids: BTreeSet<&str> = titles.iter().map(|title| title.id.as_str()).collect();
        let again = |old: &Remembered| old.instance == *instance && ids.contains(old.id.as_str());
        self.all.retain(|old| !again(old));
        self.all.extend(titles.iter().map(|title| Remembered {
            instance: instance.clone(),
            id: title.id.clone(),
            item: title.item.clone(),
            anidb: title.anidb,
            place: place(title, mapping),
            folder: folder_of(title, folders),
            at,
        }));
        self.trim();
    }

    fn trim(&mut self) {
        let over = self.all.len().saturating_sub(MOST_REMEMBERED);
        self.all.drain(..over);
        self.keys.clear();
        for (at, one) in self.all.iter().enumerate() {
            for key in keys(&one.item, one.anidb) {
                self.keys.entry(key).or_default().push(at);
            }
        }
    }

    /// The titles that lay where an item does, or that have its name and year.
    pub(super) fn of(&self, item: &Item, places: &[Place], lost: &[FilePath]) -> Vec<&Remembered> {
        let within = |a: &FilePath, b: &FilePath| a.root == b.root && a.rel.is_within(&b.rel);
        let own = places.iter().filter(|place| !place.loose);
        let own: Vec<FilePath> =
            own.map(|place| FilePath::new(place.root.clone(), place.folder.clone())).collect();
        let lies = |one: &&Remembered| {
            one.place.as_ref().is_some_and(|at| {
                lost.iter().any(|file| within(file, at)) || own.iter().any(|dir| within(at, dir))
            })
        };
        let mut found: Vec<&Remembered> = self.all.iter().filter(lies).collect();
        if item.year.is_some() {
            let keys = keys(item, None);
            let named = keys.iter().filter_map(|key| self.keys.get(key)).flatten();
            found.extend(named.map(|at| &self.all[*at]));
        }
        found
    }

    /// The folder that an instance had this item in when it last listed it with a file.
    pub(super) fn folder_of(&self, instance: &Instance, item: &Item) -> Option<&ServiceFolder> {
        let wanted = keys(item, None);
        let at = wanted.iter().filter_map(|key| self.keys.get(key)).flatten().copied();
        let mut of_it: Vec<usize> = at.collect();
        of_it.sort_unstable();
        let latest = of_it.into_iter().rev().map(|at| &self.all[at]);
        let mut latest = latest.filter(|one| one.instance == *instance);
        latest.find(|one| may_be_one(&one.item.ids, &item.ids))?.folder.as_ref()
    }

    pub(super) fn by_id(&self, instance: &Instance, id: &str) -> Option<&Item> {
        let found = self.all.iter().rev().find(|one| one.instance == *instance && one.id == id);
        found.map(|one| &one.item)
    }

    /// The ids under which an instance listed what may be this item.
    pub(super) fn ids_of(
        &self,
        instance: &Instance,
        item: &Item,
        anidb: &BTreeSet<u64>,
    ) -> Vec<String> {
        let mut wanted = keys(item, None);
        wanted.extend(anidb.iter().map(|number| ItemKey::new(format!("anidb:{number}"))));
        let at: BTreeSet<usize> =
            wanted.iter().filter_map(|key| self.keys.get(key)).flatten().copied().collect();
        let found = at.into_iter().map(|at| &self.all[at]);
        found
            .filter(|one| one.instance == *instance && one.item.kind == item.kind)
            .filter(|one| may_be_one(&one.item.ids, &item.ids))
            .map(|one| one.id.clone())
            .collect()
    }
}

fn folder_of(title: &Listed, folders: &[ServiceFolder]) -> Option<ServiceFolder> {
    let root = title.root_folder.as_ref()?;
    folders.iter().find(|folder| folder.is_at(root)).cloned()
}

fn place(title: &Listed, mapping: &Mapping) -> Option<FilePath> {
    let mut paths = title.folder.iter().chain(title.files.iter().map(|file| &file.path));
    paths.find_map(|path| match mapping.map(path) {
        Mapped::Here(here) => Some(here),
        Mapped::Outside(_) | Mapped::Unmapped => None,
    })
}
