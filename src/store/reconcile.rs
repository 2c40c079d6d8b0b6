//! Brings the store and the ledger together at start: the ledger wins.

use std::collections::BTreeMap;
use std::time::Duration;

use super::error::OpenError;
use super::ledger::{Event, Ledger, Line};
use super::{Batch, Durability, Storage, StoreError};
use crate::core::ItemState;
use crate::domain::{DeletionId, Entry, EntryState, ItemKey, Timestamp};

/// An older sign of life than this, and what is missing now may have gone any time.
const STALE: Duration = Duration::from_hours(14 * 24);
/// The store's sign of life is written with each decision, and each minute.
const SLACK: Duration = Duration::from_mins(5);

/// Takes over what the ledger knows and the store does not, and writes into the ledger again what
/// only the store knows to have been told. Returns the numbers of both.
///
/// # Errors
/// When the store or the ledger can't be read or written.
pub(super) fn reconcile<S: Storage>(
    store: &S,
    ledger: &mut Ledger,
    lines: &[Line],
) -> Result<(usize, usize), OpenError> {
    let told = lines.iter().filter_map(|line| match &line.event {
        Event::Deletion { entry } => Some((&entry.deletion.id, &**entry)),
        Event::Verb { .. } | Event::Unknown => None,
    });
    let told: BTreeMap<&DeletionId, &Entry> = told.collect();
    let known: BTreeMap<DeletionId, Entry> =
        store.entries()?.into_iter().map(|entry| (entry.deletion.id.clone(), entry)).collect();
    let accepted =
        |id: &DeletionId| known.get(id).is_some_and(|entry| entry.state == EntryState::Accepted);
    let entries: Vec<Entry> =
        told.iter().filter(|(id, _)| !accepted(id)).map(|(_, entry)| (*entry).clone()).collect();
    let taken = entries.len();
    if taken > 0 {
        let mut batch = Batch { entries, ..Batch::default() };
        close_lives(store, &told, &mut batch)?;
        store.commit(&batch, Durability::Synced)?;
    }
    let mut lost: Vec<&Entry> = known
        .values()
        .filter(|entry| {
            entry.state == EntryState::Accepted && !told.contains_key(&entry.deletion.id)
        })
        .collect();
    lost.sort_by_key(|entry| entry.deletion.confirmed_at);
    for entry in &lost {
        let at = entry.forwarded_at.unwrap_or(entry.deletion.confirmed_at);
        ledger.append_deletion(entry, at)?;
    }
    Ok((taken, lost.len()))
}

/// A life that the ledger knows to be over is over, and with it what is under review in it:
/// otherwise the next life could not begin, and its end would not be told.
fn close_lives<S: Storage>(
    store: &S,
    told: &BTreeMap<&DeletionId, &Entry>,
    batch: &mut Batch,
) -> Result<(), StoreError> {
    let saved = store.load()?.saved;
    let known: BTreeMap<ItemKey, &ItemState> =
        saved.items.iter().map(|state| (state.item.key(), state)).collect();
    let mut latest: BTreeMap<ItemKey, &Entry> = BTreeMap::new();
    for entry in told.values() {
        let last = latest.entry(entry.deletion.item.key()).or_insert(entry);
        if last.deletion.life < entry.deletion.life {
            *last = entry;
        }
    }
    for (key, entry) in latest {
        let deletion = &entry.deletion;
        let is_news = known.get(&key).is_none_or(|state| {
            state.life < deletion.life || (state.life == deletion.life && state.closed.is_none())
        });
        if is_news {
            let over = saved
                .candidates
                .iter()
                .filter(|candidate| candidate.life <= deletion.life && candidate.item.key() == key);
            batch.changes.candidates.extend(over.map(|candidate| (candidate.id, None)));
            let state = ItemState {
                life: deletion.life,
                closed: Some(deletion.confirmed_at),
                ..ItemState::first(deletion.item.clone())
            };
            batch.changes.items.push((key, Some(state)));
        }
    }
    Ok(())
}

/// What a person has retired at or behind the last sign of life: the store may not know of it. One
/// without a sign of life knows nothing that could be lost.
pub(super) fn retired(heartbeat: Option<Timestamp>, lines: &[Line]) -> Vec<(String, Timestamp)> {
    let of = |line: &Line| match &line.event {
        Event::Verb { verb, subject } if verb == "retire" => Some((subject.clone(), line.at)),
        _ => None,
    };
    let since = lines.iter().filter(|line| heartbeat.is_some_and(|heartbeat| line.at >= heartbeat));
    since.filter_map(of).collect()
}

