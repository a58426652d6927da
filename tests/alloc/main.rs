//! How often a signature allocates. A binary of its own, since it counts what the whole process allocates.

use std::alloc::System;
use std::hint::black_box;
use std::time::Duration;

use aws_sigv4_free_signing::{Credentials, Payload, SigV4};
use libtest_mimic::{Arguments, Trial};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use time::OffsetDateTime;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() -> std::process::ExitCode {
    let mut arguments = Arguments::from_args();
    // Another thread's allocations would be counted too.
    arguments.test_threads = Some(1);
    let trials = vec![
        Trial::test("alloc::the_counter_counts", || {
            let counted = allocations(&mut [0; 1], |_| drop(black_box(Vec::<u8>::with_capacity(10))));
            assert_eq!(counted, 1);
            Ok(())
        }),
        Trial::test("alloc::a_signature_in_headers", || {
            let counted = sign(Credentials::new("AKIDEXAMPLE", "secret"), b"");
            assert!(counted <= 4, "{counted} allocations");
            Ok(())
        }),
        Trial::test("alloc::a_session_token_costs_none_more", || {
            let counted = sign(Credentials::new("AKIDEXAMPLE", "secret").with_session_token("t".repeat(600)), b"");
            assert!(counted <= 4, "{counted} allocations");
            Ok(())
        }),
        Trial::test("alloc::a_body_costs_none_more", || {
            let counted = sign(Credentials::new("AKIDEXAMPLE", "secret"), &[b'a'; 4096]);
            assert!(counted <= 4, "{counted} allocations");
            Ok(())
        }),
        Trial::test("alloc::a_presigned_url_is_one", || {
            let signer = SigV4::s3("us-east-1");
            let credentials = Credentials::new("AKIDEXAMPLE", "secret");
            let request = http::Request::get("https://bucket.s3.us-east-1.amazonaws.com/a/key?versionId=1").body(())?;
            let counted = allocations(&mut [request.clone(), request], |request| {
                let hour = Duration::from_secs(3600);
                drop(black_box(signer.presign(request, hour, &credentials, OffsetDateTime::UNIX_EPOCH).unwrap()));
            });
            assert!(counted <= 1, "{counted} allocations");
            Ok(())
        }),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The allocations of one signature of a GET with six headers. The first one, which derives the key, does not count.
fn sign(credentials: Credentials, body: &[u8]) -> usize {
    let signer = SigV4::s3("us-east-1");
    let request = http::Request::get("https://bucket.s3.us-east-1.amazonaws.com/photos/2026/cat.jpg")
        .header("accept", "*/*")
        .header("content-type", "application/octet-stream")
        .header("range", "bytes=0-1048575")
        .header("x-amz-meta-colour", "black")
        .header("x-amz-request-payer", "requester")
        .header("x-amz-checksum-mode", "ENABLED")
        .body(())
        .unwrap();
    allocations(&mut [request.clone(), request], |request| {
        signer.sign(request, Payload::bytes(body), &credentials, OffsetDateTime::UNIX_EPOCH).unwrap();
    })
}

/// Fresh allocations and those that grew, of the last input alone: the others fill what is kept.
fn allocations<I>(inputs: &mut [I], mut run: impl FnMut(&mut I)) -> usize {
    let mut counted = 0;
    for input in inputs {
        let region = Region::new(ALLOCATOR);
        run(input);
        let change = region.change();
        counted = change.allocations + change.reallocations;
    }
    counted
}
