//! A library that one service alone knows, and a daemon that asks it: what goes wrong there has nobody
//! to hide behind.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde_json::Value;
use simulators::{
    Jellyfin, Radarr, Shoko, Simulator, Sonarr, Title, World, jellyfin, radarr, shoko, sonarr,
};

use super::rig::table;
use crate::e2e::daemon::{Daemon, Home, LONG};
use crate::e2e::wait::until;

/// One of the four.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    Radarr,
    Sonarr,
    Jellyfin,
    /// A Jellyfin of series, of which each episode is an item of its own.
    JellyfinOfSeries,
    Shoko,
}

impl Which {
    pub(super) const ALL: [Self; 5] =
        [Self::Radarr, Self::Sonarr, Self::Jellyfin, Self::JellyfinOfSeries, Self::Shoko];

    /// The name of its instance.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Radarr => "radarr.hd",
            Self::Sonarr => "sonarr.main",
            Self::Jellyfin | Self::JellyfinOfSeries => "jellyfin.home",
            Self::Shoko => "shoko.main",
        }
    }
}

/// The stand-in of one of the four.
pub(super) enum Stand {
    Radarr(Radarr),
    Sonarr(Sonarr),
    Jellyfin(Jellyfin),
    Shoko(Shoko),
}

impl Deref for Stand {
    type Target = Simulator;

    fn deref(&self) -> &Simulator {
        match self {
            Self::Radarr(stand) => stand,
            Self::Sonarr(stand) => stand,
            Self::Jellyfin(stand) => stand,
            Self::Shoko(stand) => stand,
        }
    }
}

impl fmt::Debug for Stand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// A library of one kind, and the one service that knows it.
pub(super) struct Single {
    pub(super) which: Which,
    pub(super) home: Home,
    pub(super) world: World,
    pub(super) titles: Vec<Arc<Title>>,
    pub(super) stand: Stand,
}

impl Single {
    /// So many titles. A request is given up after two seconds, and what is held is looked at again after
    /// one.
    pub(super) fn new(which: Which, titles: u32) -> Self {
        let mut home = Home::bare();
        let world = World::new(home.media());
        let titles = match which {
            Which::Radarr | Which::Jellyfin => world.films(titles),
            Which::Sonarr | Which::JellyfinOfSeries => world.series(titles, 1, 2),
            Which::Shoko => world.anime(titles),
        };
        let media = home.media();
        let media = media.display();
        let (stand, root, paths) = match which {
            Which::Radarr => {
                let stand = Radarr::start(&world, radarr::Options::default());
                (Stand::Radarr(stand), "movies", format!("\"/movies\" = \"{media}/movies\""))
            }
            Which::Sonarr => {
                let stand = Sonarr::start(&world, sonarr::Options::default());
                (Stand::Sonarr(stand), "tv", format!("\"/tv\" = \"{media}/tv\""))
            }
            Which::Jellyfin | Which::JellyfinOfSeries => {
                let stand = Jellyfin::start(&world, jellyfin::Options::default());
                let root = if which == Which::Jellyfin { "movies" } else { "tv" };
                (Stand::Jellyfin(stand), root, format!("\"/media\" = \"{media}\""))
            }
            Which::Shoko => {
                let stand = Shoko::start(&world, shoko::Options::default());
                (Stand::Shoko(stand), "anime", format!("\"/mnt/anime\" = \"{media}/anime\""))
            }
        };
        let config = format!(
            "[confirm]\nhold_retry = \"1s\"\nrefresh = []\n[roots.{root}]\npath = \"{media}/{root}\"\n\
             {}timeout = \"2s\"\n",
            table(which.name(), &stand, &paths)
        );
        home.configure(&config);
        Self { which, home, world, titles, stand }
    }

    /// A daemon that has listed the service and believes it.
    pub(super) fn start(&self) -> Daemon<'_> {
        let daemon = self.home.start();
        self.wait_health(&daemon, "well");
        daemon
    }

    /// What `status` says of the service, once it is in this health.
    pub(super) fn wait_health(&self, daemon: &Daemon<'_>, health: &str) -> Value {
        until(&format!("{} is {health}", self.which.name()), LONG, || {
            let service = self.service(daemon)?;
            (service["health"] == health).then_some(service)
        })
    }

    /// What `status` says of the service.
    pub(super) fn service(&self, daemon: &Daemon<'_>) -> Option<Value> {
        let status = daemon.get("/v1/status")?;
        let name = self.which.name();
        status["services"].as_array()?.iter().find(|one| one["name"] == name).cloned()
    }
}

/// What is under review of a title; `None`: nothing.
pub(super) fn review(daemon: &Daemon<'_>, title: &Title) -> Option<Value> {
    let candidates = daemon.get("/v1/candidates")?;
    let mut candidates = candidates.as_array()?.iter();
    candidates.find(|one| one["item"]["title"] == title.name.as_str()).cloned()
}

/// Waits until a title is held, and gives what `candidates` says of it.
pub(super) fn wait_held(daemon: &Daemon<'_>, title: &Title) -> Value {
    until(&format!("{} is held", title.name), LONG, || {
        assert!(!is_told(daemon, title), "{} was told", title.name);
        review(daemon, title).filter(|one| one["state"] == "held")
    })
}

/// Whether the deletion of a title was told.
pub(super) fn is_told(daemon: &Daemon<'_>, title: &Title) -> bool {
    let Some(deletions) = daemon.get("/v1/deletions") else { return false };
    let mut deletions = deletions.as_array().unwrap().iter();
    deletions.any(|one| one["item"]["title"] == title.name.as_str())
}

/// Waits until the deletion of a title was told.
pub(super) fn wait_told(daemon: &Daemon<'_>, title: &Title) {
    until(&format!("{} is told", title.name), LONG, || is_told(daemon, title).then_some(()));
}

/// Waits until a title is under review no more, and was not told.
pub(super) fn wait_retracted(daemon: &Daemon<'_>, title: &Title) {
    until(&format!("{} is left alone", title.name), LONG, || {
        review(daemon, title).is_none().then_some(())
    });
    assert!(!is_told(daemon, title), "{} was told", title.name);
}
