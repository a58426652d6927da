use time::OffsetDateTime;

use super::*;
use crate::{Credentials, PathEncoding, PathNormalization, Payload, RawRequest, SigV4};

fn credentials() -> Credentials {
    Credentials::new("AKID", "canary-secret").with_session_token("canary-token")
}

fn explain(signer: &SigV4, request: &RawRequest) -> Explanation {
    signer.explain(request, Payload::empty(), &credentials(), OffsetDateTime::UNIX_EPOCH).unwrap()
}

/// What a server says that computed something else.
#[track_caller]
fn check(ours: &Explanation, theirs: &str, kind: CauseKind, line: &str, words: &str) {
    let diagnosis = ours.compare(&ServerView::new().canonical_request(theirs).code("SignatureDoesNotMatch"));
    assert_eq!(diagnosis.causes[0].kind, kind, "{diagnosis}");
    assert_eq!(diagnosis.difference.as_ref().unwrap().line, line, "{diagnosis}");
    let shown = format!("{diagnosis}{diagnosis:?}");
    assert!(shown.contains(words), "{diagnosis}");
    assert!(!shown.contains("canary"), "{diagnosis}");
}

fn general() -> SigV4 {
    SigV4::new("service", "us-east-1")
}

#[test]
fn equal_texts_mean_another_secret() {
    let ours = explain(&general(), &RawRequest::new("GET", "https://h/"));
    for server in [
        ServerView::new().canonical_request(ours.canonical_request()),
        ServerView::new().string_to_sign(ours.string_to_sign()),
        ServerView::new().canonical_request(ours.canonical_request()).string_to_sign(ours.string_to_sign()),
    ] {
        let diagnosis = ours.compare(&server.code("SignatureDoesNotMatch"));
        assert_eq!(diagnosis.difference, None);
        assert_eq!(diagnosis.causes[0].kind, CauseKind::Secret);
        assert!(diagnosis.causes[0].text.contains("AKID"));
    }
}

#[test]
fn line_ends_of_the_answer_are_no_difference() {
    let ours = explain(&general(), &RawRequest::new("GET", "https://h/"));
    let theirs = ours.canonical_request().replace('\n', "\r\n") + "\r\n";
    assert_eq!(ours.compare(&ServerView::new().canonical_request(&theirs)).difference, None);
}

#[test]
fn the_path_encoded_once_or_twice() {
    let request = RawRequest::new("GET", "https://h/a%20b");
    let (once, twice) =
        (explain(&general().path_encoding(PathEncoding::Single), &request), explain(&general(), &request));
    check(&twice, once.canonical_request(), CauseKind::Path, "path", "PathEncoding::Single");
    check(&once, twice.canonical_request(), CauseKind::Path, "path", "PathEncoding::Double");
}

#[test]
fn the_path_normalised_or_not() {
    let request = RawRequest::new("GET", "https://h/a//b/./c");
    let as_is = explain(&general().path_normalization(PathNormalization::AsIs), &request);
    let normalised = explain(&general(), &request);
    check(&as_is, normalised.canonical_request(), CauseKind::Path, "path", "PathNormalization::Normalized");
    check(&normalised, as_is.canonical_request(), CauseKind::Path, "path", "PathNormalization::AsIs");
}

#[test]
fn a_character_of_the_path_in_another_encoding() {
    let ours = explain(&SigV4::s3("us-east-1"), &RawRequest::new("GET", "https://h/a%3Db"));
    let theirs = ours.canonical_request().replace("/a%3Db", "/a=b");
    check(&ours, &theirs, CauseKind::Path, "path", "you signed %3D in the path where the server has =");
    let theirs = ours.canonical_request().replace("/a%3Db", "/a%2Bb");
    check(&ours, &theirs, CauseKind::Path, "path", "you signed %3D in the path where the server has %2B");
}

#[test]
fn a_plus_and_a_space() {
    let ours = explain(&SigV4::s3("us-east-1"), &RawRequest::new("GET", "https://h/a+b?q=1+2"));
    let theirs = ours.canonical_request().replace("/a%2Bb", "/a%20b");
    check(&ours, &theirs, CauseKind::Path, "path", "%2B for a plus");
    let theirs = ours.canonical_request().replace("1%2B2", "1%202");
    check(&ours, &theirs, CauseKind::Query, "query", "takes + for a space");
}

