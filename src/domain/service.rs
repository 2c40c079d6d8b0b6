//! What services say about titles: claims about files that only the disk can prove.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Item, Kind, ProviderIds, Service, Timestamp, Witness};

/// One configured instance of a service: `radarr.uhd`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Instance {
    /// Which program.
    pub service: Service,
    /// Its name in the configuration.
    pub name: String,
}

impl Instance {
    /// The same as a witness.
    #[must_use]
    pub fn witness(&self) -> Witness {
        Witness::Service { service: self.service, instance: self.name.clone() }
    }
}

impl fmt::Display for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.service, self.name)
    }
}

/// A path as a service names it: on its own host or in its container, perhaps with `\`. It says nothing
/// about the disk until a mapping has brought it here.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ServicePath(pub String);

/// A title as an instance lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// Its id in that instance, which may be given to another title later.
    pub id: String,
    /// What it is: kind, title, year and provider ids.
    pub item: Item,
    /// Its number in AniDB, by which only Shoko knows titles. One work may have several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anidb: Option<u64>,
    /// Its folder, where the service names one.
    pub folder: Option<ServicePath>,
    /// The configured folder of the service in which it lies, where the service names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_folder: Option<ServicePath>,
    /// Its media files, as far as the service names them here.
    pub files: Vec<ServiceFile>,
    /// How many media files it has, also those that `files` doesn't name.
    pub file_count: u32,
    /// The same by season, where the service counts so.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub seasons: BTreeMap<u32, u32>,
}

/// A media file as an instance lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceFile {
    /// Where the service has it.
    pub path: ServicePath,
    /// The season, where it is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub season: Option<u32>,
    /// Whether the service looked at the disk itself just now and found it (`Some(false)`: and did not).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accessible: Option<bool>,
    /// The configured folder of the service in which it lies, where that is told apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
}

/// A folder that a service is configured to keep titles in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceFolder {
    /// Its id, where files refer to it by one.
    pub id: Option<String>,
    /// Its path.
    pub path: ServicePath,
    /// Whether the service can see it, where it says so.
    pub accessible: Option<bool>,
    /// Free space in bytes, where it says so.
    pub free: Option<u64>,
}

impl ServiceFolder {
    /// Whether it lies at a path, however the two are written: a slash at the end says nothing.
    #[must_use]
    pub fn is_at(&self, path: &ServicePath) -> bool {
        self.path == *path || (self.path.parts().is_some() && self.path.parts() == path.parts())
    }
}

/// Who an instance is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The program by its own word: `Radarr`.
    pub application: String,
    /// Its own name: the instance name of Radarr and Sonarr, the server's id of Jellyfin.
    pub name: String,
    /// Its version.
    pub version: String,
    /// When it was started, where it says so. A restart only means that there is much to catch up.
    pub started: Option<String>,
}

/// Everything that an instance lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Who said it.
    pub about: About,
    /// The titles.
    pub titles: Vec<Listed>,
    /// Its configured folders.
    pub folders: Vec<ServiceFolder>,
    /// Why nothing that is missing in it is absent, if so: a scan was running, or it changed while it
    /// was read.
    pub moving: Option<String>,
    /// How many requests it took.
    pub requests: u32,
    /// When it was begun, as a time of this host.
    pub begun: Timestamp,
}

/// What an instance is asked about one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Film or series.
    pub kind: Kind,
    /// Its provider ids, of all that are known from anywhere.
    pub ids: ProviderIds,
    /// Its numbers in AniDB.
    pub anidb: Vec<u64>,
    /// The ids under which the instance listed it before.
    pub known: Vec<String>,
    /// The lost files, as the instance would name them: an upgrade in its history is of one of these.
    pub lost: Vec<ServicePath>,
    /// A listing that was begun before this says nothing.
    pub not_before: Timestamp,
}

/// What an instance answers about one item. Both sides of it are from the same well instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Who said it.
    pub about: About,
    /// All that it lists which is the item: under a known id with the same kind and provider id,
    /// or under another id with the same. With and without files.
    pub titles: Vec<Listed>,
    /// Those of the known ids that it said itself not to have, or that are another title's now.
    pub gone: Vec<String>,
    /// Why nothing here is absent, if so: a scan was running, or there is no id to look for.
    pub unsure: Option<String>,
    /// A sign that a new file is on its way, for people: an upgrade, a download, a command.
    pub replacing: Option<String>,
    /// Its configured folders.
    pub folders: Vec<ServiceFolder>,
}

/// Why an instance could not be asked. None of these says that anything is absent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// It may answer later: unreachable, slow, starting, overloaded.
    #[error("{why}")]
    Transient {
        /// For people.
        why: String,
        /// How long it asked to be left alone.
        retry_after: Option<Duration>,
    },
    /// It will answer the same again: not found, a wrong address, a request that it refuses.
    #[error("{why}")]
    Permanent {
        /// For people, with the way out.
        why: String,
    },
    /// The key is not accepted.
    #[error("{why}")]
    Unauthorized {
        /// For people, with the way out.
        why: String,
    },
    /// What came is not what that program says: a web page, half an answer, another program.
    #[error("{why}")]
    Protocol {
        /// For people.
        why: String,
    },
}
