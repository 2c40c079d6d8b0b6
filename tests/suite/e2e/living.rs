//! What lives is never told, and `explain` says what happened.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::daemon::{Daemon, Home, LONG};
use super::make;
use super::wait::{throughout, until};

/// Long enough for a deletion to be told if there were one.
const QUIET: Duration = Duration::from_millis(2_500);

/// A home with one film, one series and a film loose in a category.
fn home() -> Home {
    let home = Home::new();
    let media = home.media();
    make(&media, "movies/Heat (1995)/Heat (1995).mkv");
    make(&media, "movies/Heat (1995)/Heat (1995).nfo");
    make(&media, "movies/Heat (1995)/Heat (1995).en.srt");
    make(&media, "movies/Heat (1995)/poster.jpg");
    make(&media, "movies/Ronin.1998.1080p.mkv");
    make(&media, "shows/Dark (2017)/Season 1/Dark S01E01.720p.mkv");
    make(&media, "shows/Dark (2017)/Season 1/Dark S01E02.720p.mkv");
    fs::create_dir_all(media.join("movies/Empty (1999)")).unwrap();
    home
}

/// Does something to a library, and sees that nothing dies of it. The last line of the story of
/// `title` must be of `kind` and contain `words`.
fn survives(change: impl FnOnce(&Path), title: &str, kind: &str, words: &str) {
    let home = home();
    let daemon = home.start();
    change(&home.media());
    let story = daemon.wait_decided(title, kind);
    let text = story["lines"].as_array().unwrap().last().unwrap()["text"].as_str().unwrap();
    assert!(text.contains(words), "{text}");
    nothing_died(&daemon);
}

/// Does something that is no loss at all.
fn unnoticed(change: impl FnOnce(&Path)) {
    let home = home();
    let daemon = home.start();
    change(&home.media());
    throughout(QUIET, || ());
    for title in ["Heat", "Ronin", "Dark"] {
        let story = daemon.story(title).unwrap();
        assert_eq!(story["state"], "alive", "{story}");
        let lost = story["lines"].as_array().unwrap().iter().any(|line| line["kind"] == "lost");
        assert!(!lost, "{story}");
    }
    nothing_died(&daemon);
}

fn nothing_died(daemon: &Daemon<'_>) {
    assert_eq!(daemon.dead(), Vec::<String>::new());
    let status = daemon.status().unwrap();
    assert_eq!(status["candidates"]["held"], 0, "{status}");
    assert_eq!(status["candidates"]["settling"], 0, "{status}");
}

fn rename(media: &Path, from: &str, to: &str) {
    fs::create_dir_all(media.join(to).parent().unwrap()).unwrap();
    fs::rename(media.join(from), media.join(to)).unwrap();
}

#[test]
fn a_title_renamed() {
    survives(
        |m| rename(m, "movies/Heat (1995)", "movies/Heat - Director's Cut (1996)"),
        "film:heat:1995",
        "retracted",
        "moved or renamed to",
    );
}

#[test]
fn a_loose_film_renamed_to_another_title() {
    survives(
        |m| rename(m, "movies/Ronin.1998.1080p.mkv", "movies/Something Else (2005).mkv"),
        "film:ronin:1998",
        "retracted",
        "moved or renamed to",
    );
}

#[test]
fn a_loose_film_whose_year_gets_brackets_by_copy_and_delete() {
    let home = home();
    make(&home.media(), "movies/Tron 1982.mkv");
    let daemon = home.start();
    make(&home.media(), "movies/Tron (1982).mkv");
    fs::remove_file(home.media().join("movies/Tron 1982.mkv")).unwrap();
    daemon.wait_decided("film:tron 1982", "retracted");
    nothing_died(&daemon);
}

#[test]
fn a_title_moved_to_another_folder() {
    survives(
        |m| rename(m, "movies/Heat (1995)", "crime/old/Heat (1995)"),
        "Heat",
        "retracted",
        "crime/old/Heat (1995)",
    );
}

#[test]
fn a_series_renamed_with_all_its_episodes() {
    survives(
        |m| rename(m, "shows/Dark (2017)", "shows/Dark Matters (2018)"),
        "series:dark:2017",
        "retracted",
        "moved or renamed to",
    );
}

