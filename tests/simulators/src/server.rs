//! Serves one program on a loopback port, from a thread of its own, and lets go wrong on the wire what
//! the gate says. It must never keep a test waiting: whatever hangs ends with the thread.

use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc as blocking;
use std::task::{Context, Poll};
use std::{fmt, io, thread};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::request::Parts;
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use http_body_util::BodyExt;
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tower_service::Service;

use crate::answer;
use crate::gate::{self, Gate};
use crate::misbehaviour::{Misbehaviour, Mood};

/// What differs from one program to the next.
pub(crate) trait Program: Send + Sync + 'static {
    /// The sub-path under which it is served: empty or `/radarr`.
    fn url_base(&self) -> &str;
    /// The words of its routes as they are spelled here. Requests may spell them in any case.
    fn words(&self) -> &'static [&'static str];
    /// Its answer to a request outside of the sub-path.
    fn outside(&self, path_and_query: &str) -> Response;
    /// Its refusal of a request, if it doesn't let it in. The path is without the sub-path.
    fn door(&self, request: &mut Parts, path: &str, mood: &Mood) -> Option<Response>;
    /// How it says 401, 403, 500 and 503.
    fn refusal(&self, what: &Misbehaviour, path: &str) -> Response;
    /// What it adds to each answer of its own.
    fn finish(&self, _response: &mut Response) {}
}

/// Orders to the thread.
pub(crate) enum Order {
    /// Close the port and every connection, and say when that is done.
    Close(Option<blocking::Sender<()>>),
    /// Open the port again.
    Open(blocking::Sender<()>),
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    orders: Option<mpsc::UnboundedSender<Order>>,
}

impl Server {
    /// Serves the program; on any free port for port 0.
    pub(crate) fn start(
        port: u16,
        program: Arc<dyn Program>,
        router: Router,
        gate: Arc<Gate>,
    ) -> Self {
        let listener = StdListener::bind(("127.0.0.1", port)).expect("the port can be opened");
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, receiver) = mpsc::unbounded_channel();
        let desk = Desk { program, router, gate, orders: sender.downgrade() };
        let serve = move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(serve(address, listener, desk, receiver));
        };
        thread::Builder::new().name(format!("simulator-{}", address.port())).spawn(serve).unwrap();
        Self { address, orders: Some(sender) }
    }

    pub(crate) fn close(&self) {
        let (done, wait) = blocking::channel();
        self.order(Order::Close(Some(done)), &wait);
    }

    pub(crate) fn open(&self) {
        let (done, wait) = blocking::channel();
        self.order(Order::Open(done), &wait);
    }

    fn order(&self, order: Order, wait: &blocking::Receiver<()>) {
        let sent = self.orders.as_ref().is_some_and(|orders| orders.send(order).is_ok());
        assert!(sent && wait.recv().is_ok(), "the thread of {} is gone", self.address);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The port is closed at once; the thread ends when the last sender is gone.
        if let Some(orders) = self.orders.take() {
            let (done, wait) = blocking::channel();
            if orders.send(Order::Close(Some(done))).is_ok() {
                wait.recv().ok();
            }
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({})", self.address)
    }
}

#[derive(Clone)]
struct Desk {
    program: Arc<dyn Program>,
    router: Router,
    gate: Arc<Gate>,
    orders: mpsc::WeakUnboundedSender<Order>,
}

