//! The settings as the other rooms receive them: plain, validated values, and every default.
//!
//! Must never hold anything unchecked, and must be the only place of a default: `print`, the tests
//! and the example file all take it from here.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::secret::SecretSource;
use super::value::{Share, UnknownWord};
use crate::domain::{Instance, RootName, Service, ServicePath};

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// Everything that can be configured.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The watched directories, by name; never empty, none inside another.
    pub roots: Vec<RootSettings>,
    /// The pools that roots lie on, by name.
    pub pools: Vec<PoolSettings>,
    /// The instances of the services that are asked, in order.
    pub services: Vec<ServiceSettings>,
    /// Where paths of any service lie here: its folder, and the directory that it is here.
    pub paths: Vec<(ServicePath, PathBuf)>,
    /// How often all services are listed.
    pub sweep: SweepSettings,
    /// How long observations are kept for `explain`.
    pub history: Duration,
    /// How roots are watched.
    pub watch: WatchSettings,
    /// What it takes to be certain.
    pub confirm: ConfirmSettings,
    /// When losses are too many to be believed.
    pub brake: BrakeSettings,
    /// What differs on network file systems.
    pub remote: RemoteSettings,
    /// What is logged, and how.
    pub log: LogSettings,
    /// What is allowed but should be known: one sentence each, to be logged at every start.
    pub warnings: Vec<String>,
}

impl Settings {
    /// How long observations are kept unless configured.
    pub(super) const HISTORY: Duration = Duration::from_hours(90 * 24);
}

/// A watched directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootSettings {
    /// Its name.
    pub name: RootName,
    /// Where it lies: absolute, without `.`, `..` or a slash at the end.
    pub path: PathBuf,
    /// What counts as a media file here: lower-case extensions without the dot.
    pub extensions: BTreeSet<String>,
    /// Names that are not looked at here; `*` stands for any run of characters.
    pub ignore: Vec<String>,
    /// A file directly below the root without which it counts as not mounted.
    pub marker: Option<String>,
}

/// A pool: several disks under one mount point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolSettings {
    /// Its name.
    pub name: String,
    /// Where it is mounted.
    pub mount: PathBuf,
    /// Where its disks are mounted; empty to ask the pool.
    pub branches: Vec<PathBuf>,
}

/// An instance of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceSettings {
    /// Which.
    pub instance: Instance,
    /// Where it answers: http or https, without a slash at the end, a user, a query or a fragment.
    pub url: String,
    /// Its key.
    pub key: SecretSource,
    /// A file with certificates that are trusted besides the system's, in PEM.
    pub ca: Option<PathBuf>,
    /// How long it may take to answer.
    pub timeout: Duration,
    /// Where its paths lie here: its folder, and the directory that it is here.
    pub paths: Vec<(ServicePath, PathBuf)>,
}

impl ServiceSettings {
    /// How long an answer may take unless configured.
    pub(super) const TIMEOUT: Duration = Duration::from_secs(30);
}

/// How often all services are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweepSettings {
    /// The time between two sweeps.
    pub interval: Duration,
}

impl Default for SweepSettings {
    fn default() -> Self {
        Self { interval: 6 * HOUR }
    }
}

/// How roots are watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchSettings {
    /// How often roots without file events are looked at, and all others to be sure.
    pub rescan: Duration,
    /// How long a directory has to be quiet before it is listed again.
    pub quiet: Duration,
    /// Extensions of media files, for roots without their own.
    pub extensions: BTreeSet<String>,
    /// Names that are not looked at, for roots without their own.
    pub ignore: Vec<String>,
}

impl Default for WatchSettings {
    fn default() -> Self {
        Self {
            rescan: 6 * HOUR,
            quiet: Duration::from_millis(150),
            extensions: EXTENSIONS.iter().map(|&e| e.to_owned()).collect(),
            ignore: IGNORE.iter().map(|&name| name.to_owned()).collect(),
        }
    }
}

/// Containers that hold films and episodes, and the pointer and image files that stand for them.
/// Left out: sound, pictures, subtitles, and names too common to mean video (`bin`, `dat`).
const EXTENSIONS: &[&str] = &[
    "3g2", "3gp", "asf", "avi", "divx", "dv", "dvr-ms", "evo", "f4v", "flv", "img", "iso", "m2t",
    "m2ts", "m2v", "m4v", "mk3d", "mkv", "mov", "mp4", "mpe", "mpeg", "mpg", "mts", "mxf", "nsv",
    "nuv", "ogm", "ogv", "qt", "rm", "rmvb", "strm", "tp", "trp", "ts", "vob", "webm", "wmv",
    "wtv", "xvid",
];

