//! Shoko: anime alone, by AniDB's numbers, and the one service that looks at the disk when it is asked.
//! It has no name and no scan that could be seen: of what can go wrong, another instance shows in the ids
//! only, and a running scan or import not at all.

mod database;
mod door;
mod routes;
mod values;

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::place::Place;
use crate::simulator::Simulator;
use crate::world::{Library, Title, World};
use database::Database;

/// The name and password of the one user.
pub const USER: &str = "demo";
/// See [`USER`].
pub const PASSWORD: &str = "demo";

/// Which Shoko.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Version {
    /// 4.2.2
    V4_2,
    /// 5.3.3
    #[default]
    V5,
    /// 6.0.0
    V6,
}

impl Version {
    fn text(self) -> &'static str {
        match self {
            Self::V4_2 => "4.2.2.0",
            Self::V5 => "5.3.3.0",
            Self::V6 => "6.0.0.0",
        }
    }

    fn folder_route(self) -> &'static str {
        if self == Self::V6 { "ManagedFolder" } else { "ImportFolder" }
    }

    fn folder_key(self) -> &'static str {
        if self == Self::V6 { "ManagedFolderID" } else { "ImportFolderID" }
    }
}

/// How a Shoko is set up.
#[derive(Debug, Clone)]
pub struct Options {
    /// Its API key.
    pub key: String,
    /// Where it sees the anime, as its folder is configured: usually with a separator at the end.
    pub prefix: String,
    /// Its version.
    pub version: Version,
    /// Its port; any free one for 0.
    pub port: u16,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            key: "12345678-90ab-cdef-1234-567890abcdef".into(),
            prefix: "/mnt/anime/".into(),
            version: Version::default(),
            port: 0,
        }
    }
}

/// What the handlers share.
struct Shared {
    key: String,
    version: Version,
    database: Mutex<Database>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Database> {
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running Shoko. What goes wrong with it is in what it derefs to.
pub struct Shoko {
    simulator: Simulator,
    shared: Arc<Shared>,
}

impl Shoko {
    /// Starts one that knows all anime of the world.
    ///
    /// # Panics
    /// When its port can't be opened.
    pub fn start(world: &World, options: Options) -> Self {
        let place = Place::new(world.directory(Library::Anime), &options.prefix);
        let mut database = Database::new(place);
        for title in world.titles_of(Library::Anime) {
            database.add(&title);
        }
        let (key, version) = (options.key, options.version);
        let shared = Arc::new(Shared { key, version, database: Mutex::new(database) });
        let router = routes::router(version).with_state(Arc::clone(&shared));
        let simulator =
            Simulator::start(options.port, &shared.key, Arc::clone(&shared) as _, router);
        Self { simulator, shared }
    }

    /// The id of a series here; `None` where it isn't listed.
    #[must_use]
    pub fn id(&self, title: &Title) -> Option<u32> {
        self.shared.lock().of(title)
    }

    /// Adds a title that came into the world later.
    pub fn add(&self, title: &Arc<Title>) {
        self.shared.lock().add(title);
    }

    /// Forgets a series and its files; those on disk stay.
    pub fn remove(&self, title: &Title) {
        self.shared.lock().remove(title);
    }

    /// Forgets a series and adds it again, which gives it another id.
    pub fn readd(&self, title: &Arc<Title>) {
        let mut database = self.shared.lock();
        database.remove(title);
        database.add(title);
    }

    /// Takes the files of a series for moved to another folder.
    pub fn rename(&self, title: &Title, folder: &str) {
        self.shared.lock().rename(title, folder);
    }

    /// Knows each file of a series in a second place as well.
    pub fn also_at(&self, title: &Title, folder: &str) {
        self.shared.lock().also_at(title, folder);
    }

    /// Ignores the files of a series: lists leave them out.
    pub fn ignore(&self, title: &Title) {
        let mut database = self.shared.lock();
        let id = database.of(title);
        let of_it = |video: &&mut database::Video| Some(video.series) == id;
        database.videos.iter_mut().filter(of_it).for_each(|video| video.ignored = true);
    }

    /// Hides a series from the key's user: 403, and lists leave it out.
    pub fn hide_from_user(&self, title: &Title) {
        let mut database = self.shared.lock();
        let of_it = |series: &&mut database::Series| series.title.anidb == title.anidb;
        database.series.iter_mut().filter(of_it).for_each(|series| series.hidden = true);
    }

    /// Imports what came back; nothing is forgotten.
    pub fn rescan(&self) {
        self.shared.lock().import();
    }

    /// What a person can order: every file that can't be read is forgotten, even if the whole disk is away.
    pub fn remove_missing_files(&self) {
        self.shared.lock().remove_missing();
    }

    /// The database is being worked on, and nothing can be asked.
    pub fn database_blocked(&self, blocked: bool) {
        self.shared.lock().blocked = blocked;
    }

    /// Gives all series and files other ids.
    pub fn recreate_ids(&self) {
        self.shared.lock().recreate_ids();
    }

    /// Loses the whole database, and with it its folder.
    pub fn lose_database(&self) {
        let mut database = self.shared.lock();
        let folder = database.folder.clone();
        *database = Database::new(folder);
        database.knows_folder = false;
    }
}

impl Deref for Shoko {
    type Target = Simulator;

    fn deref(&self) -> &Simulator {
        &self.simulator
    }
}

impl fmt::Debug for Shoko {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shoko {:?}", self.simulator)
    }
}
