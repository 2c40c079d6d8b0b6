//! Writing: one batch, one transaction over all trees.

use super::*;
use crate::catalog::TitleAt;

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
        for entry in &changes.entries {
            // One deletion a life: what somebody was told stays as it is.
            let id = &entry.deletion.id;
            if self.entry(id)?.is_none_or(|known| known.state != EntryState::Accepted) {
                out.entries.insert(id.as_str(), json(entry));
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

    /// Writes a batch in one transaction.
    pub(super) fn write(&self, batch: &Batch, durability: Durability) -> Result<()> {
        let mut all = self.batches(batch)?;
        if durability == Durability::Synced {
            let generation = self.generation.fetch_add(1, Ordering::Relaxed) + 1;
            all.meta.insert(GENERATION, json(&generation));
        }
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
            Err(TransactionError::Storage(error)) => Err(self.failing("written")(error)),
            // Nothing in it aborts.
            Ok(()) | Err(TransactionError::Abort(())) => Ok(()),
        }
    }
}

/// A place, as it stands under each key of its title.
#[derive(serde::Serialize, serde::Deserialize)]
pub(super) struct StoredTitle {
    pub(super) item: Item,
    pub(super) place: Place,
}

impl StoredTitle {
    fn of(at: &TitleAt) -> Self {
        Self { item: at.item.clone(), place: at.place.clone() }
    }
}

/// A name that appeared, without the inode that is its key.
#[derive(serde::Serialize, serde::Deserialize)]
pub(super) struct StoredArrival {
    path: FilePath,
    pub(super) at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    moved_from: Option<FilePath>,
}

impl StoredArrival {
    fn of(arrival: &Arrival) -> Self {
        let Arrival { path, at, moved_from, .. } = arrival.clone();
        Self { path, at, moved_from }
    }

    pub(super) fn with(self, id: FileId) -> Arrival {
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
