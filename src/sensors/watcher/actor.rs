//! The thread of one root: takes what reaches it, keeps the time, and does one thing after another.
//!
//! Must never wait for a disk other than its own root's.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::Duration;

use super::cookie::Cookies;
use super::dirty::Dirty;
use super::elsewhere::Elsewhere;
use super::events::{Hint, translate};
use super::flight::Flight;
use super::paths::PathMap;
use super::pool::Pool;
use super::sync::Question;
use super::unseen::Unseen;
use super::walk::Active;
use super::{Message, Move, Report, Reports, Walk, WatchedRoot, Why, batch};
use crate::clock::Clock;
use crate::disk::{Host, RootDir, has_events, open_inner_root, open_root};
use crate::domain::{Identity, RelPath, RootLook};
use crate::inventory::Inventory;

/// How often the root itself is looked at, while it is well and while it is not.
const LOOK: Duration = Duration::from_secs(2);
const LOOK_AWAY: Duration = Duration::from_secs(1);
/// The most halves of renames that are kept until a batch can carry them.
const MOVES: usize = 65_536;

/// What a watcher works with.
pub(super) struct Outside {
    pub(super) host: Arc<Host>,
    pub(super) inventory: Arc<dyn Inventory>,
    pub(super) reports: Reports,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) looked: Arc<AtomicU64>,
}

/// It was asked to end, or nobody listens any more.
#[derive(Debug)]
pub(super) struct Ended;

pub(super) type Flow<T = ()> = Result<T, Ended>;

pub(super) struct Actor {
    pub(super) root: WatchedRoot,
    pub(super) out: Outside,
    inbox: Receiver<Message>,
    pub(super) pool: Pool,
    pub(super) cookies: Cookies,
    pub(super) cookies_seen: Vec<(usize, Vec<u8>)>,
    hints: Vec<Hint>,
    pub(super) dirty: Dirty,
    /// Directories to visit at once, the next one last.
    pub(super) todo: Vec<RelPath>,
    pub(super) unseen: Unseen,
    /// How often a directory was listed by its parent and could not be found.
    pub(super) missing: PathMap<u8>,
    pub(super) flight: Flight,
    pub(super) moves: Vec<Move>,
    /// Whether halves were left out since the last batch.
    pub(super) leaves_out: bool,
    /// What the root is, while it is well.
    pub(super) identity: Option<Identity>,
    pub(super) look: Option<RootLook>,
    next_look: Duration,
    /// The root's own directory told of its end: its watches are void even if all looks the same.
    pub(super) is_void: bool,
    pub(super) elsewhere: Elsewhere,
    /// How often everything known was thrown away.
    pub(super) resets: u32,
    pub(super) walk: Option<Active>,
    pub(super) wanted: Option<Walk>,
    pub(super) has_started: bool,
    /// Whether this is the first walk of all, in which nothing is news.
    pub(super) learns: bool,
    /// The number of the last walk.
    pub(super) walks: u8,
    next_rescan: Duration,
    /// The last check that was asked for.
    pub(super) asked: u64,
    pub(super) questions: Vec<Question>,
    pub(super) seq: u64,
    told: Option<Report>,
}

/// Runs until it is stopped.
pub(super) fn run(
    root: WatchedRoot,
    out: Outside,
    inbox: Receiver<Message>,
    pool: Pool,
    cookies: Cookies,
) {
    let (name, generation, reports) = (root.name.clone(), root.generation, out.reports.clone());
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let mut actor = Actor::new(root, out, inbox, pool, cookies);
        while actor.turn().is_ok() {}
    }));
    match outcome {
        Ok(()) => drop(reports.try_send((name, generation, Report::Stopped))),
        Err(_) => {
            let why = "the watcher met a fault of its own".to_owned();
            drop(reports.blocking_send((name, generation, Report::Failed { why })));
        }
    }
}

