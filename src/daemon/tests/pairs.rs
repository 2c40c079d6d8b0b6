//! Every pair of what two services may say, beside every state of the disk, held against the truth table
//! as the design words it, written down here a second time.

use std::collections::BTreeMap;
use std::path::Path;

use super::*;
use crate::config::{Overrides, Settings};
use crate::daemon::looking::Found;
use crate::daemon::services::{appraise, claims};
use crate::domain::{
    About, AbsPath, Failure, FileLook, FilePath, FileState, Instance, Item, Kind,
    Listed as ListedTitle, Listing as ServiceListing, ProviderIds, Said, Service, ServiceFile,
    ServiceFolder, ServicePath,
};
use crate::prober::Reply;
use crate::store::Memory as MemoryStore;

/// What a service may come to in one probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Says {
    Transient,
    Permanent,
    Unauthorized,
    Protocol,
    /// It has it no more, and is not sure.
    Unsure,
    /// It lists it where it was, and is not sure.
    UnsureClaim,
    /// It has it no more under its id, nor under another.
    Gone,
    /// It does not say what became of the id.
    Silent,
    /// It lists it without a file.
    Emptied,
    /// It lists it where it was.
    Refuted,
    /// It lists it where nobody here can look.
    Elsewhere,
    /// It lists it at a place here where nothing was ever seen.
    NeverSeen,
    /// It lists it at another place, where it is.
    Moved,
    /// Another instance answers that has it no more.
    OtherAbout,
    /// It has it no more, and what it listed last is not believed.
    Doubted,
    /// It never listed it.
    NotListed,
    /// It never listed it, and was listed before the loss; it can't be asked for it by any number.
    NotListedUnsure,
    /// It lists it where it was, and a download for it is under way.
    OnTheWay,
}

