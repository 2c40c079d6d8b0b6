//! Answers on the sockets.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path as UrlPath, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot, watch};

use super::check::CheckView;
use super::limit::Limited;
use super::lines;
use super::protocol::{AcceptView, CandidateView, DeletionView, Explanation, RetireView, Status};
use super::reply::{Json, not_text, once, refuse, too_many};
use super::socket::{BindError, Bound, CONTROL_SOCKET, STATUS_SOCKET, bind};

/// How long the loop may take to answer; a check may take as long as the disks do.
const LOOP_DEADLINE: Duration = Duration::from_secs(10);
/// How many may read at a time: anyone may, and nobody may take all file descriptors.
const READERS: usize = 128;
/// How many may act at a time.
const ACTORS: usize = 32;
/// How many questions may wait for the loop.
const WAITING_QUESTIONS: usize = 64;

/// What the loop answers: a view, or why there is none.
pub type Reply<T> = oneshot::Sender<Result<T, String>>;

/// A question to the loop.
#[derive(Debug)]
pub enum Ask {
    /// All candidates.
    Candidates(Reply<Vec<CandidateView>>),
    /// The newest deletions, at most so many.
    Deletions(usize, Reply<Vec<DeletionView>>),
    /// The story of an item or a root.
    Explain(String, Reply<Explanation>),
    /// A full look at all roots, answered when it is over.
    Check(Reply<CheckView>),
    /// A person accepts a root as it is now, or only wants to know what that would do.
    Accept {
        /// The root.
        root: String,
        /// Whether to do it.
        go: bool,
        /// What it does.
        reply: Reply<AcceptView>,
    },
    /// A person says that a root or a branch will not come back, or asks what that would do.
    Retire {
        /// The root's name, or the branch's path.
        what: String,
        /// Whether to do it.
        go: bool,
        /// What it does.
        reply: Reply<RetireView>,
    },
}

/// The two sockets while they are served; they are removed when this is dropped.
#[derive(Debug)]
pub struct Server {
    /// Questions for the loop.
    pub asks: mpsc::Receiver<Ask>,
    dir: PathBuf,
    shared: Shared,
    bound: Vec<Bound>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Server {
    /// Whether the sockets can still be found: their directory may have been taken away.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.bound.len() == 2 && self.bound.iter().all(|bound| bound.path.exists())
    }

    /// The directory that the sockets are in.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Makes the sockets again where they were. Who is being answered goes on being answered.
    ///
    /// # Errors
    /// When a socket can't be bound.
    pub fn renew(&mut self) -> Result<(), BindError> {
        self.close();
        self.listen()
    }

    fn close(&mut self) {
        for task in self.tasks.drain(..) {
            task.abort();
        }
        self.bound.drain(..).for_each(Bound::remove);
    }

    fn listen(&mut self) -> Result<(), BindError> {
        for (name, mode, places) in
            [(STATUS_SOCKET, 0o666, READERS), (CONTROL_SOCKET, 0o660, ACTORS)]
        {
            let (listener, bound) = bind(&self.dir, name, mode)?;
            let listener = Limited::new(listener, places);
            self.bound.push(bound);
            let routes = ROUTES
                .iter()
                .filter(|route| route.sockets.contains(&name))
                .fold(Router::new(), |router, route| router.route(route.path, (route.handler)()))
                .fallback(move || not_found(name))
                .method_not_allowed_fallback(not_allowed)
                .layer(map_response(once))
                .with_state(self.shared.clone());
            self.tasks.push(tokio::spawn(async move {
                if let Err(error) = axum::serve(listener, routes).await {
                    tracing::error!(%error, socket = name, "the socket is not served any more");
                }
            }));
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.close();
    }
}

/// A request that the sockets take. `docs/openapi.json` has the same ones, with their answers.
#[derive(Debug)]
pub struct Route {
    /// The method of HTTP.
    pub method: &'static str,
    /// The path; a part in braces stands for any text.
    pub path: &'static str,
    /// The sockets that it is on.
    pub sockets: &'static [&'static str],
    handler: fn() -> MethodRouter<Shared>,
}

