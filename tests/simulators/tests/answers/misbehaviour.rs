//! Each way of going wrong, as a client meets it.

use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;
use simulators::{Misbehaviour, Radarr, World, radarr};

use crate::client::{Client, elements};

fn radarr(films: u32) -> Radarr {
    let world = World::without_disk();
    world.films(films);
    Radarr::start(&world, radarr::Options::default())
}

const MOVIES: &str = "/api/v3/movie";

#[test]
fn one_that_is_down_refuses_connections_until_it_is_well() {
    let radarr = radarr(1);
    let client = Client::of_arr(&radarr);
    assert_eq!(client.get(MOVIES).status, 200);
    radarr.misbehave(Misbehaviour::Down);
    assert!(client.try_get(MOVIES).is_err(), "the connection that was open ends");
    assert!(client.try_get(MOVIES).unwrap_err().is_connect());
    let address = radarr.url().trim_start_matches("http://").to_owned();
    assert!(TcpStream::connect(&address).is_err());
    radarr.well();
    assert_eq!(client.get(MOVIES).status, 200);
    radarr.misbehave_from(2, Misbehaviour::Down);
    assert_eq!(client.get(MOVIES).status, 200);
    assert!(client.try_get(MOVIES).is_err());
    assert!(client.try_get(MOVIES).is_err());
}

#[test]
fn connections_that_end_hang_or_dawdle_give_no_answer() {
    let radarr = radarr(1);
    let client = Client::of_arr(&radarr);
    radarr.misbehave(Misbehaviour::Reset);
    assert!(!client.try_get(MOVIES).unwrap_err().is_timeout());
    radarr.well();
    radarr.misbehave(Misbehaviour::Slow(Duration::from_millis(20)));
    assert_eq!(client.get(MOVIES).status, 200);
    radarr.misbehave(Misbehaviour::Hang);
    assert!(client.try_get(MOVIES).unwrap_err().is_timeout());
    radarr.well();
    radarr.misbehave(Misbehaviour::CutOff);
    let error = client.try_get(MOVIES).unwrap_err();
    assert!(!error.is_timeout() && !error.is_connect(), "{error:?}");
}

#[test]
fn each_refusal_has_the_body_of_the_one_who_says_it() {
    let radarr = radarr(1);
    let client = Client::of_arr(&radarr);
    let table: [(Misbehaviour, u16, &str, bool); 8] = [
        (Misbehaviour::Unauthorized, 401, "", true),
        (Misbehaviour::Forbidden, 403, "", true),
        (Misbehaviour::ProxyNotFound, 404, "404 Not Found", false),
        (Misbehaviour::BadGateway, 502, "502 Bad Gateway", false),
        (Misbehaviour::TooManyRequests { retry_after: 7 }, 429, "Too Many Requests", false),
        (Misbehaviour::InternalError, 500, "database is locked", true),
        (Misbehaviour::Starting, 503, "Radarr is starting up, please try again later", true),
        (Misbehaviour::WebPage, 200, "<html>", false),
    ];
    for (what, status, part, is_its_own) in table {
        radarr.well();
        radarr.misbehave(what.clone());
        let answer = client.get(MOVIES);
        assert_eq!(answer.status, status, "{what:?}");
        assert!(answer.text.contains(part), "{what:?}: {}", answer.text);
        assert_eq!(answer.headers.contains_key("X-Application-Version"), is_its_own, "{what:?}");
        if status == 429 {
            assert_eq!(answer.header("Retry-After"), "7");
        }
    }
}

#[test]
fn lists_can_be_broken_empty_or_half() {
    let radarr = radarr(10);
    let client = Client::of_arr(&radarr);
    radarr.misbehave(Misbehaviour::TruncatedJson);
    let truncated = client.get(MOVIES);
    assert_eq!(truncated.status, 200);
    assert!(serde_json::from_str::<serde_json::Value>(&truncated.text).is_err());
    radarr.well();
    radarr.misbehave(Misbehaviour::EmptyList);
    assert_eq!(client.json(MOVIES), json!([]));
    radarr.well();
    radarr.misbehave(Misbehaviour::HalfList);
    assert_eq!(elements(&client.json(MOVIES)).len(), 5);
}

#[test]
fn another_instance_has_another_name_and_other_titles_under_the_ids() {
    let radarr = radarr(10);
    let client = Client::of_arr(&radarr);
    let name = || client.json("/api/v3/system/status")["instanceName"].clone();
    let tmdb = |id: u32| client.get(&format!("{MOVIES}/{id}"));
    let (first, tenth) = (tmdb(1).json()["tmdbId"].clone(), tmdb(10).json()["tmdbId"].clone());
    radarr.misbehave(Misbehaviour::OtherInstance);
    assert_eq!(name(), "Other");
    assert_eq!((tmdb(1).json()["tmdbId"].clone(), tmdb(1).json()["id"].clone()), (tenth, json!(1)));
    radarr.well();
    radarr.misbehave(Misbehaviour::RecreatedIds);
    assert_eq!(name(), "Radarr");
    assert_eq!(tmdb(1).status, 404);
    let listed = client.json(&format!("{MOVIES}?tmdbId={first}"));
    assert_eq!(listed[0]["id"], 1_000_001);
    assert_eq!(tmdb(1_000_001).json()["tmdbId"], first);
}

#[test]
fn scans_and_imports_show_as_commands() {
    let radarr = radarr(1);
    let client = Client::of_arr(&radarr);
    assert_eq!(client.json("/api/v3/command"), json!([]));
    radarr.misbehave(Misbehaviour::ScanRunning);
    assert_eq!(client.json("/api/v3/command")[0]["name"], "RescanMovie");
    radarr.misbehave(Misbehaviour::ImportRunning);
    assert_eq!(client.json("/api/v3/command")[1]["status"], "started");
}

#[test]
fn it_can_begin_amid_a_probe_and_on_one_route_alone() {
    let radarr = radarr(1);
    let client = Client::of_arr(&radarr);
    radarr.misbehave_from(3, Misbehaviour::InternalError);
    let statuses = || (0..4).map(|_| client.get(MOVIES).status).collect::<Vec<_>>();
    assert_eq!(statuses(), [200, 200, 500, 500]);
    radarr.well();
    radarr.misbehave_at_from("/api/v3/movie/{id}", 2, Misbehaviour::Forbidden);
    assert_eq!(statuses(), [200; 4]);
    assert_eq!(client.get("/api/v3/movie/1").status, 200);
    assert_eq!(client.get("/api/v3/movie/1").status, 403);
}

#[test]
fn every_request_is_counted_by_its_route() {
    let radarr = radarr(2);
    let client = Client::of_arr(&radarr);
    client.get("/api/v3/movie/1");
    client.get("/api/v3/movie/2");
    client.get("/api/v3/movie?tmdbId=5");
    client.post("/api/v3/command", &json!({"name": "RefreshMovie"}));
    assert_eq!(radarr.asked("/api/v3/movie/{id}"), 2);
    assert_eq!(radarr.asked("POST /api/v3/command"), 1);
    assert_eq!(radarr.asked_in_all(), 4);
    assert_eq!(radarr.log()[2], "GET /api/v3/movie?tmdbId=5");
    radarr.forget_requests();
    assert_eq!(radarr.asked_in_all(), 0);
}
