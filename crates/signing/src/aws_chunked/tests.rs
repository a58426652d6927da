use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

use aws_sigv4_free_http_transport::{Bytes, ChunkSource, Error, ErrorKind};
use hmac::{Hmac, KeyInit, Mac};
use http::Request;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use super::*;
use crate::SigningErrorKind as Kind;
use crate::{Credentials, SigV4};

const CRC32C: HeaderName = HeaderName::from_static("x-amz-checksum-crc32c");
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

/// 2013-05-24T00:00:00Z, the moment of the examples in the Amazon S3 API Reference.
fn example() -> (SigV4, Credentials, OffsetDateTime) {
    let now = OffsetDateTime::from_unix_timestamp(1_369_353_600).unwrap();
    (SigV4::s3("us-east-1"), Credentials::new("AKIAIOSFODNN7EXAMPLE", SECRET), now)
}

/// The request of both published examples, signed.
fn signed_request(chunked: &AwsChunked, signer: &SigV4) -> Request<()> {
    let (_, credentials, now) = example();
    let mut request = Request::put("https://s3.amazonaws.com/examplebucket/chunkObject.txt")
        .header("x-amz-storage-class", "REDUCED_REDUNDANCY")
        .body(())
        .unwrap();
    chunked.set_headers(request.headers_mut()).unwrap();
    signer.sign(&mut request, chunked.payload(), &credentials, now).unwrap();
    request
}

fn encoder(chunked: &AwsChunked) -> ChunkedEncoder {
    let (signer, credentials, _) = example();
    let request = signed_request(chunked, &signer);
    chunked.encoder(ChunkedSigner::sigv4(&signer, &credentials, request.headers()).unwrap()).unwrap()
}

fn trailers(values: &[(&'static str, &'static str)]) -> HeaderMap {
    values.iter().map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v))).collect()
}

/// Everything that the encoder gives for `pieces`.
fn encode(encoder: &mut ChunkedEncoder, pieces: impl IntoIterator<Item = Bytes>, trailers: &HeaderMap) -> Vec<u8> {
    let mut out = Vec::new();
    for piece in pieces {
        encoder.push(piece).unwrap();
        while let Some(frame) = encoder.next_frame().unwrap() {
            out.extend_from_slice(&frame);
        }
    }
    assert!(!encoder.is_done());
    encoder.finish(trailers).unwrap();
    while let Some(frame) = encoder.next_frame().unwrap() {
        out.extend_from_slice(&frame);
    }
    assert!(encoder.is_done());
    assert_eq!(out.len() as u64, encoder.encoded_length());
    out
}

fn example_body(first: &str, second: &str, last: &str, end: &str) -> Vec<u8> {
    let [large, small] = [65_536, 1024].map(|length| "a".repeat(length));
    format!(
        "10000;chunk-signature={first}\r\n{large}\r\n400;chunk-signature={second}\r\n{small}\r\n\
         0;chunk-signature={last}\r\n{end}\r\n"
    )
    .into_bytes()
}

// "Signature calculations: transferring a payload in multiple chunks".
#[test]
fn the_published_example_of_signed_chunks() {
    let chunked = AwsChunked::signed(66_560);
    let request = signed_request(&chunked, &example().0);
    assert_eq!(
        request.headers()["authorization"],
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, \
         SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;\
         x-amz-decoded-content-length;x-amz-storage-class, \
         Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
    );
    for (name, value) in [
        ("content-encoding", "aws-chunked"),
        ("content-length", "66824"),
        ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
        ("x-amz-decoded-content-length", "66560"),
    ] {
        assert_eq!(request.headers()[name], value, "{name}");
    }
    let expected = example_body(
        "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
        "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
        "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
        "",
    );
    let body = Bytes::from(vec![b'a'; 66_560]);
    assert!(encode(&mut encoder(&chunked), [body.clone()], &HeaderMap::new()) == expected);
    let pieces = body.chunks(999).map(Bytes::copy_from_slice);
    assert!(encode(&mut encoder(&chunked), pieces, &HeaderMap::new()) == expected, "in pieces");
}

