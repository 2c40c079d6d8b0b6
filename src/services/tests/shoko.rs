//! Shoko.

use super::stand_in::{Answer, StandIn};
use super::{fixture, question, quiet, tmdb, tvdb};
use crate::domain::{Failure, Kind, ProviderIds, Question, Service};

/// The fixtures of one version.
struct Version {
    version: &'static str,
    status: &'static str,
    user: &'static str,
    series: &'static str,
    one: &'static str,
    files: &'static str,
    of_series: &'static str,
    folders: &'static str,
    folder: &'static str,
}

macro_rules! version {
    ($of:literal, $folder:literal) => {
        Version {
            version: fixture!(concat!("shoko/", $of, "/version.json")),
            status: fixture!(concat!("shoko/", $of, "/status.json")),
            user: fixture!(concat!("shoko/", $of, "/user.json")),
            series: fixture!(concat!("shoko/", $of, "/series.json")),
            one: fixture!(concat!("shoko/", $of, "/one-series.json")),
            files: fixture!(concat!("shoko/", $of, "/files.json")),
            of_series: fixture!(concat!("shoko/", $of, "/files-of-series.json")),
            folders: fixture!(concat!("shoko/", $of, "/folders.json")),
            folder: $folder,
        }
    };
}

const FOUR: Version = version!("4.2", "ImportFolder");
const FIVE: Version = version!("5", "ImportFolder");
const SIX: Version = version!("6", "ManagedFolder");

async fn of(version: &Version) -> StandIn {
    let folder = version.folder;
    StandIn::new(
        Service::Shoko,
        "",
        &[
            ("api/v3/Init/Status", version.status),
            ("api/v3/Init/Version", version.version),
            ("api/v3/User/Current", version.user),
            ("api/v3/Series", version.series),
            ("api/v3/Series/37", version.one),
            ("api/v3/Series/AniDB/23/Series", version.one),
            ("api/v3/File", version.files),
            ("api/v3/Series/37/File", version.of_series),
            (&format!("api/v3/{folder}"), version.folders),
            (&format!("api/v3/{folder}/2/File"), version.of_series),
        ],
    )
    .await
}

/// A Shoko 5 that has Cowboy Bebop, one file of two in sight.
pub(super) async fn shoko() -> StandIn {
    of(&FIVE).await
}

fn no_series() -> Answer {
    Answer::of(404, "text/plain", "No Series entry for the given seriesID")
}

/// A Shoko that had it.
pub(super) async fn without() -> StandIn {
    let server = shoko().await;
    server.set("api/v3/Series/37", no_series());
    server.set("api/v3/Series", Answer::json("{\"Total\":0,\"List\":[]}"));
    server
}

pub(super) fn bebop() -> Question {
    question(Kind::Series, tvdb(76_885), &["37"], &[])
}

#[tokio::test]
async fn every_series_is_listed_with_its_files_in_each_version() {
    for version in [FOUR, FIVE, SIX] {
        let server = of(&version).await;
        let listing = server.client().list(&quiet).await.unwrap();
        assert_eq!(listing.moving, None);
        let (series, film) = (&listing.titles[0], &listing.titles[1]);
        assert_eq!((series.id.as_str(), series.anidb, series.file_count), ("37", Some(23), 2));
        assert_eq!((series.item.kind, series.item.ids.tvdb), (Kind::Series, Some(76_885)));
        assert_eq!((film.item.kind, film.item.ids.tmdb), (Kind::Film, Some(11_299)));
        let first = &series.files[0];
        assert_eq!(first.path.0, "/mnt/anime/Cowboy Bebop/Cowboy Bebop - 01.mkv");
        assert_eq!((first.accessible, first.folder.as_deref()), (Some(true), Some("2")));
        assert_eq!(series.files[1].accessible, Some(false));
        assert_eq!(listing.folders[0].id.as_deref(), Some("2"));
        assert!(listing.about.version.starts_with(['4', '5', '6']));
        assert_eq!(server.header("apikey").as_deref(), Some("s3cr3t-key"));
    }
}

