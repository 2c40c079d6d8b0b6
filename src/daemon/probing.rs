//! Brings probes about: first every root must be current, then the disk is looked at.
//!
//! "Moved is not gone" needs the listings of all roots: so each round of probes begins with one
//! sync of every watcher, and what the listings brought is in the store before anyone looks.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use crate::core::Probe;
use crate::domain::{Awake, ProbeId, RootName};

/// How long a round may take before the roots that did not answer count as behind.
const ROUND_DEADLINE: Duration = Duration::from_secs(30);
/// How many probes look at the disk at a time.
const MOST_RUNNING: usize = 4;
/// A probe that takes longer hangs on a disk: it does not keep others from running.
const HANGS_AFTER: Duration = Duration::from_mins(2);
/// How many probes may hang, each with a thread, before no other begins.
const MOST_HANGING: usize = 12;

/// A probe that may run now, and the roots that were not current.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Runnable {
    pub(super) probe: Probe,
    pub(super) behind: Vec<RootName>,
}

/// What is waiting, being synced, and running.
#[derive(Debug, Default)]
pub(super) struct Probing {
    waiting: Vec<Probe>,
    round: Option<Round>,
    ready: VecDeque<Runnable>,
    /// Since when each runs.
    running: BTreeMap<ProbeId, Awake>,
    next_token: u64,
    /// Roots that were asked and have not answered: a walk may take them long.
    unanswered: BTreeSet<RootName>,
    /// When the last whole walk of each root began: a loss before that is answered by it.
    walked: BTreeMap<RootName, Awake>,
}

#[derive(Debug)]
struct Round {
    token: u64,
    deadline: Awake,
    probes: Vec<Probe>,
    awaited: BTreeSet<RootName>,
    asked: BTreeSet<RootName>,
    behind: BTreeSet<RootName>,
}

impl Probing {
    /// Takes a probe that is wanted.
    pub(super) fn want(&mut self, probe: Probe) {
        self.waiting.push(probe);
    }

    /// Begins a round if one is wanted: the token with which all `roots` are to be synced. What
    /// nobody waits for any more is dropped: probes that can't run would pile up.
    pub(super) fn begin(
        &mut self,
        now: Awake,
        roots: &[RootName],
        is_awaited: impl Fn(&Probe) -> bool,
    ) -> Option<u64> {
        if self.round.is_some() || self.waiting.is_empty() {
            return None;
        }
        self.waiting.retain(|probe| is_awaited(probe));
        self.ready.retain(|runnable| is_awaited(&runnable.probe));
        if self.waiting.is_empty() {
            return None;
        }
        self.next_token += 1;
        let probes = std::mem::take(&mut self.waiting);
        let after = probes.iter().map(|probe| probe.after).max().unwrap_or_default();
        self.round = Some(Round {
            token: self.next_token,
            deadline: now.plus(ROUND_DEADLINE),
            probes,
            awaited: roots.iter().filter(|root| !self.is_walked(root, after)).cloned().collect(),
            asked: BTreeSet::new(),
            behind: BTreeSet::new(),
        });
        self.end_if_complete();
        Some(self.next_token)
    }

    /// A walk that began then is over.
    pub(super) fn walked(&mut self, root: &RootName, began: Awake) {
        self.walked.insert(root.clone(), began);
    }

    /// Whether all that happened in a root until then has been listed.
    fn is_walked(&self, root: &RootName, until: Awake) -> bool {
        self.walked.get(root).is_some_and(|began| *began > until)
    }

    /// The roots to be asked now, and the token. One that has not answered an earlier question is
    /// not asked again: each question to a root without events means a walk.
    pub(super) fn ask(&mut self) -> Vec<(RootName, u64)> {
        let Some(round) = self.round.as_mut() else { return Vec::new() };
        let may =
            |root: &&RootName| !round.asked.contains(*root) && !self.unanswered.contains(*root);
        let roots: Vec<RootName> = round.awaited.iter().filter(may).cloned().collect();
        round.asked.extend(roots.iter().cloned());
        self.unanswered.extend(roots.iter().cloned());
        roots.into_iter().map(|root| (root, round.token)).collect()
    }

    /// The watcher of a root has ended: it answers no more.
    pub(super) fn forget(&mut self, root: &RootName) {
        self.unanswered.remove(root);
        self.walked.remove(root);
    }

