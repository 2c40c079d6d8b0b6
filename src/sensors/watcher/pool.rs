//! The notify watchers of one root, and which directory is watched by which.
//!
//! notify's clean-up after a removed directory looks at all watches of one watcher, so directories
//! are dealt out over many, each with its own kernel queue. notify believes its own table: asked to
//! watch a path it already has, it does nothing, even when the directory there is another by now.
//! So a path whose watch became void is taken out of notify's table before it is watched again.
//!
//! Must never watch a directory of another root, and never count one as watched that may not be.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::Sender;

use notify::{Config, ErrorKind, Event, INotifyWatcher, RecursiveMode, Watcher};

use super::known::{Known, UNWATCHED};
use super::limits::no_more;
use super::paths::PathMap;
use super::setting::{Job, Part};
use super::{Instances, Message, events};
use crate::domain::RelPath;

/// One watcher for so many directories.
const DIRECTORIES_EACH: usize = 600;
/// As many as there are bits in [`Pool::stale`].
const MOST_WATCHERS: usize = 32;
/// More events than this waiting for us count as lost: memory is bounded, and a walk is cheaper.
const MOST_WAITING: usize = 200_000;
#[derive(Debug)]
pub(super) struct Pool {
    root: PathBuf,
    cookies: PathBuf,
    messages: Sender<Message>,
    instances: Arc<Instances>,
    waiting: Arc<AtomicUsize>,
    choked: Arc<AtomicBool>,
    slots: Vec<Slot>,
    epoch: u32,
    pub(super) known: PathMap<Known>,
    /// Paths in notify's tables whose directories are gone or another, and in which tables: one
    /// bit a watcher.
    stale: HashMap<Box<[u8]>, u32>,
    /// Why not everything can be watched.
    limit: Option<String>,
}

#[derive(Debug)]
struct Slot {
    watcher: Option<INotifyWatcher>,
    epoch: u32,
    load: usize,
}

