//! Reads items page by page. There is no order that can't have ties, so pages may overlap or skip: what
//! did not come whole says so.

use std::collections::HashSet;

use super::state::State;
use super::wire::{Item, Page, guid};
use crate::domain::Failure;
use crate::services::http::{Call, Talk};

/// How many items a page has.
const PAGE: u64 = 1000;

/// A server that never comes to an end is left off here; what came then says that it is not all.
const PAGES: u64 = 10_000;

/// How many ids a request may name, so that its line is not too long.
const IDS: usize = 100;

/// The items of some types, each once.
#[derive(Debug, Default)]
pub(super) struct Items {
    pub(super) items: Vec<Item>,
    /// Why it may not be all of them.
    pub(super) moving: Option<String>,
}

/// A question for items, with what each has to ask for.
fn call(state: &State) -> Call<'static> {
    let call = Call::to("Items")
        .with("fields", "Path,ProviderIds")
        .with("enableUserData", &false)
        .with("enableImages", &false)
        .bulk();
    match &state.user {
        Some(user) => call.with("userId", &user),
        None => call,
    }
}

/// All items of `types`, below one parent or everywhere.
pub(super) async fn all(
    talk: &Talk,
    state: &State,
    types: &str,
    parent: Option<&str>,
    page_came: &(dyn Fn(&Items, u64) + Sync),
) -> Result<Items, Failure> {
    let mut found = Items::default();
    let mut seen = HashSet::new();
    let mut start = 0_u64;
    let mut total = None;
    for _ in 0..PAGES {
        let mut call = call(state)
            .with("recursive", &true)
            .with("includeItemTypes", &types)
            .with("excludeLocationTypes", "Virtual")
            .with("collapseBoxSetItems", &false)
            .with("sortBy", "SortName")
            .with("sortOrder", "Ascending")
            .with("startIndex", &start)
            .with("limit", &PAGE);
        if let Some(parent) = parent {
            call = call.with("parentId", &parent);
        }
        let reply = talk.get(call).await?;
        let page: Page = reply.json()?;
        let wanted = |item: &Item| types.split(',').any(|of| of == item.of);
        if !page.items.iter().all(wanted) {
            return Err(reply.strange("has items that were not asked for"));
        }
        let expected = *total.get_or_insert(page.total_record_count);
        if expected != page.total_record_count {
            found.moving = Some("the library changed while it was read".to_owned());
        }
        let came = u64::try_from(page.items.len()).unwrap_or(u64::MAX);
        let before = found.items.len();
        found.items.extend(page.items.into_iter().filter(|item| seen.insert(item.id.clone())));
        page_came(&found, page.total_record_count);
        start = start.saturating_add(came);
        let is_new = found.items.len() > before;
        if !is_new || start >= page.total_record_count {
            break;
        }
    }
    let count = u64::try_from(found.items.len()).unwrap_or(u64::MAX);
    if total.is_some_and(|total| total != count) {
        let why = "pages of the library overlapped while it was read";
        found.moving.get_or_insert_with(|| why.to_owned());
    }
    Ok(found)
}

/// The items with these ids, as far as they are there. An answer with another item is none.
pub(super) async fn by_id(
    talk: &Talk,
    state: &State,
    ids: &[String],
) -> Result<Vec<Item>, Failure> {
    let mut found: Vec<Item> = Vec::new();
    for batch in ids.chunks(IDS) {
        let reply = talk.get(call(state).with("ids", &batch.join(","))).await?;
        let page: Page = reply.json()?;
        let asked = |item: &Item| guid(&item.id).is_some_and(|id| batch.contains(&id));
        if !page.items.iter().all(asked) {
            return Err(reply.strange("has items that were not asked for"));
        }
        found.extend(page.items);
    }
    Ok(found)
}
