//! What sensors say: hints to look, never decisions.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{FileId, FilePath, Item, RelPath, RootName, Timestamp, Witness};

/// What noticed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sensor {
    /// A directory was listed and compared with the inventory, after an event or on a timer.
    Watcher,
    /// The comparison of a whole root at start: it happened while the daemon was not there.
    Start,
}

impl fmt::Display for Sensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Watcher => "watcher",
            Self::Start => "comparison at start",
        })
    }
}

/// Where files of an item lie.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The root.
    pub root: RootName,
    /// The title's folder; for a loose file the folder that it shares with other titles.
    pub folder: RelPath,
    /// Whether the folder is shared: then only files whose names are of this title belong to it.
    pub loose: bool,
}

/// A media file that an inventory has seen and that a listing no longer has.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LostFile {
    /// Where it was.
    pub path: FilePath,
    /// What it was.
    pub id: FileId,
    /// When it was certainly still there: an inode born later is another file's.
    pub looked: Timestamp,
    /// Whether it is a trailer or another extra, without which the title is complete.
    pub extra: bool,
    /// Whether it lay on a branch or in a root that a person has retired.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retired: bool,
    /// Whether it may live anywhere, under any name: it was moved away, or nobody heard how it went.
    /// Then it is not absent before each root was looked through for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sought: bool,
}

/// What a sensor says, about one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observation {
    /// Files of the item are no longer listed.
    Lost {
        /// The item.
        item: Item,
        /// Where its lost files lay.
        places: Vec<Place>,
        /// The files.
        files: Vec<LostFile>,
        /// What noticed it.
        sensor: Sensor,
    },
    /// Media files of the item are listed that were not listed before.
    Seen {
        /// The item.
        item: Item,
        /// The files.
        files: Vec<FilePath>,
    },
    /// A media file of the item has another name, by which nobody would take it for the item's.
    Renamed {
        /// The item.
        item: Item,
        /// Where the item lies.
        place: Place,
        /// Its old name.
        from: FilePath,
        /// Its new name.
        to: FilePath,
    },
    /// A service that listed the item with a file does so no more.
    Dropped {
        /// The item.
        item: Item,
        /// Where files of it lie, as far as an inventory knows.
        places: Vec<Place>,
        /// The service.
        by: Witness,
        /// What it says now, for people.
        how: String,
    },
    /// A service lists the item with a file.
    Listed {
        /// The item.
        item: Item,
    },
}
