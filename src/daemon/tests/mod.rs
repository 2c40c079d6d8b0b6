//! The engine with a real store, told what a watcher would tell it.

mod pairs;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::core::{Findings, Policy};
use crate::domain::{
    Awake, DiskLook, Entry, FsId, Health, Identity, Now, RelPath, RootLook, RootName, Timestamp,
};
use crate::inventory::{Directory, Listing, Media, Name, Rules};
use crate::sensors::watcher::{Walk, Why};
use crate::store::{Loaded, Opened, Storage, Store};

/// A recorder that remembers, or fails.
#[derive(Debug, Default)]
struct Memory {
    fails: bool,
    told: Vec<String>,
}

impl Record for Memory {
    fn record(&mut self, entry: &Entry, _: Timestamp) -> anyhow::Result<()> {
        anyhow::ensure!(!self.fails, "no room");
        self.told.push(entry.deletion.id.to_string());
        Ok(())
    }

    fn record_verb(&mut self, verb: &str, subject: &str, _: Timestamp) -> anyhow::Result<()> {
        self.told.push(format!("{verb} {subject}"));
        Ok(())
    }
}

struct Rig<S = Store> {
    engine: Engine<S, Memory>,
    now: Now,
    seq: u64,
    /// The walk that listings belong to.
    walk: Option<Walk>,
    _dir: tempfile::TempDir,
}

fn root() -> RootName {
    RootName::parse("media").unwrap()
}

fn identity(disk: &str) -> Identity {
    Identity {
        boot: "b".into(),
        mount: 1,
        device: 1,
        fs_type: "ext4".into(),
        source: disk.into(),
        uuid: Some(disk.into()),
        inode: Some(2),
        born: None,
        pool: None,
    }
}

fn spec() -> RootSpec {
    RootSpec {
        name: root(),
        path: PathBuf::from("/m"),
        rules: Rules::new(["mkv"], []),
        marker: None,
        basis: "/m".into(),
        within: None,
    }
}

impl Rig {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let Opened { store, .. } =
            crate::store::open(dir.path(), true, Timestamp::default()).unwrap();
        Self::on(store, dir)
    }
}

impl<S: Storage> Rig<S> {
    fn on(store: Arc<S>, dir: tempfile::TempDir) -> Self {
        let now = Now { wall: Timestamp::from_millis(1_000), awake: Awake::default() };
        let policy = Policy { settle: Duration::from_secs(1), ..Policy::default() };
        let history = Duration::from_hours(1);
        let loaded = Loaded::default();
        let mut engine =
            Engine::new(store, Memory::default(), loaded, None, policy, history, now).unwrap();
        engine.configure(now, vec![spec()]).unwrap();
        Self { engine, now, seq: 0, walk: None, _dir: dir }
    }

    fn look_as(&mut self, identity: Identity) {
        self.engine.looked(self.now, &root(), &RootLook::Seen { identity }).unwrap();
    }

    fn look(&mut self, disk: &str) {
        self.look_as(identity(disk));
        self.engine.commit(self.now).unwrap();
    }

    /// Tells listings: directory, files, subdirectories.
    fn list(&mut self, disk: &str, dirs: &[(&str, &[&str], &[&str])]) {
        self.list_on(&identity(disk), dirs);
    }

    fn list_on(&mut self, identity: &Identity, dirs: &[(&str, &[&str], &[&str])]) {
        let name = |text: &&str| Name::from(text.as_bytes());
        let fs = identity.file_system();
        let listing = |(dir, files, subdirs): &(&str, &[&str], &[&str])| Listing {
            dir: RelPath::parse(dir.as_bytes()).unwrap(),
            fs,
            at: self.now.wall,
            files: files
                .iter()
                .map(|file| Media { name: name(file), inode: 7, alias: false })
                .collect(),
            subdirs: subdirs.iter().map(name).collect(),
            others: vec![],
            tells_others: true,
            births: HashMap::new(),
        };
        self.seq += 1;
        let report = Listed {
            root: root(),
            seq: self.seq,
            identity: identity.clone(),
            listings: dirs.iter().map(listing).collect(),
            lays: vec![],
            walk: self.walk,
        };
        self.engine.listed(self.now, &report).unwrap();
    }

    fn walked(&mut self) {
        self.engine.walked(self.now, &root(), 1, 1).unwrap();
        self.engine.commit(self.now).unwrap();
    }

    fn under_review(&self) -> Vec<String> {
        self.engine.core.candidates().values().map(|c| c.item.to_string()).collect()
    }

