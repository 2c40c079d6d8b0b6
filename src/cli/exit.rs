//! The exit codes, as README lists them.

use std::process::ExitCode;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// All well.
    Ok = 0,
    /// `check`: something is missing. Else: it failed.
    Failed = 1,
    /// `check`: could not tell. Else: wrong usage.
    CouldNotTell = 2,
    /// A directory given with `--root` is not there.
    NoRoot = 66,
    /// The daemon does not answer.
    Unavailable = 69,
    /// A state or runtime directory can't be made or written.
    CantCreate = 73,
    /// The state directory fails.
    IoError = 74,
    /// Another instance is running.
    AlreadyRunning = 75,
    /// The store was written by a newer version.
    NewerStore = 76,
    /// Permission denied.
    Denied = 77,
    /// The configuration is wrong.
    Config = 78,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
