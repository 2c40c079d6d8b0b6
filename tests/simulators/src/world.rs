//! The library that all stand-ins are about: titles with their ids and names, and the files on disk.
//! Services copy it when they start; a change of the disk afterwards is nothing they know of.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::names;

/// The directories that the library has, and what lies in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Library {
    /// Films, which Radarr and Jellyfin know.
    Movies,
    /// Series, which Sonarr and Jellyfin know.
    Tv,
    /// Anime series, which Shoko and Jellyfin know, and Sonarr where it is told to.
    Anime,
}

impl Library {
    /// The name of its directory.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Movies => "movies",
            Self::Tv => "tv",
            Self::Anime => "anime",
        }
    }
}

/// Whether the folder of a title carries its provider id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Naming {
    /// `The Quiet Harbour (1950)`: as Radarr makes folders unless told otherwise.
    #[default]
    Plain,
    /// `The Quiet Harbour (1950) {tmdb-1000}`
    Braces,
    /// `The Quiet Harbour (1950) [tmdbid-1000]`
    Brackets,
}

/// A film or series.
#[derive(Debug)]
pub struct Title {
    /// Where it lies.
    pub library: Library,
    /// Its name.
    pub name: String,
    /// When it first came out.
    pub year: u16,
    /// Its TMDB number: counted apart for films and series, so that one number means two works.
    pub tmdb: u32,
    /// Its TVDB number; films have none.
    pub tvdb: Option<u32>,
    /// Its IMDb id.
    pub imdb: String,
    /// Its AniDB number; only anime has one.
    pub anidb: Option<u32>,
    /// Its folder, in the library's directory.
    pub folder: String,
    /// Its media files.
    pub files: Vec<MediaFile>,
}

/// A media file of a title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaFile {
    /// `/`-separated, below the title's folder.
    pub name: Box<str>,
    /// The season; 0 for films and specials.
    pub season: u16,
    /// The episode; 0 for films.
    pub episode: u16,
}

/// How many bytes each media file has on the disk and in what services say.
pub(crate) const SIZE: u64 = 64;

/// The library. A clone is the same one.
#[derive(Debug, Clone)]
pub struct World {
    directory: Option<PathBuf>,
    titles: Arc<Mutex<Titles>>,
}

#[derive(Debug, Default)]
struct Titles {
    naming: Naming,
    all: Vec<Arc<Title>>,
}

