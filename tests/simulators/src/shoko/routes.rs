//! The routes of Shoko.

use std::sync::Arc;

use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::database::{Database, Series, Video};
use super::door::{status, version};
use super::values::{Include, Writer};
use super::{PASSWORD, Shared, USER, Version};
use crate::answer::{self, Query};
use crate::misbehaviour::Mood;

pub(super) fn router(version: Version) -> Router<Arc<Shared>> {
    let folder = version.folder_route();
    Router::new()
        .route("/api/auth", post(authenticate))
        .route("/api/v3/Init/Status", get(init_status))
        .route("/api/v3/Init/Version", get(init_version))
        .route("/api/v3/User/Current", get(current_user))
        .route("/api/v3/Series", get(all_series))
        .route("/api/v3/Series/WithoutFiles", get(without_files))
        .route("/api/v3/Series/AniDB/{id}/Series", get(series_by_anidb))
        .route("/api/v3/Series/{id}", get(one_series))
        .route("/api/v3/Series/{id}/File", get(files_of_series))
        .route("/api/v3/Series/{id}/Episode", get(episodes))
        .route("/api/v3/File", get(files))
        .route("/api/v3/File/PathEndsWith", get(files_by_path))
        .route("/api/v3/File/{id}", get(one_file))
        .route("/api/v3/File/{id}/Location", get(locations))
        .route(&format!("/api/v3/{folder}"), get(folders))
        .route(&format!("/api/v3/{folder}/{{id}}"), get(one_folder))
        .route(&format!("/api/v3/{folder}/{{id}}/File"), get(files_of_folder))
        .fallback(async || answer::empty(StatusCode::NOT_FOUND))
}

fn not_found(text: &str) -> Response {
    answer::text(StatusCode::NOT_FOUND, text)
}

/// What a parameter outside of its bounds is answered with.
fn invalid(name: &str, why: &str) -> Response {
    let said = json!({
        "type": "https://tools.ietf.org/html/rfc9110#section-15.5.1",
        "title": "One or more validation errors occurred.",
        "status": 400,
        "errors": {name: [why]},
    });
    answer::json_with(StatusCode::BAD_REQUEST, &said)
}

async fn init_status(State(shared): State<Arc<Shared>>) -> Response {
    answer::json(&status("Started", None, shared.lock().blocked))
}

async fn init_version(State(shared): State<Arc<Shared>>) -> Response {
    answer::json(&version(shared.version))
}

async fn authenticate(State(shared): State<Arc<Shared>>, Json(body): Json<Value>) -> Response {
    let given = |name: &str| answer::member(&body, name);
    if given("user") == USER && given("pass") == PASSWORD && given("device").is_string() {
        answer::json(&json!({"apikey": shared.key}))
    } else {
        answer::empty(StatusCode::UNAUTHORIZED)
    }
}

async fn current_user() -> Response {
    answer::json(&json!({
        "ID": 1,
        "Username": USER,
        "IsAdmin": true,
        "CommunitySites": [],
        "RestrictedTags": [],
    }))
}

/// One page of a list: with a limit above which it is refused, and everything for a size of 0.
struct Paging {
    page: usize,
    size: usize,
}

impl Paging {
    fn of(query: &Query, default: u32, max: u32) -> Result<Self, Box<Response>> {
        let size = query.number("pageSize").unwrap_or(default);
        if size > max {
            let why = format!("The field pageSize must be between 0 and {max}.");
            return Err(Box::new(invalid("pageSize", &why)));
        }
        let page = query.number("page").unwrap_or(1);
        if page == 0 {
            let why = "The field page must be between 1 and 2147483647.";
            return Err(Box::new(invalid("page", why)));
        }
        Ok(Self { page: page as usize, size: size as usize })
    }

    fn answer<T>(&self, found: &[T], write: impl Fn(&T) -> Value) -> Response {
        let (skip, take) = match self.size {
            0 => (0, usize::MAX),
            size => ((self.page - 1).saturating_mul(size), size),
        };
        let mut bytes = format!("{{\"Total\":{},\"List\":", found.len()).into_bytes();
        bytes.extend(answer::array(found.iter().skip(skip).take(take).map(write)));
        bytes.push(b'}');
        answer::body(StatusCode::OK, answer::JSON, bytes)
    }
}

fn sorted<'a>(database: &'a Database, mood: &Mood) -> Vec<&'a Series> {
    let listed = database.series.iter().filter(|series| !series.hidden && mood.lists(series.id));
    let mut found: Vec<&Series> = listed.collect();
    found.sort_by_cached_key(|series| series.title.name.to_lowercase());
    found
}

