//! The JSON that Radarr and Sonarr have in common. Nulls are left out by both, and an id that is zero.

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Status {
    pub(super) app_name: String,
    pub(super) instance_name: String,
    pub(super) version: String,
    #[serde(default)]
    pub(super) start_time: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RootFolder {
    pub(super) path: String,
    pub(super) accessible: bool,
    /// Absent when the folder did not answer in time.
    #[serde(default)]
    pub(super) free_space: Option<i64>,
}

/// What is in the queue for a title. Without an id it is for a title that isn't in the library.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Queued {
    #[serde(default, alias = "movieId", alias = "seriesId")]
    pub(super) title_id: u64,
    #[serde(default)]
    pub(super) title: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Command {
    pub(super) name: String,
    pub(super) status: String,
    #[serde(default)]
    pub(super) body: Subjects,
}

/// Which titles a command is about. One about all of them names none.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Subjects {
    #[serde(default, alias = "movieId", alias = "seriesId")]
    pub(super) one: Option<u64>,
    #[serde(default, alias = "movieIds", alias = "seriesIds")]
    pub(super) many: Option<Vec<u64>>,
}

/// A row of the history of a title: a file that was deleted.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Removed {
    pub(super) id: u64,
    /// The path of the file.
    #[serde(default)]
    pub(super) source_title: Option<String>,
    pub(super) date: String,
    pub(super) event_type: String,
    #[serde(default)]
    pub(super) data: Reason,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Reason {
    #[serde(default)]
    pub(super) reason: Option<String>,
}

/// How many files a title or a season has.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct Statistics {
    #[serde(default, alias = "movieFileCount", alias = "episodeFileCount")]
    pub(in super::super) files: u32,
}
