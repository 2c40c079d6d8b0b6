//! A library, the services that know it, and a daemon that asks them.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use simulators::{
    Jellyfin, Radarr, Shoko, Simulator, Sonarr, Title, World, jellyfin, radarr, shoko, sonarr,
};

use crate::e2e::daemon::{Daemon, Home};
use crate::e2e::wait::until;

/// Long enough for a whole sweep on a busy machine.
pub(super) const LONG: Duration = Duration::from_secs(60);

/// How much there is.
#[derive(Clone, Copy)]
pub(super) struct Size {
    pub(super) films: u32,
    pub(super) series: u32,
    pub(super) anime: u32,
}

/// The library of the promises: 500 films, 80 series, 60 anime.
pub(super) const WHOLE: Size = Size { films: 500, series: 80, anime: 60 };
/// Enough for mappings to be believed, and quick.
pub(super) const SMALL: Size = Size { films: 30, series: 6, anime: 6 };

/// How the services are set up.
pub(super) struct Kinds {
    pub(super) radarr: radarr::Options,
    pub(super) sonarr: sonarr::Options,
    pub(super) jellyfin: jellyfin::Options,
    pub(super) shoko: shoko::Options,
}

impl Default for Kinds {
    fn default() -> Self {
        let sonarr = sonarr::Options { anime: Some("/anime".into()), ..Default::default() };
        let (radarr, jellyfin, shoko) = Default::default();
        Self { radarr, sonarr, jellyfin, shoko }
    }
}

/// One of each service, and the library.
pub(super) struct Rig {
    pub(super) home: Home,
    pub(super) world: World,
    pub(super) films: Vec<Arc<Title>>,
    pub(super) series: Vec<Arc<Title>>,
    pub(super) anime: Vec<Arc<Title>>,
    pub(super) radarr: Radarr,
    pub(super) sonarr: Sonarr,
    pub(super) jellyfin: Jellyfin,
    pub(super) shoko: Shoko,
}

impl Rig {
    /// All of it, configured as it should be.
    pub(super) fn new(size: Size) -> Self {
        Self::with(size, Kinds::default(), |_| {})
    }

    /// All of it, of these services; `more` adds to the library before they copy it.
    pub(super) fn with(size: Size, kinds: Kinds, more: impl FnOnce(&World)) -> Self {
        let home = Home::bare();
        let world = World::new(home.media());
        let films = world.films(size.films);
        let series = world.series(size.series, 2, 3);
        let anime = world.anime(size.anime);
        more(&world);
        let mut rig = Self {
            radarr: Radarr::start(&world, kinds.radarr),
            sonarr: Sonarr::start(&world, kinds.sonarr),
            jellyfin: Jellyfin::start(&world, kinds.jellyfin),
            shoko: Shoko::start(&world, kinds.shoko),
            home,
            world,
            films,
            series,
            anime,
        };
        let config = rig.config();
        rig.home.configure(&config);
        rig
    }

    /// The configuration: each library a root, each service with its paths.
    pub(super) fn config(&self) -> String {
        let media = self.home.media();
        let media = media.display();
        let mut text = "[confirm]\nhold_retry = \"1s\"\n".to_owned();
        for root in ["movies", "tv", "anime"] {
            writeln!(text, "[roots.{root}]\npath = \"{media}/{root}\"").unwrap();
        }
        text += &table("radarr.hd", &self.radarr, &format!("\"/movies\" = \"{media}/movies\""));
        let tv = format!("\"/tv\" = \"{media}/tv\", \"/anime\" = \"{media}/anime\"");
        text += &table("sonarr.main", &self.sonarr, &tv);
        text += &table("jellyfin.home", &self.jellyfin, &format!("\"/media\" = \"{media}\""));
        text += &table("shoko.main", &self.shoko, &format!("\"/mnt/anime\" = \"{media}/anime\""));
        text
    }

    /// A daemon that has listed every service.
    pub(super) fn start(&self) -> Daemon<'_> {
        let daemon = self.home.start();
        for name in ["radarr.hd", "sonarr.main", "jellyfin.home", "shoko.main"] {
            wait_health(&daemon, name, "well");
        }
        daemon
    }
}

/// The table of one instance.
pub(super) fn table(name: &str, simulator: &Simulator, paths: &str) -> String {
    let (url, key) = (simulator.url(), simulator.key());
    format!("[{name}]\nurl = \"{url}\"\napi_key = \"{key}\"\npaths = {{ {paths} }}\n")
}

/// Waits until a service is in this health, and gives what `status` says of it.
pub(super) fn wait_health(daemon: &Daemon<'_>, name: &str, health: &str) -> Value {
    until(&format!("{name} is {health}"), LONG, || {
        let status = daemon.status()?;
        let services = status["services"].as_array()?;
        services.iter().find(|one| one["name"] == name && one["health"] == health).cloned()
    })
}

/// Lets everything be listed again, and waits until nothing settles any more.
pub(super) fn sweep(daemon: &Daemon<'_>) -> Value {
    daemon.check()
}

/// The evidence of a deletion: witness and answer, each once.
pub(super) fn evidence(deletion: &Value) -> Vec<(String, String)> {
    let lines = deletion["evidence"].as_array().unwrap().iter();
    let text = |line: &Value, field: &str| line[field].as_str().unwrap().to_owned();
    let mut found: Vec<(String, String)> =
        lines.map(|line| (text(line, "witness"), text(line, "answer"))).collect();
    found.sort();
    found.dedup();
    found
}