    fn advance(&mut self, span: Duration) {
        self.now = Now { wall: self.now.wall.plus(span), awake: self.now.awake.plus(span) };
        self.engine.tick(self.now).unwrap();
    }

    /// Answers every probe that is wanted with nothing found.
    fn answer(&mut self) {
        for order in self.engine.take_orders() {
            let Order::Probe(probe) = order else { continue };
            let absent = |file: &crate::domain::LostFile| crate::domain::FileLook {
                path: file.path.clone(),
                shown: crate::domain::AbsPath::new(std::path::Path::new("/m/x")),
                state: crate::domain::FileState::Absent,
            };
            let look = RootLook::Seen { identity: identity("a") };
            let disk = DiskLook {
                files: probe.lost.iter().map(absent).collect(),
                roots: vec![(root(), look.clone(), look)],
                ..DiskLook::default()
            };
            let findings = Findings::of_disk(&probe, disk, self.now.wall);
            self.engine.probed(self.now, &findings);
        }
        self.engine.commit(self.now).unwrap();
    }
}

const HEAT: &[(&str, &[&str], &[&str])] = &[
    ("", &[], &["Heat (1995)", "Ronin (1998)"]),
    ("Heat (1995)", &["heat.mkv"], &[]),
    ("Ronin (1998)", &["ronin.mkv"], &[]),
];

#[test]
fn a_disk_mounted_over_the_empty_mount_point_is_adopted_whole() {
    let mut rig = Rig::new();
    rig.look("system");
    rig.list("system", &[("", &[], &[])]);
    rig.walked();
    rig.look("a");
    rig.list("a", HEAT);
    rig.walked();
    assert_eq!(rig.engine.core.roots()[&root()].health, Health::Online);
    rig.list("a", &[("", &[], &["Ronin (1998)"])]);
    assert_eq!(rig.under_review(), ["Heat (1995)"]);
}

#[test]
fn a_folder_whose_own_record_is_lost_still_misses_what_was_below_it() {
    let mut rig = Rig::new();
    rig.look("a");
    rig.list("a", HEAT);
    rig.walked();
    let gone = crate::store::Batch {
        directories: vec![(root(), RelPath::root(), None)],
        ..crate::store::Batch::default()
    };
    Storage::commit(&*rig.engine.store, &gone, crate::store::Durability::Soon).unwrap();
    rig.list("a", &[("", &[], &["Ronin (1998)"])]);
    assert_eq!(rig.under_review(), ["Heat (1995)"]);
}

#[test]
fn an_empty_mount_point_seen_after_the_disk_is_no_loss() {
    let mut rig = Rig::new();
    rig.look("a");
    rig.list("a", HEAT);
    rig.walked();
    // The look has not told yet that it is another file system.
    rig.list("system", &[("", &[], &[])]);
    rig.look("system");
    rig.list("system", &[("", &[], &[])]);
    assert_eq!(rig.under_review(), Vec::<String>::new());
    assert_eq!(rig.engine.core.roots()[&root()].health, Health::Offline);
    rig.look("a");
    let rescans = rig.engine.take_orders();
    assert!(rescans.iter().any(|order| matches!(order, Order::Rescan(_))), "{rescans:?}");
}

#[test]
fn only_a_walk_that_saw_all_of_the_root_says_how_much_is_in_it() {
    let mut rig = Rig::new();
    rig.look("a");
    rig.list("a", HEAT);
    let files = |rig: &Rig| rig.engine.roots[&root()].files;
    rig.engine.walked(rig.now, &root(), 3, 2).unwrap();
    assert_eq!(files(&rig), 2);
    // Part of it could not be listed, and is not gone for that.
    let unseen = RelPath::parse(b"Heat (1995)").unwrap();
    rig.engine.unseen(rig.now, &root(), vec![(unseen, "input/output error".into())], 0);
    rig.engine.walked(rig.now, &root(), 3, 1).unwrap();
    assert_eq!(files(&rig), 2);
    // The empty mount point was walked, not the disk.
    rig.engine.unseen(rig.now, &root(), vec![], 0);
    rig.look("system");
    rig.engine.walked(rig.now, &root(), 1, 0).unwrap();
    assert_eq!(files(&rig), 2);
}

