//! Bodies in chunks against stores that other people wrote, and against the signer of the crate `aws-sigv4`; messages of
//! event streams against that crate too.

use std::future::Future;
use std::task::{Context, Poll};
use std::time::SystemTime;

use aws_sigv4::sign::v4;
use aws_sigv4_free_core::environment::{Env, Files};
use aws_sigv4_free_core::settings::Settings;
use aws_sigv4_free_http_transport::hyper::HyperTransport;
use aws_sigv4_free_http_transport::{Body, ChunkSource, Error, Transport as _};
use aws_sigv4_free_s3::{Bucket, ErrorExt as _, S3};
use aws_sigv4_free_signing::aws_chunked::{AwsChunked, ChunkedEncoder, ChunkedSigner, ChunkedSource, TrailerSource};
use aws_sigv4_free_signing::event_stream::{EventSigner, Message, Value};
use aws_sigv4_free_signing::{Credentials, SeedSignature, SigV4};
use aws_smithy_types::event_stream as smithy;
use base64::Engine as _;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode};
use integration_tests::s3_server::S3Server;
use libtest_mimic::{Failed, Trial};
use time::OffsetDateTime;

use crate::harness::{async_trial, skipped, trial};

const CRC32: HeaderName = HeaderName::from_static("x-amz-checksum-crc32");
/// The same bodies and cuts at every run.
const SEED: u64 = 20_130_524;

type Outcome = Result<(), Failed>;

