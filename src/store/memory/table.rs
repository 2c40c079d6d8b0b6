//! A table that can be set back to what it was at its last flush.

use std::collections::BTreeMap;

/// A map that can go back to what it was before any of the batches since it was last kept.
#[derive(Debug)]
pub(super) struct Table<K, V> {
    pub(super) map: BTreeMap<K, V>,
    /// The batch, the key, and what was under it before.
    undo: Vec<(usize, K, Option<V>)>,
    batch: usize,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self { map: BTreeMap::new(), undo: Vec::new(), batch: 0 }
    }
}

impl<K: Ord + Clone, V: Clone> Table<K, V> {
    pub(super) fn put(&mut self, key: K, value: Option<V>) {
        let before = match value {
            Some(value) => self.map.insert(key.clone(), value),
            None => self.map.remove(&key),
        };
        self.undo.push((self.batch, key, before));
    }

    pub(super) fn retain(&mut self, stays: impl Fn(&K, &V) -> bool) {
        let gone = self.map.extract_if(.., |key, value| !stays(key, value));
        self.undo.extend(gone.map(|(key, value)| (self.batch, key, Some(value))));
    }

    pub(super) fn all(&self) -> Vec<V> {
        self.map.values().cloned().collect()
    }
}

/// What every table can do, whatever is in it.
pub(super) trait Undo {
    /// What follows belongs to this batch.
    fn begin(&mut self, batch: usize);
    /// What was done stays.
    fn keep(&mut self);
    /// Takes back all but the first batches.
    fn undo(&mut self, kept: usize);
}

impl<K: Ord + Clone, V: Clone> Undo for Table<K, V> {
    fn begin(&mut self, batch: usize) {
        self.batch = batch;
    }

    fn keep(&mut self) {
        self.undo.clear();
    }

    fn undo(&mut self, kept: usize) {
        while let Some((_, key, before)) = self.undo.pop_if(|(batch, _, _)| *batch >= kept) {
            match before {
                Some(value) => self.map.insert(key, value),
                None => self.map.remove(&key),
            };
        }
    }
}
