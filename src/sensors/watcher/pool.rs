//! The notify watchers of one root, and which directory is watched by which.
//!
//! notify's clean-up after a removed directory looks at all watches of one watcher, so directories
//! are dealt out over many, each with its own kernel queue. notify believes its own table: asked to
//! watch a path it already has, it does nothing, even when the directory there is another by now.
//! So a path whose watch became void is taken out of notify's table before it is watched again.
//!
//! Must never watch a directory of another root, and never count one as watched that may not be.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::Sender;

use notify::{
    Config, ErrorKind, Event, INotifyWatcher, PathOp, RecursiveMode, WatchPathConfig, Watcher,
};

use super::limits::no_more;
use super::paths::PathMap;
use super::{Instances, Message, events};
use crate::domain::RelPath;

/// One watcher for so many directories.
const DIRECTORIES_EACH: usize = 600;
const MOST_WATCHERS: usize = 32;
/// More events than this waiting for us count as lost: memory is bounded, and a walk is cheaper.
const MOST_WAITING: usize = 200_000;
/// The mark of a directory that is known and not watched.
const UNWATCHED: u8 = u8::MAX;

/// What is known of a directory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    slot: u8,
    /// The last walk that came by.
    pub(super) walk: u8,
}

impl Known {
    pub(super) fn is_watched(self) -> bool {
        self.slot != UNWATCHED
    }
}

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
    /// Paths in notify's tables whose directories are gone or another.
    stale: HashMap<Box<[u8]>, u8>,
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
    pub(super) fn watch(&mut self, dirs: &[RelPath], expected: usize) {
        let needed = |dir: &&RelPath| self.known.get(dir).is_none_or(|known| !known.is_watched());
        let wanted: Vec<&RelPath> = dirs.iter().filter(needed).collect();
        if wanted.is_empty() {
            return;
        }
        self.grow(expected.max(self.known.len() + wanted.len()));
        let mut dealt: Vec<Vec<&RelPath>> = vec![Vec::new(); self.slots.len()];
        for dir in wanted {
            self.unwatch_stale(dir);
            if self.known.get(dir).is_none() {
                self.known.insert(dir, Known { slot: UNWATCHED, walk: 0 });
            }
            if let Some(slot) = self.choose(dir, &dealt) {
                dealt[slot].push(dir);
            }
        }
        for (slot, dirs) in dealt.into_iter().enumerate() {
            self.watch_with(slot, &dirs);
        }
    }

    fn watch_with(&mut self, slot: usize, dirs: &[&RelPath]) {
        let mut ops: Vec<PathOp> = dirs.iter().map(|dir| self.op(dir)).collect();
        let mut begin = 0;
        while begin < dirs.len() && self.limit.is_none() {
            let Some(watcher) = self.slots[slot].watcher.as_mut() else { return };
            let Err(error) = watcher.update_paths(std::mem::take(&mut ops)) else {
                self.set_watched(slot, &dirs[begin..]);
                return;
            };
            if error.origin.is_none() {
                self.lose(slot);
                return;
            }
            let end = dirs.len() - error.remaining.len() - 1;
            self.set_watched(slot, &dirs[begin..end]);
            if matches!(error.source.kind, ErrorKind::MaxFilesWatch) {
                self.limit = Some(no_more("max_user_watches", "watches"));
            }
            (begin, ops) = (end + 1, error.remaining);
        }
    }

    fn op(&self, dir: &RelPath) -> PathOp {
        // The root may be configured as a link; below it none is followed.
        let config = WatchPathConfig::new(RecursiveMode::NonRecursive)
            .with_dereference_symlinks(dir.is_root());
        PathOp::Watch(dir.under(&self.root), config)
    }

    fn set_watched(&mut self, slot: usize, dirs: &[&RelPath]) {
        for dir in dirs {
            if let Some(known) = self.known.get_mut(dir) {
                known.slot = u8::try_from(slot).unwrap_or(UNWATCHED);
                self.slots[slot].load += 1;
            }
        }
    }

    /// The less loaded of two watchers that the path's hash names.
    fn choose(&self, dir: &RelPath, dealt: &[Vec<&RelPath>]) -> Option<usize> {
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
        if let Some(other) = self.stale.insert(path.into(), known.slot)
            && other != known.slot
        {
            self.unwatch(path, other);
        }
    }

    fn unwatch_stale(&mut self, dir: &RelPath) {
        if let Some(slot) = self.stale.remove(dir.as_bytes()) {
            self.unwatch(dir.as_bytes(), slot);
        }
    }

    fn unwatch(&mut self, path: &[u8], slot: u8) {
        let path = self.root.join(std::ffi::OsStr::from_bytes(path));
        let slot = self.slots.get_mut(usize::from(slot));
        if let Some(watcher) = slot.and_then(|slot| slot.watcher.as_mut()) {
            // Mostly the kernel and notify have noticed by themselves: an error is no news.
            drop(watcher.unwatch(&path));
        }
    }

    /// Takes some void paths out of notify's tables; whether there are more.
    pub(super) fn tidy(&mut self) -> bool {
        let some: Vec<Box<[u8]>> = self.stale.keys().take(64).cloned().collect();
        for path in some {
            if let Some(slot) = self.stale.remove(&path) {
                self.unwatch(&path, slot);
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
        self.stale.retain(|_, stale| usize::from(*stale) != slot);
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
