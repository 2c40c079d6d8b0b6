//! Which listings are believed, and when one is after all.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use crate::catalog::*;
use crate::domain::{
    About, Instance, Item, Kind, Listed, Listing, ProviderIds, Service, Timestamp,
};

fn title(id: u64, tmdb: u64) -> Listed {
    let ids = ProviderIds { tmdb: Some(tmdb), ..ProviderIds::default() };
    Listed {
        id: id.to_string(),
        item: Item { kind: Kind::Film, title: format!("Film {tmdb}"), year: Some(2000), ids },
        anidb: None,
        folder: None,
        root_folder: None,
        files: Vec::new(),
        file_count: 1,
        seasons: BTreeMap::new(),
    }
}

/// Films whose ids go by their number, beginning with `first`.
fn films(first: u64, numbers: Range<u64>) -> Vec<Listed> {
    let start = numbers.start;
    numbers.map(|n| title(first + n - start, n)).collect()
}

fn at(hours: u64) -> Timestamp {
    Timestamp::from_millis(0).plus(Duration::from_hours(hours))
}

fn listing(name: &str, titles: Vec<Listed>, hours: u64) -> Listing {
    let about = About {
        application: "Radarr".into(),
        name: name.into(),
        version: "6".into(),
        started: Some("once".into()),
    };
    let begun = at(hours);
    Listing { about, titles, folders: Vec::new(), moving: None, requests: 1, begun }
}

fn shelf(titles: Vec<Listed>) -> Shelf {
    let Listing { about, titles, folders, begun, .. } = listing("Radarr", titles, 0);
    let instance = Instance { service: Service::Radarr, name: "hd".into() };
    Shelf { instance, about, at: begun, titles, folders }
}

fn judge(last: Vec<Listed>, name: &str, titles: Vec<Listed>) -> Sanity {
    let listing = listing(name, titles, 1);
    Trust::default().judge(Some(&shelf(last)), &listing, true, Brake::default()).sanity
}

#[test]
fn the_first_listing_is_believed_whatever_it_is() {
    let judged =
        Trust::default().judge(None, &listing("Radarr", vec![], 0), true, Brake::default());
    assert_eq!(judged, Judged { sanity: Sanity::Sane, catch_up: false });
}

#[test]
fn a_listing_is_not_believed_when_it_is_empty_and_was_not() {
    assert_eq!(judge(films(1, 0..1), "Radarr", vec![]), Sanity::Empty);
    assert_eq!(judge(vec![], "Radarr", vec![]), Sanity::Sane);
    assert_eq!(judge(vec![], "Radarr", films(1, 0..9)), Sanity::Sane);
}

#[test]
fn a_new_name_alone_is_no_other_instance_and_a_new_library_is_one() {
    let sanity = |name: &str, now: Vec<Listed>| judge(films(1, 0..100), name, now);
    assert_eq!(sanity("Renamed", films(1, 0..100)), Sanity::Sane);
    let other = |agreement, same_name| Sanity::OtherInstance { agreement, same_name };
    // Another library altogether.
    assert_eq!(sanity("Other", films(1000, 500..600)), other(0, false));
    // Its ids are other titles': the key of another instance, which is called the same.
    assert_eq!(sanity("Radarr", films(1, 500..600)), other(0, true));
    // The same titles under new ids: the library was made anew.
    assert_eq!(sanity("Radarr", films(1000, 0..100)), other(0, true));
    let why = other(0, true).why().unwrap();
    assert!(why.contains("made anew") && why.contains("another instance's"), "{why}");
}

#[test]
fn under_90_of_100_ids_that_agree_it_is_another_library() {
    let with_new_ids = |count: u64| {
        let mut now = films(1, 0..100 - count);
        now.extend(films(1000, 100 - count..100));
        judge(films(1, 0..100), "Radarr", now)
    };
    assert_eq!(with_new_ids(10), Sanity::Sane);
    assert_eq!(with_new_ids(11), Sanity::OtherInstance { agreement: 89, same_name: true });
}

#[test]
fn a_few_titles_that_were_added_again_are_no_other_instance() {
    assert_eq!(judge(films(1, 0..1), "Radarr", films(9, 0..1)), Sanity::Sane);
    assert_eq!(judge(films(1, 0..3), "Radarr", films(9, 0..3)), Sanity::Sane);
    assert_eq!(judge(films(1, 0..1), "Radarr", films(9, 7..8)), Sanity::Sane);
    let other = Sanity::OtherInstance { agreement: 0, same_name: true };
    assert_eq!(judge(films(1, 0..4), "Radarr", films(9, 0..4)), other);
}

#[test]
fn a_listing_that_shrank_by_more_than_the_brake_is_not_believed() {
    let left = |of: u64, left: u64| judge(films(1, 0..of), "Radarr", films(1, 0..left));
    assert_eq!(left(10, 7), Sanity::Sane, "not more than the floor");
    assert_eq!(left(10, 6), Sanity::Shrunk { from: 10, to: 6 });
    assert_eq!(left(100, 95), Sanity::Sane, "not more than the share");
    assert_eq!(left(100, 94), Sanity::Shrunk { from: 100, to: 94 });
    assert_eq!(left(1000, 975), Sanity::Sane);
    assert_eq!(left(1000, 974), Sanity::Shrunk { from: 1000, to: 974 });
    // What came meanwhile does not make up for what went.
    let mut now = films(1, 0..50);
    now.extend(films(1000, 200..300));
    assert_eq!(judge(films(1, 0..100), "Radarr", now), Sanity::Shrunk { from: 100, to: 50 });
}

