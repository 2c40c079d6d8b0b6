//! Notices a root from which too much went at once: more likely a disk than a person.

use std::collections::VecDeque;
use std::time::Duration;

use crate::domain::Awake;

/// Fewer files than this may go at once: the only film of a small library can die.
const LEAST: u64 = 20;
/// One in so many files may go at once.
const ONE_IN: u64 = 5;
/// So many percent must be back before a root is trusted again.
const BACK_PERCENT: u64 = 95;

/// The media files of a root that went and came lately.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Shrink {
    /// Media files known now.
    files: u64,
    /// What changed, and when: files that went, files that came.
    lately: VecDeque<(Awake, u64, u64)>,
    /// How many more may go without counting, and since when: a person said that they would.
    pardoned: Option<(Awake, u64)>,
}

impl Shrink {
    /// Takes a change. `files` is what is known after it.
    pub(super) fn note(&mut self, now: Awake, files: u64, lost: u64, found: u64, window: Duration) {
        self.files = files;
        let lost = lost - self.pardon(now, lost, window);
        if lost > 0 || found > 0 {
            self.lately.push_back((now, lost, found));
        }
        while self.lately.front().is_some_and(|(at, ..)| now.since(*at) > window) {
            self.lately.pop_front();
        }
    }

    /// Takes over files that a person said are probably gone: their going is no alarm.
    pub(super) fn take_over(&mut self, now: Awake, files: u64) {
        self.files = self.files.saturating_add(files);
        self.pardoned = Some((now, files));
    }

    fn pardon(&mut self, now: Awake, lost: u64, window: Duration) -> u64 {
        let Some((since, left)) = self.pardoned.filter(|(at, _)| now.since(*at) <= window) else {
            return 0;
        };
        let spared = left.min(lost);
        self.pardoned = Some((since, left - spared));
        spared
    }

    /// How many files there were before, if too many of them went within the window. What came
    /// since counts against what went, a renamed folder loses nothing; what came before does not.
    pub(super) fn alarm(&self) -> Option<u64> {
        let lately = self.lately.iter();
        let net = lately
            .fold(0_u64, |net, (_, lost, found)| net.saturating_add(*lost).saturating_sub(*found));
        let before = self.files.saturating_add(net);
        (net >= LEAST && net.saturating_mul(ONE_IN) > before).then_some(before)
    }

    /// Whether enough of what was there before is back: nearly all, or so much that what is missing
    /// would neither by its number nor by its share have been too much. A root that was sorted anew,
    /// and lost a few files with that, would else never be trusted again.
    pub(super) fn is_back(&self, before: u64) -> bool {
        let missing = before.saturating_sub(self.files);
        self.files.saturating_mul(100) >= before.saturating_mul(BACK_PERCENT)
            || (missing < LEAST && missing.saturating_mul(ONE_IN) <= before)
    }

    /// Media files known now.
    pub(super) fn files(&self) -> u64 {
        self.files
    }

    /// What went is accepted: it counts no more.
    pub(super) fn accept(&mut self) {
        self.lately.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_mins(10);

    fn at(minutes: u64) -> Awake {
        Awake::default().plus(Duration::from_mins(minutes))
    }

    /// Losses of so many files each, a minute apart, in a root of so many.
    fn check(files: u64, losses: &[u64], expected: bool) {
        let mut shrink = Shrink::default();
        let mut left = files;
        for (minute, lost) in losses.iter().enumerate() {
            left -= lost;
            shrink.note(at(minute as u64), left, *lost, 0, WINDOW);
        }
        assert_eq!(shrink.alarm().is_some(), expected, "{files} {losses:?}");
    }

    #[test]
    fn a_fifth_of_a_root_and_at_least_twenty_files_are_too_much() {
        check(1, &[1], false);
        check(19, &[19], false);
        check(20, &[20], true);
        check(100, &[20], false);
        check(100, &[21], true);
        check(1_000, &[200], false);
        check(1_000, &[100, 101], true);
        check(1_000, &[100, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 101], false);
    }

    #[test]
    fn what_came_in_its_place_counts_against_what_went() {
        let mut shrink = Shrink::default();
        shrink.note(at(0), 60, 40, 0, WINDOW);
        assert_eq!(shrink.alarm(), Some(100));
        shrink.note(at(1), 100, 0, 40, WINDOW);
        assert_eq!(shrink.alarm(), None);
        shrink.note(at(2), 70, 30, 0, WINDOW);
        assert_eq!(shrink.alarm(), Some(100), "what came earlier hides nothing");
    }

    #[test]
    fn what_a_person_gave_up_may_go_but_no_more_and_not_for_ever() {
        let mut shrink = Shrink::default();
        shrink.note(at(0), 60, 0, 0, WINDOW);
        shrink.take_over(at(0), 40);
        assert_eq!(shrink.files(), 100);
        shrink.note(at(1), 75, 25, 0, WINDOW);
        shrink.note(at(2), 60, 15, 0, WINDOW);
        assert_eq!(shrink.alarm(), None);
        shrink.note(at(3), 40, 20, 0, WINDOW);
        assert_eq!(shrink.alarm(), Some(60));
        let mut late = Shrink::default();
        late.take_over(at(0), 100);
        late.note(at(11), 60, 40, 0, WINDOW);
        assert_eq!(late.alarm(), Some(100));
    }

    #[test]
    fn ninety_five_percent_are_enough_or_what_would_not_have_been_too_much() {
        let is_back = |files: u64, before: u64| {
            let mut shrink = Shrink::default();
            shrink.note(at(0), files, 0, 0, WINDOW);
            shrink.is_back(before)
        };
        assert!(!is_back(949, 1_000) && is_back(950, 1_000));
        // Of 54 that were sorted anew, and lost 4 with that.
        assert!(is_back(50, 54));
        // A disk of which a part is back.
        assert!(!is_back(6, 25) && !is_back(23, 30) && is_back(24, 30));
        assert!(!is_back(180, 200) && is_back(181, 200));
    }
}