async fn all_series(
    State(shared): State<Arc<Shared>>,
    Extension(mood): Extension<Mood>,
    Extension(query): Extension<Query>,
) -> Response {
    let start = query.get("startsWith").unwrap_or_default().to_lowercase();
    listed(&shared, &mood, &query, |_, series| series.title.name.to_lowercase().starts_with(&start))
}

async fn without_files(
    State(shared): State<Arc<Shared>>,
    Extension(mood): Extension<Mood>,
    Extension(query): Extension<Query>,
) -> Response {
    listed(&shared, &mood, &query, |database, series| {
        database.videos_of(series.id).next().is_none()
    })
}

fn listed(
    shared: &Shared,
    mood: &Mood,
    query: &Query,
    wanted: impl Fn(&Database, &Series) -> bool,
) -> Response {
    let paging = match Paging::of(query, 50, 100) {
        Ok(paging) => paging,
        Err(refused) => return *refused,
    };
    let database = shared.lock();
    let mut found = sorted(&database, mood);
    found.retain(|series| wanted(&database, series));
    let writer = Writer { version: shared.version, database: &database, mood };
    paging.answer(&found, |series| writer.series(series))
}

/// Finds a series for the user, or says why not.
fn visible<'a>(database: &'a Database, mood: &Mood, id: u32) -> Result<&'a Series, Box<Response>> {
    if id == 0 {
        return Err(Box::new(invalid(
            "seriesID",
            "The field seriesID must be between 1 and 2147483647.",
        )));
    }
    match database.one(mood.meant(id, database.last_series)) {
        None => Err(Box::new(not_found("No Series entry for the given seriesID"))),
        Some(series) if series.hidden => Err(Box::new(answer::empty(StatusCode::FORBIDDEN))),
        Some(series) => Ok(series),
    }
}

async fn one_series(
    State(shared): State<Arc<Shared>>,
    Extension(mood): Extension<Mood>,
    Path(id): Path<u32>,
) -> Response {
    let database = shared.lock();
    let writer = Writer { version: shared.version, database: &database, mood: &mood };
    match visible(&database, &mood, id) {
        Ok(series) => answer::json(&writer.series(series)),
        Err(refused) => *refused,
    }
}

async fn series_by_anidb(
    State(shared): State<Arc<Shared>>,
    Extension(mood): Extension<Mood>,
    Path(anidb): Path<u32>,
) -> Response {
    let database = shared.lock();
    let writer = Writer { version: shared.version, database: &database, mood: &mood };
    match database.series.iter().find(|series| series.title.anidb == Some(anidb)) {
        None => not_found("No Series entry for the given anidbID"),
        Some(series) if series.hidden => answer::empty(StatusCode::FORBIDDEN),
        Some(series) => answer::json(&writer.series(series)),
    }
}

async fn files_of_series(
    State(shared): State<Arc<Shared>>,
    Extension(mood): Extension<Mood>,
    Extension(query): Extension<Query>,
    Path(id): Path<u32>,
) -> Response {
    let database = shared.lock();
    match visible(&database, &mood, id) {
        Ok(series) => {
            let of_it = |video: &Video| video.series == series.id;
            page_of_files(&shared, &database, &mood, &query, (100, 1000), of_it)
        }
        Err(refused) => *refused,
    }
}

async fn episodes(
    State(shared): State<Arc<Shared>>,
    Extension(mood): Extension<Mood>,
    Extension(query): Extension<Query>,
    Path(id): Path<u32>,
) -> Response {
    let paging = match Paging::of(&query, 20, 1000) {
        Ok(paging) => paging,
        Err(refused) => return *refused,
    };
    let database = shared.lock();
    let writer = Writer { version: shared.version, database: &database, mood: &mood };
    let series = match visible(&database, &mood, id) {
        Ok(series) => series,
        Err(refused) => return *refused,
    };
    let has_file = |number: u16| database.videos_of(series.id).any(|v| v.file.episode == number);
    let missing = query.get("includeMissing").unwrap_or("False").to_lowercase();
    let is_wanted = |number: &u16| match missing.as_str() {
        "only" => !has_file(*number),
        "true" => true,
        _ => has_file(*number),
    };
    let numbers: Vec<u16> =
        series.title.files.iter().map(|file| file.episode).filter(is_wanted).collect();
    let with_files = query.is("includeFiles");
    paging.answer(&numbers, |number| writer.episode(series, *number, with_files))
}

