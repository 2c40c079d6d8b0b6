//! What every answer on the sockets has in common.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::protocol::ErrorView;

/// JSON with one line end behind it, so that a shell prompt begins on its own line.
pub(super) struct Json<T>(pub(super) StatusCode, pub(super) T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        let json = HeaderValue::from_static("application/json");
        match serde_json::to_vec(&self.1) {
            Ok(mut body) => {
                body.push(b'\n');
                (self.0, [(header::CONTENT_TYPE, json)], body).into_response()
            }
            Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
        }
    }
}

pub(super) fn refuse(status: StatusCode, error: impl Into<String>) -> Response {
    Json(status, ErrorView { error: error.into() }).into_response()
}

/// A connection is for one question: while it waits for another, it would keep somebody out.
pub(super) async fn once(mut answer: Response) -> Response {
    answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    answer
}

pub(super) fn too_many() -> Response {
    refuse(
        StatusCode::SERVICE_UNAVAILABLE,
        "too many questions are waiting, or the daemon is stopping; try again",
    )
}

pub(super) fn not_text() -> Response {
    refuse(StatusCode::BAD_REQUEST, "the path must be percent-encoded UTF-8")
}
