//! A possible deletion of one item in one life, under review.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Awake, Evidence, FilePath, Item, Life, LostFile, Place, RootName, Timestamp};

/// The number of a candidate; never used again in one store.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct CandidateId(pub u64);

impl fmt::Display for CandidateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "c{}", self.0)
    }
}

/// The number of a probe; an answer that carries an older one is not listened to.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct ProbeId(pub u64);

/// Why a candidate can't be decided. Each names its witness and how it ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "hold", rename_all = "snake_case")]
pub enum Hold {
    /// A witness could not tell.
    Unknown {
        /// The witness, as text.
        witness: String,
        /// What kept it from telling.
        why: String,
    },
    /// A witness still lists it where nobody can look.
    Unverified {
        /// The witness, as text.
        witness: String,
        /// The place it names.
        place: String,
    },
    /// A new file is on its way.
    BeingReplaced {
        /// What shows it.
        why: String,
    },
    /// A root that it may have been moved to can't be looked at.
    OtherRoot {
        /// The root.
        root: RootName,
    },
    /// Only trailers, specials or other extras are left of it.
    OnlyExtras {
        /// How many files.
        left: usize,
    },
    /// Its files are there, and no service lists it any more.
    Unlisted {
        /// Who listed it, as text.
        by: String,
    },
    /// It was found missing where nothing could say since when.
    FoundMissing {
        /// Why the loss is not simply believed.
        why: String,
    },
    /// The configuration of a root changed after the loss, its own or one that it may live in.
    Rebased {
        /// The root.
        root: RootName,
    },
}

impl Hold {
    /// One word for counting.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "unknown",
            Self::Unverified { .. } => "unverified",
            Self::BeingReplaced { .. } => "being_replaced",
            Self::OtherRoot { .. } => "other_root",
            Self::OnlyExtras { .. } => "only_extras",
            Self::Unlisted { .. } => "unlisted",
            Self::FoundMissing { .. } => "found_missing",
            Self::Rebased { .. } => "rebased",
        }
    }

    /// The witness that keeps it.
    #[must_use]
    pub fn witness(&self) -> String {
        match self {
            Self::Unknown { witness, .. } | Self::Unverified { witness, .. } => witness.clone(),
            Self::Unlisted { by } => by.clone(),
            Self::OtherRoot { root } | Self::Rebased { root } => format!("disk, root {root}"),
            _ => "disk".to_owned(),
        }
    }

    /// What ends it: for most, the world itself; else a person's verb. This is the one place that
    /// names verbs, and it names in `backticks` only those that the program has: a test compares
    /// them.
    #[must_use]
    pub fn ends(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "ends by itself when the witness can tell again",
            Self::OtherRoot { .. } => {
                "ends by itself when that root can be looked at again; if it won't come back, \
                 `accept` or `retire` it"
            }
            Self::BeingReplaced { .. } => {
                "ends by itself when the new file is there, or after confirm.replace_max"
            }
            Self::Unverified { .. } => "ends by itself when the witness no longer lists it",
            Self::OnlyExtras { .. } => {
                "ends by itself when a main file is there again, or when the extras are gone too"
            }
            Self::Unlisted { .. } => {
                "is not reported; ends by itself when a service lists it again, or when its files go"
            }
            Self::FoundMissing { .. } | Self::Rebased { .. } => {
                "is not reported; ends by itself when it is found again"
            }
        }
    }

    /// One of each kind, for tests of what is said about them.
    #[cfg(test)]
    pub(crate) fn one_of_each() -> Vec<Self> {
        let text = || "x".to_owned();
        let root = || RootName::try_from("a".to_owned()).unwrap();
        vec![
            Self::Unknown { witness: text(), why: text() },
            Self::Unverified { witness: text(), place: text() },
            Self::BeingReplaced { why: text() },
            Self::OtherRoot { root: root() },
            Self::OnlyExtras { left: 1 },
            Self::Unlisted { by: text() },
            Self::FoundMissing { why: text() },
            Self::Rebased { root: root() },
        ]
    }

    /// Whether `other` is this hold going on: the same kind, by the same witness.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        self.kind() == other.kind() && self.witness() == other.witness()
    }

    /// Whether `next` tells a person something that this hold did not.
    #[must_use]
    pub fn is_news(&self, next: &Self) -> bool {
        match (self, next) {
            (Self::BeingReplaced { .. }, Self::BeingReplaced { .. }) => false,
            _ => self != next,
        }
    }

    /// Whether looking again can end it.
    #[must_use]
    pub fn can_end_by_itself(&self) -> bool {
        !matches!(self, Self::Unlisted { .. } | Self::FoundMissing { .. } | Self::Rebased { .. })
    }
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { witness, why } => write!(f, "{witness} can't tell: {why}"),
            Self::Unverified { witness, place } => {
                write!(f, "{witness} still lists it at {place}, which can't be seen from here")
            }
            Self::BeingReplaced { why } => write!(f, "a new file seems to be on its way: {why}"),
            Self::OtherRoot { root } => {
                write!(f, "it may have moved to root {root}, which can't be looked at")
            }
            Self::OnlyExtras { left } => {
                write!(f, "only extras or specials are left of it ({left} files)")
            }
            Self::Unlisted { by } => {
                write!(f, "its files are there, but no service lists it any more ({by} did)")
            }
            Self::FoundMissing { why } => write!(f, "found missing: {why}"),
            Self::Rebased { root } => {
                write!(f, "the configuration of root {root} changed after the loss")
            }
        }
    }
}

