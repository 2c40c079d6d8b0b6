//! The questions to Jellyfin.

use std::collections::HashMap;
use std::sync::Arc;

use super::listing::{self, Items};
use super::state::{self, State};
use super::wire::{Item, Library, add, guid};
use crate::domain::{
    About, Failure, Instance, Kind, Listed, Listing, Question, Said, ServiceFolder, ServicePath,
};
use crate::services::binding::{Bond, bond};
use crate::services::http::{Call, Http, Talk};
use crate::services::shared::Shared;
use crate::services::{Progress, homeless};

/// A client of one Jellyfin.
#[derive(Debug)]
pub(in super::super) struct Jellyfin {
    http: Arc<Http>,
    films: Shared<Vec<Item>>,
    series: Shared<Vec<Item>>,
}

impl Jellyfin {
    pub(in super::super) fn new(http: Arc<Http>) -> Self {
        Self { http, films: Shared::default(), series: Shared::default() }
    }

    pub(in super::super) fn instance(&self) -> &Instance {
        &self.http.instance
    }

    pub(in super::super) async fn about(&self) -> Result<About, Failure> {
        let talk = self.http.talk();
        Ok(state::read(&talk).await?.about)
    }

    pub(in super::super) async fn list(&self, progress: Progress<'_>) -> Result<Listing, Failure> {
        let begun = self.http.now();
        let talk = self.http.talk();
        let before = state::read(&talk).await?;
        let came = |items: &Items, total| {
            progress(u64::try_from(items.items.len()).unwrap_or(u64::MAX), Some(total));
        };
        let found = listing::all(&talk, &before, "Movie,Series,Episode", None, &came).await?;
        let titles = fold(&found.items);
        let folders = folders(&talk).await?;
        let after = state::read_again(&talk, &before).await?;
        // What was listed for questions is older than this.
        self.films.forget();
        self.series.forget();
        let moving = before.unsure.or(found.moving).or(after);
        Ok(Listing { about: before.about, titles, folders, moving, requests: talk.count(), begun })
    }

    pub(in super::super) async fn ask(&self, question: &Question) -> Result<Said, Failure> {
        let talk = self.http.talk();
        let before = state::read(&talk).await?;
        let mut unsure = before.unsure.clone();
        let mut gone = Vec::new();
        let mut found: Vec<Item> = Vec::new();
        let mut known = Vec::new();
        for id in &question.known {
            match guid(id) {
                Some(plain) => known.push((id, plain)),
                None => unsure = Some(format!("Jellyfin has no ids like {id:?}")),
            }
        }
        let plain: Vec<String> = known.iter().map(|(_, plain)| plain.clone()).collect();
        let there = listing::by_id(&talk, &before, &plain).await?;
        for (id, plain) in known {
            let item = there.iter().find(|item| guid(&item.id).as_ref() == Some(&plain));
            let of_kind = item.filter(|item| item.kind() == Some(question.kind));
            match of_kind.map(|item| (item, bond(&question.ids, &item.ids()))) {
                None | Some((_, Bond::Other)) => gone.push(id.clone()),
                Some((item, Bond::Same)) => found.push(item.clone()),
                Some((item, Bond::CantTell)) => {
                    unsure = Some(format!("no provider id ties the item {id} to this title"));
                    found.push(item.clone());
                }
            }
        }
        if question.ids.is_empty() {
            let why = "there is no provider id by which Jellyfin could be searched for it";
            unsure.get_or_insert_with(|| why.to_owned());
        } else if before.unsure.is_none() {
            let why = self.search(&before, question, &mut found).await?;
            unsure = unsure.or(why);
        }
        let mut titles: Vec<Listed> = found.iter().filter_map(Item::listed).collect();
        if question.kind == Kind::Series {
            let why = episodes(&talk, &before, &mut titles).await?;
            unsure = unsure.or(why);
        }
        let folders = folders(&talk).await?;
        unsure = unsure.or_else(|| homeless(self.instance(), &folders));
        unsure = unsure.or(state::read_again(&talk, &before).await?);
        Ok(Said { about: before.about, titles, gone, unsure, replacing: None, folders })
    }

    /// Searches a listing for others with the same provider ids, since none can be asked for.
    async fn search(
        &self,
        state: &State,
        question: &Question,
        found: &mut Vec<Item>,
    ) -> Result<Option<String>, Failure> {
        let (shared, types) = match question.kind {
            Kind::Film => (&self.films, "Movie"),
            Kind::Series => (&self.series, "Series"),
        };
        let (talk, state) = (self.http.talk(), state.clone());
        let read = async move {
            let listed = listing::all(&talk, &state, types, None, &|_, _| ()).await?;
            let after = state::read_again(&talk, &state).await?;
            Ok((listed.items, listed.moving.or(after)))
        };
        let listed = shared.since(question.not_before, || self.http.now(), read).await?;
        for item in &listed.value {
            let is_new = !found.iter().any(|other| guid(&other.id) == guid(&item.id));
            if is_new && bond(&question.ids, &item.ids()) == Bond::Same {
                found.push(item.clone());
            }
        }
        let early = "its listing was begun too early; was the clock set back?";
        let is_early = listed.begun < question.not_before;
        Ok(listed.moving.clone().or_else(|| is_early.then(|| early.to_owned())))
    }
}

/// Adds the episodes of each series. A parent that is gone would be the whole library, so each episode
/// has to say that it is of one of these series; Jellyfin shows series with the same ids as one.
async fn episodes(
    talk: &Talk,
    state: &State,
    titles: &mut [Listed],
) -> Result<Option<String>, Failure> {
    let ids: Vec<Option<String>> = titles.iter().map(|title| guid(&title.id)).collect();
    let mut unsure = None;
    for (title, own) in titles.iter_mut().zip(&ids) {
        let id = title.id.clone();
        let found = listing::all(talk, state, "Episode", Some(&id), &|_, _| ()).await?;
        unsure = unsure.or(found.moving);
        for episode in &found.items {
            let of = episode.series_id.as_deref().and_then(guid);
            if of.is_none() || !ids.contains(&of) {
                let why = format!("has episodes of other series below {id}");
                let place = talk.http.place("Items");
                return Err(Failure::Protocol { why: format!("{place} {why}") });
            }
            if let Some(file) = episode.file().filter(|_| of == *own) {
                add(title, file);
            }
        }
    }
    Ok(unsure)
}

/// Films, and series with their episodes. An episode whose series is not listed is of no title.
fn fold(items: &[Item]) -> Vec<Listed> {
    let mut titles: Vec<Listed> = items.iter().filter_map(Item::listed).collect();
    let places: HashMap<Option<String>, usize> =
        titles.iter().enumerate().map(|(n, title)| (guid(&title.id), n)).collect();
    for episode in items.iter().filter(|item| item.kind().is_none()) {
        let place = episode.series_id.as_deref().and_then(guid).map(Some);
        let series = place.and_then(|id| places.get(&id)).and_then(|n| titles.get_mut(*n));
        if let (Some(series), Some(file)) = (series, episode.file()) {
            add(series, file);
        }
    }
    titles
}

/// The folders of its libraries. It does not say whether it can see them.
async fn folders(talk: &Talk) -> Result<Vec<ServiceFolder>, Failure> {
    let libraries: Vec<Library> = talk.get(Call::to("Library/VirtualFolders")).await?.json()?;
    let paths = libraries.into_iter().flat_map(|library| library.locations.unwrap_or_default());
    let folder =
        |path| ServiceFolder { id: None, path: ServicePath(path), accessible: None, free: None };
    Ok(paths.map(folder).collect())
}
