//! Whatever was done to the files: it opens, says what was wrong, and loses nothing that can't be
//! learned anew.

use super::super::engine::await_release;
use super::*;

/// The store as sled shows it, to put things into it that obituarr would not.
fn raw(dir: &Path) -> sled::Db {
    await_release(&dir.join("store")).unwrap();
    sled::open(dir.join("store")).unwrap()
}

/// The only thing that was healed.
fn only(opened: &Opened) -> &Healed {
    let [healed] = &opened.healed[..] else { panic!("{:?}", opened.healed) };
    healed
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
    assert_eq!(opened.healed, [Healed::Reconciled { entries: 1, lines: 0 }]);
    assert_eq!(opened.store.entries().unwrap(), [entry(1)]);
    let item = &opened.loaded.saved.items[0];
    assert_eq!((item.life, item.closed), (Life::FIRST, Some(entry(1).deletion.confirmed_at)));
}

#[test]
fn a_ledger_that_is_lost_is_written_again_from_the_store() {
    let dir = tempfile::tempdir().unwrap();
    let mut opened = open_at(dir.path());
    let told = Batch { entries: vec![entry(2), entry(1)], ..Batch::default() };
    opened.store.commit(&told, Durability::Synced).unwrap();
    opened.ledger.append_deletion(&entry(1), Timestamp::from_millis(5)).unwrap();
    drop(opened);
    let path = dir.path().join("ledger.jsonl");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 30]).unwrap();
    let opened = open_at(dir.path());
    assert!(opened.healed.contains(&Healed::Reconciled { entries: 0, lines: 2 }));
    drop(opened);
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 2);
    assert_eq!(open_at(dir.path()).healed, []);
}

#[test]
fn a_store_whose_log_is_cut_or_empty_says_so() {
    for keep in [0, 4_096, 100_000] {
        let dir = filled();
        let log = fs::File::options().write(true).open(dir.path().join("store/db")).unwrap();
        log.set_len(keep).unwrap();
        drop(log);
        let opened = open_at(dir.path());
        assert!(!opened.healed.is_empty(), "cut to {keep}");
        assert!(opened.stale.is_some(), "cut to {keep}");
    }
}

#[test]
fn a_store_that_is_in_use_or_not_a_directory_is_told_apart_from_a_damaged_one() {
    let dir = filled();
    let db = raw(dir.path());
    let refused = open(dir.path(), true, Timestamp::default());
    assert!(matches!(refused, Err(OpenError::AlreadyRunning { .. })), "{refused:?}");
    drop(db);
    fs::remove_dir_all(dir.path().join("store")).unwrap();
    fs::write(dir.path().join("store"), "a file").unwrap();
    let opened = open_at(dir.path());
    assert!(matches!(&opened.healed[0], Healed::SetAside { .. }), "{:?}", opened.healed);
    let gone = open(&dir.path().join("nowhere"), false, Timestamp::default());
    assert!(matches!(gone, Err(OpenError::StateDir { .. })));
}

#[test]
fn an_entry_that_the_ledger_has_is_not_queued_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut opened = open_at(dir.path());
    let mut batch = Batch::default();
    batch.changes.entries.push(queued(&entry(1)));
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
    let db = raw(dir.path());
    db.open_tree("candidates").unwrap().insert(9_u64.to_be_bytes(), "{").unwrap();
    db.open_tree("inventory").unwrap().insert("movies\0a", "junk").unwrap();
    db.flush().unwrap();
    drop(db);
    let opened = open_at(dir.path());
    assert_eq!(opened.loaded.saved.candidates, [candidate()]);
    let Healed::BadRecords { count: 1, what } = only(&opened) else {
        panic!("{:?}", opened.healed)
    };
    assert!(
        what[0].contains("candidates") && what[0].contains("not looked at any more"),
        "{what:?}"
    );
    assert_eq!(opened.store.directory(&root(), &rel("a")).unwrap(), None);
    assert_eq!(below(&*opened.store, ""), ["b"]);
    assert_eq!(opened.store.quarantined(), 2);
    let told = opened.store.take_damage();
    assert!(told[0].contains("1 records of inventory") && told.len() == 1, "{told:?}");
    assert_eq!(opened.store.take_damage(), Vec::<String>::new());
}

#[test]
fn a_deletion_that_was_never_told_and_whose_entry_is_damaged_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let opened = open_at(dir.path());
    let mut batch = Batch::default();
    for number in [1, 2] {
        let closed = Some(Timestamp::from_millis(5));
        let state = ItemState { closed, ..ItemState::first(film(number)) };
        batch.changes.items.push((film(number).key(), Some(state)));
        batch.changes.entries.push(queued(&entry(number)));
    }
    opened.store.commit(&batch, Durability::Synced).unwrap();
    drop(opened);
    let db = raw(dir.path());
    let id = entry(2).deletion.id;
    db.open_tree("entries").unwrap().insert(id.as_str(), "{").unwrap();
    drop(db);
    let opened = open_at(dir.path());
    let titles = vec![film(2).to_string()];
    assert!(opened.healed.contains(&Healed::LostEntries { titles }), "{:?}", opened.healed);
}