impl Actor {
    fn new(
        root: WatchedRoot,
        out: Outside,
        inbox: Receiver<Message>,
        pool: Pool,
        cookies: Cookies,
    ) -> Self {
        let now = out.clock.monotonic();
        Self {
            dirty: Dirty::new(root.quiet),
            elsewhere: Elsewhere::new(&root.inner),
            next_rescan: now + root.rescan,
            root,
            out,
            inbox,
            pool,
            cookies,
            cookies_seen: Vec::new(),
            hints: Vec::new(),
            todo: Vec::new(),
            unseen: Unseen::default(),
            missing: PathMap::default(),
            flight: Flight::default(),
            moves: Vec::new(),
            leaves_out: false,
            identity: None,
            look: None,
            next_look: now,
            is_void: false,
            resets: 0,
            walk: None,
            wanted: None,
            has_started: false,
            learns: false,
            walks: 0,
            asked: 0,
            questions: Vec::new(),
            seq: 0,
            told: None,
        }
    }

    pub(super) fn now(&self) -> Duration {
        self.out.clock.monotonic()
    }

    pub(super) fn send(&self, report: Report) -> Flow {
        let report = (self.root.name.clone(), self.root.generation, report);
        self.out.reports.blocking_send(report).map_err(|_| Ended)
    }

    fn turn(&mut self) -> Flow {
        self.absorb_waiting()?;
        if self.now() >= self.next_look {
            self.glance()?;
            if self.has_started && self.walk.is_none() && self.wanted.is_none() {
                self.tell_watching()?;
            }
        }
        if self.identity.is_none() {
            self.answer_all(false, "the root can't be looked at")?;
            return self.wait(self.next_look);
        }
        if self.now() >= self.next_rescan {
            self.want(Why::Timer);
        }
        for dir in self.unseen.take_due(self.now()) {
            self.dirty.mark(&dir, self.now());
        }
        let due = self.dirty.take_due(self.now());
        self.todo.extend(due.into_iter().rev());
        if self.todo.is_empty() && self.walk.is_none() && self.wanted.is_none() {
            if !self.questions.is_empty() {
                return self.settle();
            }
            return self.rest();
        }
        self.visit_todo()?;
        self.walk_on()?;
        self.tell_unseen()
    }

    /// Nothing to do until something happens or a time comes.
    fn rest(&mut self) -> Flow {
        let mut until = self.next_look.min(self.next_rescan);
        until = self.dirty.next().map_or(until, |due| until.min(due));
        if self.pool.tidy() {
            until = Duration::ZERO;
        }
        self.wait(until)
    }

    /// Takes one message, waiting no longer than `until`.
    pub(super) fn wait(&mut self, until: Duration) -> Flow {
        match self.inbox.recv_timeout(until.saturating_sub(self.now())) {
            Ok(message) => self.absorb(message),
            Err(RecvTimeoutError::Timeout) => Ok(()),
            Err(RecvTimeoutError::Disconnected) => Err(Ended),
        }
    }

    pub(super) fn absorb_waiting(&mut self) -> Flow {
        loop {
            match self.inbox.try_recv() {
                Ok(message) => self.absorb(message)?,
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return Err(Ended),
            }
        }
        if self.pool.was_choked() {
            self.reset();
            self.overflowed()?;
        }
        Ok(())
    }

    fn absorb(&mut self, message: Message) -> Flow {
        match message {
            Message::Notify { slot, epoch, event } => {
                self.pool.took_one();
                let mut hints = std::mem::take(&mut self.hints);
                match event {
                    Ok(event) => {
                        let (root, cookies) = (self.pool.root(), self.cookies.dir());
                        translate(root, cookies, &event, &mut |hint| hints.push(hint));
                    }
                    Err(_) => hints.push(Hint::Lost),
                }
                for hint in hints.drain(..) {
                    self.take(hint, slot, epoch)?;
                }
                self.hints = hints;
            }
            Message::Rescan(why) => self.want(why),
            Message::Check(number) => {
                self.asked = self.asked.max(number);
                self.want(Why::Requested);
            }
            Message::Pace { quiet, rescan } => {
                self.dirty.set_quiet(quiet);
                self.next_rescan = self.next_rescan.saturating_sub(self.root.rescan) + rescan;
                (self.root.quiet, self.root.rescan) = (quiet, rescan);
            }
            Message::Sync(token) => self.ask(token),
            Message::Inner(known) => self.know_inner(known),
            Message::Applied(seq) => self.flight.applied(seq),
            Message::Stop => return Err(Ended),
        }
        Ok(())
    }

