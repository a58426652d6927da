use std::time::Duration;

use http::Request;
use time::OffsetDateTime;

use super::*;
use crate::SigningErrorKind as Kind;

const BODY: &str = "Welcome to Amazon S3.";

fn at(timestamp: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(timestamp).unwrap()
}

/// 2013-05-24T00:00:00Z, the moment of the examples in the Amazon S3 API Reference.
fn s3_example() -> (SigV4, Credentials, OffsetDateTime) {
    let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    (SigV4::s3("us-east-1"), credentials, at(1_369_353_600))
}

fn signature_of<B>(request: &Request<B>) -> &str {
    request.headers()["authorization"].to_str().unwrap().rsplit_once("Signature=").unwrap().1
}

// "Authenticating Requests: Using the Authorization Header", examples GET Object, PUT Object, GET Bucket Lifecycle.
#[test]
fn the_published_examples_of_s3_headers() {
    let (signer, credentials, now) = s3_example();
    let mut get =
        Request::get("https://examplebucket.s3.amazonaws.com/test.txt").header("range", "bytes=0-9").body(()).unwrap();
    signer.sign(&mut get, Payload::empty(), &credentials, now).unwrap();
    assert_eq!(signature_of(&get), "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
    assert_eq!(
        get.headers()["authorization"],
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, \
         SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, \
         Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    );

    let mut put = Request::put("https://examplebucket.s3.amazonaws.com/test$file.text")
        .header("date", "Fri, 24 May 2013 00:00:00 GMT")
        .header("x-amz-storage-class", "REDUCED_REDUNDANCY")
        .body(())
        .unwrap();
    signer.sign(&mut put, Payload::bytes(BODY), &credentials, now).unwrap();
    assert_eq!(signature_of(&put), "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");

    let mut lifecycle = Request::get("https://examplebucket.s3.amazonaws.com/?lifecycle").body(()).unwrap();
    signer.sign(&mut lifecycle, Payload::empty(), &credentials, now).unwrap();
    assert_eq!(signature_of(&lifecycle), "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
}

// "Authenticating Requests: Using Query Parameters".
#[test]
fn the_published_example_of_a_presigned_url() {
    let (signer, credentials, now) = s3_example();
    let request = Request::get("https://examplebucket.s3.amazonaws.com/test.txt").body(()).unwrap();
    let url = signer.presign(&request, Duration::from_secs(86_400), &credentials, now).unwrap();
    assert_eq!(
        url.as_str(),
        "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256\
         &X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z\
         &X-Amz-Expires=86400&X-Amz-SignedHeaders=host\
         &X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    );
    assert!(!format!("{url:?}").contains("aeeed9bb"));
    assert_eq!(url.to_uri().unwrap().host(), Some("examplebucket.s3.amazonaws.com"));
}

#[test]
fn a_query_that_is_there_stays_as_written() {
    let (signer, credentials, now) = s3_example();
    let request = Request::get("http://h:9000/k?versionId=a%2Bb&acl").body(()).unwrap();
    let url = signer.presign(&request, Duration::from_secs(1), &credentials, now).unwrap();
    assert!(url.as_str().starts_with("http://h:9000/k?versionId=a%2Bb&acl&X-Amz-Algorithm="), "{url}");
}

#[test]
fn a_token_is_signed_or_added_afterwards() {
    let (signer, credentials, now) = s3_example();
    let credentials = credentials.with_session_token("to/ken");
    let request = || Request::get("https://h/").body(()).unwrap();
    let signed = signer.presign(&request(), Duration::from_secs(1), &credentials, now).unwrap();
    assert!(signed.as_str().contains("&X-Amz-Security-Token=to%2Fken&X-Amz-SignedHeaders="), "{signed}");

    let signer = signer.token_placement(TokenPlacement::AddedAfterSigning);
    let after = signer.presign(&request(), Duration::from_secs(1), &credentials, now).unwrap();
    assert!(
        after.as_str().contains("&X-Amz-SignedHeaders=host&X-Amz-Security-Token=to%2Fken&X-Amz-Signature="),
        "{after}"
    );

    let mut in_headers = request();
    signer.sign(&mut in_headers, Payload::empty(), &credentials, now).unwrap();
    assert_eq!(in_headers.headers()["x-amz-security-token"], "to/ken");
    assert!(!in_headers.headers()["authorization"].to_str().unwrap().contains("x-amz-security-token"));
    assert!(in_headers.headers()["x-amz-security-token"].is_sensitive());
}

#[test]
fn the_presets_differ_in_what_they_send() {
    let (_, credentials, now) = s3_example();
    let sent = |signer: &SigV4, payload: Payload<'_>| {
        let mut request = Request::get("https://h/").body(()).unwrap();
        signer.sign(&mut request, payload, &credentials, now).unwrap();
        request.headers().get("x-amz-content-sha256").map(|value| value.to_str().unwrap().to_owned())
    };
    let general = SigV4::new("execute-api", "us-east-1");
    assert_eq!(sent(&general, Payload::empty()), None);
    assert_eq!(sent(&general, Payload::Unsigned).as_deref(), Some("UNSIGNED-PAYLOAD"));
    assert_eq!(sent(&SigV4::s3("us-east-1"), Payload::empty()).as_deref(), Some(crate::payload::EMPTY_SHA256));
    assert_eq!(sent(&SigV4::vpc_lattice("us-east-1"), Payload::Unsigned).as_deref(), Some("UNSIGNED-PAYLOAD"));
}

#[test]
fn the_host_is_what_a_client_sends() {
    let (signer, credentials, now) = s3_example();
    for (url, host) in [
        ("https://h/", Some("h")),
        ("https://h:443/", Some("h")),
        ("https://h:80/", Some("h:80")),
        ("http://h:80/", Some("h")),
        ("http://[::1]:9000/", Some("[::1]:9000")),
        ("https://[::1]:443/", Some("[::1]")),
    ] {
        let mut request = Request::get(url).body(()).unwrap();
        signer.sign(&mut request, Payload::empty(), &credentials, now).unwrap();
        assert_eq!(request.headers().get("host").map(|value| value.to_str().unwrap()), host, "{url}");
    }
    let mut request = Request::get("https://h/").header("host", "other").body(()).unwrap();
    signer.sign(&mut request, Payload::empty(), &credentials, now).unwrap();
    assert_eq!(request.headers()["host"], "other");
}

#[test]
fn what_changes_on_the_way_is_not_signed() {
    let (signer, credentials, now) = s3_example();
    let signer = signer.leave_unsigned(http::header::ACCEPT_ENCODING);
    let mut request = Request::get("https://h/")
        .header("user-agent", "x")
        .header("x-amzn-trace-id", "x")
        .header("connection", "close")
        .header("accept-encoding", "gzip")
        .header("accept", "*/*")
        .body(())
        .unwrap();
    signer.sign(&mut request, Payload::empty(), &credentials, now).unwrap();
    let authorization = request.headers()["authorization"].to_str().unwrap();
    assert!(authorization.contains("SignedHeaders=accept;host;x-amz-content-sha256;x-amz-date,"), "{authorization}");
}

/// What can't be signed, and that the request is untouched by the attempt.
#[track_caller]
fn check_refused(signer: &SigV4, request: http::request::Builder, credentials: &Credentials, kind: Kind) {
    let mut request = request.body(()).unwrap();
    let before = (request.uri().clone(), request.headers().clone());
    let error = signer.sign(&mut request, Payload::empty(), credentials, at(0)).unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    assert_eq!(before, (request.uri().clone(), request.headers().clone()));
    let secret = credentials.secret_access_key().expose_secret();
    assert!(secret.is_empty() || !format!("{error}{error:?}").contains(secret));
}

#[test]
fn refusals_change_nothing() {
    let signer = SigV4::new("service", "us-east-1");
    let good = Credentials::new("AKID", "canary");
    let get = || Request::get("https://h/");
    for header in ["authorization", "x-amz-date", "X-Amz-Security-Token"] {
        check_refused(&signer, get().header(header, "x"), &good, Kind::AlreadySigned);
    }
    check_refused(&signer, Request::get("/"), &good, Kind::MissingHost);
    check_refused(&signer, Request::get("https://user:pass@h/"), &good, Kind::InvalidUrl);
    check_refused(&signer, get().header("x-amz-content-sha256", "x"), &good, Kind::InvalidHeader);
    for (service, region) in [("", "r"), ("s", ""), ("s", "us/east"), ("s/3", "r"), ("s", "r\r\n"), ("s", "\u{e9}")] {
        check_refused(&SigV4::new(service, region), get(), &good, Kind::InvalidScope);
    }
    for id in ["", "AK ID", "AKID\n", "A,B", "\u{e9}"] {
        check_refused(&signer, get(), &Credentials::new(id, "canary"), Kind::InvalidCredentials);
    }
    for token in ["a\r\nb", "a b\n", "\u{0}"] {
        check_refused(&signer, get(), &good.clone().with_session_token(token), Kind::InvalidCredentials);
    }
}

#[test]
fn a_url_lives_from_a_second_to_seven_days() {
    let (signer, credentials, now) = s3_example();
    let request = Request::get("https://h/").body(()).unwrap();
    let week = 7 * 24 * 60 * 60;
    for (seconds, good) in [(0, false), (1, true), (week, true), (week + 1, false), (u64::MAX, false)] {
        let result = signer.presign(&request, Duration::from_secs(seconds), &credentials, now);
        assert_eq!(result.is_ok(), good, "{seconds}");
        if let Err(error) = result {
            assert_eq!(error.kind(), Kind::InvalidExpiry);
        }
    }
    let short = signer.presign(&request, Duration::from_millis(999), &credentials, now);
    assert_eq!(short.unwrap_err().kind(), Kind::InvalidExpiry);
    for url in ["https://h/?X-Amz-Signature=a", "https://h/?a=1&x-amz-expires=3"] {
        let request = Request::get(url).body(()).unwrap();
        let error = signer.presign(&request, Duration::from_secs(1), &credentials, now).unwrap_err();
        assert_eq!(error.kind(), Kind::AlreadySigned);
    }
    let relative = Request::get("/k").header("host", "h").body(()).unwrap();
    let error = signer.presign(&relative, Duration::from_secs(1), &credentials, now).unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidUrl);
}

#[test]
fn text_is_signed_as_written_and_sent_encoded() {
    let credentials = Credentials::new("AKID", "secret");
    let signer = SigV4::new("service", "us-east-1");
    let request = RawRequest::new("GET", "https://H.example:443/a b/\u{1234}?q=a b#".trim_end_matches('#'));
    let signed = signer.sign_raw(&request, Payload::empty(), &credentials, at(0)).unwrap();
    assert!(
        signed.canonical_request.starts_with("GET\n/a%20b/%E1%88%B4\nq=a%20b\nhost:h.example\n"),
        "{}",
        signed.canonical_request
    );
    assert_eq!(signed.url, "https://H.example:443/a%20b/%E1%88%B4?q=a%20b");
    let names: Vec<&str> = signed.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["host", "x-amz-date", "authorization"]);
}