// "Signature calculations: transferring a payload in multiple chunks with a trailing header". Its request is signed
// without `content-length`.
#[test]
fn the_published_example_of_a_signed_trailer() {
    let (signer, credentials, _) = example();
    let signer = signer.leave_unsigned(CONTENT_LENGTH);
    let chunked = AwsChunked::signed(66_560).trailer(CRC32C, 8);
    let request = signed_request(&chunked, &signer);
    assert_eq!(
        request.headers()["authorization"],
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, \
         SignedHeaders=content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;\
         x-amz-storage-class;x-amz-trailer, \
         Signature=106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e"
    );
    assert_eq!(request.headers()["x-amz-trailer"], "x-amz-checksum-crc32c");
    let mut encoder = chunked.encoder(ChunkedSigner::sigv4(&signer, &credentials, request.headers()).unwrap()).unwrap();
    let sent = encode(&mut encoder, [vec![b'a'; 66_560].into()], &trailers(&[("x-amz-checksum-crc32c", "sOO8/Q==")]));
    let expected = example_body(
        "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
        "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
        "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
        "x-amz-checksum-crc32c:sOO8/Q==\r\n\
         x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n",
    );
    assert!(sent == expected, "{}", String::from_utf8_lossy(&sent[66_600..]));
}

// The trailers that other implementations of the algorithm are tested with, after the chunks of the first example.
#[test]
fn several_trailers_are_signed_in_order() {
    let (signer, credentials, _) = example();
    let request = signed_request(&AwsChunked::signed(66_560), &signer);
    let mut chunks = ChunkedSigner::sigv4(&signer, &credentials, request.headers()).unwrap();
    let hash = |bytes: &[u8]| crate::encoding::hex(&Sha256::digest(bytes).into());
    for chunk in [vec![b'a'; 65_536], vec![b'a'; 1024], vec![]] {
        chunks.chunk(&hash(&chunk)).unwrap();
    }
    let signature = chunks.trailers(&hash(b"first:1st\nsecond:2nd\nthird:3rd\n")).unwrap();
    assert_eq!(signature.as_bytes(), b"df5735bd9f3295cd9386572292562fefc93ba94e80a0a1ddcbd652c4e0a75e6c");
}

#[test]
fn chunks_without_signatures() {
    let chunked = AwsChunked::unsigned(8195).chunk_size(8192).trailer(CRC32C, 8);
    let mut headers = HeaderMap::new();
    chunked.set_headers(&mut headers).unwrap();
    let body = Bytes::from(vec![b'b'; 8195]);
    let mut encoder = chunked.unsigned_encoder().unwrap();
    let sent = encode(&mut encoder, [body], &trailers(&[("x-amz-checksum-crc32c", "AAAAAA==")]));
    let expected = format!("2000\r\n{}\r\n3\r\nbbb\r\n0\r\nx-amz-checksum-crc32c:AAAAAA==\r\n\r\n", "b".repeat(8192));
    assert_eq!(String::from_utf8(sent).unwrap(), expected);
    assert_eq!(headers["content-length"], expected.len().to_string());
}

#[test]
fn an_empty_body_is_one_empty_chunk() {
    let sent = encode(&mut encoder(&AwsChunked::signed(0)), [Bytes::new()], &HeaderMap::new());
    let sent = String::from_utf8(sent).unwrap();
    assert!(sent.starts_with("0;chunk-signature=") && sent.ends_with("\r\n\r\n") && sent.len() == 86, "{sent}");
    let chunked = AwsChunked::unsigned(0).trailer(CRC32C, 8);
    let values = trailers(&[("x-amz-checksum-crc32c", "AAAAAA==")]);
    let sent = encode(&mut chunked.unsigned_encoder().unwrap(), [], &values);
    assert_eq!(sent, b"0\r\nx-amz-checksum-crc32c:AAAAAA==\r\n\r\n");
}

