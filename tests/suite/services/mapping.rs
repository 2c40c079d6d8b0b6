//! Where the paths of a service lie here: while that is wrong nothing that is missing there is told, and
//! once it is right it is decided without a person.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use rustix::process::Signal;
use serde_json::Value;
use simulators::{Misbehaviour, Radarr, Simulator, Sonarr, Title, World, radarr, sonarr};

use super::rig::{evidence, sweep, table, wait_health};
use crate::e2e::daemon::{Daemon, Home, SETTLE};
use crate::e2e::wait::{throughout, until};

/// A library of films, and a Radarr that sees it as `prefix`.
struct Films {
    home: Home,
    world: World,
    films: Vec<Arc<Title>>,
    radarr: Radarr,
}

impl Films {
    fn seen_as(prefix: &str) -> Self {
        let home = Home::bare();
        let world = World::new(home.media());
        let films = world.films(25);
        let options = radarr::Options { prefix: prefix.into(), ..Default::default() };
        let radarr = Radarr::start(&world, options);
        Self { home, world, films, radarr }
    }

    fn movies(&self) -> PathBuf {
        self.home.media().join("movies")
    }

    /// A configuration in which Radarr has these paths.
    fn text(&self, paths: &str) -> String {
        let roots = format!("[roots.movies]\npath = {:?}\n", self.movies());
        config(&roots, "radarr.hd", &self.radarr, paths)
    }

    fn with(mut self, paths: &str) -> Self {
        let text = self.text(paths);
        self.home.configure(&text);
        self
    }

    fn start(&self) -> Daemon<'_> {
        let daemon = self.home.start();
        wait_health(&daemon, "radarr.hd", "well");
        daemon
    }

    /// Deletes a film that Radarr lists at a place that says nothing, and sees it held for that.
    fn is_held(&self, daemon: &Daemon<'_>, film: &Title, place: &str) {
        sweep(daemon);
        throughout(SETTLE * 2, || assert!(daemon.deletions().is_empty()));
        let status = daemon.status().unwrap();
        assert_eq!(status["candidates"]["held"], 0, "nothing is missing: {status}");
        self.world.delete(film);
        let story = daemon.wait_decided(&film.name, "held");
        let why = story["summary"].as_str().unwrap();
        assert!(why.contains("radarr.hd") && why.contains(place), "{why}");
        sweep(daemon);
        throughout(SETTLE * 3, || assert!(daemon.deletions().is_empty()));
    }

    /// Puts the paths right, and sees the film decided without anyone.
    fn is_decided(&self, daemon: &Daemon<'_>, film: &Title, paths: &str) {
        reload(&self.home, daemon, &self.text(paths));
        let told = daemon.wait_deletions(1);
        assert_eq!(told[0]["item"]["title"], film.name.as_str());
        let refuted = ("radarr.hd".to_owned(), "refuted".to_owned());
        assert!(evidence(&told[0]).contains(&refuted), "{:?}", evidence(&told[0]));
        let view = online(&self.home, 0);
        assert_eq!(view["services"][0]["outcome"], "well", "{view:#}");
        assert_eq!(status_notes(daemon), "", "what fits needs no note");
    }
}

fn config(roots: &str, name: &str, simulator: &Simulator, paths: &str) -> String {
    let service = table(name, simulator, paths);
    format!("[confirm]\nhold_retry = \"1s\"\n{roots}{service}timeout = \"5s\"\n")
}

fn reload(home: &Home, daemon: &Daemon<'_>, text: &str) {
    fs::write(home.path().join("obituarr.toml"), text).unwrap();
    daemon.signal(Signal::HUP);
}

/// `check-config --online`, which has to end so.
#[track_caller]
fn online(home: &Home, exit: i32) -> Value {
    let mut args = vec!["check-config", "--online", "--json"];
    args.extend(home.options.iter().map(String::as_str));
    let output = home.ask(&args);
    let (text, said) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(exit), "{text}\n{said}");
    let view: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(view["ok"], exit == 0);
    view["online"].clone()
}

