//! Bodies that are signed, or followed by a checksum, while they are sent: the content encoding `aws-chunked` of S3.
//!
//! A body in memory is hashed before the request is signed. One that is too large for that, or that is not there yet, is
//! cut into chunks instead. With [`AwsChunked::signed`] each chunk carries a signature that continues the one before it,
//! the first that of the request. With [`AwsChunked::unsigned`] nothing of the body is signed. Trailers follow the body: a
//! checksum that was computed while it passed. The length of the body has to be known in either case.
//!
//! Nothing here waits or reads. [`ChunkedEncoder`] takes pieces of any size and gives frames to send; [`ChunkedSource`]
//! does the same for a [`ChunkSource`](aws_sigv4_free_http_transport::ChunkSource). The bytes of the body are handed
//! through, not copied, but for pieces below 1 KiB, which are collected.
//!
//! Stores other than S3 may refuse this encoding, the trailers above all: ask for it, do not make it a default.
//!
//! # Example
//! ```
//! use aws_sigv4_free_signing::aws_chunked::{AwsChunked, ChunkedSigner};
//! use aws_sigv4_free_signing::{Credentials, SigV4};
//! use http::{HeaderMap, HeaderName, HeaderValue};
//! # use time::OffsetDateTime;
//!
//! # let now = OffsetDateTime::UNIX_EPOCH;
//! let signer = SigV4::s3("us-east-1");
//! let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
//! let body: [&[u8]; 2] = [b"a body whose checksum is known ", b"at its end"];
//! let length = body.iter().map(|piece| piece.len() as u64).sum();
//!
//! // What is announced before the body: its length, and a checksum of 8 characters after it.
//! const CRC32: HeaderName = HeaderName::from_static("x-amz-checksum-crc32");
//! let chunked = AwsChunked::signed(length).trailer(CRC32, 8);
//! let mut request = http::Request::put("https://photos.s3.us-east-1.amazonaws.com/cat.jpg").body(())?;
//! chunked.set_headers(request.headers_mut())?;
//! signer.sign(&mut request, chunked.payload(), &credentials, now)?;
//!
//! // The body, as it is sent.
//! let mut sent = Vec::new();
//! let mut encoder = chunked.encoder(ChunkedSigner::sigv4(&signer, &credentials, request.headers())?)?;
//! for piece in body {
//!     encoder.push(piece.to_vec().into())?;
//!     while let Some(frame) = encoder.next_frame()? {
//!         sent.extend_from_slice(&frame);
//!     }
//! }
//! encoder.finish(&HeaderMap::from_iter([(CRC32, HeaderValue::from_static("VB5MUg=="))]))?;
//! while let Some(frame) = encoder.next_frame()? {
//!     sent.extend_from_slice(&frame);
//! }
//! assert_eq!(sent.len() as u64, chunked.encoded_length()?);
//! assert_eq!(request.headers()["content-length"], sent.len().to_string());
//! assert!(sent.starts_with(b"29;chunk-signature="));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Source: "Authenticating Requests in Amazon S3: transferring a payload in multiple chunks" in the Amazon S3 API Reference.

mod encoder;
mod length;
mod signer;
mod source;
mod trailer;

use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http::{HeaderMap, HeaderName, HeaderValue};

pub use encoder::ChunkedEncoder;
pub use signer::ChunkedSigner;
pub use source::{ChunkedSource, NoTrailers, TrailerSource};

use crate::Payload;
use crate::error::{SigningError, SigningErrorKind};
use crate::payload::StreamingPayload;
use length::Lengths;
use trailer::Announced;

const X_AMZ_DECODED_CONTENT_LENGTH: HeaderName = HeaderName::from_static("x-amz-decoded-content-length");
const X_AMZ_TRAILER: HeaderName = HeaderName::from_static("x-amz-trailer");
const AWS_CHUNKED: &str = "aws-chunked";

/// The smallest chunk that S3 accepts before the last one.
const SMALLEST_CHUNK: u64 = 8 << 10;
/// The largest chunk: signed ones are held in memory whole.
const LARGEST_CHUNK: u64 = 1 << 30;

