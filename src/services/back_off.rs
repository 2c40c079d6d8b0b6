//! How long to wait before a question is asked again, if at all.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use super::reply::Reply;
use crate::domain::Failure;

/// How often a question is asked again.
const AGAIN: u32 = 2;

/// The wait before the first repetition; each further one doubles it.
const FIRST: Duration = Duration::from_millis(500);

/// A service that wants to be left alone for longer is asked at another time.
const LONGEST: Duration = Duration::from_secs(10);

/// How long to wait before the next try after `tries` repetitions; `None`: it is no use.
pub(super) fn wait(tries: u32, reply: &Result<Reply, Failure>) -> Option<Duration> {
    let Err(Failure::Transient { retry_after, .. }) = reply else { return None };
    if tries >= AGAIN {
        return None;
    }
    let wait = jittered(FIRST * 2_u32.pow(tries)).max(retry_after.unwrap_or_default());
    (wait <= LONGEST).then_some(wait)
}

/// Half to the whole of it, so that those who failed together do not come back together.
fn jittered(wait: Duration) -> Duration {
    let chance = RandomState::new().hash_one(0) % 1000;
    wait / 2 + wait / 2 * u32::try_from(chance).unwrap_or_default() / 1000
}
