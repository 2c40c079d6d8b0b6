//! A server on loopback that answers what it is told, and remembers what it was asked.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;

use crate::domain::{Instance, Secret, Service, Timestamp};
use crate::services::{Access, Client, Url};

/// What is sent back.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
    pub(super) after: Duration,
}

impl Answer {
    pub(super) fn json(body: &str) -> Self {
        Self::of(200, "application/json; charset=utf-8", body).with("X-Application-Version", "6")
    }

    pub(super) fn of(status: u16, kind: &str, body: &str) -> Self {
        let headers = vec![("Content-Type", kind.to_owned())];
        Self { status, headers, body: body.as_bytes().to_vec(), after: Duration::ZERO }
    }

    pub(super) fn html(status: u16) -> Self {
        Self::of(status, "text/html", "<html><body>Sign in</body></html>")
    }

    pub(super) fn hang() -> Self {
        Self::html(200).late(Duration::MAX)
    }

    /// The same, but it takes so long.
    pub(super) fn late(self, after: Duration) -> Self {
        Self { after, ..self }
    }

    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

/// Answers one after the other; the last one stays.
type Row = Vec<Answer>;

#[derive(Debug, Default)]
struct Script {
    routes: HashMap<String, Row>,
    log: Vec<String>,
    headers: Vec<(String, String)>,
}

/// The server, and a clock that stands where it is put.
#[derive(Debug, Clone)]
pub(super) struct StandIn {
    script: Arc<Mutex<Script>>,
    pub(super) url: Url,
    service: Service,
    pub(super) clock: Arc<AtomicI64>,
}

/// The time when a test begins.
pub(super) const START: i64 = 1_790_000_000_000;

impl StandIn {
    /// A server below the path `base` with these routes: a path with or without a query, and a body.
    pub(super) async fn new(service: Service, base: &str, routes: &[(&str, &str)]) -> Self {
        let script = Arc::new(Mutex::new(Script::default()));
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}{base}", listener.local_addr().unwrap()).parse().unwrap();
        let app = axum::Router::new().fallback(answer).with_state(Arc::clone(&script));
        tokio::spawn(async move { axum::serve(listener, app).await });
        let made = Self { script, url, service, clock: Arc::new(AtomicI64::new(START)) };
        for (path, body) in routes {
            made.set(path, Answer::json(body));
        }
        made
    }

    pub(super) fn set(&self, path: &str, answer: Answer) {
        self.set_row(path, vec![answer]);
    }

    pub(super) fn set_row(&self, path: &str, row: Row) {
        let base = self.url.path().trim_end_matches('/');
        self.script.lock().unwrap().routes.insert(format!("{base}/{path}"), row);
    }

    /// What it was asked since the last time, as `METHOD /path?query`.
    pub(super) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.script.lock().unwrap().log)
    }

    /// A header of the last request.
    pub(super) fn header(&self, name: &str) -> Option<String> {
        let script = self.script.lock().unwrap();
        script.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    }

    pub(super) fn access(&self) -> Access {
        let clock = Arc::clone(&self.clock);
        Access {
            instance: Instance { service: self.service, name: "main".to_owned() },
            url: self.url.clone(),
            key: Secret::new("s3cr3t-key".to_owned()),
            extra_ca: None,
            deadline: Duration::from_secs(30),
            concurrency: 4,
            now: Arc::new(move || Timestamp::from_millis(clock.load(Ordering::Relaxed))),
        }
    }

    pub(super) fn client(&self) -> Client {
        Client::new(self.access()).unwrap()
    }
}

async fn answer(State(script): State<Arc<Mutex<Script>>>, request: Request) -> Response {
    let uri = request.uri().clone();
    let row = {
        let mut script = script.lock().unwrap();
        script.log.push(format!("{} {uri}", request.method()));
        let header = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
            (name.to_string(), value.to_str().unwrap_or_default().to_owned())
        };
        script.headers = request.headers().iter().map(header).collect();
        let key = fitting(&script.routes, uri.path(), uri.query().unwrap_or_default());
        key.and_then(|key| {
            let row = script.routes.get_mut(&key)?;
            if row.len() > 1 { Some(row.remove(0)) } else { row.first().cloned() }
        })
    };
    let row = row.unwrap_or_else(|| Answer::html(404));
    tokio::time::sleep(row.after).await;
    let mut response = Response::builder().status(row.status);
    for (name, value) in row.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(row.body)).unwrap()
}

/// The route with that path and the most of the parameters.
fn fitting(routes: &HashMap<String, Row>, path: &str, query: &str) -> Option<String> {
    let given: Vec<&str> = query.split('&').collect();
    let fits = |route: &&String| {
        let (of, wanted) = route.split_once('?').unwrap_or((route, ""));
        of == path && wanted.split('&').all(|pair| pair.is_empty() || given.contains(&pair))
    };
    routes.keys().filter(fits).max_by_key(|route| route.len()).cloned()
}
