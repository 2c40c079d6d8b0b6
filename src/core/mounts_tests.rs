//! Mounts below a root, network file systems and automounts, told to the core as they would be.

use std::time::Duration;

use super::*;
use crate::domain::{
    AbsPath, DiskLook, FileId, FileLook, FilePath, FileState, FsId, Kind, Place, ProviderIds,
    RelPath, Sensor, Timestamp,
};

const SETTLE: Duration = Duration::from_secs(60);

struct Rig {
    core: Core,
    now: Now,
    fs_type: &'static str,
}

fn name(text: &str) -> RootName {
    RootName::parse(text).unwrap()
}

fn rel(path: &str) -> RelPath {
    RelPath::parse(path.as_bytes()).unwrap()
}

fn identity(root: &str, fs_type: &str) -> Identity {
    Identity {
        boot: "b".into(),
        mount: root.len() as u64,
        device: 1,
        fs_type: fs_type.into(),
        source: root.into(),
        uuid: None,
        inode: Some(2),
        born: None,
        pool: None,
    }
}

fn film(folder: &str) -> Item {
    let title = folder.rsplit('/').next().unwrap().to_owned();
    Item { kind: Kind::Film, title, year: None, ids: ProviderIds::default() }
}

impl Rig {
    fn new(fs_type: &'static str) -> Self {
        let now = Now { wall: Timestamp::from_millis(1), awake: Awake::from_millis(1) };
        let policy = Policy { settle: SETTLE, ..Policy::default() };
        let mut core = Core::new(policy, Saved::default(), None, now);
        for root in ["movies", "movies:uhd"] {
            core.configure_root(now, &name(root), "basis", false);
            core.adopt(now, &name(root), &identity(root, fs_type));
        }
        let mut rig = Self { core, now, fs_type };
        rig.all_well();
        rig
    }

    fn all_well(&mut self) {
        for root in ["movies", "movies:uhd"] {
            self.look(root, true);
        }
        self.wait(Duration::from_secs(1));
    }

    fn look(&mut self, root: &str, there: bool) {
        let look = match there {
            true => RootLook::Seen { identity: identity(root, self.fs_type) },
            false => RootLook::Missing { why: format!("nothing is mounted at /{root}") },
        };
        self.core.handle_look(self.now, &name(root), &look);
    }

    fn wait(&mut self, span: Duration) {
        self.now = Now { wall: self.now.wall.plus(span), awake: self.now.awake.plus(span) };
        self.core.handle_timeout(self.now);
    }

    fn lose(&mut self, root: &str, folder: &str, sensor: Sensor) {
        let folder_path = rel(folder);
        let path = FilePath::new(name(root), folder_path.join(b"a.mkv"));
        let id = FileId { fs: FsId(1), inode: 7 };
        let lost = LostFile {
            path,
            id,
            looked: self.now.wall,
            extra: false,
            retired: false,
            sought: false,
        };
        let place = Place { root: name(root), folder: folder_path, loose: false };
        let (item, places, files) = (film(folder), vec![place], vec![lost]);
        let lost = Observation::Lost { item, places, files, sensor };
        self.core.handle_observation(self.now, lost);
    }

    /// Answers each probe: nothing of it is there.
    fn answer(&mut self) {
        while let Some(effect) = self.core.poll_effect() {
            let Effect::Probe(probe) = effect else { continue };
            let shown = |path: &FilePath| AbsPath::new(std::path::Path::new(&path.to_string()));
            let look = |file: &LostFile| FileLook {
                path: file.path.clone(),
                shown: shown(&file.path),
                state: FileState::Absent,
            };
            let root = probe.places[0].root.clone();
            let seen = RootLook::Seen { identity: identity(root.as_str(), self.fs_type) };
            let disk = DiskLook {
                files: probe.lost.iter().map(look).collect(),
                roots: vec![(root, seen.clone(), seen)],
                ..DiskLook::default()
            };
            let findings = Findings::of_disk(&probe, disk, self.now.wall);
            self.core.handle_probe(self.now, &findings);
        }
    }

    fn settle(&mut self) {
        self.wait(SETTLE);
        self.answer();
    }

    /// What was decided since the last call.
    fn told(&mut self) -> Vec<&'static str> {
        let decisions = self.core.take_changes().decisions;
        let word = |decision: &Decision| match &decision.what {
            What::Lost { .. } => "lost",
            What::Held { why } => why.kind(),
            What::Confirmed { .. } => "confirmed",
            What::Retracted { .. } => "retracted",
            What::Accepted => "accepted",
            _ => "",
        };
        decisions.iter().map(word).filter(|word| !word.is_empty()).collect()
    }
}

#[test]
fn what_may_have_been_moved_to_a_mount_that_is_away_is_held_until_it_is_back() {
    let mut rig = Rig::new("ext4");
    rig.look("movies:uhd", false);
    assert_eq!(rig.core.roots()[&name("movies:uhd")].health, Health::Offline);
    assert_eq!(rig.core.roots()[&name("movies")].health, Health::Online);
    rig.wait(Duration::from_hours(9));
    rig.lose("movies", "Heat", Sensor::Watcher);
    rig.settle();
    assert_eq!(rig.told(), ["lost", "other_root"]);
    rig.look("movies:uhd", true);
    rig.settle();
    assert_eq!(rig.told(), ["confirmed"]);
}

