//! The daemon's state and what each event does to it: synchronous, without threads or sockets, so
//! that a simulation can run it as it is.
//!
//! The order is always the same: apply to the core, store what changed in one transaction and
//! flush, and only then hand out what is to be done. Nothing here may be done before it is stored.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::hunting::Hunting;
use super::listings::{self, Context};
use super::messages;
use super::moves::Moves;
use super::narrator::Line;
use super::newcomers::Newcomers;
use super::orders::{Listed, Order};
use super::retire::ToRetire;
use super::roots::RootRun;
use super::services::Services;
use crate::core::{Changes, Core, Effect, Findings, Policy, Probe};
use crate::domain::{
    Awake, BranchId, Entry, EntryState, FilePath, Health, Now, Observation, RelPath, RootLook,
    RootName, Sensor, Stage, Timestamp,
};
use crate::sensors::watcher::Walk;
use crate::store::{Batch, Durability, Loaded, Storage, StoreError};

/// How long a name that appeared may still be the other half of a move, without a candidate.
const ARRIVALS_KEPT: Duration = Duration::from_hours(48);
/// How often a sign of life is stored.
const HEARTBEAT: Duration = Duration::from_mins(1);
/// How often what is old is forgotten.
const PRUNE: Duration = Duration::from_hours(6);

/// Takes down accepted entries for good: the ledger file, or a stand-in.
pub trait Record {
    /// Appends one entry; when this returns it survives a power cut.
    ///
    /// # Errors
    /// When it could not be written: then it is not there at all.
    fn record(&mut self, entry: &Entry, at: Timestamp) -> anyhow::Result<()>;

    /// Appends a person's decision; only when this returns may it take effect.
    ///
    /// # Errors
    /// When it could not be written: then it is not there at all.
    fn record_verb(&mut self, verb: &str, subject: &str, at: Timestamp) -> anyhow::Result<()>;

    /// Removes what a failed call has left and could not remove itself. Called from time to time
    /// until the next call goes well.
    fn mend(&mut self) {}
}

/// The state of the daemon.
#[derive(Debug)]
pub struct Engine<S, R> {
    pub(super) core: Core,
    pub(super) store: Arc<S>,
    pub(super) recorder: R,
    pub(super) roots: BTreeMap<RootName, RootRun>,
    pub(super) moves: Moves,
    pub(super) newcomers: Newcomers,
    pub(super) hunting: Hunting,
    pub(super) services: Services,
    /// Why recording has stopped.
    pub(super) record_fails: Option<String>,
    /// Awaits the next commit.
    pub(super) batch: Batch,
    pub(super) orders: Vec<Order>,
    history: Duration,
    heartbeat: Option<Timestamp>,
    pruned: Option<Awake>,
    pub(super) deletions: u64,
    /// What a person retired before the last end, if that did not take effect.
    pub(super) to_retire: Vec<ToRetire>,
}

