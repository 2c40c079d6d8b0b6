//! Writes decisions to the journal, from a thread of its own: a journal that hangs must not hang
//! the loop.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;

use super::words;
use crate::domain::{Decision, Health, Subject, What};

/// How many decisions may wait for a slow journal; the ones beyond are in the store all the same.
const WAITING: usize = 10_000;

/// The end into which the loop speaks.
#[derive(Debug)]
pub(super) struct Narrator {
    sender: Option<SyncSender<Decision>>,
    thread: Option<thread::JoinHandle<()>>,
    unheard: u64,
}

impl Narrator {
    /// Begins to listen.
    pub(super) fn start() -> std::io::Result<Self> {
        let (sender, receiver) = sync_channel(WAITING);
        let thread =
            thread::Builder::new().name("narrator".to_owned()).spawn(move || listen(&receiver))?;
        Ok(Self { sender: Some(sender), thread: Some(thread), unheard: 0 })
    }

    /// Takes a decision to be written soon.
    pub(super) fn tell(&mut self, decision: Decision) {
        let Some(sender) = &self.sender else { return };
        match sender.try_send(decision) {
            Ok(()) if self.unheard > 0 => {
                tracing::warn!(count = self.unheard, "the journal was too slow for some lines");
                self.unheard = 0;
            }
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => self.unheard += 1,
        }
    }
}

impl Drop for Narrator {
    fn drop(&mut self) {
        self.sender = None;
        if let Some(thread) = self.thread.take() {
            // It ends when all is written; a panic in it has been printed.
            drop(thread.join());
        }
    }
}

fn listen(receiver: &Receiver<Decision>) {
    while let Ok(decision) = receiver.recv() {
        write(&decision);
    }
}

fn write(decision: &Decision) {
    let text = words::sentence(decision);
    let kind = words::kind(&decision.what);
    let candidate = decision.candidate.map(|id| id.to_string()).unwrap_or_default();
    let (item, root) = match &decision.subject {
        Subject::Item(item) => (item.key().to_string(), String::new()),
        Subject::Root(root) => (String::new(), root.to_string()),
    };
    let degraded = match &decision.what {
        What::Health { to, .. } => {
            matches!(to, Health::Offline | Health::Suspect | Health::Stalled)
        }
        What::Held { why } => !why.can_end_by_itself(),
        _ => false,
    };
    if degraded {
        tracing::warn!(
            obituarr_kind = kind,
            obituarr_item = item,
            obituarr_root = root,
            obituarr_candidate = candidate,
            "{text}"
        );
    } else {
        tracing::info!(
            obituarr_kind = kind,
            obituarr_item = item,
            obituarr_root = root,
            obituarr_candidate = candidate,
            "{text}"
        );
    }
}
