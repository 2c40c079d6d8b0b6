//! Whether a new file is on its way: a download, a command, or an upgrade that went through.

use std::cmp::Ordering;

use super::Flavour;
use super::wire::{Command, Queued, Removed};
use crate::domain::{Failure, ServicePath};
use crate::services::http::{Call, Talk};

/// Commands that put files in their place. Which title's they say in no way that is worth trusting.
const IMPORTS: &[&str] = &[
    "ManualImport",
    "DownloadedMoviesScan",
    "DownloadedEpisodesScan",
    "ProcessMonitoredDownloads",
];

/// Commands that look at the disk for the titles that they name, or for all when they name none.
const SCANS: &[&str] = &["RescanMovie", "RescanSeries", "RefreshMovie", "RefreshSeries"];

/// The commands that wait or run, read once for a question.
#[derive(Debug)]
pub(in super::super) struct Activity {
    commands: Vec<Command>,
}

impl Activity {
    pub(in super::super) async fn read(talk: &Talk) -> Result<Self, Failure> {
        let mut commands: Vec<Command> = talk.get(Call::to("api/v3/command")).await?.json()?;
        let is_open = |status: &str| {
            status.eq_ignore_ascii_case("queued") || status.eq_ignore_ascii_case("started")
        };
        commands.retain(|command| is_open(&command.status));
        Ok(Self { commands })
    }

    /// What is under way for one title, for people.
    pub(in super::super) async fn on(
        &self,
        talk: &Talk,
        flavour: &Flavour,
        id: u64,
    ) -> Result<Option<String>, Failure> {
        if let Some(command) = self.commands.iter().find(|command| command.may_concern(id)) {
            let state = command.status.to_lowercase();
            return Ok(Some(format!("the command {} is {state}", command.name)));
        }
        let call = Call::to("api/v3/queue/details").with(flavour.id, &id);
        let queue: Vec<Queued> = talk.get(call).await?.json()?;
        let queued = queue.into_iter().find(|queued| queued.title_id == id);
        Ok(queued.map(|queued| match queued.title {
            Some(title) => format!("its queue has {title:?}"),
            None => "it has a download in its queue".to_owned(),
        }))
    }
}

impl Command {
    /// Whether a new file of the title may come of it.
    fn may_concern(&self, id: u64) -> bool {
        let named = self.body.one.into_iter().chain(self.body.many.iter().flatten().copied());
        let is = |names: &[&str]| names.iter().any(|name| self.name.eq_ignore_ascii_case(name));
        let mut named = named.filter(|id| *id != 0).peekable();
        match named.peek() {
            Some(_) => named.any(|named| named == id),
            None => is(IMPORTS) || is(SCANS),
        }
    }
}

/// Whether the newest removal of one of the lost files was for a better file.
pub(in super::super) async fn upgraded(
    talk: &Talk,
    flavour: &Flavour,
    id: u64,
    lost: &[ServicePath],
) -> Result<Option<String>, Failure> {
    if lost.is_empty() {
        return Ok(None);
    }
    let call =
        Call::to(flavour.history).with(flavour.id, &id).with("eventType", &flavour.removal).bulk();
    let rows: Vec<Removed> = talk.get(call).await?.json()?;
    Ok(lost.iter().find_map(|path| {
        let of_it = rows.iter().filter(|row| {
            row.event_type.eq_ignore_ascii_case(flavour.removal)
                && row.source_title.as_deref() == Some(path.0.as_str())
        });
        let reason = of_it.max_by(|a, b| newer(a, b))?.data.reason.as_deref()?;
        let is_for_another = ["upgrade", "manualOverride"]
            .iter()
            .any(|reason_of| reason.eq_ignore_ascii_case(reason_of));
        is_for_another.then(|| format!("it replaced {} ({reason})", path.0))
    }))
}

/// By date; rows of one moment by number.
fn newer(a: &Removed, b: &Removed) -> Ordering {
    let date = |row: &Removed| row.date.parse::<jiff::Timestamp>().ok();
    date(a).cmp(&date(b)).then(a.id.cmp(&b.id))
}
