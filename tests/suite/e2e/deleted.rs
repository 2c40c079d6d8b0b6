//! What dies is told, once, with its evidence.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use super::daemon::{Home, LONG, SETTLE};
use super::make;
use super::wait::{now, throughout, until};
use crate::library::{Kind, Library, Size, Title};

const SIZE: Size = Size { films: 300, series: 40, seed: 1 };

fn remove(home: &Home, title: &Title) {
    if title.loose {
        for file in title.files() {
            fs::remove_file(home.media().join(file)).unwrap();
        }
    } else {
        fs::remove_dir_all(home.media().join(&title.folder)).unwrap();
    }
}

#[test]
fn one_film_folder_of_a_large_library_gives_one_deletion_within_settle_and_a_second() {
    let home = Home::new();
    let library = Library::plan(SIZE);
    library.write(&home.media()).unwrap();
    let daemon = home.start();
    let mut films = library.titles.iter().filter(|t| t.kind == Kind::Film && !t.loose);
    let film = films.next().unwrap();
    let start = now();
    remove(&home, film);
    let list = daemon.wait_deletions(1);
    let mut took = start.elapsed();
    assert!(took >= SETTLE, "took {took:?}");
    let deletion = &list[0];
    assert_eq!(deletion["item"]["title"], film.title);
    assert_eq!(deletion["item"]["year"], film.year);
    assert_eq!(deletion["item"]["kind"], "film");
    assert_eq!((&deletion["source"], &deletion["cause"]), (&"external".into(), &"removed".into()));
    assert_eq!(deletion["life"], 1);
    assert!(deletion["forwarded_at"].is_string() && deletion["detected_at"].is_string());
    let media = film.media.iter().chain(&film.specials).chain(&film.extras);
    let expected: BTreeSet<String> =
        media.map(|file| home.media().join(file).display().to_string()).collect();
    let evidence = deletion["evidence"].as_array().unwrap();
    let absent = evidence.iter().filter(|line| line["answer"] == "absent");
    let found: BTreeSet<String> =
        absent.map(|line| line["path"].as_str().unwrap().to_owned()).collect();
    assert_eq!(found, expected);
    let log = home.log();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("is gone:")).collect();
    assert_eq!(lines.len(), 1, "{log}");
    assert!(lines[0].contains(&film.title) && lines[0].contains("INFO"), "{}", lines[0]);
    assert_eq!(home.ledger().len(), 1);
    // A machine that is busy with other tests may be late once, but not each time.
    for count in 2..5 {
        if took < SETTLE + Duration::from_secs(1) {
            break;
        }
        let start = now();
        remove(&home, films.next().unwrap());
        daemon.wait_deletions(count);
        took = start.elapsed();
    }
    assert!(took < SETTLE + Duration::from_secs(1), "took {took:?}");
    assert_eq!(daemon.stop(), 0);
}

#[test]
fn eight_films_in_one_go_give_eight_deletions() {
    let home = Home::new();
    let library = Library::plan(SIZE);
    library.write(&home.media()).unwrap();
    let daemon = home.start();
    // Every shape that the generator makes is among ten films in a row.
    let films: Vec<&Title> = library.titles.iter().take(8).collect();
    films.iter().for_each(|film| remove(&home, film));
    daemon.wait_deletions(8);
    let mut expected: Vec<&str> = films.iter().map(|film| film.title.as_str()).collect();
    expected.sort_unstable();
    assert_eq!(daemon.dead(), expected);
}

#[test]
fn the_only_film_of_a_root_with_one_film_gives_one_deletion() {
    let home = Home::new();
    make(&home.media(), "Heat (1995)/Heat.mkv");
    let daemon = home.start();
    fs::remove_dir_all(home.media().join("Heat (1995)")).unwrap();
    daemon.wait_deletions(1);
    assert_eq!(daemon.dead(), ["Heat"]);
}

#[test]
fn an_episode_is_partial_and_the_last_one_makes_the_series_a_deletion() {
    let home = Home::new();
    make(&home.media(), "Dark (2017)/Season 1/Dark S01E01.mkv");
    make(&home.media(), "Dark (2017)/Season 1/Dark S01E02.mkv");
    let daemon = home.start();
    fs::remove_file(home.media().join("Dark (2017)/Season 1/Dark S01E01.mkv")).unwrap();
    daemon.wait_decided("Dark", "partial");
    assert!(daemon.deletions().is_empty());
    fs::remove_file(home.media().join("Dark (2017)/Season 1/Dark S01E02.mkv")).unwrap();
    let list = daemon.wait_deletions(1);
    assert_eq!(list[0]["item"]["kind"], "series");
    assert_eq!(list[0]["evidence"].as_array().unwrap().len(), 2);
}

