//! Which directories changed, and when each has been quiet for long enough to be listed.
//!
//! Pure: the time is given. Must never forget a mark but for a directory that is gone, whose parent
//! is marked then.

use std::time::Duration;

use super::paths::PathMap;
use crate::domain::RelPath;

/// The longest that a directory which never comes to rest is kept waiting.
const CAP: Duration = Duration::from_secs(2);
/// Deadlines are rounded up to this, so that a burst is taken in few portions.
const TICK: u128 = 25;

#[derive(Debug)]
pub(super) struct Dirty {
    quiet: Duration,
    marks: PathMap<Mark>,
    /// No mark is due before this.
    earliest: Option<Duration>,
}

#[derive(Debug, Clone, Copy)]
struct Mark {
    first: Duration,
    due: Duration,
}

impl Dirty {
    pub(super) fn new(quiet: Duration) -> Self {
        Self { quiet, marks: PathMap::default(), earliest: None }
    }

    /// Another quiet time, for what happens from now on.
    pub(super) fn set_quiet(&mut self, quiet: Duration) {
        self.quiet = quiet;
    }

    /// Takes note that something happened in a directory.
    pub(super) fn mark(&mut self, dir: &RelPath, now: Duration) {
        let due = |first: Duration| tick((now + self.quiet).min(first + CAP));
        let due = match self.marks.get_mut(dir) {
            Some(mark) => {
                mark.due = due(mark.first);
                mark.due
            }
            None => {
                let mark = Mark { first: now, due: due(now) };
                self.marks.insert(dir, mark);
                mark.due
            }
        };
        self.earliest = Some(self.earliest.map_or(due, |earliest| earliest.min(due)));
    }

    /// Drops the marks of a directory that is gone, and of all below it.
    pub(super) fn forget_within(&mut self, dir: &RelPath) {
        if !self.marks.is_empty() {
            self.marks.remove_within(dir);
        }
    }

    /// Takes the directories whose time has come, in order.
    pub(super) fn take_due(&mut self, now: Duration) -> Vec<RelPath> {
        if self.earliest.is_none_or(|earliest| now < earliest) {
            return Vec::new();
        }
        let due = self.marks.take(|mark| mark.due <= now);
        self.earliest = self.marks.iter().map(|(_, mark)| mark.due).min();
        due
    }

    /// Takes all of them, rested or not.
    pub(super) fn take_all(&mut self) -> Vec<RelPath> {
        self.earliest = None;
        self.marks.take(|_| true)
    }

    /// When to ask again.
    pub(super) fn next(&self) -> Option<Duration> {
        self.earliest
    }

    pub(super) fn clear(&mut self) {
        self.marks.clear();
        self.earliest = None;
    }
}

fn tick(due: Duration) -> Duration {
    let millis = due.as_millis().div_ceil(TICK) * TICK;
    Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, ManualClock};

    fn rel(path: &str) -> RelPath {
        RelPath::parse(path.as_bytes()).unwrap()
    }

    const QUIET: Duration = Duration::from_millis(150);

    #[test]
    fn a_directory_is_due_once_it_has_been_quiet() {
        let (clock, mut dirty) = (ManualClock::default(), Dirty::new(QUIET));
        assert_eq!(dirty.next(), None);
        dirty.mark(&rel("a"), clock.monotonic());
        clock.advance(Duration::from_millis(100));
        dirty.mark(&rel("a"), clock.monotonic());
        clock.advance(Duration::from_millis(100));
        assert!(dirty.take_due(clock.monotonic()).is_empty());
        clock.advance(Duration::from_millis(50));
        assert_eq!(dirty.take_due(clock.monotonic()), [rel("a")]);
        assert!(dirty.take_due(clock.monotonic()).is_empty());
        assert_eq!(dirty.next(), None);
    }

    #[test]
    fn another_quiet_time_counts_from_the_next_mark_on() {
        let mut dirty = Dirty::new(QUIET);
        dirty.mark(&rel("a"), Duration::ZERO);
        dirty.set_quiet(Duration::from_secs(1));
        dirty.mark(&rel("b"), Duration::ZERO);
        assert_eq!(dirty.take_due(QUIET), [rel("a")]);
        assert_eq!(dirty.next(), Some(Duration::from_secs(1)));
    }

    #[test]
    fn one_that_never_rests_is_listed_all_the_same() {
        let (clock, mut dirty) = (ManualClock::default(), Dirty::new(QUIET));
        let mut listed = Vec::new();
        for _ in 0..100 {
            dirty.mark(&rel("a"), clock.monotonic());
            clock.advance(Duration::from_millis(50));
            if !dirty.take_due(clock.monotonic()).is_empty() {
                listed.push(clock.monotonic().as_millis());
            }
        }
        assert_eq!(listed, [2_000, 4_000]);
    }

    #[test]
    fn the_time_to_ask_again_is_never_too_late() {
        let (clock, mut dirty) = (ManualClock::default(), Dirty::new(QUIET));
        for (at, path) in [(0, "a"), (60, "b"), (100, "a"), (110, "c")] {
            clock.advance(Duration::from_millis(at) - clock.monotonic());
            dirty.mark(&rel(path), clock.monotonic());
        }
        let mut order = Vec::new();
        while let Some(next) = dirty.next() {
            clock.advance(next - clock.monotonic());
            order.extend(dirty.take_due(clock.monotonic()));
        }
        assert_eq!(order, [rel("b"), rel("a"), rel("c")]);
        assert_eq!(clock.monotonic(), Duration::from_millis(275));
    }

    #[test]
    fn what_is_gone_is_forgotten_with_all_below_it() {
        let mut dirty = Dirty::new(QUIET);
        for path in ["a", "a/b", "a b", "c"] {
            dirty.mark(&rel(path), Duration::ZERO);
        }
        dirty.forget_within(&rel("a"));
        assert_eq!(dirty.take_all(), [rel("a b"), rel("c")]);
    }
}
