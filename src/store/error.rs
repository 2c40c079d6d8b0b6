//! What can be wrong with a store, in words that name the place and the way out.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::inventory::InventoryError;

/// The store can't be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The inventory can't be read.
    #[error(transparent)]
    Inventory(#[from] InventoryError),
    /// sled failed.
    #[error("the store at {path} can't be {doing}; check the disk and its free space")]
    Sled {
        /// The directory.
        path: PathBuf,
        /// Read, written, flushed.
        doing: &'static str,
        /// What sled says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// The ledger file can't be read or written.
#[derive(Debug, thiserror::Error)]
#[error(
    "the ledger {path} can't be {doing}; it must be a file that the daemon alone writes, on a disk with room"
)]
pub struct LedgerError {
    /// The file.
    pub path: PathBuf,
    /// Read, written.
    pub doing: &'static str,
    /// What the operating system says.
    #[source]
    pub source: io::Error,
}

/// The state directory can't be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It can't be made or written.
    #[error(
        "the state directory {path} can't be used; give another --state-dir, or make this one a directory that the daemon may write"
    )]
    StateDir {
        /// The directory.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// Another instance has it.
    #[error("another obituarr{} uses the state directory {path}; stop it first, or give this one its own --state-dir", pid_shown(.pid))]
    AlreadyRunning {
        /// The directory.
        path: PathBuf,
        /// The other's process id, where it said so.
        pid: Option<u32>,
    },
    /// A newer version has written it.
    #[error(
        "the store at {path} has schema {found}, written by a newer obituarr (this one knows {known}); install that version again, or give another --state-dir"
    )]
    Newer {
        /// The directory.
        path: PathBuf,
        /// What it has.
        found: u64,
        /// What this version knows.
        known: u64,
    },
    /// sled can't open it, and setting it aside would not help.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The ledger can't be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

fn pid_shown(pid: &Option<u32>) -> String {
    pid.map_or_else(String::new, |pid| format!(" (process {pid})"))
}

/// What was found damaged, and what was done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Healed {
    /// A snapshot that a crash left half written.
    Snapshot {
        /// The file.
        file: PathBuf,
    },
    /// The store could not be opened.
    SetAside {
        /// What was wrong.
        why: String,
        /// Where it is now.
        aside: PathBuf,
    },
    /// The last line of the ledger was torn.
    TornLine {
        /// Where what was there of it is now.
        aside: PathBuf,
    },
    /// A line of the ledger can't be read.
    BadLine {
        /// The ledger.
        file: PathBuf,
        /// Which line, from one.
        line: usize,
        /// Why.
        why: String,
    },
    /// Records that can't be read.
    BadRecords {
        /// How many.
        count: usize,
        /// Of what, and what comes of it.
        what: Vec<String>,
    },
    /// Titles that were confirmed gone, and whose entries are lost before anyone was told.
    LostEntries {
        /// The titles.
        titles: Vec<String>,
    },
    /// The ledger knew more than the store, or the store more than the ledger.
    Reconciled {
        /// How many entries were taken from the ledger.
        entries: usize,
        /// How many lines were written again into the ledger.
        lines: usize,
    },
    /// The store is older than it was when it was last closed or written for certain.
    RolledBack,
}

impl fmt::Display for Healed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Snapshot { file } => {
                write!(
                    f,
                    "a crash left the half-written snapshot {}; it was removed, nothing is lost",
                    file.display()
                )
            }
            Self::SetAside { why, aside } => write!(
                f,
                "the store could not be opened ({why}); it was moved to {}, and a new one is being \
                 filled from the disk and the ledger without reporting anything; the old one may be deleted",
                aside.display()
            ),
            Self::TornLine { aside } => write!(
                f,
                "the last line of the ledger was torn; what was there of it was moved to {}",
                aside.display()
            ),
            Self::BadLine { file, line, why } => write!(
                f,
                "line {line} of the ledger {} can't be read ({why}); it is left as it is and not counted",
                file.display()
            ),
            Self::BadRecords { count, what } => write!(
                f,
                "{count} damaged records of the store were put into quarantine: {}",
                what.join("; ")
            ),
            Self::LostEntries { titles } => write!(
                f,
                "these titles were found to be gone and nobody was told, and the record of it is \
                 damaged, so that nobody will be: {}",
                titles.join(", ")
            ),
            Self::Reconciled { entries, lines } => write!(
                f,
                "{entries} deletions were taken over from the ledger, {lines} that it had lost were \
                 written into it again"
            ),
            Self::RolledBack => write!(
                f,
                "the store has lost its latest records to a damaged disk or an old copy; it goes on \
                 from the older ones, and what is found missing now waits for a person"
            ),
        }
    }
}
