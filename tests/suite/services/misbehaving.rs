//! Whatever a service does instead of answering well, at a sweep or amid a probe: what is really gone is
//! held with the reason and told once the service is well, and what is there is nobody's business.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Duration;

use simulators::{Misbehaviour as Fault, Title};

use super::single::{Single, Which, review, wait_held, wait_retracted, wait_told};
use crate::e2e::daemon::{Daemon, SETTLE};
use crate::e2e::wait::throughout;

/// When it begins to go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    /// Before the service is listed, and it goes on while the loss is probed.
    AtTheSweep,
    /// At the so-many-th request of a probe.
    AmidAProbe,
}

/// What becomes of a loss while it lasts.
enum Then {
    /// It is held, for a reason with these words in it.
    Held(&'static str),
    /// It is told, for the service says enough all the same.
    Told,
}

use Then::{Held, Told};

/// Every fault, and what it comes to. `Told` has its reason beside it: by the witness table a claim that
/// the disk disproves is no objection, and a title is looked for by its provider ids as well.
fn faults(which: Which, when: When) -> Vec<(Fault, Then)> {
    use When::{AmidAProbe, AtTheSweep};
    use Which::{Jellyfin, JellyfinOfSeries, Radarr, Shoko, Sonarr};
    let starting = match which {
        // It says so itself, where it is asked for that first.
        Shoko if when == AtTheSweep => "not ready",
        _ => "503",
    };
    vec![
        (Fault::Down, Held("can't be reached")),
        (Fault::Reset, Held("broke off")),
        (Fault::Slow(Duration::from_secs(3)), Held("no answer within")),
        (Fault::Hang, Held("no answer within")),
        (Fault::Unauthorized, Held("does not accept the key")),
        (Fault::Forbidden, Held("key")),
        (Fault::ProxyNotFound, Held("is not there")),
        (Fault::BadGateway, Held("502")),
        (Fault::TooManyRequests { retry_after: 30 }, Held("429")),
        (Fault::InternalError, Held("500")),
        (Fault::Starting, Held(starting)),
        (Fault::WebPage, Held("no JSON")),
        (Fault::TruncatedJson, Held("can't be read")),
        (Fault::CutOff, Held("broke off")),
        (
            Fault::EmptyList,
            match (when, which) {
                (AtTheSweep, _) => Held("lists nothing"),
                // Under its id each title is still there, with a file that the disk disproves.
                (AmidAProbe, Radarr | Sonarr | Jellyfin | JellyfinOfSeries) => Told,
                // The series is there and counts files, of which none is named.
                (AmidAProbe, Shoko) => Held("names no file of the series"),
            },
        ),
        (
            Fault::HalfList,
            match when {
                AtTheSweep => Held("are left as they were"),
                // Under its id each title is still there.
                AmidAProbe => Told,
            },
        ),
        (
            Fault::OtherInstance,
            match (when, which) {
                // It has no name of its own.
                (AtTheSweep, Shoko) => Held("made anew or restored"),
                (AtTheSweep, _) => Held("another instance"),
                // The series is found by its number in AniDB, with files that Shoko itself can't see.
                (AmidAProbe, Shoko) => Told,
                // Who answered has another name, or the same title has two ids in one probe.
                (AmidAProbe, _) => Held("while it was asked"),
            },
        ),
        (
            Fault::RecreatedIds,
            match (when, which) {
                (AtTheSweep, _) => Held("made anew or restored"),
                // The same title has two ids in one probe.
                (AmidAProbe, Radarr | Sonarr) => Held("added the title again"),
                // It is found by its provider ids, with files that the disk disproves.
                (AmidAProbe, Jellyfin | JellyfinOfSeries | Shoko) => Told,
            },
        ),
        (
            Fault::ScanRunning,
            match which {
                Radarr | Sonarr => Held("Rescan"),
                Jellyfin | JellyfinOfSeries => Held("is scanning its library"),
                // It says nothing of scans, and none makes it forget a file.
                Shoko => Told,
            },
        ),
        (
            Fault::ImportRunning,
            match which {
                Radarr | Sonarr => Held("ManualImport"),
                // They have no such thing.
                Jellyfin | JellyfinOfSeries | Shoko => Told,
            },
        ),
    ]
}

/// How many faults one daemon is put through. Its root may not lose too much at once.
const AT_ONCE: usize = 5;
const TITLES: u32 = 150;

/// Puts each service through each fault, with some daemons at a time, and fails with all that was wrong.
fn put_through(when: When) {
    let wrong: Vec<String> = thread::scope(|scope| {
        let mut running = Vec::new();
        for which in Which::ALL {
            let mut faults = faults(which, when);
            if which == Which::JellyfinOfSeries {
                // On the wire it is like the other.
                faults.retain(|(fault, _)| !is_of_the_wire(fault));
            }
            while !faults.is_empty() {
                let part: Vec<(Fault, Then)> = faults.drain(..AT_ONCE.min(faults.len())).collect();
                running.push(scope.spawn(move || some(which, when, &part)));
            }
        }
        running.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{} went wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// Puts one daemon through some faults, and says what went wrong.
fn some(which: Which, when: When, faults: &[(Fault, Then)]) -> Vec<String> {
    let single = Single::new(which, TITLES);
    let daemon = single.start();
    let mut wrong = Vec::new();
    // Odd and even ones: a list may lack half of them.
    let mut titles = single.titles.iter().skip(7);
    for (number, (fault, then)) in faults.iter().enumerate() {
        let (gone, back) = (titles.next().unwrap(), titles.next().unwrap());
        let case = AssertUnwindSafe(|| match when {
            When::AtTheSweep => at_the_sweep(&single, &daemon, fault, then, (gone, back)),
            When::AmidAProbe => {
                let first = if is_of_the_wire(fault) { 2 + number as u64 } else { 3 };
                amid_a_probe(&single, &daemon, (fault, first), then, (gone, back));
            }
        });
        if let Err(panic) = catch_unwind(case) {
            let what = panic.downcast_ref::<String>().cloned();
            let what = what.unwrap_or_else(|| "a panic without words".to_owned());
            let review = review(&daemon, gone);
            let service = single.service(&daemon);
            wrong
                .push(format!("{which:?} {when:?} {fault:?}: {what}\n  {review:?}\n  {service:?}"));
            single.stand.well();
            daemon.check();
        }
    }
    if !wrong.is_empty() {
        println!("---- the log of {which:?} {when:?} ----\n{}", single.home.log());
    }
    wrong
}

/// Whether it does the same wherever it strikes.
fn is_of_the_wire(fault: &Fault) -> bool {
    !matches!(
        fault,
        Fault::EmptyList
            | Fault::HalfList
            | Fault::OtherInstance
            | Fault::RecreatedIds
            | Fault::ScanRunning
            | Fault::ImportRunning
    )
}

fn at_the_sweep(
    single: &Single,
    daemon: &Daemon<'_>,
    fault: &Fault,
    then: &Then,
    (gone, back): (&Title, &Title),
) {
    single.stand.misbehave(fault.clone());
    daemon.check();
    assert_eq!(
        daemon.get("/v1/candidates").unwrap(),
        serde_json::json!([]),
        "with the files there"
    );
    single.world.delete(gone);
    ends(single, daemon, then, (gone, back));
}

fn amid_a_probe(
    single: &Single,
    daemon: &Daemon<'_>,
    (fault, first): (&Fault, u64),
    then: &Then,
    titles: (&Title, &Title),
) {
    single.stand.misbehave_from(first, fault.clone());
    single.world.delete(titles.0);
    ends(single, daemon, then, titles);
}

/// What is gone is held or told; what went and comes back while it lasts is left alone.
fn ends(single: &Single, daemon: &Daemon<'_>, then: &Then, (gone, back): (&Title, &Title)) {
    let Held(words) = then else {
        wait_told(daemon, gone);
        single.stand.well();
        daemon.check();
        return;
    };
    let held = wait_held(daemon, gone);
    let reason = format!("{}: {}", held["witness"], held["reason"]);
    assert!(reason.contains(single.which.name()), "who holds it? {held}");
    assert!(reason.contains(words), "not for {words:?}: {held}");
    single.world.delete(back);
    wait_held(daemon, back);
    throughout(SETTLE, || {});
    single.world.write(back);
    wait_retracted(daemon, back);
    wait_held(daemon, gone);
    single.stand.well();
    // As the timer does, later.
    daemon.check();
    wait_told(daemon, gone);
    wait_retracted(daemon, back);
    single.wait_health(daemon, "well");
}

#[test]
fn whatever_goes_wrong_at_the_sweep_a_loss_is_held_with_the_reason_and_told_when_the_service_is_well()
 {
    put_through(When::AtTheSweep);
}

#[test]
fn whatever_goes_wrong_amid_a_probe_a_loss_is_held_with_the_reason_and_told_when_the_service_is_well()
 {
    put_through(When::AmidAProbe);
}

#[test]
fn a_service_that_failed_for_a_moment_is_asked_again_without_a_sweep_or_a_person() {
    let single = Single::new(Which::Radarr, 30);
    let daemon = single.start();
    let gone = &single.titles[3];
    single.stand.misbehave_from(3, Fault::Reset);
    single.world.delete(gone);
    wait_held(&daemon, gone);
    single.stand.well();
    assert_eq!(listings(&single), 1, "at the start");
    single.stand.forget_requests();
    wait_told(&daemon, gone);
    assert_eq!(listings(&single), 0, "nobody swept");
}

/// How often everything was listed.
fn listings(single: &Single) -> usize {
    let log = single.stand.log();
    log.iter().filter(|line| line.contains("/movie?excludeLocalCovers")).count()
}
