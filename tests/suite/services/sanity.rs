//! A service that came back as another, emptied or restored is not believed until it is as before or a
//! person says that it is right; one that was only restarted is.

use std::fs;

use simulators::{Misbehaviour, Title};

use super::single::{Single, Stand, Which, is_told, review, wait_held, wait_retracted, wait_told};
use crate::e2e::daemon::{Daemon, SETTLE};
use crate::e2e::wait::throughout;

const TITLES: u32 = 60;

/// The lines of the ledger in which a person accepted the service.
fn accepted(single: &Single) -> usize {
    let ledger = fs::read_to_string(single.home.state().join("ledger.jsonl")).unwrap_or_default();
    let is_it = |line: &&str| {
        line.contains("\"accept\"") && line.contains(&format!("\"{}\"", single.which.name()))
    };
    ledger.lines().filter(is_it).count()
}

/// What is gone is held because of the service, which is shown with its reason and the way out; also
/// after a restart, and until a person says so. Gives the daemon that runs then.
fn is_distrusted<'a>(
    single: &'a Single,
    daemon: Daemon<'a>,
    words: &str,
    gone: &Title,
) -> Daemon<'a> {
    let name = single.which.name();
    let is_shown = |daemon: &Daemon<'_>| {
        let shown = single.wait_health(daemon, "unwell");
        let reason = shown["reason"].as_str().unwrap();
        assert!(reason.contains(words), "not {words:?}: {reason}");
        assert!(reason.contains(&format!("`obituarr accept {name}`")), "no way out: {reason}");
    };
    let is_held = |daemon: &Daemon<'_>| {
        let held = wait_held(daemon, gone);
        assert_eq!(held["witness"], name, "{held}");
        assert!(held["reason"].as_str().unwrap().contains(words), "not for {words:?}: {held}");
    };
    daemon.check();
    is_shown(&daemon);
    assert_eq!(
        daemon.get("/v1/candidates").unwrap(),
        serde_json::json!([]),
        "with the files there"
    );
    single.world.delete(gone);
    is_held(&daemon);
    throughout(SETTLE * 2, || {});
    assert_eq!(daemon.stop(), 0);
    let daemon = single.home.start();
    is_shown(&daemon);
    daemon.check();
    is_shown(&daemon);
    is_held(&daemon);
    // What a person would do is only shown.
    let asked = single.home.ask(&["accept", name]);
    assert_eq!(asked.status.code(), Some(1), "nobody can be asked");
    let said = String::from_utf8_lossy(&asked.stderr).into_owned();
    for shown in [&format!("{name} is unwell"), words, "1 title is looked at again", &gone.name] {
        assert!(said.contains(shown), "no {shown:?}: {said}");
    }
    throughout(SETTLE * 2, || {});
    assert_eq!((accepted(single), is_told(&daemon, gone)), (0, false));
    is_shown(&daemon);
    let done = single.home.ask(&["accept", name, "--yes"]);
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert_eq!(done.status.code(), Some(0), "{done:?}");
    assert!(said.starts_with(&format!("{name} is listed again")), "{said}");
    assert_eq!(accepted(single), 1);
    single.wait_health(&daemon, "well");
    let again = single.home.ask(&["accept", name, "--yes"]);
    assert_eq!(again.status.code(), Some(1), "nothing is left to accept");
    daemon
}

