//! A clock that is set by hand, a transport that follows a script, an operation and a provider to try calls with.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sigv4_free_http_transport as transport;
use aws_sigv4_free_http_transport::{Body, BoxFuture, Request, Response, ResponseBody, Transport};
use aws_sigv4_free_signing::SigV4;
use time::OffsetDateTime;

use super::{ErrorInSuccess, Operation, PayloadHash, Prepared};
use crate::clock::Clock;
use crate::endpoint::Region;
use crate::error::{Error, ServiceError};
use crate::identity::{Credentials, CredentialsError, CredentialsErrorKind, ProvideCredentials};
use crate::protocol::rest_xml;

/// Waits take no time, and are kept.
#[derive(Debug)]
pub(super) struct HandClock(pub(super) Mutex<(OffsetDateTime, Vec<Duration>)>);

impl HandClock {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new((OffsetDateTime::from_unix_timestamp(1_767_225_600).unwrap(), Vec::new()))))
    }

    pub(super) fn waits(&self) -> Vec<u64> {
        self.0.lock().unwrap().1.iter().map(Duration::as_secs).collect()
    }
}

impl Clock for HandClock {
    fn now(&self) -> OffsetDateTime {
        self.0.lock().unwrap().0
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let mut state = self.0.lock().unwrap();
            state.0 += duration;
            state.1.push(duration);
        })
    }
}

/// One answer after the other; the requests are kept.
#[derive(Debug, Default)]
pub(super) struct Script {
    pub(super) answers: Mutex<VecDeque<Result<Response, transport::Error>>>,
    pub(super) sent: Mutex<Vec<Request>>,
}

impl Script {
    pub(super) fn new(answers: impl IntoIterator<Item = Result<Response, transport::Error>>) -> Arc<Self> {
        Arc::new(Self { answers: Mutex::new(answers.into_iter().collect()), sent: Mutex::default() })
    }

    pub(super) fn requests(&self) -> usize {
        self.sent.lock().unwrap().len()
    }

    pub(super) fn authorization(&self, index: usize) -> Option<String> {
        let sent = self.sent.lock().unwrap();
        sent[index].headers().get("authorization").map(|value| value.to_str().unwrap().to_owned())
    }
}

impl Transport for Script {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, transport::Error>> {
        self.sent.lock().unwrap().push(request);
        let answer = self.answers.lock().unwrap().pop_front();
        Box::pin(async move { answer.expect("no more requests than answers") })
    }
}

pub(super) fn answer(status: u16, body: &'static str) -> Result<Response, transport::Error> {
    Ok(http::Response::builder().status(status).body(ResponseBody::from_bytes(body)).unwrap())
}

pub(super) fn no_answer(kind: transport::ErrorKind) -> Result<Response, transport::Error> {
    Err(transport::Error::new(kind, "a fault of the script").after_sending())
}

/// GET, or a PUT of a body that can be sent once.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Try {
    pub(super) once: bool,
    pub(super) error_in_success: ErrorInSuccess,
    pub(super) unprepared: bool,
}

impl Operation for Try {
    fn service(&self) -> &'static str {
        "s3"
    }

    fn name(&self) -> &'static str {
        "Try"
    }

    fn prepare(&self, region: &Region) -> Result<Prepared, Error> {
        if self.unprepared {
            return Err(Error::invalid_input("the key is empty, give one"));
        }
        let body = match self.once {
            true => Body::once(Some(0), Box::new(ResponseBody::empty())),
            false => Body::empty(),
        };
        let payload = if self.once { PayloadHash::Unsigned } else { PayloadHash::Body };
        let request = http::Request::get(format!("https://s3.{region}.amazonaws.com/")).body(body).unwrap();
        Ok(Prepared { request, signer: Arc::new(SigV4::s3(region.to_string())), payload })
    }

    fn read_error(&self, head: &http::response::Parts, body: &[u8]) -> ServiceError {
        rest_xml::read_error(head, body)
    }

    fn error_in_success(&self) -> ErrorInSuccess {
        self.error_in_success
    }

    fn redirected_region(&self, _: &http::response::Parts, error: &ServiceError) -> Option<Region> {
        Region::new(error.detail("Region")?).ok()
    }
}

/// Gives the next of its credentials once the last were refused, and an error after the last.
#[derive(Debug)]
pub(super) struct Keys {
    ids: Vec<&'static str>,
    at: AtomicUsize,
}

impl Keys {
    pub(super) fn new(ids: &[&'static str]) -> Arc<Self> {
        Arc::new(Self { ids: ids.to_vec(), at: AtomicUsize::new(0) })
    }
}

impl ProvideCredentials for Keys {
    fn identity(&self) -> BoxFuture<'_, Result<Credentials, CredentialsError>> {
        let id = self.ids.get(self.at.load(Ordering::SeqCst)).copied();
        Box::pin(async move {
            id.map(|id| Credentials::new(id, "canary-secret"))
                .ok_or_else(|| CredentialsError::new(CredentialsErrorKind::Unavailable, "no more keys"))
        })
    }

    fn invalidate(&self, access_key_id: &str) -> bool {
        assert_eq!(access_key_id, self.ids[self.at.fetch_add(1, Ordering::SeqCst)]);
        true
    }
}
