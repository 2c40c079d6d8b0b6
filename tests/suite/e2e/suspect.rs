//! A root from which too much goes at once is not believed until it is back or a person accepts it.

use std::fs;

use super::daemon::{Daemon, Home, LONG, SETTLE};
use super::make;
use super::wait::{throughout, until};

fn film(number: usize) -> String {
    format!("Film {number:03} (2000)/Film.mkv")
}

fn folder(number: usize) -> String {
    format!("Film {number:03} (2000)")
}

/// A library of 100 films that loses 30, kept aside.
fn shrunk() -> Home {
    let home = Home::new();
    for number in 0..100 {
        make(&home.media(), &film(number));
    }
    fs::create_dir(home.path().join("aside")).unwrap();
    home
}

fn take(home: &Home, numbers: std::ops::Range<usize>) {
    for number in numbers {
        let aside = home.path().join("aside").join(folder(number));
        fs::rename(home.media().join(folder(number)), aside).unwrap();
    }
}

fn put_back(home: &Home, numbers: std::ops::Range<usize>) {
    for number in numbers {
        let aside = home.path().join("aside").join(folder(number));
        fs::rename(aside, home.media().join(folder(number))).unwrap();
    }
}

fn wait_health(daemon: &Daemon<'_>, health: &str) -> String {
    until(health, LONG, || {
        let status = daemon.status()?;
        let root = &status["roots"][0];
        (root["health"] == health).then(|| root["reason"].as_str().unwrap().to_owned())
    })
}

#[test]
fn what_goes_at_once_is_held_and_retracted_when_it_is_back() {
    let home = shrunk();
    let daemon = home.start();
    take(&home, 0..30);
    let reason = wait_health(&daemon, "suspect");
    assert!(reason.contains("of 100 media files are left"), "{reason}");
    throughout(SETTLE * 2, || assert!(daemon.deletions().is_empty()));
    let story = daemon.story("Film 007").unwrap();
    assert!(
        story["summary"].as_str().unwrap().contains("held: disk can't tell: root media is"),
        "{story}"
    );
    put_back(&home, 0..27);
    wait_health(&daemon, "online");
    // Three did not come back, and died like others.
    daemon.wait_deletions(3);
    assert_eq!(daemon.dead(), ["Film 027", "Film 028", "Film 029"]);
}

#[test]
fn a_person_accepts_what_is_left_also_after_a_restart() {
    let home = shrunk();
    let daemon = home.start();
    assert_eq!(daemon.stop(), 0);
    take(&home, 0..30);
    let daemon = home.start();
    wait_health(&daemon, "suspect");
    daemon.kill();
    let daemon = home.start();
    wait_health(&daemon, "suspect");
    let asked = home.ask(&["accept", "media"]);
    assert_eq!(asked.status.code(), Some(1), "nobody can be asked");
    let said = String::from_utf8_lossy(&asked.stderr).into_owned();
    assert!(said.contains("30 titles are looked at again"), "{said}");
    throughout(SETTLE * 2, || assert!(daemon.deletions().is_empty()));
    assert_eq!(home.ask(&["accept", "media", "--yes"]).status.code(), Some(0));
    daemon.wait_deletions(30);
    wait_health(&daemon, "online");
    let ledger = fs::read_to_string(home.state().join("ledger.jsonl")).unwrap();
    assert!(ledger.lines().next().unwrap().contains("\"verb\":\"accept\""), "{ledger}");
    let again = home.ask(&["accept", "media", "--yes"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&again.stderr).contains("only a root that is suspect"));
    let unknown = home.ask(&["accept", "nothing", "--yes"]);
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("there are: media"));
}
