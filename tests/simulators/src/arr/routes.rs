//! The routes that Radarr and Sonarr share, and the door: key, sub-path, and the page that answers
//! everything which is no route.

use std::sync::Arc;

use axum::extract::{Extension, Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::database::{Database, Row};
use super::{Arr, Flavour, answers, history};
use crate::answer::{self, Query};
use crate::misbehaviour::{Misbehaviour, Mood};
use crate::server::Program;

impl Program for Arr {
    fn url_base(&self) -> &str {
        &self.setup.url_base
    }

    fn words(&self) -> &'static [&'static str] {
        &[
            "api",
            "v3",
            "ping",
            "system",
            "status",
            "rootfolder",
            "diskspace",
            "health",
            "history",
            "since",
            "queue",
            "details",
            "command",
            "movie",
            "moviefile",
            "series",
            "episode",
            "episodefile",
        ]
    }

    fn outside(&self, path_and_query: &str) -> Response {
        let mut response = answer::empty(StatusCode::TEMPORARY_REDIRECT);
        let there = format!("{}{path_and_query}", self.setup.url_base);
        response.headers_mut().insert(header::LOCATION, HeaderValue::from_str(&there).unwrap());
        response
    }

    fn door(&self, request: &mut Parts, path: &str, _mood: &Mood) -> Option<Response> {
        if path == "/ping" {
            return None;
        }
        if !path.starts_with("/api/") {
            // Whatever isn't the interface is the program's page.
            return Some(answer::html(StatusCode::OK, self.setup.flavour.name()));
        }
        let query = Query::of(request.uri.query());
        let headers = &request.headers;
        let given = query
            .get("apikey")
            .or_else(|| answer::header(headers, "x-api-key"))
            .or_else(|| answer::bearer(headers));
        (given != Some(&self.setup.key)).then(|| answer::empty(StatusCode::UNAUTHORIZED))
    }

    fn refusal(&self, what: &Misbehaviour, path: &str) -> Response {
        let name = self.setup.flavour.name();
        match what {
            Misbehaviour::Unauthorized => answer::empty(StatusCode::UNAUTHORIZED),
            Misbehaviour::Forbidden => answer::empty(StatusCode::FORBIDDEN),
            Misbehaviour::Starting => {
                let said = format!("{name} is starting up, please try again later");
                if path.starts_with("/api/") {
                    let said = json!({"errorMessage": said});
                    answer::json_with(StatusCode::SERVICE_UNAVAILABLE, &said)
                } else {
                    answer::text(StatusCode::SERVICE_UNAVAILABLE, &said)
                }
            }
            _ if path == "/ping" => {
                answer::json_with(StatusCode::INTERNAL_SERVER_ERROR, &json!({"status": "Error"}))
            }
            _ => {
                let said = json!({"message": "database is locked", "description": "SQLiteException: database is locked"});
                answer::json_with(StatusCode::INTERNAL_SERVER_ERROR, &said)
            }
        }
    }

    fn finish(&self, response: &mut Response) {
        let version = HeaderValue::from_static(self.setup.version);
        response.headers_mut().insert("X-Application-Version", version);
    }
}

pub(super) fn router() -> Router<Arc<Arr>> {
    Router::new()
        .route("/ping", get(async || answer::json(&json!({"status": "OK"}))))
        .route("/api/v3/system/status", get(status))
        .route("/api/v3/rootfolder", get(root_folders))
        .route("/api/v3/diskspace", get(disk_space))
        .route("/api/v3/health", get(health))
        .route("/api/v3/history", get(paged_history))
        .route("/api/v3/history/since", get(history_since))
        .route("/api/v3/queue", get(paged_queue))
        .route("/api/v3/queue/details", get(queue_details))
        .route("/api/v3/command", get(commands).post(command))
        .route("/api/v3/command/{id}", get(one_command))
        .fallback(async || not_found())
}

/// What an unknown id or route is answered with.
pub(crate) fn not_found() -> Response {
    answer::json_with(StatusCode::NOT_FOUND, &json!({"message": "NotFound"}))
}

