//! Two stores made apart from each other, side by side: whatever is done to both, they agree.

use std::fmt::Debug;

use proptest::prelude::*;

use super::*;
use crate::domain::{Awake, Candidate};
use crate::store::testing::{instance, known_service, listed, remembered};

#[derive(Debug, Clone)]
enum Op {
    Directory(u8, Option<u8>),
    DropRoot(bool),
    Title(u8, u8, bool),
    Arrival(u8, u8, i64),
    Item(u8, bool),
    Candidate(u8, bool),
    Deletion(u8),
    Entry(u8, bool),
    Decision(u8, i64),
    Alive(u8),
    Service(u8, bool),
    Listed(u8, u8, bool),
    Past(u8, u8, bool),
}

#[derive(Debug, Clone)]
enum Step {
    Commit(Vec<Op>),
    Prune(i64),
    Reopen,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        (0_u8..12, any::<Option<u8>>()).prop_map(|(dir, inode)| Op::Directory(dir, inode)),
        any::<bool>().prop_map(Op::DropRoot),
        (0_u8..4, 0_u8..12, any::<bool>()).prop_map(|(film, dir, is)| Op::Title(film, dir, is)),
        (0_u8..3, 0_u8..12, -9_i64..9).prop_map(|(inode, dir, at)| Op::Arrival(inode, dir, at)),
        (0_u8..4, any::<bool>()).prop_map(|(film, is)| Op::Item(film, is)),
        (0_u8..4, any::<bool>()).prop_map(|(number, is)| Op::Candidate(number, is)),
        (0_u8..4).prop_map(Op::Deletion),
        (0_u8..4, any::<bool>()).prop_map(|(film, told)| Op::Entry(film, told)),
        (0_u8..4, -9_i64..9).prop_map(|(film, at)| Op::Decision(film, at)),
        any::<u8>().prop_map(Op::Alive),
        (0_u8..3, any::<bool>()).prop_map(|(which, is)| Op::Service(which, is)),
        (0_u8..3, 0_u8..4, any::<bool>()).prop_map(|(which, id, is)| Op::Listed(which, id, is)),
        (0_u8..3, 0_u8..4, any::<bool>()).prop_map(|(which, id, is)| Op::Past(which, id, is)),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => proptest::collection::vec(op(), 0..6).prop_map(Step::Commit),
        1 => (-9_i64..9).prop_map(Step::Prune),
        1 => Just(Step::Reopen),
    ]
}

fn folder(number: u8) -> RelPath {
    let names = ["", "a", "a/b", "a/b/c", "a b", "ab", "b", "b/a", "b\n", "c", "c/d", "c/e"];
    rel(names[usize::from(number)])
}

/// Two roots, one named like a folder of the other.
fn root_of(number: u8) -> RootName {
    RootName::parse(if number.is_multiple_of(3) { "movies:a" } else { "movies" }).unwrap()
}

fn told(number: u8) -> Entry {
    let mut entry = entry(i64::from(number % 2));
    if number > 1 {
        entry.deletion.life = Life::FIRST.next();
        entry.deletion.id = DeletionId::new(&entry.deletion.item.key(), entry.deletion.life);
    }
    entry
}

/// Puts one thing into a batch.
fn add(batch: &mut Batch, op: &Op) {
    let at = Timestamp::from_millis;
    match *op {
        Op::Directory(dir, inode) => {
            let record = inode.map(|inode| Directory {
                looked: at(i64::from(inode)),
                ..record(&["x.mkv", "y.mkv"])
            });
            batch.directories.push((root_of(dir), folder(dir), record));
        }
        Op::DropRoot(outer) => batch.dropped_roots.push(root_of(u8::from(outer))),
        Op::Title(number, dir, is) => {
            let place = Place { root: root_of(dir), folder: folder(dir), loose: dir > 5 };
            let title = TitleAt { item: film(number.into()), place };
            if is { batch.titles.push(title) } else { batch.gone_titles.push(title) }
        }
        Op::Arrival(inode, dir, moment) => batch.arrivals.push(Arrival {
            id: FileId { fs: FsId(1), inode: inode.into() },
            path: FilePath::new(root_of(dir), folder(dir)),
            at: Awake::from_millis(moment.unsigned_abs()),
            moved_from: (dir > 5).then(|| FilePath::new(root(), folder(1))),
            born: (moment > 5).then(|| at(moment)),
        }),
        Op::Item(number, is) => {
            let item = film(number.into());
            batch.changes.items.push((item.key(), is.then(|| ItemState::first(item))));
        }
        Op::Candidate(number, is) => {
            let id = CandidateId(number.into());
            batch.changes.candidates.push((id, is.then(|| Candidate { id, ..candidate() })));
            batch.changes.next_candidate = CandidateId(u64::from(number) + 1);
        }
        Op::Deletion(number) => batch.changes.entries.push(Entry {
            state: if number == 1 { EntryState::Withdrawn } else { EntryState::Queued },
            forwarded_at: None,
            ..told(number)
        }),
        Op::Entry(number, is_told) => {
            let entry = told(number);
            batch.entries.push(if is_told { entry } else { queued(&entry) });
        }
        Op::Decision(number, moment) => batch.changes.decisions.push(Decision {
            at: at(moment),
            subject: match number {
                0 => Subject::Root(root()),
                _ => Subject::Item(film(number.into())),
            },
            candidate: None,
            what: What::Retracted { why: moment.to_string() },
            evidence: vec![],
        }),
        Op::Service(which, is) => {
            batch.services.push((instance(which), is.then(|| known_service(which))));
        }
        Op::Listed(which, id, is) => {
            let listed = is.then(|| listed(id));
            batch.listed.push((instance(which), id.to_string(), listed));
        }
        Op::Past(which, id, is) => {
            let past = is.then(|| remembered(which, id));
            batch.past.push((instance(which), id.to_string(), past));
        }
        Op::Alive(moment) => {
            batch.awake = Some(Awake::from_millis(moment.into()));
            batch.heartbeat = Some(at(moment.into()));
        }
    }
}

