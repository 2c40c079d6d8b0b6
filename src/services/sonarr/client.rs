//! The questions to Sonarr.

use std::sync::Arc;

use super::wire::{EpisodeFile, Series};
use crate::domain::{About, Failure, Instance, Kind, Listed, Listing, Question, Said};
use crate::services::arr::{self, Activity, Flavour};
use crate::services::binding::{Bond, bond};
use crate::services::http::{Call, Http, Talk};
use crate::services::{Progress, homeless};

const FLAVOUR: Flavour = Flavour {
    application: "Sonarr",
    id: "seriesId",
    history: "api/v3/history/series",
    removal: "episodeFileDeleted",
};

/// A client of one Sonarr.
#[derive(Debug)]
pub(in super::super) struct Sonarr {
    http: Arc<Http>,
}

impl Sonarr {
    pub(in super::super) fn new(http: Arc<Http>) -> Self {
        Self { http }
    }

    pub(in super::super) fn instance(&self) -> &Instance {
        &self.http.instance
    }

    pub(in super::super) async fn about(&self) -> Result<About, Failure> {
        arr::about(&self.http.talk(), &FLAVOUR).await
    }

    /// One request, in which files are counted by season and not named.
    pub(in super::super) async fn list(&self, progress: Progress<'_>) -> Result<Listing, Failure> {
        let reading = arr::Reading::begin(&self.http, &FLAVOUR).await?;
        let talk = &reading.talk;
        let series: Vec<Series> = talk.get(Call::to("api/v3/series").bulk()).await?.json()?;
        // One without episodes may lack it; a listing without any of it counts nothing.
        if !series.is_empty() && series.iter().all(|series| series.statistics.is_none()) {
            return Err(strange(talk, "it does not say how many files any series has"));
        }
        let titles: Vec<Listed> = series.into_iter().map(Series::listed).collect();
        reading.end(titles, progress).await
    }

    /// First who has the number, then what is under way, then the series and its files: so a download
    /// that ends meanwhile is seen either on its way or arrived.
    pub(in super::super) async fn ask(&self, question: &Question) -> Result<Said, Failure> {
        let talk = self.http.talk();
        let before = arr::about(&talk, &FLAVOUR).await?;
        let mut said = Said {
            about: before.clone(),
            titles: Vec::new(),
            gone: Vec::new(),
            unsure: None,
            replacing: None,
            folders: Vec::new(),
        };
        let known = arr::known(&talk, question)?;
        let mut ids = known.clone();
        ids.extend(by_tvdb(&talk, question).await?);
        ids.sort_unstable();
        ids.dedup();
        let activity = Activity::read(&talk).await?;
        for id in &ids {
            let under_way = activity.on(&talk, &FLAVOUR, *id).await?;
            let Some(series) = series(&talk, *id).await? else {
                said.gone.extend(known.contains(id).then(|| id.to_string()));
                continue;
            };
            match bond(&question.ids, &series.ids()) {
                Bond::Other => {
                    said.gone.extend(known.contains(id).then(|| id.to_string()));
                    continue;
                }
                Bond::Same => {}
                Bond::CantTell => {
                    said.unsure =
                        Some(format!("no provider id ties the series {id} to this title"));
                }
            }
            let files = files(&talk, *id).await?;
            if said.replacing.is_none() {
                said.replacing = match under_way {
                    Some(under_way) => Some(under_way),
                    None => arr::upgraded(&talk, &FLAVOUR, *id, &question.lost).await?,
                };
            }
            said.titles.push(series.with_files(files));
        }
        if by_tvdb(&talk, question).await?.iter().any(|id| !ids.contains(id)) {
            return Err(arr::renumbered(&talk));
        }
        if question.kind != Kind::Series {
            said.unsure = Some("Sonarr knows series only".to_owned());
        } else if question.ids.tvdb.is_none() {
            let why = "there is no tvdb id by which Sonarr could be asked for it";
            said.unsure.get_or_insert_with(|| why.to_owned());
        }
        said.folders = arr::folders(&talk).await?;
        said.unsure = said.unsure.or_else(|| homeless(self.instance(), &said.folders));
        arr::unchanged(&talk, &before, &arr::about(&talk, &FLAVOUR).await?)?;
        Ok(said)
    }

    pub(in super::super) async fn refresh(&self, id: &str) -> Result<(), Failure> {
        let talk = self.http.talk();
        let id = arr::number(&talk, id)?;
        arr::command(&talk, "RescanSeries", "seriesId", serde_json::json!(id)).await
    }
}

/// The ids of the series that have the number of the question.
async fn by_tvdb(talk: &Talk, question: &Question) -> Result<Vec<u64>, Failure> {
    let Some(tvdb) = question.ids.tvdb.filter(|_| question.kind == Kind::Series) else {
        return Ok(Vec::new());
    };
    let call = Call::to("api/v3/series").with("tvdbId", &tvdb);
    let found: Vec<Series> = talk.get(call).await?.json()?;
    let is_it = |series: &&Series| series.tvdb_id == Some(tvdb);
    Ok(found.iter().filter(is_it).map(|series| series.id).collect())
}

async fn series(talk: &Talk, id: u64) -> Result<Option<Series>, Failure> {
    let series: Option<Series> = arr::one(talk, &format!("api/v3/series/{id}")).await?;
    match series {
        Some(series) if series.id != id => Err(strange(talk, "it answers with another series")),
        other => Ok(other),
    }
}

async fn files(talk: &Talk, id: u64) -> Result<Vec<EpisodeFile>, Failure> {
    let call = Call::to("api/v3/episodefile").with(FLAVOUR.id, &id).bulk();
    let files: Vec<EpisodeFile> = talk.get(call).await?.json()?;
    if files.iter().all(|file| file.series_id == id) {
        Ok(files)
    } else {
        Err(strange(talk, "it answers with files of another series"))
    }
}

fn strange(talk: &Talk, why: &str) -> Failure {
    Failure::Protocol { why: format!("{}: {why}", talk.http.place("api/v3/series")) }
}
