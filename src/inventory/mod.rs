//! What was last seen under each root, and the one comparison with what is seen now.
//!
//! Per directory: its media files with their inodes, its subdirectories, and the file system it lay
//! on. Live events, overflow, lost watches, downtime and the timer all come down to
//! [`compare`]: a listing against the record of the same directory.
//!
//! Pure: must never look at a disk, and must never call anything lost that a listing only failed to
//! show.

mod codec;
mod compare;
mod lay;
mod rules;

pub use codec::{BadRecord, count_files, decode, encode};
pub use compare::{Comparison, ForeignFileSystem, births_needed, compare, newcomers};
pub use lay::Lay;
pub use rules::{Pattern, Rules};

use std::collections::HashMap;
use std::ops::ControlFlow;

use crate::domain::{FsId, RelPath, RootName, Timestamp};

/// A file or directory name, as the kernel gave it.
pub type Name = Box<[u8]>;

/// A media file in a directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Media {
    /// Its name.
    pub name: Name,
    /// Its inode; of a symbolic link its own.
    pub inode: u64,
    /// Whether only its inode tells that it is media: a media file that was given a name without a
    /// media extension is still followed.
    pub alias: bool,
}

/// What is remembered of one directory. Files and subdirectories are ordered by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Directory {
    /// The file system it lay on.
    pub fs: FsId,
    /// When it was last listed with another result than before: each file in it was certainly
    /// there then.
    pub looked: Timestamp,
    /// Its media files.
    pub files: Vec<Media>,
    /// Its subdirectories that no rule ignores.
    pub subdirs: Vec<Name>,
}

/// A regular file without a media extension, which matters only if a media file was renamed to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Other {
    /// Its name.
    pub name: Name,
    /// Its inode.
    pub inode: u64,
    /// When the inode came into being, where that was asked and the file system knows.
    pub born: Option<Timestamp>,
    /// The name that the kernel said it was moved from, within the same directory.
    pub moved_from: Option<Name>,
}

/// One directory as it is now: complete, read without an error, under its root's own file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The directory, below its root.
    pub dir: RelPath,
    /// The file system it lies on.
    pub fs: FsId,
    /// When the listing was complete.
    pub at: Timestamp,
    /// Its media files, ordered by name.
    pub files: Vec<Media>,
    /// Its subdirectories that no rule ignores, ordered by name.
    pub subdirs: Vec<Name>,
    /// Its other regular files, ordered by name: those that may matter.
    pub others: Vec<Other>,
    /// Whether `others` tells of every file that was known before: a listing that was made when
    /// nothing was known says nothing of a followed file that it lacks.
    pub tells_others: bool,
    /// When the media files that were not known here came into being, where that was asked and can
    /// be known: each was under its name then.
    pub births: HashMap<Name, Timestamp>,
}

/// The inventory could not be read.
#[derive(Debug, thiserror::Error)]
#[error("the inventory of root {root} can't be read at {dir}")]
pub struct InventoryError {
    /// The root.
    pub root: RootName,
    /// The directory below it.
    pub dir: RelPath,
    /// What went wrong below.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// Reads what was last seen. Implemented by the store, and in memory by tests.
pub trait Inventory: Send + Sync {
    /// The record of one directory; `None` when it was never listed.
    ///
    /// # Errors
    /// When the record can't be read.
    fn directory(
        &self,
        root: &RootName,
        dir: &RelPath,
    ) -> Result<Option<Directory>, InventoryError>;

    /// On which branches of its pool the files of one directory lay; `None` where there is no pool.
    ///
    /// # Errors
    /// When the record can't be read.
    fn lay(&self, root: &RootName, dir: &RelPath) -> Result<Option<Lay>, InventoryError> {
        let _unknown = (root, dir);
        Ok(None)
    }

    /// Calls `each` with every record at `dir` and anywhere below it, until it breaks.
    ///
    /// # Errors
    /// When a record can't be read.
    fn within(
        &self,
        root: &RootName,
        dir: &RelPath,
        each: &mut dyn FnMut(RelPath, Directory) -> ControlFlow<()>,
    ) -> Result<(), InventoryError>;
}