#[test]
fn large_pieces_are_handed_through() {
    let body = Bytes::from(vec![b'a'; 70_000]);
    let within = body.as_ptr_range();
    let mut encoder = encoder(&AwsChunked::signed(70_000));
    encoder.push(body.clone()).unwrap();
    encoder.finish(&HeaderMap::new()).unwrap();
    let mut handed_through = 0;
    while let Some(frame) = encoder.next_frame().unwrap() {
        handed_through += if within.contains(&frame.as_ptr()) { frame.len() } else { 0 };
    }
    assert_eq!(handed_through, 70_000);
}

#[test]
fn a_body_of_another_length_is_refused() {
    let mut encoder = encoder(&AwsChunked::signed(3));
    encoder.push(Bytes::from_static(b"ab")).unwrap();
    let short = encoder.finish(&HeaderMap::new()).unwrap_err();
    assert_eq!((short.kind(), short.to_string()), (Kind::BodyLength, "the body ended after 2 of 3 bytes".to_owned()));
    assert_eq!(encoder.push(Bytes::from_static(b"cd")).unwrap_err().kind(), Kind::BodyLength);
    // What was refused left nothing behind.
    encoder.push(Bytes::from_static(b"c")).unwrap();
    encoder.finish(&HeaderMap::new()).unwrap();
    assert_eq!(encoder.finish(&HeaderMap::new()).unwrap_err().kind(), Kind::BodyLength);
    assert_eq!(encoder.push(Bytes::new()).unwrap_err().kind(), Kind::BodyLength);
    let mut length = 0;
    while let Some(frame) = encoder.next_frame().unwrap() {
        length += frame.len() as u64;
    }
    assert_eq!(length, encoder.encoded_length());
}

#[test]
fn settings_out_of_range_are_refused_before_anything_is_changed() {
    let mut headers = HeaderMap::new();
    for (chunked, kind) in [
        (AwsChunked::signed(1).chunk_size(8191), Kind::InvalidChunking),
        (AwsChunked::signed(1).chunk_size(0), Kind::InvalidChunking),
        (AwsChunked::signed(1).chunk_size((1 << 30) + 1), Kind::InvalidChunking),
        (AwsChunked::signed(u64::MAX), Kind::InvalidChunking),
        (AwsChunked::unsigned(1), Kind::InvalidTrailer),
        (AwsChunked::signed(1).trailer(CRC32C, 8).trailer(CRC32C, 8), Kind::InvalidTrailer),
        (AwsChunked::signed(1).trailer(CRC32C, usize::MAX), Kind::InvalidTrailer),
    ] {
        assert_eq!(chunked.encoded_length().unwrap_err().kind(), kind, "{chunked:?}");
        assert_eq!(chunked.set_headers(&mut headers).unwrap_err().kind(), kind, "{chunked:?}");
    }
    headers.insert(CONTENT_ENCODING, HeaderValue::from_bytes(b"\xff").unwrap());
    let before = headers.clone();
    assert_eq!(AwsChunked::signed(1).set_headers(&mut headers).unwrap_err().kind(), Kind::InvalidHeader);
    assert_eq!(headers, before);
}

#[test]
fn an_encoding_that_is_there_is_kept() {
    let mut headers = HeaderMap::new();
    headers.append(CONTENT_ENCODING, HeaderValue::from_static("gzip, br"));
    headers.append(CONTENT_ENCODING, HeaderValue::from_static("zstd"));
    let chunked = AwsChunked::signed(1).trailer(CRC32C, 8);
    chunked.set_headers(&mut headers).unwrap();
    assert_eq!(headers["content-encoding"], "aws-chunked,gzip,br,zstd");
    // Once more, without the trailer.
    AwsChunked::signed(1).set_headers(&mut headers).unwrap();
    let all: Vec<_> = headers.get_all(CONTENT_ENCODING).iter().collect();
    assert_eq!(all, ["aws-chunked,gzip,br,zstd"]);
    assert!(!headers.contains_key("x-amz-trailer"));
}

