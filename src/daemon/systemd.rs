//! What systemd is told: ready, reloading, stopping, alive, and one line for people.
//!
//! The loop calls at each of its turns; what is due at all is decided here, so that systemd hears
//! neither more often than it needs nor too late. Only the loop may say that it is alive.

use std::time::Duration;

use sd_notify::NotifyState;

/// How much longer start-up may take with each request, and how often it is requested.
const MORE_TIME: Duration = Duration::from_mins(1);
const MORE_TIME_EVERY: Duration = Duration::from_secs(20);
/// How often a number in the line for people may change; what else changes is told at once.
const LINE_EVERY: Duration = Duration::from_millis(500);
/// systemd takes no longer message than 4096 bytes; people take no longer line than this.
const LONGEST_LINE: usize = 500;

/// How far the daemon is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// It has begun, and may need more time than the unit allows.
    Starting,
    /// Each root is watched, or was found in no state for it.
    Ready,
    /// It can't go on; start-up, if that is not over, will not be over soon.
    Failing,
}

/// Speaks to the service manager, if there is one.
#[derive(Debug, Default)]
pub(super) struct ServiceManager {
    /// Half the time after which systemd takes the loop for dead.
    feed_every: Option<Duration>,
    fed: Option<Duration>,
    extended: Option<Duration>,
    is_ready: bool,
    is_stopping: bool,
    line: String,
    lined: Option<Duration>,
    /// Whether there is another line, for which it was too early.
    line_waits: bool,
}

impl ServiceManager {
    /// With the watchdog that the environment asks for.
    pub(super) fn from_environment() -> Self {
        let feed_every = sd_notify::watchdog_enabled().map(|time| time / 2);
        Self { feed_every, ..Self::default() }
    }

    /// The loop is at work; `at` is monotonic time.
    pub(super) fn turn(&mut self, at: Duration, phase: Phase, line: &str) {
        send(&self.due(at, phase, &one_line(line)));
    }

    /// How long until the loop must turn again.
    pub(super) fn next_turn(&self, at: Duration) -> Option<Duration> {
        let until = |last: Option<Duration>, every| {
            last.map_or(Duration::ZERO, |last| (last + every).saturating_sub(at))
        };
        let food = self.feed_every.map(|every| until(self.fed, every));
        let line = self.line_waits.then(|| until(self.lined, LINE_EVERY));
        food.into_iter().chain(line).min()
    }

    /// The configuration is being read again. While starting there is nothing to reload for systemd.
    pub(super) fn reloading(&mut self) {
        if !self.is_ready {
            return;
        }
        match NotifyState::monotonic_usec_now() {
            Ok(now) => {
                "reading the configuration".clone_into(&mut self.line);
                send(&[NotifyState::Reloading, now, NotifyState::Status(&self.line)]);
            }
            Err(error) => tracing::debug!(%error, "no monotonic time for the service manager"),
        }
    }

    /// The configuration has been read again.
    pub(super) fn reloaded(&self) {
        if self.is_ready {
            send(&[NotifyState::Ready]);
        }
    }

    /// The daemon is about to end. Told once.
    pub(super) fn stopping(&mut self) {
        if !std::mem::replace(&mut self.is_stopping, true) {
            send(&[NotifyState::Stopping, NotifyState::Status("stopping")]);
        }
    }

    /// The daemon can't start.
    pub(super) fn failed(&self, why: &str, error: Option<u32>) {
        let line = one_line(why);
        let mut states = vec![NotifyState::Status(&line)];
        states.extend(error.map(NotifyState::Errno));
        send(&states);
    }

    /// What is due, in one message.
    fn due<'a>(&mut self, at: Duration, phase: Phase, line: &'a str) -> Vec<NotifyState<'a>> {
        let is_due = |last: Option<Duration>, every| last.is_none_or(|last| at >= last + every);
        let mut states = Vec::new();
        if phase == Phase::Ready && !self.is_ready {
            self.is_ready = true;
            states.push(NotifyState::Ready);
        }
        if phase == Phase::Starting && !self.is_ready && is_due(self.extended, MORE_TIME_EVERY) {
            self.extended = Some(at);
            let usec = u32::try_from(MORE_TIME.as_micros()).unwrap_or(u32::MAX);
            states.push(NotifyState::ExtendTimeoutUsec(usec));
        }
        self.line_waits = self.line != line;
        let is_other = !without_numbers(line).eq(without_numbers(&self.line));
        if self.line_waits && (is_other || is_due(self.lined, LINE_EVERY)) {
            line.clone_into(&mut self.line);
            (self.lined, self.line_waits) = (Some(at), false);
            states.push(NotifyState::Status(line));
        }
        if self.feed_every.is_some_and(|every| is_due(self.fed, every)) {
            self.fed = Some(at);
            states.push(NotifyState::Watchdog);
        }
        states
    }
}

