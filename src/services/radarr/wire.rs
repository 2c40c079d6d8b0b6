//! A film as Radarr writes it.

use serde::Deserialize;

use crate::domain::{Item, Kind, Listed, ProviderIds, ServiceFile, ServicePath};
use crate::services::arr::Statistics;
use crate::services::binding::{imdb, number, said, year};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Movie {
    pub(super) id: u64,
    title: String,
    #[serde(default)]
    year: Option<i64>,
    #[serde(default)]
    pub(super) tmdb_id: Option<u64>,
    #[serde(default)]
    imdb_id: Option<String>,
    #[serde(default)]
    path: Option<String>,
    #[serde(default)]
    root_folder_path: Option<String>,
    /// Whether it has a file is said in four ways; a film that says it in none is half an answer.
    #[serde(default)]
    has_file: Option<bool>,
    #[serde(default)]
    movie_file_id: Option<u64>,
    #[serde(default)]
    movie_file: Option<MovieFile>,
    #[serde(default)]
    statistics: Option<Statistics>,
}

#[derive(Debug, Deserialize)]
struct MovieFile {
    #[serde(default)]
    path: Option<String>,
}

impl Movie {
    pub(super) fn ids(&self) -> ProviderIds {
        ProviderIds { tmdb: number(self.tmdb_id), tvdb: None, imdb: imdb(self.imdb_id.as_deref()) }
    }

    /// Whether it says at all if it has a file.
    pub(super) fn is_whole(&self) -> bool {
        self.has_file.is_some() || self.movie_file_id.is_some()
    }

    /// The film in our words.
    pub(super) fn listed(self) -> Listed {
        let ids = self.ids();
        let path = self.movie_file.as_ref().and_then(|file| said(file.path.clone()));
        let counted = self.statistics.map_or(0, |statistics| statistics.files);
        let has_one = self.has_file == Some(true)
            || self.movie_file_id.unwrap_or_default() != 0
            || self.movie_file.is_some();
        let file = |path| ServiceFile {
            path: ServicePath(path),
            season: None,
            accessible: None,
            folder: None,
        };
        Listed {
            id: self.id.to_string(),
            item: Item { kind: Kind::Film, title: self.title, year: year(self.year), ids },
            anidb: None,
            folder: said(self.path).map(ServicePath),
            root_folder: said(self.root_folder_path).map(ServicePath),
            files: path.map(file).into_iter().collect(),
            file_count: counted.max(u32::from(has_one)),
            seasons: std::collections::BTreeMap::new(),
        }
    }
}
