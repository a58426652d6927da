//! URLs that somebody without credentials uses, and requests that are refused, each for its own reason.

use std::time::Duration;

use aws_sigv4_free_core::call::RetryPolicy;
use aws_sigv4_free_core::clock::Clock;
use aws_sigv4_free_http_transport::hyper::{HyperTransport, Proxy};
use aws_sigv4_free_http_transport::{self as transport, Body, BoxFuture, Request, Response, Transport};
use aws_sigv4_free_s3::{Checksum, ChecksumAlgorithm, Credentials, ErrorExt, ErrorKind, S3, S3ErrorCode};
use http::{HeaderValue, Method};
use integration_tests::s3_server::S3Server;
use libtest_mimic::{Failed, Trial};
use time::OffsetDateTime;

use crate::harness::async_trial;
use crate::s3::{builder, client};

const MINUTE: Duration = Duration::from_secs(60);

pub fn trials() -> Vec<Trial> {
    vec![
        async_trial("s3_presign::a_stranger_gets_puts_heads_and_deletes", || async {
            stranger(S3Server::start().await).await
        }),
        async_trial("s3_presign::headers_of_the_url_have_to_be_sent", || async {
            headers(S3Server::start().await).await
        }),
        async_trial("s3_presign::a_url_ends", || async { expiry(S3Server::start().await).await }),
        async_trial("s3_presign::a_changed_url_is_refused", || async { changed_url(S3Server::start().await).await }),
        async_trial("s3_presign::a_wrong_secret_is_named", || async { wrong_secret(S3Server::start().await).await }),
        async_trial("s3_presign::an_unknown_key_is_named", || async { unknown_key(S3Server::start().await).await }),
        async_trial("s3_presign::an_anonymous_caller_is_refused", || async {
            anonymous(S3Server::start().await).await
        }),
        async_trial("s3_presign::what_is_changed_on_its_way_is_refused", || async {
            on_its_way(S3Server::start().await).await
        }),
        async_trial("s3_presign::a_wrong_clock_is_corrected", || async { wrong_clock(S3Server::start().await).await }),
    ]
}

/// Sends a request that carries nothing but its URL.
async fn fetch(
    method: Method,
    url: &str,
    body: &'static str,
    headers: &[(&'static str, &'static str)],
) -> Result<(u16, String), Failed> {
    let mut request = http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let transport = HyperTransport::builder().proxy(Proxy::none()).build()?;
    let (head, body) = transport.send(request.body(Body::from(body))?).await?.into_parts();
    let body = body.collect(1 << 20).await?;
    Ok((head.status.as_u16(), String::from_utf8_lossy(&body).into_owned()))
}

async fn stranger(server: S3Server) -> Result<(), Failed> {
    let bucket = client(&server).bucket("photos");
    bucket.create().await?;
    for key in ["cat.jpg", "odd key+=%2b?#ü/..x"] {
        let object = bucket.object(key);
        let before = server.requests();
        let put = object.presign_put(MINUTE).await?;
        let (get, head) = (object.presign_get(MINUTE).await?, object.presign_head(MINUTE).await?);
        let delete = object.presign_delete(MINUTE).await?;
        assert_eq!(server.requests(), before, "a URL is made without the server");
        assert_eq!(fetch(Method::PUT, put.as_str(), "meow", &[]).await?.0, 200, "{key}");
        assert_eq!(fetch(Method::GET, get.as_str(), "", &[]).await?, (200, "meow".to_owned()), "{key}");
        assert_eq!(fetch(Method::HEAD, head.as_str(), "", &[]).await?.0, 200, "{key}");
        // A URL is for one method.
        assert_eq!(fetch(Method::DELETE, get.as_str(), "", &[]).await?.0, 403, "{key}");
        assert_eq!(fetch(Method::DELETE, delete.as_str(), "", &[]).await?.0, 204, "{key}");
        assert_eq!(fetch(Method::GET, get.as_str(), "", &[]).await?.0, 404, "{key}");
    }
    server.stop().await;
    Ok(())
}

