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

use std::fs::File;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use serde::Serialize;
use serde::de::DeserializeOwned;
use sled::Transactional;
use sled::transaction::{ConflictableTransactionError, TransactionError};

use super::error::StoreError;
use super::{Arrival, Batch, Durability, Loaded, Storage, keys};
use crate::catalog::TitleAt;
use crate::core::{ItemState, RootState};
use crate::domain::{
    Candidate, CandidateId, Decision, DeletionId, Entry, EntryState, FileId, FilePath, Item,
    ItemKey, Place, ProbeId, RelPath, RootName, Timestamp,
};
use crate::inventory::{Directory, Inventory, InventoryError, decode, encode};

/// The schema that this version writes.
pub(super) const SCHEMA: u64 = 1;
const SCHEMA_KEY: &str = "schema";
const AWAKE: &str = "awake";
const HEARTBEAT: &str = "heartbeat";
const NEXT_CANDIDATE: &str = "next_candidate";
/// Of sled's page cache; its memory is more than that.
const CACHE_BYTES: u64 = 32 * 1_024 * 1_024;

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
            let synced = File::open(self.path.join("db")).and_then(|file| file.sync_data());
            synced.map_err(|source| StoreError::Sled {
                path: self.path.clone(),
                doing: "synced",
                source: source.into(),
            })?;
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

    /// Everything of a root that is to be forgotten, added to the batches of its trees.
    fn drop_root(
        &self,
        root: &RootName,
        inventory: &mut sled::Batch,
        titles: &mut sled::Batch,
    ) -> Result<()> {
        for key in self.inventory.scan_prefix(keys::root(root)).keys() {
            inventory.remove(key.map_err(self.failing("read"))?);
        }
        let mark = [&[0][..], &keys::root(root)].concat();
        for key in self.titles.iter().keys() {
            let key = key.map_err(self.failing("read"))?;
            let first = key.iter().position(|byte| *byte == 0);
            if first.is_some_and(|at| key[at..].starts_with(&mark)) {
                titles.remove(key);
            }
        }
        Ok(())
    }
}

/// The batches of one transaction, a tree each.
#[derive(Default)]
struct Batches {
    meta: sled::Batch,
    inventory: sled::Batch,
    titles: sled::Batch,
    arrivals: sled::Batch,
    roots: sled::Batch,
    items: sled::Batch,
    candidates: sled::Batch,
    entries: sled::Batch,
    history: sled::Batch,
}

impl Store {
    fn batches(&self, batch: &Batch) -> Result<Batches> {
        let mut out = Batches::default();
        for root in &batch.dropped_roots {
            self.drop_root(root, &mut out.inventory, &mut out.titles)?;
        }
        for (root, dir, record) in &batch.directories {
            put(&mut out.inventory, keys::directory(root, dir), record.as_ref().map(encode));
        }
        for at in &batch.gone_titles {
            at.item.match_keys().iter().for_each(|key| out.titles.remove(keys::title_at(key, at)));
        }
        for at in &batch.titles {
            for key in at.item.match_keys() {
                out.titles.insert(keys::title_at(&key, at), json(&StoredTitle::of(at)));
            }
        }
        for arrival in &batch.arrivals {
            let key = keys::arrival(arrival.id, &arrival.path);
            out.arrivals.insert(key, json(&StoredArrival::of(arrival)));
        }
        let changes = &batch.changes;
        for (name, state) in &changes.roots {
            put(&mut out.roots, name.as_str().into(), state.as_ref().map(json));
        }
        for (key, state) in &changes.items {
            put(&mut out.items, key.as_str().into(), state.as_ref().map(json));
        }
        for (id, candidate) in &changes.candidates {
            put(&mut out.candidates, id.0.to_be_bytes().into(), candidate.as_ref().map(json));
        }
        for deletion in &changes.deletions {
            let key = deletion.id.as_str();
            // One deletion a life: what is there already stays as it is.
            if self.entries.get(key).map_err(self.failing("read"))?.is_none() {
                let entry = Entry {
                    deletion: deletion.clone(),
                    state: EntryState::Queued,
                    forwarded_at: None,
                };
                out.entries.insert(key, json(&entry));
            }
        }
        for entry in &batch.entries {
            out.entries.insert(entry.deletion.id.as_str(), json(entry));
        }
        for decision in &changes.decisions {
            let counter = self.counter.fetch_add(1, Ordering::Relaxed);
            out.history.insert(keys::decision(decision, counter), json(decision));
        }
        if changes.next_candidate > CandidateId::default() {
            out.meta.insert(NEXT_CANDIDATE, json(&changes.next_candidate));
        }
        if let Some(awake) = batch.awake {
            out.meta.insert(AWAKE, json(&awake));
        }
        if let Some(heartbeat) = batch.heartbeat {
            out.meta.insert(HEARTBEAT, json(&heartbeat));
        }
        Ok(out)
    }
}

