//! What is different between what an instance listed before and what it lists now: hints to look.
//!
//! Must never be taken for more: a title that went from a listing may lie on the disk as before.

use std::collections::BTreeSet;

use super::shelf::{Index, keys, same};
use crate::domain::Listed;

/// What changed, each as it was listed before unless it says otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Titles that went, under every id.
    pub dropped: Vec<Listed>,
    /// Titles that had files and have none now.
    pub emptied: Vec<Listed>,
    /// Titles that have fewer files than before, but some.
    pub fewer: Vec<Listed>,
    /// Titles that have another id now: before, and now.
    pub recreated: Vec<(Listed, Listed)>,
    /// Titles that have files now and had none, or were not listed; as they are now.
    pub alive: Vec<Listed>,
}

impl Changes {
    /// Compares two listings. Of one that moved while it was read nothing counts as missing.
    #[must_use]
    pub fn between(before: &[Listed], now: &[Listed], moving: bool) -> Self {
        let mut changes = Self::default();
        let pairing = Pairing::of(before, now);
        for (old, at) in before.iter().zip(&pairing.now) {
            let Some(new) = at.map(|at| &now[at]) else {
                changes.dropped.push(old.clone());
                continue;
            };
            if new.id != old.id {
                changes.recreated.push((old.clone(), new.clone()));
            }
            if old.file_count > 0 && new.file_count == 0 {
                changes.emptied.push(old.clone());
            } else if new.file_count < old.file_count {
                changes.fewer.push(old.clone());
            }
        }
        let had_files: BTreeSet<usize> = before
            .iter()
            .zip(&pairing.now)
            .filter_map(|(old, at)| at.filter(|_| old.file_count > 0))
            .collect();
        let alive = now
            .iter()
            .enumerate()
            .filter(|(at, new)| new.file_count > 0 && !had_files.contains(at));
        changes.alive = alive.map(|(_, new)| new.clone()).collect();
        if moving {
            changes.dropped.clear();
            changes.emptied.clear();
            changes.fewer.clear();
        }
        changes
    }
}

/// Which title of a later listing each of an earlier one is.
pub(super) struct Pairing {
    /// By place in the earlier listing.
    pub(super) now: Vec<Option<usize>>,
}

impl Pairing {
    pub(super) fn of(before: &[Listed], now: &[Listed]) -> Self {
        let index = Index::without_places(now);
        let find = |old: &Listed| {
            // An id is given to another title later: it counts only with the title.
            let by_id = index.by_id(now, &old.id).filter(|at| same(old, &now[*at]));
            by_id.or_else(|| {
                index
                    .by_keys(now, &keys(&old.item, old.anidb))
                    .into_iter()
                    .find(|at| same(old, &now[*at]))
            })
        };
        Self { now: before.iter().map(find).collect() }
    }
}