pub fn trials() -> Vec<Trial> {
    let mut trials = vec![
        trial("aws_chunked::aws_sigv4_agrees_on_chunks_and_trailers", chunks_agree),
        trial("aws_chunked::aws_sigv4_agrees_on_events", events_agree),
    ];
    let swift =
        std::env::var("SIGV4_TEST_SWIFT").map_err(|_| "SIGV4_TEST_SWIFT is not set: `cargo xtask test` starts it");
    for (store, found) in [("in_process", Ok(None)), ("swift", swift.map(Some))] {
        let mut add = |case: &str, trial: fn(String, Option<String>) -> Trial| {
            let name = format!("aws_chunked::{store}::{case}");
            trials.push(match &found {
                Ok(found) => trial(name, found.clone()),
                Err(reason) => skipped(&name, reason),
            });
        };
        add("signed_chunks_are_stored", |n, f| case(n, f, |store| stored(store, Form::Signed)));
        add("signed_chunks_with_a_trailer_are_stored", |n, f| case(n, f, |store| stored(store, Form::SignedTrailer)));
        add("chunks_with_a_trailer_are_stored", |n, f| case(n, f, |store| stored(store, Form::UnsignedTrailer)));
        add("what_was_changed_is_refused", |n, f| case(n, f, changed));
    }
    trials
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Form {
    Signed,
    SignedTrailer,
    UnsignedTrailer,
}

impl Form {
    fn chunked(self, length: usize) -> AwsChunked {
        match self {
            Self::Signed => AwsChunked::signed(length as u64),
            Self::SignedTrailer => AwsChunked::signed(length as u64).trailer(CRC32, 8),
            Self::UnsignedTrailer => AwsChunked::unsigned(length as u64).trailer(CRC32, 8),
        }
    }

    fn trailers(self) -> Checksum {
        Checksum { crc: !0, wanted: self != Self::Signed }
    }
}

struct Store {
    endpoint: String,
    credentials: Credentials,
    bucket: Bucket,
    is_swift: bool,
    _server: Option<S3Server>,
}

fn case<F>(name: String, found: Option<String>, run: fn(Store) -> F) -> Trial
where
    F: Future<Output = Outcome> + 'static,
{
    async_trial(&name, move || async move {
        let is_swift = found.is_some();
        let (server, words) = match found {
            Some(found) => (None, found.split(' ').map(str::to_owned).collect::<Vec<_>>()),
            None => {
                let server = S3Server::start().await;
                let words = vec![server.endpoint(), server.access_key().to_owned(), server.secret_key().to_owned()];
                (Some(server), words)
            }
        };
        let [endpoint, access_key, secret_key] = &words[..] else {
            return Err("the store is described by a URL, an access key and a secret key".into());
        };
        let credentials = Credentials::new(access_key, secret_key.as_str());
        let nothing: [(&str, &str); 0] = [];
        // Without the settings of this machine.
        let settings = Settings::builder().env(Env::fixed(nothing)).files(Files::fixed(nothing)).load()?;
        let client = S3::builder().settings(settings).region("us-east-1").endpoint(endpoint).path_style();
        let client = client.credentials(credentials.clone()).build()?;
        let bucket = client.bucket(format!("case-{:016x}", fastrand::u64(..)));
        bucket.create().await?;
        run(Store { endpoint: endpoint.clone(), credentials, bucket, is_swift, _server: server }).await
    })
}

impl Store {
    /// A signed PUT without its body; `change` sees it before it is signed.
    fn put(&self, key: &str, chunked: &AwsChunked, change: impl FnOnce(&mut HeaderMap)) -> Result<Request<()>, Failed> {
        let url = format!("{}/{}/{key}", self.endpoint, self.bucket.name());
        let mut request = Request::put(url).header("content-encoding", "gzip").body(())?;
        chunked.set_headers(request.headers_mut())?;
        change(request.headers_mut());
        let signer = SigV4::s3("us-east-1");
        signer.sign(&mut request, chunked.payload(), &self.credentials, OffsetDateTime::now_utc())?;
        Ok(request)
    }

    fn encoder(&self, form: Form, chunked: &AwsChunked, request: &Request<()>) -> Result<ChunkedEncoder, Failed> {
        Ok(match form {
            Form::UnsignedTrailer => chunked.unsigned_encoder()?,
            Form::Signed | Form::SignedTrailer => {
                chunked.encoder(ChunkedSigner::sigv4(&SigV4::s3("us-east-1"), &self.credentials, request.headers())?)?
            }
        })
    }

    async fn empty_and_delete(self) -> Outcome {
        let mut objects = self.bucket.list("").await;
        while let Some(object) = objects.try_next().await? {
            self.bucket.object(object.key).delete().await?;
        }
        self.bucket.delete().await?;
        Ok(())
    }
}

/// Gives a body in random pieces.
struct Pieces(Bytes, fastrand::Rng);

impl ChunkSource for Pieces {
    fn poll_chunk(&mut self, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        let length = self.1.usize(1..=20_000).min(self.0.len());
        Poll::Ready((length > 0).then(|| Ok(self.0.split_to(length))))
    }
}

/// CRC32, bit by bit as it is defined.
struct Checksum {
    crc: u32,
    wanted: bool,
}

impl TrailerSource for Checksum {
    fn update(&mut self, piece: &[u8]) {
        for byte in piece {
            self.crc = (0..8)
                .fold(self.crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1)));
        }
    }

    fn trailers(&mut self) -> HeaderMap {
        let value = base64::engine::general_purpose::STANDARD.encode((!self.crc).to_be_bytes());
        let value = HeaderValue::try_from(value).expect("base64 can be sent");
        HeaderMap::from_iter(self.wanted.then_some((CRC32, value)))
    }
}

async fn stored(store: Store, form: Form) -> Outcome {
    let transport = HyperTransport::new()?;
    let mut random = fastrand::Rng::with_seed(SEED);
    for length in [0, 1, 8192, 65_536, 65_537, 300_000] {
        let body = bytes(&mut random, length);
        let key = format!("object-{length}");
        let chunked = form.chunked(length).chunk_size([8192, 65_536][random.usize(..2)]);
        let request = store.put(&key, &chunked, |_| {})?;
        let encoder = store.encoder(form, &chunked, &request)?;
        let source = ChunkedSource::new(Pieces(body.clone(), random.fork()), encoder, form.trailers());
        let answer = transport.send(request.map(|()| source.into_body())).await?;
        let status = answer.status();
        let text = answer.into_body().collect(10_000).await?;
        assert_eq!(status, StatusCode::OK, "{form:?}, {length} bytes: {}", String::from_utf8_lossy(&text));
        let object = store.bucket.object(&*key);
        assert!(object.get().bytes(1 << 20).await? == body, "{form:?}, {length} bytes: other bytes were stored");
        if store.is_swift {
            // The encoding of the body itself is kept, that of its way is not.
            let encoding = object.head().await?.content_encoding;
            assert_eq!(encoding.as_deref(), Some("gzip"));
        }
    }
    store.empty_and_delete().await
}

