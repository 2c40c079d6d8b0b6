//! What witnesses answer when they are asked, and what is kept of it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{AbsPath, FileId, FilePath, RootLook, RootName, Timestamp};

/// The programs that can be asked besides the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// Radarr: films.
    Radarr,
    /// Sonarr: series.
    Sonarr,
    /// Jellyfin: plays both.
    Jellyfin,
    /// Shoko: anime.
    Shoko,
}

impl Service {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Radarr, Self::Sonarr, Self::Jellyfin, Self::Shoko];
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Radarr => "radarr",
            Self::Sonarr => "sonarr",
            Self::Jellyfin => "jellyfin",
            Self::Shoko => "shoko",
        })
    }
}

/// Who is asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Witness {
    /// The disk, over all roots.
    Disk,
    /// One instance of a service, by its name in the configuration.
    Service {
        /// Which program.
        service: Service,
        /// Which instance of it.
        instance: String,
    },
}

impl fmt::Display for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disk => f.write_str("disk"),
            Self::Service { service, instance } => write!(f, "{service}.{instance}"),
        }
    }
}

/// What a witness says of one item, in one probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A file of the item was seen on disk by this probe.
    Verified {
        /// For people: how it lives on.
        how: String,
    },
    /// The witness lists it at a place that can't be seen from here.
    Unverified {
        /// The place, as the witness names it.
        place: String,
    },
    /// The witness lists it at a path that an inventory had seen and that is absent now: it has
    /// not noticed yet.
    Refuted {
        /// The path.
        place: String,
    },
    /// It is not there, by the rules of its kind.
    Absent,
    /// Not concerned with this item.
    NoSay,
    /// Can't tell.
    Unknown {
        /// For people.
        why: String,
    },
}

/// A witness and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Testimony {
    /// Who.
    pub witness: Witness,
    /// What it says.
    pub answer: Answer,
}

/// One fact that a decision rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Who says it.
    pub witness: Witness,
    /// In one word: `absent`, `present`, `unknown`, …
    pub answer: String,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<AbsPath>,
    /// The fact, for people.
    pub detail: String,
    /// When it was so.
    pub at: Timestamp,
}

/// How one path answered an lstat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileState {
    /// ENOENT or ENOTDIR, with its nearest existing parent readable and on the same file system as
    /// when it was last seen.
    Absent,
    /// A file or link of that name is there.
    Present,
    /// Anything else.
    Unknown {
        /// For people.
        why: String,
    },
}

/// One known path of the item, looked at afresh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileLook {
    /// The path.
    pub path: FilePath,
    /// The same for people.
    pub shown: AbsPath,
    /// The answer.
    pub state: FileState,
}

/// How a file that lives was recognised as the item's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// A media file in the item's own folder.
    InPlace,
    /// A media file elsewhere under the item's title or provider id.
    ByName,
    /// The lost file's inode under another name.
    ByInode,
    /// The lost file was seen under another name, and has gone on from there since: that is the
    /// story of the title of that name.
    Since,
}

/// A file of the item that was found alive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundFile {
    /// Where it is.
    pub path: FilePath,
    /// The same for people.
    pub shown: AbsPath,
    /// What it is.
    pub id: FileId,
    /// How it was recognised.
    pub how: Found,
    /// Whether it is only a trailer or another extra.
    pub extra: bool,
}

/// Everything that one look at the disk brought for one item: facts, not yet an answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DiskLook {
    /// Each path of the item that an inventory has seen.
    pub files: Vec<FileLook>,
    /// Its files that live.
    pub found: Vec<FoundFile>,
    /// A regular file in its folder that was written after the loss, and when.
    pub written: Option<(AbsPath, Timestamp)>,
    /// Each path under which a service claims a file of it.
    pub claims: Vec<FileLook>,
    /// What could not be looked at, and why.
    pub unseen: Vec<(AbsPath, String)>,
    /// How each root that was looked at did, before and after.
    pub roots: Vec<(RootName, RootLook, RootLook)>,
    /// Roots that had changes not yet listed.
    pub behind: Vec<RootName>,
}
