//! A pool that loses branches and a person who gives them up, told to the core.

use std::path::Path;

use super::super::{Effect, Findings, Policy, Saved};
use super::*;
use crate::domain::{
    Awake, Cause, DiskLook, EntryState, FileId, FileLook, FilePath, FileState, FsId, Item, Kind,
    Observation, Place, ProviderIds, RelPath, Sensor, Stage, Timestamp,
};

fn name() -> RootName {
    RootName::parse("media").unwrap()
}

fn path(text: &str) -> AbsPath {
    AbsPath::new(Path::new(text))
}

fn disk(uuid: &str) -> Identity {
    Identity {
        boot: "b".into(),
        mount: 1,
        device: 1,
        fs_type: "ext4".into(),
        source: "/dev/sda".into(),
        uuid: Some(uuid.into()),
        inode: None,
        born: None,
        pool: None,
    }
}

/// The pool's identity with these disks in its branches `/d0`, `/d1`, ...
fn pool(disks: &[&str]) -> Identity {
    let branch = |(at, uuid): (usize, &&str)| Branch {
        path: path(&format!("/d{at}")),
        is: (!uuid.is_empty()).then(|| Box::new(disk(uuid))),
        must: false,
    };
    let branches = disks.iter().enumerate().map(branch).collect();
    Identity { pool: Some(Box::new(Pool { total: None, branches })), ..disk("pool") }
}

struct Rig {
    core: Core,
    now: Now,
}

impl Rig {
    fn new(adopted: &Identity) -> Self {
        let now = Now { wall: Timestamp::from_millis(1_000), awake: Awake::default() };
        let mut core = Core::new(Policy::default(), Saved::default(), None, now);
        core.configure_root(now, &name(), "/m", false);
        core.adopt(now, &name(), adopted);
        let mut rig = Self { core, now };
        rig.look(adopted);
        rig
    }

    fn look(&mut self, identity: &Identity) {
        let look = RootLook::Seen { identity: identity.clone() };
        self.core.handle_look(self.now, &name(), &look);
    }

    fn miss(&mut self) {
        let look = RootLook::Missing { why: "gone".into() };
        self.core.handle_look(self.now, &name(), &look);
    }

    fn health(&self) -> (Health, &str) {
        let root = &self.core.roots()[&name()];
        (root.health, &root.reason)
    }

    fn lose(&mut self, file: &str, retired: bool, in_root: bool) {
        let title = file.split('/').next().unwrap();
        let rel = RelPath::parse(file.as_bytes()).unwrap();
        let lost = LostFile {
            path: FilePath::new(name(), rel),
            id: FileId { fs: FsId(1), inode: 1 },
            looked: self.now.wall,
            extra: false,
            retired,
            sought: false,
        };
        let place =
            Place { root: name(), folder: RelPath::parse(title.as_bytes()).unwrap(), loose: false };
        let ids = ProviderIds::default();
        let item = Item { kind: Kind::Film, title: title.into(), year: None, ids };
        let places = if in_root { vec![place] } else { vec![] };
        let sensor = Sensor::Watcher;
        let lost = Observation::Lost { item, places, files: vec![lost], sensor };
        self.core.handle_observation(self.now, lost);
    }

    /// Waits for the probe and answers it: nothing is there. `look` is how the root was found.
    fn probe(&mut self, look: Option<&Identity>) {
        self.now.awake = self.core.poll_timeout().unwrap();
        self.core.handle_timeout(self.now);
        while let Some(effect) = self.core.poll_effect() {
            let Effect::Probe(probe) = effect else { continue };
            let file = |file: &LostFile| FileLook {
                path: file.path.clone(),
                shown: path("/m/x"),
                state: FileState::Absent,
            };
            let seen = look.map(|identity| RootLook::Seen { identity: identity.clone() });
            let disk = DiskLook {
                files: probe.lost.iter().map(file).collect(),
                roots: seen.map(|seen| (name(), seen.clone(), seen)).into_iter().collect(),
                ..DiskLook::default()
            };
            let findings = Findings::of_disk(&probe, disk, self.now.wall);
            self.core.handle_probe(self.now, &findings);
        }
    }