#[test]
fn a_signature_of_something_else_is_not_continued() {
    let (signer, credentials, now) = example();
    let chunked = AwsChunked::signed(1);
    let request = signed_request(&chunked, &signer);
    let refused = |signer: &SigV4, credentials: &Credentials, headers: &HeaderMap| {
        ChunkedSigner::sigv4(signer, credentials, headers).unwrap_err().kind()
    };
    assert_eq!(refused(&SigV4::s3("eu-west-1"), &credentials, request.headers()), Kind::NotSigned);
    assert_eq!(refused(&SigV4::new("sqs", "us-east-1"), &credentials, request.headers()), Kind::NotSigned);
    assert_eq!(refused(&signer, &Credentials::new("OTHER", SECRET), request.headers()), Kind::NotSigned);
    assert_eq!(refused(&signer, &credentials, &HeaderMap::new()), Kind::NotSigned);
    let mut another_day = request.headers().clone();
    another_day.insert("x-amz-date", HeaderValue::from_static("20130525T000000Z"));
    assert_eq!(refused(&signer, &credentials, &another_day), Kind::NotSigned);
    let mut plain = Request::put("https://h/k").body(()).unwrap();
    signer.sign(&mut plain, crate::Payload::Unsigned, &credentials, now).unwrap();
    assert_eq!(refused(&signer, &credentials, plain.headers()), Kind::NotSigned);
    // Chunks that the request did not announce.
    let chunks = ChunkedSigner::sigv4(&signer, &credentials, request.headers()).unwrap();
    assert_eq!(AwsChunked::signed(1).trailer(CRC32C, 8).encoder(chunks).unwrap_err().kind(), Kind::NotSigned);
    assert_eq!(chunked.unsigned_encoder().unwrap_err().kind(), Kind::NotSigned);
}

#[test]
fn debug_shows_no_body_and_no_signature() {
    let mut encoder = encoder(&AwsChunked::signed(9));
    encoder.push(Bytes::from_static(b"topsecret")).unwrap();
    let shown = format!("{encoder:?}");
    assert!(!shown.contains("topsecret") && !shown.contains("chunk-signature") && !shown.contains(SECRET), "{shown}");
}

/// Gives its pieces, one at a poll, with a wait before each.
struct Pieces {
    pieces: VecDeque<Result<Bytes, Error>>,
    waited: bool,
}

impl ChunkSource for Pieces {
    fn poll_chunk(&mut self, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        self.waited = !self.waited;
        if self.waited { Poll::Pending } else { Poll::Ready(self.pieces.pop_front()) }
    }
}

fn pieces(pieces: impl IntoIterator<Item = &'static str>) -> Pieces {
    Pieces { pieces: pieces.into_iter().map(|piece| Ok(Bytes::from(piece))).collect(), waited: false }
}

fn read_all(source: &mut dyn ChunkSource) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    let mut polls = 0;
    loop {
        polls += 1;
        assert!(polls < 1000, "the source does not end");
        match source.poll_chunk(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending => {}
            Poll::Ready(Some(piece)) => out.extend_from_slice(&piece?),
            Poll::Ready(None) => return Ok(out),
        }
    }
}

/// A trailer with how many bytes passed.
struct Count(usize);

impl TrailerSource for Count {
    fn update(&mut self, piece: &[u8]) {
        self.0 += piece.len();
    }

    fn trailers(&mut self) -> HeaderMap {
        HeaderMap::from_iter([(HeaderName::from_static("x-count"), HeaderValue::from(self.0))])
    }
}