fn everything(store: &impl Storage) -> Vec<String> {
    fn show(value: impl Debug) -> String {
        format!("{value:#?}")
    }
    let mut all = vec![
        show(store.load().unwrap()),
        show(store.entries().unwrap()),
        show(store.services().unwrap()),
        show(store.past().unwrap()),
    ];
    for number in 0..12 {
        let (root, dir) = (root_of(number), folder(number));
        all.push(show(store.directory(&root, &dir).unwrap()));
        let mut found = Vec::new();
        store
            .within(&root, &dir, &mut |path, record| {
                found.push((path, record));
                std::ops::ControlFlow::Continue(())
            })
            .unwrap();
        all.push(show((found, store.count(&root).unwrap())));
    }
    for number in 0..4 {
        let item = film(number.into());
        let mut titles = store.titles(&item.match_keys()).unwrap();
        titles.sort_by_key(|title| format!("{title:?}"));
        all.push(show(titles));
        all.push(show(store.history(item.key().as_str()).unwrap()));
        all.push(show(store.entry(&told(number).deletion.id).unwrap()));
        let mut arrivals = store.arrivals(FileId { fs: FsId(1), inode: number.into() }).unwrap();
        arrivals.sort_by_key(|arrival| arrival.path.clone());
        all.push(show(arrivals));
    }
    all.push(show(store.history("root:movies").unwrap()));
    all.push(show((store.search("film", 9).unwrap(), store.search("FILM 2", 1).unwrap())));
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn a_store_on_disk_and_one_in_memory_agree_on_everything_over_any_reopening(
        steps in proptest::collection::vec(step(), 1..16),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let mut store = open_at(dir.path()).store;
        let memory = Memory::new();
        for step in &steps {
            match step {
                Step::Commit(ops) => {
                    let mut batch = Batch::default();
                    ops.iter().for_each(|op| add(&mut batch, op));
                    store.commit(&batch, Durability::Soon).unwrap();
                    memory.commit(&batch, Durability::Soon).unwrap();
                }
                Step::Prune(moment) => {
                    let at = Timestamp::from_millis(*moment);
                    let awake = Awake::from_millis(moment.unsigned_abs());
                    store.prune(awake, at).unwrap();
                    memory.prune(awake, at).unwrap();
                }
                Step::Reopen => {
                    drop(store);
                    // The store alone: the ledger would take back what these steps take back.
                    fs::remove_file(dir.path().join("ledger.jsonl")).unwrap();
                    let opened = open_at(dir.path());
                    let healed = |h: &Healed| matches!(h, Healed::Reconciled { entries: 0, .. });
                    prop_assert!(opened.healed.iter().all(healed), "{:?}", opened.healed);
                    store = opened.store;
                }
            }
            prop_assert_eq!(everything(&*store), everything(&memory));
        }
    }

    #[test]
    fn a_crash_takes_back_the_last_batches_that_nobody_waited_for_and_no_others(
        batches in proptest::collection::vec(
            (proptest::collection::vec(op(), 0..5), proptest::bool::weighted(0.3)), 1..14),
        kept in 0_usize..14,
    ) {
        let (memory, expected) = (Memory::new(), Memory::new());
        let flushed = batches.iter().rposition(|(_, flush)| *flush).map_or(0, |at| at + 1);
        for (number, (ops, flush)) in batches.iter().enumerate() {
            let mut batch = Batch::default();
            ops.iter().for_each(|op| add(&mut batch, op));
            let durability = if *flush { Durability::Flushed } else { Durability::Soon };
            memory.commit(&batch, durability).unwrap();
            if number < flushed + kept {
                expected.commit(&batch, Durability::Flushed).unwrap();
            }
        }
        memory.crash_keeping(kept);
        prop_assert_eq!(everything(&memory), everything(&expected));
        memory.crash();
        prop_assert_eq!(everything(&memory), everything(&expected));
    }
}

#[test]
fn a_commit_that_was_told_to_fail_leaves_nothing() {
    let memory = Memory::new();
    memory.fail_next_commits(1);
    let batch = directories(&[("a", Some(record(&["x.mkv"])))]);
    assert!(memory.commit(&batch, Durability::Flushed).is_err());
    assert_eq!(below(&memory, ""), Vec::<String>::new());
    memory.commit(&batch, Durability::Flushed).unwrap();
    assert_eq!(below(&memory, ""), ["a"]);
}
