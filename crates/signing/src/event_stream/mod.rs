//! Streams of messages that are signed one by one: Amazon Transcribe, Lex, Kinesis and others, over HTTP/2 or a WebSocket.
//!
//! The request says [`StreamingPayload::Events`](crate::StreamingPayload::Events) of its body, or its URL is presigned. Its
//! signature is the seed: each message carries one that continues the signature before it. An empty message ends the stream.
//!
//! Nothing here waits or sends: [`EventSigner`] takes a message and gives the bytes to send.
//!
//! # Example
//! ```
//! use aws_sigv4_free_signing::event_stream::{EventSigner, Message};
//! use aws_sigv4_free_signing::{Credentials, Payload, SeedSignature, SigV4, StreamingPayload};
//! # use time::OffsetDateTime;
//!
//! # let now = OffsetDateTime::UNIX_EPOCH;
//! let signer = SigV4::new("transcribe", "us-east-1");
//! let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
//! let mut request = http::Request::post("https://transcribestreaming.us-east-1.amazonaws.com/stream-transcription")
//!     .header("content-type", "application/vnd.amazon.eventstream")
//!     .body(())?;
//! signer.sign(&mut request, Payload::Streaming(StreamingPayload::Events), &credentials, now)?;
//!
//! let mut events = EventSigner::new(signer, SeedSignature::from_headers(request.headers())?);
//! let audio = Message::new(&b"samples"[..])
//!     .header(":message-type", "event")
//!     .header(":event-type", "AudioEvent")
//!     .header(":content-type", "application/octet-stream");
//! let first = events.sign(&audio, &credentials, now)?;
//! let last = events.finish(&credentials, now)?;
//! assert_eq!(first[..4], u32::try_from(first.len())?.to_be_bytes());
//! assert_eq!(last.len(), 16 + 15 + 52);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Source: "Setting up a streaming transcription" in the Amazon Transcribe Developer Guide.

mod message;

use std::fmt;

use aws_sigv4_free_http_transport::Bytes;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

pub use message::{Message, Value};

use crate::encoding::hex;
use crate::seed::not_signed;
use crate::{Credentials, SeedSignature, SigV4, SigningError};
use message::{frame, write_header};

/// Signs the messages of one stream, each continuing the signature before it; the first continues that of the request.
///
/// The credentials and the time are arguments of each message: a stream may outlive those that it began with.
pub struct EventSigner {
    signer: SigV4,
    previous: [u8; 64],
}

impl EventSigner {
    /// For the stream of a request that `signer` has signed.
    // Taking the seed keeps it from being continued twice by accident.
    #[allow(clippy::needless_pass_by_value)]
    pub fn new(signer: SigV4, seed: SeedSignature) -> Self {
        Self { signer, previous: *seed.as_bytes() }
    }

    /// Encodes and signs a message: the bytes to send.
    ///
    /// # Errors
    /// Those of [`Message::encode`] and of signing. The next message continues the same signature then.
    pub fn sign(
        &mut self,
        message: &Message,
        credentials: &Credentials,
        now: OffsetDateTime,
    ) -> Result<Vec<u8>, SigningError> {
        self.sign_payload(&message.encode()?, credentials, now)
    }

    /// Signs what was encoded elsewhere: the bytes to send.
    ///
    /// # Errors
    /// Those of signing, and [`InvalidMessage`](crate::SigningErrorKind::InvalidMessage) for more than 24 MiB. The next
    /// message continues the same signature then.
    pub fn sign_payload(
        &mut self,
        payload: &[u8],
        credentials: &Credentials,
        now: OffsetDateTime,
    ) -> Result<Vec<u8>, SigningError> {
        let mut headers = Vec::with_capacity(67);
        // Signed is what is sent: whole seconds.
        let whole = now.replace_nanosecond(0).unwrap_or(now);
        write_header(&mut headers, ":date", &Value::Timestamp(whole))?;
        let hash = |bytes: &[u8]| hex(&Sha256::digest(bytes).into());
        let lines: [&[u8]; 2] = [&hash(&headers), &hash(payload)];
        let signature = self.signer.sign_next("AWS4-HMAC-SHA256-PAYLOAD", &self.previous, &lines, credentials, now)?;
        write_header(&mut headers, ":chunk-signature", &Value::Bytes(Bytes::from(unhex(&signature)?)))?;
        let sent = frame(&headers, payload)?;
        self.previous = signature;
        Ok(sent)
    }

    /// The empty message that ends the stream: the bytes to send.
    ///
    /// # Errors
    /// Those of signing.
    pub fn finish(mut self, credentials: &Credentials, now: OffsetDateTime) -> Result<Vec<u8>, SigningError> {
        self.sign_payload(&[], credentials, now)
    }
}

