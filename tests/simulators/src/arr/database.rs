//! What Radarr and Sonarr remember. It is copied from the world once; then only what happens to the
//! program changes it, and a scan looks at the disk with the guards that the real ones have, and with
//! their holes.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use crate::place::Place;
use crate::time;
use crate::world::{MediaFile, SIZE, Title};

/// Why a file record went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// A scan no longer found the file.
    MissingFromDisk,
    /// It was deleted through the program.
    Manual,
    /// A better file took its place.
    Upgrade,
    /// The same path was imported again.
    ManualOverride,
}

impl Reason {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::MissingFromDisk => "MissingFromDisk",
            Self::Manual => "Manual",
            Self::Upgrade => "Upgrade",
            Self::ManualOverride => "ManualOverride",
        }
    }
}

/// A film or series as the program has it.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) id: u32,
    pub(crate) title: Arc<Title>,
    /// Which root folder it lies in.
    pub(crate) root: usize,
    /// Its folder in the root folder.
    pub(crate) folder: String,
    pub(crate) files: Vec<FileRecord>,
    /// The id of its first episode; the others follow.
    pub(crate) first_episode: u32,
    pub(crate) added: Timestamp,
}

#[derive(Debug, Clone)]
pub(crate) struct FileRecord {
    pub(crate) id: u32,
    pub(crate) file: MediaFile,
    pub(crate) added: Timestamp,
}

/// A row of the history.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) id: u32,
    pub(crate) record: u32,
    pub(crate) episode: u32,
    pub(crate) event: Event,
    pub(crate) source_title: String,
    pub(crate) date: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    Imported,
    Deleted(Reason),
}

/// A command that runs.
#[derive(Debug, Clone)]
pub(crate) struct Command {
    pub(crate) id: u32,
    pub(crate) name: String,
    /// The title it is about.
    pub(crate) record: Option<u32>,
    /// `queued`, `started`, `completed`.
    pub(crate) status: &'static str,
    pub(crate) at: Timestamp,
}

#[derive(Debug, Clone)]
pub(crate) struct Database {
    pub(crate) roots: Vec<Place>,
    /// Whether it knows its root folders; a new database doesn't.
    pub(crate) knows_roots: bool,
    pub(crate) records: Vec<Record>,
    pub(crate) history: Vec<Row>,
    /// The titles for which something is being downloaded.
    pub(crate) queue: Vec<u32>,
    pub(crate) commands: Vec<Command>,
    pub(crate) instance_name: String,
    pub(crate) started: Timestamp,
    /// The last id of each kind.
    pub(crate) last_record: u32,
    last_file: u32,
    last_episode: u32,
    last_row: u32,
    last_command: u32,
}

impl Database {
    pub(crate) fn new(instance_name: &str, roots: Vec<Place>) -> Self {
        Self {
            roots,
            knows_roots: true,
            records: Vec::new(),
            history: Vec::new(),
            queue: Vec::new(),
            commands: Vec::new(),
            instance_name: instance_name.to_owned(),
            started: time::now(),
            last_record: 0,
            last_file: 0,
            last_episode: 0,
            last_row: 0,
            last_command: 0,
        }
    }

    /// Adds a title with all its files, without a look at the disk.
    pub(crate) fn add(&mut self, title: &Arc<Title>, root: usize, added: Timestamp) {
        self.last_record += 1;
        let files = title.files.iter().map(|file| {
            self.last_file += 1;
            FileRecord { id: self.last_file, file: file.clone(), added }
        });
        let files = files.collect();
        let first_episode = self.last_episode + 1;
        self.last_episode += u32::try_from(title.files.len()).unwrap();
        self.records.push(Record {
            id: self.last_record,
            title: Arc::clone(title),
            root,
            folder: title.folder.clone(),
            files,
            first_episode,
            added,
        });
    }

    pub(crate) fn record(&self, id: u32) -> Option<&Record> {
        let guess = (id as usize).checked_sub(1).and_then(|at| self.records.get(at));
        guess.filter(|record| record.id == id).or_else(|| self.records.iter().find(|r| r.id == id))
    }

    pub(crate) fn of(&self, title: &Title) -> Option<&Record> {
        self.records.iter().find(|record| is_same(&record.title, title))
    }

    /// Forgets a title, and with it its history.
    pub(crate) fn remove(&mut self, title: &Title) -> Option<usize> {
        let at = self.records.iter().position(|record| is_same(&record.title, title))?;
        let record = self.records.remove(at);
        self.history.retain(|row| row.record != record.id);
        self.queue.retain(|queued| *queued != record.id);
        Some(record.root)
    }

