//! The history of Radarr and Sonarr: its numbers and names differ between the two, its shape doesn't.

use serde_json::{Value, json};

use super::database::{Event, Row};
use super::{Arr, Flavour, language, quality};
use crate::answer::Query;
use crate::misbehaviour::Mood;
use crate::world::SIZE;

/// How an event is called, and its number.
fn name(flavour: Flavour, event: Event) -> (&'static str, u32) {
    match (flavour, event) {
        (_, Event::Imported) => ("downloadFolderImported", 3),
        (Flavour::Radarr, Event::Deleted(_)) => ("movieFileDeleted", 6),
        (Flavour::Sonarr, Event::Deleted(_)) => ("episodeFileDeleted", 5),
    }
}

/// Whether a query wants a row: `eventType` is a name in most places and a number in the paged list,
/// which takes several.
pub(super) fn is_wanted(flavour: Flavour, query: &Query, row: &Row) -> bool {
    let (name, number) = name(flavour, row.event);
    let wanted = query.many("eventType");
    wanted.is_empty()
        || wanted.iter().any(|want| want.eq_ignore_ascii_case(name) || *want == number.to_string())
}

pub(super) fn row(arr: &Arr, row: &Row, mood: &Mood, last: u32) -> Value {
    let flavour = arr.setup.flavour;
    let mut data = match row.event {
        Event::Imported => json!({
            "fileId": "1",
            "droppedPath": format!("/downloads{}", row.source_title.replace('\\', "/")),
            "importedPath": row.source_title,
            "downloadClient": "SABnzbd",
            "releaseGroup": "GRP",
            "size": SIZE.to_string(),
            "indexerFlags": "0",
        }),
        Event::Deleted(reason) => json!({
            "reason": reason.name(),
            "releaseGroup": null,
            "size": SIZE.to_string(),
            "indexerFlags": "0",
        }),
    };
    if flavour == Flavour::Sonarr {
        data["releaseType"] = json!("SingleEpisode");
    }
    let mut said = json!({
        "sourceTitle": row.source_title,
        "languages": [language()],
        "quality": quality(flavour),
        "customFormats": [],
        "customFormatScore": 0,
        "qualityCutoffNotMet": false,
        "date": row.date.to_string(),
        "eventType": name(flavour, row.event).0,
        "data": data,
        "id": row.id,
    });
    let record = json!(mood.shown(row.record, last));
    match flavour {
        Flavour::Radarr => said["movieId"] = record,
        Flavour::Sonarr => {
            said["seriesId"] = record;
            said["episodeId"] = json!(row.episode);
        }
    }
    said
}