/// A home with a second root, on another file system where the machine has one to write to.
fn two_roots() -> (Home, PathBuf, Option<tempfile::TempDir>) {
    let home = home();
    let shm = tempfile::tempdir_in("/dev/shm").ok();
    let other = match &shm {
        Some(dir) => dir.path().join("other"),
        None => home.path().join("other"),
    };
    fs::create_dir_all(&other).unwrap();
    let mut home = home;
    home.options.extend(["--root".into(), other.display().to_string()]);
    make(&other, "Alien (1979)/Alien.mkv");
    (home, other, shm)
}

#[test]
fn a_title_moved_to_another_root_on_another_file_system_by_copy_and_delete() {
    let (home, other, shm) = two_roots();
    if shm.is_none() {
        println!("skipped in part: /dev/shm is not writable, both roots are on one file system");
    }
    let daemon = home.start();
    make(&other, "Heat (1995)/Heat (1995).mkv");
    fs::remove_dir_all(home.media().join("movies/Heat (1995)")).unwrap();
    let story = daemon.wait_decided("Heat", "retracted");
    assert!(story.to_string().contains("found in root other"), "{story}");
    nothing_died(&daemon);
}

#[test]
fn a_title_moved_to_another_root_on_the_same_file_system() {
    let mut home = home();
    let other = home.path().join("other");
    make(&other, "Alien (1979)/Alien.mkv");
    home.options.extend(["--root".into(), other.display().to_string()]);
    let daemon = home.start();
    fs::rename(home.media().join("movies/Heat (1995)"), other.join("Renamed (1995)")).unwrap();
    let story = daemon.wait_decided("film:heat:1995", "retracted");
    assert!(story.to_string().contains("moved or renamed to"), "{story}");
    nothing_died(&daemon);
}

#[test]
fn a_file_replaced_by_rename() {
    unnoticed(|m| {
        let film = m.join("movies/Heat (1995)/Heat (1995).mkv");
        fs::write(m.join("movies/Heat (1995)/new.tmp"), "better").unwrap();
        fs::rename(m.join("movies/Heat (1995)/new.tmp"), film).unwrap();
    });
}

#[test]
fn a_file_deleted_and_written_again_within_settle() {
    let home = home();
    let daemon = home.start();
    let film = home.media().join("movies/Heat (1995)/Heat (1995).mkv");
    fs::remove_file(&film).unwrap();
    until("the loss is noticed", LONG, || {
        daemon.status().filter(|status| status["candidates"]["settling"] == 1)
    });
    fs::write(&film, "again").unwrap();
    let story = daemon.wait_decided("Heat", "retracted");
    assert!(story.to_string().contains("still there"), "{story}");
    nothing_died(&daemon);
}

#[test]
fn a_new_encode_with_another_name_in_the_same_folder() {
    survives(
        |m| {
            fs::write(m.join("movies/Heat (1995)/Heat (1995) 2160p.mkv"), "new").unwrap();
            fs::remove_file(m.join("movies/Heat (1995)/Heat (1995).mkv")).unwrap();
        },
        "Heat",
        "retracted",
        "another file of it is there",
    );
}

#[test]
fn a_new_encode_of_a_loose_film() {
    survives(
        |m| {
            fs::write(m.join("movies/Ronin (1998) [2160p].mkv"), "new").unwrap();
            fs::remove_file(m.join("movies/Ronin.1998.1080p.mkv")).unwrap();
        },
        "Ronin",
        "retracted",
        "another file of it is there",
    );
}

#[test]
fn a_new_encode_of_one_episode() {
    survives(
        |m| {
            let season = m.join("shows/Dark (2017)/Season 1");
            fs::write(season.join("Dark S01E01.2160p.mkv"), "new").unwrap();
            fs::remove_file(season.join("Dark S01E01.720p.mkv")).unwrap();
        },
        "Dark",
        "retracted",
        "another file of it is there",
    );
}

