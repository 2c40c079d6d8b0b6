//! The questions to Shoko.

use std::collections::HashMap;
use std::sync::Arc;

use super::state::{self, State};
use super::wire::{Ids, Series};
use super::{files, pages};
use crate::domain::{About, Failure, Instance, Listed, Listing, Question, Said};
use crate::services::binding::Bond;
use crate::services::http::{Call, Http, Talk};
use crate::services::shared::Shared;
use crate::services::{Progress, homeless};

/// How Shoko itself says that it doesn't have a series.
const NO_SERIES: &str = "No Series entry for the given seriesID";

/// A client of one Shoko.
#[derive(Debug)]
pub(in super::super) struct Shoko {
    http: Arc<Http>,
    series: Shared<Vec<Series>>,
}

/// What came of asking for a series.
enum Found {
    One(Box<Series>),
    None,
    Hidden,
}

impl Shoko {
    pub(in super::super) fn new(http: Arc<Http>) -> Self {
        Self { http, series: Shared::default() }
    }

    pub(in super::super) fn instance(&self) -> &Instance {
        &self.http.instance
    }

    pub(in super::super) async fn about(&self) -> Result<About, Failure> {
        Ok(state::read(&self.http.talk()).await?.about)
    }

    /// Series first, then all files, which are folded into them.
    pub(in super::super) async fn list(&self, progress: Progress<'_>) -> Result<Listing, Failure> {
        let begun = self.http.now();
        let talk = self.http.talk();
        let before = state::read(&talk).await?;
        let series = pages::series(&talk, &|done, total| progress(done, Some(total))).await?;
        let folders = pages::folders(&talk, before.dialect).await?;
        let mut titles: Vec<Listed> = series.found.iter().map(Series::listed).collect();
        let places: HashMap<u64, usize> =
            series.found.iter().enumerate().map(|(n, series)| (series.ids.id, n)).collect();
        let first = u64::try_from(titles.len()).unwrap_or(u64::MAX);
        let came = |done: u64, total: u64| {
            progress(first.saturating_add(done), Some(first.saturating_add(total)));
        };
        let all = pages::files(&talk, before.dialect, "api/v3/File", &came).await?;
        for file in &all.found {
            let mut of: Vec<u64> =
                file.series.iter().flatten().filter_map(|series| series.series.id).collect();
            of.sort_unstable();
            of.dedup();
            for id in of {
                if let Some(title) = places.get(&id).and_then(|place| titles.get_mut(*place)) {
                    files::add(title, file, &folders);
                }
            }
        }
        let after = state::read_again(&talk, &before).await?;
        // What was listed for questions is older than this.
        self.series.forget();
        let moving = before.unsure.or(series.moving).or(all.moving).or(after);
        let (about, folders) = (before.about, files::told(&folders));
        Ok(Listing { about, titles, folders, moving, requests: talk.count(), begun })
    }

    pub(in super::super) async fn ask(&self, question: &Question) -> Result<Said, Failure> {
        let talk = self.http.talk();
        let before = state::read(&talk).await?;
        let mut unsure = before.unsure.clone();
        let mut gone = Vec::new();
        let mut found: Vec<Series> = Vec::new();
        let hidden = |what: String| {
            format!("{what} is hidden from the user whose key {} is asked with", talk.http.instance)
        };
        for id in &question.known {
            match by_id(&talk, id).await? {
                Found::None => gone.push(id.clone()),
                Found::Hidden => unsure = Some(hidden(format!("the series {id}"))),
                Found::One(series) => {
                    match series.ids.bond(question.kind, &question.ids, &question.anidb) {
                        Bond::Other => gone.push(id.clone()),
                        Bond::Same => found.push(*series),
                        Bond::CantTell => {
                            unsure = Some(format!("no id ties the series {id} to this title"));
                            found.push(*series);
                        }
                    }
                }
            }
        }
        for anidb in &question.anidb {
            match by_anidb(&talk, *anidb).await? {
                Found::None => {}
                Found::Hidden => unsure = Some(hidden(format!("the anime {anidb}"))),
                Found::One(series) => keep(&mut found, *series),
            }
        }
        if question.ids.is_empty() && question.anidb.is_empty() {
            let why = "there is no id by which Shoko could be searched for it";
            unsure.get_or_insert_with(|| why.to_owned());
        } else {
            let why = self.search(&before, question, &mut found).await?;
            unsure = unsure.or(why);
        }
        let folders = pages::folders(&talk, before.dialect).await?;
        let mut titles = Vec::new();
        for series in &found {
            let mut title = series.listed();
            let path = format!("api/v3/Series/{}/File", series.ids.id);
            let of_it = pages::files(&talk, before.dialect, &path, &|_, _| ()).await?;
            of_it.found.iter().for_each(|file| files::add(&mut title, file, &folders));
            unsure = unsure.or(of_it.moving);
            if title.files.is_empty() && series.counted() > 0 {
                let (id, count) = (&title.id, series.counted());
                unsure = Some(format!("it names no file of the series {id}, but counts {count}"));
            }
            titles.push(title);
        }
        unsure = unsure.or(files::unmounted(&talk, &before, &titles).await?);
        unsure = unsure.or(state::read_again(&talk, &before).await?);
        let (about, mut folders) = (before.about, files::told(&folders));
        if unsure.is_none() {
            files::mark_seen(&mut folders, &titles);
        }
        unsure = unsure.or_else(|| homeless(self.instance(), &folders));
        Ok(Said { about, titles, gone, unsure, replacing: None, folders })
    }

