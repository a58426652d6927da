//! S3's older signature before a real server that still takes it: OpenStack Swift.

use std::time::Duration;

use aws_sigv4_free_http_transport::hyper::HyperTransport;
use aws_sigv4_free_http_transport::{Body, Transport as _};
use aws_sigv4_free_signing::{Credentials, S3SigV2};
use http::{Method, StatusCode};
use integration_tests::plain_http;
use libtest_mimic::{Failed, Trial};
use time::OffsetDateTime;

use crate::harness::{async_trial, skipped};

pub fn trials() -> Vec<Trial> {
    ["signed_headers", "presigned_urls"]
        .into_iter()
        .map(|case| {
            let name = format!("sigv2_swift::{case}");
            let Ok(store) = std::env::var("SIGV4_TEST_SWIFT") else {
                return skipped(&name, "SIGV4_TEST_SWIFT is not set: `cargo xtask test` starts the store");
            };
            async_trial(&name, move || async move {
                let [endpoint, access_key, secret_key] = store.split(' ').collect::<Vec<_>>()[..] else {
                    return Err("the store is described by a URL, an access key and a secret key".into());
                };
                let store = Store::new(endpoint, Credentials::new(access_key, secret_key))?;
                let bucket = format!("sigv2-{:016x}", fastrand::u64(..));
                store.expect(Method::PUT, &format!("/{bucket}"), StatusCode::OK).await?;
                let outcome = match case {
                    "signed_headers" => signed_headers(&store, &bucket).await,
                    _ => presigned_urls(&store, &bucket).await,
                };
                store.expect(Method::DELETE, &format!("/{bucket}"), StatusCode::NO_CONTENT).await?;
                outcome
            })
        })
        .collect()
}

struct Store {
    endpoint: String,
    credentials: Credentials,
    transport: HyperTransport,
}

impl Store {
    fn new(endpoint: &str, credentials: Credentials) -> Result<Self, Failed> {
        Ok(Self { endpoint: endpoint.to_owned(), credentials, transport: HyperTransport::new()? })
    }

    fn request(&self, method: Method, path: &str) -> Result<http::Request<Body>, Failed> {
        let body =
            if method == Method::PUT && path.matches('/').count() > 1 { Body::from("body") } else { Body::empty() };
        Ok(http::Request::builder().method(method).uri(format!("{}{path}", self.endpoint)).body(body)?)
    }

    async fn status(&self, request: http::Request<Body>) -> Result<StatusCode, Failed> {
        Ok(self.transport.send(request).await?.status())
    }

    /// Signs a request now, and holds the answer against what is expected.
    async fn expect(&self, method: Method, path: &str, expected: StatusCode) -> Result<(), Failed> {
        let mut request = self.request(method.clone(), path)?;
        S3SigV2::path_style().sign(&mut request, &self.credentials, OffsetDateTime::now_utc())?;
        assert_eq!(self.status(request).await?, expected, "{method} {path}");
        Ok(())
    }
}

async fn signed_headers(store: &Store, bucket: &str) -> Result<(), Failed> {
    let object = format!("/{bucket}/a%20b/%C3%BCml%C3%A4ut~*");
    let now = OffsetDateTime::now_utc();
    let mut put = store.request(Method::PUT, &object)?;
    for (name, value) in [
        ("content-type", "text/plain"),
        ("content-md5", "hBotaJrYa9FhFEdFPCLG/A=="),
        ("x-amz-meta-b", "two  three"),
        ("x-amz-meta-a", "one"),
    ] {
        put.headers_mut().insert(name, value.parse()?);
    }
    S3SigV2::path_style().sign(&mut put, &store.credentials, now)?;
    assert_eq!(store.status(put).await?, StatusCode::OK);
    // Parameters that are signed, that are not, and that override headers of the answer.
    for query in ["", "?acl", "?response-content-type=text%2Fcsv", "?x=1"] {
        store.expect(Method::GET, &format!("{object}{query}"), StatusCode::OK).await?;
    }
    store.expect(Method::GET, &format!("/{bucket}?prefix=a&max-keys=2&delimiter=%2F"), StatusCode::OK).await?;
    store.expect(Method::GET, &format!("/{bucket}?location="), StatusCode::OK).await?;

    let refused = |request: http::Request<Body>| store.status(request);
    let wrong = Credentials::new(store.credentials.access_key_id(), "not-the-secret-key");
    let mut request = store.request(Method::GET, &object)?;
    S3SigV2::path_style().sign(&mut request, &wrong, now)?;
    assert_eq!(refused(request).await?, StatusCode::FORBIDDEN, "a wrong secret");
    let mut request = store.request(Method::GET, &object)?;
    S3SigV2::path_style().sign(&mut request, &store.credentials, now)?;
    request.headers_mut().insert("x-amz-acl", "public-read".parse()?);
    assert_eq!(refused(request).await?, StatusCode::FORBIDDEN, "a header added afterwards");
    let mut request = store.request(Method::GET, &object)?;
    S3SigV2::path_style().sign(&mut request, &store.credentials, now - time::Duration::hours(1))?;
    assert_eq!(refused(request).await?, StatusCode::FORBIDDEN, "an hour ago");
    store.expect(Method::DELETE, &object, StatusCode::NO_CONTENT).await
}

async fn presigned_urls(store: &Store, bucket: &str) -> Result<(), Failed> {
    let object = format!("/{bucket}/shared%20with/a%20friend");
    let now = OffsetDateTime::now_utc();
    let life = Duration::from_secs(60);
    let signer = S3SigV2::path_style();
    let presign = |method: Method, path: &str, credentials: &Credentials, at: OffsetDateTime| {
        Ok::<_, Failed>(signer.presign(&store.request(method, path)?, life, credentials, at)?)
    };
    let put = presign(Method::PUT, &object, &store.credentials, now)?;
    let answer = store.transport.send(http::Request::put(put.as_str()).body(Body::from("for you"))?).await?;
    assert_eq!(answer.status(), StatusCode::OK);
    for query in ["", "?response-content-type=text%2Fcsv"] {
        let url = presign(Method::GET, &format!("{object}{query}"), &store.credentials, now)?;
        let answer = plain_http::get(url.as_str()).await?;
        assert_eq!((answer.status, &answer.body[..]), (200, &b"for you"[..]), "{}", answer.head);
    }

    let wrong = Credentials::new(store.credentials.access_key_id(), "not-the-secret-key");
    let url = presign(Method::GET, &object, &wrong, now)?;
    assert_eq!(plain_http::get(url.as_str()).await?.code(), Some("SignatureDoesNotMatch"), "a wrong secret");
    let url = presign(Method::GET, &object, &store.credentials, now)?;
    let other = url.as_str().replacen("friend?", "foe?", 1);
    assert_eq!(plain_http::get(&other).await?.code(), Some("SignatureDoesNotMatch"), "another object");
    let url = presign(Method::GET, &object, &store.credentials, now - time::Duration::hours(1))?;
    assert_eq!(plain_http::get(url.as_str()).await?.code(), Some("AccessDenied"), "expired");
    store.expect(Method::DELETE, &object, StatusCode::NO_CONTENT).await
}
