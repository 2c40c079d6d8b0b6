//! The inventory as it will be once the listings at hand are stored.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use super::folders::Stored;
use crate::catalog::Folders;
use crate::domain::{RelPath, RootName};
use crate::inventory::{Directory, Inventory, InventoryError, Listing, Name};

/// The inventory as it will be, on top of what it is.
pub(super) struct Overlay<'a> {
    pub(super) root: &'a RootName,
    pub(super) inventory: &'a dyn Inventory,
    pub(super) changed: BTreeMap<RelPath, Option<Directory>>,
}

impl Overlay<'_> {
    /// What changed at a directory and below it, found by its place in the order of paths: with
    /// many changes a look at all of them for each would take for ever.
    pub(super) fn changed_within<'o>(
        &'o self,
        dir: &'o RelPath,
    ) -> impl Iterator<Item = (&'o RelPath, &'o Option<Directory>)> {
        // No name is less than this one.
        let below = self.changed.range(dir.join(&[1])..);
        let below = below.take_while(|(path, _)| path.is_within(dir));
        self.changed.get_key_value(dir).into_iter().chain(below)
    }

    pub(super) fn record(&self, dir: &RelPath) -> Result<Option<Directory>, InventoryError> {
        match self.changed.get(dir) {
            Some(record) => Ok(record.clone()),
            None => self.inventory.directory(self.root, dir),
        }
    }

    /// The record of a directory that has none though directories below it have: they are known to
    /// have been in it, and must be missed when they are not.
    pub(super) fn implied(&self, listing: &Listing) -> Result<Option<Directory>, InventoryError> {
        let depth = listing.dir.components().count();
        let mut subdirs: BTreeSet<Name> = BTreeSet::new();
        self.inventory.within(self.root, &listing.dir, &mut |path, _| {
            subdirs.extend(path.components().nth(depth).map(Name::from));
            ControlFlow::Continue(())
        })?;
        let record = Directory {
            fs: listing.fs,
            looked: listing.at,
            files: Vec::new(),
            subdirs: subdirs.into_iter().collect(),
        };
        Ok((!record.subdirs.is_empty()).then_some(record))
    }
}

impl Folders for Overlay<'_> {
    fn folder(&self, dir: &RelPath) -> Option<Directory> {
        self.record(dir).ok().flatten()
    }

    fn has_media_below(&self, dir: &RelPath) -> bool {
        let has_media =
            |record: &Option<Directory>| record.as_ref().is_some_and(|r| !r.files.is_empty());
        if self.changed_within(dir).any(|(_, record)| has_media(record)) {
            return true;
        }
        let stored = Stored { root: self.root, inventory: self.inventory };
        stored.has_media(dir, |path| !self.changed.contains_key(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An inventory that knows nothing.
    struct Nothing;

    impl Inventory for Nothing {
        fn directory(
            &self,
            _: &RootName,
            _: &RelPath,
        ) -> Result<Option<Directory>, InventoryError> {
            Ok(None)
        }

        fn within(
            &self,
            _: &RootName,
            _: &RelPath,
            _: &mut dyn FnMut(RelPath, Directory) -> ControlFlow<()>,
        ) -> Result<(), InventoryError> {
            Ok(())
        }
    }

    #[test]
    fn what_changed_within_a_folder_is_that_folder_and_all_below_it_and_nothing_else() {
        let rel = |path: &str| RelPath::parse(path.as_bytes()).unwrap();
        let paths = ["", "a", "a b", "a\u{1}", "a/\u{1}", "a/b", "a/b/c", "a-c", "ab", "b"];
        let root = RootName::parse("m").unwrap();
        let changed = paths.iter().map(|path| (rel(path), None)).collect();
        let view = Overlay { root: &root, inventory: &Nothing, changed };
        for dir in paths.iter().chain(&["c", "a/b/c/d"]).map(|path| rel(path)) {
            let found: Vec<&RelPath> = view.changed_within(&dir).map(|(path, _)| path).collect();
            let expected: Vec<&RelPath> =
                view.changed.keys().filter(|path| path.is_within(&dir)).collect();
            assert_eq!(found, expected, "{dir}");
        }
    }
}
