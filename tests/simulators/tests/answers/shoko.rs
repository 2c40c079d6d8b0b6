//! What Shoko says, in the shapes of three versions.

use std::fs;

use serde_json::{Value, json};
use simulators::shoko::{self, PASSWORD, USER, Version};
use simulators::{Misbehaviour, Shoko, World};

use crate::client::{Client, elements, world};

fn client(shoko: &Shoko) -> Client {
    Client::new(shoko, &[("apikey", shoko.key())])
}

fn of(world: &World, version: Version) -> Shoko {
    Shoko::start(world, shoko::Options { version, ..Default::default() })
}

#[test]
fn series_are_paged_with_a_limit_and_sorted_by_title() {
    let world = World::without_disk();
    world.anime(120);
    let shoko = of(&world, Version::V5);
    let client = client(&shoko);
    let page = client.json("/api/v3/Series");
    assert_eq!((&page["Total"], elements(&page["List"]).len()), (&json!(120), 50));
    let last = client.json("/api/v3/Series?pageSize=100&page=2");
    assert_eq!(elements(&last["List"]).len(), 20);
    let whole = client.json("/api/v3/Series?pageSize=0");
    let names: Vec<String> = elements(&whole["List"])
        .iter()
        .map(|s| s["Name"].as_str().unwrap().to_lowercase())
        .collect();
    assert!(names.is_sorted() && names.len() == 120);
    assert_eq!(client.get("/api/v3/Series?pageSize=101").status, 400);
    assert_eq!(client.get("/api/v3/Series?page=0").status, 400);
    assert_eq!(client.get("/api/v3/File?pageSize=1001").status, 400);
    assert_eq!(client.json("/api/v3/ImportFolder/1/File?pageSize=10000")["Total"], 360);
}

