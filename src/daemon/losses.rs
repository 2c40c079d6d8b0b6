//! What a person's word would take along: the files of a whole root, as if they were lost.
//!
//! Must never change anything; it only asks the inventory.

use std::collections::BTreeMap;

use super::folders::{Around, Stored};
use super::listings::{Change, Context, Owners, by_title, expand, lost_observation, still_counts};
use super::overlay::Overlay;
use crate::core::Core;
use crate::domain::{Observation, RelPath};
use crate::inventory::{Inventory, InventoryError};

/// What it would be told as if some of the files of a whole root were lost.
pub(super) fn losses(
    context: Context<'_>,
    inventory: &dyn Inventory,
    core: &Core,
    is_lost: &mut dyn FnMut(&RelPath, &[u8]) -> bool,
) -> Result<Vec<Observation>, InventoryError> {
    let mut view = Overlay { root: context.root, inventory, changed: BTreeMap::new() };
    let mut lost = Vec::new();
    expand(&mut view, &RelPath::root(), &mut lost)?;
    lost.retain(|change: &Change| {
        let dir = change.path.parent().unwrap_or_default();
        still_counts(context.rules, change) && is_lost(&dir, &change.media.name)
    });
    let stored = Stored { root: context.root, inventory };
    let around = Around::new(&stored, inventory, context.within);
    let placer = around.placer(context.root, context.title);
    let owners = Owners { placer, context, core, claims: core.claims() };
    let titles = by_title(|change| owners.of(change), &lost);
    Ok(titles.iter().map(|(title, files)| lost_observation(context, title, files)).collect())
}