impl<S: Storage, R: Record> Engine<S, R> {
    /// Goes on where the store left off.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn new(
        store: Arc<S>,
        recorder: R,
        loaded: Loaded,
        distrust_start: Option<String>,
        policy: Policy,
        history: Duration,
        now: Now,
    ) -> Result<Self, StoreError> {
        let told = |entry: &&Entry| entry.state != EntryState::Withdrawn;
        let deletions = store.entries()?.iter().filter(told).count() as u64;
        let mut core = Core::new(policy, loaded.saved, distrust_start, now);
        for entry in &loaded.queued {
            // Confirmed in another run, and nobody was told: it must be certain again.
            core.reopen(now, entry, None);
        }
        Ok(Self {
            core,
            store,
            recorder,
            roots: BTreeMap::new(),
            moves: Moves::default(),
            newcomers: Newcomers::default(),
            hunting: Hunting::default(),
            services: Services::default(),
            record_fails: None,
            batch: Batch::default(),
            orders: Vec::new(),
            history,
            heartbeat: None,
            pruned: None,
            deletions,
            to_retire: loaded.retired.into_iter().map(Into::into).collect(),
        })
    }

    /// Takes a look at a root's own directory.
    ///
    /// # Errors
    /// When the store can't be written.
    pub fn looked(&mut self, now: Now, root: &RootName, look: &RootLook) -> Result<(), StoreError> {
        if let Some(run) = self.roots.get_mut(root) {
            run.looked = true;
            run.seen = matches!(look, RootLook::Seen { .. });
        }
        let branches: Vec<BranchId> = self.core.branches(root).collect();
        let before = (self.file_system(root), self.health(root));
        self.core.handle_look(now, root, look);
        self.carry_over(root, before.0)?;
        self.branches_looked(now, root, &branches);
        let health = self.health(root);
        if health != before.1 {
            // Also a change that is taken back within the turn.
            self.hunt_anew(now, root);
        }
        let reads = matches!(health, Some(Health::Online | Health::Suspect | Health::Waiting));
        let run = self.roots.get_mut(root).filter(|run| reads && run.seen);
        if run.is_some_and(|run| std::mem::take(&mut run.missed)) {
            self.orders.push(Order::Rescan(root.clone()));
        }
        Ok(())
    }

    /// Takes listings; stores what they change at once, since the next comparison rests on it.
    ///
    /// # Errors
    /// When the store can't be read or written.
    pub fn listed(&mut self, now: Now, report: &Listed) -> Result<(), StoreError> {
        let name = &report.root;
        if !self.roots.contains_key(name) {
            return Ok(());
        }
        let has_media = report.listings.iter().any(|listing| !listing.files.is_empty())
            && report.identity.pool.as_ref().is_none_or(|pool| pool.whole().is_ok());
        if self.health(name) == Some(Health::Waiting) && has_media {
            // What was listed before, perhaps the empty mount point, is not of what is adopted.
            self.forget_other_file_systems(name, report.identity.file_system())?;
            self.core.adopt(now, name, &report.identity);
        }
        let waiting = self.health(name) == Some(Health::Waiting);
        if !waiting && !self.core.reads(name, &report.identity) {
            // Nothing may be concluded; what it shows will be seen again when the root is believed.
            if let Some(run) = self.roots.get_mut(name) {
                run.missed = true;
            }
            self.orders.push(Order::Applied { root: name.clone(), seq: report.seq });
            return self.commit(now);
        }
        let Some(run) = self.roots.get(name) else { return Ok(()) };
        let context = Context {
            root: name,
            title: &run.title,
            within: run.spec.within.as_ref(),
            rules: &run.spec.rules,
            // What changes while all is still being compared may have changed long ago.
            sensor: if report.walk == Some(Walk::Start) || !run.compared {
                Sensor::Start
            } else {
                Sensor::Watcher
            },
            baseline: run.baseline,
            awake: now.awake,
        };
        let mut applied =
            listings::apply(context, &*self.store, &report.listings, &self.moves, &self.core)?;
        let retired = self.mark_retired(name, &mut applied.observations)?;
        if let Some(run) = self.roots.get_mut(name) {
            run.note_foreign(&applied);
            run.files = run.files.saturating_add(applied.came).saturating_sub(applied.lost);
            let files = run.files;
            if !waiting {
                // What went by a person's word is no reason for distrust.
                let lost = applied.lost.saturating_sub(retired);
                self.core.handle_count(now, name, files, lost, applied.came);
            }
        }
        if !waiting {
            // Where not all is watched, moves are not told either.
            let unheard = report.walk.is_some() || !self.hears_all(name);
            self.may_be_moves(now, &mut applied.observations, unheard, report.walk.is_some());
        }
        for observation in applied.observations {
            if waiting && matches!(observation, Observation::Lost { .. }) {
                // Nothing was alive in a root that is not adopted.
                continue;
            }
            self.core.handle_observation(now, observation);
        }
        let lays = report.lays.iter().map(|(dir, lay)| (name.clone(), dir.clone(), lay.clone()));
        self.batch.lays.extend(lays);
        self.batch.directories.extend(applied.batch.directories);
        self.batch.titles.extend(applied.batch.titles);
        self.batch.gone_titles.extend(applied.batch.gone_titles);
        self.batch.arrivals.extend(applied.batch.arrivals);
        self.commit(now)?;
        self.orders.push(Order::Applied { root: name.clone(), seq: report.seq });
        Ok(())
    }

    /// Events of a root were lost; all of it will be listed.
    pub fn events_lost(&mut self, root: &RootName) {
        self.moves.lost(root);
    }

    /// Takes one half of a rename.
    pub fn moved(&mut self, root: &RootName, cookie: usize, path: RelPath, to: bool) {
        self.moves.note(cookie, FilePath::new(root.clone(), path), to);
    }

    /// Somebody wants everything looked at.
    pub fn look_again(&mut self, now: Now) {
        self.core.look_again(now);
    }

    /// Waits otherwise from now on.
    pub fn set_policy(&mut self, policy: Policy, history: Duration) {
        self.core.set_policy(policy);
        self.history = history;
    }

    /// Whether nothing is under review and every root is armed.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.core.candidates().is_empty() && self.is_ready()
    }

    /// How long until something is due.
    #[must_use]
    pub fn until_due(&self, awake: Awake) -> Option<Duration> {
        self.core.poll_timeout().map(|due| due.since(awake))
    }

    /// Whether the core still waits for the answer of a probe: the world may have moved on since it
    /// was wanted.
    #[must_use]
    pub fn awaits(&self, probe: &Probe) -> bool {
        let candidate = self.core.candidates().get(&probe.candidate);
        candidate.is_some_and(|candidate| {
            matches!(candidate.stage, Stage::Probing { probe: id, .. } if id == probe.id)
        })
    }

    /// Takes what a probe brought.
    pub fn probed(&mut self, now: Now, findings: &Findings) {
        self.core.handle_probe(now, findings);
    }

    /// Begins all waits again.
    pub fn gap(&mut self, now: Now) {
        self.core.handle_gap(now);
    }

    /// Does what is due, and what is done from time to time.
    ///
    /// # Errors
    /// When the store can't be written.
    pub fn tick(&mut self, now: Now) -> Result<(), StoreError> {
        self.core.handle_timeout(now);
        self.hunt(now, false);
        if self.core.candidates().is_empty() {
            self.newcomers.clear();
            self.hunting.clear();
        }
        if self.record_fails.is_some() {
            self.recorder.mend();
        }
        for damage in self.store.take_damage() {
            let text = format!("the store is damaged: {damage}");
            self.orders.push(Order::Say(Line::new(messages::HEALED, text).because(damage)));
        }
        if self
            .heartbeat
            .is_none_or(|last| last.since(now.wall).max(now.wall.since(last)) >= HEARTBEAT)
        {
            self.batch.heartbeat = Some(now.wall);
        }
        if self.pruned.is_none_or(|last| now.awake.since(last) >= PRUNE) {
            self.pruned = Some(now.awake);
            let oldest = self.core.candidates().values().map(|c| c.from).min();
            let arrivals = oldest.unwrap_or(now.awake).min(now.awake).minus(ARRIVALS_KEPT);
            self.store.prune(arrivals, now.wall.minus(self.history))?;
        }
        self.commit(now)
    }

    /// Stores what changed, then turns the core's effects into orders and records entries.
    ///
    /// # Errors
    /// When the store can't be written; then no order that rests on it is given.
    pub fn commit(&mut self, now: Now) -> Result<(), StoreError> {
        let stored = self.store_changes(now)?;
        let mut to_record = Vec::new();
        while let Some(effect) = self.core.poll_effect() {
            match effect {
                Effect::Probe(probe) => self.orders.push(Order::Probe(probe)),
                Effect::Forward(id) => to_record.push(id),
            }
        }
        self.record(now, &to_record, &stored)?;
        // What could not be recorded is under review again.
        self.store_changes(now).map(drop)
    }

    /// Stores what changed; says which entries did.
    fn store_changes(&mut self, now: Now) -> Result<Vec<Entry>, StoreError> {
        self.batch.changes = self.core.take_changes();
        let decided = !self.batch.changes.is_empty();
        let is_idle = !decided
            && self.batch.directories.is_empty()
            && self.batch.lays.is_empty()
            && self.batch.services.is_empty()
            && self.batch.listed.is_empty()
            && self.batch.past.is_empty()
            && self.batch.dropped_roots.is_empty()
            && self.batch.heartbeat.is_none();
        if is_idle {
            return Ok(Vec::new());
        }
        let mut batch = std::mem::take(&mut self.batch);
        batch.awake = Some(now.awake);
        if decided {
            batch.heartbeat = Some(now.wall);
        }
        let durability = match &batch.changes {
            Changes { entries, .. } if !entries.is_empty() => Durability::Synced,
            _ if decided => Durability::Flushed,
            _ => Durability::Soon,
        };
        self.store.commit(&batch, durability)?;
        self.heartbeat = batch.heartbeat.or(self.heartbeat);
        for entry in &batch.changes.entries {
            match entry.state {
                EntryState::Withdrawn => self.deletions = self.deletions.saturating_sub(1),
                EntryState::Queued | EntryState::Accepted => self.deletions += 1,
            }
        }
        self.orders.extend(batch.changes.decisions.into_iter().map(Order::Tell));
        Ok(batch.changes.entries)
    }

    /// Hands out what is to be done.
    pub fn take_orders(&mut self) -> Vec<Order> {
        std::mem::take(&mut self.orders)
    }
}