#[test]
fn text_that_no_request_can_be_is_refused() {
    let credentials = Credentials::new("AKID", "secret");
    let signer = SigV4::new("service", "us-east-1");
    let refuse =
        |request: RawRequest| signer.sign_raw(&request, Payload::empty(), &credentials, at(0)).unwrap_err().kind();
    for url in [
        "",
        "/a",
        "h/a",
        "ftp://h/",
        "https://",
        "https:///a",
        "https://u@h/",
        "https://h h/",
        "https://h/#a",
        "https://h\r\n/",
    ] {
        assert_eq!(refuse(RawRequest::new("GET", url)), Kind::InvalidUrl, "{url}");
    }
    for method in ["", "G ET", "GET\n"] {
        assert_eq!(refuse(RawRequest::new(method, "https://h/")), Kind::InvalidHeader, "{method}");
    }
    for (name, value) in [
        ("", "x"),
        ("a b", "x"),
        ("a:", "x"),
        ("a", "x\ny"),
        ("a", "x\r\ny: z"),
        ("a", "\u{0}"),
        ("a", "x\r"),
        ("a", "x\n"),
    ] {
        assert_eq!(
            refuse(RawRequest::new("GET", "https://h/").header(name, value)),
            Kind::InvalidHeader,
            "{name}:{value:?}"
        );
    }
    let folded = RawRequest::new("GET", "https://h/").header("a", "x\r\n  y\n\tz");
    let signed = signer.sign_raw(&folded, Payload::empty(), &credentials, at(0)).unwrap();
    assert!(signed.canonical_request.contains("\na:x y z\n"));
}

#[test]
fn a_signer_is_shared_by_threads() {
    let (signer, credentials, now) = s3_example();
    let signature = |signer: &SigV4| {
        let mut request = Request::get("https://h/").body(()).unwrap();
        signer.sign(&mut request, Payload::empty(), &credentials, now).unwrap();
        signature_of(&request).to_owned()
    };
    let first = signature(&signer);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..100).for_each(|_| assert_eq!(signature(&signer), first)));
        }
    });
}

#[test]
fn debug_shows_no_secret() {
    let credentials = Credentials::new("AKID", "canary").with_session_token("canary");
    let signer = SigV4::s3("us-east-1");
    let request = RawRequest::new("GET", "https://h/?X-Amz-Foo=1").header("cookie", "canary");
    let signed = signer.sign_raw(&request, Payload::bytes("canary"), &credentials, at(0)).unwrap();
    let shown = format!("{credentials:?}{signer:?}{request:?}{signed:?}{:?}", Payload::bytes("canary"));
    assert!(!shown.contains("canary") && !shown.contains(&signed.signature), "{shown}");
}
