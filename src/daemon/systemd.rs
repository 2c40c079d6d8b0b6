//! What systemd is told: ready, reloading, stopping, alive, and one line for people.

use std::time::Duration;

use sd_notify::NotifyState;

/// Speaks to the service manager, if there is one.
#[derive(Debug, Default)]
pub(super) struct ServiceManager {
    ready: bool,
    status: String,
}

impl ServiceManager {
    /// How often the watchdog wants to be fed, if there is one: half its time.
    pub(super) fn watchdog_interval() -> Option<Duration> {
        sd_notify::watchdog_enabled().map(|time| time / 2)
    }

    /// The daemon does its work from now on. Told once.
    pub(super) fn ready(&mut self) {
        if !std::mem::replace(&mut self.ready, true) {
            send(&[NotifyState::Ready]);
        }
    }

    /// Start-up needs more time than the unit allows.
    pub(super) fn extend(&self, time: Duration) {
        if !self.ready {
            let usec = u32::try_from(time.as_micros()).unwrap_or(u32::MAX);
            send(&[NotifyState::ExtendTimeoutUsec(usec)]);
        }
    }

    /// The configuration is being read again.
    pub(super) fn reloading(&self) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => send(&[NotifyState::Reloading, now]),
            Err(error) => tracing::debug!(%error, "no monotonic time for the service manager"),
        }
    }

    /// The configuration has been read again.
    pub(super) fn reloaded(&self) {
        send(&[NotifyState::Ready]);
    }

    /// The daemon is about to end.
    pub(super) fn stopping(&self) {
        send(&[NotifyState::Stopping]);
    }

    /// The loop is alive.
    pub(super) fn feed_watchdog(&self) {
        send(&[NotifyState::Watchdog]);
    }

    /// One line for people, told when it changes.
    pub(super) fn status(&mut self, line: &str) {
        if self.status != line {
            line.clone_into(&mut self.status);
            send(&[NotifyState::Status(line)]);
        }
    }
}

fn send(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "the service manager can't be told");
    }
}