async fn serve(
    address: SocketAddr,
    listener: StdListener,
    desk: Desk,
    mut orders: mpsc::UnboundedReceiver<Order>,
) {
    let mut listener = Some(TcpListener::from_std(listener).unwrap());
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Ok(stream) = accept(listener.as_ref()) => {
                connections.spawn(converse(stream, desk.clone()));
            }
            order = orders.recv() => match order {
                None => return,
                Some(Order::Close(done)) => {
                    listener = None;
                    connections.shutdown().await;
                    done.map(|done| done.send(()));
                }
                Some(Order::Open(done)) => {
                    if listener.is_none() {
                        listener = Some(TcpListener::bind(address).await.expect("the port is free"));
                    }
                    done.send(()).ok();
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn accept(listener: Option<&TcpListener>) -> io::Result<TcpStream> {
    match listener {
        Some(listener) => listener.accept().await.map(|(stream, _)| stream),
        None => std::future::pending().await,
    }
}

async fn converse(stream: TcpStream, desk: Desk) {
    stream.set_nodelay(true).ok();
    let service = service_fn(|request| answered(request, desk.clone()));
    // How a connection ends is the client's to notice.
    hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await
        .ok();
}

/// The connection ends here, without an answer.
#[derive(Debug)]
struct Ended;

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ended on purpose")
    }
}

impl std::error::Error for Ended {}

async fn answered(request: Request<Incoming>, desk: Desk) -> Result<Response, Ended> {
    let path = request.uri().path().to_owned();
    let whole = request.uri().path_and_query().map_or_else(|| path.clone(), ToString::to_string);
    let words = desk.program.words();
    let inner = inside(&path, desk.program.url_base()).map(|inner| spelled(inner, words));
    let route = gate::route(request.method().as_str(), inner.as_deref().unwrap_or(&path));
    let mood = desk.gate.pass(&route, format!("{} {whole}", request.method()));
    for what in &mood.0 {
        match what {
            Misbehaviour::Down => {
                if let Some(orders) = desk.orders.upgrade() {
                    orders.send(Order::Close(None)).ok();
                }
                return Err(Ended);
            }
            Misbehaviour::Reset => return Err(Ended),
            Misbehaviour::Hang => std::future::pending().await,
            Misbehaviour::Slow(time) => tokio::time::sleep(*time).await,
            _ => {}
        }
    }
    if let Some(canned) = mood.0.iter().find_map(|what| canned(what, &desk, &path)) {
        return Ok(canned);
    }
    let mut response = match inner {
        None => desk.program.outside(&whole),
        Some(inner) => routed(request, inner, &mood, desk.clone()).await,
    };
    desk.program.finish(&mut response);
    if mood.has(&Misbehaviour::TruncatedJson) {
        let bytes = collected(response).await;
        let half = bytes.slice(..bytes.len() / 2);
        return Ok(answer::body(StatusCode::OK, answer::JSON, half));
    }
    if mood.has(&Misbehaviour::CutOff) {
        return Ok(cut_off(&collected(response).await));
    }
    Ok(response)
}

/// The path below the sub-path.
fn inside<'a>(path: &'a str, base: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(base)?;
    if rest.is_empty() { Some("/") } else { rest.starts_with('/').then_some(rest) }
}

/// A path in the spelling of the routes.
fn spelled(path: &str, words: &[&str]) -> String {
    let known = |part: &str| words.iter().find(|word| word.eq_ignore_ascii_case(part)).copied();
    path.split('/').map(|part| known(part).unwrap_or(part)).collect::<Vec<_>>().join("/")
}

async fn routed(
    request: Request<Incoming>,
    inner: String,
    mood: &Mood,
    mut desk: Desk,
) -> Response {
    let (mut parts, body) = request.into_parts();
    if let Some(refused) = desk.program.door(&mut parts, &inner, mood) {
        return refused;
    }
    let query = answer::Query::of(parts.uri.query());
    parts.uri = match parts.uri.query() {
        Some(query) => format!("{inner}?{query}").parse().unwrap(),
        None => inner.parse().unwrap(),
    };
    parts.extensions.insert(mood.clone());
    parts.extensions.insert(query);
    let said: Result<Response, Infallible> =
        desk.router.call(Request::from_parts(parts, Body::new(body))).await;
    match said {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

fn canned(what: &Misbehaviour, desk: &Desk, path: &str) -> Option<Response> {
    Some(match what {
        Misbehaviour::Unauthorized
        | Misbehaviour::Forbidden
        | Misbehaviour::InternalError
        | Misbehaviour::Starting => {
            let path = inside(path, desk.program.url_base()).unwrap_or(path);
            let mut response = desk.program.refusal(what, path);
            desk.program.finish(&mut response);
            response
        }
        Misbehaviour::ProxyNotFound => answer::html(StatusCode::NOT_FOUND, "404 Not Found"),
        Misbehaviour::BadGateway => answer::html(StatusCode::BAD_GATEWAY, "502 Bad Gateway"),
        Misbehaviour::WebPage => answer::html(StatusCode::OK, "Sign in"),
        Misbehaviour::TooManyRequests { retry_after } => {
            let mut response = answer::text(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests\n");
            response.headers_mut().insert(header::RETRY_AFTER, (*retry_after).into());
            response
        }
        _ => return None,
    })
}

async fn collected(response: Response) -> Bytes {
    response
        .into_body()
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default()
}

/// Half of an answer that promises the whole.
fn cut_off(bytes: &Bytes) -> Response {
    let length = bytes.len();
    Response::builder()
        .header(header::CONTENT_TYPE, answer::JSON)
        .header(header::CONTENT_LENGTH, length)
        .body(Body::new(Broken(Some(bytes.slice(..length / 2)))))
        .unwrap()
}

/// A body that breaks off behind its first piece, and doesn't say how long it is.
struct Broken(Option<Bytes>);

impl hyper::body::Body for Broken {
    type Data = Bytes;
    type Error = Ended;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Ended>>> {
        Poll::Ready(Some(self.0.take().map(Frame::data).ok_or(Ended)))
    }
}
