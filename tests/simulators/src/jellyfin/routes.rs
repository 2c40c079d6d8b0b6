//! The routes of Jellyfin.

use std::sync::Arc;

use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::database::{Kind, hashed};
use super::door::Caller;
use super::items::{View, collection_type, library_id, parsed};
use super::{Jelly, PASSWORD, USER, Version, shown};
use crate::answer::{self, Query};
use crate::misbehaviour::Mood;
use crate::time;

pub(super) fn router(version: Version) -> Router<Arc<Jelly>> {
    let single = if version == Version::V10_8 {
        // Only DELETE is known there.
        get(async || answer::empty(StatusCode::METHOD_NOT_ALLOWED))
    } else {
        get(one_item)
    };
    Router::new()
        .route("/System/Info/Public", get(public_info))
        .route("/System/Info", get(info))
        .route("/System/Ping", get(ping).post(ping))
        .route("/Users", get(users))
        .route("/Users/Public", get(async || answer::json(&json!([]))))
        .route("/Users/Me", get(me))
        .route("/Users/AuthenticateByName", post(authenticate))
        .route("/Users/{user}", get(one_user))
        .route("/Users/{user}/Items", get(items_of_user))
        .route("/Users/{user}/Items/{id}", get(one_item_of_user))
        .route("/Items", get(items))
        .route("/Items/Counts", get(counts))
        .route("/Items/{id}", single)
        .route("/Library/VirtualFolders", get(virtual_folders))
        .route("/ScheduledTasks", get(scheduled_tasks))
        .fallback(async || problem(StatusCode::NOT_FOUND, "Not Found"))
}

fn problem(status: StatusCode, title: &str) -> Response {
    let said = json!({"type": "about:blank", "title": title, "status": status.as_u16()});
    answer::body(status, "application/problem+json; charset=utf-8", said.to_string())
}

/// What an argument that is refused deep inside is answered with.
fn bad_argument() -> Response {
    answer::text(StatusCode::BAD_REQUEST, "Error processing request.")
}

fn about(jelly: &Jelly, mood: &Mood) -> Value {
    let server_id = jelly.lock().server_id;
    json!({
        "LocalAddress": "http://172.17.0.2:8096",
        "ServerName": if mood.is_other() { "other" } else { &jelly.name },
        "Version": jelly.version.text(),
        "ProductName": "Jellyfin Server",
        "OperatingSystem": "",
        "Id": shown(if mood.is_other() { !server_id } else { server_id }),
        "StartupWizardCompleted": true,
    })
}

async fn public_info(
    State(jelly): State<Arc<Jelly>>,
    Extension(mood): Extension<Mood>,
) -> Response {
    answer::json(&about(&jelly, &mood))
}

async fn info(State(jelly): State<Arc<Jelly>>, Extension(mood): Extension<Mood>) -> Response {
    let mut info = about(&jelly, &mood);
    for flag in ["HasPendingRestart", "IsShuttingDown", "HasUpdateAvailable", "CanLaunchWebBrowser"]
    {
        info[flag] = json!(false);
    }
    info["SupportsLibraryMonitor"] = json!(true);
    info["CanSelfRestart"] = json!(true);
    info["WebSocketPortNumber"] = json!(8096);
    info["ProgramDataPath"] = json!("/config/data");
    answer::json(&info)
}

async fn ping() -> Response {
    answer::json(&json!("Jellyfin Server"))
}

fn user(jelly: &Jelly) -> Value {
    json!({
        "Name": USER,
        "ServerId": shown(jelly.lock().server_id),
        "Id": shown(user_id()),
        "HasPassword": true,
        "HasConfiguredPassword": true,
        "HasConfiguredEasyPassword": false,
        "EnableAutoLogin": false,
        "Policy": {
            "IsAdministrator": true,
            "IsHidden": false,
            "IsDisabled": false,
            "EnableAllFolders": true,
            "AuthenticationProviderId":
                "Jellyfin.Server.Implementations.Users.DefaultAuthenticationProvider",
            "PasswordResetProviderId":
                "Jellyfin.Server.Implementations.Users.DefaultPasswordResetProvider",
        },
    })
}

fn user_id() -> u128 {
    hashed(&["user", USER])
}

async fn users(State(jelly): State<Arc<Jelly>>) -> Response {
    answer::json(&json!([user(&jelly)]))
}

async fn me(State(jelly): State<Arc<Jelly>>, Extension(caller): Extension<Caller>) -> Response {
    match caller {
        Caller::User => answer::json(&user(&jelly)),
        Caller::ApiKey => problem(StatusCode::BAD_REQUEST, "Bad Request"),
    }
}

async fn one_user(State(jelly): State<Arc<Jelly>>, Path(id): Path<String>) -> Response {
    if parsed(&id) == Some(user_id()) {
        answer::json(&user(&jelly))
    } else {
        problem(StatusCode::NOT_FOUND, "Not Found")
    }
}

async fn authenticate(State(jelly): State<Arc<Jelly>>, Json(body): Json<Value>) -> Response {
    if answer::member(&body, "Username") != USER || answer::member(&body, "Pw") != PASSWORD {
        return answer::empty(StatusCode::UNAUTHORIZED);
    }
    let server_id = shown(jelly.lock().server_id);
    answer::json(&json!({
        "User": user(&jelly),
        "SessionInfo": {
            "Id": shown(hashed(&["session"])),
            "UserId": shown(user_id()),
            "UserName": USER,
            "Client": "a client",
            "DeviceName": "a device",
            "DeviceId": "a-device",
            "ApplicationVersion": "1.0",
            "IsActive": true,
            "ServerId": server_id,
        },
        "AccessToken": jelly.user_token(),
        "ServerId": server_id,
    }))
}

