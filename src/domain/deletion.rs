//! The confirmed fact: what died, when, by whom, and how that is known.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Evidence, Item, ItemKey, Life, LostFile, Place, Timestamp};

/// Who deleted it, in the trackers' words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The tracker's own dashboard.
    Dashboard,
    /// Removed by Sonarr.
    Sonarr,
    /// Removed by Radarr.
    Radarr,
    /// Removed in Jellyfin.
    Jellyfin,
    /// Removed by Shoko.
    Shoko,
    /// Anyone else: a person, a script, a disk.
    External,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dashboard => "dashboard",
            Self::Sonarr => "sonarr",
            Self::Radarr => "radarr",
            Self::Jellyfin => "jellyfin",
            Self::Shoko => "shoko",
            Self::External => "external",
        })
    }
}

/// How an external deletion came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The files were removed.
    Removed,
    /// A person said that the disk will not come back.
    DiskLoss,
    /// The files are there, but no service lists them.
    Unlisted,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Removed => "removed",
            Self::DiskLoss => "disk_loss",
            Self::Unlisted => "unlisted",
        })
    }
}

/// The name of a deletion: item and life, so that it can be made only once.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeletionId(String);

impl DeletionId {
    /// The name of the deletion that ends `life` of the item.
    #[must_use]
    pub fn new(item: &ItemKey, life: Life) -> Self {
        Self(format!("{item}#{life}"))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DeletionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A confirmed deletion: the obituary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deletion {
    /// Its name.
    pub id: DeletionId,
    /// What died.
    pub item: Item,
    /// In which life.
    pub life: Life,
    /// Who deleted it.
    pub source: Source,
    /// How.
    pub cause: Cause,
    /// When the first loss was seen.
    pub detected_at: Timestamp,
    /// When it was certain.
    pub confirmed_at: Timestamp,
    /// How that is known.
    pub evidence: Vec<Evidence>,
}

/// How far the telling of a deletion has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryState {
    /// Decided and durable, not told yet.
    Queued,
    /// The tracker, or the ledger where there is none, has it.
    Accepted,
    /// Taken back before anyone was told: it is looked at again.
    Withdrawn,
}

impl fmt::Display for EntryState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Queued => "queued",
            Self::Accepted => "accepted",
            Self::Withdrawn => "withdrawn",
        })
    }
}

/// A deletion on its way to a tracker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What is told.
    pub deletion: Deletion,
    /// How far it is.
    pub state: EntryState,
    /// When the tracker had it.
    pub forwarded_at: Option<Timestamp>,
    /// What to look at again before anyone is told, if that could not be done at once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<LostFile>,
    /// Where to look.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<Place>,
}
