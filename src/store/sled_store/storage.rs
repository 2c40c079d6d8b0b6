//! Reading, and what the daemon asks of a store.

use super::batch::StoredArrival;
use super::*;
use crate::catalog::{Known, Remembered, TitleAt};
use crate::domain::Subject;
use crate::store::newer_first;
use crate::store::search::Search;

/// How many records are forgotten in one transaction.
const PRUNE_CHUNK: usize = 1_000;

impl Storage for Store {
    fn load(&self) -> Result<Loaded> {
        let mut loaded = Loaded::default();
        self.each(Table::Roots, &[], |key, state: RootState| {
            let name = std::str::from_utf8(key).ok().and_then(|name| RootName::parse(name).ok());
            loaded.saved.roots.extend(name.map(|name| (name, state)));
        })?;
        loaded.saved.items = self.all::<ItemState>(Table::Items, &[])?;
        loaded.saved.candidates = self.all::<Candidate>(Table::Candidates, &[])?;
        loaded.saved.next_candidate = self.meta_value(NEXT_CANDIDATE)?.unwrap_or_default();
        // Probes end with the process: their numbers may begin anew.
        loaded.saved.next_probe = ProbeId::default();
        loaded.awake = self.meta_value(AWAKE)?.unwrap_or_default();
        loaded.heartbeat = self.meta_value(HEARTBEAT)?;
        loaded.queued = self.all::<Entry>(Table::Entries, &[])?;
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
        self.engine.scan(Table::Inventory, &keys::root(root), |_, value| {
            directories += 1;
            files += count_files(value).unwrap_or(0);
            ControlFlow::Continue(())
        })?;
        Ok((directories, files))
    }

    fn titles(&self, keys: &[ItemKey]) -> Result<Vec<TitleAt>> {
        self.titles_by(keys)
    }

    fn titles_lost(&self) -> Result<bool> {
        Self::titles_lost(self)
    }

    fn replace_titles(&self, titles: &[TitleAt]) -> Result<()> {
        Self::replace_titles(self, titles)
    }

    fn arrivals(&self, id: FileId) -> Result<Vec<Arrival>> {
        let stored = self.all::<StoredArrival>(Table::Arrivals, &keys::arrivals(id))?;
        Ok(stored.into_iter().map(|arrival| arrival.with(id)).collect())
    }

    fn prune(&self, arrivals_before: Awake, history_before: Timestamp) -> Result<()> {
        let mut old: Vec<Write> = Vec::new();
        self.each(Table::Arrivals, &[], |key, arrival: StoredArrival| {
            if arrival.awake < arrivals_before {
                old.push((Table::Arrivals, key.to_vec(), None));
            }
        })?;
        self.engine.scan(Table::History, &[], |key, _| {
            if keys::decided_at(key).is_some_and(|at| at < history_before) {
                old.push((Table::History, key.to_vec(), None));
            }
            ControlFlow::Continue(())
        })?;
        // A transaction keeps all others waiting, readers too; nothing here belongs together.
        old.chunks(PRUNE_CHUNK).try_for_each(|some| self.engine.write(some))
    }

    fn entries(&self) -> Result<Vec<Entry>> {
        let mut entries = self.all::<Entry>(Table::Entries, &[])?;
        entries.sort_by(|a, b| newer_first(&a.deletion, &b.deletion));
        Ok(entries)
    }

    fn entry(&self, id: &DeletionId) -> Result<Option<Entry>> {
        self.record(Table::Entries, id.as_str().as_bytes())
    }

    fn history(&self, subject: &str) -> Result<Vec<Decision>> {
        self.all(Table::History, &keys::history(subject))
    }

    fn services(&self) -> Result<Vec<(Instance, Known, Vec<Listed>)>> {
        let mut found = Vec::new();
        self.each(Table::Services, &[], |key, known: Known| {
            found.extend(keys::parse_instance(key).map(|instance| (instance, known, Vec::new())));
        })?;
        found.sort_by(|(a, ..), (b, ..)| a.cmp(b));
        for (instance, _, titles) in &mut found {
            *titles = self.all::<Listed>(Table::Listed, &keys::listed(instance, ""))?;
        }
        Ok(found)
    }

    fn past(&self) -> Result<Vec<Remembered>> {
        let mut past = self.all::<Remembered>(Table::Past, &[])?;
        past.sort_by(|a, b| (a.at, &a.instance, &a.id).cmp(&(b.at, &b.instance, &b.id)));
        Ok(past)
    }

    fn take_damage(&self) -> Vec<String> {
        let mut damage = self.damage.lock().unwrap_or_else(PoisonError::into_inner);
        let said = std::mem::take(&mut *damage).into_iter().map(|(table, count)| {
            let (name, comes_of_it) = (table.name(), table.when_damaged());
            format!("{count} records of {name} can't be read, {comes_of_it}")
        });
        said.collect()
    }

    fn search(&self, text: &str, limit: usize) -> Result<Vec<Item>> {
        let mut search = Search::new(text, limit);
        self.each_title(|_, title| search.offer(title.item))?;
        self.each(Table::Items, &[], |_, state: ItemState| search.offer(state.item))?;
        // Each subject of the history once: its first line, then on behind all its others.
        let mut from = Vec::new();
        while let Some((key, value)) = self.engine.first_from(Table::History, &from)? {
            let end = key.iter().position(|byte| *byte == 0).unwrap_or(key.len());
            from = [&key[..end], &[1]].concat();
            let line: Option<Decision> = self.read(Table::History, &key, &value);
            if let Some(Subject::Item(item)) = line.map(|line| line.subject) {
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
        let value = self.engine.get(Table::Inventory, &key);
        let value = value.map_err(|error| unreadable(root, dir, error))?;
        Ok(value.and_then(|bytes| {
            decode(&bytes).map_err(|_| self.isolate(Table::Inventory, &key, &bytes)).ok()
        }))
    }

    fn lay(
        &self,
        root: &RootName,
        dir: &RelPath,
    ) -> std::result::Result<Option<Lay>, InventoryError> {
        let lay = self.record(Table::Lay, &keys::directory(root, dir));
        lay.map_err(|error| unreadable(root, dir, error))
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
        let scanned = self.engine.scan(Table::Inventory, &keys::below(root, dir), |key, value| {
            let path = RelPath::parse(key.get(start..).unwrap_or_default()).ok();
            match path.zip(decode(value).ok()) {
                Some((path, record)) => each(path, record),
                None => {
                    self.isolate(Table::Inventory, key, value);
                    ControlFlow::Continue(())
                }
            }
        });
        scanned.map_err(|error| unreadable(root, dir, error))
    }
}

fn unreadable(root: &RootName, dir: &RelPath, error: StoreError) -> InventoryError {
    InventoryError { root: root.clone(), dir: dir.clone(), source: error.into() }
}