impl Storage for Store {
    fn load(&self) -> Result<Loaded> {
        let mut loaded = Loaded::default();
        for record in &self.roots {
            let (key, value) = record.map_err(self.failing("read"))?;
            let name = std::str::from_utf8(&key).ok().and_then(|name| RootName::parse(name).ok());
            let state: Option<RootState> = self.read(&self.roots, &key, &value);
            loaded.saved.roots.extend(name.zip(state));
        }
        loaded.saved.items = self.all::<ItemState>(&self.items, &[])?;
        loaded.saved.candidates = self.all::<Candidate>(&self.candidates, &[])?;
        loaded.saved.next_candidate = self.meta_value(NEXT_CANDIDATE)?.unwrap_or_default();
        // Probes end with the process: their numbers may begin anew.
        loaded.saved.next_probe = ProbeId::default();
        loaded.awake = self.meta_value(AWAKE)?.unwrap_or_default();
        loaded.heartbeat = self.meta_value(HEARTBEAT)?;
        loaded.queued = self.all::<Entry>(&self.entries, &[])?;
        loaded.queued.retain(|entry| entry.state == EntryState::Queued);
        loaded.queued.sort_by_key(|entry| entry.deletion.confirmed_at);
        Ok(loaded)
    }

    fn commit(&self, batch: &Batch, durability: Durability) -> Result<()> {
        let all = self.batches(batch)?;
        let trees = self.trees();
        let batches = [
            &all.meta,
            &all.inventory,
            &all.titles,
            &all.arrivals,
            &all.roots,
            &all.items,
            &all.candidates,
            &all.entries,
            &all.history,
        ];
        let written = trees[..].transaction(|trees| {
            for (tree, batch) in trees.iter().zip(batches) {
                tree.apply_batch(batch)?;
            }
            Ok::<(), ConflictableTransactionError<()>>(())
        });
        match written {
            Ok(()) => self.flush(durability),
            Err(TransactionError::Storage(error)) => Err(self.failing("written")(error)),
            Err(TransactionError::Abort(())) => Ok(()),
        }
    }

    fn titles(&self, keys: &[ItemKey]) -> Result<Vec<TitleAt>> {
        let mut found: Vec<TitleAt> = Vec::new();
        for key in keys {
            for title in self.all::<StoredTitle>(&self.titles, &keys::title(key))? {
                let title = TitleAt { item: title.item, place: title.place };
                if !found.contains(&title) {
                    found.push(title);
                }
            }
        }
        Ok(found)
    }

    fn arrivals(&self, id: FileId) -> Result<Vec<Arrival>> {
        let stored = self.all::<StoredArrival>(&self.arrivals, &keys::arrivals(id))?;
        Ok(stored.into_iter().map(|arrival| arrival.with(id)).collect())
    }

    fn prune(&self, arrivals_before: Timestamp, history_before: Timestamp) -> Result<()> {
        let mut old = sled::Batch::default();
        for record in &self.arrivals {
            let (key, value) = record.map_err(self.failing("read"))?;
            let arrival: Option<StoredArrival> = self.read(&self.arrivals, &key, &value);
            if arrival.is_some_and(|arrival| arrival.at < arrivals_before) {
                old.remove(key);
            }
        }
        self.arrivals.apply_batch(old).map_err(self.failing("written"))?;
        let mut old = sled::Batch::default();
        for key in self.history.iter().keys() {
            let key = key.map_err(self.failing("read"))?;
            if keys::decided_at(&key).is_some_and(|at| at < history_before) {
                old.remove(key);
            }
        }
        self.history.apply_batch(old).map_err(self.failing("written"))
    }