#[test]
fn a_film_given_a_name_that_is_not_a_media_file_s() {
    let home = home();
    let daemon = home.start();
    let folder = home.media().join("movies/Heat (1995)");
    fs::rename(folder.join("Heat (1995).mkv"), folder.join("Heat (1995).mkv.bak")).unwrap();
    throughout(QUIET, || ());
    let story = daemon.story("Heat").unwrap();
    assert_eq!(story["state"], "alive", "{story}");
    assert!(story.to_string().contains("Heat (1995).mkv.bak"), "{story}");
    nothing_died(&daemon);
    // It is still followed under that name.
    fs::remove_file(folder.join("Heat (1995).mkv.bak")).unwrap();
    daemon.wait_deletions(1);
}

#[test]
fn files_beside_the_media_and_empty_folders_deleted() {
    unnoticed(|m| {
        for file in ["Heat (1995).nfo", "Heat (1995).en.srt", "poster.jpg"] {
            fs::remove_file(m.join("movies/Heat (1995)").join(file)).unwrap();
        }
        fs::remove_dir(m.join("movies/Empty (1999)")).unwrap();
    });
}

#[test]
fn extensions_ignore_rules_and_the_path_of_a_root_changed_and_reloaded() {
    let mut home = home();
    make(&home.media(), "movies/Old (1980)/Old.avi");
    let config = |root: &Path, watch: &str| {
        format!("[roots.media]\npath = {:?}\n[watch]\n{watch}\n", root.display().to_string())
    };
    home.configure(&config(&home.media(), ""));
    let daemon = home.start();
    let reload = |text: String| {
        fs::write(home.path().join("obituarr.toml"), text).unwrap();
        let reloads = || home.log().matches("was read again").count();
        let before = reloads();
        daemon.signal(rustix::process::Signal::HUP);
        until("the reload", LONG, || (reloads() > before).then_some(()));
        daemon.wait_ready();
        throughout(QUIET, || ());
        nothing_died(&daemon);
    };
    reload(config(&home.media(), "extensions = [\"mkv\"]"));
    let story = daemon.story("Heat").unwrap();
    assert!(story.to_string().contains("extensions or ignore rules changed"), "{story}");
    reload(config(&home.media(), "extensions = [\"mkv\"]\nignore = [\"movies\"]"));
    reload(config(&home.media(), ""));
    let other = home.path().join("other");
    make(&other, "Alien (1979)/Alien.mkv");
    reload(config(&other, ""));
    let story = daemon.story("Alien").unwrap();
    assert!(story.to_string().contains("its path changed"), "{story}");
    reload(config(&home.media(), ""));
    // And still it watches.
    fs::remove_dir_all(home.media().join("movies/Heat (1995)")).unwrap();
    daemon.wait_deletions(1);
}

#[test]
fn a_title_moved_with_another_name_into_a_root_that_is_added_after_that() {
    let mut home = home();
    let media = home.media().display().to_string();
    let other = home.path().join("other");
    make(&other, "Alien (1979)/Alien.mkv");
    let first = format!("[roots.media]\npath = {media:?}\n");
    home.configure(&first);
    let daemon = home.start();
    // While it stands still, nothing of this is seen as it happens.
    daemon.signal(rustix::process::Signal::STOP);
    rename(home.path(), "media/movies/Heat (1995)/Heat (1995).mkv", "other/Some Film (2001).mkv");
    let both = format!("{first}[roots.other]\npath = {:?}\n", other.display().to_string());
    fs::write(home.path().join("obituarr.toml"), both).unwrap();
    daemon.signal(rustix::process::Signal::HUP);
    daemon.signal(rustix::process::Signal::CONT);
    daemon.wait_decided("Heat", "retracted");
    nothing_died(&daemon);
}

#[test]
fn a_bad_configuration_is_said_and_the_old_one_stays() {
    let mut home = home();
    let good = format!("[roots.media]\npath = {:?}\n", home.media().display().to_string());
    home.configure(&good);
    let daemon = home.start();
    fs::write(home.path().join("obituarr.toml"), "[roots.media]\npaht = 1\n").unwrap();
    daemon.signal(rustix::process::Signal::HUP);
    until("the complaint", LONG, || home.log().contains("the old one stays").then_some(()));
    assert!(home.log().contains("obituarr.toml:2:1"), "{}", home.log());
    fs::remove_dir_all(home.media().join("movies/Heat (1995)")).unwrap();
    daemon.wait_deletions(1);
}
