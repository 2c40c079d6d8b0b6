//! The daemon's own clients asked about stand-ins that were written without them: what a well service says
//! is understood, and no odd answer makes a title absent that is there.

use std::sync::Arc;
use std::time::Duration;

use obituarr::clock::{Clock, SystemClock};
use obituarr::domain::{Failure, Instance, Kind, Listed, Listing, Question, Said, Secret, Service};
use obituarr::services::{Access, Client};
use simulators::{
    Jellyfin, Misbehaviour, Radarr, Shoko, Simulator, Sonarr, Title, World, jellyfin, radarr,
    shoko, sonarr,
};
use tempfile::TempDir;

/// The library, and one stand-in of each service.
struct Stage {
    _directory: TempDir,
    world: World,
    radarr: Radarr,
    sonarr: Sonarr,
    jellyfin: Jellyfin,
    shoko: Shoko,
    runtime: tokio::runtime::Runtime,
}

impl Stage {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let world = World::new(directory.path());
        world.films(12);
        world.series(6, 2, 3);
        world.anime(6);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self {
            radarr: Radarr::start(&world, radarr::Options::default()),
            sonarr: Sonarr::start(&world, sonarr::Options::default()),
            jellyfin: Jellyfin::start(&world, jellyfin::Options::default()),
            shoko: Shoko::start(&world, shoko::Options::default()),
            _directory: directory,
            world,
            runtime,
        }
    }

    fn simulator(&self, service: Service) -> &Simulator {
        match service {
            Service::Radarr => &self.radarr,
            Service::Sonarr => &self.sonarr,
            Service::Jellyfin => &self.jellyfin,
            Service::Shoko => &self.shoko,
        }
    }

    /// A client that knows nothing of earlier failures.
    fn client(&self, service: Service) -> Client {
        let simulator = self.simulator(service);
        let clock = SystemClock::new();
        Client::new(Access {
            instance: Instance { service, name: "main".to_owned() },
            url: simulator.url().parse().unwrap(),
            key: Secret::new(simulator.key().to_owned()),
            extra_ca: None,
            deadline: Duration::from_millis(300),
            concurrency: 4,
            now: Arc::new(move || clock.wall()),
        })
        .unwrap()
    }

    fn list(&self, service: Service) -> Result<Listing, Failure> {
        self.runtime.block_on(self.client(service).list(&|_, _| {}))
    }

    fn ask(&self, service: Service, question: &Question) -> Result<Said, Failure> {
        self.runtime.block_on(self.client(service).ask(question))
    }

    /// A title that the service lists, of the middle of its library.
    fn title(&self, service: Service) -> Arc<Title> {
        let titles = self.world.titles_of(match service {
            Service::Radarr | Service::Jellyfin => simulators::Library::Movies,
            Service::Sonarr => simulators::Library::Tv,
            Service::Shoko => simulators::Library::Anime,
        });
        Arc::clone(&titles[4])
    }

    /// The question about a title, by all that is known of it.
    fn question(&self, service: Service) -> Question {
        let title = self.title(service);
        // A number of TMDB means another work for a film than for a series.
        let kind = if title.tvdb.is_some() { Kind::Series } else { Kind::Film };
        let is_it = |listed: &&Listed| {
            listed.item.kind == kind && listed.item.ids.tmdb == Some(title.tmdb.into())
        };
        let listing = self.list(service).unwrap();
        let listed = listing.titles.iter().find(is_it).unwrap();
        Question {
            kind: listed.item.kind,
            ids: listed.item.ids.clone(),
            anidb: listed.anidb.into_iter().collect(),
            known: vec![listed.id.clone()],
            lost: Vec::new(),
            not_before: SystemClock::new().wall(),
        }
    }

    fn remove(&self, service: Service) {
        let title = self.title(service);
        match service {
            Service::Radarr => self.radarr.remove(&title),
            Service::Sonarr => self.sonarr.remove(&title),
            Service::Jellyfin => self.jellyfin.remove(&title),
            Service::Shoko => self.shoko.remove(&title),
        }
    }
}

/// Whether an answer says that the title is not there, and is sure of it.
fn is_absent(said: &Result<Said, Failure>) -> bool {
    said.as_ref().is_ok_and(|said| {
        said.unsure.is_none() && said.titles.iter().all(|listed| listed.file_count == 0)
    })
}

#[test]
fn every_service_is_understood_to_list_what_the_world_holds() {
    let stage = Stage::new();
    for (service, films, series, files) in [
        (Service::Radarr, 12, 0, 12),
        (Service::Sonarr, 0, 6, 36),
        (Service::Jellyfin, 12, 12, 12 + 36 + 18),
        (Service::Shoko, 0, 6, 18),
    ] {
        let listing = stage.list(service).unwrap();
        let count = |kind| listing.titles.iter().filter(|listed| listed.item.kind == kind).count();
        assert_eq!((count(Kind::Film), count(Kind::Series)), (films, series), "{service}");
        let counted: u32 = listing.titles.iter().map(|listed| listed.file_count).sum();
        assert_eq!(counted, files, "{service}");
        assert_eq!(listing.moving, None, "{service}");
        assert!(!listing.folders.is_empty(), "{service}");
    }
}

#[test]
fn a_title_that_a_well_service_removed_is_absent_there_and_no_other() {
    let stage = Stage::new();
    for service in Service::ALL {
        let question = stage.question(service);
        assert!(!is_absent(&stage.ask(service, &question)), "{service}: it is there");
        stage.remove(service);
        let said = stage.ask(service, &question);
        assert!(is_absent(&said), "{service}: {said:?}");
    }
}

#[test]
fn no_odd_answer_at_any_request_makes_a_title_absent() {
    let stage = Stage::new();
    // Those that are tried again after a while are missing here: the clients' own tests have them.
    let ways = [
        Misbehaviour::ProxyNotFound,
        Misbehaviour::Unauthorized,
        Misbehaviour::WebPage,
        Misbehaviour::TruncatedJson,
        Misbehaviour::EmptyList,
        Misbehaviour::HalfList,
        Misbehaviour::OtherInstance,
        Misbehaviour::RecreatedIds,
        Misbehaviour::ScanRunning,
        Misbehaviour::ImportRunning,
    ];
    let mut wrong = Vec::new();
    for service in Service::ALL {
        let question = stage.question(service);
        let simulator = stage.simulator(service);
        simulator.forget_requests();
        stage.ask(service, &question).unwrap();
        let requests = simulator.asked_in_all();
        for way in &ways {
            // One request beyond the last is what it asks when something has seemed odd.
            for request in 1..=requests + 1 {
                simulator.misbehave_from(request, way.clone());
                let said = stage.ask(service, &question);
                simulator.well();
                if is_absent(&said) {
                    wrong.push(format!("{service}, {way:?} from request {request} on: {said:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