const ALL: [Says; 18] = [
    Says::Transient,
    Says::Permanent,
    Says::Unauthorized,
    Says::Protocol,
    Says::Unsure,
    Says::UnsureClaim,
    Says::Gone,
    Says::Silent,
    Says::Emptied,
    Says::Refuted,
    Says::Elsewhere,
    Says::NeverSeen,
    Says::Moved,
    Says::OtherAbout,
    Says::Doubted,
    Says::NotListed,
    Says::NotListedUnsure,
    Says::OnTheWay,
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Disk {
    Gone,
    Alive,
    Unknown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Told,
    Held,
    LeftAlone,
}

/// The truth table: who was seen alive is alive; what is being replaced waits; then nobody may object.
fn expected(disk: Disk, says: [Says; 2]) -> Outcome {
    let lets_it_go =
        |one: Says| matches!(one, Says::Gone | Says::Emptied | Says::Refuted | Says::NotListed);
    if disk == Disk::Alive || says.contains(&Says::Moved) {
        Outcome::LeftAlone
    } else if disk == Disk::Gone && says.into_iter().all(lets_it_go) {
        Outcome::Told
    } else {
        Outcome::Held
    }
}

const FILMS: u64 = 5;
const WAS: &str = "/movies/Film 00 (1990)/film.mkv";
const MOVED: &str = "/movies/Kept/film.mkv";
const NEVER: &str = "/movies/Never/film.mkv";

fn instances() -> [Instance; 2] {
    let of = |service, name: &str| Instance { service, name: name.into() };
    [of(Service::Radarr, "hd"), of(Service::Jellyfin, "home")]
}

fn settings() -> Settings {
    let table = |name: &str, port: u32| {
        format!(
            "[{name}]\nurl = \"http://localhost:{port}\"\napi_key = \"k\"\n\
             paths = {{ \"/movies\" = \"/m\" }}\n"
        )
    };
    let text = format!(
        "[roots.media]\npath = \"/m\"\n{}{}",
        table("radarr.hd", 1),
        table("jellyfin.home", 2)
    );
    crate::config::parse(&text, "test", [], &Overrides::default(), Path::new("/")).unwrap()
}

fn about(instance: &Instance) -> About {
    let name = instance.name.clone();
    About { application: instance.service.to_string(), name, version: "1".into(), started: None }
}

fn folders() -> Vec<ServiceFolder> {
    let path = ServicePath("/movies".into());
    vec![ServiceFolder { id: None, path, accessible: Some(true), free: Some(1 << 40) }]
}

fn film(number: u64, path: Option<&str>) -> ListedTitle {
    let ids = ProviderIds { tmdb: Some(1000 + number), ..ProviderIds::default() };
    let folder = format!("/movies/Film {number:02} (1990)");
    let file = |path: &str| ServiceFile {
        path: ServicePath(path.into()),
        season: None,
        accessible: None,
        folder: None,
    };
    let title = format!("Film {number:02}");
    ListedTitle {
        id: (number + 1).to_string(),
        item: Item { kind: Kind::Film, title, year: Some(1990), ids },
        anidb: None,
        folder: Some(ServicePath(folder)),
        root_folder: Some(ServicePath("/movies".into())),
        files: path.map(file).into_iter().collect(),
        file_count: u32::from(path.is_some()),
        seasons: BTreeMap::new(),
    }
}

/// The answer of an instance.
fn reply(instance: &Instance, says: Says) -> Result<Said, Failure> {
    let why = || format!("{instance} fails");
    let mut said = Said {
        about: about(instance),
        titles: vec![],
        gone: vec![],
        unsure: None,
        replacing: None,
        folders: folders(),
    };
    let listed_at = |path| vec![film(0, Some(path))];
    match says {
        Says::Transient => return Err(Failure::Transient { why: why(), retry_after: None }),
        Says::Permanent => return Err(Failure::Permanent { why: why() }),
        Says::Unauthorized => return Err(Failure::Unauthorized { why: why() }),
        Says::Protocol => return Err(Failure::Protocol { why: why() }),
        Says::Unsure => {
            said.gone.push("1".into());
            said.unsure = Some("a scan runs".into());
        }
        Says::UnsureClaim => {
            said.titles = listed_at(WAS);
            said.unsure = Some("a scan runs".into());
        }
        Says::Gone | Says::Doubted => said.gone.push("1".into()),
        Says::Silent | Says::NotListed => {}
        Says::Emptied => said.titles = vec![film(0, None)],
        Says::Refuted => said.titles = listed_at(WAS),
        Says::Elsewhere => said.titles = listed_at("/other/film.mkv"),
        Says::NeverSeen => said.titles = listed_at(NEVER),
        Says::Moved => said.titles = listed_at(MOVED),
        Says::OtherAbout => {
            said.gone.push("1".into());
            said.about.name = "another".into();
        }
        Says::NotListedUnsure => said.unsure = Some("there is no id to ask by".into()),
        Says::OnTheWay => {
            said.titles = listed_at(WAS);
            said.replacing = Some("its queue has it".into());
        }
    }
    Ok(said)
}

impl Rig<MemoryStore> {
    /// Five films, two services, of which each lists them all unless it never listed the first one.
    fn of_films(says: [Says; 2]) -> Self {
        let mut rig = Rig::on(Arc::new(MemoryStore::new()), tempfile::tempdir().unwrap());
        rig.engine.configure_services(rig.now, &settings()).unwrap();
        rig.look("a");
        rig.films(0);
        rig.walked();
        for (instance, says) in instances().iter().zip(says) {
            rig.sweep(instance, films_of(says));
            if says == Says::Doubted {
                rig.sweep(instance, vec![]);
            }
        }
        rig.engine.take_orders();
        rig
    }

    /// Tells of a root that has all films from `first` on.
    fn films(&mut self, first: u64) {
        let names: Vec<String> = (first..FILMS).map(|n| format!("Film {n:02} (1990)")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut dirs: Vec<(&str, &[&str], &[&str])> = vec![("", &[], &names)];
        dirs.extend(names.iter().map(|name| (*name, &["film.mkv"][..], &[][..])));
        self.list("a", &dirs);
    }

    fn sweep(&mut self, instance: &Instance, titles: Vec<ListedTitle>) {
        self.sweep_in(instance, titles, folders());
    }

    fn sweep_in(
        &mut self,
        instance: &Instance,
        titles: Vec<ListedTitle>,
        folders: Vec<ServiceFolder>,
    ) {
        let listing = ServiceListing {
            about: about(instance),
            titles,
            folders,
            moving: None,
            requests: 1,
            begun: self.now.wall,
        };
        let mapping = self.engine.mappings().remove(instance).unwrap();
        let lost = self.engine.lost_files(self.now).unwrap();
        let (store, roots) = (&*self.engine.store, [root()]);
        let (titles, folders) = (&listing.titles, &listing.folders);
        let appraisal = appraise(store, &mapping, titles, folders, &lost, &roots).unwrap();
        self.engine.swept(self.now, instance, listing, appraisal, true).unwrap();
    }

    /// Answers the probe that is wanted, and says what came of it.
    fn probe(&mut self, disk: Disk, says: [Says; 2]) -> Outcome {
        let all = instances();
        let answers = all.iter().zip(says).map(|(one, says)| (one.clone(), reply(one, says)));
        self.probe_with(disk, answers.collect())
    }

    fn probe_with(&mut self, disk: Disk, replies: Vec<Reply>) -> Outcome {
        let probe = wanted(self).expect("a probe");
        let look = |path: &FilePath, state: FileState| FileLook {
            path: path.clone(),
            shown: AbsPath::new(Path::new("/m/x")),
            state,
        };
        let state = || match disk {
            Disk::Gone => FileState::Absent,
            Disk::Alive => FileState::Present,
            Disk::Unknown => FileState::Unknown { why: "input/output error".into() },
        };
        let claimed = claims(&replies, &self.engine.mappings());
        let claims = claimed.iter().map(|path| {
            let state = match path.to_string().as_str() {
                "media:Kept/film.mkv" => FileState::Present,
                "media:Never/film.mkv" => FileState::Absent,
                _ => state(),
            };
            look(path, state)
        });
        let seen = RootLook::Seen { identity: identity("a") };
        let disk = DiskLook {
            files: probe.lost.iter().map(|file| look(&file.path, state())).collect(),
            claims: claims.collect(),
            roots: vec![(root(), seen.clone(), seen)],
            ..DiskLook::default()
        };
        let findings = Findings::of_disk(&probe, disk, self.now.wall);
        let mut found = Found { probe, findings, replies };
        self.engine.testify(self.now, &mut found);
        self.engine.probed(self.now, &found.findings);
        self.engine.commit(self.now).unwrap();
        match (self.engine.recorder.told.len(), self.under_review().len()) {
            (1, 0) => Outcome::Told,
            (0, 1) => Outcome::Held,
            (0, 0) => Outcome::LeftAlone,
            other => panic!("{other:?}"),
        }
    }
}

fn films_of(says: Says) -> Vec<ListedTitle> {
    let is_missing = matches!(says, Says::NotListed | Says::NotListedUnsure);
    let path = |n| format!("/movies/Film {n:02} (1990)/film.mkv");
    (u64::from(is_missing)..FILMS).map(|n| film(n, Some(&path(n)))).collect()
}

fn wanted(rig: &mut Rig<MemoryStore>) -> Option<crate::core::Probe> {
    rig.engine.take_orders().into_iter().find_map(|order| match order {
        Order::Probe(probe) => Some(probe),
        _ => None,
    })
}

/// Both services are well again and have noticed nothing, or have never known it.
fn recovers(rig: &mut Rig<MemoryStore>, says: [Says; 2]) -> Outcome {
    let well = says.map(|says| match says {
        Says::NotListed | Says::NotListedUnsure => Says::NotListed,
        _ => Says::Refuted,
    });
    for (instance, says) in instances().iter().zip(well) {
        rig.sweep(instance, films_of(says));
    }
    rig.engine.take_orders();
    // It is looked at again after a while, by itself.
    rig.advance(Duration::from_mins(10));
    rig.probe(Disk::Gone, well)
}

#[test]
fn whatever_two_services_say_beside_the_disk_only_what_both_let_go_is_told_and_the_rest_later() {
    let mut wrong = Vec::new();
    for disk in [Disk::Gone, Disk::Alive, Disk::Unknown] {
        for says in ALL.into_iter().flat_map(|a| ALL.map(|b| [a, b])) {
            let mut rig = Rig::of_films(says);
            rig.films(1);
            rig.advance(Duration::from_secs(2));
            let found = rig.probe(disk, says);
            if found != expected(disk, says) {
                let expected = expected(disk, says);
                wrong.push(format!("{disk:?} {says:?}: {found:?}, not {expected:?}"));
                continue;
            }
            if found == Outcome::Held {
                let later = recovers(&mut rig, says);
                if later != Outcome::Told {
                    wrong.push(format!("{disk:?} {says:?}: {later:?} when all is well"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), 3 * 18 * 18, wrong.join("\n"));
}

#[test]
fn a_service_of_which_there_is_no_answer_holds_what_all_others_let_go() {
    let says = [Says::Refuted, Says::Refuted];
    for asked in 0..2 {
        let mut rig = Rig::of_films(says);
        rig.films(1);
        rig.advance(Duration::from_secs(2));
        let one = &instances()[asked];
        let replies = vec![(one.clone(), reply(one, says[asked]))];
        assert_eq!(rig.probe_with(Disk::Gone, replies), Outcome::Held, "only {one} was asked");
    }
}

/// A folder of Radarr that lies in no root.
fn far(accessible: bool, free: u64) -> ServiceFolder {
    let path = ServicePath("/far/".into());
    ServiceFolder { id: None, path, accessible: Some(accessible), free: Some(free) }
}

/// What becomes of a film in that folder that Radarr drops while the folder is so, with `others` beside
/// it.
fn dropped(folders: Vec<ServiceFolder>, others: u64) -> Outcome {
    let [radarr, jellyfin] = instances();
    let film = |number: u64| ListedTitle {
        folder: Some(ServicePath(format!("/far/Film {number:02}"))),
        root_folder: Some(ServicePath("/far".into())),
        ..film(number, Some(&format!("/far/Film {number:02}/film.mkv")))
    };
    let mut rig = Rig::on(Arc::new(MemoryStore::new()), tempfile::tempdir().unwrap());
    rig.engine.configure_services(rig.now, &settings()).unwrap();
    rig.look("a");
    rig.films(0);
    rig.walked();
    rig.sweep(&jellyfin, vec![]);
    rig.sweep_in(&radarr, (50..=50 + others).map(film).collect(), vec![far(true, 1 << 40)]);
    rig.sweep_in(&radarr, (51..=50 + others).map(film).collect(), folders.clone());
    rig.advance(Duration::from_secs(2));
    let said = Said {
        about: about(&radarr),
        titles: vec![],
        gone: vec!["51".into()],
        unsure: None,
        replacing: None,
        folders,
    };
    rig.probe_with(
        Disk::Gone,
        vec![(radarr, Ok(said)), (jellyfin.clone(), reply(&jellyfin, Says::NotListed))],
    )
}

#[test]
fn a_title_in_no_root_is_gone_only_while_its_manager_sees_the_folder_as_before_and_others_in_it() {
    assert_eq!(dropped(vec![far(true, 1 << 40)], 20), Outcome::Told);
    let doubtful = [
        (vec![far(false, 1 << 40)], 20, "the folder is not there"),
        (vec![], 20, "the folder is not configured any more"),
        (vec![far(true, 1 << 30)], 20, "another disk is in its place"),
    ];
    for (folders, others, why) in doubtful {
        assert_eq!(dropped(folders, others), Outcome::Held, "{why}");
    }
}
