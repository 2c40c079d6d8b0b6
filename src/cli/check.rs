//! `check`: a full look, with its progress while it lasts.

use std::collections::HashMap;
use std::io::{self, IsTerminal, Write};

use super::exit::Exit;
use super::{complain, print, show};
use crate::control::{CheckLine, CheckProgress, CheckView, Client, ClientError, FoundView};
use crate::domain::{ItemKey, Kind};

/// How wide the bar is, in characters.
const BAR: usize = 24;

/// Asks for a full look. On a terminal a bar shows how far it is; where the output is read by a program,
/// a line says when a root or a service is done; as JSON each line of the answer is handed on.
pub(super) async fn check(client: &Client, json: bool) -> Result<Exit, ClientError> {
    // One that can't take anything back would show each bar beside the last.
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let mut shown = Shown::new(json, io::stderr().is_terminal() && !is_dumb);
    let mut end = None;
    client
        .check(|line| match line {
            CheckLine::Progress(_) if json => hand_on(&line),
            CheckLine::Progress(progress) => shown.progress(&progress),
            last => end = Some(last),
        })
        .await?;
    shown.clear();
    match end {
        Some(CheckLine::Result(view)) => {
            if json {
                hand_on(&CheckLine::Result(view.clone()));
            } else {
                print(&text(&view));
            }
            Ok(exit(&view))
        }
        Some(CheckLine::Error(why)) => Err(ClientError::Refused(why)),
        _ => Err(ClientError::Refused("the daemon ended before the look was over".to_owned())),
    }
}

fn exit(view: &CheckView) -> Exit {
    let all_there = view.missing.is_empty() && view.found_missing.is_empty();
    match (view.could_not_tell.is_empty(), all_there) {
        (_, false) => Exit::Failed,
        (false, true) => Exit::CouldNotTell,
        (true, true) => Exit::Ok,
    }
}

fn hand_on(line: &CheckLine) {
    match serde_json::to_string(line) {
        Ok(text) => print(&format!("{text}\n")),
        Err(error) => complain(&error.to_string()),
    }
}

/// What was shown of the progress so far.
struct Shown {
    silent: bool,
    terminal: bool,
    /// The steps that were said to be over.
    over: Vec<String>,
}

impl Shown {
    fn new(silent: bool, terminal: bool) -> Self {
        Self { silent, terminal, over: Vec::new() }
    }

    fn progress(&mut self, progress: &CheckProgress) {
        if self.terminal {
            write(&format!("\r\u{1b}[K{}", bar(progress)));
            return;
        }
        for step in progress.steps.iter().filter(|step| step.finished) {
            if !self.over.contains(&step.what) {
                self.over.push(step.what.clone());
                write(&format!("{}\n", done(&step.what, step.done)));
            }
        }
    }

    /// Takes the bar away.
    fn clear(&self) {
        if self.terminal && !self.silent {
            write("\r\u{1b}[K");
        }
    }
}

fn done(what: &str, count: u64) -> String {
    match count {
        0 if what.starts_with("root ") => format!("{what}: looked through"),
        0 => format!("{what}: nothing was listed"),
        1 => format!("{what}: 1 title listed"),
        n => format!("{what}: {n} titles listed"),
    }
}

/// One line: how much of all is over, and what is awaited.
pub(super) fn bar(progress: &CheckProgress) -> String {
    let steps = &progress.steps;
    let part = |done: u64, of: Option<u64>| match of {
        Some(of) if of > 0 => (done.min(of) * 100) / of,
        _ => 0,
    };
    let percent: u64 =
        steps.iter().map(|s| if s.finished { 100 } else { part(s.done, s.of) }).sum();
    let percent = percent / (steps.len() as u64).max(1);
    let full = usize::try_from(percent).unwrap_or(0) * BAR / 100;
    let awaited: Vec<String> = steps
        .iter()
        .filter(|step| !step.finished)
        .map(|step| match (step.done, step.of) {
            (0, _) => step.what.clone(),
            (done, Some(of)) => format!("{} {done}/{of}", step.what),
            (done, None) => format!("{} {done}", step.what),
        })
        .collect();
    let mut line = format!(
        "[{}{}] {percent:>3} %  {}",
        "#".repeat(full),
        "-".repeat(BAR - full),
        awaited.join(", ")
    );
    if line.chars().count() > 79 {
        line = line.chars().take(78).chain(['…']).collect();
    }
    line
}

/// Progress is for people: it goes where errors go, so that the result alone can be piped.
pub(super) fn write(text: &str) {
    let mut out = io::stderr().lock();
    // Nobody is left to be told when this fails.
    drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}

/// What it came to.
fn text(check: &CheckView) -> String {
    let mut text = String::new();
    show::line(
        &mut text,
        format_args!("looked at {} media files in {} directories", check.files, check.directories),
    );
    for why in &check.could_not_tell {
        show::line(&mut text, format_args!("could not look: {}", show::safe(why)));
    }
    if !check.missing.is_empty() {
        let number = titles(check.missing.len());
        show::line(&mut text, format_args!("{number} under review:"));
        text.push_str(&show::candidates(&check.missing));
    }
    let unmatched = gathered(&check.unmatched);
    let what = "listed at a place in no root, where nobody can look";
    found(&mut text, &unmatched, what);
    let missing = gathered(&check.found_missing);
    found(&mut text, &missing, "listed, and no file was ever seen there; not reported");
    let orphans = match check.missing.len() + missing.len() {
        0 => "nothing".to_owned(),
        1 => "1 orphaned title".to_owned(),
        n => format!("{n} orphaned titles"),
    };
    let whole = check.could_not_tell.is_empty();
    let but = if whole { "" } else { ", but not everything could be looked at" };
    show::line(&mut text, format_args!("Found: {orphans}{but}"));
    text
}