/// What only tells is on both sockets, what makes the daemon do something on the private one.
const BOTH: &[&str] = &[STATUS_SOCKET, CONTROL_SOCKET];
const PRIVATE: &[&str] = &[CONTROL_SOCKET];

/// All that the sockets take.
pub const ROUTES: &[Route] = &[
    Route { method: "GET", path: "/v1/status", sockets: BOTH, handler: || get(get_status) },
    Route { method: "GET", path: "/v1/candidates", sockets: BOTH, handler: || get(get_candidates) },
    Route { method: "GET", path: "/v1/deletions", sockets: BOTH, handler: || get(get_deletions) },
    Route {
        method: "GET",
        path: "/v1/explain/{item}",
        sockets: BOTH,
        handler: || get(get_explain),
    },
    Route { method: "POST", path: "/v1/check", sockets: PRIVATE, handler: || post(post_check) },
    Route {
        method: "GET",
        path: "/v1/accept/{root}",
        sockets: PRIVATE,
        handler: || get(get_accept),
    },
    Route {
        method: "POST",
        path: "/v1/accept/{root}",
        sockets: PRIVATE,
        handler: || post(post_accept),
    },
    Route {
        method: "GET",
        path: "/v1/retire/{what}",
        sockets: PRIVATE,
        handler: || get(get_retire),
    },
    Route {
        method: "POST",
        path: "/v1/retire/{what}",
        sockets: PRIVATE,
        handler: || post(post_retire),
    },
];

#[derive(Debug, Clone)]
struct Shared {
    status: watch::Receiver<Arc<Status>>,
    asks: mpsc::Sender<Ask>,
}

/// Binds both sockets in `dir` and begins to answer.
///
/// # Errors
/// When a socket can't be bound.
pub fn serve(dir: &Path, status: watch::Receiver<Arc<Status>>) -> Result<Server, BindError> {
    let (sender, asks) = mpsc::channel(WAITING_QUESTIONS);
    let shared = Shared { status, asks: sender };
    let mut server =
        Server { asks, dir: dir.to_path_buf(), shared, bound: Vec::new(), tasks: Vec::new() };
    server.listen()?;
    Ok(server)
}

async fn get_status(State(shared): State<Shared>) -> Response {
    let status = Arc::clone(&shared.status.borrow());
    Json(StatusCode::OK, &*status).into_response()
}

async fn get_candidates(State(shared): State<Shared>) -> Response {
    ask(&shared, Some(LOOP_DEADLINE), Ask::Candidates).await
}

#[derive(Deserialize)]
struct Paging {
    limit: Option<usize>,
}

async fn get_deletions(
    State(shared): State<Shared>,
    paging: Result<Query<Paging>, QueryRejection>,
) -> Response {
    let Ok(Query(paging)) = paging else {
        return refuse(StatusCode::BAD_REQUEST, "`limit` must be a whole number, like ?limit=10");
    };
    let limit = paging.limit.unwrap_or(usize::MAX);
    ask(&shared, Some(LOOP_DEADLINE), |reply| Ask::Deletions(limit, reply)).await
}

async fn get_explain(
    State(shared): State<Shared>,
    item: Result<UrlPath<String>, PathRejection>,
) -> Response {
    let Ok(UrlPath(item)) = item else { return not_text() };
    ask(&shared, Some(LOOP_DEADLINE), |reply| Ask::Explain(item, reply)).await
}

async fn post_check(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    if !lines::are_wanted(&headers) {
        return ask(&shared, None, Ask::Check).await;
    }
    let (sender, receiver) = oneshot::channel();
    match shared.asks.try_send(Ask::Check(sender)) {
        Ok(()) => lines::answer(shared.status.clone(), receiver),
        Err(_) => too_many(),
    }
}

