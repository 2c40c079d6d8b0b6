//! Decides, from observations and the time it is told, whether a thing is really gone.
//!
//! # Constraints
//! * No I/O, no clock, no randomness: the same events at the same times give the same decisions.
//! * It can't fail. What can't be decided is a state ([`Hold`]), not an error.
//! * Unknown is never absent: only a probe that began and ended under the same healthy roots, and in
//!   which every witness said so, makes a deletion.
//!
//! # The life of a candidate
//! ```text
//! Lost, Dropped
//!  └────► Settling ──(quiet for `settle`)──► Probing ──► verdict
//!             ▲                                 │
//!             ├── another loss, a file seen,    ├─ Present ─────► retracted
//!             │   a root's health, a time gap   ├─ Partial ─────► recorded
//!             │                                 ├─ Gone ────────► [brake] ► confirmed
//!             └──────────── Held ◄──────────────┴─ Undetermined
//! ```
//! # Use
//! `handle_*` take what happened, with the time; then [`Core::take_changes`] is stored and flushed;
//! only then are the effects of [`Core::poll_effect`] performed. [`Core::poll_timeout`] says when
//! [`Core::handle_timeout`] wants to be called. Awake time must never go back.

mod disk;
mod dropped;
mod effect;
mod follow;
mod inner;
mod judge;
mod kin;
#[cfg(test)]
mod mounts_tests;
mod remote;
mod retire;
mod review;
mod roots;
mod saved;
mod shrink;
#[cfg(test)]
mod tests;
mod verdict;

pub use effect::{Effect, Findings, Policy, Probe};
pub use follow::Followed;
pub use roots::{NO_MEDIA_YET, Root};
pub use saved::{Changes, ItemState, RootState, Saved};

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use kin::Kin;

use crate::domain::{
    Awake, Candidate, CandidateId, Decision, Evidence, FilePath, Health, Hold, Identity, Item,
    ItemKey, LostFile, Now, Observation, ProbeId, RootLook, RootName, Stage, Subject, What,
};

/// The longest wait before a held candidate is looked at again.
const LONGEST_RETRY: Duration = Duration::from_hours(1);

/// The pure machine; see the module's documentation.
#[derive(Debug)]
pub struct Core {
    policy: Policy,
    roots: BTreeMap<RootName, Root>,
    items: HashMap<ItemKey, ItemState>,
    candidates: BTreeMap<CandidateId, Candidate>,
    by_item: HashMap<ItemKey, CandidateId>,
    /// The same by each key that it may be found by.
    by_kin: Kin,
    /// Whose each followed file is.
    followed: HashMap<FilePath, ItemKey>,
    next_candidate: CandidateId,
    next_probe: ProbeId,
    /// The epochs of all roots when each running probe began.
    probe_epochs: HashMap<ProbeId, Vec<(RootName, u64)>>,
    /// When each candidate's last loss was seen in this run.
    last_losses: HashMap<CandidateId, Awake>,
    /// Why losses found at start wait for a person, if they do.
    distrust_start: Option<String>,
    dirty_candidates: BTreeSet<CandidateId>,
    dirty_items: BTreeSet<ItemKey>,
    dirty_roots: BTreeSet<RootName>,
    changes: Changes,
    effects: VecDeque<Effect>,
}

impl Core {
    /// Takes up the work where `saved` left it. All waits begin again: a restart is a gap.
    ///
    /// `distrust_start` gives the reason why losses that the comparison at start finds can't be
    /// dated, and go to the list of what was found missing.
    #[must_use]
    pub fn new(policy: Policy, saved: Saved, distrust_start: Option<String>, now: Now) -> Self {
        let items: HashMap<ItemKey, ItemState> =
            saved.items.into_iter().map(|state| (state.item.key(), state)).collect();
        // A store that is older than the ledger may review lives that are over.
        let (over, open): (Vec<Candidate>, Vec<Candidate>) =
            saved.candidates.into_iter().partition(|candidate| {
                items.get(&candidate.item.key()).is_some_and(|state| state.closed.is_some())
            });
        let candidates: BTreeMap<CandidateId, Candidate> =
            open.into_iter().map(|candidate| (candidate.id, candidate)).collect();
        let beyond = candidates.keys().next_back().map_or(0, |last| last.0 + 1);
        let mut core = Self {
            policy,
            roots: saved
                .roots
                .into_iter()
                .map(|(name, state)| (name, Root::unseen(state, now.wall)))
                .collect(),
            followed: Self::index_follows(&items),
            items,
            by_item: candidates.values().map(|c| (c.item.key(), c.id)).collect(),
            by_kin: Kin::of(&candidates),
            candidates,
            next_candidate: CandidateId(saved.next_candidate.0.max(beyond)),
            next_probe: saved.next_probe,
            probe_epochs: HashMap::new(),
            last_losses: HashMap::new(),
            distrust_start,
            dirty_candidates: over.iter().map(|candidate| candidate.id).collect(),
            dirty_items: BTreeSet::new(),
            dirty_roots: BTreeSet::new(),
            changes: Changes::default(),
            effects: VecDeque::new(),
        };
        core.unsettle_all(now);
        core
    }

