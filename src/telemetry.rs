//! Where log lines go: the journal when the journal listens, else text or JSON on standard error.
//!
//! Levels are a contract: `error` means that a person must act, `warn` that something is degraded
//! but safe, `info` that something was decided, `debug` is for developers.

use std::io::{self, IsTerminal};
use std::os::unix::fs::MetadataExt;

use tracing::Level;
use tracing_journald::{Priority, PriorityMappings};
use tracing_subscriber::filter::{Targets, filter_fn};
use tracing_subscriber::fmt::format::{self, FmtSpan};
use tracing_subscriber::prelude::*;

/// The target of lines that the journal gets with bare fields: `obituarr_item` as `OBITUARR_ITEM`.
///
/// What any other target says, also in other crates, has a prefix before its fields: no crate can
/// set `MESSAGE_ID`, or a field that another program reads.
pub const STORY: &str = "obituarr::story";

/// The prefix of fields outside the story.
const FOREIGN: &str = "F";

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The journal if standard error is connected to it, else text.
    Auto,
    /// A line of text on standard error.
    Text,
    /// A line of JSON on standard error.
    Json,
    /// The journal, with fields.
    Journal,
}

/// The journal can't be written to.
#[derive(Debug, thiserror::Error)]
#[error("the journal can't be reached at /run/systemd/journal/socket; use `log.format = \"text\"`")]
pub struct NoJournal(#[source] io::Error);

/// Begins to log. Must be called once.
///
/// # Errors
/// When the journal is asked for and not there.
pub fn init(format: Format, level: Level) -> Result<(), NoJournal> {
    // Other crates speak up only when something is wrong with them.
    let filter = Targets::new().with_default(Level::WARN).with_target("obituarr", level);
    let registry = tracing_subscriber::registry().with(filter);
    let format = match format {
        Format::Auto if stderr_is_the_journal() => Format::Journal,
        Format::Auto => Format::Text,
        other => other,
    };
    // A second call, in tests, keeps the first subscriber.
    let _already_set = match format {
        Format::Journal => {
            let story = journal(None)?.with_filter(filter_fn(|line| line.target() == STORY));
            let other = journal(Some(FOREIGN))?;
            let other = other.with_filter(filter_fn(|line| line.target() != STORY));
            registry.with(story).with(other).try_init()
        }
        Format::Json => {
            let json = tracing_subscriber::fmt::layer()
                .json()
                .flatten_event(true)
                .with_span_events(FmtSpan::NONE)
                .with_writer(io::stderr);
            registry.with(json).try_init()
        }
        Format::Text | Format::Auto => {
            // The fields of the journal say the same as the sentence does.
            let fields = format::debug_fn(|writer, field, value| match field.name() {
                "message" => write!(writer, "{value:?}"),
                name if name.starts_with("obituarr_") || name == "message_id" => Ok(()),
                name => write!(writer, " {name}={value:?}"),
            });
            let text = tracing_subscriber::fmt::layer()
                .with_target(false)
                .with_ansi(io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
                .fmt_fields(fields)
                .with_writer(io::stderr);
            registry.with(text).try_init()
        }
    };
    Ok(())
}

/// A way into the journal, with the priorities that the levels are named after.
fn journal(prefix: Option<&str>) -> Result<tracing_journald::Layer, NoJournal> {
    let layer = tracing_journald::layer().map_err(NoJournal)?;
    let priorities = PriorityMappings {
        info: Priority::Informational,
        debug: Priority::Debug,
        ..PriorityMappings::new()
    };
    Ok(layer
        .with_field_prefix(prefix.map(str::to_owned))
        .with_priority_mappings(priorities)
        .with_syslog_identifier("obituarr".to_owned()))
}

/// systemd names the device and inode of the journal's stream in `JOURNAL_STREAM`.
fn stderr_is_the_journal() -> bool {
    let Some(stream) = std::env::var("JOURNAL_STREAM").ok() else { return false };
    let Ok(stderr) = std::fs::metadata("/proc/self/fd/2") else { return false };
    stream == format!("{}:{}", stderr.dev(), stderr.ino())
}
