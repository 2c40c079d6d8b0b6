//! The whole daemon from outside: the built binary on real directories.

pub(crate) mod daemon;
pub(crate) mod wait;

mod aliases;
pub(crate) mod answers;
mod bad_input;
mod deleted;
mod hidden;
mod journal;
mod living;
mod moved;
mod names;
mod restart;
mod service;
mod sockets;
mod suspect;
mod telling;

use std::fs;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

/// Makes a file with content, and the folders above it.
pub(crate) fn make(dir: &Path, file: &str) {
    let path = dir.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, file).unwrap();
}

/// Lets a folder look as if nothing was put into it for long.
pub(crate) fn age(folder: &Path) {
    let long_ago = UNIX_EPOCH + Duration::from_hours(1);
    fs::File::open(folder).unwrap().set_modified(long_ago).unwrap();
}