async fn headers(server: S3Server) -> Result<(), Failed> {
    let bucket = client(&server).bucket("photos");
    bucket.create().await?;
    let object = bucket.object("cat.jpg");
    let url = object.put("").content_type("image/jpeg").metadata("colour", "black").presign(MINUTE).await?;
    let good = [("content-type", "image/jpeg"), ("x-amz-meta-colour", "black")];
    assert_eq!(fetch(Method::PUT, url.as_str(), "meow", &good).await?.0, 200);
    assert_eq!(object.head().await?.metadata["colour"], "black");
    let changed = [("content-type", "image/jpeg"), ("x-amz-meta-colour", "white")];
    let (status, body) = fetch(Method::PUT, url.as_str(), "meow", &changed).await?;
    assert_eq!(status, 403, "{body}");
    assert!(body.contains("SignatureDoesNotMatch"), "{body}");
    assert!(fetch(Method::PUT, url.as_str(), "meow", &[]).await?.0 >= 400);

    let url = object.get().response_content_disposition("attachment; filename=\"a b.jpg\"").presign(MINUTE).await?;
    assert_eq!(fetch(Method::GET, url.as_str(), "", &[]).await?, (200, "meow".to_owned()));
    server.stop().await;
    Ok(())
}

/// A clock that is wrong by so many seconds.
#[derive(Debug)]
struct Wrong(i64);

impl Clock for Wrong {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc() + time::Duration::seconds(self.0)
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

fn with_clock(server: &S3Server, seconds: i64) -> S3 {
    builder(server).clock(Wrong(seconds)).build().unwrap()
}

async fn expiry(server: S3Server) -> Result<(), Failed> {
    let bucket = client(&server).bucket("photos");
    bucket.create().await?;
    bucket.object("a").put("hello").await?;
    // Made two minutes ago, it is over after one, and not after three.
    let object = with_clock(&server, -120).bucket("photos").object("a");
    let ended = object.presign_get(MINUTE).await?;
    let (status, body) = fetch(Method::GET, ended.as_str(), "", &[]).await?;
    assert_eq!(status, 403, "{body}");
    assert!(body.contains("AccessDenied") || body.contains("expired"), "{body}");
    let alive = object.presign_get(MINUTE * 3).await?;
    assert_eq!(fetch(Method::GET, alive.as_str(), "", &[]).await?.0, 200);
    server.stop().await;
    Ok(())
}

async fn changed_url(server: S3Server) -> Result<(), Failed> {
    let bucket = client(&server).bucket("photos");
    bucket.create().await?;
    bucket.object("a").put("hello").await?;
    bucket.object("b").put("secret").await?;
    let url = bucket.object("a").presign_get(MINUTE).await?.into_string();
    assert_eq!(fetch(Method::GET, &url, "", &[]).await?.0, 200);
    for changed in [
        url.replace("/photos/a?", "/photos/b?"),
        url.replace("X-Amz-Expires=60", "X-Amz-Expires=600"),
        url.replace("us-east-1", "us-east-2"),
        format!("{url}&versionId=1"),
        {
            let (rest, signature) = url.split_once("X-Amz-Signature=").ok_or("no signature")?;
            let flipped = if signature.starts_with('0') { '1' } else { '0' };
            format!("{rest}X-Amz-Signature={flipped}{}", &signature[1..])
        },
    ] {
        assert_ne!(changed, url);
        let (status, body) = fetch(Method::GET, &changed, "", &[]).await?;
        assert_eq!(status, 403, "{body}");
        assert!(body.contains("SignatureDoesNotMatch"), "{body}");
    }
    server.stop().await;
    Ok(())
}

async fn wrong_secret(server: S3Server) -> Result<(), Failed> {
    let s3 = builder(&server).credentials(Credentials::new(server.access_key(), "canary of another secret")).build()?;
    let error = s3.bucket("photos").create().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.s3_code()),
        (ErrorKind::Service, Some(S3ErrorCode::SignatureDoesNotMatch)),
        "{error}"
    );
    assert!(error.to_string().contains("check the secret access key"), "{error}");
    let mismatch =
        error.service().and_then(|refusal| refusal.signature_mismatch()).ok_or("the server's view is kept")?;
    assert!(mismatch.canonical_request().is_some_and(|request| request.starts_with("PUT\n/photos\n")));
    assert!(!format!("{error:?} {error}").contains("canary"), "{error:?}");
    assert_eq!(error.attempts().len(), 1, "it is not tried again");

    // HEAD has no body that could name the cause.
    let head = s3.bucket("photos").head().await.unwrap_err();
    assert!(head.is_access_denied(), "{head}");
    let url = s3.bucket("photos").object("a").presign_get(MINUTE).await?;
    let (status, body) = fetch(Method::GET, url.as_str(), "", &[]).await?;
    assert_eq!(status, 403, "{body}");
    assert!(body.contains("SignatureDoesNotMatch"), "{body}");
    server.stop().await;
    Ok(())
}

