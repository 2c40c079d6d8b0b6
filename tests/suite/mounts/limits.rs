//! inotify used up: what can't be watched is found by looking, and a person reads how to allow more.
//! The limits are those of a user namespace, so nobody else runs into them.

use std::fs;
use std::process::Command;

use super::rig::{SOON, film, films, skip, wait_health};
use crate::e2e::daemon::Home;
use crate::e2e::wait::until;

/// Runs what follows in a user namespace in which a limit is as low as given.
fn with_limit(key: &str, limit: u32) -> Vec<String> {
    let script = format!("echo {limit} >/proc/sys/user/{key} && exec \"$@\"");
    ["unshare", "--user", "--map-root-user", "sh", "-c", &script, "sh"].map(str::to_owned).into()
}

fn every_loss_is_found(key: &str, limit: u32, line: &str) {
    let through = with_limit(key, limit);
    let tried = Command::new(&through[0]).args(&through[1..]).arg("true").output();
    if !tried.is_ok_and(|output| output.status.success()) {
        return skip(key, "user namespaces can't be made here");
    }
    let mut home = Home::new();
    home.through = through;
    films(&home.media(), 0..300);
    let daemon = home.start();
    wait_health(&daemon, "online", SOON);
    let said = home.ask(&["status"]);
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.contains(&format!("`sysctl fs.inotify.{line}=")), "{said}");
    let status = daemon.status().unwrap();
    let summary = status["summary"].as_str().unwrap();
    assert!(summary.contains("directories of root media can't be watched"), "{status}");
    assert!(summary.contains("watch.rescan") && summary.contains(line), "{status}");
    assert_eq!(status["needs_attention"], true, "{status}");
    until("it is in the log", SOON, || home.log().contains("can't be watched").then_some(()));
    let dead = [0, 7, 40, 41, 99, 150, 151, 222, 298, 299];
    for number in dead {
        fs::remove_dir_all(home.media().join(film(number))).unwrap();
    }
    daemon.check();
    daemon.wait_deletions(dead.len());
    let titles = dead.map(|number| format!("Film {number:03}"));
    assert_eq!(daemon.dead(), titles);
    // A rename that no event tells of is no loss.
    let (old, new) = (home.media().join(film(60)), home.media().join("Film 060 (2000) renamed"));
    fs::rename(old, new).unwrap();
    daemon.check();
    assert_eq!(daemon.dead(), titles);
    assert_eq!(daemon.stop(), 0);
    let log = home.log();
    let told = log.lines().filter(|line| line.contains("WARN") && line.contains("sysctl"));
    assert_eq!(told.count(), 1, "{log}");
    assert_eq!(home.ledger().len(), dead.len());
}

#[test]
fn without_enough_watches_every_loss_is_found_and_status_says_how_to_allow_more() {
    every_loss_is_found("max_inotify_watches", 50, "max_user_watches");
}

#[test]
fn without_any_instance_every_loss_is_found_and_status_says_how_to_allow_more() {
    every_loss_is_found("max_inotify_instances", 0, "max_user_instances");
}
