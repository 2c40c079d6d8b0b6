//! Looks that the loop wants, each on a thread of its own: the disk may hang.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::probing::Runnable;
use super::run::Loop;
use super::services::{self, Appraisal};
use super::watching::Beside;
use crate::core::{Findings, Probe};
use crate::domain::{FileId, FilePath, Instance, Listing, Now, RelPath, RootName};
use crate::prober::{self, Ground, Reply, Sought};
use crate::store::StoreError;

/// What a thread brings.
#[derive(Debug)]
pub(super) enum Brought {
    /// The findings of a probe, and when they were found by the monotonic clock.
    Findings(Box<Found>, Duration),
    /// A listing of a service, held against the disk.
    Appraised(Instance, u64, Box<(Listing, Result<Appraisal, StoreError>)>),
    /// The files that were found in a root that was looked through; `None` when it could not be.
    Strays(RootName, u64, Option<Vec<(FilePath, FileId)>>),
}

/// What was found of one item.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) probe: Probe,
    pub(super) findings: Findings,
    pub(super) replies: Vec<Reply>,
}

/// How long the services may take to answer about one item.
const ASKING: Duration = Duration::from_secs(60);

impl Loop<'_> {
    /// Asks the services about one item, then looks at the disk for it.
    pub(super) fn probe(
        &mut self,
        now: Now,
        runnable: Runnable,
        beside: &mut Beside,
    ) -> Result<(), StoreError> {
        let Runnable { probe, behind } = runnable;
        let mut job = self.engine.job(now, &probe)?;
        let questions = self.engine.questions(now, &probe);
        let mappings = self.engine.mappings();
        let mut grounds = beside.grounds.clone();
        for (name, ground) in &mut grounds {
            ground.dark = self.engine.why_dark(name);
            ground.retired = self.engine.is_retired(name);
        }
        let host = Arc::clone(&self.host);
        let (clock, brought) = (Arc::clone(&self.clock), beside.brought.clone());
        let (mut asked, mut replies) = (Vec::new(), Vec::new());
        for (instance, question) in questions {
            match beside.panel.to_ask(now.awake, &instance) {
                Ok(client) => asked.push((client, question)),
                Err(failure) => replies.push((instance, Err(failure))),
            }
        }
        tokio::spawn(async move {
            replies.extend(prober::ask(asked, ASKING).await);
            job.claims = services::claims(&replies, &mappings);
            let look = move || {
                let mut disk = prober::look_or_unknown(&job, &grounds, &host, &*clock);
                disk.behind = behind;
                let findings = Findings::of_disk(&probe, disk, clock.wall());
                let found = Box::new(Found { probe, findings, replies });
                // The loop has ended: then nobody waits for it.
                drop(brought.blocking_send(Brought::Findings(found, clock.monotonic())));
            };
            drop(tokio::task::spawn_blocking(look));
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