#[test]
fn an_instance_whose_titles_lost_their_files_shrank() {
    let mut now = films(1, 0..100);
    now.iter_mut().take(40).for_each(|title| title.file_count = 0);
    assert_eq!(judge(films(1, 0..100), "Radarr", now), Sanity::Shrunk { from: 100, to: 60 });
}

#[test]
fn a_start_alone_only_means_to_catch_up() {
    let mut again = listing("Radarr", films(1, 0..9), 1);
    let judge = |listing: &Listing| {
        Trust::default().judge(Some(&shelf(films(1, 0..9))), listing, true, Brake::default())
    };
    assert_eq!(judge(&again), Judged { sanity: Sanity::Sane, catch_up: false });
    again.about.started = Some("later".into());
    assert_eq!(judge(&again), Judged { sanity: Sanity::Sane, catch_up: true });
}

/// Sweeps at these hours, each with as many titles left of a hundred and `s` where the timer made it.
#[track_caller]
fn sweeps(steps: &[(u64, &str, u64, bool)]) -> Trust {
    let last = shelf(films(1, 0..100));
    let mut trust = Trust::default();
    for (hours, by, left, believed) in steps {
        let listing = listing("Radarr", films(1, 0..*left), *hours);
        // It is stored between two sweeps.
        let stored = serde_json::to_string(&trust).unwrap();
        trust = serde_json::from_str(&stored).unwrap();
        let judged = trust.judge(Some(&last), &listing, *by == "timer", Brake::default());
        assert_eq!(judged.sanity == Sanity::Sane, *believed, "{hours} {judged:?}");
    }
    trust
}

#[test]
fn two_scheduled_sweeps_a_day_apart_that_agree_are_believed() {
    sweeps(&[(0, "timer", 50, false), (6, "timer", 50, false), (24, "timer", 50, true)]);
    sweeps(&[(0, "timer", 50, false), (24, "timer", 48, true)]);
}

#[test]
fn two_sweeps_do_not_agree_too_soon_by_hand_or_with_more_gone() {
    sweeps(&[(0, "timer", 50, false), (23, "timer", 50, false)]);
    sweeps(&[(0, "person", 50, false), (24, "timer", 50, false), (48, "timer", 50, true)]);
    sweeps(&[(0, "timer", 50, false), (24, "person", 50, false)]);
    sweeps(&[(0, "timer", 50, false), (24, "timer", 40, false), (48, "timer", 40, true)]);
    // It was well in between.
    sweeps(&[(0, "timer", 50, false), (6, "timer", 100, true), (24, "timer", 50, false)]);
    // Bit by bit is more as well.
    sweeps(&[(0, "timer", 50, false), (12, "timer", 47, false), (24, "timer", 42, false)]);
}

#[test]
fn an_empty_listing_and_another_library_wait_for_a_person() {
    sweeps(&[(0, "timer", 0, false), (24, "timer", 0, false), (99, "timer", 0, false)]);
    let last = shelf(films(1, 0..100));
    let mut trust = Trust::default();
    for hours in [0, 24, 48] {
        let anew = listing("Radarr", films(1000, 0..100), hours);
        assert!(trust.judge(Some(&last), &anew, true, Brake::default()).sanity != Sanity::Sane);
    }
    // Half of a library is not made likelier by having been empty a day ago.
    let half = |hours: u64, believed| (hours, "timer", 50, believed);
    sweeps(&[(0, "timer", 0, false), half(24, false), half(30, false), half(48, true)]);
}

#[test]
fn a_person_accepts_what_was_found_and_nothing_worse() {
    let last = shelf(films(1, 0..100));
    let found = |trust: &mut Trust, name: &str, titles: Vec<Listed>| {
        trust.judge(Some(&last), &listing(name, titles, 1), false, Brake::default()).sanity
    };
    let mut trust = Trust::default();
    assert!(!trust.accept(), "nothing is doubted");

    for (name, titles) in [
        ("Radarr", vec![]),
        ("Radarr", films(1000, 0..100)),
        ("X", films(1, 500..600)),
        ("Radarr", films(1, 0..50)),
    ] {
        let mut trust = Trust::default();
        assert!(found(&mut trust, name, titles.clone()) != Sanity::Sane);
        assert!(trust.accept());
        assert_eq!(found(&mut trust, name, titles), Sanity::Sane);
        assert_eq!(trust, Trust::default());
    }
    assert!(found(&mut trust, "Radarr", films(1, 0..50)) != Sanity::Sane);
    assert!(trust.accept());
    assert_eq!(found(&mut trust, "Radarr", vec![]), Sanity::Empty);
    assert_eq!(found(&mut trust, "Radarr", vec![]), Sanity::Empty, "the word is used up");
    assert_eq!(trust.sanity(), Sanity::Empty);
    // Nor of another one that happens to look the same.
    assert!(trust.accept());
    assert_eq!(found(&mut trust, "X", vec![]), Sanity::Empty);
}

#[test]
fn a_listing_that_moved_while_it_was_read_proves_nothing_for_later_and_is_no_more_believed() {
    let last = shelf(films(1, 0..100));
    let mut trust = Trust::default();
    let shrunk = Sanity::Shrunk { from: 100, to: 50 };
    let half = |hours| listing("Radarr", films(1, 0..50), hours);
    for hours in [0, 24, 48] {
        let moving = Listing { moving: Some("a scan is running".into()), ..half(hours) };
        let judged = trust.judge(Some(&last), &moving, true, Brake::default());
        assert_eq!(judged.sanity, shrunk);
        assert_eq!(trust.sanity(), shrunk);
    }
    // The day begins with the first that held still.
    let mut later = |hours| trust.judge(Some(&last), &half(hours), true, Brake::default()).sanity;
    assert_eq!([later(72), later(95)], [shrunk, shrunk]);
    assert_eq!(later(96), Sanity::Sane);
}