pub(crate) fn bad_request(why: &str) -> Response {
    answer::json_with(StatusCode::BAD_REQUEST, &json!({"message": why}))
}

async fn status(State(arr): State<Arc<Arr>>, Extension(mood): Extension<Mood>) -> Response {
    answer::json(&answers::status(&arr, &mood))
}

async fn root_folders(State(arr): State<Arc<Arr>>) -> Response {
    answer::list(answers::root_folders(&arr.lock()).into_iter())
}

async fn disk_space(State(arr): State<Arc<Arr>>) -> Response {
    answer::list(answers::disk_space(&arr.lock()).into_iter())
}

async fn health(State(arr): State<Arc<Arr>>) -> Response {
    answer::list(answers::health(&arr, &arr.lock()).into_iter())
}

async fn paged_history(
    State(arr): State<Arc<Arr>>,
    Extension(mood): Extension<Mood>,
    Extension(query): Extension<Query>,
) -> Response {
    let database = arr.lock();
    let wanted = database.history.iter().filter(|row| is_shown(&arr, &mood, &query, row));
    let mut rows: Vec<&Row> = wanted.collect();
    rows.sort_by_key(|row| (row.date, row.id));
    if !query.get("sortDirection").is_some_and(|way| way.eq_ignore_ascii_case("ascending")) {
        rows.reverse();
    }
    let last = database.last_record;
    let rows = rows.into_iter().map(|row| history::row(&arr, row, &mood, last)).collect();
    answer::json(&page(&query, "date", rows))
}

async fn history_since(
    State(arr): State<Arc<Arr>>,
    Extension(mood): Extension<Mood>,
    Extension(query): Extension<Query>,
) -> Response {
    let Some(since) = query.get("date").and_then(|date| date.parse::<jiff::Timestamp>().ok())
    else {
        return bad_request("date: Value cannot be null.");
    };
    let database = arr.lock();
    let wanted = database
        .history
        .iter()
        .filter(|row| row.date >= since && is_shown(&arr, &mood, &query, row));
    let mut rows: Vec<&Row> = wanted.collect();
    rows.sort_by_key(|row| (row.date, row.id));
    let last = database.last_record;
    answer::list(rows.into_iter().map(|row| history::row(&arr, row, &mood, last)))
}

/// The history of one title, newest first.
pub(crate) fn history_of(arr: &Arr, mood: &Mood, query: &Query, parameter: &str) -> Response {
    let Some(shown) = query.number(parameter) else {
        return bad_request(&format!("{parameter} must be provided"));
    };
    let database = arr.lock();
    let last = database.last_record;
    let id = mood.meant(shown, last);
    let mut rows: Vec<&Row> = database
        .history
        .iter()
        .filter(|row| row.record == id && is_shown(arr, mood, query, row))
        .collect();
    rows.sort_by_key(|row| std::cmp::Reverse((row.date, row.id)));
    answer::list(rows.into_iter().map(|row| history::row(arr, row, mood, last)))
}

fn is_shown(arr: &Arr, mood: &Mood, query: &Query, row: &Row) -> bool {
    mood.lists(row.record) && history::is_wanted(arr.setup.flavour, query, row)
}

async fn paged_queue(
    State(arr): State<Arc<Arr>>,
    Extension(mood): Extension<Mood>,
    Extension(query): Extension<Query>,
) -> Response {
    let items = queue(&arr, &arr.lock(), &mood, &query);
    answer::json(&page(&query, "timeleft", items))
}

async fn queue_details(
    State(arr): State<Arc<Arr>>,
    Extension(mood): Extension<Mood>,
    Extension(query): Extension<Query>,
) -> Response {
    answer::list(queue(&arr, &arr.lock(), &mood, &query).into_iter())
}

