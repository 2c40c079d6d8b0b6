//! Mounts below a root, each a root of its own inside it: what its being away says of the others,
//! and how it becomes a part of its outer root again.

use super::{Core, What};
use crate::domain::{
    CandidateId, FilePath, FsId, Health, LostFile, Now, Place, RelPath, RootLook, RootName,
};

impl Core {
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
