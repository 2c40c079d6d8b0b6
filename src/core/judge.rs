//! What becomes of a candidate when its probe is over.

use std::time::Duration;

use super::disk::{self, DiskAnswer};
use super::verdict::{Case, Verdict, verdict};
use super::{Core, Effect, Findings, ItemState, LONGEST_RETRY, merge};
use crate::domain::{
    Candidate, CandidateId, Cause, Deletion, DeletionId, Entry, EntryState, Evidence, Health, Hold,
    Holding, LostFile, Now, RootLook, RootName, Source, Stage, What, Witness,
};

/// Findings that lay about for longer are not listened to.
const FRESH: Duration = Duration::from_secs(2);

impl Core {
    /// Takes what a probe brought. An answer to another probe than the one that is waited for, or
    /// one during which a root changed its health, is not listened to.
    pub fn handle_probe(&mut self, now: Now, findings: &Findings) {
        let Some(epochs) = self.probe_epochs.remove(&findings.probe) else { return };
        let id = findings.candidate;
        let Some(candidate) = self.candidates.get(&id) else { return };
        if !matches!(&candidate.stage, Stage::Probing { probe, .. } if *probe == findings.probe) {
            return;
        }
        let steady = epochs.len() == self.roots.len()
            && epochs
                .iter()
                .all(|(name, epoch)| self.roots.get(name).is_some_and(|root| root.epoch == *epoch));
        if !steady {
            self.unsettle(now, id);
            return;
        }
        if findings.age > FRESH {
            // The world went on since: what was seen then says nothing of now.
            self.settle(now, id);
            return;
        }
        let lost = candidate.lost.clone();
        let disk = match self.unbelievable(findings) {
            // What was seen alive is alive, under whatever root.
            Some(why) if !is_alive(&disk::answer(&candidate.item, &lost, &findings.disk)) => {
                DiskAnswer::Unknown { why }
            }
            _ => disk::answer(&candidate.item, &lost, &findings.disk),
        };
        let mut evidence = disk::evidence(&lost, &findings.disk, findings.at);
        evidence.extend(findings.evidence.iter().cloned());
        let may_be_replaced = now.awake.since(candidate.from) < self.policy.replace_max;
        let written = findings.disk.written.as_ref();
        let written = written.map(|(path, when)| format!("{path} was written at {when}"));
        let replacing = written.or_else(|| findings.replacing.clone());
        let verdict = verdict(Case {
            disk,
            services: &findings.services,
            replacing: replacing.filter(|_| may_be_replaced),
            hidden_root: self.hidden_root(candidate),
            nothing_lost: lost.is_empty(),
        });
        if matches!(verdict, Verdict::Gone | Verdict::Partial { .. })
            && self.needs_second_look(now, id, &evidence)
        {
            return;
        }
        match verdict {
            Verdict::Present { why } => self.retract(now, id, why, evidence),
            Verdict::Partial { gone, left } => self.partial(now, id, gone, left, evidence),
            Verdict::Undetermined { why } => self.hold(now, id, why, evidence),
            Verdict::Gone => self.gone(now, id, evidence),
        }
    }

    /// Why the roots of this look were not the adopted ones, before and after it.
    fn unbelievable(&self, findings: &Findings) -> Option<String> {
        findings.disk.roots.iter().find_map(|(name, before, after)| {
            let believed = |look: &RootLook| match look {
                RootLook::Seen { identity } => self.believes(name, identity),
                _ => false,
            };
            (!believed(before) || !believed(after) || before != after)
                .then(|| format!("root {name} did not stay what it was during the look"))
        })
    }

    /// A root, other than those of the loss, that is adopted and can't be looked at.
    fn hidden_root(&self, candidate: &Candidate) -> Option<RootName> {
        let hidden = self.roots.iter().find(|(name, root)| {
            let seen = matches!(root.look, Some(RootLook::Seen { .. }));
            // An inner root that waits and is not there was never known to hold anything.
            let unread = matches!(root.look, Some(RootLook::Unreadable { .. }));
            let inner = name.outer().is_some() && !unread;
            let empty = root.health == Health::Waiting && (seen || inner);
            root.health != Health::Online
                && !empty
                && !root.state.is_retired()
                && candidate.lost.iter().all(|file| file.path.root != **name)
        });
        hidden.map(|(name, _)| name.clone())
    }

    pub(super) fn retract(
        &mut self,
        now: Now,
        id: CandidateId,
        why: String,
        evidence: Vec<Evidence>,
    ) {
        let Some(candidate) = self.close(id) else { return };
        let key = candidate.item.key();
        // What lives whole has lost nothing.
        if let Some(state) = self.items.get_mut(&key).filter(|state| !state.partial.is_empty()) {
            state.partial.clear();
            self.dirty_items.insert(key);
        }
        self.decide(now, &candidate.item, Some(id), What::Retracted { why }, evidence);
    }

    fn partial(
        &mut self,
        now: Now,
        id: CandidateId,
        gone: Vec<LostFile>,
        left: usize,
        evidence: Vec<Evidence>,
    ) {
        let Some(candidate) = self.close(id) else { return };
        let count = gone.len();
        let key = candidate.item.key();
        let state = self
            .items
            .entry(key.clone())
            .or_insert_with(|| ItemState::first(candidate.item.clone()));
        state.partial.clear();
        merge(&mut state.partial, gone);
        self.dirty_items.insert(key);
        let what = What::Partial { gone: count, left };
        self.decide(now, &candidate.item, Some(id), what, evidence);
    }