#[tokio::test]
async fn a_series_is_said_with_where_its_files_are_in_each_version() {
    for version in [FOUR, FIVE, SIX] {
        let said = of(&version).await.client().ask(&bebop()).await.unwrap();
        assert_eq!((said.titles.len(), said.unsure, said.gone.len()), (1, None, 0));
        let seen: Vec<_> = said.titles[0].files.iter().map(|file| file.accessible).collect();
        assert_eq!(seen, [Some(true), Some(false)]);
    }
}

#[tokio::test]
async fn a_series_that_names_no_file_but_counts_some_is_not_without() {
    let server = shoko().await;
    server.set("api/v3/Series/37/File", Answer::json("{\"Total\":0,\"List\":[]}"));
    let said = server.client().ask(&bebop()).await.unwrap();
    assert!(said.unsure.unwrap().contains("counts 26"));
    let none = FIVE.one.replace("\"Episodes\": 26", "\"Episodes\": 0");
    server.set("api/v3/Series/37", Answer::json(&none));
    let said = server.client().ask(&bebop()).await.unwrap();
    assert_eq!((said.titles[0].file_count, said.unsure), (0, None));
}

#[tokio::test]
async fn a_series_that_shoko_itself_does_not_have_is_gone() {
    let said = without().await.client().ask(&bebop()).await.unwrap();
    assert_eq!((said.titles.len(), said.gone, said.unsure), (0, vec!["37".to_owned()], None));
}

#[tokio::test]
async fn a_not_found_in_other_words_is_no_answer() {
    let server = without().await;
    server.set("api/v3/Series/37", Answer::html(404));
    let failure = server.client().ask(&bebop()).await.unwrap_err();
    assert!(matches!(failure, Failure::Protocol { .. }), "{failure:?}");
}

#[tokio::test]
async fn a_series_that_is_hidden_from_the_user_is_not_gone() {
    let server = without().await;
    server.set("api/v3/Series/37", Answer::of(403, "text/plain", ""));
    let said = server.client().ask(&bebop()).await.unwrap();
    assert!(said.gone.is_empty() && said.unsure.unwrap().contains("hidden"));
    let server = without().await;
    let user = FIVE.user.replace("\"IsAdmin\": true", "\"IsAdmin\": false");
    server.set("api/v3/User/Current", Answer::json(&user));
    assert!(server.client().ask(&bebop()).await.unwrap().unsure.unwrap().contains("hidden"));
}

#[tokio::test]
async fn files_that_are_all_out_of_sight_are_not_lost_while_their_folder_may_be_away() {
    let server = shoko().await;
    let blind = FIVE.of_series.replace("\"IsAccessible\": true", "\"IsAccessible\": false");
    server.set("api/v3/Series/37/File", Answer::json(&blind));
    let said = server.client().ask(&bebop()).await.unwrap();
    assert_eq!(said.unsure, None, "another file of that folder is in sight");
    server.set("api/v3/ImportFolder/2/File", Answer::json(&blind));
    let said = server.client().ask(&bebop()).await.unwrap();
    assert!(said.unsure.unwrap().contains("mounted"));
    assert!(said.titles[0].files.iter().all(|file| file.accessible == Some(false)));
}

