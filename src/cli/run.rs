//! `run`: the daemon itself.

use std::path::Path;

use rustix::fs::FileType;
use rustix::io::Errno;

use super::args::{Places, RunArgs};
use super::exit::Exit;
use super::{apart, complain, dirs, outside};
use crate::config::{self, LogFormat, LogLevel, Overrides, Settings};
use crate::daemon::{self, Options, Trouble};
use crate::telemetry;

/// What the command line says instead of the file.
pub(super) fn overrides(args: &RunArgs) -> Overrides {
    Overrides {
        roots: args.roots.clone(),
        settle: args.settle,
        log_level: args.log_level,
        log_format: args.log,
    }
}

/// Runs until it is asked to stop.
pub(super) fn run(places: &Places, args: &RunArgs) -> Exit {
    let (config, given) = (places.config.clone(), overrides(args));
    let settings = match config::load(config.as_deref(), &given) {
        Ok(loaded) => loaded.settings,
        Err(error) => {
            complain(&error.to_string());
            return Exit::Config;
        }
    };
    if let Err(error) = config::keys(&settings.services, |name| std::env::var_os(name)) {
        complain(&error.to_string());
        return Exit::Config;
    }
    // A directory that a person names now must be there now; one that the file names may be a disk
    // that is mounted later.
    if let Some(root) = args.roots.iter().find(|root| is_nowhere(root)) {
        let shown = root.display();
        complain(&format!(
            "--root {shown}: there is no such directory; make it, mount it, or correct the path"
        ));
        return Exit::NoRoot;
    }
    if let Some(why) = apart::not_apart(&settings.roots) {
        complain(&why);
        return Exit::Config;
    }
    let dirs = match dirs::for_daemon(places, |name| std::env::var_os(name)) {
        Ok(dirs) => dirs,
        Err(error) => {
            complain(&error.to_string());
            return Exit::Config;
        }
    };
    if let Some(why) = outside::not_outside(&settings.roots, &dirs) {
        complain(&why);
        return Exit::Config;
    }
    if let Err(error) = log(&settings) {
        complain(&format!("{:#}", anyhow::Error::new(error)));
        return Exit::Config;
    }
    let held = dirs.clone();
    let options = Options {
        settings,
        reload: Box::new(move || {
            let loaded = config::load(config.as_deref(), &given)?;
            outside::still_outside(loaded.settings, &held)
        }),
        state_dir: dirs.state,
        runtime_dir: dirs.runtime,
    };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&error.to_string());
            return Exit::Failed;
        }
    };
    let result = runtime.block_on(daemon::run(options));
    // A look that hangs on a disk must not keep the process.
    runtime.shutdown_timeout(std::time::Duration::from_millis(500));
    match result {
        Ok(()) => Exit::Ok,
        Err(error) => {
            let exit = exit_of(error.trouble());
            tracing::error!("{:#}", anyhow::Error::new(error));
            exit
        }
    }
}

/// Whether there is no such directory. A disk that can't be read is there, and says why by itself.
fn is_nowhere(root: &Path) -> bool {
    // Not the standard library's look: that one would set off an automount.
    match rustix::fs::stat(root) {
        Ok(stat) => !FileType::from_raw_mode(stat.st_mode).is_dir(),
        Err(error) => matches!(error, Errno::NOENT | Errno::NOTDIR),
    }
}

fn log(settings: &Settings) -> Result<(), telemetry::NoJournal> {
    let format = match settings.log.format {
        LogFormat::Auto => telemetry::Format::Auto,
        LogFormat::Text => telemetry::Format::Text,
        LogFormat::Json => telemetry::Format::Json,
        LogFormat::Journal => telemetry::Format::Journal,
    };
    let level = match settings.log.level {
        LogLevel::Error => tracing::Level::ERROR,
        LogLevel::Warn => tracing::Level::WARN,
        LogLevel::Info => tracing::Level::INFO,
        LogLevel::Debug => tracing::Level::DEBUG,
        LogLevel::Trace => tracing::Level::TRACE,
    };
    telemetry::init(format, level)
}

fn exit_of(trouble: Trouble) -> Exit {
    match trouble {
        Trouble::CantCreate => Exit::CantCreate,
        Trouble::AlreadyRunning => Exit::AlreadyRunning,
        Trouble::NewerStore => Exit::NewerStore,
        Trouble::Io => Exit::IoError,
        Trouble::Other => Exit::Failed,
    }
}