    // ---------------------------------------------------------------- what happened

    /// Takes what a sensor says.
    pub fn handle_observation(&mut self, now: Now, observation: Observation) {
        match observation {
            Observation::Lost { item, places, files, sensor } => {
                self.lost(now, &item, places, files, sensor);
            }
            Observation::Seen { item, files } => self.seen(now, &item, &files),
            Observation::Renamed { item, place, from, to } => {
                self.follow(&item, place, &from, to);
            }
            Observation::Dropped { item, places, by, how } => {
                self.dropped(now, &item, places, &by, how);
            }
            Observation::Listed { item } => self.listed_again(now, &item),
        }
    }

    /// Takes a look at a root's own directory.
    pub fn handle_look(&mut self, now: Now, name: &RootName, look: &RootLook) {
        let Some(root) = self.roots.get_mut(name) else { return };
        root.look = Some(look.clone());
        let (health, reason) = root.judge(look);
        if let (Health::Online | Health::Suspect, RootLook::Seen { identity }) = (health, look)
            && root
                .state
                .identity
                .as_ref()
                .is_some_and(|known| known != identity && known.matches(identity).is_ok())
        {
            // The same root under another mount id or device number: what is compared within this
            // boot must be of this boot.
            let before = root.state.identity.replace(identity.clone());
            root.remounted |= identity.is_weak()
                && before.as_ref().is_some_and(|before| before.mount != identity.mount);
            self.dirty_roots.insert(name.clone());
            self.carry(name, before.as_ref(), identity);
        }
        self.turn(now, name, health, reason);
    }

    /// Adopts a root in which a media file was seen: from now on this is its identity.
    pub fn adopt(&mut self, now: Now, name: &RootName, identity: &Identity) {
        let Some(root) = self.roots.get_mut(name) else { return };
        root.state.identity = Some(identity.clone());
        root.state.retired.clear();
        self.dirty_roots.insert(name.clone());
        self.decide_root(now, name, What::Adopted { identity: identity.to_string() });
        self.turn(now, name, Health::Online, identity.to_string());
    }

    /// Makes a root known, or takes over its new path or rules (`basis`). What is known of it is
    /// then based anew: `forget` drops its identity, and what was under review waits for a person.
    pub fn configure_root(&mut self, now: Now, name: &RootName, basis: &str, forget: bool) {
        let Some(root) = self.roots.get_mut(name) else {
            let state = RootState::new(basis);
            self.roots.insert(name.clone(), Root::unseen(state, now.wall));
            self.dirty_roots.insert(name.clone());
            return;
        };
        if root.state.basis == basis && !forget {
            return;
        }
        basis.clone_into(&mut root.state.basis);
        if forget {
            root.state.identity = None;
            root.state.learned = None;
            root.state.retired.clear();
        }
        self.dirty_roots.insert(name.clone());
        let why =
            if forget { "its path changed" } else { "its extensions or ignore rules changed" };
        self.decide_root(now, name, What::Rebased { why: why.to_owned() });
        if forget {
            self.turn(now, name, Health::Waiting, "not looked at yet".to_owned());
            if let Some(root) = self.roots.get_mut(name) {
                root.looked = false;
            }
        }
        if forget {
            // Where it lay is not even a place any more.
            self.unfollow_root(name);
            self.forget_under(now, name, "has another path now");
        }
        self.hold_all_rebased(now, name);
    }

    /// Forgets a root that is no longer configured.
    pub fn remove_root(&mut self, now: Now, name: &RootName) {
        let Some(root) = self.roots.remove(name) else { return };
        self.dirty_roots.insert(name.clone());
        self.unfollow_root(name);
        self.forget_under(now, name, "is not configured any more");
        // A mount that went is no change of the configuration, and what was never adopted held nothing.
        if name.outer().is_none() && root.state.identity.is_some() {
            self.hold_all_rebased(now, name);
        }
    }

    /// How long things are waited for.
    #[must_use]
    pub fn policy(&self) -> Policy {
        self.policy
    }

    /// Waits otherwise from now on.
    pub fn set_policy(&mut self, policy: Policy) {
        self.policy = policy;
    }

