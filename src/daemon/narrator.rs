//! Writes lines to the journal, from a thread of its own: a journal that hangs must not hang the
//! loop.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;

use tracing::Level;

use super::messages::{self, Message};
use crate::telemetry::STORY;

/// How many lines may wait for a slow journal; the decisions beyond are in the store all the same.
const WAITING: usize = 10_000;

/// One line of the journal: a sentence, and the fields that say the same to a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) message: Message,
    pub(super) level: Level,
    pub(super) text: String,
    pub(super) fields: Fields,
}

/// The fields of a line, named as in the journal but for `OBITUARR_`; those that are not apt stay
/// `None` and are not written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Fields {
    pub(super) item: Option<String>,
    pub(super) title: Option<String>,
    pub(super) root: Option<String>,
    pub(super) health: Option<String>,
    pub(super) candidate: Option<String>,
    pub(super) deletion: Option<String>,
    pub(super) source: Option<String>,
    pub(super) cause: Option<String>,
    pub(super) tracker: Option<String>,
    pub(super) witness: Option<String>,
    pub(super) reason: Option<String>,
}

impl Line {
    /// A line without fields, at the level of its kind.
    pub(super) fn new(message: Message, text: impl Into<String>) -> Self {
        let (text, fields) = (text.into(), Fields::default());
        Self { message, level: message.level, text, fields }
    }

    /// The same line, about a root.
    pub(super) fn of_root(mut self, root: &crate::domain::RootName) -> Self {
        self.fields.root = Some(root.to_string());
        self
    }

    /// The same line, with its reason.
    pub(super) fn because(mut self, reason: impl Into<String>) -> Self {
        self.fields.reason = Some(reason.into());
        self
    }
}

/// The end into which the loop speaks.
#[derive(Debug)]
pub(super) struct Narrator {
    sender: Option<SyncSender<Line>>,
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

    /// Takes a line to be written soon.
    pub(super) fn tell(&mut self, line: Line) {
        let Some(sender) = &self.sender else { return };
        if self.unheard > 0 {
            let text = format!("the journal was too slow for {} lines", self.unheard);
            if sender.try_send(Line::new(messages::LINES_MISSING, text)).is_ok() {
                self.unheard = 0;
            }
        }
        match sender.try_send(line) {
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

fn listen(receiver: &Receiver<Line>) {
    while let Ok(line) = receiver.recv() {
        write(&line);
    }
}

/// One event. The name of a field becomes upper-case in the journal; `None` is no field there.
macro_rules! event {
    ($level:ident, $line:expr) => {{
        let Line { message, text, fields, .. } = $line;
        tracing::$level!(
            target: STORY,
            message_id = message.id,
            obituarr_kind = message.kind,
            obituarr_item = fields.item.as_deref(),
            obituarr_title = fields.title.as_deref(),
            obituarr_root = fields.root.as_deref(),
            obituarr_health = fields.health.as_deref(),
            obituarr_candidate = fields.candidate.as_deref(),
            obituarr_deletion = fields.deletion.as_deref(),
            obituarr_source = fields.source.as_deref(),
            obituarr_cause = fields.cause.as_deref(),
            obituarr_tracker = fields.tracker.as_deref(),
            obituarr_witness = fields.witness.as_deref(),
            obituarr_reason = fields.reason.as_deref(),
            "{text}"
        );
    }};
}

fn write(line: &Line) {
    match line.level {
        Level::ERROR => event!(error, line),
        Level::WARN => event!(warn, line),
        _ => event!(info, line),
    }
}
