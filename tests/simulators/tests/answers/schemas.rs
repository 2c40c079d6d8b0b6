//! Every answer compared with the documents that the services publish about themselves; what of these
//! is kept, and how it is written, stands in `openapi/extract.py`.
//!
//! They name no required properties. But the programs leave out what is null and nothing else, so that
//! each property which can't be null must be there; `ABSENT` has those that are left out all the same.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Map, Value, json};
use simulators::jellyfin::{self, PASSWORD, USER};
use simulators::{Jellyfin, Library, Radarr, Reason, Sonarr, radarr, sonarr};

use crate::client::{Client, world};

/// What may be left out though it can't be null: an id of 0.
const ABSENT: &[(&str, &[&str])] =
    &[("MediaInfoResource", &["id"]), ("DiskSpaceResource", &["id"]), ("HealthResource", &["id"])];

struct Document {
    answers: Map<String, Value>,
    schemas: Map<String, Value>,
    asked: BTreeSet<String>,
}

impl Document {
    fn read(text: &str) -> Self {
        let value: Value = serde_json::from_str(text).unwrap();
        let part = |name: &str| value[name].as_object().unwrap().clone();
        Self { answers: part("answers"), schemas: part("schemas"), asked: BTreeSet::new() }
    }

    /// Asks for what the route names, and checks what comes.
    fn ask(&mut self, client: &Client, route: &str, path: &str) -> Value {
        let said = client.json(path);
        self.check_answer(route, &said);
        said
    }

    fn check_answer(&mut self, route: &str, said: &Value) {
        let wanted = self.answers[route].as_str().unwrap().to_owned();
        let mut complaints = Vec::new();
        self.check(&wanted, said, "", &mut complaints);
        assert!(complaints.is_empty(), "{route}:\n{}\n{said:#}", complaints.join("\n"));
        self.asked.insert(route.to_owned());
    }

    fn check(&self, wanted: &str, said: &Value, at: &str, complaints: &mut Vec<String>) {
        if let Some(wanted) = wanted.strip_suffix('?') {
            if !said.is_null() {
                self.check(wanted, said, at, complaints);
            }
            return;
        }
        let is_right = match wanted {
            "any" => true,
            "integer" => said.is_i64() || said.is_u64(),
            "number" => said.is_number(),
            "boolean" => said.is_boolean(),
            "string" => said.is_string(),
            "date-time" => said.as_str().is_some_and(is_date),
            "uuid" => said.as_str().is_some_and(|id| id.len() == 32),
            _ if wanted.ends_with('|') => {
                said.as_str().is_some_and(|said| wanted.split_terminator('|').any(|w| w == said))
            }
            _ if wanted.starts_with('[') => {
                let inner = &wanted[1..wanted.len() - 1];
                for (n, element) in said.as_array().into_iter().flatten().enumerate() {
                    self.check(inner, element, &format!("{at}[{n}]"), complaints);
                }
                said.is_array()
            }
            _ if wanted.starts_with('{') => {
                let inner = &wanted[1..wanted.len() - 1];
                for (key, value) in said.as_object().into_iter().flatten() {
                    self.check(inner, value, &format!("{at}.{key}"), complaints);
                }
                said.is_object()
            }
            _ => match &self.schemas[wanted] {
                Value::String(other) => {
                    self.check(other, said, at, complaints);
                    true
                }
                properties => {
                    self.check_object(wanted, properties, said, at, complaints);
                    said.is_object()
                }
            },
        };
        if !is_right {
            complaints.push(format!("{at}: {said} is no {wanted}"));
        }
    }

    fn check_object(
        &self,
        name: &str,
        properties: &Value,
        said: &Value,
        at: &str,
        complaints: &mut Vec<String>,
    ) {
        let (Some(properties), Some(said)) = (properties.as_object(), said.as_object()) else {
            return;
        };
        for (key, value) in said {
            match properties.get(key).and_then(Value::as_str) {
                Some(wanted) => self.check(wanted, value, &format!("{at}.{key}"), complaints),
                None => complaints.push(format!("{at}.{key}: {name} has no such property")),
            }
        }
        let may_be_absent =
            ABSENT.iter().find(|(schema, _)| *schema == name).map_or(&[][..], |a| a.1);
        for (key, wanted) in properties {
            let must =
                self.is_value(wanted.as_str().unwrap()) && !may_be_absent.contains(&key.as_str());
            if must && !said.contains_key(key) {
                complaints.push(format!("{at}.{key}: {name} always has it"));
            }
        }
    }

