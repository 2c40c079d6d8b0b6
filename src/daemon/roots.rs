//! The roots of the engine: what is configured, and what is known of each in this run.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::PathBuf;

use super::engine::{Engine, Record};
use super::folders::Stored;
use super::inner::Within;
use super::jobs::Unseen;
use super::listings::Applied;
use super::orders::Order;
use crate::catalog::{Folders, is_loose_file_of};
use crate::domain::{FilePath, FsId, Health, Identity, Now, Observation, RelPath, RootName};
use crate::inventory::{Directory, Rules};
use crate::store::{Batch, Durability, Storage, StoreError};

/// A configured root.
#[derive(Debug, Clone)]
pub struct RootSpec {
    /// Its name.
    pub name: RootName,
    /// Its path.
    pub path: PathBuf,
    /// What counts in it.
    pub rules: Rules,
    /// A file that must be in it.
    pub marker: Option<String>,
    /// Path and rules as one text: when it changes, the inventory is based anew.
    pub basis: String,
    /// Where it lies, if it was found as a mount below a configured root.
    pub within: Option<Within>,
}

impl RootSpec {
    pub(super) fn title(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// What is known of a root in this run.
#[derive(Debug)]
pub(super) struct RootRun {
    pub(super) spec: RootSpec,
    pub(super) title: String,
    /// The first walk only learns.
    pub(super) baseline: bool,
    /// Whether a report was not believed: its root must be walked again when it is.
    pub(super) missed: bool,
    /// Whether a walk was completed in this run.
    pub(super) walked: bool,
    /// Whether all of it was compared with what was known: until then a loss may be an old one.
    pub(super) compared: bool,
    /// The last look at its directory, if it went well.
    pub(super) seen: bool,
    pub(super) looked: bool,
    pub(super) directories: u64,
    pub(super) files: u64,
    pub(super) watched: u64,
    /// Why not all directories are watched.
    pub(super) watch_note: Option<String>,
    /// Directories that can't be listed.
    pub(super) unseen: Vec<(RelPath, String)>,
    pub(super) unseen_more: usize,
    /// Directories on another file system than before.
    pub(super) foreign: BTreeSet<RelPath>,
}

impl RootRun {
    /// Whether it has neither been walked in this run nor was found to be in no state for it.
    pub(super) fn is_awaited(&self) -> bool {
        !self.walked && (!self.looked || self.seen)
    }
}

impl RootRun {
    /// Keeps the directories that can't be concluded from up to date by what was applied.
    pub(super) fn note_foreign(&mut self, applied: &Applied) {
        for dir in &applied.native {
            self.foreign.remove(dir);
        }
        self.foreign.extend(applied.foreign.iter().cloned());
    }
}

impl<S: Storage, R: Record> Engine<S, R> {
    /// Takes over the configured roots; says which of them need a new watcher.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn configure(
        &mut self,
        now: Now,
        specs: Vec<RootSpec>,
    ) -> Result<Vec<RootName>, StoreError> {
        let mut changed = Vec::new();
        let names: BTreeSet<RootName> = specs.iter().map(|spec| spec.name.clone()).collect();
        let gone: Vec<RootName> =
            self.core.roots().keys().filter(|name| !names.contains(*name)).cloned().collect();
        for name in gone {
            self.core.remove_root(now, &name);
            self.roots.remove(&name);
            self.batch.dropped_roots.push(name);
        }
        for spec in specs {
            let known = self.core.roots().get(&spec.name).map(|root| root.state.basis.clone());
            let forget =
                known.as_deref().is_some_and(|known| path_of(known) != path_of(&spec.basis));
            if forget {
                self.batch.dropped_roots.push(spec.name.clone());
            }
            self.core.configure_root(now, &spec.name, &spec.basis, forget);
            let same = known.as_deref() == Some(&*spec.basis);
            if known.is_some() && !same && !forget {
                self.hunt_anew(now, &spec.name);
            }
            let running = self.roots.get(&spec.name);
            if same && running.is_some_and(|run| run.spec.marker == spec.marker) {
                continue;
            }
            let adopted =
                self.core.roots().get(&spec.name).is_some_and(|root| root.state.identity.is_some());
            changed.push(spec.name.clone());
            let title = spec.title();
            // A dropped root is not gone from the store yet.
            let (directories, files) = if adopted { self.store.count(&spec.name)? } else { (0, 0) };
            let run = RootRun {
                spec,
                title,
                baseline: !adopted,
                missed: false,
                walked: false,
                compared: false,
                seen: false,
                looked: false,
                directories,
                files,
                watched: 0,
                watch_note: None,
                unseen: Vec::new(),
                unseen_more: 0,
                foreign: BTreeSet::new(),
            };
            self.core.handle_count(now, &run.spec.name, run.files, 0, 0);
            self.roots.insert(run.spec.name.clone(), run);
        }
        Ok(changed)
    }

    /// The roots that can be looked at, whether they are believed or not: a look can end a doubt.
    #[must_use]
    pub fn readable_roots(&self) -> Vec<RootName> {
        let reads = |name: &RootName| {
            let health = self.health(name);
            matches!(health, Some(Health::Online | Health::Suspect | Health::Waiting))
        };
        let seen = self.roots.iter().filter(|(name, run)| run.seen && reads(name));
        seen.map(|(name, _)| name.clone()).collect()
    }

    /// Whether each root has been walked, or was found to be in no state for it.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        !self.roots.values().any(RootRun::is_awaited)
    }