#[tokio::test]
async fn a_series_is_found_by_its_number_in_anidb_and_by_those_of_others() {
    let server = shoko().await;
    let by_anidb =
        Question { anidb: vec![23], known: vec![], ids: ProviderIds::default(), ..bebop() };
    assert_eq!(server.client().ask(&by_anidb).await.unwrap().titles[0].id, "37");
    let by_tvdb = Question { known: vec![], ..bebop() };
    assert_eq!(server.client().ask(&by_tvdb).await.unwrap().titles[0].id, "37");
    server.set("api/v3/Series/52/File", Answer::json("{\"Total\":0,\"List\":[]}"));
    let listed: serde_json::Value = serde_json::from_str(FIVE.series).unwrap();
    let mut listed = listed["List"].as_array().unwrap().iter();
    let one = listed.find(|one| one["IDs"]["ID"] == 52).unwrap();
    server.set("api/v3/Series/52", Answer::json(&one.to_string()));
    let film = Question { kind: Kind::Film, ids: tmdb(11_299), known: vec![], ..bebop() };
    assert_eq!(server.client().ask(&film).await.unwrap().titles[0].id, "52");
    let as_series = Question { ids: tmdb(11_299), known: vec![], ..bebop() };
    assert!(server.client().ask(&as_series).await.unwrap().titles.is_empty());
}

#[tokio::test]
async fn an_id_that_is_another_animes_now_is_gone() {
    let server = shoko().await;
    let other = FIVE.one.replace("76885", "5").replace("30991", "6");
    server.set("api/v3/Series/37", Answer::json(&other));
    server.set("api/v3/Series", Answer::json("{\"Total\":0,\"List\":[]}"));
    let said = server.client().ask(&bebop()).await.unwrap();
    assert_eq!((said.titles.len(), said.gone), (0, vec!["37".to_owned()]));
}

#[tokio::test]
async fn a_shoko_that_is_starting_or_blocked_has_nothing_to_say() {
    for (from, to) in [
        ("Started", "Starting"),
        ("Started", "Failed"),
        ("\"Blocked\": false", "\"Blocked\": true"),
    ] {
        let server = without().await;
        server.set("api/v3/Init/Status", Answer::json(&FIVE.status.replace(from, to)));
        let failure = server.client().ask(&bebop()).await.unwrap_err();
        assert!(matches!(failure, Failure::Transient { .. }), "{failure:?}");
    }
    let server = without().await;
    server.set("api/v3/Series/37", Answer::of(400, "text/plain", "Database is Blocked"));
    let failure = server.client().ask(&bebop()).await.unwrap_err();
    assert!(matches!(failure, Failure::Transient { .. }), "{failure:?}");
}

#[tokio::test]
async fn paths_of_windows_keep_their_separators() {
    let server = of(&FOUR).await;
    let folders = FOUR.folders.replace("/mnt/anime/", "E:\\\\Anime\\\\");
    server.set("api/v3/ImportFolder", Answer::json(&folders));
    let files = FOUR.of_series.replace("Bebop/", "Bebop\\\\");
    server.set("api/v3/Series/37/File", Answer::json(&files));
    let said = server.client().ask(&bebop()).await.unwrap();
    let path = &said.titles[0].files[0].path.0;
    assert_eq!(path, "E:\\Anime\\Cowboy Bebop\\Cowboy Bebop - 01.mkv");
}

#[tokio::test]
async fn a_version_that_is_not_understood_is_said_so() {
    let server = shoko().await;
    let old = FIVE.version.replace("5.3.3.0", "4.1.2.0");
    server.set("api/v3/Init/Version", Answer::json(&old));
    let failure = server.client().about().await.unwrap_err();
    assert!(matches!(failure, Failure::Permanent { .. }), "{failure:?}");
}

#[tokio::test]
async fn a_number_that_is_another_series_since_it_was_listed_is_not_the_title() {
    let other = FIVE.one.replace("\"AniDB\": 23", "\"AniDB\": 24").replace("76885", "76886");
    let other = other.replace("30991", "30992");
    for now in [Answer::json(&other), no_series()] {
        let server = shoko().await;
        server.set("api/v3/Series/37", now);
        server.set("api/v3/Series/AniDB/23/Series", no_series());
        let asked = question(Kind::Series, tvdb(76_885), &[], &[]);
        let said = server.client().ask(&asked).await.unwrap();
        assert_eq!((said.titles, said.gone), (vec![], vec![]));
        assert!(said.unsure.unwrap().contains("where it is no more"));
    }
}
