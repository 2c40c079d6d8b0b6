//! What is said over the sockets. Adding a field is allowed, changing or removing one is not.
//!
//! Times are RFC 3339 in UTC. A path is text; where the file system has bytes that are not UTF-8,
//! `path` shows them escaped and `path_hex` has them all.

use serde::{Deserialize, Serialize};

use super::check::CheckProgress;
use crate::domain::{AbsPath, Deletion, Entry, Evidence, Item, Timestamp};

/// `GET /v1/status`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Status {
    /// One sentence: whether anything needs a person.
    pub summary: String,
    /// Whether anything needs a person.
    pub needs_attention: bool,
    /// Whether each root is armed, or was found unhealthy.
    pub ready: bool,
    /// The version of the daemon.
    pub version: String,
    /// When it started.
    pub started_at: Timestamp,
    /// The roots, by name.
    pub roots: Vec<RootStatus>,
    /// The services, by kind and name.
    pub services: Vec<ServiceStatus>,
    /// What is under review.
    pub candidates: CandidateCounts,
    /// How many deletions were confirmed so far.
    pub deletions: u64,
    /// How long something must be quiet before it is probed, in seconds.
    pub settle_secs: u64,
    /// What was found damaged at start and what was done about it.
    pub healed: Vec<String>,
    /// What does not work, in sentences.
    pub problems: Vec<String>,
    /// What the configuration is warned of.
    pub warnings: Vec<String>,
    /// How far a full look is that is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check: Option<CheckProgress>,
}

/// One root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootStatus {
    /// Its name.
    pub name: String,
    /// Its path.
    pub path: String,
    /// `waiting`, `online`, `offline`, `suspect`, `stalled` or `idle`.
    pub health: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
    /// How many directories it has.
    pub directories: u64,
    /// How many media files it has.
    pub files: u64,
    /// How many directories are watched by inotify; the others are listed from time to time.
    pub watched: u64,
    /// Why not all of them are, and what helps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub watch_note: Option<String>,
    /// Directories that can't be seen into: nothing below them is ever reported.
    pub unseen: Vec<UnseenView>,
    /// How many more there are.
    pub unseen_more: u64,
}

/// A directory that can't be seen into.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnseenView {
    /// Where.
    pub path: String,
    /// Why.
    pub why: String,
}

/// How many candidates are where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CandidateCounts {
    /// Waiting for the world to be quiet, or being probed.
    pub settling: u64,
    /// Can't be decided now.
    pub held: u64,
}

/// `GET /v1/candidates`: one of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CandidateView {
    /// Its number.
    pub id: String,
    /// What may have died.
    pub item: Item,
    /// In which life.
    pub life: u32,
    /// When the first loss was seen.
    pub detected_at: Timestamp,
    /// `settling`, `probing` or `held`.
    pub state: String,
    /// Why it is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub witness: Option<String>,
    /// Since when it is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_since: Option<Timestamp>,
    /// What ends the hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends: Option<String>,
    /// The files that went.
    pub lost: Vec<String>,
    /// What the last probe brought.
    pub evidence: Vec<EvidenceView>,
}

/// `GET /v1/deletions`: one of them, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletionView {
    /// Its name: item and life.
    pub id: String,
    /// What died.
    pub item: Item,
    /// In which life.
    pub life: u32,
    /// Who deleted it, in the trackers' words.
    pub source: String,
    /// How.
    pub cause: String,
    /// When the first loss was seen.
    pub detected_at: Timestamp,
    /// When it was certain.
    pub confirmed_at: Timestamp,
    /// When the tracker, or the ledger, had it.
    pub forwarded_at: Option<Timestamp>,
    /// `queued` or `accepted`.
    pub state: String,
    /// How it is known, a line per path.
    pub evidence: Vec<EvidenceView>,
}

/// One fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceView {
    /// Who says it.
    pub witness: String,
    /// In one word.
    pub answer: String,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The bytes of the path, where they are not text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_hex: Option<String>,
    /// For people.
    pub detail: String,
    /// When it was so.
    pub at: Timestamp,
}

/// `GET /v1/explain/{item}`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Explanation {
    /// What was asked.
    pub query: String,
    /// The items that it may have meant, at most a few.
    pub stories: Vec<Story>,
}

/// What is known of one item, or of one root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Story {
    /// Its key, or `root:NAME`.
    pub key: String,
    /// Its title, or the root's name.
    pub title: String,
    /// `alive`, `under review`, `gone` or `unknown`; of a root its health.
    pub state: String,
    /// The state in one sentence.
    pub summary: String,
    /// Where files of it are, as far as the inventory knows.
    pub places: Vec<String>,
    /// What happened, oldest first.
    pub lines: Vec<StoryLine>,
}

