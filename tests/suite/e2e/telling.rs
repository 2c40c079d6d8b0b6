//! Nothing is told that is not certain at that moment, whatever kept it from being told before.

use std::fs;

use serde_json::json;

use super::daemon::{Home, LONG, SETTLE};
use super::make;
use super::wait::{throughout, until};

fn home() -> Home {
    let home = Home::new();
    make(&home.media(), "Heat (1995)/Heat.mkv");
    make(&home.media(), "Ronin (1998)/Ronin.mkv");
    home
}

#[test]
fn what_comes_back_while_the_ledger_can_not_be_written_is_not_told() {
    let home = home();
    let daemon = home.start();
    let ledger = home.state().join("ledger.jsonl");
    fs::remove_file(&ledger).unwrap();
    fs::create_dir(&ledger).unwrap();
    fs::remove_dir_all(home.media().join("Heat (1995)")).unwrap();
    fs::remove_dir_all(home.media().join("Ronin (1998)")).unwrap();
    let status = until("both are held", LONG, || {
        daemon.status().filter(|status| status["candidates"]["held"] == 2)
    });
    assert_eq!(status["needs_attention"], true);
    assert!(status["summary"].as_str().unwrap().contains("ledger"), "{status}");
    assert!(daemon.deletions().is_empty());
    make(&home.media(), "Heat (1995)/Heat.mkv");
    fs::remove_dir(&ledger).unwrap();
    daemon.wait_decided("Heat", "retracted");
    // The other one is looked at again after a while, or at the next start.
    assert_eq!(daemon.stop(), 0);
    let daemon = home.start();
    daemon.wait_deletions(1);
    assert_eq!(daemon.dead(), ["Ronin"]);
    assert_eq!(home.ledger().len(), 1);
}

#[test]
fn what_was_confirmed_before_a_crash_and_came_back_is_not_told_at_the_next_start() {
    let home = home();
    let daemon = home.start();
    fs::remove_dir_all(home.media().join("Heat (1995)")).unwrap();
    daemon.wait_deletions(1);
    assert_eq!(daemon.stop(), 0);
    // As a crash between the store and the ledger leaves it.
    fs::write(home.state().join("ledger.jsonl"), "").unwrap();
    let db = sled::open(home.state().join("store")).unwrap();
    let entries = db.open_tree("entries").unwrap();
    let (key, value) = entries.iter().next().unwrap().unwrap();
    let mut entry: serde_json::Value = serde_json::from_slice(&value).unwrap();
    entry["state"] = json!("queued");
    entry["forwarded_at"] = json!(null);
    entry["places"] = json!([{"root": "media", "folder": "Heat (1995)", "loose": false}]);
    entry["lost"] = json!([{
        "path": {"root": "media", "rel": "Heat (1995)/Heat.mkv"},
        "id": {"fs": 1, "inode": 1}, "looked": "2020-01-01T00:00:00Z", "extra": false,
    }]);
    entries.insert(key, serde_json::to_vec(&entry).unwrap()).unwrap();
    db.flush().unwrap();
    drop((entries, db));
    make(&home.media(), "Heat (1995)/Heat.mkv");
    let daemon = home.start();
    daemon.wait_decided("Heat", "retracted");
    throughout(SETTLE * 2, || assert!(daemon.deletions().is_empty()));
    assert_eq!(home.ledger().len(), 0);
    // And it can still die.
    fs::remove_dir_all(home.media().join("Heat (1995)")).unwrap();
    daemon.wait_deletions(1);
    assert_eq!(home.ledger().len(), 1);
}

#[test]
fn a_state_directory_that_is_taken_away_is_said_and_waited_for() {
    let mut home = home();
    // The sockets elsewhere, so that it can still be asked.
    let run = home.path().join("run");
    home.options.extend(["--runtime-dir".into(), run.display().to_string()]);
    let daemon = home.spawn();
    let status = || {
        let output =
            home.command(&["status", "--json"]).arg("--runtime-dir").arg(&run).output().unwrap();
        serde_json::from_slice::<serde_json::Value>(&output.stdout).ok()
    };
    until("ready", LONG, || status().filter(|status| status["ready"] == true));
    let away = home.path().join("away");
    fs::rename(home.state(), &away).unwrap();
    fs::remove_dir_all(home.media().join("Heat (1995)")).unwrap();
    let said =
        until("it says so", LONG, || status().filter(|status| status["needs_attention"] == true));
    assert!(said["summary"].as_str().unwrap().contains("state directory"), "{said}");
    assert!(!home.state().exists(), "it makes no new one");
    fs::rename(&away, home.state()).unwrap();
    until("it is told after all", LONG, || (home.ledger().len() == 1).then_some(()));
    drop(daemon);
}
