//! Full looks that callers wait for.
//!
//! A walk that had begun before the question may have passed by what changed since: it must never
//! be taken for the answer.

use std::collections::BTreeSet;

use crate::domain::RootName;

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
}

impl<T> Default for Checks<T> {
    fn default() -> Self {
        Self { open: Vec::new(), last: 0 }
    }
}

impl<T> Checks<T> {
    /// Somebody wants a full look, and may wait for it. Gives the number under which each of the
    /// roots is to be walked.
    pub(super) fn want(&mut self, caller: Option<T>, roots: &[RootName]) -> u64 {
        self.last += 1;
        let number = self.last;
        let awaited: BTreeSet<RootName> = roots.iter().cloned().collect();
        self.open.extend(caller.map(|caller| Check { number, caller, awaited }));
        number
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
        let done = self.open.extract_if(.., |check| check.awaited.is_empty());
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
        let first = checks.want(Some(1), &roots);
        let second = checks.want(Some(2), &roots);
        checks.walked(&a, 0);
        checks.walked(&b, first);
        assert!(checks.finished().is_empty());
        checks.walked(&a, first);
        assert_eq!(checks.finished(), [1]);
        checks.walked(&a, second);
        assert!(checks.finished().is_empty());
        checks.gone(&b);
        assert_eq!(checks.finished(), [2]);
        assert!(checks.want(None, &roots) > second);
        checks.want(Some(3), &[]);
        assert_eq!(checks.finished(), [3]);
    }
}
