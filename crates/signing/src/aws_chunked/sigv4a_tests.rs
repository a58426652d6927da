use aws_sigv4_free_http_transport::Bytes;
use http::Request;
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{DerSignature, VerifyingKey};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use super::*;
use crate::sigv4a::KeyStore;
use crate::{Credentials, SigV4, SigV4A, SigningErrorKind};

const SCOPE: &str = "20130524/s3/aws4_request";

fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Checks one signature of the chain, and gives it without what fills it up.
fn check(key: &VerifyingKey, kind: &str, previous: &str, hashes: &str, padded: &str) -> String {
    assert_eq!(padded.len(), 144);
    let signature = padded.trim_end_matches('*');
    let bytes: Vec<u8> =
        (0..signature.len()).step_by(2).map(|at| u8::from_str_radix(&signature[at..at + 2], 16).unwrap()).collect();
    let text = format!("AWS4-ECDSA-P256-SHA256-{kind}\n20130524T000000Z\n{SCOPE}\n{previous}\n{hashes}");
    let signature_read = DerSignature::try_from(&bytes[..]).unwrap();
    key.verify(text.as_bytes(), &signature_read).unwrap_or_else(|_| panic!("the signature of a {kind} is wrong"));
    signature.to_owned()
}

#[test]
fn chunks_and_trailers_are_signed_with_the_key_of_sigv4a() {
    let signer = SigV4A::s3("us-east-1");
    let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    let now = OffsetDateTime::from_unix_timestamp(1_369_353_600).unwrap();
    let body = "a".repeat(66_560);
    let trailer = HeaderName::from_static("first");
    let chunked = AwsChunked::signed_sigv4a(66_560).trailer(trailer.clone(), 3);
    let mut request = Request::put("https://s3.amazonaws.com/examplebucket/chunkObject.txt").body(()).unwrap();
    chunked.set_headers(request.headers_mut()).unwrap();
    signer.sign(&mut request, chunked.payload(), &credentials, now).unwrap();
    assert_eq!(request.headers()["x-amz-content-sha256"], "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER");

    let chunks = ChunkedSigner::sigv4a(&signer, &credentials, request.headers()).unwrap();
    let mut encoder = chunked.encoder(chunks).unwrap();
    encoder.push(Bytes::from(body.clone())).unwrap();
    encoder.finish(&HeaderMap::from_iter([(trailer, HeaderValue::from_static("1st"))])).unwrap();
    let mut sent = Vec::new();
    while let Some(frame) = encoder.next_frame().unwrap() {
        sent.extend_from_slice(&frame);
    }
    assert_eq!(request.headers()["content-length"], sent.len().to_string());

    let sent = String::from_utf8(sent).unwrap();
    let key = *KeyStore::default().key(&credentials).unwrap().verifying_key();
    let authorization = request.headers()["authorization"].to_str().unwrap();
    let mut previous = authorization.rsplit_once("Signature=").unwrap().1.to_owned();
    let mut rest = sent.as_str();
    for length in [65_536, 1024, 0] {
        let (head, after) = rest.split_once("\r\n").unwrap();
        let (size, signature) = head.split_once(";chunk-signature=").unwrap();
        assert_eq!(size, format!("{length:x}"));
        let hashes = format!("{}\n{}", digits(&Sha256::digest([])), digits(&Sha256::digest(&body[..length])));
        previous = check(&key, "PAYLOAD", &previous, &hashes, signature);
        rest = after[length..].strip_prefix("\r\n").unwrap_or(&after[length..]);
    }
    let (line, rest) = rest.split_once("\r\n").unwrap();
    assert_eq!(line, "first:1st");
    let signature = rest.strip_prefix("x-amz-trailer-signature:").unwrap().strip_suffix("\r\n\r\n").unwrap();
    check(&key, "TRAILER", &previous, &digits(&Sha256::digest("first:1st\n")), signature);

    // The two algorithms do not continue each other.
    let refused = ChunkedSigner::sigv4(&SigV4::s3("us-east-1"), &credentials, request.headers()).unwrap_err();
    assert_eq!(refused.kind(), SigningErrorKind::NotSigned);
    let chunks = ChunkedSigner::sigv4a(&signer, &credentials, request.headers()).unwrap();
    assert_eq!(AwsChunked::signed(1).encoder(chunks).unwrap_err().kind(), SigningErrorKind::NotSigned);
}
