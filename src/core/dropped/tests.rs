//! A service drops a title: what becomes of it, with the file there and without.

use std::time::Duration;

use crate::core::{Core, Effect, Findings, Policy, Probe, Saved};
use crate::domain::{
    Answer, Awake, Cause, DiskLook, Entry, EntryState, FileId, FileLook, FilePath, FileState,
    Found, FoundFile, FsId, Hold, Identity, Item, Kind, LostFile, Now, Observation, Place,
    ProviderIds, RelPath, RootLook, RootName, Sensor, Service, Stage, Testimony, Timestamp, What,
    Witness,
};

const SETTLE: Duration = Duration::from_secs(60);

fn root() -> RootName {
    RootName::parse("movies").unwrap()
}

fn identity() -> Identity {
    Identity {
        boot: "b".into(),
        mount: 1,
        device: 1,
        fs_type: "ext4".into(),
        source: "/dev/sda".into(),
        uuid: Some("u".into()),
        inode: Some(2),
        born: None,
        pool: None,
    }
}

fn heat() -> Item {
    let ids = ProviderIds { tmdb: Some(949), ..ProviderIds::default() };
    Item { kind: Kind::Film, title: "Heat".into(), year: Some(1995), ids }
}

fn place() -> Place {
    Place { root: root(), folder: RelPath::parse(b"Heat (1995)").unwrap(), loose: false }
}

fn path() -> FilePath {
    FilePath::new(root(), RelPath::parse(b"Heat (1995)/Heat.mkv").unwrap())
}

fn radarr(name: &str) -> Witness {
    Witness::Service { service: Service::Radarr, instance: name.into() }
}

fn says(answer: Answer) -> Vec<Testimony> {
    vec![Testimony { witness: radarr("hd"), answer }]
}

struct World {
    core: Core,
    now: Now,
}

impl World {
    fn new() -> Self {
        let policy = Policy { settle: SETTLE, ..Policy::default() };
        let now = Now { wall: Timestamp::from_millis(1_000_000), awake: Awake::from_millis(1) };
        let mut world = Self { core: Core::new(policy, Saved::default(), None, now), now };
        world.core.configure_root(now, &root(), "basis", false);
        world.core.adopt(now, &root(), &identity());
        world.core.handle_look(now, &root(), &RootLook::Seen { identity: identity() });
        world.core.take_changes();
        world
    }

    fn dropped(&mut self, places: Vec<Place>) {
        let (item, by, how) = (heat(), radarr("hd"), "it lists it without a file".to_owned());
        self.core.handle_observation(self.now, Observation::Dropped { item, places, by, how });
    }

    fn pass(&mut self, time: Duration) {
        self.now = Now { wall: self.now.wall.plus(time), awake: self.now.awake.plus(time) };
        self.core.handle_timeout(self.now);
    }

    fn probe(&mut self) -> Option<Probe> {
        std::iter::from_fn(|| self.core.poll_effect()).find_map(|effect| match effect {
            Effect::Probe(probe) => Some(probe),
            Effect::Forward(_) => None,
        })
    }

    /// Lets it settle, and answers the probe.
    fn answer(&mut self, disk: DiskLook, services: Vec<Testimony>, replacing: Option<&str>) {
        self.pass(SETTLE);
        let probe = self.probe().expect("it is due");
        let findings = Findings {
            services,
            replacing: replacing.map(str::to_owned),
            ..Findings::of_disk(&probe, disk, self.now.wall)
        };
        self.core.handle_probe(self.now, &findings);
    }

    fn entries(&mut self) -> Vec<Entry> {
        self.core.take_changes().entries
    }

    fn hold(&self) -> Option<&Hold> {
        match &self.core.candidates().values().next()?.stage {
            Stage::Held { holding, .. } => Some(&holding.why),
            _ => None,
        }
    }
}

fn there() -> DiskLook {
    let found = FoundFile {
        path: path(),
        shown: crate::domain::AbsPath::new(std::path::Path::new("/m/Heat (1995)/Heat.mkv")),
        id: FileId { fs: FsId(1), inode: 7 },
        how: Found::InPlace,
        extra: false,
    };
    DiskLook { found: vec![found], ..DiskLook::default() }
}

fn lost() -> Observation {
    let file = LostFile {
        path: path(),
        id: FileId { fs: FsId(1), inode: 7 },
        looked: Timestamp::default(),
        extra: false,
        retired: false,
        sought: false,
    };
    Observation::Lost {
        item: heat(),
        places: vec![place()],
        files: vec![file],
        sensor: Sensor::Watcher,
    }
}

fn gone_from_disk() -> DiskLook {
    let file = FileLook {
        path: path(),
        shown: crate::domain::AbsPath::new(std::path::Path::new("/m/Heat (1995)/Heat.mkv")),
        state: FileState::Absent,
    };
    let seen = || RootLook::Seen { identity: identity() };
    DiskLook { files: vec![file], roots: vec![(root(), seen(), seen())], ..DiskLook::default() }
}