/// Where a candidate is on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum Stage {
    /// The world must stop changing first.
    Settling {
        /// Since when it has been quiet, by what this candidate itself knows.
        quiet_from: Awake,
    },
    /// The witnesses are being asked.
    Probing {
        /// The probe that is waited for.
        probe: ProbeId,
        /// Since when.
        from: Awake,
    },
    /// It can't be decided.
    Held {
        /// Why.
        holding: Holding,
        /// When to look again.
        again: Awake,
    },
}

/// A hold that a candidate is or was under.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    /// Why.
    pub why: Hold,
    /// Since when, by the wall clock.
    pub since: Timestamp,
    /// How often it was looked at in vain.
    pub looks: u32,
}

/// A look that must be made again after a while before it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstLook {
    /// When.
    pub at: Timestamp,
    /// The same in awake time.
    pub awake: Awake,
}

/// A possible deletion of one item in one life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// Its number.
    pub id: CandidateId,
    /// What may have died.
    pub item: Item,
    /// In which life.
    pub life: Life,
    /// When the first loss was seen.
    pub detected: Timestamp,
    /// The same in awake time.
    pub from: Awake,
    /// Where the lost files lay.
    pub places: Vec<Place>,
    /// Every file of it seen lost in this life, ordered by path.
    pub lost: Vec<LostFile>,
    /// What the last probe brought.
    #[serde(default)]
    pub evidence: Vec<Evidence>,
    /// The hold that it was last under: a hold for the same reason goes on, it does not begin anew.
    #[serde(default)]
    pub last_hold: Option<Holding>,
    /// The first look that found all of it absent, where one look is not enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absent: Option<FirstLook>,
    /// Where it is on its way.
    pub stage: Stage,
}

impl Candidate {
    /// The roots that it lost files under, each once.
    pub fn roots(&self) -> impl Iterator<Item = &RootName> {
        let mut roots: Vec<&RootName> = self.lost.iter().map(|file| &file.path.root).collect();
        roots.sort_unstable();
        roots.dedup();
        roots.into_iter()
    }

    /// Whether it lost this very file.
    #[must_use]
    pub fn has_lost(&self, path: &FilePath) -> bool {
        self.lost.binary_search_by(|file| file.path.cmp(path)).is_ok()
    }
}
