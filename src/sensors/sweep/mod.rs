//! Lists everything that each service has, from time to time and when somebody asks.
//!
//! What comes of it are hints and the basis for questions. Must never judge a listing, and never take
//! a failure for an empty one. One sweep at a time: who wants one meanwhile is given the same.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use crate::domain::{Awake, Failure, Instance, Listing};
use crate::services::Client;

/// Intervals are stretched by up to one in so many, so that daemons don't ask in step.
const JITTER: u32 = 10;
/// The first and the longest wait before an instance that could not be listed is tried again.
const RETRY: Duration = Duration::from_secs(30);
const RETRY_MAX: Duration = Duration::from_mins(15);

/// What the listing of one instance came to.
#[derive(Debug)]
pub struct Swept {
    /// Which.
    pub instance: Instance,
    /// The number of the sweep that it was begun by.
    pub number: u64,
    /// What it lists, or why it could not be listed.
    pub listing: Result<Listing, Failure>,
}

/// How far the listing of an instance is.
#[derive(Debug, Default)]
pub struct Pace {
    done: AtomicU64,
    /// 0 where it is not known.
    of: AtomicU64,
}

impl Pace {
    /// So many titles have come, and of so many.
    pub fn set(&self, done: u64, of: Option<u64>) {
        self.done.store(done, Ordering::Relaxed);
        self.of.store(of.unwrap_or(0), Ordering::Relaxed);
    }

    /// How many titles have come, and of how many.
    #[must_use]
    pub fn read(&self) -> (u64, Option<u64>) {
        let of = self.of.load(Ordering::Relaxed);
        (self.done.load(Ordering::Relaxed), (of > 0).then_some(of))
    }
}

/// When each instance is to be listed.
#[derive(Debug, Default)]
pub struct Schedule {
    next: BTreeMap<Instance, Next>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Next {
    due: Awake,
    /// How often in a row it could not be listed.
    failures: u32,
}

impl Schedule {
    /// Takes over which instances there are; new ones are due at once.
    pub fn configure<'a>(&mut self, instances: impl Iterator<Item = &'a Instance>) {
        let before = std::mem::take(&mut self.next);
        for instance in instances {
            let next = before.get(instance).copied().unwrap_or_default();
            self.next.insert(instance.clone(), next);
        }
    }

    /// Somebody wants all of them listed now.
    pub fn all_due(&mut self) {
        self.next.values_mut().for_each(|next| next.due = Awake::default());
    }

    /// One is to be listed now.
    pub fn set_due(&mut self, instance: &Instance) {
        if let Some(next) = self.next.get_mut(instance) {
            next.due = Awake::default();
        }
    }

    /// Those that are to be listed now.
    pub fn due(&self, now: Awake) -> impl Iterator<Item = &Instance> {
        self.next.iter().filter(move |(_, next)| next.due <= now).map(|(instance, _)| instance)
    }

    /// A listing is over: the next is due after the interval, or sooner if this one failed. `chance`
    /// is any number.
    pub fn ended(
        &mut self,
        now: Awake,
        instance: &Instance,
        failed: bool,
        interval: Duration,
        chance: u32,
    ) {
        let Some(next) = self.next.get_mut(instance) else { return };
        next.failures = if failed { next.failures.saturating_add(1) } else { 0 };
        let wait = if failed {
            RETRY.saturating_mul(1 << next.failures.saturating_sub(1).min(16)).min(RETRY_MAX)
        } else {
            interval
        };
        let stretch = wait / JITTER;
        let part = stretch.mul_f64(f64::from(chance) / f64::from(u32::MAX));
        next.due = now.plus(wait.min(interval)).plus(part);
    }
}

/// A listing under way.
#[derive(Debug)]
pub struct Listening {
    /// The number of its sweep.
    pub number: u64,
    /// How far it is.
    pub pace: Arc<Pace>,
    task: AbortHandle,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Begins to list an instance; what comes of it goes to `sink`.
#[must_use]
pub fn start(client: Client, number: u64, sink: mpsc::Sender<Swept>) -> Listening {
    let pace = Arc::new(Pace::default());
    let shown = Arc::clone(&pace);
    let task = tokio::spawn(async move {
        let progress = |done: u64, of: Option<u64>| shown.set(done, of);
        let listing = client.list(&progress).await;
        let instance = client.instance().clone();
        // The loop has ended: then nobody waits for it.
        drop(sink.send(Swept { instance, number, listing }).await);
    });
    Listening { number, pace, task: task.abort_handle() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Service;

    const HOUR: Duration = Duration::from_hours(1);

    fn instance(name: &str) -> Instance {
        Instance { service: Service::Radarr, name: name.into() }
    }

    fn at(minutes: u64) -> Awake {
        Awake::from_millis(minutes * 60_000)
    }

    fn due(schedule: &Schedule, minutes: u64) -> Vec<String> {
        schedule.due(at(minutes)).map(|instance| instance.name.clone()).collect()
    }

    #[test]
    fn each_is_due_at_once_then_after_the_interval_and_a_failed_one_sooner() {
        let (a, b) = (instance("a"), instance("b"));
        let mut schedule = Schedule::default();
        schedule.configure([&a, &b].into_iter());
        assert_eq!(due(&schedule, 0), ["a", "b"]);
        schedule.ended(at(0), &a, false, HOUR, 0);
        schedule.ended(at(0), &b, true, HOUR, 0);
        assert!(due(&schedule, 0).is_empty());
        assert_eq!(due(&schedule, 1), ["b"]);
        for _ in 0..40 {
            schedule.ended(at(1), &b, true, HOUR, u32::MAX);
        }
        assert!(due(&schedule, 16).is_empty());
        assert_eq!(due(&schedule, 18), ["b"]);
        schedule.ended(at(18), &b, false, HOUR, u32::MAX);
        assert_eq!(due(&schedule, 60), ["a"]);
        assert_eq!(due(&schedule, 18 + 66), ["a", "b"]);
    }

    #[test]
    fn a_person_and_a_new_instance_need_not_wait() {
        let (a, b) = (instance("a"), instance("b"));
        let mut schedule = Schedule::default();
        schedule.configure([&a].into_iter());
        schedule.ended(at(0), &a, false, HOUR, 0);
        schedule.configure([&a, &b].into_iter());
        assert_eq!(due(&schedule, 1), ["b"]);
        schedule.all_due();
        assert_eq!(due(&schedule, 1), ["a", "b"]);
        schedule.configure([&b].into_iter());
        assert_eq!(due(&schedule, 1), ["b"]);
    }
}