async fn get_accept(
    State(shared): State<Shared>,
    root: Result<UrlPath<String>, PathRejection>,
) -> Response {
    accept(&shared, root, false).await
}

async fn post_accept(
    State(shared): State<Shared>,
    root: Result<UrlPath<String>, PathRejection>,
) -> Response {
    accept(&shared, root, true).await
}

async fn accept(
    shared: &Shared,
    root: Result<UrlPath<String>, PathRejection>,
    go: bool,
) -> Response {
    let Ok(UrlPath(root)) = root else { return not_text() };
    let question = |reply| Ask::Accept { root, go, reply };
    // Not a failure: there is nothing to accept as things are.
    ask_or(StatusCode::CONFLICT, shared, Some(LOOP_DEADLINE), question).await
}

async fn get_retire(
    State(shared): State<Shared>,
    what: Result<UrlPath<String>, PathRejection>,
) -> Response {
    retire(&shared, what, false).await
}

async fn post_retire(
    State(shared): State<Shared>,
    what: Result<UrlPath<String>, PathRejection>,
) -> Response {
    retire(&shared, what, true).await
}

async fn retire(
    shared: &Shared,
    what: Result<UrlPath<String>, PathRejection>,
    go: bool,
) -> Response {
    let Ok(UrlPath(what)) = what else { return not_text() };
    let question = |reply| Ask::Retire { what, go, reply };
    ask_or(StatusCode::CONFLICT, shared, Some(LOOP_DEADLINE), question).await
}

async fn not_found(socket: &str) -> Response {
    let paths = paths(socket).join(", ");
    refuse(StatusCode::NOT_FOUND, format!("no such resource on {socket}; there are: {paths}"))
}

/// Each path of a socket once, though it may take several methods.
fn paths(socket: &str) -> Vec<&'static str> {
    let routes = ROUTES.iter().filter(|route| route.sockets.contains(&socket));
    let mut paths: Vec<&str> = routes.map(|route| route.path).collect();
    paths.dedup();
    paths
}

async fn not_allowed() -> Response {
    refuse(
        StatusCode::METHOD_NOT_ALLOWED,
        "no such method here; what changes something is asked by POST on the control socket",
    )
}

/// Asks the loop what it can always answer while the state can be read.
async fn ask<T: Serialize>(
    shared: &Shared,
    deadline: Option<Duration>,
    question: impl FnOnce(Reply<T>) -> Ask,
) -> Response {
    ask_or(StatusCode::INTERNAL_SERVER_ERROR, shared, deadline, question).await
}

/// Asks the loop and waits for its answer; `refused` is the code of one without a view.
async fn ask_or<T: Serialize>(
    refused: StatusCode,
    shared: &Shared,
    deadline: Option<Duration>,
    question: impl FnOnce(Reply<T>) -> Ask,
) -> Response {
    let (sender, receiver) = oneshot::channel();
    if shared.asks.try_send(question(sender)).is_err() {
        return too_many();
    }
    let answer = match deadline {
        Some(deadline) => tokio::time::timeout(deadline, receiver).await.ok(),
        None => Some(receiver.await),
    };
    match answer {
        Some(Ok(Ok(view))) => Json(StatusCode::OK, view).into_response(),
        Some(Ok(Err(error))) => refuse(refused, error),
        Some(Err(_)) => refuse(StatusCode::SERVICE_UNAVAILABLE, "the daemon is stopping"),
        None => refuse(StatusCode::GATEWAY_TIMEOUT, "the daemon is busy; try again"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_resource_is_told_each_path_of_its_socket_once() {
        let told = paths(CONTROL_SOCKET);
        let once: std::collections::BTreeSet<&str> = told.iter().copied().collect();
        assert_eq!(told.len(), once.len(), "{told:?}");
        assert!(told.contains(&"/v1/retire/{what}"), "{told:?}");
        assert!(!paths(STATUS_SOCKET).contains(&"/v1/retire/{what}"));
    }
}