    pub(super) fn health(&self, root: &RootName) -> Option<Health> {
        self.core.roots().get(root).map(|root| root.health)
    }

    /// Why a root must not be looked into now.
    pub(super) fn why_dark(&self, root: &RootName) -> Option<String> {
        let state = self.core.roots().get(root)?;
        let dark =
            !matches!(state.health, Health::Online | Health::Waiting) || state.state.is_retired();
        dark.then(|| format!("root {root} is {}: {}", state.health, state.reason))
    }

    /// A person accepts a root as it is now. Answers why not, if not.
    ///
    /// # Errors
    /// When the store can't be written.
    pub fn accept(&mut self, now: Now, root: &RootName) -> Result<Result<(), String>, StoreError> {
        if !self.core.can_accept(root) {
            return Ok(Err(self.why_not_accept(root)));
        }
        if let Err(error) = self.recorder.record_verb("accept", root.as_str(), now.wall) {
            return Ok(Err(format!("{error:#}")));
        }
        if self.core.can_absorb(root) {
            self.absorb(now, root)?;
            self.commit(now)?;
            return Ok(Ok(()));
        }
        let before = self.file_system(root);
        self.core.accept(now, root);
        self.carry_over(root, before)?;
        self.orders.push(Order::Rescan(root.clone()));
        self.commit(now)?;
        Ok(Ok(()))
    }

    /// The file system that a root was adopted on.
    pub(super) fn file_system(&self, root: &RootName) -> Option<FsId> {
        let state = &self.core.roots().get(root)?.state;
        state.identity.as_ref().map(Identity::file_system)
    }

    /// Forgets the records of a root that are not of a file system. Nothing was alive in them: the
    /// root was not adopted.
    pub(super) fn forget_other_file_systems(
        &mut self,
        root: &RootName,
        fs: FsId,
    ) -> Result<(), StoreError> {
        let mut others = Vec::new();
        self.store.within(root, &RelPath::root(), &mut |dir, record| {
            if record.fs != fs {
                others.push((root.clone(), dir, None));
            }
            ControlFlow::Continue(())
        })?;
        let batch = Batch { directories: others, ..Batch::default() };
        self.store.commit(&batch, Durability::Soon)
    }

    /// If the file system of a root has another name now, because a person accepted another one or
    /// its UUID became known: what was known to lie on the one `before` is looked for on this one.
    pub(super) fn carry_over(
        &mut self,
        root: &RootName,
        before: Option<FsId>,
    ) -> Result<(), StoreError> {
        let names = before.zip(self.file_system(root));
        let Some((before, after)) = names.filter(|(before, after)| before != after) else {
            return Ok(());
        };
        let mut carried = Vec::new();
        self.store.within(root, &RelPath::root(), &mut |dir, record| {
            if record.fs == before {
                let record = Directory { fs: after, ..record };
                carried.push((root.clone(), dir, Some(record)));
            }
            ControlFlow::Continue(())
        })?;
        let batch = Batch { directories: carried, ..Batch::default() };
        self.store.commit(&batch, Durability::Flushed)
    }

