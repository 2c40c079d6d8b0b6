//! A store in memory, for simulations: what was not flushed is gone after a crash.
//!
//! Each table remembers what its changes since the last flush replaced, so that a flush costs
//! nothing and a crash only what it undoes. Made apart from the store on sled, to which it is
//! compared in tests: nothing is shared but the interface and the search.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

mod table;

use self::table::{Table, Undo};
use super::search::Search;
use super::{Arrival, Batch, Durability, Loaded, Storage, StoreError, keys, newer_first};
use crate::catalog::{Known, Remembered, TitleAt};
use crate::core::{ItemState, RootState, Saved};
use crate::domain::{
    Awake, Candidate, CandidateId, Decision, DeletionId, Entry, EntryState, FileId, FilePath,
    Instance, Item, ItemKey, Listed, ProbeId, RelPath, RootName, Subject, Timestamp,
};
use crate::inventory::{Directory, Inventory, InventoryError, Lay};

/// A store in memory.
#[derive(Debug, Default)]
pub struct Memory(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    directories: Table<(RootName, RelPath), Directory>,
    lays: Table<(RootName, RelPath), Lay>,
    titles: Table<TitleAt, ()>,
    arrivals: Table<(FileId, FilePath), Arrival>,
    roots: Table<RootName, RootState>,
    items: Table<ItemKey, ItemState>,
    candidates: Table<CandidateId, Candidate>,
    entries: Table<DeletionId, Entry>,
    history: Table<(String, Timestamp, u64), Decision>,
    services: Table<Instance, Known>,
    listed: Table<(Instance, String), Listed>,
    past: Table<(Instance, String), Remembered>,
    single: Table<(), Single>,
    /// Commits since the last flush.
    unflushed: usize,
    failing: usize,
    loses_entries: bool,
}

#[derive(Debug, Clone, Default)]
struct Single {
    awake: Awake,
    heartbeat: Option<Timestamp>,
    next_candidate: CandidateId,
    next_line: u64,
}

impl Memory {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The process is killed: what was not flushed is gone.
    pub fn crash(&self) {
        self.crash_keeping(0);
    }

    /// The process is killed when the first `kept` of the unflushed batches happened to be written
    /// already: batches are lost from the end, never out of order.
    pub fn crash_keeping(&self, kept: usize) {
        let mut state = self.state();
        if kept < state.unflushed {
            state.each(|table| table.undo(kept));
        }
        state.flushed();
    }

    /// Lets the next `count` commits fail, with nothing stored.
    pub fn fail_next_commits(&self, count: usize) {
        self.state().failing = count;
    }