#[test]
fn a_film_that_its_service_drops_and_whose_file_is_kept_is_unlisted_and_not_gone() {
    let mut world = World::new();
    world.dropped(vec![place()]);
    world.answer(there(), says(Answer::Absent), None);
    assert_eq!(world.hold(), Some(&Hold::Unlisted { by: "radarr.hd".into() }));
    world.pass(Duration::from_hours(500));
    assert!(world.probe().is_none(), "nobody is asked again and again");
    assert!(world.entries().is_empty());
    // Told once, however often it is noticed.
    world.dropped(vec![place()]);
    assert!(world.core.take_changes().decisions.is_empty());
}

#[test]
fn an_unlisted_film_that_is_listed_again_lives() {
    let mut world = World::new();
    world.dropped(vec![place()]);
    world.answer(there(), says(Answer::Absent), None);
    world.core.handle_observation(world.now, Observation::Listed { item: heat() });
    world.answer(there(), says(Answer::Verified { how: "x".into() }), None);
    assert!(world.core.candidates().is_empty() && world.entries().is_empty());
}

#[test]
fn an_unlisted_film_whose_file_goes_is_gone() {
    let mut world = World::new();
    world.dropped(vec![place()]);
    world.answer(there(), says(Answer::Absent), None);
    world.core.handle_observation(world.now, lost());
    world.answer(gone_from_disk(), says(Answer::Absent), None);
    let entries = world.entries();
    assert_eq!((entries.len(), entries[0].deletion.cause), (1, Cause::Removed));
}

#[test]
fn a_film_that_another_service_lists_or_cannot_tell_of_lives_while_its_file_is_there() {
    for other in [
        Answer::Unverified { place: "/x".into() },
        Answer::Unknown { why: "down".into() },
        Answer::Verified { how: "x".into() },
    ] {
        let mut world = World::new();
        world.dropped(vec![place()]);
        let mut services = says(Answer::Absent);
        services.push(Testimony { witness: radarr("uhd"), answer: other.clone() });
        world.answer(there(), services, None);
        assert!(world.core.candidates().is_empty(), "{other:?}");
        let told = world.core.take_changes().decisions;
        assert!(matches!(told.last().unwrap().what, What::Retracted { .. }), "{other:?}");
    }
}

#[test]
fn a_title_without_a_file_below_any_root_is_gone_when_all_who_listed_it_say_so() {
    let mut world = World::new();
    world.dropped(Vec::new());
    world.answer(DiskLook::default(), says(Answer::Unknown { why: "down".into() }), None);
    assert!(matches!(world.hold(), Some(Hold::Unknown { .. })));
    world.pass(Duration::from_mins(5));
    let probe = world.probe().unwrap();
    let findings = Findings {
        services: says(Answer::Absent),
        ..Findings::of_disk(&probe, DiskLook::default(), world.now.wall)
    };
    world.core.handle_probe(world.now, &findings);
    let entries = world.entries();
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].deletion.cause, Cause::Removed, "no disk was retired");
}

#[test]
fn a_title_that_was_confirmed_gone_is_not_dropped_again() {
    let mut world = World::new();
    world.core.handle_observation(world.now, lost());
    world.answer(gone_from_disk(), says(Answer::Absent), None);
    assert_eq!(world.entries().len(), 1);
    world.dropped(Vec::new());
    assert!(world.core.candidates().is_empty());
}

#[test]
fn an_upgrade_that_takes_half_an_hour_is_no_deletion_and_an_endless_one_is() {
    let mut world = World::new();
    world.core.handle_observation(world.now, lost());
    world.answer(gone_from_disk(), says(Answer::Absent), Some("radarr.hd imports a new file"));
    assert!(matches!(world.hold(), Some(Hold::BeingReplaced { .. })));
    let (mut waited, mut told) = (SETTLE, 0);
    while waited < Duration::from_hours(26) {
        world.pass(Duration::from_mins(30));
        waited += Duration::from_mins(30);
        let Some(probe) = world.probe() else { continue };
        let findings = Findings {
            services: says(Answer::Absent),
            replacing: Some("radarr.hd imports a new file".into()),
            ..Findings::of_disk(&probe, gone_from_disk(), world.now.wall)
        };
        world.core.handle_probe(world.now, &findings);
        told += world.entries().len();
        assert!(told == 0 || waited >= Duration::from_hours(24), "after {waited:?}");
    }
    assert_eq!(told, 1);
    assert!(world.core.candidates().is_empty());
}

#[test]
fn an_entry_that_nobody_was_told_is_looked_at_again_also_without_a_lost_file() {
    let mut world = World::new();
    world.dropped(Vec::new());
    world.answer(DiskLook::default(), says(Answer::Absent), None);
    let mut entry = world.entries().remove(0);
    entry.state = EntryState::Queued;
    entry.deletion.evidence.push(crate::domain::Evidence {
        witness: radarr("hd"),
        answer: "absent".into(),
        path: None,
        detail: "it does not list it".into(),
        at: world.now.wall,
    });
    world.core.reopen(world.now, &entry, None);
    assert_eq!(world.core.candidates().len(), 1);
}
