//! Radarr: films, of which each has one file or none.

use std::ops::Deref;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Extension, Path, State};
use axum::response::Response;
use axum::routing::get;
use serde_json::{Value, json};

use crate::answer::{self, Query};
use crate::arr::{
    Arr, Database, FileRecord, Flavour, Instance, Record, Setup, bad_request, history_of, language,
    not_found, quality,
};
use crate::misbehaviour::Mood;
use crate::names;
use crate::world::{Library, SIZE, World};

/// Which Radarr.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Version {
    /// 5.28
    V5,
    /// 6.1
    #[default]
    V6,
}

/// How a Radarr is set up.
#[derive(Debug, Clone)]
pub struct Options {
    /// Its API key.
    pub key: String,
    /// Where it sees the films: `/movies`, `/data/films/`, `D:\Films`. This is its root folder.
    pub prefix: String,
    /// The sub-path under which it is served: empty or `/radarr`.
    pub url_base: String,
    /// Its instance name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// Its port; any free one for 0.
    pub port: u16,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            key: "0123456789abcdef0123456789abcdef".into(),
            prefix: "/movies".into(),
            url_base: String::new(),
            name: "Radarr".into(),
            version: Version::default(),
            port: 0,
        }
    }
}

/// A running Radarr. What happens to it, and what goes wrong with it, is in what it derefs to.
#[derive(Debug)]
pub struct Radarr(Instance);

impl Radarr {
    /// Starts one that lists every film of the world.
    ///
    /// # Panics
    /// When its port can't be opened.
    pub fn start(world: &World, options: Options) -> Self {
        let version = match options.version {
            Version::V5 => "5.28.0.10274",
            Version::V6 => "6.1.0.10293",
        };
        let setup = Setup {
            flavour: Flavour::Radarr,
            key: options.key,
            name: options.name,
            url_base: options.url_base,
            port: options.port,
            version,
            libraries: vec![(Library::Movies, options.prefix)],
        };
        Self(Instance::start(world, setup, router()))
    }
}

impl Deref for Radarr {
    type Target = Instance;

    fn deref(&self) -> &Instance {
        &self.0
    }
}

fn router() -> Router<Arc<Arr>> {
    Router::new()
        .route("/api/v3/movie", get(movies))
        .route("/api/v3/movie/{id}", get(one_movie))
        .route("/api/v3/moviefile", get(movie_files))
        .route("/api/v3/moviefile/{id}", get(one_movie_file))
        .route("/api/v3/history/movie", get(history))
}

async fn movies(
    State(arr): State<Arc<Arr>>,
    Extension(mood): Extension<Mood>,
    Extension(query): Extension<Query>,
) -> Response {
    let database = arr.lock();
    let tmdb = query.number("tmdbId");
    let has_covers = !query.is("excludeLocalCovers");
    let wanted = database.records.iter().filter(|record| {
        mood.lists(record.id) && tmdb.is_none_or(|tmdb| record.title.tmdb == tmdb)
    });
    answer::list(wanted.map(|record| movie(&database, record, &mood, has_covers)))
}

async fn one_movie(
    State(arr): State<Arc<Arr>>,
    Extension(mood): Extension<Mood>,
    Path(id): Path<u32>,
) -> Response {
    let database = arr.lock();
    match database.record(mood.meant(id, database.last_record)) {
        Some(record) => answer::json(&movie(&database, record, &mood, true)),
        None => not_found(),
    }
}

async fn movie_files(
    State(arr): State<Arc<Arr>>,
    Extension(mood): Extension<Mood>,
    Extension(query): Extension<Query>,
) -> Response {
    let database = arr.lock();
    let (movies, files) = (query.numbers("movieId"), query.numbers("movieFileIds"));
    if movies.is_empty() && files.is_empty() {
        return bad_request("movieId or movieFileIds must be provided");
    }
    let last = database.last_record;
    let ids: Vec<u32> = movies.iter().map(|id| mood.meant(*id, last)).collect();
    let wanted = database
        .records
        .iter()
        .flat_map(|record| record.files.iter().map(move |file| (record, file)));
    let wanted = wanted.filter(|(record, file)| {
        mood.lists(record.id) && (ids.contains(&record.id) || files.contains(&file.id))
    });
    answer::list(wanted.map(|(record, file)| movie_file(&database, record, file, &mood)))
}

