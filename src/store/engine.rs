//! sled behind a door: its tables by name, each of its errors and panics a [`StoreError`].

use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use sled::transaction::{ConflictableTransactionError, TransactionError, Transactional};
use sled::{Db, IVec, Tree};

use super::StoreError;
use super::guard::{GaveUp, guarded};

/// Of sled's page cache; its memory is several times that. With 100,000 directories 32 MiB took 255
/// MiB resident and was slower than this, which took 115.
const CACHE_BYTES: u64 = 4 * 1_024 * 1_024;
/// How long a write that nobody waits for may stay in memory.
const FLUSH_EVERY_MS: u64 = 500;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Table {
    Meta,
    Inventory,
    Lay,
    Titles,
    TitleKeys,
    Arrivals,
    Roots,
    Items,
    Candidates,
    Entries,
    History,
    Services,
    Listed,
    Past,
    Quarantine,
}

impl Table {
    /// In the order in which they are declared, which is that of [`Engine::trees`].
    const ALL: [Self; 15] = [
        Self::Meta,
        Self::Inventory,
        Self::Lay,
        Self::Titles,
        Self::TitleKeys,
        Self::Arrivals,
        Self::Roots,
        Self::Items,
        Self::Candidates,
        Self::Entries,
        Self::History,
        Self::Services,
        Self::Listed,
        Self::Past,
        Self::Quarantine,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Inventory => "inventory",
            Self::Lay => "lay",
            // `titles` was the name of another form, up to schema 1.
            Self::Titles => "title_records",
            Self::TitleKeys => "title_keys",
            Self::Arrivals => "arrivals",
            Self::Roots => "roots",
            Self::Items => "items",
            Self::Candidates => "candidates",
            Self::Entries => "entries",
            Self::History => "history",
            Self::Services => "services",
            Self::Listed => "listed",
            Self::Past => "past",
            Self::Quarantine => "quarantine",
        }
    }

    /// What it comes to when records of it can't be read.
    pub(super) fn when_damaged(self) -> &'static str {
        match self {
            Self::Meta => "what it says about the whole store begins anew",
            Self::Inventory => {
                "these directories are learned anew; a loss in them since they were last listed is \
                 missed"
            }
            Self::Lay => {
                "on which branches of their pool the files of these directories lay is learned anew"
            }
            Self::Titles | Self::TitleKeys => {
                "which titles lie where is made anew from what is known of the directories"
            }
            Self::Arrivals => "a move of the last days may not be recognised by its inode",
            Self::Roots => "these roots are adopted anew, as they are now",
            Self::Items => "what had died before of these titles is not known any more",
            Self::Candidates => "what was under review is not looked at any more",
            Self::Entries => {
                "what was told is in the ledger; a deletion that nobody was told of is lost"
            }
            Self::History => "these lines are missing from `obituarr explain`",
            Self::Services => "these services are learned anew by their next listing",
            Self::Listed => {
                "which titles these services have is learned anew by their next listing"
            }
            Self::Past => "what these titles were that services list no more is not known any more",
            Self::Quarantine => "what was put aside before can't be looked into",
        }
    }
}

/// One change: a new value, or `None` to remove the key. Of several for one key the last counts.
pub(super) type Write = (Table, Vec<u8>, Option<Vec<u8>>);

