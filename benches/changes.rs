//! What the daemon does with changes while it runs: a burst of deletions, one deletion, nothing.
#![allow(clippy::print_stdout, reason = "figures are what a bench is for")]

mod rig;

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rig::daemon::Daemon;
use rig::{Place, Plain, processor};

/// The settle time that the daemon is started with.
const SETTLE: Duration = Duration::from_secs(1);

fn main() -> Result<()> {
    let place = Place::new()?;
    burst(&place)?;
    one_deletion(&place)?;
    one_of_many(&place)?;
    idle(&place)
}

/// `rm -rf` of a whole library, under the kernel's default queue.
fn burst(place: &Place) -> Result<()> {
    let (dirs, files) = (place.size(10_000, 500), 10);
    let (mut round, mut lost) = (0, 0);
    let known = place.median(|| {
        round += 1;
        let tree = place.tree(&format!("burst {round}"), dirs, files)?;
        let daemon = Daemon::start(place, &format!("burst-state-{round}"), &tree)?;
        ensure!(daemon.files()? == (dirs * files) as u64, "{}", daemon.log());
        let (took, ()) = place.time(|| Ok(fs::remove_dir_all(tree.join("plain"))?))?;
        let last = place.now();
        let known = daemon.until(place, last, || Ok(daemon.files()? == 0))?;
        println!(
            "removed in {:.2} s, known {:.2} s later",
            took.as_secs_f64(),
            known.as_secs_f64()
        );
        lost += daemon.log().matches("events were lost").count();
        daemon.stop()?;
        Ok(known)
    })?;
    place.say("all known after the last unlink", known.as_secs_f64(), "s", Some(1.0));
    println!("missed: none; the kernel's queue was full {lost} times");
    Ok(())
}

/// From the unlink of a film's only file to its line in the ledger.
fn one_deletion(place: &Place) -> Result<()> {
    let rounds = place.size(20, 3);
    let tree = place.tree("latency", 2_000.min(rounds * 100), 1)?;
    let daemon = Daemon::start(place, "latency-state", &tree)?;
    let mut times = Vec::new();
    for number in 0..rounds {
        fs::remove_dir_all(tree.join(Plain::folder(number)))?;
        let began = place.now();
        let told = daemon.until(place, began, || Ok(ledger(place, "latency-state")? > number))?;
        times.push(told.saturating_sub(SETTLE));
    }
    times.sort();
    let (middle, longest) = (times[rounds / 2], times[rounds - 1]);
    println!(
        "from unlink to ledger, settle of 1 s taken off, {rounds} times: median {} ms, longest {} ms",
        middle.as_millis(),
        longest.as_millis()
    );
    daemon.stop()
}

/// A file that goes and comes back thousands of times, and then is gone, dies once.
fn one_of_many(place: &Place) -> Result<()> {
    let times = place.size(10_000, 300);
    let tree = place.tree("often", 100, 1)?;
    let daemon = Daemon::start(place, "often-state", &tree)?;
    let folder = tree.join(Plain::folder(50));
    let file = fs::read_dir(&folder)?.next().context("no file")??.path();
    for _ in 0..times {
        fs::remove_file(&file)?;
        fs::write(&file, "again")?;
    }
    fs::remove_file(&file)?;
    let began = place.now();
    daemon.until(place, began, || Ok(ledger(place, "often-state")? > 0))?;
    daemon.pause(SETTLE * 3)?;
    let told = ledger(place, "often-state")?;
    ensure!(told == 1, "{told} entries for one deletion");
    println!("seen to go {times} times: {told} entry");
    daemon.stop()
}

/// Nothing happens: only timers.
fn idle(place: &Place) -> Result<()> {
    let tree = place.tree("idle", place.size(10_000, 100), 10)?;
    let daemon = Daemon::start(place, "idle-state", &tree)?;
    daemon.pause(Duration::from_secs(3))?;
    let span = Duration::from_secs(if place.is_full() { 60 } else { 3 });
    let before = processor(daemon.pid())?;
    daemon.pause(span)?;
    let worked = processor(daemon.pid())?.saturating_sub(before);
    let share = worked.as_secs_f64() / span.as_secs_f64() * 100.0;
    place.say("idle, share of a core", share, "%", Some(0.1));
    daemon.stop()
}

/// How many deletions the ledger tells.
fn ledger(place: &Place, state: &str) -> Result<usize> {
    let path = place.path(state).join("ledger.jsonl");
    Ok(fs::read_to_string(path).unwrap_or_default().lines().count())
}
