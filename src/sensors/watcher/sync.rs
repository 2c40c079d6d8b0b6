//! Answers whether everything that happened before a question has been listed.
//!
//! Must never say "current" for a root that is not well, or for changes that no event tells of.

use super::actor::{Actor, Flow};
use super::cookie::PATIENCE;
use super::{Report, Why};
use crate::disk::has_events;
use crate::domain::RelPath;

/// What it takes to answer a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    /// Every watcher must have told what happened before it.
    Cookie,
    /// Events alone can't answer it: a whole walk must begin after it.
    Walk,
    /// A walk began after it.
    Nothing,
}

/// A question not answered yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question {
    token: u64,
    pub(super) needs: Needs,
}

impl Actor {
    pub(super) fn ask(&mut self, token: u64) {
        let needs = if self.hears_all() { Needs::Cookie } else { Needs::Walk };
        self.questions.push(Question { token, needs });
    }

    /// Whether each change in the root gives an event.
    fn hears_all(&self) -> bool {
        let is_local = self.identity.as_ref().is_some_and(|id| has_events(&id.fs_type));
        let is_seen = |path| RelPath::parse(path).is_ok_and(|dir| !self.unseen.has(&dir));
        is_local && !self.pool.unwatched().any(is_seen)
    }

    pub(super) fn answer_all(&mut self, current: bool, why: &str) -> Flow {
        for question in std::mem::take(&mut self.questions) {
            self.send(Report::Synced { token: question.token, current, why: why.to_owned() })?;
        }
        Ok(())
    }

    /// With no walk under way or wanted: makes sure of all events, lists what they mark, answers.
    pub(super) fn settle(&mut self) -> Flow {
        let need = |needs| self.questions.iter().any(|question| question.needs == needs);
        if need(Needs::Walk) {
            self.want(Why::Requested);
            return Ok(());
        }
        let (asked, resets) = (self.questions.len(), self.resets);
        if need(Needs::Cookie) && !self.hear_cookie()? {
            // A walk that begins now is as good, and slower.
            self.want(Why::Requested);
            return Ok(());
        }
        self.todo.extend(self.dirty.take_all().into_iter().rev());
        while !self.todo.is_empty() && self.resets == resets {
            self.visit_todo()?;
        }
        if self.resets != resets || self.wanted.is_some() {
            return Ok(());
        }
        self.tell_unseen()?;
        let later = self.questions.split_off(asked);
        self.answer_all(true, "")?;
        self.questions = later;
        Ok(())
    }

    /// Whether every watcher has reported all that happened until now.
    fn hear_cookie(&mut self) -> Flow<bool> {
        self.cookies_seen.clear();
        let slots = self.pool.live_slots();
        let Ok(name) = self.cookies.make() else { return Ok(false) };
        let deadline = self.now() + PATIENCE;
        let resets = self.resets;
        let heard = |seen: &[(usize, Vec<u8>)]| {
            slots.iter().all(|slot| seen.iter().any(|(at, n)| at == slot && *n == name))
        };
        while !heard(&self.cookies_seen) {
            if self.now() >= deadline || self.wanted.is_some() || self.resets != resets {
                return Ok(false);
            }
            self.wait(deadline)?;
        }
        Ok(self.wanted.is_none() && !slots.is_empty())
    }
}
