//! Reaching a service at all: addresses, keys, limits, waits.

use std::time::Duration;

use super::radarr::radarr;
use super::stand_in::{Answer, StandIn};
use super::{fixture, quiet};
use crate::domain::{Failure, Secret, Service};
use crate::services::{Access, AccessError, Client, Url};

const STATUS: &str = "api/v3/system/status";

/// Radarr's status after these answers.
async fn after(row: Vec<Answer>) -> StandIn {
    let server = radarr().await;
    let row = row.into_iter().chain([Answer::json(fixture!("radarr/6/status.json"))]);
    server.set_row(STATUS, row.collect());
    server
}

fn made(change: impl Fn(&mut Access)) -> Result<Client, AccessError> {
    let mut access = Access {
        instance: crate::domain::Instance { service: Service::Radarr, name: "main".to_owned() },
        url: "http://127.0.0.1:9".parse().unwrap(),
        key: Secret::new("s3cr3t-key".to_owned()),
        extra_ca: None,
        deadline: Duration::from_secs(30),
        concurrency: 1,
        now: std::sync::Arc::new(crate::domain::Timestamp::default),
    };
    change(&mut access);
    Client::new(access)
}

fn url(text: &str) -> Url {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_service_that_is_down_may_be_up_later() {
    let server = radarr().await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let mut access = server.access();
    access.url.set_port(Some(port)).unwrap();
    let failure = Client::new(access).unwrap().about().await.unwrap_err();
    assert!(
        matches!(&failure, Failure::Transient { why, .. } if why.contains("refused")),
        "{failure:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_service_that_hangs_is_given_up_at_the_deadline() {
    let server = after(vec![Answer::hang()]).await;
    let client = server.client();
    let early = tokio::time::timeout(Duration::from_secs(29), client.about()).await;
    assert!(early.is_err());
    let server = after(vec![Answer::hang(); 9]).await;
    let client = server.client();
    let failure = tokio::time::timeout(Duration::from_secs(31), client.about()).await.unwrap();
    let failure = failure.unwrap_err();
    assert!(matches!(&failure, Failure::Transient { why, .. } if why.contains("30 s")));
    assert_eq!(server.asked().len(), 1, "who took all the time is not asked again at once");
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_passes_is_tried_again_twice_and_no_more() {
    let server = after(vec![Answer::html(502); 2]).await;
    server.client().about().await.unwrap();
    assert_eq!(server.asked().len(), 3);
    let server = after(vec![Answer::html(502); 3]).await;
    let failure = server.client().about().await.unwrap_err();
    assert!(matches!(failure, Failure::Transient { .. }), "{failure:?}");
    assert_eq!(server.asked().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn who_asks_to_be_left_alone_is_left_alone() {
    let busy = |text| Answer::html(429).with("Retry-After", text);
    let server = after(vec![busy("8")]).await;
    let client = server.client();
    assert!(tokio::time::timeout(Duration::from_secs(7), client.about()).await.is_err());
    let server = after(vec![busy("8")]).await;
    let client = server.client();
    let about = tokio::time::timeout(Duration::from_secs(9), client.about()).await.unwrap();
    about.unwrap();
    for (text, rest) in [
        ("120", Some(120)),
        ("999999", Some(3600)),
        ("soon", None),
        // 300 s after the clock of these tests.
        ("Mon, 21 Sep 2026 14:18:20 GMT", Some(300)),
    ] {
        let server = after(vec![busy(text); 3]).await;
        let Err(Failure::Transient { retry_after, .. }) = server.client().about().await else {
            panic!("{text}")
        };
        assert_eq!(retry_after.map(|rest| rest.as_secs()), rest, "{text}");
        let tries = if rest.is_some() { 1 } else { 3 };
        assert_eq!(server.asked().len(), tries, "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_bad_answer_is_a_failure_of_its_kind() {
    let kinds = |failure: &Failure| match failure {
        Failure::Transient { .. } => "transient",
        Failure::Permanent { .. } => "permanent",
        Failure::Unauthorized { .. } => "unauthorized",
        Failure::Protocol { .. } => "protocol",
    };
    let starting = "{\"errorMessage\":\"Radarr is starting up, please try again later\"}";
    let other = fixture!("radarr/6/status.json").replace("\"Radarr\"", "\"Sonarr\"");
    for (answer, kind, words) in [
        (Answer::of(401, "text/plain", ""), "unauthorized", "api_key"),
        (Answer::of(403, "text/plain", ""), "unauthorized", "api_key"),
        (Answer::html(404), "protocol", "not there"),
        (Answer::html(429), "transient", "429"),
        (Answer::html(500), "transient", "500"),
        (Answer::of(503, "application/json", starting), "transient", "starting up"),
        (Answer::html(200), "protocol", "web page"),
        (Answer::json("{\"appName\":\"Rad"), "protocol", "can't be read"),
        (Answer::json(""), "protocol", "can't be read"),
        (Answer::json(&other), "protocol", "is Sonarr, not Radarr"),
        (Answer::of(405, "text/plain", ""), "permanent", "405"),
        (Answer::of(204, "text/plain", ""), "protocol", "204"),
    ] {
        let server = after(vec![answer; 3]).await;
        let failure = server.client().about().await.unwrap_err();
        assert_eq!(kinds(&failure), kind, "{failure}");
        assert!(failure.to_string().contains(words), "{failure}");
        assert!(failure.to_string().starts_with("radarr.main at http://127.0.0.1:"), "{failure}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_says_which_address_is_right() {
    for (to, base) in [
        ("/movies/api/v3/system/status?x=1", "/movies;"),
        ("https://me:word@films.example/r/api/v3/system/status", "https://films.example/r;"),
        ("/api/v3/system/status", "/;"),
        ("/jellyfin/web/", "/jellyfin;"),
        ("https://sso.example/login?to=s3cr3t", "https://sso.example/login;"),
    ] {
        for status in [301, 302, 307, 308] {
            let server = after(vec![Answer::html(status).with("Location", to)]).await;
            let failure = server.client().about().await.unwrap_err();
            let Failure::Permanent { why } = failure else { panic!("{failure:?}") };
            assert!(why.contains(&format!("redirects to {base}")), "{why}");
            assert!(!why.contains("word") && !why.contains("s3cr3t"), "{why}");
            assert_eq!(server.asked().len(), 1);
        }
    }
}

#[tokio::test]
async fn an_address_below_a_path_is_kept_with_a_slash_and_without() {
    let server = radarr().await;
    for path in ["/radarr", "/radarr/"] {
        let mut access = server.access();
        access.url.set_path(path);
        access.url.set_query(Some("apikey=s3cr3t"));
        Client::new(access).unwrap().about().await.unwrap();
        assert_eq!(server.asked(), ["GET /radarr/api/v3/system/status"]);
    }
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_not_read_to_its_end() {
    let long = format!("{{\"appName\":\"{}\"}}", "x".repeat(5 << 20));
    let server = after(vec![Answer::json(&long)]).await;
    let failure = server.client().about().await.unwrap_err();
    assert!(matches!(&failure, Failure::Protocol { why } if why.contains("bytes")), "{failure:?}");
}

#[tokio::test]
async fn a_secret_is_in_no_error_and_in_no_debug_form() {
    let server = after(vec![Answer::html(500); 3]).await;
    let mut access = server.access();
    access.url.set_username("heinz").unwrap();
    access.url.set_password(Some("s3cr3t-word")).unwrap();
    access.url.set_query(Some("apikey=s3cr3t"));
    let debug = format!("{access:?}");
    let client = Client::new(access).unwrap();
    let failure = client.about().await.unwrap_err();
    for text in [debug, format!("{client:?}"), format!("{failure:?} {failure}")] {
        assert!(!text.contains("s3cr3t") && !text.contains("heinz"), "{text}");
    }
    client.list(&quiet).await.unwrap();
    let login = server.header("authorization").unwrap();
    assert_eq!(login, "Basic aGVpbno6czNjcjN0LXdvcmQ=");
}

#[tokio::test]
async fn an_address_or_a_key_that_can_not_be_used_is_refused_at_once() {
    let refused = |change: &dyn Fn(&mut Access)| made(change).unwrap_err();
    for bad in ["ftp://host/", "file:///radarr"] {
        assert!(matches!(refused(&|access| access.url = url(bad)), AccessError::Url(_)));
    }
    for bad in ["", " ", "a\nb", "a\"b", "schlüssel"] {
        let set = |access: &mut Access| access.key = Secret::new(bad.to_owned());
        assert_eq!(refused(&set), AccessError::Key);
    }
    for bad in
        ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"]
    {
        let set = |access: &mut Access| access.extra_ca = Some(bad.into());
        assert!(matches!(refused(&set), AccessError::Ca(_)), "{bad}");
    }
    let jellyfin = |access: &mut Access| {
        access.instance.service = Service::Jellyfin;
        access.url = url("http://me:word@host");
    };
    assert_eq!(refused(&jellyfin), AccessError::Login);
    made(|access| access.url = url("https://host/radarr")).unwrap();
}

#[tokio::test]
async fn no_more_requests_are_under_way_than_allowed() {
    let server = radarr().await;
    server.set_row(STATUS, vec![Answer::hang()]);
    let mut access = server.access();
    access.concurrency = 2;
    access.deadline = Duration::from_millis(300);
    let client = Client::new(access).unwrap();
    let first = (client.clone(), client.clone(), client.clone());
    let all = async { tokio::join!(first.0.about(), first.1.about(), first.2.about()) };
    let half = tokio::time::timeout(Duration::from_millis(200), all).await;
    assert!(half.is_err());
    assert_eq!(server.asked().len(), 2);
}