fn queue(arr: &Arr, database: &Database, mood: &Mood, query: &Query) -> Vec<Value> {
    let (one, many) = match arr.setup.flavour {
        Flavour::Radarr => ("movieId", "movieIds"),
        Flavour::Sonarr => ("seriesId", "seriesIds"),
    };
    let mut wanted = query.numbers(one);
    wanted.extend(query.numbers(many));
    let mut items = Vec::new();
    for (n, id) in database.queue.iter().enumerate() {
        let Some(record) = database.record(*id) else { continue };
        let shown = mood.shown(*id, database.last_record);
        if mood.lists(*id) && (wanted.is_empty() || wanted.contains(&shown)) {
            items.push(answers::queue_item(arr, n, record, shown));
        }
    }
    items
}

/// One page of what is paged.
fn page(query: &Query, sort_key: &str, values: Vec<Value>) -> Value {
    let number = query.number("page").unwrap_or(1).max(1);
    let size = query.number("pageSize").unwrap_or(10).max(1);
    let total = values.len();
    let skipped = (number as usize - 1).saturating_mul(size as usize);
    let records: Vec<Value> = values.into_iter().skip(skipped).take(size as usize).collect();
    json!({
        "page": number,
        "pageSize": size,
        "sortKey": query.get("sortKey").unwrap_or(sort_key),
        "sortDirection": query.get("sortDirection").unwrap_or("descending"),
        "totalRecords": total,
        "records": records,
    })
}

async fn commands(State(arr): State<Arc<Arr>>, Extension(mood): Extension<Mood>) -> Response {
    let mut database = arr.lock().clone_commands();
    if mood.is_scanning() {
        let name = match arr.setup.flavour {
            Flavour::Radarr => "RescanMovie",
            Flavour::Sonarr => "RescanSeries",
        };
        database.command(name, None, "started");
    }
    if mood.has(&Misbehaviour::ImportRunning) {
        database.command("ManualImport", None, "started");
    }
    let last = database.last_record;
    let said = |command: &super::database::Command| {
        answers::command(&arr, command, command.record.map(|id| mood.shown(id, last)))
    };
    answer::list(database.commands.iter().map(said))
}

async fn one_command(State(arr): State<Arc<Arr>>, Path(id): Path<u32>) -> Response {
    let database = arr.lock();
    match database.commands.iter().find(|command| command.id == id) {
        Some(command) => answer::json(&answers::command(&arr, command, command.record)),
        None => not_found(),
    }
}

/// Takes a command, and carries it out at once where it is a scan.
async fn command(
    State(arr): State<Arc<Arr>>,
    Extension(mood): Extension<Mood>,
    Json(body): Json<Value>,
) -> Response {
    let Some(name) = answer::member(&body, "name").as_str() else {
        return bad_request("'Name' must not be empty.");
    };
    let mut database = arr.lock();
    let one = |key: &str| answer::member(&body, key).as_u64();
    let several = ["movieIds", "seriesIds"].map(|key| answer::member(&body, key).as_array());
    let several = several.into_iter().flatten().flatten();
    let mut shown: Vec<u64> = several.filter_map(Value::as_u64).collect();
    shown.extend(one("movieId").or_else(|| one("seriesId")));
    let last = database.last_record;
    let ids: Vec<u32> = shown
        .iter()
        .filter_map(|id| u32::try_from(*id).ok())
        .map(|id| mood.meant(id, last))
        .collect();
    let number = database.command(name, ids.first().copied(), "completed");
    if ["RescanMovie", "RefreshMovie", "RescanSeries", "RefreshSeries"].contains(&name) {
        let all: Vec<u32> = database.records.iter().map(|record| record.id).collect();
        for id in if ids.is_empty() { all } else { ids } {
            database.scan(id);
        }
    }
    let mut said = database.commands.iter().find(|command| command.id == number).unwrap().clone();
    // It is done already, and the answer is that of one that has just been taken.
    said.status = "queued";
    let shown = said.record.map(|id| mood.shown(id, last));
    answer::json_with(StatusCode::CREATED, &answers::command(&arr, &said, shown))
}
