//! One request and its answer over one connection.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::Body as _;
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep};

use super::body::RequestBody;
use super::connection::{Connection, Monitor};
use super::log::Subject;
use super::pool::{Key, Pool};
use super::timeout::{Budget, Window, timeout};
use super::{fault, host_port};
use crate::{ChunkSource, Error, ErrorKind, Stage};

/// Why a request on a connection has no answer.
pub(super) struct Failure {
    pub(super) error: Error,
    /// Whether the connection had ended before a byte of the answer, and nothing else was wrong.
    pub(super) is_stale: bool,
    /// The request, where no byte of it was written.
    pub(super) unsent: Option<http::Request<RequestBody>>,
}

impl From<Error> for Box<Failure> {
    fn from(error: Error) -> Self {
        Box::new(Failure { error, is_stale: false, unsent: None })
    }
}

/// Sends `request` and waits for the head of its answer.
pub(super) async fn send(
    connection: &mut Connection,
    mut request: http::Request<RequestBody>,
    budget: &Budget,
    peer: &Peer,
) -> Result<http::Response<Incoming>, Box<Failure>> {
    let monitor = Arc::clone(&connection.monitor);
    let mark = monitor.begin(request.body().is_empty());
    request.body_mut().attach(Arc::clone(&monitor));
    let mut response = pin!(connection.sender.try_send_request(request));
    let mut patience = Patience::new(&monitor, budget);
    let mut timer = pin!(patience.first_check().map(tokio::time::sleep_until));
    poll_fn(|context| {
        if let Poll::Ready(result) = response.as_mut().poll(context) {
            return Poll::Ready(result.map_err(|mut failed| {
                let unsent = failed.take_message().filter(|_| !monitor.has_written_since(mark));
                let error = fault::request_error(failed.into_error(), &monitor, mark, &peer.name());
                let is_stale = error.kind() == ErrorKind::ConnectionClosed && !monitor.has_read_since(mark);
                Box::new(Failure { error, is_stale, unsent })
            }));
        }
        let Some(mut timer) = timer.as_mut().as_pin_mut() else { return Poll::Pending };
        while timer.as_mut().poll(context).is_ready() {
            match patience.check() {
                Ok(next) => timer.as_mut().reset(next),
                Err((stage, limit)) => {
                    let mut error = timeout(stage, limit, &peer.name());
                    if monitor.has_written_since(mark) {
                        error = error.after_sending();
                    }
                    return Poll::Ready(Err(error.into()));
                }
            }
        }
        Poll::Pending
    })
    .await
    .inspect(|_| monitor.head_received())
}

/// The clocks that run until the response head is there. Each starts at a moment of its own, so the timer is set to the
/// earliest moment at which one that starts now could end, and then looks again.
struct Patience<'a> {
    monitor: &'a Monitor,
    budget: &'a Budget,
    window: Window,
}

impl<'a> Patience<'a> {
    fn new(monitor: &'a Monitor, budget: &'a Budget) -> Self {
        let (blocked, sent) = monitor.upload(Instant::now());
        Self { monitor, budget, window: Window::new(budget.min_throughput, blocked, sent) }
    }

    /// `None` where nothing is limited.
    fn first_check(&self) -> Option<Instant> {
        self.no_clock_ends_before(Instant::now())
    }

    fn no_clock_ends_before(&self, now: Instant) -> Option<Instant> {
        let timeouts = &self.budget.timeouts;
        let floor = self.budget.min_throughput.map(|floor| floor.over).filter(|over| !over.is_zero());
        let shortest = [timeouts.response_head, timeouts.body_progress, floor].into_iter().flatten().min();
        let by_stage = shortest.and_then(|limit| now.checked_add(limit));
        [by_stage, self.budget.deadline()].into_iter().flatten().min()
    }

    /// When to look again, or what has taken too long.
    fn check(&mut self) -> Result<Instant, (Stage, Option<Duration>)> {
        let now = Instant::now();
        let timeouts = &self.budget.timeouts;
        if self.budget.deadline().is_some_and(|deadline| deadline <= now) {
            return Err((Stage::Operation, timeouts.operation));
        }
        let running = if let Some(since) = self.monitor.blocked_since() {
            Some((Stage::BodyProgress, timeouts.body_progress, since))
        } else {
            self.monitor.handed_over().map(|since| (Stage::ResponseHead, timeouts.response_head, since))
        };
        let mut next = self.no_clock_ends_before(now);
        if let Some((stage, limit, since)) = running
            && let Some(end) = limit.and_then(|limit| since.checked_add(limit))
        {
            if end <= now {
                return Err((stage, limit));
            }
            next = next.map(|next| next.min(end));
        }
        let (blocked, sent) = self.monitor.upload(now);
        let window = self.window.check(blocked, sent).map_err(|over| (Stage::BodyProgress, Some(over)))?;
        if let Some(end) = window.and_then(|left| now.checked_add(left)) {
            next = next.map(|next| next.min(end));
        }
        // A limit is set, or there would be no timer: `next` is there.
        Ok(next.unwrap_or(now + Duration::from_secs(1)))
    }
}

/// Who is talked to, for messages.
#[derive(Clone)]
pub(super) struct Peer {
    pub(super) key: Key,
}