fn page_of_files(
    shared: &Shared,
    database: &Database,
    mood: &Mood,
    query: &Query,
    (default, max): (u32, u32),
    wanted: impl Fn(&Video) -> bool,
) -> Response {
    let paging = match Paging::of(query, default, max) {
        Ok(paging) => paging,
        Err(refused) => return *refused,
    };
    let include = Include::of(query, shared.version);
    let is_listed = |video: &&Video| {
        mood.lists(video.id) && (include.ignored || !video.ignored) && wanted(video)
    };
    let found: Vec<&Video> = database.videos.iter().filter(is_listed).collect();
    let writer = Writer { version: shared.version, database, mood };
    paging.answer(&found, |video| writer.file(video, include))
}

async fn files(
    State(shared): State<Arc<Shared>>,
    Extension(mood): Extension<Mood>,
    Extension(query): Extension<Query>,
) -> Response {
    page_of_files(&shared, &shared.lock(), &mood, &query, (100, 1000), |_| true)
}

async fn files_by_path(
    State(shared): State<Arc<Shared>>,
    Extension(mood): Extension<Mood>,
    Extension(query): Extension<Query>,
) -> Response {
    let plain = |path: &str| path.replace('\\', "/").to_lowercase();
    let end = plain(query.get("path").unwrap_or_default());
    let limit = query.number("limit").unwrap_or(0) as usize;
    let include = Include::of(&query, shared.version);
    let database = shared.lock();
    let writer = Writer { version: shared.version, database: &database, mood: &mood };
    let ends = |video: &&Video| video.locations.iter().any(|at| plain(&at.path).ends_with(&end));
    let found = database.videos.iter().filter(ends);
    let found = found.take(if limit == 0 { usize::MAX } else { limit });
    answer::list(found.map(|video| writer.file(video, include)))
}

fn video<'a>(database: &'a Database, mood: &Mood, id: u32) -> Result<&'a Video, Box<Response>> {
    if id == 0 {
        return Err(Box::new(invalid(
            "fileID",
            "The field fileID must be between 1 and 2147483647.",
        )));
    }
    let id = mood.meant(id, database.last_video);
    let found = database.videos.iter().find(|video| video.id == id);
    found.ok_or_else(|| Box::new(not_found("No File entry for the given fileID")))
}

async fn one_file(
    State(shared): State<Arc<Shared>>,
    Extension(mood): Extension<Mood>,
    Extension(query): Extension<Query>,
    Path(id): Path<u32>,
) -> Response {
    let database = shared.lock();
    let writer = Writer { version: shared.version, database: &database, mood: &mood };
    match video(&database, &mood, id) {
        Ok(video) => answer::json(&writer.file(video, Include::of(&query, shared.version))),
        Err(refused) => *refused,
    }
}

async fn locations(
    State(shared): State<Arc<Shared>>,
    Extension(mood): Extension<Mood>,
    Extension(query): Extension<Query>,
    Path(id): Path<u32>,
) -> Response {
    let database = shared.lock();
    let writer = Writer { version: shared.version, database: &database, mood: &mood };
    let absolute = query.is("includeAbsolutePaths");
    match video(&database, &mood, id) {
        Ok(video) => {
            answer::list(video.locations.iter().map(|at| writer.location(video, at, absolute)))
        }
        Err(refused) => *refused,
    }
}

async fn folders(State(shared): State<Arc<Shared>>, Extension(mood): Extension<Mood>) -> Response {
    let database = shared.lock();
    let writer = Writer { version: shared.version, database: &database, mood: &mood };
    answer::list(database.knows_folder.then(|| writer.folder()).into_iter())
}

async fn one_folder(
    State(shared): State<Arc<Shared>>,
    Extension(mood): Extension<Mood>,
    Path(id): Path<u32>,
) -> Response {
    let database = shared.lock();
    let writer = Writer { version: shared.version, database: &database, mood: &mood };
    if id == 1 && database.knows_folder {
        answer::json(&writer.folder())
    } else {
        not_found("Folder not found.")
    }
}

async fn files_of_folder(
    State(shared): State<Arc<Shared>>,
    Extension(mood): Extension<Mood>,
    Extension(query): Extension<Query>,
    Path(id): Path<u32>,
) -> Response {
    let database = shared.lock();
    if id != 1 || !database.knows_folder {
        return not_found("Folder not found.");
    }
    let below = query.get("folderPath").unwrap_or_default().replace('\\', "/");
    let below = below.trim_matches('/');
    let is_below = |video: &Video| {
        video
            .locations
            .iter()
            .any(|at| below.is_empty() || at.path.starts_with(&format!("{below}/")))
    };
    page_of_files(&shared, &database, &mood, &query, (200, 10_000), is_below)
}
