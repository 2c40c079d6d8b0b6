//! Keeps callers who only hold connections open from taking what the daemon needs for its work.
//!
//! Must never let one who does not ask keep out another who does: so the head of a request must come
//! soon, who does not take the answer is hung up on, and where all places are taken the one who is waited
//! for longest gives up theirs.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::oneshot;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Sleep;

/// How long a caller may take to ask: the whole head of a request. Nothing else is wanted of it, and each
/// connection is for one question.
const HEAD: Duration = Duration::from_secs(2);
/// How long an answer may wait for a caller to take any of it.
const TAKING: Duration = Duration::from_secs(30);
/// A moment without file descriptors to spare passes.
const PAUSE: Duration = Duration::from_millis(100);

/// A listener with so many connections at a time; others wait in the kernel's queue.
pub(super) struct Limited {
    inner: UnixListener,
    places: Arc<Semaphore>,
    /// Who has a place, the oldest first.
    callers: VecDeque<Caller>,
}

/// A connection, as seen from here.
struct Caller {
    hang_up: oneshot::Sender<()>,
    /// Whether it waits for the daemon, and not the daemon for it.
    is_served: Arc<AtomicBool>,
}

impl Limited {
    pub(super) fn new(inner: UnixListener, places: usize) -> Self {
        Self { inner, places: Arc::new(Semaphore::new(places)), callers: VecDeque::new() }
    }

    /// A place for another caller: if no other is left, that of the one who was waited for longest.
    async fn place(&mut self) -> Option<OwnedSemaphorePermit> {
        self.callers.retain(|caller| !caller.hang_up.is_closed());
        if self.places.available_permits() == 0 {
            let is_slow = |caller: &Caller| !caller.is_served.load(Ordering::Relaxed);
            let slowest = self.callers.iter().position(is_slow);
            if let Some(caller) = slowest.and_then(|at| self.callers.remove(at)) {
                // If it has just gone by itself, its place is free all the same.
                let _hung_up_or_gone = caller.hang_up.send(());
            }
        }
        Arc::clone(&self.places).acquire_owned().await.ok()
    }
}

impl Listener for Limited {
    type Io = Connection;
    type Addr = tokio::net::unix::SocketAddr;

