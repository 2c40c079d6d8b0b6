//! Answers as text for people.

use std::fmt::Write;

use crate::control::{CandidateView, DeletionView, EvidenceView, Explanation, Status};
use crate::domain::shown;

/// `status`.
pub(super) fn status(status: &Status) -> String {
    let mut text = String::new();
    let mark = if status.needs_attention { "!" } else { "ok" };
    line(&mut text, format_args!("{mark}: {}", status.summary));
    line(&mut text, format_args!("obituarr {}, since {}", status.version, status.started_at));
    for root in &status.roots {
        line(&mut text, format_args!(""));
        line(
            &mut text,
            format_args!("root {}: {} ({})", root.name, root.health, safe(&root.reason)),
        );
        line(&mut text, format_args!("  {}", safe(&root.path)));
        line(
            &mut text,
            format_args!(
                "  {} media files in {} directories, {} watched",
                root.files, root.directories, root.watched
            ),
        );
        if let Some(note) = &root.watch_note {
            line(&mut text, format_args!("  {note}"));
        }
        for unseen in &root.unseen {
            line(
                &mut text,
                format_args!("  can't see {}: {}", safe(&unseen.path), safe(&unseen.why)),
            );
        }
        if root.unseen_more > 0 {
            line(&mut text, format_args!("  and {} more", root.unseen_more));
        }
    }
    for service in &status.services {
        line(&mut text, format_args!(""));
        let version = service.version.as_deref().map(safe).unwrap_or_default();
        line(
            &mut text,
            format_args!(
                "{} {version}: {} ({})",
                service.name,
                service.health,
                safe(&service.reason)
            ),
        );
        if let Some(at) = service.listed_at {
            line(&mut text, format_args!("  {} titles, listed {at}", service.titles));
        }
        for note in &service.notes {
            line(&mut text, format_args!("  {}", safe(note)));
        }
    }
    let candidates = status.candidates;
    line(&mut text, format_args!(""));
    line(
        &mut text,
        format_args!(
            "under review: {} settling, {} held; deletions so far: {}",
            candidates.settling, candidates.held, status.deletions
        ),
    );
    for healed in &status.healed {
        line(&mut text, format_args!("at start: {}", safe(healed)));
    }
    for warning in &status.warnings {
        line(&mut text, format_args!("warning: {}", safe(warning)));
    }
    for problem in &status.problems {
        line(&mut text, format_args!("problem: {}", safe(problem)));
    }
    text
}

/// `candidates`.
pub(super) fn candidates(candidates: &[CandidateView]) -> String {
    if candidates.is_empty() {
        return "nothing is under review\n".to_owned();
    }
    let mut text = String::new();
    for candidate in candidates {
        let CandidateView { id, item, state, detected_at, .. } = candidate;
        line(
            &mut text,
            format_args!(
                "{id}  {} ({}), {state}, lost at {detected_at}",
                one_line(item),
                item.kind
            ),
        );
        if let Some(reason) = &candidate.reason {
            line(&mut text, format_args!("    {}", safe(reason)));
        }
        if let Some(ends) = &candidate.ends {
            line(&mut text, format_args!("    {ends}"));
        }
        for path in &candidate.lost {
            line(&mut text, format_args!("    - {}", safe(path)));
        }
    }
    text
}

/// `deletions`.
pub(super) fn deletions(deletions: &[DeletionView]) -> String {
    if deletions.is_empty() {
        return "nothing has died so far\n".to_owned();
    }
    let mut text = String::new();
    for deletion in deletions {
        let DeletionView { item, confirmed_at, source, cause, state, .. } = deletion;
        line(&mut text, format_args!("{confirmed_at}  {} ({})", one_line(item), item.kind));
        line(&mut text, format_args!("    {source}, {cause}; {state}; {}", safe(&deletion.id)));
        evidence(&mut text, &deletion.evidence);
    }
    text
}

/// `explain`.
pub(super) fn explanation(explanation: &Explanation) -> String {
    let mut text = String::new();
    for story in &explanation.stories {
        line(&mut text, format_args!("{}", safe(&story.summary)));
        line(&mut text, format_args!("    {}", safe(&story.key)));
        for place in &story.places {
            line(&mut text, format_args!("    at {}", safe(place)));
        }
        if story.lines.is_empty() && story.state != "folder" {
            line(&mut text, format_args!("    nothing was ever lost of it"));
        }
        for told in &story.lines {
            line(&mut text, format_args!("  {}  {}", told.at, safe(&told.text)));
            evidence(&mut text, &told.evidence);
        }
        line(&mut text, format_args!(""));
    }
    text
}

fn evidence(text: &mut String, lines: &[EvidenceView]) {
    /// A series may have hundreds of files; `--json` has them all.
    const MOST: usize = 8;
    for fact in lines.iter().take(MOST) {
        let path = fact.path.as_deref().map(safe).unwrap_or_default();
        let detail = safe(&fact.detail);
        line(text, format_args!("    {}: {} {path}: {detail}", fact.witness, fact.answer));
    }
    if lines.len() > MOST {
        line(text, format_args!("    and {} more (see --json)", lines.len() - MOST));
    }
}

