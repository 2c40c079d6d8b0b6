//! Series, episodes, files and folders as each version of Shoko writes them.

use serde_json::{Value, json};

use super::Version;
use super::database::{Database, Location, Series, Video};
use crate::answer::Query;
use crate::misbehaviour::Mood;
use crate::world::SIZE;

/// What a query wants to be told beside the rest.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Include {
    pub(super) references: bool,
    pub(super) absolute_paths: bool,
    pub(super) ignored: bool,
}

impl Include {
    pub(super) fn of(query: &Query, version: Version) -> Self {
        if version == Version::V4_2 {
            return Self { references: query.is("includeXRefs"), ..Self::default() };
        }
        let many = query.many("include");
        let has = |name: &str| many.iter().any(|value| value.eq_ignore_ascii_case(name));
        Self {
            references: has("XRefs"),
            absolute_paths: has("AbsolutePaths"),
            ignored: has("Ignored"),
        }
    }
}

/// Writes values of one database as one version and mood show them.
pub(super) struct Writer<'a> {
    pub(super) version: Version,
    pub(super) database: &'a Database,
    pub(super) mood: &'a Mood,
}

impl Writer<'_> {
    pub(super) fn series_id(&self, id: u32) -> u32 {
        self.mood.shown(id, self.database.last_series)
    }

    pub(super) fn video_id(&self, id: u32) -> u32 {
        self.mood.shown(id, self.database.last_video)
    }

    pub(super) fn series(&self, series: &Series) -> Value {
        let title = &series.title;
        let id = self.series_id(series.id);
        let files = self.database.videos_of(series.id).count();
        let kinds = |episodes: usize| json!({"Unknown": 0, "Episodes": episodes, "Specials": 0, "Credits": 0, "Trailers": 0, "Parodies": 0, "Others": 0});
        let total = title.files.len();
        let mut ids = json!({
            "ParentGroup": id,
            "TopLevelGroup": id,
            "AniDB": title.anidb,
            "TvDB": title.tvdb.into_iter().collect::<Vec<u32>>(),
            "MAL": [],
            "ID": id,
        });
        if self.version == Version::V4_2 {
            ids["TMDB"] = json!([title.tmdb]);
        } else {
            ids["IMDB"] = json!([]);
            ids["TMDB"] = json!({"Movie": [], "Show": [title.tmdb]});
        }
        let mut sizes = json!({
            "Hidden": 0,
            "FileSources": {
                "Unknown": 0, "Other": 0, "TV": 0, "DVD": 0, "BluRay": files, "Web": 0, "VHS": 0,
                "VCD": 0, "LaserDisc": 0, "Camera": 0,
            },
            "Local": kinds(files),
            "Watched": kinds(0),
            "Missing": {"Episodes": total - files.min(total), "Specials": 0},
            "Total": kinds(total),
        });
        if self.version == Version::V6 {
            sizes["ManualLinks"] = json!(0);
        }
        json!({
            "IDs": ids,
            "HasCustomName": false,
            "Description": "What happens in it.",
            "UserRating": null,
            "AirsOn": [],
            "YearlySeasons": [],
            "Links": [],
            "Sizes": sizes,
            "Created": "2025-06-01T09:59:00Z",
            "Updated": "2026-01-01T00:00:00Z",
            "Name": title.name,
            "Size": total,
        })
    }

    pub(super) fn episode(&self, series: &Series, number: u16, with_files: bool) -> Value {
        let video = self.database.videos_of(series.id).find(|video| video.file.episode == number);
        let mut episode = json!({
            "IDs": {
                "ID": self.episode_id(series.id, number),
                "ParentSeries": self.series_id(series.id),
                "AniDB": anidb_episode(series, number),
            },
            "HasCustomName": false,
            "Name": format!("Episode {number}"),
            "Duration": "00:24:00",
            "ResumePosition": null,
            "Watched": null,
            "WatchCount": 0,
            "IsHidden": false,
            "Size": usize::from(video.is_some()),
        });
        if with_files {
            let include = Include { references: false, absolute_paths: false, ignored: true };
            let files: Vec<Value> =
                video.into_iter().map(|video| self.file(video, include)).collect();
            episode["Files"] = json!(files);
        }
        episode
    }

    fn episode_id(&self, series: u32, number: u16) -> u32 {
        self.series_id(series) * 100 + u32::from(number)
    }

    pub(super) fn file(&self, video: &Video, include: Include) -> Value {
        let hash = format!("{:032X}", u128::from(video.id) * 0x0123_4567_89AB_CDEF_0011_2233);
        let hashes = if self.version == Version::V6 {
            json!([{"Type": "ED2K", "Value": hash, "Metadata": null}])
        } else {
            json!({"ED2K": hash, "SHA1": null, "CRC32": format!("{:08X}", video.id), "MD5": null})
        };
        let locations: Vec<Value> = video
            .locations
            .iter()
            .map(|at| self.location(video, at, include.absolute_paths))
            .collect();
        let mut file = json!({
            "ID": self.video_id(video.id),
            "Size": SIZE,
            "IsVariation": false,
            "IsIgnored": video.ignored,
            "Hashes": hashes,
            "Locations": locations,
            "Resolution": "1080p",
            "Duration": "00:24:01.5000000",
            "ResumePosition": null,
            "Viewed": null,
            "Watched": null,
            "Imported": "2025-06-01T10:00:00Z",
            "Created": "2025-06-01T09:59:00Z",
            "Updated": "2025-06-01T09:59:30Z",
        });
        if include.references {
            let series = self.database.one(video.series);
            file["SeriesIDs"] =
                json!(series.map(|series| self.reference(series, video, &hash)).as_slice());
        }
        file
    }

    fn reference(&self, series: &Series, video: &Video, hash: &str) -> Value {
        let id = self.series_id(series.id);
        let number = video.file.episode;
        let (episode, anidb) = (self.episode_id(series.id, number), anidb_episode(series, number));
        if self.version == Version::V4_2 {
            let tvdb = series.title.tvdb.as_slice();
            return json!({
                "SeriesID": {"ID": id, "AniDB": series.title.anidb, "TvDB": tvdb},
                "EpisodeIDs": [{"ID": episode, "AniDB": anidb, "TvDB": []}],
            });
        }
        let show = [series.title.tmdb];
        json!({
            "SeriesID": {"ID": id, "AniDB": series.title.anidb, "TMDB": {"Movie": [], "Show": show}},
            "EpisodeIDs": [{
                "ID": episode,
                "AniDB": anidb,
                "TMDB": {"Episode": [], "Movie": [], "Show": show},
                "ReleaseGroup": 7091,
                "ED2K": hash,
                "FileSize": SIZE,
                "Percentage": {"Start": 0, "End": 100, "Size": 100, "Group": 1},
                "Source": "AniDB",
            }],
        })
    }

    pub(super) fn location(&self, video: &Video, at: &Location, absolute: bool) -> Value {
        let relative = self.database.folder.relative(&at.path);
        let accessible = self.database.is_accessible(at);
        if self.version == Version::V4_2 {
            return json!({"ImportFolderID": 1, "RelativePath": relative, "IsAccessible": accessible});
        }
        let mut location = json!({
            "ID": at.id,
            "FileID": self.video_id(video.id),
            "RelativePath": relative,
            "IsAccessible": accessible,
        });
        location[self.version.folder_key()] = json!(1);
        if absolute {
            location["AbsolutePath"] = json!(self.database.folder.shown(&at.path));
        }
        location
    }

    pub(super) fn folder(&self) -> Value {
        let size = SIZE * self.database.videos.len() as u64;
        json!({
            "ID": 1,
            "WatchForNewFiles": true,
            "DropFolderType": "Destination",
            "Path": self.database.folder.configured(),
            "FileSize": size,
            "Name": "Anime",
            "Size": self.database.series.len(),
        })
    }
}

fn anidb_episode(series: &Series, number: u16) -> u32 {
    series.title.anidb.unwrap_or_default() * 100 + u32::from(number)
}
