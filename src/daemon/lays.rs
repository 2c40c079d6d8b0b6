//! On which branches of their pool files lay, as it was written down.

use crate::domain::{BranchId, RelPath, RootName};
use crate::inventory::{Inventory, InventoryError, Lay};

/// Asks for the branches of files, directory by directory.
pub(super) struct Lays<'a> {
    inventory: &'a dyn Inventory,
    root: &'a RootName,
    last: Option<(RelPath, Option<Lay>)>,
    /// The first thing that could not be read, after which no answer counts.
    pub(super) error: Option<InventoryError>,
}

impl<'a> Lays<'a> {
    pub(super) fn new(inventory: &'a dyn Inventory, root: &'a RootName) -> Self {
        Self { inventory, root, last: None, error: None }
    }

    pub(super) fn of(&mut self, dir: &RelPath, name: &[u8]) -> Vec<BranchId> {
        if self.last.as_ref().is_none_or(|(last, _)| last != dir) {
            let lay = self.inventory.lay(self.root, dir).unwrap_or_else(|error| {
                self.error = Some(error);
                None
            });
            self.last = Some((dir.clone(), lay));
        }
        let lay = self.last.as_ref().and_then(|(_, lay)| lay.as_ref());
        lay.map_or_else(Vec::new, |lay| lay.of(name))
    }
}