pub(super) fn one_line(item: &crate::domain::Item) -> String {
    safe(&item.to_string())
}

/// Names come from anywhere: a terminal must not be steered by them.
pub(super) fn safe(text: &str) -> String {
    shown(text.as_bytes()).replace("\\\\", "\\")
}

pub(super) fn line(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Whatever a part of it forgot: a line is one line.
    let line = safe(&arguments.to_string());
    // Writing to a string can't fail.
    let _infallible = writeln!(text, "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Item, Kind, ProviderIds, Timestamp};

    #[test]
    fn names_can_not_steer_the_terminal() {
        assert_eq!(safe("a\u{1b}[31mb\nc"), "a\\u{1b}[31mb\\nc");
        assert_eq!(safe("a\\xffb"), "a\\xffb");
    }

    #[test]
    fn no_name_can_forge_a_line_of_any_answer() {
        let evil = || "x\n1970-01-01T00:00:00.000Z  Heat (1995) (film)\r\u{1b}[2K".to_owned();
        let item =
            Item { kind: Kind::Film, title: evil(), year: None, ids: ProviderIds::default() };
        let fact = EvidenceView {
            witness: evil(),
            answer: evil(),
            path: Some(evil()),
            path_hex: None,
            detail: evil(),
            at: Timestamp::default(),
        };
        let candidate = CandidateView {
            id: evil(),
            item: item.clone(),
            life: 1,
            detected_at: Timestamp::default(),
            state: evil(),
            reason: Some(evil()),
            witness: Some(evil()),
            held_since: None,
            ends: Some(evil()),
            lost: vec![evil()],
            evidence: vec![fact.clone()],
        };
        let deletion = DeletionView {
            id: evil(),
            item,
            life: 1,
            source: evil(),
            cause: evil(),
            detected_at: Timestamp::default(),
            confirmed_at: Timestamp::default(),
            forwarded_at: None,
            state: evil(),
            evidence: vec![fact.clone()],
        };
        let story = crate::control::Story {
            key: evil(),
            title: evil(),
            state: evil(),
            summary: evil(),
            places: vec![evil()],
            lines: vec![crate::control::StoryLine {
                at: Timestamp::default(),
                kind: evil(),
                text: evil(),
                evidence: vec![fact],
            }],
        };
        let root = crate::control::RootStatus {
            name: evil(),
            path: evil(),
            health: evil(),
            reason: evil(),
            watch_note: Some(evil()),
            since: Timestamp::default(),
            directories: 0,
            files: 0,
            watched: 0,
            unseen: vec![],
            unseen_more: 0,
        };
        let all = [
            status(&Status { summary: evil(), roots: vec![root], ..Status::default() }),
            candidates(&[candidate]),
            deletions(&[deletion]),
            explanation(&Explanation { query: evil(), stories: vec![story] }),
        ];
        for text in all {
            let forged =
                text.lines().filter(|line| line.starts_with("1970-01-01T00:00:00.000Z  Heat"));
            assert_eq!(forged.count(), 0, "{text}");
            assert!(!text.contains(['\r', '\u{1b}']), "{text}");
        }
    }

    #[test]
    fn the_first_line_of_the_status_says_whether_anything_needs_a_person() {
        let calm = Status { summary: "all is well".into(), ..Status::default() };
        assert!(status(&calm).starts_with("ok: all is well\n"));
        let loud = Status { needs_attention: true, summary: "offline: a".into(), ..calm };
        assert!(status(&loud).starts_with("!: offline: a\n"));
    }

    #[test]
    fn a_deletion_is_told_with_its_evidence() {
        let fact = |n: u32| EvidenceView {
            witness: "disk".into(),
            answer: "absent".into(),
            path: Some(format!("/m/{n}.mkv")),
            path_hex: None,
            detail: "no such file".into(),
            at: Timestamp::default(),
        };
        let deletion = DeletionView {
            id: "film:heat:1995#1".into(),
            item: Item {
                kind: Kind::Film,
                title: "Heat".into(),
                year: Some(1995),
                ids: ProviderIds::default(),
            },
            life: 1,
            source: "external".into(),
            cause: "removed".into(),
            detected_at: Timestamp::default(),
            confirmed_at: Timestamp::from_millis(60_000),
            forwarded_at: None,
            state: "accepted".into(),
            evidence: (0..10).map(fact).collect(),
        };
        let text = deletions(&[deletion]);
        assert!(text.starts_with("1970-01-01T00:01:00.000Z  Heat (1995) (film)\n"), "{text}");
        assert!(text.contains("disk: absent /m/0.mkv: no such file"), "{text}");
        assert!(text.ends_with("and 2 more (see --json)\n"), "{text}");
    }
}
