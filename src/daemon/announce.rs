//! What the loop says to people besides its answers: lines in the journal.

use super::messages;
use super::narrator::Line;
use super::run::Loop;
use super::{told, view};
use crate::control::Status;
use crate::domain::Decision;
use crate::store::{Storage, StoreError};

impl Loop<'_> {
    /// Writes a decision to the journal.
    pub(super) fn tell(&mut self, decision: &Decision) -> Result<(), StoreError> {
        let entry = match told::deletion_of(decision) {
            Some(id) => self.store.entry(id)?,
            None => None,
        };
        self.narrator.tell(told::line(decision, entry.as_ref().map(|entry| &entry.deletion)));
        Ok(())
    }

    /// Says, once, that the work has begun; when the kernel watches no more; and when the ledger can't be
    /// written any more.
    pub(super) fn announce(&mut self, status: &Status) {
        if status.ready && !std::mem::replace(&mut self.is_announced, true) {
            let files: u64 = status.roots.iter().map(|root| root.files).sum();
            let directories: u64 = status.roots.iter().map(|root| root.directories).sum();
            let roots = match status.roots.len() {
                1 => "1 root".to_owned(),
                count => format!("{count} roots"),
            };
            let text = format!(
                "READY: {roots}, {files} media files in {directories} directories; {}",
                status.summary
            );
            self.narrator.tell(Line::new(messages::READY, text));
        }
        for root in status.roots.iter().filter(|_| status.ready) {
            match view::unwatched(root) {
                Some(text) if self.unwatched.insert(root.name.clone()) => {
                    let mut line = Line::new(messages::WATCHES_MISSING, text);
                    line.fields.root = Some(root.name.clone());
                    line.fields.reason.clone_from(&root.watch_note);
                    self.narrator.tell(line);
                }
                // The note alone goes while watches are tried again.
                None if root.watched >= root.directories => {
                    self.unwatched.remove(&root.name);
                }
                _ => {}
            }
        }
        match (&self.engine.record_fails, self.ledger_fails) {
            (Some(why), false) => {
                let text = format!("the ledger can't be written, nothing is reported: {why}");
                self.narrator.tell(Line::new(messages::LEDGER_FAILING, text).because(why));
            }
            (None, true) => {
                let text = "the ledger is written again";
                self.narrator.tell(Line::new(messages::LEDGER_RECOVERED, text));
            }
            _ => {}
        }
        self.ledger_fails = self.engine.record_fails.is_some();
    }
}