    /// Whether a type is one that can't be null: no object, list or text.
    fn is_value(&self, wanted: &str) -> bool {
        match wanted {
            "integer" | "number" | "boolean" | "date-time" | "uuid" => true,
            _ if wanted.ends_with('|') => true,
            _ => self.schemas.get(wanted).is_some_and(Value::is_string),
        }
    }

    fn all_asked(&self) {
        let left: Vec<&String> = self.answers.keys().filter(|r| !self.asked.contains(*r)).collect();
        assert!(left.is_empty(), "never asked: {left:?}");
    }
}

fn is_date(text: &str) -> bool {
    text.len() >= 20 && text.ends_with('Z') && text.as_bytes()[10] == b'T'
}

#[test]
fn radarr_answers_as_its_document_says() {
    let mut document = Document::read(include_str!("../../openapi/radarr.json"));
    let (_directory, world) = world();
    let films = world.films(4);
    let radarr = Radarr::start(&world, radarr::Options::default());
    let client = Client::of_arr(&radarr);
    radarr.forget_files(&films[0], Reason::MissingFromDisk);
    radarr.upgrade(&films[1]);
    radarr.queue(&films[1]);
    radarr.command_running("RefreshMovie", Some(&films[1]));
    client.post("/api/v3/command", &json!({"name": "RescanMovie"}));
    for (route, query) in [
        ("/api/v3/system/status", ""),
        ("/api/v3/movie", ""),
        ("/api/v3/movie", "?excludeLocalCovers=true&tmdbId=1001"),
        ("/api/v3/moviefile", "?movieId=2&movieId=3"),
        ("/api/v3/rootfolder", ""),
        ("/api/v3/diskspace", ""),
        ("/api/v3/history", "?page=1&pageSize=10"),
        ("/api/v3/history/since", "?date=2020-01-01T00:00:00Z"),
        ("/api/v3/history/movie", "?movieId=2"),
        ("/api/v3/queue", ""),
        ("/api/v3/queue/details", ""),
        ("/api/v3/command", ""),
    ] {
        let said = document.ask(&client, route, &format!("{route}{query}"));
        assert_ne!(said, json!([]), "{route}: nothing to check");
    }
    document.ask(&client, "/api/v3/movie/{id}", "/api/v3/movie/1");
    document.ask(&client, "/api/v3/moviefile/{id}", "/api/v3/moviefile/3");
    document.ask(&client, "/api/v3/command/{id}", "/api/v3/command/2");
    fs::remove_dir_all(world.directory(Library::Movies).unwrap()).unwrap();
    document.ask(&client, "/api/v3/rootfolder", "/api/v3/rootfolder");
    assert_ne!(document.ask(&client, "/api/v3/health", "/api/v3/health"), json!([]));
    document.all_asked();
}

#[test]
fn sonarr_answers_as_its_document_says() {
    let mut document = Document::read(include_str!("../../openapi/sonarr.json"));
    let (_directory, world) = world();
    let shows = world.series(3, 2, 2);
    world.anime(1);
    let options = sonarr::Options { anime: Some("/anime".into()), ..Default::default() };
    let sonarr = Sonarr::start(&world, options);
    let client = Client::of_arr(&sonarr);
    sonarr.forget_files(&shows[0], Reason::MissingFromDisk);
    sonarr.upgrade(&shows[1]);
    sonarr.queue(&shows[1]);
    sonarr.command_running("RefreshSeries", Some(&shows[1]));
    client.post("/api/v3/command", &json!({"name": "RescanSeries"}));
    for (route, query) in [
        ("/api/v3/system/status", ""),
        ("/api/v3/series", ""),
        ("/api/v3/series", "?tvdbId=70001"),
        ("/api/v3/episodefile", "?seriesId=2"),
        ("/api/v3/episode", "?seriesId=1"),
        ("/api/v3/episode", "?seriesId=4"),
        ("/api/v3/rootfolder", ""),
        ("/api/v3/diskspace", ""),
        ("/api/v3/history", "?page=1&pageSize=10"),
        ("/api/v3/history/since", "?date=2020-01-01T00:00:00Z"),
        ("/api/v3/history/series", "?seriesId=2"),
        ("/api/v3/queue", ""),
        ("/api/v3/queue/details", ""),
        ("/api/v3/command", ""),
    ] {
        let said = document.ask(&client, route, &format!("{route}{query}"));
        assert_ne!(said, json!([]), "{route}: nothing to check");
    }
    document.ask(&client, "/api/v3/series/{id}", "/api/v3/series/1");
    document.ask(&client, "/api/v3/episodefile/{id}", "/api/v3/episodefile/13");
    document.ask(&client, "/api/v3/command/{id}", "/api/v3/command/2");
    fs::remove_dir_all(world.directory(Library::Tv).unwrap()).unwrap();
    document.ask(&client, "/api/v3/rootfolder", "/api/v3/rootfolder");
    assert_ne!(document.ask(&client, "/api/v3/health", "/api/v3/health"), json!([]));
    document.all_asked();
}

