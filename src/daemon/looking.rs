//! Looks that the loop wants, each on a thread of its own: the disk may hang.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::probing::Runnable;
use super::run::Loop;
use super::watching::Beside;
use crate::core::Findings;
use crate::domain::{FileId, FilePath, Now, RelPath, RootName};
use crate::prober::{self, Ground, Sought};
use crate::store::StoreError;

/// What a thread brings.
#[derive(Debug)]
pub(super) enum Brought {
    /// The findings of a probe, and when they were found by the monotonic clock.
    Findings(Box<Findings>, Duration),
    /// The files that were found in a root that was looked through; `None` when it could not be.
    Strays(RootName, u64, Option<Vec<(FilePath, FileId)>>),
}

impl Loop<'_> {
    /// Looks at the disk for one item.
    pub(super) fn probe(
        &mut self,
        now: Now,
        runnable: Runnable,
        beside: &mut Beside,
    ) -> Result<(), StoreError> {
        let Runnable { probe, behind } = runnable;
        let job = self.engine.job(now, &probe)?;
        let mut grounds = beside.grounds.clone();
        for (name, ground) in &mut grounds {
            ground.dark = self.engine.why_dark(name);
            ground.retired = self.engine.is_retired(name);
        }
        let host = Arc::clone(&self.host);
        let (clock, brought) = (Arc::clone(&self.clock), beside.brought.clone());
        tokio::task::spawn_blocking(move || {
            let mut disk = prober::look_or_unknown(&job, &grounds, &host, &*clock);
            disk.behind = behind;
            let found = Box::new(Findings::of_disk(&probe, disk, clock.wall()));
            // The loop has ended: then nobody waits for it.
            drop(brought.blocking_send(Brought::Findings(found, clock.monotonic())));
        });
        Ok(())
    }

    /// Looks through a root for files that are missing.
    pub(super) fn hunt(
        &self,
        (root, number): (RootName, u64),
        sought: Arc<Sought>,
        unseen: BTreeSet<RelPath>,
        beside: &Beside,
    ) {
        let ground = beside.grounds.get(&root).cloned();
        let (host, clock) = (Arc::clone(&self.host), Arc::clone(&self.clock));
        let brought = beside.brought.clone();
        tokio::task::spawn_blocking(move || {
            let look =
                |ground: Ground| prober::hunt(&root, &ground, &sought, &unseen, &host, &*clock);
            let found = ground.and_then(look);
            drop(brought.blocking_send(Brought::Strays(root, number, found)));
        });
    }
}
