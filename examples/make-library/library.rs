//! A made-up media library, the same for the same seed.
//!
//! [`Library::plan`] decides everything and touches nothing; [`Library::write`] makes the files. The
//! plan is also the manifest: a test compares what the daemon says with it. All titles are invented
//! and unique, every file has content of its own, and no file is larger than its own path.

use std::fs;
use std::io;
use std::path::Path;
use std::thread;

use serde::Serialize;

use titles::Names;

#[path = "titles.rs"]
mod titles;

/// How large a library to make, and from which seed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    /// Films below `movies/`.
    pub(crate) films: usize,
    /// Series; each fifth lies below `anime/shows/`, the others below `shows/`.
    pub(crate) series: usize,
    /// The same seed gives the same library.
    pub(crate) seed: u64,
}

/// What a title is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// A film.
    Film,
    /// A series.
    Series,
}

/// The provider ids that stand in a title's name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Ids {
    /// Written `[tmdbid-123]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tmdb: Option<u32>,
    /// Written `{tvdb-123}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tvdb: Option<u32>,
    /// Written `[imdbid-tt0000123]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) imdb: Option<String>,
}

/// One film or series, with its files relative to the library's directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Title {
    /// What it is.
    pub(crate) kind: Kind,
    /// Its name without year and ids.
    pub(crate) title: String,
    /// The year behind the name.
    pub(crate) year: u16,
    /// The ids behind the year.
    pub(crate) ids: Ids,
    /// Its folder; for a loose film the folder it shares with others.
    pub(crate) folder: String,
    /// Whether it has no folder of its own.
    pub(crate) loose: bool,
    /// The films or episodes: when all of these are gone, the title is.
    pub(crate) media: Vec<String>,
    /// Episodes of season 0.
    pub(crate) specials: Vec<String>,
    /// Media files that aren't the film or series itself: trailers, featurettes.
    pub(crate) extras: Vec<String>,
    /// Subtitles, pictures, descriptions.
    pub(crate) other: Vec<String>,
}

impl Title {
    /// Every file of the title.
    pub(crate) fn files(&self) -> impl Iterator<Item = &String> {
        self.media.iter().chain(&self.specials).chain(&self.extras).chain(&self.other)
    }
}

/// The whole library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Library {
    /// Films first, then series.
    pub(crate) titles: Vec<Title>,
}

impl Library {
    /// Decides on every title and file.
    pub(crate) fn plan(size: Size) -> Self {
        let mut names = Names::new(size.seed);
        let films = (0..size.films).map(|number| film(number, &mut names)).collect::<Vec<_>>();
        let series = (0..size.series).map(|number| series(number, &mut names));
        Self { titles: films.into_iter().chain(series).collect() }
    }

    /// Every file, relative to the library's directory.
    pub(crate) fn files(&self) -> impl Iterator<Item = &String> {
        self.titles.iter().flat_map(Title::files)
    }

    /// Makes the library below `dir`, which is created if need be.
    ///
    /// # Errors
    /// The first directory or file that could not be made.
    pub(crate) fn write(&self, dir: &Path) -> io::Result<()> {
        for folder in ["movies", "shows", "anime/shows"] {
            fs::create_dir_all(dir.join(folder))?;
        }
        self.files().try_for_each(|file| write_file(dir, file))
    }
}

/// Makes a file whose content is its own path.
fn write_file(dir: &Path, file: &str) -> io::Result<()> {
    let path = dir.join(file);
    match fs::write(&path, file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(path.parent().unwrap_or(dir))?;
            fs::write(&path, file)
        }
        done => done,
    }
}

/// A large tree without variety: `dirs` films of `files` files each, a thousand to a folder.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plain {
    /// How many title folders.
    pub(crate) dirs: usize,
    /// How many media files in each.
    pub(crate) files: usize,
}

impl Plain {
    const BUCKET: usize = 1000;

    /// The folder of title number `number`, relative to the library's directory.
    pub(crate) fn folder(number: usize) -> String {
        let year = 1950 + number % 70;
        format!("plain/{:04}/Plain {number:06} ({year})", number / Self::BUCKET)
    }

    /// Makes the tree below `dir/plain`.
    ///
    /// # Errors
    /// The first directory or file that could not be made.
    pub(crate) fn write(self, dir: &Path) -> io::Result<()> {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        thread::scope(|scope| {
            let share = |first: usize| {
                move || (first..self.dirs).step_by(threads).try_for_each(|n| self.write_one(dir, n))
            };
            let shares: Vec<_> = (0..threads).map(|first| scope.spawn(share(first))).collect();
            shares.into_iter().try_for_each(|share| {
                share.join().unwrap_or_else(|_| Err(io::Error::other("a writing thread panicked")))
            })
        })
    }

