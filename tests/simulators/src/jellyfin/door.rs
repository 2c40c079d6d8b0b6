//! Who may come in to Jellyfin: with which header, in which version, and as whom.

use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use super::{Jelly, Version, shown};
use crate::answer::{self, Query};
use crate::misbehaviour::{Misbehaviour, Mood};
use crate::server::Program;

/// As whom a request comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    /// An administrator without a user.
    ApiKey,
    /// The one user there is.
    User,
}

/// What anybody may ask.
const OPEN: [&str; 4] =
    ["/System/Info/Public", "/System/Ping", "/Users/AuthenticateByName", "/Users/Public"];

impl Program for Jelly {
    fn url_base(&self) -> &str {
        &self.url_base
    }

    fn words(&self) -> &'static [&'static str] {
        &[
            "System",
            "Info",
            "Public",
            "Ping",
            "Users",
            "Me",
            "AuthenticateByName",
            "Items",
            "Counts",
            "Library",
            "VirtualFolders",
            "ScheduledTasks",
        ]
    }

    fn outside(&self, _path_and_query: &str) -> Response {
        let mut response = answer::empty(StatusCode::FOUND);
        let there = HeaderValue::from_str(&format!("{}/web/", self.url_base)).unwrap();
        response.headers_mut().insert(header::LOCATION, there);
        response
    }

    fn door(&self, request: &mut Parts, path: &str, _mood: &Mood) -> Option<Response> {
        if OPEN.contains(&path) {
            return None;
        }
        let Some(token) = self.token(request) else {
            return Some(answer::empty(StatusCode::UNAUTHORIZED));
        };
        let caller = if token == self.key {
            Caller::ApiKey
        } else if token == self.user_token() {
            Caller::User
        } else {
            return Some(answer::empty(StatusCode::UNAUTHORIZED));
        };
        request.extensions.insert(caller);
        None
    }

    fn refusal(&self, what: &Misbehaviour, _path: &str) -> Response {
        match what {
            Misbehaviour::Unauthorized => answer::empty(StatusCode::UNAUTHORIZED),
            Misbehaviour::Forbidden => answer::empty(StatusCode::FORBIDDEN),
            Misbehaviour::Starting => {
                let status = StatusCode::SERVICE_UNAVAILABLE;
                if self.version == Version::V10_8 {
                    return answer::html(status, "Jellyfin is starting up");
                }
                let mut response = answer::html(status, "Jellyfin Startup");
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
                response
            }
            _ => answer::text(StatusCode::INTERNAL_SERVER_ERROR, "Error processing request."),
        }
    }
}

impl Jelly {
    /// The access token that the user gets by name and password.
    pub(super) fn user_token(&self) -> String {
        shown(super::database::hashed(&["token", &self.key]))
    }

    /// The token of a request, in any form that this version takes.
    fn token(&self, request: &Parts) -> Option<String> {
        let headers = &request.headers;
        let query = Query::of(request.uri.query());
        let of_header = |name: &str, schemes: &[&str]| {
            let value = answer::header(headers, name)?;
            let (scheme, rest) = value.split_once(' ')?;
            schemes
                .iter()
                .any(|known| known.eq_ignore_ascii_case(scheme))
                .then(|| token_of(rest))?
        };
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let modern =
            of_header("authorization", &["MediaBrowser"]).or_else(|| owned(query.get("ApiKey")));
        if modern.is_some() || !self.takes_legacy {
            return modern;
        }
        of_header("authorization", &["Emby"])
            .or_else(|| of_header("x-emby-authorization", &["MediaBrowser", "Emby"]))
            .or_else(|| owned(answer::header(headers, "x-emby-token")))
            .or_else(|| owned(answer::header(headers, "x-mediabrowser-token")))
            .or_else(|| owned(query.get("api_key")))
    }
}

/// The value of `Token` in `Client="a", Token="b"`, with or without quotes.
fn token_of(pairs: &str) -> Option<String> {
    let values = pairs.split(',').filter_map(|pair| pair.trim().split_once('='));
    let mut tokens = values.filter(|(name, _)| name.eq_ignore_ascii_case("token"));
    tokens.next().map(|(_, value)| answer::decoded(value.trim_matches('"')))
}
