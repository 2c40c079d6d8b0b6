//! A real mergerfs over three disks, one of which goes. It shows the files of the others without any
//! error: nothing may be reported, and the disk that is away has to be named.

use std::fs;
use std::path::PathBuf;

use super::rig::{Rig, SOON, film, wait_health, with_mounts};
use crate::e2e::daemon::{Daemon, Home, LONG, SETTLE};
use crate::e2e::make;
use crate::e2e::wait::{throughout, until};

/// So many films lie on each disk: enough that the loss of one disk is a loss of too many files.
pub(super) const EACH: usize = 30;

/// Three disks of their own at `disk1` to `disk3`, mounted at `d1` to `d3`, and the pool of those at
/// the root. Film `n` lies on disk `n % 3 + 1`, the first episode of a series on the first disk and
/// the second on the second.
pub(super) fn pool(rig: &Rig) {
    for disk in 1..=3 {
        rig.beside(&format!("disk{disk}"));
        rig.beside(&format!("d{disk}"));
        rig.run(&format!("mount -t tmpfs -o size=64m ram{disk} @disk{disk}"));
        attach(rig, disk);
    }
    for number in 0..3 * EACH {
        let disk = rig.beside(&format!("disk{}", number % 3 + 1));
        make(&disk, &format!("{0}/{0}.mkv", film(number)));
    }
    for episode in 1..=2 {
        let disk = rig.beside(&format!("disk{episode}"));
        make(&disk, &format!("Show (2001)/Season 01/Show S01E0{episode}.mkv"));
    }
    assemble(rig);
}

pub(super) fn assemble(rig: &Rig) {
    let branches = [1, 2, 3].map(|disk| branch(rig, disk));
    // It takes a small disk for a full one unless told otherwise.
    let options = "allow_other,cache.files=off,minfreespace=0";
    rig.run(&format!("mergerfs -o {options} {} @media", branches.join(":")));
}

/// Where a disk is mounted.
pub(super) fn branch(rig: &Rig, disk: usize) -> String {
    rig.home.path().join(format!("d{disk}")).display().to_string()
}

pub(super) fn attach(rig: &Rig, disk: usize) {
    rig.run(&format!("mount --bind @disk{disk} @d{disk}"));
}

pub(super) fn lose(rig: &Rig, disk: usize) {
    rig.run(&format!("umount -l @d{disk}"));
}

fn film_on(rig: &Rig, disk: usize, number: usize) -> PathBuf {
    rig.home.path().join(format!("disk{disk}")).join(film(number))
}

/// A home whose daemon is told of the branches instead of asking the pool.
fn configured(rig: &Rig) -> Home {
    let mut home = Home::bare();
    let branches = [1, 2, 3].map(|disk| format!("\"{}\"", branch(rig, disk))).join(", ");
    let media = rig.media();
    let media = media.display();
    home.configure(&format!(
        "[roots.media]\npath = \"{media}\"\n[pools.main]\nmount = \"{media}\"\nbranches = \
         [{branches}]\n"
    ));
    home
}

fn nothing_is_told(home: &Home, daemon: &Daemon<'_>) {
    throughout(SETTLE * 2, || assert!(home.ledger().is_empty(), "{:?}", daemon.dead()));
}

fn wait_suspect(rig: &Rig, daemon: &Daemon<'_>, disk: usize) {
    let reason = wait_health(daemon, "suspect", SOON);
    assert!(reason.contains(&format!("branch {} is", branch(rig, disk))), "{reason}");
}

fn one_is_lost_and_comes_back(rig: &Rig, home: &Home) {
    let daemon = home.start();
    wait_health(&daemon, "online", LONG);
    lose(rig, 2);
    wait_suspect(rig, &daemon, 2);
    nothing_is_told(home, &daemon);
    let status = daemon.status().unwrap();
    assert_eq!(status["candidates"]["settling"], 0, "{status}");
    // Restarts change nothing, whether it ends well or not.
    assert_eq!(daemon.stop(), 0);
    let daemon = home.start();
    wait_suspect(rig, &daemon, 2);
    nothing_is_told(home, &daemon);
    daemon.kill();
    let daemon = home.start();
    wait_suspect(rig, &daemon, 2);
    nothing_is_told(home, &daemon);
    // Somebody deletes a film on each of two disks meanwhile.
    fs::remove_dir_all(film_on(rig, 2, 4)).unwrap();
    fs::remove_dir_all(film_on(rig, 1, 6)).unwrap();
    attach(rig, 2);
    wait_health(&daemon, "online", SOON);
    let deletions = daemon.wait_deletions(2);
    assert!(deletions.iter().all(|deletion| deletion["cause"] == "removed"), "{deletions:?}");
    assert_eq!(daemon.dead(), ["Film 004", "Film 006"]);
    throughout(SETTLE * 2, || assert_eq!(home.ledger().len(), 2));
}

