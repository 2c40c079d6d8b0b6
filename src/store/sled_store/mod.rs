//! The store on sled 0.34.7.
//!
//! # Stored form, schema 1
//! ```text
//! meta        schema, awake, heartbeat, next_candidate: JSON
//! inventory   root \0 directory          -> inventory::encode
//! titles      key \0 root \0 folder \0 l -> item: JSON
//! arrivals    fs inode root \0 path      -> JSON
//! roots       name                       -> core::RootState: JSON
//! items       key                        -> core::ItemState: JSON
//! candidates  number                     -> domain::Candidate: JSON
//! entries     deletion id                -> domain::Entry: JSON
//! history     subject \0 time counter    -> domain::Decision: JSON
//! quarantine  tree \0 key                -> what could not be read
//! ```
//! # Writing
//! A batch is one transaction over all trees. `flush` of sled 0.34 survives a kill of the process;
//! for a power cut its file is synced as well.

use std::fs::{self, File};
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use serde::Serialize;
use serde::de::DeserializeOwned;
use sled::Transactional;
use sled::transaction::{ConflictableTransactionError, TransactionError};

mod batch;
mod storage;

use super::error::StoreError;
use super::{Arrival, Batch, Durability, Loaded, Storage, keys};
use crate::core::{ItemState, RootState};
use crate::domain::{
    Candidate, CandidateId, Decision, DeletionId, Entry, EntryState, FileId, FilePath, Item,
    ItemKey, Place, ProbeId, RelPath, RootName, Timestamp,
};
use crate::inventory::{Directory, Inventory, InventoryError, count_files, decode, encode};

/// The schema that this version writes.
pub(super) const SCHEMA: u64 = 1;
const SCHEMA_KEY: &str = "schema";
const AWAKE: &str = "awake";
const HEARTBEAT: &str = "heartbeat";
const NEXT_CANDIDATE: &str = "next_candidate";
const GENERATION: &str = "generation";
/// Of sled's page cache; its memory is several times that. With 100,000 directories 32 MiB took 255
/// MiB resident and was slower than this, which took 115.
const CACHE_BYTES: u64 = 4 * 1_024 * 1_024;

/// The store; see the module's documentation.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    db: sled::Db,
    meta: sled::Tree,
    inventory: sled::Tree,
    titles: sled::Tree,
    arrivals: sled::Tree,
    roots: sled::Tree,
    items: sled::Tree,
    candidates: sled::Tree,
    entries: sled::Tree,
    history: sled::Tree,
    quarantine: sled::Tree,
    counter: AtomicU64,
    /// Goes up with each batch that is synced, here and in a file beside the store.
    generation: AtomicU64,
    quarantined: AtomicUsize,
    /// Held as long as the store is.
    _lock: Option<File>,
}

type Result<T> = std::result::Result<T, StoreError>;

