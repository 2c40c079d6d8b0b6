//! Titles of which a service says that it has them no more: a hint like any other. What lies on the disk
//! is not gone because nobody lists it.

use super::Core;
use crate::domain::{Candidate, Hold, Item, Life, Now, Place, Stage, What, Witness};

impl Core {
    /// A service that listed the item with a file does so no more.
    pub(super) fn dropped(
        &mut self,
        now: Now,
        item: &Item,
        places: Vec<Place>,
        by: &Witness,
        how: String,
    ) {
        let key = item.key();
        let state = self.items.get(&key);
        if self.by_item.contains_key(&key) || state.is_some_and(|state| state.closed.is_some()) {
            // It is under review, where every service is asked anyway, or this life is over.
            return;
        }
        let life = state.map_or(Life::FIRST, |state| state.life);
        let id = self.new_candidate(now, item, life);
        if let Some(candidate) = self.candidates.get_mut(&id) {
            candidate.places = places;
        }
        let what = What::Dropped { by: by.clone(), how };
        self.decide(now, item, Some(id), what, Vec::new());
        self.hold_if_unhealthy(now, id);
    }

    /// A service lists the item with a file: what was held because none did is looked at again.
    pub(super) fn listed_again(&mut self, now: Now, item: &Item) {
        let Some(id) = self.by_item.get(&item.key()).copied() else { return };
        if self.is_unlisted(id) {
            self.settle(now, id);
        }
    }

    /// A service can be asked again, or has been listed: what it held is looked at again.
    pub fn heard(&mut self, now: Now, by: &Witness) {
        let name = by.to_string();
        let is_held_by = |candidate: &&Candidate| match &candidate.stage {
            Stage::Held { holding, .. } => match &holding.why {
                Hold::Unknown { witness, .. } | Hold::Unverified { witness, .. } => {
                    *witness == name
                }
                _ => false,
            },
            _ => false,
        };
        let held = self.candidates.values().filter(is_held_by).map(|candidate| candidate.id);
        for id in held.collect::<Vec<_>>() {
            self.unsettle(now, id);
        }
    }

    /// Whether a candidate waits because no service lists it, while its files are there.
    pub(super) fn is_unlisted(&self, id: crate::domain::CandidateId) -> bool {
        self.candidates.get(&id).is_some_and(|candidate| {
            matches!(
                &candidate.stage,
                Stage::Held { holding, .. } if matches!(holding.why, Hold::Unlisted { .. })
            )
        })
    }
}

#[cfg(test)]
mod tests;
