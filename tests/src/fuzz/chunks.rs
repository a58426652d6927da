//! Bodies in chunks.

use aws_sigv4_free_signing::SigV4;
use aws_sigv4_free_signing::aws_chunked::{AwsChunked, ChunkedSigner};
use aws_sigv4_free_signing::verify::{ReceivedBody, Verifier};
use bytes::Bytes;
use http::HeaderMap;

use super::Input;

/// However a body comes in pieces, the same bytes go out, as many as were announced, and the other side accepts each chunk.
pub fn body(data: &[u8]) {
    let mut input = Input::new(data);
    let (now, credentials) = (input.time(), input.credentials());
    let length = input.below(40_000);
    let seed = usize::from(input.byte());
    let body: Vec<u8> = (0..length).map(|index| (index * 31 + seed) as u8).collect();
    let has_trailer = input.below(2) == 0;
    let mut chunked = AwsChunked::signed(length as u64).chunk_size(8192 + input.below(8192) as u64);
    if has_trailer {
        chunked = chunked.trailer(http::HeaderName::from_static("x-amz-checksum-crc32"), 8);
    }
    let signer = SigV4::s3("us-east-1");
    let mut request = http::Request::put("https://h/a").body(()).expect("a request");
    chunked.set_headers(request.headers_mut()).expect("headers");
    signer.sign(&mut request, chunked.payload(), &credentials, now).expect("a signature");
    let mut trailers = HeaderMap::new();
    if has_trailer {
        trailers.insert("x-amz-checksum-crc32", http::HeaderValue::from_static("AAAAAA=="));
    }
    let mut encode = |is_whole: bool| {
        let key = ChunkedSigner::sigv4(&signer, &credentials, request.headers()).expect("a seed");
        let mut encoder = chunked.encoder(key).expect("an encoder");
        let (mut rest, mut out) = (&body[..], Vec::new());
        while !rest.is_empty() {
            let take = if is_whole { rest.len() } else { 1 + input.below(rest.len().min(12_000)) }.min(rest.len());
            let (piece, after) = rest.split_at(take);
            rest = after;
            encoder.push(Bytes::copy_from_slice(piece)).expect("a piece");
            while let Some(frame) = encoder.next_frame().expect("a frame") {
                out.extend_from_slice(&frame);
            }
        }
        encoder.finish(&trailers).expect("an end");
        while let Some(frame) = encoder.next_frame().expect("a frame") {
            out.extend_from_slice(&frame);
        }
        assert!(encoder.is_done());
        out
    };
    let whole = encode(true);
    assert_eq!(encode(false), whole, "the pieces do not show");
    assert_eq!(chunked.encoded_length().ok(), Some(whole.len() as u64));

    let known = credentials.clone();
    let verifier = Verifier::new(move |_: &str| Some(known.clone()));
    let verified = verifier.verify(&request, ReceivedBody::NotRead, now).expect("the request is signed");
    let mut chunks = verified.chunks().expect("its chunks are signed");
    let mut rest = &whole[..];
    let mut decoded = Vec::new();
    let line = |rest: &mut &[u8]| {
        let end = rest.windows(2).position(|pair| pair == b"\r\n").expect("a line");
        let line = String::from_utf8_lossy(&rest[..end]).into_owned();
        *rest = &rest[end + 2..];
        line
    };
    loop {
        let head = line(&mut rest);
        let (size, signature) = head.split_once(";chunk-signature=").expect("the head of a chunk");
        let size = usize::from_str_radix(size, 16).expect("a size");
        let (chunk, after) = rest.split_at(size);
        chunks.verify_chunk(chunk, signature).expect("the chunk that was signed");
        decoded.extend_from_slice(chunk);
        rest = after;
        if size == 0 {
            break;
        }
        assert!(line(&mut rest).is_empty());
    }
    assert_eq!(decoded, body);
    if has_trailer {
        let trailer = line(&mut rest);
        let (name, value) = trailer.split_once(':').expect("a trailer");
        let signature = line(&mut rest);
        let signature = signature.strip_prefix("x-amz-trailer-signature:").expect("the signature of the trailer");
        assert!(chunks.clone().verify_trailer([(name, "AAAAAB==")], signature).is_err());
        chunks.verify_trailer([(name, value)], signature).expect("the trailer that was signed");
    }
    assert!(chunks.is_complete());
    assert!(line(&mut rest).is_empty() && rest.is_empty(), "nothing follows");
}