/// What storage systems and tools keep beside media: trash, snapshots, thumbnails, bookkeeping.
const IGNORE: &[&str] = &[
    // Trash: what is moved there is gone.
    "#recycle",
    "@Recycle",
    ".recycle",
    ".Recycle.Bin",
    ".Trash",
    ".Trash-*",
    ".Trashes",
    "$RECYCLE.BIN",
    // Snapshots and old versions: copies that keep nothing alive.
    "#snapshot",
    "@Recently-Snapshot",
    ".snapshot",
    ".snapshots",
    ".stversions",
    ".zfs",
    // Bookkeeping.
    "@eaDir",
    ".@__thumb",
    ".@upload_cache",
    ".actors",
    ".AppleDB",
    ".AppleDesktop",
    ".AppleDouble",
    ".DS_Store",
    ".fseventsd",
    ".git",
    ".mergerfs",
    ".Spotlight-V100",
    ".stfolder",
    ".TemporaryItems",
    ".unionfs",
    ".unionfs-fuse",
    "System Volume Information",
    "lost+found",
    "._*",
];

/// What it takes to be certain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfirmSettings {
    /// How long the world has to stand still before anything is decided.
    pub settle: Duration,
    /// How long a title may count as being replaced.
    pub replace_max: Duration,
    /// How soon at the earliest a held candidate is looked at again.
    pub hold_retry: Duration,
    /// The services that may be asked to look again at a title that the disk refutes, in order.
    pub refresh: Vec<Service>,
    /// What becomes of files that no service lists.
    pub unlisted: Unlisted,
}

impl ConfirmSettings {
    /// A shorter settle is allowed, with a warning: replacing a file can take as long.
    pub const SETTLE_WARNED: Duration = Duration::from_secs(30);
}

impl Default for ConfirmSettings {
    fn default() -> Self {
        Self {
            settle: MINUTE,
            replace_max: DAY,
            hold_retry: 5 * MINUTE,
            refresh: vec![Service::Radarr, Service::Sonarr],
            unlisted: Unlisted::List,
        }
    }
}

/// When losses are too many to be believed. Checked here already; the brake itself comes later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrakeSettings {
    /// The time over which losses are counted.
    pub window: Duration,
    /// So many lost items trip it whatever their share.
    pub max: u32,
    /// Not more than so many never trip it by their share.
    pub floor: u32,
    /// More than this share of the items trips it, above the floor.
    pub share: Share,
}

impl Default for BrakeSettings {
    fn default() -> Self {
        Self { window: 10 * MINUTE, max: 25, floor: 3, share: Share::percent(5) }
    }
}

/// What differs on network and FUSE file systems, which give no events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteSettings {
    /// How far apart the two looks lie that an absence there needs.
    pub confirm: Duration,
    /// How often such a root is looked at.
    pub rescan: Duration,
}

impl RemoteSettings {
    /// Two looks closer together can both fall into one hiccup of the network.
    pub const CONFIRM_WARNED: Duration = Duration::from_mins(10);
}

impl Default for RemoteSettings {
    fn default() -> Self {
        Self { confirm: HOUR, rescan: 15 * MINUTE }
    }
}

/// What is logged, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogSettings {
    /// The least important messages that are logged.
    pub level: LogLevel,
    /// The form.
    pub format: LogFormat,
}

/// An enum whose values are written as words.
macro_rules! words {
    ($name:ident, $($value:ident = $word:literal),+) => {
        impl $name {
            /// The words, in the order of the values.
            const WORDS: &[&str] = &[$($word),+];

            /// The word for this value.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$value => $word),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                match word {
                    $($word => Ok(Self::$value),)+
                    _ => Err(UnknownWord {
                        word: crate::domain::shown(word.as_bytes()),
                        known: Self::WORDS.join(", "),
                    }),
                }
            }
        }
    };
}

/// How much is logged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogLevel {
    /// Only what is a bug or stops the work.
    Error,
    /// Also what is bad but can happen.
    Warn,
    /// Also each decision, with its reason.
    #[default]
    Info,
    /// Also each step that led to it.
    Debug,
    /// Everything.
    Trace,
}

words!(LogLevel, Error = "error", Warn = "warn", Info = "info", Debug = "debug", Trace = "trace");

/// The form of the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// The journal where stderr is connected to it, else text.
    #[default]
    Auto,
    /// Lines for people, on stderr.
    Text,
    /// One JSON object a line, on stderr.
    Json,
    /// The journal's own protocol, with fields.
    Journal,
}

words!(LogFormat, Auto = "auto", Text = "text", Json = "json", Journal = "journal");

/// What becomes of files that no service lists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Unlisted {
    /// They are shown, and wait for a person.
    #[default]
    List,
    /// They are told, after two sweeps and from two kinds of service.
    Forward,
}

words!(Unlisted, List = "list", Forward = "forward");

/// What the command line says, which wins over the environment and the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `--root DIR`, each; if there is any, the file's roots are not used.
    pub roots: Vec<PathBuf>,
    /// `--settle 1s`.
    pub settle: Option<Duration>,
    /// The log's level.
    pub log_level: Option<LogLevel>,
    /// `--log json`.
    pub log_format: Option<LogFormat>,
}
