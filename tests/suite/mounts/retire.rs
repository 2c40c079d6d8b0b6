//! A disk that will not come back: a person says so, and exactly what lay on it is reported.

use std::fs;
use std::io::Write;

use obituarr::clock::{Clock, SystemClock};
use serde_json::Value;

use super::pools::{EACH, attach, branch, lose, pool};
use super::rig::{Rig, SOON, film, films, wait_health, with_mounts};
use crate::e2e::daemon::{Daemon, Home, LONG, SETTLE};
use crate::e2e::make;
use crate::e2e::wait::{throughout, until};

/// The titles of the films on a disk.
fn films_on(disk: usize) -> Vec<String> {
    let numbers = (0..3 * EACH).filter(|number| number % 3 + 1 == disk);
    numbers.map(|number| format!("Film {number:03}")).collect()
}

fn wait_disk_losses(daemon: &Daemon<'_>, expected: &[String]) {
    let deletions = daemon.wait_deletions(expected.len());
    assert_eq!(daemon.dead(), expected);
    for deletion in deletions {
        assert_eq!(deletion["cause"], "disk_loss", "{deletion}");
        assert_eq!(deletion["source"], "external");
    }
}

fn retire(home: &Home, what: &str) -> Value {
    let output = home.command(&["retire", what, "--yes", "--json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn refused(home: &Home, what: &str) -> String {
    let output = home.ask(&["retire", what, "--yes"]);
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// As if the process had been killed between the line in the ledger and what follows from it.
fn only_in_the_ledger(home: &Home, what: &str) {
    let at = SystemClock::new().wall();
    let line = format!(
        "{{\"v\":1,\"at\":\"{at}\",\"event\":\"verb\",\"verb\":\"retire\",\"subject\":\"{what}\"}}\n"
    );
    let mut ledger =
        fs::File::options().append(true).open(home.state().join("ledger.jsonl")).unwrap();
    ledger.write_all(line.as_bytes()).unwrap();
}

fn verbs(home: &Home) -> usize {
    let ledger = fs::read_to_string(home.state().join("ledger.jsonl")).unwrap();
    ledger.lines().filter(|line| line.contains("\"verb\":\"retire\"")).count()
}

fn one_more_restart(rig: &Rig, daemon: Daemon<'_>, told: usize) {
    assert_eq!(daemon.stop(), 0);
    let daemon = rig.home.start();
    wait_health(&daemon, "online", LONG);
    daemon.check();
    assert_eq!(rig.home.ledger().len(), told, "told once");
}

/// A daemon on a pool that has just lost its second disk.
fn without_disk_2(rig: &Rig) -> Daemon<'_> {
    pool(rig);
    let daemon = rig.start();
    lose(rig, 2);
    wait_health(&daemon, "suspect", SOON);
    daemon
}

#[test]
fn a_retired_branch_takes_exactly_its_titles_along() {
    with_mounts("a retired branch", &["mergerfs"], |rig| {
        pool(rig);
        let daemon = rig.start();
        let (home, lost) = (&rig.home, branch(rig, 2));
        assert!(refused(home, &lost).contains("is there; only a branch that is away"));
        assert!(refused(home, "/nowhere").contains("is not a branch of any pool"));
        assert!(refused(home, "media").contains("only a root that is away"));
        lose(rig, 2);
        wait_health(&daemon, "suspect", SOON);

        let shown = home.ask(&["retire", &lost]);
        let said = String::from_utf8_lossy(&shown.stdout).into_owned();
        assert_eq!(shown.status.code(), Some(0), "{said}");
        assert!(said.contains("30 titles would be reported"), "{said}");
        assert!(said.contains("1 titles lose files and have others"), "{said}");
        assert!(said.contains(&format!("retire {lost} --yes")), "{said}");
        rig.nothing_is_told(&daemon);
        assert_eq!(verbs(home), 0);

        let done = retire(home, &lost);
        assert_eq!((&done["retired"], &done["kind"]), (&Value::from(true), &Value::from("branch")));
        assert_eq!(done["titles"].as_array().unwrap().len(), EACH + 1);
        wait_health(&daemon, "online", SOON);
        wait_disk_losses(&daemon, &films_on(2));
        assert_eq!(verbs(home), 1);
        let story = daemon.wait_decided("Show", "partial");
        assert_eq!(story["state"], "alive");
        let story = daemon.story("media").unwrap();
        assert!(story["lines"].to_string().contains("was retired by a person"), "{story}");
        one_more_restart(rig, daemon, EACH);
    });
}

#[test]
fn a_retired_branch_that_comes_back_after_all_gives_its_titles_a_new_life() {
    with_mounts("a retired branch comes back", &["mergerfs"], |rig| {
        let daemon = without_disk_2(rig);
        retire(&rig.home, &branch(rig, 2));
        wait_disk_losses(&daemon, &films_on(2));
        attach(rig, 2);
        daemon.wait_decided("Film 001", "returned");
        wait_health(&daemon, "online", SOON);
        // It is a branch like the others again: it can be lost, and what goes from it is removed.
        lose(rig, 2);
        wait_health(&daemon, "suspect", SOON);
        throughout(SETTLE * 2, || assert_eq!(rig.home.ledger().len(), EACH));
        fs::remove_dir_all(rig.beside("disk2").join(film(1))).unwrap();
        attach(rig, 2);
        until("Film 001 dies again", LONG, || (rig.home.ledger().len() > EACH).then_some(()));
        let last = rig.home.ledger().pop().unwrap();
        assert_eq!(last["entry"]["deletion"]["cause"], "removed");
        assert_eq!(last["entry"]["deletion"]["item"]["title"], "Film 001");
        assert_eq!(last["entry"]["deletion"]["life"], 2);
    });
}

#[test]
fn a_retirement_of_which_only_the_ledger_knows_takes_effect_after_the_restart_and_once() {
    with_mounts("killed while retiring", &["mergerfs"], |rig| {
        let daemon = without_disk_2(rig);
        daemon.kill();
        only_in_the_ledger(&rig.home, &branch(rig, 2));
        let daemon = rig.home.start();
        wait_disk_losses(&daemon, &films_on(2));
        one_more_restart(rig, daemon, EACH);
    });
}

#[test]
fn a_retirement_of_which_only_the_ledger_knows_means_nothing_when_the_disk_is_back() {
    with_mounts("killed while retiring, and back", &["mergerfs"], |rig| {
        let daemon = without_disk_2(rig);
        daemon.kill();
        only_in_the_ledger(&rig.home, &branch(rig, 2));
        attach(rig, 2);
        let daemon = rig.home.start();
        wait_health(&daemon, "online", LONG);
        rig.nothing_is_told(&daemon);
        lose(rig, 2);
        wait_health(&daemon, "suspect", SOON);
        rig.nothing_is_told(&daemon);
    });
}

#[test]
fn an_empty_disk_in_the_place_of_a_branch_is_another_and_what_lay_there_can_be_retired() {
    with_mounts("a branch replaced", &["mergerfs"], |rig| {
        pool(rig);
        let daemon = rig.start();
        lose(rig, 2);
        rig.run("mount -t tmpfs -o size=64m ram4 @d2");
        let reason = wait_health(&daemon, "suspect", SOON);
        assert!(reason.contains(&branch(rig, 2)), "{reason}");
        rig.nothing_is_told(&daemon);
        retire(&rig.home, &branch(rig, 2));
        wait_disk_losses(&daemon, &films_on(2));
        // The new disk is a branch like the others.
        make(&rig.beside("d2"), "New (2001)/New.mkv");
        until("the new film is known", LONG, || {
            rig.home.look();
            daemon.story("New").filter(|story| story["state"] == "alive")
        });
        lose(rig, 2);
        wait_health(&daemon, "suspect", SOON);
        throughout(SETTLE * 2, || assert_eq!(rig.home.ledger().len(), EACH));
    });
}

#[test]
fn a_branch_of_which_it_is_not_known_what_lay_on_it_is_not_retired() {
    with_mounts("a branch never seen", &["mergerfs"], |rig| {
        pool(rig);
        let daemon = rig.start();
        assert_eq!(daemon.stop(), 0);
        // As a store that an earlier version has written.
        let aside = rig.beside("state").join("store");
        forget_where_files_lie(&aside);
        lose(rig, 2);
        let daemon = rig.home.start();
        wait_health(&daemon, "suspect", SOON);
        let why = refused(&rig.home, &branch(rig, 2));
        assert!(why.contains("never seen on which branch"), "{why}");
        assert_eq!(verbs(&rig.home), 0);
        rig.nothing_is_told(&daemon);
        attach(rig, 2);
        wait_health(&daemon, "online", SOON);
        daemon.check();
        lose(rig, 2);
        wait_health(&daemon, "suspect", SOON);
        retire(&rig.home, &branch(rig, 2));
        wait_disk_losses(&daemon, &films_on(2));
    });
}

fn forget_where_files_lie(store: &std::path::Path) {
    let db = sled::open(store).unwrap();
    db.open_tree("lay").unwrap().clear().unwrap();
    db.flush().unwrap();
}

#[test]
fn a_retired_root_takes_along_what_lives_nowhere_else() {
    with_mounts("a retired root", &[], |rig| {
        rig.beside("disk");
        rig.beside("other");
        rig.run("mount -t tmpfs ram @disk");
        rig.run("mount --bind @disk @media");
        films(&rig.media(), 0..40);
        films(&rig.beside("other"), 30..45);
        let mut home = Home::bare();
        home.configure(&format!(
            "[roots.media]\npath = \"{}\"\n[roots.other]\npath = \"{}\"\n",
            rig.media().display(),
            rig.beside("other").display()
        ));
        let daemon = home.start();
        wait_health(&daemon, "online", LONG);
        rig.run("umount @media");
        wait_health(&daemon, "offline", SOON);
        assert!(refused(&home, "other").contains("only a root that is away"));
        let shown = home.json(&["retire", "media"]).unwrap();
        let lives_on = |title: &&Value| title["lives_on"] == true;
        let titles = shown["titles"].as_array().unwrap();
        assert_eq!((titles.len(), titles.iter().filter(lives_on).count()), (40, 10));
        assert_eq!(shown["retired"], false);
        retire(&home, "media");
        let expected: Vec<String> = (0..30).map(|number| format!("Film {number:03}")).collect();
        wait_disk_losses(&daemon, &expected);
        assert!(refused(&home, "media").contains("only a root that is away"), "once");
        daemon.kill();
        let daemon = home.start();
        wait_health(&daemon, "waiting", LONG);
        throughout(SETTLE * 2, || assert_eq!(home.ledger().len(), 30));
        // The other root is not held up by one that is given up.
        fs::remove_dir_all(rig.beside("other").join(film(44))).unwrap();
        until("a film of the other root dies", LONG, || (home.ledger().len() == 31).then_some(()));
        rig.run("mount --bind @disk @media");
        wait_health(&daemon, "online", SOON);
        until("Film 001 lives", LONG, || {
            daemon.story("Film 001").filter(|story| story["state"] == "alive")
        });
        throughout(SETTLE * 2, || assert_eq!(home.ledger().len(), 31));
    });
}

#[test]
fn a_root_retired_only_in_the_ledger_is_retired_after_the_restart_and_once() {
    with_mounts("killed while retiring a root", &[], |rig| {
        rig.beside("disk");
        rig.run("mount -t tmpfs ram @disk");
        rig.run("mount --bind @disk @media");
        films(&rig.media(), 0..5);
        let daemon = rig.start();
        rig.run("umount @media");
        wait_health(&daemon, "offline", SOON);
        daemon.kill();
        only_in_the_ledger(&rig.home, "media");
        let daemon = rig.home.start();
        let expected: Vec<String> = (0..5).map(|number| format!("Film {number:03}")).collect();
        wait_disk_losses(&daemon, &expected);
        daemon.kill();
        let daemon = rig.home.start();
        wait_health(&daemon, "waiting", LONG);
        throughout(SETTLE * 2, || assert_eq!(rig.home.ledger().len(), 5));
    });
}
