//! The first run, arming and coming back on a large tree, with memory and the size of the state.
#![allow(clippy::print_stdout, reason = "figures are what a bench is for")]

mod rig;

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use rig::daemon::Daemon;
use rig::{Place, floor, peers, processor, resident, size_of};

/// sled writes behind; what it holds is looked at when it has come to rest.
const REST: Duration = Duration::from_secs(3);

fn main() -> Result<()> {
    let place = Place::new()?;
    let (dirs, files) = (place.size(100_000, 2_000), 10);
    let tree = place.tree("tree", dirs, files)?;
    let (bare, armed) = floors(&place, &tree, dirs * files)?;

    first_run(&place, &tree, armed)?;
    known_starts(&place, &tree, bare, armed)?;
    other_allocator(&place, &tree)?;
    say_peer(&place, "inotifywait", peers::inotifywait(&place, &tree)?, armed);
    say_peer(&place, "watchman", peers::watchman(&place, &tree)?, armed);
    empty_root(&place)
}

/// A bare walk, and one that also watches.
fn floors(place: &Place, tree: &Path, files: usize) -> Result<(Duration, Duration)> {
    let walked = floor::walk(tree)?;
    ensure!(walked.files == files as u64, "{walked:?} instead of {files} files");
    let bare = place.median(|| Ok(place.time(|| floor::walk(tree))?.0))?;
    let armed = place.median(|| Ok(place.time(|| floor::arm(tree))?.0))?;
    println!("floor, bare walk: {:.2} s; with watches: {:.2} s", seconds(bare), seconds(armed));
    let before = processor(std::process::id())?;
    floor::arm(tree)?;
    let worked = processor(std::process::id())?.saturating_sub(before);
    place.say("floor with watches, processor time", seconds(worked), "s", None);
    Ok((bare, armed))
}

/// One run of the daemon, from its start until it has rested.
struct Run {
    ready: Duration,
    worked: Duration,
    /// In MiB.
    resident: f64,
}

impl Run {
    fn of(place: &Place, tree: &Path) -> Result<Self> {
        let daemon = Daemon::start(place, "state", tree)?;
        let (ready, worked) = (daemon.ready, daemon.worked);
        daemon.pause(REST)?;
        let resident = resident(daemon.pid())?;
        daemon.stop()?;
        Ok(Self { ready, worked, resident })
    }
}

fn first_run(place: &Place, tree: &Path, armed: Duration) -> Result<()> {
    let (mut worked, mut most) = (Duration::ZERO, 0.0_f64);
    let first = place.median(|| {
        forget(place, "state")?;
        let run = Run::of(place, tree)?;
        worked = run.worked;
        most = most.max(run.resident);
        Ok(run.ready)
    })?;
    place.say_ratio("first run", first, armed, Some(3.0));
    place.say("first run, processor time", seconds(worked), "s", None);
    place.say("resident after the first run", most, "MiB", Some(96.0));
    place.say("state directory", size_of(&place.path("state"))?, "MiB", Some(100.0));
    Ok(())
}

/// Everything is known: that is both arming and coming back. Coming back is measured with a loss
/// that happened meanwhile.
fn known_starts(place: &Place, tree: &Path, bare: Duration, armed: Duration) -> Result<()> {
    let (mut worked, mut most) = (Duration::ZERO, 0.0_f64);
    let known = place.median(|| {
        let run = Run::of(place, tree)?;
        worked = run.worked;
        most = most.max(run.resident);
        Ok(run.ready)
    })?;
    place.say_ratio("arming, inventory known", known, armed, Some(1.3));
    place.say("arming, processor time", seconds(worked), "s", None);
    place.say("resident after that", most, "MiB", Some(96.0));
    for number in 0..10 {
        fs::remove_dir_all(tree.join(rig::Plain::folder(number)))?;
    }
    let daemon = Daemon::start(place, "state", tree)?;
    place.say_ratio("start after downtime, ten titles lost", daemon.ready, bare, Some(1.5));
    let log = daemon.log();
    let began = place.now();
    daemon
        .until(place, began, || Ok(daemon.ask("/v1/status")?["deletions"].as_u64() == Some(10)))?;
    ensure!(!log.contains(" ERROR "), "{log}");
    daemon.stop()
}

/// The allocator as it is without the unit's setting.
fn other_allocator(place: &Place, tree: &Path) -> Result<()> {
    forget(place, "plain-state")?;
    let first = Daemon::start_with(place, "plain-state", tree, &[])?;
    first.pause(REST)?;
    place.say(
        "resident without the unit's allocator settings, first run",
        resident(first.pid())?,
        "MiB",
        None,
    );
    first.stop()?;
    let again = Daemon::start_with(place, "plain-state", tree, &[])?;
    again.pause(REST)?;
    place.say(
        "resident without the unit's allocator settings, known",
        resident(again.pid())?,
        "MiB",
        None,
    );
    again.stop()
}

fn empty_root(place: &Place) -> Result<()> {
    let empty = place.path("empty");
    fs::create_dir(&empty)?;
    let daemon = Daemon::start(place, "empty-state", &empty)?;
    daemon.pause(REST)?;
    println!();
    place.say("resident on an empty root", resident(daemon.pid())?, "MiB", Some(20.0));
    daemon.stop()
}

fn forget(place: &Place, state: &str) -> Result<()> {
    let path = place.path(state);
    if path.exists() {
        fs::remove_dir_all(path)?;
    }
    Ok(())
}

fn say_peer(place: &Place, name: &str, armed: peers::Armed, floor: Duration) {
    match armed {
        Some((took, memory)) => {
            place.say_ratio(&format!("{name}, arming"), took, floor, None);
            place.say(&format!("{name}, resident"), memory, "MiB", None);
        }
        None => println!("SKIPPED ({name} is not installed or did not answer): 2 figures"),
    }
}

fn seconds(time: Duration) -> f64 {
    time.as_secs_f64()
}
