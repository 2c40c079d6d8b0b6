//! The loop: `select` waits for the next event, `apply` does what it means.
//!
//! One task owns all state. It never waits for a disk, a tracker or a journal: watchers, probes and
//! the narrator are threads, and what they bring are events. Each turn ends with the same upkeep:
//! store, orders, status, watchdog.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::checks::Checks;
use super::doors::Doors;
use super::engine::Engine;
use super::explain::{self, Known};
use super::looking::Brought;
use super::messages;
use super::narrator::{Line, Narrator};
use super::orders::{Listed, Order};
use super::probing::Probing;
use super::pulse::Pulse;
use super::services::Panel;
use super::signals::Signal;
use super::sweeps::progress;
use super::systemd::{Phase, ServiceManager};
use super::view::{self, Surroundings};
use super::watching::Beside;
use crate::clock::Clock;
use crate::config::Settings;
use crate::control::{Ask, Status};
use crate::disk::Host;
use crate::domain::{Now, RootLook, RootName};
use crate::sensors::sweep::Swept;
use crate::sensors::watcher::{Instances, Report, Why};
use crate::store::{Durability, Ledger, Storage, Store, StoreError};

/// How many reports of watchers may wait for the loop; watchers wait when it is full. A first walk
/// fills it, with up to 50,000 names in each: 64 held 60 MiB and made nothing faster.
const WAITING_REPORTS: usize = 2;
const WAITING_LOOKS: usize = 64;
/// How many more events are applied before the status is published again.
const EVENTS_A_TURN: usize = 16;
/// The loop turns at least this often while something is under review, and while nothing is.
const BUSY_TURN: Duration = Duration::from_secs(1);
const IDLE_TURN: Duration = Duration::from_secs(5);
/// The same while somebody waits for a full look, and sees how far it is.
const WATCHED_TURN: Duration = Duration::from_millis(250);
/// inotify instances for all watchers together; the kernel allows 128 to all programs of a user.
const INSTANCES: usize = 96;
/// How long each watcher may take to end.
const WATCHER_END: Duration = Duration::from_millis(500);

/// What the loop is given.
pub(super) struct Loop<'a> {
    pub(super) store: Arc<Store>,
    pub(super) engine: Engine<Store, Ledger>,
    pub(super) settings: Settings,
    pub(super) reload: &'a dyn Fn() -> Result<Settings, crate::config::ConfigError>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) host: Arc<Host>,
    pub(super) pulse: Pulse,
    pub(super) cookies: PathBuf,
    pub(super) doors: Doors<'a>,
    pub(super) signals: &'a mut mpsc::Receiver<Signal>,
    pub(super) publish: &'a watch::Sender<Arc<Status>>,
    pub(super) systemd: &'a mut ServiceManager,
    pub(super) narrator: &'a mut Narrator,
    pub(super) around: Surroundings,
    /// Whether the journal knows that the work has begun.
    pub(super) is_announced: bool,
    /// Whether the journal knows that the ledger can't be written.
    pub(super) ledger_fails: bool,
    /// The roots of which the journal knows that not all of them is watched.
    pub(super) unwatched: BTreeSet<String>,
}

/// Why the loop ended.
#[derive(Debug)]
pub(super) enum End {
    /// It was asked to.
    Stopped,
    /// The store fails; all that is not in it has to be looked at again.
    StoreFails(StoreError),
}

/// What wakes the loop.
enum Event {
    Report(RootName, u64, Box<Report>),
    Brought(Brought),
    Ask(Ask),
    Swept(Swept),
    Signal(Signal),
    Turn,
}

