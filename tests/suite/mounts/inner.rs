//! Disks mounted below a root: each is a root of its own, and its going is not the root's.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::rig::{Rig, SOON, film, films, wait_health, with_mounts};
use crate::e2e::daemon::{Daemon, LONG, SETTLE};
use crate::e2e::make;
use crate::e2e::wait::{throughout, until};

fn place(rig: &Rig, dir: &str) -> PathBuf {
    rig.beside(&format!("media/{dir}"))
}

fn health_of(daemon: &Daemon<'_>, root: &str) -> Option<Value> {
    let status = daemon.status()?;
    status["roots"].as_array()?.iter().find(|r| r["name"] == root).cloned()
}

/// Waits until a root is this well, and gives the reason.
#[track_caller]
fn wait_root(daemon: &Daemon<'_>, root: &str, health: &str) -> String {
    let found = until(&format!("{root} is {health}"), SOON, || {
        health_of(daemon, root).filter(|root| root["health"] == health)
    });
    found["reason"].as_str().unwrap().to_owned()
}

/// A daemon on a library of which 20 films lie on a mount of its own, that is adopted.
fn start<'a>(rig: &'a Rig, mount: &str) -> Daemon<'a> {
    films(&rig.media(), 0..30);
    place(rig, "uhd");
    rig.run(mount);
    films(&place(rig, "uhd"), 100..120);
    let daemon = rig.start();
    until("the inner root is adopted", LONG, || {
        health_of(&daemon, "media:uhd").filter(|root| root["files"] == 20)
    });
    daemon
}

fn wait_away() {
    throughout(SETTLE * 2, || ());
}

#[test]
fn a_disk_below_the_root_that_is_lost_is_offline_and_what_may_have_moved_there_is_held() {
    with_mounts("a disk below the root", &["mkfs.ext4"], |rig| {
        rig.image("image", "ext4");
        films(&rig.media(), 0..3_850);
        let daemon = start(rig, "mount -o loop @image @media/uhd");
        films(&place(rig, "uhd"), 4_000..4_130);
        until("all are known", LONG, || {
            health_of(&daemon, "media:uhd").filter(|root| root["files"] == 150)
        });
        rig.run("umount @media/uhd");
        let reason = wait_root(&daemon, "media:uhd", "offline");
        assert!(reason.contains("media/uhd") && reason.contains("ext4"), "{reason}");
        wait_health(&daemon, "online", SOON);
        rig.nothing_is_told(&daemon);
        fs::remove_dir_all(rig.media().join(film(7))).unwrap();
        let story = daemon.wait_decided("Film 007", "held");
        assert!(story.to_string().contains("media:uhd"), "{story}");
        rig.nothing_is_told(&daemon);

        rig.run("mount -o loop @image @media/uhd");
        wait_root(&daemon, "media:uhd", "online");
        daemon.wait_deletions(1);
        assert_eq!(daemon.dead(), ["Film 007"]);
        fs::remove_dir_all(place(rig, "uhd").join(film(4_001))).unwrap();
        daemon.wait_deletions(2);
        assert_eq!(daemon.dead(), ["Film 007", "Film 4001"]);
    });
}

#[test]
fn a_directory_bound_below_the_root_and_taken_away_is_not_a_deletion() {
    with_mounts("a bind mount below the root", &[], |rig| {
        rig.beside("disk");
        let daemon = start(rig, "mount --bind @disk @media/uhd");
        rig.run("umount -l @media/uhd");
        let reason = wait_root(&daemon, "media:uhd", "offline");
        assert!(reason.contains("nothing is mounted at"), "{reason}");
        fs::remove_dir_all(rig.beside("disk").join(film(100))).unwrap();
        daemon.check();
        rig.nothing_is_told(&daemon);
        rig.run("mount --bind @disk @media/uhd");
        wait_root(&daemon, "media:uhd", "online");
        daemon.wait_deletions(1);
        assert_eq!(daemon.dead(), ["Film 100"]);
    });
}