    fn write_one(self, dir: &Path, number: usize) -> io::Result<()> {
        let folder = Self::folder(number);
        fs::create_dir_all(dir.join(&folder))?;
        let name = folder.rsplit('/').next().unwrap_or_default();
        (1..=self.files).try_for_each(|n| write_file(dir, &format!("{folder}/{name} - {n:02}.mkv")))
    }
}

/// How a film lies on disk; films take turns, so that ten of them have every shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Folder,
    Sidecars,
    Loose,
    LooseSidecars,
    Extras,
    DiscFolders,
    DiscFiles,
    Versions,
}

const SHAPES: [Shape; 10] = [
    Shape::Folder,
    Shape::Sidecars,
    Shape::Loose,
    Shape::Extras,
    Shape::DiscFolders,
    Shape::Folder,
    Shape::Versions,
    Shape::LooseSidecars,
    Shape::DiscFiles,
    Shape::Folder,
];

fn film(number: usize, names: &mut Names) -> Title {
    let (title, year) = names.next_title();
    let id = names.random.id(number);
    let ids = match number % 3 {
        0 => Ids { tmdb: Some(id), ..Ids::default() },
        1 => Ids { imdb: Some(format!("tt{id:07}")), ..Ids::default() },
        _ => Ids::default(),
    };
    let shape = SHAPES[number % SHAPES.len()];
    let loose = matches!(shape, Shape::Loose | Shape::LooseSidecars);
    let (name, long) = (format!("{title} ({year})"), long_name(&title, year, &ids));
    let stem = if loose { &long } else { &name };
    let folder = if loose { "movies".to_owned() } else { format!("movies/{long}") };
    let at = |files: &[String]| files.iter().map(|file| format!("{folder}/{file}")).collect();
    let media: Vec<String> = match shape {
        Shape::DiscFolders => at(&[format!("CD1/{name}.mkv"), format!("CD2/{name}.mkv")]),
        Shape::DiscFiles => at(&[format!("{name} - cd1.avi"), format!("{name} - cd2.avi")]),
        Shape::Versions => at(&[format!("{name} - 1080p.mkv"), format!("{name} - 2160p.mkv")]),
        _ => at(&[format!("{stem}.mkv")]),
    };
    let extras = match shape {
        Shape::Extras => {
            at(&["Featurettes/Behind the Scenes.mkv".to_owned(), "Trailers/Trailer.mp4".to_owned()])
        }
        _ => Vec::new(),
    };
    let other = match shape {
        Shape::Folder | Shape::Loose | Shape::DiscFiles => Vec::new(),
        Shape::LooseSidecars => at(&[format!("{stem}.en.srt"), format!("{stem}.nfo")]),
        _ => at(&[format!("{name}.en.srt"), format!("{name}.nfo"), "poster.jpg".to_owned()]),
    };
    let specials = Vec::new();
    Title { kind: Kind::Film, title, year, ids, folder, loose, media, specials, extras, other }
}

fn series(number: usize, names: &mut Names) -> Title {
    let (title, year) = names.next_title();
    let id = names.random.id(number);
    let tvdb = (number % 3 != 2).then_some(id);
    let ids = Ids { tvdb, ..Ids::default() };
    let shelf = if number % 5 == 4 { "anime/shows" } else { "shows" };
    let folder = format!("{shelf}/{}", long_name(&title, year, &ids));
    let mut episodes = |season: usize, place: &str| -> Vec<String> {
        let count = 3 + names.random.below(8);
        let episode = |n: usize| {
            let part = names.random.phrase();
            format!("{folder}/{place}/{title} - S{season:02}E{n:02} - {part}.mkv")
        };
        (1..=count).map(episode).collect()
    };
    let specials = match number % 6 {
        0 => episodes(0, "Specials"),
        3 => episodes(0, "Season 00"),
        _ => Vec::new(),
    };
    let seasons = 1 + number % 4;
    let media = (1..=seasons).flat_map(|n| episodes(n, &format!("Season {n:02}"))).collect();
    let (extras, other) = if number.is_multiple_of(2) {
        let other = ["tvshow.nfo", "poster.jpg", "Season 01/season01.jpg"];
        let other = other.map(|file| format!("{folder}/{file}")).to_vec();
        (vec![format!("{folder}/Trailers/Trailer.mp4")], other)
    } else {
        (Vec::new(), Vec::new())
    };
    let loose = false;
    Title { kind: Kind::Series, title, year, ids, folder, loose, media, specials, extras, other }
}

/// `Name (Year)` with the ids behind it.
fn long_name(title: &str, year: u16, ids: &Ids) -> String {
    let tmdb = ids.tmdb.map(|id| format!(" [tmdbid-{id}]")).unwrap_or_default();
    let tvdb = ids.tvdb.map(|id| format!(" {{tvdb-{id}}}")).unwrap_or_default();
    let imdb = ids.imdb.as_ref().map(|id| format!(" [imdbid-{id}]")).unwrap_or_default();
    format!("{title} ({year}){tmdb}{tvdb}{imdb}")
}
