//! What no signer can do without: the SHA-256 of canned blocks, as many as the request has, with the key at hand.

use aws_sigv4_free_signing::{Credentials, Payload, RawRequest, SigV4};
use sha2::block_api::compress256;

use super::LIMIT;
use crate::check::Signed;
use crate::harness::Contender;
use crate::operation::{ACCESS_KEY, EXPIRES_IN, Operation, REGION, SECRET_KEY, URL, now};

pub(super) fn contender(operation: Operation) -> Option<Contender> {
    let blocks = blocks(operation);
    let input = move || vec![[0x61_u8; 64]; blocks];
    let run = |blocks: &mut Vec<[u8; 64]>| {
        let mut state = [0x6a09_e667; 8];
        compress256(&mut state, blocks);
        state
    };
    Some(Contender::new(LIMIT, input, run, |_, _| Signed::Nothing))
}

/// How many blocks of 64 bytes are hashed.
fn blocks(operation: Operation) -> usize {
    if operation == Operation::ColdKey {
        // Four keyed hashes of a short text, each with its two pads, a block inside and one outside; then the pads of the last key.
        return 4 * 4 + 2;
    }
    let request = operation.request();
    let mut raw = RawRequest::new(request.method().as_str(), URL);
    for (name, value) in request.headers() {
        raw = raw.header(name.as_str(), value.as_bytes());
    }
    let mut credentials = Credentials::new(ACCESS_KEY, SECRET_KEY);
    if let Some(token) = operation.token() {
        credentials = credentials.with_session_token(token);
    }
    let signer = SigV4::s3(REGION);
    let explanation = match operation {
        Operation::Presign => signer.explain_presigned(&raw, None, EXPIRES_IN, &credentials, now()),
        _ => signer.explain(&raw, Payload::bytes(request.body()), &credentials, now()),
    };
    let explanation = explanation.expect("a request that can be signed");
    // Padding takes a byte and the length of eight. The pads of the key are done before.
    let padded = |length: usize| (length + 9).div_ceil(64);
    let body = if request.body().is_empty() { 0 } else { padded(request.body().len()) };
    body + padded(explanation.canonical_request().len()) + padded(explanation.string_to_sign().len()) + 1
}
