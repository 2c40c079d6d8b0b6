//! What is remembered of an instance over restarts, beside the titles that it listed.

use serde::{Deserialize, Serialize};

use super::sanity::Trust;
use super::shelf::Shelf;
use crate::domain::{About, Instance, Listed, ServiceFolder, Timestamp};

/// An instance as it was when its listing was last believed, and what is doubted since. This is its
/// stored form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// Who it said to be.
    pub about: About,
    /// Its configured folders.
    #[serde(default)]
    pub folders: Vec<ServiceFolder>,
    /// When the listing was begun.
    pub at: Timestamp,
    /// How it was reached and where its paths lay here: when that changes it is learned anew.
    pub basis: String,
    /// What is doubted of it.
    #[serde(default)]
    pub trust: Trust,
}

impl Known {
    /// The same with the titles.
    #[must_use]
    pub fn shelf(self, instance: Instance, titles: Vec<Listed>) -> Shelf {
        Shelf { instance, about: self.about, at: self.at, titles, folders: self.folders }
    }
}
