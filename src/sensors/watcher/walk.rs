//! Walks: a whole root, batch by batch, in key order as far as watches allow.
//!
//! Must never be called complete while a directory that can be reached was not listed.

use std::time::Duration;

use super::actor::{Actor, Flow};
use super::sync::Needs;
use super::{Report, Walk};
use crate::domain::RelPath;

/// The most directories of one batch of a walk. What a batch holds is in memory up to four times on
/// its way into the store: with 1,000 a first run held 30 MiB more, and was not faster.
const DIRECTORIES: usize = 250;
/// How many watches are set while a batch is listed: adding many at once costs far less.
const AHEAD: usize = 8_000;

/// A walk under way.
#[derive(Debug)]
pub(super) struct Active {
    walk: Walk,
    /// Directories to list, the next one last.
    ready: Vec<RelPath>,
    /// Directories that have no watch yet. They are listed after those that have, so that watches
    /// can be set while others are listed.
    fresh: Vec<RelPath>,
    directories: u64,
    files: u64,
    /// The last check that was asked for when it began.
    asked: u64,
    /// When it began: what happened before it is in what it lists.
    began: Duration,
}

impl Actor {
    /// Goes one batch on with the walk under way, or begins the one that is wanted.
    pub(super) fn walk_on(&mut self) -> Flow {
        if self.identity.is_none() {
            return Ok(());
        }
        let mut active = match self.walk.take() {
            Some(active) => active,
            None => match self.wanted.take() {
                Some(walk) => self.begin(walk),
                None => return Ok(()),
            },
        };
        if active.ready.is_empty() {
            std::mem::swap(&mut active.ready, &mut active.fresh);
        }
        let rest = active.ready.len().saturating_sub(DIRECTORIES);
        let mut dirs = active.ready.split_off(rest);
        dirs.reverse();
        let mut ahead = active.fresh.split_off(active.fresh.len().saturating_sub(AHEAD));
        ahead.retain(|dir| !self.elsewhere.has(dir));
        let Some(visited) = self.visit(dirs, &ahead, Some(active.walk))? else {
            return Ok(());
        };
        active.ready.splice(0..0, ahead);
        for dir in visited.next {
            let stack =
                if self.pool.is_watched(&dir) { &mut active.ready } else { &mut active.fresh };
            stack.push(dir);
        }
        active.ready.extend(visited.rest);
        active.directories += visited.directories;
        active.files += visited.files;
        if active.ready.is_empty() && active.fresh.is_empty() {
            return self.finish(&active);
        }
        let directories = active.directories;
        self.walk = Some(active);
        self.send(Report::Walking { directories })
    }

    fn begin(&mut self, walk: Walk) -> Active {
        self.walks = self.walks.checked_add(1).unwrap_or(1);
        self.pool.forget_limit();
        let known = self.out.inventory.directory(&self.root.name, &RelPath::root());
        self.learns = !self.has_started && matches!(known, Ok(None));
        for question in &mut self.questions {
            question.needs = Needs::Nothing;
        }
        let ready = vec![RelPath::root()];
        let (asked, began) = (self.asked, self.now());
        Active { walk, ready, fresh: vec![], directories: 0, files: 0, asked, began }
    }

    fn finish(&mut self, done: &Active) -> Flow {
        self.has_started = true;
        self.learns = false;
        self.pool.keep_only_walk(self.walks);
        self.tell_unseen()?;
        let Active { walk, directories, files, asked, began, .. } = *done;
        self.tell_watching()?;
        self.send(Report::Walked { walk, directories, files, asked, began })
    }
}
