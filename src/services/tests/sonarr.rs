//! Sonarr.

use super::stand_in::{Answer, StandIn};
use super::{fixture, question, quiet, tvdb};
use crate::domain::{Failure, Kind, ProviderIds, Question, Service};

const LOST: &str = "/tv/The Expanse/Season 1/The Expanse - S01E01.mkv";

/// A Sonarr that has The Expanse, with three files.
pub(super) async fn sonarr() -> StandIn {
    let list = fixture!("sonarr/4/series-list.json");
    StandIn::new(
        Service::Sonarr,
        "",
        &[
            ("api/v3/system/status", fixture!("sonarr/4/status.json")),
            ("api/v3/series", list),
            ("api/v3/series?tvdbId=280619", list),
            ("api/v3/series/12", fixture!("sonarr/4/series.json")),
            ("api/v3/episodefile?seriesId=12", fixture!("sonarr/4/episodefile.json")),
            ("api/v3/command", "[]"),
            ("api/v3/queue/details", "[]"),
            ("api/v3/history/series", fixture!("sonarr/4/history.json")),
            ("api/v3/rootfolder", fixture!("sonarr/4/rootfolder.json")),
        ],
    )
    .await
}

/// A Sonarr that had The Expanse.
pub(super) async fn without() -> StandIn {
    let server = sonarr().await;
    server.set("api/v3/series?tvdbId=280619", Answer::json("[]"));
    let gone = Answer { status: 404, ..Answer::json(fixture!("sonarr/4/not-found.json")) };
    server.set("api/v3/series/12", gone);
    server
}

pub(super) fn expanse() -> Question {
    question(Kind::Series, tvdb(280_619), &["12"], &[LOST])
}

#[tokio::test]
async fn every_series_is_listed_in_one_request_with_its_files_counted_by_season() {
    let server = sonarr().await;
    let listing = server.client().list(&quiet).await.unwrap();
    let series = &listing.titles[0];
    assert_eq!((series.file_count, series.files.len()), (3, 0));
    assert_eq!(series.seasons, [(0, 0), (1, 2), (2, 1)].into());
    assert_eq!(series.root_folder.as_ref().unwrap().0, "/tv");
    assert_eq!(listing.requests, 4);
}

#[tokio::test]
async fn a_series_that_is_there_is_said_with_its_files_and_their_seasons() {
    let said = sonarr().await.client().ask(&expanse()).await.unwrap();
    let series = &said.titles[0];
    assert_eq!((series.file_count, series.files[0].path.0.as_str()), (3, LOST));
    assert_eq!(series.files[2].season, Some(2));
    assert_eq!(series.seasons, [(0, 0), (1, 2), (2, 1)].into());
    assert_eq!((said.unsure, said.replacing, said.gone), (None, None, vec![]));
}

#[tokio::test]
async fn a_series_that_sonarr_itself_does_not_have_is_gone() {
    let said = without().await.client().ask(&expanse()).await.unwrap();
    assert_eq!((said.titles.len(), said.gone), (0, vec!["12".to_owned()]));
}

#[tokio::test]
async fn a_series_that_counts_more_files_than_it_names_has_more() {
    let server = sonarr().await;
    server.set("api/v3/episodefile?seriesId=12", Answer::json("[]"));
    let said = server.client().ask(&expanse()).await.unwrap();
    assert_eq!((said.titles[0].file_count, said.titles[0].files.len()), (3, 0));
    assert_eq!(said.titles[0].seasons, [(0, 0), (1, 2), (2, 1)].into());
    let none = fixture!("sonarr/4/series.json")
        .replace("\"episodeFileCount\": 3", "\"episodeFileCount\": 0")
        .replace("\"episodeFileCount\": 2", "\"episodeFileCount\": 0")
        .replace("\"episodeFileCount\": 1,", "\"episodeFileCount\": 0,");
    server.set("api/v3/series/12", Answer::json(&none));
    let said = server.client().ask(&expanse()).await.unwrap();
    assert_eq!(
        (said.titles[0].file_count, &said.titles[0].seasons),
        (0, &[(0, 0), (1, 0), (2, 0)].into())
    );
}

#[tokio::test]
async fn files_of_another_series_are_no_answer() {
    let server = sonarr().await;
    let other =
        fixture!("sonarr/4/episodefile.json").replace("\"seriesId\": 12", "\"seriesId\": 13");
    server.set("api/v3/episodefile?seriesId=12", Answer::json(&other));
    let failure = server.client().ask(&expanse()).await.unwrap_err();
    assert!(matches!(failure, Failure::Protocol { .. }), "{failure:?}");
}

#[tokio::test]
async fn an_upgrade_of_the_lost_episode_means_that_it_is_being_replaced() {
    let server = sonarr().await;
    let upgrade = fixture!("sonarr/4/history.json").replace("MissingFromDisk", "Upgrade");
    server.set("api/v3/history/series", Answer::json(&upgrade));
    let said = server.client().ask(&expanse()).await.unwrap();
    assert!(said.replacing.unwrap().contains(LOST));
}

#[tokio::test]
async fn without_a_tvdb_id_sonarr_can_not_be_sure() {
    let ids = ProviderIds { tmdb: Some(63_639), ..ProviderIds::default() };
    let asked = question(Kind::Series, ids, &["12"], &[]);
    let said = without().await.client().ask(&asked).await.unwrap();
    assert!(said.unsure.unwrap().contains("tvdb"));
}

#[tokio::test]
async fn a_listing_without_any_count_is_half_an_answer() {
    let server = sonarr().await;
    let bare = "[{\"id\":12,\"title\":\"The Expanse\",\"tvdbId\":280619}]";
    server.set("api/v3/series", Answer::json(bare));
    let failure = server.client().list(&quiet).await.unwrap_err();
    assert!(matches!(failure, Failure::Protocol { .. }), "{failure:?}");
}
