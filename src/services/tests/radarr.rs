//! Radarr.

use super::stand_in::{Answer, StandIn};
use super::{fixture, question, quiet, tmdb};
use crate::domain::{Failure, Kind, ProviderIds, Question, Service};

const LOST: &str = "/movies/Heat (1995)/Heat (1995).mkv";

/// A Radarr that has Heat, with its file.
pub(super) async fn radarr() -> StandIn {
    let movie = fixture!("radarr/6/movie.json");
    StandIn::new(
        Service::Radarr,
        "/radarr",
        &[
            ("api/v3/system/status", fixture!("radarr/6/status.json")),
            ("api/v3/movie", fixture!("radarr/6/movies.json")),
            ("api/v3/movie?tmdbId=949", &format!("[{movie}]")),
            ("api/v3/movie?tmdbId=1", "[]"),
            ("api/v3/movie/42", movie),
            ("api/v3/command", fixture!("radarr/6/command.json")),
            ("api/v3/queue/details", "[]"),
            ("api/v3/history/movie", "[]"),
            ("api/v3/rootfolder", fixture!("radarr/6/rootfolder.json")),
        ],
    )
    .await
}

fn not_found() -> Answer {
    Answer { status: 404, ..Answer::json(fixture!("radarr/6/not-found.json")) }
}

/// A Radarr that had Heat.
pub(super) async fn without() -> StandIn {
    let server = radarr().await;
    server.set("api/v3/movie?tmdbId=949", Answer::json("[]"));
    server.set("api/v3/movie/42", not_found());
    server
}

pub(super) fn heat() -> Question {
    question(Kind::Film, tmdb(949), &["42"], &[LOST])
}

#[tokio::test]
async fn every_film_is_listed_with_its_file_and_folders() {
    let server = radarr().await;
    let progress = std::sync::Mutex::new(Vec::new());
    let seen = |done, total| progress.lock().unwrap().push((done, total));
    let listing = server.client().list(&seen).await.unwrap();
    assert_eq!(*progress.lock().unwrap(), [(2, Some(2))]);
    assert_eq!(listing.about.name, "Radarr");
    assert_eq!(listing.requests, 4);
    assert_eq!(server.asked().len(), 4);
    let heat = &listing.titles[0];
    assert_eq!((heat.id.as_str(), heat.file_count), ("42", 1));
    assert_eq!(heat.item.ids.imdb.as_deref(), Some("tt0113277"));
    assert_eq!(heat.files[0].path.0, LOST);
    let (movies, windows) = (&listing.folders[0], &listing.folders[1]);
    assert_eq!((movies.accessible, movies.free), (Some(true), Some(1_099_511_627_776)));
    assert_eq!((windows.accessible, windows.free), (Some(false), None));
}

#[tokio::test]
async fn a_strange_title_and_a_path_of_windows_are_taken_as_they_are() {
    let listing = radarr().await.client().list(&quiet).await.unwrap();
    let odd = &listing.titles[1];
    assert!(odd.item.title.starts_with("שלום 🎬\u{7} xxx") && odd.item.title.len() > 4000);
    assert_eq!(odd.folder.as_ref().unwrap().0, "D:\\Movies\\Odd");
    assert_eq!((odd.item.year, odd.file_count, odd.item.ids.imdb.as_ref()), (None, 0, None));
}

#[tokio::test]
async fn a_film_that_is_there_is_said_with_its_file() {
    let server = radarr().await;
    let said = server.client().ask(&heat()).await.unwrap();
    assert_eq!(said.titles.len(), 1);
    assert_eq!(said.titles[0].files[0].path.0, LOST);
    assert_eq!((said.unsure, said.replacing, said.gone), (None, None, vec![]));
    let asked = server.asked();
    let status = "GET /radarr/api/v3/system/status";
    assert_eq!((asked[0].as_str(), asked.last().unwrap().as_str()), (status, status));
    assert_eq!(server.header("x-api-key").as_deref(), Some("s3cr3t-key"));
}

