//! What a Jellyfin remembers: items whose id comes from their path. Its scan deletes what it no longer
//! finds, at once and without a quorum; from 10.9 on it leaves a library alone whose root is gone or empty.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::Version;
use crate::place::Place;
use crate::world::{Library, Title};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Movie,
    Series,
    Season,
    Episode,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Movie => "Movie",
            Self::Series => "Series",
            Self::Season => "Season",
            Self::Episode => "Episode",
        }
    }

    fn type_name(self) -> &'static str {
        match self {
            Self::Movie => "MediaBrowser.Controller.Entities.Movies.Movie",
            Self::Series => "MediaBrowser.Controller.Entities.TV.Series",
            Self::Season => "MediaBrowser.Controller.Entities.TV.Season",
            Self::Episode => "MediaBrowser.Controller.Entities.TV.Episode",
        }
    }
}

/// A film or series as it was scanned.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) title: Arc<Title>,
    pub(super) folder: String,
    /// Which of the title's files are there.
    pub(super) has: Vec<bool>,
    /// How many episodes are known to be missing: items without a file.
    pub(super) missing: u16,
    pub(super) hidden: bool,
    pub(super) in_collection: bool,
}

/// One item. A large library has many of them, so that names are made only when asked for.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) kind: Kind,
    pub(super) id: u128,
    pub(super) record: usize,
    /// The file of a film or episode.
    pub(super) file: Option<usize>,
    pub(super) season: u16,
    pub(super) episode: u16,
}

#[derive(Debug, Clone)]
pub(super) struct Database {
    pub(super) libraries: Vec<(Library, Place)>,
    pub(super) records: Vec<Record>,
    /// All titles that it ever had, which a scan may find again.
    known: Vec<Arc<Title>>,
    pub(super) server_id: u128,
    pub(super) scanning: bool,
    /// By sort name; made anew when something changed.
    items: Option<Arc<Vec<Item>>>,
}

impl Database {
    pub(super) fn new(server_id: u128, libraries: Vec<(Library, Place)>) -> Self {
        let (records, known) = (Vec::new(), Vec::new());
        Self { libraries, records, known, server_id, scanning: false, items: None }
    }

    pub(super) fn place(&self, library: Library) -> &Place {
        &self.libraries.iter().find(|(known, _)| *known == library).expect("a known library").1
    }

    pub(super) fn add(&mut self, title: &Arc<Title>) {
        self.records.push(Record {
            title: Arc::clone(title),
            folder: title.folder.clone(),
            has: vec![true; title.files.len()],
            missing: 0,
            hidden: false,
            in_collection: false,
        });
        if !self.known.iter().any(|known| Arc::ptr_eq(known, title)) {
            self.known.push(Arc::clone(title));
        }
        self.items = None;
    }

    pub(super) fn change(&mut self, title: &Title, how: impl FnOnce(&mut Record)) {
        if let Some(record) = self.records.iter_mut().find(|record| is_same(&record.title, title)) {
            how(record);
        }
        self.items = None;
    }

    pub(super) fn remove(&mut self, title: &Title) {
        self.records.retain(|record| !is_same(&record.title, title));
        self.items = None;
    }

    /// Scans every library.
    pub(super) fn scan(&mut self, version: Version) {
        for (library, place) in self.libraries.clone() {
            let Some(root) = place.disk else { continue };
            let entries = fs::read_dir(&root).ok();
            let is_hollow = entries.is_none_or(|mut entries| entries.next().is_none());
            if is_hollow && version != Version::V10_8 {
                continue;
            }
            let titles: Vec<Arc<Title>> =
                self.known.iter().filter(|title| title.library == library).cloned().collect();
            for title in titles {
                self.scan_title(&root, &title);
            }
        }
        self.items = None;
    }

