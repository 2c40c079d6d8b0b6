//! Which directories were sent and not yet applied by the receiver: of those the inventory doesn't
//! say yet what is known, so it must never be believed.

use std::collections::{HashMap, VecDeque};

use crate::domain::RelPath;

/// How much of the inventory a listing may change when it is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// The record of the directory.
    Record,
    /// That, and every record below: a subdirectory that it lacks takes all of its own along.
    Tree,
}

#[derive(Debug, Default)]
pub(super) struct Flight {
    sent: VecDeque<(u64, Vec<Box<[u8]>>)>,
    records: HashMap<Box<[u8]>, u64>,
    trees: HashMap<Box<[u8]>, u64>,
}

impl Flight {
    /// Takes note of what a batch may change. Batches are numbered upwards.
    pub(super) fn sent<'a>(
        &mut self,
        seq: u64,
        reaches: impl Iterator<Item = (&'a RelPath, Reach)>,
    ) {
        let mut dirs = Vec::new();
        for (dir, reach) in reaches {
            let marks = match reach {
                Reach::Record => &mut self.records,
                Reach::Tree => &mut self.trees,
            };
            let dir: Box<[u8]> = dir.as_bytes().into();
            marks.insert(dir.clone(), seq);
            dirs.push(dir);
        }
        self.sent.push_back((seq, dirs));
    }

    /// The receiver has applied this batch, and all before it.
    pub(super) fn applied(&mut self, seq: u64) {
        while self.sent.front().is_some_and(|(first, _)| *first <= seq) {
            let Some((_, dirs)) = self.sent.pop_front() else { return };
            for dir in dirs {
                for marks in [&mut self.records, &mut self.trees] {
                    if marks.get(&dir).is_some_and(|last| *last <= seq) {
                        marks.remove(&dir);
                    }
                }
            }
        }
    }

    /// Whether the record of a directory may still change.
    pub(super) fn covers(&self, dir: &RelPath) -> bool {
        let bytes = dir.as_bytes();
        if self.records.contains_key(bytes) {
            return true;
        }
        if self.trees.is_empty() {
            return false;
        }
        let mut ends = bytes.iter().enumerate().filter(|(_, b)| **b == b'/').map(|(end, _)| end);
        self.trees.contains_key(bytes)
            || self.trees.contains_key(&b""[..])
            || ends.any(|end| self.trees.contains_key(&bytes[..end]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rel(path: &str) -> RelPath {
        RelPath::parse(path.as_bytes()).unwrap()
    }

    fn send(flight: &mut Flight, seq: u64, reach: Reach, dirs: &[&str]) {
        let dirs: Vec<RelPath> = dirs.iter().map(|dir| rel(dir)).collect();
        flight.sent(seq, dirs.iter().map(|dir| (dir, reach)));
    }

    #[test]
    fn a_directory_is_in_flight_until_its_last_batch_is_applied() {
        let mut flight = Flight::default();
        send(&mut flight, 1, Reach::Record, &["a", "b"]);
        send(&mut flight, 2, Reach::Record, &["a"]);
        flight.applied(1);
        assert!(flight.covers(&rel("a")) && !flight.covers(&rel("b")));
        assert!(!flight.covers(&rel("a/b")));
        flight.applied(2);
        assert!(!flight.covers(&rel("a")));
    }

    #[test]
    fn so_is_everything_below_one_that_may_be_gone() {
        let mut flight = Flight::default();
        send(&mut flight, 1, Reach::Tree, &["a/b"]);
        assert!(flight.covers(&rel("a/b/c/d")) && flight.covers(&rel("a/b")));
        assert!(!flight.covers(&rel("a")) && !flight.covers(&rel("a/bc")));
        send(&mut flight, 2, Reach::Tree, &[""]);
        assert!(flight.covers(&rel("x")));
        flight.applied(2);
        assert!(!flight.covers(&rel("x")) && !flight.covers(&rel("a/b/c")));
    }
}
