//! Walks: a whole root, depth first, in key order, batch by batch.
//!
//! Must never be called complete while a directory that can be reached was not listed.

use super::actor::{Actor, Flow};
use super::sync::Needs;
use super::{Report, Walk, batch};
use crate::domain::RelPath;

/// How far ahead of its listings a walk sets watches: adding many at once costs far less.
const AHEAD: usize = 8_000;
/// A walk under way.
#[derive(Debug)]
pub(super) struct Active {
    walk: Walk,
    /// The next one last.
    stack: Vec<RelPath>,
    directories: u64,
    files: u64,
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
        let mut dirs =
            active.stack.split_off(active.stack.len().saturating_sub(batch::DIRECTORIES));
        dirs.reverse();
        let ahead = active.stack.len().saturating_sub(AHEAD);
        let Some(visited) = self.visit(dirs, &active.stack[ahead..], Some(active.walk))? else {
            return Ok(());
        };
        active.stack.extend(visited.next);
        active.directories += visited.directories;
        active.files += visited.files;
        if active.stack.is_empty() {
            return self.finish(&active);
        }
        self.walk = Some(active);
        Ok(())
    }

    fn begin(&mut self, walk: Walk) -> Active {
        self.walks = self.walks.checked_add(1).unwrap_or(1);
        self.pool.forget_limit();
        for question in &mut self.questions {
            question.needs = Needs::Nothing;
        }
        Active { walk, stack: vec![RelPath::root()], directories: 0, files: 0 }
    }

    fn finish(&mut self, done: &Active) -> Flow {
        self.has_started = true;
        self.pool.keep_only_walk(self.walks);
        self.tell_unseen()?;
        let Active { walk, directories, files, .. } = *done;
        self.tell_watching()?;
        self.send(Report::Walked { walk, directories, files })
    }
}