    /// Why there is nothing to accept about a root.
    pub(super) fn why_not_accept(&self, root: &RootName) -> String {
        match self.core.roots().get(root) {
            Some(state) => format!(
                "root {root} is {}: {}; only a root that is suspect, or another than it was, can be \
                 accepted",
                state.health, state.reason
            ),
            None => {
                let roots: Vec<&str> = self.roots.keys().map(RootName::as_str).collect();
                format!("there is no root {root}; there are: {}", roots.join(", "))
            }
        }
    }

    /// A walk goes on; how many directories there are is known when it is over.
    pub fn walking(&mut self, root: &RootName, so_far: u64) {
        if let Some(run) = self.roots.get_mut(root).filter(|run| !run.walked) {
            run.directories = so_far;
        }
    }

    /// A walk is over: every directory that can be reached has been listed.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn walked(
        &mut self,
        now: Now,
        root: &RootName,
        directories: u64,
        files: u64,
    ) -> Result<(), StoreError> {
        let health = self.health(root);
        let reads = matches!(health, Some(Health::Online | Health::Suspect | Health::Waiting));
        if let Some(run) = self.roots.get_mut(root) {
            run.walked = true;
            // What else can be walked at its place, an empty mount point or another disk, says
            // nothing of how much is in it.
            if reads {
                run.directories = directories;
                let is_whole = run.unseen.is_empty() && run.foreign.is_empty();
                run.files = if is_whole { files } else { self.store.count(root)?.1 };
            }
            // Until it is adopted, each walk may be of another disk.
            let adopted =
                self.core.roots().get(root).is_some_and(|root| root.state.identity.is_some());
            run.compared |= reads && adopted;
            if reads && adopted && std::mem::take(&mut run.baseline) {
                self.core.learned(now, root);
                self.newcomers.clear();
            }
        }
        self.core.handle_walked(root);
        self.moves.caught_up(root);
        self.hunt(now, true);
        self.revive(now, root)
    }

    /// What counts as dead and lies in the inventory lives: a state that was put together from a
    /// store and a ledger of different age can say so.
    fn revive(&mut self, now: Now, root: &RootName) -> Result<(), StoreError> {
        for item in self.core.closed_items() {
            for title in self.store.titles(&item.match_keys())? {
                let (place, known) = (&title.place, Stored { root, inventory: &*self.store });
                if place.root == *root && title.item.key() == item.key() {
                    let here = if place.loose {
                        let record = known.folder(&place.folder).unwrap_or_default();
                        record.files.iter().any(|file| is_loose_file_of(&item, &file.name))
                    } else {
                        known.has_media_below(&place.folder)
                    };
                    if here {
                        let seen = Observation::Seen { item: item.clone(), files: Vec::new() };
                        self.core.handle_observation(now, seen);
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether each directory of a root is watched.
    pub(super) fn hears_all(&self, root: &RootName) -> bool {
        // What can't be listed can't be watched, and is held against every loss by itself.
        let unseen = |run: &RootRun| (run.unseen.len() + run.unseen_more) as u64;
        self.roots
            .get(root)
            .is_some_and(|run| run.watched.saturating_add(unseen(run)) >= run.directories)
    }

    /// How much of a root is watched.
    pub fn watching(&mut self, root: &RootName, known: u64, watched: u64, why_not: Option<String>) {
        if let Some(run) = self.roots.get_mut(root) {
            run.directories = known;
            run.watched = watched;
            run.watch_note = why_not;
        }
    }

    /// The directories that can't be listed now, over all roots.
    pub(super) fn all_unseen(&self) -> Unseen {
        let mut all = Unseen::default();
        for (name, run) in &self.roots {
            let dirs = run.unseen.iter();
            all.dirs.extend(
                dirs.map(|(dir, why)| (FilePath::new(name.clone(), dir.clone()), why.clone())),
            );
            all.more += run.unseen_more;
        }
        all
    }

    /// The directories that can't be listed now.
    pub fn unseen(&mut self, now: Now, root: &RootName, dirs: Vec<(RelPath, String)>, more: usize) {
        if let Some(run) = self.roots.get_mut(root) {
            run.unseen = dirs;
            run.unseen_more = more;
        }
        // What can be listed only now was not looked through.
        self.hunt_anew(now, root);
    }
}

/// The first line of a basis is the path.
fn path_of(basis: &str) -> &str {
    basis.lines().next().unwrap_or_default()
}
