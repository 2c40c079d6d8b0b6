//! Two clocks: the one people read, and the one that waits are counted in.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The first and the last moment that can be written and read back, in milliseconds.
const YEAR_1: i64 = -62_135_596_800_000;
const YEAR_9999: i64 = 253_370_764_800_000;

/// A moment by the wall clock, in milliseconds since 1970-01-01 UTC.
///
/// Only shown, and compared with what file systems and services stamp. Never waited for: a wall
/// clock can be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// A moment in milliseconds since 1970-01-01 UTC, brought into the years that can be written.
    #[must_use]
    pub fn from_millis(millis: i64) -> Self {
        Self(millis.clamp(YEAR_1, YEAR_9999))
    }

    /// Milliseconds since 1970-01-01 UTC.
    #[must_use]
    pub fn as_millis(self) -> i64 {
        self.0
    }

    /// How long ago `earlier` was at this moment; zero when it was not earlier.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// This moment, `span` later.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self::from_millis(
            self.0.saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// This moment, `span` earlier.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        Self::from_millis(
            self.0.saturating_sub(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)),
        )
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(time) => write!(f, "{time:.3}"),
            Err(_) => write!(f, "{} ms", self.0),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let time: jiff::Timestamp = text.parse().map_err(serde::de::Error::custom)?;
        Ok(Self::from_millis(time.as_millisecond()))
    }
}

/// Time that the daemon was awake and running, in milliseconds, added up over restarts.
///
/// All waits are counted in it: it stands still while the machine sleeps, while the process is
/// stopped, and while it is not there.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Awake(u64);

impl Awake {
    /// A point in awake time.
    #[must_use]
    pub fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds of awake time.
    #[must_use]
    pub fn as_millis(self) -> u64 {
        self.0
    }

    /// This point, `span` later.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(span.as_millis()).unwrap_or(u64::MAX)))
    }

    /// This moment, that much earlier; not before the first.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(span.as_millis()).unwrap_or(u64::MAX)))
    }

    /// The awake time from `earlier` to here; zero when it was not earlier.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// The time that the core is told with each event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Now {
    /// For showing.
    pub wall: Timestamp,
    /// For waiting.
    pub awake: Awake,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_reads_back_as_it_was_written() {
        for millis in [0, 1, -1, 1_790_000_000_123, i64::MAX, i64::MIN] {
            let time = Timestamp::from_millis(millis);
            let json = serde_json::to_string(&time).unwrap();
            assert_eq!(serde_json::from_str::<Timestamp>(&json).unwrap(), time, "{json}");
        }
        assert_eq!(Timestamp::from_millis(1_500).to_string(), "1970-01-01T00:00:01.500Z");
    }

    #[test]
    fn spans_never_go_below_zero_nor_overflow() {
        let (early, late) = (Timestamp::from_millis(10), Timestamp::from_millis(30));
        assert_eq!(late.since(early), Duration::from_millis(20));
        assert_eq!(early.since(late), Duration::ZERO);
        assert_eq!(Awake::from_millis(5).since(Awake::from_millis(9)), Duration::ZERO);
        assert!(early.plus(Duration::MAX) > late && early.minus(Duration::MAX) < early);
    }
}
