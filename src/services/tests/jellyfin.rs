//! Jellyfin.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::stand_in::{Answer, START, StandIn};
use super::{fixture, question, quiet, tmdb, tvdb};
use crate::domain::{Failure, Kind, ProviderIds, Question, Service, Timestamp};

const MOVIE: &str = "11112222333344445555666677778888";
const SERIES: &str = "aaaabbbbccccddddeeeeffff00001111";

/// A Jellyfin that has one film and one series, asked with an API key.
pub(super) async fn jellyfin() -> StandIn {
    let server = StandIn::new(
        Service::Jellyfin,
        "/jellyfin",
        &[
            ("System/Info", fixture!("jellyfin/10.11/system-info.json")),
            ("ScheduledTasks", fixture!("jellyfin/10.11/tasks.json")),
            ("Library/VirtualFolders", fixture!("jellyfin/10.11/libraries.json")),
            (
                "Items?includeItemTypes=Movie%2CSeries%2CEpisode",
                fixture!("jellyfin/10.11/items.json"),
            ),
            ("Items?includeItemTypes=Movie", fixture!("jellyfin/10.11/movies.json")),
            ("Items?includeItemTypes=Series", fixture!("jellyfin/10.11/series.json")),
            (
                &format!("Items?includeItemTypes=Episode&parentId={SERIES}"),
                fixture!("jellyfin/10.11/episodes.json"),
            ),
            (&format!("Items?ids={MOVIE}"), fixture!("jellyfin/10.11/movies.json")),
            (&format!("Items?ids={SERIES}"), fixture!("jellyfin/10.11/series.json")),
        ],
    )
    .await;
    let no_user = Answer::of(400, "application/problem+json", "{\"title\":\"Bad Request\"}");
    server.set("Users/Me", no_user);
    server
}

/// A Jellyfin that had them.
pub(super) async fn without() -> StandIn {
    let server = jellyfin().await;
    let nothing = fixture!("jellyfin/10.11/nothing.json");
    for query in ["includeItemTypes=Movie", "includeItemTypes=Series"] {
        server.set(&format!("Items?{query}"), Answer::json(nothing));
    }
    for id in [MOVIE, SERIES] {
        server.set(&format!("Items?ids={id}"), Answer::json(nothing));
    }
    server
}

pub(super) fn film() -> Question {
    question(Kind::Film, tmdb(123_456), &[MOVIE], &[])
}

pub(super) fn series() -> Question {
    question(Kind::Series, tvdb(345_678), &[SERIES], &[])
}

fn listings(asked: &[String]) -> usize {
    asked.iter().filter(|line| line.contains("includeItemTypes=Movie&")).count()
}

#[tokio::test]
async fn everything_is_listed_with_episodes_in_their_series() {
    let server = jellyfin().await;
    let listing = server.client().list(&quiet).await.unwrap();
    assert_eq!(listing.moving, None);
    assert_eq!(listing.titles.len(), 2);
    let (film, series) = (&listing.titles[0], &listing.titles[1]);
    assert_eq!((film.item.ids.tmdb, film.file_count), (Some(123_456), 1));
    assert_eq!((series.file_count, &series.seasons), (3, &[(1, 2), (2, 1)].into()));
    let folders: Vec<&str> = listing.folders.iter().map(|folder| folder.path.0.as_str()).collect();
    assert_eq!(folders, ["/media/movies", "/media/tv", "/media/tv2"]);
    assert_eq!(u64::from(listing.requests), u64::try_from(server.asked().len()).unwrap());
    let header = server.header("authorization").unwrap();
    assert!(header.starts_with("MediaBrowser Token=\"s3cr3t-key\", Client="), "{header}");
}

#[tokio::test]
async fn a_listing_whose_total_changes_or_whose_pages_overlap_is_moving() {
    let server = jellyfin().await;
    let items = fixture!("jellyfin/10.11/items.json");
    let route = "Items?includeItemTypes=Movie%2CSeries%2CEpisode";
    let total = |of| Answer::json(&items.replace("\"TotalRecordCount\": 5", of));
    let nothing = |of: &str| {
        let nothing = fixture!("jellyfin/10.11/nothing.json");
        Answer::json(&nothing.replace("\"TotalRecordCount\": 0", of))
    };
    let (ten, nine) = ("\"TotalRecordCount\": 10", "\"TotalRecordCount\": 9");
    for row in [
        vec![total(ten), total(ten)],
        vec![total(ten), nothing(nine)],
        vec![total(ten), nothing(ten)],
    ] {
        server.set_row(route, row);
        let listing = server.client().list(&quiet).await.unwrap();
        assert_eq!(listing.titles.len(), 2);
        assert!(listing.moving.is_some());
    }
}