/// Why losses found at start can't be dated, if they can't.
pub(super) fn stale(
    rebuilt: bool,
    heartbeat: Option<Timestamp>,
    ledger: &[Timestamp],
    now: Timestamp,
) -> Option<String> {
    if rebuilt {
        return Some("the store had to be made anew".to_owned());
    }
    let Some(heartbeat) = heartbeat else {
        let written = !ledger.is_empty();
        return written.then(|| "the store has never been in use, the ledger has".to_owned());
    };
    if now.since(heartbeat) > STALE {
        return Some(format!("nobody has watched since {heartbeat}"));
    }
    // A line from a time that has not come yet was written by a clock that was wrong.
    let possible = heartbeat.max(now).plus(SLACK);
    let newest = ledger.iter().copied().filter(|line| *line <= possible).max();
    let newer = newest.filter(|line| line.since(heartbeat) > SLACK)?;
    Some(format!(
        "the store is older ({heartbeat}) than the ledger ({newer}): restored from a copy?"
    ))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{candidate, entry, film, queued};
    use super::super::{Ledger, Memory};
    use super::*;
    use crate::domain::{Candidate, CandidateId, Life};

    /// Reconciles with a ledger that has these entries; in the end it has as many more as are told.
    fn run(store: &Memory, told: &[Entry]) -> (usize, usize) {
        let dir = tempfile::tempdir().unwrap();
        let open = || Ledger::open(dir.path(), Timestamp::default()).unwrap();
        let mut ledger = open().0;
        for entry in told {
            ledger.append_deletion(entry, entry.deletion.confirmed_at).unwrap();
        }
        drop(ledger);
        let (mut ledger, lines, _) = open();
        let (taken, rewritten) = reconcile(store, &mut ledger, &lines).unwrap();
        drop(ledger);
        assert_eq!(open().1.len(), lines.len() + rewritten);
        (taken, rewritten)
    }

    fn in_life(number: i64, life: Life) -> Entry {
        let mut entry = entry(number);
        entry.deletion.life = life;
        entry.deletion.id = DeletionId::new(&entry.deletion.item.key(), life);
        entry
    }

    fn state(life: Life, closed: bool) -> ItemState {
        let closed = closed.then(|| Timestamp::from_millis(1));
        ItemState { life, closed, ..ItemState::first(film(1)) }
    }

    /// What becomes of the state of film 1 when the ledger alone knows of the end of a life.
    fn check(stored: Option<ItemState>, told: Life, expected: (Life, bool)) {
        let store = Memory::new();
        let mut batch = Batch::default();
        batch.changes.items.extend(stored.map(|state| (state.item.key(), Some(state))));
        store.commit(&batch, Durability::Soon).unwrap();
        assert_eq!(run(&store, &[in_life(1, told)]), (1, 0));
        let state = &store.load().unwrap().saved.items[0];
        assert_eq!((state.life, state.closed.is_some()), expected);
        assert_eq!(store.entries().unwrap(), [in_life(1, told)]);
    }

    #[test]
    fn a_life_that_the_ledger_knows_to_be_over_is_over_and_a_later_one_goes_on() {
        let (first, second) = (Life::FIRST, Life::FIRST.next());
        check(None, first, (first, true));
        check(Some(state(first, false)), first, (first, true));
        check(Some(state(first, true)), first, (first, true));
        check(Some(state(first, true)), second, (second, true));
        check(Some(state(second, false)), second, (second, true));
        check(Some(state(second, false)), first, (second, false));
    }

    #[test]
    fn a_review_of_a_life_that_is_over_ends_and_others_go_on() {
        let store = Memory::new();
        let other = Candidate { id: CandidateId(4), item: film(2), ..candidate() };
        let mut batch = Batch::default();
        for candidate in [candidate(), other.clone()] {
            batch.changes.candidates.push((candidate.id, Some(candidate)));
        }
        store.commit(&batch, Durability::Soon).unwrap();
        run(&store, &[entry(1)]);
        assert_eq!(store.load().unwrap().saved.candidates, [other]);
    }

    #[test]
    fn each_side_gets_what_only_the_other_knows_to_be_told() {
        let store = Memory::new();
        let entries = vec![entry(1), queued(&entry(2)), entry(3), queued(&entry(4))];
        store.commit(&Batch { entries, ..Batch::default() }, Durability::Soon).unwrap();
        assert_eq!(run(&store, &[entry(1), entry(2), entry(5), entry(2)]), (2, 1));
        let after = vec![entry(5), queued(&entry(4)), entry(3), entry(2), entry(1)];
        assert_eq!(store.entries().unwrap(), after);
    }

    #[test]
    fn a_store_is_stale_when_nobody_watched_or_when_the_ledger_is_ahead_of_it() {
        let hour = 3_600_000;
        let check = |heartbeat: Option<i64>, ledger: &[i64], now: i64, expected: Option<&str>| {
            let at = |hours: &i64| Timestamp::from_millis(hours * hour);
            let ledger: Vec<Timestamp> = ledger.iter().map(at).collect();
            let why = stale(false, heartbeat.map(|h| at(&h)), &ledger, at(&now));
            match expected {
                Some(part) => assert!(why.as_deref().is_some_and(|w| w.contains(part)), "{why:?}"),
                None => assert_eq!(why, None),
            }
        };
        check(Some(10), &[9, 10], 11, None);
        check(Some(10), &[], 10 + 14 * 24, None);
        check(Some(10), &[], 11 + 14 * 24, Some("nobody has watched"));
        check(Some(10), &[9, 12], 13, Some("restored from a copy"));
        check(Some(10), &[500, 9], 11, None);
        check(None, &[], 5, None);
        check(None, &[1], 5, Some("never been in use"));
        assert!(stale(true, None, &[], Timestamp::default()).is_some());
    }
}
