//! Setting many watches at once, which may happen on a helping thread while others are listed.

use std::path::Path;

use notify::{ErrorKind, INotifyWatcher, PathOp, RecursiveMode, WatchPathConfig, Watcher};

use crate::domain::RelPath;

/// Watches to set, with the watchers that are to set them.
#[derive(Debug, Default)]
pub(super) struct Job {
    pub(super) parts: Vec<Part>,
}

/// The share of one watcher.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) slot: usize,
    pub(super) watcher: INotifyWatcher,
    pub(super) dirs: Vec<RelPath>,
    ops: Vec<PathOp>,
    /// How many of `dirs` were tried, and which of these failed.
    pub(super) tried: usize,
    pub(super) failed: Vec<usize>,
    /// The kernel allows no more watches.
    pub(super) hit_limit: bool,
    /// The watcher does not answer any more.
    pub(super) is_lost: bool,
}

impl Part {
    pub(super) fn new(
        slot: usize,
        watcher: INotifyWatcher,
        root: &Path,
        dirs: Vec<RelPath>,
    ) -> Self {
        let op = |dir: &RelPath| {
            // The root may be configured as a link; below it none is followed.
            let config = WatchPathConfig::new(RecursiveMode::NonRecursive)
                .with_dereference_symlinks(dir.is_root());
            PathOp::Watch(dir.under(root), config)
        };
        let ops = dirs.iter().map(op).collect();
        Self {
            slot,
            watcher,
            dirs,
            ops,
            tried: 0,
            failed: vec![],
            hit_limit: false,
            is_lost: false,
        }
    }

    fn run(&mut self) {
        while self.tried < self.dirs.len() && !self.hit_limit {
            let Err(error) = self.watcher.update_paths(std::mem::take(&mut self.ops)) else {
                self.tried = self.dirs.len();
                return;
            };
            if error.origin.is_none() {
                self.is_lost = true;
                return;
            }
            self.tried = self.dirs.len() - error.remaining.len();
            self.failed.push(self.tried - 1);
            self.hit_limit = matches!(error.source.kind, ErrorKind::MaxFilesWatch);
            self.ops = error.remaining;
        }
    }
}

impl Job {
    pub(super) fn run(mut self) -> Self {
        for part in &mut self.parts {
            part.run();
            if part.hit_limit {
                break;
            }
        }
        self
    }
}