#[tokio::test]
async fn a_library_that_says_the_same_page_again_and_again_is_left_off() {
    let server = jellyfin().await;
    let items = fixture!("jellyfin/10.11/items.json");
    let endless = items.replace("\"TotalRecordCount\": 5", "\"TotalRecordCount\": 9000000");
    server.set("Items?includeItemTypes=Movie%2CSeries%2CEpisode", Answer::json(&endless));
    let listing = server.client().list(&quiet).await.unwrap();
    assert!(listing.moving.is_some());
}

#[tokio::test]
async fn while_a_scan_runs_nothing_is_absent() {
    let scanning = || Answer::json(fixture!("jellyfin/10.11/tasks-scanning.json"));
    let idle = || Answer::json(fixture!("jellyfin/10.11/tasks.json"));
    for row in [vec![scanning()], vec![idle(), scanning()], vec![scanning(), idle()]] {
        let server = without().await;
        server.set_row("ScheduledTasks", row.clone());
        let said = server.client().ask(&film()).await.unwrap();
        assert!(said.unsure.unwrap().contains("scanning"));
        server.set_row("ScheduledTasks", row);
        let listing = server.client().list(&quiet).await.unwrap();
        assert!(listing.moving.unwrap().contains("scanning"));
    }
}

#[tokio::test]
async fn a_scan_that_begins_after_the_listing_counts_too() {
    let server = without().await;
    let idle = || Answer::json(fixture!("jellyfin/10.11/tasks.json"));
    let scanning = Answer::json(fixture!("jellyfin/10.11/tasks-scanning.json"));
    server.set_row("ScheduledTasks", vec![idle(), idle(), scanning]);
    let said = server.client().ask(&film()).await.unwrap();
    assert!(said.unsure.unwrap().contains("scanning"));
}

#[tokio::test]
async fn a_film_and_a_series_that_are_there_are_said_with_their_files() {
    let client = jellyfin().await.client();
    let said = client.ask(&film()).await.unwrap();
    assert_eq!((said.titles.len(), said.titles[0].file_count, said.unsure), (1, 1, None));
    let said = client.ask(&series()).await.unwrap();
    assert_eq!((said.titles.len(), said.titles[0].file_count, said.unsure), (1, 3, None));
}

#[tokio::test]
async fn what_jellyfin_no_longer_lists_is_gone() {
    let client = without().await.client();
    let said = client.ask(&film()).await.unwrap();
    assert_eq!((said.titles.len(), said.gone, said.unsure), (0, vec![MOVIE.to_owned()], None));
}

#[tokio::test]
async fn a_film_under_a_new_id_is_found_by_its_provider_id() {
    let server = jellyfin().await;
    let id = "0123456789abcdef0123456789abcdef";
    server.set(&format!("Items?ids={id}"), Answer::json(fixture!("jellyfin/10.11/nothing.json")));
    let said =
        server.client().ask(&Question { known: vec![id.to_owned()], ..film() }).await.unwrap();
    assert_eq!((said.titles[0].id.as_str(), said.gone), (MOVIE, vec![id.to_owned()]));
}

#[tokio::test]
async fn an_id_that_can_not_be_read_is_never_asked_for() {
    let server = jellyfin().await;
    for id in ["42", "", "00000000000000000000000000000000", "zzzz2222333344445555666677778888"] {
        let said = server.client().ask(&Question { known: vec![id.to_owned()], ..film() }).await;
        assert!(said.unwrap().unsure.unwrap().contains("ids like"));
        assert!(server.asked().iter().all(|line| !line.contains("ids=")));
    }
}

#[tokio::test]
async fn items_that_were_not_asked_for_are_no_answer() {
    let server = without().await;
    server.set(&format!("Items?ids={MOVIE}"), Answer::json(fixture!("jellyfin/10.11/items.json")));
    let failure = server.client().ask(&film()).await.unwrap_err();
    assert!(matches!(failure, Failure::Protocol { .. }), "{failure:?}");
    let server = jellyfin().await;
    let others = fixture!("jellyfin/10.11/episodes.json").replace(SERIES, MOVIE);
    server.set(&format!("Items?includeItemTypes=Episode&parentId={SERIES}"), Answer::json(&others));
    let failure = server.client().ask(&series()).await.unwrap_err();
    assert!(matches!(failure, Failure::Protocol { .. }), "{failure:?}");
}