#[tokio::test]
async fn a_film_without_a_file_is_listed_without_one() {
    let server = radarr().await;
    server.set("api/v3/movie/42", Answer::json(fixture!("radarr/6/movie-without-file.json")));
    let said = server.client().ask(&heat()).await.unwrap();
    assert_eq!((said.titles[0].file_count, said.titles[0].files.len()), (0, 0));
}

#[tokio::test]
async fn a_film_that_radarr_itself_does_not_have_is_gone() {
    let said = without().await.client().ask(&heat()).await.unwrap();
    assert_eq!((said.titles, said.gone), (vec![], vec!["42".to_owned()]));
    assert_eq!(said.unsure, None);
}

#[tokio::test]
async fn a_film_that_was_added_again_is_found_under_its_new_id() {
    let server = without().await;
    let again = fixture!("radarr/6/movie.json").replace("\"id\": 42", "\"id\": 99");
    server.set("api/v3/movie?tmdbId=949", Answer::json(&format!("[{again}]")));
    server.set("api/v3/movie/99", Answer::json(&again));
    let said = server.client().ask(&heat()).await.unwrap();
    assert_eq!(said.titles[0].id, "99");
    assert_eq!(said.gone, ["42"]);
}

#[tokio::test]
async fn a_film_that_is_added_again_while_it_is_asked_for_is_not_gone() {
    let server = without().await;
    let again = fixture!("radarr/6/movie.json").replace("\"id\": 42", "\"id\": 99");
    let row = vec![Answer::json("[]"), Answer::json(&format!("[{again}]"))];
    server.set_row("api/v3/movie?tmdbId=949", row);
    let failure = server.client().ask(&heat()).await.unwrap_err();
    assert!(matches!(failure, Failure::Transient { .. }), "{failure:?}");
}

#[tokio::test]
async fn an_id_that_is_another_films_now_is_gone() {
    let server = without().await;
    let other = fixture!("radarr/6/movie.json")
        .replace("\"tmdbId\": 949", "\"tmdbId\": 603")
        .replace("tt0113277", "tt0133093");
    server.set("api/v3/movie/42", Answer::json(&other));
    let said = server.client().ask(&heat()).await.unwrap();
    assert_eq!((said.titles.len(), said.gone), (0, vec!["42".to_owned()]));
}

#[tokio::test]
async fn an_id_that_nothing_ties_to_the_title_is_neither_it_nor_gone() {
    let ids = ProviderIds { tvdb: Some(1), ..ProviderIds::default() };
    let asked = question(Kind::Film, ids, &["42"], &[]);
    let said = radarr().await.client().ask(&asked).await.unwrap();
    assert_eq!((said.titles.len(), said.gone.len()), (1, 0));
    assert!(said.unsure.unwrap().contains("ties"));
}

#[tokio::test]
async fn without_a_tmdb_id_radarr_can_not_be_sure() {
    let ids = ProviderIds { imdb: Some("tt0113277".to_owned()), ..ProviderIds::default() };
    let said = without().await.client().ask(&question(Kind::Film, ids, &["42"], &[])).await;
    assert!(said.unwrap().unsure.unwrap().contains("tmdb"));
}

#[tokio::test]
async fn a_not_found_that_radarr_did_not_sign_is_no_answer() {
    let server = without().await;
    let unsigned = Answer::of(404, "application/json", "{\"message\":\"NotFound\"}");
    let text = Answer::of(404, "text/plain", "").with("X-Application-Version", "6.1");
    for answer in [unsigned, text, Answer::html(404)] {
        server.set("api/v3/movie/42", answer);
        let failure = server.client().ask(&heat()).await.unwrap_err();
        assert!(matches!(failure, Failure::Protocol { .. }), "{failure:?}");
    }
}

#[tokio::test]
async fn an_instance_that_restarts_or_is_exchanged_meanwhile_says_nothing() {
    for (from, to) in [("2026-07-01T06", "2026-07-01T07"), ("e\": \"Radarr\"", "e\": \"Radarr4K\"")]
    {
        let server = without().await;
        let status = fixture!("radarr/6/status.json");
        let other =
            status.replacen(from, to, 9).replace("appName\": \"Radarr4K", "appName\": \"Radarr");
        assert_ne!(status, other);
        let row = vec![Answer::json(status), Answer::json(&other)];
        server.set_row("api/v3/system/status", row);
        let failure = server.client().ask(&heat()).await.unwrap_err();
        assert!(matches!(failure, Failure::Transient { .. }), "{failure:?}");
    }
}

