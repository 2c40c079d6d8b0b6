//! The folders of a root as the inventory knows them, for placing files.

use std::ops::ControlFlow;

use super::inner::Within;
use crate::catalog::{Folders, Placer};
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

/// The folders of an inner root together with those of the root around it, so that its files are
/// placed as if it were not mounted but simply there: the title of a season on a disk of its own is
/// the series. For any other root its own folders alone.
pub(super) struct Around<'a> {
    own: &'a dyn Folders,
    above: Option<(Stored<'a>, &'a Within)>,
}

impl<'a> Around<'a> {
    pub(super) fn new(
        own: &'a dyn Folders,
        inventory: &'a dyn Inventory,
        within: Option<&'a Within>,
    ) -> Self {
        let above = within.map(|within| (Stored { root: &within.outer, inventory }, within));
        Self { own, above }
    }

    /// What places the files of `root`, whose own folder is named `title`.
    pub(super) fn placer(&'a self, root: &'a RootName, title: &'a str) -> Placer<'a> {
        match &self.above {
            Some((_, within)) => Placer::new(root, &within.title, self).at(&within.dir),
            None => Placer::new(root, title, self.own),
        }
    }
}

impl Folders for Around<'_> {
    fn folder(&self, dir: &RelPath) -> Option<Directory> {
        match &self.above {
            None => self.own.folder(dir),
            Some((above, within)) => match dir.below(&within.dir) {
                Some(own) => self.own.folder(&own),
                None => above.folder(dir),
            },
        }
    }

    fn has_media_below(&self, dir: &RelPath) -> bool {
        match &self.above {
            None => self.own.has_media_below(dir),
            Some((above, within)) => match dir.below(&within.dir) {
                Some(own) => self.own.has_media_below(&own),
                None => {
                    above.has_media_below(dir)
                        || (within.dir.is_within(dir) && self.own.has_media_below(&RelPath::root()))
                }
            },
        }
    }
}
