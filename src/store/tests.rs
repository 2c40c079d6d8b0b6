//! The store against what it promises: real sled in temporary directories, reopened, copied while it
//! is open, damaged.

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use proptest::prelude::*;

use super::testing::{entry, film};
use super::*;
use crate::core::{ItemState, RootState};
use crate::domain::{
    Awake, Candidate, CandidateId, EntryState, Evidence, FsId, Hold, Holding, Identity, Life,
    LostFile, Place, Sensor, Stage, Subject, What, Witness,
};
use crate::inventory::Media;

fn open_at(dir: &Path) -> Opened {
    open(dir, Timestamp::from_millis(1_000_000)).unwrap()
}

fn root() -> RootName {
    RootName::parse("movies").unwrap()
}

fn rel(path: &str) -> RelPath {
    RelPath::parse(path.as_bytes()).unwrap()
}

fn record(names: &[&str]) -> Directory {
    let media = |name: &&str| Media { name: name.as_bytes().into(), inode: 7, alias: false };
    Directory { fs: FsId(1), files: names.iter().map(media).collect(), ..Directory::default() }
}

fn directories(dirs: &[(&str, Option<Directory>)]) -> Batch {
    let dirs = dirs.iter().map(|(dir, record)| (root(), rel(dir), record.clone())).collect();
    Batch { directories: dirs, ..Batch::default() }
}

fn lost_file() -> LostFile {
    LostFile {
        path: FilePath::new(root(), rel("Film 1 (2000)/a.mkv")),
        id: FileId { fs: FsId(1), inode: 42 },
        looked: Timestamp::from_millis(5),
        extra: false,
    }
}

fn candidate() -> Candidate {
    Candidate {
        id: CandidateId(3),
        item: film(1),
        life: Life::FIRST,
        detected: Timestamp::from_millis(9_000),
        from: Awake::from_millis(77),
        places: vec![Place { root: root(), folder: rel("Film 1 (2000)"), loose: false }],
        lost: vec![lost_file()],
        evidence: vec![],
        last_hold: None,
        stage: Stage::Held {
            holding: Holding {
                why: Hold::Unknown { witness: "disk".into(), why: "EIO".into() },
                since: Timestamp::from_millis(9_500),
                looks: 2,
            },
            again: Awake::from_millis(99),
        },
    }
}

fn below(store: &Store, dir: &str) -> Vec<String> {
    let mut found = Vec::new();
    store
        .within(&root(), &rel(dir), &mut |path, _| {
            found.push(path.to_string());
            ControlFlow::Continue(())
        })
        .unwrap();
    found
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
    // What a kill leaves: the files as they are, with nobody to close them.
    let copy = tempfile::tempdir().unwrap();
    fs::create_dir(copy.path().join("store")).unwrap();
    for file in fs::read_dir(dir.path().join("store")).unwrap() {
        let file = file.unwrap();
        if file.file_type().unwrap().is_file() {
            fs::copy(file.path(), copy.path().join("store").join(file.file_name())).unwrap();
        }
    }
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
    assert_eq!(below(&store, "a"), ["a", "a/b", "a/b/c"]);
    assert_eq!(below(&store, "").len(), 7);
    assert_eq!(below(&store, "x"), Vec::<String>::new());
    let dropped = Batch { dropped_roots: vec![root()], ..Batch::default() };
    store.commit(&dropped, Durability::Soon).unwrap();
    assert_eq!(below(&store, ""), Vec::<String>::new());
}

#[test]
fn one_life_has_one_deletion_whatever_comes_later() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_at(dir.path()).store;
    let told = entry(1);
    let accepted = Batch { entries: vec![told.clone()], ..Batch::default() };
    store.commit(&accepted, Durability::Flushed).unwrap();
    let mut again = Batch::default();
    again.changes.deletions.push(told.deletion.clone());
    again.changes.deletions.push(entry(2).deletion);
    store.commit(&again, Durability::Flushed).unwrap();
    assert_eq!(store.entry(&told.deletion.id).unwrap(), Some(told));
    let queued = store.load().unwrap().queued;
    assert_eq!(queued.iter().map(|e| &e.deletion).collect::<Vec<_>>(), [&entry(2).deletion]);
    assert_eq!(store.entries().unwrap().len(), 2);
}

#[test]
fn a_store_that_is_lost_gets_its_deletions_and_closed_lives_from_the_ledger() {
    let dir = tempfile::tempdir().unwrap();
    let mut opened = open_at(dir.path());
    opened.ledger.append_deletion(&entry(1), Timestamp::from_millis(5)).unwrap();
    drop(opened);
    fs::remove_dir_all(dir.path().join("store")).unwrap();
    let opened = open_at(dir.path());
    assert!(opened.stale.is_some_and(|why| why.contains("made anew")));
    assert_eq!(opened.healed, [Healed::Reconciled { entries: 1 }]);
    assert_eq!(opened.store.entries().unwrap(), [entry(1)]);
    let item = &opened.loaded.saved.items[0];
    assert_eq!((item.life, item.closed), (Life::FIRST, Some(entry(1).deletion.confirmed_at)));
}

