//! The directories that can't be listed, why, and when each is tried again.

use std::time::Duration;

use super::Report;
use super::paths::PathMap;
use crate::domain::RelPath;

/// How often an unreadable directory is tried.
const RETRY: Duration = Duration::from_secs(60);
/// The most that one report names.
const NAMED: usize = 1_000;

#[derive(Debug, Default)]
pub(super) struct Unseen {
    dirs: PathMap<(String, Duration)>,
    has_changed: bool,
}

impl Unseen {
    pub(super) fn add(&mut self, dir: &RelPath, why: &str, now: Duration) {
        let before = self.dirs.insert(dir, (why.to_owned(), now + RETRY));
        self.has_changed |= before.is_none_or(|(before, _)| before != why);
    }

    pub(super) fn remove(&mut self, dir: &RelPath) {
        if !self.dirs.is_empty() {
            self.has_changed |= self.dirs.remove(dir).is_some();
        }
    }

    pub(super) fn remove_within(&mut self, dir: &RelPath) {
        if !self.dirs.is_empty() {
            self.has_changed |= !self.dirs.remove_within(dir).is_empty();
        }
    }

    pub(super) fn has(&self, dir: &RelPath) -> bool {
        self.dirs.get(dir).is_some()
    }

    /// Those that are to be tried again; each is told once in a while.
    pub(super) fn take_due(&mut self, now: Duration) -> Vec<RelPath> {
        let mut due = Vec::new();
        self.dirs.retain(|dir, (_, next)| {
            if *next <= now {
                *next = now + RETRY;
                due.extend(RelPath::parse(dir));
            }
            true
        });
        due
    }

    /// The report, when there is anything new to say.
    pub(super) fn report(&mut self) -> Option<Report> {
        if !std::mem::take(&mut self.has_changed) {
            return None;
        }
        let named = self.dirs.iter().take(NAMED);
        let dirs = named.flat_map(|(dir, (why, _))| Some((RelPath::parse(dir).ok()?, why.clone())));
        Some(Report::Unseen { dirs: dirs.collect(), more: self.dirs.len().saturating_sub(NAMED) })
    }
}
