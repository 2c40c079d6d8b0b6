//! What a person's word would take along: the files of a whole root, as if they were lost.
//!
//! Must never change anything; it only asks the inventory.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

use super::engine::{Engine, Record};
use super::folders::{Around, Stored};
use super::listings::{Change, Context, Owners, by_title, expand, lost_observation, still_counts};
use super::overlay::Overlay;
use crate::catalog::is_loose_file_of;
use crate::control::RetiredTitle;
use crate::core::Core;
use crate::domain::{FilePath, Item, LostFile, Now, Observation, RelPath, RootName, Sensor};
use crate::inventory::{Inventory, InventoryError};
use crate::store::{Storage, StoreError};

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

impl<S: Storage, R: Record> Engine<S, R> {
    /// What it would be told as if the files of a root that `is_lost` names were lost.
    pub(super) fn losses_in(
        &self,
        now: Now,
        name: &RootName,
        is_lost: &mut dyn FnMut(&RelPath, &[u8]) -> bool,
    ) -> Result<Vec<Observation>, StoreError> {
        let Some(run) = self.roots.get(name) else { return Ok(Vec::new()) };
        let context = Context {
            root: name,
            title: &run.title,
            rules: &run.spec.rules,
            sensor: Sensor::Watcher,
            baseline: false,
            awake: now.awake,
            within: run.spec.within.as_ref(),
        };
        Ok(losses(context, &*self.store, &self.core, is_lost)?)
    }

    /// The titles of losses, by name.
    pub(super) fn titles_lost(
        &self,
        losses: &[Observation],
    ) -> Result<Vec<RetiredTitle>, StoreError> {
        let mut by_item: HashMap<Item, Vec<&LostFile>> = HashMap::new();
        for loss in losses {
            if let Observation::Lost { item, files, .. } = loss {
                by_item.entry(item.clone()).or_default().extend(files);
            }
        }
        let mut titles = Vec::new();
        for (item, files) in by_item {
            let lives_on = self.has_other_files(&item, &files)?;
            let files = files.len() as u64;
            titles.push(RetiredTitle { item, files, lives_on });
        }
        titles.sort_by_key(|title| title.item.to_string());
        Ok(titles)
    }

    /// Whether the inventory knows a file of a title besides these.
    fn has_other_files(&self, item: &Item, lost: &[&LostFile]) -> Result<bool, StoreError> {
        let mut found = false;
        for at in self.store.titles(&item.match_keys())? {
            let (place, keys) = (&at.place, item.match_keys());
            let Some(run) =
                self.roots.get(&place.root).filter(|_| !at.item.ids.contradict(&item.ids))
            else {
                continue;
            };
            let stored = Stored { root: &place.root, inventory: &*self.store };
            let around = Around::new(&stored, &*self.store, run.spec.within.as_ref());
            let placer = around.placer(&place.root, &run.title);
            self.store.within(&place.root, &place.folder, &mut |dir, record| {
                found = record.files.iter().any(|file| {
                    let path = FilePath::new(place.root.clone(), dir.join(&file.name));
                    let is_of = if place.loose {
                        is_loose_file_of(item, &file.name)
                    } else {
                        let owner = placer.place(&path.rel).title.item.match_keys();
                        owner.iter().any(|key| keys.contains(key))
                    };
                    is_of && lost.iter().all(|lost| lost.path != path)
                });
                if found || place.loose {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            })?;
            if found {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