#[test]
fn an_entry_that_the_ledger_has_is_not_queued_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut opened = open_at(dir.path());
    let mut batch = Batch::default();
    batch.changes.deletions.push(entry(1).deletion);
    opened.store.commit(&batch, Durability::Synced).unwrap();
    opened.ledger.append_deletion(&entry(1), Timestamp::from_millis(5)).unwrap();
    drop(opened);
    let opened = open_at(dir.path());
    assert!(opened.loaded.queued.is_empty());
    assert_eq!(opened.store.entries().unwrap()[0].state, EntryState::Accepted);
}

#[test]
fn a_record_that_can_not_be_read_is_put_aside_and_the_rest_is_used() {
    let dir = tempfile::tempdir().unwrap();
    let opened = open_at(dir.path());
    let mut batch =
        directories(&[("a", Some(record(&["x.mkv"]))), ("b", Some(record(&["y.mkv"])))]);
    batch.changes.candidates.push((CandidateId(3), Some(candidate())));
    opened.store.commit(&batch, Durability::Flushed).unwrap();
    drop(opened);
    let db = sled::open(dir.path().join("store")).unwrap();
    db.open_tree("candidates").unwrap().insert(9_u64.to_be_bytes(), "{").unwrap();
    db.open_tree("inventory").unwrap().insert("movies\0a", "junk").unwrap();
    db.flush().unwrap();
    drop(db);
    let opened = open_at(dir.path());
    assert_eq!(opened.loaded.saved.candidates, [candidate()]);
    assert_eq!(opened.healed, [Healed::BadRecords { count: 1 }]);
    assert_eq!(opened.store.directory(&root(), &rel("a")).unwrap(), None);
    assert_eq!(below(&opened.store, ""), ["b"]);
    assert_eq!(opened.store.quarantined(), 2);
}

#[test]
fn a_newer_store_and_a_second_instance_are_refused_and_nothing_is_touched() {
    let dir = tempfile::tempdir().unwrap();
    let opened = open_at(dir.path());
    let second = open(dir.path(), Timestamp::default());
    let pid = std::process::id();
    assert!(matches!(second, Err(OpenError::AlreadyRunning { pid: Some(p), .. }) if p == pid));
    drop(opened);
    let db = sled::open(dir.path().join("store")).unwrap();
    db.open_tree("meta").unwrap().insert("schema", "2").unwrap();
    drop(db);
    let newer = open(dir.path(), Timestamp::default());
    assert!(matches!(newer, Err(OpenError::Newer { found: 2, known: 1, .. })));
}

#[test]
fn what_is_old_is_forgotten_and_what_is_young_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_at(dir.path()).store;
    let id = FileId { fs: FsId(1), inode: 42 };
    let arrival = |path: &str, at| Arrival {
        id,
        path: FilePath::new(root(), rel(path)),
        at: Timestamp::from_millis(at),
        moved_from: None,
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
    store.prune(Timestamp::from_millis(20), Timestamp::from_millis(20)).unwrap();
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
    assert_eq!(store.titles(&film(1).match_keys()).unwrap(), std::slice::from_ref(&at));
    let gone = Batch { gone_titles: vec![at], ..Batch::default() };
    store.commit(&gone, Durability::Soon).unwrap();
    assert_eq!(store.titles(&film(1).match_keys()).unwrap(), []);
}

/// A store with a few hundred records, closed.
fn filled() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut opened = open_at(dir.path());
    for number in 0..300 {
        let name = format!("Film {number}");
        let mut batch = directories(&[(&name, Some(record(&["a.mkv", "b.mkv"])))]);
        batch.changes.deletions.push(entry(number).deletion);
        opened.store.commit(&batch, Durability::Soon).unwrap();
    }
    opened.ledger.append_deletion(&entry(1), Timestamp::default()).unwrap();
    opened.store.commit(&Batch::default(), Durability::Synced).unwrap();
    drop(opened);
    dir
}

