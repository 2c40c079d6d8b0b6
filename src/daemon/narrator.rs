//! Writes lines to the journal, from a thread of its own: a journal that hangs must not hang the
//! loop.

use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;

use tracing::Level;

use super::messages::{self, Message};
use crate::telemetry::STORY;

/// How many lines may wait for a slow journal; the decisions beyond are in the store all the same.
const WAITING: usize = 10_000;
/// How long the end waits for the last lines; systemd would not wait much longer.
const LAST_LINES: Duration = Duration::from_secs(2);

/// One line of the journal: a sentence, and the fields that say the same to a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
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

    /// The same line, about a witness.
    pub(super) fn of_witness(mut self, witness: String) -> Self {
        self.fields.witness = Some(witness);
        self
    }

    /// The same line, about a deletion.
    pub(super) fn of_deletion(mut self, id: &crate::domain::DeletionId) -> Self {
        self.fields.deletion = Some(id.to_string());
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
    /// Nothing comes from it; it closes when all is written.
    written: Receiver<()>,
    last_lines: Duration,
    unheard: u64,
}

impl Narrator {
    /// Begins to listen.
    pub(super) fn start() -> std::io::Result<Self> {
        Self::with(write, LAST_LINES)
    }

    fn with(write: impl Fn(&Line) + Send + 'static, last_lines: Duration) -> std::io::Result<Self> {
        let (sender, receiver) = sync_channel(WAITING);
        let (writing, written) = mpsc::channel::<()>();
        thread::Builder::new().name("narrator".to_owned()).spawn(move || {
            while let Ok(line) = receiver.recv() {
                write(&line);
            }
            drop(writing);
        })?;
        Ok(Self { sender: Some(sender), written, last_lines, unheard: 0 })
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
        // A journal that hangs must not hold up the end: then the last lines are lost.
        let _written_or_not = self.written.recv_timeout(self.last_lines);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_that_hangs_holds_up_neither_the_loop_nor_the_end() {
        let (gate, opened) = mpsc::channel::<()>();
        let hangs = move |_: &Line| assert!(opened.recv().is_err());
        let mut narrator = Narrator::with(hangs, Duration::from_millis(10)).unwrap();
        for _ in 0..WAITING + 9 {
            narrator.tell(Line::new(messages::READY, "x"));
        }
        assert!((8..=9).contains(&narrator.unheard), "{}", narrator.unheard);
        drop(narrator);
        drop(gate);
    }

    #[test]
    fn lines_that_were_too_many_are_counted_and_the_last_ones_are_waited_for() {
        let (gate, opened) = mpsc::channel::<()>();
        let (lines, written) = mpsc::channel();
        let slow = move |line: &Line| {
            assert!(opened.recv().is_err());
            lines.send(line.message.kind).unwrap();
        };
        let mut narrator = Narrator::with(slow, Duration::from_mins(1)).unwrap();
        for _ in 0..WAITING + 9 {
            narrator.tell(Line::new(messages::READY, "x"));
        }
        // From here on it writes what it gets; two are out of the way when two were written.
        drop(gate);
        let first: Vec<&str> = written.iter().take(2).collect();
        assert_eq!(first, ["ready", "ready"]);
        narrator.tell(Line::new(messages::STOPPING, "y"));
        drop(narrator);
        let rest: Vec<&str> = written.iter().collect();
        assert!(rest.ends_with(&["lines_missing", "stopping"]), "{} lines", rest.len());
    }
}
