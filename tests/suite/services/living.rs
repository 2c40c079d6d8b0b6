//! What lives is not told, whatever services do with it.

use simulators::{Sonarr, sonarr};

use super::rig::{Rig, SMALL, WHOLE, sweep, table, wait_health};
use crate::e2e::daemon::SETTLE;
use crate::e2e::wait::throughout;

#[test]
fn a_film_that_radarr_forgets_while_its_file_is_kept_is_unlisted_and_not_gone() {
    let rig = Rig::new(WHOLE);
    let daemon = rig.start();
    let film = &rig.films[4];
    rig.radarr.remove(film);
    rig.jellyfin.remove(film);
    sweep(&daemon);
    let story = daemon.wait_decided(&film.name, "held");
    assert!(story["summary"].as_str().unwrap().contains("no service lists it any more"), "{story}");
    throughout(SETTLE * 2, || assert!(daemon.deletions().is_empty()));
    // Listed again, it is nobody's business any more.
    rig.radarr.add(film);
    sweep(&daemon);
    daemon.wait_decided(&film.name, "retracted");
    assert!(daemon.deletions().is_empty());
}

#[test]
fn removed_from_radarr_and_added_again_or_renamed_in_jellyfin_it_has_another_id_and_lives() {
    let rig = Rig::new(WHOLE);
    let daemon = rig.start();
    rig.radarr.readd(&rig.films[0]);
    rig.jellyfin.rename(&rig.films[1], "Another Name (1999)");
    rig.sonarr.readd(&rig.series[0]);
    rig.shoko.readd(&rig.anime[0]);
    sweep(&daemon);
    throughout(SETTLE * 3, || assert!(daemon.deletions().is_empty()));
    assert!(daemon.status().unwrap()["candidates"]["held"] == 0, "{}", daemon.status().unwrap());
}

#[test]
fn a_series_with_a_second_copy_that_another_sonarr_lists_lives() {
    let mut rig = Rig::new(SMALL);
    let series = rig.series[2].clone();
    let uhd = rig.home.path().join("uhd");
    let copy = uhd.join(&series.folder);
    for file in &series.files {
        let to = copy.join(&*file.name);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(rig.world.path(&series, file), to).unwrap();
    }
    let options = sonarr::Options { prefix: "/tv4k".into(), ..Default::default() };
    let second = Sonarr::start(&rig.world, options);
    let config = rig.config()
        + &format!("[roots.uhd]\npath = {uhd:?}\n")
        + &table("sonarr.uhd", &second, &format!("\"/tv4k\" = {uhd:?}"));
    rig.home.configure(&config);
    let daemon = rig.start();
    wait_health(&daemon, "sonarr.uhd", "well");
    rig.world.delete(&series);
    daemon.wait_decided(&series.name, "retracted");
    assert!(daemon.deletions().is_empty());
}

#[test]
fn an_upgrade_that_takes_its_time_is_waited_for() {
    let rig = Rig::new(SMALL);
    let daemon = rig.start();
    let film = &rig.films[3];
    rig.radarr.mark_upgrade(film);
    rig.radarr.queue(film);
    rig.world.delete(film);
    let story = daemon.wait_decided(&film.name, "held");
    assert!(story["summary"].as_str().unwrap().contains("a new file seems to be on its way"));
    throughout(std::time::Duration::from_secs(20), || assert!(daemon.deletions().is_empty()));
    rig.world.write(film);
    rig.radarr.upgrade(film);
    rig.radarr.clear_queue();
    daemon.wait_decided(&film.name, "retracted");
    assert!(daemon.deletions().is_empty());
}
