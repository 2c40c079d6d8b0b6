//! Sonarr: series, whose files are asked for one series at a time.

use std::collections::BTreeMap;
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
use crate::world::{Library, MediaFile, SIZE, World};

/// How a Sonarr is set up.
#[derive(Debug, Clone)]
pub struct Options {
    /// Its API key.
    pub key: String,
    /// Where it sees the series: `/tv`. This is its first root folder.
    pub prefix: String,
    /// Where it sees the anime, if it has any: its second root folder.
    pub anime: Option<String>,
    /// The sub-path under which it is served: empty or `/sonarr`.
    pub url_base: String,
    /// Its instance name.
    pub name: String,
    /// Its port; any free one for 0.
    pub port: u16,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            key: "fedcba9876543210fedcba9876543210".into(),
            prefix: "/tv".into(),
            anime: None,
            url_base: String::new(),
            name: "Sonarr".into(),
            port: 0,
        }
    }
}

/// A running Sonarr. What happens to it, and what goes wrong with it, is in what it derefs to.
#[derive(Debug)]
pub struct Sonarr(Instance);

impl Sonarr {
    /// Starts one that lists every series of the world.
    ///
    /// # Panics
    /// When its port can't be opened.
    pub fn start(world: &World, options: Options) -> Self {
        let mut libraries = vec![(Library::Tv, options.prefix)];
        libraries.extend(options.anime.map(|prefix| (Library::Anime, prefix)));
        let setup = Setup {
            flavour: Flavour::Sonarr,
            key: options.key,
            name: options.name,
            url_base: options.url_base,
            port: options.port,
            version: "4.0.19.2979",
            libraries,
        };
        Self(Instance::start(world, setup, router()))
    }
}

impl Deref for Sonarr {
    type Target = Instance;

    fn deref(&self) -> &Instance {
        &self.0
    }
}

fn router() -> Router<Arc<Arr>> {
    Router::new()
        .route("/api/v3/series", get(all_series))
        .route("/api/v3/series/{id}", get(one_series))
        .route("/api/v3/episodefile", get(episode_files))
        .route("/api/v3/episodefile/{id}", get(one_episode_file))
        .route("/api/v3/episode", get(episodes))
        .route("/api/v3/history/series", get(history))
}

async fn all_series(
    State(arr): State<Arc<Arr>>,
    Extension(mood): Extension<Mood>,
    Extension(query): Extension<Query>,
) -> Response {
    let database = arr.lock();
    let tvdb = query.number("tvdbId");
    let wanted = database
        .records
        .iter()
        .filter(|record| mood.lists(record.id) && (tvdb.is_none() || record.title.tvdb == tvdb));
    answer::list(wanted.map(|record| series(&database, record, &mood)))
}

async fn one_series(
    State(arr): State<Arc<Arr>>,
    Extension(mood): Extension<Mood>,
    Path(id): Path<u32>,
) -> Response {
    let database = arr.lock();
    match database.record(mood.meant(id, database.last_record)) {
        Some(record) => answer::json(&series(&database, record, &mood)),
        None => not_found(),
    }
}

async fn episode_files(
    State(arr): State<Arc<Arr>>,
    Extension(mood): Extension<Mood>,
    Extension(query): Extension<Query>,
) -> Response {
    let database = arr.lock();
    let files = query.numbers("episodeFileIds");
    if let Some(shown) = query.number("seriesId") {
        let Some(record) = database.record(mood.meant(shown, database.last_record)) else {
            return not_found();
        };
        let listed = record.files.iter().filter(|file| mood.lists(file.id));
        return answer::list(listed.map(|file| episode_file(&database, record, file, &mood)));
    }
    if files.is_empty() {
        return bad_request("seriesId or episodeFileIds must be provided");
    }
    let every = database.records.iter().flat_map(|r| r.files.iter().map(move |file| (r, file)));
    let wanted = every.filter(|(_, file)| files.contains(&mood.shown(file.id, file.id)));
    answer::list(wanted.map(|(record, file)| episode_file(&database, record, file, &mood)))
}

async fn one_episode_file(
    State(arr): State<Arc<Arr>>,
    Extension(mood): Extension<Mood>,
    Path(id): Path<u32>,
) -> Response {
    let database = arr.lock();
    let mut every = database.records.iter().flat_map(|r| r.files.iter().map(move |file| (r, file)));
    match every.find(|(_, file)| mood.shown(file.id, file.id) == id) {
        Some((record, file)) => answer::json(&episode_file(&database, record, file, &mood)),
        None => not_found(),
    }
}

async fn episodes(
    State(arr): State<Arc<Arr>>,
    Extension(mood): Extension<Mood>,
    Extension(query): Extension<Query>,
) -> Response {
    let database = arr.lock();
    let Some(shown) = query.number("seriesId") else {
        return bad_request("seriesId or episodeIds must be provided");
    };
    let season = query.number("seasonNumber");
    // Of an unknown series there are no episodes, and that is no error.
    let record = database.record(mood.meant(shown, database.last_record));
    let listed = record.into_iter().flat_map(|record| {
        record.title.files.iter().enumerate().map(move |(n, file)| (record, n, file))
    });
    let listed = listed.filter(|(record, _, file)| {
        mood.lists(record.id) && season.is_none_or(|season| u32::from(file.season) == season)
    });
    answer::list(listed.map(|(record, n, file)| episode(&database, record, n, file, &mood)))
}

