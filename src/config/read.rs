//! Reads the tree into settings: every key, its type and its range.
//!
//! Must never stop at the first problem, nor look at the disk: whether a root exists is for the
//! watcher to say, since a disk that is not there is no mistake in the configuration.

use std::path::Path;
use std::time::Duration;

use super::file::Table;
use super::problem::{Place, Problems};
use super::section::Section;
use super::settings::{
    BrakeSettings, ConfirmSettings, LogSettings, Overrides, RemoteSettings, Settings,
    SweepSettings, WatchSettings,
};
use super::value::{Range, written};
use super::{pools, roots, services};
use crate::domain::{Service, shown};

const fn hours(hours: u64) -> Duration {
    Duration::from_hours(hours)
}

const fn mins(mins: u64) -> Duration {
    Duration::from_mins(mins)
}

/// Less loses what `explain` is asked for next morning; humantime's ten years are the most.
const HISTORY: Range = Range::new(hours(24), Duration::from_secs(10 * 31_557_600));
/// Less keeps disks awake; more finds a lost event too late.
const RESCAN: Range = Range::new(mins(15), hours(7 * 24));
/// Less lists a directory for each of a burst of events; more delays every deletion.
const QUIET: Range = Range::new(Duration::from_millis(10), Duration::from_secs(10));
/// Under a second, no replacement is seen as one.
const SETTLE: Range = Range::new(Duration::from_secs(1), hours(24));
const REPLACE_MAX: Range = Range::new(hours(1), hours(7 * 24));
const HOLD_RETRY: Range = Range::new(Duration::from_secs(1), hours(1));
const WINDOW: Range = Range::new(mins(1), hours(24));
/// Less makes every service list everything all the time; more finds a lost event too late.
const SWEEP: Range = Range::new(mins(15), hours(7 * 24));
const REMOTE_CONFIRM: Range = Range::new(Duration::from_secs(1), hours(7 * 24));
const REMOTE_RESCAN: Range = Range::new(mins(1), hours(7 * 24));

/// Reads `table`, lets the command line win, and adds what is wrong to `problems`; what is
/// returned counts only if nothing was added.
pub(super) fn read(
    table: Table,
    source: &str,
    overrides: &Overrides,
    cwd: &Path,
    problems: &mut Problems,
) -> Settings {
    let mut top = Section::top(table, source, problems);
    let history = top.duration("history", HISTORY, Settings::HISTORY);
    let watch = watch(top.section("watch"));
    let confirm = confirm(top.section("confirm"), overrides);
    let brake = brake(top.section("brake"));
    let remote = remote(top.section("remote"));
    let log = log(top.section("log"), overrides);
    let roots = roots::read(top.section("roots"), &watch, overrides, cwd);
    let pools = pools::read(top.section("pools"));
    let sweep = sweep(top.section("sweep"));
    let paths = services::paths(top.section("paths"));
    let services = services::read(&mut top);
    top.finish();
    let mut warnings = warnings(&confirm, &remote);
    warnings.extend(services::warnings(&services, &paths, &roots, &confirm));
    Settings {
        roots,
        pools,
        services,
        paths,
        sweep,
        history,
        watch,
        confirm,
        brake,
        remote,
        log,
        warnings,
    }
}

fn watch(mut section: Section<'_>) -> WatchSettings {
    let default = WatchSettings::default();
    let settings = WatchSettings {
        rescan: section.duration("rescan", RESCAN, default.rescan),
        quiet: section.duration("quiet", QUIET, default.quiet),
        extensions: roots::extensions(&mut section).unwrap_or(default.extensions),
        ignore: roots::ignore(&mut section).unwrap_or(default.ignore),
    };
    section.finish();
    settings
}

fn confirm(mut section: Section<'_>, overrides: &Overrides) -> ConfirmSettings {
    let default = ConfirmSettings::default();
    let mut settings = ConfirmSettings {
        settle: section.duration("settle", SETTLE, default.settle),
        replace_max: section.duration("replace_max", REPLACE_MAX, default.replace_max),
        hold_retry: section.duration("hold_retry", HOLD_RETRY, default.hold_retry),
        refresh: refresh(&mut section).unwrap_or(default.refresh),
        unlisted: section.word("unlisted", default.unlisted),
    };
    if let Some(settle) = overrides.settle {
        match SETTLE.check(settle) {
            Ok(settle) => settings.settle = settle,
            Err(message) => {
                let place = Place::CommandLine(format!("--settle {}", written(settle)));
                section.problem(&place, "settle", message);
            }
        }
    }
    section.finish();
    settings
}

/// The services that can be asked to look again at one title and forget nothing else.
fn refresh(section: &mut Section<'_>) -> Option<Vec<Service>> {
    let mut refresh = Vec::new();
    for (place, word) in section.texts("refresh")? {
        match word.as_str() {
            "radarr" => refresh.push(Service::Radarr),
            "sonarr" => refresh.push(Service::Sonarr),
            _ => {
                let word = shown(word.as_bytes());
                let message = format!(
                    "`{word}` can't be asked to look again at a single title; write some of \
                     \"radarr\" and \"sonarr\", or [] to ask none"
                );
                section.problem(&place, "refresh", message);
            }
        }
    }
    refresh.sort_unstable();
    refresh.dedup();
    Some(refresh)
}

fn sweep(mut section: Section<'_>) -> SweepSettings {
    let default = SweepSettings::default();
    let settings =
        SweepSettings { interval: section.duration("interval", SWEEP, default.interval) };
    section.finish();
    settings
}

fn brake(mut section: Section<'_>) -> BrakeSettings {
    let default = BrakeSettings::default();
    let settings = BrakeSettings {
        window: section.duration("window", WINDOW, default.window),
        max: section.count("max", 1, default.max),
        floor: section.count("floor", 0, default.floor),
        share: section.share("share", default.share),
    };
    section.finish();
    settings
}

fn remote(mut section: Section<'_>) -> RemoteSettings {
    let default = RemoteSettings::default();
    let settings = RemoteSettings {
        confirm: section.duration("confirm", REMOTE_CONFIRM, default.confirm),
        rescan: section.duration("rescan", REMOTE_RESCAN, default.rescan),
    };
    section.finish();
    settings
}

fn log(mut section: Section<'_>, overrides: &Overrides) -> LogSettings {
    let default = LogSettings::default();
    let level = section.word("level", default.level);
    let format = section.word("format", default.format);
    section.finish();
    LogSettings {
        level: overrides.log_level.unwrap_or(level),
        format: overrides.log_format.unwrap_or(format),
    }
}

fn warnings(confirm: &ConfirmSettings, remote: &RemoteSettings) -> Vec<String> {
    let mut warnings = Vec::new();
    if confirm.settle < ConfirmSettings::SETTLE_WARNED {
        warnings.push(format!(
            "confirm.settle is {}, under {}: a file that is only being replaced may be reported as \
             deleted; use it to try obituarr out, not for a library you care about",
            written(confirm.settle),
            written(ConfirmSettings::SETTLE_WARNED),
        ));
    }
    if remote.confirm < RemoteSettings::CONFIRM_WARNED {
        warnings.push(format!(
            "remote.confirm is {}, under {}: both looks can fall into one hiccup of the network",
            written(remote.confirm),
            written(RemoteSettings::CONFIRM_WARNED),
        ));
    }
    warnings
}
