//! The engine with a real store, told what a watcher would tell it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::core::{Findings, Policy};
use crate::domain::{
    Awake, DiskLook, Entry, FsId, Health, Identity, Now, RelPath, RootLook, RootName, Timestamp,
};
use crate::inventory::{Listing, Media, Name, Rules};
use crate::store::{Loaded, Opened, Store};

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

struct Rig {
    engine: Engine<Store, Memory>,
    now: Now,
    seq: u64,
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
    }
}

impl Rig {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let Opened { store, .. } =
            crate::store::open(dir.path(), true, Timestamp::default()).unwrap();
        let now = Now { wall: Timestamp::from_millis(1_000), awake: Awake::default() };
        let policy = Policy { settle: Duration::from_secs(1), ..Policy::default() };
        let history = Duration::from_hours(1);
        let store: Arc<Store> = store;
        let loaded = Loaded::default();
        let mut engine =
            Engine::new(store, Memory::default(), loaded, None, policy, history, now).unwrap();
        engine.configure(now, vec![spec()]).unwrap();
        Self { engine, now, seq: 0, _dir: dir }
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
        };
        self.seq += 1;
        let report = Listed {
            root: root(),
            seq: self.seq,
            identity: identity.clone(),
            listings: dirs.iter().map(listing).collect(),
            lays: vec![],
            at_start: false,
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
            let findings = Findings {
                probe: probe.id,
                candidate: probe.candidate,
                disk,
                services: vec![],
                evidence: vec![],
                at: self.now.wall,
                age: Duration::ZERO,
            };
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
    crate::store::Storage::commit(&*rig.engine.store, &gone, crate::store::Durability::Soon)
        .unwrap();
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
