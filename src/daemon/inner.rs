//! The mounts found below configured roots. Each is a root of its own, with a watcher, an identity
//! and a health of its own; the root around it neither lists nor knows what lies there.
//!
//! One that was adopted stays known while it is away, over restarts too. Must never let what shows
//! at its place without the mount pass for what went with it; only a person can say that it does.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::ControlFlow;
use std::path::Path;

use super::engine::{Engine, Record};
use super::folders::{Around, Stored};
use super::orders::Order;
use super::roots::RootSpec;
use crate::catalog::TitleAt;
use crate::domain::{Health, Now, Place, RelPath, RootName};
use crate::inventory::{Directory, Media, Name};
use crate::store::{Batch, Durability, Storage, StoreError};

/// The most mounts below one root that are watched: each has a thread of its own.
const MOST: usize = 64;

/// Where an inner root lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Within {
    /// The configured root around it.
    pub outer: RootName,
    /// Where it is mounted in it.
    pub dir: RelPath,
    /// The name of the outer root's own folder.
    pub title: String,
}

/// What is mounted below each configured root.
pub(super) type Mounted = BTreeMap<RootName, Vec<RelPath>>;

/// The roots below configured ones, made from these.
pub(super) fn specs(outer: &[RootSpec], inner: &BTreeSet<RootName>) -> Vec<RootSpec> {
    let spec = |name: &RootName| {
        let (around, dir) = name.outer()?;
        let around = outer.iter().find(|spec| spec.name == around)?;
        let path = dir.under(&around.path);
        let rest = around.basis.split_once('\n').map_or("", |(_, rest)| rest);
        Some(RootSpec {
            name: name.clone(),
            rules: around.rules.clone(),
            marker: None,
            basis: format!("{}\n{rest}", path.display()),
            path,
            within: Some(Within { outer: around.name.clone(), dir, title: around.title() }),
        })
    };
    inner.iter().filter_map(spec).collect()
}

/// Where inner roots lie below a root, as seen from it.
pub(super) fn below(name: &RootName, inner: &BTreeSet<RootName>) -> Vec<RelPath> {
    let (outer, at) = name.outer().unwrap_or_else(|| (name.clone(), RelPath::root()));
    let within = inner.iter().filter_map(RootName::outer).filter(|(around, _)| *around == outer);
    within.filter_map(|(_, dir)| dir.below(&at)).filter(|dir| !dir.is_root()).collect()
}

impl<S: Storage, R: Record> Engine<S, R> {
    /// The inner roots of the configured ones: those that were adopted, and what is mounted now
    /// where the root around it can be believed.
    pub(super) fn inner_roots(&self, outer: &[RootSpec], mounted: &Mounted) -> BTreeSet<RootName> {
        let mut inner: BTreeSet<RootName> = BTreeSet::new();
        for spec in outer.iter().filter(|spec| spec.within.is_none()) {
            let counts = |dir: &RelPath| !dir.components().any(|n| spec.rules.is_ignored_dir(n));
            let is_known = |name: &&RootName| {
                let adopted = self.core.roots().get(*name);
                let here = name.outer().is_some_and(|(o, dir)| o == spec.name && counts(&dir));
                here && adopted.is_some_and(|root| root.state.identity.is_some())
            };
            inner.extend(self.core.roots().keys().filter(is_known).cloned());
            let health = self.core.roots().get(&spec.name).map(|root| root.health);
            let reads = matches!(health, Some(Health::Online | Health::Suspect | Health::Waiting));
            let found = mounted.get(&spec.name).filter(|_| reads);
            let found = found.into_iter().flatten().filter(|dir| counts(dir));
            inner.extend(found.filter_map(|dir| spec.name.inner(dir)).take(MOST));
        }
        inner
    }

    /// A person says that an inner root is no more: what was known of it becomes a part of the root
    /// around it, and is looked for there.
    pub(super) fn absorb(&mut self, now: Now, name: &RootName) -> Result<(), StoreError> {
        let Some((outer, dir)) = name.outer() else { return Ok(()) };
        let Some(fs) = self.file_system(&outer) else { return Ok(()) };
        let mut records: Vec<(RelPath, Directory)> = Vec::new();
        self.store.within(name, &RelPath::root(), &mut |path, record| {
            records.push((path, record));
            ControlFlow::Continue(())
        })?;
        let titles = self.titles_of(name, &records);
        let mut batch = Batch { dropped_roots: vec![name.clone()], ..Batch::default() };
        for title in titles {
            let folder = dir.descend(&title.place.folder);
            let place = Place { root: outer.clone(), folder, loose: title.place.loose };
            batch.titles.push(TitleAt { place, ..title });
        }
        let mut files = 0;
        for (path, record) in records {
            files += record.files.len() as u64;
            let path = dir.descend(&path);
            let there = self.store.directory(&outer, &path)?;
            let record = joined(there, Directory { fs, ..record });
            batch.directories.push((outer.clone(), path, Some(record)));
        }
        // What its parents list must lead to it, or nobody would miss it.
        let mut here = dir.clone();
        while let Some((above, name)) = here.parent().zip(here.name().map(Name::from)) {
            let Some(mut record) = self.store.directory(&outer, &above)? else { break };
            if let Err(at) = record.subdirs.binary_search(&name) {
                record.subdirs.insert(at, name);
                batch.directories.push((outer.clone(), above.clone(), Some(record)));
            }
            here = above;
        }
        self.store.commit(&batch, Durability::Flushed)?;
        self.core.absorb(now, name, fs, files);
        self.roots.remove(name);
        if let Some(run) = self.roots.get_mut(&outer) {
            run.files = run.files.saturating_add(files);
        }
        self.orders.push(Order::Rescan(outer));
        Ok(())
    }

    /// The titles that lie in an inner root.
    fn titles_of(&self, name: &RootName, records: &[(RelPath, Directory)]) -> HashSet<TitleAt> {
        let Some(run) = self.roots.get(name) else { return HashSet::new() };
        let own = Stored { root: name, inventory: &*self.store };
        let around = Around::new(&own, &*self.store, run.spec.within.as_ref());
        let placer = around.placer(name, &run.title);
        let paths = records
            .iter()
            .flat_map(|(dir, record)| record.files.iter().map(|file| dir.join(&file.name)));
        paths.map(|path| placer.place(&path).title).collect()
    }
}

/// One record of what two have.
fn joined(there: Option<Directory>, carried: Directory) -> Directory {
    let Some(there) = there else { return carried };
    let mut files: BTreeMap<Name, Media> = BTreeMap::new();
    for file in carried.files.into_iter().chain(there.files) {
        files.insert(file.name.clone(), file);
    }
    let subdirs: BTreeSet<Name> = carried.subdirs.into_iter().chain(there.subdirs).collect();
    Directory {
        fs: carried.fs,
        looked: carried.looked.max(there.looked),
        files: files.into_values().collect(),
        subdirs: subdirs.into_iter().collect(),
    }
}

/// The root that a path lies in: the innermost one.
pub(super) fn root_at<'a>(
    specs: impl Iterator<Item = &'a RootSpec>,
    path: &Path,
) -> Option<&'a RootSpec> {
    let around = specs.filter(|spec| path.starts_with(&spec.path));
    around.max_by_key(|spec| spec.path.components().count())
}
