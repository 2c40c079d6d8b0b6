//! The truth table: from what all witnesses say to one verdict. Rules in the order in which they
//! are asked; the first that applies decides.

use crate::domain::{Answer, Hold, LostFile, RootName, Testimony};

use super::disk::DiskAnswer;

/// What a probe comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is alive.
    Present {
        /// How it lives on.
        why: String,
    },
    /// It is gone.
    Gone,
    /// Some episodes are gone.
    Partial {
        /// The files that are.
        gone: Vec<LostFile>,
        /// How many are left.
        left: usize,
    },
    /// It can't be said.
    Undetermined {
        /// Why.
        why: Hold,
    },
}

/// What a verdict rests on.
#[derive(Debug)]
pub(super) struct Case<'a> {
    /// What the disk says.
    pub(super) disk: DiskAnswer,
    /// What each service says.
    pub(super) services: &'a [Testimony],
    /// A sign that a new file is on its way, while that still counts.
    pub(super) replacing: Option<String>,
    /// A root that can't be looked at and that the files may have moved to.
    pub(super) hidden_root: Option<RootName>,
    /// Whether no file of it is known to be lost: a service made somebody look.
    pub(super) nothing_lost: bool,
}

/// Decides a case.
pub(super) fn verdict(case: Case<'_>) -> Verdict {
    let Case { disk, services, replacing, hidden_root, nothing_lost } = case;
    // 1. Whoever was seen on disk is alive.
    if let DiskAnswer::Alive { how } = &disk {
        // 7. Its files are there, and no service lists it.
        if let Some(by) = nobody_lists(services).filter(|_| nothing_lost) {
            return undetermined(Hold::Unlisted { by });
        }
        return Verdict::Present { why: how.clone() };
    }
    let verified = services.iter().find_map(|testimony| match &testimony.answer {
        Answer::Verified { how } => Some(format!("{}: {how}", testimony.witness)),
        _ => None,
    });
    if let (Some(why), false) = (verified, matches!(disk, DiskAnswer::Partial { .. })) {
        return Verdict::Present { why };
    }
    // 2. Being replaced is not gone.
    if let Some(why) = replacing {
        return undetermined(Hold::BeingReplaced { why });
    }
    match disk {
        DiskAnswer::Alive { .. } => undetermined(unknown("disk", "contradicts itself")),
        DiskAnswer::Unknown { why } => undetermined(unknown("disk", &why)),
        // 6. Some of a series gone.
        DiskAnswer::Partial { gone, left } => Verdict::Partial { gone, left },
        DiskAnswer::OnlyExtras { left } => undetermined(Hold::OnlyExtras { left }),
        // 4. The disk has nothing.
        DiskAnswer::Absent => match (services_object(services), hidden_root) {
            (Some(hold), _) => undetermined(hold),
            // 3. A service that lists it no more explains the loss; else it may have moved to where
            // nobody can look.
            (None, Some(root)) if !services.iter().any(|t| t.answer == Answer::Absent) => {
                undetermined(Hold::OtherRoot { root })
            }
            (None, _) => Verdict::Gone,
        },
        // 5. Only services know it.
        DiskAnswer::NoSay => no_file_below_a_root(services),
    }
}

/// Who said that it is absent, if that is all that any service said.
fn nobody_lists(services: &[Testimony]) -> Option<String> {
    let says = |testimony: &&Testimony| testimony.answer != Answer::NoSay;
    let saying: Vec<&Testimony> = services.iter().filter(says).collect();
    let all_absent = saying.iter().all(|testimony| testimony.answer == Answer::Absent);
    let names: Vec<String> = saying.iter().map(|t| t.witness.to_string()).collect();
    (all_absent && !names.is_empty()).then(|| names.join(", "))
}

fn services_object(services: &[Testimony]) -> Option<Hold> {
    let object = |testimony: &Testimony| match &testimony.answer {
        Answer::Unknown { why } => Some(unknown(&testimony.witness.to_string(), why)),
        Answer::Unverified { place } => {
            Some(Hold::Unverified { witness: testimony.witness.to_string(), place: place.clone() })
        }
        _ => None,
    };
    // One that can't tell comes first: it may yet tell.
    let unknowns = services.iter().filter(|t| matches!(t.answer, Answer::Unknown { .. }));
    unknowns.chain(services).find_map(object)
}

fn no_file_below_a_root(services: &[Testimony]) -> Verdict {
    let place = services.iter().find_map(|testimony| match &testimony.answer {
        Answer::Unverified { place } => Some(format!("{} lists it at {place}", testimony.witness)),
        _ => None,
    });
    if let Some(why) = place {
        return Verdict::Present { why };
    }
    match services_object(services) {
        Some(hold) => undetermined(hold),
        None if services.iter().any(|t| t.answer == Answer::Absent) => Verdict::Gone,
        None => undetermined(unknown("disk", "no file of it was ever seen below a root")),
    }
}

fn unknown(witness: &str, why: &str) -> Hold {
    Hold::Unknown { witness: witness.to_owned(), why: why.to_owned() }
}

