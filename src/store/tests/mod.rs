//! The store against what it promises: real sled in temporary directories, reopened, copied while it
//! is open, damaged.

mod damage;
mod golden;
mod model;

use std::fs;
use std::path::Path;

use super::testing::{below, candidate, directories, entry, film, queued, record, rel, root};
use super::*;
use crate::core::ItemState;
use crate::domain::{CandidateId, EntryState, FsId, Life, Place, Subject, What};

fn open_at(dir: &Path) -> Opened {
    open(dir, true, Timestamp::from_millis(1_000_000)).unwrap()
}

/// The files of a state directory as they are, with nobody to close them: what a kill leaves.
fn copy_of(dir: &Path) -> tempfile::TempDir {
    fn copy(from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        for file in fs::read_dir(from).unwrap().map(Result::unwrap) {
            let to = to.join(file.file_name());
            if file.file_type().unwrap().is_dir() {
                copy(&file.path(), &to);
            } else {
                fs::copy(file.path(), to).unwrap();
            }
        }
    }
    let to = tempfile::tempdir().unwrap();
    copy(dir, to.path());
    to
}

#[test]
fn what_was_flushed_survives_the_process_without_any_farewell() {
    let dir = tempfile::tempdir().unwrap();
    let opened = open_at(dir.path());
    let mut batch = directories(&[("a", Some(record(&["x.mkv"])))]);
    batch.changes.candidates.push((CandidateId(3), Some(candidate())));
    batch.changes.next_candidate = CandidateId(4);
    batch.awake = Some(Awake::from_millis(123));
    opened.store.commit(&batch, Durability::Flushed).unwrap();
    let copy = copy_of(dir.path());
    let again = open_at(copy.path());
    assert_eq!(again.healed, []);
    assert_eq!(again.loaded.saved.candidates, [candidate()]);
    assert_eq!(again.loaded.saved.next_candidate, CandidateId(4));
    assert_eq!(again.loaded.awake, Awake::from_millis(123));
    assert_eq!(again.store.directory(&root(), &rel("a")).unwrap(), Some(record(&["x.mkv"])));
}

#[test]
fn a_folder_holds_what_is_below_it_and_not_its_longer_namesake() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_at(dir.path()).store;
    let all = ["", "a", "a/b", "a b", "a-c", "ab", "a/b/c"].map(|d| (d, Some(record(&[]))));
    store.commit(&directories(&all), Durability::Soon).unwrap();
    assert_eq!(below(&*store, "a"), ["a", "a/b", "a/b/c"]);
    assert_eq!(below(&*store, "").len(), 7);
    assert_eq!(below(&*store, "x"), Vec::<String>::new());
    let dropped = Batch { dropped_roots: vec![root()], ..Batch::default() };
    store.commit(&dropped, Durability::Soon).unwrap();
    assert_eq!(below(&*store, ""), Vec::<String>::new());
}

#[test]
fn one_life_has_one_deletion_whatever_comes_later() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_at(dir.path()).store;
    let told = entry(1);
    let accepted = Batch { entries: vec![told.clone()], ..Batch::default() };
    store.commit(&accepted, Durability::Flushed).unwrap();
    let mut again = Batch::default();
    again.changes.entries.push(queued(&told));
    again.changes.entries.push(queued(&entry(2)));
    store.commit(&again, Durability::Flushed).unwrap();
    assert_eq!(store.entry(&told.deletion.id).unwrap(), Some(told));
    let queued = store.load().unwrap().queued;
    assert_eq!(queued.iter().map(|e| &e.deletion).collect::<Vec<_>>(), [&entry(2).deletion]);
    assert_eq!(store.entries().unwrap().len(), 2);
}

#[test]
fn what_is_old_is_forgotten_and_what_is_young_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_at(dir.path()).store;
    let id = FileId { fs: FsId(1), inode: 42 };
    let arrival = |path: &str, at| Arrival {
        id,
        path: FilePath::new(root(), rel(path)),
        at: Awake::from_millis(at),
        moved_from: None,
        born: Some(Timestamp::from_millis(7)),
    };
    let decision = |at| Decision {
        at: Timestamp::from_millis(at),
        subject: Subject::Item(film(1)),
        candidate: None,
        what: What::Retracted { why: at.to_string() },
        evidence: vec![],
    };
    let mut batch =
        Batch { arrivals: vec![arrival("old", 10), arrival("new", 30)], ..Batch::default() };
    batch.changes.decisions = vec![decision(-5), decision(20), decision(30)];
    store.commit(&batch, Durability::Soon).unwrap();
    store.prune(Awake::from_millis(20), Timestamp::from_millis(20)).unwrap();
    assert_eq!(store.arrivals(id).unwrap(), [arrival("new", 30)]);
    let story = Storage::history(&*store, film(1).key().as_str()).unwrap();
    assert_eq!(story, [decision(20), decision(30)]);
}

#[test]
fn an_item_is_found_by_its_place_its_state_or_its_story() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_at(dir.path()).store;
    let place = Place { root: root(), folder: rel("x"), loose: true };
    let at = TitleAt { item: film(1), place };
    let mut batch = Batch { titles: vec![at.clone()], ..Batch::default() };
    batch.changes.items.push((film(2).key(), Some(ItemState::first(film(2)))));
    batch.changes.decisions.push(Decision {
        at: Timestamp::default(),
        subject: Subject::Item(film(3)),
        candidate: None,
        what: What::Retracted { why: String::new() },
        evidence: vec![],
    });
    store.commit(&batch, Durability::Soon).unwrap();
    assert_eq!(store.search("FILM", 9).unwrap(), [film(1), film(2), film(3)]);
    assert_eq!(store.titles(&film(1).match_keys()).unwrap(), vec![at.clone()]);
    let gone = Batch { gone_titles: vec![at], ..Batch::default() };
    store.commit(&gone, Durability::Soon).unwrap();
    assert_eq!(store.titles(&film(1).match_keys()).unwrap(), []);
}
