//! `check` and `SIGUSR1`: everything is looked at and listed, and what was found is said.

use std::process::{Command, Output};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;
use simulators::{Misbehaviour, Radarr, Simulator, World, radarr};

use super::rig::{LONG, Rig, SMALL, table, wait_health};
use crate::e2e::daemon::{Home, SETTLE};
use crate::e2e::wait::{throughout, until};

/// Long enough for a bar to be seen, and for all others to be done before.
const SLOW: Duration = Duration::from_secs(5);

/// The exit code, what stands on standard output, and what on standard error.
fn look(home: &Home) -> (i32, String, String) {
    read(&home.ask(&["check"]))
}

fn read(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

/// The same command as a person would run it, on a terminal.
fn on_a_terminal(command: &Command) -> Command {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<String> =
        words.map(|word| format!("'{}'", word.to_str().unwrap().replace('\'', "'\\''"))).collect();
    let mut on = Command::new("script");
    on.args(["--quiet", "--return", "--command", &words.join(" "), "/dev/null"]);
    on.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    on.env("TERM", "xterm").env("SHELL", "/bin/sh").stdin(std::process::Stdio::null());
    on
}

#[test]
fn on_a_terminal_a_bar_grows_and_is_taken_away_and_a_pipe_gets_plain_lines() {
    let rig = Rig::new(SMALL);
    let _daemon = rig.start();
    rig.radarr.misbehave_at("/api/v3/movie", Misbehaviour::Slow(SLOW));
    let (code, text, _) = read(&on_a_terminal(&rig.home.command(&["check"])).output().unwrap());
    assert_eq!(code, 0, "{text}");
    let drawn: Vec<&str> = text.split("\r\u{1b}[K").collect();
    let (end, bars) = drawn.split_last().unwrap();
    let bars: Vec<&&str> = bars.iter().filter(|bar| !bar.is_empty()).collect();
    assert!(bars.len() > 1 && bars.iter().all(|bar| bar.starts_with('[')), "{text:?}");
    assert!(bars.iter().any(|bar| bar.ends_with("%  radarr.hd")), "{text:?}");
    assert!(bars.iter().all(|bar| bar.chars().count() < 80), "{text:?}");
    assert!(end.starts_with("looked at 84 media files in "), "{end:?}");
    assert!(end.ends_with("\r\nFound: nothing\r\n"), "{end:?}");

    let (code, text, lines) = look(&rig.home);
    assert_eq!(code, 0, "{text}");
    assert!(text.ends_with("\nFound: nothing\n"), "{text}");
    assert!(!text.contains(['\r', '\u{1b}']) && !lines.contains(['\r', '\u{1b}']), "{lines:?}");
    let mut lines: Vec<&str> = lines.lines().collect();
    lines.sort_unstable();
    let expected = [
        "jellyfin.home: 42 titles listed",
        "radarr.hd: 30 titles listed",
        "root anime: looked through",
        "root movies: looked through",
        "root tv: looked through",
        "shoko.main: 6 titles listed",
        "sonarr.main: 12 titles listed",
    ];
    // The last of them may be over together with everything.
    assert!(lines.len() >= 5 && lines.iter().all(|line| expected.contains(line)), "{lines:?}");
}

#[test]
fn as_json_it_is_a_stream_whose_last_line_is_the_result() {
    let rig = Rig::new(SMALL);
    let _daemon = rig.start();
    rig.radarr.misbehave_at("/api/v3/movie", Misbehaviour::Slow(SLOW));
    let (code, text, errors) = read(&rig.home.ask(&["check", "--json"]));
    assert_eq!((code, errors.as_str()), (0, ""), "{text}");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (last, before) = lines.split_last().unwrap();
    assert_eq!(last["result"]["files"], 84, "{last}");
    assert!(!before.is_empty() && before.iter().all(|line| line["progress"].is_object()), "{text}");
}

#[test]
fn what_was_never_there_is_found_missing_and_told_to_nobody() {
    let rig = Rig::new(SMALL);
    let (film, series) = (&rig.films[5], &rig.series[1]);
    rig.world.delete(film);
    rig.world.delete(series);
    let daemon = rig.start();
    let (code, text, _) = look(&rig.home);
    assert_eq!(code, 1, "{text}");
    assert!(text.ends_with("\nFound: 2 orphaned titles\n"), "{text}");
    assert!(text.contains("\n2 titles listed, and no file was ever seen there; not reported:\n"));
    for (title, services) in
        [(film, ["jellyfin.home", "radarr.hd"]), (series, ["jellyfin.home", "sonarr.main"])]
    {
        let names = |line: &&str| line.contains(&title.name) && !line.contains(" has it at ");
        assert_eq!(text.lines().filter(names).count(), 1, "{text}");
        for service in services {
            let has = |line: &str| line.contains(service) && line.contains(&title.folder);
            assert!(text.lines().any(has), "{service}: {text}");
        }
    }
    let view = rig.home.look();
    assert!(view["missing"].as_array().unwrap().is_empty(), "{view}");
    throughout(SETTLE * 3, || assert!(daemon.deletions().is_empty()));
    assert!(rig.home.ledger().is_empty());
    // Fetched again, it is a title like any other: from now on it can die.
    rig.world.write(film);
    rig.world.write(series);
    until("nothing is missing", LONG, || (look(&rig.home).0 == 0).then_some(()));
    rig.world.delete(film);
    assert_eq!(daemon.wait_deletions(1)[0]["item"]["title"], film.name.as_str());
}

#[test]
fn what_lies_where_nobody_can_look_is_unmatched_and_not_missing() {
    let mut rig = Rig::new(SMALL);
    let elsewhere = World::without_disk();
    elsewhere.films(33);
    let options = radarr::Options { prefix: "/elsewhere".into(), ..Default::default() };
    let uhd = Radarr::start(&elsewhere, options);
    let config = rig.config() + &table("radarr.uhd", &uhd, "");
    rig.home.configure(&config);
    let daemon = rig.start();
    wait_health(&daemon, "radarr.uhd", "well");
    let (code, text, _) = look(&rig.home);
    assert_eq!(code, 0, "{text}");
    // The other thirty lie somewhere else.
    let said = "\n3 titles listed at a place in no root, where nobody can look:\n";
    assert!(text.contains(said) && text.ends_with("\nFound: nothing\n"), "{text}");
    assert!(daemon.deletions().is_empty());
}

#[test]
fn what_no_service_lists_any_more_is_under_review_and_said() {
    let rig = Rig::new(SMALL);
    let daemon = rig.start();
    let film = &rig.films[4];
    rig.radarr.remove(film);
    rig.jellyfin.remove(film);
    daemon.check();
    daemon.wait_decided(&film.name, "held");
    let (code, text, _) = look(&rig.home);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("\n1 title under review:\n"), "{text}");
    assert!(text.contains("no service lists it any more"), "{text}");
    assert!(text.ends_with("\nFound: 1 orphaned title\n"), "{text}");
    assert!(daemon.deletions().is_empty());
}