impl Pool {
    pub(super) fn new(
        root: &Path,
        cookies: PathBuf,
        messages: Sender<Message>,
        instances: Arc<Instances>,
    ) -> Self {
        Self {
            root: root.components().collect(),
            cookies,
            messages,
            instances,
            waiting: Arc::default(),
            choked: Arc::default(),
            slots: Vec::new(),
            epoch: 0,
            known: PathMap::default(),
            stale: HashMap::new(),
            limit: None,
        }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// One event less is waiting.
    pub(super) fn took_one(&self) {
        if self.waiting.load(Ordering::Relaxed) > 0 {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Whether events were dropped because too many were waiting; which, is not known.
    pub(super) fn was_choked(&self) -> bool {
        self.choked.swap(false, Ordering::Relaxed)
    }

    /// Whether a message comes from a watcher that is still in use.
    pub(super) fn is_current(&self, slot: usize, epoch: u32) -> bool {
        self.slots.get(slot).is_some_and(|s| s.watcher.is_some() && s.epoch == epoch)
    }

    pub(super) fn live_slots(&self) -> Vec<usize> {
        (0..self.slots.len()).filter(|slot| self.slots[*slot].watcher.is_some()).collect()
    }

    /// Tries again what failed for want of watches or instances.
    pub(super) fn forget_limit(&mut self) {
        self.limit = None;
    }

    /// Watches directories that are not watched yet, in bulk.
    pub(super) fn watch(&mut self, dirs: &[RelPath]) {
        let job = self.prepare(dirs);
        self.finish(job.run());
    }

    pub(super) fn is_watched(&self, dir: &RelPath) -> bool {
        self.known.get(dir).is_some_and(|known| known.is_watched())
    }

    /// Deals out the directories that are not watched yet. The watchers that get some are away
    /// until [`Pool::finish`].
    pub(super) fn prepare(&mut self, dirs: &[RelPath]) -> Job {
        let wanted: Vec<&RelPath> = dirs.iter().filter(|dir| !self.is_watched(dir)).collect();
        if wanted.is_empty() {
            return Job::default();
        }
        self.grow(self.known.len() + wanted.len());
        let mut dealt: Vec<Vec<RelPath>> = vec![Vec::new(); self.slots.len()];
        for dir in wanted {
            self.unwatch_stale(dir);
            if self.known.get(dir).is_none() {
                self.known.insert(dir, Known { slot: UNWATCHED, walk: 0 });
            }
            if let Some(slot) = self.choose(dir, &dealt) {
                dealt[slot].push(dir.clone());
            }
        }
        let mut job = Job::default();
        let dealt = dealt.into_iter().enumerate().filter(|(_, dirs)| !dirs.is_empty());
        for (slot, dirs) in dealt.filter(|_| self.limit.is_none()) {
            if let Some(watcher) = self.slots[slot].watcher.take() {
                job.parts.push(Part::new(slot, watcher, &self.root, dirs));
            }
        }
        job
    }

    /// Takes note of the watches that a job has set.
    pub(super) fn finish(&mut self, job: Job) {
        for Part { slot, watcher, dirs, tried, failed, hit_limit, is_lost, .. } in job.parts {
            self.slots[slot].watcher = Some(watcher);
            if hit_limit {
                self.limit = Some(no_more("max_user_watches", "watches"));
            }
            if is_lost {
                self.lose(slot);
                continue;
            }
            for (index, dir) in dirs[..tried].iter().enumerate() {
                if failed.binary_search(&index).is_err() {
                    self.set_watched(slot, dir);
                }
            }
        }
    }

    fn set_watched(&mut self, slot: usize, dir: &RelPath) {
        match self.known.get_mut(dir) {
            Some(known) => {
                known.slot = u8::try_from(slot).unwrap_or(UNWATCHED);
                self.slots[slot].load += 1;
            }
            // It became void meanwhile.
            None => *self.stale.entry(dir.as_bytes().into()).or_default() |= 1 << slot,
        }
    }

    /// The less loaded of two watchers that the path's hash names.
    fn choose(&self, dir: &RelPath, dealt: &[Vec<RelPath>]) -> Option<usize> {
        let live = self.slots.len();
        if live == 0 {
            return None;
        }
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(dir.as_bytes());
        let pick = |hash: u64| usize::try_from(hash % live as u64).unwrap_or(0);
        let load = |slot: usize| match self.slots[slot].watcher {
            Some(_) => self.slots[slot].load + dealt[slot].len(),
            None => usize::MAX,
        };
        let (one, two) = (pick(hash), pick(hash >> 32));
        Some(if load(two) < load(one) { two } else { one })
    }

    /// Takes note of a directory that is there and can't be listed.
    pub(super) fn know(&mut self, dir: &RelPath, walk: u8) {
        match self.known.get_mut(dir) {
            Some(known) => known.walk = walk,
            None => drop(self.known.insert(dir, Known { slot: UNWATCHED, walk })),
        }
    }

    /// The directory at a path, and all below it, may be others now.
    pub(super) fn void(&mut self, dir: &RelPath) {
        for (path, known) in self.known.remove_within(dir) {
            self.release(&path, known);
        }
    }

    /// Drops the directories that the last walk did not come by.
    pub(super) fn keep_only_walk(&mut self, walk: u8) {
        let mut gone = Vec::new();
        self.known.retain(|path, known| {
            let stays = known.walk == walk;
            if !stays {
                gone.push((Box::from(path), *known));
            }
            stays
        });
        for (path, known) in gone {
            self.release(&path, known);
        }
    }

    fn release(&mut self, path: &[u8], known: Known) {
        let Some(slot) = self.slots.get_mut(usize::from(known.slot)) else { return };
        slot.load = slot.load.saturating_sub(1);
        *self.stale.entry(path.into()).or_default() |= 1 << known.slot;
    }

    fn unwatch_stale(&mut self, dir: &RelPath) {
        if let Some(slots) = self.stale.remove(dir.as_bytes()) {
            self.unwatch(dir.as_bytes(), slots);
        }
    }

    fn unwatch(&mut self, path: &[u8], slots: u32) {
        let path = self.root.join(OsStr::from_bytes(path));
        for (index, slot) in self.slots.iter_mut().enumerate() {
            if slots & 1 << index != 0
                && let Some(watcher) = slot.watcher.as_mut()
            {
                // Mostly the kernel and notify have noticed by themselves: an error is no news.
                drop(watcher.unwatch(&path));
            }
        }
    }

    /// Takes some void paths out of notify's tables; whether there are more.
    pub(super) fn tidy(&mut self) -> bool {
        let some: Vec<Box<[u8]>> = self.stale.keys().take(64).cloned().collect();
        for path in some {
            if let Some(slots) = self.stale.remove(&path) {
                self.unwatch(&path, slots);
            }
        }
        !self.stale.is_empty()
    }

    /// Waits until each watcher has handed over what the kernel has for it.
    pub(super) fn drain(&mut self) {
        for slot in &mut self.slots {
            let Some(watcher) = slot.watcher.as_mut() else { continue };
            // The first makes it read, the second comes back when all that was read is with us.
            for _ in 0..2 {
                drop(watcher.update_paths(Vec::new()));
            }
        }
    }

    /// Replaces a watcher whose events were lost: its table can't be believed any more.
    pub(super) fn replace(&mut self, slot: usize) {
        self.forget_slot(slot);
        self.slots[slot].watcher = None;
        self.instances.give_back();
        self.open(slot);
    }

    /// Forgets all watches.
    pub(super) fn reset(&mut self) {
        for slot in self.slots.drain(..).filter(|slot| slot.watcher.is_some()) {
            drop(slot);
            self.instances.give_back();
        }
        self.known.clear();
        self.stale.clear();
        self.limit = None;
    }

    /// A watcher whose thread has ended can't even be dropped.
    fn lose(&mut self, slot: usize) {
        if let Some(watcher) = self.slots[slot].watcher.take() {
            std::mem::forget(watcher);
            self.instances.give_back();
        }
        self.forget_slot(slot);
        self.open(slot);
        self.choked.store(true, Ordering::Relaxed);
    }

    fn forget_slot(&mut self, slot: usize) {
        self.known.retain(|_, known| usize::from(known.slot) != slot);
        self.stale.retain(|_, slots| {
            *slots &= !(1 << slot);
            *slots != 0
        });
        self.slots[slot].load = 0;
    }

    fn grow(&mut self, directories: usize) {
        let wanted = (directories / DIRECTORIES_EACH + 1).min(MOST_WATCHERS);
        while self.slots.len() < wanted && self.limit.is_none() {
            let slot = self.slots.len();
            self.slots.push(Slot { watcher: None, epoch: 0, load: 0 });
            if !self.open(slot) {
                self.slots.pop();
                return;
            }
        }
    }

    fn open(&mut self, slot: usize) -> bool {
        if !self.instances.take() {
            if self.live_slots().is_empty() {
                self.limit =
                    Some("too many roots: no inotify instance is left for this one".to_owned());
            }
            return false;
        }
        self.epoch += 1;
        let epoch = self.epoch;
        let messages = self.messages.clone();
        let (waiting, choked) = (Arc::clone(&self.waiting), Arc::clone(&self.choked));
        let handler = move |event: notify::Result<Event>| {
            if waiting.fetch_add(1, Ordering::Relaxed) > MOST_WAITING {
                waiting.fetch_sub(1, Ordering::Relaxed);
                choked.store(true, Ordering::Relaxed);
                return;
            }
            drop(messages.send(Message::Notify { slot, epoch, event }));
        };
        let config =
            Config::default().with_event_kinds(events::kinds()).with_follow_symlinks(false);
        let opened = INotifyWatcher::new(handler, config).and_then(|mut watcher| {
            watcher.watch(&self.cookies, RecursiveMode::NonRecursive)?;
            Ok(watcher)
        });
        match opened {
            Ok(watcher) => {
                self.slots[slot] = Slot { watcher: Some(watcher), epoch, load: 0 };
                true
            }
            Err(error) => {
                self.instances.give_back();
                if self.live_slots().is_empty() {
                    self.limit = Some(match error.kind {
                        ErrorKind::MaxFilesWatch => no_more("max_user_watches", "watches"),
                        ErrorKind::Io(error) if error.raw_os_error() == Some(24) => {
                            no_more("max_user_instances", "instances")
                        }
                        other => format!("inotify can't be used: {other:?}"),
                    });
                }
                false
            }
        }
    }

    /// Known and watched directories, and why not all are.
    pub(super) fn count(&self) -> (u64, u64, Option<&str>) {
        let watched: usize = self.slots.iter().map(|slot| slot.load).sum();
        (self.known.len() as u64, watched as u64, self.limit.as_deref())
    }

    /// Directories that are known and not watched.
    pub(super) fn unwatched(&self) -> impl Iterator<Item = &[u8]> {
        let (known, watched, _) = self.count();
        let any = watched < known;
        let all = self.known.iter().filter(move |(_, known)| any && !known.is_watched());
        all.map(|(path, _)| path)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.reset();
    }
}
