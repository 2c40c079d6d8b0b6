//! Whether two roots are one directory by another way: a link, or a mount of the same tree.
//!
//! What the configuration says of paths is compared where it is read; this asks the disk, which may
//! hang: a root that does not answer in time is left to the daemon.

use std::fs;
use std::path::PathBuf;
use std::sync::mpsc::channel;
use std::time::Duration;

use crate::config::RootSettings;
use crate::domain::AbsPath;

/// How long all roots together may take to answer.
const PATIENCE: Duration = Duration::from_millis(500);

/// Where a root really is.
#[derive(Clone)]
struct Found {
    at: usize,
    path: PathBuf,
    device: u64,
    inode: u64,
}

/// Says of the first two roots that share a directory that they do.
pub(super) fn not_apart(roots: &[RootSettings]) -> Option<String> {
    let (sender, receiver) = channel();
    for (at, root) in roots.iter().enumerate() {
        let (sender, path) = (sender.clone(), root.path.clone());
        let look = move || {
            // Not the standard library's look: that one would set off an automount.
            let found = rustix::fs::stat(&path).ok().zip(fs::canonicalize(&path).ok());
            let found = found.map(|(stat, path)| Found {
                at,
                path,
                device: stat.st_dev,
                inode: stat.st_ino,
            });
            // Nobody listens any more when it took too long.
            drop(sender.send(found));
        };
        // Without a thread it is not looked at here.
        drop(std::thread::Builder::new().name("apart".to_owned()).spawn(look));
    }
    drop(sender);
    let mut found: Vec<Found> = Vec::new();
    while let Ok(one) = receiver.recv_timeout(PATIENCE) {
        found.extend(one);
    }
    found.sort_by_key(|found| found.at);
    for (number, later) in found.iter().enumerate() {
        for earlier in &found[..number] {
            if (later.device, later.inode) == (earlier.device, earlier.inode) {
                return Some(message(
                    &roots[later.at],
                    "is the same directory as",
                    &roots[earlier.at],
                ));
            }
            for (inner, outer) in [(later, earlier), (earlier, later)] {
                if inner.path.starts_with(&outer.path) {
                    return Some(message(&roots[inner.at], "lies inside", &roots[outer.at]));
                }
            }
        }
    }
    None
}

fn message(one: &RootSettings, relation: &str, other: &RootSettings) -> String {
    format!(
        "roots.{}.path: {} {relation} {} (roots.{}); a root already covers all that is below it, so \
         leave one of the two out",
        one.name,
        AbsPath::new(&one.path),
        AbsPath::new(&other.path),
        other.name,
    )
}