fn title(number: i64, folder: &str) -> TitleAt {
    let place = Place { root: root(), folder: rel(folder), loose: false };
    TitleAt { item: film(number), place }
}

#[test]
fn titles_that_can_not_be_read_are_not_told_by_half_but_made_anew() {
    for (tree, key, value) in [
        ("title_records", &0_u64.to_be_bytes()[..], Some("junk")),
        ("title_records", &0_u64.to_be_bytes()[..], None),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let opened = open_at(dir.path());
        let batch = Batch { titles: vec![title(1, "a"), title(1, "b")], ..Batch::default() };
        opened.store.commit(&batch, Durability::Flushed).unwrap();
        assert_eq!(opened.store.titles(&film(1).match_keys()).unwrap(), batch.titles);
        drop(opened);
        let db = raw(dir.path());
        let tree = db.open_tree(tree).unwrap();
        match value {
            Some(value) => drop(tree.insert(key, value).unwrap().unwrap()),
            None => drop(tree.remove(key).unwrap().unwrap()),
        }
        drop((tree, db));
        let store = open_at(dir.path()).store;
        assert!(store.titles(&film(1).match_keys()).is_err(), "the other place alone is no answer");
        assert!(Storage::titles_lost(&*store).unwrap());
        drop(store);
        let store = open_at(dir.path()).store;
        assert!(Storage::titles_lost(&*store).unwrap(), "nor after a restart");
        Storage::replace_titles(&*store, &batch.titles).unwrap();
        assert_eq!(store.titles(&film(1).match_keys()).unwrap(), batch.titles);
        assert!(!Storage::titles_lost(&*store).unwrap());
    }
}

#[test]
fn a_store_of_schema_1_keeps_all_but_its_titles_which_are_to_be_made_anew() {
    let dir = filled();
    let db = raw(dir.path());
    db.open_tree("meta").unwrap().insert("schema", "1").unwrap();
    let item = serde_json::to_vec(&film(1)).unwrap();
    let arrival = br#"{"path":{"root":"movies","rel":"b"},"at":"2030-01-01T00:00:00.000Z"}"#;
    let id = FileId { fs: FsId(1), inode: 42 };
    let key = [1_u64.to_be_bytes(), 42_u64.to_be_bytes()].concat();
    let key = [&key[..], b"movies\0b"].concat();
    db.open_tree("arrivals").unwrap().insert(key, &arrival[..]).unwrap();
    db.open_tree("meta").unwrap().insert("awake", "77").unwrap();
    db.open_tree("titles").unwrap().insert("film:film 1:2000\0movies\0Film 1\0\0", item).unwrap();
    drop(db);
    let opened = open_at(dir.path());
    assert_eq!(opened.healed, []);
    assert_eq!(opened.stale, None);
    assert!(Storage::titles_lost(&*opened.store).unwrap());
    assert_eq!(below(&*opened.store, "").len(), FILLED);
    assert_eq!(opened.store.entries().unwrap().len(), FILLED);
    let arrived = opened.store.arrivals(id).unwrap();
    assert_eq!(arrived.len(), 1);
    assert_eq!(arrived[0].at, Awake::from_millis(77));
    Storage::replace_titles(&*opened.store, &[title(1, "Film 1")]).unwrap();
    drop(opened);
    let db = raw(dir.path());
    assert_eq!(db.open_tree("meta").unwrap().get("schema").unwrap().unwrap(), "2");
    assert!(!db.tree_names().iter().any(|name| &name[..] == b"titles"));
}

#[test]
fn a_newer_store_and_a_second_instance_are_refused_and_nothing_is_touched() {
    let dir = tempfile::tempdir().unwrap();
    let opened = open_at(dir.path());
    let second = open(dir.path(), true, Timestamp::default());
    let pid = std::process::id();
    assert!(matches!(second, Err(OpenError::AlreadyRunning { pid: Some(p), .. }) if p == pid));
    drop(opened);
    let db = raw(dir.path());
    db.open_tree("meta").unwrap().insert("schema", "3").unwrap();
    drop(db);
    let newer = open(dir.path(), true, Timestamp::default());
    assert!(matches!(newer, Err(OpenError::Newer { found: 3, known: 2, .. })));
}

#[test]
fn a_half_written_snapshot_is_removed_and_nothing_is_lost() {
    let dir = filled();
    let planted = dir.path().join("store/snap.FFFFFFFFFFFFFFFF.generating");
    fs::write(&planted, "half").unwrap();
    let opened = open_at(dir.path());
    assert_eq!(only(&opened), &Healed::Snapshot { file: planted.clone() });
    assert!(!planted.exists());
    assert_eq!(below(&*opened.store, "").len(), FILLED);
    assert_eq!(opened.stale, None);
}

