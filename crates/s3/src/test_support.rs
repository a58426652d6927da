//! A store made of canned answers, and folders that go away.

use std::collections::VecDeque;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use aws_sigv4_free_core::call::RetryPolicy;
use aws_sigv4_free_core::clock::Clock;
use aws_sigv4_free_core::environment::{Env, Files};
use aws_sigv4_free_core::settings::Settings;
use aws_sigv4_free_http_transport::{
    Body, BodyKind, BoxFuture, Bytes, Error, ErrorKind, Request, Response, ResponseBody, Transport,
};
use http::HeaderMap;
use time::OffsetDateTime;

use crate::{Credentials, S3, S3Builder};

/// The output of a future that never waits: there is no runtime, so that files are read right here.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the future waits"),
    }
}

/// A clock that stands still, and never waits.
#[derive(Debug)]
pub(crate) struct Still;

impl Clock for Still {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(1_772_301_030).unwrap()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        // A bound on a future is never reached; a back-off is over at once.
        if duration > Duration::from_secs(5) {
            Box::pin(std::future::pending())
        } else {
            Box::pin(std::future::ready(()))
        }
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Canned {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Bytes,
    failure: Option<ErrorKind>,
}

impl Canned {
    pub(crate) fn new(status: u16, body: impl Into<Bytes>) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), failure: None }
    }

    pub(crate) fn ok(body: impl Into<Bytes>) -> Self {
        Self::new(200, body)
    }

    pub(crate) fn error(status: u16, code: &str) -> Self {
        Self::new(status, format!("<Error><Code>{code}</Code><Message>m</Message><RequestId>R</RequestId></Error>"))
    }

    /// No answer.
    pub(crate) fn failure(kind: ErrorKind) -> Self {
        Self { failure: Some(kind), ..Self::new(599, "") }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// What was sent.
#[derive(Debug)]
struct Sent {
    line: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

/// A transport that keeps what is sent, and gives canned answers in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wire(Arc<Mutex<(VecDeque<Canned>, Vec<Sent>)>>);

impl Transport for Wire {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, Error>> {
        let (head, body) = request.into_parts();
        let mut inner = self.0.lock().unwrap();
        inner.1.push(Sent { line: format!("{} {}", head.method, head.uri), headers: head.headers, body: read(body) });
        let canned = inner.0.pop_front().expect("no answer is left");
        Box::pin(async move {
            if let Some(kind) = canned.failure {
                return Err(Error::new(kind, "the wire was cut").after_sending());
            }
            let mut response = Response::new(ResponseBody::from_bytes(canned.body));
            *response.status_mut() = canned.status.try_into().unwrap();
            for (name, value) in canned.headers {
                response.headers_mut().append(name, value.parse().unwrap());
            }
            Ok(response)
        })
    }
}

/// The bytes of a body, with its progress told.
fn read(body: Body) -> Vec<u8> {
    let (kind, on_progress) = body.into_parts();
    let bytes = match kind {
        BodyKind::Empty => Vec::new(),
        BodyKind::Bytes(bytes) => bytes.to_vec(),
        BodyKind::File(range) => {
            let content = std::fs::read(&range.path).unwrap_or_default();
            let end = content.len().min((range.offset + range.length) as usize);
            content[range.offset as usize..end].to_vec()
        }
        BodyKind::Stream { mut source, .. } => {
            let mut all = Vec::new();
            while let Poll::Ready(Some(Ok(chunk))) = source.poll_chunk(&mut Context::from_waker(Waker::noop())) {
                all.extend_from_slice(&chunk);
            }
            all
        }
        _ => panic!("an unknown kind of body"),
    };
    let (first, second) = bytes.split_at(bytes.len() / 2);
    on_progress(first.len() as u64);
    on_progress(second.len() as u64);
    bytes
}

impl Wire {
    fn with<T>(&self, index: usize, look: impl FnOnce(&Sent) -> T) -> T {
        look(&self.0.lock().unwrap().1[index])
    }

    /// How many requests were sent.
    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap().1.len()
    }

    /// The request line, and the headers that the signature does not add.
    pub(crate) fn lines(&self, index: usize) -> Vec<String> {
        self.with(index, |sent| {
            let added = ["authorization", "host", "x-amz-content-sha256", "x-amz-date"];
            let headers = sent.headers.iter().filter(|(name, _)| !added.contains(&name.as_str()));
            let headers = headers.map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()));
            std::iter::once(sent.line.clone()).chain(headers).collect()
        })
    }

    pub(crate) fn header(&self, index: usize, name: &str) -> Option<String> {
        self.with(index, |sent| sent.headers.get(name).map(|value| value.to_str().unwrap().to_owned()))
    }

    pub(crate) fn body(&self, index: usize) -> String {
        self.with(index, |sent| String::from_utf8(sent.body.clone()).unwrap())
    }

    pub(crate) fn signed_for(&self, index: usize, region: &str) -> bool {
        self.header(index, "authorization").is_some_and(|header| header.contains(&format!("/{region}/s3/aws4_request")))
    }
}

/// A client with nothing of this machine's settings.
pub(crate) fn client(builder: S3Builder, answers: impl IntoIterator<Item = Canned>) -> (S3, Wire) {
    let wire = Wire(Arc::new(Mutex::new((answers.into_iter().collect(), Vec::new()))));
    let none: [(&str, &str); 0] = [];
    let settings = Settings::builder().env(Env::fixed(none)).files(Files::fixed(none)).load().unwrap();
    let s3 = builder
        .settings(settings)
        .transport(wire.clone())
        .clock(Still)
        .retry(RetryPolicy::standard().base_wait(Duration::ZERO));
    (s3.build().unwrap(), wire)
}

/// A client of AWS.
pub(crate) fn aws(region: &str, answers: impl IntoIterator<Item = Canned>) -> (S3, Wire) {
    client(S3::builder().region(region).credentials(Credentials::new("AKIDEXAMPLE", "canary")), answers)
}

/// A client of a store on plain HTTP.
pub(crate) fn store(answers: impl IntoIterator<Item = Canned>) -> (S3, Wire) {
    client(
        S3::builder().endpoint("http://127.0.0.1:9000").credentials(Credentials::new("AKIDEXAMPLE", "canary")),
        answers,
    )
}

/// A temporary folder, removed when it is dropped.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("s3-unit-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
