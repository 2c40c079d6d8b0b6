//! `check`: a full look, with its progress while it lasts.

use std::io::{self, IsTerminal, Write};

use super::exit::Exit;
use super::{complain, print, show};
use crate::control::{CheckLine, CheckProgress, CheckView, Client, ClientError, FoundView};

/// How wide the bar is, in characters.
const BAR: usize = 24;

/// Asks for a full look. On a terminal a bar shows how far it is; where the output is read by a program,
/// a line says when a root or a service is done; as JSON each line of the answer is handed on.
pub(super) async fn check(client: &Client, json: bool) -> Result<Exit, ClientError> {
    let mut shown = Shown::new(json, io::stderr().is_terminal());
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
        0 => format!("{what}: looked through"),
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
    match check.missing.len() {
        0 => show::line(&mut text, format_args!("nothing is missing")),
        1 => show::line(&mut text, format_args!("1 title is missing or incomplete:")),
        n => show::line(&mut text, format_args!("{n} titles are missing or incomplete:")),
    }
    if !check.missing.is_empty() {
        text.push_str(&show::candidates(&check.missing));
    }
    for why in &check.could_not_tell {
        show::line(&mut text, format_args!("could not look: {}", show::safe(why)));
    }
    found(&mut text, &check.unmatched, "listed at places that can't be seen from here");
    found(&mut text, &check.found_missing, "listed, and no file of it is there");
    let orphans = check.missing.len() + check.found_missing.len();
    match orphans {
        0 => show::line(&mut text, format_args!("Found: nothing orphaned")),
        1 => show::line(&mut text, format_args!("Found: 1 orphaned title")),
        n => show::line(&mut text, format_args!("Found: {n} orphaned titles")),
    }
    text
}

fn found(text: &mut String, list: &[FoundView], what: &str) {
    /// `--json` has them all.
    const MOST: usize = 50;
    if list.is_empty() {
        return;
    }
    show::line(text, format_args!("{what}: {}", list.len()));
    for one in list.iter().take(MOST) {
        let (title, place) = (show::one_line(&one.item), show::safe(&one.place));
        show::line(text, format_args!("  {title}: {} has it at {place}", one.service));
    }
    if list.len() > MOST {
        show::line(text, format_args!("  and {} more (see --json)", list.len() - MOST));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::CheckStep;

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
}
