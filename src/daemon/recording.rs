//! From a confirmed deletion to its line in the ledger.
//!
//! Must never pass over one in silence: what can't be recorded is under review again.

use super::engine::{Engine, Record};
use super::messages;
use super::narrator::Line;
use super::orders::Order;
use crate::domain::{Decision, DeletionId, Entry, EntryState, Hold, Now, Subject, What};
use crate::store::{Batch, Durability, Storage, StoreError};

/// The name of the embedded tracker.
const LEDGER: &str = "ledger";

impl<S: Storage, R: Record> Engine<S, R> {
    /// Records what was confirmed just now; `stored` is what was written of it. What can't be
    /// recorded is taken back: by the time that it can be, the world may be another.
    pub(super) fn record(
        &mut self,
        now: Now,
        ids: &[DeletionId],
        stored: &[Entry],
    ) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        for id in ids {
            let known = self.store.entry(id)?;
            if known.as_ref().is_some_and(|entry| entry.state == EntryState::Accepted) {
                // One obituary a life: it was told before.
                continue;
            }
            let Some(entry) = known.filter(|entry| entry.state == EntryState::Queued) else {
                self.take_back_unreadable(now, id, stored);
                continue;
            };
            let told = Entry {
                state: EntryState::Accepted,
                forwarded_at: Some(now.wall),
                lost: Vec::new(),
                places: Vec::new(),
                ..entry.clone()
            };
            if let Err(error) = self.recorder.record(&told, now.wall) {
                let why = format!("{error:#}");
                self.record_fails = Some(why.clone());
                self.take_back(now, entry, LEDGER, why);
                continue;
            }
            self.record_fails = None;
            batch.changes.decisions.push(Decision {
                at: now.wall,
                subject: Subject::Item(told.deletion.item.clone()),
                candidate: None,
                what: What::Forwarded { deletion: id.clone(), tracker: LEDGER.to_owned() },
                evidence: Vec::new(),
            });
            batch.entries.push(told);
        }
        if batch.entries.is_empty() {
            return Ok(());
        }
        batch.changes.next_candidate = self.core.next_candidate();
        self.store.commit(&batch, Durability::Flushed)?;
        self.orders.extend(batch.changes.decisions.into_iter().map(Order::Tell));
        Ok(())
    }

    /// An entry that was written a moment ago and can't be read now: nothing is told on the word of
    /// a disk like that.
    fn take_back_unreadable(&mut self, now: Now, id: &DeletionId, stored: &[Entry]) {
        let why =
            "what was stored of its end can't be read again; check the state directory's disk";
        let entry = stored.iter().find(|entry| entry.deletion.id == *id);
        let title = entry.map_or_else(|| id.to_string(), |entry| entry.deletion.item.to_string());
        let text = format!("{title} is not reported: {why}");
        let line = Line::new(messages::UNREADABLE, text).of_deletion(id).because(why);
        self.orders.push(Order::Say(line));
        if let Some(entry) = entry {
            self.take_back(now, entry.clone(), "store", why.to_owned());
        }
    }

    fn take_back(&mut self, now: Now, entry: Entry, witness: &str, why: String) {
        let entry = Entry { state: EntryState::Withdrawn, ..entry };
        let hold = Hold::Unknown { witness: witness.to_owned(), why };
        self.core.reopen(now, &entry, Some(hold));
    }
}
