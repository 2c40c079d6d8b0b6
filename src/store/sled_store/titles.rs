//! Which titles lie where: one record a title, and the keys that it may be found by beside it.
//!
//! All of it follows from the inventory. When a part of it is lost it is not patched: it says so,
//! answers nothing any more, and is made anew. A place that is left out in silence could make a
//! moved title look dead.

use std::collections::{BTreeSet, HashSet};

use super::batch::Writes;
use super::*;
use crate::catalog::TitleAt;
use crate::domain::Place;

/// How many titles are written in one transaction.
const CHUNK: usize = 2_000;

/// The keys in the index that lead to an item, each once.
fn index_keys(item: &Item, number: u64) -> BTreeSet<Vec<u8>> {
    item.all_keys().iter().map(|key| keys::title(key, number)).collect()
}

fn encode_title(title: &TitleAt) -> Vec<u8> {
    let Place { root, folder, loose } = &title.place;
    let mut bytes = keys::directory(root, folder);
    bytes.extend_from_slice(&[0, u8::from(*loose)]);
    bytes.extend(json(&title.item));
    bytes
}

fn decode_title(bytes: &[u8]) -> Option<TitleAt> {
    let mut parts = bytes.splitn(3, |byte| *byte == 0);
    let (root, folder, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let (loose, item) = rest.split_first().filter(|(loose, _)| **loose < 2)?;
    let place = Place {
        root: RootName::parse(std::str::from_utf8(root).ok()?).ok()?,
        folder: RelPath::parse(folder).ok()?,
        loose: *loose == 1,
    };
    Some(TitleAt { item: serde_json::from_slice(item).ok()?, place })
}

impl Store {
    /// Whether the titles must be made anew before they can be asked for.
    pub(super) fn titles_lost(&self) -> Result<bool> {
        if self.titles_lost.load(Ordering::Relaxed) {
            return Ok(true);
        }
        Ok(self.meta_value(TITLES_LOST)?.unwrap_or(false))
    }

    /// Reads every title once.
    pub(super) fn read_titles(&self) -> Result<()> {
        self.each_title(|_, _| {})
    }

    /// Remembers, also over a restart, that the titles can't be relied on.
    pub(crate) fn lose_titles(&self) {
        self.titles_lost.store(true, Ordering::Relaxed);
        let lost = (Table::Meta, TITLES_LOST.into(), Some(json(&true)));
        // If that fails, what is damaged is found again when it is read again.
        drop(self.engine.write(&[lost]));
    }

    pub(super) fn titles_by(&self, wanted: &[ItemKey]) -> Result<Vec<TitleAt>> {
        let mut found: Vec<TitleAt> = Vec::new();
        for (_, title) in self.numbered_titles(wanted)? {
            if !found.contains(&title) {
                found.push(title);
            }
        }
        if self.titles_lost()? {
            let source = "the index of titles is damaged; it is made anew from the inventory";
            return Err(self.engine.error("read", source));
        }
        Ok(found)
    }

    fn numbered_titles(&self, wanted: &[ItemKey]) -> Result<Vec<(u64, TitleAt)>> {
        let mut numbers: BTreeSet<u64> = BTreeSet::new();
        let prefixes: BTreeSet<Vec<u8>> = wanted.iter().map(keys::titles).collect();
        for prefix in prefixes {
            self.engine.scan(Table::TitleKeys, &prefix, |key, _| {
                numbers.extend(keys::number(key));
                ControlFlow::Continue(())
            })?;
        }
        let mut found = Vec::new();
        for number in numbers {
            let key = number.to_be_bytes();
            let record = self.engine.get(Table::Titles, &key)?;
            match record.as_deref().map(decode_title) {
                Some(Some(title)) => {
                    if title.item.all_keys().iter().any(|key| wanted.contains(key)) {
                        found.push((number, title));
                    }
                }
                Some(None) => self.isolate(Table::Titles, &key, &record.unwrap_or_default()),
                None => self.lose_titles(),
            }
        }
        Ok(found)
    }

    /// Calls `each` with every title and its number.
    pub(super) fn each_title(&self, mut each: impl FnMut(u64, TitleAt)) -> Result<()> {
        self.engine.scan(Table::Titles, &[], |key, value| {
            match keys::number(key).zip(decode_title(value)) {
                Some((number, title)) => each(number, title),
                None => self.isolate(Table::Titles, key, value),
            }
            ControlFlow::Continue(())
        })
    }

    /// What a batch does to titles: first what goes, then what comes.
    pub(super) fn write_titles(
        &self,
        batch: &Batch,
        next: &mut u64,
        writes: &mut Writes,
    ) -> Result<()> {
        let mut gone: HashSet<u64> = HashSet::new();
        let mut remove = |number: u64, title: &TitleAt, writes: &mut Writes| {
            if gone.insert(number) {
                writes.change(Table::Titles, number.to_be_bytes().to_vec(), None);
                for key in index_keys(&title.item, number) {
                    writes.change(Table::TitleKeys, key, None);
                }
            }
        };
        if !batch.dropped_roots.is_empty() {
            let dropped: HashSet<&RootName> = batch.dropped_roots.iter().collect();
            self.each_title(|number, title| {
                if dropped.contains(&title.place.root) {
                    remove(number, &title, writes);
                }
            })?;
        }
        for title in &batch.gone_titles {
            for (number, known) in self.numbered_titles(&title.item.match_keys())? {
                if known.place == title.place {
                    remove(number, &known, writes);
                }
            }
        }
        let mut new: HashSet<&TitleAt> = HashSet::new();
        let first = *next;
        for title in &batch.titles {
            let known = self.numbered_titles(&title.item.match_keys())?;
            let is_known = known.iter().any(|(n, known)| known == title && !gone.contains(n));
            if !is_known && new.insert(title) {
                writes.change(
                    Table::Titles,
                    next.to_be_bytes().to_vec(),
                    Some(encode_title(title)),
                );
                for key in index_keys(&title.item, *next) {
                    writes.change(Table::TitleKeys, key, Some(Vec::new()));
                }
                *next += 1;
            }
        }
        if *next != first {
            writes.put(Table::Meta, NEXT_TITLE.as_bytes(), Some(next));
        }
        Ok(())
    }

    /// Replaces all titles.
    pub(super) fn replace_titles(&self, titles: &[TitleAt]) -> Result<()> {
        self.lose_titles();
        self.engine.clear(Table::TitleKeys)?;
        self.engine.clear(Table::Titles)?;
        for chunk in titles.chunks(CHUNK) {
            let batch = Batch { titles: chunk.to_vec(), ..Batch::default() };
            self.write(&batch, Durability::Soon)?;
        }
        let whole = (Table::Meta, TITLES_LOST.into(), Some(json(&false)));
        self.engine.write(&[whole])?;
        self.engine.flush()?;
        self.titles_lost.store(false, Ordering::Relaxed);
        Ok(())
    }
}
