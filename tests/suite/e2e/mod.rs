//! The whole daemon from outside: the built binary on real directories.

pub(crate) mod daemon;
pub(crate) mod wait;

mod answers;
mod bad_input;
mod deleted;
mod journal;
mod living;
mod names;
mod restart;
mod service;
mod sockets;

use std::fs;
use std::path::Path;

/// Makes a file with content, and the folders above it.
pub(crate) fn make(dir: &Path, file: &str) {
    let path = dir.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, file).unwrap();
}