#[test]
fn who_can_not_be_asked_or_looked_at_makes_it_not_tell() {
    let rig = Rig::new(SMALL);
    let daemon = rig.start();
    rig.radarr.misbehave(Misbehaviour::Down);
    let (code, text, _) = look(&rig.home);
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("\ncould not look: radarr.hd: "), "{text}");
    assert!(text.ends_with("\nFound: nothing, but not everything could be looked at\n"), "{text}");
    rig.radarr.well();
    assert_eq!(look(&rig.home).0, 0);

    let (movies, away) = (rig.home.media().join("movies"), rig.home.path().join("away"));
    std::fs::rename(&movies, &away).unwrap();
    let (code, text, _) = until("the root is away", LONG, || {
        let (code, text, errors) = look(&rig.home);
        (code != 0).then_some((code, text, errors))
    });
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("\ncould not look: root movies is "), "{text}");
    // What is missing for certain is said first.
    rig.world.delete(&rig.series[0]);
    let (code, text, _) = until("a series is missing", LONG, || {
        let (code, text, errors) = look(&rig.home);
        (code != 2).then_some((code, text, errors))
    });
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("could not look: root movies is "), "{text}");
    assert!(daemon.deletions().is_empty(), "it may have been moved to the root that is away");
}

#[test]
fn who_asks_while_a_look_is_under_way_is_given_the_same_one() {
    let rig = Rig::new(SMALL);
    let _daemon = rig.start();
    let services: [&Simulator; 4] = [&rig.radarr, &rig.sonarr, &rig.jellyfin, &rig.shoko];
    services.iter().for_each(|service| service.forget_requests());
    rig.radarr.misbehave_at("/api/v3/movie", Misbehaviour::Slow(SLOW));
    let first = spawn(&rig.home);
    until("Radarr is asked", LONG, || (rig.radarr.asked("/api/v3/movie") == 1).then_some(()));
    until("all others are done", LONG, || {
        let status: Value =
            serde_json::from_slice(&rig.home.ask(&["status", "--json"]).stdout).ok()?;
        let steps = status["check"]["steps"].as_array()?;
        (steps.iter().filter(|step| step["finished"] == false).count() == 1).then_some(())
    });
    let second = spawn(&rig.home);
    for look in [first, second] {
        assert_eq!(look.wait_with_output().unwrap().status.code(), Some(0));
    }
    for (service, route) in services.into_iter().zip(LISTS) {
        assert_eq!(service.asked(route), 1, "{service:?} {:?}", service.requests());
    }
}

/// What each service is asked for once in a sweep of a small library.
const LISTS: [&str; 4] = ["/api/v3/movie", "/api/v3/series", "/Items", "/api/v3/Series"];

fn spawn(home: &Home) -> std::process::Child {
    let pipe = std::process::Stdio::piped;
    home.command(&["check"]).stdout(pipe()).stderr(pipe()).spawn().unwrap()
}

#[test]
fn a_signal_lists_everything() {
    let rig = Rig::new(SMALL);
    let daemon = rig.start();
    let services: [&Simulator; 4] = [&rig.radarr, &rig.sonarr, &rig.jellyfin, &rig.shoko];
    services.iter().for_each(|service| service.forget_requests());
    daemon.signal(Signal::USR1);
    for (service, route) in services.into_iter().zip(LISTS) {
        until(&format!("{service:?} is listed"), LONG, || {
            (service.asked(route) == 1).then_some(())
        });
    }
}
