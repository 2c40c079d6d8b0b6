//! The review of candidates: how they begin, what makes them wait, when they are due.

use super::{Core, Effect, Probe, merge};
use crate::domain::{
    Awake, Candidate, CandidateId, FilePath, Health, Hold, Item, Life, LostFile, Now, Place,
    ProbeId, RootName, Sensor, Stage, What,
};

impl Core {
    pub(super) fn lost(
        &mut self,
        now: Now,
        item: &Item,
        places: Vec<Place>,
        files: Vec<LostFile>,
        sensor: Sensor,
    ) {
        // One work under two names that match has one review, and one obituary.
        let kin = self.kin(item);
        let item = &kin.unwrap_or_else(|| item.clone());
        let key = item.key();
        let state = self.items.get(&key);
        if files.is_empty() || state.is_some_and(|state| state.closed.is_some()) {
            // Only what was seen alive can die: this life is closed already.
            return;
        }
        let life = state.map_or(Life::FIRST, |state| state.life);
        for file in &files {
            if let Some(root) = self.roots.get_mut(&file.path.root) {
                root.last_loss = Some(now.awake);
            }
        }
        let paths: Vec<FilePath> = files.iter().map(|file| file.path.clone()).collect();
        if !self.followed.is_empty() {
            self.unfollow(|path| paths.contains(path));
        }
        let undated = self.distrust_start.clone().filter(|_| sensor == Sensor::Start);
        let known = self.by_item.get(&key).copied();
        let id = known.unwrap_or_else(|| self.new_candidate(now, item, life));
        self.last_losses.insert(id, now.awake);
        let Some(candidate) = self.candidates.get_mut(&id) else { return };
        candidate.absent = None;
        merge(&mut candidate.lost, files);
        for place in places {
            if !candidate.places.contains(&place) {
                candidate.places.push(place);
            }
        }
        self.dirty_candidates.insert(id);
        self.decide(now, item, Some(id), What::Lost { files: paths, sensor }, Vec::new());
        match undated {
            Some(why) => self.hold(now, id, Hold::FoundMissing { why }, Vec::new()),
            // That its files were there is what held it.
            None if self.is_unlisted(id) => self.settle(now, id),
            None => self.unsettle(now, id),
        }
    }

    /// Begins a review. Its files and places are still to be filled in.
    pub(super) fn new_candidate(&mut self, now: Now, item: &Item, life: Life) -> CandidateId {
        let id = self.next_candidate;
        self.next_candidate = CandidateId(id.0 + 1);
        self.by_item.insert(item.key(), id);
        self.by_kin.add(item, id);
        let candidate = Candidate {
            id,
            item: item.clone(),
            life,
            detected: now.wall,
            from: now.awake,
            places: Vec::new(),
            lost: Vec::new(),
            evidence: Vec::new(),
            last_hold: None,
            absent: None,
            stage: Stage::Settling { quiet_from: now.awake },
        };
        self.candidates.insert(id, candidate);
        self.dirty_candidates.insert(id);
        id
    }

    pub(super) fn seen(&mut self, now: Now, item: &Item, files: &[FilePath]) {
        let key = item.key();
        let kin = self.kin(item).map(|kin| kin.key());
        if let Some(id) = self.by_item.get(kin.as_ref().unwrap_or(&key)).copied() {
            if let Some(candidate) = self.candidates.get_mut(&id) {
                candidate.absent = None;
            }
            // Even one that waits for a person: what came back is retracted by itself.
            self.settle(now, id);
        }
        let Some(state) = self.items.get_mut(&key) else { return };
        if state.closed.take().is_some() {
            state.life = state.life.next();
            state.partial.clear();
            let life = state.life;
            self.dirty_items.insert(key);
            self.decide(now, item, None, What::Returned { life }, Vec::new());
        } else {
            let before = state.partial.len();
            state.partial.retain(|file| !files.contains(&file.path));
            if state.partial.len() != before {
                self.dirty_items.insert(key);
            }
        }
    }

    /// Begins a probe of a candidate.
    pub(super) fn probe(&mut self, now: Now, id: CandidateId) {
        let probe = self.next_probe;
        self.next_probe = ProbeId(probe.0 + 1);
        let Some(candidate) = self.candidates.get_mut(&id) else { return };
        let state = self.items.get(&candidate.item.key());
        merge(&mut candidate.lost, state.map(|state| state.partial.clone()).unwrap_or_default());
        let follows = state.into_iter().flat_map(|state| &state.follows);
        let follows = follows.map(|known| known.path.clone()).collect();
        let stage = Stage::Probing { probe, from: now.awake };
        if let Stage::Held { holding, .. } = std::mem::replace(&mut candidate.stage, stage) {
            candidate.last_hold = Some(holding);
        }
        self.effects.push_back(Effect::Probe(Probe {
            id: probe,
            candidate: id,
            item: candidate.item.clone(),
            detected: candidate.detected,
            from: candidate.from,
            after: self.last_losses.get(&id).copied().unwrap_or(candidate.from),
            places: candidate.places.clone(),
            lost: candidate.lost.clone(),
            follows,
        }));
        let epochs = self.roots.iter().map(|(name, root)| (name.clone(), root.epoch)).collect();
        self.probe_epochs.insert(probe, epochs);
        self.dirty_candidates.insert(id);
    }

