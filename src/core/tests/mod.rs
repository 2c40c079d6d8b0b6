//! Sequences of what can happen, by hand and at random, with the invariants checked after each step.

mod kin;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::domain::{
    AbsPath, CandidateId, DeletionId, DiskLook, FileId, FileLook, FilePath, FileState, Found,
    FoundFile, FsId, Kind, Life, LostFile, Place, ProviderIds, RelPath, Sensor, Timestamp,
};

const SETTLE: Duration = Duration::from_secs(60);

fn root_name(root: usize) -> RootName {
    RootName::parse(["movies", "shows"][root]).unwrap()
}

fn identity(root: usize, generation: u64) -> Identity {
    Identity {
        boot: "b".into(),
        mount: 10 * root as u64 + generation,
        device: root as u64,
        fs_type: "ext4".into(),
        source: format!("/dev/sd{root}"),
        uuid: Some(format!("u{root}")),
        inode: Some(2),
        born: None,
        pool: None,
    }
}

/// One file of the little world: item, number, root.
type File = (usize, usize, usize);

/// The core in a world of two roots, in which items 0 and 1 are films and 2 and 3 are series.
struct World {
    core: Core,
    now: Now,
    policy: Policy,
    /// What is really there.
    alive: BTreeSet<File>,
    /// What the inventory holds.
    known: BTreeSet<File>,
    online: [bool; 2],
    mounts: u64,
    probes: BTreeMap<CandidateId, Probe>,
    /// What was stored.
    saved: Saved,
    confirmed: BTreeSet<DeletionId>,
    forwarded: Vec<DeletionId>,
    told: Vec<Decision>,
}

impl World {
    fn new() -> Self {
        let policy = Policy { settle: SETTLE, ..Policy::default() };
        let now = Now { wall: Timestamp::from_millis(1_000_000), awake: Awake::from_millis(1) };
        let mut world = Self {
            core: Core::new(policy, Saved::default(), None, now),
            now,
            policy,
            alive: BTreeSet::new(),
            known: BTreeSet::new(),
            online: [true; 2],
            mounts: 0,
            probes: BTreeMap::new(),
            saved: Saved::default(),
            confirmed: BTreeSet::new(),
            forwarded: Vec::new(),
            told: Vec::new(),
        };
        for root in 0..2 {
            world.core.configure_root(world.now, &root_name(root), "basis", false);
            world.core.adopt(world.now, &root_name(root), &identity(root, 0));
        }
        world.upkeep();
        world
    }

    fn item(item: usize) -> Item {
        Item {
            kind: if item < 2 { Kind::Film } else { Kind::Series },
            title: format!("Title {item}"),
            year: Some(2000),
            ids: ProviderIds::default(),
        }
    }

    fn path((item, number, root): File) -> FilePath {
        let rel = format!("Title {item} (2000)/S01E0{number}.mkv");
        FilePath::new(root_name(root), RelPath::parse(rel.as_bytes()).unwrap())
    }

    fn id((item, number, root): File) -> FileId {
        FileId { fs: FsId(root as u64), inode: (item * 10 + number) as u64 }
    }

    fn lost_file(&self, file: File) -> LostFile {
        LostFile {
            path: Self::path(file),
            id: Self::id(file),
            looked: self.now.wall,
            extra: false,
            retired: false,
            sought: false,
        }
    }

    fn place(item: usize, root: usize) -> Place {
        let folder = format!("Title {item} (2000)");
        let folder = RelPath::parse(folder.as_bytes()).unwrap();
        Place { root: root_name(root), folder, loose: false }
    }

