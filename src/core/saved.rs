//! What the core hands over to be stored, and what it is made from again.

use serde::{Deserialize, Serialize};

use super::follow::Followed;

use crate::domain::{
    Candidate, CandidateId, Decision, Entry, Identity, Item, ItemKey, Life, LostFile, ProbeId,
    Retired, RootName, Timestamp,
};

/// What is remembered of an item beyond the default: one that never lost anything has none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemState {
    /// The item.
    pub item: Item,
    /// Its present life.
    pub life: Life,
    /// When this life was closed by a deletion; `None` while it lives.
    #[serde(default)]
    pub closed: Option<Timestamp>,
    /// Files lost in this life that did not make it a deletion, ordered by path.
    #[serde(default)]
    pub partial: Vec<LostFile>,
    /// Its files under names that are no media files'.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub follows: Vec<Followed>,
}

impl ItemState {
    /// An item in its first life.
    #[must_use]
    pub fn first(item: Item) -> Self {
        Self { item, life: Life::FIRST, closed: None, partial: Vec::new(), follows: Vec::new() }
    }
}

/// What is remembered of a root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootState {
    /// What the root was when it was adopted; `None` before.
    pub identity: Option<Identity>,
    /// The path and rules that its inventory was made with.
    pub basis: String,
    /// How many media files it had before too many of them went at once; `None` while it is
    /// trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspect: Option<u64>,
    /// When its first walk was over: what was in it by then was never seen to arrive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learned: Option<Timestamp>,
    /// What a person said will not come back, and did not since.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retired: Vec<Retired>,
}

impl RootState {
    /// A root that is not adopted yet.
    #[must_use]
    pub fn new(basis: &str) -> Self {
        Self {
            identity: None,
            basis: basis.to_owned(),
            suspect: None,
            learned: None,
            retired: Vec::new(),
        }
    }

    /// Whether the root itself was retired, and nothing was adopted in its place.
    #[must_use]
    pub fn is_retired(&self) -> bool {
        self.identity.is_none() && self.retired.iter().any(|retired| retired.branch.is_none())
    }
}

/// Everything that the core needs to go on after a restart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Saved {
    /// Roots by name.
    pub roots: Vec<(RootName, RootState)>,
    /// Items that have a story.
    pub items: Vec<ItemState>,
    /// Candidates under review.
    pub candidates: Vec<Candidate>,
    /// The first candidate number that was never given out.
    pub next_candidate: CandidateId,
    /// The first probe number that was never given out.
    pub next_probe: ProbeId,
}

/// What one event changed, to be stored in one transaction before any effect is performed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// Roots; `None` when one is forgotten.
    pub roots: Vec<(RootName, Option<RootState>)>,
    /// Items; `None` when nothing but the default is left to remember.
    pub items: Vec<(ItemKey, Option<ItemState>)>,
    /// Candidates; `None` when the review is over.
    pub candidates: Vec<(CandidateId, Option<Candidate>)>,
    /// Deletions that were confirmed, as entries not told yet, or taken back.
    pub entries: Vec<Entry>,
    /// The story.
    pub decisions: Vec<Decision>,
    /// The first candidate number that was never given out.
    pub next_candidate: CandidateId,
}

impl Changes {
    /// Whether there is nothing to store.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.roots.is_empty()
            && self.items.is_empty()
            && self.candidates.is_empty()
            && self.entries.is_empty()
            && self.decisions.is_empty()
    }
}
