//! Watches roots: says which directories no longer are what the inventory says.
//!
//! The truth is a directory listing compared with the inventory, never an event. An event only
//! marks a directory dirty; after a quiet moment it is listed. Live events, lost events, a new
//! mount, downtime and the timer all end in the same listing and the same comparison.
//!
//! One thread per root owns everything about that root: its notify watchers, its marks, its walks.
//! A disk that hangs holds up its own root only. It looks at the root before and after each batch
//! of listings and sends the batch only when both looks saw the same directory of the same mount.
//!
//! ```text
//! kernel ─► notify watchers ─► events ─► dirty ─┐
//!                 ▲                             ├─► batch: look, watch, list, compare, look ─► Report
//!                 └───── pool ◄── walk ─────────┘
//! ```
//!
//! Invariants:
//! - a directory is watched before it is listed, and listed after each change that its watch tells;
//! - a directory that is not among the known ones is watched and listed when its parent is listed;
//! - a listing is left out only when the inventory says the same and no batch that could change
//!   its record is still under way;
//! - [`Report::Synced`] comes behind the listings of everything that happened before the question.
//!
//! Must never decide anything, never write below a root, never turn a directory that can't be read
//! into an empty one, and never do work on notify's threads.

mod actor;
mod batch;
mod cookie;
mod dirty;
mod elsewhere;
mod events;
mod flight;
mod known;
mod limits;
mod paths;
mod pool;
mod setting;
mod sync;
mod unseen;
mod walk;

#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::disk::Host;
use crate::domain::{Identity, RelPath, RootLook, RootName};
use crate::inventory::{Inventory, Lay, Listing, Rules};

/// A root to watch.
#[derive(Debug, Clone)]
pub struct WatchedRoot {
    /// Its name.
    pub name: RootName,
    /// Its directory.
    pub path: PathBuf,
    /// Which names in it are media.
    pub rules: Rules,
    /// A file that must be in it.
    pub marker: Option<String>,
    /// How long a directory must be quiet before it is listed.
    pub quiet: Duration,
    /// How often all of it is listed anew.
    pub rescan: Duration,
    /// The same where not every change gives an event.
    pub rescan_remote: Duration,
    /// Whether it was found as a mount below another root: without the mount it is not there.
    pub is_inner: bool,
    /// Where other roots are known below it, mounted or not.
    pub inner: Vec<RelPath>,
    /// Goes up with each reload, so that reports of an earlier watcher can be told.
    pub generation: u64,
}

/// Why a whole root is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Walk {
    /// The daemon has started: what is found missing went while it was not there.
    Start,
    /// While it runs.
    Rescan {
        /// Why.
        why: Why,
    },
}

/// Why a root is listed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It was time.
    Timer,
    /// Events were lost.
    Overflow,
    /// Someone asked.
    Requested,
    /// The root is back.
    Recovered,
    /// Watches were lost, or could not be set.
    LostWatches,
}

/// One half of a rename, as the kernel told it. Halves belong together by their cookie, across
/// roots too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// The kernel's cookie.
    pub cookie: usize,
    /// The old or the new path.
    pub path: RelPath,
    /// Whether it is the new one.
    pub to: bool,
}

/// What a watcher says. Reports of one root come in order.
#[derive(Debug, Clone, PartialEq)]
pub enum Report {
    /// How the root's own directory is: at first, and whenever that changes.
    Root {
        /// The look.
        look: RootLook,
    },
    /// Directories that are not what the inventory says, or whose record is still on its way.
    Listed {
        /// The number of the batch, for [`Handle::applied`].
        seq: u64,
        /// What the root was, before and after.
        identity: Identity,
        /// The directories. May be empty when there are only moves to tell.
        listings: Vec<Listing>,
        /// On which branches of a pool their files lie, where that is not as the inventory says.
        lays: Vec<(RelPath, Lay)>,
        /// Halves of renames not told before.
        moves: Vec<Move>,
        /// The walk that the listings belong to, if any.
        walk: Option<Walk>,
    },
    /// A walk goes on; sent from time to time.
    Walking {
        /// Directories listed so far.
        directories: u64,
    },
    /// A walk is complete: every directory that can be reached was listed.
    Walked {
        /// Which.
        walk: Walk,
        /// Directories listed.
        directories: u64,
        /// Media files in them.
        files: u64,
        /// The last number of a [`Handle::check`] that was asked for before it began.
        asked: u64,
        /// When it began, by the monotonic clock.
        began: Duration,
    },
    /// What is mounted below the root and can hold media: at first, and whenever that changes.
    Mounts {
        /// The mount points.
        roots: Vec<RelPath>,
    },
    /// How much of the root is watched; sent when that changes.
    Watching {
        /// Directories known.
        directories: u64,
        /// Of these, watched.
        watched: u64,
        /// For people: why not all, and what would help.
        why_not: Option<String>,
    },
    /// The directories that can't be listed now, all of them; sent when that changes.
    Unseen {
        /// The first of them, and why.
        dirs: Vec<(RelPath, String)>,
        /// How many more there are.
        more: usize,
    },
    /// Events were lost; a walk follows.
    Overflowed,
    /// Answers [`Handle::sync`].
    Synced {
        /// The number given with the question.
        token: u64,
        /// Whether everything that happened before the question has been listed and sent.
        current: bool,
        /// Why not.
        why: String,
    },
    /// The watcher was stopped.
    Stopped,
    /// The watcher has ended by itself.
    Failed {
        /// Why.
        why: String,
    },
}

