//! The adapters for other HTTP clients, against a server that checks every signature.

use std::sync::Arc;
use std::time::Duration;

use aws_sigv4_free_core::adapter::SignError;
use aws_sigv4_free_core::adapter::reqwest::{PayloadSigning, sign};
use aws_sigv4_free_core::adapter::tower::{BodyNotRead, SignLayer, SignPayload};
use aws_sigv4_free_core::clock::Clock;
use aws_sigv4_free_core::identity::{
    BoxFuture, Credentials, CredentialsError, CredentialsErrorKind, ProvideCredentials,
};
use aws_sigv4_free_signing::SigV4;
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use integration_tests::s3_server::{S3Server, SECRET_KEY};
use libtest_mimic::{Failed, Trial};
use reqwest::redirect::Policy;
use time::OffsetDateTime;
use tower::{ServiceBuilder, ServiceExt as _};

use crate::harness::{async_trial, logged_trial};
use integration_tests::logs::assert_no_secret;

pub fn trials() -> Vec<Trial> {
    vec![
        async_trial("adapters::tower_is_accepted", || async { tower_is_accepted(S3Server::start().await).await }),
        async_trial("adapters::tower_with_an_unread_body_is_accepted", || async {
            tower_unread(S3Server::start().await).await
        }),
        async_trial("adapters::tower_with_a_wrong_secret_is_refused", || async {
            let server = S3Server::start().await;
            let wrong = Credentials::new(server.access_key(), "not the secret");
            let answer = send(layer(wrong), Method::PUT, &server, "/bucket", "").await?;
            assert_eq!(answer.0, StatusCode::FORBIDDEN);
            assert!(answer.1.contains("<Code>SignatureDoesNotMatch</Code>"), "{}", answer.1);
            server.stop().await;
            Ok(())
        }),
        async_trial("adapters::tower_signs_at_the_time_of_its_clock", || async {
            let server = S3Server::start().await;
            let layer = layer(credentials(&server)).clock(Arc::new(Stopped));
            let answer = send(layer, Method::PUT, &server, "/bucket", "").await?;
            assert_eq!(answer.0, StatusCode::FORBIDDEN);
            assert!(answer.1.contains("<Code>RequestTimeTooSkewed</Code>"), "{}", answer.1);
            server.stop().await;
            Ok(())
        }),
        async_trial("adapters::tower_without_credentials_sends_nothing", || async {
            let server = S3Server::start().await;
            let error = send(layer(Nobody), Method::PUT, &server, "/bucket", "").await.unwrap_err();
            assert!(matches!(error.downcast_ref(), Some(SignError::Credentials(_))), "{error:?}");
            assert_eq!(server.requests(), 0);
            server.stop().await;
            Ok(())
        }),
        async_trial("adapters::reqwest_is_accepted", || async { reqwest_is_accepted(S3Server::start().await).await }),
        async_trial("adapters::reqwest_with_a_wrong_secret_is_refused", || async {
            let server = S3Server::start().await;
            let wrong = Credentials::new(server.access_key(), "not the secret");
            let request = client()?.put(format!("{}/bucket", server.endpoint())).build()?;
            let answer = client()?.execute(sign(&signer(), request, &wrong, PayloadSigning::Signed).await?).await?;
            assert_eq!(answer.status(), StatusCode::FORBIDDEN);
            assert!(answer.text().await?.contains("<Code>SignatureDoesNotMatch</Code>"));
            server.stop().await;
            Ok(())
        }),
        logged_trial("adapters::no_secret_is_logged", |logs| async move {
            tower_is_accepted(S3Server::start().await).await?;
            reqwest_is_accepted(S3Server::start().await).await?;
            assert_no_secret(&logs, &[SECRET_KEY]);
            Ok(())
        }),
    ]
}

fn signer() -> SigV4 {
    SigV4::s3("us-east-1")
}

fn credentials(server: &S3Server) -> Credentials {
    Credentials::new(server.access_key(), server.secret_key())
}

fn layer(provider: impl ProvideCredentials + 'static) -> SignLayer {
    SignLayer::new(signer(), provider)
}

#[derive(Debug)]
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

#[derive(Debug)]
struct Nobody;

impl ProvideCredentials for Nobody {
    fn identity(&self) -> BoxFuture<'_, Result<Credentials, CredentialsError>> {
        Box::pin(async { Err(CredentialsError::new(CredentialsErrorKind::NotConfigured, "nothing is set up")) })
    }
}

