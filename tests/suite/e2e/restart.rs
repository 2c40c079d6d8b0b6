//! Stops, kills, and a queue that overflows change nothing but time.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::Signal;

use super::daemon::{Daemon, Home, LONG};
use super::make;
use super::wait::{now, until};

fn film(number: usize) -> String {
    format!("movies/Film {number:05} (2000)/Film {number:05}.mkv")
}

fn folder(home: &Home, number: usize) -> PathBuf {
    home.media().join(format!("movies/Film {number:05} (2000)"))
}

fn title(number: usize) -> String {
    format!("Film {number:05}")
}

/// The titles in the ledger, each as often as it stands there.
fn ledger_titles(home: &Home) -> Vec<String> {
    let mut titles: Vec<String> = home
        .ledger()
        .iter()
        .map(|line| line["entry"]["deletion"]["item"]["title"].as_str().unwrap().to_owned())
        .collect();
    titles.sort();
    titles
}

#[test]
fn what_is_deleted_while_it_is_stopped_is_told_once_at_the_next_start() {
    let home = Home::new();
    for number in 0..20 {
        make(&home.media(), &film(number));
    }
    assert_eq!(home.start().stop(), 0);
    fs::remove_dir_all(folder(&home, 3)).unwrap();
    let daemon = home.start();
    daemon.wait_deletions(1);
    assert_eq!(daemon.stop(), 0);
    let daemon = home.start();
    daemon.check();
    assert_eq!(daemon.dead(), [title(3)]);
    assert_eq!(ledger_titles(&home), [title(3)]);
}

#[test]
fn a_title_renamed_while_it_is_stopped_is_not_told() {
    let home = Home::new();
    for number in 0..5 {
        make(&home.media(), &film(number));
    }
    assert_eq!(home.start().stop(), 0);
    fs::rename(folder(&home, 3), home.media().join("movies/Another Name (2010)")).unwrap();
    let daemon = home.start();
    daemon.wait_decided("film:film 00003:2000", "retracted");
    assert!(daemon.deletions().is_empty());
}

/// How often the daemon is killed; the full number runs in `tests/proof.sh crash`.
fn kills() -> usize {
    std::env::var("OBITUARR_TEST_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(100)
}

#[test]
fn killed_at_random_moments_while_files_are_deleted_it_tells_each_true_deletion_once() {
    let home = Home::new();
    let rounds = kills();
    // So many that their losses never make the root suspect.
    for number in 0..rounds * 6 {
        make(&home.media(), &film(number));
    }
    // Adopted in peace; from then on it is never let end by itself.
    assert_eq!(home.start().stop(), 0);
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut dead = BTreeSet::new();
    for round in 0..rounds {
        let daemon = home.spawn();
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        // Spread over start-up, settling, probing and telling.
        let life = Duration::from_millis(random % 1_600);
        let start = now();
        let mut deleted = false;
        until("its last moment", LONG, || {
            if !deleted && start.elapsed() >= life / 3 {
                fs::remove_dir_all(folder(&home, round * 2)).unwrap();
                dead.insert(title(round * 2));
                deleted = true;
            }
            (start.elapsed() >= life).then_some(())
        });
        if !deleted {
            fs::remove_dir_all(folder(&home, round * 2)).unwrap();
            dead.insert(title(round * 2));
        }
        daemon.kill();
    }
    let daemon = home.start();
    until("each true deletion", LONG, || (daemon.deletions().len() >= dead.len()).then_some(()));
    daemon.check();
    assert_eq!(daemon.stop(), 0);
    assert_eq!(ledger_titles(&home), dead.into_iter().collect::<Vec<_>>());
}

#[test]
fn stopped_while_the_event_queue_overflows_it_finds_every_loss_without_a_rescan_loop() {
    const TITLES: usize = 1_500;
    const FILES: usize = 40;
    let home = Home::new();
    let name = |title: usize, file: usize| {
        format!("movies/Film {title:05} (2000)/Film {title:05} - {file:02}.mkv")
    };
    for title in 0..TITLES {
        for file in 0..FILES {
            make(&home.media(), &name(title, file));
        }
    }
    let daemon = home.start();
    daemon.signal(Signal::STOP);
    // 50,000 files change: each film loses and gets files, every sixth one dies. More would make the
    // root suspect.
    let mut dead = Vec::new();
    for number in 0..TITLES {
        if number % 6 == 0 {
            fs::remove_dir_all(folder(&home, number)).unwrap();
            dead.push(title(number));
        } else {
            for file in 0..FILES / 2 + 14 {
                let path = home.media().join(name(number, file));
                fs::rename(&path, path.with_extension("mp4")).unwrap();
            }
        }
    }
    daemon.signal(Signal::CONT);
    until("every loss", LONG, || (daemon.deletions().len() >= dead.len()).then_some(()));
    daemon.check();
    assert_eq!(daemon.dead(), dead);
    let overflows = home.log().matches("events were lost").count();
    println!("overflows seen: {overflows}");
    calm(&daemon);
    assert_eq!(home.log().matches("events were lost").count(), overflows, "it goes on rescanning");
}

/// The daemon uses no processor time once it has nothing to do.
fn calm(daemon: &Daemon<'_>) {
    let ticks = || -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", daemon.pid())).unwrap();
        let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    };
    until("a calm second", LONG, || {
        let (before, start) = (ticks(), now());
        until("a second", LONG, || (start.elapsed() > Duration::from_secs(1)).then_some(()));
        // A hundredth of a second each; the two looks of a second are cheaper than that.
        (ticks() - before <= 2).then_some(())
    });
}

#[test]
fn a_watcher_that_could_not_be_started_is_started_again() {
    let home = Home::new();
    make(&home.media(), &film(1));
    fs::create_dir_all(home.state()).unwrap();
    fs::write(home.state().join("cookies"), "in the way").unwrap();
    let daemon = home.spawn();
    until("the failure is shown", LONG, || {
        let status = daemon.status()?;
        let reason = status["roots"][0]["reason"].as_str()?.to_owned();
        reason.contains("can't be watched").then_some(())
    });
    fs::remove_file(home.state().join("cookies")).unwrap();
    until("it is watched", LONG, || {
        let status = daemon.status()?;
        (status["roots"][0]["health"] == "online" && status["roots"][0]["watched"] != 0)
            .then_some(())
    });
    assert_eq!(home.log().matches("it is tried again until it works").count(), 1);
    fs::remove_dir_all(folder(&home, 1)).unwrap();
    daemon.wait_deletions(1);
}