    fn causes(&mut self) -> Vec<(String, Cause)> {
        let entries = self.core.take_changes().entries;
        let queued = entries.iter().filter(|entry| entry.state == EntryState::Queued);
        queued.map(|e| (e.deletion.item.title.clone(), e.deletion.cause)).collect()
    }
}

#[test]
fn a_pool_without_one_of_its_branches_is_suspect_and_says_which() {
    let mut rig = Rig::new(&pool(&["a", "b", "c"]));
    for without_b in [pool(&["a", "slash", "c"]), pool(&["a", "", "c"]), pool(&["a"])] {
        rig.look(&without_b);
        let (health, reason) = rig.health();
        assert_eq!(health, Health::Suspect);
        assert!(reason.contains("branch /d1"), "{reason}");
        assert!(!rig.core.reads(&name(), &without_b) && !rig.core.believes(&name(), &without_b));
        rig.look(&pool(&["a", "b", "c"]));
        assert_eq!(rig.health().0, Health::Online);
    }
    rig.look(&pool(&["slash", "slash", "slash"]));
    assert_eq!(rig.health().0, Health::Suspect, "all of them");
}

#[test]
fn a_candidate_of_a_pool_that_lost_a_branch_is_held_and_names_it() {
    let mut rig = Rig::new(&pool(&["a", "b"]));
    rig.lose("Film/a.mkv", false, true);
    rig.look(&pool(&["a", "slash"]));
    let candidate = rig.core.candidates().values().next().unwrap();
    let Stage::Held { holding, .. } = &candidate.stage else { panic!("{candidate:?}") };
    assert!(holding.why.to_string().contains("branch /d1 is away"), "{}", holding.why);
    assert_eq!(rig.core.poll_timeout(), None);
}

#[test]
fn a_branch_that_is_there_can_not_be_retired_and_one_that_is_away_can() {
    let mut rig = Rig::new(&pool(&["a", "b", "c"]));
    assert!(rig.core.can_retire_branch(&name(), &path("/d1")).is_err());
    rig.look(&pool(&["a", "new", "slash"]));
    assert!(rig.core.can_retire_branch(&name(), &path("/d0")).is_err());
    assert!(rig.core.can_retire_branch(&name(), &path("/d9")).is_err());
    let branch = rig.core.can_retire_branch(&name(), &path("/d1")).unwrap();
    assert_eq!(branch.fs, disk("b").file_system());
    rig.core.retire_branch(rig.now, &name(), &branch);
    let (health, reason) = rig.health();
    assert_eq!(health, Health::Suspect, "the other one is away still");
    assert!(!reason.contains("/d1") && reason.contains("/d2"), "{reason}");
    rig.look(&pool(&["a", "new", "c"]));
    assert_eq!(rig.health().0, Health::Online);
    assert!(rig.core.are_retired(&name(), std::slice::from_ref(&branch)));
    assert!(!rig.core.are_retired(&name(), &[]));
}

#[test]
fn what_lay_on_a_retired_branch_dies_of_disk_loss_and_the_rest_as_ever() {
    let without = pool(&["a", "slash"]);
    let mut rig = Rig::new(&pool(&["a", "b"]));
    rig.look(&without);
    let branch = rig.core.can_retire_branch(&name(), &path("/d1")).unwrap();
    rig.core.retire_branch(rig.now, &name(), &branch);
    rig.lose("Film/a.mkv", true, true);
    rig.lose("Other/a.mkv", false, true);
    rig.lose("Both/a.mkv", true, true);
    rig.lose("Both/b.mkv", false, true);
    rig.probe(Some(&without));
    let mut causes = rig.causes();
    causes.sort();
    let expected = [("Both", Cause::Removed), ("Film", Cause::DiskLoss), ("Other", Cause::Removed)];
    assert_eq!(causes, expected.map(|(title, cause)| (title.to_owned(), cause)));
}