    /// A root answered the sync of a token.
    pub(super) fn synced(&mut self, root: &RootName, token: u64, current: bool) {
        self.unanswered.remove(root);
        let Some(round) = self.round.as_mut().filter(|round| round.token == token) else { return };
        if round.awaited.remove(root) && !current {
            round.behind.insert(root.clone());
        }
        self.end_if_complete();
    }

    /// Ends a round that took too long.
    pub(super) fn tick(&mut self, now: Awake) {
        if let Some(round) = self.round.as_mut().filter(|round| round.deadline <= now) {
            round.behind.append(&mut round.awaited);
            self.end_if_complete();
        }
    }

    /// The next probe that may run now and that somebody waits for.
    pub(super) fn next(
        &mut self,
        now: Awake,
        is_awaited: impl Fn(&Probe) -> bool,
    ) -> Option<Runnable> {
        let hanging = self.running.values().filter(|from| now.since(**from) >= HANGS_AFTER).count();
        if self.running.len() - hanging >= MOST_RUNNING || hanging >= MOST_HANGING {
            return None;
        }
        let next = std::iter::from_fn(|| self.ready.pop_front())
            .find(|runnable| is_awaited(&runnable.probe))?;
        self.running.insert(next.probe.id, now);
        Some(next)
    }

    /// Lets the probes that could run now wait for another round: what the roots said is not enough.
    pub(super) fn put_off(&mut self) {
        self.waiting.extend(self.ready.drain(..).map(|runnable| runnable.probe));
    }

    /// A probe is over.
    pub(super) fn ended(&mut self, probe: ProbeId) {
        self.running.remove(&probe);
    }