    /// Lets entries be written and not be found again.
    pub fn lose_entries(&self, loses: bool) {
        self.state().loses_entries = loses;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn each(&mut self, mut each: impl FnMut(&mut dyn Undo)) {
        each(&mut self.directories);
        each(&mut self.lays);
        each(&mut self.titles);
        each(&mut self.arrivals);
        each(&mut self.roots);
        each(&mut self.items);
        each(&mut self.candidates);
        each(&mut self.entries);
        each(&mut self.history);
        each(&mut self.services);
        each(&mut self.listed);
        each(&mut self.past);
        each(&mut self.single);
    }

    fn flushed(&mut self) {
        self.unflushed = 0;
        self.each(|table| table.keep());
    }

    fn apply(&mut self, batch: &Batch) {
        let number = self.unflushed;
        self.unflushed += 1;
        self.each(|table| table.begin(number));
        let gone: BTreeSet<&RootName> = batch.dropped_roots.iter().collect();
        if !gone.is_empty() {
            self.directories.retain(|(root, _), _| !gone.contains(root));
            self.lays.retain(|(root, _), _| !gone.contains(root));
            self.titles.retain(|title, ()| !gone.contains(&title.place.root));
            self.arrivals.retain(|(_, path), _| !gone.contains(&path.root));
        }
        for (root, dir, record) in &batch.directories {
            self.directories.put((root.clone(), dir.clone()), record.clone());
            if record.is_none() {
                self.lays.put((root.clone(), dir.clone()), None);
            }
        }
        for (root, dir, lay) in &batch.lays {
            self.lays.put((root.clone(), dir.clone()), Some(lay.clone()));
        }
        for gone in &batch.gone_titles {
            let keys = gone.item.match_keys();
            self.titles.retain(|title, ()| title.place != gone.place || !is_any(title, &keys));
        }
        batch.titles.iter().for_each(|title| self.titles.put(title.clone(), Some(())));
        for arrival in &batch.arrivals {
            self.arrivals.put((arrival.id, arrival.path.clone()), Some(arrival.clone()));
        }
        for (instance, known) in &batch.services {
            self.services.put(instance.clone(), known.clone());
            if known.is_none() {
                self.listed.retain(|(of, _), _| of != instance);
            }
        }
        for (instance, id, listed) in &batch.listed {
            self.listed.put((instance.clone(), id.clone()), listed.clone());
        }
        for (instance, id, past) in &batch.past {
            self.past.put((instance.clone(), id.clone()), past.clone());
        }
        self.decide(batch);
    }

    fn decide(&mut self, batch: &Batch) {
        let changes = &batch.changes;
        changes.roots.iter().cloned().for_each(|(name, state)| self.roots.put(name, state));
        changes.items.iter().cloned().for_each(|(key, state)| self.items.put(key, state));
        changes.candidates.iter().cloned().for_each(|(id, c)| self.candidates.put(id, c));
        for entry in &changes.entries {
            let known = self.entries.map.get(&entry.deletion.id);
            if known.is_none_or(|known| known.state != EntryState::Accepted) {
                self.entries.put(entry.deletion.id.clone(), Some(entry.clone()));
            }
        }
        for entry in &batch.entries {
            self.entries.put(entry.deletion.id.clone(), Some(entry.clone()));
        }
        let mut single = self.single.map.get(&()).cloned().unwrap_or_default();
        for decision in &changes.decisions {
            let key = (keys::subject(&decision.subject), decision.at, single.next_line);
            self.history.put(key, Some(decision.clone()));
            single.next_line += 1;
        }
        if changes.next_candidate > CandidateId::default() {
            single.next_candidate = changes.next_candidate;
        }
        single.awake = batch.awake.unwrap_or(single.awake);
        single.heartbeat = batch.heartbeat.or(single.heartbeat);
        self.single.put((), Some(single));
    }
}

/// Whether a title may be found by one of these keys.
fn is_any(title: &TitleAt, keys: &[ItemKey]) -> bool {
    title.item.all_keys().iter().any(|key| keys.contains(key))
}

impl Storage for Memory {
    fn load(&self) -> Result<Loaded, StoreError> {
        let state = self.state();
        let single = state.single.map.get(&()).cloned().unwrap_or_default();
        let mut queued: Vec<Entry> = state.entries.all();
        queued.retain(|entry| entry.state == EntryState::Queued);
        queued.sort_by_key(|entry| entry.deletion.confirmed_at);
        let roots = state.roots.map.iter();
        Ok(Loaded {
            saved: Saved {
                roots: roots.map(|(name, root)| (name.clone(), root.clone())).collect(),
                items: state.items.all(),
                candidates: state.candidates.all(),
                next_candidate: single.next_candidate,
                next_probe: ProbeId::default(),
            },
            awake: single.awake,
            heartbeat: single.heartbeat,
            queued,
            retired: Vec::new(),
        })
    }

    fn commit(&self, batch: &Batch, durability: Durability) -> Result<(), StoreError> {
        let mut state = self.state();
        if state.failing > 0 {
            state.failing -= 1;
            return Err(StoreError::Sled {
                path: PathBuf::from("memory"),
                doing: "written",
                source: "told to fail".into(),
            });
        }
        state.apply(batch);
        if durability != Durability::Soon {
            state.flushed();
        }
        Ok(())
    }

    fn count(&self, root: &RootName) -> Result<(u64, u64), StoreError> {
        let state = self.state();
        let of_root = state.directories.map.iter().filter(|((of, _), _)| of == root);
        Ok(of_root.fold((0, 0), |(directories, files), (_, record)| {
            (directories + 1, files + record.files.len() as u64)
        }))
    }

    fn titles(&self, keys: &[ItemKey]) -> Result<Vec<TitleAt>, StoreError> {
        let state = self.state();
        let titles = state.titles.map.keys().filter(|title| is_any(title, keys));
        Ok(titles.cloned().collect())
    }

    fn titles_lost(&self) -> Result<bool, StoreError> {
        Ok(false)
    }