    /// Compares what is there with what is known under one root, and says so.
    fn look(&mut self, root: usize, sensor: Sensor) {
        if !self.online[root] {
            return;
        }
        let here = |set: &BTreeSet<File>| -> BTreeSet<File> {
            set.iter().copied().filter(|file| file.2 == root).collect()
        };
        let (alive, known) = (here(&self.alive), here(&self.known));
        for item in 0..4 {
            let of = |files: &BTreeSet<File>, others: &BTreeSet<File>| -> Vec<File> {
                files.difference(others).copied().filter(|file| file.0 == item).collect()
            };
            let (lost, found) = (of(&known, &alive), of(&alive, &known));
            if !found.is_empty() {
                let files = found.iter().map(|file| Self::path(*file)).collect();
                let seen = Observation::Seen { item: Self::item(item), files };
                self.core.handle_observation(self.now, seen);
            }
            if !lost.is_empty() {
                let files = lost.iter().map(|file| self.lost_file(*file)).collect();
                let places = vec![Self::place(item, root)];
                let lost = Observation::Lost { item: Self::item(item), places, files, sensor };
                self.core.handle_observation(self.now, lost);
            }
        }
        self.known.retain(|file| file.2 != root);
        self.known.extend(alive);
        self.upkeep();
    }

    fn look_at_root(&mut self, root: usize) {
        let look = if self.online[root] {
            RootLook::Seen { identity: identity(root, self.mounts) }
        } else {
            RootLook::Missing { why: "not mounted".into() }
        };
        self.core.handle_look(self.now, &root_name(root), &look);
        self.upkeep();
    }

    fn set_online(&mut self, root: usize, online: bool) {
        self.online[root] = online;
        self.mounts += 1;
        self.look_at_root(0);
        self.look_at_root(1);
        self.look(root, Sensor::Watcher);
    }

    /// What an honest prober would bring now.
    fn findings(&self, probe: &Probe) -> Findings {
        let mut disk = DiskLook::default();
        let shown = |path: &FilePath| AbsPath::new(std::path::Path::new(&path.to_string()));
        for file in &probe.lost {
            let root = usize::from(file.path.root == root_name(1));
            let there = self.alive.iter().any(|alive| Self::path(*alive) == file.path);
            let state = match (self.online[root], there) {
                (false, _) => FileState::Unknown { why: "not mounted".into() },
                (true, true) => FileState::Present,
                (true, false) => FileState::Absent,
            };
            disk.files.push(FileLook { path: file.path.clone(), shown: shown(&file.path), state });
        }
        for file in self.alive.iter().filter(|file| self.online[file.2]) {
            if Self::item(file.0) == probe.item {
                let path = Self::path(*file);
                let (shown, id) = (shown(&path), Self::id(*file));
                disk.found.push(FoundFile { path, shown, id, how: Found::InPlace, extra: false });
            }
        }
        for root in 0..2 {
            let look = if self.online[root] {
                RootLook::Seen { identity: identity(root, self.mounts) }
            } else {
                RootLook::Missing { why: "not mounted".into() }
            };
            let concerned = probe.lost.iter().any(|file| file.path.root == root_name(root));
            if concerned {
                disk.roots.push((root_name(root), look.clone(), look));
            }
            let of_root = |set: &BTreeSet<File>| -> Vec<File> {
                set.iter().copied().filter(|file| file.2 == root).collect()
            };
            if self.online[root] && of_root(&self.known) != of_root(&self.alive) {
                disk.behind.push(root_name(root));
            }
        }
        Findings::of_disk(probe, disk, self.now.wall)
    }

    fn answer_all(&mut self) {
        for probe in std::mem::take(&mut self.probes).into_values() {
            let findings = self.findings(&probe);
            self.core.handle_probe(self.now, &findings);
            self.upkeep();
        }
    }

    fn advance(&mut self, span: Duration) {
        self.now = Now { wall: self.now.wall.plus(span), awake: self.now.awake.plus(span) };
        self.core.handle_timeout(self.now);
        self.upkeep();
    }

    fn restart(&mut self) {
        self.now.wall = self.now.wall.plus(Duration::from_secs(5));
        self.core = Core::new(self.policy, self.saved.clone(), None, self.now);
        self.probes.clear();
        self.upkeep();
        for root in 0..2 {
            self.look_at_root(root);
            self.look(root, Sensor::Start);
        }
    }