fn titles(number: usize) -> String {
    if number == 1 { "1 title".to_owned() } else { format!("{number} titles") }
}

/// The same title of several services is one title.
fn gathered(list: &[FoundView]) -> Vec<Vec<&FoundView>> {
    let mut known: HashMap<(Kind, ItemKey), usize> = HashMap::new();
    let mut titles: Vec<Vec<&FoundView>> = Vec::new();
    for one in list {
        let keys = one.item.match_keys().into_iter().map(|key| (one.item.kind, key));
        let keys: Vec<(Kind, ItemKey)> = keys.collect();
        let at = keys.iter().find_map(|key| known.get(key).copied()).unwrap_or(titles.len());
        known.extend(keys.into_iter().map(|key| (key, at)));
        match titles.get_mut(at) {
            Some(title) => title.push(one),
            None => titles.push(vec![one]),
        }
    }
    titles
}

fn found(text: &mut String, list: &[Vec<&FoundView>], what: &str) {
    /// `--json` has them all.
    const MOST: usize = 50;
    if list.is_empty() {
        return;
    }
    show::line(text, format_args!("{} {what}:", titles(list.len())));
    for title in list.iter().take(MOST) {
        let Some(first) = title.first() else { continue };
        let (item, kind) = (show::one_line(&first.item), first.item.kind);
        show::line(text, format_args!("  {item} ({kind})"));
        for one in title {
            let (service, place) = (show::safe(&one.service), show::safe(&one.place));
            show::line(text, format_args!("    {service} has it at {place}"));
        }
    }
    if list.len() > MOST {
        show::line(text, format_args!("  and {} more (see --json)", list.len() - MOST));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::CheckStep;
    use crate::domain::{Item, ProviderIds};

    fn step(what: &str, done: u64, of: Option<u64>, finished: bool) -> CheckStep {
        CheckStep { what: what.into(), done, of, finished }
    }

    #[test]
    fn the_bar_counts_each_root_and_service_alike_and_names_what_is_awaited() {
        let steps = vec![
            step("root movies", 0, None, true),
            step("radarr.hd", 50, Some(100), false),
            step("jellyfin.home", 7, None, false),
            step("root shows", 0, None, false),
        ];
        assert_eq!(
            bar(&CheckProgress { steps }),
            "[########----------------]  37 %  radarr.hd 50/100, jellyfin.home 7, root shows"
        );
        assert!(bar(&CheckProgress::default()).contains("  0 %"));
        let long = (0..40).map(|n| step(&format!("radarr.number-{n}"), 0, None, false)).collect();
        assert_eq!(bar(&CheckProgress { steps: long }).chars().count(), 79);
    }

    fn listed(title: &str, tmdb: Option<u64>, service: &str) -> FoundView {
        let ids = ProviderIds { tmdb, ..ProviderIds::default() };
        let item = Item { kind: Kind::Film, title: title.into(), year: Some(1995), ids };
        FoundView { item, service: service.into(), place: format!("/movies/{title}\u{1b}[2K") }
    }

    #[test]
    fn it_ends_with_how_many_titles_are_orphaned_whoever_lists_them() {
        let mut check = CheckView { files: 3, directories: 2, ..CheckView::default() };
        assert_eq!(text(&check), "looked at 3 media files in 2 directories\nFound: nothing\n");
        check.could_not_tell.push("radarr.hd: it is away".into());
        let ends = |check: &CheckView, end: &str| {
            let text = text(check);
            assert!(text.ends_with(end), "{text}");
            text
        };
        ends(&check, "\nFound: nothing, but not everything could be looked at\n");
        check.could_not_tell.clear();
        check.found_missing = vec![
            listed("Heat", Some(949), "jellyfin.home"),
            listed("Ran", None, "jellyfin.home"),
            listed("Hitze", Some(949), "radarr.hd"),
        ];
        let text = ends(&check, "\nFound: 2 orphaned titles\n");
        let expected = "  Heat (1995) (film)\n    jellyfin.home has it at /movies/Heat\\u{1b}[2K\n    \
                        radarr.hd has it at /movies/Hitze\\u{1b}[2K\n";
        assert!(text.contains(expected), "{text}");
        check.found_missing.truncate(1);
        ends(&check, "\nFound: 1 orphaned title\n");
        check.unmatched = std::mem::take(&mut check.found_missing);
        ends(&check, "\nFound: nothing\n");
    }

    #[test]
    fn what_is_missing_weighs_more_than_what_could_not_be_told() {
        let mut check = CheckView::default();
        assert_eq!(exit(&check), Exit::Ok);
        check.could_not_tell.push("x".into());
        assert_eq!(exit(&check), Exit::CouldNotTell);
        check.found_missing.push(listed("Heat", None, "radarr.hd"));
        assert_eq!(exit(&check), Exit::Failed);
    }
}
