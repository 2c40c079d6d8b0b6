//! Writing: one batch, one transaction over all tables.

use super::*;
use crate::core::Changes;

impl Store {
    /// Writes a batch in one transaction.
    pub(super) fn write(&self, batch: &Batch, durability: Durability) -> Result<()> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let mut writes = Writes::default();
        for root in &batch.dropped_roots {
            self.drop_root(root, &mut writes)?;
        }
        writes.disk(batch);
        self.services_said(batch, &mut writes)?;
        self.write_titles(batch, &mut next.title, &mut writes)?;
        writes.decided(&batch.changes, &mut next.line);
        self.entries(batch, &mut writes)?;
        if durability == Durability::Synced {
            let generation = self.generation.fetch_add(1, Ordering::Relaxed) + 1;
            writes.put(Table::Meta, GENERATION.as_bytes(), Some(&generation));
        }
        self.engine.write(&writes.0)
    }

    /// Removes everything of a root that is to be forgotten.
    fn drop_root(&self, root: &RootName, writes: &mut Writes) -> Result<()> {
        let of_root = keys::root(root);
        let mut drop_where = |table, prefix: &[u8], fits: &dyn Fn(&[u8]) -> bool| {
            self.engine.scan(table, prefix, |key, _| {
                if fits(key) {
                    writes.change(table, key.to_vec(), None);
                }
                ControlFlow::Continue(())
            })
        };
        drop_where(Table::Inventory, &of_root, &|_| true)?;
        drop_where(Table::Lay, &of_root, &|_| true)?;
        drop_where(Table::Arrivals, &[], &|key| keys::behind_inode(key).starts_with(&of_root))
    }

    /// What services say.
    fn services_said(&self, batch: &Batch, writes: &mut Writes) -> Result<()> {
        for (instance, known) in &batch.services {
            writes.put(Table::Services, &keys::instance(instance), known.as_ref());
            if known.is_none() {
                self.engine.scan(Table::Listed, &keys::listed(instance, ""), |key, _| {
                    writes.change(Table::Listed, key.to_vec(), None);
                    ControlFlow::Continue(())
                })?;
            }
        }
        for (instance, id, listed) in &batch.listed {
            writes.put(Table::Listed, &keys::listed(instance, id), listed.as_ref());
        }
        for (instance, id, past) in &batch.past {
            writes.put(Table::Past, &keys::listed(instance, id), past.as_ref());
        }
        Ok(())
    }

    /// One deletion a life: what somebody was told stays as it is.
    fn entries(&self, batch: &Batch, writes: &mut Writes) -> Result<()> {
        for entry in &batch.changes.entries {
            let id = &entry.deletion.id;
            if self.entry(id)?.is_none_or(|known| known.state != EntryState::Accepted) {
                writes.put(Table::Entries, id.as_str().as_bytes(), Some(entry));
            }
        }
        for entry in &batch.entries {
            writes.put(Table::Entries, entry.deletion.id.as_str().as_bytes(), Some(entry));
        }
        Ok(())
    }
}

/// What a batch comes down to.
#[derive(Default)]
pub(super) struct Writes(Vec<Write>);

impl Writes {
    pub(super) fn change(&mut self, table: Table, key: Vec<u8>, value: Option<Vec<u8>>) {
        self.0.push((table, key, value));
    }

    pub(super) fn put<T: Serialize>(&mut self, table: Table, key: &[u8], value: Option<&T>) {
        self.change(table, key.to_vec(), value.map(json));
    }

    /// What is known of the disk and of time.
    fn disk(&mut self, batch: &Batch) {
        for (root, dir, record) in &batch.directories {
            let value = record.as_ref().map(encode);
            if value.is_none() {
                self.change(Table::Lay, keys::directory(root, dir), None);
            }
            self.change(Table::Inventory, keys::directory(root, dir), value);
        }
        for (root, dir, lay) in &batch.lays {
            self.put(Table::Lay, &keys::directory(root, dir), Some(lay));
        }
        for arrival in &batch.arrivals {
            let key = keys::arrival(arrival.id, &arrival.path);
            self.put(Table::Arrivals, &key, Some(&StoredArrival::of(arrival)));
        }
        if let Some(awake) = batch.awake {
            self.put(Table::Meta, AWAKE.as_bytes(), Some(&awake));
        }
        if let Some(heartbeat) = batch.heartbeat {
            self.put(Table::Meta, HEARTBEAT.as_bytes(), Some(&heartbeat));
        }
    }

    /// What the core decided, but for entries.
    fn decided(&mut self, changes: &Changes, next_line: &mut u64) {
        for (name, state) in &changes.roots {
            self.put(Table::Roots, name.as_str().as_bytes(), state.as_ref());
        }
        for (key, state) in &changes.items {
            self.put(Table::Items, key.as_str().as_bytes(), state.as_ref());
        }
        for (id, candidate) in &changes.candidates {
            self.put(Table::Candidates, &id.0.to_be_bytes(), candidate.as_ref());
        }
        if changes.next_candidate > CandidateId::default() {
            self.put(Table::Meta, NEXT_CANDIDATE.as_bytes(), Some(&changes.next_candidate));
        }
        for decision in &changes.decisions {
            self.put(Table::History, &keys::decision(decision, *next_line), Some(decision));
            *next_line += 1;
        }
        if !changes.decisions.is_empty() {
            self.put(Table::Meta, NEXT_LINE.as_bytes(), Some(next_line));
        }
    }
}

/// A name that appeared, without the inode that is its key.
#[derive(serde::Serialize, serde::Deserialize)]
pub(super) struct StoredArrival {
    path: FilePath,
    pub(super) awake: Awake,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    moved_from: Option<FilePath>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    born: Option<Timestamp>,
}

impl StoredArrival {
    fn of(arrival: &Arrival) -> Self {
        let Arrival { path, at, moved_from, born, .. } = arrival.clone();
        Self { path, awake: at, moved_from, born }
    }

    pub(super) fn with(self, id: FileId) -> Arrival {
        let Self { path, awake, moved_from, born } = self;
        Arrival { id, path, at: awake, moved_from, born }
    }
}
