//! The JSON of Shoko, whose names differ between versions.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::domain::{Item, Kind, Listed, ProviderIds};
use crate::services::binding::{Bond, bond, imdb};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct InitStatus {
    pub(super) state: String,
    #[serde(default)]
    pub(super) startup_message: Option<String>,
    #[serde(default)]
    pub(super) database_blocked: Option<Blocked>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Blocked {
    pub(super) blocked: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Versions {
    pub(super) server: Version,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Version {
    pub(super) version: String,
}

/// Whose key it is. Series with restricted tags are hidden from a user.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct User {
    #[serde(default)]
    pub(super) is_admin: Option<bool>,
    #[serde(default)]
    pub(super) restricted_tags: Option<Vec<serde::de::IgnoredAny>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Page<T> {
    pub(super) total: u64,
    pub(super) list: Vec<T>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Series {
    #[serde(rename = "IDs")]
    pub(super) ids: Ids,
    #[serde(rename = "Name", default)]
    name: Option<String>,
    #[serde(rename = "Sizes", default)]
    sizes: Sizes,
}

/// How many episodes, of each sort, have a file on record.
#[derive(Debug, Clone, Default, Deserialize)]
struct Sizes {
    #[serde(rename = "Local", default)]
    local: BTreeMap<String, u64>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Ids {
    #[serde(rename = "ID")]
    pub(super) id: u64,
    #[serde(rename = "AniDB", default)]
    anidb: Option<u64>,
    #[serde(rename = "TvDB", default)]
    tvdb: Option<Vec<u64>>,
    /// Of films only.
    #[serde(rename = "IMDB", default)]
    imdb: Option<Vec<String>>,
    #[serde(rename = "TMDB", default)]
    tmdb: Option<Tmdb>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Tmdb {
    Split {
        #[serde(rename = "Movie", default)]
        movie: Vec<u64>,
        #[serde(rename = "Show", default)]
        show: Vec<u64>,
    },
    /// 4.2 does not say of what.
    Plain(Vec<u64>),
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct File {
    #[serde(rename = "ID")]
    pub(super) id: u64,
    #[serde(rename = "SeriesIDs", default)]
    pub(super) series: Option<Vec<SeriesRef>>,
    #[serde(rename = "Locations")]
    pub(super) locations: Vec<Location>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct SeriesRef {
    #[serde(rename = "SeriesID")]
    pub(super) series: SeriesId,
}

/// The AniDB series may be known and the Shoko series not be there.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct SeriesId {
    #[serde(rename = "ID", default)]
    pub(super) id: Option<u64>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Location {
    #[serde(rename = "ImportFolderID", alias = "ManagedFolderID")]
    pub(super) folder: u64,
    #[serde(rename = "RelativePath")]
    pub(super) relative: String,
    #[serde(rename = "AbsolutePath", default)]
    pub(super) absolute: Option<String>,
    #[serde(rename = "IsAccessible")]
    pub(super) accessible: bool,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Folder {
    #[serde(rename = "ID")]
    pub(super) id: u64,
    #[serde(rename = "Path", default)]
    pub(super) path: Option<String>,
}

impl Ids {
    fn films(&self) -> &[u64] {
        match &self.tmdb {
            Some(Tmdb::Split { movie, .. }) => movie,
            Some(Tmdb::Plain(ids)) if self.tvdb().is_empty() => ids,
            _ => &[],
        }
    }

    fn shows(&self) -> &[u64] {
        match &self.tmdb {
            Some(Tmdb::Split { show, .. }) => show,
            Some(Tmdb::Plain(ids)) if !self.tvdb().is_empty() => ids,
            _ => &[],
        }
    }

    fn tvdb(&self) -> &[u64] {
        self.tvdb.as_deref().unwrap_or_default()
    }

    fn imdbs(&self) -> Vec<String> {
        let ids = self.imdb.as_deref().unwrap_or_default();
        ids.iter().filter_map(|id| imdb(Some(id))).collect()
    }

    pub(super) fn anidb(&self) -> Option<u64> {
        self.anidb.filter(|id| *id != 0)
    }

    /// A film is a series with a film's number and no show's.
    pub(super) fn kind(&self) -> Kind {
        let is_film = !self.films().is_empty() && self.shows().is_empty();
        if is_film { Kind::Film } else { Kind::Series }
    }

    /// The ids of the title, where it is one: a series of several films or shows has none of its own.
    fn only(&self) -> ProviderIds {
        fn one<T: Clone>(ids: &[T]) -> Option<T> {
            if let [id] = ids { Some(id.clone()) } else { None }
        }
        match self.kind() {
            Kind::Film => {
                ProviderIds { tmdb: one(self.films()), tvdb: None, imdb: one(&self.imdbs()) }
            }
            Kind::Series => {
                ProviderIds { tmdb: one(self.shows()), tvdb: one(self.tvdb()), imdb: None }
            }
        }
    }

    /// Whether it is the title that is asked about, or a part of it, by any of its numbers.
    pub(super) fn bond(&self, kind: Kind, ids: &ProviderIds, anidb: &[u64]) -> Bond {
        if self.anidb().is_some_and(|id| anidb.contains(&id)) {
            return Bond::Same;
        }
        let tmdb = if kind == Kind::Film { self.films() } else { self.shows() };
        let none = ProviderIds::default;
        let mut each: Vec<ProviderIds> = Vec::new();
        each.extend(tmdb.iter().map(|id| ProviderIds { tmdb: Some(*id), ..none() }));
        if kind == Kind::Film {
            each.extend(
                self.imdbs().into_iter().map(|id| ProviderIds { imdb: Some(id), ..none() }),
            );
        } else {
            each.extend(self.tvdb().iter().map(|id| ProviderIds { tvdb: Some(*id), ..none() }));
        }
        let bonds: Vec<Bond> = each.iter().map(|own| bond(ids, own)).collect();
        let is_other = bonds.contains(&Bond::Other)
            || (!anidb.is_empty() && self.anidb().is_some() && bonds.is_empty());
        match bonds.contains(&Bond::Same) {
            true => Bond::Same,
            false if is_other => Bond::Other,
            false => Bond::CantTell,
        }
    }
}

impl Series {
    /// How many of its episodes have a file on record.
    pub(super) fn counted(&self) -> u64 {
        self.sizes.local.values().copied().fold(0, u64::saturating_add)
    }

    /// The series in our words, without files.
    pub(super) fn listed(&self) -> Listed {
        let title = self.name.clone().unwrap_or_default();
        Listed {
            id: self.ids.id.to_string(),
            item: Item { kind: self.ids.kind(), title, year: None, ids: self.ids.only() },
            anidb: self.ids.anidb(),
            folder: None,
            root_folder: None,
            files: Vec::new(),
            file_count: 0,
            seasons: BTreeMap::new(),
        }
    }
}