#[test]
fn a_store_that_was_emptied_is_set_aside_and_not_taken_for_a_new_one() {
    let dir = filled();
    let store = dir.path().join("store");
    let length = fs::metadata(store.join("db")).unwrap().len();
    fs::write(store.join("db"), vec![0; usize::try_from(length).unwrap()]).unwrap();
    for file in fs::read_dir(&store).unwrap().map(Result::unwrap) {
        if file.file_name().to_string_lossy().starts_with("snap.") {
            fs::remove_file(file.path()).unwrap();
        }
    }
    let opened = open_at(dir.path());
    let Healed::SetAside { aside, .. } = &opened.healed[0] else { panic!("{:?}", opened.healed) };
    assert!(aside.join("db").exists());
    assert!(opened.stale.is_some());
    assert_eq!(opened.store.entries().unwrap(), [entry(1)]);
}

#[test]
fn a_store_whose_making_was_interrupted_is_made_again() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("store.new")).unwrap();
    fs::write(dir.path().join("store.new/db"), "half").unwrap();
    let opened = open_at(dir.path());
    assert_eq!(opened.healed, []);
    assert_eq!(opened.stale, None);
    assert!(!dir.path().join("store.new").exists());
}

#[test]
fn a_store_that_is_still_being_closed_is_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    for number in 0..20 {
        let opened = open_at(dir.path());
        assert_eq!(opened.healed, [], "opening {number}");
        let batch = directories(&[(&format!("d{number}"), Some(record(&["x.mkv"])))]);
        opened.store.commit(&batch, Durability::Soon).unwrap();
        assert_eq!(below(&*opened.store, "").len(), number + 1);
    }
}

/// How many directories and entries a filled store has.
const FILLED: usize = 300;

/// A store with records of each kind, closed.
fn filled() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut opened = open_at(dir.path());
    for number in 0..i64::try_from(FILLED).unwrap() {
        let name = format!("Film {number}");
        let mut batch = directories(&[(&name, Some(record(&["a.mkv", "b.mkv"])))]);
        batch.changes.entries.push(queued(&entry(number)));
        batch.heartbeat = Some(Timestamp::from_millis(number));
        opened.store.commit(&batch, Durability::Soon).unwrap();
    }
    opened.ledger.append_deletion(&entry(1), Timestamp::default()).unwrap();
    let accepted = Batch { entries: vec![entry(1)], ..Batch::default() };
    opened.store.commit(&accepted, Durability::Synced).unwrap();
    drop(opened);
    await_release(&dir.path().join("store")).unwrap();
    dir
}

/// Numbers that are the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }
}

/// Damages one file of copies of a store and opens each; says how many were set aside.
fn damaged(rounds: usize, damage: impl Fn(&mut Dice, &mut Vec<u8>)) -> usize {
    let whole = filled();
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut aside = 0;
    for round in 0..rounds {
        let copy = copy_of(whole.path());
        let files: Vec<_> = fs::read_dir(copy.path().join("store"))
            .unwrap()
            .map(|file| file.unwrap().path())
            .filter(|file| file.is_file())
            .collect();
        let victim = &files[dice.below(files.len())];
        let mut bytes = fs::read(victim).unwrap();
        damage(&mut dice, &mut bytes);
        fs::write(victim, bytes).unwrap();
        let opened = open_at(copy.path());
        let set_aside = opened.healed.iter().any(|h| matches!(h, Healed::SetAside { .. }));
        aside += usize::from(set_aside);
        // All of it can be read, and what was told is known to be told.
        let entries = opened.store.entries().unwrap();
        let told = entries.iter().find(|known| known.deletion.id == entry(1).deletion.id);
        assert_eq!(told.map(|entry| entry.state), Some(EntryState::Accepted), "round {round}");
        let complete = below(&*opened.store, "").len() == FILLED;
        assert!(complete || !opened.healed.is_empty(), "round {round}: lost without a word");
        opened.store.search("film", 5).unwrap();
        opened.store.commit(&directories(&[("new", None)]), Durability::Flushed).unwrap();
    }
    aside
}

#[test]
fn bytes_flipped_anywhere_never_panic_nor_hang_and_the_ledger_is_never_lost() {
    let aside = damaged(200, |dice, bytes| {
        if !bytes.is_empty() {
            let at = dice.below(bytes.len());
            bytes[at] ^= 1 << dice.below(8);
        }
    });
    assert!((1..200).contains(&aside), "set aside {aside}");
}

#[test]
fn files_cut_off_anywhere_never_panic_nor_hang() {
    damaged(60, |dice, bytes| bytes.truncate(dice.below(bytes.len() + 1)));
}

#[test]
fn blocks_that_became_zeros_never_panic_nor_hang() {
    damaged(60, |dice, bytes| {
        let at = dice.below(bytes.len() + 1);
        bytes.iter_mut().skip(at).take(4_096).for_each(|byte| *byte = 0);
    });
}
