//! What was moved to where nobody can look is not dead.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use super::daemon::{Daemon, Home, LONG};
use super::make;
use super::wait::{throughout, until};

/// A home whose daemon may not read everything.
fn home() -> Home {
    let mut home = Home::new();
    home.hand_to_nobody();
    make(&home.media(), "movies/Heat (1995)/Heat.mkv");
    make(&home.media(), "movies/Ronin (1998)/Ronin.mkv");
    home
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Waits until the loss is held, and sees that the reason names the folder.
fn is_held(daemon: &Daemon<'_>, title: &str, folder: &str) {
    let story = daemon.wait_decided(title, "held");
    let text = story["lines"].as_array().unwrap().last().unwrap()["text"].as_str().unwrap();
    assert!(text.contains(folder), "{text}");
    assert_eq!(daemon.dead(), Vec::<String>::new());
}

#[test]
fn a_title_moved_into_a_folder_that_was_hidden_all_along() {
    let home = home();
    let private = home.media().join("private");
    make(&home.media(), "private/films/Old (1950)/Old.mkv");
    mode(&private, 0o700);
    let daemon = home.start();
    fs::rename(home.media().join("movies/Heat (1995)"), private.join("films/Heat (1995)")).unwrap();
    is_held(&daemon, "Heat", "private");
    mode(&private, 0o755);
    daemon.check();
    daemon.wait_decided("Heat", "retracted");
    assert_eq!(daemon.dead(), Vec::<String>::new());
}

#[test]
fn a_title_renamed_into_a_flat_hidden_folder() {
    let home = home();
    let private = home.media().join("private");
    fs::create_dir(&private).unwrap();
    mode(&private, 0o700);
    let daemon = home.start();
    fs::rename(home.media().join("movies/Heat (1995)/Heat.mkv"), private.join("x.mkv")).unwrap();
    is_held(&daemon, "Heat", "private");
}

#[test]
fn a_category_renamed_and_then_hidden() {
    let home = home();
    let daemon = home.start();
    let films = home.media().join("films");
    mode(&home.media().join("movies"), 0o700);
    fs::rename(home.media().join("movies"), &films).unwrap();
    is_held(&daemon, "film:heat:1995", "films");
    mode(&films, 0o755);
    daemon.check();
    daemon.wait_decided("film:heat:1995", "retracted");
    assert_eq!(daemon.dead(), Vec::<String>::new());
}

#[test]
fn a_hidden_folder_that_nothing_was_put_into_hides_nothing() {
    let home = home();
    let private = home.media().join("Private (2000)");
    make(&private, "Private.mkv");
    mode(&private, 0o700);
    // So that it was touched before the films were first seen.
    throughout(Duration::from_millis(50), || ());
    let daemon = home.start();
    fs::remove_dir_all(home.media().join("movies/Heat (1995)")).unwrap();
    until("the deletion is told", LONG, || (daemon.dead() == ["Heat"]).then_some(()));
}

#[test]
fn a_title_copied_with_all_its_times_into_a_folder_that_was_hidden_since() {
    let home = home();
    let private = home.media().join("private");
    make(&private, "Old.mkv");
    super::age(&private);
    let daemon = home.start();
    mode(&private, 0o700);
    let heat = home.media().join("movies/Heat (1995)");
    fs::copy(heat.join("Heat.mkv"), private.join("Heat.mkv")).unwrap();
    super::age(&private);
    fs::remove_dir_all(heat).unwrap();
    is_held(&daemon, "Heat", "private");
}
