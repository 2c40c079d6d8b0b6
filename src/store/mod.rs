//! Makes one decision durable in one transaction and says so only after the flush.
//!
//! # Constraints
//! * Nothing outside is told what is not flushed here: write, flush, then act.
//! * Nothing is lost by a crash between any two steps, nor by a damaged store: what can't be rebuilt
//!   from the disk is in the ledger file as well, and the ledger wins.
//! * sled is known to this room only.
//!
//! # Design
//! [`Storage`] is what the daemon needs; [`Store`] does it with sled, [`Memory`] for simulations,
//! where a crash is "drop what was not flushed". [`Ledger`] is the append-only file beside it.

mod engine;
mod error;
mod guard;
mod keys;
mod ledger;
mod memory;
mod open;
mod reconcile;
mod search;
mod sled_store;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use error::{Healed, LedgerError, OpenError, StoreError};
pub use ledger::{Event, Ledger, Line};
pub use memory::Memory;
pub use open::{Opened, open};
pub use sled_store::Store;

use std::cmp::Ordering;

use crate::catalog::{Known, Remembered, TitleAt};
use crate::core::{Changes, Saved};
use crate::domain::{
    Awake, Decision, Deletion, DeletionId, Entry, FileId, FilePath, Instance, Item, ItemKey,
    Listed, RelPath, RootName, Timestamp,
};
use crate::inventory::{Directory, Inventory, Lay};

/// A name that appeared in a directory that was known before: the other half of a possible move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// What appeared.
    pub id: FileId,
    /// Where.
    pub path: FilePath,
    /// When it was first listed, in time that nobody can set.
    pub at: Awake,
    /// Where the kernel said that it was moved from.
    pub moved_from: Option<FilePath>,
    /// When the inode came into being, if that could be told then.
    pub born: Option<Timestamp>,
}

/// Everything that one event changes; stored whole or not at all.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// Directory records; `None` removes one.
    pub directories: Vec<(RootName, RelPath, Option<Directory>)>,
    /// On which branches the files of directories lie, after those.
    pub lays: Vec<(RootName, RelPath, Lay)>,
    /// Roots whose whole inventory, titles and arrivals are dropped first.
    pub dropped_roots: Vec<RootName>,
    /// Titles found at places.
    pub titles: Vec<TitleAt>,
    /// Titles that are no longer at a place; with one goes what shares a key with it there. They go
    /// before others come.
    pub gone_titles: Vec<TitleAt>,
    /// Names that appeared.
    pub arrivals: Vec<Arrival>,
    /// What is known of instances of services; `None` forgets one, with all that it listed.
    pub services: Vec<(Instance, Option<Known>)>,
    /// What instances list, each by its id there; `None` for what they list no more.
    pub listed: Vec<(Instance, String, Option<Listed>)>,
    /// What instances listed once and do no more; `None` forgets it.
    pub past: Vec<(Instance, String, Option<Remembered>)>,
    /// What the core decided.
    pub changes: Changes,
    /// Entries whose state changed.
    pub entries: Vec<Entry>,
    /// Awake time so far.
    pub awake: Option<Awake>,
    /// A sign of life.
    pub heartbeat: Option<Timestamp>,
}

/// How durable a batch must be before the call returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Written soon: what a new look at the disk would bring again.
    Soon,
    /// Survives a kill of the process.
    Flushed,
    /// Survives a power cut.
    Synced,
}

/// What a store held when it was opened.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// The core's state.
    pub saved: Saved,
    /// Awake time so far.
    pub awake: Awake,
    /// The last sign of life; `None` in a new store.
    pub heartbeat: Option<Timestamp>,
    /// Entries that no tracker has yet.
    pub queued: Vec<Entry>,
    /// What a person has retired since the last sign of life: what was retired, and when.
    pub retired: Vec<(String, Timestamp)>,
}

/// What the daemon needs of a store.
pub trait Storage: Inventory {
    /// Everything that is needed to go on.
    ///
    /// # Errors
    /// When the store can't be read.
    fn load(&self) -> Result<Loaded, StoreError>;

    /// Stores a batch in one transaction.
    ///
    /// # Errors
    /// When it is not as durable as asked; then nothing may be done that relies on it.
    fn commit(&self, batch: &Batch, durability: Durability) -> Result<(), StoreError>;

    /// How many directories and media files are known of a root.
    ///
    /// # Errors
    /// When the store can't be read.
    fn count(&self, root: &RootName) -> Result<(u64, u64), StoreError>;

    /// Where titles of any of these keys were found.
    ///
    /// # Errors
    /// When the store can't be read.
    fn titles(&self, keys: &[ItemKey]) -> Result<Vec<TitleAt>, StoreError>;

    /// Whether which titles lie where has to be made anew from the inventory: after damage, and once
    /// after an update. Until then nobody is told.
    ///
    /// # Errors
    /// When the store can't be read.
    fn titles_lost(&self) -> Result<bool, StoreError>;

    /// Replaces all that is known of where titles lie.
    ///
    /// # Errors
    /// When the store can't be written.
    fn replace_titles(&self, titles: &[TitleAt]) -> Result<(), StoreError>;

    /// Names that appeared with this inode.
    ///
    /// # Errors
    /// When the store can't be read.
    fn arrivals(&self, id: FileId) -> Result<Vec<Arrival>, StoreError>;

    /// Forgets arrivals before `arrivals_before` and history before `history_before`.
    ///
    /// # Errors
    /// When the store can't be written.
    fn prune(&self, arrivals_before: Awake, history_before: Timestamp) -> Result<(), StoreError>;

    /// Entries, newest first.
    ///
    /// # Errors
    /// When the store can't be read.
    fn entries(&self) -> Result<Vec<Entry>, StoreError>;

    /// One entry.
    ///
    /// # Errors
    /// When the store can't be read.
    fn entry(&self, id: &DeletionId) -> Result<Option<Entry>, StoreError>;

    /// The story of an item, or of a root (`root:NAME`), oldest first.
    ///
    /// # Errors
    /// When the store can't be read.
    fn history(&self, subject: &str) -> Result<Vec<Decision>, StoreError>;

    /// What is known of each instance of a service, and what it listed when it was last believed.
    ///
    /// # Errors
    /// When the store can't be read.
    fn services(&self) -> Result<Vec<(Instance, Known, Vec<Listed>)>, StoreError>;

    /// What instances listed once and do no more, oldest first.
    ///
    /// # Errors
    /// When the store can't be read.
    fn past(&self) -> Result<Vec<Remembered>, StoreError>;

    /// What was found damaged since the last call, and what comes of it, in words.
    fn take_damage(&self) -> Vec<String> {
        Vec::new()
    }

    /// Items that have a history or lie somewhere, whose key or title contains `text` without
    /// regard to case; at most `limit`.
    ///
    /// # Errors
    /// When the store can't be read.
    fn search(&self, text: &str, limit: usize) -> Result<Vec<Item>, StoreError>;
}

/// The order in which deletions are shown.
fn newer_first(a: &Deletion, b: &Deletion) -> Ordering {
    let by_life = || b.life.cmp(&a.life);
    b.confirmed_at.cmp(&a.confirmed_at).then_with(by_life).then_with(|| a.id.cmp(&b.id))
}