    /// Stores what changed, takes the effects, checks the invariants.
    fn upkeep(&mut self) {
        let changes = self.core.take_changes();
        self.saved.next_candidate = changes.next_candidate;
        for (name, state) in changes.roots {
            self.saved.roots.retain(|(known, _)| *known != name);
            self.saved.roots.extend(state.map(|state| (name, state)));
        }
        for (key, state) in changes.items {
            self.saved.items.retain(|known| known.item.key() != key);
            self.saved.items.extend(state);
        }
        for (id, candidate) in changes.candidates {
            self.saved.candidates.retain(|known| known.id != id);
            self.saved.candidates.extend(candidate);
        }
        for entry in &changes.entries {
            let deletion = &entry.deletion;
            let alive = self.alive.iter().any(|file| Self::item(file.0) == deletion.item);
            assert!(!alive, "false obituary: {deletion:?}");
            assert!(!deletion.evidence.is_empty(), "no evidence: {deletion:?}");
            assert!(self.confirmed.insert(deletion.id.clone()), "twice: {deletion:?}");
        }
        self.told.extend(changes.decisions);
        while let Some(effect) = self.core.poll_effect() {
            match effect {
                Effect::Probe(probe) => {
                    self.probes.insert(probe.candidate, probe);
                }
                Effect::Forward(id) => {
                    assert!(self.confirmed.contains(&id), "forwarded before it was stored: {id}");
                    self.forwarded.push(id);
                }
            }
        }
        self.check_invariants();
    }

    fn check_invariants(&self) {
        let core = &self.core;
        assert_eq!(core.by_item.len(), core.candidates.len());
        for candidate in core.candidates.values() {
            assert_eq!(core.by_item.get(&candidate.item.key()), Some(&candidate.id));
            assert!(candidate.id < core.next_candidate);
            assert!(!candidate.lost.is_empty() && !candidate.places.is_empty());
            assert!(candidate.lost.is_sorted_by(|a, b| a.path < b.path));
            let state = core.item(&candidate.item.key());
            assert!(state.is_none_or(|state| state.closed.is_none()), "a closed life is reviewed");
            let held = matches!(candidate.stage, Stage::Held { .. });
            let unseen = candidate.places.iter().any(|place| !core.roots[&place.root].looked);
            assert!(core.due(candidate).is_some() || held || unseen, "nothing wakes {candidate:?}");
        }
        let probing = core.candidates.values().filter(|c| matches!(c.stage, Stage::Probing { .. }));
        assert_eq!(probing.count(), core.probe_epochs.len());
        assert_eq!(self.saved.candidates.len(), core.candidates.len());
    }

    /// Lets a healthy world come to rest: then each item is alive or reported.
    fn rest(&mut self) {
        for root in 0..2 {
            self.set_online(root, true);
        }
        for _ in 0..200 {
            self.advance(Duration::from_mins(2));
            self.answer_all();
        }
        assert!(self.core.candidates.is_empty(), "{:?}", self.core.candidates);
        for item in 0..4 {
            let key = Self::item(item).key();
            let alive = self.alive.iter().any(|file| file.0 == item);
            let closed = self.core.item(&key).is_some_and(|state| state.closed.is_some());
            let ever = self.told.iter().any(|told| told.subject == Subject::Item(Self::item(item)));
            assert!(!(alive && closed), "{key} is alive and closed");
            assert!(alive || closed || !ever, "{key} is gone and not reported");
        }
        assert_eq!(self.forwarded.len(), self.confirmed.len());
    }

    fn add(&mut self, file: File) {
        self.alive.insert(file);
        self.look(file.2, Sensor::Watcher);
    }

    fn remove(&mut self, file: File) {
        self.alive.remove(&file);
        self.look(file.2, Sensor::Watcher);
    }

    fn kinds(&self, item: usize) -> Vec<&'static str> {
        let of_item = |told: &&Decision| told.subject == Subject::Item(Self::item(item));
        self.told
            .iter()
            .filter(of_item)
            .map(|told| match &told.what {
                What::Lost { .. } => "lost",
                What::Retracted { .. } => "retracted",
                What::Partial { .. } => "partial",
                What::Held { why } => why.kind(),
                What::Confirmed { .. } => "confirmed",
                What::Returned { .. } => "returned",
                _ => "other",
            })
            .collect()
    }
}

