//! No fault of a service, wherever it strikes, makes anything absent.

use std::collections::BTreeSet;

use super::stand_in::{Answer, StandIn};
use super::{jellyfin, quiet, radarr, shoko, sonarr};
use crate::domain::{Failure, Listing, Question, Said};

/// What one answer may come to instead.
fn faults() -> Vec<(&'static str, Answer)> {
    let cut = Answer::json("[{\"id\":42,\"tit");
    let json = |body| Answer::json(body);
    let other = json("{\"appName\":\"Prowlarr\",\"instanceName\":\"Prowlarr\",\"version\":\"1\"}");
    let signed = Answer { status: 404, ..json("{\"message\":\"NotFound\"}") };
    vec![
        ("a hang", Answer::hang()),
        ("400", Answer::of(400, "application/json", "{\"message\":\"bad\"}")),
        ("401", Answer::of(401, "application/json", "")),
        ("403", Answer::of(403, "application/json", "")),
        ("404 of a proxy", Answer::html(404)),
        ("404 signed", signed),
        ("429", Answer::html(429).with("Retry-After", "2")),
        ("500", Answer::of(500, "application/json", "{\"message\":\"database is locked\"}")),
        ("503", Answer::html(503)),
        ("a web page", Answer::html(200)),
        ("nothing", Answer::of(200, "application/json", "")),
        ("204", Answer::of(204, "application/json", "")),
        ("half an answer", cut),
        ("another program", other),
        ("an empty list", json("[]")),
        ("null", json("null")),
        ("an error with 200", json("{\"error\":\"x\"}")),
        ("a redirect", Answer::html(307).with("Location", "/elsewhere/")),
    ]
}

/// What was asked for, by path and what tells requests of one path apart.
fn places(asked: &[String], base: &str) -> BTreeSet<String> {
    let tells = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default();
        ["ids", "parentId", "includeItemTypes", "tmdbId", "tvdbId", "seriesId"].contains(&name)
    };
    let place = |line: &String| {
        let uri =
            line.split_once(' ').unwrap().1.strip_prefix(base).unwrap().trim_start_matches('/');
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let told: Vec<&str> = query.split('&').filter(tells).collect();
        if told.is_empty() { path.to_owned() } else { format!("{path}?{}", told.join("&")) }
    };
    asked.iter().map(place).collect()
}

/// How many files were said to be there.
fn count(said: &Said) -> u32 {
    said.titles.iter().map(|title| title.file_count).sum()
}

/// Whether an answer leaves open that the title lives.
fn is_open(result: &Result<Said, Failure>, good: &Said) -> bool {
    match result {
        Err(_) => true,
        Ok(said) => {
            said.unsure.is_some() || said == good || count(good) > 0 && count(said) >= count(good)
        }
    }
}

/// Which bad answers are as good as none by the rules of that service.
type Allowed = fn(&str, &str) -> bool;

async fn no_fault_is_an_absence<F, S>(make: F, question: Question, allowed: Allowed)
where
    F: Fn() -> S,
    S: Future<Output = StandIn>,
{
    let server = make().await;
    let good = server.client().ask(&question).await.unwrap();
    let base = server.url.path().trim_end_matches('/').to_owned();
    for place in places(&server.asked(), &base) {
        for (name, fault) in faults() {
            let server = make().await;
            server.set(&place, fault);
            let result = server.client().ask(&question).await;
            let fine = is_open(&result, &good) || allowed(&place, name);
            assert!(fine, "{name} at {place}: {result:?}");
        }
    }
}

async fn no_fault_is_a_listing<F, S>(make: F)
where
    F: Fn() -> S,
    S: Future<Output = StandIn>,
{
    let server = make().await;
    let good = server.client().list(&quiet).await.unwrap();
    let titles = |listing: &Listing| listing.titles.clone();
    let base = server.url.path().trim_end_matches('/').to_owned();
    for place in places(&server.asked(), &base) {
        // An empty listing is handed on as what it is.
        for (name, fault) in faults().into_iter().filter(|(name, _)| *name != "an empty list") {
            let server = make().await;
            server.set(&place, fault);
            let result = server.client().list(&quiet).await;
            let fine = result.as_ref().map_or(true, |listing| titles(listing) == titles(&good));
            assert!(fine, "{name} at {place}: {result:?}");
        }
    }
}

/// Nothing.
fn none(_: &str, _: &str) -> bool {
    false
}

#[tokio::test(start_paused = true)]
async fn no_fault_of_radarr_is_an_absence() {
    no_fault_is_an_absence(radarr::without, radarr::heat(), none).await;
    let is_gone: Allowed = |place, fault| place == "api/v3/movie/42" && fault == "404 signed";
    no_fault_is_an_absence(radarr::radarr, radarr::heat(), is_gone).await;
    no_fault_is_a_listing(radarr::radarr).await;
}

#[tokio::test(start_paused = true)]
async fn no_fault_of_sonarr_is_an_absence() {
    no_fault_is_an_absence(sonarr::without, sonarr::expanse(), none).await;
    let is_gone: Allowed = |place, fault| place == "api/v3/series/12" && fault == "404 signed";
    no_fault_is_an_absence(sonarr::sonarr, sonarr::expanse(), is_gone).await;
    no_fault_is_a_listing(sonarr::sonarr).await;
}

#[tokio::test(start_paused = true)]
async fn no_fault_of_jellyfin_is_an_absence() {
    no_fault_is_an_absence(jellyfin::without, jellyfin::film(), none).await;
    no_fault_is_an_absence(jellyfin::jellyfin, jellyfin::film(), none).await;
    no_fault_is_an_absence(jellyfin::without, jellyfin::series(), none).await;
    no_fault_is_an_absence(jellyfin::jellyfin, jellyfin::series(), none).await;
    no_fault_is_a_listing(jellyfin::jellyfin).await;
}

#[tokio::test(start_paused = true)]
async fn no_fault_of_shoko_is_an_absence() {
    no_fault_is_an_absence(shoko::without, shoko::bebop(), none).await;
    no_fault_is_an_absence(shoko::shoko, shoko::bebop(), none).await;
    no_fault_is_a_listing(shoko::shoko).await;
}

#[tokio::test]
async fn a_key_that_is_sent_back_is_in_no_failure() {
    let radarr = StandIn::new(crate::domain::Service::Radarr, "", &[]).await;
    let json = |status, body: &str| Answer::of(status, "application/json", body);
    let echo = "no such key: s3cr3t-key";
    for answer in [
        json(500, &format!("{{\"message\":\"{echo}\"}}")),
        json(418, &format!("{{\"errorMessage\":\"{echo}\"}}")),
        json(400, &format!("{{\"message\":\"{echo}\"}}")),
        json(200, &format!("\"{echo}\"")),
        json(200, &format!("{{\"appName\":\"{echo}\",\"instanceName\":\"\",\"version\":\"1\"}}")),
        Answer::html(302).with("Location", "http://nas/login/s3cr3t-key?apikey=s3cr3t-key"),
    ] {
        radarr.set("api/v3/system/status", answer);
        let failure = radarr.client().about().await.unwrap_err();
        let text = format!("{failure} {failure:?}");
        assert!(text.contains("[redacted]") && !text.contains("s3cr3t-key"), "{text}");
    }
}
