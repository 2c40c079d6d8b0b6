//! The questions to Radarr.

use std::sync::Arc;

use super::wire::Movie;
use crate::domain::{About, Failure, Instance, Kind, Listed, Listing, Question, Said};
use crate::services::arr::{self, Activity, Flavour};
use crate::services::binding::{Bond, bond};
use crate::services::http::{Call, Http, Talk};
use crate::services::{Progress, homeless};

const FLAVOUR: Flavour = Flavour {
    application: "Radarr",
    id: "movieId",
    history: "api/v3/history/movie",
    removal: "movieFileDeleted",
};

/// A client of one Radarr.
#[derive(Debug)]
pub(in super::super) struct Radarr {
    http: Arc<Http>,
}

impl Radarr {
    pub(in super::super) fn new(http: Arc<Http>) -> Self {
        Self { http }
    }

    pub(in super::super) fn instance(&self) -> &Instance {
        &self.http.instance
    }

    pub(in super::super) async fn about(&self) -> Result<About, Failure> {
        arr::about(&self.http.talk(), &FLAVOUR).await
    }

    pub(in super::super) async fn list(&self, progress: Progress<'_>) -> Result<Listing, Failure> {
        let reading = arr::Reading::begin(&self.http, &FLAVOUR).await?;
        let talk = &reading.talk;
        let call = Call::to("api/v3/movie").with("excludeLocalCovers", &true).bulk();
        let movies = movies(talk, call).await?;
        let titles: Vec<Listed> = movies.into_iter().map(Movie::listed).collect();
        reading.end(titles, progress).await
    }

    /// First who has the number, then what is under way, then the film itself: so a download that ends
    /// meanwhile is seen either on its way or arrived.
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
        ids.extend(by_tmdb(&talk, question).await?);
        ids.sort_unstable();
        ids.dedup();
        let activity = Activity::read(&talk).await?;
        for id in &ids {
            let under_way = activity.on(&talk, &FLAVOUR, *id).await?;
            let Some(movie) = movie(&talk, *id).await? else {
                said.gone.extend(known.contains(id).then(|| id.to_string()));
                continue;
            };
            match bond(&question.ids, &movie.ids()) {
                Bond::Other => {
                    said.gone.extend(known.contains(id).then(|| id.to_string()));
                    continue;
                }
                Bond::Same => {}
                Bond::CantTell => {
                    said.unsure = Some(format!("no provider id ties the film {id} to this title"));
                }
            }
            if said.replacing.is_none() {
                said.replacing = match under_way {
                    Some(under_way) => Some(under_way),
                    None => arr::upgraded(&talk, &FLAVOUR, *id, &question.lost).await?,
                };
            }
            said.titles.push(movie.listed());
        }
        if by_tmdb(&talk, question).await?.iter().any(|id| !ids.contains(id)) {
            return Err(arr::renumbered(&talk));
        }
        if question.kind != Kind::Film {
            said.unsure = Some("Radarr knows films only".to_owned());
        } else if question.ids.tmdb.is_none() {
            let why = "there is no tmdb id by which Radarr could be asked for it";
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
        arr::command(&talk, "RefreshMovie", "movieIds", serde_json::json!([id])).await
    }
}

/// The ids of the films that have the number of the question.
async fn by_tmdb(talk: &Talk, question: &Question) -> Result<Vec<u64>, Failure> {
    let Some(tmdb) = question.ids.tmdb.filter(|_| question.kind == Kind::Film) else {
        return Ok(Vec::new());
    };
    let call = Call::to("api/v3/movie").with("tmdbId", &tmdb).with("excludeLocalCovers", &true);
    let found = movies(talk, call).await?;
    let is_it = |movie: &&Movie| movie.tmdb_id == Some(tmdb);
    Ok(found.iter().filter(is_it).map(|movie| movie.id).collect())
}

async fn movie(talk: &Talk, id: u64) -> Result<Option<Movie>, Failure> {
    let movie: Option<Movie> = arr::one(talk, &format!("api/v3/movie/{id}")).await?;
    match movie {
        Some(movie) if movie.id != id => Err(strange(talk, "it answers with another film")),
        Some(movie) if !movie.is_whole() => Err(half(talk)),
        other => Ok(other),
    }
}

async fn movies(talk: &Talk, call: Call<'_>) -> Result<Vec<Movie>, Failure> {
    let movies: Vec<Movie> = talk.get(call).await?.json()?;
    if movies.iter().all(Movie::is_whole) { Ok(movies) } else { Err(half(talk)) }
}

fn half(talk: &Talk) -> Failure {
    strange(talk, "it does not say whether a film has a file")
}

fn strange(talk: &Talk, why: &str) -> Failure {
    Failure::Protocol { why: format!("{}: {why}", talk.http.place("api/v3/movie")) }
}