#[test]
fn one_that_went_while_nobody_watched_is_remembered() {
    with_mounts("a mount below the root lost while stopped", &[], |rig| {
        rig.beside("disk");
        let daemon = start(rig, "mount --bind @disk @media/uhd");
        assert_eq!(daemon.stop(), 0);
        rig.run("umount @media/uhd");
        fs::remove_dir(rig.media().join("uhd")).unwrap();
        let daemon = rig.start();
        wait_root(&daemon, "media:uhd", "offline");
        daemon.check();
        rig.nothing_is_told(&daemon);
        place(rig, "uhd");
        rig.run("mount --bind @disk @media/uhd");
        wait_root(&daemon, "media:uhd", "online");
        fs::remove_dir_all(place(rig, "uhd").join(film(111))).unwrap();
        daemon.wait_deletions(1);
        assert_eq!(daemon.dead(), ["Film 111"]);
    });
}

#[test]
fn another_disk_in_its_place_is_another_root_until_a_person_accepts_it() {
    with_mounts("another disk below the root", &[], |rig| {
        rig.beside("disk");
        let daemon = start(rig, "mount --bind @disk @media/uhd");
        films(&rig.beside("other"), 100..119);
        rig.run("mount --bind @other @media/uhd");
        let reason = wait_root(&daemon, "media:uhd", "offline");
        assert!(reason.contains("another"), "{reason}");
        rig.nothing_is_told(&daemon);
        let accepted = rig.home.ask(&["accept", "media:uhd", "--yes"]);
        assert!(accepted.status.success(), "{accepted:?}");
        wait_root(&daemon, "media:uhd", "online");
        daemon.wait_deletions(1);
        assert_eq!(daemon.dead(), ["Film 119"]);
    });
}

#[test]
fn what_a_mount_covers_is_hidden_and_not_dead() {
    with_mounts("a mount over media below the root", &[], |rig| {
        films(&rig.media(), 0..30);
        films(&place(rig, "uhd"), 100..120);
        let daemon = rig.start();
        rig.beside("disk");
        // An empty one is nobody's root and leaves no trace; the other is of the same file system.
        for mount in ["mount -t tmpfs ram @media/uhd", "mount --bind @disk @media/uhd"] {
            rig.run(mount);
            until("it is found", SOON, || health_of(&daemon, "media:uhd"));
            daemon.check();
            rig.nothing_is_told(&daemon);
            if mount.contains("disk") {
                films(&place(rig, "uhd"), 200..203);
                until("it is adopted", LONG, || {
                    health_of(&daemon, "media:uhd").filter(|root| root["files"] == 3)
                });
            }
            rig.run("umount @media/uhd");
            daemon.check();
            rig.nothing_is_told(&daemon);
        }
        wait_root(&daemon, "media:uhd", "offline");
        // What is lost there meanwhile is not noticed, and not said to be there either.
        fs::remove_dir_all(place(rig, "uhd").join(film(119))).unwrap();
        daemon.check();
        rig.nothing_is_told(&daemon);
        let story = daemon.story("Film 119").unwrap();
        let summary = story["summary"].as_str().unwrap();
        assert!(summary.contains("when last seen, 1 file; root media:uhd is offline"), "{story}");
        let accepted = rig.home.ask(&["accept", "media:uhd", "--yes"]);
        assert!(accepted.status.success(), "{accepted:?}");
        daemon.wait_deletions(4);
        assert_eq!(daemon.dead(), ["Film 119", "Film 200", "Film 201", "Film 202"]);
        fs::remove_dir_all(place(rig, "uhd").join(film(100))).unwrap();
        daemon.wait_deletions(5);
    });
}