#[test]
fn a_disk_that_is_mounted_late_is_compared_as_at_the_start() {
    let mut rig = Rig::new();
    rig.look("a");
    rig.list("a", HEAT);
    // Before all of it is compared it is away, and what is walked is its mount point.
    rig.look("system");
    rig.walked();
    rig.engine.take_orders();
    rig.look("a");
    rig.list("a", &[("", &[], &["Ronin (1998)"])]);
    let told = format!("{:?}", rig.engine.take_orders());
    assert!(told.contains("sensor: Start"), "{told}");
}

#[test]
fn another_disk_that_a_person_accepts_is_compared_with_what_was_known() {
    let mut rig = Rig::new();
    rig.look("a");
    rig.list("a", HEAT);
    rig.walked();
    rig.look("b");
    assert!(rig.engine.accept(rig.now, &root()).unwrap().is_ok());
    assert_eq!(rig.engine.core.roots()[&root()].health, Health::Online);
    rig.list("b", &[("", &[], &["Ronin (1998)"]), ("Ronin (1998)", &["ronin.mkv"], &[])]);
    assert_eq!(rig.under_review(), ["Heat (1995)"]);
    assert_eq!(identity("b").file_system(), rig.engine.file_system(&root()).unwrap_or(FsId(0)));
}

#[test]
fn a_file_system_whose_uuid_becomes_known_later_is_the_same_and_so_is_what_was_lost_on_it() {
    let mut rig = Rig::new();
    let nameless = Identity { uuid: None, source: "a".into(), ..identity("a") };
    rig.look_as(nameless.clone());
    rig.list_on(&nameless, HEAT);
    rig.walked();
    rig.list_on(&nameless, &[("", &[], &["Ronin (1998)"])]);
    rig.look("a");
    let lost = |rig: &Rig| {
        let fs = identity("a").file_system();
        let candidates = rig.engine.core.candidates().values();
        candidates.flat_map(|c| c.lost.clone()).filter(|file| file.id.fs == fs).count()
    };
    assert_eq!((rig.under_review().len(), lost(&rig)), (1, 1));
    rig.list("a", &[("", &[], &[])]);
    assert_eq!((rig.under_review().len(), lost(&rig)), (2, 2));
}

#[test]
fn what_can_not_be_recorded_is_under_review_again_and_not_told_later_without_a_look() {
    let mut rig = Rig::new();
    rig.look("a");
    rig.list("a", HEAT);
    rig.walked();
    rig.engine.take_orders();
    rig.list("a", &[("", &[], &["Ronin (1998)"])]);
    rig.engine.recorder.fails = true;
    rig.advance(Duration::from_secs(2));
    rig.answer();
    assert_eq!(rig.under_review(), ["Heat (1995)"]);
    assert!(rig.engine.record_fails.is_some());
    rig.engine.recorder.fails = false;
    rig.advance(Duration::from_secs(2));
    assert!(rig.engine.recorder.told.is_empty());
    rig.advance(Duration::from_hours(1));
    rig.answer();
    assert_eq!(rig.engine.recorder.told, ["film:heat:1995#1"]);
    assert_eq!(rig.under_review(), Vec::<String>::new());
}

#[test]
fn a_lost_index_of_titles_is_made_anew_as_it_was() {
    let mut rig = Rig::new();
    rig.look("a");
    rig.list("a", HEAT);
    rig.list("a", &[("", &["Loose (1999).mkv"], &["Heat (1995)", "Ronin (1998)", "S"])]);
    rig.list("a", &[("S", &["S01E01.mkv", "S01E02.mkv"], &[])]);
    rig.walked();
    let store = Arc::clone(&rig.engine.store);
    let all = || {
        let items = store.search("", 99).unwrap();
        let keys: Vec<_> = items.iter().flat_map(crate::domain::Item::match_keys).collect();
        let mut titles = store.titles(&keys).unwrap();
        titles.sort();
        titles
    };
    let before = all();
    assert_eq!(before.len(), 4, "{before:?}");
    rig.engine.mend_titles().unwrap();
    assert_eq!(all(), before);
    Storage::replace_titles(&*store, &[]).unwrap();
    assert!(all().is_empty());
    store.lose_titles();
    rig.engine.mend_titles().unwrap();
    assert_eq!(all(), before);
}