#[test]
fn so_is_what_went_while_nobody_watched() {
    let mut rig = Rig::new("ext4");
    let state = |rig: &Rig, root: &str| (name(root), rig.core.roots()[&name(root)].state.clone());
    let roots = vec![state(&rig, "movies"), state(&rig, "movies:uhd")];
    let saved = Saved { roots, ..Saved::default() };
    rig.core = Core::new(Policy { settle: SETTLE, ..Policy::default() }, saved, None, rig.now);
    rig.look("movies", true);
    rig.look("movies:uhd", false);
    rig.wait(Duration::from_hours(1));
    rig.lose("movies", "Heat", Sensor::Start);
    rig.settle();
    assert_eq!(rig.told(), ["lost", "other_root"]);
}

#[test]
fn a_title_with_a_mount_in_its_own_folder_does_not_die_while_that_is_away() {
    let mut rig = Rig::new("ext4");
    rig.look("movies:uhd", false);
    rig.wait(Duration::from_hours(9));
    rig.lose("movies", "", Sensor::Watcher);
    rig.lose("movies", "uhd/below", Sensor::Watcher);
    rig.settle();
    assert_eq!(rig.told(), ["lost", "lost", "other_root", "other_root"]);
}

#[test]
fn what_lay_on_a_mount_that_is_given_up_is_looked_for_in_the_root_around_it() {
    let mut rig = Rig::new("ext4");
    rig.lose("movies:uhd", "Heat", Sensor::Watcher);
    assert!(!rig.core.can_accept(&name("movies:uhd")));
    rig.look("movies:uhd", false);
    rig.wait(Duration::from_hours(9));
    rig.answer();
    assert_eq!(rig.told(), ["lost", "unknown"]);
    rig.look("movies", false);
    assert!(!rig.core.can_accept(&name("movies:uhd")), "nobody can look at what is there instead");
    rig.look("movies", true);
    assert!(rig.core.can_accept(&name("movies:uhd")));
    rig.core.absorb(rig.now, &name("movies:uhd"), FsId(9), 1);
    assert!(!rig.core.roots().contains_key(&name("movies:uhd")));
    let candidate = rig.core.candidates().values().next().unwrap();
    assert_eq!(candidate.places[0].folder, rel("uhd/Heat"));
    assert_eq!(candidate.lost[0].path, FilePath::new(name("movies"), rel("uhd/Heat/a.mkv")));
    assert_eq!(candidate.lost[0].id.fs, FsId(9));
    rig.settle();
    assert_eq!(rig.told(), ["accepted", "confirmed"]);
}

#[test]
fn on_a_network_file_system_an_absence_is_seen_twice_an_hour_apart() {
    let mut rig = Rig::new("nfs4");
    rig.lose("movies", "Heat", Sensor::Watcher);
    rig.settle();
    assert_eq!(rig.told(), ["lost", "unknown"]);
    let candidate = rig.core.candidates().values().next().unwrap();
    assert!(candidate.absent.is_some() && !candidate.evidence.is_empty());
    rig.wait(Duration::from_mins(59));
    rig.answer();
    assert_eq!(rig.told(), Vec::<&str>::new());
    rig.wait(Duration::from_mins(1));
    rig.answer();
    assert_eq!(rig.told(), ["confirmed"]);
}

#[test]
fn the_first_look_outlives_a_restart_and_a_gap_but_no_change_of_health_and_no_other_loss() {
    let check = |between: &dyn Fn(&mut Rig), expected: &[&str]| {
        let mut rig = Rig::new("cifs");
        rig.lose("movies", "Heat", Sensor::Watcher);
        rig.settle();
        rig.wait(Duration::from_mins(30));
        between(&mut rig);
        rig.told();
        rig.wait(Duration::from_mins(29));
        rig.answer();
        rig.wait(Duration::from_mins(1));
        rig.answer();
        rig.wait(Duration::from_mins(1));
        rig.answer();
        assert_eq!(rig.told(), expected);
    };
    check(&|_| (), &["confirmed"]);
    check(&|rig| rig.core.handle_gap(rig.now), &["confirmed"]);
    let restart = |rig: &mut Rig| {
        let roots = rig.core.roots().iter().map(|(n, r)| (n.clone(), r.state.clone())).collect();
        let candidates = rig.core.candidates().values().cloned().collect();
        let saved = Saved { roots, candidates, ..Saved::default() };
        let policy = Policy { settle: SETTLE, ..Policy::default() };
        rig.core = Core::new(policy, saved, None, rig.now);
        rig.all_well();
    };
    check(&restart, &["confirmed"]);
    let away = |rig: &mut Rig| {
        rig.look("movies", false);
        rig.look("movies", true);
    };
    check(&away, &["unknown"]);
    check(&|rig| rig.lose("movies", "Heat", Sensor::Watcher), &["unknown"]);
}

#[test]
fn nothing_is_decided_under_an_automount_that_has_expired() {
    let mut rig = Rig::new("ext4");
    rig.lose("movies", "Heat", Sensor::Watcher);
    let idle = RootLook::Idle { why: "nothing is mounted now".into() };
    rig.core.handle_look(rig.now, &name("movies"), &idle);
    assert_eq!(rig.core.roots()[&name("movies")].health, Health::Idle);
    rig.wait(Duration::from_hours(9));
    rig.answer();
    assert_eq!(rig.told(), ["lost", "unknown"]);
    rig.look("movies", true);
    rig.settle();
    assert_eq!(rig.told(), ["confirmed"]);
}