#[test]
fn bytes_flipped_anywhere_never_panic_nor_hang_and_the_ledger_is_never_lost() {
    let whole = filled();
    let files: Vec<_> = fs::read_dir(whole.path().join("store"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().unwrap().is_file())
        .collect();
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % below as u64).unwrap()
    };
    let (mut healed, mut worked) = (0, 0);
    for _ in 0..60 {
        let copy = tempfile::tempdir().unwrap();
        fs::create_dir(copy.path().join("store")).unwrap();
        fs::copy(whole.path().join("ledger.jsonl"), copy.path().join("ledger.jsonl")).unwrap();
        for file in &files {
            fs::copy(file.path(), copy.path().join("store").join(file.file_name())).unwrap();
        }
        let victim = copy.path().join("store").join(files[next(files.len())].file_name());
        let mut bytes = fs::read(&victim).unwrap();
        if !bytes.is_empty() {
            let at = next(bytes.len());
            bytes[at] ^= 1 << next(8);
            fs::write(&victim, bytes).unwrap();
        }
        let opened = open_at(copy.path());
        let set_aside = opened.healed.iter().any(|h| matches!(h, Healed::SetAside { .. }));
        healed += u32::from(set_aside);
        worked += u32::from(!set_aside);
        let entries = opened.store.entries().unwrap();
        assert!(entries.iter().any(|known| known.deletion.id == entry(1).deletion.id));
        below(&opened.store, "");
    }
    println!("set aside {healed}, opened {worked}");
    assert!(healed > 0 && worked > 0);
}

#[test]
fn the_stored_form_of_schema_1_never_changes() {
    fn check<T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug>(
        value: &T,
        golden: &str,
    ) {
        assert_eq!(serde_json::to_string(value).unwrap(), golden);
        assert_eq!(&serde_json::from_str::<T>(golden).unwrap(), value);
    }
    check(&candidate(), include_str!("golden/candidate.json").trim());
    check(&entry(1), include_str!("golden/entry.json").trim());
    let item = ItemState {
        closed: Some(Timestamp::from_millis(3)),
        partial: vec![lost_file()],
        ..ItemState::first(film(1))
    };
    check(&item, include_str!("golden/item.json").trim());
    let state = RootState {
        identity: Some(Identity {
            boot: "b".into(),
            mount: 1,
            device: 2,
            fs_type: "ext4".into(),
            source: "/dev/sda1".into(),
            uuid: Some("u".into()),
            inode: Some(2),
        }),
        basis: "/m\nextensions mkv".into(),
    };
    check(&state, include_str!("golden/root.json").trim());
    let line = Line {
        v: 1,
        at: Timestamp::from_millis(5),
        event: Event::Deletion { entry: Box::new(entry(1)) },
    };
    check(&line, include_str!("golden/ledger.json").trim());
    let evidence = Evidence {
        witness: Witness::Disk,
        answer: "absent".into(),
        path: None,
        detail: "x".into(),
        at: Timestamp::default(),
    };
    let what = What::Lost { files: vec![lost_file().path], sensor: Sensor::Start };
    let decision = Decision {
        at: Timestamp::from_millis(5),
        subject: Subject::Item(film(1)),
        candidate: Some(CandidateId(3)),
        what,
        evidence: vec![evidence],
    };
    check(&decision, include_str!("golden/decision.json").trim());
}

#[derive(Debug, Clone)]
enum Op {
    Put(u8, u8),
    Remove(u8),
    DropRoot,
    Reopen,
}

fn ops() -> impl Strategy<Value = Op> {
    prop_oneof![
        5 => (0_u8..12, any::<u8>()).prop_map(|(dir, inode)| Op::Put(dir, inode)),
        2 => (0_u8..12).prop_map(Op::Remove),
        1 => Just(Op::DropRoot),
        1 => Just(Op::Reopen),
    ]
}

fn dir_name(number: u8) -> String {
    ["", "a", "a/b", "a/b/c", "a b", "ab", "b", "b/a", "b\n", "c", "c/d", "c/e"]
        [usize::from(number)]
    .to_owned()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Against the obvious: a map, over any number of reopenings.
    #[test]
    fn the_inventory_is_what_was_put_into_it(ops in proptest::collection::vec(ops(), 1..40)) {
        let dir = tempfile::tempdir().unwrap();
        let mut store = open_at(dir.path()).store;
        let mut model: BTreeMap<Vec<u8>, Directory> = BTreeMap::new();
        for op in ops {
            let batch = match op {
                Op::Put(number, inode) => {
                    let mut record = record(&["x.mkv"]);
                    record.files[0].inode = u64::from(inode);
                    model.insert(dir_name(number).into_bytes(), record.clone());
                    directories(&[(&dir_name(number), Some(record))])
                }
                Op::Remove(number) => {
                    model.remove(dir_name(number).as_bytes());
                    directories(&[(&dir_name(number), None)])
                }
                Op::DropRoot => {
                    model.clear();
                    Batch { dropped_roots: vec![root()], ..Batch::default() }
                }
                Op::Reopen => {
                    drop(store);
                    store = open_at(dir.path()).store;
                    continue;
                }
            };
            store.commit(&batch, Durability::Soon).unwrap();
            let mut found = BTreeMap::new();
            store.within(&root(), &RelPath::root(), &mut |path, record| {
                found.insert(path.as_bytes().to_vec(), record);
                ControlFlow::Continue(())
            }).unwrap();
            prop_assert_eq!(&found, &model);
        }
    }
}