/// Where reports go: the root, its generation, the report.
pub type Reports = tokio::sync::mpsc::Sender<(RootName, u64, Report)>;

/// The inotify instances that all watchers of this process may have together. The kernel's limit
/// is 128 for all programs of one user.
#[derive(Debug)]
pub struct Instances(AtomicUsize);

impl Instances {
    /// Sets the number.
    #[must_use]
    pub fn new(number: usize) -> Arc<Self> {
        Arc::new(Self(AtomicUsize::new(number)))
    }

    fn take(&self) -> bool {
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
            .is_ok()
    }

    fn give_back(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// What reaches a watcher's thread.
#[derive(Debug)]
enum Message {
    Notify { slot: usize, epoch: u32, event: notify::Result<notify::Event> },
    Rescan(Why),
    Check(u64),
    Pace { quiet: Duration, rescan: Duration },
    Sync(u64),
    Applied(u64),
    Inner(Vec<RelPath>),
    Stop,
}

/// A running watcher.
#[derive(Debug)]
pub struct Handle {
    name: RootName,
    messages: Sender<Message>,
    ended: Mutex<Receiver<()>>,
    looked: Arc<AtomicU64>,
}

impl Handle {
    /// The root that is watched.
    #[must_use]
    pub fn name(&self) -> &RootName {
        &self.name
    }

    /// Lists the whole root anew.
    pub fn rescan(&self, why: Why) {
        self.tell(Message::Rescan(why));
    }

    /// Lists the whole root anew, in a walk that begins after this: [`Report::Walked`] then has this
    /// number or a higher one. Numbers go up.
    pub fn check(&self, number: u64) {
        self.tell(Message::Check(number));
    }

    /// Changes how long a directory must be quiet before it is listed, and how often all of it is.
    pub fn pace(&self, quiet: Duration, rescan: Duration) {
        self.tell(Message::Pace { quiet, rescan });
    }

    /// Asks for a [`Report::Synced`] with this number.
    pub fn sync(&self, token: u64) {
        self.tell(Message::Sync(token));
    }

    /// Says that a batch, and all before it, is in the inventory.
    pub fn applied(&self, seq: u64) {
        self.tell(Message::Applied(seq));
    }

    /// Says where other roots are known below this one, all of them.
    pub fn inner(&self, known: Vec<RelPath>) {
        self.tell(Message::Inner(known));
    }

    /// Asks it to end.
    pub fn stop(&self) {
        self.tell(Message::Stop);
    }

    /// Waits for its end; `false` when it has not come by then, which a hanging disk can do.
    #[must_use]
    pub fn join(&self, deadline: Duration) -> bool {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.recv_timeout(deadline) != Err(RecvTimeoutError::Timeout)
    }

    /// When its last look at the root came back, by the monotonic clock. Looks come at least every
    /// two seconds: a time that stands still means that the disk, or the receiver, holds it up.
    #[must_use]
    pub fn looked(&self) -> Duration {
        Duration::from_millis(self.looked.load(Ordering::Relaxed))
    }

    fn tell(&self, message: Message) {
        // An ended watcher has said so in its last report.
        drop(self.messages.send(message));
    }
}

/// Starts to watch a root. `cookies` is a directory of our own, in which one for each root is made.
///
/// # Errors
/// When the thread can't be started or the cookie directory can't be made.
pub fn start(
    root: WatchedRoot,
    host: Arc<Host>,
    inventory: Arc<dyn Inventory>,
    reports: Reports,
    clock: Arc<dyn Clock>,
    cookies: &Path,
    instances: Arc<Instances>,
) -> io::Result<Handle> {
    let directory = cookies.join(root.name.as_str().replace('/', "\\"));
    let directory = directory.join(root.generation.to_string());
    let cookies = cookie::Cookies::new(directory)?;
    let (messages, inbox) = channel();
    let (end, ended) = channel();
    let now = u64::try_from(clock.monotonic().as_millis()).unwrap_or(u64::MAX);
    let looked = Arc::new(AtomicU64::new(now));
    let handle = Handle {
        name: root.name.clone(),
        messages: messages.clone(),
        ended: Mutex::new(ended),
        looked: Arc::clone(&looked),
    };
    let outside = actor::Outside { host, inventory, reports, clock, looked };
    let pool = pool::Pool::new(&root.path, cookies.dir().to_path_buf(), messages, instances);
    std::thread::Builder::new().name(format!("watch {}", root.name)).spawn(move || {
        actor::run(root, outside, inbox, pool, cookies);
        drop(end);
    })?;
    Ok(handle)
}