#[tokio::test]
async fn one_listing_answers_all_who_ask_at_once_and_those_who_are_older_than_it() {
    let server = without().await;
    let client = server.client();
    let (a, b, c) = (film(), film(), film());
    let (a, b, c) = tokio::join!(client.ask(&a), client.ask(&b), client.ask(&c));
    assert!([a, b, c].iter().all(|said| said.as_ref().unwrap().unsure.is_none()));
    assert_eq!(listings(&server.asked()), 1);
    client.ask(&film()).await.unwrap();
    assert_eq!(listings(&server.asked()), 0);
    server.clock.fetch_add(1000, Ordering::Relaxed);
    let later = Question { not_before: Timestamp::from_millis(START + 1), ..film() };
    client.ask(&later).await.unwrap();
    assert_eq!(listings(&server.asked()), 1);
}

#[tokio::test(start_paused = true)]
async fn a_listing_is_read_to_its_end_for_the_next_one_when_who_asked_for_it_goes() {
    let server = without().await;
    let slow = Answer::json(fixture!("jellyfin/10.11/nothing.json")).late(Duration::from_secs(50));
    server.set("Items?includeItemTypes=Movie", slow);
    let client = server.client();
    let (first, next) = (film(), film());
    assert!(tokio::time::timeout(Duration::from_secs(40), client.ask(&first)).await.is_err());
    let said = tokio::time::timeout(Duration::from_secs(20), client.ask(&next)).await.unwrap();
    assert_eq!(said.unwrap().unsure, None);
    assert_eq!(listings(&server.asked()), 1);
}

#[tokio::test(start_paused = true)]
async fn a_listing_is_not_kept_for_ever() {
    let server = without().await;
    let client = server.client();
    client.ask(&film()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(301)).await;
    client.ask(&film()).await.unwrap();
    assert_eq!(listings(&server.asked()), 2);
}

#[tokio::test]
async fn a_listing_from_before_the_loss_says_nothing_even_if_the_clock_is_set_back() {
    let server = without().await;
    let later = Question { not_before: Timestamp::from_millis(START + 1), ..film() };
    let said = server.client().ask(&later).await.unwrap();
    assert!(said.unsure.unwrap().contains("clock"));
}

#[tokio::test]
async fn a_key_of_a_user_who_may_not_see_all_proves_no_absence() {
    let server = without().await;
    server.set("Users/Me", Answer::json(fixture!("jellyfin/10.11/user.json")));
    assert_eq!(server.client().ask(&film()).await.unwrap().unsure, None);
    server.set("Users/Me", Answer::json(fixture!("jellyfin/10.11/user-limited.json")));
    let said = server.client().ask(&film()).await.unwrap();
    assert!(said.unsure.unwrap().contains("API key"));
    server.set("ScheduledTasks", Answer::of(403, "text/plain", ""));
    let failure = server.client().about().await.unwrap_err();
    assert!(matches!(&failure, Failure::Unauthorized { why } if why.contains("administrator")));
}

#[tokio::test]
async fn jellyfin_10_8_is_asked_in_the_name_of_an_administrator() {
    let server = jellyfin().await;
    let info = fixture!("jellyfin/10.11/system-info.json").replace("10.11.11", "10.8.13");
    server.set("System/Info", Answer::json(&info));
    let (limited, root) =
        (fixture!("jellyfin/10.11/user-limited.json"), fixture!("jellyfin/10.11/user.json"));
    server.set("Users", Answer::json(&format!("[{limited},{root}]")));
    assert_eq!(server.client().ask(&film()).await.unwrap().unsure, None);
    let asked = server.asked();
    let mut items = asked.iter().filter(|line| line.contains("/Items?"));
    assert!(items.all(|line| line.contains("userId=f0f0f0f0")), "{asked:?}");
    server.set("Users", Answer::json(&format!("[{limited}]")));
    assert!(server.client().ask(&film()).await.unwrap().unsure.is_some());
}

#[tokio::test]
async fn a_jellyfin_that_is_not_set_up_yet_has_nothing_to_say() {
    let server = jellyfin().await;
    let info = fixture!("jellyfin/10.11/system-info.json")
        .replace("\"StartupWizardCompleted\": true", "\"StartupWizardCompleted\": false");
    server.set("System/Info", Answer::json(&info));
    let failure = server.client().ask(&film()).await.unwrap_err();
    assert!(matches!(failure, Failure::Transient { .. }), "{failure:?}");
}

#[tokio::test]
async fn without_a_provider_id_jellyfin_can_not_be_sure() {
    let asked = Question { ids: ProviderIds::default(), ..film() };
    let said = without().await.client().ask(&asked).await.unwrap();
    assert!(said.unsure.unwrap().contains("provider id"));
}
