//! What the sockets say of services, held against `docs/openapi.json`.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use simulators::{Misbehaviour, Radarr, World, radarr};

use super::rig::{Rig, SMALL, table, wait_health};
use crate::e2e::answers::Asker;
use crate::e2e::daemon::LONG;
use crate::e2e::wait::until;

/// How long a service takes that is watched while it is listed.
const SLOW: Duration = Duration::from_millis(1500);

/// Asks a daemon beside services, of which one lists what is not there, one what nobody can see, and
/// one is doubted.
pub(crate) fn of_services(seen: BTreeSet<String>) -> BTreeSet<String> {
    let mut rig = Rig::new(SMALL);
    let elsewhere = World::without_disk();
    elsewhere.films(40);
    let options = radarr::Options { prefix: "/elsewhere".into(), ..Default::default() };
    let uhd = Radarr::start(&elsewhere, options);
    let config = rig.config() + &table("radarr.uhd", &uhd, "");
    rig.home.configure(&config);
    rig.world.delete(&rig.films[3]);
    rig.world.delete(&rig.series[2]);
    let daemon = rig.start();
    wait_health(&daemon, "radarr.uhd", "well");
    let mut asker = Asker::new(&rig.home, seen);

    let check = asker.want(200, "POST", "/v1/check");
    // One of them is missing besides: where else it should be nobody can see.
    assert_eq!(names(&check["unmatched"]).len(), 11, "{check}");
    let both = [rig.films[3].name.as_str(), rig.series[2].name.as_str()];
    assert_eq!(names(&check["found_missing"]), both.into(), "{check}");
    assert!(check["could_not_tell"].as_array().unwrap().is_empty(), "{check}");

    // What comes behind the titles is slow, so that how many they are can be seen while it lasts.
    rig.jellyfin.misbehave_at("/ScheduledTasks", Misbehaviour::Slow(SLOW));
    let (mut lines, mut counted) = (Vec::new(), false);
    asker.want_lines(|asker, line| {
        lines.push(line.clone());
        let steps = line["progress"]["steps"].as_array();
        counted |= steps.is_some_and(|steps| steps.iter().any(|step| step["of"].is_u64()));
        if lines.len() == 1 {
            assert!(asker.want(200, "GET", "/v1/status")["check"].is_object());
        }
    });
    assert!(counted, "{lines:#?}");
    let kinds: Vec<&str> = lines.iter().map(kind).collect();
    let (last, before) = kinds.split_last().unwrap();
    assert!(*last == "result" && before.iter().all(|kind| *kind == "progress"), "{kinds:?}");
    until("nobody waits any more", LONG, || {
        asker.want(200, "GET", "/v1/status")["check"].is_null().then_some(())
    });
    rig.jellyfin.well();

    rig.radarr.lose_database();
    asker.want(200, "POST", "/v1/check");
    asker.want(200, "GET", "/v1/status");
    let doubt = asker.want(200, "GET", "/v1/accept/radarr.hd");
    assert_eq!((&doubt["health"], &doubt["accepted"]), (&"unwell".into(), &false.into()));
    for (code, what) in [(409, "sonarr.main"), (409, "radarr.none"), (409, "radarr."), (409, ".hd")]
    {
        asker.want(code, "GET", &format!("/v1/accept/{what}"));
        asker.want(code, "POST", &format!("/v1/accept/{what}"));
    }
    asker.want_error(404, "status.sock", "POST", "/v1/accept/radarr.hd");
    asker.want_error(405, "control.sock", "PUT", "/v1/accept/radarr.hd");
    assert_eq!(asker.want(200, "POST", "/v1/accept/radarr.hd")["accepted"], true);
    until("it is believed", LONG, || {
        let status = asker.want(200, "GET", "/v1/status");
        let services = status["services"].as_array()?;
        services.iter().find(|one| one["name"] == "radarr.hd" && one["health"] == "well").cloned()
    });
    // All its titles are there, and are listed by others or by nobody: none of them is gone.
    asker.want(200, "POST", "/v1/check");
    for what in ["root:movies", rig.films[0].name.split(' ').next_back().unwrap()] {
        asker.want(200, "GET", &format!("/v1/explain/{what}"));
    }
    assert!(daemon.deletions().is_empty());

    // Who waits for a look that does not end is told that the daemon does.
    rig.radarr.misbehave(Misbehaviour::Hang);
    let mut daemon = Some(daemon);
    let mut last = Value::Null;
    asker.want_lines(|_, line| {
        last = line.clone();
        if let Some(daemon) = daemon.take() {
            assert_eq!(daemon.stop(), 0);
        }
    });
    assert_eq!(kind(&last), "error", "{last}");
    asker.seen
}

fn kind(line: &Value) -> &str {
    line.as_object().unwrap().keys().next().unwrap()
}

/// The titles of a list, each once.
fn names(list: &Value) -> BTreeSet<&str> {
    list.as_array().unwrap().iter().map(|one| one["item"]["title"].as_str().unwrap()).collect()
}