async fn history(
    State(arr): State<Arc<Arr>>,
    Extension(mood): Extension<Mood>,
    Extension(query): Extension<Query>,
) -> Response {
    history_of(&arr, &mood, &query, "seriesId")
}

fn statistics(files: usize, episodes: usize) -> Value {
    json!({
        "episodeFileCount": files,
        // Every episode here has been aired and is monitored.
        "episodeCount": episodes,
        "totalEpisodeCount": episodes,
        "sizeOnDisk": SIZE * files as u64,
        "releaseGroups": if files > 0 { json!(["GRP"]) } else { json!([]) },
        "percentOfEpisodes": (files * 100).checked_div(episodes).unwrap_or_default(),
    })
}

fn series(database: &Database, record: &Record, mood: &Mood) -> Value {
    let title = &record.title;
    let place = &database.roots[record.root];
    let id = mood.shown(record.id, database.last_record);
    let mut counts: BTreeMap<u16, (usize, usize)> = BTreeMap::new();
    for file in &title.files {
        counts.entry(file.season).or_default().1 += 1;
    }
    for file in &record.files {
        counts.entry(file.file.season).or_default().0 += 1;
    }
    let seasons: Vec<Value> = counts
        .iter()
        .map(|(season, (files, episodes))| {
            json!({
                "seasonNumber": season,
                "monitored": true,
                "statistics": statistics(*files, *episodes),
            })
        })
        .collect();
    let mut whole = statistics(record.files.len(), title.files.len());
    whole["seasonCount"] = json!(seasons.len());
    json!({
        "title": title.name,
        "alternateTitles": [],
        "sortTitle": names::sort_title(&title.name),
        "status": "ended",
        "ended": true,
        "overview": "What happens in it.",
        "network": "A Network",
        "airTime": "21:00",
        "images": [{
            "coverType": "poster",
            "url": format!("/MediaCover/{id}/poster.jpg"),
            "remoteUrl": format!("https://artworks.example/{}.jpg", title.tvdb.unwrap_or_default()),
        }],
        "originalLanguage": language(),
        "seasons": seasons,
        "year": title.year,
        "path": place.shown(&record.folder),
        "qualityProfileId": 4,
        "seasonFolder": true,
        "monitored": true,
        "monitorNewItems": "all",
        "useSceneNumbering": false,
        "runtime": 44,
        "tvdbId": title.tvdb.unwrap_or_default(),
        "tvRageId": 0,
        "tvMazeId": 0,
        "tmdbId": title.tmdb,
        "firstAired": format!("{}-01-05T00:00:00Z", title.year),
        "seriesType": if title.library == Library::Anime { "anime" } else { "standard" },
        "cleanTitle": names::clean_title(&title.name),
        "imdbId": title.imdb,
        "titleSlug": names::slug(&title.name),
        "rootFolderPath": place.bare(),
        "genres": ["Drama"],
        "tags": [],
        "added": record.added.to_string(),
        "ratings": {"votes": 100, "value": 8.5},
        "statistics": whole,
        "languageProfileId": 1,
        "id": id,
    })
}

fn episode_file(database: &Database, record: &Record, file: &FileRecord, mood: &Mood) -> Value {
    json!({
        "seriesId": mood.shown(record.id, database.last_record),
        "seasonNumber": file.file.season,
        "relativePath": database.roots[record.root].relative(&file.file.name),
        "path": database.path(record, &file.file),
        "size": SIZE,
        "dateAdded": file.added.to_string(),
        "sceneName": format!(
            "{}.S{:02}E{:02}-GRP", names::slug(&record.title.name), file.file.season, file.file.episode
        ),
        "releaseGroup": "GRP",
        "languages": [language()],
        "quality": quality(Flavour::Sonarr),
        "customFormats": [],
        "customFormatScore": 0,
        "indexerFlags": 0,
        "releaseType": "singleEpisode",
        "mediaInfo": {
            "audioBitrate": 0, "audioChannels": 5.1, "audioCodec": "DTS", "audioLanguages": "eng",
            "audioStreamCount": 1, "videoBitDepth": 8, "videoBitrate": 0, "videoCodec": "x264",
            "videoFps": 23.976, "videoDynamicRange": "", "videoDynamicRangeType": "",
            "resolution": "1920x1080", "runTime": "44:00", "scanType": "Progressive", "subtitles": "eng",
        },
        "qualityCutoffNotMet": false,
        "id": mood.shown(file.id, file.id),
    })
}

fn episode(database: &Database, record: &Record, n: usize, file: &MediaFile, mood: &Mood) -> Value {
    let with = record
        .files
        .iter()
        .find(|known| (known.file.season, known.file.episode) == (file.season, file.episode));
    let n = u32::try_from(n).unwrap();
    let mut episode = json!({
        "seriesId": mood.shown(record.id, database.last_record),
        "tvdbId": record.title.tvdb.unwrap_or_default() * 1000 + n,
        "episodeFileId": with.map_or(0, |known| mood.shown(known.id, known.id)),
        "seasonNumber": file.season,
        "episodeNumber": file.episode,
        "title": format!("Episode {}", file.episode),
        "airDate": format!("{}-01-05", record.title.year),
        "airDateUtc": format!("{}-01-05T21:00:00Z", record.title.year),
        "runtime": 44,
        "overview": "What happens in it.",
        "hasFile": with.is_some(),
        "monitored": true,
        "unverifiedSceneNumbering": false,
        "id": record.first_episode + n,
    });
    if record.title.library == Library::Anime {
        episode["absoluteEpisodeNumber"] = json!(n + 1);
    }
    episode
}
