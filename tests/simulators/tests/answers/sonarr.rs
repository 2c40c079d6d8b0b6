//! What Sonarr says, as its sources and its published document have it.

use std::fs;

use serde_json::json;
use simulators::{Sonarr, World, sonarr};

use crate::client::{Client, elements, world};

#[test]
fn files_are_counted_by_series_and_season() {
    let (_directory, world) = world();
    let show = &world.series(2, 2, 3)[0];
    let sonarr = Sonarr::start(&world, sonarr::Options::default());
    let client = Client::of_arr(&sonarr);
    let series = client.json(&format!("/api/v3/series?tvdbId={}", show.tvdb.unwrap()));
    assert_eq!(elements(&series).len(), 1);
    assert_eq!(series[0]["statistics"]["episodeFileCount"], 6);
    assert_eq!(series[0]["seasons"][1]["statistics"]["episodeFileCount"], 3);
    fs::remove_dir_all(world.folder(show).join("Season 2")).unwrap();
    sonarr.rescan_title(show);
    let series = client.json("/api/v3/series/1");
    assert_eq!(series["statistics"]["episodeFileCount"], 3);
    assert_eq!(series["statistics"]["totalEpisodeCount"], 6);
    assert_eq!(series["seasons"][1]["statistics"]["episodeFileCount"], 0);
    let episodes = client.json("/api/v3/episode?seriesId=1&seasonNumber=2");
    assert_eq!(
        (&episodes[0]["hasFile"], &episodes[0]["episodeFileId"]),
        (&json!(false), &json!(0))
    );
    let history = client.json("/api/v3/history/series?seriesId=1&eventType=episodeFileDeleted");
    assert_eq!(elements(&history).len(), 3, "a row for each episode");
    assert_eq!(history[0]["data"]["reason"], "MissingFromDisk");
}

#[test]
fn episode_files_are_asked_for_by_series() {
    let (_directory, world) = world();
    world.series(2, 1, 2);
    let sonarr = Sonarr::start(&world, sonarr::Options::default());
    let client = Client::of_arr(&sonarr);
    let files = client.json("/api/v3/episodefile?seriesId=2");
    assert_eq!(files[0]["id"], 3);
    assert_eq!(files[0]["path"], "/tv/A Crimson Harbour/Season 1/A Crimson Harbour - S01E01.mkv");
    assert_eq!(client.get("/api/v3/episodefile").status, 400);
    assert_eq!(client.get("/api/v3/episodefile?seriesId=9").status, 404);
    let several = client.json("/api/v3/episodefile?episodeFileIds=1&episodeFileIds=4");
    assert_eq!(elements(&several).len(), 2);
    assert_eq!(client.json("/api/v3/episodefile/4")["seriesId"], 2);
}

#[test]
fn anime_lies_in_a_root_folder_of_its_own() {
    let (_directory, world) = world();
    world.series(1, 1, 1);
    world.anime(1);
    let options = sonarr::Options { anime: Some("/anime".into()), ..Default::default() };
    let sonarr = Sonarr::start(&world, options);
    let client = Client::of_arr(&sonarr);
    let series = client.json("/api/v3/series");
    assert_eq!(
        (&series[1]["rootFolderPath"], &series[1]["seriesType"]),
        (&json!("/anime"), &json!("anime"))
    );
    assert_eq!(elements(&client.json("/api/v3/rootfolder")).len(), 2);
}

#[test]
fn five_thousand_series_are_listed_in_one_answer() {
    let world = World::without_disk();
    world.series(5_000, 4, 10);
    let sonarr = Sonarr::start(&world, sonarr::Options::default());
    let series = Client::of_arr(&sonarr).patient().json("/api/v3/series");
    assert_eq!(elements(&series).len(), 5_000);
}