#[test]
fn a_mount_given_up_by_a_person_is_a_part_of_the_root_again() {
    with_mounts("a mount given up", &[], |rig| {
        rig.beside("disk");
        let daemon = start(rig, "mount --bind @disk @media/uhd");
        rig.run("umount @media/uhd");
        wait_root(&daemon, "media:uhd", "offline");
        // What was copied back lives; two are not there.
        films(&place(rig, "uhd"), 102..120);
        rig.nothing_is_told(&daemon);
        // Nobody can be asked here: what would be said to a person, and nothing done.
        let asked = rig.home.ask(&["accept", "media:uhd"]);
        let said = String::from_utf8_lossy(&asked.stderr).into_owned();
        for part in ["20 titles are known to have been in it", "  Film 100", "mount the right one"]
        {
            assert!(said.contains(part), "{part}: {said}");
        }
        rig.nothing_is_told(&daemon);
        let accepted = rig.home.ask(&["accept", "media:uhd", "--yes"]);
        assert!(accepted.status.success(), "{accepted:?}");
        daemon.wait_deletions(2);
        assert_eq!(daemon.dead(), ["Film 100", "Film 101"]);
        assert!(health_of(&daemon, "media:uhd").is_none());
        fs::remove_dir_all(place(rig, "uhd").join(film(105))).unwrap();
        daemon.wait_deletions(3);
        drop(daemon);
        let daemon = rig.start();
        assert!(health_of(&daemon, "media:uhd").is_none());
        daemon.check();
        assert_eq!(daemon.deletions().len(), 3);
    });
}

#[test]
fn mounts_one_inside_another_are_roots_of_their_own() {
    with_mounts("mounts one inside another", &[], |rig| {
        let daemon = start(rig, "mount -t tmpfs outer @media/uhd");
        rig.beside("media/uhd/4k");
        rig.run("mount -t tmpfs inner @media/uhd/4k");
        films(&place(rig, "uhd/4k"), 300..310);
        until("it is adopted", LONG, || {
            health_of(&daemon, "media:uhd/4k").filter(|root| root["files"] == 10)
        });
        rig.run("umount @media/uhd/4k");
        wait_root(&daemon, "media:uhd/4k", "offline");
        wait_root(&daemon, "media:uhd", "online");
        rig.nothing_is_told(&daemon);
        fs::remove_dir_all(place(rig, "uhd").join(film(110))).unwrap();
        daemon.wait_decided("Film 110", "held");
        rig.run("umount -l @media/uhd");
        wait_root(&daemon, "media:uhd", "offline");
        wait_away();
        rig.nothing_is_told(&daemon);
    });
}

#[test]
fn a_season_on_a_disk_of_its_own_keeps_its_series_alive() {
    with_mounts("a season on a disk of its own", &[], |rig| {
        films(&rig.media(), 0..30);
        for season in 1..=2 {
            let dir = format!("Show (2010)/Season 0{season}");
            place(rig, &dir);
            if season == 2 {
                rig.beside("disk");
                let (from, at) = (rig.beside("disk"), place(rig, &dir));
                let flags = nix::mount::MsFlags::MS_BIND;
                nix::mount::mount(Some(&from), &at, None::<&str>, flags, None::<&str>).unwrap();
            }
            make(&place(rig, &dir), &format!("Show - S0{season}E01.mkv"));
        }
        let inner = "media:Show (2010)/Season 02";
        let daemon = rig.start();
        wait_root(&daemon, inner, "online");
        fs::remove_dir_all(place(rig, "Show (2010)/Season 01")).unwrap();
        daemon.wait_decided("Show", "partial");
        nix::mount::umount(&place(rig, "Show (2010)/Season 02")).unwrap();
        wait_root(&daemon, inner, "offline");
        wait_away();
        place(rig, "Show (2010)/Season 01");
        make(&place(rig, "Show (2010)/Season 01"), "Show - S01E01.mkv");
        daemon.check();
        fs::remove_dir_all(place(rig, "Show (2010)/Season 01")).unwrap();
        daemon.wait_decided("Show", "held");
        rig.nothing_is_told(&daemon);
    });
}