impl Peer {
    pub(super) fn port(&self) -> u16 {
        self.key.authority.port_u16().unwrap_or(if self.key.https { 443 } else { 80 })
    }

    pub(super) fn host(&self) -> &str {
        super::bare_host(self.key.authority.host())
    }

    pub(super) fn name(&self) -> String {
        host_port(self.host(), self.port())
    }
}

/// The body of a response. Gives its connection back at its end; dropped before, it closes it.
pub(super) struct ResponseSource {
    incoming: Incoming,
    connection: Option<Connection>,
    pool: Arc<Pool>,
    peer: Peer,
    budget: Budget,
    subject: Subject,
    received: u64,
    /// Since when the network is waited for.
    waiting_since: Option<Instant>,
    /// How long it was waited for before that.
    waited: Duration,
    window: Window,
    timer: Option<Pin<Box<Sleep>>>,
}

impl ResponseSource {
    pub(super) fn new(
        incoming: Incoming,
        connection: Connection,
        pool: Arc<Pool>,
        peer: Peer,
        budget: Budget,
        subject: Subject,
    ) -> Self {
        let window = Window::new(budget.min_throughput, Duration::ZERO, 0);
        let mut source = Self {
            incoming,
            connection: Some(connection),
            pool,
            peer,
            budget,
            subject,
            received: 0,
            waiting_since: None,
            waited: Duration::ZERO,
            window,
            timer: None,
        };
        if source.incoming.is_end_stream() {
            source.finish();
        }
        source
    }

    /// Whether there is nothing to read.
    pub(super) fn is_finished(&self) -> bool {
        self.connection.is_none()
    }

    /// The response is complete: its connection may carry the next request, if the request was complete too.
    fn finish(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        self.subject.body_ended(self.received);
        if connection.monitor.handed_over().is_some() {
            self.pool.put(&self.peer.key, connection);
        }
    }

    fn fail(&mut self, error: Error) -> Poll<Option<Result<Bytes, Error>>> {
        self.connection = None;
        self.subject.body_failed(&error, self.received);
        Poll::Ready(Some(Err(error)))
    }

    fn too_slow(&mut self, stage: Stage, limit: Option<Duration>) -> Poll<Option<Result<Bytes, Error>>> {
        let error = timeout(stage, limit, &self.peer.name()).after_sending();
        self.fail(error)
    }

    /// The network has nothing: waits for it, but not for ever.
    fn poll_patience(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        let mut now = Instant::now();
        let since = *self.waiting_since.get_or_insert(now);
        loop {
            let Some(connection) = &self.connection else { return Poll::Pending };
            let limit = self.budget.timeouts.body_progress;
            // Inside TLS a record may take long to come, and there is progress nevertheless.
            let progress = since.max(connection.monitor.received_at());
            let stalled = limit.and_then(|limit| progress.checked_add(limit));
            if stalled.is_some_and(|end| end <= now) {
                return self.too_slow(Stage::BodyProgress, limit);
            }
            let window = match self.window.check(self.waited + now.saturating_duration_since(since), self.received) {
                Ok(left) => left.and_then(|left| now.checked_add(left)),
                Err(over) => return self.too_slow(Stage::BodyProgress, Some(over)),
            };
            let next = [stalled, window, self.budget.deadline()].into_iter().flatten().min();
            let Some(next) = next else { return Poll::Pending };
            let timer = match &mut self.timer {
                Some(timer) => {
                    if timer.is_elapsed() {
                        timer.as_mut().reset(next);
                    }
                    timer
                }
                none => {
                    let _runtime = connection.runtime.enter();
                    none.insert(Box::pin(tokio::time::sleep_until(next)))
                }
            };
            // Left as it is while it runs: limits move later only, and an early look costs little.
            ready!(timer.as_mut().poll(context));
            now = Instant::now();
            if self.budget.deadline().is_some_and(|deadline| deadline <= now) {
                return self.too_slow(Stage::Operation, self.budget.timeouts.operation);
            }
        }
    }
}

impl ChunkSource for ResponseSource {
    fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        loop {
            // A body that always has something must not outlast the operation's limit.
            if self.connection.is_some() && self.budget.deadline().is_some_and(|deadline| deadline <= Instant::now()) {
                return self.too_slow(Stage::Operation, self.budget.timeouts.operation);
            }
            let frame = match Pin::new(&mut self.incoming).poll_frame(context) {
                Poll::Pending => return self.poll_patience(context),
                Poll::Ready(frame) => frame,
            };
            if let Some(since) = self.waiting_since.take() {
                self.waited += since.elapsed();
            }
            match frame {
                Some(Ok(frame)) => {
                    // Trailers are passed over.
                    let Ok(chunk) = frame.into_data() else { continue };
                    self.received += chunk.len() as u64;
                    if self.incoming.is_end_stream() {
                        self.finish();
                    }
                    return Poll::Ready(Some(Ok(chunk)));
                }
                Some(Err(error)) => {
                    let error = fault::body_error(error, self.received, &self.peer.name());
                    return self.fail(error);
                }
                None => {
                    // With an announced length, hyper counts down to zero.
                    if self.incoming.size_hint().exact().is_some_and(|missing| missing > 0) {
                        let error = fault::short_body(self.received, &self.peer.name());
                        return self.fail(error);
                    }
                    self.finish();
                    return Poll::Ready(None);
                }
            }
        }
    }
}