/// The whole encoded body.
fn encoded(mut encoder: ChunkedEncoder, body: &Bytes, trailers: &HeaderMap) -> Result<Vec<u8>, Failed> {
    encoder.push(body.clone())?;
    encoder.finish(trailers)?;
    let mut sent = Vec::new();
    while let Some(frame) = encoder.next_frame()? {
        sent.extend_from_slice(&frame);
    }
    Ok(sent)
}

/// Replaces the digit, or the character of a checksum, that follows `mark` the `nth` time.
fn flip(sent: &mut [u8], mark: &str, nth: usize) {
    let found = sent.windows(mark.len()).enumerate().filter(|(_, window)| *window == mark.as_bytes());
    let at = found.map(|(at, _)| at + mark.len()).nth(nth).expect("the mark is there");
    sent[at] = if sent[at] == b'0' { b'1' } else { b'0' };
}

async fn changed(store: Store) -> Outcome {
    const CHUNK: &str = ";chunk-signature=";
    const TRAILER: &str = "x-amz-trailer-signature:";
    const VALUE: &str = "x-amz-checksum-crc32:";
    let transport = HyperTransport::new()?;
    let body = Bytes::from(vec![b'a'; 100_000]);
    let same: fn(&mut Vec<u8>) = |_| {};
    let no_header: fn(&mut HeaderMap) = |_| {};
    let longer: fn(&mut HeaderMap) = |headers| {
        headers.insert("x-amz-decoded-content-length", HeaderValue::from(100_001));
    };
    type Case = (&'static str, Form, fn(&mut Vec<u8>), fn(&mut HeaderMap), bool);
    let cases: [Case; 12] = [
        ("nothing, signed", Form::Signed, same, no_header, true),
        ("nothing, signed trailer", Form::SignedTrailer, same, no_header, true),
        ("nothing, unsigned", Form::UnsignedTrailer, same, no_header, true),
        ("the first chunk's signature", Form::Signed, |sent| flip(sent, CHUNK, 0), no_header, false),
        ("the last chunk's signature", Form::Signed, |sent| flip(sent, CHUNK, 2), no_header, false),
        ("a byte of the body", Form::Signed, |sent| sent[70_000] = b'b', no_header, false),
        ("the trailers' signature", Form::SignedTrailer, |sent| flip(sent, TRAILER, 0), no_header, false),
        ("a trailer", Form::SignedTrailer, |sent| flip(sent, VALUE, 0), no_header, false),
        ("an unsigned trailer", Form::UnsignedTrailer, |sent| flip(sent, VALUE, 0), no_header, false),
        ("a byte of the unsigned body", Form::UnsignedTrailer, |sent| sent[70_000] = b'b', no_header, false),
        ("the decoded length", Form::Signed, same, longer, false),
        ("the decoded length, unsigned", Form::UnsignedTrailer, same, longer, false),
    ];
    for (what, form, change_body, change_headers, accepted) in cases {
        if !store.is_swift && what.starts_with("the decoded length") {
            // The in-process server does not compare it with what it decodes.
            continue;
        }
        let chunked = form.chunked(body.len());
        let request = store.put("changed", &chunked, change_headers)?;
        let mut trailers = form.trailers();
        trailers.update(&body);
        let mut sent = encoded(store.encoder(form, &chunked, &request)?, &body, &trailers.trailers())?;
        change_body(&mut sent);
        let answer = transport.send(request.map(|()| Body::from(sent))).await;
        let status = answer.as_ref().map(|answer| answer.status());
        // The in-process server reports some faults of a body as its own, or ends the connection.
        let refused = match status {
            Ok(status) => status.is_client_error() || (!store.is_swift && status.is_server_error()),
            Err(_) => !store.is_swift,
        };
        let fine = status.is_ok_and(|status| status == StatusCode::OK);
        assert!(if accepted { fine } else { refused }, "{what}: {answer:?}");
        if accepted {
            assert_eq!(store.bucket.object("changed").get().bytes(1 << 20).await?, body, "{what}");
            store.bucket.object("changed").delete().await?;
        } else {
            let object = store.bucket.object("changed");
            // The in-process server stores a body before it compares the checksum.
            if store.is_swift || form != Form::UnsignedTrailer {
                let head = object.head().await;
                assert!(head.is_err_and(|error| error.is_not_found()), "{what} was changed, and the object is there");
            }
            object.delete().await?;
        }
    }
    store.empty_and_delete().await
}

fn bytes(random: &mut fastrand::Rng, length: usize) -> Bytes {
    std::iter::repeat_with(|| random.u8(..)).take(length).collect()
}

fn text(random: &mut fastrand::Rng, longest: usize) -> String {
    let length = random.usize(1..=longest);
    std::iter::repeat_with(|| random.alphanumeric()).take(length).collect()
}

/// A signer, its credentials and its time, and the same for the other crate.
struct Pair {
    signer: SigV4,
    credentials: Credentials,
    now: OffsetDateTime,
    identity: aws_smithy_runtime_api::client::identity::Identity,
}

impl Pair {
    fn random(random: &mut fastrand::Rng, service: &'static str) -> Result<Self, Failed> {
        let (id, secret) = (text(random, 20), text(random, 40));
        let now = OffsetDateTime::from_unix_timestamp_nanos(random.i128(0..4_102_444_800) * 1_000_000_000 + 7)?;
        Ok(Self {
            signer: SigV4::new(service, ["us-east-1", "cn-north-1"][random.usize(..2)]),
            credentials: Credentials::new(&id, secret.as_str()),
            now,
            identity: aws_credential_types::Credentials::new(id, secret, None, None, "test").into(),
        })
    }

    fn parameters(&self) -> Result<v4::SigningParams<'_, ()>, Failed> {
        let builder = v4::SigningParams::builder().identity(&self.identity).region(self.signer.region());
        let builder = builder.name(self.signer.service()).time(SystemTime::from(self.now)).settings(());
        Ok(builder.build()?)
    }
}

