//! The answer to a full look as a stream: a line of JSON each time that it is further, and the result as
//! the last.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::sync::{oneshot, watch};

use super::check::{CheckLine, CheckProgress, CheckView};
use super::protocol::Status;

/// The type of such a stream, which who wants it names in `Accept`.
pub(super) const LINES: &str = "application/x-ndjson";

/// Whether the caller wants lines.
pub(super) fn are_wanted(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains(LINES))
}

struct Waiting {
    status: watch::Receiver<Arc<Status>>,
    /// `None` once the last line was written.
    answer: Option<oneshot::Receiver<Result<CheckView, String>>>,
    last: Option<CheckProgress>,
}

/// The stream until `answer` comes.
pub(super) fn answer(
    status: watch::Receiver<Arc<Status>>,
    answer: oneshot::Receiver<Result<CheckView, String>>,
) -> Response {
    let waiting = Waiting { status, answer: Some(answer), last: None };
    let lines = stream::unfold(waiting, |mut waiting| async move {
        let line = waiting.next().await?;
        let mut text = serde_json::to_vec(&line).ok()?;
        text.push(b'\n');
        Some((Ok::<_, std::convert::Infallible>(Bytes::from(text)), waiting))
    });
    ([(header::CONTENT_TYPE, LINES)], Body::from_stream(lines)).into_response()
}

impl Waiting {
    async fn next(&mut self) -> Option<CheckLine> {
        let answer = self.answer.as_mut()?;
        loop {
            let changed = tokio::select! {
                biased;
                answered = &mut *answer => {
                    self.answer = None;
                    return Some(match answered {
                        Ok(Ok(view)) => CheckLine::Result(Box::new(view)),
                        Ok(Err(why)) => CheckLine::Error(why),
                        Err(_) => CheckLine::Error("the daemon is stopping".to_owned()),
                    });
                }
                changed = self.status.changed() => changed,
            };
            if changed.is_err() {
                self.answer = None;
                return Some(CheckLine::Error("the daemon is stopping".to_owned()));
            }
            let progress = self.status.borrow_and_update().check.clone();
            if progress.is_some() && progress != self.last {
                self.last.clone_from(&progress);
                return progress.map(CheckLine::Progress);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::CheckStep;

    fn at(done: u64) -> Arc<Status> {
        let step = CheckStep { what: "radarr.hd".into(), done, of: Some(9), finished: false };
        let check = Some(CheckProgress { steps: vec![step] });
        Arc::new(Status { check, ..Status::default() })
    }

    #[tokio::test]
    async fn each_step_is_a_line_and_the_result_is_the_last() {
        let (publish, status) = watch::channel(Arc::new(Status::default()));
        let (reply, answer) = oneshot::channel();
        let mut waiting = Waiting { status, answer: Some(answer), last: None };
        publish.send_replace(at(3));
        let Some(CheckLine::Progress(progress)) = waiting.next().await else { panic!("a step") };
        assert_eq!(progress.steps[0].done, 3);
        publish.send_replace(at(3));
        reply.send(Ok(CheckView { files: 7, ..CheckView::default() })).unwrap();
        let Some(CheckLine::Result(view)) = waiting.next().await else { panic!("the result") };
        assert_eq!(view.files, 7);
        assert_eq!(waiting.next().await, None);
    }

    #[tokio::test]
    async fn who_waits_for_a_daemon_that_ends_is_told() {
        let (publish, status) = watch::channel(Arc::new(Status::default()));
        let (reply, answer) = oneshot::channel();
        let mut waiting = Waiting { status, answer: Some(answer), last: None };
        drop((publish, reply));
        assert!(matches!(waiting.next().await, Some(CheckLine::Error(_))));
    }
}
