//! What `accept` and `retire` would do, and did, as text for people.
//!
//! Must name what it may take along before a person says yes.

use super::show::{line, one_line, safe};
use crate::control::{AcceptView, RetireView, RetiredTitle};

/// A terminal has so many lines; `--json` has them all.
const MOST: usize = 20;

/// `accept`, before it is done.
pub(super) fn accept(view: &AcceptView) -> String {
    let mut text = String::new();
    let (what, reason) = (subject(view), safe(&view.reason));
    line(&mut text, format_args!("{what} is {}: {reason}", view.health));
    let concerns = view.concerns.len();
    if concerns > 0 {
        let are = are(concerns);
        line(&mut text, format_args!("{are} looked at again, and reported if gone:"));
        list(&mut text, view.concerns.iter().map(|candidate| one_line(&candidate.item)));
    }
    let (part, whole): (Vec<_>, Vec<_>) = view.titles.iter().partition(|title| title.lives_on);
    if !whole.is_empty() {
        let are = are(whole.len());
        line(
            &mut text,
            format_args!(
                "{are} known to have been in it, looked for in what is there now, and reported as \
                 removed if not there:"
            ),
        );
        list(&mut text, whole.into_iter().map(with_files));
    }
    if !part.is_empty() {
        let are = are(part.len());
        line(&mut text, format_args!("{are} known to have files elsewhere too, and not reported"));
    }
    if view.titles.is_empty() && concerns == 0 && !is_service(view) {
        line(&mut text, format_args!("nothing was seen in it, and nothing is under review"));
    }
    if !view.titles.is_empty() {
        line(
            &mut text,
            format_args!(
                "if its disk is only not mounted, or another one is in its place, mount the right \
                 one instead: then nothing is reported"
            ),
        );
    }
    text.push_str("Accept it as it is now? [y/N]");
    text
}

/// What is accepted.
fn subject(view: &AcceptView) -> String {
    if is_service(view) { view.root.clone() } else { format!("root {}", view.root) }
}

/// `accept`, after it was done.
pub(super) fn accepted(view: &AcceptView) -> String {
    let mut text = String::new();
    if is_service(view) {
        line(&mut text, format_args!("{} is listed again, and believed as it is then", view.root));
        return text;
    }
    line(&mut text, format_args!("{} is accepted as it is now", subject(view)));
    let titles = view.titles.iter().filter(|title| !title.lives_on).count() + view.concerns.len();
    if titles > 0 {
        let are = are(titles);
        line(&mut text, format_args!("{are} looked for in it, and reported if not there"));
    }
    text
}

/// No root has this health.
fn is_service(view: &AcceptView) -> bool {
    view.health == "unwell"
}

/// `retire`, before and after it is done.
pub(super) fn retire(view: &RetireView) -> String {
    let mut text = String::new();
    for root in &view.roots {
        line(
            &mut text,
            format_args!("root {} is {}: {}", root.root, root.health, safe(&root.reason)),
        );
    }
    let (whole, part): (Vec<_>, Vec<_>) = view.titles.iter().partition(|title| !title.lives_on);
    let tell = if view.retired { "are" } else { "would be" };
    line(
        &mut text,
        format_args!(
            "{} titles {tell} reported as lost with their disk, if nothing else of them is found:",
            whole.len()
        ),
    );
    list(&mut text, whole.into_iter().map(with_files));
    if !part.is_empty() {
        line(&mut text, format_args!("{} titles lose files and have others", part.len()));
    }
    if view.retired {
        line(&mut text, format_args!("{} {} is retired", view.kind, safe(&view.what)));
    } else {
        line(
            &mut text,
            format_args!(
                "nothing was changed; to do it: obituarr retire {} --yes",
                safe(&view.what)
            ),
        );
    }
    text
}

fn list(text: &mut String, mut lines: impl ExactSizeIterator<Item = String>) {
    let count = lines.len();
    for shown in lines.by_ref().take(MOST) {
        line(text, format_args!("  {shown}"));
    }
    if count > MOST {
        line(text, format_args!("  and {} more (see --json)", count - MOST));
    }
}

fn with_files(title: &RetiredTitle) -> String {
    let files = if title.files == 1 { "file" } else { "files" };
    format!("{} ({} {files})", one_line(&title.item), title.files)
}

fn are(titles: usize) -> String {
    if titles == 1 { "1 title is".to_owned() } else { format!("{titles} titles are") }
}
