//! A person's word that a root, or a branch of a pool, will not come back; and branches that came,
//! went or were changed without a file being concerned.
//!
//! Must never let what may come back count as lost: only what is away can be retired, and from then
//! on only what certainly lay there dies of it.

#[cfg(test)]
mod tests;

use super::{Core, Root};
use crate::domain::{
    AbsPath, Branch, BranchId, CandidateId, Health, Identity, LostFile, Now, Pool, Retired,
    RootLook, RootName, What,
};

impl Core {
    /// The branches of a root's pool that are not what they were, by the last look at it.
    #[must_use]
    pub fn changed_branches(&self, name: &RootName) -> Vec<(BranchId, String)> {
        self.roots.get(name).and_then(pools).map_or_else(Vec::new, |(was, is)| was.changes(is))
    }

    /// The branches that a root's pool was adopted with.
    pub fn branches(&self, name: &RootName) -> impl Iterator<Item = BranchId> {
        let root = self.roots.get(name);
        let pool = root.and_then(|root| root.state.identity.as_ref()?.pool.as_deref());
        pool.into_iter().flat_map(|pool| pool.branches.iter().map(Branch::id))
    }

    /// Takes over what a branch is now: no file that is known lay on what it was.
    pub fn take_over_branch(&mut self, now: Now, name: &RootName, path: &AbsPath) {
        self.change_branch(name, path);
        self.forget_retired(name);
        self.judge_again(now, name);
    }

    /// Forgets what was retired and is back: what goes from it now is lost anew.
    pub(super) fn forget_retired(&mut self, name: &RootName) {
        let back: Vec<BranchId> = self.branches(name).collect();
        if let Some(root) = self.roots.get_mut(name) {
            root.state.retired.retain(|retired| !back.iter().any(|branch| retired.is(branch)));
        }
    }

    /// The root can be retired.
    ///
    /// # Errors
    /// Says why not.
    pub fn can_retire(&self, name: &RootName) -> Result<(), String> {
        let Some(root) = self.roots.get(name) else {
            return Err(format!("there is no root {name}"));
        };
        let away = matches!(root.health, Health::Offline | Health::Stalled) && root.looked;
        if root.state.identity.is_some() && away {
            return Ok(());
        }
        Err(format!(
            "root {name} is {}: {}; only a root that is away can be retired",
            root.health, root.reason
        ))
    }

    /// A root will not come back: what is known in it is lost, and it begins anew.
    pub fn retire(&mut self, now: Now, name: &RootName) {
        let Some(root) = self.roots.get_mut(name) else { return };
        let fs = root.state.identity.as_ref().map(Identity::file_system).unwrap_or_default();
        root.state.identity = None;
        root.state.suspect = None;
        root.state.learned = None;
        root.state.retired = vec![Retired { branch: None, fs, at: now.wall }];
        root.shrink.accept();
        self.dirty_roots.insert(name.clone());
        self.decide_root(now, name, What::Retired { branch: None });
        self.unfollow_root(name);
        self.turn(now, name, Health::Waiting, "it was retired by a person".to_owned());
        // Nobody needs to look there any more for what was lost in it before.
        let mark = |file: &mut LostFile| file.retired |= file.path.root == *name;
        for (key, state) in &mut self.items {
            if state.partial.iter().any(|file| file.path.root == *name) {
                state.partial.iter_mut().for_each(mark);
                self.dirty_items.insert(key.clone());
            }
        }
        let concerned: Vec<CandidateId> = self
            .candidates
            .values()
            .filter(|candidate| candidate.roots().any(|root| root == name))
            .map(|candidate| candidate.id)
            .collect();
        for id in concerned {
            if let Some(candidate) = self.candidates.get_mut(&id) {
                candidate.places.retain(|place| place.root != *name);
                candidate.lost.iter_mut().for_each(mark);
            }
            self.unsettle(now, id);
        }
    }

    /// The branch of this root's pool can be retired: it is not there.
    ///
    /// # Errors
    /// Says why not.
    pub fn can_retire_branch(&self, name: &RootName, path: &AbsPath) -> Result<BranchId, String> {
        let Some(was) = self.branches(name).find(|branch| branch.path == *path) else {
            return Err(format!("root {name} has no branch {path}"));
        };
        let changes = self.changed_branches(name);
        // One that can't be looked at from here is missed only by the size of the pool.
        let is_suspect = self.roots.get(name).is_some_and(|root| root.health == Health::Suspect);
        let may_be_away = was.is_unseen() && changes.is_empty() && is_suspect;
        if may_be_away || changes.iter().any(|(branch, _)| *branch == was && !was.is_unseen()) {
            return Ok(was);
        }
        Err(format!(
            "branch {path} of root {name} is there; only a branch that is away can be retired"
        ))
    }

    /// A branch will not come back: from now on the pool is what it is without it.
    pub fn retire_branch(&mut self, now: Now, name: &RootName, branch: &BranchId) {
        let Some(root) = self.roots.get_mut(name) else { return };
        let path = Some(branch.path.clone());
        root.state.retired.push(Retired { branch: path.clone(), fs: branch.fs, at: now.wall });
        self.change_branch(name, &branch.path);
        self.decide_root(now, name, What::Retired { branch: path });
        self.judge_again(now, name);
    }

    /// Whether each of these branches has been retired, and there is one.
    #[must_use]
    pub fn are_retired(&self, name: &RootName, branches: &[BranchId]) -> bool {
        let retired = self.roots.get(name).map_or(&[][..], |root| &root.state.retired);
        !branches.is_empty()
            && branches.iter().all(|branch| retired.iter().any(|retired| retired.is(branch)))
    }

    fn change_branch(&mut self, name: &RootName, path: &AbsPath) {
        let Some(root) = self.roots.get_mut(name) else { return };
        let Some(seen) = pools(root).map(|(_, seen)| seen.clone()) else { return };
        let is_unseen = seen.branch(path).is_some_and(|branch| branch.is.is_none());
        if let Some(pool) = root.state.identity.as_mut().and_then(|known| known.pool.as_mut()) {
            pool.take_over(path, &seen);
            if is_unseen {
                pool.total = seen.total;
            }
        }
        self.dirty_roots.insert(name.clone());
    }
}

/// The pool that a root was adopted with, and as it was seen last.
fn pools(root: &Root) -> Option<(&Pool, &Pool)> {
    let Some(RootLook::Seen { identity }) = &root.look else { return None };
    root.state.identity.as_ref()?.pool.as_deref().zip(identity.pool.as_deref())
}
