//! What goes into the engine from a watcher, and what it wants done.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::narrator::Line;
use crate::core::Probe;
use crate::domain::{Decision, Identity, Instance, RelPath, RootName};
use crate::inventory::{Lay, Listing};
use crate::prober::Sought;
use crate::sensors::watcher::Walk;

/// What the shell is to do now; all that it rests on is durable.
#[derive(Debug)]
pub enum Order {
    /// Look afresh.
    Probe(Probe),
    /// Tell the watcher that its report was taken over.
    Applied {
        /// The root.
        root: RootName,
        /// The number of the report.
        seq: u64,
    },
    /// Walk the root again: a report was not believed.
    Rescan(RootName),
    /// Look through a root for files that are missing.
    Hunt {
        /// The root.
        root: RootName,
        /// The number of the look.
        number: u64,
        /// The files.
        sought: Arc<Sought>,
        /// The directories that are known not to be listed.
        unseen: BTreeSet<RelPath>,
    },
    /// List a service: what it listed last is too old.
    Sweep(Instance),
    /// Ask a service to look again at one title, by its id there: the disk refutes what it claims.
    Refresh(Instance, String),
    /// Write it to the journal.
    Tell(Decision),
    /// Write this to the journal.
    Say(Line),
}

/// A report of listings by the watcher.
#[derive(Debug)]
pub struct Listed {
    /// The root.
    pub root: RootName,
    /// The number of the report.
    pub seq: u64,
    /// What the root was, before and after.
    pub identity: Identity,
    /// The listings.
    pub listings: Vec<Listing>,
    /// On which branches of a pool the files of directories lie.
    pub lays: Vec<(RelPath, Lay)>,
    /// The walk that they belong to, if any.
    pub walk: Option<Walk>,
}