#[test]
fn a_film_that_is_gone_is_confirmed_when_the_world_has_been_quiet_long_enough() {
    let mut world = World::new();
    world.add((0, 1, 0));
    world.remove((0, 1, 0));
    world.advance(SETTLE - Duration::from_millis(1));
    assert!(world.probes.is_empty());
    world.advance(Duration::from_millis(1));
    world.answer_all();
    assert_eq!(world.kinds(0), ["lost", "confirmed"]);
    assert_eq!(world.forwarded, [DeletionId::new(&World::item(0).key(), Life::FIRST)]);
}

#[test]
fn a_film_that_came_back_in_time_is_retracted() {
    let mut world = World::new();
    world.add((0, 1, 0));
    world.remove((0, 1, 0));
    world.advance(SETTLE / 2);
    world.add((0, 2, 0));
    world.advance(SETTLE);
    world.answer_all();
    assert_eq!(world.kinds(0), ["lost", "retracted"]);
}

#[test]
fn a_film_put_back_while_it_is_being_probed_is_probed_again() {
    let mut world = World::new();
    world.add((0, 1, 0));
    world.remove((0, 1, 0));
    world.advance(SETTLE);
    let stale: Vec<Findings> = world.probes.values().map(|p| world.findings(p)).collect();
    world.add((0, 1, 0));
    for findings in &stale {
        world.core.handle_probe(world.now, findings);
        world.upkeep();
    }
    world.rest();
    assert_eq!(world.kinds(0), ["lost", "retracted"]);
}

#[test]
fn another_loss_under_the_root_makes_all_wait_but_not_longer_than_the_window() {
    let mut world = World::new();
    world.add((0, 1, 0));
    for episode in 0..9 {
        world.add((2, episode, 0));
    }
    world.remove((0, 1, 0));
    let from = world.now.awake;
    for episode in 0..9 {
        world.advance(SETTLE / 2);
        assert!(world.probes.is_empty());
        world.remove((2, episode, 0));
    }
    let due = world.core.poll_timeout().unwrap();
    assert!(due <= from.plus(world.policy.window + SETTLE));
    world.rest();
    assert_eq!(world.kinds(0), ["lost", "confirmed"]);
}

#[test]
fn nothing_is_decided_while_a_root_is_away_and_the_wait_begins_again_when_it_is_back() {
    let mut world = World::new();
    world.add((0, 1, 0));
    world.remove((0, 1, 0));
    world.set_online(0, false);
    world.advance(Duration::from_hours(100));
    assert!(world.probes.is_empty());
    assert_eq!(world.kinds(0), ["lost", "unknown"]);
    world.set_online(0, true);
    world.advance(SETTLE - Duration::from_millis(1));
    assert!(world.probes.is_empty());
    world.advance(Duration::from_millis(1));
    world.answer_all();
    assert_eq!(world.kinds(0), ["lost", "unknown", "confirmed"]);
}

#[test]
fn a_probe_during_which_a_root_changed_is_not_listened_to() {
    let mut world = World::new();
    world.add((0, 1, 0));
    world.remove((0, 1, 0));
    world.advance(SETTLE);
    let stale: Vec<Findings> = world.probes.values().map(|p| world.findings(p)).collect();
    world.set_online(1, false);
    world.set_online(1, true);
    for findings in &stale {
        world.core.handle_probe(world.now, findings);
        world.upkeep();
    }
    assert!(world.forwarded.is_empty());
    world.rest();
    assert_eq!(world.forwarded.len(), 1);
}

#[test]
fn a_loss_is_held_while_another_root_that_it_may_have_moved_to_is_in_the_dark() {
    let mut world = World::new();
    world.add((0, 1, 0));
    world.set_online(1, false);
    world.remove((0, 1, 0));
    world.advance(SETTLE);
    world.answer_all();
    assert_eq!(world.kinds(0), ["lost", "other_root"]);
    world.alive.insert((0, 1, 1));
    world.rest();
    assert_eq!(world.kinds(0), ["lost", "other_root", "retracted"]);
}