    fn take(&mut self, hint: Hint, slot: usize, epoch: u32) -> Flow {
        match hint {
            Hint::Changed(dir) => self.dirty.mark(&dir, self.now()),
            Hint::Void(dir) => {
                self.pool.void(&dir);
                self.dirty.forget_within(&dir);
                self.unseen.remove_within(&dir);
            }
            Hint::Moved(half) => {
                if self.moves.len() < MOVES {
                    self.moves.push(half);
                } else if !std::mem::replace(&mut self.leaves_out, true) {
                    // What is left out is an event lost like any other.
                    self.overflowed()?;
                }
            }
            Hint::Root => {
                self.is_void = true;
                self.next_look = Duration::ZERO;
            }
            Hint::Cookie(name) => self.cookies_seen.push((slot, name)),
            Hint::Lost => {
                if self.pool.is_current(slot, epoch) {
                    self.pool.replace(slot);
                    self.overflowed()?;
                }
            }
        }
        Ok(())
    }

    fn overflowed(&mut self) -> Flow {
        self.want(Why::Overflow);
        self.send(Report::Overflowed)
    }

    pub(super) fn want(&mut self, why: Why) {
        self.next_rescan = self.now() + self.period();
        let why = if self.has_started { Walk::Rescan { why } } else { Walk::Start };
        self.wanted.get_or_insert(why);
    }

    /// How often all of the root is listed, whatever events say.
    fn period(&self) -> Duration {
        let remote = self.identity.as_ref().is_some_and(|id| !has_events(&id.fs_type));
        if remote { self.root.rescan.min(self.root.rescan_remote) } else { self.root.rescan }
    }

    /// Looks at the root; `None` when it is not well.
    pub(super) fn look(&mut self) -> Flow<Option<RootDir>> {
        let (host, path) = (&self.out.host, &self.root.path);
        let opened = match &self.root.is_inner {
            true => open_inner_root(host, path),
            false => open_root(host, path, self.root.marker.as_deref()),
        };
        let (dir, look) = match opened {
            Ok(dir) => {
                let identity = dir.identity().clone();
                (Some(dir), RootLook::Seen { identity })
            }
            Err(error) => (None, error.into()),
        };
        self.saw(look)?;
        if let Some(dir) = &dir {
            self.note_mounts(dir)?;
        }
        Ok(dir)
    }

    pub(super) fn saw(&mut self, look: RootLook) -> Flow {
        let now = self.now();
        let millis = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        self.out.looked.store(millis, Ordering::Relaxed);
        let (is_same, was_seen) = (self.look.as_ref() == Some(&look), self.identity.is_some());
        self.next_look = now + LOOK;
        if let RootLook::Seen { identity } = &look {
            if !is_same || self.is_void {
                self.identity = Some(identity.clone());
                self.reset();
                let why = if was_seen && is_same { Why::LostWatches } else { Why::Recovered };
                self.want(why);
            }
        } else {
            self.next_look = now + LOOK_AWAY;
            if was_seen {
                self.identity = None;
                self.reset();
            }
        }
        self.is_void = false;
        if is_same {
            return Ok(());
        }
        self.look = Some(look.clone());
        self.send(Report::Root { look })
    }

    /// Throws away what is known of the tree; a walk must follow.
    fn reset(&mut self) {
        self.resets += 1;
        self.pool.reset();
        self.dirty.clear();
        self.todo.clear();
        self.missing.clear();
        self.walk = None;
    }

    pub(super) fn visit_todo(&mut self) -> Flow {
        let rest = self.todo.len().saturating_sub(batch::DIRECTORIES);
        let mut dirs = self.todo.split_off(rest);
        if dirs.is_empty() {
            return Ok(());
        }
        dirs.reverse();
        dirs.dedup();
        if let Some(visited) = self.visit(dirs, &[], None)? {
            self.todo.extend(visited.next);
            self.todo.extend(visited.rest);
        }
        Ok(())
    }

    pub(super) fn tell_unseen(&mut self) -> Flow {
        self.unseen.report().map_or(Ok(()), |report| self.send(report))
    }

    pub(super) fn tell_watching(&mut self) -> Flow {
        let (directories, watched, why) = self.pool.count();
        let why_not = why.map(str::to_owned).filter(|_| watched < directories);
        let report = Report::Watching { directories, watched, why_not };
        if self.told.as_ref() != Some(&report) {
            self.told = Some(report.clone());
            self.send(report)?;
        }
        Ok(())
    }
}
