//! Reads a list page by page, and says so when it may not have come whole.

use std::collections::HashSet;

use serde::de::DeserializeOwned;

use super::state::{self, Dialect};
use super::wire::{File, Folder, Page, Series};
use crate::domain::Failure;
use crate::services::http::{Call, Talk};

/// A server that never comes to an end is left off here; what came then says that it is not all.
const PAGES: u32 = 10_000;

/// What came of a list, each thing once.
#[derive(Debug)]
pub(super) struct All<T> {
    pub(super) found: Vec<T>,
    /// Why it may not be all.
    pub(super) moving: Option<String>,
}

/// A thing with a number of its own.
pub(super) trait Numbered {
    fn number(&self) -> u64;
}

impl Numbered for Series {
    fn number(&self) -> u64 {
        self.ids.id
    }
}

impl Numbered for File {
    fn number(&self) -> u64 {
        self.id
    }
}

/// All pages of a list. `page_came` is told how many are there, and of how many.
async fn all<T: DeserializeOwned + Numbered>(
    talk: &Talk,
    path: &str,
    call: impl Fn(Call<'_>) -> Call<'_>,
    page_came: &(dyn Fn(u64, u64) + Sync),
) -> Result<All<T>, Failure> {
    let mut found: Vec<T> = Vec::new();
    let mut seen = HashSet::new();
    let (mut total, mut came) = (None, 0_u64);
    let mut moving = None;
    for number in 1..=PAGES {
        let call = call(Call::to(path)).with("page", &number).bulk();
        let page: Page<T> = state::get(talk, call).await?.json()?;
        if *total.get_or_insert(page.total) != page.total {
            moving = Some("its list changed while it was read".to_owned());
        }
        let count = u64::try_from(page.list.len()).unwrap_or(u64::MAX);
        came = came.saturating_add(count);
        let before = found.len();
        found.extend(page.list.into_iter().filter(|thing| seen.insert(thing.number())));
        page_came(came, page.total);
        if found.len() == before || came >= page.total {
            break;
        }
    }
    let count = u64::try_from(found.len()).unwrap_or(u64::MAX);
    if total.is_some_and(|total| total != count) {
        moving.get_or_insert_with(|| "pages of its list overlapped".to_owned());
    }
    Ok(All { found, moving })
}

/// Every series.
pub(super) async fn series(
    talk: &Talk,
    page_came: &(dyn Fn(u64, u64) + Sync),
) -> Result<All<Series>, Failure> {
    all(talk, "api/v3/Series", |call| call.with("pageSize", &100), page_came).await
}

/// The files below a path: of everything, of a series.
pub(super) async fn files(
    talk: &Talk,
    dialect: Dialect,
    path: &str,
    page_came: &(dyn Fn(u64, u64) + Sync),
) -> Result<All<File>, Failure> {
    all(talk, path, |call| dialect.detailed(call).with("pageSize", &1000), page_came).await
}

/// Its folders. It does not say whether it can see them.
pub(super) async fn folders(talk: &Talk, dialect: Dialect) -> Result<Vec<Folder>, Failure> {
    state::get(talk, Call::to(dialect.folders())).await?.json()
}
