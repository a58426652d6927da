//! Signing: `cargo xtask bench -- sign`.

use std::hint::black_box;
use std::time::Duration;

use aws_sigv4_free_signing::{Credentials, Payload, SigV4};
use criterion::{Criterion, criterion_group, criterion_main};
use time::OffsetDateTime;

/// A moment of 2015, as in the published signing test suite.
const NOW: i64 = 1_440_938_160;
const EXPIRES_IN: Duration = Duration::from_secs(3600);

fn get() -> http::Request<()> {
    let url = "https://examplebucket.s3.us-east-1.amazonaws.com/photos/cat.jpg?versionId=1";
    http::Request::get(url).body(()).expect("a valid request")
}

fn headers(criterion: &mut Criterion) {
    let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
    let now = OffsetDateTime::from_unix_timestamp(NOW).expect("a valid time");
    let signer = SigV4::s3("us-east-1");
    let request = get();
    criterion.bench_function("sign/headers/get", |bencher| {
        bencher.iter_batched_ref(
            || request.clone(),
            |request| signer.sign(black_box(request), Payload::empty(), &credentials, now).expect("signed"),
            criterion::BatchSize::SmallInput,
        );
    });
}

fn query(criterion: &mut Criterion) {
    let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
    let now = OffsetDateTime::from_unix_timestamp(NOW).expect("a valid time");
    let signer = SigV4::s3("us-east-1");
    let request = get();
    criterion.bench_function("sign/query/get", |bencher| {
        bencher.iter(|| signer.presign(black_box(&request), EXPIRES_IN, &credentials, now).expect("presigned"));
    });
}

criterion_group!(sign, headers, query);
criterion_main!(sign);
