//! Answers over HTTP, and what a request asks for.

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use serde_json::Value;

pub(crate) const JSON: &str = "application/json; charset=utf-8";

pub(crate) fn body(status: StatusCode, kind: &str, text: impl Into<Body>) -> Response {
    Response::builder().status(status).header(header::CONTENT_TYPE, kind).body(text.into()).unwrap()
}

pub(crate) fn json(value: &Value) -> Response {
    json_with(StatusCode::OK, value)
}

pub(crate) fn json_with(status: StatusCode, value: &Value) -> Response {
    body(status, JSON, value.to_string())
}

pub(crate) fn html(status: StatusCode, title: &str) -> Response {
    let text = format!(
        "<!DOCTYPE html>\n<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n"
    );
    body(status, "text/html; charset=utf-8", text)
}

pub(crate) fn text(status: StatusCode, text: &str) -> Response {
    body(status, "text/plain; charset=utf-8", text.to_owned())
}

pub(crate) fn empty(status: StatusCode) -> Response {
    Response::builder().status(status).body(Body::empty()).unwrap()
}

/// A JSON array that is written one value after the other: of a large library no tree is ever built.
pub(crate) fn array(values: impl Iterator<Item = Value>) -> Vec<u8> {
    let mut bytes = vec![b'['];
    for (n, value) in values.enumerate() {
        if n > 0 {
            bytes.push(b',');
        }
        serde_json::to_writer(&mut bytes, &value).unwrap();
    }
    bytes.push(b']');
    bytes
}

pub(crate) fn list(values: impl Iterator<Item = Value>) -> Response {
    body(StatusCode::OK, JSON, array(values))
}

/// The parameters of a query. Names are matched without case, as ASP.NET does.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn of(query: Option<&str>) -> Self {
        let pairs = query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        let parsed = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name).to_lowercase(), decoded(value))
        });
        Self(parsed.collect())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    pub(crate) fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let wanted = name.to_lowercase();
        self.0.iter().filter(move |(name, _)| *name == wanted).map(|(_, value)| value.as_str())
    }

    /// Every value under the name, also those that commas join.
    pub(crate) fn many<'a>(&'a self, name: &str) -> Vec<&'a str> {
        self.all(name).flat_map(|value| value.split(',')).filter(|v| !v.is_empty()).collect()
    }

    pub(crate) fn is(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    pub(crate) fn number(&self, name: &str) -> Option<u32> {
        self.get(name)?.parse().ok()
    }

    pub(crate) fn numbers(&self, name: &str) -> Vec<u32> {
        self.many(name).iter().filter_map(|value| value.parse().ok()).collect()
    }
}

/// Percent signs and plus signs taken back.
pub(crate) fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut found = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = text.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (bytes[at], code) {
            (b'%', Some(byte)) => {
                found.push(byte);
                at += 3;
                continue;
            }
            (b'+', _) => found.push(b' '),
            (byte, _) => found.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&found).into_owned()
}

/// A member of a body, whose name may be in any case.
pub(crate) fn member<'a>(body: &'a Value, name: &str) -> &'a Value {
    let members = body.as_object().into_iter().flatten();
    let mut named = members.filter(|(key, _)| key.eq_ignore_ascii_case(name));
    named.next().map_or(&Value::Null, |(_, value)| value)
}

/// A header as text.
pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// What stands behind `Bearer`.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    header(headers, "authorization")?.strip_prefix("Bearer ")
}

#[test]
fn queries_are_read_as_they_were_meant() {
    let query = Query::of(Some("Ids=1,2&ids=3&name=A%20b+c%C3%A9&flag=True&empty="));
    assert_eq!(query.numbers("ids"), [1, 2, 3]);
    assert_eq!(query.get("NAME"), Some("A b cé"));
    assert!(query.is("flag"));
    assert_eq!(query.get("empty"), Some(""));
    assert_eq!(query.get("absent"), None);
}