#[test]
fn a_confirmed_deletion_whose_record_can_not_be_read_again_is_held_and_told_once_it_can() {
    let store = Arc::new(crate::store::Memory::new());
    let mut rig = Rig::on(Arc::clone(&store), tempfile::tempdir().unwrap());
    rig.look("a");
    rig.list("a", HEAT);
    rig.walked();
    rig.list("a", &[("", &[], &["Ronin (1998)"])]);
    store.lose_entries(true);
    rig.advance(Duration::from_secs(2));
    rig.answer();
    assert_eq!(rig.engine.recorder.told, Vec::<String>::new());
    assert_eq!(rig.under_review(), ["Heat (1995)"]);
    store.lose_entries(false);
    rig.advance(Duration::from_hours(1));
    rig.answer();
    assert_eq!(rig.engine.recorder.told, ["film:heat:1995#1"]);
}

#[test]
fn a_clock_that_is_set_does_not_hide_the_other_half_of_a_move() {
    for jump in [-9_000_000_000, 9_000_000_000] {
        let mut rig = Rig::new();
        rig.look("a");
        rig.list("a", HEAT);
        rig.walked();
        rig.list("a", &[("", &["new.mkv"], &["Heat (1995)", "Ronin (1998)"])]);
        rig.now.wall = Timestamp::from_millis(rig.now.wall.as_millis() + jump);
        rig.advance(Duration::from_hours(7));
        rig.advance(Duration::from_mins(30));
        rig.list("a", &[("Plain", &["other.mkv"], &[])]);
        rig.now.wall = Timestamp::from_millis(rig.now.wall.as_millis() + jump);
        rig.list("a", &[("Heat (1995)", &[], &[])]);
        rig.advance(Duration::from_secs(5));
        let orders = rig.engine.take_orders();
        let probe = orders.iter().find_map(|order| match order {
            Order::Probe(probe) => Some(probe),
            _ => None,
        });
        let job = jobs::job(&*rig.engine.store, probe.unwrap(), &jobs::Unseen::default()).unwrap();
        let arrived: Vec<String> = job.arrived.iter().map(|a| a.path.to_string()).collect();
        assert_eq!(arrived, ["media:Plain/other.mkv"], "{jump}");
    }
}

#[test]
fn a_title_that_had_its_file_again_since_did_not_become_another() {
    for comes_back in [false, true] {
        let mut rig = Rig::new();
        rig.look("a");
        rig.list("a", HEAT);
        rig.walked();
        rig.list("a", &[("Plain", &["other.mkv"], &[])]);
        rig.advance(Duration::from_secs(1));
        if comes_back {
            rig.list("a", &[("Heat (1995)", &["again.mkv", "heat.mkv"], &[])]);
            rig.advance(Duration::from_secs(1));
        }
        rig.list("a", &[("Heat (1995)", &[], &[])]);
        rig.advance(Duration::from_secs(5));
        let orders = rig.engine.take_orders();
        let probe = orders.iter().find_map(|order| match order {
            Order::Probe(probe) => Some(probe),
            _ => None,
        });
        let job = jobs::job(&*rig.engine.store, probe.unwrap(), &jobs::Unseen::default()).unwrap();
        let other = job.arrived.iter().filter(|a| a.path.to_string() == "media:Plain/other.mkv");
        let last: Vec<bool> = other.map(|arrived| arrived.last).collect();
        assert!(!last.is_empty() && last.iter().all(|last| *last != comes_back), "{last:?}");
    }
}

#[test]
fn a_probe_is_not_awaited_any_more_once_all_begins_to_wait_again() {
    let mut rig = Rig::new();
    rig.look("a");
    rig.list("a", HEAT);
    rig.walked();
    rig.list("a", &[("", &[], &["Ronin (1998)"])]);
    rig.advance(Duration::from_secs(2));
    let probes = |rig: &mut Rig| -> Vec<crate::core::Probe> {
        let orders = rig.engine.take_orders().into_iter();
        orders
            .filter_map(|order| match order {
                Order::Probe(probe) => Some(probe),
                _ => None,
            })
            .collect()
    };
    let first = probes(&mut rig);
    assert!(rig.engine.awaits(&first[0]));
    rig.engine.gap(rig.now);
    assert!(!rig.engine.awaits(&first[0]));
    rig.advance(Duration::from_secs(2));
    let second = probes(&mut rig);
    assert!(rig.engine.awaits(&second[0]));
    assert!(!rig.engine.awaits(&first[0]));
}

