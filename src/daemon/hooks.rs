//! Ways to break the daemon on purpose. Never in a package: only with the feature `test-hooks`.

use std::time::Duration;

/// The loop stands still for ever this many seconds after the start.
const WEDGE: &str = "OBITUARR_TEST_WEDGE";

/// A look at a root that does not come back is given up after this many seconds.
const STALLED: &str = "OBITUARR_TEST_STALLED";

fn seconds(variable: &str) -> Option<Duration> {
    let seconds = std::env::var(variable).ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// How long a look may take, if not as long as usual.
pub(super) fn stalled_after() -> Option<Duration> {
    seconds(STALLED)
}

/// Stands still when it is time to; `at` is the time since the start.
pub(super) fn wedge(at: Duration) {
    let wedge = seconds(WEDGE);
    while wedge.is_some_and(|wedge| at >= wedge) {
        std::thread::park();
    }
}
