//! What Radarr and Sonarr have in common, which is most: both grew from one program.

mod answers;
mod database;
mod history;
mod routes;

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;

pub(crate) use answers::{language, quality};
pub use database::Reason;
pub(crate) use database::{Database, FileRecord, Record};
pub(crate) use routes::{bad_request, history_of, not_found};

use crate::place::Place;
use crate::simulator::Simulator;
use crate::time;
use crate::world::{Library, Title, World};

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavour {
    Radarr,
    Sonarr,
}

impl Flavour {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Radarr => "Radarr",
            Self::Sonarr => "Sonarr",
        }
    }
}

/// How an instance is set up, for both.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub(crate) flavour: Flavour,
    pub(crate) key: String,
    pub(crate) name: String,
    pub(crate) url_base: String,
    pub(crate) port: u16,
    pub(crate) version: &'static str,
    /// Each library and the root folder as which it is seen.
    pub(crate) libraries: Vec<(Library, String)>,
}

/// What the handlers share.
pub(crate) struct Arr {
    pub(crate) setup: Setup,
    database: Mutex<Database>,
}

impl Arr {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Database> {
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running Radarr or Sonarr: what happens to it, and what it has in its database.
pub struct Instance {
    simulator: Simulator,
    arr: Arc<Arr>,
    libraries: Vec<Library>,
}

/// A database as it was once.
#[derive(Debug, Clone)]
pub struct Backup(Database);

impl Instance {
    pub(crate) fn start(world: &World, setup: Setup, own: Router<Arc<Arr>>) -> Self {
        let place =
            |(library, shown): &(Library, String)| Place::new(world.directory(*library), shown);
        let mut database = Database::new(&setup.name, setup.libraries.iter().map(place).collect());
        let libraries: Vec<Library> = setup.libraries.iter().map(|(library, _)| *library).collect();
        for (root, library) in libraries.iter().enumerate() {
            for title in world.titles_of(*library) {
                database.add(&title, root, time::long_ago());
            }
        }
        let (port, key) = (setup.port, setup.key.clone());
        let arr = Arc::new(Arr { setup, database: Mutex::new(database) });
        let router = routes::router().merge(own).with_state(Arc::clone(&arr));
        let simulator = Simulator::start(port, &key, Arc::clone(&arr) as _, router);
        Self { simulator, arr, libraries }
    }

    /// The id of a title here; `None` where it isn't listed.
    #[must_use]
    pub fn id(&self, title: &Title) -> Option<u32> {
        self.arr.lock().of(title).map(|record| record.id)
    }

    /// Adds a title that came into the world later, with its files.
    ///
    /// # Panics
    /// When the instance has no root folder for it.
    pub fn add(&self, title: &Arc<Title>) {
        let root = self.libraries.iter().position(|library| *library == title.library);
        self.arr.lock().add(title, root.expect("a root folder for it"), time::now());
    }

    /// Forgets a title, and its history with it; the files on disk stay.
    pub fn remove(&self, title: &Title) {
        self.arr.lock().remove(title);
    }

    /// Forgets a title and adds it again, which gives it another id.
    pub fn readd(&self, title: &Arc<Title>) {
        let root = self.arr.lock().remove(title);
        let mut database = self.arr.lock();
        database.add(title, root.unwrap_or_default(), time::now());
    }

    /// Takes another folder for the title's, in the same root folder.
    pub fn rename(&self, title: &Title, folder: &str) {
        let mut database = self.arr.lock();
        let id = database.of(title).map(|record| record.id);
        if let Some(record) = database.records.iter_mut().find(|record| Some(record.id) == id) {
            folder.clone_into(&mut record.folder);
        }
    }

    /// Scans the folders of all titles: what isn't on disk is forgotten, unless the root folder is
    /// missing or hollow; what came back is found.
    pub fn rescan(&self) {
        let ids: Vec<u32> = self.arr.lock().records.iter().map(|record| record.id).collect();
        for id in ids {
            self.arr.lock().scan(id);
        }
    }

    /// Scans the folder of one title.
    pub fn rescan_title(&self, title: &Title) {
        self.with(title, Database::scan);
    }

    /// Forgets the files of a title, for a reason that stands in the history.
    pub fn forget_files(&self, title: &Title, reason: Reason) {
        self.with(title, |database, id| database.drop_files(id, reason, |_| true));
    }

    /// Says in the history that the title's files were replaced by better ones, which are listed.
    pub fn upgrade(&self, title: &Title) {
        self.with(title, |database, id| {
            database.drop_files(id, Reason::Upgrade, |_| true);
            for file in &title.files {
                database.import(id, file);
            }
        });
    }

    /// Says in the history that an upgrade took the files, while the new ones aren't there yet.
    pub fn mark_upgrade(&self, title: &Title) {
        self.forget_files(title, Reason::Upgrade);
    }

    /// Downloads something for a title, from now on.
    pub fn queue(&self, title: &Title) {
        self.with(title, |database, id| database.queue.push(id));
    }

    /// Nothing is being downloaded.
    pub fn clear_queue(&self) {
        self.arr.lock().queue.clear();
    }

    /// A command runs and doesn't end: `RescanMovie`, `RefreshSeries`, `ManualImport`. It is about a
    /// title, or about all.
    pub fn command_running(&self, name: &str, title: Option<&Title>) {
        let mut database = self.arr.lock();
        let record = title.and_then(|title| database.of(title)).map(|record| record.id);
        database.command(name, record, "started");
    }

    /// Commands that run come to their end.
    pub fn commands_end(&self) {
        for command in &mut self.arr.lock().commands {
            command.status = "completed";
        }
    }

    /// Starts anew: another start time, and no commands.
    pub fn restart(&self) {
        let mut database = self.arr.lock();
        database.started = time::later(database.started, 60);
        database.commands.clear();
    }

    /// Gives all titles other ids, as after a new set-up, and loses the history.
    pub fn recreate_ids(&self) {
        self.arr.lock().recreate_ids();
    }

    /// Loses the whole database, and with it the root folders.
    pub fn lose_database(&self) {
        let mut database = self.arr.lock();
        let roots = database.roots.clone();
        *database = Database::new(&self.arr.setup.name, roots);
        database.knows_roots = false;
    }

    /// The database as it is now.
    #[must_use]
    pub fn backup(&self) -> Backup {
        Backup(self.arr.lock().clone())
    }

    /// Takes an old database for its own.
    pub fn restore(&self, backup: &Backup) {
        let mut database = self.arr.lock();
        *database = backup.0.clone();
        database.started = time::later(time::now(), 60);
    }

    /// Takes another name.
    pub fn call_it(&self, instance_name: &str) {
        instance_name.clone_into(&mut self.arr.lock().instance_name);
    }

    fn with(&self, title: &Title, act: impl FnOnce(&mut Database, u32)) {
        let mut database = self.arr.lock();
        if let Some(id) = database.of(title).map(|record| record.id) {
            act(&mut database, id);
        }
    }
}

impl Deref for Instance {
    type Target = Simulator;

    fn deref(&self) -> &Simulator {
        &self.simulator
    }
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.arr.setup.flavour.name(), self.simulator)
    }
}
