use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_sigv4_free_signing::{Credentials, SigningErrorKind};
use http::HeaderMap;
use time::OffsetDateTime;
use tower::{ServiceBuilder, ServiceExt};

use super::*;
use crate::identity::{CredentialsError, CredentialsErrorKind};

const URL: &str = "https://bucket.s3.us-east-1.amazonaws.com/key";

fn credentials() -> Credentials {
    Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
}

#[derive(Debug)]
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'_, ()> {
        Box::pin(ready(()))
    }
}

/// Answers with the headers of the request, and refuses to be called unless this very value was polled ready.
#[derive(Debug, Default)]
struct Echo {
    ready: bool,
    calls: Arc<AtomicUsize>,
}

impl Clone for Echo {
    fn clone(&self) -> Self {
        Self { ready: false, calls: Arc::clone(&self.calls) }
    }
}

impl<B> Service<Request<B>> for Echo {
    type Response = HeaderMap;
    type Error = Infallible;
    type Future = Ready<Result<HeaderMap, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        assert!(mem::take(&mut self.ready), "called without having been ready");
        self.calls.fetch_add(1, Ordering::SeqCst);
        ready(Ok(request.into_parts().0.headers))
    }
}

fn layer() -> SignLayer {
    SignLayer::new(SigV4::s3("us-east-1"), credentials()).clock(Arc::new(Stopped))
}

/// What the signer itself makes of the same request.
fn expected(body: &str, payload: Payload<'_>) -> HeaderMap {
    let mut request = Request::put(URL).header("x-amz-meta-a", "b").body(body.to_owned()).unwrap();
    SigV4::s3("us-east-1").sign(&mut request, payload, &credentials(), OffsetDateTime::UNIX_EPOCH).unwrap();
    request.into_parts().0.headers
}

fn request<B>(body: B) -> Request<B> {
    Request::put(URL).header("x-amz-meta-a", "b").body(body).unwrap()
}

#[tokio::test]
async fn signs_as_the_signer_does() {
    let mut client = layer().layer(Echo::default());
    for body in ["", "body"] {
        let headers = ServiceExt::<Request<&str>>::ready(&mut client).await.unwrap().call(request(body)).await.unwrap();
        assert_eq!(headers, expected(body, Payload::bytes(body)));
    }
}

#[tokio::test]
async fn a_body_that_is_not_read_may_be_of_any_type() {
    struct Opaque;
    for (policy, payload) in [(BodyNotRead::Unsigned, Payload::Unsigned), (BodyNotRead::Empty, Payload::empty())] {
        let client = ServiceBuilder::new().layer(layer().payload(policy)).service(Echo::default());
        let headers = client.oneshot(request(Opaque)).await.unwrap();
        assert_eq!(headers, expected("", payload), "{policy:?}");
    }
}

#[tokio::test]
async fn the_service_that_was_ready_is_the_one_that_is_called() {
    // `Echo` asserts it, since its clones are not ready.
    let echo = Echo::default();
    let calls = Arc::clone(&echo.calls);
    let mut client = layer().layer(echo);
    let mut running = Vec::new();
    for _ in 0..3 {
        running.push(ServiceExt::<Request<&str>>::ready(&mut client).await.unwrap().call(request("a")));
    }
    assert_eq!(calls.load(Ordering::SeqCst), 0);
    for call in running {
        call.await.unwrap();
    }
    assert_eq!(calls.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_service_that_is_not_ready_holds_back() {
    #[derive(Clone)]
    struct Busy;
    impl Service<Request<String>> for Busy {
        type Response = ();
        type Error = Infallible;
        type Future = Ready<Result<(), Infallible>>;
        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Pending
        }
        fn call(&mut self, _: Request<String>) -> Self::Future {
            ready(Ok(()))
        }
    }
    let mut client = layer().layer(Busy);
    let polled = std::future::poll_fn(|context| Poll::Ready(client.poll_ready(context).is_pending())).await;
    assert!(polled);
}

#[derive(Debug, Default)]
struct Counted {
    asked: Arc<AtomicUsize>,
    failing: bool,
}

impl ProvideCredentials for Counted {
    fn identity(&self) -> BoxFuture<'_, Result<Credentials, CredentialsError>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let failing = self.failing;
        Box::pin(async move {
            match failing {
                true => Err(CredentialsError::new(CredentialsErrorKind::Unavailable, "the source is away")),
                false => Ok(credentials()),
            }
        })
    }
}

#[tokio::test]
async fn the_provider_is_asked_for_each_request() {
    let provider = Counted::default();
    let asked = Arc::clone(&provider.asked);
    let mut client = SignLayer::new(SigV4::s3("us-east-1"), provider).layer(Echo::default());
    for _ in 0..3 {
        ServiceExt::<Request<&str>>::ready(&mut client).await.unwrap().call(request("a")).await.unwrap();
    }
    assert_eq!(asked.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn without_credentials_or_with_a_bad_request_nothing_is_sent() {
    let echo = Echo::default();
    let calls = Arc::clone(&echo.calls);

    let failing = Counted { failing: true, ..Counted::default() };
    let client = SignLayer::new(SigV4::s3("us-east-1"), failing).layer(echo.clone());
    let error = client.oneshot(request("a")).await.unwrap_err();
    assert!(matches!(&error, SignError::Credentials(cause) if cause.kind() == CredentialsErrorKind::Unavailable));
    assert_eq!(error.source().unwrap().to_string(), "the source is away");

    let mut signed = request("a");
    signed.headers_mut().insert("authorization", http::HeaderValue::from_static("Basic canary"));
    let error = layer().layer(echo).oneshot(signed).await.unwrap_err();
    assert!(matches!(&error, SignError::Signing(cause) if cause.kind() == SigningErrorKind::AlreadySigned));
    assert!(!format!("{error:?} {error}").contains("canary"));
    assert_eq!(calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn what_the_service_says_is_the_cause() {
    let client = tower::service_fn(|_: Request<String>| ready(Err::<(), _>(std::io::Error::other("connection lost"))));
    let error = layer().layer(client).oneshot(request(String::new())).await.unwrap_err();
    let boxed: Box<dyn Error + Send + Sync> = error.into();
    assert_eq!(boxed.source().unwrap().to_string(), "connection lost");
    assert!(boxed.source().unwrap().is::<std::io::Error>());
}

#[test]
fn no_secret_is_shown() {
    assert!(!format!("{:?}", layer().layer(())).contains("wJalr"));
}