/// Why an engine did not start.
#[derive(Debug, thiserror::Error)]
pub(super) enum StartError {
    /// What sled says.
    #[error(transparent)]
    Sled(#[from] sled::Error),
    /// What it said when it panicked.
    #[error(transparent)]
    GaveUp(#[from] GaveUp),
}

/// An open sled.
pub(super) struct Engine {
    db: Option<Db>,
    trees: Vec<Tree>,
    path: PathBuf,
}

impl Engine {
    /// Opens or makes the store in `path` and reads all of it once, so that damage is met here and
    /// not in the middle of the day.
    pub(super) fn start(path: &Path) -> Result<Self, StartError> {
        let mut engine = Self { db: None, trees: Vec::new(), path: path.to_path_buf() };
        guarded(|| -> Result<(), sled::Error> {
            let config = sled::Config::new()
                .path(path)
                .cache_capacity(CACHE_BYTES)
                .mode(sled::Mode::LowSpace)
                .flush_every_ms(Some(FLUSH_EVERY_MS));
            let db = engine.db.insert(config.open()?);
            for table in Table::ALL {
                let tree = db.open_tree(table.name())?;
                for record in &tree {
                    record?;
                }
                engine.trees.push(tree);
            }
            Ok(())
        })??;
        Ok(engine)
    }

    /// The value under a key.
    pub(super) fn get(&self, table: Table, key: &[u8]) -> Result<Option<IVec>, StoreError> {
        self.run("read", || self.trees[table as usize].get(key))
    }

    /// Calls `each` with every record whose key begins with `prefix`, in the order of the keys,
    /// until it breaks.
    pub(super) fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        mut each: impl FnMut(&[u8], &[u8]) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let mut records = self.trees[table as usize].scan_prefix(prefix);
        while let Some((key, value)) = self.run("read", || records.next().transpose())? {
            if each(&key, &value).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// The first record at or behind `key`.
    pub(super) fn first_from(
        &self,
        table: Table,
        key: &[u8],
    ) -> Result<Option<(IVec, IVec)>, StoreError> {
        self.run("read", || self.trees[table as usize].range(key..).next().transpose())
    }

    /// Makes all changes in one transaction. The closure of a transaction may run again; it does
    /// nothing but hand them over.
    pub(super) fn write(&self, writes: &[Write]) -> Result<(), StoreError> {
        if writes.is_empty() {
            return Ok(());
        }
        self.run("written", || {
            let outcome = self.trees[..].transaction(|trees| {
                for (table, key, value) in writes {
                    let tree = &trees[*table as usize];
                    match value {
                        Some(value) => tree.insert(key.as_slice(), value.as_slice())?,
                        None => tree.remove(key.as_slice())?,
                    };
                }
                Ok::<(), ConflictableTransactionError<sled::Error>>(())
            });
            outcome.map_err(|error| match error {
                TransactionError::Abort(error) | TransactionError::Storage(error) => error,
            })
        })
    }

    /// Empties a table.
    pub(super) fn clear(&self, table: Table) -> Result<(), StoreError> {
        self.run("written", || self.trees[table as usize].clear())
    }

    /// Removes a table of an earlier version.
    pub(super) fn drop_table(&self, name: &str) -> Result<(), StoreError> {
        let Some(db) = &self.db else { return Ok(()) };
        self.run("written", || db.drop_tree(name).map(drop))
    }

    /// Returns when what was written survives a kill of the process.
    pub(super) fn flush(&self) -> Result<(), StoreError> {
        self.run("flushed", || self.trees[0].flush().map(drop))
    }

    /// Returns when what was written survives a power cut: sled's own flush leaves it to the kernel
    /// when the bytes reach the disk (`sync_file_range`).
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        self.flush()?;
        let synced = File::open(self.path.join("db")).and_then(|file| file.sync_data());
        synced.map_err(|source| self.error("synced", source))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn error(
        &self,
        doing: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> StoreError {
        StoreError::Sled { path: self.path.clone(), doing, source: source.into() }
    }

    fn run<T>(
        &self,
        doing: &'static str,
        work: impl FnOnce() -> sled::Result<T>,
    ) -> Result<T, StoreError> {
        match guarded(work) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(source)) => Err(self.error(doing, source)),
            Err(source) => Err(self.error(doing, source)),
        }
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Drop for Engine {
    /// Closing writes what is left, and can panic like anything else.
    fn drop(&mut self) {
        let (db, trees) = (self.db.take(), std::mem::take(&mut self.trees));
        // Who needs to know that all was written has asked for a flush.
        drop(guarded(move || drop((trees, db))));
    }
}

/// Waits until sled's own lock is free. A store that was closed in this process keeps it for as
/// long as sled's threads still write; sled does not wait for it and fails with an error that can't
/// be told from damage.
pub(super) fn await_release(path: &Path) -> io::Result<()> {
    match File::open(path.join("db")) {
        Ok(file) => Ok(flock(&file, FlockOperation::LockExclusive)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}
