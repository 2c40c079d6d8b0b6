//! The only place where a test may wait: for a thing to become so, with a deadline.

#![allow(clippy::disallowed_methods, reason = "tests from outside run in real time")]

use std::thread;
use std::time::{Duration, Instant};

/// How often is looked.
const PAUSE: Duration = Duration::from_millis(20);

/// Waits until `look` finds something.
///
/// # Panics
/// When nothing was found in time; `what` says what was waited for.
#[track_caller]
pub(crate) fn until<T>(what: &str, deadline: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let start = now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < deadline, "not within {deadline:?}: {what}");
        thread::sleep(PAUSE);
    }
}

/// Lets a time pass in which something must not happen: `look` is asked all the while and at the
/// end, and must not object.
#[track_caller]
pub(crate) fn throughout(time: Duration, mut look: impl FnMut()) {
    let start = now();
    while start.elapsed() < time {
        look();
        thread::sleep(PAUSE);
    }
    look();
}

/// The time, for measuring how long something took.
pub(crate) fn now() -> Instant {
    Instant::now()
}