#[test]
fn a_folder_of_many_titles_that_is_gone_is_many_lost_titles() {
    const TITLES: usize = 20_000;
    let store = crate::store::Memory::new();
    let rel = |path: &str| RelPath::parse(path.as_bytes()).unwrap();
    let fs = FsId(1);
    let record = |files: Vec<Media>, subdirs: Vec<Name>| Directory {
        fs,
        looked: Timestamp::default(),
        files,
        subdirs,
    };
    let name = |text: &str| Name::from(text.as_bytes());
    let title = |n: usize| format!("Film {n:06} (1999)");
    let mut directories = vec![
        (root(), rel(""), Some(record(vec![], vec![name("a"), name("a b")]))),
        (root(), rel("a"), Some(record(vec![], (0..TITLES).map(|n| name(&title(n))).collect()))),
        (root(), rel("a b"), Some(record(vec![], vec![]))),
    ];
    let media = || vec![Media { name: name("f.mkv"), inode: 7, alias: false }];
    directories.extend(
        (0..TITLES)
            .map(|n| (root(), rel(&format!("a/{}", title(n))), Some(record(media(), vec![])))),
    );
    let batch = crate::store::Batch { directories, ..crate::store::Batch::default() };
    store.commit(&batch, crate::store::Durability::Soon).unwrap();
    let listing = Listing {
        dir: rel(""),
        fs,
        at: Timestamp::default(),
        files: vec![],
        subdirs: vec![name("a b")],
        others: vec![],
        tells_others: true,
        births: HashMap::new(),
    };
    let rules = Rules::new(["mkv"], []);
    let root = root();
    let context = listings::Context {
        root: &root,
        title: "m",
        rules: &rules,
        sensor: crate::domain::Sensor::Watcher,
        baseline: false,
        awake: Awake::default(),
        within: None,
    };
    let now = Now { wall: Timestamp::default(), awake: Awake::default() };
    let core = crate::core::Core::new(Policy::default(), crate::core::Saved::default(), None, now);
    let moves = moves::Moves::default();
    let applied = listings::apply(context, &store, &[listing], &moves, &core).unwrap();
    assert_eq!(applied.observations.len(), TITLES);
    assert_eq!(applied.batch.gone_titles.len(), TITLES);
    let gone = applied.batch.directories.iter().filter(|(_, _, record)| record.is_none());
    assert_eq!(gone.count(), TITLES + 1);
}

#[test]
fn a_folder_of_titles_is_explained_as_what_it_is_and_a_title_by_its_folder() {
    let mut rig = Rig::new();
    rig.look("a");
    rig.list("a", HEAT);
    rig.list("a", &[("", &[], &["Heat (1995)", "Ronin (1998)", "new\n2030 x"])]);
    rig.list("a", &[("new\n2030 x", &[], &["Alien (1979)"])]);
    rig.list("a", &[("new\n2030 x/Alien (1979)", &["alien.mkv"], &[])]);
    rig.walked();
    let told = |path: &str| {
        let known = explain::Known::of(&rig.engine);
        let story = explain::explain(&*rig.engine.store, &known, path).unwrap().stories.remove(0);
        (story.state, story.summary, story.places)
    };
    let (state, summary, places) = told("/m");
    assert_eq!((state.as_str(), places.len()), ("folder", 3));
    assert!(summary.contains("3 titles"), "{summary}");
    let (state, summary, places) = told("/m/new\n2030 x");
    assert_eq!(
        (state.as_str(), &places[..]),
        ("folder", &["/m/new\\n2030 x/Alien (1979)".to_owned()][..])
    );
    assert!(summary.starts_with("/m/new\\n2030 x is a folder with 1 title"), "{summary}");
    assert_eq!(told("/m/Heat (1995)").0, "alive");
    assert_eq!(told("/m/Heat (1995)/heat.mkv").0, "alive");
    assert_eq!(told("/m/nothing").0, "unknown");
}

fn wanted_probe(rig: &mut Rig) -> crate::core::Probe {
    let orders = rig.engine.take_orders().into_iter();
    let probe = |order| match order {
        Order::Probe(probe) => Some(probe),
        _ => None,
    };
    orders.filter_map(probe).next().expect("a probe")
}

fn hunts(rig: &mut Rig) -> Vec<u64> {
    let orders = rig.engine.take_orders().into_iter();
    let number = |order| match order {
        Order::Hunt { number, .. } => Some(number),
        _ => None,
    };
    orders.filter_map(number).collect()
}

/// `Heat` was moved away, its folder with it.
fn moved_away() -> Rig {
    let mut rig = Rig::new();
    rig.look("a");
    rig.list("a", HEAT);
    rig.walked();
    rig.engine.watching(&root(), 3, 3, None);
    rig.engine.moved(&root(), 7, RelPath::parse(b"Heat (1995)").unwrap(), false);
    rig.engine.take_orders();
    rig.list("a", &[("", &[], &["Ronin (1998)"])]);
    rig
}