    /// Searches a listing, which has all numbers of all series, for others that are the title.
    async fn search(
        &self,
        state: &State,
        question: &Question,
        found: &mut Vec<Series>,
    ) -> Result<Option<String>, Failure> {
        let (talk, state) = (self.http.talk(), state.clone());
        let read = async move {
            let all = pages::series(&talk, &|_, _| ()).await?;
            let after = state::read_again(&talk, &state).await?;
            Ok((all.found, all.moving.or(after)))
        };
        let listed = self.series.since(question.not_before, || self.http.now(), read).await?;
        let mut stale = None;
        for series in &listed.value {
            let is_same =
                |ids: &Ids| ids.bond(question.kind, &question.ids, &question.anidb) == Bond::Same;
            let is_new = !found.iter().any(|other| other.ids.id == series.ids.id);
            if !is_new || !is_same(&series.ids) {
                continue;
            }
            // The listing may be a while old, and its number another series' by now, whose files would
            // be taken for the title's.
            let id = series.ids.id.to_string();
            match by_id(&self.http.talk(), &id).await? {
                Found::One(series) if is_same(&series.ids) => keep(found, *series),
                _ => stale = Some(format!("it listed the title under {id}, where it is no more")),
            }
        }
        if stale.is_some() {
            self.series.forget();
        }
        let early = "its listing was begun too early; was the clock set back?";
        let is_early = listed.begun < question.not_before;
        let early = is_early.then(|| early.to_owned());
        Ok(listed.moving.clone().or(stale).or(early))
    }
}

/// Adds a series once.
fn keep(found: &mut Vec<Series>, series: Series) {
    if !found.iter().any(|other| other.ids.id == series.ids.id) {
        found.push(series);
    }
}

/// A series by its number. Only Shoko's own words say that it is not there.
async fn by_id(talk: &Talk, id: &str) -> Result<Found, Failure> {
    let Some(number) = id.parse::<u64>().ok().filter(|number| *number != 0) else {
        let why = format!("{} has no ids like {id:?}", talk.http.instance);
        return Err(Failure::Permanent { why });
    };
    let reply = state::get(talk, Call::to(&format!("api/v3/Series/{number}"))).await?;
    match reply.status.as_u16() {
        404 if reply.text().contains(NO_SERIES) => Ok(Found::None),
        404 => Err(reply.strange("says that it is not there, but not in the words of Shoko")),
        403 => Ok(Found::Hidden),
        _ => {
            let series: Series = reply.json()?;
            if series.ids.id == number {
                Ok(Found::One(Box::new(series)))
            } else {
                Err(reply.strange("is another series"))
            }
        }
    }
}

/// A series by its number in AniDB. That it is not found proves nothing here: the listing does.
async fn by_anidb(talk: &Talk, anidb: u64) -> Result<Found, Failure> {
    let reply = state::get(talk, Call::to(&format!("api/v3/Series/AniDB/{anidb}/Series"))).await?;
    match reply.status.as_u16() {
        404 => Ok(Found::None),
        403 => Ok(Found::Hidden),
        _ => {
            let series: Series = reply.json()?;
            if series.ids.anidb() == Some(anidb) {
                Ok(Found::One(Box::new(series)))
            } else {
                Err(reply.strange("is another anime"))
            }
        }
    }
}
