//! What is said of a full look, while it lasts and when it is over.

use serde::{Deserialize, Serialize};

use super::protocol::CandidateView;
use crate::domain::Item;

/// How far a full look is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CheckProgress {
    /// One for each root and each service.
    pub steps: Vec<CheckStep>,
}

/// One root or one service in a full look.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CheckStep {
    /// `root movies`, `radarr.uhd`.
    pub what: String,
    /// How much a service has listed so far: while it lasts what it counts in, at the end titles.
    pub done: u64,
    /// Of how many, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<u64>,
    /// Whether it is over.
    pub finished: bool,
}

/// One line of `POST /v1/check` where lines are wanted: progress, then one of the others as the last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckLine {
    /// How far it is.
    Progress(CheckProgress),
    /// What it came to.
    Result(Box<CheckView>),
    /// Why it came to nothing.
    Error(String),
}

/// `POST /v1/check`: what a full look at all roots came to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CheckView {
    /// How many directories were looked at.
    pub directories: u64,
    /// How many media files are there.
    pub files: u64,
    /// What is missing now: under review or held.
    pub missing: Vec<CandidateView>,
    /// What could not be looked at, and why. When this is not empty, `missing` may lack something.
    pub could_not_tell: Vec<String>,
    /// What services list with a file that is not there and was never seen there.
    pub found_missing: Vec<FoundView>,
    /// What services list with a file at a place that can't be seen from here.
    pub unmatched: Vec<FoundView>,
}

/// A title that a service lists where no file of it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundView {
    /// The title.
    pub item: Item,
    /// The service.
    pub service: String,
    /// Where the service has it.
    pub place: String,
}