/// The same as people see it.
fn shown(home: &Home) -> String {
    let mut args = vec!["check-config", "--online"];
    args.extend(home.options.iter().map(String::as_str));
    String::from_utf8(home.ask(&args).stdout).unwrap()
}

/// The one finding: its key, and the line that would be right.
#[track_caller]
fn finding(home: &Home) -> (String, Option<String>) {
    let view = online(home, 1);
    let findings = view["services"][0]["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1, "{view:#}");
    let text = |field: &str| findings[0][field].as_str().map(str::to_owned);
    (text("key").unwrap_or_default(), text("write"))
}

fn status_notes(daemon: &Daemon<'_>) -> String {
    let status = daemon.status().unwrap();
    let notes = status["services"][0]["notes"].as_array().cloned().unwrap_or_default();
    notes.iter().map(|note| format!("{}\n", note.as_str().unwrap())).collect()
}

/// `status` names the folder, and the pair that would be right.
#[track_caller]
fn is_noted(daemon: &Daemon<'_>, folder: &str, right: &str) {
    let notes = status_notes(daemon);
    assert!(notes.contains(&format!("in its folder {folder} ")), "{notes}");
    assert!(notes.contains(&format!("with {right} below")), "{notes}");
}

#[test]
fn a_wrong_pair_is_named_and_what_is_missing_is_held_until_it_is_right() {
    let rig = Films::seen_as("/movies");
    let wrong = format!("\"/movies\" = {:?}", rig.movies().join("hd"));
    let right = format!("\"/movies\" = {:?}", rig.movies());
    let rig = rig.with(&wrong);
    let named = ("radarr.hd.paths.\"/movies\"".to_owned(), Some(right.clone()));
    assert_eq!(finding(&rig.home), named);
    let text = shown(&rig.home);
    assert!(text.contains(&format!("    write in radarr.hd.paths:  {right}\n")), "{text}");
    assert!(text.contains("in its place"), "{text}");
    assert!(!rig.home.state().exists(), "nothing is written");

    let daemon = rig.start();
    is_noted(&daemon, "/movies", &right);
    assert_eq!(finding(&rig.home), named, "it answers beside the daemon too");
    rig.is_held(&daemon, &rig.films[3], "/movies/");
    rig.is_decided(&daemon, &rig.films[3], &right);
}

#[test]
fn a_missing_pair_is_proposed_and_what_is_missing_is_held_until_it_is_there() {
    let rig = Films::seen_as("/movies").with("");
    let right = format!("\"/movies\" = {:?}", rig.movies());
    assert_eq!(finding(&rig.home), ("radarr.hd.paths".to_owned(), Some(right.clone())));
    let daemon = rig.start();
    is_noted(&daemon, "/movies", &right);
    rig.is_held(&daemon, &rig.films[0], "/movies/");
    rig.is_decided(&daemon, &rig.films[0], &right);
}

#[test]
fn windows_paths_are_proposed_as_they_are_written_and_decided_when_they_are_right() {
    let rig = Films::seen_as(r"D:\Films").with("");
    let right = format!(r"'D:\Films' = {:?}", rig.movies());
    assert_eq!(finding(&rig.home), ("radarr.hd.paths".to_owned(), Some(right.clone())));
    let daemon = rig.start();
    is_noted(&daemon, r"D:\Films", &right);
    rig.is_held(&daemon, &rig.films[24], r"D:\Films\");
    rig.is_decided(&daemon, &rig.films[24], &right);
}

#[test]
fn a_place_outside_all_roots_says_nothing_until_it_is_put_right() {
    let rig = Films::seen_as("/movies");
    let elsewhere = format!("\"/movies\" = {:?}", rig.home.path().join("elsewhere"));
    let right = format!("\"/movies\" = {:?}", rig.movies());
    let rig = rig.with(&elsewhere);
    let named = ("radarr.hd.paths.\"/movies\"".to_owned(), Some(right.clone()));
    assert_eq!(finding(&rig.home), named);
    assert!(shown(&rig.home).contains("lies in no root"));
    let daemon = rig.start();
    is_noted(&daemon, "/movies", &right);
    rig.is_held(&daemon, &rig.films[9], "/movies/");
    rig.is_decided(&daemon, &rig.films[9], &right);
}

#[test]
fn a_pair_that_is_right_for_92_of_100_refutes_nothing_until_the_rest_is_right_too() {
    let rig = Films::seen_as("/movies");
    let uhd = rig.home.media().join("uhd");
    for film in &rig.films[..2] {
        let to = uhd.join(&film.folder);
        fs::create_dir_all(&uhd).unwrap();
        fs::rename(rig.world.folder(film), to).unwrap();
        rig.radarr.rename(film, &format!("uhd/{}", film.folder));
    }
    let roots = format!("[roots.movies]\npath = {:?}\n[roots.uhd]\npath = {uhd:?}\n", rig.movies());
    let most = format!("\"/movies\" = {:?}", rig.movies());
    let rest = format!("\"/movies/uhd\" = {uhd:?}");
    let mut rig = rig;
    rig.home.configure(&config(&roots, "radarr.hd", &rig.radarr, &most));
    let named = ("radarr.hd.paths.\"/movies\"".to_owned(), Some(rest.clone()));
    assert_eq!(finding(&rig.home), named);
    let text = shown(&rig.home);
    assert!(text.contains("23 of 25 paths") && text.contains("with one more pair"), "{text}");

    let daemon = rig.start();
    is_noted(&daemon, "/movies", &rest);
    rig.is_held(&daemon, &rig.films[12], "/movies/");
    reload(
        &rig.home,
        &daemon,
        &config(&roots, "radarr.hd", &rig.radarr, &format!("{most}, {rest}")),
    );
    assert_eq!(daemon.wait_deletions(1)[0]["item"]["title"], rig.films[12].name.as_str());
    online(&rig.home, 0);
}

#[test]
fn slashes_at_the_end_of_either_side_change_nothing() {
    for (prefix, theirs, slash) in [
        ("/movies/", "/movies", "/"),
        ("/movies", "/movies/", ""),
        ("D:\\Films\\", "d:/Films/", "/"),
    ] {
        let rig = Films::seen_as(prefix);
        let paths = format!("'{theirs}' = \"{}{slash}\"", rig.movies().display());
        let rig = rig.with(&paths);
        let view = online(&rig.home, 0);
        assert_eq!(view["services"][0]["folders"][0]["found"], 25, "{view:#}");
        assert_eq!(view["roots"][0]["services"][0], "radarr.hd", "{view:#}");
        let daemon = rig.start();
        let film = &rig.films[5];
        rig.world.delete(film);
        let told = daemon.wait_deletions(1);
        assert_eq!(told[0]["item"]["title"], film.name.as_str());
        let refuted = ("radarr.hd".to_owned(), "refuted".to_owned());
        assert!(evidence(&told[0]).contains(&refuted), "{:?}", evidence(&told[0]));
        sweep(&daemon);
        throughout(SETTLE * 2, || assert_eq!(daemon.dead().len(), 1));
    }
}

#[test]
fn a_series_is_claimed_by_its_folder_and_held_while_that_lies_nowhere() {
    let mut home = Home::bare();
    let world = World::new(home.media());
    let series = world.series(20, 1, 2);
    let sonarr =
        Sonarr::start(&world, sonarr::Options { prefix: "/tv".into(), ..Default::default() });
    let tv = home.media().join("tv");
    let roots = format!("[roots.tv]\npath = {tv:?}\n");
    let right = format!("\"/tv\" = {tv:?}");
    home.configure(&config(&roots, "sonarr.main", &sonarr, "\"/tv\" = \"/nowhere/tv\""));
    assert_eq!(finding(&home), ("sonarr.main.paths.\"/tv\"".to_owned(), Some(right.clone())));
    let daemon = home.start();
    wait_health(&daemon, "sonarr.main", "well");
    world.delete(&series[4]);
    let story = daemon.wait_decided(&series[4].name, "held");
    let why = story["summary"].as_str().unwrap();
    assert!(why.contains("sonarr.main"), "{why}");
    sweep(&daemon);
    throughout(SETTLE * 3, || assert!(daemon.deletions().is_empty()));
    reload(&home, &daemon, &config(&roots, "sonarr.main", &sonarr, &right));
    assert_eq!(daemon.wait_deletions(1)[0]["item"]["title"], series[4].name.as_str());
    online(&home, 0);
}

#[test]
fn where_no_root_holds_it_none_is_proposed() {
    let rig = Films::seen_as("/movies");
    let tv = rig.home.media().join("tv");
    let mut rig = rig;
    let text = config(&format!("[roots.tv]\npath = {tv:?}\n"), "radarr.hd", &rig.radarr, "");
    rig.home.configure(&text);
    assert_eq!(finding(&rig.home), ("radarr.hd.paths".to_owned(), None));
    let text = shown(&rig.home);
    assert!(text.contains("add the root that holds it"), "{text}");
}

#[test]
fn what_can_not_be_told_ends_with_2_and_what_is_to_be_put_right_with_1() {
    let rig = Films::seen_as("/movies");
    let right = format!("\"/movies\" = {:?}", rig.movies());
    let rig = rig.with(&right);
    let list = "/api/v3/movie";
    let (url, key) = (Some("radarr.hd.url"), Some("radarr.hd.api_key"));
    let all = |what| -> Box<dyn Fn(&Radarr)> {
        Box::new(move |radarr| radarr.misbehave(Misbehaviour::clone(&what)))
    };
    let listing = |what| -> Box<dyn Fn(&Radarr)> {
        Box::new(move |radarr| radarr.misbehave_at(list, Misbehaviour::clone(&what)))
    };
    for (wrong, exit, of) in [
        (all(Misbehaviour::Down), 2, None),
        (all(Misbehaviour::Hang), 2, None),
        (all(Misbehaviour::Starting), 2, None),
        (all(Misbehaviour::EmptyList), 2, None),
        (listing(Misbehaviour::TruncatedJson), 2, None),
        (all(Misbehaviour::Unauthorized), 1, key),
        (all(Misbehaviour::WebPage), 1, url),
        (all(Misbehaviour::ProxyNotFound), 1, url),
    ] {
        wrong(&rig.radarr);
        let view = online(&rig.home, exit);
        let finding = &view["services"][0]["findings"][0];
        assert_eq!(finding["key"].as_str(), of, "{view:#}");
        assert!(finding["says"].as_str().unwrap().len() > 20, "{view:#}");
        rig.radarr.well();
    }
    let view = online(&rig.home, 0);
    let service = &view["services"][0];
    assert_eq!((&service["reached"], &service["key_accepted"]), (&true.into(), &true.into()));
    assert_eq!(service["application"], "Radarr");
    assert!(!shown(&rig.home).contains(rig.radarr.key()), "the key is shown to nobody");
}

#[test]
fn all_services_are_asked_at_once() {
    let rig = Films::seen_as("/movies");
    let paths = format!("\"/movies\" = {:?}", rig.movies());
    let others: Vec<Radarr> =
        (0..8).map(|_| Radarr::start(&rig.world, radarr::Options::default())).collect();
    let mut text = rig.text(&paths);
    for (n, other) in others.iter().enumerate() {
        other.misbehave(Misbehaviour::Hang);
        text += &table(&format!("radarr.other{n}"), other, &paths);
        text += "timeout = \"2s\"\n";
    }
    let mut rig = rig;
    rig.home.configure(&text);
    let began = crate::e2e::wait::now();
    let view = online(&rig.home, 2);
    let took = began.elapsed();
    println!("8 that hang: {took:?}");
    assert!(took.as_secs() < 8 * 2 * 2, "{took:?}");
    assert_eq!(view["services"][0]["outcome"], "well", "{view:#}");
    until("each hung one was asked", SETTLE, || {
        others.iter().all(|other| other.asked_in_all() > 0).then_some(())
    });
}