/// One line of a story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoryLine {
    /// When.
    pub at: Timestamp,
    /// What, in one word.
    pub kind: String,
    /// What, in one sentence.
    pub text: String,
    /// What it rests on.
    pub evidence: Vec<EvidenceView>,
}

/// One instance of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceStatus {
    /// `radarr.uhd`.
    pub name: String,
    /// `well`, `unwell`, or `unheard` as long as it was not listed in this run.
    pub health: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// How many titles it listed when it was last believed.
    pub titles: u64,
    /// When that was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listed_at: Option<Timestamp>,
    /// What is wrong with where its paths lie here, and what would be right.
    pub notes: Vec<String>,
}

/// `GET` and `POST /v1/accept/{root}`: what accepting a root does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptView {
    /// The root.
    pub root: String,
    /// Its health before.
    pub health: String,
    /// Why it is not trusted.
    pub reason: String,
    /// Whether it was done.
    pub accepted: bool,
    /// What is looked at again and reported if it is really gone.
    pub concerns: Vec<CandidateView>,
    /// Where it is another root than it was: what was last seen in it. All of it is looked for in what
    /// is there now, and reported if it is not there.
    pub titles: Vec<RetiredTitle>,
}

/// `GET` and `POST /v1/retire/{what}`: what retiring a root or a branch does.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RetireView {
    /// The root's name, or the branch's path.
    pub what: String,
    /// `root` or `branch`.
    pub kind: String,
    /// The roots that are concerned, and why each is not trusted.
    pub roots: Vec<RetiredRoot>,
    /// Whether it was done.
    pub retired: bool,
    /// What is reported with the cause `disk_loss`, if it is really gone.
    pub titles: Vec<RetiredTitle>,
}

/// A root that a retirement concerns.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RetiredRoot {
    /// Its name.
    pub root: String,
    /// Its health before.
    pub health: String,
    /// Why.
    pub reason: String,
}

/// A title that a retirement concerns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetiredTitle {
    /// The title.
    pub item: Item,
    /// How many of its media files are lost.
    pub files: u64,
    /// Whether others of its files are known elsewhere: then it is not reported as gone.
    pub lives_on: bool,
}

/// Any answer that is not a success.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorView {
    /// What went wrong and what to do, in one sentence.
    pub error: String,
}

impl From<&Evidence> for EvidenceView {
    fn from(evidence: &Evidence) -> Self {
        Self {
            witness: evidence.witness.to_string(),
            answer: evidence.answer.clone(),
            path: evidence.path.as_ref().map(text),
            path_hex: evidence.path.as_ref().and_then(hex),
            detail: evidence.detail.clone(),
            at: evidence.at,
        }
    }
}

impl From<&Entry> for DeletionView {
    fn from(entry: &Entry) -> Self {
        let Deletion { id, item, life, source, cause, detected_at, confirmed_at, evidence } =
            &entry.deletion;
        Self {
            id: id.to_string(),
            item: item.clone(),
            life: life.number(),
            source: source.to_string(),
            cause: cause.to_string(),
            detected_at: *detected_at,
            confirmed_at: *confirmed_at,
            forwarded_at: entry.forwarded_at,
            state: entry.state.to_string(),
            evidence: evidence.iter().map(Into::into).collect(),
        }
    }
}

/// A path as text: itself where it is UTF-8, else escaped.
fn text(path: &AbsPath) -> String {
    path.as_path().to_str().map_or_else(|| path.to_string(), str::to_owned)
}

fn hex(path: &AbsPath) -> Option<String> {
    use std::os::unix::ffi::OsStrExt;
    let bytes = path.as_path().as_os_str().as_bytes();
    std::str::from_utf8(bytes).err()?;
    Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::path::Path;

    use super::*;
    use crate::domain::Witness;

    fn view(path: &[u8]) -> EvidenceView {
        EvidenceView::from(&Evidence {
            witness: Witness::Disk,
            answer: "absent".into(),
            path: Some(AbsPath::new(Path::new(OsStr::from_bytes(path)))),
            detail: String::new(),
            at: Timestamp::default(),
        })
    }

    #[test]
    fn a_path_is_itself_where_it_is_text_and_comes_with_its_bytes_where_it_is_not() {
        assert_eq!(view(b"/a\nb").path.as_deref(), Some("/a\nb"));
        assert_eq!(view(b"/a\nb").path_hex, None);
        assert_eq!(view(b"/a\xff").path.as_deref(), Some("/a\\xff"));
        assert_eq!(view(b"/a\xff").path_hex.as_deref(), Some("2f61ff"));
    }
}