    pub(super) fn hold(&mut self, now: Now, id: CandidateId, why: Hold, evidence: Vec<Evidence>) {
        let Some(candidate) = self.candidates.get_mut(&id) else { return };
        candidate.absent = None;
        let before = match &candidate.stage {
            Stage::Held { holding, .. } => Some(holding.clone()),
            Stage::Probing { .. } | Stage::Settling { .. } => candidate.last_hold.take(),
        };
        if let Stage::Probing { probe, .. } = &candidate.stage {
            self.probe_epochs.remove(probe);
        }
        let goes_on = before.as_ref().filter(|before| before.why.is_like(&why));
        let (since, looks) = goes_on.map_or((now.wall, 0), |before| (before.since, before.looks));
        let is_news = before.as_ref().is_none_or(|before| before.why.is_news(&why));
        let wait = self.policy.hold_retry.saturating_mul(1 << looks.min(10));
        let again = now.awake.plus(wait.min(LONGEST_RETRY.max(self.policy.hold_retry)));
        let holding = Holding { why: why.clone(), since, looks: looks.saturating_add(1) };
        candidate.stage = Stage::Held { holding, again };
        if !evidence.is_empty() {
            candidate.evidence.clone_from(&evidence);
        }
        let item = candidate.item.clone();
        self.dirty_candidates.insert(id);
        if is_news {
            self.decide(now, &item, Some(id), What::Held { why }, evidence);
        }
    }

    /// Every confirmation goes through here, one by one: the place of the brake.
    fn gone(&mut self, now: Now, id: CandidateId, evidence: Vec<Evidence>) {
        let lost = self.candidates.get(&id).map_or(&[][..], |candidate| &candidate.lost);
        // Of a title that lost files in both ways, some were not on what was retired.
        let mut main = lost.iter().filter(|file| !file.extra).peekable();
        let retired = main.peek().is_some() && main.all(|file| file.retired);
        let cause = if retired { Cause::DiskLoss } else { Cause::Removed };
        self.confirm(now, id, Source::External, cause, evidence);
    }

    fn confirm(
        &mut self,
        now: Now,
        id: CandidateId,
        source: Source,
        cause: Cause,
        evidence: Vec<Evidence>,
    ) {
        let Some(candidate) = self.close(id) else { return };
        let key = candidate.item.key();
        let deletion = DeletionId::new(&key, candidate.life);
        let state = self
            .items
            .entry(key.clone())
            .or_insert_with(|| ItemState::first(candidate.item.clone()));
        state.life = candidate.life;
        state.closed = Some(now.wall);
        state.partial.clear();
        for known in std::mem::take(&mut state.follows) {
            self.followed.remove(&known.path);
        }
        self.dirty_items.insert(key);
        self.changes.entries.push(Entry {
            deletion: Deletion {
                id: deletion.clone(),
                item: candidate.item.clone(),
                life: candidate.life,
                source,
                cause,
                detected_at: candidate.detected,
                confirmed_at: now.wall,
                evidence: evidence.clone(),
            },
            state: EntryState::Queued,
            forwarded_at: None,
            lost: candidate.lost.clone(),
            places: candidate.places.clone(),
        });
        let what = What::Confirmed { deletion: deletion.clone() };
        self.decide(now, &candidate.item, Some(id), what, evidence);
        self.effects.push_back(Effect::Forward(deletion));
    }

    /// Takes back a deletion that nobody was told: what was certain then is looked at again, in the
    /// same life. `because` holds it for a while, if the telling failed.
    pub fn reopen(&mut self, now: Now, entry: &Entry, because: Option<Hold>) {
        let deletion = &entry.deletion;
        let key = deletion.item.key();
        let state = self.items.get_mut(&key);
        let is_current = state.as_ref().is_none_or(|state| state.life == deletion.life);
        if let Some(state) = state.filter(|state| state.life == deletion.life) {
            state.closed = None;
            self.dirty_items.insert(key.clone());
        }
        // One that was put together from the ledger alone has nothing to look at.
        let asked = |line: &Evidence| matches!(line.witness, Witness::Service { .. });
        let knows = !entry.lost.is_empty() || deletion.evidence.iter().any(asked);
        if is_current && knows && !self.by_item.contains_key(&key) {
            let id = self.new_candidate(now, &deletion.item, deletion.life);
            if let Some(candidate) = self.candidates.get_mut(&id) {
                candidate.detected = deletion.detected_at;
                candidate.places.clone_from(&entry.places);
                candidate.lost.clone_from(&entry.lost);
            }
            match because {
                Some(why) => self.hold(now, id, why, Vec::new()),
                None => self.hold_if_unhealthy(now, id),
            }
        }
        let withdrawn = Entry { state: EntryState::Withdrawn, ..entry.clone() };
        self.changes.entries.push(withdrawn);
    }

    /// The review is over.
    fn close(&mut self, id: CandidateId) -> Option<Candidate> {
        let candidate = self.candidates.remove(&id)?;
        self.last_losses.remove(&id);
        self.by_item.remove(&candidate.item.key());
        self.by_kin.remove(&candidate.item, id);
        self.dirty_candidates.insert(id);
        Some(candidate)
    }
}

fn is_alive(answer: &DiskAnswer) -> bool {
    matches!(answer, DiskAnswer::Alive { .. })
}