    fn end_if_complete(&mut self) {
        let Some(round) = self.round.take_if(|round| round.awaited.is_empty()) else { return };
        for probe in round.probes {
            let is_behind = |root: &&RootName| !self.is_walked(root, probe.after);
            let behind = round.behind.iter().filter(is_behind).cloned().collect();
            self.ready.push_back(Runnable { probe, behind });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{CandidateId, Item, Kind, ProviderIds, Timestamp};

    fn probe(number: u64) -> Probe {
        Probe {
            id: ProbeId(number),
            candidate: CandidateId(number),
            item: Item {
                kind: Kind::Film,
                title: "x".into(),
                year: None,
                ids: ProviderIds::default(),
            },
            detected: Timestamp::default(),
            from: Awake::default(),
            after: Awake::default(),
            places: vec![],
            lost: vec![],
            follows: vec![],
        }
    }

    fn roots() -> [RootName; 2] {
        ["a", "b"].map(|name| RootName::parse(name).unwrap())
    }

    fn numbers(probing: &mut Probing) -> Vec<(u64, usize)> {
        std::iter::from_fn(|| probing.next(Awake::default(), |_| true))
            .map(|r| (r.probe.id.0, r.behind.len()))
            .collect()
    }

    #[test]
    fn no_probe_runs_before_every_root_is_current() {
        let mut probing = Probing::default();
        probing.want(probe(1));
        let token = probing.begin(Awake::default(), &roots(), |_| true).unwrap();
        probing.want(probe(2));
        assert_eq!(
            probing.begin(Awake::default(), &roots(), |_| true),
            None,
            "one round at a time"
        );
        probing.synced(&roots()[0], token, true);
        probing.synced(&roots()[1], token + 7, true);
        assert!(numbers(&mut probing).is_empty());
        probing.synced(&roots()[1], token, true);
        assert_eq!(numbers(&mut probing), [(1, 0)]);
        assert!(probing.begin(Awake::default(), &roots(), |_| true).is_some());
    }

    #[test]
    fn a_root_that_is_behind_or_silent_is_named_to_the_probe() {
        let mut probing = Probing::default();
        probing.want(probe(1));
        let token = probing.begin(Awake::default(), &roots(), |_| true).unwrap();
        probing.synced(&roots()[0], token, false);
        probing.tick(Awake::default().plus(ROUND_DEADLINE / 2));
        assert!(numbers(&mut probing).is_empty());
        probing.tick(Awake::default().plus(ROUND_DEADLINE));
        assert_eq!(numbers(&mut probing), [(1, 2)]);
    }

    #[test]
    fn a_probe_that_nobody_waits_for_any_more_does_not_run() {
        let mut probing = Probing::default();
        probing.want(probe(1));
        probing.want(probe(2));
        let second = |probe: &Probe| probe.id == ProbeId(2);
        assert!(probing.begin(Awake::default(), &[], second).is_some());
        assert_eq!(numbers(&mut probing), [(2, 0)]);
        probing.want(probe(3));
        assert_eq!(probing.begin(Awake::default(), &[], second), None);
        probing.want(probe(4));
        probing.want(probe(5));
        assert!(probing.begin(Awake::default(), &[], |_| true).is_some());
        let next = probing.next(Awake::default(), |probe| probe.id == ProbeId(5));
        assert_eq!(next.map(|runnable| runnable.probe.id), Some(ProbeId(5)));
    }

    #[test]
    fn a_walk_that_began_after_the_loss_answers_for_its_root_however_long_it_took() {
        let (mut probing, now) = (Probing::default(), Awake::from_millis(60_000));
        let lost_at = |number, millis| Probe { after: Awake::from_millis(millis), ..probe(number) };
        probing.want(lost_at(1, 5_000));
        probing.want(lost_at(2, 9_000));
        probing.begin(now, &roots(), |_| true);
        assert_eq!(probing.ask().len(), 2);
        assert!(probing.ask().is_empty(), "each is asked once");
        probing.synced(&roots()[0], 1, true);
        // The walk for an earlier question, which outlasts the round.
        probing.walked(&roots()[1], Awake::from_millis(7_000));
        probing.tick(now.plus(ROUND_DEADLINE));
        assert_eq!(numbers(&mut probing), [(1, 0), (2, 1)]);

        probing.want(lost_at(3, 6_000));
        probing.begin(now, &roots(), |_| true);
        probing.synced(&roots()[0], 2, true);
        assert_eq!(numbers(&mut probing), [(3, 0)], "its root is not even asked");
    }

    #[test]
    fn a_root_that_still_walks_for_an_earlier_question_is_not_asked_again() {
        let mut probing = Probing::default();
        let asked = |probing: &mut Probing| probing.ask().len();
        probing.want(probe(1));
        probing.begin(Awake::default(), &roots(), |_| true);
        assert_eq!(asked(&mut probing), 2);
        probing.synced(&roots()[0], 1, true);
        probing.tick(Awake::default().plus(ROUND_DEADLINE));
        probing.want(probe(2));
        probing.begin(Awake::default(), &roots(), |_| true);
        assert_eq!(asked(&mut probing), 1);
        probing.synced(&roots()[1], 1, true);
        assert_eq!(asked(&mut probing), 1, "now it is");
        probing.forget(&roots()[1]);
    }

    #[test]
    fn a_probe_that_is_put_off_needs_another_round() {
        let mut probing = Probing::default();
        probing.want(probe(1));
        assert!(probing.begin(Awake::default(), &[], |_| true).is_some());
        probing.put_off();
        assert!(numbers(&mut probing).is_empty());
        assert!(probing.begin(Awake::default(), &[], |_| true).is_some());
        assert_eq!(numbers(&mut probing), [(1, 0)]);
    }

    #[test]
    fn probes_run_a_few_at_a_time() {
        let mut probing = Probing::default();
        for number in 0..9 {
            probing.want(probe(number));
        }
        assert!(probing.begin(Awake::default(), &[], |_| true).is_some());
        assert_eq!(numbers(&mut probing).len(), MOST_RUNNING);
        probing.ended(ProbeId(2));
        assert_eq!(numbers(&mut probing), [(4, 0)]);
    }

    #[test]
    fn probes_that_hang_do_not_keep_others_from_running_but_their_number_is_bounded() {
        let mut probing = Probing::default();
        for number in 0..30 {
            probing.want(probe(number));
        }
        assert!(probing.begin(Awake::default(), &[], |_| true).is_some());
        let mut now = Awake::default();
        let mut begun = 0;
        for _ in 0..9 {
            begun += std::iter::from_fn(|| probing.next(now, |_| true)).count();
            now = now.plus(HANGS_AFTER);
        }
        assert_eq!(begun, MOST_HANGING);
    }
}
