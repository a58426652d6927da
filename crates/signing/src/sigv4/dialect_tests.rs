use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::time::Duration;
use time::OffsetDateTime;

use super::*;

/// 2026-01-02T03:04:05Z.
fn now() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_767_323_045).unwrap()
}

fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

/// The rule of the family, written down once more.
fn expected(prefix: &str, secret: &str, steps: [&str; 4], string_to_sign: &str) -> String {
    let seed = [prefix.as_bytes(), secret.as_bytes()].concat();
    let key = steps.iter().fold(seed, |key, step| hmac(&key, step.as_bytes()));
    hmac(&key, string_to_sign.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn google_has_its_own_names() {
    let credentials = Credentials::new("GOOG1EXAMPLE", "secret");
    let request = RawRequest::new("GET", "https://storage.googleapis.com/bucket/a b?acl")
        .header("accept-encoding", "gzip")
        .header("x-goog-meta-a", "1");
    let signed = SigV4::goog4("auto").sign_raw(&request, Payload::empty(), &credentials, now()).unwrap();
    let empty = crate::payload::EMPTY_SHA256;
    assert_eq!(
        signed.canonical_request,
        format!(
            "GET\n/bucket/a%20b\nacl=\nhost:storage.googleapis.com\nx-goog-content-sha256:{empty}\nx-goog-date:20260102T030405Z\n\
             x-goog-meta-a:1\n\nhost;x-goog-content-sha256;x-goog-date;x-goog-meta-a\n{empty}"
        )
    );
    let hash = digest(&signed.canonical_request);
    assert_eq!(
        signed.string_to_sign,
        format!("GOOG4-HMAC-SHA256\n20260102T030405Z\n20260102/auto/storage/goog4_request\n{hash}")
    );
    let steps = ["20260102", "auto", "storage", "goog4_request"];
    assert_eq!(signed.signature, expected("GOOG4", "secret", steps, &signed.string_to_sign));

    let url =
        SigV4::goog4("auto").presign_raw(&request, None, Duration::from_secs(60), &credentials, now()).unwrap().url;
    assert!(
        url.contains(
            "?acl&X-Goog-Algorithm=GOOG4-HMAC-SHA256&X-Goog-Credential=GOOG1EXAMPLE%2F20260102%2Fauto%2Fstorage%2Fgoog4_request\
             &X-Goog-Date=20260102T030405Z&X-Goog-Expires=60&X-Goog-SignedHeaders=host%3Bx-goog-meta-a&X-Goog-Signature="
        ),
        "{url}"
    );
}

#[test]
fn oss_signs_the_bucket_and_the_headers_that_it_names() {
    let credentials = Credentials::new("LTAI", "secret").with_session_token("token");
    let signer = SigV4::oss4("cn-hangzhou")
        .bucket("photos")
        .additional_header(HeaderName::from_static("abc"))
        .additional_header(
            // One that OSS signs anyway is not listed.
            http::header::CONTENT_TYPE,
        );
    let request = RawRequest::new("PUT", "https://photos.oss-cn-hangzhou.aliyuncs.com/a+b?acl&x=1")
        .header("Content-Type", "text/plain")
        .header("abc", "2")
        .header("cache-control", "no-cache")
        .header("x-oss-meta-a", "1");
    // Whatever the payload, it is not signed.
    let signed = signer.sign_raw(&request, Payload::bytes("body"), &credentials, now()).unwrap();
    assert_eq!(
        signed.canonical_request,
        "PUT\n/photos/a%2Bb\nacl&x=1\nabc:2\ncontent-type:text/plain\nx-oss-content-sha256:UNSIGNED-PAYLOAD\n\
         x-oss-date:20260102T030405Z\nx-oss-meta-a:1\nx-oss-security-token:token\n\nabc\nUNSIGNED-PAYLOAD"
    );
    let steps = ["20260102", "cn-hangzhou", "oss", "aliyun_v4_request"];
    assert_eq!(signed.signature, expected("aliyun_v4", "secret", steps, &signed.string_to_sign));
    let (_, authorization) = signed.headers.last().unwrap();
    assert_eq!(
        *authorization,
        format!(
            "OSS4-HMAC-SHA256 Credential=LTAI/20260102/cn-hangzhou/oss/aliyun_v4_request, AdditionalHeaders=abc, Signature={}",
            signed.signature
        )
    );
}

#[test]
fn oss_lists_no_headers_where_there_are_none() {
    let credentials = Credentials::new("LTAI", "secret");
    let request = RawRequest::new("GET", "https://oss-cn-hangzhou.aliyuncs.com/");
    let signed = SigV4::oss4("cn-hangzhou").sign_raw(&request, Payload::empty(), &credentials, now()).unwrap();
    assert!(signed.canonical_request.starts_with("GET\n/\n\nx-oss-content-sha256:"), "{}", signed.canonical_request);
    assert!(!signed.headers.last().unwrap().1.contains("AdditionalHeaders"));
    let url = SigV4::oss4("cn-hangzhou")
        .presign_raw(&request, None, Duration::from_secs(60), &credentials, now())
        .unwrap()
        .url;
    assert!(!url.contains("additional"), "{url}");
    let cloudbox = SigV4::oss4_cloudbox("cb-1").sign_raw(&request, Payload::empty(), &credentials, now()).unwrap();
    assert!(cloudbox.string_to_sign.contains("\n20260102/cb-1/oss-cloudbox/aliyun_v4_request\n"));
}

#[test]
fn the_token_of_s3_express_has_its_own_header() {
    let credentials = Credentials::new("AKID", "secret").with_session_token("token");
    let mut request =
        http::Request::get("https://b--use1-az4--x-s3.s3express-use1-az4.us-east-1.amazonaws.com/k").body(()).unwrap();
    let url = SigV4::s3_express("us-east-1").presign(&request, Duration::from_secs(60), &credentials, now()).unwrap();
    assert!(url.as_str().contains("&X-Amz-S3session-Token=token&"), "{url}");
    SigV4::s3_express("us-east-1").sign(&mut request, Payload::Unsigned, &credentials, now()).unwrap();
    assert_eq!(request.headers()["x-amz-s3session-token"], "token");
    assert!(!request.headers().contains_key("x-amz-security-token"));
    let authorization = request.headers()["authorization"].to_str().unwrap();
    assert!(authorization.contains("/us-east-1/s3express/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-s3session-token,"), "{authorization}");
}

#[test]
fn fronts_that_change_accept_encoding_do_not_break_signatures() {
    let credentials = Credentials::new("AKID", "secret");
    for signer in [SigV4::gcs("auto"), SigV4::r2(), SigV4::goog4("auto")] {
        let signature = |encoding: &str| {
            let request = RawRequest::new("GET", "https://h/").header("accept-encoding", encoding);
            signer.sign_raw(&request, Payload::empty(), &credentials, now()).unwrap().signature
        };
        assert_eq!(signature("gzip"), signature("br"));
    }
}
