//! One connection: what hyper needs to drive it, and what the time-outs and the retry need to know about it.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http::HeaderValue;
use hyper::client::conn::http1::SendRequest;
use hyper_util::client::legacy::connect::{Connected, Connection as ConnectionInfo};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::body::RequestBody;
use crate::Error;

/// How much may arrive before the final response head: interim (1xx) responses are passed over, but not without end. Far more
/// than a head and one read of body behind it.
const BEFORE_HEAD_LIMIT: u64 = 1 << 20;

/// A connection that carries one request at a time. Dropping it closes it.
pub(super) struct Connection {
    pub(super) sender: SendRequest<RequestBody>,
    pub(super) monitor: Arc<Monitor>,
    /// Set on a connection to a proxy that forwards plain requests.
    pub(super) forwarded: Option<Forwarded>,
    /// The runtime that drives the connection, for timers that are made outside of it.
    pub(super) runtime: Handle,
    pub(super) task: AbortHandle,
}

/// What a request has to carry for a proxy that forwards it.
#[derive(Clone)]
pub(super) struct Forwarded {
    pub(super) authorization: Option<HeaderValue>,
}

impl Connection {
    /// Waits until the connection can take a request; whether it can.
    pub(super) async fn ready(&mut self) -> bool {
        // Between the last byte of a response and the moment at which the connection is ready again lies one poll of its
        // task. One that needs longer is not worth waiting for.
        const PATIENCE: Duration = Duration::from_millis(50);
        if self.sender.is_closed() {
            return false;
        }
        if self.sender.is_ready() {
            return true;
        }
        let ready = poll_fn(|context| self.sender.poll_ready(context));
        matches!(tokio::time::timeout(PATIENCE, ready).await, Ok(Ok(())))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Counts what passes over a connection. Written by the connection's task, read by the request that waits for it.
pub(super) struct Monitor {
    epoch: Instant,
    /// When bytes last came from the network.
    received_at: AtomicU64,
    /// Since when the network takes no bytes; zero while it does.
    blocked_since: AtomicU64,
    /// How long it took none, over all times together, in microseconds.
    blocked_for: AtomicU64,
    /// Bytes that the network took.
    sent: AtomicU64,
    /// Bytes of HTTP read and written, inside TLS.
    http_read: AtomicU64,
    http_written: AtomicU64,
    /// When the last byte of the request was handed to the network; zero before.
    handed_over: AtomicU64,
    body_ended: AtomicBool,
    awaits_head: AtomicBool,
    read_before_head: AtomicU64,
    head_overflow: AtomicBool,
    write_failure: OnceLock<io::ErrorKind>,
    body_failure: Mutex<Option<Error>>,
}

/// Where the counters stood when a request began.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    http_read: u64,
    http_written: u64,
}

impl Monitor {
    pub(super) fn new() -> Self {
        Self {
            epoch: Instant::now(),
            received_at: AtomicU64::new(0),
            blocked_since: AtomicU64::new(0),
            blocked_for: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            http_read: AtomicU64::new(0),
            http_written: AtomicU64::new(0),
            handed_over: AtomicU64::new(0),
            body_ended: AtomicBool::new(false),
            awaits_head: AtomicBool::new(false),
            read_before_head: AtomicU64::new(0),
            head_overflow: AtomicBool::new(false),
            write_failure: OnceLock::new(),
            body_failure: Mutex::new(None),
        }
    }

    /// Begins a request.
    pub(super) fn begin(&self, body_is_empty: bool) -> Mark {
        self.handed_over.store(0, Relaxed);
        self.body_ended.store(body_is_empty, Relaxed);
        self.read_before_head.store(0, Relaxed);
        self.awaits_head.store(true, Relaxed);
        Mark { http_read: self.http_read.load(Relaxed), http_written: self.http_written.load(Relaxed) }
    }

    pub(super) fn head_received(&self) {
        self.awaits_head.store(false, Relaxed);
    }

    pub(super) fn body_ended(&self) {
        self.body_ended.store(true, Relaxed);
    }

    /// Whether the whole request body was taken.
    pub(super) fn has_body_ended(&self) -> bool {
        self.body_ended.load(Relaxed)
    }

    /// Keeps the error of the request's own body: on its way through hyper it would lose its type.
    pub(super) fn body_failed(&self, error: Error) {
        *self.body_failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }

