//! Mounts below a root, each a root of its own inside it: what its being away says of the others,
//! and how it becomes a part of its outer root again.

use super::{Core, What};
use crate::domain::{
    Awake, Candidate, CandidateId, FilePath, FsId, Health, LostFile, Now, Place, RelPath, RootLook,
    RootName, is_remote,
};

impl Core {
    /// Takes note that a root was walked whole.
    pub fn handle_walked(&mut self, now: Now, name: &RootName) {
        if let Some(root) = self.roots.get_mut(name) {
            root.walked.get_or_insert(now.awake);
        }
    }

    /// Takes note whether each directory of a root is watched.
    pub fn handle_watching(&mut self, name: &RootName, all: bool) {
        if let Some(root) = self.roots.get_mut(name) {
            root.hears = all;
        }
    }

    /// Whether a root can't be where a candidate's files went: it is a mount below the root that
    /// they lay in, and it was away for longer than `settle` when the loss was noticed. Nothing can be moved to a mount
    /// that is not there, and what was moved to it before was seen in it.
    ///
    /// Not when the loss may have been noticed late, nor when the mount lies within the title's own
    /// folder: then a part of the title is on it.
    pub(super) fn was_away_before(&self, name: &RootName, candidate: &Candidate) -> bool {
        let Some((outer, dir)) = name.outer() else { return false };
        let Some(root) = self.roots.get(name) else { return false };
        let is_away =
            root.health == Health::Offline && matches!(root.look, Some(RootLook::Missing { .. }));
        let before = |turned: Awake| turned.plus(self.policy.settle) <= candidate.from;
        let is_beside =
            |place: &Place| place.root != outer || place.loose || !touches(&dir, &place.folder);
        is_away
            && root.turned.is_some_and(before)
            && candidate.places.iter().all(is_beside)
            && candidate.roots().all(|lost| {
                let is_near = *lost == outer || lost.outer().is_some_and(|(o, _)| o == outer);
                is_near && self.notices_at_once(lost, candidate)
            })
    }

    /// Whether a loss under this root was noticed when it happened.
    fn notices_at_once(&self, name: &RootName, candidate: &Candidate) -> bool {
        self.roots.get(name).is_some_and(|root| {
            let local = root.state.identity.as_ref().is_some_and(|id| !is_remote(&id.fs_type));
            local && root.hears && root.walked.is_some_and(|walked| walked < candidate.from)
        })
    }

    /// Whether a person may say that an inner root is no more: nothing is mounted at its place, and
    /// what is there instead can be looked at.
    #[must_use]
    pub fn can_absorb(&self, name: &RootName) -> bool {
        let Some((outer, _)) = name.outer() else { return false };
        let adopted = self.roots.get(name).filter(|root| root.state.identity.is_some());
        adopted.is_some_and(|root| matches!(root.look, Some(RootLook::Missing { .. })))
            && self.roots.get(&outer).is_some_and(|root| root.health == Health::Online)
    }

    /// A person says that an inner root is no more: what was under review in it is from now on
    /// looked for in its outer root, which lies on `fs`. `files` is how many were known in it.
    pub fn absorb(&mut self, now: Now, name: &RootName, fs: FsId, files: u64) {
        let Some((outer, dir)) = name.outer() else { return };
        if self.roots.remove(name).is_none() {
            return;
        }
        self.dirty_roots.insert(name.clone());
        if let Some(root) = self.roots.get_mut(&outer) {
            root.shrink.take_over(now.awake, files);
        }
        self.decide_root(now, name, What::Accepted);
        let into = Into { name, outer: &outer, dir: &dir, fs };
        for (key, state) in &mut self.items {
            let mut any = into.files(&mut state.partial);
            for known in state.follows.iter_mut().filter(|known| known.path.root == *name) {
                known.path = into.path(&known.path);
                any = true;
            }
            for known in state.follows.iter_mut().filter(|known| known.place.root == *name) {
                known.place = into.place(&known.place);
                any = true;
            }
            if any {
                self.dirty_items.insert(key.clone());
            }
        }
        self.followed = Self::index_follows(&self.items);
        let mut moved: Vec<CandidateId> = Vec::new();
        for candidate in self.candidates.values_mut() {
            let mut any = into.files(&mut candidate.lost);
            for place in candidate.places.iter_mut().filter(|place| place.root == *name) {
                *place = into.place(place);
                any = true;
            }
            if any {
                candidate.places.sort_unstable();
                candidate.places.dedup();
                moved.push(candidate.id);
            }
        }
        for id in moved {
            self.settle(now, id);
        }
    }
}

/// From an inner root into its outer one.
struct Into<'a> {
    name: &'a RootName,
    outer: &'a RootName,
    dir: &'a RelPath,
    fs: FsId,
}

impl Into<'_> {
    fn place(&self, place: &Place) -> Place {
        let folder = self.dir.descend(&place.folder);
        Place { root: self.outer.clone(), folder, loose: place.loose }
    }

    fn path(&self, path: &FilePath) -> FilePath {
        FilePath::new(self.outer.clone(), self.dir.descend(&path.rel))
    }

    /// Whether any of the files was of the inner root.
    fn files(&self, files: &mut Vec<LostFile>) -> bool {
        let mut any = false;
        for file in files.iter_mut().filter(|file| file.path.root == *self.name) {
            file.path = self.path(&file.path);
            file.id.fs = self.fs;
            any = true;
        }
        if any {
            files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
            files.dedup_by(|a, b| a.path == b.path);
        }
        any
    }
}

/// Whether one of two folders lies within the other.
fn touches(a: &RelPath, b: &RelPath) -> bool {
    a.is_within(b) || b.is_within(a)
}
