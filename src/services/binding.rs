//! Whether a title of a service is the one that is asked about.

use std::collections::BTreeMap;

use crate::domain::ProviderIds;

/// What two sets of provider ids say about being one title.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bond {
    /// At least one provider names both alike. That another differs may be a merge at that provider, and
    /// taking it for the same can only keep a title alive.
    Same,
    /// Every provider that names both names them apart.
    Other,
    /// No provider names both.
    CantTell,
}

/// Compares the ids.
pub(super) fn bond(a: &ProviderIds, b: &ProviderIds) -> Bond {
    let pairs = [
        a.tmdb.zip(b.tmdb).map(|(a, b)| a == b),
        a.tvdb.zip(b.tvdb).map(|(a, b)| a == b),
        a.imdb.as_ref().zip(b.imdb.as_ref()).map(|(a, b)| a.eq_ignore_ascii_case(b)),
    ];
    let told: Vec<bool> = pairs.into_iter().flatten().collect();
    match told.iter().any(|same| *same) {
        true => Bond::Same,
        false if told.is_empty() => Bond::CantTell,
        false => Bond::Other,
    }
}

/// A number that stands for "none" when it is zero.
pub(super) fn number(id: Option<u64>) -> Option<u64> {
    id.filter(|id| *id != 0)
}

/// A year that stands for "none" when it is zero.
pub(super) fn year(year: Option<i64>) -> Option<u16> {
    year.and_then(|year| u16::try_from(year).ok()).filter(|year| *year != 0)
}

/// An imdb id, which may be empty or without its `tt`.
pub(super) fn imdb(id: Option<&str>) -> Option<String> {
    let id = id?.trim();
    let digits = id.trim_start_matches("tt");
    let is_one = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    is_one.then(|| format!("tt{digits}"))
}

/// Provider ids by their names, as Jellyfin writes them.
pub(super) fn by_name(ids: &BTreeMap<String, Option<String>>) -> ProviderIds {
    let get = |name: &str| {
        let found = ids.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.and_then(|(_, id)| id.as_deref())
    };
    let digits = |name| number(get(name).and_then(|id| id.trim().parse().ok()));
    ProviderIds { tmdb: digits("tmdb"), tvdb: digits("tvdb"), imdb: imdb(get("imdb")) }
}

/// Texts that are not empty.
pub(super) fn said(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}
