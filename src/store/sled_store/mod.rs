//! The store on sled 0.34.7.
//!
//! # Stored form, schema 2
//! ```text
//! meta           schema, awake, heartbeat, next_candidate, next_line, next_title, titles_lost,
//!                generation: JSON
//! inventory      root \0 directory       -> inventory::encode
//! lay            root \0 directory       -> inventory::Lay: JSON
//! title_records  number                  -> root \0 folder \0 loose item: JSON
//! title_keys     key without kind \0 number
//! arrivals       fs inode root \0 path   -> JSON
//! roots          name                    -> core::RootState: JSON
//! items          key                     -> core::ItemState: JSON
//! candidates     number                  -> domain::Candidate: JSON
//! entries        deletion id             -> domain::Entry: JSON
//! history        subject \0 time counter -> domain::Decision: JSON
//! services       instance                -> catalog::Known: JSON
//! listed         instance \0 id          -> domain::Listed: JSON
//! past           instance \0 id          -> catalog::Remembered: JSON
//! quarantine     table \0 key            -> what could not be read
//! ```
//! Schema 1 kept a title under each of its keys, in `titles`, which took twice the room. That table
//! is dropped, and the titles are made anew from the inventory, as after damage. Its arrivals had the
//! wall clock's time.
//!
//! # Writing
//! A batch is one transaction over all tables. `flush` of sled 0.34 survives a kill of the process;
//! for a power cut its file is synced as well. After an error of the disk sled refuses everything
//! until the store is closed and opened again.
//!
//! # Recovery
//! A record that can't be read is moved to quarantine and counts as not there. A directory whose
//! record is lost that way is learned anew without conclusions: nothing false can come of it, but a
//! loss that happened in it since its last listing is missed.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;

mod batch;
mod storage;
mod titles;

use super::engine::{Engine, StartError, Table, Write};
use super::error::StoreError;
use super::{Arrival, Batch, Durability, Loaded, Storage, keys};
use crate::core::{ItemState, RootState};
use crate::domain::{
    Awake, Candidate, CandidateId, Decision, DeletionId, Entry, EntryState, FileId, FilePath,
    Instance, Item, ItemKey, Listed, ProbeId, RelPath, RootName, Timestamp,
};
use crate::inventory::{Directory, Inventory, InventoryError, Lay, count_files, decode, encode};

/// The schema that this version writes.
pub(super) const SCHEMA: u64 = 2;
const SCHEMA_KEY: &str = "schema";
const AWAKE: &str = "awake";
const HEARTBEAT: &str = "heartbeat";
const NEXT_CANDIDATE: &str = "next_candidate";
const NEXT_LINE: &str = "next_line";
const NEXT_TITLE: &str = "next_title";
/// Whether titles have to be made anew from the inventory.
const TITLES_LOST: &str = "titles_lost";
/// The table of titles of schema 1.
const TITLES_1: &str = "titles";
const GENERATION: &str = "generation";

/// The store; see the module's documentation.
#[derive(Debug)]
pub struct Store {
    engine: Engine,
    /// Held while a batch is written.
    next: Mutex<Next>,
    titles_lost: AtomicBool,
    /// Goes up with each batch that is synced, here and in a file beside the store.
    generation: AtomicU64,
    quarantined: AtomicUsize,
    /// How many records of each table were put aside since it was last asked.
    damage: Mutex<BTreeMap<Table, usize>>,
    /// Held as long as the store is.
    _lock: Option<File>,
}

/// The first numbers that nothing has.
#[derive(Debug, Default)]
struct Next {
    /// Of the lines of a story.
    line: u64,
    title: u64,
}

type Result<T> = std::result::Result<T, StoreError>;

impl Store {
    /// Opens or makes the store in a directory that nobody else has, and reads all of it once.
    pub(super) fn start(path: &Path) -> std::result::Result<Self, StartError> {
        Ok(Self {
            engine: Engine::start(path)?,
            next: Mutex::default(),
            titles_lost: AtomicBool::new(false),
            generation: AtomicU64::new(0),
            quarantined: AtomicUsize::new(0),
            damage: Mutex::default(),
            _lock: None,
        })
    }

    /// Makes it ready for use, under the lock of the state directory.
    pub(super) fn ready(mut self, lock: File) -> Result<Self> {
        let next = Next {
            line: self.meta_value(NEXT_LINE)?.unwrap_or_default(),
            title: self.meta_value(NEXT_TITLE)?.unwrap_or_default(),
        };
        self.next = Mutex::new(next);
        self.read_titles()?;
        self._lock = Some(lock);
        Ok(self)
    }