/// Sends one request through the layer and the HTTP client of hyper-util.
async fn send<P>(
    layer: SignLayer<P>,
    method: Method,
    server: &S3Server,
    path: &str,
    body: &'static str,
) -> Result<(StatusCode, String), Box<dyn std::error::Error + Send + Sync>>
where
    P: SignPayload<Bytes> + Send + Sync + 'static,
{
    let client = ServiceBuilder::new()
        .layer(layer)
        .map_request(|request: Request<Bytes>| request.map(Full::new))
        .service(Client::builder(TokioExecutor::new()).build_http());
    let request = Request::builder().method(method).uri(server.endpoint() + path).body(Bytes::from(body))?;
    let response = client.oneshot(request).await?;
    let status = response.status();
    let body = Limited::new(response.into_body(), 1 << 20).collect().await?.to_bytes();
    Ok((status, String::from_utf8(body.into())?))
}

async fn tower_is_accepted(server: S3Server) -> Result<(), Failed> {
    let layer = layer(credentials(&server));
    for (method, path, body, expected) in [
        (Method::PUT, "/bucket", "", ""),
        (Method::PUT, "/bucket/a%20b%2Bc", "the body", ""),
        (Method::GET, "/bucket/a%20b%2Bc?response-content-type=text/plain", "", "the body"),
    ] {
        let answer = send(layer.clone(), method, &server, path, body).await.map_err(|error| format!("{error:?}"))?;
        assert_eq!(answer, (StatusCode::OK, expected.to_owned()), "{path}");
    }
    server.stop().await;
    Ok(())
}

async fn tower_unread(server: S3Server) -> Result<(), Failed> {
    let layer = layer(credentials(&server));
    let (empty, unsigned) = (layer.clone().payload(BodyNotRead::Empty), layer.payload(BodyNotRead::Unsigned));
    let failed = |error| Failed::from(format!("{error:?}"));
    let made = send(empty.clone(), Method::PUT, &server, "/bucket", "").await.map_err(failed)?;
    assert_eq!(made.0, StatusCode::OK, "{}", made.1);
    let stored = send(unsigned, Method::PUT, &server, "/bucket/key", "the body").await.map_err(failed)?;
    assert_eq!(stored.0, StatusCode::OK, "{}", stored.1);
    let read = send(empty.clone(), Method::GET, &server, "/bucket/key", "").await.map_err(failed)?;
    assert_eq!(read, (StatusCode::OK, "the body".to_owned()));
    // A body where the signature says that there is none.
    let refused = send(empty.clone(), Method::PUT, &server, "/bucket/key", "another body").await.map_err(failed)?;
    assert!(!refused.0.is_success(), "{} {}", refused.0, refused.1);
    let kept = send(empty, Method::GET, &server, "/bucket/key", "").await.map_err(failed)?;
    assert_eq!(kept, (StatusCode::OK, "the body".to_owned()));
    server.stop().await;
    Ok(())
}

fn client() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder().redirect(Policy::none()).no_proxy().build()
}

async fn reqwest_is_accepted(server: S3Server) -> Result<(), Failed> {
    let (client, signer, credentials) = (client()?, signer(), credentials(&server));
    let url = |path: &str| server.endpoint() + path;
    let stream = || reqwest::Body::wrap(Full::new(Bytes::from("a stream")));
    let requests = [
        (client.put(url("/bucket")), PayloadSigning::Signed, ""),
        (client.put(url("/bucket/grün+b")).body("the body"), PayloadSigning::Signed, ""),
        (client.get(url("/bucket/grün+b?response-content-type=text/plain")), PayloadSigning::Signed, "the body"),
        (
            client.put(url("/bucket/streamed")).header("content-length", "8").body(stream()),
            PayloadSigning::Unsigned,
            "",
        ),
        (client.get(url("/bucket/streamed")), PayloadSigning::Unsigned, "a stream"),
    ];
    for (request, payload, expected) in requests {
        let signed = sign(&signer, request.build()?, &credentials, payload).await?;
        let path = signed.url().path().to_owned();
        let answer = client.execute(signed).await?;
        assert_eq!(answer.status(), StatusCode::OK, "{path}: {}", answer.text().await?);
        assert_eq!(answer.text().await?, expected, "{path}");
    }
    let streamed = client.put(url("/bucket/key")).body(stream()).build()?;
    let before = server.requests();
    let refused = sign(&signer, streamed, &credentials, PayloadSigning::Signed).await;
    assert!(matches!(refused, Err(SignError::StreamedBody)));
    assert_eq!(server.requests(), before);
    server.stop().await;
    Ok(())
}
