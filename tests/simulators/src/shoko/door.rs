//! Who may come in to Shoko, and what it says while it starts.

use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use serde_json::{Value, json};

use super::{Shared, Version};
use crate::answer::{self, Query};
use crate::misbehaviour::{Misbehaviour, Mood};
use crate::server::Program;

/// What may be asked without a key.
const OPEN: [&str; 3] = ["/api/v3/Init/Status", "/api/v3/Init/Version", "/api/auth"];

impl Program for Shared {
    fn url_base(&self) -> &'static str {
        ""
    }

    fn words(&self) -> &'static [&'static str] {
        &[
            "api",
            "auth",
            "v3",
            "Init",
            "Status",
            "Version",
            "User",
            "Current",
            "Series",
            "WithoutFiles",
            "AniDB",
            "File",
            "Episode",
            "PathEndsWith",
            "Location",
            "ImportFolder",
            "ManagedFolder",
        ]
    }

    fn outside(&self, _path_and_query: &str) -> Response {
        answer::empty(StatusCode::NOT_FOUND)
    }

    fn door(&self, request: &mut Parts, path: &str, _mood: &Mood) -> Option<Response> {
        if OPEN.contains(&path) {
            return None;
        }
        if !path.starts_with("/api/") {
            return Some(answer::html(StatusCode::OK, "Shoko WebUI"));
        }
        let query = Query::of(request.uri.query());
        let headers = &request.headers;
        let bearer = answer::bearer(headers).filter(|_| self.version == Version::V6);
        let given = answer::header(headers, "apikey").or(query.get("apikey")).or(bearer);
        if given != Some(&self.key) {
            return Some(answer::empty(StatusCode::UNAUTHORIZED));
        }
        let blocked = self.lock().blocked;
        blocked.then(|| answer::text(StatusCode::BAD_REQUEST, "Database is Blocked"))
    }

    fn refusal(&self, what: &Misbehaviour, path: &str) -> Response {
        match what {
            Misbehaviour::Unauthorized => answer::empty(StatusCode::UNAUTHORIZED),
            Misbehaviour::Forbidden => answer::empty(StatusCode::FORBIDDEN),
            Misbehaviour::Starting if path == "/api/v3/Init/Status" => {
                answer::json(&status("Starting", Some("Starting Database"), false))
            }
            Misbehaviour::Starting if path == "/api/v3/Init/Version" => {
                answer::json(&version(self.version))
            }
            Misbehaviour::Starting if self.version == Version::V6 => {
                answer::text(StatusCode::SERVICE_UNAVAILABLE, "Server is starting up.")
            }
            Misbehaviour::Starting => answer::empty(StatusCode::SERVICE_UNAVAILABLE),
            _ => answer::empty(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }
}

pub(super) fn status(state: &str, message: Option<&str>, blocked: bool) -> Value {
    json!({
        "StartupMessage": message,
        "State": state,
        "Uptime": if message.is_some() { Value::Null } else { json!("03:12:45") },
        "DatabaseBlocked": {"Progress": null, "Blocked": blocked, "Status": null},
    })
}

pub(super) fn version(version: Version) -> Value {
    json!({
        "Server": {
            "Version": version.text(),
            "Commit": "0123abcd",
            "ReleaseChannel": if version == Version::V6 { "Dev" } else { "Stable" },
            "ReleaseDate": "2026-03-27T00:00:00Z",
            "Tag": format!("v{}", version.text()),
        },
        "Commons": {"Version": version.text()},
        "Models": {"Version": version.text()},
        "MediaInfo": {"Version": null},
        "WebUI": {"Version": "2.4.0"},
    })
}
