//! What Jellyfin says, with the traps that its sources have.

use std::fs;

use serde_json::{Value, json};
use simulators::jellyfin::{self, PASSWORD, USER, Version};
use simulators::{Jellyfin, Library, Misbehaviour, World};

use crate::client::{Client, elements, world};

fn token(token: &str) -> Vec<(&'static str, String)> {
    vec![("Authorization", format!("MediaBrowser Token=\"{token}\""))]
}

fn client_with(jellyfin: &Jellyfin, headers: &[(&'static str, String)]) -> Client {
    let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
    Client::new(jellyfin, &headers)
}

fn with_key(jellyfin: &Jellyfin) -> Client {
    client_with(jellyfin, &token(jellyfin.key()))
}

fn with_user(jellyfin: &Jellyfin) -> Client {
    client_with(jellyfin, &token(&jellyfin.user_token()))
}

const ALL: &str = "/Items?recursive=true&includeItemTypes=Movie,Series,Episode&fields=Path,ProviderIds\
                   &excludeLocationTypes=Virtual&collapseBoxSetItems=false";

fn id_of(value: &Value) -> String {
    value["Id"].as_str().unwrap().to_owned()
}

#[test]
fn a_whole_library_is_listed_page_by_page() {
    let (_directory, world) = world();
    let film = &world.films(5)[0];
    world.series(2, 2, 3);
    world.anime(1);
    let jellyfin = Jellyfin::start(&world, jellyfin::Options::default());
    let client = with_key(&jellyfin);
    let whole = client.json(ALL);
    assert_eq!(whole["TotalRecordCount"], 5 + 2 + 12 + 1 + 3);
    let mut ids: Vec<String> = Vec::new();
    for start in [0, 10, 20] {
        let page = client.json(&format!("{ALL}&startIndex={start}&limit=10"));
        assert_eq!((&page["TotalRecordCount"], &page["StartIndex"]), (&json!(23), &json!(start)));
        ids.extend(elements(&page["Items"]).iter().map(id_of));
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 23);
    let movies = client.json(&format!("{ALL}&searchTerm=quiet&hasImdbId=true&years=1950"));
    assert_eq!(movies["Items"][0]["ProviderIds"]["Tmdb"], film.tmdb.to_string());
    let path = movies["Items"][0]["Path"].as_str().unwrap().to_owned();
    assert_eq!(path, format!("/media/movies/{}/{}", film.folder, film.files[0].name));
    let bare = client.json("/Items?recursive=true&includeItemTypes=Movie");
    assert!(
        bare["Items"][0].get("Path").is_none() && bare["Items"][0].get("ProviderIds").is_none()
    );
}

#[test]
fn a_total_costs_extra_and_can_be_declined() {
    let (_directory, world) = world();
    world.films(5);
    let jellyfin = Jellyfin::start(&world, jellyfin::Options::default());
    let page = with_key(&jellyfin).json(&format!("{ALL}&limit=2&enableTotalRecordCount=false"));
    assert_eq!(page["TotalRecordCount"], 2);
}

#[test]
fn missing_ids_are_left_out_and_broken_ones_turn_the_filter_off() {
    let (_directory, world) = world();
    let films = world.films(3);
    let jellyfin = Jellyfin::start(&world, jellyfin::Options::default());
    let client = with_key(&jellyfin);
    let ids: Vec<String> = elements(&client.json(ALL)["Items"]).iter().map(id_of).collect();
    let two = client.json(&format!("/Items?ids={},{}", ids[0], ids[1]));
    assert_eq!(two["TotalRecordCount"], 2);
    let dashed = format!(
        "{}-{}-{}-{}-{}",
        &ids[0][..8],
        &ids[0][8..12],
        &ids[0][12..16],
        &ids[0][16..20],
        &ids[0][20..]
    );
    assert_eq!(id_of(&client.json(&format!("/Items?ids={dashed}"))["Items"][0]), ids[0]);
    for film in &films {
        jellyfin.remove(film);
    }
    let none = client.json(&format!("/Items?ids={}", ids[0]));
    assert_eq!(none, json!({"Items": [], "TotalRecordCount": 0, "StartIndex": 0}));
    world.films(0);
    jellyfin.add(&films[0]);
    let top = client.json("/Items?ids=not-an-id");
    assert_eq!(top["Items"][0]["Type"], "CollectionFolder", "the filter is off");
    assert_eq!(client.json("/Items?ids=&recursive=true")["TotalRecordCount"], 1);
}

#[test]
fn a_single_item_needs_a_user() {
    let (_directory, world) = world();
    let film = &world.films(2)[0];
    let jellyfin = Jellyfin::start(&world, jellyfin::Options::default());
    let (key, user) = (with_key(&jellyfin), with_user(&jellyfin));
    let id = id_of(&key.json(&format!("{ALL}&searchTerm=quiet"))["Items"][0]);
    assert_eq!(key.get(&format!("/Items/{id}")).status, 400);
    assert_eq!(key.get(&format!("/Items/{}", "0".repeat(31) + "1")).status, 400);
    assert_eq!(user.json(&format!("/Items/{id}"))["Type"], "Movie");
    let me = id_of(&user.json("/Users/Me"));
    assert_eq!(key.json(&format!("/Items/{id}?userId={me}"))["Id"], id.as_str());
    assert_eq!(key.json(&format!("/Users/{me}/Items/{id}"))["Id"], id.as_str());
    assert_eq!(key.get("/Users/Me").status, 400);
    jellyfin.hide_from_user(film);
    assert_eq!(user.get(&format!("/Items/{id}")).status, 404, "hidden looks like missing");
    assert_eq!(user.json(&format!("/Items?ids={id}"))["TotalRecordCount"], 0);
    assert_eq!(key.json(&format!("/Items?ids={id}"))["TotalRecordCount"], 1);
}

#[test]
fn films_of_a_collection_are_shown_as_it_unless_that_is_refused() {
    let (_directory, world) = world();
    let films = world.films(3);
    let jellyfin = Jellyfin::start(&world, jellyfin::Options::default());
    jellyfin.put_in_collection(&films[0]);
    let types = |client: &Client, query: &str| -> Vec<Value> {
        let list = client.json(&format!("/Items?recursive=true&includeItemTypes=Movie{query}"));
        elements(&list["Items"]).iter().map(|item| item["Type"].clone()).collect()
    };
    assert_eq!(types(&with_user(&jellyfin), ""), ["Movie", "Movie", "BoxSet"]);
    assert_eq!(types(&with_user(&jellyfin), "&collapseBoxSetItems=false"), ["Movie"; 3]);
    assert_eq!(types(&with_key(&jellyfin), ""), ["Movie"; 3]);
}

#[test]
fn virtual_episodes_can_be_left_out_and_a_season_without_a_folder_is_none() {
    let (_directory, world) = world();
    let show = &world.series(1, 1, 2)[0];
    world.anime(1);
    let jellyfin = Jellyfin::start(&world, jellyfin::Options::default());
    jellyfin.missing_episodes(show, 3);
    let client = with_key(&jellyfin);
    let count = |query: &str| {
        client.json(&format!("/Items?recursive=true&{query}"))["TotalRecordCount"].clone()
    };
    assert_eq!(count("includeItemTypes=Episode"), 2 + 3 + 3);
    assert_eq!(count("includeItemTypes=Episode&excludeLocationTypes=Virtual"), 5);
    assert_eq!(count("includeItemTypes=Episode&isMissing=true"), 3);
    let seasons = client.json(
        "/Items?recursive=true&includeItemTypes=Season&fields=Path&excludeLocationTypes=Virtual",
    );
    let mut places: Vec<&Value> =
        elements(&seasons["Items"]).iter().map(|s| &s["LocationType"]).collect();
    places.sort_by_key(ToString::to_string);
    assert_eq!(places, ["FileSystem", "Virtual"]);
}

#[test]
fn a_library_leads_to_its_titles_and_a_series_to_its_episodes() {
    let (_directory, world) = world();
    world.films(2);
    world.series(2, 1, 2);
    let jellyfin = Jellyfin::start(&world, jellyfin::Options::default());
    let client = with_key(&jellyfin);
    let folders = client.json("/Library/VirtualFolders");
    assert_eq!(folders[1]["Locations"], json!(["/media/tv"]));
    let tv = folders[1]["ItemId"].as_str().unwrap();
    let series = client.json(&format!("/Items?parentId={tv}"));
    assert_eq!(series["TotalRecordCount"], 2);
    let first = id_of(&series["Items"][0]);
    let below =
        client.json(&format!("/Items?parentId={first}&recursive=true&includeItemTypes=Episode"));
    assert_eq!(below["TotalRecordCount"], 2);
    assert_eq!(below["Items"][0]["SeriesId"], first.as_str());
    let counts = client.json("/Items/Counts");
    assert_eq!((&counts["MovieCount"], &counts["EpisodeCount"]), (&json!(2), &json!(4)));
}

#[test]
fn what_comes_back_has_its_old_id_and_what_is_renamed_a_new_one() {
    let (_directory, world) = world();
    let film = &world.films(2)[0];
    let jellyfin = Jellyfin::start(&world, jellyfin::Options::default());
    let client = with_key(&jellyfin);
    let id = || {
        let found = client.json(&format!("{ALL}&searchTerm=quiet"));
        found["Items"].get(0).map(id_of)
    };
    let first = id();
    world.delete(film);
    jellyfin.rescan();
    assert_eq!(id(), None);
    world.write(film);
    jellyfin.rescan();
    assert_eq!(id(), first);
    jellyfin.rename(film, "Elsewhere (1950)");
    assert!(id().is_some() && id() != first);
}

#[test]
fn a_hollow_library_is_left_alone_from_10_9_on() {
    for (version, kept) in [(Version::V10_8, 0), (Version::V10_11, 1), (Version::V12, 1)] {
        let (_directory, world) = world();
        let film = &world.films(1)[0];
        let jellyfin = Jellyfin::start(&world, jellyfin::Options { version, ..Default::default() });
        world.delete(film);
        jellyfin.rescan();
        let client = with_key(&jellyfin);
        assert_eq!(client.json(ALL)["TotalRecordCount"], kept, "{version:?}");
        let stray = world.directory(Library::Movies).unwrap().join("lost+found");
        fs::create_dir(stray).unwrap();
        jellyfin.rescan();
        assert_eq!(client.json(ALL)["TotalRecordCount"], 0, "{version:?}: the hole in the guard");
    }
}

#[test]
fn each_version_takes_the_forms_of_a_key_that_it_knows() {
    let world = World::without_disk();
    for version in [Version::V10_8, Version::V10_11, Version::V12] {
        let jellyfin = Jellyfin::start(&world, jellyfin::Options { version, ..Default::default() });
        let key = jellyfin.key().to_owned();
        let ask = |name: &'static str, value: String, query: &str| {
            client_with(&jellyfin, &[(name, value)]).get(&format!("/Items{query}")).status
        };
        let legacy = if version == Version::V12 { 401 } else { 200 };
        assert_eq!(ask("Authorization", format!("MediaBrowser Token={key}"), ""), 200);
        let named = format!("MediaBrowser Client=\"a\", Device=\"b\", Token=\"{key}\"");
        assert_eq!(ask("Authorization", named, ""), 200);
        assert_eq!(ask("X-Other", String::new(), &format!("?ApiKey={key}")), 200);
        assert_eq!(ask("X-Emby-Token", key.clone(), ""), legacy);
        assert_eq!(ask("X-MediaBrowser-Token", key.clone(), ""), legacy);
        assert_eq!(
            ask("X-Emby-Authorization", format!("MediaBrowser Token=\"{key}\""), ""),
            legacy
        );
        assert_eq!(ask("Authorization", format!("Emby Token=\"{key}\""), ""), legacy);
        assert_eq!(ask("X-Other", String::new(), &format!("?api_key={key}")), legacy);
        assert_eq!(ask("Authorization", "MediaBrowser Token=\"wrong\"".into(), ""), 401);
        assert_eq!(ask("X-Other", String::new(), ""), 401);
    }
}

#[test]
fn a_user_comes_in_by_name_and_password() {
    let world = World::without_disk();
    let jellyfin = Jellyfin::start(&world, jellyfin::Options::default());
    let client = Client::new(&jellyfin, &[]);
    let given =
        client.post("/Users/AuthenticateByName", &json!({"Username": USER, "Pw": PASSWORD}));
    assert_eq!(given.json()["AccessToken"], jellyfin.user_token());
    let refused = client.post("/Users/AuthenticateByName", &json!({"Username": USER, "Pw": ""}));
    assert_eq!(refused.status, 401);
}

#[test]
fn its_state_is_told_by_whoever_may_be_asked() {
    let world = World::without_disk();
    world.films(1);
    let jellyfin = Jellyfin::start(&world, jellyfin::Options::default());
    let (open, key) = (Client::new(&jellyfin, &[]), with_key(&jellyfin));
    let id = || open.json("/System/Info/Public")["Id"].clone();
    let state = || key.json("/ScheduledTasks")[0]["State"].clone();
    let first = id();
    assert_eq!(open.get("/System/Info").status, 401);
    assert_eq!(key.json("/System/Info")["Version"], "10.11.11");
    assert_eq!(open.json("/System/Ping"), json!("Jellyfin Server"));
    assert_eq!(state(), "Idle");
    jellyfin.scan_running(true);
    assert_eq!(state(), "Running");
    jellyfin.scan_running(false);
    jellyfin.misbehave(Misbehaviour::ScanRunning);
    assert_eq!(state(), "Running");
    jellyfin.misbehave(Misbehaviour::OtherInstance);
    assert_ne!(id(), first);
    jellyfin.well();
    jellyfin.misbehave(Misbehaviour::Starting);
    let starting = key.get(ALL);
    assert_eq!((starting.status, starting.header("Retry-After")), (503, "5"));
    jellyfin.well();
    jellyfin.lose_database();
    assert_ne!(id(), first);
    assert_eq!(key.json(ALL)["TotalRecordCount"], 0);
}

#[test]
fn the_oldest_knows_a_single_item_only_by_its_user() {
    let (_directory, world) = world();
    world.films(1);
    let options = jellyfin::Options { version: Version::V10_8, ..Default::default() };
    let jellyfin = Jellyfin::start(&world, options);
    let user = with_user(&jellyfin);
    let id = id_of(&user.json(ALL)["Items"][0]);
    let me = id_of(&user.json("/Users/Me"));
    assert_eq!(user.get(&format!("/Items/{id}")).status, 405);
    assert_eq!(user.get(&format!("/Users/{me}/Items/{id}")).status, 200);
}

#[test]
fn routes_and_names_may_be_spelled_in_any_case() {
    let world = World::without_disk();
    world.films(1);
    let jellyfin = Jellyfin::start(&world, jellyfin::Options::default());
    let client = with_key(&jellyfin);
    assert_eq!(client.json("/system/info/public")["Version"], "10.11.11");
    assert_eq!(client.json("/items?RECURSIVE=TRUE&IncludeItemTypes=movie")["TotalRecordCount"], 1);
    let given =
        client.post("/Users/authenticatebyname", &json!({"username": USER, "pw": PASSWORD}));
    assert_eq!(given.status, 200);
    assert_eq!(jellyfin.asked("/Items"), 1);
}

#[test]
fn two_hundred_thousand_episodes_can_be_paged_through() {
    let world = World::without_disk();
    world.series(5_000, 4, 10);
    let jellyfin = Jellyfin::start(&world, jellyfin::Options::default());
    let client = with_key(&jellyfin).patient();
    for start in [0, 100_000, 204_500] {
        let page = client.json(&format!("{ALL}&startIndex={start}&limit=1000"));
        assert_eq!(page["TotalRecordCount"], 205_000);
        assert_eq!(elements(&page["Items"]).len(), if start == 204_500 { 500 } else { 1000 });
    }
}