impl Loop<'_> {
    /// Runs until it is asked to stop or the store fails.
    pub(super) async fn run(mut self) -> End {
        let (reports, mut report_inbox) = mpsc::channel(WAITING_REPORTS);
        let (brought, mut looks_inbox) = mpsc::channel(WAITING_LOOKS);
        let (sink, mut sweep_inbox) = mpsc::channel(1);
        let mut beside = Beside {
            watchers: BTreeMap::new(),
            generation: 0,
            grounds: BTreeMap::new(),
            instances: Instances::new(INSTANCES),
            reports,
            brought,
            probing: Probing::default(),
            checks: Checks::default(),
            panel: Panel::new(sink),
            looks: BTreeMap::new(),
            stalled: BTreeSet::new(),
            failures: BTreeMap::new(),
            mounted: BTreeMap::new(),
            inner: BTreeSet::new(),
        };
        let (mut now, _) = self.pulse.beat(&*self.clock);
        let mut applied = self.configure(now, &mut beside);
        let end = loop {
            if let Err(error) = applied.and_then(|()| self.upkeep(now, &mut beside)) {
                break End::StoreFails(error);
            }
            #[cfg(feature = "test-hooks")]
            super::hooks::wedge(self.clock.monotonic());
            let mut wait = self.until_next_turn();
            if beside.checks.is_awaited() {
                wait = wait.min(WATCHED_TURN);
            }
            let event = tokio::select! {
                biased;
                Some(signal) = self.signals.recv() => Event::Signal(signal),
                Some(ask) = self.doors.server.asks.recv() => Event::Ask(ask),
                // Reports before looks: what the disk said later weighs more.
                Some((root, generation, report)) = report_inbox.recv() => {
                    Event::Report(root, generation, Box::new(report))
                }
                Some(brought) = looks_inbox.recv() => Event::Brought(brought),
                Some(swept) = sweep_inbox.recv() => Event::Swept(swept),
                () = tokio::time::sleep(wait) => Event::Turn,
            };
            let gap;
            (now, gap) = self.pulse.beat(&*self.clock);
            if let Some(why) = gap {
                let text = format!("{why}: all waits begin again");
                self.narrator.tell(Line::new(messages::GAP, text).because(why));
                self.engine.gap(now);
            }
            if let Event::Signal(Signal::Stop) = event {
                self.narrator.tell(Line::new(messages::STOPPING, "stopping: it was asked to"));
                self.systemd.stopping();
                break End::Stopped;
            }
            // What else is waiting is applied before anything is stored and acted on.
            let looked = matches!(event, Event::Brought(_));
            applied = self.apply(now, event, &mut beside);
            for _ in 0..EVENTS_A_TURN {
                if applied.is_err() {
                    break;
                }
                let next = if looked {
                    looks_inbox.try_recv().ok().map(Event::Brought)
                } else {
                    let report = report_inbox.try_recv().ok();
                    report.map(|(root, generation, report)| {
                        Event::Report(root, generation, Box::new(report))
                    })
                };
                let Some(next) = next else { break };
                applied = self.apply(now, next, &mut beside);
            }
        };
        // Whoever waits to be read must not wait any longer.
        drop(report_inbox);
        drop(looks_inbox);
        self.finish(&end, &beside);
        end
    }

    /// Does what one event means.
    fn apply(&mut self, now: Now, event: Event, beside: &mut Beside) -> Result<(), StoreError> {
        match event {
            Event::Report(root, generation, report) => {
                let current = beside.watchers.get(&root).is_some_and(|(g, _)| *g == generation);
                if current { self.report(now, root, *report, beside) } else { Ok(()) }
            }
            Event::Brought(Brought::Findings(mut found, at)) => {
                found.findings.age = self.clock.monotonic().saturating_sub(at);
                beside.probing.ended(found.findings.probe);
                beside.panel.answered(now.awake, &found.replies);
                self.engine.testify(now, &mut found);
                self.engine.probed(now, &found.findings);
                Ok(())
            }
            Event::Brought(Brought::Appraised(instance, number, listing)) => {
                self.appraised(now, &instance, number, *listing, beside)
            }
            Event::Swept(swept) => self.swept(now, swept, beside),
            Event::Brought(Brought::Strays(root, number, found)) => {
                self.engine.hunted(now, &root, number, found)
            }
            Event::Ask(ask) => self.answer(now, ask, beside),
            Event::Signal(Signal::Reload) => self.reload(now, beside),
            Event::Signal(Signal::Check) => {
                self.check(now, None, beside);
                Ok(())
            }
            Event::Signal(Signal::Stop) | Event::Turn => Ok(()),
        }
    }

    fn report(
        &mut self,
        now: Now,
        root: RootName,
        report: Report,
        beside: &mut Beside,
    ) -> Result<(), StoreError> {
        match report {
            Report::Root { look } => {
                if let Some(other) = beside.has_same_root(&root, &look) {
                    let why = format!(
                        "it is the same directory as root {other}, so nothing is read in it; leave \
                         one of the two out of the configuration"
                    );
                    return self.watcher_failed(now, &root, &why, beside);
                }
                let gone = !matches!(look, RootLook::Seen { .. });
                self.engine.looked(now, &root, &look)?;
                if gone {
                    beside.checks.gone(&root);
                }
                beside.looks.insert(root, look);
            }
            Report::Listed { seq, identity, listings, lays, moves, walk } => {
                for half in moves {
                    self.engine.moved(&root, half.cookie, half.path, half.to);
                }
                let listed = Listed { root, seq, identity, listings, lays, walk };
                self.engine.listed(now, &listed)?;
            }
            Report::Walking { directories } => self.engine.walking(&root, directories),
            Report::Mounts { roots } => {
                beside.mounted.insert(root, roots);
            }
            Report::Walked { directories, files, asked, began, .. } => {
                self.engine.walked(now, &root, directories, files)?;
                beside.probing.walked(&root, self.pulse.awake_at(began));
                beside.checks.walked(&root, asked);
                beside.failures.remove(&root);
            }
            Report::Watching { directories, watched, why_not } => {
                self.engine.watching(&root, directories, watched, why_not);
            }
            Report::Unseen { dirs, more } => self.engine.unseen(now, &root, dirs, more),
            Report::Overflowed => {
                self.engine.events_lost(&root);
                let text = format!("root {root}: events were lost, all of it is looked at again");
                self.narrator.tell(Line::new(messages::EVENTS_LOST, text).of_root(&root));
            }
            Report::Synced { token, current, why } => {
                if !current {
                    tracing::debug!(%root, why, "not current");
                }
                beside.probing.synced(&root, token, current);
            }
            Report::Stopped => {}
            Report::Failed { why } => {
                self.watcher_failed(now, &root, &format!("its watcher has ended: {why}"), beside)?;
            }
        }
        Ok(())
    }

    /// The end of each turn.
    fn upkeep(&mut self, now: Now, beside: &mut Beside) -> Result<(), StoreError> {
        self.engine.tick(now)?;
        self.doors.keep(self.narrator);
        self.follow_mounts(now, beside)?;
        beside.probing.tick(now.awake);
        self.notice_stalls(now, beside)?;
        self.restart_watchers(now, beside)?;
        self.sweep(now, beside);
        for order in self.engine.take_orders() {
            match order {
                Order::Probe(probe) => beside.probing.want(probe),
                Order::Applied { root, seq } => {
                    if let Some((_, handle)) = beside.watchers.get(&root) {
                        handle.applied(seq);
                    }
                }
                Order::Rescan(root) => {
                    if let Some((_, handle)) = beside.watchers.get(&root) {
                        handle.rescan(Why::Recovered);
                    }
                }
                Order::Hunt { root, number, sought, unseen } => {
                    self.hunt((root, number), sought, unseen, beside);
                }
                Order::Sweep(instance) => beside.panel.want(&instance),
                Order::Refresh(instance, id) => beside.panel.refresh(&instance, id),
                Order::Tell(decision) => self.tell(&decision)?,
                Order::Say(line) => self.narrator.tell(line),
            }
        }
        let online = self.engine.online_roots();
        if self.engine.has_hunted(now) {
            beside.probing.begin(now.awake, &online, |probe| self.engine.awaits(probe));
        } else {
            beside.probing.put_off();
        }
        for (root, token) in beside.probing.ask() {
            if let Some((_, handle)) = beside.watchers.get(&root) {
                handle.sync(token);
            }
        }
        while let Some(runnable) = beside.probing.next(now.awake, |probe| self.engine.awaits(probe))
        {
            self.probe(now, runnable, beside)?;
        }
        for reply in beside.checks.finished() {
            // A caller who has gone away does not need the answer.
            drop(reply.send(Ok(view::check(&self.engine))));
        }
        let mut status = view::status(&self.engine, &self.around);
        status.check = progress(beside);
        let phase = if status.ready { Phase::Ready } else { Phase::Starting };
        let line = view::line_for_systemd(&self.engine, &status);
        self.systemd.turn(self.clock.monotonic(), phase, &line);
        self.announce(&status);
        self.publish.send_replace(Arc::new(status));
        Ok(())
    }

    fn answer(&mut self, now: Now, ask: Ask, beside: &mut Beside) -> Result<(), StoreError> {
        // A caller who has gone away does not need the answer.
        match ask {
            Ask::Candidates(reply) => drop(reply.send(Ok(view::candidates(&self.engine)))),
            Ask::Explain(what, reply) => {
                let (store, known) = (Arc::clone(&self.store), Known::of(&self.engine));
                tokio::task::spawn_blocking(move || {
                    let told = explain::explain(&*store, &known, &what);
                    drop(reply.send(told.map_err(|e| format!("{e:#}"))));
                });
            }
            Ask::Check(reply) => self.check(now, Some(reply), beside),
            Ask::Accept { root, go, reply } => {
                drop(reply.send(self.accept(now, &root, go, beside)?));
            }
            Ask::Retire { what, go, reply } => {
                drop(reply.send(self.engine.retire(now, &what, go)?));
            }
            Ask::Deletions(limit, reply) => {
                let store = Arc::clone(&self.store);
                tokio::task::spawn_blocking(move || {
                    let list = view::deletions(&*store, limit).map_err(|e| format!("{e:#}"));
                    drop(reply.send(list));
                });
            }
        }
        Ok(())
    }

    fn until_next_turn(&self) -> Duration {
        let turn = if self.engine.is_quiet() { IDLE_TURN } else { BUSY_TURN };
        let due = self.engine.until_due(self.pulse.awake());
        let systemd = self.systemd.next_turn(self.clock.monotonic());
        let soonest = due.into_iter().chain(systemd).fold(turn, Duration::min);
        soonest.max(Duration::from_millis(1))
    }

    /// Ends what runs beside the loop, and leaves everything durable.
    fn finish(mut self, end: &End, beside: &Beside) {
        for (_, handle) in beside.watchers.values() {
            handle.stop();
        }
        if matches!(end, End::Stopped) {
            let (now, _) = self.pulse.beat(&*self.clock);
            let last = self.engine.tick(now);
            let flushed = self.store.commit(&crate::store::Batch::default(), Durability::Synced);
            if let Err(error) = last.and(flushed) {
                let why = format!("{:#}", anyhow::Error::new(error));
                let text = format!("the last state could not be stored: {why}");
                self.narrator.tell(Line::new(messages::STATE_FAILING, text).because(why));
            }
        }
        for (_, handle) in beside.watchers.values() {
            if !handle.join(WATCHER_END) {
                let text = format!("root {}: its watcher hangs on the disk", handle.name());
                self.narrator.tell(Line::new(messages::HANGING, text).of_root(handle.name()));
            }
        }
    }
}
