//! What Radarr and Sonarr have in common: who they are, what they say they don't have, what they are
//! about to replace.
//!
//! Must never take a 404 for a statement unless the application signed it.

mod activity;
mod wire;

use std::sync::Arc;

use serde::de::DeserializeOwned;

pub(super) use activity::{Activity, upgraded};
pub(super) use wire::Statistics;

use super::Progress;
use super::http::{Call, Http, Talk};
use crate::domain::{
    About, Failure, Listed, Listing, Question, ServiceFolder, ServicePath, Timestamp,
};
use wire::{RootFolder, Status};

/// The words in which the two differ.
#[derive(Debug)]
pub(super) struct Flavour {
    /// Its name by its own word.
    pub(super) application: &'static str,
    /// The parameter that names a title.
    pub(super) id: &'static str,
    /// Where the history of a title is.
    pub(super) history: &'static str,
    /// What a deleted file is called there.
    pub(super) removal: &'static str,
}

/// Who it is. Answers only when the key is accepted and the application is up.
pub(super) async fn about(talk: &Talk, flavour: &Flavour) -> Result<About, Failure> {
    let reply = talk.get(Call::to("api/v3/system/status")).await?;
    let status: Status = reply.json()?;
    if status.app_name != flavour.application {
        let why = format!("is {}, not {}; check `url`", status.app_name, flavour.application);
        return Err(reply.strange(&why));
    }
    Ok(About {
        application: status.app_name,
        name: status.instance_name,
        version: status.version,
        started: status.start_time,
    })
}

/// Refuses what was said if it isn't from one run of one instance.
pub(super) fn unchanged(talk: &Talk, before: &About, after: &About) -> Result<(), Failure> {
    if before == after {
        return Ok(());
    }
    let why = format!("{} was restarted or exchanged while it was asked", talk.http.instance);
    Err(Failure::Transient { why, retry_after: None })
}

/// A listing while it is read: it counts only if one run of one instance has said all of it.
pub(super) struct Reading {
    pub(super) talk: Talk,
    flavour: &'static Flavour,
    before: About,
    begun: Timestamp,
}

impl Reading {
    pub(super) async fn begin(
        http: &Arc<Http>,
        flavour: &'static Flavour,
    ) -> Result<Self, Failure> {
        let (begun, talk) = (http.now(), http.talk());
        let before = about(&talk, flavour).await?;
        Ok(Self { talk, flavour, before, begun })
    }

    pub(super) async fn end(
        self,
        titles: Vec<Listed>,
        progress: Progress<'_>,
    ) -> Result<Listing, Failure> {
        let Self { talk, flavour, before, begun } = self;
        let count = u64::try_from(titles.len()).unwrap_or(u64::MAX);
        progress(count, Some(count));
        let folders = folders(&talk).await?;
        let about = about(&talk, flavour).await?;
        unchanged(&talk, &before, &about)?;
        Ok(Listing { about, titles, folders, moving: None, requests: talk.count(), begun })
    }
}

/// One thing by its path; `None`: the application itself says that it doesn't have it.
pub(super) async fn one<T: DeserializeOwned>(
    talk: &Talk,
    path: &str,
) -> Result<Option<T>, Failure> {
    let reply = talk.get(Call::to(path)).await?;
    if reply.status.as_u16() != 404 {
        return reply.json().map(Some);
    }
    if reply.signed && reply.is_object() {
        return Ok(None);
    }
    Err(reply.strange("says that it is not there, but not in the words of that program"))
}

/// Its root folders.
pub(super) async fn folders(talk: &Talk) -> Result<Vec<ServiceFolder>, Failure> {
    let folders: Vec<RootFolder> = talk.get(Call::to("api/v3/rootfolder")).await?.json()?;
    let folder = |folder: RootFolder| ServiceFolder {
        id: None,
        path: ServicePath(folder.path),
        accessible: Some(folder.accessible),
        free: folder.free_space.and_then(|free| u64::try_from(free).ok()),
    };
    Ok(folders.into_iter().map(folder).collect())
}

/// Sends a command.
pub(super) async fn command(
    talk: &Talk,
    name: &str,
    field: &str,
    value: serde_json::Value,
) -> Result<(), Failure> {
    let body = serde_json::json!({ "name": name, field: value });
    let reply = talk.post(Call::to("api/v3/command").saying(body)).await?;
    reply.json::<wire::Command>().map(|_| ())
}

/// The ids under which the instance listed the title before, as numbers.
pub(super) fn known(talk: &Talk, question: &Question) -> Result<Vec<u64>, Failure> {
    question.known.iter().map(|id| number(talk, id)).collect()
}

/// An id, which is a number in both.
pub(super) fn number(talk: &Talk, id: &str) -> Result<u64, Failure> {
    id.parse().ok().filter(|id| *id != 0).ok_or_else(|| Failure::Permanent {
        why: format!("{} has no ids like {id:?}", talk.http.instance),
    })
}

/// A title turned up under an id that it did not have a moment ago.
pub(super) fn renumbered(talk: &Talk) -> Failure {
    let why = format!("{} added the title again while it was asked", talk.http.instance);
    Failure::Transient { why, retry_after: None }
}
