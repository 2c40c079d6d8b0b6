//! The folders of a root as the inventory knows them, for placing files.

use std::ops::ControlFlow;

use crate::catalog::Folders;
use crate::domain::{RelPath, RootName};
use crate::inventory::{Directory, Inventory};

/// The inventory as it is stored.
#[derive(Clone, Copy)]
pub(super) struct Stored<'a> {
    /// The root.
    pub(super) root: &'a RootName,
    /// Its inventory.
    pub(super) inventory: &'a dyn Inventory,
}

impl Stored<'_> {
    /// Whether a media file is known at or below a folder, in a directory that counts.
    pub(super) fn has_media(&self, dir: &RelPath, counts: impl Fn(&RelPath) -> bool) -> bool {
        let mut any = false;
        let looked = self.inventory.within(self.root, dir, &mut |path, record| {
            any = !record.files.is_empty() && counts(&path);
            if any { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        // What can't be read is taken to hold media: a folder too many is a category, and its files
        // titles of their own, which the same unreadable record keeps from being believed lost.
        any || looked.is_err()
    }
}

impl Folders for Stored<'_> {
    fn folder(&self, dir: &RelPath) -> Option<Directory> {
        self.inventory.directory(self.root, dir).ok().flatten()
    }

    fn has_media_below(&self, dir: &RelPath) -> bool {
        self.has_media(dir, |_| true)
    }
}