    fn entries(&self) -> Result<Vec<Entry>> {
        let mut entries = self.all::<Entry>(&self.entries, &[])?;
        entries.sort_by(|a, b| {
            let order = b.deletion.confirmed_at.cmp(&a.deletion.confirmed_at);
            order.then_with(|| b.deletion.life.cmp(&a.deletion.life))
        });
        Ok(entries)
    }

    fn entry(&self, id: &DeletionId) -> Result<Option<Entry>> {
        let key = id.as_str().as_bytes();
        let value = self.entries.get(key).map_err(self.failing("read"))?;
        Ok(value.and_then(|bytes| self.read(&self.entries, key, &bytes)))
    }

    fn history(&self, subject: &str) -> Result<Vec<Decision>> {
        self.all(&self.history, &keys::history(subject))
    }

    fn search(&self, text: &str, limit: usize) -> Result<Vec<Item>> {
        let mut search = super::search::Search::new(text, limit);
        for record in &self.titles {
            let (key, value) = record.map_err(self.failing("read"))?;
            if let Some(title) = self.read::<StoredTitle>(&self.titles, &key, &value) {
                search.offer(title.item);
            }
        }
        for state in self.all::<ItemState>(&self.items, &[])? {
            search.offer(state.item);
        }
        // Each subject of the history once: its first line, then on behind all its others.
        let mut from = Vec::new();
        while let Some(record) = self.history.range(from.clone()..).next() {
            let (key, value) = record.map_err(self.failing("read"))?;
            let end = key.iter().position(|byte| *byte == 0).unwrap_or(key.len());
            from = [&key[..end], &[1]].concat();
            let line: Option<Decision> = self.read(&self.history, &key, &value);
            if let Some(crate::domain::Subject::Item(item)) = line.map(|line| line.subject) {
                search.offer(item);
            }
        }
        Ok(search.found())
    }
}

impl Inventory for Store {
    fn directory(
        &self,
        root: &RootName,
        dir: &RelPath,
    ) -> std::result::Result<Option<Directory>, InventoryError> {
        let key = keys::directory(root, dir);
        let value = self.inventory.get(&key).map_err(|error| unreadable(root, dir, error))?;
        Ok(value.and_then(|bytes| {
            decode(&bytes).map_err(|_| self.isolate(&self.inventory, &key, &bytes)).ok()
        }))
    }

    fn within(
        &self,
        root: &RootName,
        dir: &RelPath,
        each: &mut dyn FnMut(RelPath, Directory) -> ControlFlow<()>,
    ) -> std::result::Result<(), InventoryError> {
        if !dir.is_root()
            && let Some(record) = self.directory(root, dir)?
            && each(dir.clone(), record).is_break()
        {
            return Ok(());
        }
        let start = keys::root(root).len();
        for record in self.inventory.scan_prefix(keys::below(root, dir)) {
            let (key, value) = record.map_err(|error| unreadable(root, dir, error))?;
            let path = RelPath::parse(key.get(start..).unwrap_or_default()).ok();
            match path.zip(decode(&value).ok()) {
                Some((path, record)) => {
                    if each(path, record).is_break() {
                        break;
                    }
                }
                None => self.isolate(&self.inventory, &key, &value),
            }
        }
        Ok(())
    }
}

/// A place, as it stands under each key of its title.
#[derive(serde::Serialize, serde::Deserialize)]
struct StoredTitle {
    item: Item,
    place: Place,
}

impl StoredTitle {
    fn of(at: &TitleAt) -> Self {
        Self { item: at.item.clone(), place: at.place.clone() }
    }
}

/// A name that appeared, without the inode that is its key.
#[derive(serde::Serialize, serde::Deserialize)]
struct StoredArrival {
    path: FilePath,
    at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    moved_from: Option<FilePath>,
}

impl StoredArrival {
    fn of(arrival: &Arrival) -> Self {
        let Arrival { path, at, moved_from, .. } = arrival.clone();
        Self { path, at, moved_from }
    }

    fn with(self, id: FileId) -> Arrival {
        let Self { path, at, moved_from } = self;
        Arrival { id, path, at, moved_from }
    }
}

fn put(batch: &mut sled::Batch, key: Vec<u8>, value: Option<Vec<u8>>) {
    match value {
        Some(value) => batch.insert(key, value),
        None => batch.remove(key),
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

fn unreadable(root: &RootName, dir: &RelPath, error: sled::Error) -> InventoryError {
    InventoryError { root: root.clone(), dir: dir.clone(), source: error.into() }
}
