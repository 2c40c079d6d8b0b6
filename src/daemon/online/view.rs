//! What asking the services came to, for people and for programs.

use serde::Serialize;

use crate::config::ServiceSettings;
use crate::domain::{About, Failure};

/// How it is with an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Nothing is to be done.
    Well,
    /// It could not be told: it did not answer, or a disk did not.
    CouldNotTell,
    /// Something has to be put right.
    ToFix,
}

/// Something that is not as it should be, with the way out.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// What is wrong, as a key of the configuration.
    pub key: Option<String>,
    /// Whether it has to be put right, or only could not be told.
    pub outcome: Outcome,
    /// In words.
    pub says: String,
    /// The line that would be right.
    pub write: Option<String>,
    /// The table that it belongs in.
    pub table: Option<String>,
}

/// A folder in which an instance keeps titles.
#[derive(Debug, Clone, Serialize)]
pub struct FolderView {
    /// As the instance names it.
    pub path: String,
    /// Where it lies here, if anything says so.
    pub here: Option<String>,
    /// The root in which that lies.
    pub root: Option<String>,
    /// The pair that says so; none where it is taken as it is.
    pub key: Option<String>,
    /// How many paths the instance names in it.
    pub paths: u64,
    /// How many of them lie in a root.
    pub mapped: u64,
    /// How many of those are there.
    pub found: u64,
    /// Whether they are enough for the folder to be believed.
    pub fits: bool,
}

/// An instance.
#[derive(Debug, Clone, Serialize)]
pub struct ServiceView {
    /// Which: `radarr.hd`.
    pub name: String,
    /// Where it was asked.
    pub url: String,
    /// How it is.
    pub outcome: Outcome,
    /// Whether anything answered there.
    pub reached: bool,
    /// Whether it accepts the key, where that was told.
    pub key_accepted: Option<bool>,
    /// Which program it is.
    pub application: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// How many titles it lists.
    pub titles: Option<u64>,
    /// The folders in which it keeps them.
    pub folders: Vec<FolderView>,
    /// The roots in which paths of it were found.
    pub roots: Vec<String>,
    /// What is not as it should be.
    pub findings: Vec<Finding>,
}

impl ServiceView {
    pub(super) fn new(service: &ServiceSettings) -> Self {
        Self {
            name: service.instance.to_string(),
            url: service.url.clone(),
            outcome: Outcome::Well,
            reached: false,
            key_accepted: None,
            application: None,
            version: None,
            titles: None,
            folders: Vec::new(),
            roots: Vec::new(),
            findings: Vec::new(),
        }
    }

    pub(super) fn answered(&mut self, about: &About) {
        self.reached = true;
        self.key_accepted = Some(true);
        self.application = Some(about.application.clone());
        self.version = Some(about.version.clone());
    }

    /// It could not be asked. An address or a key that is wrong has to be put right; what may pass by
    /// itself was only not told.
    pub(super) fn failed(&mut self, failure: &Failure) {
        let name = self.name.clone();
        let (outcome, key) = match failure {
            Failure::Transient { .. } => (Outcome::CouldNotTell, None),
            Failure::Unauthorized { .. } => {
                (self.reached, self.key_accepted) = (true, Some(false));
                (Outcome::ToFix, Some(format!("{name}.api_key")))
            }
            // It said who it is: then this is no mistake of the address.
            Failure::Protocol { .. } if self.key_accepted == Some(true) => {
                (Outcome::CouldNotTell, None)
            }
            Failure::Permanent { .. } | Failure::Protocol { .. } => {
                self.reached = true;
                (Outcome::ToFix, Some(format!("{name}.url")))
            }
        };
        let says = failure.to_string();
        self.found(Finding { key, outcome, says, write: None, table: None });
    }

    pub(super) fn found(&mut self, finding: Finding) {
        self.outcome = self.outcome.max(finding.outcome);
        self.findings.push(finding);
    }

    /// Something that could not be told.
    pub(super) fn untold(&mut self, says: String) {
        let outcome = Outcome::CouldNotTell;
        self.found(Finding { key: None, outcome, says, write: None, table: None });
    }
}

/// A root, and who lists what lies in it.
#[derive(Debug, Clone, Serialize)]
pub struct RootView {
    /// Its name.
    pub name: String,
    /// Where it lies.
    pub path: String,
    /// The instances of which paths were found in it.
    pub services: Vec<String>,
}

/// All of it.
#[derive(Debug, Clone, Serialize)]
pub struct Online {
    /// Each configured instance.
    pub services: Vec<ServiceView>,
    /// Each root.
    pub roots: Vec<RootView>,
}

impl Online {
    /// The worst of all: what has to be put right, before what could not be told.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.services.iter().map(|service| service.outcome).max().unwrap_or(Outcome::Well)
    }
}
