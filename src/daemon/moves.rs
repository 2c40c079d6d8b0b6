//! Pairs the halves of renames that the kernel told, also across roots.

use std::collections::{HashMap, VecDeque};

use crate::domain::FilePath;

/// How many renames are remembered; they matter only until the listing that shows their effect.
const REMEMBERED: usize = 20_000;

/// The most steps of one file that are followed.
const MOST_STEPS: usize = 16;

/// The renames of the last moments.
#[derive(Debug, Default)]
pub(super) struct Moves {
    from: HashMap<usize, FilePath>,
    to: HashMap<usize, FilePath>,
    order: VecDeque<usize>,
    /// New path to old path.
    pairs: HashMap<FilePath, FilePath>,
    /// Old path to new path.
    onward: HashMap<FilePath, FilePath>,
    pair_order: VecDeque<FilePath>,
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
            self.onward.insert(old.clone(), new.clone());
            if self.pairs.insert(new.clone(), old).is_none() {
                self.pair_order.push_back(new);
            }
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
            && let Some(from) = self.pairs.remove(&old)
        {
            self.onward.remove(&from);
        }
    }

    /// Where the kernel said that a path came from: itself, or with a directory above it.
    pub(super) fn origin(&self, path: &FilePath) -> Option<FilePath> {
        step(&self.pairs, path)
    }

    /// Where the kernel said that a path went, over as many steps as there were. What is there now
    /// is another question: the pair may be old.
    pub(super) fn destination(&self, path: &FilePath) -> Option<FilePath> {
        let mut here = step(&self.onward, path)?;
        for _ in 1..MOST_STEPS {
            if here == *path {
                return None;
            }
            match step(&self.onward, &here) {
                Some(next) => here = next,
                None => return Some(here),
            }
        }
        None
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
    use crate::domain::{RelPath, RootName};

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
        assert_eq!(
            moves.destination(&at("a", "film/cd1/f.mkv")),
            Some(at("b", "film 2/cd1/f.mkv"))
        );
        assert_eq!(moves.destination(&at("b", "y.mkv")), None);
    }

    #[test]
    fn a_file_is_followed_over_several_moves_and_not_in_circles() {
        let mut moves = Moves::default();
        let mut go = |cookie, from: &str, to: &str| {
            moves.note(cookie, at("a", from), false);
            moves.note(cookie, at("a", to), true);
        };
        go(1, "x.mkv", "x.bak");
        go(2, "x.bak", "old/x.bak");
        go(3, "old", "older");
        go(4, "here", "there");
        go(5, "there", "here");
        assert_eq!(moves.destination(&at("a", "x.mkv")), Some(at("a", "older/x.bak")));
        assert_eq!(moves.destination(&at("a", "here/y.mkv")), None);
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
