//! Names that are meant to break something, from services and on the disk: each is a name like any other.

use std::sync::Arc;

use serde_json::Value;
use simulators::{Library, Radarr, Title, World, radarr};

use super::rig::{Kinds, LONG, Rig, SMALL, table, wait_health};
use crate::e2e::daemon::{Home, SETTLE};
use crate::e2e::wait::{throughout, until};

/// Names of folders that a disk takes, without the year.
const ODD: [&str; 7] = [
    "Robert'); DROP TABLE movies;--",
    "\" OR 1=1 --",
    "😀🎬",
    "\u{202e}gpj.mliF",
    "Bell\u{7}\u{1b}[31m\u{1b}]0;x\u{7}",
    "Two\nLines\r1970-01-01T00:00:00.000Z  Forged (1995) (film)",
    "${HOME} $(id) `id` %s%n {0} \\x41",
];

/// The year of all of them.
const YEAR: u16 = 1999;

/// Asks everything that shows names on a terminal, and wants each answer to be plain lines.
fn shown(home: &Home, about: &str) -> String {
    let mut all = String::new();
    for args in [&["status"][..], &["candidates"], &["deletions"], &["check"], &["explain", about]]
    {
        let output = home.ask(args);
        for bytes in [output.stdout, output.stderr] {
            all += &String::from_utf8(bytes).unwrap();
        }
    }
    let is_odd = |c: char| {
        (c.is_control() && c != '\n') || ('\u{2028}'..='\u{202e}').contains(&c) || c == '\u{200b}'
    };
    assert!(!all.contains(is_odd), "{all:?}");
    assert!(!all.lines().any(|line| line.starts_with("1970")), "{all}");
    all
}

fn odd_films(world: &World) {
    for name in ODD {
        world.film_called(name, YEAR, &format!("{name} ({YEAR})"));
    }
}

#[test]
fn odd_names_on_the_disk_and_in_services_are_told_as_they_are_and_shown_safely() {
    let rig = Rig::with(SMALL, Kinds::default(), odd_films);
    let films: Vec<Arc<Title>> = rig.world.titles_of(Library::Movies).split_off(30);
    let daemon = rig.start();
    assert_eq!(rig.home.look()["found_missing"], serde_json::json!([]));
    let mut names: Vec<String> = Vec::new();
    for (n, film) in films.iter().enumerate() {
        rig.world.delete(film);
        let told = daemon.wait_deletions(n + 1);
        let path = rig.world.path(film, &film.files[0]);
        let is_it = |fact: &Value| fact["path"] == path.to_str().unwrap();
        assert!(told[0]["evidence"].as_array().unwrap().iter().any(is_it), "{:#}", told[0]);
        names.push(told[0]["item"]["title"].as_str().unwrap().to_owned());
        shown(&rig.home, &names[n]);
    }
    assert_eq!(rig.home.ledger().len(), films.len());
    // All of it is kept, and read again.
    let story = |name: &str| rig.home.json(&["explain", name]).unwrap();
    let before: Vec<Value> = names.iter().map(|name| story(name)).collect();
    assert!(before.iter().all(|story| story["stories"][0]["state"] == "gone"), "{before:#?}");
    assert_eq!(daemon.stop(), 0);
    let daemon = rig.start();
    let after: Vec<Value> = names.iter().map(|name| story(name)).collect();
    assert_eq!(after, before);
    assert_eq!(daemon.deletions().len(), films.len());
    assert!(!rig.home.log().contains(['\u{1b}', '\u{7}', '\u{202e}']));
}

#[test]
fn titles_that_differ_only_by_what_can_not_be_seen_are_not_taken_for_each_other() {
    let pairs = [("Heat", "Heat\u{202e}"), ("Ran", "R\u{200b}an"), ("Alien 😀", "Alien 😁")];
    let rig = Rig::with(SMALL, Kinds::default(), |world| {
        for (one, other) in pairs {
            for name in [one, other] {
                let number = 1000 + world.titles_of(Library::Movies).len();
                world.film_called(name, YEAR, &format!("{name} ({YEAR}) {{tmdb-{number}}}"));
            }
        }
    });
    let films = rig.world.titles_of(Library::Movies).split_off(30);
    let daemon = rig.start();
    for (n, pair) in films.chunks(2).enumerate() {
        rig.world.delete(&pair[1]);
        let told = daemon.wait_deletions(n + 1);
        assert_eq!(told[0]["item"]["ids"]["tmdb"], pair[1].tmdb, "{:#}", told[0]);
    }
    daemon.check();
    throughout(SETTLE * 3, || assert_eq!(daemon.deletions().len(), pairs.len()));
}

#[test]
fn titles_and_paths_of_four_thousand_bytes_are_kept_and_given_back_whole() {
    let mut rig = Rig::new(SMALL);
    let elsewhere = World::without_disk();
    elsewhere.films(20);
    let long = "長い題名 ".repeat(320);
    let evil = "x\r\n1970-01-01T00:00:00.000Z  Heat (1995) (film)\u{1b}[2K\u{0}\u{202e}";
    let deep = vec!["d".repeat(199); 20].join("/");
    let odd = [
        elsewhere.film_called(&long, YEAR, &deep),
        elsewhere.film_called(evil, YEAR, &"w".repeat(4096)),
        elsewhere.film_called(&format!("{long}!"), YEAR, "../../../../etc"),
        elsewhere.film_called("", YEAR, "no\u{0}path\n"),
    ];
    let options = radarr::Options { prefix: "/uhd".into(), ..Default::default() };
    let uhd = Radarr::start(&elsewhere, options);
    let movies = rig.home.media().join("movies");
    let config = rig.config() + &table("radarr.uhd", &uhd, &format!("\"/uhd\" = {movies:?}"));
    rig.home.configure(&config);
    let daemon = rig.start();
    wait_health(&daemon, "radarr.uhd", "well");
    let view = rig.home.look();
    let listed: Vec<&Value> = ["found_missing", "unmatched"]
        .iter()
        .flat_map(|list| view[list].as_array().unwrap())
        .filter(|one| one["service"] == "radarr.uhd")
        .collect();
    for film in &odd {
        let place = format!("/uhd/{}/film.mkv", film.folder);
        let is_it =
            |one: &&&Value| one["item"]["title"] == film.name.as_str() && one["place"] == place;
        assert_eq!(listed.iter().filter(is_it).count(), 1, "{:?} {listed:?}", film.folder);
    }
    shown(&rig.home, &long);
    // What was never seen alive can't die, whatever it is called. More at once would be doubted.
    odd[..3].iter().for_each(|film| uhd.remove(film));
    daemon.check();
    throughout(SETTLE * 3, || assert!(daemon.deletions().is_empty()));
    let titles = |health: &str| {
        until("it is listed", LONG, || {
            let status = rig.home.json(&["status"])?;
            let services = status["services"].as_array()?;
            let uhd = services.iter().find(|one| one["name"] == "radarr.uhd")?;
            (uhd["health"] == health).then(|| uhd["titles"].clone())
        })
    };
    let before = titles("well");
    assert_eq!(daemon.stop(), 0);
    drop(uhd);
    let daemon = rig.start();
    assert_eq!(titles("unwell"), before);
    shown(&rig.home, "x");
    assert!(daemon.deletions().is_empty());
    assert!(!rig.home.log().contains(['\u{1b}', '\u{202e}', '\r']));
}