    async fn accept(&mut self) -> (Connection, Self::Addr) {
        loop {
            match self.inner.accept().await {
                Ok((stream, addr)) => {
                    let place = self.place().await;
                    let (hang_up, hung_up) = oneshot::channel();
                    let is_served = Arc::new(AtomicBool::new(false));
                    self.callers.push_back(Caller { hang_up, is_served: Arc::clone(&is_served) });
                    let waited = Some(Box::pin(tokio::time::sleep(HEAD)));
                    let connection = Connection {
                        stream,
                        waited,
                        hung_up: Some(hung_up),
                        is_served,
                        line_ends: 0,
                        has_asked: false,
                        _place: place,
                    };
                    return (connection, addr);
                }
                Err(error) => {
                    tracing::debug!(%error, "a caller could not be let in");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.inner.local_addr()
    }
}

/// A caller who asks once: hung up on when it takes too long to, or to take the answer.
pub(super) struct Connection {
    stream: UnixStream,
    /// For how long the daemon waits for it, while it does.
    waited: Option<Pin<Box<Sleep>>>,
    /// Says that its place is wanted; `None` when nobody can any more.
    hung_up: Option<oneshot::Receiver<()>>,
    is_served: Arc<AtomicBool>,
    /// How much of the end of a head is there.
    line_ends: u8,
    has_asked: bool,
    _place: Option<OwnedSemaphorePermit>,
}

impl Connection {
    /// Takes note of bytes of the head, which ends with two line ends and nothing between them.
    fn hear(&mut self, bytes: &[u8]) {
        for byte in bytes.iter().filter(|_| !self.has_asked) {
            match byte {
                b'\n' => self.line_ends += 1,
                b'\r' => {}
                _ => self.line_ends = 0,
            }
            if self.line_ends == 2 {
                self.has_asked = true;
                self.serve();
                return;
            }
        }
    }

    fn serve(&mut self) {
        self.waited = None;
        self.is_served.store(true, Ordering::Relaxed);
    }

    /// Whether it was waited for long enough, or its place is wanted.
    fn is_over(&mut self, context: &mut Context<'_>) -> bool {
        if let Some(waited) = &mut self.waited
            && waited.as_mut().poll(context).is_ready()
        {
            return true;
        }
        let told = self.hung_up.as_mut().map(|hung_up| Pin::new(hung_up).poll(context));
        if let Some(Poll::Ready(_)) = told {
            self.hung_up = None;
        }
        matches!(told, Some(Poll::Ready(Ok(()))))
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.hear(&buffer.filled()[before..]);
        // Who has asked says nothing more, and waits.
        if !self.has_asked && self.is_over(context) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        polled
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        if polled.is_ready() {
            self.serve();
            return polled;
        }
        self.is_served.store(false, Ordering::Relaxed);
        self.waited.get_or_insert_with(|| Box::pin(tokio::time::sleep(TAKING)));
        if self.is_over(context) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Poll::Pending
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    async fn read(connection: &mut Connection) -> io::Result<usize> {
        connection.read(&mut [0; 64]).await
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_ask_in_time_is_hung_up_on_however_it_dawdles() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s.sock");
        let mut limited = Limited::new(UnixListener::bind(&path).unwrap(), 2);
        let _silent = UnixStream::connect(&path).await.unwrap();
        let (mut silent, _) = limited.accept().await;
        let error = read(&mut silent).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);

        let mut slow = UnixStream::connect(&path).await.unwrap();
        let (mut other, _) = limited.accept().await;
        for _ in 0..3 {
            slow.write_all(b"GET /v1/st").await.unwrap();
            assert_eq!(read(&mut other).await.unwrap(), 10);
            tokio::time::sleep(HEAD / 4).await;
        }
        tokio::time::sleep(HEAD / 4).await;
        assert!(read(&mut other).await.is_err(), "each word counts, but the time is the same");
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_asked_may_wait_for_the_answer_for_as_long_as_it_takes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s.sock");
        let mut limited = Limited::new(UnixListener::bind(&path).unwrap(), 1);
        let mut caller = UnixStream::connect(&path).await.unwrap();
        let (mut connection, _) = limited.accept().await;
        // A head may come in parts, also cut in the middle of its end.
        for part in ["POST /v1/check HTTP/1.1\r\nHost: x\r\n\r", "\n"] {
            caller.write_all(part.as_bytes()).await.unwrap();
            assert_eq!(read(&mut connection).await.unwrap(), part.len());
        }
        let wait = tokio::time::timeout(Duration::from_hours(1), read(&mut connection)).await;
        assert!(wait.is_err(), "nothing more comes, and nobody hangs up");
        let answer = vec![7; 4 << 20];
        let error = connection.write_all(&answer).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut, "but it must take what it asked for");
    }

    #[tokio::test(start_paused = true)]
    async fn where_all_places_are_taken_the_slowest_to_ask_makes_room() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s.sock");
        let mut limited = Limited::new(UnixListener::bind(&path).unwrap(), 2);
        let mut asked = UnixStream::connect(&path).await.unwrap();
        let (mut first, _) = limited.accept().await;
        asked.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        read(&mut first).await.unwrap();
        let _slowest = UnixStream::connect(&path).await.unwrap();
        let (mut second, _) = limited.accept().await;
        let dismissed = tokio::spawn(async move { read(&mut second).await });
        let _next = UnixStream::connect(&path).await.unwrap();
        let room = tokio::time::timeout(HEAD / 2, limited.accept()).await;
        let _third = room.expect("long before its time to ask is over");
        assert!(dismissed.await.unwrap().is_err());
        let wait = tokio::time::timeout(HEAD / 2, read(&mut first)).await;
        assert!(wait.is_err(), "who has asked keeps the place");
    }
}