    /// When a candidate wants attention; `None` while it waits for the world.
    pub(super) fn due(&self, candidate: &Candidate) -> Option<Awake> {
        match &candidate.stage {
            Stage::Settling { quiet_from } => {
                let mut quiet = *quiet_from;
                for place in &candidate.places {
                    let root = self.roots.get(&place.root)?;
                    if root.health != Health::Online {
                        return None;
                    }
                    let latest = candidate.from.plus(self.policy.window);
                    quiet = quiet.max(root.last_loss.unwrap_or_default().min(latest));
                }
                Some(quiet.plus(self.policy.settle))
            }
            Stage::Probing { from, .. } => Some(from.plus(self.policy.probe_deadline)),
            Stage::Held { holding, again } => {
                let online = |place: &Place| {
                    self.roots.get(&place.root).is_some_and(|root| root.health == Health::Online)
                };
                (holding.why.can_end_by_itself() && candidate.places.iter().all(online))
                    .then_some(*again)
            }
        }
    }

    /// The root gets another health; everything that lost files under it begins to wait again.
    pub(super) fn turn(&mut self, now: Now, name: &RootName, health: Health, reason: String) {
        let Some(root) = self.roots.get_mut(name) else { return };
        let from = root.health;
        if !root.turn(health, reason.clone(), now) {
            return;
        }
        self.decide_root(now, name, What::Health { from, to: health, why: reason });
        let concerned: Vec<CandidateId> = self
            .candidates
            .values()
            .filter(|c| c.places.iter().any(|place| place.root == *name) || is_held_by_root(c))
            .map(|c| c.id)
            .collect();
        for id in concerned {
            self.unsettle(now, id);
        }
    }

    pub(super) fn unsettle_all(&mut self, now: Now) {
        let ids: Vec<CandidateId> = self.candidates.keys().copied().collect();
        for id in ids {
            self.unsettle(now, id);
        }
    }

    /// Somebody wants everything looked at: what is held and may end by itself, too.
    pub fn look_again(&mut self, now: Now) {
        let is_held = |c: &&Candidate| matches!(c.stage, Stage::Held { .. });
        let held: Vec<CandidateId> =
            self.candidates.values().filter(is_held).map(|candidate| candidate.id).collect();
        for id in held {
            self.unsettle(now, id);
        }
    }

    /// Lets a candidate wait again from now on, unless only a person can end its hold.
    pub(super) fn unsettle(&mut self, now: Now, id: CandidateId) {
        let Some(candidate) = self.candidates.get(&id) else { return };
        let waits_for_a_person = matches!(
            &candidate.stage,
            Stage::Held { holding, .. } if !holding.why.can_end_by_itself()
        );
        if !waits_for_a_person {
            self.settle(now, id);
        }
    }

    /// Lets a candidate wait again from now on.
    pub(super) fn settle(&mut self, now: Now, id: CandidateId) {
        let Some(candidate) = self.candidates.get_mut(&id) else { return };
        self.dirty_candidates.insert(id);
        let stage = Stage::Settling { quiet_from: now.awake };
        match std::mem::replace(&mut candidate.stage, stage) {
            Stage::Held { holding, .. } => candidate.last_hold = Some(holding),
            Stage::Probing { probe, .. } => {
                self.probe_epochs.remove(&probe);
            }
            Stage::Settling { .. } => {}
        }
        self.hold_if_unhealthy(now, id);
    }

    /// A candidate under a root that can't be believed is held, and says so.
    pub(super) fn hold_if_unhealthy(&mut self, now: Now, id: CandidateId) {
        let Some(candidate) = self.candidates.get(&id) else { return };
        if !matches!(candidate.stage, Stage::Settling { .. }) {
            return;
        }
        let unhealthy = candidate.places.iter().find_map(|place| {
            let root = self.roots.get(&place.root)?;
            (root.looked && root.health != Health::Online)
                .then(|| format!("root {} is {}: {}", place.root, root.health, root.reason))
        });
        if let Some(why) = unhealthy {
            self.hold(now, id, Hold::Unknown { witness: "disk".to_owned(), why }, Vec::new());
        }
    }

    /// Takes everything of a root that is no longer configured out of what is under review: nobody
    /// can look there, and it is no deletion.
    pub(super) fn forget_under(&mut self, now: Now, name: &RootName, why: &str) {
        for (key, state) in &mut self.items {
            let before = state.partial.len();
            state.partial.retain(|file| file.path.root != *name);
            if state.partial.len() != before {
                self.dirty_items.insert(key.clone());
            }
        }
        let concerned: Vec<CandidateId> = self
            .candidates
            .values()
            .filter(|c| c.places.iter().any(|place| place.root == *name))
            .map(|c| c.id)
            .collect();
        for id in concerned {
            let Some(candidate) = self.candidates.get_mut(&id) else { continue };
            candidate.places.retain(|place| place.root != *name);
            candidate.lost.retain(|file| file.path.root != *name);
            if candidate.lost.is_empty() || candidate.places.is_empty() {
                let why = format!("root {name} {why}");
                self.retract(now, id, why, Vec::new());
            } else {
                self.settle(now, id);
            }
        }
    }

    /// The configuration of a root changed: whatever went before may live where by the old one it would
    /// have been found. No change of the configuration is a deletion.
    pub(super) fn hold_all_rebased(&mut self, now: Now, root: &RootName) {
        let open: Vec<CandidateId> = self.candidates.keys().copied().collect();
        for id in open {
            self.hold(now, id, Hold::Rebased { root: root.clone() }, Vec::new());
        }
    }
}

/// Whether the health of any root may end this hold.
fn is_held_by_root(candidate: &Candidate) -> bool {
    matches!(
        &candidate.stage,
        Stage::Held { holding, .. } if matches!(holding.why, Hold::OtherRoot { .. })
    )
}
