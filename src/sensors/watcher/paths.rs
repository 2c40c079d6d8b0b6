//! Maps by path that can be asked for a whole subtree.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::domain::RelPath;

/// A map from paths below a root.
#[derive(Debug)]
pub(super) struct PathMap<T>(BTreeMap<Box<[u8]>, T>);

impl<T> Default for PathMap<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T> PathMap<T> {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn get(&self, path: &RelPath) -> Option<&T> {
        self.0.get(path.as_bytes())
    }

    pub(super) fn get_mut(&mut self, path: &RelPath) -> Option<&mut T> {
        self.0.get_mut(path.as_bytes())
    }

    pub(super) fn insert(&mut self, path: &RelPath, value: T) -> Option<T> {
        self.0.insert(path.as_bytes().into(), value)
    }

    pub(super) fn remove(&mut self, path: &RelPath) -> Option<T> {
        self.0.remove(path.as_bytes())
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], &T)> {
        self.0.iter().map(|(path, value)| (&**path, value))
    }

    pub(super) fn retain(&mut self, mut keep: impl FnMut(&[u8], &mut T) -> bool) {
        self.0.retain(|path, value| keep(path, value));
    }

    /// Takes out the path and all below it.
    pub(super) fn remove_within(&mut self, path: &RelPath) -> Vec<(Box<[u8]>, T)> {
        if path.is_root() {
            return std::mem::take(&mut self.0).into_iter().collect();
        }
        let mut taken: Vec<_> = self.0.remove_entry(path.as_bytes()).into_iter().collect();
        // `/` and `0` are neighbours, so all paths below are one run.
        let first = [path.as_bytes(), b"/"].concat();
        let end = [path.as_bytes(), b"0"].concat();
        let run = (Bound::Included(&first[..]), Bound::Excluded(&end[..]));
        let below: Vec<Box<[u8]>> =
            self.0.range::<[u8], _>(run).map(|(path, _)| path.clone()).collect();
        taken.extend(below.iter().filter_map(|path| self.0.remove_entry(path)));
        taken
    }

    /// Takes out the paths that fit, in order.
    pub(super) fn take(&mut self, mut fits: impl FnMut(&T) -> bool) -> Vec<RelPath> {
        let mut taken = Vec::new();
        self.0.retain(|path, value| {
            let takes = fits(value);
            if takes {
                taken.extend(RelPath::parse(path));
            }
            !takes
        });
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subtree_is_taken_whole_and_without_its_namesakes() {
        let mut map = PathMap::default();
        let rel = |path: &str| RelPath::parse(path.as_bytes()).unwrap();
        for path in ["", "a", "a b", "a-", "a.x/y", "a/b", "a/b/c", "a/\u{ff}", "a0", "ab"] {
            map.insert(&rel(path), ());
        }
        let taken = map.remove_within(&rel("a"));
        let taken: Vec<_> =
            taken.iter().map(|(path, ())| std::str::from_utf8(path).unwrap()).collect();
        assert_eq!(taken, ["a", "a/b", "a/b/c", "a/\u{ff}"]);
        assert!(map.remove_within(&rel("a/b")).is_empty());
        assert_eq!(map.remove_within(&RelPath::root()).len(), 6);
    }
}