/// How a body is cut into chunks: what is known before its first byte.
#[derive(Clone, Debug)]
pub struct AwsChunked {
    signatures: Signatures,
    body_length: u64,
    chunk_size: u64,
    trailers: Announced,
}

/// How chunks are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signatures {
    None,
    SigV4,
    #[cfg(feature = "sigv4a")]
    SigV4A,
}

impl Signatures {
    /// The digits of one signature.
    fn length(self) -> Option<u64> {
        match self {
            Self::None => None,
            Self::SigV4 => Some(64),
            #[cfg(feature = "sigv4a")]
            Self::SigV4A => Some(144),
        }
    }
}

impl AwsChunked {
    /// A body of `body_length` bytes, each chunk signed with SigV4: `STREAMING-AWS4-HMAC-SHA256-PAYLOAD`, and with a
    /// trailer `STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER`.
    pub fn signed(body_length: u64) -> Self {
        Self::new(Signatures::SigV4, body_length)
    }

    /// A body of `body_length` bytes, each chunk signed with SigV4A: `STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD`, and with a
    /// trailer `STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER`.
    #[cfg(feature = "sigv4a")]
    pub fn signed_sigv4a(body_length: u64) -> Self {
        Self::new(Signatures::SigV4A, body_length)
    }

    /// A body of `body_length` bytes that no signature covers, with at least one trailer:
    /// `STREAMING-UNSIGNED-PAYLOAD-TRAILER`. S3 accepts it over TLS.
    pub fn unsigned(body_length: u64) -> Self {
        Self::new(Signatures::None, body_length)
    }

    fn new(signatures: Signatures, body_length: u64) -> Self {
        Self { signatures, body_length, chunk_size: 64 << 10, trailers: Announced::default() }
    }

    /// Sets how many bytes of the body each chunk but the last holds: 8 KiB to 1 GiB, 64 KiB where this is not called. A
    /// signed chunk is held in memory until it is whole.
    #[must_use]
    pub fn chunk_size(mut self, bytes: u64) -> Self {
        self.chunk_size = bytes;
        self
    }

    /// Announces a header that follows the body, with the length of its value in bytes: 8 for a CRC32 in base64.
    #[must_use]
    pub fn trailer(mut self, name: HeaderName, value_length: usize) -> Self {
        self.trailers.push(name, value_length);
        self
    }