#[test]
fn a_branch_that_comes_back_is_distrusted_until_it_is_taken_over_and_is_retired_no_more() {
    let mut rig = Rig::new(&pool(&["a", "b"]));
    rig.look(&pool(&["a", "slash"]));
    let branch = rig.core.can_retire_branch(&name(), &path("/d1")).unwrap();
    rig.core.retire_branch(rig.now, &name(), &branch);
    assert_eq!(rig.health().0, Health::Online);
    rig.look(&pool(&["a", "b"]));
    assert_eq!(rig.health().0, Health::Suspect);
    let changed = rig.core.changed_branches(&name());
    assert_eq!(changed[0].0.fs, disk("slash").file_system());
    rig.core.take_over_branch(rig.now, &name(), &path("/d1"));
    assert_eq!(rig.health().0, Health::Online);
    assert!(!rig.core.are_retired(&name(), &[branch]));
}

#[test]
fn only_a_root_that_is_away_can_be_retired() {
    let mut rig = Rig::new(&disk("a"));
    assert!(rig.core.can_retire(&name()).is_err());
    assert!(rig.core.can_retire(&RootName::parse("x").unwrap()).is_err());
    rig.miss();
    assert!(rig.core.can_retire(&name()).is_ok());
    rig.core.retire(rig.now, &name());
    assert!(rig.core.can_retire(&name()).is_err(), "once");
}

#[test]
fn what_lay_in_a_retired_root_dies_of_disk_loss_without_a_look_at_it() {
    let mut rig = Rig::new(&disk("a"));
    rig.lose("Before/a.mkv", false, true);
    rig.miss();
    rig.core.retire(rig.now, &name());
    rig.lose("Film/a.mkv", true, false);
    rig.probe(None);
    let mut causes = rig.causes();
    causes.sort();
    let expected = [("Before", Cause::DiskLoss), ("Film", Cause::DiskLoss)];
    assert_eq!(causes, expected.map(|(title, cause)| (title.to_owned(), cause)));
    assert_eq!(rig.health().0, Health::Waiting);
    rig.core.adopt(rig.now, &name(), &disk("z"));
    assert!(rig.core.roots()[&name()].state.retired.is_empty());
}

#[test]
fn a_pool_is_not_adopted_while_a_branch_that_must_be_mounted_is_not() {
    let mut seen = pool(&["a", ""]);
    seen.pool.as_mut().unwrap().branches[1].must = true;
    let now = Now { wall: Timestamp::from_millis(1), awake: Awake::default() };
    let mut core = Core::new(Policy::default(), Saved::default(), None, now);
    core.configure_root(now, &name(), "/m", false);
    core.handle_look(now, &name(), &RootLook::Seen { identity: seen });
    let root = &core.roots()[&name()];
    assert_eq!((root.health, &*root.reason), (Health::Waiting, "branch /d1 is not mounted"));
}

#[test]
fn a_branch_that_can_not_be_looked_at_is_retired_while_the_pool_has_another_size() {
    let of = |total| {
        let mut identity = pool(&["", ""]);
        identity.pool.as_mut().unwrap().total = Some(total);
        identity
    };
    let (all, less) = (of(8 << 40), of(4 << 40));
    let mut rig = Rig::new(&all);
    assert!(rig.core.can_retire_branch(&name(), &path("/d1")).is_err());
    rig.look(&less);
    assert_eq!(rig.health().0, Health::Suspect);
    let branch = rig.core.can_retire_branch(&name(), &path("/d1")).unwrap();
    rig.core.retire_branch(rig.now, &name(), &branch);
    assert_eq!(rig.health().0, Health::Online);
    assert!(rig.core.are_retired(&name(), &[branch]));
}
