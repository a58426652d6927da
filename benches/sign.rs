//! Signing, beside a peer: `cargo xtask bench -- sign`.
//!
//! Each iteration goes from the natural input of the signer to the signed request. Cloning the input is not counted.

use std::hint::black_box;
use std::time::{Duration, SystemTime};

use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation, SigningSettings,
    UriPathNormalizationMode,
};
use aws_sigv4::sign::v4;
use aws_sigv4_free_signing::{Credentials, Payload, SigV4};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use time::OffsetDateTime;

/// A moment of 2015, as in the published signing test suite.
const NOW: i64 = 1_440_938_160;
const EXPIRES_IN: Duration = Duration::from_secs(3600);
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

type Request = http::Request<Vec<u8>>;

fn now() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(NOW).expect("a valid time")
}

/// Six headers, as a client of S3 sends them.
fn request(method: &str, body: usize) -> Request {
    http::Request::builder()
        .method(method)
        .uri("https://examplebucket.s3.us-east-1.amazonaws.com/photos/2026/cat.jpg")
        .header("accept", "*/*")
        .header("content-type", "application/octet-stream")
        .header("range", "bytes=0-1048575")
        .header("x-amz-meta-colour", "black")
        .header("x-amz-request-payer", "requester")
        .header("x-amz-checksum-mode", "ENABLED")
        .body(vec![b'a'; body])
        .expect("a valid request")
}

fn credentials(token: Option<usize>) -> Credentials {
    let credentials = Credentials::new("AKIDEXAMPLE", SECRET);
    match token {
        Some(length) => credentials.with_session_token("t".repeat(length)),
        None => credentials,
    }
}

fn sign_with_peer(request: &mut Request, token: Option<&str>) {
    let identity =
        aws_credential_types::Credentials::new("AKIDEXAMPLE", SECRET, token.map(str::to_owned), None, "bench").into();
    let mut settings = SigningSettings::default();
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    apply_peer(request, &identity, settings, false);
}

fn presign_with_peer(request: &mut Request) {
    let identity = aws_credential_types::Credentials::new("AKIDEXAMPLE", SECRET, None, None, "bench").into();
    let mut settings = SigningSettings::default();
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(EXPIRES_IN);
    apply_peer(request, &identity, settings, true);
}

fn apply_peer(
    request: &mut Request,
    identity: &aws_smithy_runtime_api::client::identity::Identity,
    settings: SigningSettings,
    unsigned: bool,
) {
    let parameters = v4::SigningParams::builder()
        .identity(identity)
        .region("us-east-1")
        .name("s3")
        .time(SystemTime::UNIX_EPOCH + Duration::from_secs(NOW as u64))
        .settings(settings)
        .build()
        .expect("all parameters")
        .into();
    let headers = request.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().expect("text")));
    let body = if unsigned { SignableBody::UnsignedPayload } else { SignableBody::Bytes(request.body()) };
    let signable =
        SignableRequest::new(request.method().as_str(), request.uri().to_string(), headers, body).expect("signable");
    let (instructions, _) = aws_sigv4::http_request::sign(signable, &parameters).expect("signed").into_parts();
    instructions.apply_to_request_http1x(request);
}

fn headers(criterion: &mut Criterion) {
    let signer = SigV4::s3("us-east-1");
    for (name, method, body, token) in
        [("get", "GET", 0, None), ("get_with_token", "GET", 0, Some(600)), ("post_4KiB", "POST", 4096, None)]
    {
        let mut group = criterion.benchmark_group(format!("headers/{name}"));
        let (input, credentials) = (request(method, body), credentials(token));
        let payload = input.body().clone();
        group.bench_function("this", |bencher| {
            bencher.iter_batched_ref(
                || input.clone(),
                |request| {
                    signer.sign(black_box(request), Payload::bytes(&payload), &credentials, now()).expect("signed")
                },
                BatchSize::SmallInput,
            );
        });
        let token = token.map(|length| "t".repeat(length));
        group.bench_function("aws-sigv4", |bencher| {
            bencher.iter_batched_ref(
                || input.clone(),
                |request| sign_with_peer(black_box(request), token.as_deref()),
                BatchSize::SmallInput,
            );
        });
    }
}

fn query(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("query/get");
    let (signer, credentials) = (SigV4::s3("us-east-1"), credentials(None));
    let mut input = request("GET", 0);
    input.headers_mut().clear();
    group.bench_function("this", |bencher| {
        bencher.iter(|| signer.presign(black_box(&input), EXPIRES_IN, &credentials, now()).expect("presigned"));
    });
    group.bench_function("aws-sigv4", |bencher| {
        bencher.iter_batched_ref(
            || input.clone(),
            |request| presign_with_peer(black_box(request)),
            BatchSize::SmallInput,
        );
    });
}

/// The first signature with new credentials derives the key.
fn cold_key(criterion: &mut Criterion) {
    let signer = SigV4::s3("us-east-1");
    let mut input = request("GET", 0);
    input.headers_mut().clear();
    criterion.bench_function("query/get_with_new_credentials", |bencher| {
        bencher.iter_batched_ref(
            || credentials(None),
            |credentials| signer.presign(black_box(&input), EXPIRES_IN, credentials, now()).expect("presigned"),
            BatchSize::SmallInput,
        );
    });
}

criterion_group!(sign, headers, query, cold_key);
criterion_main!(sign);