#[test]
fn a_source_is_encoded_while_it_is_read() {
    let chunked = AwsChunked::unsigned(10).trailer(HeaderName::from_static("x-count"), 2);
    let encoder = chunked.unsigned_encoder().unwrap();
    let mut source = ChunkedSource::new(pieces(["hello ", "", "all!"]), encoder, Count(0));
    assert_eq!(read_all(&mut source).unwrap(), b"a\r\nhello all!\r\n0\r\nx-count:10\r\n\r\n");
    assert!(matches!(source.poll_chunk(&mut Context::from_waker(Waker::noop())), Poll::Ready(None)));
    let source = ChunkedSource::new(pieces([]), chunked.unsigned_encoder().unwrap(), Count(0));
    let body = source.into_body();
    assert_eq!((body.length(), body.is_replayable()), (Some(chunked.encoded_length().unwrap()), false));
}

#[test]
fn a_source_that_ends_early_or_late_or_fails_is_an_error() {
    let mut failing = pieces(["ab"]);
    failing.pieces.push_back(Err(Error::new(ErrorKind::Io, "the disk is gone")));
    for (source, kind) in [
        (pieces(["ab"]), ErrorKind::RequestBody),
        (pieces(["ab", "cd"]), ErrorKind::RequestBody),
        (pieces(["abcd"]), ErrorKind::RequestBody),
        (failing, ErrorKind::Io),
    ] {
        let mut source = ChunkedSource::new(source, encoder(&AwsChunked::signed(3)), NoTrailers);
        assert_eq!(read_all(&mut source).unwrap_err().kind(), kind);
        assert!(read_all(&mut source).unwrap().is_empty(), "an ended source gives more");
    }
}

/// xorshift64: the same numbers at every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    fn bytes(&mut self, length: u64) -> Vec<u8> {
        (0..length).map(|_| self.below(256) as u8).collect()
    }
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads an encoded body as a server does: checks each signature against its own computation, and gives the body and the
/// trailers. `seed` is the signature of the request, `None` where nothing is signed.
fn decode(mut sent: &[u8], seed: Option<&str>, has_trailers: bool) -> Result<(Vec<u8>, Vec<String>), String> {
    let mut previous = seed.unwrap_or_default().to_owned();
    let scope = "20130524/us-east-1/s3/aws4_request";
    let key = ["20130524", "us-east-1", "s3", "aws4_request"]
        .iter()
        .fold(format!("AWS4{SECRET}").into_bytes(), |key, part| hmac(&key, part));
    let mut check = |kind: &str, hashes: &str, given: &str| {
        let text = format!("AWS4-HMAC-SHA256-{kind}\n20130524T000000Z\n{scope}\n{previous}\n{hashes}");
        let expected = digits(&hmac(&key, &text));
        let same = expected == given;
        previous = expected;
        if same { Ok(()) } else { Err(format!("the signature of a {kind} is wrong")) }
    };
    let line = |sent: &mut &[u8]| {
        let end = sent.windows(2).position(|pair| pair == b"\r\n").ok_or("a line does not end")?;
        let line = String::from_utf8(sent[..end].to_vec()).map_err(|_| "a line is not text")?;
        *sent = &sent[end + 2..];
        Ok::<_, String>(line)
    };
    let mut body = Vec::new();
    loop {
        let head = line(&mut sent)?;
        let (length, signature) = match head.split_once(";chunk-signature=") {
            Some((length, signature)) => (length, Some(signature.to_owned())),
            None => (&*head, None),
        };
        let length = usize::from_str_radix(length, 16).map_err(|_| "no length")?;
        let data = sent.get(..length).ok_or("a chunk is cut off")?;
        match (seed, signature) {
            (Some(_), Some(signature)) => {
                let hashes = format!("{}\n{}", digits(&Sha256::digest([])), digits(&Sha256::digest(data)));
                check("PAYLOAD", &hashes, &signature)?;
            }
            (None, None) => {}
            _ => return Err("a signature is missing or too many".to_owned()),
        }
        if length == 0 {
            break;
        }
        body.extend_from_slice(data);
        sent = sent[length..].strip_prefix(b"\r\n").ok_or("a chunk does not end")?;
    }
    let mut trailers = Vec::new();
    loop {
        let next = line(&mut sent)?;
        if next.is_empty() {
            break;
        }
        trailers.push(next);
    }
    if seed.is_some() && has_trailers {
        let last = trailers.pop().ok_or("no trailer signature")?;
        let given = last.strip_prefix("x-amz-trailer-signature:").ok_or("no trailer signature")?;
        let canonical: String = trailers.iter().map(|line| format!("{line}\n")).collect();
        check("TRAILER", &digits(&Sha256::digest(canonical)), given)?;
    }
    if sent.is_empty() { Ok((body, trailers)) } else { Err("something follows the body".to_owned()) }
}

