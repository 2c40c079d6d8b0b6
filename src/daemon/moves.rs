//! Pairs the halves of renames that the kernel told, also across roots.

use std::collections::{HashMap, HashSet, VecDeque};

use crate::domain::{FilePath, RootName};

/// How many renames are remembered; they matter only until the listing that shows their effect.
const REMEMBERED: usize = 20_000;

/// The renames of the last moments.
#[derive(Debug, Default)]
pub(super) struct Moves {
    from: HashMap<usize, FilePath>,
    to: HashMap<usize, FilePath>,
    order: VecDeque<usize>,
    /// New path to old path.
    pairs: HashMap<FilePath, FilePath>,
    /// The paths that were moved away, wherever to.
    left: HashSet<FilePath>,
    left_order: VecDeque<FilePath>,
    pair_order: VecDeque<FilePath>,
    /// Roots of which not all that was moved away is known.
    deaf: HashSet<RootName>,
}

impl Moves {
    /// Takes one half: the name that went (`to` false) or the name that came.
    pub(super) fn note(&mut self, cookie: usize, path: FilePath, to: bool) {
        if cookie == 0 {
            return;
        }
        let (mine, other) =
            if to { (&mut self.to, &self.from) } else { (&mut self.from, &self.to) };
        if let Some(half) = other.get(&cookie) {
            let (new, old) =
                if to { (path.clone(), half.clone()) } else { (half.clone(), path.clone()) };
            if self.pairs.insert(new.clone(), old).is_none() {
                self.pair_order.push_back(new);
            }
        }
        if !to && self.left.insert(path.clone()) {
            self.left_order.push_back(path.clone());
        }
        if self.left_order.len() > REMEMBERED
            && let Some(old) = self.left_order.pop_front()
        {
            self.left.remove(&old);
            self.deaf.insert(old.root);
        }
        mine.insert(cookie, path);
        self.order.push_back(cookie);
        if self.order.len() > REMEMBERED
            && let Some(old) = self.order.pop_front()
        {
            self.from.remove(&old);
            self.to.remove(&old);
        }
        if self.pair_order.len() > REMEMBERED
            && let Some(old) = self.pair_order.pop_front()
        {
            self.pairs.remove(&old);
        }
    }

    /// Where the kernel said that a path came from: itself, or with a directory above it.
    pub(super) fn origin(&self, path: &FilePath) -> Option<FilePath> {
        step(&self.pairs, path)
    }

    /// Events of a root were lost: whatever goes in it may have been moved.
    pub(super) fn lost(&mut self, root: &RootName) {
        self.deaf.insert(root.clone());
    }

    /// All of a root was listed since.
    pub(super) fn caught_up(&mut self, root: &RootName) {
        self.deaf.remove(root);
    }

    /// Whether a path, or a directory above it, was moved away lately, as far as is known: then what
    /// was there may live somewhere under any name.
    pub(super) fn has_left(&self, path: &FilePath) -> bool {
        if self.deaf.contains(&path.root) {
            return true;
        }
        let mut here = Some(path.rel.clone());
        while let Some(rel) = here {
            here = rel.parent();
            if self.left.contains(&FilePath::new(path.root.clone(), rel)) {
                return true;
            }
        }
        false
    }
}

/// One step along pairs of paths: of the path itself, or of a directory above it.
fn step(pairs: &HashMap<FilePath, FilePath>, path: &FilePath) -> Option<FilePath> {
    if pairs.is_empty() {
        return None;
    }
    let mut rest: Vec<&[u8]> = Vec::new();
    let mut here = path.clone();
    loop {
        if let Some(old) = pairs.get(&here) {
            let rel = rest.iter().rev().fold(old.rel.clone(), |rel, name| rel.join(name));
            return Some(FilePath::new(old.root.clone(), rel));
        }
        let parent = here.rel.parent()?;
        rest.push(path.rel.components().nth(parent.components().count())?);
        here.rel = parent;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::RelPath;

    fn at(root: &str, path: &str) -> FilePath {
        let rel = RelPath::parse(path.as_bytes()).unwrap();
        FilePath::new(RootName::parse(root).unwrap(), rel)
    }

    #[test]
    fn two_halves_make_a_move_in_whatever_order_and_across_roots() {
        let mut moves = Moves::default();
        moves.note(7, at("a", "x.mkv"), false);
        moves.note(7, at("b", "y.mkv"), true);
        moves.note(8, at("b", "film 2"), true);
        moves.note(8, at("a", "film"), false);
        assert_eq!(moves.origin(&at("b", "y.mkv")), Some(at("a", "x.mkv")));
        assert_eq!(moves.origin(&at("b", "film 2/cd1/f.mkv")), Some(at("a", "film/cd1/f.mkv")));
        assert_eq!(moves.origin(&at("b", "film 22/f.mkv")), None);
        assert_eq!(moves.origin(&at("a", "x.mkv")), None);
    }

    #[test]
    fn what_was_moved_away_is_known_wherever_it_went() {
        let mut moves = Moves::default();
        moves.note(1, at("a", "x.mkv"), false);
        moves.note(2, at("a", "film"), false);
        moves.note(3, at("a", "y.mkv"), true);
        assert!(moves.has_left(&at("a", "x.mkv")) && moves.has_left(&at("a", "film/cd1/f.mkv")));
        for path in ["y.mkv", "films/f.mkv", "x.mkv.bak"] {
            assert!(!moves.has_left(&at("a", path)), "{path}");
        }
        assert!(!moves.has_left(&at("b", "x.mkv")));
    }

    #[test]
    fn where_events_were_lost_anything_may_have_been_moved_until_all_is_listed() {
        let root = |name: &str| RootName::parse(name).unwrap();
        let mut moves = Moves::default();
        moves.lost(&root("a"));
        assert!(moves.has_left(&at("a", "x.mkv")) && !moves.has_left(&at("b", "x.mkv")));
        moves.caught_up(&root("a"));
        assert!(!moves.has_left(&at("a", "x.mkv")));
        for number in 0..=REMEMBERED {
            moves.note(number + 1, at("b", &format!("{number}.mkv")), false);
        }
        assert!(moves.has_left(&at("b", "never.mkv")), "more than can be remembered");
    }

    #[test]
    fn only_the_latest_moves_are_remembered() {
        let mut moves = Moves::default();
        for cookie in 1..=3 * REMEMBERED {
            moves.note(cookie, at("a", &format!("{cookie}")), false);
            moves.note(cookie, at("a", &format!("{cookie}.new")), true);
        }
        assert!(moves.pairs.len() <= REMEMBERED && moves.from.len() <= REMEMBERED);
        assert_eq!(moves.origin(&at("a", "1.new")), None);
        let last = 3 * REMEMBERED;
        assert_eq!(
            moves.origin(&at("a", &format!("{last}.new"))),
            Some(at("a", &format!("{last}")))
        );
    }
}
