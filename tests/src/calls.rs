//! What a test of calls needs: a clock that is set by hand, a transport that follows a script, an operation, a provider.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sigv4_free_core::call::{ErrorInSuccess, Operation, PayloadHash, Polling, Prepared};
use aws_sigv4_free_core::clock::Clock;
use aws_sigv4_free_core::endpoint::Region;
use aws_sigv4_free_core::identity::{Credentials, CredentialsError, ProvideCredentials};
use aws_sigv4_free_core::protocol::rest_xml;
use aws_sigv4_free_core::{Error, ServiceError};
use aws_sigv4_free_http_transport::{self as transport, Body, BoxFuture, Request, Response, Transport};
use aws_sigv4_free_signing::SigV4;
use time::OffsetDateTime;

/// A region by its name.
///
/// # Panics
/// When it is none.
pub fn region(name: &str) -> Region {
    Region::new(name).expect("a region")
}

/// A clock that is set by hand. A wait moves it on when it ends, and is kept.
#[derive(Debug)]
pub struct ManualClock {
    /// How many seconds of this clock pass within one of the machine's; a wait takes no time without it.
    speed: Option<u32>,
    now: Mutex<OffsetDateTime>,
    waits: Mutex<Vec<Duration>>,
}

impl ManualClock {
    /// A clock at a number of seconds since 1970, whose waits take no time: for transports without a network.
    ///
    /// # Panics
    /// When that is beyond the calendar.
    pub fn at(seconds: i64) -> Arc<Self> {
        Self::new(seconds, None)
    }

    /// The same with waits that take a fiftieth of their time: for a network, which needs some.
    ///
    /// # Panics
    /// When that is beyond the calendar.
    pub fn quick(seconds: i64) -> Arc<Self> {
        Self::new(seconds, Some(50))
    }

    fn new(seconds: i64, speed: Option<u32>) -> Arc<Self> {
        let now = OffsetDateTime::from_unix_timestamp(seconds).expect("within the calendar");
        Arc::new(Self { speed, now: Mutex::new(now), waits: Mutex::default() })
    }

    /// Sets the time.
    pub fn set(&self, now: OffsetDateTime) {
        *lock(&self.now) = now;
    }

    /// The waits since the last time that they were asked for.
    pub fn take_waits(&self) -> Vec<Duration> {
        std::mem::take(&mut lock(&self.waits))
    }
}

impl Clock for ManualClock {
    fn now(&self) -> OffsetDateTime {
        *lock(&self.now)
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            if let Some(speed) = self.speed {
                tokio::time::sleep(duration / speed).await;
            }
            *lock(&self.now) += duration;
            lock(&self.waits).push(duration);
        })
    }
}

type Answer = Box<dyn FnMut(&Request) -> Result<Response, transport::Error> + Send>;

/// A transport that answers by a function, and keeps what it was sent.
pub struct ScriptedTransport {
    answer: Mutex<Answer>,
    sent: Mutex<Vec<Request>>,
}

impl ScriptedTransport {
    /// Answers by `answer`.
    pub fn new(answer: impl FnMut(&Request) -> Result<Response, transport::Error> + Send + 'static) -> Arc<Self> {
        Arc::new(Self { answer: Mutex::new(Box::new(answer)), sent: Mutex::default() })
    }

    /// What was sent so far, once.
    pub fn take_sent(&self) -> Vec<Request> {
        std::mem::take(&mut lock(&self.sent))
    }
}

impl Transport for ScriptedTransport {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, transport::Error>> {
        Box::pin(async move {
            let answer = (lock(&self.answer))(&request);
            lock(&self.sent).push(request);
            answer
        })
    }
}

impl fmt::Debug for ScriptedTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScriptedTransport")
    }
}

/// An operation of S3's protocol on a fixed URL.
#[derive(Clone, Debug)]
#[allow(clippy::exhaustive_structs)]
pub struct TestOperation {
    /// The service.
    pub service: &'static str,
    /// The method.
    pub method: http::Method,
    /// The URL.
    pub url: String,
    /// The body, where it can be sent again.
    pub body: Option<&'static str>,
    /// Whether the body is sent as a stream that can't be sent again.
    pub once: bool,
    /// Whether a success may hold an error.
    pub error_in_success: ErrorInSuccess,
    /// Whether the request is held open.
    pub polling: Polling,
}

impl TestOperation {
    /// GET.
    pub fn get(url: impl Into<String>) -> Self {
        Self {
            service: "s3",
            method: http::Method::GET,
            url: url.into(),
            body: None,
            once: false,
            error_in_success: ErrorInSuccess::Never,
            polling: Polling::Short,
        }
    }
}

impl Operation for TestOperation {
    fn service(&self) -> &'static str {
        self.service
    }

    fn name(&self) -> &'static str {
        "TestOperation"
    }

    fn prepare(&self, region: &Region) -> Result<Prepared, Error> {
        let body = match (self.body, self.once) {
            (None, _) => Body::empty(),
            (Some(text), false) => Body::from(text),
            (Some(text), true) => Body::once(Some(text.len() as u64), Box::new(Once(Some(text)))),
        };
        let payload = if self.once { PayloadHash::Unsigned } else { PayloadHash::Body };
        let url = self.url.replace("{region}", region.as_str());
        let request = http::Request::builder().method(self.method.clone()).uri(url).body(body);
        let request = request.map_err(|error| Error::invalid_input("the URL is not one").with_source(error))?;
        Ok(Prepared { request, signer: Arc::new(SigV4::s3(region.to_string())), payload })
    }

    fn read_error(&self, head: &http::response::Parts, body: &[u8]) -> ServiceError {
        rest_xml::read_error(head, body)
    }

    fn error_in_success(&self) -> ErrorInSuccess {
        self.error_in_success
    }

    fn redirected_region(&self, _: &http::response::Parts, error: &ServiceError) -> Option<Region> {
        let names_region =
            matches!(error.code(), "PermanentRedirect" | "AuthorizationHeaderMalformed" | "TemporaryRedirect");
        Region::new(error.detail("Region").filter(|_| names_region)?).ok()
    }

    fn polling(&self) -> Polling {
        self.polling
    }
}

struct Once(Option<&'static str>);

impl transport::ChunkSource for Once {
    fn poll_chunk(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<transport::Bytes, transport::Error>>> {
        std::task::Poll::Ready(self.0.take().map(|text| Ok(transport::Bytes::from_static(text.as_bytes()))))
    }
}

/// A provider that gives the next of its credentials once the last were refused.
#[derive(Debug)]
pub struct RotatingProvider {
    credentials: Vec<Credentials>,
    at: AtomicUsize,
    invalidated: AtomicUsize,
}

impl RotatingProvider {
    /// Gives these, in order.
    pub fn new(credentials: Vec<Credentials>) -> Arc<Self> {
        Arc::new(Self { credentials, at: AtomicUsize::new(0), invalidated: AtomicUsize::new(0) })
    }

    /// How often it was told that credentials were refused.
    pub fn invalidated(&self) -> usize {
        self.invalidated.load(Ordering::SeqCst)
    }
}

impl ProvideCredentials for RotatingProvider {
    fn identity(&self) -> BoxFuture<'_, Result<Credentials, CredentialsError>> {
        let at = self.at.load(Ordering::SeqCst).min(self.credentials.len() - 1);
        let credentials = self.credentials[at].clone();
        Box::pin(async move { Ok(credentials) })
    }

    fn invalidate(&self, _: &str) -> bool {
        self.invalidated.fetch_add(1, Ordering::SeqCst);
        self.at.fetch_add(1, Ordering::SeqCst);
        true
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