    fn replace_titles(&self, titles: &[TitleAt]) -> Result<(), StoreError> {
        let mut state = self.state();
        let number = state.unflushed;
        state.unflushed += 1;
        state.each(|table| table.begin(number));
        state.titles.retain(|_, ()| false);
        titles.iter().for_each(|title| state.titles.put(title.clone(), Some(())));
        Ok(())
    }

    fn arrivals(&self, id: FileId) -> Result<Vec<Arrival>, StoreError> {
        let state = self.state();
        Ok(state.arrivals.map.values().filter(|arrival| arrival.id == id).cloned().collect())
    }

    fn prune(&self, arrivals_before: Awake, history_before: Timestamp) -> Result<(), StoreError> {
        let mut state = self.state();
        let number = state.unflushed;
        state.unflushed += 1;
        state.each(|table| table.begin(number));
        state.arrivals.retain(|_, arrival| arrival.at >= arrivals_before);
        state.history.retain(|(_, at, _), _| *at >= history_before);
        Ok(())
    }

    fn entries(&self) -> Result<Vec<Entry>, StoreError> {
        let mut entries = self.state().entries.all();
        entries.sort_by(|a, b| newer_first(&a.deletion, &b.deletion));
        Ok(entries)
    }

    fn entry(&self, id: &DeletionId) -> Result<Option<Entry>, StoreError> {
        let state = self.state();
        Ok(state.entries.map.get(id).filter(|_| !state.loses_entries).cloned())
    }

    fn history(&self, subject: &str) -> Result<Vec<Decision>, StoreError> {
        let state = self.state();
        let lines = state.history.map.iter().filter(|((of, _, _), _)| of == subject);
        Ok(lines.map(|(_, decision)| decision.clone()).collect())
    }

    fn services(&self) -> Result<Vec<(Instance, Known, Vec<Listed>)>, StoreError> {
        let state = self.state();
        let services = state.services.map.iter().map(|(instance, known)| {
            let of_it = state.listed.map.iter().filter(|((of, _), _)| of == instance);
            let listed = of_it.map(|(_, listed)| listed.clone()).collect();
            (instance.clone(), known.clone(), listed)
        });
        Ok(services.collect())
    }

    fn past(&self) -> Result<Vec<Remembered>, StoreError> {
        let mut past = self.state().past.all();
        past.sort_by(|a, b| (a.at, &a.instance, &a.id).cmp(&(b.at, &b.instance, &b.id)));
        Ok(past)
    }

    fn search(&self, text: &str, limit: usize) -> Result<Vec<Item>, StoreError> {
        let state = self.state();
        let mut search = Search::new(text, limit);
        state.titles.map.keys().for_each(|title| search.offer(title.item.clone()));
        state.items.map.values().for_each(|state| search.offer(state.item.clone()));
        for decision in state.history.map.values() {
            if let Subject::Item(item) = &decision.subject {
                search.offer(item.clone());
            }
        }
        Ok(search.found())
    }
}

impl Inventory for Memory {
    fn directory(
        &self,
        root: &RootName,
        dir: &RelPath,
    ) -> Result<Option<Directory>, InventoryError> {
        Ok(self.state().directories.map.get(&(root.clone(), dir.clone())).cloned())
    }

    fn lay(&self, root: &RootName, dir: &RelPath) -> Result<Option<Lay>, InventoryError> {
        Ok(self.state().lays.map.get(&(root.clone(), dir.clone())).cloned())
    }

    fn within(
        &self,
        root: &RootName,
        dir: &RelPath,
        each: &mut dyn FnMut(RelPath, Directory) -> ControlFlow<()>,
    ) -> Result<(), InventoryError> {
        let found: Vec<(RelPath, Directory)> = {
            let state = self.state();
            let from = state.directories.map.range((root.clone(), dir.clone())..);
            from.take_while(|((of, path), _)| {
                of == root && path.as_bytes().starts_with(dir.as_bytes())
            })
            .filter(|((_, path), _)| path.is_within(dir))
            .map(|((_, path), record)| (path.clone(), record.clone()))
            .collect()
        };
        // Its caller may ask the store in between.
        for (path, record) in found {
            if each(path, record).is_break() {
                break;
            }
        }
        Ok(())
    }
}