/// A request with a user's id is that user's, whoever's key it has.
fn as_whom(caller: Caller, user: Option<&str>) -> Option<Caller> {
    match user.map(parsed) {
        None => Some(caller),
        Some(Some(id)) if id == user_id() => Some(Caller::User),
        Some(_) => None,
    }
}

async fn items(
    State(jelly): State<Arc<Jelly>>,
    Extension(mood): Extension<Mood>,
    Extension(query): Extension<Query>,
    Extension(caller): Extension<Caller>,
) -> Response {
    let user = query.get("userId").map(str::to_owned);
    listed(&jelly, &mood, &query, as_whom(caller, user.as_deref()))
}

async fn items_of_user(
    State(jelly): State<Arc<Jelly>>,
    Extension(mood): Extension<Mood>,
    Extension(query): Extension<Query>,
    Path(user): Path<String>,
) -> Response {
    listed(&jelly, &mood, &query, as_whom(Caller::User, Some(&user)))
}

fn listed(jelly: &Jelly, mood: &Mood, query: &Query, caller: Option<Caller>) -> Response {
    let Some(caller) = caller else { return bad_argument() };
    let view = View { version: jelly.version, mood, caller, query };
    let page = view.list(&mut jelly.lock());
    let mut bytes = b"{\"Items\":".to_vec();
    bytes.extend(answer::array(page.items.into_iter()));
    let rest = format!(",\"TotalRecordCount\":{},\"StartIndex\":{}}}", page.total, page.start);
    bytes.extend(rest.into_bytes());
    answer::body(StatusCode::OK, answer::JSON, bytes)
}

async fn one_item(
    State(jelly): State<Arc<Jelly>>,
    Extension(mood): Extension<Mood>,
    Extension(query): Extension<Query>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Response {
    let user = query.get("userId").map(str::to_owned);
    // An API key has no user, and without one this is refused, whether the item exists or not.
    match as_whom(caller, user.as_deref()) {
        Some(Caller::User) => single(&jelly, &mood, &query, &id),
        Some(Caller::ApiKey) | None => bad_argument(),
    }
}

async fn one_item_of_user(
    State(jelly): State<Arc<Jelly>>,
    Extension(mood): Extension<Mood>,
    Extension(query): Extension<Query>,
    Path((user, id)): Path<(String, String)>,
) -> Response {
    match as_whom(Caller::User, Some(&user)) {
        Some(_) => single(&jelly, &mood, &query, &id),
        None => bad_argument(),
    }
}

fn single(jelly: &Jelly, mood: &Mood, query: &Query, id: &str) -> Response {
    let Some(id) = parsed(id) else { return problem(StatusCode::BAD_REQUEST, "Bad Request") };
    let view = View { version: jelly.version, mood, caller: Caller::User, query };
    match view.one(&mut jelly.lock(), id) {
        Some(item) => answer::json(&item),
        None => problem(StatusCode::NOT_FOUND, "Not Found"),
    }
}

async fn counts(State(jelly): State<Arc<Jelly>>, Extension(mood): Extension<Mood>) -> Response {
    let items = jelly.lock().items();
    let count = |kind: Kind| {
        let is_counted = |record: usize| mood.lists(u32::try_from(record).unwrap());
        let of_kind = |item: &&super::database::Item| item.kind == kind && is_counted(item.record);
        items.iter().filter(of_kind).count()
    };
    let (movies, series, episodes) =
        (count(Kind::Movie), count(Kind::Series), count(Kind::Episode));
    answer::json(&json!({
        "MovieCount": movies,
        "SeriesCount": series,
        "EpisodeCount": episodes,
        "ArtistCount": 0,
        "ProgramCount": 0,
        "TrailerCount": 0,
        "SongCount": 0,
        "AlbumCount": 0,
        "MusicVideoCount": 0,
        "BoxSetCount": 0,
        "BookCount": 0,
        "ItemCount": movies + series + episodes,
    }))
}

async fn virtual_folders(State(jelly): State<Arc<Jelly>>) -> Response {
    let database = jelly.lock();
    let folders = database.libraries.iter().map(|(library, place)| {
        json!({
            "Name": library.name(),
            "Locations": [place.configured()],
            "CollectionType": collection_type(*library),
            "LibraryOptions": {
                "Enabled": true,
                "EnableRealtimeMonitor": true,
                "PathInfos": [{"Path": place.configured()}],
            },
            "ItemId": shown(library_id(*library)),
            "RefreshStatus": "Idle",
        })
    });
    answer::list(folders)
}

async fn scheduled_tasks(
    State(jelly): State<Arc<Jelly>>,
    Extension(mood): Extension<Mood>,
) -> Response {
    let scanning = jelly.lock().scanning || mood.is_scanning();
    let day = time::long_ago();
    let task = |key: &str, name: &str, running: bool| {
        let mut task = json!({
            "Name": name,
            "State": if running { "Running" } else { "Idle" },
            "Id": shown(hashed(&["task", key])),
            "LastExecutionResult": {
                "StartTimeUtc": day.to_string(),
                "EndTimeUtc": time::later(day, 665).to_string(),
                "Status": "Completed",
                "Name": name,
                "Key": key,
                "Id": shown(hashed(&["task", key])),
            },
            "Triggers": [{"Type": "IntervalTrigger", "IntervalTicks": 432_000_000_000_u64}],
            "Description": "What it does.",
            "Category": "Library",
            "IsHidden": false,
            "Key": key,
        });
        if running {
            task["CurrentProgressPercentage"] = json!(12.5);
        }
        task
    };
    answer::json(&json!([
        task("RefreshLibrary", "Scan Media Library", scanning),
        task("DeleteCacheFiles", "Clean Cache Directory", false),
    ]))
}
