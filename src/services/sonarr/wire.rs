//! A series as Sonarr writes it.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::domain::{Item, Kind, Listed, ProviderIds, ServiceFile, ServicePath};
use crate::services::arr::Statistics;
use crate::services::binding::{imdb, number, said, year};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Series {
    pub(super) id: u64,
    title: String,
    #[serde(default)]
    year: Option<i64>,
    #[serde(default)]
    pub(super) tvdb_id: Option<u64>,
    #[serde(default)]
    tmdb_id: Option<u64>,
    #[serde(default)]
    imdb_id: Option<String>,
    #[serde(default)]
    path: Option<String>,
    #[serde(default)]
    root_folder_path: Option<String>,
    #[serde(default)]
    seasons: Vec<Season>,
    #[serde(default)]
    pub(super) statistics: Option<Statistics>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Season {
    season_number: u32,
    #[serde(default)]
    statistics: Option<Statistics>,
}

/// A file of a series. One with several episodes is one file.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EpisodeFile {
    pub(super) series_id: u64,
    season_number: u32,
    path: String,
}

impl Series {
    pub(super) fn ids(&self) -> ProviderIds {
        ProviderIds {
            tmdb: number(self.tmdb_id),
            tvdb: number(self.tvdb_id),
            imdb: imdb(self.imdb_id.as_deref()),
        }
    }

    /// The series in our words, with as many files as it counts itself.
    pub(super) fn listed(self) -> Listed {
        let ids = self.ids();
        let seasons: BTreeMap<u32, u32> = self
            .seasons
            .into_iter()
            .filter_map(|season| Some((season.season_number, season.statistics?.files)))
            .collect();
        let by_season = seasons.values().copied().fold(0, u32::saturating_add);
        let counted = self.statistics.map_or(0, |statistics| statistics.files);
        Listed {
            id: self.id.to_string(),
            item: Item { kind: Kind::Series, title: self.title, year: year(self.year), ids },
            anidb: None,
            folder: said(self.path).map(ServicePath),
            root_folder: said(self.root_folder_path).map(ServicePath),
            files: Vec::new(),
            file_count: counted.max(by_season),
            seasons,
        }
    }

    /// The same with its files. Where Sonarr counts more than it names, it has more: a list that came
    /// short is not to be believed.
    pub(super) fn with_files(self, files: Vec<EpisodeFile>) -> Listed {
        let mut listed = self.listed();
        let mut named: BTreeMap<u32, u32> = BTreeMap::new();
        for file in &files {
            *named.entry(file.season_number).or_default() += 1;
        }
        for (season, named) in named {
            let count = listed.seasons.entry(season).or_default();
            *count = named.max(*count);
        }
        listed.file_count = u32::try_from(files.len()).unwrap_or(u32::MAX).max(listed.file_count);
        let file = |file: EpisodeFile| ServiceFile {
            path: ServicePath(file.path),
            season: Some(file.season_number),
            accessible: None,
            folder: None,
        };
        listed.files = files.into_iter().map(file).collect();
        listed
    }
}
