//! From settings to a running daemon, and to its end.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinError;

use super::doors::Doors;
use super::engine::{Engine, Record};
use super::messages;
use super::narrator::{Line, Narrator};
use super::pulse::Pulse;
use super::run::{End, Loop};
use super::signals::{self, Signal};
use super::specs;
use super::systemd::{Phase, ServiceManager};
use super::view::Surroundings;
use crate::clock::{Clock, SystemClock};
use crate::config::{ConfigError, Settings};
use crate::control::{Ask, BindError, Server, Status, serve};
use crate::disk::Host;
use crate::domain::{Entry, Timestamp};
use crate::store::{self, Ledger, OpenError, Opened, StoreError};

/// How long to wait before a failing state directory is tried again.
const RETRY: Duration = Duration::from_secs(5);

/// What the daemon is started with.
pub struct Options {
    /// The configuration.
    pub settings: Settings,
    /// Reads the configuration again.
    pub reload: Box<dyn Fn() -> Result<Settings, ConfigError>>,
    /// Where the store and the ledger are.
    pub state_dir: PathBuf,
    /// Where the sockets are.
    pub runtime_dir: PathBuf,
}

/// Why the daemon could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The runtime directory can't be made.
    #[error("the runtime directory {path} can't be made; give another --runtime-dir")]
    RuntimeDir {
        /// The directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A socket can't be bound.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The store can't be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The operating system refuses.
    #[error("the operating system refuses {what}")]
    System {
        /// What.
        what: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// What kind of trouble keeps the daemon from starting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// A directory or socket can't be made.
    CantCreate,
    /// Another instance is running.
    AlreadyRunning,
    /// The store was written by a newer version.
    NewerStore,
    /// The state directory fails.
    Io,
    /// Anything else.
    Other,
}

impl StartError {
    /// What kind of trouble it is.
    #[must_use]
    pub fn trouble(&self) -> Trouble {
        match self {
            Self::Bind(BindError::InUse { .. }) | Self::Open(OpenError::AlreadyRunning { .. }) => {
                Trouble::AlreadyRunning
            }
            Self::RuntimeDir { .. } | Self::Bind(_) | Self::Open(OpenError::StateDir { .. }) => {
                Trouble::CantCreate
            }
            Self::Open(OpenError::Newer { .. }) => Trouble::NewerStore,
            Self::Open(OpenError::Store(_) | OpenError::Ledger(_)) | Self::Store(_) => Trouble::Io,
            Self::System { .. } => Trouble::Other,
        }
    }
}

impl Record for Ledger {
    fn record(&mut self, entry: &Entry, at: Timestamp) -> anyhow::Result<()> {
        Ok(self.append_deletion(entry, at)?)
    }

    fn record_verb(&mut self, verb: &str, subject: &str, at: Timestamp) -> anyhow::Result<()> {
        Ok(self.append_verb(verb, subject, at)?)
    }

    fn mend(&mut self) {
        if let Err(error) = Self::mend(self) {
            tracing::debug!("{:#}", anyhow::Error::new(error));
        }
    }
}

/// Runs the daemon until it is asked to stop.
///
/// A state directory that fails while it runs does not end it: it stops deciding and reporting,
/// says so, and goes on from what is stored as soon as it can be written again.
///
/// # Errors
/// When it can't start.
pub async fn run(options: Options) -> Result<(), StartError> {
    let mut systemd = ServiceManager::from_environment();
    let ended = start(options, &mut systemd).await;
    if let Err(error) = &ended {
        let why: Vec<String> = causes(error).map(ToString::to_string).collect();
        systemd.failed(&why.join(": "), errno(error));
    }
    ended
}

/// An error, and what caused it, and so on.
fn causes(error: &StartError) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(Some(error as &(dyn Error + 'static)), |&error| error.source())
}

/// What the operating system said, if it was that.
fn errno(error: &StartError) -> Option<u32> {
    let mut causes = causes(error);
    let code = causes.find_map(|error| error.downcast_ref::<io::Error>()?.raw_os_error())?;
    u32::try_from(code).ok()
}

async fn start(options: Options, systemd: &mut ServiceManager) -> Result<(), StartError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let started_at = clock.wall();
    let system = |what| move |source| StartError::System { what, source };
    let host = Arc::new(Host::new().map_err(system("to name the running kernel's boot"))?);
    let mut signals = signals::listen().map_err(system("to listen to signals"))?;
    // The store first: its lock says whether another instance is running.
    let mut opened = tokio::select! {
        opened = open(&options.state_dir, &*clock, systemd) => opened?,
        () = stop_is_asked(&mut signals) => return Ok(()),
    };
    make_dir(&options.runtime_dir)
        .map_err(|source| StartError::RuntimeDir { path: options.runtime_dir.clone(), source })?;
    let (publish, status) = watch::channel(Arc::new(Status {
        summary: "starting".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at,
        ..Status::default()
    }));
    let mut server = serve(&options.runtime_dir, status)?;
    let mut narrator = Narrator::start().map_err(system("another thread"))?;
    let mut settings = options.settings;
    for warning in &settings.warnings {
        narrator.tell(Line::new(messages::WARNED, warning));
    }
    loop {
        let end = session(
            opened,
            &settings,
            &options.reload,
            &options.state_dir,
            Session {
                started_at,
                clock: &clock,
                host: &host,
                server: &mut server,
                signals: &mut signals,
                publish: &publish,
                systemd: &mut *systemd,
                narrator: &mut narrator,
            },
        )
        .await?;
        let End::StoreFails(error) = end else { break };
        let why = format!("{:#}", anyhow::Error::new(error));
        let text = format!("the state directory fails, nothing is decided until it is well: {why}");
        narrator.tell(Line::new(messages::STATE_FAILING, text).because(&why));
        let waiting = Waiting { why, state_dir: &options.state_dir, clock: &*clock };
        match waiting.reopen(&mut server, &mut signals, &publish, systemd).await {
            Some(again) => opened = again,
            None => {
                narrator.tell(Line::new(messages::STOPPING, "stopping: it was asked to"));
                break;
            }
        }
        let text = "the state directory is well again";
        narrator.tell(Line::new(messages::STATE_RECOVERED, text));
        if let Ok(read) = (options.reload)() {
            settings = read;
        }
    }
    systemd.stopping();
    Ok(())
}

/// Waits until a signal asks for the end; other signals mean nothing before the start.
async fn stop_is_asked(signals: &mut mpsc::Receiver<Signal>) {
    while !matches!(signals.recv().await, Some(Signal::Stop) | None) {}
}

/// Opens the store beside this task: a large one takes its time.
async fn open(
    dir: &Path,
    clock: &dyn Clock,
    systemd: &mut ServiceManager,
) -> Result<Opened, StartError> {
    let (dir, now) = (dir.to_path_buf(), clock.wall());
    let mut opening = tokio::task::spawn_blocking(move || store::open(&dir, true, now));
    loop {
        systemd.turn(clock.monotonic(), Phase::Starting, "opening the store");
        tokio::select! {
            opened = &mut opening => {
                let thread = |error: JoinError| io::Error::from(error);
                let system = |source| StartError::System { what: "a thread", source };
                return Ok(opened.map_err(thread).map_err(system)??);
            }
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
    }
}

/// What outlives one opening of the store.
struct Session<'a> {
    started_at: Timestamp,
    clock: &'a Arc<dyn Clock>,
    host: &'a Arc<Host>,
    server: &'a mut Server,
    signals: &'a mut mpsc::Receiver<Signal>,
    publish: &'a watch::Sender<Arc<Status>>,
    systemd: &'a mut ServiceManager,
    narrator: &'a mut Narrator,
}

/// Runs with one opened store, until its end.
async fn session(
    opened: Opened,
    settings: &Settings,
    reload: &dyn Fn() -> Result<Settings, ConfigError>,
    state_dir: &Path,
    session: Session<'_>,
) -> Result<End, StartError> {
    let Session { started_at, clock, host, .. } = session;
    let Opened { store, ledger, loaded, healed, stale } = opened;
    for healed in &healed {
        session.narrator.tell(Line::new(messages::HEALED, healed.to_string()));
    }
    let mut pulse = Pulse::new(&**clock, loaded.awake);
    let (now, _) = pulse.beat(&**clock);
    let engine = Engine::new(
        Arc::clone(&store),
        ledger,
        loaded,
        stale,
        specs::policy(settings),
        settings.history,
        now,
    )?;
    let around = Surroundings {
        started_at,
        settle_secs: settings.confirm.settle.as_secs(),
        healed: healed.iter().map(ToString::to_string).collect(),
        warnings: settings.warnings.clone(),
        reload_failed: false,
    };
    let daemon = Loop {
        store,
        engine,
        settings: settings.clone(),
        reload,
        clock: Arc::clone(clock),
        host: Arc::clone(host),
        pulse,
        cookies: state_dir.join("cookies"),
        doors: Doors::new(session.server),
        signals: session.signals,
        publish: session.publish,
        systemd: session.systemd,
        narrator: session.narrator,
        around,
        is_announced: false,
        ledger_fails: false,
        unwatched: BTreeSet::new(),
    };
    Ok(daemon.run().await)
}

/// A state directory that fails, until it can be opened again.
struct Waiting<'a> {
    why: String,
    state_dir: &'a Path,
    clock: &'a dyn Clock,
}

impl Waiting<'_> {
    /// Tries from time to time, and says meanwhile how things are. `None` when asked to stop.
    async fn reopen(
        &self,
        server: &mut Server,
        signals: &mut mpsc::Receiver<Signal>,
        publish: &watch::Sender<Arc<Status>>,
        systemd: &mut ServiceManager,
    ) -> Option<Opened> {
        let mut status = Status::clone(&publish.borrow());
        status.summary = format!("the state directory fails, nothing is decided: {}", self.why);
        status.needs_attention = true;
        status.problems = vec![status.summary.clone()];
        let line = status.summary.clone();
        publish.send_replace(Arc::new(status));
        let mut retry = tokio::time::interval(RETRY);
        retry.tick().await;
        loop {
            systemd.turn(self.clock.monotonic(), Phase::Failing, &line);
            let next = systemd.next_turn(self.clock.monotonic()).unwrap_or(RETRY);
            tokio::select! {
                signal = signals.recv() => {
                    if matches!(signal, Some(Signal::Stop) | None) {
                        return None;
                    }
                }
                Some(ask) = server.asks.recv() => refuse(ask, &self.why),
                _ = retry.tick() => match store::open(self.state_dir, false, self.clock.wall()) {
                    Ok(opened) => return Some(opened),
                    Err(error) => tracing::debug!(%error, "the state directory still fails"),
                },
                () = tokio::time::sleep(next) => {}
            }
        }
    }
}

fn refuse(ask: Ask, why: &str) {
    let error = || format!("the state directory fails: {why}");
    // A caller who has gone away does not need the answer.
    match ask {
        Ask::Candidates(reply) => drop(reply.send(Err(error()))),
        Ask::Deletions(_, reply) => drop(reply.send(Err(error()))),
        Ask::Explain(_, reply) => drop(reply.send(Err(error()))),
        Ask::Check(reply) => drop(reply.send(Err(error()))),
        Ask::Accept { reply, .. } => drop(reply.send(Err(error()))),
        Ask::Retire { reply, .. } => drop(reply.send(Err(error()))),
    }
}

pub(super) fn make_dir(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o755).create(path)
}
