//! Titles that were listed once and are no more, so that an obituary has a name and an instance that
//! listed a title is known to have done so.
//!
//! Must never grow without end: the oldest are forgotten first.

use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::shelf::{keys, may_be_one};
use crate::domain::{Instance, Item, ItemKey, Listed, Timestamp};

/// So many are remembered.
const MOST: usize = 20_000;

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
    /// When it was first not listed.
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
    pub(super) fn add(&mut self, instance: &Instance, titles: &[Listed], at: Timestamp) {
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
            at,
        }));
        self.trim();
    }

    fn trim(&mut self) {
        let over = self.all.len().saturating_sub(MOST);
        self.all.drain(..over);
        self.keys.clear();
        for (at, one) in self.all.iter().enumerate() {
            for key in keys(&one.item, one.anidb) {
                self.keys.entry(key).or_default().push(at);
            }
        }
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