#[test]
fn what_was_moved_away_is_looked_for_and_only_a_look_to_the_end_counts() {
    let mut rig = moved_away();
    rig.engine.tick(rig.now).unwrap();
    let [first] = hunts(&mut rig)[..] else { panic!("one look") };
    assert!(!rig.engine.has_hunted(rig.now));
    // An error on the way.
    rig.engine.hunted(rig.now, &root(), first, None).unwrap();
    rig.advance(Duration::from_secs(1));
    let probe = wanted_probe(&mut rig);
    assert_eq!(rig.engine.not_hunted(rig.now, &probe), [root()]);
    rig.advance(Duration::from_millis(1));
    let [second] = hunts(&mut rig)[..] else { panic!("another look") };
    rig.engine.hunted(rig.now, &root(), first, Some(vec![])).unwrap();
    assert!(!rig.engine.has_hunted(rig.now), "the answer to another question");
    rig.engine.hunted(rig.now, &root(), second, Some(vec![])).unwrap();
    assert!(rig.engine.has_hunted(rig.now));
    assert_eq!(rig.engine.not_hunted(rig.now, &probe), []);
}

#[test]
fn a_look_that_takes_too_long_or_was_at_a_root_that_changed_since_counts_for_nothing() {
    let mut rig = moved_away();
    rig.advance(Duration::from_mins(2));
    assert!(!rig.engine.has_hunted(rig.now));
    rig.advance(Duration::from_mins(3));
    let probe = wanted_probe(&mut rig);
    assert_eq!(rig.engine.not_hunted(rig.now, &probe), [root()], "it never came back");

    let mut rig = moved_away();
    rig.engine.tick(rig.now).unwrap();
    let [first] = hunts(&mut rig)[..] else { panic!("one look") };
    rig.engine.hunted(rig.now, &root(), first, Some(vec![])).unwrap();
    rig.look("b");
    rig.look("a");
    rig.advance(Duration::from_secs(1));
    let probe = wanted_probe(&mut rig);
    assert_eq!(rig.engine.not_hunted(rig.now, &probe), [root()]);
}

#[test]
fn what_went_while_events_were_lost_is_looked_for_and_what_is_plainly_removed_is_not() {
    for (is_lost, expected) in [(true, 1), (false, 0)] {
        let mut rig = Rig::new();
        rig.look("a");
        rig.list("a", HEAT);
        rig.walked();
        rig.engine.watching(&root(), 3, 3, None);
        if is_lost {
            rig.engine.events_lost(&root());
        }
        rig.engine.take_orders();
        rig.list("a", &[("", &[], &["Ronin (1998)"])]);
        rig.engine.tick(rig.now).unwrap();
        assert_eq!(hunts(&mut rig).len(), expected);
    }
}

#[test]
fn what_a_walk_brings_to_light_while_others_are_looked_for_is_looked_for_next() {
    let mut rig = moved_away();
    rig.engine.tick(rig.now).unwrap();
    let [first] = hunts(&mut rig)[..] else { panic!("one look") };
    rig.walk = Some(Walk::Rescan { why: Why::Timer });
    rig.list("a", &[("", &[], &[])]);
    rig.walked();
    rig.engine.hunted(rig.now, &root(), first, Some(vec![])).unwrap();
    rig.engine.tick(rig.now).unwrap();
    assert_eq!(hunts(&mut rig).len(), 1, "no other walk is waited for");
}

#[test]
fn what_accepting_another_disk_would_report_is_named_before() {
    let mut rig = Rig::new();
    rig.look("a");
    rig.list("a", HEAT);
    rig.walked();
    let named = |rig: &mut Rig, go: bool| {
        let view = view::accept(&mut rig.engine, rig.now, "media", go).unwrap();
        let titles = view.map(|view| view.titles).unwrap_or_default().into_iter();
        titles.map(|title| (title.item.title, title.files)).collect::<Vec<_>>()
    };
    assert_eq!(named(&mut rig, false), []);
    rig.look("b");
    let both = [("Heat".to_owned(), 1), ("Ronin".to_owned(), 1)];
    assert_eq!(named(&mut rig, false), both);
    assert_eq!(rig.engine.health(&root()), Some(Health::Offline), "only asked");
    assert_eq!(named(&mut rig, true), both);
    assert_eq!(rig.engine.health(&root()), Some(Health::Online));
}
