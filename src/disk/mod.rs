//! Looks at the disk, each from a directory held open, each complete or an error.
//!
//! Four looks: at a root ([`open_root`], [`RootDir::look_again`]), at one directory
//! ([`RootDir::list`]), at one path ([`RootDir::look`]) and at one file ([`RootDir::stat`]). A look
//! blocks for as long as the file system does: callers give it a thread of its own.
//!
//! Must never turn "I can't see it" into "it is not there", never follow a symbolic link below a
//! root, never write, and never start a thread.

mod file;
mod folder;
mod host;
mod identity;
mod inner;
mod list;
mod mounts;
mod open;
mod pool;
mod root;

pub use file::FileStat;
pub use folder::FolderStat;
pub use host::Host;
pub use identity::has_events;
pub use inner::{Automount, InnerMounts};
pub use list::LookError;
pub use mounts::{Mount, Mounts};
pub use pool::{PoolSpec, is_pool};
pub use root::{NoRoot, RootDir, open_inner_root, open_root};

use rustix::fs::StatxTimestamp;
use rustix::io::Errno;

use crate::domain::Timestamp;

/// The kernel's own words for an error.
fn words(error: Errno) -> String {
    let text = std::io::Error::from(error).to_string();
    match text.rsplit_once(" (os error") {
        Some((words, _)) => words.to_lowercase(),
        None => text,
    }
}

fn timestamp(stamp: &StatxTimestamp) -> Timestamp {
    let millis = i64::from(stamp.tv_nsec / 1_000_000);
    Timestamp::from_millis(stamp.tv_sec.saturating_mul(1_000).saturating_add(millis))
}