    pub(super) fn take_body_failure(&self) -> Option<Error> {
        self.body_failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(super) fn write_failure(&self) -> Option<io::ErrorKind> {
        self.write_failure.get().copied()
    }

    pub(super) fn has_head_overflown(&self) -> bool {
        self.head_overflow.load(Relaxed)
    }

    /// Whether a byte of the response was read since `mark`.
    pub(super) fn has_read_since(&self, mark: Mark) -> bool {
        self.http_read.load(Relaxed) != mark.http_read
    }

    /// Whether a byte of the request was written since `mark`.
    pub(super) fn has_written_since(&self, mark: Mark) -> bool {
        self.http_written.load(Relaxed) != mark.http_written
    }

    pub(super) fn received_at(&self) -> Instant {
        self.epoch + Duration::from_micros(self.received_at.load(Relaxed))
    }

    pub(super) fn blocked_since(&self) -> Option<Instant> {
        self.instant(&self.blocked_since)
    }

    pub(super) fn handed_over(&self) -> Option<Instant> {
        self.instant(&self.handed_over)
    }

    /// How long the network has taken nothing, all told, and how many bytes it has taken.
    pub(super) fn upload(&self, now: Instant) -> (Duration, u64) {
        let blocked = Duration::from_micros(self.blocked_for.load(Relaxed));
        let current = self.blocked_since().map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        (blocked + current, self.sent.load(Relaxed))
    }

    fn instant(&self, micros: &AtomicU64) -> Option<Instant> {
        match micros.load(Relaxed) {
            0 => None,
            micros => Some(self.epoch + Duration::from_micros(micros)),
        }
    }

    fn now(&self) -> u64 {
        // Zero means "not set".
        u64::try_from(self.epoch.elapsed().as_micros()).unwrap_or(u64::MAX).max(1)
    }

    fn received(&self) {
        self.received_at.store(self.now(), Relaxed);
    }

    fn wrote(&self, count: usize) {
        self.sent.fetch_add(count as u64, Relaxed);
        let since = self.blocked_since.swap(0, Relaxed);
        if since != 0 {
            self.blocked_for.fetch_add(self.now().saturating_sub(since), Relaxed);
        }
    }

    fn blocked(&self) {
        if self.blocked_since.load(Relaxed) == 0 {
            self.blocked_since.store(self.now(), Relaxed);
        }
    }
}

/// The socket, watched: the network's side of the [`Monitor`].
pub(super) struct Socket {
    stream: TcpStream,
    monitor: Arc<Monitor>,
}

impl Socket {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, monitor: Arc::new(Monitor::new()) }
    }

    pub(super) fn monitor(&self) -> Arc<Monitor> {
        Arc::clone(&self.monitor)
    }

    /// A server that answers early and closes makes our next write fail, with its answer still waiting to be read. So a
    /// write that the peer has ended stays pending, and the read side tells the end: the answer, or the end of the stream.
    fn after_write(&self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match result {
            Poll::Ready(Ok(count)) => {
                self.monitor.wrote(count);
                Poll::Ready(Ok(count))
            }
            Poll::Ready(Err(error)) if is_closed_by_peer(error.kind()) => {
                let _ = self.monitor.write_failure.set(error.kind());
                self.monitor.blocked();
                Poll::Pending
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                self.monitor.blocked();
                Poll::Pending
            }
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // A FIN would wait behind bytes that the peer does not take, and the peer would never learn that the rest will not
        // come, nor the kernel get its buffers back.
        if self.monitor.blocked_since().is_some() {
            let _ = self.stream.set_zero_linger();
        }
    }
}

pub(super) fn is_closed_by_peer(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted)
}

impl ConnectionInfo for Socket {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.monitor.received();
        }
        result
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.monitor.write_failure().is_some() {
            return Poll::Pending;
        }
        let result = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.after_write(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.monitor.write_failure().is_some() {
            return Poll::Pending;
        }
        let result = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.after_write(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.monitor.write_failure().is_some() {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// The stream that HTTP is spoken on, inside TLS where there is TLS: HTTP's side of the [`Monitor`].
pub(super) struct Watched<S> {
    stream: S,
    monitor: Arc<Monitor>,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, monitor: Arc<Monitor>) -> Self {
        Self { stream, monitor }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let awaits_head = self.monitor.awaits_head.load(Relaxed);
        if awaits_head && self.monitor.read_before_head.load(Relaxed) > BEFORE_HEAD_LIMIT {
            self.monitor.head_overflow.store(true, Relaxed);
            return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
        }
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(context, buffer);
        let count = (buffer.filled().len() - before) as u64;
        if count > 0 {
            self.monitor.http_read.fetch_add(count, Relaxed);
            if awaits_head {
                self.monitor.read_before_head.fetch_add(count, Relaxed);
            }
        }
        result
    }
}

impl<S: AsyncWrite + Unpin> Watched<S> {
    fn after_write(&self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(count)) = result {
            self.monitor.http_written.fetch_add(count as u64, Relaxed);
        }
        result
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.after_write(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.after_write(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_flush(context);
        // hyper flushes when its own buffer is empty: with the body at its end, the request is out.
        if matches!(result, Poll::Ready(Ok(())))
            && self.monitor.has_body_ended()
            && self.monitor.handed_over().is_none()
        {
            self.monitor.handed_over.store(self.monitor.now(), Relaxed);
        }
        result
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
