//! What Radarr says, as its sources and its published document have it.

use std::fs;

use serde_json::json;
use simulators::{Library, Radarr, Reason, radarr};

use crate::client::{Client, elements, world};

#[test]
fn every_film_is_listed_as_it_lies_on_disk() {
    let (_directory, world) = world();
    let films = world.films(20);
    let radarr = Radarr::start(&world, radarr::Options::default());
    let movies = Client::of_arr(&radarr).json("/api/v3/movie?excludeLocalCovers=true");
    assert_eq!(elements(&movies).len(), 20);
    for (movie, film) in elements(&movies).iter().zip(&films) {
        assert_eq!(movie["tmdbId"], film.tmdb);
        assert_eq!(movie["year"], film.year);
        let path = movie["movieFile"]["path"].as_str().unwrap();
        let on_disk = path.replacen(
            "/movies",
            world.directory(Library::Movies).unwrap().to_str().unwrap(),
            1,
        );
        assert!(fs::exists(&on_disk).unwrap(), "{on_disk}");
    }
}

#[test]
fn paths_are_those_of_its_own_system() {
    let (_directory, world) = world();
    world.films(1);
    let options = radarr::Options { prefix: "D:\\Films\\".into(), ..Default::default() };
    let radarr = Radarr::start(&world, options);
    let client = Client::of_arr(&radarr);
    let movie = client.json("/api/v3/movie/1");
    let name = "The Quiet Harbour (1950)";
    assert_eq!(movie["path"], format!("D:\\Films\\{name}"));
    assert_eq!(movie["rootFolderPath"], "D:\\Films");
    assert_eq!(movie["movieFile"]["path"], format!("D:\\Films\\{name}\\{name} Bluray-1080p.mkv"));
    assert_eq!(client.json("/api/v3/rootfolder")[0]["path"], "D:\\Films\\");
}

#[test]
fn a_key_is_taken_as_query_header_or_bearer_and_nothing_else() {
    let (_directory, world) = world();
    world.films(1);
    let radarr =
        Radarr::start(&world, radarr::Options { key: "secret".into(), ..Default::default() });
    let status = "/api/v3/system/status";
    let with =
        |headers: &[(&str, &str)], path: &str| Client::new(&radarr, headers).get(path).status;
    assert_eq!(with(&[("X-Api-Key", "secret")], status), 200);
    assert_eq!(with(&[("Authorization", "Bearer secret")], status), 200);
    assert_eq!(with(&[], &format!("{status}?apikey=secret")), 200);
    assert_eq!(with(&[], status), 401);
    assert_eq!(with(&[("X-Api-Key", "wrong")], status), 401);
    assert_eq!(with(&[("X-Api-Key", "secret")], &format!("{status}?apikey=wrong")), 401);
    assert_eq!(with(&[], "/ping"), 200);
    let refused = Client::new(&radarr, &[]).get(status);
    assert_eq!(
        (refused.text.as_str(), refused.header("X-Application-Version")),
        ("", "6.1.0.10293")
    );
}

#[test]
fn outside_its_sub_path_it_sends_one_there() {
    let (_directory, world) = world();
    world.films(1);
    let options = radarr::Options { url_base: "/radarr".into(), ..Default::default() };
    let radarr = Radarr::start(&world, options);
    let client = Client::of_arr(&radarr);
    assert!(radarr.url().ends_with("/radarr"));
    assert_eq!(client.json("/api/v3/system/status")["urlBase"], "/radarr");
    let outside =
        Radarr::start(&world, radarr::Options { url_base: "/radarr".into(), ..Default::default() });
    let root = outside.url().trim_end_matches("/radarr").to_owned();
    let client = Client::of_arr(&outside);
    let answer = client.get_at(&format!("{root}/api/v3/movie?tmdbId=1"));
    assert_eq!(answer.status, 307);
    assert_eq!(answer.header("Location"), "/radarr/api/v3/movie?tmdbId=1");
}

#[test]
fn what_is_no_interface_is_a_page() {
    let (_directory, world) = world();
    let radarr = Radarr::start(&world, radarr::Options::default());
    let client = Client::of_arr(&radarr);
    let page = client.get("/movies");
    assert_eq!((page.status, page.header("Content-Type")), (200, "text/html; charset=utf-8"));
    assert_eq!(client.get("/api/v3/nothing").status, 404);
    assert_eq!(client.get("/api/v3/movie/99").json(), json!({"message": "NotFound"}));
}

#[test]
fn a_title_that_is_removed_and_added_again_has_another_id() {
    let (_directory, world) = world();
    let film = &world.films(3)[1];
    let radarr = Radarr::start(&world, radarr::Options::default());
    let client = Client::of_arr(&radarr);
    let by_tmdb = format!("/api/v3/movie?tmdbId={}", film.tmdb);
    assert_eq!(client.json(&by_tmdb)[0]["id"], 2);
    radarr.readd(film);
    assert_eq!(client.json(&by_tmdb)[0]["id"], 4);
    assert_eq!(client.get("/api/v3/movie/2").status, 404);
    radarr.remove(film);
    assert_eq!(client.json(&by_tmdb), json!([]));
}

