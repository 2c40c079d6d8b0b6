//! `/Items`: the one question with many filters, and its traps.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::database::{Database, Item, Kind, Record, hashed};
use super::door::Caller;
use super::filter::Filter;
use super::{Version, shown};
use crate::answer::Query;
use crate::misbehaviour::Mood;
use crate::world::Library;

/// What `/Items` answers.
pub(super) struct Page {
    pub(super) items: Vec<Value>,
    pub(super) total: usize,
    pub(super) start: usize,
}

/// An id as requests have it, with or without dashes.
pub(super) fn parsed(id: &str) -> Option<u128> {
    let hex: String = id.chars().filter(|c| *c != '-').collect();
    (hex.len() == 32).then(|| u128::from_str_radix(&hex, 16).ok())?
}

pub(super) fn library_id(library: Library) -> u128 {
    hashed(&["MediaBrowser.Controller.Entities.CollectionFolder", library.name()])
}

/// Everything that the view needs to know about who looks, and how.
pub(super) struct View<'a> {
    pub(super) version: Version,
    pub(super) mood: &'a Mood,
    pub(super) caller: Caller,
    pub(super) query: &'a Query,
}

impl View<'_> {
    /// Lists what the query asks for.
    pub(super) fn list(&self, database: &mut Database) -> Page {
        let items = database.items();
        let query = self.query;
        // Ids that are none are dropped without a word; if none is left there is no such filter.
        let ids: Vec<u128> = query.many("ids").iter().filter_map(|id| parsed(id)).collect();
        let parent = query.get("parentId").and_then(parsed);
        if ids.is_empty() && parent.is_none() && !query.is("recursive") {
            return self.page(self.top_folders(database).into_iter());
        }
        let filter = Filter::of(query);
        let wanted = |item: &&Item| {
            let record = &database.records[item.record];
            if !self.may_see(record) {
                return false;
            }
            if !ids.is_empty() {
                return ids.contains(&self.id(item.id)) && filter.wants(item, record);
            }
            self.mood.lists(u32::try_from(item.record).unwrap())
                && parent.is_none_or(|parent| self.is_below(database, item, parent))
                && filter.wants(item, record)
        };
        let found: Vec<&Item> = items.iter().filter(wanted).collect();
        let collapses = ids.is_empty() && self.collapses();
        let is_boxed = |item: &&&Item| collapses && database.records[item.record].in_collection;
        let boxed = found.iter().any(|item| is_boxed(&item));
        let plain = found.iter().filter(|item| !is_boxed(item));
        let values = plain.map(|item| Lazy::Item(item)).chain(boxed.then_some(Lazy::BoxSet));
        self.page_of(database, values.collect())
    }

    /// One item with all its fields.
    pub(super) fn one(&self, database: &mut Database, id: u128) -> Option<Value> {
        let items: Arc<Vec<Item>> = database.items();
        let item = items.iter().find(|item| self.id(item.id) == id)?;
        let is_visible = self.may_see(&database.records[item.record]);
        is_visible.then(|| self.item(database, item, true))
    }

    fn may_see(&self, record: &Record) -> bool {
        self.caller == Caller::ApiKey || !record.hidden
    }

    /// With a user, films of a collection are shown as the collection, unless that is refused.
    fn collapses(&self) -> bool {
        let types = self.query.many("includeItemTypes");
        let is_refused =
            self.query.get("collapseBoxSetItems").is_some_and(|v| v.eq_ignore_ascii_case("false"));
        self.caller == Caller::User && !is_refused && types.contains(&"Movie")
    }

    /// An id as it is seen in this mood: another set-up has its files in other places.
    fn id(&self, id: u128) -> u128 {
        let moved = self.mood.is_other() || self.mood.has(&crate::Misbehaviour::RecreatedIds);
        if moved { id.wrapping_mul(3) ^ 0x5eed } else { id }
    }

    fn is_below(&self, database: &Database, item: &Item, parent: u128) -> bool {
        let record = &database.records[item.record];
        let place = database.place(record.title.library);
        let library = library_id(record.title.library);
        let series = self.id(record.series_id(place));
        let season = self.id(record.season_id(place, item.season));
        let above: &[u128] = match item.kind {
            Kind::Movie | Kind::Series => &[library],
            Kind::Season => &[series, library],
            Kind::Episode => &[season, series, library],
        };
        if self.query.is("recursive") { above.contains(&parent) } else { above[0] == parent }
    }

    fn top_folders(&self, database: &Database) -> Vec<Value> {
        let types = self.query.many("includeItemTypes");
        let libraries = database.libraries.iter();
        let wanted = libraries.filter(|_| types.is_empty() || types.contains(&"CollectionFolder"));
        wanted
            .map(|(library, _)| {
                json!({
                    "Name": library.name(),
                    "ServerId": self.server_id(database),
                    "Id": shown(library_id(*library)),
                    "IsFolder": true,
                    "Type": "CollectionFolder",
                    "LocationType": "FileSystem",
                    "CollectionType": collection_type(*library),
                    "MediaType": "Unknown",
                })
            })
            .collect()
    }

    pub(super) fn server_id(&self, database: &Database) -> String {
        shown(if self.mood.is_other() { !database.server_id } else { database.server_id })
    }

    fn page_of(&self, database: &Database, found: Vec<Lazy<'_>>) -> Page {
        let box_set = || {
            json!({
                "Name": "A Collection",
                "ServerId": self.server_id(database),
                "Id": shown(hashed(&["BoxSet", "A Collection"])),
                "IsFolder": true,
                "Type": "BoxSet",
                "LocationType": "FileSystem",
            })
        };
        self.page(found.into_iter().map(|lazy| match lazy {
            Lazy::Item(item) => self.item(database, item, false),
            Lazy::BoxSet => box_set(),
        }))
    }

    /// The page that was asked for; only its values are made.
    fn page(&self, values: impl ExactSizeIterator<Item = Value>) -> Page {
        let start = self.query.number("startIndex").unwrap_or(0) as usize;
        let limit = self.query.number("limit").map(|limit| limit as usize);
        let whole = values.len();
        let items: Vec<Value> = values.skip(start).take(limit.unwrap_or(usize::MAX)).collect();
        let counts = limit.is_none()
            || !self
                .query
                .get("enableTotalRecordCount")
                .is_some_and(|v| v.eq_ignore_ascii_case("false"));
        let total = if counts { whole } else { items.len() };
        Page { items, total, start }
    }

    fn item(&self, database: &Database, item: &Item, everything: bool) -> Value {
        let record = &database.records[item.record];
        let place = database.place(record.title.library);
        let fields = self.query.many("fields");
        let has_field =
            |name: &str| everything || fields.iter().any(|f| f.eq_ignore_ascii_case(name));
        let path = match (item.kind, item.file) {
            (Kind::Series, _) => Some(record.folder.clone()),
            (Kind::Season, _) => record
                .season_folder(item.season)
                .map(|folder| format!("{}/{folder}", record.folder)),
            (_, file) => {
                file.map(|file| format!("{}/{}", record.folder, record.title.files[file].name))
            }
        };
        let is_folder = matches!(item.kind, Kind::Series | Kind::Season);
        let mut value = json!({
            "Name": name_of(item, record),
            "ServerId": self.server_id(database),
            "Id": shown(self.id(item.id)),
            "IsFolder": is_folder,
            "Type": item.kind.name(),
            // From the shape of the path: of a season without a folder it says so, too.
            "LocationType": if path.is_some() { "FileSystem" } else { "Virtual" },
        });
        if !is_folder {
            value["MediaType"] = json!("Video");
        } else if self.version != Version::V10_8 {
            value["MediaType"] = json!("Unknown");
        }
        if has_field("Path")
            && let Some(path) = path
        {
            value["Path"] = json!(place.shown(&path));
        }
        if has_field("ProviderIds") {
            value["ProviderIds"] = Value::Object(provider_ids(item, record));
        }
        match item.kind {
            Kind::Movie => value["ProductionYear"] = json!(record.title.year),
            Kind::Series => {
                value["ProductionYear"] = json!(record.title.year);
                value["Status"] = json!("Ended");
            }
            Kind::Season | Kind::Episode => {
                value["SeriesName"] = json!(record.title.name);
                value["SeriesId"] = json!(shown(self.id(record.series_id(place))));
                value["IndexNumber"] = json!(item.season);
            }
        }
        if item.kind == Kind::Episode {
            value["IndexNumber"] = json!(item.episode);
            value["ParentIndexNumber"] = json!(item.season);
            value["SeasonId"] = json!(shown(self.id(record.season_id(place, item.season))));
            value["SeasonName"] = json!(format!("Season {}", item.season));
        }
        value
    }
}