impl Store {
    /// Opens or makes the store in a directory that nobody else has.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let fail = failure(path, "opened");
        let db = sled::Config::new()
            .path(path)
            .cache_capacity(CACHE_BYTES)
            .mode(sled::Mode::LowSpace)
            .open()
            .map_err(&fail)?;
        let tree = |name: &str| db.open_tree(name).map_err(&fail);
        Ok(Self {
            path: path.to_path_buf(),
            meta: tree("meta")?,
            inventory: tree("inventory")?,
            titles: tree("titles")?,
            arrivals: tree("arrivals")?,
            roots: tree("roots")?,
            items: tree("items")?,
            candidates: tree("candidates")?,
            entries: tree("entries")?,
            history: tree("history")?,
            quarantine: tree("quarantine")?,
            counter: AtomicU64::new(0),
            generation: AtomicU64::new(0),
            quarantined: AtomicUsize::new(0),
            db,
            _lock: None,
        })
    }

    /// Keeps the lock of the state directory.
    pub(super) fn keep(mut self, lock: File) -> Self {
        self._lock = Some(lock);
        self
    }

    /// The schema of what is stored; `None` in a new store.
    pub(super) fn schema(&self) -> Result<Option<u64>> {
        self.meta_value(SCHEMA_KEY)
    }

    /// Whether the file beside the store knows of a later batch than the store itself: then the
    /// store has lost its end, which sled does not tell.
    pub(super) fn is_rolled_back(&self) -> Result<bool> {
        let ours: u64 = self.meta_value(GENERATION)?.unwrap_or_default();
        let text = fs::read_to_string(self.mark()).unwrap_or_default();
        let marked: u64 = text.trim().parse().unwrap_or_default();
        self.generation.store(ours.max(marked), Ordering::Relaxed);
        Ok(ours < marked)
    }

    fn mark(&self) -> PathBuf {
        self.path.with_extension("mark")
    }

    /// Marks a new store as one of this version.
    pub(super) fn initialise(&self) -> Result<()> {
        let value = json(&SCHEMA);
        self.meta.insert(SCHEMA_KEY, value).map_err(self.failing("written"))?;
        self.flush(Durability::Synced)
    }

    /// Reads every record, so that damage is found now and not in the middle of the work.
    pub(super) fn verify(&self) -> Result<()> {
        for tree in self.trees() {
            for record in tree {
                record.map_err(self.failing("read"))?;
            }
        }
        Ok(())
    }

    /// How many records could not be read so far.
    #[must_use]
    pub fn quarantined(&self) -> usize {
        self.quarantined.load(Ordering::Relaxed)
    }

    fn trees(&self) -> [&sled::Tree; 9] {
        [
            &self.meta,
            &self.inventory,
            &self.titles,
            &self.arrivals,
            &self.roots,
            &self.items,
            &self.candidates,
            &self.entries,
            &self.history,
        ]
    }

    fn flush(&self, durability: Durability) -> Result<()> {
        if durability == Durability::Soon {
            return Ok(());
        }
        self.db.flush().map_err(self.failing("flushed"))?;
        if durability == Durability::Synced {
            // sled leaves the bytes with the kernel (`sync_file_range`).
            let fail = |source: io::Error| StoreError::Sled {
                path: self.path.clone(),
                doing: "synced",
                source: source.into(),
            };
            File::open(self.path.join("db")).and_then(|file| file.sync_data()).map_err(fail)?;
            // Written after what it speaks of, so it never promises too much.
            let generation = self.generation.load(Ordering::Relaxed).to_string();
            let new = self.path.with_extension("mark.new");
            fs::write(&new, generation)
                .and_then(|()| fs::rename(&new, self.mark()))
                .map_err(fail)?;
        }
        Ok(())
    }

    fn failing(&self, doing: &'static str) -> impl Fn(sled::Error) -> StoreError + '_ {
        failure(&self.path, doing)
    }

    fn meta_value<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        let value = self.meta.get(key).map_err(self.failing("read"))?;
        Ok(value.and_then(|bytes| self.read(&self.meta, key.as_bytes(), &bytes)))
    }

    /// Reads a record; one that can't be read goes into quarantine.
    fn read<T: DeserializeOwned>(&self, tree: &sled::Tree, key: &[u8], bytes: &[u8]) -> Option<T> {
        serde_json::from_slice(bytes).map_err(|_| self.isolate(tree, key, bytes)).ok()
    }

    fn isolate(&self, tree: &sled::Tree, key: &[u8], bytes: &[u8]) {
        self.quarantined.fetch_add(1, Ordering::Relaxed);
        let mut place = tree.name().to_vec();
        place.push(0);
        place.extend_from_slice(key);
        // Only taken away once it is kept elsewhere; if that fails it is found again later.
        if self.quarantine.insert(place, bytes).is_ok() {
            drop(tree.remove(key));
        }
    }

    fn all<T: DeserializeOwned>(&self, tree: &sled::Tree, prefix: &[u8]) -> Result<Vec<T>> {
        let mut found = Vec::new();
        for record in tree.scan_prefix(prefix) {
            let (key, value) = record.map_err(self.failing("read"))?;
            found.extend(self.read(tree, &key, &value));
        }
        Ok(found)
    }
}

/// Our own records can't fail to be written as JSON; if one did, it would be found as damaged.
fn json<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

fn failure(path: &Path, doing: &'static str) -> impl Fn(sled::Error) -> StoreError + 'static {
    let path = path.to_path_buf();
    move |source| StoreError::Sled { path: path.clone(), doing, source: source.into() }
}