    /// What the request is signed with.
    pub fn payload(&self) -> Payload<'static> {
        Payload::Streaming(self.streaming_payload())
    }

    fn streaming_payload(&self) -> StreamingPayload {
        match (self.signatures, self.trailers.is_empty()) {
            (Signatures::None, _) => StreamingPayload::UnsignedTrailer,
            (Signatures::SigV4, true) => StreamingPayload::Signed,
            (Signatures::SigV4, false) => StreamingPayload::SignedTrailer,
            #[cfg(feature = "sigv4a")]
            (Signatures::SigV4A, true) => StreamingPayload::EcdsaSigned,
            #[cfg(feature = "sigv4a")]
            (Signatures::SigV4A, false) => StreamingPayload::EcdsaSignedTrailer,
        }
    }

    /// How many bytes are sent: the body, its frames, signatures and trailers.
    ///
    /// # Errors
    /// [`InvalidChunking`](SigningErrorKind::InvalidChunking) for a chunk size out of range, or a length that 64 bits do not
    /// hold; [`InvalidTrailer`](SigningErrorKind::InvalidTrailer) for trailers that can't be, or an unsigned body without.
    pub fn encoded_length(&self) -> Result<u64, SigningError> {
        if !(SMALLEST_CHUNK..=LARGEST_CHUNK).contains(&self.chunk_size) {
            let message = format!("a chunk holds from 8 KiB to 1 GiB, and {} bytes were asked for", self.chunk_size);
            return Err(SigningError::new(SigningErrorKind::InvalidChunking, message));
        }
        self.trailers.check()?;
        if self.signatures == Signatures::None && self.trailers.is_empty() {
            let message = "chunks without signatures need a trailer: add a checksum, or send the body as it is";
            return Err(SigningError::new(SigningErrorKind::InvalidTrailer, message));
        }
        let lengths = Lengths {
            body: self.body_length,
            chunk: self.chunk_size,
            signature: self.signatures.length(),
            trailers: self.trailers.length(),
        };
        lengths.encoded().ok_or_else(|| {
            SigningError::new(
                SigningErrorKind::InvalidChunking,
                "the body is too long: 64 bits do not hold its length in chunks",
            )
        })
    }

    /// Sets what the request says of its body, before it is signed: `content-encoding` (`aws-chunked`, before any encoding
    /// that is there), `x-amz-decoded-content-length`, `content-length`, and `x-amz-trailer` where there are trailers.
    ///
    /// # Errors
    /// Those of [`encoded_length`](Self::encoded_length), and [`InvalidHeader`](SigningErrorKind::InvalidHeader) for a
    /// `content-encoding` that can't be added to. On an error the headers are unchanged.
    pub fn set_headers(&self, headers: &mut HeaderMap) -> Result<(), SigningError> {
        let length = self.encoded_length()?;
        let encoding = content_encoding(headers)?;
        let trailers = self.trailers.header_value()?;
        headers.insert(CONTENT_ENCODING, encoding);
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        headers.insert(X_AMZ_DECODED_CONTENT_LENGTH, HeaderValue::from(self.body_length));
        match trailers {
            Some(names) => drop(headers.insert(X_AMZ_TRAILER, names)),
            None => drop(headers.remove(X_AMZ_TRAILER)),
        }
        Ok(())
    }

    /// The encoder for a body in signed chunks.
    ///
    /// # Errors
    /// Those of [`encoded_length`](Self::encoded_length), and [`NotSigned`](SigningErrorKind::NotSigned) where the request
    /// that `signer` continues announces another kind of body.
    pub fn encoder(&self, signer: ChunkedSigner) -> Result<ChunkedEncoder, SigningError> {
        if signer.payload() != self.streaming_payload() {
            let message = format!(
                "the request announces {} and the body is {}: sign the request with the payload that `AwsChunked` gives",
                signer.payload().as_str(),
                self.streaming_payload().as_str()
            );
            return Err(SigningError::new(SigningErrorKind::NotSigned, message));
        }
        let length = self.encoded_length()?;
        Ok(ChunkedEncoder::new(self, Some(signer), length))
    }

    /// The encoder for a body in chunks that are not signed.
    ///
    /// # Errors
    /// Those of [`encoded_length`](Self::encoded_length), and [`NotSigned`](SigningErrorKind::NotSigned) where the chunks
    /// are to be signed.
    pub fn unsigned_encoder(&self) -> Result<ChunkedEncoder, SigningError> {
        if self.signatures != Signatures::None {
            let message = "the chunks are to be signed: give the encoder a `ChunkedSigner`";
            return Err(SigningError::new(SigningErrorKind::NotSigned, message));
        }
        let length = self.encoded_length()?;
        Ok(ChunkedEncoder::new(self, None, length))
    }
}

/// `aws-chunked`, and the encodings that the body has anyway.
fn content_encoding(headers: &HeaderMap) -> Result<HeaderValue, SigningError> {
    let unusable =
        || SigningError::new(SigningErrorKind::InvalidHeader, "the header content-encoding is not ASCII text");
    let mut joined = AWS_CHUNKED.to_owned();
    for value in headers.get_all(CONTENT_ENCODING) {
        for encoding in value.to_str().map_err(|_| unusable())?.split(',').map(str::trim) {
            if !encoding.is_empty() && !encoding.eq_ignore_ascii_case(AWS_CHUNKED) {
                joined.push(',');
                joined.push_str(encoding);
            }
        }
    }
    HeaderValue::try_from(joined).map_err(|_| unusable())
}

#[cfg(test)]
#[cfg(feature = "sigv4a")]
mod sigv4a_tests;
#[cfg(test)]
mod tests;
