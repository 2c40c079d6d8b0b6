//! Losses that may be moves to anywhere, under any name: those of which the kernel said that they were
//! moved away, and those that nobody heard of when they happened. Each root is looked through for them
//! before anyone is asked. What was plainly removed needs none of this.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::engine::{Engine, Record};
use super::orders::Order;
use super::strays::{self, Stray};
use crate::core::Probe;
use crate::domain::{Awake, FileId, FilePath, Health, LostFile, Now, Observation, RootName};
use crate::prober::Sought;
use crate::store::{Storage, StoreError};

/// How long probes wait for what is being looked through; after that they say that it was not.
const PATIENCE: Duration = Duration::from_mins(2);

/// What is to be looked for, where it is being looked for, and where it was.
#[derive(Debug, Default)]
pub(super) struct Hunting {
    sought: Sought,
    /// Since when something is to be looked for.
    since: Option<Awake>,
    /// Whether it awaits the end of a walk, which may bring more to light.
    in_walk: bool,
    /// The looks under way, one a root at most.
    running: BTreeMap<RootName, Running>,
    /// The files that each root was looked through for, to the end, since they went.
    done: BTreeMap<RootName, HashSet<FileId>>,
    /// The number of the last look.
    last: u64,
    /// The roots that could be believed at the last turn.
    online: BTreeSet<RootName>,
}

/// A look under way.
#[derive(Debug)]
struct Running {
    number: u64,
    since: Awake,
    sought: Arc<Sought>,
}

impl Hunting {
    fn is_over(&self, now: Awake) -> bool {
        let waits = |since: &Awake| now.since(*since) < PATIENCE;
        let mut running = self.running.values().map(|running| &running.since);
        !self.since.as_ref().is_some_and(waits) && !running.any(waits)
    }

    /// Wants a file looked for that went, or may have come to light elsewhere, just now.
    fn seek(&mut self, now: Now, file: &LostFile) {
        for done in self.done.values_mut() {
            done.remove(&file.id);
        }
        self.since.get_or_insert(now.awake);
        self.sought.insert(file.id, file.looked);
    }

    /// Nothing is missing any more.
    pub(super) fn clear(&mut self) {
        self.sought = Sought::new();
        self.done = BTreeMap::new();
        (self.since, self.in_walk) = (None, false);
    }
}

impl<S: Storage, R: Record> Engine<S, R> {
    /// Marks the losses that may be moves. `unheard`: no event told of them; `in_walk`: more may
    /// come to light.
    pub(super) fn may_be_moves(
        &mut self,
        now: Now,
        lost: &mut [Observation],
        unheard: bool,
        in_walk: bool,
    ) {
        for observation in lost {
            let Observation::Lost { files, .. } = observation else { continue };
            for file in files.iter_mut().filter(|file| !file.retired) {
                file.sought = unheard || self.moves.has_left(&file.path);
                if file.sought {
                    self.hunting.seek(now, file);
                    self.hunting.in_walk |= in_walk;
                }
            }
        }
    }

    /// What was looked for in a root says nothing of what it is now: all that is under review is looked
    /// for again.
    pub(super) fn hunt_anew(&mut self, now: Now, root: &RootName) {
        self.hunting.done.remove(root);
        self.hunting.running.remove(root);
        // The walk that was awaited may have ended with it.
        self.hunting.in_walk = false;
        let lost = self.core.candidates().values().flat_map(|candidate| &candidate.lost);
        for file in lost.filter(|file| file.sought && !file.retired) {
            self.hunting.seek(now, file);
        }
    }

    /// A root that was not believed for a while, however that came and ended, may hold anything now.
    fn hunt_where_health_changed(&mut self, now: Now) {
        let online: BTreeSet<RootName> = self.online_roots().into_iter().collect();
        let before = std::mem::replace(&mut self.hunting.online, online.clone());
        for root in before.symmetric_difference(&online) {
            self.hunt_anew(now, root);
        }
    }

