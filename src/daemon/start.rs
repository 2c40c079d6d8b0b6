//! From settings to a running daemon, and to its end.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::engine::{Engine, Record};
use super::narrator::Narrator;
use super::pulse::Pulse;
use super::run::{End, Loop};
use super::signals::{self, Signal};
use super::systemd::ServiceManager;
use super::view::Surroundings;
use super::{specs, view};
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

impl Record for Ledger {
    fn record(&mut self, entry: &Entry, at: Timestamp) -> anyhow::Result<()> {
        Ok(self.append_deletion(entry, at)?)
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
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let started_at = clock.wall();
    let system = |what| move |source| StartError::System { what, source };
    let host = Arc::new(Host::new().map_err(system("to name the running kernel's boot"))?);
    // The store first: its lock says whether another instance is running.
    let mut opened = store::open(&options.state_dir, started_at)?;
    make_dir(&options.runtime_dir)
        .map_err(|source| StartError::RuntimeDir { path: options.runtime_dir.clone(), source })?;
    let (publish, status) = watch::channel(Arc::new(Status {
        summary: "starting".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at,
        ..Status::default()
    }));
    let mut server = serve(&options.runtime_dir, status)?;
    let mut signals = signals::listen().map_err(system("to listen to signals"))?;
    let mut narrator = Narrator::start().map_err(system("another thread"))?;
    let mut systemd = ServiceManager::default();
    let mut settings = options.settings;
    for warning in &settings.warnings {
        tracing::warn!("{warning}");
    }
    loop {
        let end = {
            let (running, store_dir) = (&settings, &options.state_dir);
            let around = surroundings(running, &opened, started_at);
            let pulse = Pulse::new(&*clock, opened.loaded.awake);
            let daemon = Loop {
                engine: engine(running, &opened_parts(&opened), &*clock)?,
                store: Arc::clone(&opened.store),
                settings: running.clone(),
                reload: &*options.reload,
                clock: Arc::clone(&clock),
                host: Arc::clone(&host),
                pulse,
                cookies: store_dir.join("cookies"),
                server: &mut server,
                signals: &mut signals,
                publish: &publish,
                systemd: &mut systemd,
                narrator: &mut narrator,
                around,
            };
            daemon.run().await
        };
        match end {
            End::Stopped => break,
            End::StoreFails(error) => {
                let why = format!("{:#}", anyhow::Error::new(error));
                drop(opened);
                let again = recover(
                    &why,
                    &options.state_dir,
                    &clock,
                    &mut server,
                    &mut signals,
                    &publish,
                    &mut systemd,
                );
                match again.await {
                    Some(again) => opened = again,
                    None => break,
                }
                if let Ok(read) = (options.reload)() {
                    settings = read;
                }
            }
        }
    }
    systemd.stopping();
    Ok(())
}