#[test]
fn random_bodies_survive_random_cuts() {
    let (signer, credentials, _) = example();
    let mut random = Random(20_130_524);
    for round in 0..300 {
        let length = match random.below(4) {
            0 => random.below(20),
            1 => 8192 * random.below(5),
            _ => random.below(60_000),
        };
        let (signed, has_trailers) = (random.below(3) > 0, random.below(2) > 0);
        let mut chunked = if signed { AwsChunked::signed(length) } else { AwsChunked::unsigned(length) };
        chunked = chunked.chunk_size(8192 + [0, random.below(30_000), 1 << 20][random.below(3) as usize]);
        let mut values = HeaderMap::new();
        if has_trailers || !signed {
            for name in ["x-b", "x-a", "x-amz-checksum-crc32"].into_iter().take(1 + random.below(3) as usize) {
                let value = digits(&random.bytes(4));
                chunked = chunked.trailer(HeaderName::from_static(name), value.len());
                values.insert(HeaderName::from_static(name), value.parse().unwrap());
            }
        }
        let request = signed_request(&chunked, &signer);
        let mut encoder = if signed {
            let chunks = ChunkedSigner::sigv4(&signer, &credentials, request.headers()).unwrap();
            chunked.encoder(chunks).unwrap()
        } else {
            chunked.unsigned_encoder().unwrap()
        };
        let body = random.bytes(length);
        let mut rest = Bytes::from(body.clone());
        let mut cut = Vec::new();
        let most = [1, 100, 2000, 50_000][random.below(4) as usize].min(length / 10 + 1);
        while !rest.is_empty() {
            let next = (random.below(most + 1) as usize).min(rest.len());
            cut.push(rest.split_to(next));
        }
        let sent = encode(&mut encoder, cut, &values);
        assert_eq!(request.headers()["content-length"], sent.len().to_string(), "round {round}");

        let authorization = request.headers()["authorization"].to_str().unwrap();
        let seed = signed.then(|| authorization.rsplit_once("Signature=").unwrap().1);
        let (decoded, trailers) = decode(&sent, seed, !values.is_empty()).unwrap();
        assert!(decoded == body, "round {round}: another body");
        assert!(trailers.is_sorted() && trailers.len() == values.len(), "round {round}: {trailers:?}");
        for line in &trailers {
            let (name, value) = line.split_once(':').unwrap();
            assert_eq!(values[name], value, "round {round}");
        }
        // The verifier sees a flipped bit wherever it is.
        if signed {
            let mut flipped = sent.clone();
            let at = random.below(sent.len() as u64) as usize;
            flipped[at] ^= 1 << random.below(8);
            let unchanged = decode(&flipped, seed, !values.is_empty()).is_ok_and(|(body, _)| body == decoded);
            // Hexadecimal lengths mean the same in upper case.
            let is_case = flipped[at].eq_ignore_ascii_case(&sent[at]) && sent[at].is_ascii_alphabetic();
            assert!(!unchanged || is_case, "round {round}: byte {at} was flipped, and nobody saw it");
        }
    }
}