    fn scan_title(&mut self, root: &Path, title: &Arc<Title>) {
        let known = self.records.iter().position(|record| is_same(&record.title, title));
        let name = known.map_or(&title.folder, |at| &self.records[at].folder).clone();
        let folder = root.join(&name);
        let has: Vec<bool> =
            title.files.iter().map(|file| folder.join(&*file.name).is_file()).collect();
        let is_there = match title.library {
            Library::Movies => has.contains(&true),
            Library::Tv | Library::Anime => folder.is_dir(),
        };
        match (known, is_there) {
            (Some(at), true) => self.records[at].has = has,
            (Some(at), false) => {
                self.records.remove(at);
            }
            (None, true) => {
                self.add(title);
                self.change(title, |record| record.has = has);
            }
            (None, false) => {}
        }
    }

    /// Every item, by sort name. It isn't unique: episodes of all series are sorted by their numbers.
    pub(super) fn items(&mut self) -> Arc<Vec<Item>> {
        if let Some(items) = &self.items {
            return Arc::clone(items);
        }
        let mut items = Vec::new();
        for at in 0..self.records.len() {
            self.push_items(at, &mut items);
        }
        items.sort_by_cached_key(|item| {
            let name = crate::names::sort_title(&self.records[item.record].title.name);
            match item.kind {
                Kind::Movie | Kind::Series => name,
                Kind::Season => format!("{:04}", item.season),
                Kind::Episode => format!("{:03} - {:04}", item.season, item.episode),
            }
        });
        let items = Arc::new(items);
        self.items = Some(Arc::clone(&items));
        items
    }

    fn push_items(&self, at: usize, items: &mut Vec<Item>) {
        let record = &self.records[at];
        let place = self.place(record.title.library);
        let files = record.title.files.iter().enumerate().filter(|(n, _)| record.has[*n]);
        let path = |name: &str| place.shown(&format!("{}/{name}", record.folder));
        let item =
            |kind, id, file, season, episode| Item { kind, id, record: at, file, season, episode };
        if record.title.library == Library::Movies {
            for (n, file) in files {
                let id = id_of(Kind::Movie, &path(&file.name));
                items.push(item(Kind::Movie, id, Some(n), 0, 0));
            }
            return;
        }
        items.push(item(Kind::Series, record.series_id(place), None, 0, 0));
        let mut seasons = BTreeSet::new();
        for (n, file) in files {
            seasons.insert(file.season);
            let id = id_of(Kind::Episode, &path(&file.name));
            items.push(item(Kind::Episode, id, Some(n), file.season, file.episode));
        }
        for season in seasons {
            items.push(item(Kind::Season, record.season_id(place, season), None, season, 0));
        }
        for n in 0..record.missing {
            let id = id_of(Kind::Episode, &format!("{} missing {n}", path("")));
            items.push(item(Kind::Episode, id, None, 1, 500 + n));
        }
    }
}

impl Record {
    pub(super) fn series_id(&self, place: &Place) -> u128 {
        id_of(Kind::Series, &place.shown(&self.folder))
    }

    pub(super) fn season_id(&self, place: &Place, season: u16) -> u128 {
        let folder = self.season_folder(season).unwrap_or_else(|| format!("?{season}"));
        id_of(Kind::Season, &place.shown(&format!("{}/{folder}", self.folder)))
    }

    /// The folder of a season, where it has one of its own.
    pub(super) fn season_folder(&self, season: u16) -> Option<String> {
        let file = self.title.files.iter().find(|file| file.season == season)?;
        file.name.split_once('/').map(|(folder, _)| folder.to_owned())
    }
}

fn is_same(one: &Title, other: &Title) -> bool {
    one.library == other.library && one.tmdb == other.tmdb
}

/// The id of an item: the same type at the same path has the same id for ever. The real ones hash with
/// MD5; nobody can tell.
fn id_of(kind: Kind, path: &str) -> u128 {
    hashed(&[kind.type_name(), path])
}

/// FNV-1a, 128 bits wide.
pub(super) fn hashed(parts: &[&str]) -> u128 {
    let bytes = parts.iter().flat_map(|part| part.bytes());
    bytes.fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, |hash: u128, byte| {
        (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
    })
}
