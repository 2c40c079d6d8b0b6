//! Cookie files: one is made in our own state directory, which each notify watcher also watches.
//! When a watcher reports it, that watcher has reported everything that happened before.
//!
//! Must never be inside a media root.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a watcher may take to report a cookie.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Cookies {
    dir: PathBuf,
    made: u64,
}

impl Cookies {
    /// Prepares the directory of one root, clearing what a crash left in it.
    pub(super) fn new(dir: PathBuf) -> io::Result<Self> {
        match fs::remove_dir_all(&dir) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => fs::create_dir_all(&dir)?,
        }
        Ok(Self { dir, made: 0 })
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Makes a cookie and takes it away again; the events of both stay. Gives its name.
    pub(super) fn make(&mut self) -> io::Result<Vec<u8>> {
        self.made += 1;
        let name = self.made.to_string();
        let path = self.dir.join(&name);
        fs::File::create_new(&path)?;
        fs::remove_file(&path)?;
        Ok(name.into_bytes())
    }
}

impl Drop for Cookies {
    fn drop(&mut self) {
        // What stays behind is cleared at the next start.
        drop(fs::remove_dir(&self.dir));
    }
}