async fn unknown_key(server: S3Server) -> Result<(), Failed> {
    let credentials = Credentials::new("AKIDNOBODY", server.secret_key());
    let s3 = builder(&server).credentials(credentials).build()?;
    let error = s3.bucket("photos").create().await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Service, Some("NotSignedUp")), "{error}");
    server.stop().await;
    Ok(())
}

async fn anonymous(server: S3Server) -> Result<(), Failed> {
    let bucket = client(&server).bucket("photos");
    bucket.create().await?;
    bucket.object("a").put("hello").await?;
    let nobody = builder(&server).anonymous().build()?;
    let error = nobody.bucket("photos").object("a").get().await.unwrap_err();
    assert!(error.is_access_denied(), "{error}");
    server.stop().await;
    Ok(())
}

/// A network that changes requests after they were signed.
#[derive(Debug)]
struct Tampering {
    inner: HyperTransport,
    change: fn(&mut Request),
}

impl Transport for Tampering {
    fn send(&self, mut request: Request) -> BoxFuture<'_, Result<Response, transport::Error>> {
        (self.change)(&mut request);
        self.inner.send(request)
    }
}

async fn on_its_way(server: S3Server) -> Result<(), Failed> {
    let bucket = client(&server).bucket("photos");
    bucket.create().await?;
    bucket.object("a").put("hello").metadata("colour", "black").await?;
    let through = |change: fn(&mut Request)| -> Result<S3, Failed> {
        let inner = HyperTransport::builder().proxy(Proxy::none()).build()?;
        Ok(builder(&server).retry(RetryPolicy::off()).transport(Tampering { inner, change }).build()?)
    };
    let header = through(|request| {
        request.headers_mut().insert("x-amz-meta-colour", HeaderValue::from_static("white"));
    })?;
    let error = header.bucket("photos").object("a").put("hello").metadata("colour", "red").await.unwrap_err();
    assert_eq!(error.s3_code(), Some(S3ErrorCode::SignatureDoesNotMatch), "{error}");

    let key = through(|request| {
        let changed = request.uri().to_string().replace("/photos/c", "/photos/a");
        *request.uri_mut() = changed.parse().unwrap();
    })?;
    let error = key.bucket("photos").object("c").put("evil").await.unwrap_err();
    assert_eq!(error.s3_code(), Some(S3ErrorCode::SignatureDoesNotMatch), "{error}");

    let body = through(|request| *request.body_mut() = Body::from("jello"))?;
    let error = body.bucket("photos").object("a").put("hello").await.unwrap_err();
    // The server finds it while it stores the bytes, and has no better code for it than InternalError.
    assert_eq!(error.kind(), ErrorKind::Service, "the signature covers the bytes: {error}");
    let download = bucket.object("a").get().await?;
    assert_eq!(download.info().checksum, Some(Checksum::of(ChecksumAlgorithm::Crc32, b"hello")));
    assert_eq!(download.bytes(5).await?, "hello", "nothing of it was stored");
    assert_eq!(bucket.object("a").head().await?.metadata["colour"], "black");
    // Where the signature does not cover the bytes, the checksum still does: against accidents.
    let error = body.bucket("photos").object("b").put("hello").unsigned_payload().await.unwrap_err();
    assert_eq!(error.s3_code(), Some(S3ErrorCode::BadDigest), "{error}");
    // And so does that of a download. This server has kept the new bytes with the old checksum.
    let error = body.bucket("photos").object("a").put("hello").unsigned_payload().await.unwrap_err();
    assert_eq!(error.s3_code(), Some(S3ErrorCode::BadDigest), "{error}");
    let error = bucket.object("a").get().bytes(5).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Integrity, "{error}");
    server.stop().await;
    Ok(())
}

async fn wrong_clock(server: S3Server) -> Result<(), Failed> {
    for seconds in [-3600, 3600] {
        let s3 = with_clock(&server, seconds);
        let name = format!("photos{}", if seconds < 0 { "-slow" } else { "-fast" });
        s3.bucket(&name).create().await?;
        let measured = s3.caller().skew().ok_or("no skew was measured")?.whole_seconds();
        assert!((measured + seconds).abs() <= 5, "measured {measured} for {seconds}");
    }
    server.stop().await;
    Ok(())
}