/// Nothing was told but these.
fn only_told(daemon: &Daemon<'_>, gone: &[&Title]) {
    throughout(SETTLE * 2, || {});
    let mut names: Vec<&str> = gone.iter().map(|title| title.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(daemon.dead(), names);
}

#[test]
fn a_jellyfin_whose_library_was_made_anew_is_not_believed_until_a_person_says_so() {
    let single = Single::new(Which::Jellyfin, TITLES);
    let daemon = single.start();
    let gone = &*single.titles[3];
    single.stand.misbehave(Misbehaviour::RecreatedIds);
    let daemon = is_distrusted(&single, daemon, "its library was made anew or restored", gone);
    wait_told(&daemon, gone);
    only_told(&daemon, &[gone]);
}

#[test]
fn a_radarr_on_an_empty_database_is_not_believed_and_proves_nothing_as_long_as_it_is_not_set_up() {
    let single = Single::new(Which::Radarr, TITLES);
    let daemon = single.start();
    let gone = &*single.titles[3];
    let Stand::Radarr(radarr) = &single.stand else { panic!("a Radarr") };
    let before = radarr.backup();
    radarr.lose_database();
    let daemon = is_distrusted(&single, daemon, "it lists nothing, and did before", gone);
    let held = wait_held(&daemon, gone);
    assert!(held["reason"].as_str().unwrap().contains("is it set up?"), "{held}");
    only_told(&daemon, &[]);
    radarr.restore(&before);
    daemon.check();
    wait_told(&daemon, gone);
    only_told(&daemon, &[gone]);
}

#[test]
fn a_sonarr_restored_from_an_old_backup_is_not_believed_until_a_person_says_so() {
    let mut single = Single::new(Which::Sonarr, TITLES);
    let Stand::Sonarr(sonarr) = &single.stand else { panic!("a Sonarr") };
    let old = sonarr.backup();
    let newer = single.world.series(40, 1, 2);
    newer.iter().for_each(|title| sonarr.add(title));
    single.titles.extend(newer);
    let daemon = single.start();
    let (known, unknown) = (&*single.titles[3], &*single.titles[80]);
    let Stand::Sonarr(sonarr) = &single.stand else { panic!("a Sonarr") };
    sonarr.restore(&old);
    let words = "of 100 titles only 60 are left as they were";
    let daemon = is_distrusted(&single, daemon, words, known);
    wait_told(&daemon, known);
    // What the backup lacks is there all the same.
    daemon.check();
    only_told(&daemon, &[known]);
    single.world.delete(unknown);
    wait_told(&daemon, unknown);
    only_told(&daemon, &[known, unknown]);
}

#[test]
fn an_address_or_key_of_another_instance_is_not_believed_until_a_person_says_so() {
    let single = Single::new(Which::Radarr, TITLES);
    let daemon = single.start();
    let gone = &*single.titles[3];
    single.stand.misbehave(Misbehaviour::OtherInstance);
    let daemon = is_distrusted(&single, daemon, "it is another instance than before", gone);
    wait_told(&daemon, gone);
    only_told(&daemon, &[gone]);
}

#[test]
fn a_shoko_that_lists_half_of_its_series_is_not_believed_until_a_person_says_so() {
    let single = Single::new(Which::Shoko, TITLES);
    let daemon = single.start();
    let gone = &*single.titles[3];
    single.stand.misbehave(Misbehaviour::HalfList);
    let words = "of 60 titles only 30 are left as they were";
    let daemon = is_distrusted(&single, daemon, words, gone);
    wait_told(&daemon, gone);
    only_told(&daemon, &[gone]);
}

#[test]
fn a_service_that_is_as_before_again_is_believed_without_a_person() {
    let single = Single::new(Which::Jellyfin, TITLES);
    let daemon = single.start();
    let gone = &*single.titles[3];
    single.stand.misbehave(Misbehaviour::EmptyList);
    daemon.check();
    single.wait_health(&daemon, "unwell");
    single.world.delete(gone);
    wait_held(&daemon, gone);
    single.stand.well();
    // Nobody asks for a sweep: it comes by itself.
    single.wait_health(&daemon, "well");
    wait_told(&daemon, gone);
    only_told(&daemon, &[gone]);
    assert_eq!(accepted(&single), 0);
}

#[test]
fn a_service_that_was_only_restarted_is_believed_as_before() {
    let single = Single::new(Which::Radarr, TITLES);
    let daemon = single.start();
    let (gone, kept) = (&*single.titles[3], &*single.titles[4]);
    let Stand::Radarr(radarr) = &single.stand else { panic!("a Radarr") };
    radarr.restart();
    daemon.check();
    single.wait_health(&daemon, "well");
    assert_eq!(daemon.get("/v1/candidates").unwrap(), serde_json::json!([]));
    radarr.restart();
    single.world.delete(gone);
    wait_told(&daemon, gone);
    assert!(review(&daemon, kept).is_none());
    wait_retracted(&daemon, kept);
    only_told(&daemon, &[gone]);
}
