//! A film under a name that is no media file's is still the film, wherever it goes.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use super::daemon::{Daemon, Home, LONG};
use super::make;
use super::wait::{throughout, until};

/// Long enough for a deletion to be told if there were one.
const QUIET: Duration = Duration::from_millis(2_500);

fn home() -> Home {
    let home = Home::new();
    let media = home.media();
    make(&media, "movies/Heat (1995)/heat.mkv");
    make(&media, "movies/Ronin (1998)/ronin.mkv");
    make(&media, "movies/lo.mkv");
    make(&media, "movies/Alien.1979.mkv");
    fs::create_dir(media.join("old")).unwrap();
    home
}

fn nothing_died(daemon: &Daemon<'_>) {
    throughout(QUIET, || ());
    assert_eq!(daemon.dead(), Vec::<String>::new());
    let status = daemon.status().unwrap();
    assert_eq!(status["candidates"]["held"], 0, "{status}");
    assert_eq!(status["candidates"]["settling"], 0, "{status}");
}

/// A new file takes the name of `lo.mkv`, which is kept as `lo.mkv.bak`.
fn replace_lo(home: &Home, daemon: &Daemon<'_>) -> PathBuf {
    let movies = home.media().join("movies");
    fs::rename(movies.join("lo.mkv"), movies.join("lo.mkv.bak")).unwrap();
    nothing_died(daemon);
    fs::write(movies.join("lo.mkv"), "new").unwrap();
    nothing_died(daemon);
    movies
}

#[test]
fn renamed_and_then_moved_to_another_folder_it_lives_until_it_is_deleted_there() {
    let home = home();
    let daemon = home.start();
    let folder = home.media().join("movies/Heat (1995)");
    fs::rename(folder.join("heat.mkv"), folder.join("heat.mkv.bak")).unwrap();
    nothing_died(&daemon);
    let old = home.media().join("old/something.bak");
    fs::rename(folder.join("heat.mkv.bak"), &old).unwrap();
    let story = daemon.wait_decided("film:heat:1995", "retracted");
    assert!(story.to_string().contains("moved or renamed to"), "{story}");
    nothing_died(&daemon);
    fs::remove_file(old).unwrap();
    daemon.wait_deletions(1);
    assert_eq!(daemon.dead(), ["Heat"]);
}

#[test]
fn moved_and_renamed_in_one_go_it_lives_over_a_restart_too() {
    let home = home();
    let daemon = home.start();
    let old = home.media().join("old/x.old");
    fs::rename(home.media().join("movies/Alien.1979.mkv"), &old).unwrap();
    daemon.wait_decided("Alien", "retracted");
    nothing_died(&daemon);
    daemon.stop();
    let daemon = home.start();
    nothing_died(&daemon);
    fs::remove_file(old).unwrap();
    daemon.wait_deletions(1);
    assert_eq!(daemon.dead(), ["Alien"]);
}

#[test]
fn its_category_renamed_after_that_it_lives() {
    let home = home();
    let daemon = home.start();
    let media = home.media();
    let folder = media.join("movies/Heat (1995)");
    fs::rename(folder.join("heat.mkv"), folder.join("heat.mkv.bak")).unwrap();
    nothing_died(&daemon);
    fs::rename(media.join("movies"), media.join("films")).unwrap();
    daemon.wait_decided("film:heat:1995", "retracted");
    nothing_died(&daemon);
    fs::remove_dir_all(media.join("films/Heat (1995)")).unwrap();
    daemon.wait_deletions(1);
    assert_eq!(daemon.dead(), ["Heat"]);
}

#[test]
fn a_new_file_of_the_old_name_takes_its_place_and_the_old_one_may_go() {
    let home = home();
    let daemon = home.start();
    let movies = replace_lo(&home, &daemon);
    fs::remove_file(movies.join("lo.mkv.bak")).unwrap();
    let story = daemon.wait_decided("film:lo", "retracted");
    assert!(story.to_string().contains("another file of it is there"), "{story}");
    nothing_died(&daemon);
}

#[test]
fn the_new_file_of_the_old_name_may_go_while_the_old_one_is_kept() {
    let home = home();
    let daemon = home.start();
    let movies = replace_lo(&home, &daemon);
    fs::remove_file(movies.join("lo.mkv")).unwrap();
    daemon.wait_decided("film:lo", "retracted");
    nothing_died(&daemon);
    fs::remove_file(movies.join("lo.mkv.bak")).unwrap();
    daemon.wait_deletions(1);
    assert_eq!(daemon.dead(), ["lo"]);
}

#[test]
fn moved_into_another_title_s_folder_it_dies_there_under_its_own_name() {
    let home = home();
    let daemon = home.start();
    let movies = home.media().join("movies");
    let there = movies.join("Ronin (1998)/heat.mkv.bak");
    fs::rename(movies.join("Heat (1995)/heat.mkv"), &there).unwrap();
    daemon.wait_decided("film:heat:1995", "retracted");
    nothing_died(&daemon);
    fs::remove_file(there).unwrap();
    daemon.wait_deletions(1);
    assert_eq!(daemon.dead(), ["Heat"]);
}

#[test]
fn renamed_and_moved_while_nobody_watched_it_lives() {
    let home = home();
    home.start().stop();
    let old = home.media().join("old/x.old");
    fs::rename(home.media().join("movies/Heat (1995)/heat.mkv"), &old).unwrap();
    fs::remove_dir_all(home.media().join("movies/Ronin (1998)")).unwrap();
    let daemon = home.start();
    daemon.wait_decided("film:heat:1995", "retracted");
    daemon.wait_deletions(1);
    assert_eq!(daemon.dead(), ["Ronin"]);
    // And from now on it is followed there.
    fs::remove_file(old).unwrap();
    daemon.wait_deletions(2);
    assert_eq!(daemon.dead(), ["Heat", "Ronin"]);
}

#[test]
fn renamed_and_moved_while_the_daemon_stood_still_it_lives() {
    let home = home();
    let daemon = home.start();
    daemon.signal(rustix::process::Signal::STOP);
    let old = home.media().join("old");
    fs::rename(home.media().join("movies/Heat (1995)/heat.mkv"), old.join("x.old")).unwrap();
    // More than the kernel keeps for one who does not listen.
    for number in 0..40_000 {
        fs::write(old.join(format!("{}.nfo", number % 1_000)), "").unwrap();
        fs::remove_file(old.join(format!("{}.nfo", number % 1_000))).unwrap();
    }
    daemon.signal(rustix::process::Signal::CONT);
    daemon.check();
    daemon.wait_decided("film:heat:1995", "retracted");
    nothing_died(&daemon);
}

#[test]
fn moved_and_renamed_and_then_killed_before_it_was_looked_for_it_lives() {
    let mut home = home();
    home.settle = "3s";
    let daemon = home.start();
    fs::rename(home.media().join("movies/Alien.1979.mkv"), home.media().join("old/x.old")).unwrap();
    until("the loss is under review", LONG, || {
        daemon.status().filter(|status| status["candidates"]["settling"] == 1)
    });
    daemon.kill();
    let daemon = home.start();
    daemon.wait_decided("Alien", "retracted");
    nothing_died(&daemon);
}