#[test]
fn an_episode_lost_is_partial_and_the_last_one_makes_it_a_deletion_with_all_in_the_evidence() {
    let mut world = World::new();
    world.add((2, 1, 0));
    world.add((2, 2, 0));
    world.remove((2, 1, 0));
    world.advance(SETTLE);
    world.answer_all();
    assert_eq!(world.kinds(2), ["lost", "partial"]);
    world.restart();
    world.remove((2, 2, 0));
    world.advance(SETTLE);
    world.answer_all();
    assert_eq!(world.kinds(2), ["lost", "partial", "lost", "confirmed"]);
    assert_eq!(world.told.last().unwrap().evidence.len(), 2);
}

#[test]
fn a_title_that_dies_lives_and_dies_again_has_two_obituaries_and_two_lives() {
    let mut world = World::new();
    for _ in 0..2 {
        world.add((0, 1, 0));
        world.remove((0, 1, 0));
        world.rest();
    }
    let ids: Vec<String> = world.forwarded.iter().map(ToString::to_string).collect();
    assert_eq!(ids, ["film:title 0:2000#1", "film:title 0:2000#2"]);
    assert_eq!(world.kinds(0), ["lost", "confirmed", "returned", "lost", "confirmed"]);
}

#[test]
fn a_loss_told_a_thousand_times_is_one_candidate_and_one_deletion() {
    let mut world = World::new();
    world.add((0, 1, 0));
    for _ in 0..1_000 {
        world.known.insert((0, 1, 0));
        world.remove((0, 1, 0));
    }
    assert_eq!(world.core.candidates.len(), 1);
    world.rest();
    world.known.insert((0, 1, 0));
    world.look(0, Sensor::Watcher);
    world.rest();
    assert_eq!(world.forwarded.len(), 1);
}

#[test]
fn losses_that_can_not_be_dated_wait_for_a_person_unless_they_come_back() {
    let mut world = World::new();
    world.add((0, 1, 0));
    world.add((1, 1, 0));
    world.alive.clear();
    let why = Some("the store is old".to_owned());
    world.core = Core::new(world.policy, world.saved.clone(), why, world.now);
    world.look_at_root(0);
    world.look_at_root(1);
    world.look(0, Sensor::Start);
    world.advance(Duration::from_hours(1_000));
    assert!(world.probes.is_empty());
    world.add((0, 1, 0));
    world.advance(SETTLE);
    world.answer_all();
    assert_eq!(world.kinds(0), ["lost", "found_missing", "retracted"]);
    assert_eq!(world.kinds(1), ["lost", "found_missing"]);
    assert_eq!(world.core.candidates.len(), 1);
}

#[test]
fn a_change_of_the_configuration_is_never_a_deletion() {
    let mut world = World::new();
    world.add((0, 1, 0));
    world.remove((0, 1, 0));
    world.core.configure_root(world.now, &root_name(0), "another path", true);
    world.upkeep();
    world.advance(Duration::from_hours(1_000));
    assert!(world.probes.is_empty());
    assert_eq!(world.kinds(0), ["lost", "unknown", "retracted"]);
}

#[test]
fn what_was_lost_before_the_rules_changed_waits_for_a_person_unless_it_is_found_again() {
    let mut world = World::new();
    world.add((0, 1, 0));
    world.add((1, 1, 0));
    world.remove((0, 1, 0));
    world.remove((1, 1, 0));
    world.advance(SETTLE / 2);
    world.core.configure_root(world.now, &root_name(0), "other rules", false);
    world.upkeep();
    world.advance(SETTLE / 2);
    assert!(world.probes.is_empty());
    world.add((1, 2, 0));
    world.advance(SETTLE);
    world.answer_all();
    world.advance(Duration::from_hours(1_000));
    assert!(world.probes.is_empty());
    assert_eq!(world.kinds(0), ["lost", "rebased"]);
    assert_eq!(world.kinds(1), ["lost", "rebased", "retracted"]);
}