fn chunks_agree() -> Outcome {
    let mut random = fastrand::Rng::with_seed(SEED);
    for round in 0..200 {
        let pair = Pair::random(&mut random, "s3")?;
        let length = random.usize(..60_000);
        let body = bytes(&mut random, length);
        let size = random.usize(8192..20_000);
        let mut chunked = AwsChunked::signed(body.len() as u64).chunk_size(size as u64);
        let mut trailers = HeaderMap::new();
        for name in ["x-b", "x-amz-checksum-crc32", "x-a-long-name"].into_iter().take(random.usize(..4)) {
            let value = text(&mut random, 30);
            chunked = chunked.trailer(HeaderName::from_static(name), value.len());
            trailers.insert(name, value.parse()?);
        }
        let mut request = Request::put("https://h/k").body(())?;
        chunked.set_headers(request.headers_mut())?;
        pair.signer.sign(&mut request, chunked.payload(), &pair.credentials, pair.now)?;

        let mut signature =
            request.headers()["authorization"].to_str()?.rsplit_once("Signature=").expect("signed").1.to_owned();
        let parameters = pair.parameters()?;
        let mut expected = Vec::new();
        for start in (0..body.len()).step_by(size).chain([body.len()]) {
            let chunk = body.slice(start..body.len().min(start + size));
            signature = v4::sign_chunk(&chunk, &signature, &parameters)?.into_parts().1;
            expected.extend_from_slice(format!("{:x};chunk-signature={signature}\r\n", chunk.len()).as_bytes());
            if !chunk.is_empty() {
                expected.extend_from_slice(&chunk);
                expected.extend_from_slice(b"\r\n");
            }
        }
        if !trailers.is_empty() {
            let mut sorted: Vec<_> = trailers.iter().map(|(n, v)| (n.as_str(), v.to_str().expect("text"))).collect();
            sorted.sort_unstable();
            let mut headers = aws_smithy_runtime_api::http::Headers::new();
            for (name, value) in sorted {
                headers.append(name.to_owned(), value.to_owned());
                expected.extend_from_slice(format!("{name}:{value}\r\n").as_bytes());
            }
            let signature = v4::sign_trailer(&headers, &signature, &parameters)?.into_parts().1;
            expected.extend_from_slice(format!("x-amz-trailer-signature:{signature}\r\n").as_bytes());
        }
        expected.extend_from_slice(b"\r\n");

        let mut encoder = chunked.encoder(ChunkedSigner::sigv4(&pair.signer, &pair.credentials, request.headers())?)?;
        let (mut rest, mut sent) = (body, Vec::new());
        while !rest.is_empty() {
            let length = random.usize(..=rest.len());
            encoder.push(rest.split_to(length))?;
            while let Some(frame) = encoder.next_frame()? {
                sent.extend_from_slice(&frame);
            }
        }
        encoder.finish(&trailers)?;
        while let Some(frame) = encoder.next_frame()? {
            sent.extend_from_slice(&frame);
        }
        assert!(sent == expected, "round {round} differs");
    }
    Ok(())
}