fn undetermined(why: Hold) -> Verdict {
    Verdict::Undetermined { why }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Service, Witness};

    fn says(answers: &[Answer]) -> Vec<Testimony> {
        let witness =
            |n: usize| Witness::Service { service: Service::Radarr, instance: n.to_string() };
        answers
            .iter()
            .enumerate()
            .map(|(n, answer)| Testimony { witness: witness(n), answer: answer.clone() })
            .collect()
    }

    fn check(disk: DiskAnswer, services: &[Answer], expected: &str) {
        check_all(disk, services, None, None, expected);
    }

    fn check_all(
        disk: DiskAnswer,
        services: &[Answer],
        replacing: Option<&str>,
        hidden: Option<&str>,
        expected: &str,
    ) {
        let shown = format!("{disk:?} {services:?}");
        let services = says(services);
        let found = verdict(Case {
            disk,
            services: &services,
            replacing: replacing.map(str::to_owned),
            hidden_root: hidden.map(|root| RootName::parse(root).unwrap()),
            nothing_lost: false,
        });
        let found = match found {
            Verdict::Present { .. } => "present",
            Verdict::Gone => "gone",
            Verdict::Partial { .. } => "partial",
            Verdict::Undetermined { why } => why.kind(),
        };
        assert_eq!(found, expected, "{shown}");
    }

    fn alive() -> DiskAnswer {
        DiskAnswer::Alive { how: "x".into() }
    }
    fn partial() -> DiskAnswer {
        DiskAnswer::Partial { gone: vec![], left: 1 }
    }
    fn doubt() -> DiskAnswer {
        DiskAnswer::Unknown { why: "x".into() }
    }
    fn verified() -> Answer {
        Answer::Verified { how: "x".into() }
    }
    fn unverified() -> Answer {
        Answer::Unverified { place: "/x".into() }
    }
    fn refuted() -> Answer {
        Answer::Refuted { place: "/x".into() }
    }
    fn unknown() -> Answer {
        Answer::Unknown { why: "x".into() }
    }

    #[test]
    fn whatever_is_seen_on_disk_is_alive_whatever_the_services_say() {
        check(alive(), &[], "present");
        check(alive(), &[Answer::Absent, unknown()], "present");
        check(DiskAnswer::Absent, &[Answer::Absent, verified()], "present");
        check(doubt(), &[verified()], "present");
        check_all(alive(), &[], Some("a file grows"), Some("other"), "present");
    }

    #[test]
    fn a_loss_that_is_being_mended_waits() {
        check_all(
            DiskAnswer::Absent,
            &[Answer::Absent],
            Some("a file grows"),
            None,
            "being_replaced",
        );
        check_all(partial(), &[], Some("a file grows"), None, "being_replaced");
    }

    #[test]
    fn without_services_the_disk_alone_decides() {
        check(DiskAnswer::Absent, &[], "gone");
        check(doubt(), &[], "unknown");
        check(partial(), &[], "partial");
        check(DiskAnswer::OnlyExtras { left: 2 }, &[], "only_extras");
    }

    #[test]
    fn a_service_that_can_not_tell_or_names_an_unseen_place_holds_what_the_disk_has_lost() {
        check(DiskAnswer::Absent, &[Answer::Absent, Answer::NoSay, refuted()], "gone");
        check(DiskAnswer::Absent, &[refuted()], "gone");
        check(DiskAnswer::Absent, &[Answer::Absent, unknown()], "unknown");
        check(DiskAnswer::Absent, &[unverified()], "unverified");
        check(DiskAnswer::Absent, &[unverified(), unknown()], "unknown");
    }

    #[test]
    fn a_root_in_the_dark_holds_a_loss_that_no_service_explains() {
        check_all(DiskAnswer::Absent, &[], None, Some("other"), "other_root");
        check_all(DiskAnswer::Absent, &[refuted()], None, Some("other"), "other_root");
        check_all(DiskAnswer::Absent, &[Answer::Absent], None, Some("other"), "gone");
    }

    #[test]
    fn files_that_are_there_and_that_no_service_lists_are_not_gone_but_unlisted() {
        let found = |services: &[Answer]| {
            let services = says(services);
            let (replacing, hidden_root) = (None, None);
            let disk = alive();
            verdict(Case { disk, services: &services, replacing, hidden_root, nothing_lost: true })
        };
        let both = Hold::Unlisted { by: "radarr.0, radarr.2".into() };
        assert_eq!(
            found(&[Answer::Absent, Answer::NoSay, Answer::Absent]),
            Verdict::Undetermined { why: both }
        );
        for other in [verified(), unverified(), unknown(), refuted(), Answer::NoSay] {
            let answers =
                if other == Answer::NoSay { vec![other] } else { vec![Answer::Absent, other] };
            assert!(matches!(found(&answers), Verdict::Present { .. }), "{answers:?}");
        }
    }

    #[test]
    fn of_an_item_without_a_local_file_the_services_decide() {
        check(DiskAnswer::NoSay, &[Answer::Absent], "gone");
        check(DiskAnswer::NoSay, &[Answer::Absent, unverified()], "present");
        check(DiskAnswer::NoSay, &[Answer::Absent, unknown()], "unknown");
        check(DiskAnswer::NoSay, &[], "unknown");
        check(DiskAnswer::NoSay, &[Answer::NoSay], "unknown");
    }
}
