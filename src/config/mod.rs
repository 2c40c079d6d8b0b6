//! Turns one TOML file, the environment and the command line into settings, or into errors that
//! name the place, the key and the way out.
//!
//! Three stages: the file as written (`file`, every value with the place it came from), with the
//! environment laid over it (`environment`), read into validated [`Settings`] (`read`, where
//! the command line comes last). All problems that can be found are found in one run.
//!
//! Must never look at media or at the disk beyond the configuration file itself, keep a default
//! outside `settings`, or put the text of a secret into an error. No other room knows TOML.

mod environment;
mod file;
mod load;
mod pairs;
mod pools;
mod print;
mod problem;
mod read;
mod roots;
mod secret;
mod section;
mod services;
mod settings;
#[cfg(test)]
mod tests;
mod value;

pub use load::{Loaded, load};
pub use pairs::{pair, pair_key};
pub use print::print;
pub use problem::{ConfigError, Place, Problem};
pub use secret::{SecretError, SecretSource};
pub use services::{KeyError, keys};
pub use settings::{
    BrakeSettings, ConfirmSettings, LogFormat, LogLevel, LogSettings, Overrides, PoolSettings,
    RemoteSettings, RootSettings, ServiceSettings, Settings, SweepSettings, Unlisted,
    WatchSettings,
};
pub use value::{Share, UnknownWord};

use std::ffi::OsString;
use std::path::Path;

use problem::Problems;

/// Reads `text` as a configuration, with the variables `environment` laid over it and the command
/// line's `overrides` over both; `source` is the file's name in errors, and a relative `--root` is
/// taken from `cwd`.
///
/// # Errors
/// [`ConfigError`] with every problem found.
pub fn parse(
    text: &str,
    source: &str,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    overrides: &Overrides,
    cwd: &Path,
) -> Result<Settings, ConfigError> {
    let mut table = file::parse(text, source)?;
    let mut problems = Problems::default();
    environment::lay_over(&mut table, environment, &mut problems);
    let settings = read::read(table, source, overrides, cwd, &mut problems);
    problems.finish(settings)
}