/// A value of a random type, in both crates.
fn random_value(random: &mut fastrand::Rng) -> Result<(Value, smithy::HeaderValue), Failed> {
    Ok(match random.u8(..9) {
        0 => (true.into(), smithy::HeaderValue::Bool(true)),
        1 => (false.into(), smithy::HeaderValue::Bool(false)),
        2 => random_number(random.i8(..), smithy::HeaderValue::Byte),
        3 => random_number(random.i16(..), smithy::HeaderValue::Int16),
        4 => random_number(random.i32(..), smithy::HeaderValue::Int32),
        5 => random_number(random.i64(..), smithy::HeaderValue::Int64),
        6 => {
            let bytes: Vec<u8> = text(random, 300).into_bytes();
            (bytes.clone().into(), smithy::HeaderValue::ByteArray(bytes.into()))
        }
        7 => {
            let text = text(random, 300);
            (text.clone().into(), smithy::HeaderValue::String(text.into()))
        }
        _ => {
            let milliseconds = random.i64(0..4_102_444_800_000);
            let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(milliseconds) * 1_000_000)?;
            let theirs = aws_smithy_types::DateTime::from_millis(milliseconds);
            (moment.into(), smithy::HeaderValue::Timestamp(theirs))
        }
    })
}

fn random_number<N: Copy + Into<Value>>(
    number: N,
    theirs: fn(N) -> smithy::HeaderValue,
) -> (Value, smithy::HeaderValue) {
    (number.into(), theirs(number))
}

fn events_agree() -> Outcome {
    let mut random = fastrand::Rng::with_seed(SEED);
    for round in 0..200 {
        let pair = Pair::random(&mut random, "transcribe")?;
        let mut signature: String = std::iter::repeat_with(|| random.digit(16)).take(64).collect();
        let mut events = EventSigner::new(pair.signer.clone(), SeedSignature::from_hex(&signature)?);
        for _ in 0..random.usize(1..5) {
            let length = random.usize(..3000);
            let payload = bytes(&mut random, length);
            let (mut ours, mut theirs) = (Message::new(payload.clone()), smithy::Message::new(payload));
            for _ in 0..random.usize(..6) {
                let (name, (value, their_value)) = (text(&mut random, 50), random_value(&mut random)?);
                ours = ours.header(name.clone(), value);
                theirs = theirs.add_header(smithy::Header::new(name, their_value));
            }
            let sent = events.sign(&ours, &pair.credentials, pair.now)?;
            let signed = aws_sigv4::event_stream::sign_message(&theirs, &signature, &pair.parameters()?)?;
            let (expected, next) = signed.into_parts();
            signature = next;
            assert_same(&sent, &expected, round)?;
        }
        let signed = aws_sigv4::event_stream::sign_empty_message(&signature, &pair.parameters()?)?;
        assert_same(&events.finish(&pair.credentials, pair.now)?, &signed.into_parts().0, round)?;
    }
    Ok(())
}

/// Read by the other crate, which checks lengths and checksums, a message is the expected one. Its headers have no order.
fn assert_same(sent: &[u8], expected: &smithy::Message, round: usize) -> Outcome {
    let read = aws_smithy_eventstream::frame::read_message_from(sent)?;
    assert_eq!(read.payload(), expected.payload(), "round {round}");
    let sorted = |message: &smithy::Message| {
        let mut headers = message.headers().to_vec();
        headers.sort_by(|a, b| a.name().as_str().cmp(b.name().as_str()));
        headers
    };
    assert_eq!(sorted(&read), sorted(expected), "round {round}");
    Ok(())
}
