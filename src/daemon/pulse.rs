//! Counts awake time, and notices when nobody was watching.

use std::time::Duration;

use crate::clock::Clock;
use crate::domain::{Awake, Now, Timestamp};

/// Longer than this without a beat, or this far apart of the two clocks, and waits begin again.
const GAP: Duration = Duration::from_secs(30);

/// The loop's own pulse. It must beat at least every few seconds; what is counted as awake between
/// two beats is bounded, so that a stopped process does not count.
#[derive(Debug)]
pub(super) struct Pulse {
    monotonic: Duration,
    wall: Timestamp,
    awake: Awake,
}

impl Pulse {
    /// A pulse that goes on counting from `awake`.
    pub(super) fn new(clock: &dyn Clock, awake: Awake) -> Self {
        Self { monotonic: clock.monotonic(), wall: clock.wall(), awake }
    }

    /// Awake time at the last beat.
    pub(super) fn awake(&self) -> Awake {
        self.awake
    }

    /// Awake time at a moment before the last beat, or somewhat earlier: what stood still in between
    /// is not taken out.
    pub(super) fn awake_at(&self, monotonic: Duration) -> Awake {
        let ago = self.monotonic.saturating_sub(monotonic);
        let ago = u64::try_from(ago.as_millis()).unwrap_or(u64::MAX);
        Awake::from_millis(self.awake.as_millis().saturating_sub(ago))
    }

    /// The time now; and, in words, what kept anyone from watching since the last beat.
    pub(super) fn beat(&mut self, clock: &dyn Clock) -> (Now, Option<String>) {
        let (monotonic, wall) = (clock.monotonic(), clock.wall());
        let ran = monotonic.saturating_sub(self.monotonic);
        let (forward, back) = (wall.since(self.wall), self.wall.since(wall));
        let apart = if back > Duration::ZERO { back + ran } else { forward.abs_diff(ran) };
        (self.monotonic, self.wall) = (monotonic, wall);
        self.awake = self.awake.plus(ran.min(GAP));
        let gap = if ran > GAP {
            Some(format!("the process stood still for {} s", ran.as_secs()))
        } else if apart > GAP {
            Some(format!("the wall clock jumped by {} s: suspended, or set", apart.as_secs()))
        } else {
            None
        };
        (Now { wall, awake: self.awake }, gap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    #[test]
    fn ordinary_beats_add_up_and_are_no_gap() {
        let clock = ManualClock::new(Timestamp::from_millis(5_000));
        let mut pulse = Pulse::new(&clock, Awake::from_millis(100));
        for beats in 1..=3_u64 {
            clock.advance(Duration::from_secs(5));
            let (now, gap) = pulse.beat(&clock);
            assert_eq!(now.awake, Awake::from_millis(100 + beats * 5_000));
            assert_eq!(gap, None);
        }
    }

    #[test]
    fn a_stopped_process_a_suspend_and_a_set_clock_are_gaps_that_count_for_little() {
        let clock = ManualClock::new(Timestamp::from_millis(5_000_000));
        let mut pulse = Pulse::new(&clock, Awake::default());
        clock.advance(Duration::from_mins(10));
        let (now, gap) = pulse.beat(&clock);
        assert!(gap.is_some_and(|why| why.contains("stood still")));
        assert_eq!(now.awake, Awake::from_millis(30_000));
        for wall in [9_000_000_000, 1_000_000] {
            clock.set_wall(Timestamp::from_millis(wall));
            let (after, gap) = pulse.beat(&clock);
            assert!(gap.is_some_and(|why| why.contains("jumped")), "{wall}");
            assert_eq!(after.awake, now.awake);
            assert_eq!(pulse.beat(&clock).1, None);
        }
    }
}
