//! Watchers on real directories, with an inventory in memory that takes reports as the daemon does.

mod live;
mod lost;
mod odd;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{Receiver, channel};

use super::*;
use crate::clock::SystemClock;
use crate::domain::shown;
use crate::inventory::{Directory, InventoryError, compare};

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, Default)]
struct Memory(RwLock<BTreeMap<Vec<u8>, Directory>>);

impl Inventory for Memory {
    fn directory(&self, _: &RootName, dir: &RelPath) -> Result<Option<Directory>, InventoryError> {
        Ok(self.0.read().unwrap().get(dir.as_bytes()).cloned())
    }

    fn within(
        &self,
        _: &RootName,
        _: &RelPath,
        _: &mut dyn FnMut(RelPath, Directory) -> ControlFlow<()>,
    ) -> Result<(), InventoryError> {
        Ok(())
    }
}

impl Memory {
    fn files(&self) -> BTreeSet<String> {
        let records = self.0.read().unwrap();
        let files = records.iter().flat_map(|(dir, record)| {
            let dir = RelPath::parse(dir).unwrap();
            let of = |file: &crate::inventory::Media| shown(dir.join(&file.name).as_bytes());
            record.files.iter().map(of).collect::<Vec<_>>()
        });
        files.collect()
    }

    /// Applies a listing as the daemon does; gives the files lost and found.
    fn apply(&self, listing: &Listing) -> (Vec<String>, Vec<String>) {
        let mut records = self.0.write().unwrap();
        let known = records.get(listing.dir.as_bytes()).cloned();
        let Ok(result) = compare(known.as_ref(), listing) else { return Default::default() };
        let path = |name: &[u8]| shown(listing.dir.join(name).as_bytes());
        let mut lost: Vec<String> = result.lost.iter().map(|file| path(&file.name)).collect();
        let found = result.found.iter().map(|file| path(&file.name)).collect();
        for gone in &result.lost_dirs {
            let gone = listing.dir.join(gone);
            records.retain(|dir, record| {
                let dir = RelPath::parse(dir).unwrap();
                let stays = !dir.is_within(&gone);
                if !stays {
                    let names = record.files.iter().map(|f| shown(dir.join(&f.name).as_bytes()));
                    lost.extend(names);
                }
                stays
            });
        }
        records.insert(listing.dir.as_bytes().to_vec(), result.next);
        (lost, found)
    }
}

/// One watched root.
struct World {
    outer: TempDir,
    root: PathBuf,
    inventory: Arc<Memory>,
    instances: Arc<Instances>,
    handle: Handle,
    runtime: Runtime,
    reports: Receiver<(RootName, u64, Report)>,
    token: u64,
    /// Whether listings are only collected, as by a receiver that is slow.
    holds: bool,
    held: Vec<Report>,
    lost: Vec<String>,
    found: Vec<String>,
    moves: Vec<Move>,
    /// Listings sent.
    listed: usize,
    /// All other reports.
    said: Vec<Report>,
}

impl World {
    /// Watches a new root after `fill` has put something into it, and waits for the first walk.
    fn new(fill: impl FnOnce(&Path)) -> Self {
        Self::with(96, fill)
    }

    fn with(instances: usize, fill: impl FnOnce(&Path)) -> Self {
        let outer = tempfile::tempdir().unwrap();
        let root = outer.path().join("root");
        fs::create_dir(&root).unwrap();
        fill(&root);
        let inventory = Arc::new(Memory::default());
        let instances = Instances::new(instances);
        let (handle, reports) = watch(&root, outer.path(), &inventory, &instances);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let mut world = Self {
            outer,
            root,
            inventory,
            instances,
            handle,
            runtime,
            reports,
            token: 0,
            holds: false,
            held: vec![],
            lost: vec![],
            found: vec![],
            moves: vec![],
            listed: 0,
            said: vec![],
        };
        world.until("the first walk", |world| world.walks() == 1);
        world.found.clear();
        world.listed = 0;
        world
    }

    /// Stops the watcher, lets `meanwhile` happen, starts another one.
    fn restart(&mut self, meanwhile: impl FnOnce(&Path)) {
        self.stop();
        meanwhile(&self.root);
        (self.handle, self.reports) =
            watch(&self.root, self.outer.path(), &self.inventory, &self.instances);
        self.said.clear();
        self.until("the walk at start", |world| world.walks() == 1);
    }