#[test]
fn a_lost_branch_of_a_pool_that_was_asked_is_named_and_nothing_is_told() {
    with_mounts("a branch lost, asked", &["mergerfs"], |rig| {
        pool(rig);
        one_is_lost_and_comes_back(rig, &rig.home);
    });
}

#[test]
fn a_lost_branch_that_was_configured_is_named_and_nothing_is_told() {
    with_mounts("a branch lost, configured", &["mergerfs"], |rig| {
        pool(rig);
        one_is_lost_and_comes_back(rig, &configured(rig));
    });
}

#[test]
fn a_pool_that_lost_every_branch_is_not_empty_but_suspect() {
    with_mounts("every branch lost", &["mergerfs"], |rig| {
        pool(rig);
        let daemon = rig.start();
        (1..=3).for_each(|disk| lose(rig, disk));
        let reason = wait_health(&daemon, "suspect", SOON);
        until("each branch is named", SOON, || {
            let reason = daemon.status()?["roots"][0]["reason"].as_str()?.to_owned();
            (1..=3).all(|disk| reason.contains(&branch(rig, disk))).then_some(())
        });
        assert!(reason.contains("is away"), "{reason}");
        rig.nothing_is_told(&daemon);
        (1..=3).for_each(|disk| attach(rig, disk));
        wait_health(&daemon, "online", SOON);
        rig.nothing_is_told(&daemon);
    });
}

#[test]
fn a_disk_on_which_nothing_lay_may_come_and_go() {
    with_mounts("an empty branch", &["mergerfs"], |rig| {
        pool(rig);
        for number in (2..3 * EACH).step_by(3) {
            fs::remove_dir_all(film_on(rig, 3, number)).unwrap();
        }
        let daemon = rig.start();
        lose(rig, 3);
        throughout(SOON / 2, || {
            assert_eq!(daemon.status().unwrap()["roots"][0]["health"], "online");
        });
        attach(rig, 3);
        make(&rig.media(), "New (2001)/New.mkv");
        rig.nothing_is_told(&daemon);
        assert_eq!(daemon.status().unwrap()["roots"][0]["health"], "online");
    });
}

#[test]
fn a_pool_whose_branches_are_not_all_there_is_not_adopted() {
    with_mounts("a pool that is not whole", &["mergerfs"], |rig| {
        pool(rig);
        lose(rig, 3);
        let home = configured(rig);
        let options = home.options.iter().map(String::as_str);
        let args: Vec<&str> = ["check-config"].into_iter().chain(options).collect();
        let checked = home.ask(&args);
        let said = String::from_utf8_lossy(&checked.stderr).into_owned();
        assert_eq!(checked.status.code(), Some(66), "{said}");
        let expected = format!("pools.main.branches: {} is not a mount point", branch(rig, 3));
        assert!(said.contains(&expected), "{said}");
        let daemon = home.start();
        let reason = wait_health(&daemon, "waiting", LONG);
        assert_eq!(reason, format!("branch {} is not mounted", branch(rig, 3)));
        attach(rig, 3);
        wait_health(&daemon, "online", SOON);
        rig.run("umount -l @media");
        let reason = wait_health(&daemon, "offline", SOON);
        assert!(reason.contains("its pool is not mounted"), "{reason}");
        assemble(rig);
        wait_health(&daemon, "online", SOON);
        nothing_is_told(&home, &daemon);
    });
}

#[test]
fn a_pool_of_another_size_is_suspect_where_its_branches_are_not_known() {
    with_mounts("another size", &[], |rig| {
        for name in ["upper", "lower"] {
            rig.beside(name);
        }
        rig.run("mount -t tmpfs -o size=64m ram @upper");
        for name in ["upper/files", "upper/work"] {
            rig.beside(name);
        }
        make(&rig.beside("lower"), "Film (2000)/Film.mkv");
        let home = rig.home.path().display();
        rig.run(&format!(
            "mount -t overlay overlay -o \
             lowerdir={home}/lower,upperdir={home}/upper/files,workdir={home}/upper/work @media"
        ));
        let daemon = rig.start();
        for size in ["32m", "128m"] {
            rig.run(&format!("mount -o remount,size={size} @upper"));
            let reason = wait_health(&daemon, "suspect", SOON);
            assert!(reason.contains("the pool has another size"), "{reason}");
            rig.run("mount -o remount,size=64m @upper");
            wait_health(&daemon, "online", SOON);
        }
        rig.nothing_is_told(&daemon);
    });
}