/// The bytes that the digits of a signature stand for.
fn unhex(digits: &[u8; 64]) -> Result<Vec<u8>, SigningError> {
    let value = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let bytes = digits.as_chunks::<2>().0.iter().map(|&[high, low]| Some(value(high)? << 4 | value(low)?));
    bytes.collect::<Option<_>>().ok_or_else(|| not_signed("a signature of SigV4 is hexadecimal, and this is not"))
}

// No signature: that of a presigned URL is what makes the URL work.
impl fmt::Debug for EventSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventSigner").field("signer", &self.signer).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Payload, SigningErrorKind, StreamingPayload};

    /// 1981-01-16T06:30:00Z.
    const START: i64 = 348_474_600;

    fn at(second: i64) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(START + second).unwrap()
    }

    fn credentials() -> Credentials {
        Credentials::new("access", "secret")
    }

    /// The signer of the streams below, and the request's signature.
    fn started() -> EventSigner {
        let signer = SigV4::new("demo", "us-east-1");
        let mut request = http::Request::post("https://demo.us-east-1.amazonaws.com/streaming")
            .header("content-encoding", "application/vnd.amazon.eventstream")
            .body(())
            .unwrap();
        signer.sign(&mut request, Payload::Streaming(StreamingPayload::Events), &credentials(), at(0)).unwrap();
        assert_eq!(
            request.headers()["authorization"],
            "AWS4-HMAC-SHA256 Credential=access/19810116/us-east-1/demo/aws4_request, \
             SignedHeaders=content-encoding;host;x-amz-content-sha256;x-amz-date, \
             Signature=e1d8e8c8815e60969f2a34765c9a15945ffc0badbaa4b7e3b163ea19131e949b"
        );
        EventSigner::new(signer, SeedSignature::from_headers(request.headers()).unwrap())
    }

    /// The date in milliseconds, the signature and the payload of a signed message.
    fn read(sent: &[u8]) -> (i64, String, &[u8]) {
        let headers = &sent[12..12 + 67];
        let rest = headers.strip_prefix(b"\x05:date\x08").unwrap();
        let (date, rest) = rest.split_at(8);
        let signature = rest.strip_prefix(b"\x10:chunk-signature\x06\x00\x20").unwrap();
        let digits = signature.iter().map(|byte| format!("{byte:02x}")).collect();
        (i64::from_be_bytes(date.try_into().unwrap()), digits, &sent[12 + 67..sent.len() - 4])
    }

    // The stream that the implementations of this algorithm in C and Java are tested with.
    #[test]
    fn a_known_stream_of_three_messages() {
        let mut events = started();
        for (second, payload, signature) in [
            (1, "A", "7aabf85b765e6a4d0d500b6e968657b14726fa3e1eb7e839302728ffd77629a5"),
            (2, "B", "f72aa9642f571d24a6e1ae42f10f073ad9448d8a028b6bcd82da081335adda02"),
            (3, "C", "632af120435b57ec241d8bfbb12e496dfd5e2730a1a02ac0ab6eaa230ae02e9a"),
        ] {
            // Fractions of a second are neither signed nor sent.
            let now = at(second) + time::Duration::milliseconds(999);
            let sent = events.sign_payload(payload.as_bytes(), &credentials(), now).unwrap();
            assert_eq!(read(&sent), ((START + second) * 1000, signature.to_owned(), payload.as_bytes()));
        }
        let last = events.finish(&credentials(), at(4)).unwrap();
        let signature = "c6f679ddb3af68f5e82f0cf6761244cb2338cf11e7d01a24130aea1b7c17e53e";
        assert_eq!(read(&last), ((START + 4) * 1000, signature.to_owned(), &b""[..]));
    }

    #[test]
    fn a_message_is_the_payload_of_the_signed_one() {
        let message = Message::new("hello").header(":event-type", "Event");
        let sent = started().sign(&message, &credentials(), at(1)).unwrap();
        assert_eq!(read(&sent).2, message.encode().unwrap());
    }

    #[test]
    fn what_failed_is_not_continued() {
        let mut events = started();
        let large = vec![0; 24 << 20];
        let error = events.sign_payload(&large, &credentials(), at(1)).unwrap_err();
        assert_eq!(error.kind(), SigningErrorKind::InvalidMessage);
        assert!(events.sign_payload(b"A", &Credentials::new("", "x"), at(1)).is_err());
        let sent = events.sign_payload(b"A", &credentials(), at(1)).unwrap();
        assert!(read(&sent).1.starts_with("7aabf85b"));
        assert!(!format!("{events:?}").contains("7aabf85b"));
    }

    #[test]
    fn credentials_may_change_within_a_stream() {
        let (mut events, mut same) = (started(), started());
        let sent = events.sign_payload(b"A", &Credentials::new("access2", "secret2"), at(1)).unwrap();
        assert_ne!(read(&sent).1, read(&same.sign_payload(b"A", &credentials(), at(1)).unwrap()).1);
    }
}