fn without_numbers(line: &str) -> impl Iterator<Item = char> + '_ {
    line.chars().filter(|c| !c.is_ascii_digit())
}

/// A text as one line of bounded length: a line end in it would begin another message.
fn one_line(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match line.char_indices().map(|(at, _)| at).find(|at| *at >= LONGEST_LINE) {
        Some(end) => format!("{}…", &line[..end]),
        None => line,
    }
}

fn send(states: &[NotifyState<'_>]) {
    if states.is_empty() {
        return;
    }
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "the service manager can't be told");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(manager: &mut ServiceManager, millis: u64, phase: Phase, line: &str) -> String {
        let states = manager.due(Duration::from_millis(millis), phase, line);
        states.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn more_time_is_asked_for_while_starting_and_not_at_each_turn() {
        let mut manager = ServiceManager::default();
        for (millis, phase, line, expected) in [
            (0, Phase::Starting, "a", "EXTEND_TIMEOUT_USEC=60000000 STATUS=a"),
            (19_999, Phase::Starting, "a", ""),
            (20_000, Phase::Starting, "a", "EXTEND_TIMEOUT_USEC=60000000"),
            (20_100, Phase::Ready, "a", "READY=1"),
            (90_000, Phase::Starting, "b", "STATUS=b"),
            (90_100, Phase::Ready, "b", ""),
        ] {
            assert_eq!(said(&mut manager, millis, phase, line), expected, "{millis} ms");
        }
        let mut failing = ServiceManager::default();
        assert_eq!(said(&mut failing, 0, Phase::Failing, "full"), "STATUS=full");
    }

    #[test]
    fn numbers_in_the_line_change_now_and_then_and_all_else_at_once() {
        let mut manager = ServiceManager::default();
        let at = Duration::from_millis;
        assert_eq!(said(&mut manager, 0, Phase::Failing, "a"), "STATUS=a");
        assert_eq!(said(&mut manager, 1, Phase::Ready, "b: 1"), "READY=1 STATUS=b: 1");
        assert_eq!(manager.next_turn(at(1)), None);
        assert_eq!(said(&mut manager, 101, Phase::Ready, "b: 20"), "");
        assert_eq!(manager.next_turn(at(101)), Some(at(400)), "it is not forgotten");
        assert_eq!(said(&mut manager, 501, Phase::Ready, "b: 20"), "STATUS=b: 20");
        assert_eq!(said(&mut manager, 502, Phase::Ready, "c: 20"), "STATUS=c: 20");
    }

    #[test]
    fn the_watchdog_is_fed_at_half_its_time() {
        let every = Some(Duration::from_secs(5));
        let mut manager = ServiceManager { feed_every: every, ..ServiceManager::default() };
        assert_eq!(manager.next_turn(Duration::ZERO), Some(Duration::ZERO));
        assert_eq!(said(&mut manager, 0, Phase::Ready, ""), "READY=1 WATCHDOG=1");
        assert_eq!(manager.next_turn(Duration::from_secs(2)), Some(Duration::from_secs(3)));
        assert_eq!(said(&mut manager, 2_000, Phase::Ready, ""), "");
        assert_eq!(said(&mut manager, 5_000, Phase::Ready, ""), "WATCHDOG=1");
        assert_eq!(ServiceManager::default().next_turn(Duration::ZERO), None);
    }

    #[test]
    fn a_line_can_not_begin_another_message_nor_be_too_long_for_one() {
        assert_eq!(one_line("a\nREADY=1\tb"), "a READY=1 b");
        assert!(one_line(&"ä".repeat(4_000)).len() < 4_096 / 2);
    }
}
