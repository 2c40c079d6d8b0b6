//! The answers that Radarr and Sonarr give alike.

use std::fs;

use serde_json::{Value, json};

use super::database::{Command, Database, Record};
use super::{Arr, Flavour};
use crate::misbehaviour::Mood;
use crate::place::Place;
use crate::time;

const GIB: u64 = 1 << 30;

pub(crate) fn language() -> Value {
    json!({"id": 1, "name": "English"})
}

pub(crate) fn quality(flavour: Flavour) -> Value {
    let mut quality =
        json!({"id": 7, "name": "Bluray-1080p", "source": "bluray", "resolution": 1080});
    if flavour == Flavour::Radarr {
        quality["modifier"] = json!("none");
    }
    json!({"quality": quality, "revision": {"version": 1, "real": 0, "isRepack": false}})
}

pub(super) fn status(arr: &Arr, mood: &Mood) -> Value {
    let database = arr.lock();
    let name = if mood.is_other() { "Other" } else { &database.instance_name };
    let mut status = json!({
        "appName": arr.setup.flavour.name(),
        "instanceName": name,
        "version": arr.setup.version,
        "buildTime": "2025-11-14T17:30:00Z",
        "isDebug": false,
        "isProduction": true,
        "isAdmin": false,
        "isUserInteractive": false,
        "startupPath": format!("/app/{}/bin", arr.setup.flavour.name().to_lowercase()),
        "appData": "/config",
        "osName": "alpine",
        "osVersion": "3.20.3",
        "isNetCore": true,
        "isLinux": true,
        "isOsx": false,
        "isWindows": false,
        "isDocker": true,
        "mode": "console",
        "authentication": "forms",
        "migrationVersion": 217,
        "urlBase": arr.setup.url_base,
        "runtimeVersion": "6.0.36",
        "startTime": database.started.to_string(),
        "packageUpdateMechanism": "docker",
        "databaseVersion": "3.45.3",
        "databaseType": "sqLite",
        "runtimeName": ".NET",
    });
    match arr.setup.flavour {
        Flavour::Radarr => status["branch"] = json!("master"),
        Flavour::Sonarr => {
            status["branch"] = json!("main");
            status["sqliteVersion"] = json!("3.45.3");
        }
    }
    status
}

/// Whether a directory is there, as the program sees it now.
fn is_there(place: &Place) -> bool {
    place.disk.as_ref().is_none_or(|disk| disk.is_dir())
}

/// The root folders, each looked at now. An empty mount point is accessible.
pub(super) fn root_folders(database: &Database) -> Vec<Value> {
    if !database.knows_roots {
        return Vec::new();
    }
    database.roots.iter().enumerate().map(|(n, place)| root_folder(database, n, place)).collect()
}

fn root_folder(database: &Database, n: usize, place: &Place) -> Value {
    let accessible = is_there(place);
    let mut unmapped = Vec::new();
    if let Some(disk) = place.disk.as_ref() {
        let mut names: Vec<String> = fs::read_dir(disk)
            .into_iter()
            .flatten()
            .flatten()
            .filter(|entry| entry.path().is_dir())
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names.retain(|name| !database.records.iter().any(|r| r.root == n && r.folder == *name));
        unmapped.extend(
            names
                .iter()
                .map(|name| json!({"name": name, "path": place.shown(name), "relativePath": name})),
        );
    }
    let mut root = json!({
        "id": n + 1,
        "path": place.configured(),
        "accessible": accessible,
        "unmappedFolders": unmapped,
    });
    if accessible {
        root["freeSpace"] = json!(700 * GIB);
    }
    root
}

pub(super) fn disk_space(database: &Database) -> Vec<Value> {
    let places = database.roots.iter().filter(|place| database.knows_roots && is_there(place));
    places
        .map(|place| {
            let path = place.configured();
            json!({"path": path, "label": "", "freeSpace": 700 * GIB, "totalSpace": 4000 * GIB})
        })
        .collect()
}

pub(super) fn health(arr: &Arr, database: &Database) -> Vec<Value> {
    let is_used = |n: usize| database.records.iter().any(|record| record.root == n);
    let program = arr.setup.flavour.name().to_lowercase();
    let missing = database.roots.iter().enumerate().filter(|(n, p)| is_used(*n) && !is_there(p));
    missing
        .map(|(_, place)| {
            json!({
                "source": "RootFolderCheck",
                "type": "error",
                "message": format!("Missing root folder: {}", place.configured()),
                "wikiUrl": format!("https://wiki.servarr.com/{program}/system#missing-root-folder"),
            })
        })
        .collect()
}

/// What is being downloaded for a title.
pub(super) fn queue_item(arr: &Arr, n: usize, record: &Record, shown: u32) -> Value {
    let mut item = json!({
        "languages": [language()],
        "quality": quality(arr.setup.flavour),
        "customFormats": [],
        "customFormatScore": 0,
        "size": 4_294_967_296_u64,
        "title": format!("{}.{}.1080p.BluRay.x264-GRP", record.title.name.replace(' ', "."), record.title.year),
        "sizeleft": 1_073_741_824,
        "timeleft": "00:10:00",
        "estimatedCompletionTime": time::later(time::now(), 600).to_string(),
        "added": time::now().to_string(),
        "status": "downloading",
        "trackedDownloadStatus": "ok",
        "trackedDownloadState": "downloading",
        "statusMessages": [],
        "downloadId": format!("SABnzbd_nzo_{:08x}", record.id),
        "protocol": "usenet",
        "downloadClient": "SABnzbd",
        "downloadClientHasPostImportCategory": false,
        "indexer": "indexer",
        "id": 100_000 + n,
    });
    match arr.setup.flavour {
        Flavour::Radarr => item["movieId"] = json!(shown),
        Flavour::Sonarr => {
            item["seriesId"] = json!(shown);
            item["episodeId"] = json!(record.first_episode);
            item["seasonNumber"] = json!(record.title.files.first().map_or(0, |file| file.season));
            item["episodeHasFile"] = json!(!record.files.is_empty());
        }
    }
    item
}

pub(super) fn command(arr: &Arr, command: &Command, shown: Option<u32>) -> Value {
    let mut body = json!({
        "sendUpdatesToClient": true,
        "updateScheduledTask": true,
        "requiresDiskAccess": false,
        "isExclusive": false,
        "isLongRunning": false,
        "name": command.name,
        "trigger": "manual",
        "suppressMessages": false,
    });
    if let Some(shown) = shown {
        match arr.setup.flavour {
            Flavour::Radarr => body["movieIds"] = json!([shown]),
            Flavour::Sonarr => body["seriesId"] = json!(shown),
        }
    }
    let at = command.at.to_string();
    let mut said = json!({
        "name": command.name,
        "commandName": spaced(&command.name),
        "body": body,
        "priority": "normal",
        "status": command.status,
        "result": if command.status == "completed" { "successful" } else { "unknown" },
        "queued": at,
        "trigger": "manual",
        "stateChangeTime": at,
        "sendUpdatesToClient": true,
        "updateScheduledTask": true,
        "id": command.id,
    });
    if command.status != "queued" {
        said["started"] = json!(at);
    }
    if command.status == "completed" {
        said["ended"] = json!(at);
        said["duration"] = json!("00:00:00.0100000");
    }
    said
}

/// `RescanMovie` as people read it: `Rescan Movie`.
fn spaced(name: &str) -> String {
    let mut words = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(c);
    }
    words
}