impl World {
    /// A library in a directory, which is made if need be.
    ///
    /// # Panics
    /// When it can't be made.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        let directory = directory.into();
        for library in [Library::Movies, Library::Tv, Library::Anime] {
            fs::create_dir_all(directory.join(library.name())).expect("the library can be made");
        }
        Self { directory: Some(directory), titles: Arc::default() }
    }

    /// A library that only exists in what services say; their looks at the disk find everything.
    #[must_use]
    pub fn without_disk() -> Self {
        Self { directory: None, titles: Arc::default() }
    }

    /// Whether the folders of titles that come from now on carry ids.
    pub fn naming(&self, naming: Naming) {
        self.lock().naming = naming;
    }

    /// Adds films, and answers them.
    pub fn films(&self, number: u32) -> Vec<Arc<Title>> {
        self.add(Library::Movies, number, 0, 0)
    }

    /// Adds series, each with so many seasons of so many episodes.
    pub fn series(&self, number: u32, seasons: u16, episodes: u16) -> Vec<Arc<Title>> {
        self.add(Library::Tv, number, seasons, episodes)
    }

    /// Adds anime series of three episodes.
    pub fn anime(&self, number: u32) -> Vec<Arc<Title>> {
        self.add(Library::Anime, number, 1, 3)
    }

    /// Adds a film of that name and year in that folder, which has to be one that the disk takes.
    pub fn film_called(&self, name: &str, year: u16, folder: &str) -> Arc<Title> {
        let mut titles = self.lock();
        let there = titles.all.iter().filter(|title| title.library == Library::Movies).count();
        let made = made_up(Library::Movies, u32::try_from(there).unwrap(), Naming::Plain, 0, 0);
        let files = vec![MediaFile { name: "film.mkv".into(), season: 0, episode: 0 }];
        let (name, folder) = (name.to_owned(), folder.to_owned());
        let film = Arc::new(Title { name, year, folder, files, ..made });
        titles.all.push(Arc::clone(&film));
        drop(titles);
        self.write(&film);
        film
    }

    fn add(&self, library: Library, number: u32, seasons: u16, episodes: u16) -> Vec<Arc<Title>> {
        let mut titles = self.lock();
        let there = titles.all.iter().filter(|title| title.library == library).count();
        let there = u32::try_from(there).unwrap();
        let naming = titles.naming;
        let added: Vec<Arc<Title>> = (there..there + number)
            .map(|n| Arc::new(made_up(library, n, naming, seasons, episodes)))
            .collect();
        titles.all.extend(added.iter().cloned());
        drop(titles);
        for title in &added {
            self.write(title);
        }
        added
    }

    /// Every title, in the order in which they came.
    #[must_use]
    pub fn titles(&self) -> Vec<Arc<Title>> {
        self.lock().all.clone()
    }

    /// The titles of one library.
    #[must_use]
    pub fn titles_of(&self, library: Library) -> Vec<Arc<Title>> {
        self.titles().into_iter().filter(|title| title.library == library).collect()
    }

    /// The directory of a library on the disk.
    #[must_use]
    pub fn directory(&self, library: Library) -> Option<PathBuf> {
        self.directory.as_ref().map(|directory| directory.join(library.name()))
    }

    /// The folder of a title on the disk.
    ///
    /// # Panics
    /// In a world without a disk.
    #[must_use]
    pub fn folder(&self, title: &Title) -> PathBuf {
        self.directory(title.library).expect("this world has a disk").join(&title.folder)
    }

    /// A file of a title on the disk.
    ///
    /// # Panics
    /// In a world without a disk.
    #[must_use]
    pub fn path(&self, title: &Title, file: &MediaFile) -> PathBuf {
        self.folder(title).join(&*file.name)
    }

    /// Removes the folder of a title from the disk with all that is in it.
    ///
    /// # Panics
    /// When it can't.
    pub fn delete(&self, title: &Title) {
        fs::remove_dir_all(self.folder(title)).expect("the folder can be removed");
    }

    /// Writes the files of a title, as they were.
    ///
    /// # Panics
    /// When it can't.
    pub fn write(&self, title: &Title) {
        if self.directory.is_none() {
            return;
        }
        let mut made: Option<PathBuf> = None;
        for file in &title.files {
            let path = self.path(title, file);
            let folder = path.parent().unwrap_or(Path::new("/")).to_path_buf();
            if made.as_ref() != Some(&folder) {
                fs::create_dir_all(&folder).expect("a folder can be made");
                made = Some(folder);
            }
            fs::write(&path, vec![b'm'; usize::try_from(SIZE).unwrap()])
                .expect("a file can be written");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Titles> {
        self.titles.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn made_up(library: Library, n: u32, naming: Naming, seasons: u16, episodes: u16) -> Title {
    let (article, first_year) = match library {
        Library::Movies => ("The", 1950),
        Library::Tv => ("A", 1970),
        Library::Anime => ("Kimi no", 1985),
    };
    let name = names::title(n, article);
    let year = first_year + u16::try_from(n % 40).unwrap();
    let (tmdb, tvdb) = match library {
        Library::Movies => (1000 + n, None),
        Library::Tv => (1000 + n, Some(70_000 + n)),
        Library::Anime => (200_000 + n, Some(300_000 + n)),
    };
    let clean = names::clean(&name);
    let plain = match library {
        Library::Movies => format!("{clean} ({year})"),
        Library::Tv | Library::Anime => clean.clone(),
    };
    let id = tvdb.map_or(("tmdb", tmdb), |tvdb| ("tvdb", tvdb));
    let folder = match naming {
        Naming::Plain => plain,
        Naming::Braces => format!("{plain} {{{}-{}}}", id.0, id.1),
        Naming::Brackets => format!("{plain} [{}id-{}]", id.0, id.1),
    };
    let files = match library {
        Library::Movies => {
            let name = format!("{clean} ({year}) Bluray-1080p.mkv").into_boxed_str();
            vec![MediaFile { name, season: 0, episode: 0 }]
        }
        Library::Tv => (1..=seasons)
            .flat_map(|season| (1..=episodes).map(move |episode| (season, episode)))
            .map(|(season, episode)| MediaFile {
                name: format!("Season {season}/{clean} - S{season:02}E{episode:02}.mkv").into(),
                season,
                episode,
            })
            .collect(),
        Library::Anime => (1..=episodes)
            .map(|episode| MediaFile {
                name: format!("{clean} - {episode:02}.mkv").into(),
                season: 1,
                episode,
            })
            .collect(),
    };
    let imdb_base = match library {
        Library::Movies => 100_000,
        Library::Tv => 4_000_000,
        Library::Anime => 7_000_000,
    };
    Title {
        library,
        name,
        year,
        tmdb,
        tvdb,
        imdb: format!("tt{:07}", imdb_base + n),
        anidb: (library == Library::Anime).then_some(10_000 + n),
        folder,
        files,
    }
}
