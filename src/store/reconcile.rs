//! Brings the store and the ledger together at start: the ledger wins.

use std::collections::BTreeMap;
use std::time::Duration;

use super::ledger::{Event, Line};
use super::{Batch, Durability, Storage, StoreError};
use crate::core::ItemState;
use crate::domain::{Entry, EntryState, ItemKey, Timestamp};

/// An older sign of life than this, and what is missing now may have gone any time.
const STALE: Duration = Duration::from_hours(14 * 24);
/// The store's sign of life is written with each decision, and each minute.
const SLACK: Duration = Duration::from_mins(5);

/// Takes over what the ledger knows and the store does not. Returns the number of entries taken.
///
/// # Errors
/// When the store can't be read or written.
pub(super) fn reconcile<S: Storage>(store: &S, lines: &[Line]) -> Result<usize, StoreError> {
    let mut batch = Batch::default();
    let mut lives: BTreeMap<ItemKey, &Entry> = BTreeMap::new();
    let entries = lines.iter().filter_map(|line| match &line.event {
        Event::Deletion { entry } => Some(&**entry),
        Event::Verb { .. } | Event::Unknown => None,
    });
    for entry in entries {
        let known = store.entry(&entry.deletion.id)?;
        if known.is_none_or(|known| known.state == EntryState::Queued) {
            batch.entries.push(entry.clone());
        }
        let latest = lives.entry(entry.deletion.item.key()).or_insert(entry);
        if latest.deletion.life < entry.deletion.life {
            *latest = entry;
        }
    }
    if batch.entries.is_empty() {
        return Ok(0);
    }
    let saved = store.load()?.saved;
    let known: BTreeMap<ItemKey, &ItemState> =
        saved.items.iter().map(|state| (state.item.key(), state)).collect();
    for (key, entry) in lives {
        let deletion = &entry.deletion;
        // A life that the store does not know to be over is over.
        if known.get(&key).is_none_or(|state| state.life < deletion.life) {
            let state = ItemState {
                item: deletion.item.clone(),
                life: deletion.life,
                closed: Some(deletion.confirmed_at),
                partial: Vec::new(),
            };
            batch.changes.items.push((key, Some(state)));
        }
    }
    batch.entries.dedup_by(|a, b| a.deletion.id == b.deletion.id);
    let taken = batch.entries.len();
    store.commit(&batch, Durability::Synced)?;
    Ok(taken)
}

/// Why losses found at start can't be dated, if they can't.
pub(super) fn stale(
    rebuilt: bool,
    heartbeat: Option<Timestamp>,
    ledger: Option<Timestamp>,
    now: Timestamp,
) -> Option<String> {
    if rebuilt {
        return Some("the store had to be made anew".to_owned());
    }
    let heartbeat = heartbeat?;
    if now.since(heartbeat) > STALE {
        return Some(format!("nobody has watched since {heartbeat}"));
    }
    let newer = ledger.filter(|line| line.since(heartbeat) > SLACK)?;
    Some(format!(
        "the store is older ({heartbeat}) than the ledger ({newer}): restored from a copy?"
    ))
}
