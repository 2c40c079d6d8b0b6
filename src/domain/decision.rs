//! What was decided and noticed, kept so that `explain` can tell the story of an item or a root.

use serde::{Deserialize, Serialize};

use super::{
    AbsPath, CandidateId, DeletionId, Evidence, FilePath, Health, Hold, Item, Life, RootName,
    Sensor, Timestamp, Witness,
};

/// What a decision is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// An item.
    Item(Item),
    /// A root.
    Root(RootName),
}

/// One line of the story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// When.
    pub at: Timestamp,
    /// About what.
    pub subject: Subject,
    /// The candidate that it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate: Option<CandidateId>,
    /// What.
    pub what: What,
    /// What it rests on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
}

/// What was decided or noticed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum What {
    /// Files of the item are no longer listed; it is under review.
    Lost {
        /// The files.
        files: Vec<FilePath>,
        /// What noticed it.
        sensor: Sensor,
    },
    /// A service that listed the item with a file does so no more; it is under review.
    Dropped {
        /// The service.
        by: Witness,
        /// What it says now.
        how: String,
    },
    /// The item is alive; nothing is reported.
    Retracted {
        /// How it lives on.
        why: String,
    },
    /// Some episodes are gone, the series lives.
    Partial {
        /// How many files are gone.
        gone: usize,
        /// How many are left.
        left: usize,
    },
    /// It can't be decided now.
    Held {
        /// Why.
        why: Hold,
    },
    /// It is gone.
    Confirmed {
        /// The deletion.
        deletion: DeletionId,
    },
    /// A tracker, or the ledger, has been told.
    Forwarded {
        /// The deletion.
        deletion: DeletionId,
        /// Which one.
        tracker: String,
    },
    /// It is there again after a deletion.
    Returned {
        /// The life that begins.
        life: Life,
    },
    /// The root can be believed, or no longer.
    Health {
        /// What it was.
        from: Health,
        /// What it is.
        to: Health,
        /// Why.
        why: String,
    },
    /// The root's identity was recorded.
    Adopted {
        /// What it was found to be.
        identity: String,
    },
    /// A person said that the root is right as it is now.
    Accepted,
    /// A person said that the root, or a branch below it, will not come back.
    Retired {
        /// The branch; `None` for the root itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        branch: Option<AbsPath>,
    },
    /// The root's path or rules changed: what is known of it was taken anew, without conclusions.
    Rebased {
        /// What changed.
        why: String,
    },
}