async fn one_movie_file(
    State(arr): State<Arc<Arr>>,
    Extension(mood): Extension<Mood>,
    Path(id): Path<u32>,
) -> Response {
    let database = arr.lock();
    let mut every = database.records.iter().flat_map(|r| r.files.iter().map(move |file| (r, file)));
    match every.find(|(_, file)| mood.shown(file.id, file.id) == id) {
        Some((record, file)) => answer::json(&movie_file(&database, record, file, &mood)),
        None => not_found(),
    }
}

async fn history(
    State(arr): State<Arc<Arr>>,
    Extension(mood): Extension<Mood>,
    Extension(query): Extension<Query>,
) -> Response {
    history_of(&arr, &mood, &query, "movieId")
}

fn movie(database: &Database, record: &Record, mood: &Mood, has_covers: bool) -> Value {
    let title = &record.title;
    let place = &database.roots[record.root];
    let id = mood.shown(record.id, database.last_record);
    let file = record.files.first();
    let remote = format!("https://image.example/{}.jpg", title.tmdb);
    let images = if has_covers {
        json!([{"coverType": "poster", "url": format!("/MediaCover/{id}/poster.jpg"), "remoteUrl": remote}])
    } else {
        json!([{"coverType": "poster", "remoteUrl": remote}])
    };
    let mut movie = json!({
        "title": title.name,
        "originalTitle": title.name,
        "originalLanguage": language(),
        "alternateTitles": [],
        "secondaryYearSourceId": 0,
        "sortTitle": names::sort_title(&title.name),
        "sizeOnDisk": record.size(),
        "status": "released",
        "overview": "What happens in it.",
        "inCinemas": format!("{}-03-01T00:00:00Z", title.year),
        "images": images,
        "website": "",
        "year": title.year,
        "youTubeTrailerId": "",
        "studio": "A Studio",
        "path": place.shown(&record.folder),
        "qualityProfileId": 4,
        "hasFile": file.is_some(),
        "movieFileId": file.map_or(0, |file| mood.shown(file.id, file.id)),
        "monitored": true,
        "minimumAvailability": "released",
        "isAvailable": true,
        "folderName": place.shown(&record.folder),
        "runtime": 100,
        "cleanTitle": names::clean_title(&title.name),
        "imdbId": title.imdb,
        "tmdbId": title.tmdb,
        "titleSlug": title.tmdb.to_string(),
        "rootFolderPath": place.bare(),
        "genres": ["Drama"],
        "keywords": [],
        "tags": [],
        "added": record.added.to_string(),
        "ratings": {"tmdb": {"votes": 100, "value": 7.1, "type": "user"}},
        "popularity": 12.5,
        "statistics": {
            "movieFileCount": record.files.len(),
            "sizeOnDisk": record.size(),
            "releaseGroups": if file.is_some() { json!(["GRP"]) } else { json!([]) },
        },
        "id": id,
    });
    if let Some(file) = file {
        movie["movieFile"] = movie_file(database, record, file, mood);
    }
    movie
}

fn movie_file(database: &Database, record: &Record, file: &FileRecord, mood: &Mood) -> Value {
    json!({
        "movieId": mood.shown(record.id, database.last_record),
        "relativePath": database.roots[record.root].relative(&file.file.name),
        "path": database.path(record, &file.file),
        "size": SIZE,
        "dateAdded": file.added.to_string(),
        "sceneName": format!("{}.{}.1080p.BluRay-GRP", names::slug(&record.title.name), record.title.year),
        "releaseGroup": "GRP",
        "edition": "",
        "languages": [language()],
        "quality": quality(Flavour::Radarr),
        "customFormats": [],
        "customFormatScore": 0,
        "indexerFlags": 0,
        "mediaInfo": {
            "audioBitrate": 0, "audioChannels": 5.1, "audioCodec": "DTS", "audioLanguages": "eng",
            "audioStreamCount": 1, "videoBitDepth": 8, "videoBitrate": 0, "videoCodec": "x264",
            "videoFps": 23.976, "videoDynamicRange": "", "videoDynamicRangeType": "",
            "resolution": "1920x1080", "runTime": "1:40:00", "scanType": "Progressive", "subtitles": "eng",
        },
        "qualityCutoffNotMet": false,
        "id": mood.shown(file.id, file.id),
    })
}
