//! Decisions in words, for the journal and for `explain`.

use crate::domain::{Decision, Subject, What};

/// One word for a decision.
pub(super) fn kind(what: &What) -> &'static str {
    match what {
        What::Lost { .. } => "lost",
        What::Dropped { .. } => "dropped",
        What::Retracted { .. } => "retracted",
        What::Partial { .. } => "partial",
        What::Held { .. } => "held",
        What::Confirmed { .. } => "confirmed",
        What::Forwarded { .. } => "forwarded",
        What::Returned { .. } => "returned",
        What::Health { .. } => "health",
        What::Adopted { .. } => "adopted",
        What::Accepted => "accepted",
        What::Retired { .. } => "retired",
        What::Rebased { .. } => "rebased",
    }
}

/// One sentence for a decision.
pub(super) fn sentence(decision: &Decision) -> String {
    let subject = match &decision.subject {
        Subject::Item(item) => item.to_string(),
        Subject::Root(root) => format!("root {root}"),
    };
    match &decision.what {
        What::Lost { files, sensor } => {
            let count = files.len();
            let first = files.first().map(ToString::to_string).unwrap_or_default();
            let files = if count == 1 { "file is" } else { "files are" };
            format!("{subject}: {count} {files} not there any more (by the {sensor}): {first}")
        }
        What::Dropped { by, how } => format!("{subject}: {by} has no file of it any more: {how}"),
        What::Retracted { why } => format!("{subject} lives: {why}"),
        What::Partial { gone, left } => {
            format!("{subject}: {gone} files are gone for good, {left} are left")
        }
        What::Held { why } => format!("{subject} can't be decided: {why}; {}", why.ends()),
        What::Confirmed { deletion } => {
            let absent = absent(decision);
            format!("{subject} is gone: {absent}; nothing of it was found elsewhere ({deletion})")
        }
        What::Forwarded { deletion, tracker } => {
            format!("{subject}: the {tracker} has it ({deletion})")
        }
        What::Returned { life } => {
            format!("{subject} is there again; its life {life} begins")
        }
        What::Health { to, why, .. } => format!("{subject} is {to}: {why}"),
        What::Adopted { identity } => format!("{subject} is adopted: {identity}"),
        What::Accepted => format!("{subject} was accepted by a person as it is now"),
        What::Retired { branch: None } => {
            format!("{subject} was retired by a person: what lay in it counts as lost")
        }
        What::Retired { branch: Some(branch) } => {
            format!("{subject}: branch {branch} was retired by a person: what lay on it is lost")
        }
        What::Rebased { why } => {
            format!(
                "{subject}: {why}; what is known of it is based anew, and nothing is a deletion"
            )
        }
    }
}

/// The absent files, by path, the first few of them.
fn absent(decision: &Decision) -> String {
    const MOST: usize = 5;
    let lines = decision.evidence.iter().filter(|line| line.answer == "absent");
    let paths: Vec<String> =
        lines.filter_map(|line| line.path.as_ref()).map(ToString::to_string).collect();
    let shown = paths.iter().take(MOST).cloned().collect::<Vec<_>>().join(", ");
    match paths.len() {
        0 | 1 => format!("{shown} is absent"),
        n if n <= MOST => format!("{shown} are absent"),
        n => format!("{shown} and {} more files are absent", n - MOST),
    }
}

/// Whether a line of a root's story belongs into the story of a title in it.
pub(super) fn concerns_titles(decision: &Decision) -> bool {
    matches!(decision.what, What::Rebased { .. } | What::Adopted { .. })
}
