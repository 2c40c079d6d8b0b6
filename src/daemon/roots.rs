//! The roots of the engine: what is configured, and what is known of each in this run.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::engine::{Engine, Record};
use crate::domain::{Now, RelPath, RootName};
use crate::inventory::Rules;
use crate::store::Storage;

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

impl<S: Storage, R: Record> Engine<S, R> {
    /// Takes over the configured roots; says which of them need a new watcher.
    pub fn configure(&mut self, now: Now, specs: Vec<RootSpec>) -> Vec<RootName> {
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
            let running = self.roots.get(&spec.name);
            if same && running.is_some_and(|run| run.spec.marker == spec.marker) {
                continue;
            }
            let adopted =
                self.core.roots().get(&spec.name).is_some_and(|root| root.state.identity.is_some());
            changed.push(spec.name.clone());
            let title = spec.title();
            let run = RootRun {
                spec,
                title,
                baseline: !adopted,
                missed: false,
                walked: false,
                seen: false,
                looked: false,
                directories: 0,
                files: 0,
                watched: 0,
                watch_note: None,
                unseen: Vec::new(),
                unseen_more: 0,
                foreign: BTreeSet::new(),
            };
            self.roots.insert(run.spec.name.clone(), run);
        }
        changed
    }

    /// A walk goes on; how many directories there are is known when it is over.
    pub fn walking(&mut self, root: &RootName, so_far: u64) {
        if let Some(run) = self.roots.get_mut(root).filter(|run| !run.walked) {
            run.directories = so_far;
        }
    }

    /// A walk is over: every directory that can be reached has been listed.
    pub fn walked(&mut self, root: &RootName, directories: u64, files: u64) {
        if let Some(run) = self.roots.get_mut(root) {
            run.walked = true;
            run.baseline = false;
            run.directories = directories;
            run.files = files;
        }
    }

    /// How much of a root is watched.
    pub fn watching(&mut self, root: &RootName, known: u64, watched: u64, why_not: Option<String>) {
        if let Some(run) = self.roots.get_mut(root) {
            run.directories = known;
            run.watched = watched;
            run.watch_note = why_not;
        }
    }

    /// The directories that can't be listed now.
    pub fn unseen(&mut self, root: &RootName, dirs: Vec<(RelPath, String)>, more: usize) {
        if let Some(run) = self.roots.get_mut(root) {
            run.unseen = dirs;
            run.unseen_more = more;
        }
    }
}

/// The first line of a basis is the path.
fn path_of(basis: &str) -> &str {
    basis.lines().next().unwrap_or_default()
}
