//! Jellyfin: every item under an id that comes from its path, and one question with many filters.

mod database;
mod door;
mod filter;
mod items;
mod routes;

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::place::Place;
use crate::simulator::Simulator;
use crate::world::{Library, Title, World};
use database::{Database, hashed};

/// The name and password of the one user.
pub const USER: &str = "demo";
/// See [`USER`].
pub const PASSWORD: &str = "demo";

/// Which Jellyfin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Version {
    /// 10.8.13
    V10_8,
    /// 10.11.11
    #[default]
    V10_11,
    /// 12.0.0
    V12,
}

impl Version {
    fn text(self) -> &'static str {
        match self {
            Self::V10_8 => "10.8.13",
            Self::V10_11 => "10.11.11",
            Self::V12 => "12.0.0",
        }
    }
}

/// How a Jellyfin is set up.
#[derive(Debug, Clone)]
pub struct Options {
    /// Its API key.
    pub key: String,
    /// Where it sees the whole library; `movies`, `tv` and `anime` lie below.
    pub prefix: String,
    /// The base URL under which it is served: empty or `/jellyfin`.
    pub url_base: String,
    /// Its server name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// Whether old forms of the key are taken; `None`: as the version does by default.
    pub takes_legacy: Option<bool>,
    /// Its port; any free one for 0.
    pub port: u16,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            key: "00112233445566778899aabbccddeeff".into(),
            prefix: "/media".into(),
            url_base: String::new(),
            name: "media".into(),
            version: Version::default(),
            takes_legacy: None,
            port: 0,
        }
    }
}

/// What the handlers share.
struct Jelly {
    key: String,
    url_base: String,
    name: String,
    version: Version,
    takes_legacy: bool,
    database: Mutex<Database>,
}

impl Jelly {
    fn lock(&self) -> MutexGuard<'_, Database> {
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An id as Jellyfin writes it.
fn shown(id: u128) -> String {
    format!("{id:032x}")
}

/// A running Jellyfin. What goes wrong with it is in what it derefs to.
pub struct Jellyfin {
    simulator: Simulator,
    jelly: Arc<Jelly>,
}

impl Jellyfin {
    /// Starts one that has scanned the whole world.
    ///
    /// # Panics
    /// When its port can't be opened.
    pub fn start(world: &World, options: Options) -> Self {
        let libraries = [Library::Movies, Library::Tv, Library::Anime].map(|library| {
            (library, Place::below(world.directory(library), &options.prefix, library.name()))
        });
        let server_id = hashed(&["server", &options.name]);
        let mut database = Database::new(server_id, libraries.to_vec());
        for title in world.titles() {
            database.add(&title);
        }
        let jelly = Arc::new(Jelly {
            takes_legacy: options.takes_legacy.unwrap_or(options.version != Version::V12),
            key: options.key,
            url_base: options.url_base,
            name: options.name,
            version: options.version,
            database: Mutex::new(database),
        });
        let router = routes::router(options.version).with_state(Arc::clone(&jelly));
        let simulator = Simulator::start(options.port, &jelly.key, Arc::clone(&jelly) as _, router);
        Self { simulator, jelly }
    }

    /// The access token that [`USER`] gets by name and password.
    #[must_use]
    pub fn user_token(&self) -> String {
        self.jelly.user_token()
    }

    /// Forgets a title; the files on disk stay.
    pub fn remove(&self, title: &Title) {
        self.jelly.lock().remove(title);
    }

    /// Adds a title that came into the world later.
    pub fn add(&self, title: &Arc<Title>) {
        self.jelly.lock().add(title);
    }

    /// Takes another folder for the title's, and with it other ids.
    pub fn rename(&self, title: &Title, folder: &str) {
        self.jelly.lock().change(title, |record| folder.clone_into(&mut record.folder));
    }

    /// Scans all libraries: what isn't on disk is deleted, what came back has its old id.
    pub fn rescan(&self) {
        self.jelly.lock().scan(self.jelly.version);
    }

    /// A scan begins, or ends, without doing anything.
    pub fn scan_running(&self, running: bool) {
        self.jelly.lock().scanning = running;
    }

    /// Lists so many episodes of a series that nobody has: virtual items without a path.
    pub fn missing_episodes(&self, title: &Title, number: u16) {
        self.jelly.lock().change(title, |record| record.missing = number);
    }

    /// Hides a title from the user; an API key goes on seeing it.
    pub fn hide_from_user(&self, title: &Title) {
        self.jelly.lock().change(title, |record| record.hidden = true);
    }

    /// Puts a film in a collection, under which a user sees it.
    pub fn put_in_collection(&self, title: &Title) {
        self.jelly.lock().change(title, |record| record.in_collection = true);
    }

    /// Loses the whole database; the libraries are set up again, and the server has another id.
    pub fn lose_database(&self) {
        let mut database = self.jelly.lock();
        let libraries = database.libraries.clone();
        *database = Database::new(!database.server_id, libraries);
    }
}

impl Deref for Jellyfin {
    type Target = Simulator;

    fn deref(&self) -> &Simulator {
        &self.simulator
    }
}

impl fmt::Debug for Jellyfin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Jellyfin {:?}", self.simulator)
    }
}
