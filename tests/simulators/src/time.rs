//! The time of this host as the services write it. The daemon's rule that only one place reads the
//! clock is about decisions; a stand-in decides nothing, but its history must be of today.

use jiff::{SignedDuration, Timestamp};

/// Now, to the second.
#[allow(clippy::disallowed_methods, reason = "a service of its own has a clock of its own")]
pub(crate) fn now() -> Timestamp {
    Timestamp::from_second(Timestamp::now().as_second()).unwrap()
}

/// So many seconds after another time.
pub(crate) fn later(than: Timestamp, seconds: i64) -> Timestamp {
    than + SignedDuration::from_secs(seconds)
}

/// A fixed day on which all that the world began with was added.
pub(crate) fn long_ago() -> Timestamp {
    Timestamp::from_second(1_735_787_045).unwrap()
}