    fn stop(&mut self) {
        self.handle.stop();
        assert!(self.handle.join(Duration::from_secs(1)), "it did not stop");
    }

    fn next(&mut self) -> Option<Report> {
        let next = self.reports.recv();
        let next = self.runtime.block_on(async { tokio::time::timeout(PATIENCE, next).await });
        next.ok().flatten().map(|(_, _, report)| report)
    }

    fn until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        while !done(self) {
            let report = self.next().unwrap_or_else(|| panic!("never: {what}; {:?}", self.said));
            self.take(report);
        }
    }

    fn take(&mut self, report: Report) {
        let Report::Listed { seq, listings, moves, .. } = &report else {
            // When a walk began is not to be compared.
            self.said.push(match report {
                Report::Walked { walk, directories, files, asked, .. } => {
                    Report::Walked { walk, directories, files, asked, began: Duration::ZERO }
                }
                other => other,
            });
            return;
        };
        if self.holds {
            self.held.push(report);
            return;
        }
        self.listed += listings.len();
        for listing in listings {
            let (lost, found) = self.inventory.apply(listing);
            self.lost.extend(lost);
            self.found.extend(found);
        }
        self.moves.extend(moves.iter().cloned());
        self.handle.applied(*seq);
    }

    fn release(&mut self) {
        self.holds = false;
        for report in std::mem::take(&mut self.held) {
            self.take(report);
        }
    }

    fn walks(&self) -> usize {
        self.said.iter().filter(|report| matches!(report, Report::Walked { .. })).count()
    }

    /// Asks for everything that happened until now.
    fn sync(&mut self) {
        self.token += 1;
        let token = self.token;
        self.handle.sync(token);
        let answer =
            |report: &Report| matches!(report, Report::Synced { token: t, .. } if *t == token);
        self.until("an answer", |world| world.said.iter().any(answer));
        let last = self.said.iter().find(|report| answer(report)).unwrap();
        assert!(matches!(last, Report::Synced { current: true, .. }), "{last:?}");
    }

    /// The inventory is what is on disk.
    fn agrees(&self) {
        assert_eq!(self.inventory.files(), on_disk(&self.root));
    }

    fn lost_sorted(&mut self) -> Vec<String> {
        self.lost.sort();
        std::mem::take(&mut self.lost)
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }
}

fn watch(
    root: &Path,
    outer: &Path,
    inventory: &Arc<Memory>,
    instances: &Arc<Instances>,
) -> (Handle, Receiver<(RootName, u64, Report)>) {
    let watched = WatchedRoot {
        name: RootName::parse("movies").unwrap(),
        path: root.to_path_buf(),
        rules: Rules::new(["mkv"], [".*"]),
        marker: None,
        quiet: Duration::from_millis(150),
        rescan: Duration::from_secs(3_600),
        rescan_remote: Duration::from_secs(900),
        is_inner: false,
        inner: Vec::new(),
        generation: 1,
    };
    let (sender, reports) = channel(64);
    let (host, clock) = (Arc::new(Host::new().unwrap()), Arc::new(SystemClock::new()));
    let cookies = outer.join("cookies");
    let inventory: Arc<dyn Inventory> = Arc::<Memory>::clone(inventory);
    let instances = Arc::clone(instances);
    let handle = start(watched, host, inventory, sender, clock, &cookies, instances).unwrap();
    (handle, reports)
}

fn on_disk(root: &Path) -> BTreeSet<String> {
    let (mut files, mut dirs) = (BTreeSet::new(), vec![root.to_path_buf()]);
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(&dir).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                dirs.push(entry.path());
            } else if entry.file_name().as_bytes().to_ascii_lowercase().ends_with(b".mkv") {
                let path = entry.path();
                let rel = path.strip_prefix(root).unwrap();
                files.insert(shown(rel.as_os_str().as_bytes()));
            }
        }
    }
    files
}

/// `title 1 … title N`, each a folder with one film.
fn films(root: &Path, number: usize) {
    for n in 0..number {
        let dir = root.join(format!("film {n:05} (2001)"));
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("film.mkv"), "").unwrap();
    }
}

fn write(path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, "").unwrap();
}
