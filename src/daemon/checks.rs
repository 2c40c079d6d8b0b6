//! Full looks that callers wait for.
//!
//! A walk that had begun before the question may have passed by what changed since: it must never
//! be taken for the answer. A listing of a service that had begun is: it asks much of the service, and
//! what comes of it are only hints.

use std::collections::BTreeSet;

use crate::control::CheckStep;
use crate::domain::{Instance, RootName};

/// The questions that are open.
#[derive(Debug)]
pub(super) struct Checks<T> {
    open: Vec<Check<T>>,
    /// The number of the last one.
    last: u64,
}

#[derive(Debug)]
struct Check<T> {
    number: u64,
    caller: T,
    awaited: BTreeSet<RootName>,
    /// Services that are being listed.
    listening: BTreeSet<Instance>,
    /// All that was awaited at first.
    roots: Vec<RootName>,
}

impl<T> Default for Checks<T> {
    fn default() -> Self {
        Self { open: Vec::new(), last: 0 }
    }
}

impl<T> Checks<T> {
    /// Somebody wants a full look, and may wait for it. Gives the number under which each of the
    /// roots is to be walked.
    pub(super) fn want(
        &mut self,
        caller: Option<T>,
        roots: &[RootName],
        services: &[Instance],
    ) -> u64 {
        self.last += 1;
        let number = self.last;
        let awaited: BTreeSet<RootName> = roots.iter().cloned().collect();
        let listening: BTreeSet<Instance> = services.iter().cloned().collect();
        let roots = roots.to_vec();
        let check = |caller| Check { number, caller, awaited, listening, roots };
        self.open.extend(caller.map(check));
        number
    }

    /// A service has been listed, or could not be. Whoever asked meanwhile is given the same.
    pub(super) fn listed(&mut self, instance: &Instance) {
        for check in &mut self.open {
            check.listening.remove(instance);
        }
    }

    /// Only these services are there any more: nobody waits for another.
    pub(super) fn keep(&mut self, services: &BTreeSet<&Instance>) {
        for check in &mut self.open {
            check.listening.retain(|instance| services.contains(instance));
        }
    }

    /// The services that somebody waits for, and each root with whether it is over; `None` when nobody
    /// waits.
    pub(super) fn progress(&self) -> Option<(Vec<Instance>, Vec<CheckStep>)> {
        let last = self.open.last()?;
        let awaited = |root: &RootName| self.open.iter().any(|check| check.awaited.contains(root));
        let step = |root: &RootName| CheckStep {
            what: format!("root {root}"),
            finished: !awaited(root),
            ..CheckStep::default()
        };
        Some((self.listening(), last.roots.iter().map(step).collect()))
    }

    /// The services that somebody waits for.
    pub(super) fn listening(&self) -> Vec<Instance> {
        let services: BTreeSet<&Instance> =
            self.open.iter().flat_map(|check| &check.listening).collect();
        services.into_iter().cloned().collect()
    }

    /// Whether somebody waits.
    pub(super) fn is_awaited(&self) -> bool {
        !self.open.is_empty()
    }

    /// A root has been walked; the walk began after this number was asked for.
    pub(super) fn walked(&mut self, root: &RootName, asked: u64) {
        for check in self.open.iter_mut().filter(|check| check.number <= asked) {
            check.awaited.remove(root);
        }
    }

    /// A root can't be walked.
    pub(super) fn gone(&mut self, root: &RootName) {
        self.walked(root, u64::MAX);
    }

    /// The callers whose roots have all been walked.
    pub(super) fn finished(&mut self) -> Vec<T> {
        let done = self
            .open
            .extract_if(.., |check| check.awaited.is_empty() && check.listening.is_empty());
        done.map(|check| check.caller).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_that_began_before_the_question_is_no_answer_to_it() {
        let [a, b] = ["a", "b"].map(|name| RootName::parse(name).unwrap());
        let roots = [a.clone(), b.clone()];
        let mut checks = Checks::default();
        let first = checks.want(Some(1), &roots, &[]);
        let second = checks.want(Some(2), &roots, &[]);
        checks.walked(&a, 0);
        checks.walked(&b, first);
        assert!(checks.finished().is_empty());
        checks.walked(&a, first);
        assert_eq!(checks.finished(), [1]);
        checks.walked(&a, second);
        assert!(checks.finished().is_empty());
        checks.gone(&b);
        assert_eq!(checks.finished(), [2]);
        assert!(checks.want(None, &roots, &[]) > second);
        checks.want(Some(3), &[], &[]);
        assert_eq!(checks.finished(), [3]);
    }

    #[test]
    fn a_second_caller_waits_for_the_listings_that_are_under_way() {
        let radarr = Instance { service: crate::domain::Service::Radarr, name: "a".into() };
        let services = [radarr.clone()];
        let mut checks = Checks::default();
        assert_eq!(checks.progress(), None);
        checks.want(Some(1), &[], &services);
        checks.want(Some(2), &[], &services);
        checks.keep(&services.iter().collect());
        assert!(checks.finished().is_empty());
        assert_eq!(checks.progress().unwrap().0, services);
        checks.listed(&radarr);
        assert_eq!(checks.progress().unwrap().0, []);
        assert_eq!(checks.finished(), [1, 2]);
        checks.want(Some(3), &[], &services);
        checks.keep(&BTreeSet::new());
        assert_eq!(checks.finished(), [3], "one that is not configured any more never answers");
    }
}