#[test]
fn jellyfin_answers_as_its_document_says() {
    let mut document = Document::read(include_str!("../../openapi/jellyfin.json"));
    let (_directory, world) = world();
    world.films(3);
    let show = &world.series(2, 2, 2)[0];
    world.anime(1);
    let jellyfin = Jellyfin::start(&world, jellyfin::Options::default());
    jellyfin.missing_episodes(show, 1);
    let bearer = |token: &str| format!("MediaBrowser Token=\"{token}\"");
    let client = Client::new(&jellyfin, &[("Authorization", &bearer(jellyfin.key()))]);
    let user = Client::new(&jellyfin, &[("Authorization", &bearer(&jellyfin.user_token()))]);
    let everything = "?recursive=true&fields=Path,ProviderIds";
    for (route, query) in [
        ("/System/Info/Public", ""),
        ("/System/Info", ""),
        ("/System/Ping", ""),
        ("/Items", ""),
        ("/Items", everything),
        ("/Items/Counts", ""),
        ("/Users", ""),
        ("/Library/VirtualFolders", ""),
        ("/ScheduledTasks", ""),
    ] {
        document.ask(&client, route, &format!("{route}{query}"));
    }
    jellyfin.scan_running(true);
    document.ask(&client, "/ScheduledTasks", "/ScheduledTasks");
    let me = document.ask(&user, "/Users/Me", "/Users/Me")["Id"].as_str().unwrap().to_owned();
    document.ask(&client, "/Users/{id}", &format!("/Users/{me}"));
    let all = document.ask(&client, "/Users/{id}/Items", &format!("/Users/{me}/Items{everything}"));
    for item in all["Items"].as_array().unwrap() {
        let id = item["Id"].as_str().unwrap();
        document.ask(&user, "/Items/{id}", &format!("/Items/{id}"));
        document.ask(&client, "/Users/{id}/Items/{id}", &format!("/Users/{me}/Items/{id}"));
    }
    let route = "POST /Users/AuthenticateByName";
    let login = json!({"Username": USER, "Pw": PASSWORD});
    document.check_answer(route, &client.post("/Users/AuthenticateByName", &login).json());
    document.all_asked();
}

#[test]
fn what_differs_from_the_document_is_noticed() {
    let text = r#"{"answers": {"/a": "A"}, "schemas": {"A": {"n": "integer", "s": "string?", "e": "E?"}, "E": "x|y|"}}"#;
    let document = Document::read(text);
    let complaints = |said: Value| {
        let mut complaints = Vec::new();
        document.check("A", &said, "", &mut complaints);
        complaints.len()
    };
    assert_eq!(complaints(json!({"n": 1})), 0);
    assert_eq!(complaints(json!({"n": 1, "s": null, "e": "x"})), 0);
    for wrong in [
        json!({}),
        json!({"n": null}),
        json!({"n": "1"}),
        json!({"n": 1, "s": 2}),
        json!({"n": 1, "e": "z"}),
        json!({"n": 1, "other": 1}),
        json!([]),
    ] {
        assert!(complaints(wrong.clone()) > 0, "{wrong}");
    }
}
