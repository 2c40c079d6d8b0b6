//! Which items a query wants by what they are. It is read once, since a large library has many items.

use super::database::{Item, Kind, Record};
use super::items::{name_of, provider_ids};
use crate::answer::Query;

pub(super) struct Filter {
    /// Lower case; none given: every type.
    types: Vec<String>,
    not_types: Vec<String>,
    excludes_virtual: bool,
    is_missing: Option<bool>,
    /// Which providers an item must have an id of, or must not.
    providers: Vec<(&'static str, bool)>,
    years: Vec<u32>,
    /// Lower case.
    name: Option<String>,
}

impl Filter {
    pub(super) fn of(query: &Query) -> Self {
        let lower = |parameter: &str| -> Vec<String> {
            query.many(parameter).iter().map(|value| value.to_lowercase()).collect()
        };
        let flag =
            |parameter: &str| query.get(parameter).map(|value| value.eq_ignore_ascii_case("true"));
        let providers = [("hasTmdbId", "Tmdb"), ("hasTvdbId", "Tvdb"), ("hasImdbId", "Imdb")];
        let wanted = providers
            .iter()
            .filter_map(|(parameter, provider)| flag(parameter).map(|wanted| (*provider, wanted)));
        Self {
            types: lower("includeItemTypes"),
            not_types: lower("excludeItemTypes"),
            excludes_virtual: lower("excludeLocationTypes").iter().any(|kind| kind == "virtual"),
            is_missing: flag("isMissing"),
            providers: wanted.collect(),
            years: query.numbers("years"),
            name: query.get("searchTerm").map(str::to_lowercase),
        }
    }

    pub(super) fn wants(&self, item: &Item, record: &Record) -> bool {
        let is_of =
            |types: &[String]| types.iter().any(|name| name.eq_ignore_ascii_case(item.kind.name()));
        // As it is stored: a season without a folder of its own isn't virtual.
        let is_virtual = item.kind == Kind::Episode && item.file.is_none();
        let has = |(provider, wanted): &(&str, bool)| {
            *wanted == provider_ids(item, record).contains_key(*provider)
        };
        let is_named = |name: &String| name_of(item, record).to_lowercase().contains(name);
        (self.types.is_empty() || is_of(&self.types))
            && !is_of(&self.not_types)
            && !(is_virtual && self.excludes_virtual)
            && self.is_missing.is_none_or(|wanted| wanted == is_virtual)
            && self.providers.iter().all(has)
            && (self.years.is_empty() || self.years.contains(&u32::from(record.title.year)))
            && self.name.as_ref().is_none_or(is_named)
    }
}
