//! What an answer is worth before anyone reads what it says.
//!
//! Must never let an error, a web page or half an answer pass for a statement about a title.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use serde::de::DeserializeOwned;

use crate::domain::{Failure, Secret, Timestamp};

/// Nobody is left alone for longer than this because of one header.
const LONGEST_REST: Duration = Duration::from_secs(3600);

/// An answer that came whole.
#[derive(Debug)]
pub(super) struct Reply {
    /// The instance and the address, for people.
    pub(super) place: String,
    pub(super) status: StatusCode,
    /// Whether the header is there by which Radarr and Sonarr sign each answer.
    pub(super) signed: bool,
    json: bool,
    redirect: Option<String>,
    retry_after: Option<Duration>,
    body: Vec<u8>,
    /// The key that it was asked with: some programs write what they were sent into their errors.
    key: Secret,
}

impl Reply {
    /// Reads an answer to its end, and stops where it is longer than it may be.
    pub(super) async fn read(
        place: String,
        path: &str,
        mut response: Response,
        most: usize,
        key: &Secret,
        now: Timestamp,
    ) -> Result<Self, Failure> {
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        let json = header(CONTENT_TYPE).is_some_and(|kind| {
            let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            kind == "application/json" || kind == "text/json"
        });
        let mut reply = Self {
            status: response.status(),
            signed: response.headers().contains_key("x-application-version"),
            json,
            redirect: header(LOCATION).map(|to| line(key, &base_of(to, path))),
            retry_after: header(RETRY_AFTER).and_then(|text| rest(text, now)),
            body: Vec::new(),
            key: key.clone(),
            place,
        };
        while let Some(chunk) =
            response.chunk().await.map_err(|error| unanswered(&reply.place, error))?
        {
            if reply.body.len() + chunk.len() > most {
                let why = format!("{} answers with more than {most} bytes", reply.place);
                return Err(Failure::Protocol { why });
            }
            reply.body.extend_from_slice(&chunk);
        }
        Ok(reply)
    }

    /// Refuses what says nothing about titles whoever sent it. What is left is 200, 201, 400, 403 and 404.
    pub(super) fn well(self) -> Result<Self, Failure> {
        let place = &self.place;
        match self.status.as_u16() {
            200 | 201 | 400 | 403 | 404 => Ok(self),
            300..=399 => {
                let to = self.redirect.as_deref().unwrap_or("elsewhere");
                let why = format!(
                    "{place} redirects to {to}; put the address that answers, with its path, under `url`"
                );
                Err(Failure::Permanent { why })
            }
            401 => Err(Failure::Unauthorized {
                why: format!("{place} does not accept the key; check `api_key`"),
            }),
            408 | 425 | 429 | 500..=599 => Err(Failure::Transient {
                why: format!("{place} answers {}{}", self.status, self.sentence()),
                retry_after: self.retry_after,
            }),
            200..=299 => Err(self.strange("is no answer to this question")),
            _ => Err(Failure::Permanent {
                why: format!("{place} refuses this: {}{}", self.status, self.sentence()),
            }),
        }
    }

    /// The statement in a good answer.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        match self.status.as_u16() {
            200 | 201 => {}
            403 => {
                let why = format!("{} is forbidden with this key; check `api_key`", self.place);
                return Err(Failure::Unauthorized { why });
            }
            404 => return Err(self.strange("is not there: is this the address of that program?")),
            _ => {
                let why =
                    format!("{} refuses this: {}{}", self.place, self.status, self.sentence());
                return Err(Failure::Permanent { why });
            }
        }
        if !self.json {
            return Err(self.strange("is no JSON: a web page, or another program"));
        }
        serde_json::from_slice(&self.body).map_err(|error| Failure::Protocol {
            why: format!(
                "{} answers what can't be read: {}",
                self.place,
                line(&self.key, &error.to_string())
            ),
        })
    }

    /// Whether the body is a JSON object, as applications write their own errors.
    pub(super) fn is_object(&self) -> bool {
        self.json && serde_json::from_slice::<Object>(&self.body).is_ok()
    }

    /// The body as text.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// It is not what that program says.
    pub(super) fn strange(&self, why: &str) -> Failure {
        Failure::Protocol {
            why: format!("{} {} ({})", self.place, line(&self.key, why), self.status),
        }
    }

    /// The first words of an error that is written for people.
    fn sentence(&self) -> String {
        let object = serde_json::from_slice::<Object>(&self.body).unwrap_or_default();
        let text = object.message.or(object.error_message).unwrap_or_default();
        let line = line(&self.key, &text);
        if line.is_empty() { line } else { format!(": {line}") }
    }
}

/// What another program wrote, fit to be shown: one line that is not too long, without the key.
fn line(key: &Secret, text: &str) -> String {
    let text = text.replace(key.expose(), "[redacted]");
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

#[derive(Default, serde::Deserialize)]
struct Object {
    #[serde(default)]
    message: Option<String>,
    #[serde(default, rename = "errorMessage")]
    error_message: Option<String>,
}

/// A request that got no whole answer.
pub(super) fn unanswered(place: &str, error: reqwest::Error) -> Failure {
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    let mut distrusted = false;
    while let Some(source) = cause.source() {
        cause = source;
        distrusted |= is_distrust(cause);
    }
    if distrusted {
        let why = format!(
            "the certificate of {place} is not believed: {cause}; name its CA under `ca`, or use http"
        );
        return Failure::Permanent { why };
    }
    let what = if error.is_connect() { "can't be reached" } else { "broke off" };
    Failure::Transient { why: format!("{place} {what}: {cause}"), retry_after: None }
}

/// Whether an error is of a certificate. The one of rustls hides inside I/O errors, in one another.
fn is_distrust(error: &(dyn std::error::Error + 'static)) -> bool {
    if matches!(error.downcast_ref(), Some(rustls::Error::InvalidCertificate(_))) {
        return true;
    }
    let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    inner.is_some_and(|inner| is_distrust(inner))
}

/// How long `Retry-After` wants, in seconds or until a date.
fn rest(text: &str, now: Timestamp) -> Option<Duration> {
    let rest = text.trim().parse().map(Duration::from_secs).ok().or_else(|| {
        let date = jiff::fmt::rfc2822::parse(text.trim()).ok()?;
        Some(Timestamp::from_millis(date.timestamp().as_millisecond()).since(now))
    })?;
    Some(rest.min(LONGEST_REST))
}

/// The address that a redirect proposes: without the path that was asked for, the query, and the login.
fn base_of(to: &str, path: &str) -> String {
    let to = to.split(['?', '#']).next().unwrap_or_default();
    let to = to.trim_end_matches("index.html").trim_end_matches('/').trim_end_matches(path);
    // Where Jellyfin sends everyone who is lost.
    let to = to.trim_end_matches('/').trim_end_matches("/web");
    let to = match to.split_once("://").and_then(|(scheme, rest)| {
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        host.rsplit_once('@').map(|(_, host)| format!("{scheme}://{host}/{path}"))
    }) {
        Some(without) => without,
        None => to.to_owned(),
    };
    if to.is_empty() { "/".to_owned() } else { to }
}

/// Text in which `%41` stands for a byte.
pub(super) fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = match (first, tail) {
            (b'%', [high, low, ..]) => std::str::from_utf8(&[*high, *low])
                .ok()
                .and_then(|hex| u8::from_str_radix(hex, 16).ok()),
            _ => None,
        };
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