#[test]
fn a_probe_that_never_answers_is_given_up_and_tried_again() {
    let mut world = World::new();
    world.add((0, 1, 0));
    world.remove((0, 1, 0));
    world.advance(SETTLE);
    world.probes.clear();
    world.advance(world.policy.probe_deadline);
    assert_eq!(world.kinds(0), ["lost", "unknown"]);
    world.rest();
    assert_eq!(world.kinds(0), ["lost", "unknown", "confirmed"]);
}

#[test]
fn a_new_file_on_its_way_holds_for_a_day_at_most() {
    let mut world = World::new();
    world.add((0, 1, 0));
    world.remove((0, 1, 0));
    let part = AbsPath::new(std::path::Path::new("/m/x.part"));
    let mut hours = 0;
    while world.forwarded.is_empty() {
        world.advance(Duration::from_hours(1));
        for probe in std::mem::take(&mut world.probes).into_values() {
            let mut findings = world.findings(&probe);
            findings.disk.written = Some((part.clone(), world.now.wall));
            world.core.handle_probe(world.now, &findings);
            world.upkeep();
        }
        hours += 1;
    }
    assert_eq!(hours, 24);
    assert_eq!(world.kinds(0), ["lost", "being_replaced", "confirmed"]);
}

#[derive(Debug, Clone, Copy)]
enum Op {
    Add(File),
    Remove(File),
    RemoveUnseen(File),
    Look(usize),
    Online(usize, bool),
    Advance(u64),
    Answer,
    AnswerUnknown,
    LoseAnswers,
    Gap,
    Restart,
    Forget(File),
}

fn files() -> impl Strategy<Value = File> {
    (0..4_usize, 0..3_usize, 0..2_usize)
}

fn ops() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => files().prop_map(Op::Add),
        4 => files().prop_map(Op::Remove),
        1 => files().prop_map(Op::RemoveUnseen),
        1 => (0..2_usize).prop_map(Op::Look),
        1 => (0..2_usize, any::<bool>()).prop_map(|(root, online)| Op::Online(root, online)),
        4 => (1_u64..100).prop_map(Op::Advance),
        3 => Just(Op::Answer),
        1 => Just(Op::AnswerUnknown),
        1 => Just(Op::LoseAnswers),
        1 => Just(Op::Gap),
        1 => Just(Op::Restart),
        1 => files().prop_map(Op::Forget),
    ]
}

fn apply(world: &mut World, op: Op) {
    match op {
        Op::Add(file) => world.add(file),
        Op::Remove(file) => world.remove(file),
        // Nobody saw it yet; the probe may.
        Op::RemoveUnseen(file) => {
            world.alive.remove(&file);
        }
        Op::Look(root) => world.look(root, Sensor::Watcher),
        Op::Online(root, online) => world.set_online(root, online),
        Op::Advance(seconds) => world.advance(Duration::from_secs(seconds)),
        Op::Answer => world.answer_all(),
        Op::AnswerUnknown => {
            for probe in std::mem::take(&mut world.probes).into_values() {
                let mut findings = world.findings(&probe);
                for file in &mut findings.disk.files {
                    file.state = FileState::Unknown { why: "EIO".into() };
                }
                world.core.handle_probe(world.now, &findings);
                world.upkeep();
            }
        }
        Op::LoseAnswers => world.probes.clear(),
        Op::Gap => {
            world.core.handle_gap(world.now);
            world.upkeep();
        }
        Op::Restart => world.restart(),
        // The same loss is told once more.
        Op::Forget(file) => {
            let is_lost = !world.alive.contains(&file);
            // Under a root that is away nothing is told of anything.
            if is_lost && world.online[file.2] && world.told.iter().any(|t| lost(t, file)) {
                world.known.insert(file);
                world.look(file.2, Sensor::Watcher);
            }
        }
    }
}

fn lost(told: &Decision, file: File) -> bool {
    matches!(&told.what, What::Lost { files, .. } if files.contains(&World::path(file)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_dead_are_told_once_and_the_living_never(
        ops in proptest::collection::vec(ops(), 1..80),
    ) {
        let mut world = World::new();
        for op in ops {
            apply(&mut world, op);
        }
        world.rest();
    }
}