#[tokio::test]
async fn what_is_in_the_queue_is_being_replaced() {
    let server = radarr().await;
    let queue = fixture!("radarr/6/queue.json");
    server.set("api/v3/queue/details?movieId=42", Answer::json(queue));
    let said = server.client().ask(&heat()).await.unwrap();
    assert!(said.replacing.unwrap().contains("Heat.1995.2160p-GRP"));
}

#[tokio::test]
async fn a_command_on_it_that_waits_or_runs_may_replace_it_and_one_that_ended_may_not() {
    let server = radarr().await;
    let commands = fixture!("radarr/6/command.json");
    for state in ["queued", "started"] {
        server.set("api/v3/command", Answer::json(&commands.replace("completed", state)));
        let said = server.client().ask(&heat()).await.unwrap();
        assert!(said.replacing.unwrap().contains("RefreshMovie"));
    }
}

#[tokio::test]
async fn a_scan_of_everything_and_an_import_concern_every_film() {
    let server = radarr().await;
    for (name, body, concerns) in [
        ("RescanMovie", "{}", true),
        ("RefreshMovie", "{\"movieIds\":[]}", true),
        ("RefreshMovie", "{\"movieIds\":[7]}", false),
        ("RescanMovie", "{\"movieId\":42}", true),
        ("ManualImport", "{\"files\":[]}", true),
        ("Backup", "{}", false),
    ] {
        let command = format!(r#"[{{"name":"{name}","status":"started","body":{body},"id":3}}]"#);
        server.set("api/v3/command", Answer::json(&command));
        let said = server.client().ask(&heat()).await.unwrap();
        assert_eq!(said.replacing.is_some(), concerns, "{command}");
    }
}

#[tokio::test]
async fn the_newest_removal_of_the_lost_file_says_whether_it_was_an_upgrade() {
    let server = radarr().await;
    let history = fixture!("radarr/6/history.json");
    server.set("api/v3/history/movie?movieId=42", Answer::json(history));
    let replacing = |said: crate::domain::Said| said.replacing;
    let said = server.client().ask(&heat()).await.map(replacing).unwrap();
    assert!(said.unwrap().contains("Upgrade"));
    let older = history.replace("2026-07-01", "2026-05-01");
    server.set("api/v3/history/movie?movieId=42", Answer::json(&older));
    assert_eq!(server.client().ask(&heat()).await.map(replacing).unwrap(), None);
    server.set("api/v3/history/movie?movieId=42", Answer::json(history));
    let other = Question { lost: vec![], ..heat() };
    assert_eq!(server.client().ask(&other).await.map(replacing).unwrap(), None);
}

#[tokio::test]
async fn a_film_that_does_not_say_whether_it_has_a_file_is_half_an_answer() {
    let server = radarr().await;
    server.set("api/v3/movie/42", Answer::json("{\"id\":42,\"title\":\"Heat\",\"tmdbId\":949}"));
    let failure = server.client().ask(&heat()).await.unwrap_err();
    assert!(matches!(failure, Failure::Protocol { .. }), "{failure:?}");
}

#[tokio::test]
async fn it_is_asked_once_to_look_again_at_one_film() {
    let server = radarr().await;
    let made = "{\"name\":\"RefreshMovie\",\"status\":\"queued\",\"body\":{\"movieIds\":[42]}}";
    server.set("api/v3/command", Answer { status: 201, ..Answer::json(made) });
    server.client().refresh("42").await.unwrap();
    assert_eq!(server.asked(), ["POST /radarr/api/v3/command"]);
    server.set("api/v3/command", Answer::html(502));
    let failure = server.client().refresh("42").await.unwrap_err();
    assert!(matches!(failure, Failure::Transient { .. }), "{failure:?}");
    assert_eq!(server.asked().len(), 1);
    assert!(matches!(server.client().refresh("x").await, Err(Failure::Permanent { .. })));
}
