//! Decisions as lines of the journal.

use tracing::Level;

use super::messages::{self, Message};
use super::narrator::{Fields, Line};
use super::words;
use crate::domain::{Decision, Deletion, DeletionId, Health, Subject, What};

/// The deletion that a decision speaks of.
pub(super) fn deletion_of(decision: &Decision) -> Option<&DeletionId> {
    match &decision.what {
        What::Confirmed { deletion } | What::Forwarded { deletion, .. } => Some(deletion),
        _ => None,
    }
}

/// The line for a decision; `deletion` is the one that it speaks of, if any.
pub(super) fn line(decision: &Decision, deletion: Option<&Deletion>) -> Line {
    let (message, level) = message(&decision.what);
    Line { message, level, text: words::sentence(decision), fields: fields(decision, deletion) }
}

/// The kind of line, and how much it matters this time.
fn message(what: &What) -> (Message, Level) {
    let message = match what {
        What::Lost { .. } => messages::LOST,
        What::Dropped { .. } => messages::DROPPED,
        What::Retracted { .. } => messages::RETRACTED,
        What::Partial { .. } => messages::PARTIAL,
        What::Held { why } if !why.can_end_by_itself() => return (messages::HELD, Level::WARN),
        What::Held { .. } => messages::HELD,
        What::Confirmed { .. } => messages::CONFIRMED,
        What::Forwarded { .. } => messages::FORWARDED,
        What::Returned { .. } => messages::RETURNED,
        What::Health { to: Health::Online, .. } => messages::ONLINE,
        What::Health { to: Health::Waiting | Health::Idle, .. } => {
            return (messages::UNHEALTHY, Level::INFO);
        }
        What::Health { .. } => messages::UNHEALTHY,
        What::Adopted { .. } => messages::ADOPTED,
        What::Accepted => messages::ACCEPTED,
        What::Retired { .. } => messages::RETIRED,
        What::Rebased { .. } => messages::REBASED,
    };
    (message, message.level)
}

fn fields(decision: &Decision, deletion: Option<&Deletion>) -> Fields {
    let mut fields = Fields {
        candidate: decision.candidate.map(|id| id.to_string()),
        deletion: deletion_of(decision).map(ToString::to_string),
        source: deletion.map(|deletion| deletion.source.to_string()),
        cause: deletion.map(|deletion| deletion.cause.to_string()),
        ..Fields::default()
    };
    match &decision.subject {
        Subject::Item(item) => {
            fields.item = Some(item.key().to_string());
            fields.title = Some(item.title.clone());
        }
        Subject::Root(root) => fields.root = Some(root.to_string()),
    }
    match &decision.what {
        What::Lost { files, .. } => {
            // Files under several roots have no one root.
            let first = files.first().map(|file| &file.root);
            let root = first.filter(|root| files.iter().all(|file| file.root == **root));
            fields.root = root.map(ToString::to_string);
        }
        What::Retracted { why } | What::Rebased { why } => fields.reason = Some(why.clone()),
        What::Dropped { by, how } => {
            fields.witness = Some(by.to_string());
            fields.reason = Some(how.clone());
        }
        What::Held { why } => {
            fields.reason = Some(why.to_string());
            fields.witness = Some(why.witness());
        }
        What::Forwarded { tracker, .. } => fields.tracker = Some(tracker.clone()),
        What::Health { to, why, .. } => {
            fields.health = Some(to.to_string());
            fields.reason = Some(why.clone());
        }
        What::Adopted { identity } => fields.reason = Some(identity.clone()),
        What::Partial { .. }
        | What::Confirmed { .. }
        | What::Returned { .. }
        | What::Retired { .. }
        | What::Accepted => {}
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        CandidateId, Cause, Hold, Item, Kind, Life, ProviderIds, RootName, Source, Timestamp,
    };

    fn heat() -> Item {
        Item {
            kind: Kind::Film,
            title: "Heat".into(),
            year: Some(1995),
            ids: ProviderIds::default(),
        }
    }

    fn decision(subject: Subject, what: What) -> Decision {
        let candidate = matches!(subject, Subject::Item(_)).then_some(CandidateId(7));
        Decision { at: Timestamp::default(), subject, candidate, what, evidence: Vec::new() }
    }

    #[test]
    fn a_confirmed_deletion_says_of_what_and_by_whom() {
        let id = DeletionId::new(&heat().key(), Life::FIRST);
        let what = What::Confirmed { deletion: id.clone() };
        let deletion = Deletion {
            id: id.clone(),
            item: heat(),
            life: Life::FIRST,
            source: Source::External,
            cause: Cause::Removed,
            detected_at: Timestamp::default(),
            confirmed_at: Timestamp::default(),
            evidence: Vec::new(),
        };
        let line = line(&decision(Subject::Item(heat()), what), Some(&deletion));
        assert_eq!((line.message, line.level), (messages::CONFIRMED, Level::INFO));
        let expected = Fields {
            item: Some("film:heat:1995".into()),
            title: Some("Heat".into()),
            candidate: Some(CandidateId(7).to_string()),
            deletion: Some(id.to_string()),
            source: Some("external".into()),
            cause: Some("removed".into()),
            ..Fields::default()
        };
        assert_eq!(line.fields, expected);
    }

    #[test]
    fn what_is_degraded_is_a_warning_and_what_is_decided_is_not() {
        let root = || Subject::Root(RootName::parse("movies").unwrap());
        let health = |to| What::Health { from: Health::Online, to, why: "so".into() };
        let held = |why| What::Held { why };
        let unknown = Hold::Unknown { witness: "disk".into(), why: "EIO".into() };
        for (subject, what, kind, level) in [
            (root(), health(Health::Online), "online", Level::INFO),
            (root(), health(Health::Offline), "unhealthy", Level::WARN),
            (root(), health(Health::Stalled), "unhealthy", Level::WARN),
            (root(), health(Health::Idle), "unhealthy", Level::INFO),
            (Subject::Item(heat()), held(unknown), "held", Level::INFO),
            (
                Subject::Item(heat()),
                held(Hold::FoundMissing { why: "so".into() }),
                "held",
                Level::WARN,
            ),
        ] {
            let line = line(&decision(subject, what.clone()), None);
            assert_eq!((line.message.kind, line.level), (kind, level), "{what:?}");
            assert!(line.fields.reason.is_some(), "{what:?}");
        }
    }
}