#[test]
fn a_hard_link_that_remains_outside_the_roots_does_not_keep_a_film_alive() {
    let home = Home::new();
    make(&home.media(), "Heat (1995)/Heat.mkv");
    let link = home.path().join("seed.mkv");
    fs::hard_link(home.media().join("Heat (1995)/Heat.mkv"), &link).unwrap();
    let daemon = home.start();
    fs::remove_dir_all(home.media().join("Heat (1995)")).unwrap();
    daemon.wait_deletions(1);
    assert!(link.exists());
}

/// ext4 gives the inode of a removed file to the next one. Where the temporary directory is on
/// another kind of file system, the test shows the same without the reuse.
#[test]
fn a_film_downloaded_at_once_with_the_inode_of_the_dead_one_does_not_hide_it() {
    let home = Home::new();
    make(&home.media(), "Heat (1995)/Heat.mkv");
    make(&home.media(), "Loose (2001).mkv");
    let daemon = home.start();
    let mut reused = 0;
    for (old, new) in [
        ("Heat (1995)/Heat.mkv", "Ronin (1998)/Ronin.mkv"),
        ("Loose (2001).mkv", "Other (2002).mkv"),
    ] {
        fs::create_dir_all(home.media().join(new).parent().unwrap()).unwrap();
        let inode = fs::metadata(home.media().join(old)).unwrap().ino();
        fs::remove_file(home.media().join(old)).unwrap();
        make(&home.media(), new);
        reused += u32::from(fs::metadata(home.media().join(new)).unwrap().ino() == inode);
    }
    println!("inodes used again: {reused} of 2");
    daemon.wait_deletions(2);
    assert_eq!(daemon.dead(), ["Heat", "Loose"]);
}

#[test]
fn a_film_deleted_fetched_again_and_deleted_again_has_two_obituaries_and_two_lives() {
    let home = Home::new();
    make(&home.media(), "Heat (1995)/Heat.mkv");
    let daemon = home.start();
    fs::remove_dir_all(home.media().join("Heat (1995)")).unwrap();
    daemon.wait_deletions(1);
    make(&home.media(), "Heat (1995)/Heat.2160p.mkv");
    until("its second life", LONG, || daemon.story("Heat").filter(|s| s["state"] == "alive"));
    fs::remove_dir_all(home.media().join("Heat (1995)")).unwrap();
    let list = daemon.wait_deletions(2);
    assert_eq!((&list[0]["life"], &list[1]["life"]), (&2.into(), &1.into()));
    assert_ne!(list[0]["id"], list[1]["id"]);
    throughout(SETTLE * 2, || assert_eq!(daemon.deletions().len(), 2));
}

#[test]
fn a_move_into_a_trash_folder_is_a_removal() {
    let home = Home::new();
    make(&home.media(), "Heat (1995)/Heat.mkv");
    fs::create_dir_all(home.media().join(".Trash-1000/files")).unwrap();
    let daemon = home.start();
    let trash = home.media().join(".Trash-1000/files/Heat (1995)");
    fs::rename(home.media().join("Heat (1995)"), trash).unwrap();
    daemon.wait_deletions(1);
}

#[test]
fn a_film_renamed_and_then_deleted_is_one_loss() {
    let home = Home::new();
    make(&home.media(), "Heet (1995)/heat.mkv");
    make(&home.media(), "Ronin (1998)/ronin.mkv");
    let daemon = home.start();
    fs::rename(home.media().join("Heet (1995)"), home.media().join("Heat (1995)")).unwrap();
    until("the new name is seen", LONG, || daemon.story("film:heat:1995"));
    fs::remove_dir_all(home.media().join("Heat (1995)")).unwrap();
    daemon.wait_deletions(1);
    daemon.wait_decided("film:heet:1995", "retracted");
    assert_eq!(daemon.dead(), ["Heat"]);
}

#[test]
fn extras_alone_neither_die_nor_bring_back_to_life() {
    let home = Home::new();
    make(&home.media(), "movies/Heat (1995)/heat.mkv");
    make(&home.media(), "movies/Heat (1995)/heat-trailer.mkv");
    make(&home.media(), "movies/Ronin (1998).mkv");
    make(&home.media(), "movies/Ronin-trailer.mkv");
    make(&home.media(), "movies/Trailers/Other.mkv");
    let daemon = home.start();
    fs::remove_file(home.media().join("movies/Ronin-trailer.mkv")).unwrap();
    fs::remove_dir_all(home.media().join("movies/Trailers")).unwrap();
    fs::remove_dir_all(home.media().join("movies/Heat (1995)")).unwrap();
    daemon.wait_deletions(1);
    make(&home.media(), "movies/Heat (1995)/heat-trailer.mkv");
    throughout(SETTLE, || ());
    fs::remove_dir_all(home.media().join("movies/Heat (1995)")).unwrap();
    throughout(SETTLE * 2, || ());
    daemon.check();
    assert_eq!(daemon.dead(), ["Heat"]);
    assert_eq!(daemon.status().unwrap()["candidates"]["held"], 0);
}
