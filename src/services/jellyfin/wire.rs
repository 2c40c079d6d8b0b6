//! The JSON of Jellyfin.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::domain::{Item as Work, Kind, Listed, ProviderIds, ServiceFile, ServicePath};
use crate::services::binding::{by_name, said, year};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SystemInfo {
    pub(super) id: String,
    pub(super) version: String,
    pub(super) product_name: String,
    pub(super) startup_wizard_completed: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Task {
    #[serde(default)]
    pub(super) key: Option<String>,
    pub(super) state: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct User {
    pub(super) id: String,
    pub(super) policy: Policy,
}

/// What may hide items from a user.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Policy {
    pub(super) is_administrator: bool,
    #[serde(default)]
    is_disabled: bool,
    enable_all_folders: bool,
    #[serde(default)]
    max_parental_rating: Option<i64>,
    #[serde(default)]
    blocked_tags: Option<Vec<serde::de::IgnoredAny>>,
    #[serde(default)]
    allowed_tags: Option<Vec<serde::de::IgnoredAny>>,
    #[serde(default)]
    block_unrated_items: Option<Vec<serde::de::IgnoredAny>>,
    #[serde(default)]
    blocked_media_folders: Option<Vec<serde::de::IgnoredAny>>,
}

impl Policy {
    /// Whether nothing is hidden from an administrator with it.
    pub(super) fn sees_all(&self) -> bool {
        let none = |list: &Option<Vec<_>>| list.as_ref().is_none_or(Vec::is_empty);
        self.is_administrator
            && !self.is_disabled
            && self.enable_all_folders
            && self.max_parental_rating.is_none()
            && none(&self.blocked_tags)
            && none(&self.allowed_tags)
            && none(&self.block_unrated_items)
            && none(&self.blocked_media_folders)
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Library {
    #[serde(default)]
    pub(super) locations: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Page {
    pub(super) items: Vec<Item>,
    pub(super) total_record_count: u64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Item {
    pub(super) id: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(rename = "Type")]
    pub(super) of: String,
    #[serde(default)]
    path: Option<String>,
    #[serde(default)]
    location_type: Option<String>,
    #[serde(default)]
    production_year: Option<i64>,
    #[serde(default)]
    provider_ids: Option<BTreeMap<String, Option<String>>>,
    #[serde(default)]
    pub(super) series_id: Option<String>,
    #[serde(default)]
    parent_index_number: Option<u32>,
}

impl Item {
    pub(super) fn kind(&self) -> Option<Kind> {
        match self.of.as_str() {
            "Movie" => Some(Kind::Film),
            "Series" => Some(Kind::Series),
            _ => None,
        }
    }

    pub(super) fn ids(&self) -> ProviderIds {
        self.provider_ids.as_ref().map(by_name).unwrap_or_default()
    }

    fn real_path(&self) -> Option<String> {
        let is_virtual = self.location_type.as_deref() == Some("Virtual");
        said(self.path.clone()).filter(|_| !is_virtual)
    }

    /// The file of an episode.
    pub(super) fn file(&self) -> Option<ServiceFile> {
        Some(ServiceFile {
            path: ServicePath(self.real_path()?),
            season: self.parent_index_number,
            accessible: None,
            folder: None,
        })
    }

    /// The film or series in our words; episodes are added to a series by [`add`].
    pub(super) fn listed(&self) -> Option<Listed> {
        let kind = self.kind()?;
        let is_film = kind == Kind::Film;
        let ids = self.ids();
        let title = self.name.clone().unwrap_or_default();
        let mut listed = Listed {
            id: self.id.clone(),
            item: Work { kind, title, year: year(self.production_year), ids },
            anidb: None,
            folder: None,
            root_folder: None,
            files: Vec::new(),
            file_count: 0,
            seasons: BTreeMap::new(),
        };
        if is_film {
            listed.files.extend(self.file().map(|file| ServiceFile { season: None, ..file }));
            listed.file_count = u32::from(!listed.files.is_empty());
        } else {
            listed.folder = self.real_path().map(ServicePath);
        }
        Some(listed)
    }
}

/// Adds the file of an episode to its series.
pub(super) fn add(series: &mut Listed, file: ServiceFile) {
    if let Some(season) = file.season {
        *series.seasons.entry(season).or_default() += 1;
    }
    series.file_count = series.file_count.saturating_add(1);
    series.files.push(file);
}

/// An id as Jellyfin writes it: 32 digits. `None`: it is not one, and may not be asked for, since a
/// filter of ids that can't be read is no filter.
pub(super) fn guid(id: &str) -> Option<String> {
    let plain: String = id.chars().filter(|c| *c != '-').collect::<String>().to_ascii_lowercase();
    let is_one = plain.len() == 32
        && plain.bytes().all(|b| b.is_ascii_hexdigit())
        && plain.bytes().any(|b| b != b'0');
    is_one.then_some(plain)
}