    /// Begins to look, if it is time: at the end of a walk all that it brought to light, in one go.
    pub(super) fn hunt(&mut self, now: Now, walked: bool) {
        self.hunt_where_health_changed(now);
        let hunting = &mut self.hunting;
        // Also while others are looked for: what is awaited must not wait for another walk.
        hunting.in_walk &= !walked;
        hunting.running.retain(|_, running| now.awake.since(running.since) < PATIENCE);
        if hunting.sought.is_empty() || hunting.in_walk || !hunting.running.is_empty() {
            return;
        }
        (hunting.since, hunting.in_walk) = (None, false);
        let sought = Arc::new(std::mem::take(&mut hunting.sought));
        for root in self.online_roots() {
            self.hunting.last += 1;
            let number = self.hunting.last;
            let running = Running { number, since: now.awake, sought: Arc::clone(&sought) };
            self.hunting.running.insert(root.clone(), running);
            let unseen = self.roots.get(&root).map(|run| run.unseen.iter());
            let unseen = unseen.into_iter().flatten().map(|(dir, _)| dir.clone()).collect();
            self.orders.push(Order::Hunt { root, number, sought: Arc::clone(&sought), unseen });
        }
    }

    /// The roots that were not looked through for the files of a probe since they went, though they
    /// must be: an error, a time-out or a restart came between. They will be.
    pub(super) fn not_hunted(&mut self, now: Now, probe: &Probe) -> Vec<RootName> {
        let sought: Vec<&LostFile> =
            probe.lost.iter().filter(|file| file.sought && !file.retired).collect();
        let mut missing = Vec::new();
        for root in self.online_roots() {
            let done = self.hunting.done.get(&root);
            let is_done = |file: &&LostFile| done.is_some_and(|done| done.contains(&file.id));
            if !sought.iter().all(is_done) {
                missing.push(root);
            }
        }
        if !missing.is_empty() {
            sought.into_iter().for_each(|file| self.hunting.seek(now, file));
        }
        missing
    }

    /// The roots that can be believed.
    #[must_use]
    pub fn online_roots(&self) -> Vec<RootName> {
        let roots = self.core.roots().iter();
        roots
            .filter(|(_, root)| root.health == Health::Online)
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// Whether nothing is being looked for: before that, nobody is to be asked.
    #[must_use]
    pub fn has_hunted(&self, now: Now) -> bool {
        self.hunting.is_over(now.awake)
    }

    /// A root was looked through: what was found, or nothing that can be concluded from.
    ///
    /// # Errors
    /// When the store can't be read or written.
    pub fn hunted(
        &mut self,
        now: Now,
        root: &RootName,
        number: u64,
        found: Option<Vec<(FilePath, FileId)>>,
    ) -> Result<(), StoreError> {
        let hunting = &mut self.hunting;
        if hunting.running.get(root).is_none_or(|running| running.number != number) {
            return Ok(());
        }
        let running = hunting.running.remove(root);
        let Some((running, found)) = running.zip(found) else { return Ok(()) };
        // What went again meanwhile is looked for again.
        let sought = running.sought.keys().filter(|id| !hunting.sought.contains_key(id));
        hunting.done.entry(root.clone()).or_default().extend(sought.copied());
        let mut strays = Vec::new();
        for (to, id) in found {
            let lost = self.core.candidates().values().find_map(|candidate| {
                let file = candidate.lost.iter().find(|file| file.id == id)?;
                Some((candidate, file))
            });
            let Some((candidate, file)) = lost else { continue };
            let Some(place) = candidate.places.first() else { continue };
            let renamed = Observation::Renamed {
                item: candidate.item.clone(),
                place: place.clone(),
                from: file.path.clone(),
                to: to.clone(),
            };
            strays.push(Stray::new(file.path.clone(), to, id, now));
            self.core.handle_observation(now, renamed);
        }
        let Some(run) = self.roots.get(root) else { return Ok(()) };
        let kept = strays::keep(&*self.store, &strays)?;
        let records = kept.into_iter().map(|(at, record)| (at.root, at.rel, Some(record)));
        self.batch.directories.extend(records.filter(|_| !run.baseline));
        self.batch.arrivals.extend(strays.iter().map(Stray::arrival));
        self.commit(now)
    }
}