#[test]
fn a_scan_forgets_what_went_and_finds_what_came_back() {
    let (_directory, world) = world();
    let film = &world.films(2)[0];
    let radarr = Radarr::start(&world, radarr::Options::default());
    let client = Client::of_arr(&radarr);
    world.delete(film);
    assert_eq!(client.json("/api/v3/movie/1")["hasFile"], true, "before a scan it knows nothing");
    let taken = client.post("/api/v3/command", &json!({"name": "RescanMovie", "movieId": 1}));
    assert_eq!((taken.status, &taken.json()["status"]), (201, &json!("queued")));
    let movie = client.json("/api/v3/movie/1");
    assert_eq!((&movie["hasFile"], &movie["movieFileId"]), (&json!(false), &json!(0)));
    assert!(movie.get("movieFile").is_none(), "null properties are left out");
    let history = client.json("/api/v3/history/movie?movieId=1&eventType=movieFileDeleted");
    assert_eq!(history[0]["data"]["reason"], "MissingFromDisk");
    world.write(film);
    radarr.rescan();
    assert_eq!(client.json("/api/v3/movie/1")["movieFile"]["id"], 3);
}

#[test]
fn a_scan_of_a_hollow_or_missing_root_forgets_nothing() {
    let (_directory, world) = world();
    for film in world.films(2) {
        world.delete(&film);
    }
    let radarr = Radarr::start(&world, radarr::Options::default());
    let client = Client::of_arr(&radarr);
    let has_files = || client.json("/api/v3/movie")[0]["hasFile"] == true;
    radarr.rescan();
    assert!(has_files(), "an empty root is distrusted");
    assert_eq!(client.json("/api/v3/rootfolder")[0]["accessible"], true);
    let root = world.directory(Library::Movies).unwrap();
    fs::remove_dir(&root).unwrap();
    radarr.rescan();
    assert!(has_files(), "a missing root is distrusted");
    let folder = client.json("/api/v3/rootfolder")[0].clone();
    assert_eq!((&folder["accessible"], folder.get("freeSpace")), (&json!(false), None));
    assert_eq!(client.json("/api/v3/health")[0]["source"], "RootFolderCheck");
    // The hole in the guard: anything that lies in the mount point makes it look well.
    fs::create_dir_all(root.join("lost+found")).unwrap();
    radarr.rescan();
    assert!(!has_files());
}

#[test]
fn an_upgrade_stands_in_its_history_queue_and_commands() {
    let (_directory, world) = world();
    let films = world.films(2);
    let radarr = Radarr::start(&world, radarr::Options::default());
    let client = Client::of_arr(&radarr);
    radarr.upgrade(&films[0]);
    radarr.forget_files(&films[1], Reason::Manual);
    radarr.queue(&films[1]);
    radarr.command_running("RefreshMovie", Some(&films[0]));
    let history = client.json("/api/v3/history?pageSize=1&eventType=6&page=2");
    assert_eq!((&history["totalRecords"], elements(&history["records"]).len()), (&json!(2), 1));
    let of_first = client.json("/api/v3/history/movie?movieId=1");
    assert_eq!(elements(&of_first).len(), 2);
    assert!(of_first.to_string().contains("\"reason\":\"Upgrade\""));
    let since =
        client.json("/api/v3/history/since?date=2020-01-01T00:00:00Z&eventType=movieFileDeleted");
    assert_eq!(elements(&since).len(), 2);
    assert_eq!(client.json("/api/v3/history/since?date=2090-01-01T00:00:00Z"), json!([]));
    assert_eq!(client.json("/api/v3/queue")["records"][0]["movieId"], 2);
    assert_eq!(client.json("/api/v3/queue/details?movieId=1"), json!([]));
    let command = client.json("/api/v3/command")[0].clone();
    assert_eq!((&command["name"], &command["status"]), (&json!("RefreshMovie"), &json!("started")));
    assert_eq!(command["body"]["movieIds"], json!([1]));
}

#[test]
fn a_database_can_be_lost_restored_and_made_anew() {
    let (_directory, world) = world();
    let films = world.films(2);
    let radarr = Radarr::start(&world, radarr::Options::default());
    let client = Client::of_arr(&radarr);
    let ids = || -> Vec<u64> {
        elements(&client.json("/api/v3/movie")).iter().map(|m| m["id"].as_u64().unwrap()).collect()
    };
    let started = || client.json("/api/v3/system/status")["startTime"].clone();
    let (backup, begun) = (radarr.backup(), started());
    radarr.remove(&films[0]);
    assert_eq!(ids(), [2]);
    radarr.restart();
    assert_ne!(started(), begun);
    radarr.restore(&backup);
    assert_eq!(ids(), [1, 2]);
    radarr.recreate_ids();
    assert_eq!(ids(), [3, 4]);
    assert_eq!(radarr.id(&films[0]), Some(3));
    radarr.lose_database();
    assert_eq!(ids(), [0; 0]);
    assert_eq!(client.json("/api/v3/rootfolder"), json!([]));
}

#[test]
fn fifty_thousand_films_are_listed_in_one_answer() {
    let world = simulators::World::without_disk();
    world.films(50_000);
    let radarr = Radarr::start(&world, radarr::Options::default());
    let movies = Client::of_arr(&radarr).patient().json("/api/v3/movie?excludeLocalCovers=true");
    assert_eq!(elements(&movies).len(), 50_000);
}