enum Lazy<'a> {
    Item(&'a Item),
    BoxSet,
}

pub(super) fn collection_type(library: Library) -> &'static str {
    if library == Library::Movies { "movies" } else { "tvshows" }
}

pub(super) fn name_of(item: &Item, record: &Record) -> String {
    match item.kind {
        Kind::Movie | Kind::Series => record.title.name.clone(),
        Kind::Season => format!("Season {}", item.season),
        Kind::Episode => format!("Episode {}", item.episode),
    }
}

/// The ids of an item: those of an episode are its own, never its series'.
pub(super) fn provider_ids(item: &Item, record: &Record) -> Map<String, Value> {
    let title = &record.title;
    let mut ids = Map::new();
    match item.kind {
        Kind::Movie | Kind::Series => {
            ids.insert("Tmdb".into(), json!(title.tmdb.to_string()));
            ids.insert("Imdb".into(), json!(title.imdb));
            title.tvdb.map(|tvdb| ids.insert("Tvdb".into(), json!(tvdb.to_string())));
            title.anidb.map(|anidb| ids.insert("AniDB".into(), json!(anidb.to_string())));
        }
        Kind::Season => {}
        Kind::Episode => {
            let own = title.tvdb.unwrap_or_default() * 1000 + u32::from(item.season) * 100;
            ids.insert("Tvdb".into(), json!((own + u32::from(item.episode)).to_string()));
        }
    }
    ids
}