    /// The schema of what is stored; `None` where nothing is, or nothing that can be read.
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
        self.engine.path().with_extension("mark")
    }

    /// Marks a new store as one of this version.
    pub(super) fn initialise(&self) -> Result<()> {
        self.engine.write(&[(Table::Meta, SCHEMA_KEY.into(), Some(json(&SCHEMA)))])?;
        self.flush(Durability::Synced)
    }

    /// Brings a store of an earlier version to this one. A crash in between is made good by doing
    /// it again.
    pub(super) fn migrate(&self, found: u64) -> Result<()> {
        if found < 2 {
            self.engine.drop_table(TITLES_1)?;
            let mut writes = self.arrivals_as_of_now()?;
            writes.push((Table::Meta, TITLES_LOST.into(), Some(json(&true))));
            writes.push((Table::Meta, SCHEMA_KEY.into(), Some(json(&SCHEMA))));
            self.engine.write(&writes)?;
            self.flush(Durability::Synced)?;
        }
        Ok(())
    }

    /// Schema 1 dated arrivals by the wall clock. When they came in awake time nobody knows: they
    /// are kept a while longer.
    fn arrivals_as_of_now(&self) -> Result<Vec<Write>> {
        let awake = serde_json::json!(self.meta_value::<Awake>(AWAKE)?.unwrap_or_default());
        let mut writes = Vec::new();
        self.each(Table::Arrivals, &[], |key, mut arrival: serde_json::Value| {
            if let Some(fields) = arrival.as_object_mut() {
                fields.remove("at");
                fields.insert("awake".to_owned(), awake.clone());
            }
            writes.push((Table::Arrivals, key.to_vec(), Some(json(&arrival))));
        })?;
        Ok(writes)
    }

    /// How many records could not be read so far.
    #[must_use]
    pub fn quarantined(&self) -> usize {
        self.quarantined.load(Ordering::Relaxed)
    }

    fn flush(&self, durability: Durability) -> Result<()> {
        match durability {
            Durability::Soon => Ok(()),
            Durability::Flushed => self.engine.flush(),
            Durability::Synced => {
                self.engine.sync()?;
                // Written after what it speaks of, so it never promises too much.
                let generation = self.generation.load(Ordering::Relaxed).to_string();
                let new = self.engine.path().with_extension("mark.new");
                fs::write(&new, generation)
                    .and_then(|()| fs::rename(&new, self.mark()))
                    .map_err(|source| self.engine.error("synced", source))
            }
        }
    }

    fn meta_value<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        self.record(Table::Meta, key.as_bytes())
    }

    fn record<T: DeserializeOwned>(&self, table: Table, key: &[u8]) -> Result<Option<T>> {
        let value = self.engine.get(table, key)?;
        Ok(value.and_then(|bytes| self.read(table, key, &bytes)))
    }

    /// Reads a record; one that can't be read goes into quarantine.
    fn read<T: DeserializeOwned>(&self, table: Table, key: &[u8], bytes: &[u8]) -> Option<T> {
        serde_json::from_slice(bytes).map_err(|_| self.isolate(table, key, bytes)).ok()
    }

    fn isolate(&self, table: Table, key: &[u8], bytes: &[u8]) {
        self.quarantined.fetch_add(1, Ordering::Relaxed);
        *self.damage.lock().unwrap_or_else(PoisonError::into_inner).entry(table).or_default() += 1;
        let place = [table.name().as_bytes(), &[0], key].concat();
        if matches!(table, Table::Titles | Table::TitleKeys) {
            self.lose_titles();
        }
        // If that fails it stays where it is and is found again later.
        drop(self.engine.write(&[
            (Table::Quarantine, place, Some(bytes.to_vec())),
            (table, key.to_vec(), None),
        ]));
    }

    fn all<T: DeserializeOwned>(&self, table: Table, prefix: &[u8]) -> Result<Vec<T>> {
        let mut found = Vec::new();
        self.each(table, prefix, |_, record| found.push(record))?;
        Ok(found)
    }

    fn each<T: DeserializeOwned>(
        &self,
        table: Table,
        prefix: &[u8],
        mut each: impl FnMut(&[u8], T),
    ) -> Result<()> {
        self.engine.scan(table, prefix, |key, value| {
            if let Some(record) = self.read(table, key, value) {
                each(key, record);
            }
            ControlFlow::Continue(())
        })
    }
}

/// Our own records can't fail to be written as JSON; if one did, it would be found as damaged.
fn json<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}
