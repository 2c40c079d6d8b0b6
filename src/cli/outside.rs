//! Whether the state and the sockets lie outside of every root.
//!
//! Nothing may ever be written below a root. Where a directory really is, is asked of the disk, which
//! may hang: what does not answer in time is judged by its path.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::time::Duration;

use super::dirs::Dirs;
use crate::config::{ConfigError, Place, Problem, RootSettings, Settings};
use crate::domain::AbsPath;

/// How long all directories together may take to answer.
const PATIENCE: Duration = Duration::from_millis(500);

/// Where a directory really is.
#[derive(Debug, Clone, Default)]
struct Found {
    path: PathBuf,
    /// Its device and inode, when it is there.
    own: Option<(u64, u64)>,
    /// Those of it and of all directories around it: a mount shows one tree in several places.
    around: Vec<(u64, u64)>,
}

impl Found {
    fn by_name(path: &Path) -> Self {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        Self { path, ..Self::default() }
    }

    /// What is not there yet will be made where its nearest directory is.
    fn look(path: &Path) -> Self {
        let named = Self::by_name(path);
        // Not the standard library's look: that one would set off an automount.
        let inode = |path: &Path| rustix::fs::stat(path).ok().map(|s| (s.st_dev, s.st_ino));
        let there = named.path.ancestors().find(|path| inode(path).is_some());
        let Some((there, Ok(real))) = there.map(|there| (there, fs::canonicalize(there))) else {
            return named;
        };
        let rest = named.path.strip_prefix(there).unwrap_or(Path::new(""));
        // Joined with nothing it would end in a slash.
        let is_whole = rest.as_os_str().is_empty();
        let path = if is_whole { real.clone() } else { real.join(rest) };
        let own = is_whole.then(|| inode(&real)).flatten();
        Self { path, own, around: real.ancestors().filter_map(inode).collect() }
    }

    fn is_in(&self, outer: &Self) -> bool {
        self.path.starts_with(&outer.path)
            || outer.own.is_some_and(|outer| self.around.contains(&outer))
    }
}

/// Why nothing may be started like that, if so.
pub(super) fn not_outside(roots: &[RootSettings], dirs: &Dirs) -> Option<String> {
    let places = [dirs.state.as_path(), dirs.runtime.as_path()];
    let paths = places.into_iter().chain(roots.iter().map(|root| root.path.as_path()));
    let mut found: Vec<Found> = paths.map(Found::by_name).collect();
    let (sender, receiver) = channel();
    for (at, named) in found.iter().enumerate() {
        let (sender, path) = (sender.clone(), named.path.clone());
        // Nobody listens any more when it took too long.
        let look = move || drop(sender.send((at, Found::look(&path))));
        // Without a thread it is judged by its path.
        drop(std::thread::Builder::new().name("outside".to_owned()).spawn(look));
    }
    drop(sender);
    while let Ok((at, one)) = receiver.recv_timeout(PATIENCE) {
        found[at] = one;
    }
    let (places, of_roots) = found.split_at(2);
    for (root, outer) in roots.iter().zip(of_roots) {
        let shown = AbsPath::new(&root.path);
        let name = &root.name;
        for (place, path, option) in
            [(&places[0], &dirs.state, "--state-dir"), (&places[1], &dirs.runtime, "--runtime-dir")]
        {
            if place.is_in(outer) {
                let path = AbsPath::new(path);
                return Some(format!(
                    "{option}: {path} lies below {shown} (roots.{name}), and nothing may be written \
                     among media; give a directory outside of every root"
                ));
            }
        }
        if outer.is_in(&places[0]) {
            let state = AbsPath::new(&dirs.state);
            return Some(format!(
                "roots.{name}.path: {shown} lies in {state}, the state directory, which belongs to \
                 obituarr alone; give another --state-dir"
            ));
        }
    }
    None
}

/// The same of a configuration that was read again.
pub(super) fn still_outside(settings: Settings, dirs: &Dirs) -> Result<Settings, ConfigError> {
    let Some(message) = not_outside(&settings.roots, dirs) else { return Ok(settings) };
    let place = Place::Source("the new roots".to_owned());
    Err(ConfigError { problems: vec![Problem { place, key: None, message }] })
}
