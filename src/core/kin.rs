//! Candidates by every key under which their item may be found: one work under two names that match,
//! `Heat (1995)` and `Heat (1995) {tmdb-949}`, has one review and one obituary.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Core;
use crate::domain::{Candidate, CandidateId, Item, ItemKey};

/// The index.
#[derive(Debug, Default)]
pub(super) struct Kin(HashMap<ItemKey, BTreeSet<CandidateId>>);

impl Kin {
    pub(super) fn of(candidates: &BTreeMap<CandidateId, Candidate>) -> Self {
        let mut kin = Self::default();
        candidates.values().for_each(|candidate| kin.add(&candidate.item, candidate.id));
        kin
    }

    pub(super) fn add(&mut self, item: &Item, id: CandidateId) {
        for key in keys(item) {
            self.0.entry(key).or_default().insert(id);
        }
    }

    pub(super) fn remove(&mut self, item: &Item, id: CandidateId) {
        for key in keys(item) {
            if let Some(ids) = self.0.get_mut(&key) {
                ids.remove(&id);
                if ids.is_empty() {
                    self.0.remove(&key);
                }
            }
        }
    }

    fn find(&self, item: &Item) -> BTreeSet<CandidateId> {
        keys(item).filter_map(|key| self.0.get(&key)).flatten().copied().collect()
    }
}

/// A film and a series of one name and year are two works.
fn keys(item: &Item) -> impl Iterator<Item = ItemKey> {
    item.match_keys().into_iter().filter(|key| !key.as_str().starts_with("any:"))
}

impl Core {
    /// What is under review and is this item under another name that matches.
    pub(super) fn kin(&self, item: &Item) -> Option<Item> {
        let key = item.key();
        // A life of its own that is over is another story.
        let closed = self.items.get(&key).is_some_and(|state| state.closed.is_some());
        if closed || self.by_item.contains_key(&key) {
            return None;
        }
        let found = self.by_kin.find(item).into_iter();
        let mut candidates = found.filter_map(|id| self.candidates.get(&id));
        let kin = candidates.find(|candidate| !candidate.item.ids.contradict(&item.ids))?;
        Some(kin.item.clone())
    }
}
