//! What is gone is told, whatever services that have not noticed still say.

use std::time::Duration;

use super::rig::{Rig, WHOLE, evidence, sweep, wait_health};
use crate::e2e::daemon::SETTLE;
use crate::e2e::wait::{throughout, until};

fn says(witness: &str, answer: &str) -> (String, String) {
    (witness.to_owned(), answer.to_owned())
}

#[test]
fn what_the_disk_has_lost_is_told_though_services_still_list_it_each_refuted_in_the_evidence() {
    let rig = Rig::new(WHOLE);
    let daemon = rig.start();
    let (film, series, anime) = (&rig.films[7], &rig.series[3], &rig.anime[5]);
    rig.world.delete(film);
    let told = until("it is told", SETTLE + Duration::from_secs(5), || {
        Some(daemon.deletions()).filter(|told| !told.is_empty())
    });
    assert_eq!(told[0]["item"]["title"], film.name.as_str());
    let seen = evidence(&told[0]);
    for refuted in ["radarr.hd", "jellyfin.home"] {
        assert!(seen.contains(&says(refuted, "refuted")), "{seen:?}");
    }
    assert!(seen.contains(&says("disk", "absent")), "{seen:?}");

    rig.world.delete(series);
    let told = daemon.wait_deletions(2);
    let seen = evidence(&told[0]);
    assert!(seen.contains(&says("sonarr.main", "refuted")), "{seen:?}");

    // Shoko looks at the disk itself, and sees that it is not there.
    rig.world.delete(anime);
    let told = daemon.wait_deletions(3);
    let seen = evidence(&told[0]);
    assert!(seen.contains(&says("shoko.main", "absent")), "{seen:?}");
    assert!(seen.contains(&says("sonarr.main", "refuted")), "{seen:?}");
    sweep(&daemon);
    throughout(SETTLE * 2, || assert_eq!(daemon.dead().len(), 3));
}

#[test]
fn what_a_service_dropped_together_with_its_files_is_told() {
    let rig = Rig::new(WHOLE);
    let daemon = rig.start();
    let film = &rig.films[1];
    rig.radarr.remove(film);
    rig.world.delete(film);
    rig.jellyfin.rescan();
    let told = daemon.wait_deletions(1);
    let seen = evidence(&told[0]);
    for absent in ["radarr.hd", "jellyfin.home"] {
        assert!(seen.contains(&says(absent, "absent")), "{seen:?}");
    }
    wait_health(&daemon, "radarr.hd", "well");
}
