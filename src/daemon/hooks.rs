//! Ways to break the daemon on purpose. Never in a package: only with the feature `test-hooks`.

use std::time::Duration;

/// The loop stands still for ever this many seconds after the start.
const WEDGE: &str = "OBITUARR_TEST_WEDGE";

/// Stands still when it is time to; `at` is the time since the start.
pub(super) fn wedge(at: Duration) {
    let wedge = std::env::var(WEDGE).ok().and_then(|secs| secs.parse().ok());
    while wedge.is_some_and(|secs| at >= Duration::from_secs(secs)) {
        std::thread::park();
    }
}
