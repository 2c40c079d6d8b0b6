//! Reading, and what the daemon asks of a store.

use super::batch::{StoredArrival, StoredTitle};
use super::*;
use crate::catalog::TitleAt;

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
        self.write(batch, durability)?;
        self.flush(durability)
    }

    fn count(&self, root: &RootName) -> Result<(u64, u64)> {
        let (mut directories, mut files) = (0, 0);
        for value in self.inventory.scan_prefix(keys::root(root)).values() {
            directories += 1;
            files += count_files(&value.map_err(self.failing("read"))?).unwrap_or(0);
        }
        Ok((directories, files))
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
        let mut search = crate::store::search::Search::new(text, limit);
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

fn unreadable(root: &RootName, dir: &RelPath, error: sled::Error) -> InventoryError {
    InventoryError { root: root.clone(), dir: dir.clone(), source: error.into() }
}
