//! Losses that nobody heard of when they happened: while the daemon was stopped, or events were lost.
//! The kernel told of no move, so each root is looked through for what is missing before anyone is
//! asked.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::engine::{Engine, Order, Record};
use super::strays::{self, Stray};
use crate::domain::{Awake, FileId, FilePath, Now, Observation, RootName};
use crate::prober::Sought;
use crate::store::{Storage, StoreError};

/// How long probes wait for what is looked through: a disk that hangs must not hold up all others.
const PATIENCE: Duration = Duration::from_mins(2);

/// What is to be looked for, and where it is being looked for.
#[derive(Debug, Default)]
pub(super) struct Hunting {
    sought: Sought,
    /// Since when something is to be looked for.
    since: Option<Awake>,
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
    /// Takes note of losses that came to light in a walk.
    pub(super) fn unheard(&mut self, now: Now, observations: &[Observation]) {
        for observation in observations {
            let Observation::Lost { files, .. } = observation else { continue };
            for file in files.iter().filter(|file| !file.retired) {
                self.hunting.since.get_or_insert(now.awake);
                self.hunting.sought.insert(file.id, file.looked);
            }
        }
    }

    /// A walk is over: all that it brought to light is looked for, in one go.
    pub(super) fn hunt(&mut self, now: Now) {
        if self.hunting.sought.is_empty() {
            return;
        }
        self.hunting.since = None;
        let sought = Arc::new(std::mem::take(&mut self.hunting.sought));
        for root in self.online_roots() {
            self.hunting.running.insert(root.clone(), now.awake);
            self.orders.push(Order::Hunt { root, sought: Arc::clone(&sought) });
        }
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