    /// Where a file of a record is, as the program writes it.
    pub(crate) fn path(&self, record: &Record, file: &MediaFile) -> String {
        self.roots[record.root].shown(&format!("{}/{}", record.folder, file.name))
    }

    /// Drops file records for a reason, which the history keeps.
    pub(crate) fn drop_files(
        &mut self,
        id: u32,
        reason: Reason,
        which: impl Fn(&MediaFile) -> bool,
    ) {
        let Some(at) = self.records.iter().position(|record| record.id == id) else { return };
        let (gone, kept): (Vec<_>, Vec<_>) =
            self.records[at].files.drain(..).partition(|record| which(&record.file));
        self.records[at].files = kept;
        for file in gone {
            self.tell(at, &file.file, Event::Deleted(reason));
        }
    }

    /// Imports a file, under a new file id.
    pub(crate) fn import(&mut self, id: u32, file: &MediaFile) {
        let Some(at) = self.records.iter().position(|record| record.id == id) else { return };
        self.last_file += 1;
        let added = time::now();
        self.records[at].files.push(FileRecord { id: self.last_file, file: file.clone(), added });
        self.tell(at, file, Event::Imported);
    }

    fn tell(&mut self, at: usize, file: &MediaFile, event: Event) {
        self.last_row += 1;
        let record = &self.records[at];
        let source_title = self.path(record, file);
        self.history.push(Row {
            id: self.last_row,
            record: record.id,
            episode: record.episode(file.season, file.episode).unwrap_or_default(),
            event,
            source_title,
            date: time::later(time::now(), i64::from(self.last_row % 2)),
        });
    }

    /// Adds a command, and answers its id.
    pub(crate) fn command(&mut self, name: &str, record: Option<u32>, status: &'static str) -> u32 {
        self.last_command += 1;
        let id = self.last_command;
        self.commands.push(Command { id, name: name.to_owned(), record, status, at: time::now() });
        id
    }

    /// Looks at the folder of a title, as a scan does.
    pub(crate) fn scan(&mut self, id: u32) {
        let Some(record) = self.record(id).cloned() else { return };
        let Some(root) = self.roots[record.root].disk.clone() else { return };
        let folder = root.join(&record.folder);
        if !folder.is_dir() {
            let is_hollow =
                fs::read_dir(&root).map_or(true, |mut entries| entries.next().is_none());
            if !is_hollow {
                self.drop_files(id, Reason::MissingFromDisk, |_| true);
            }
            return;
        }
        let mut found = BTreeSet::new();
        list(&folder, "", &mut found);
        self.drop_files(id, Reason::MissingFromDisk, |file| !found.contains(&*file.name));
        let has = |file: &MediaFile| record.files.iter().any(|known| known.file.name == file.name);
        for file in record.title.files.iter().filter(|f| found.contains(&*f.name) && !has(f)) {
            self.import(id, file);
        }
    }

    /// The commands alone, to which a mood may add.
    pub(crate) fn clone_commands(&self) -> Self {
        let mut copy = Self::new(&self.instance_name, Vec::new());
        copy.commands.clone_from(&self.commands);
        copy.last_command = self.last_command;
        copy.last_record = self.last_record;
        copy
    }

    /// Gives every title, file and episode another id.
    pub(crate) fn recreate_ids(&mut self) {
        for record in &mut self.records {
            record.id += self.last_record;
            record.first_episode += self.last_episode;
            for file in &mut record.files {
                file.id += self.last_file;
            }
        }
        self.last_record *= 2;
        self.last_file *= 2;
        self.last_episode *= 2;
        self.history.clear();
        self.queue.clear();
    }
}

impl Record {
    /// The id of an episode, which stays whether there is a file or not.
    pub(crate) fn episode(&self, season: u16, episode: u16) -> Option<u32> {
        let is = |file: &MediaFile| file.season == season && file.episode == episode;
        let at = self.title.files.iter().position(is)?;
        Some(self.first_episode + u32::try_from(at).ok()?)
    }

    pub(crate) fn size(&self) -> u64 {
        SIZE * self.files.len() as u64
    }
}

fn is_same(one: &Title, other: &Title) -> bool {
    one.library == other.library && one.tmdb == other.tmdb
}

/// All video files below a folder. What can't be read counts as empty, as .NET lists it.
fn list(folder: &Path, prefix: &str, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            list(&entry.path(), &format!("{name}/"), found);
        } else if name.ends_with(".mkv") {
            found.insert(name);
        }
    }
}