    /// Begins all waits again after a time in which nobody was watching: suspend, a stopped
    /// process, a clock that was set.
    pub fn handle_gap(&mut self, now: Now) {
        self.unsettle_all(now);
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Now) {
        let due: Vec<CandidateId> = self
            .candidates
            .values()
            .filter(|candidate| self.due(candidate).is_some_and(|due| due <= now.awake))
            .map(|candidate| candidate.id)
            .collect();
        for id in due {
            match self.candidates.get(&id).map(|candidate| &candidate.stage) {
                Some(Stage::Settling { .. } | Stage::Held { .. }) => self.probe(now, id),
                Some(Stage::Probing { .. }) => {
                    let why = "the probe was not over in time".to_owned();
                    self.hold(now, id, Hold::Unknown { witness: "disk".into(), why }, Vec::new());
                }
                None => {}
            }
        }
    }

    /// When [`Core::handle_timeout`] is wanted next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Awake> {
        self.candidates.values().filter_map(|candidate| self.due(candidate)).min()
    }

    // ---------------------------------------------------------------- what follows

    /// What changed since the last call; to be durable before any effect is performed.
    pub fn take_changes(&mut self) -> Changes {
        let mut changes = std::mem::take(&mut self.changes);
        changes.next_candidate = self.next_candidate;
        for id in std::mem::take(&mut self.dirty_candidates) {
            changes.candidates.push((id, self.candidates.get(&id).cloned()));
        }
        for key in std::mem::take(&mut self.dirty_items) {
            let state = self.items.get(&key).cloned();
            changes.items.push((key, state));
        }
        for name in std::mem::take(&mut self.dirty_roots) {
            let state = self.roots.get(&name).map(|root| root.state.clone());
            changes.roots.push((name, state));
        }
        changes
    }

    /// The next effect that is wanted.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    // ---------------------------------------------------------------- getters

    /// The roots.
    #[must_use]
    pub fn roots(&self) -> &BTreeMap<RootName, Root> {
        &self.roots
    }

    /// The candidates under review.
    #[must_use]
    pub fn candidates(&self) -> &BTreeMap<CandidateId, Candidate> {
        &self.candidates
    }

    /// The first candidate number that was never given out.
    #[must_use]
    pub fn next_candidate(&self) -> CandidateId {
        self.next_candidate
    }

    /// What is remembered of each item that has a story.
    pub fn items(&self) -> impl Iterator<Item = &ItemState> {
        self.items.values()
    }

    /// What is remembered of an item that has a story.
    #[must_use]
    pub fn item(&self, key: &ItemKey) -> Option<&ItemState> {
        self.items.get(key)
    }

    /// Whether listings of this root may be taken over: it is the one that was adopted. What a
    /// suspect root has is taken down too; only nothing is concluded from it.
    #[must_use]
    pub fn reads(&self, name: &RootName, identity: &Identity) -> bool {
        self.roots.get(name).is_some_and(|root| root.reads(identity))
    }

    /// The items whose present life is over.
    #[must_use]
    pub fn closed_items(&self) -> Vec<Item> {
        let closed = self.items.values().filter(|state| state.closed.is_some());
        closed.map(|state| state.item.clone()).collect()
    }

    /// Whether a look that found `identity` at this root may be believed: it is online, and the one
    /// that was adopted.
    #[must_use]
    pub fn believes(&self, name: &RootName, identity: &Identity) -> bool {
        self.roots.get(name).is_some_and(|root| root.believes(identity))
    }

    // ---------------------------------------------------------------- the story

    pub(super) fn decide(
        &mut self,
        now: Now,
        item: &Item,
        candidate: Option<CandidateId>,
        what: What,
        evidence: Vec<Evidence>,
    ) {
        let subject = Subject::Item(item.clone());
        self.changes.decisions.push(Decision { at: now.wall, subject, candidate, what, evidence });
    }

    pub(super) fn decide_root(&mut self, now: Now, name: &RootName, what: What) {
        self.changes.decisions.push(Decision {
            at: now.wall,
            subject: Subject::Root(name.clone()),
            candidate: None,
            what,
            evidence: Vec::new(),
        });
    }
}

/// Adds files to an ordered list; a file that is known already takes its newer record.
fn merge(into: &mut Vec<LostFile>, files: Vec<LostFile>) {
    for file in files {
        match into.binary_search_by(|known| known.path.cmp(&file.path)) {
            Ok(at) if into[at].looked < file.looked => into[at] = file,
            Ok(at) => {
                into[at].retired |= file.retired && into[at].looked == file.looked;
                into[at].sought |= file.sought;
            }
            Err(at) => into.insert(at, file),
        }
    }
}
