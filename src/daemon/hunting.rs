//! Losses that may be moves to anywhere, under any name: those of which the kernel said that they were
//! moved away, and those that nobody heard of when they happened. Each root is looked through for them
//! before anyone is asked. What was plainly removed needs none of this.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::engine::{Engine, Order, Record};
use super::strays::{self, Stray};
use crate::domain::{Awake, FileId, FilePath, Health, Now, Observation, RootName};
use crate::prober::{Missing, Sought};
use crate::store::{Storage, StoreError};

/// How long probes wait for what is looked through: a disk that hangs must not hold up all others.
const PATIENCE: Duration = Duration::from_mins(2);

/// What is to be looked for, and where it is being looked for.
#[derive(Debug, Default)]
pub(super) struct Hunting {
    sought: Sought,
    /// Since when something is to be looked for.
    since: Option<Awake>,
    /// Whether it awaits the end of a walk, which may bring more to light.
    in_walk: bool,
    /// Since when each root is being looked through.
    running: BTreeMap<RootName, Awake>,
}

impl Hunting {
    fn is_over(&self, now: Awake) -> bool {
        let waits = |since: &Awake| now.since(*since) < PATIENCE;
        !self.since.as_ref().is_some_and(waits) && !self.running.values().any(waits)
    }
}

impl<S: Storage, R: Record> Engine<S, R> {
    /// Takes note of the losses that may be moves. `unheard`: no event told of them; `in_walk`: more
    /// may come to light.
    pub(super) fn may_be_moves(
        &mut self,
        now: Now,
        lost: &[Observation],
        unheard: bool,
        in_walk: bool,
    ) {
        for observation in lost {
            let Observation::Lost { files, .. } = observation else { continue };
            for file in files.iter().filter(|file| !file.retired) {
                let moved = self.moves.has_left(&file.path);
                if moved || unheard {
                    self.hunting.since.get_or_insert(now.awake);
                    let missing = Missing { looked: file.looked, moved };
                    self.hunting.sought.insert(file.id, missing);
                }
            }
        }
        self.hunting.in_walk |= in_walk && self.hunting.since.is_some();
    }

    /// What is under review in a root is looked for anew: its rules are others now.
    pub(super) fn hunt_again(&mut self, now: Now, root: &RootName) {
        let lost = self.core.candidates().values().flat_map(|candidate| &candidate.lost);
        for file in lost.filter(|file| file.path.root == *root && !file.retired) {
            let missing = Missing { looked: file.looked, moved: false };
            self.hunting.sought.insert(file.id, missing);
            self.hunting.since.get_or_insert(now.awake);
            self.hunting.in_walk = true;
        }
    }

    /// Begins to look, if it is time: at the end of a walk all that it brought to light, in one go.
    pub(super) fn hunt(&mut self, now: Now, walked: bool) {
        let hunting = &mut self.hunting;
        hunting.running.retain(|_, since| now.awake.since(*since) < PATIENCE);
        if hunting.sought.is_empty() || (hunting.in_walk && !walked) || !hunting.running.is_empty()
        {
            return;
        }
        (hunting.since, hunting.in_walk) = (None, false);
        let sought = Arc::new(std::mem::take(&mut hunting.sought));
        for root in self.online_roots() {
            self.hunting.running.insert(root.clone(), now.awake);
            self.orders.push(Order::Hunt { root, sought: Arc::clone(&sought) });
        }
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

    /// A root was looked through, as far as it could be.
    ///
    /// # Errors
    /// When the store can't be read or written.
    pub fn hunted(
        &mut self,
        now: Now,
        root: &RootName,
        found: Vec<(FilePath, FileId)>,
    ) -> Result<(), StoreError> {
        self.hunting.running.remove(root);
        let mut strays = Vec::new();
        for (to, id) in found {
            let lost = |candidate: &&crate::domain::Candidate| {
                candidate.lost.iter().any(|file| file.id == id)
            };
            let Some(candidate) = self.core.candidates().values().find(lost) else { continue };
            let Some(file) = candidate.lost.iter().find(|file| file.id == id) else { continue };
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
        let store = &*self.store;
        let kept = strays::keep(root, store, &strays, &|dir| store.directory(root, dir))?;
        let records = kept.into_iter().map(|(at, record)| (at.root, at.rel, Some(record)));
        self.batch.directories.extend(records.filter(|_| !run.baseline));
        self.batch.arrivals.extend(strays.iter().map(Stray::arrival));
        self.commit(now)
    }
}