#[test]
fn whether_a_file_can_be_read_is_looked_up_now() {
    let (_directory, world) = world();
    let show = &world.anime(1)[0];
    let shoko = of(&world, Version::V5);
    let client = client(&shoko);
    let accessible = || {
        let file = client.json("/api/v3/File/1?include=XRefs,AbsolutePaths");
        file["Locations"]
            .as_array()
            .unwrap()
            .iter()
            .map(|l| l["IsAccessible"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(accessible(), [true]);
    fs::remove_file(world.path(show, &show.files[0])).unwrap();
    assert_eq!(accessible(), [false]);
    assert_eq!(
        client.json("/api/v3/Series/1")["Sizes"]["Local"]["Episodes"],
        3,
        "records, not files"
    );
    shoko.also_at(show, "Elsewhere");
    assert_eq!(accessible(), [false, false]);
    let elsewhere = world.directory(simulators::Library::Anime).unwrap().join("Elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::write(elsewhere.join(&*show.files[0].name), "m").unwrap();
    assert_eq!(accessible(), [false, true]);
}

#[test]
fn removing_missing_files_has_no_guard_and_leaves_the_series() {
    let (_directory, world) = world();
    let shows = world.anime(2);
    let shoko = of(&world, Version::V5);
    let client = client(&shoko);
    world.delete(&shows[0]);
    world.delete(&shows[1]);
    shoko.rescan();
    assert_eq!(client.json("/api/v3/File")["Total"], 6, "a scan forgets nothing");
    shoko.remove_missing_files();
    assert_eq!(client.json("/api/v3/File")["Total"], 0);
    assert_eq!(client.json("/api/v3/Series")["Total"], 2);
    assert_eq!(client.json("/api/v3/Series/WithoutFiles")["Total"], 2);
    assert_eq!(client.json("/api/v3/Series/1/Episode?includeMissing=Only")["Total"], 3);
    let gone = client.get("/api/v3/File/1");
    assert_eq!((gone.status, gone.text.as_str()), (404, "No File entry for the given fileID"));
    world.write(&shows[0]);
    shoko.rescan();
    let files = client.json("/api/v3/Series/1/File");
    assert_eq!((&files["Total"], &files["List"][0]["ID"]), (&json!(3), &json!(7)));
}

#[test]
fn each_version_has_its_own_names() {
    let world = World::without_disk();
    world.anime(1);
    let tmdb = world.titles()[0].tmdb;
    let table = [
        (Version::V4_2, "ImportFolder", "ManagedFolder", json!([tmdb])),
        (Version::V5, "ImportFolder", "ManagedFolder", json!({"Movie": [], "Show": [tmdb]})),
        (Version::V6, "ManagedFolder", "ImportFolder", json!({"Movie": [], "Show": [tmdb]})),
    ];
    for (version, folder, unknown, ids) in table {
        let shoko = of(&world, version);
        let client = client(&shoko);
        assert_eq!(client.json(&format!("/api/v3/{folder}"))[0]["Path"], "/mnt/anime/");
        assert_eq!(client.get(&format!("/api/v3/{unknown}")).status, 404);
        let series = client.json("/api/v3/Series/1");
        assert_eq!(series["IDs"]["TMDB"], ids);
        assert_eq!(series["IDs"].get("IMDB").is_none(), version == Version::V4_2);
        let include = if version == Version::V4_2 {
            "includeXRefs=true"
        } else {
            "include=XRefs,AbsolutePaths"
        };
        let file = client.json(&format!("/api/v3/File/1?{include}"));
        assert_eq!(file["SeriesIDs"][0]["SeriesID"]["AniDB"], 10_000);
        let location = file["Locations"][0].as_object().unwrap();
        assert_eq!(location[&format!("{folder}ID")], 1);
        assert_eq!(location.contains_key("AbsolutePath"), version != Version::V4_2);
        assert_eq!(location.contains_key("FileID"), version != Version::V4_2);
        assert_eq!(file["Hashes"].is_array(), version == Version::V6);
        let bare = client.json("/api/v3/File/1");
        assert!(
            bare.get("SeriesIDs").is_none() && bare["Locations"][0].get("AbsolutePath").is_none()
        );
    }
}

#[test]
fn what_is_hidden_or_ignored_is_left_out_and_is_not_gone() {
    let world = World::without_disk();
    let shows = world.anime(2);
    let shoko = of(&world, Version::V5);
    let client = client(&shoko);
    shoko.hide_from_user(&shows[0]);
    assert_eq!(client.get("/api/v3/Series/1").status, 403);
    assert_eq!(client.json("/api/v3/Series")["Total"], 1);
    shoko.ignore(&shows[1]);
    assert_eq!(client.json("/api/v3/Series/2/File")["Total"], 0);
    assert_eq!(client.json("/api/v3/Series/2/File?include=Ignored")["Total"], 3);
    shoko.remove(&shows[1]);
    let gone = client.get("/api/v3/Series/2");
    assert_eq!((gone.status, gone.text.as_str()), (404, "No Series entry for the given seriesID"));
    assert_eq!(client.get("/api/v3/Series/0").status, 400);
}

#[test]
fn a_series_is_found_by_its_number_in_anidb_under_whatever_id() {
    let world = World::without_disk();
    let shows = world.anime(2);
    let shoko = of(&world, Version::V6);
    let client = client(&shoko);
    let id = || client.json("/api/v3/Series/AniDB/10000/Series")["IDs"]["ID"].clone();
    assert_eq!(id(), 1);
    shoko.misbehave(Misbehaviour::OtherInstance);
    assert_eq!(client.json("/api/v3/Series/1")["IDs"]["AniDB"], 10_001);
    shoko.well();
    shoko.readd(&shows[0]);
    assert_eq!((id(), shoko.id(&shows[0])), (json!(3), Some(3)));
    shoko.recreate_ids();
    assert_eq!(id(), 6);
    shoko.lose_database();
    assert_eq!(client.get("/api/v3/Series/AniDB/10000/Series").status, 404);
    assert_eq!(client.json("/api/v3/ManagedFolder"), json!([]));
}

#[test]
fn files_are_found_by_the_end_of_their_path() {
    let (_directory, world) = world();
    let show = &world.anime(1)[0];
    let shoko = of(&world, Version::V5);
    let path =
        format!("{}%5C{}", show.folder.to_uppercase(), show.files[1].name).replace(' ', "%20");
    let found = client(&shoko).json(&format!("/api/v3/File/PathEndsWith?path={path}"));
    assert_eq!((elements(&found).len(), &found[0]["ID"]), (1, &json!(2)));
}

#[test]
fn a_key_comes_by_name_and_password_and_is_taken_as_the_version_takes_it() {
    let world = World::without_disk();
    for version in [Version::V4_2, Version::V5, Version::V6] {
        let shoko = of(&world, version);
        let open = Client::new(&shoko, &[]);
        let login = json!({"user": USER, "pass": PASSWORD, "device": "test"});
        let key = open.post("/api/auth", &login).json()["apikey"].as_str().unwrap().to_owned();
        let me = "/api/v3/User/Current";
        let ask = |name: &str, value: &str| Client::new(&shoko, &[(name, value)]).get(me).status;
        assert_eq!(ask("apikey", &key), 200);
        assert_eq!(open.get(&format!("{me}?apikey={key}")).status, 200);
        let bearer = if version == Version::V6 { 200 } else { 401 };
        assert_eq!(ask("Authorization", &format!("Bearer {key}")), bearer);
        assert_eq!((ask("apikey", "wrong"), open.get(me).status), (401, 401));
        let refused = open.post("/api/auth", &json!({"user": USER, "pass": "", "device": "test"}));
        assert_eq!(refused.status, 401);
    }
}

#[test]
fn while_it_starts_only_its_state_can_be_asked() {
    let world = World::without_disk();
    world.anime(1);
    let shoko = of(&world, Version::V6);
    let client = client(&shoko);
    let state = || -> Value { client.json("/api/v3/Init/Status")["State"].clone() };
    assert_eq!((state(), client.get("/api/v3/Series").status), (json!("Started"), 200));
    assert_eq!(client.json("/api/v3/Init/Version")["Server"]["Version"], "6.0.0.0");
    shoko.misbehave(Misbehaviour::Starting);
    assert_eq!((state(), client.get("/api/v3/Series").status), (json!("Starting"), 503));
    shoko.well();
    shoko.database_blocked(true);
    let blocked = client.get("/api/v3/Series");
    assert_eq!((blocked.status, blocked.text.as_str()), (400, "Database is Blocked"));
}