#[test]
fn the_query() {
    let ours = explain(&general(), &RawRequest::new("GET", "https://h/?a=1&b=2&token=canary"));
    let with = |query: &str| ours.canonical_request().replace("a=1&b=2", query);
    check(&ours, &with("b=2&a=1"), CauseKind::Query, "query", "another order");
    check(&ours, &with("a=1"), CauseKind::Query, "query", "parameter b, and the server does not see it");
    check(&ours, &with("a=1&b=2&c=3"), CauseKind::Query, "query", "parameter c, which you did not sign");
    check(&ours, &with("a=1&b=3"), CauseKind::Query, "query", "the query parameter b");
}

#[test]
fn headers() {
    let request = RawRequest::new("GET", "https://h:8443/").header("Accept-Encoding", "gzip").header("X-B", "one two");
    let ours = explain(&general(), &request);
    let with = |from: &str, to: &str| ours.canonical_request().replacen(from, to, 1);
    check(&ours, &with("host:h:8443", "host:h"), CauseKind::Host, "header host", "the port");
    check(&ours, &with("host:h:8443", "host:other"), CauseKind::Host, "header host", "rewrites it");
    check(
        &ours,
        &with("accept-encoding:gzip", "accept-encoding:br"),
        CauseKind::Header,
        "header accept-encoding",
        "Google",
    );
    check(&ours, &with("one two", "one  two"), CauseKind::Header, "header x-b", "white space only");
    check(&ours, &with("x-b:one two\n", ""), CauseKind::Header, "header x-b", "dropped it");
    check(&ours, &with("x-b:one", "x-a:1\nx-b:one"), CauseKind::Header, "header x-a", "add it before signing");
    check(
        &ours,
        &with("canary-token", "canary-other"),
        CauseKind::Header,
        "header x-amz-security-token",
        "as it was signed",
    );
}

#[test]
fn method_and_payload() {
    let ours = explain(&general(), &RawRequest::new("POST", "https://h/"));
    let with = |from: &str, to: &str| ours.canonical_request().replacen(from, to, 1);
    check(&ours, &with("POST", "GET"), CauseKind::Method, "method", "the server received GET");
    let empty = crate::payload::EMPTY_SHA256;
    check(&ours, &with(empty, &"0".repeat(64)), CauseKind::Payload, "payload hash", "you signed an empty body");
    check(&ours, &with(empty, "UNSIGNED-PAYLOAD"), CauseKind::Payload, "payload hash", "Payload::Unsigned");
}

#[test]
fn the_scope() {
    let ours = explain(&general(), &RawRequest::new("GET", "https://h/"));
    let theirs = ours.string_to_sign().replace("us-east-1", "eu-west-1");
    let diagnosis = ours.compare(&ServerView::new().string_to_sign(&theirs));
    assert_eq!(diagnosis.causes[0].kind, CauseKind::Scope);
    assert!(diagnosis.causes[0].text.contains("the region is us-east-1 here and eu-west-1 there"), "{diagnosis}");
}

#[test]
fn the_code_alone_says_something() {
    let ours = explain(&general(), &RawRequest::new("GET", "https://h/"));
    for (code, message, kind) in [
        ("InvalidAccessKeyId", "", CauseKind::AccessKeyId),
        ("ExpiredToken", "", CauseKind::SessionToken),
        ("RequestTimeTooSkewed", "", CauseKind::Clock),
        ("AuthorizationHeaderMalformed", "", CauseKind::Scope),
        ("XAmzContentSHA256Mismatch", "", CauseKind::Payload),
        ("AccessDenied", "Request has expired", CauseKind::Clock),
        ("AccessDenied", "There were headers present in the request which were not signed", CauseKind::Header),
        ("AccessDenied", "Access Denied", CauseKind::Unknown),
        ("", "", CauseKind::Unknown),
    ] {
        let diagnosis = ours.compare(&ServerView::new().code(code).message(message));
        assert_eq!(diagnosis.causes[0].kind, kind, "{code}");
    }
}

#[test]
fn garbage_from_a_server_does_no_harm() {
    let ours = explain(&general(), &RawRequest::new("GET", "https://h/\u{e9}"));
    for garbage in ["", "\n", "\u{0}\u{1b}[31m", "a\nb", "%", "GET\n/%\n\n\n\n\n\n", "\u{1234}\n\u{1234}\n\u{1234}"] {
        let diagnosis = ours.compare(&ServerView::new().canonical_request(garbage).string_to_sign(garbage));
        assert!(diagnosis.difference.is_some());
        assert!(!diagnosis.to_string().contains('\u{1b}'));
    }
}
