//! What signs the chunks of one body, one after the other.

use std::fmt;

use http::{HeaderMap, HeaderName};
use time::OffsetDateTime;

use crate::error::SigningError;
use crate::payload::{EMPTY_SHA256, StreamingPayload};
use crate::seed::{Authorization, not_signed, signing_time};
use crate::{Credentials, SigV4};

const X_AMZ_CONTENT_SHA256: HeaderName = HeaderName::from_static("x-amz-content-sha256");

/// The longest text of a signature: that of SigV4A with its padding.
const LONGEST: usize = 144;

/// Signs the chunks and the trailers of one body, each continuing the signature before it; the first continues that of the
/// request.
pub struct ChunkedSigner {
    engine: Engine,
    /// What the signed request says of its body.
    payload: StreamingPayload,
    previous: SignatureText,
}

/// The algorithms that a chunk can be signed with.
enum Engine {
    SigV4 { signer: SigV4, credentials: Credentials, now: OffsetDateTime },
}

/// What a signature is made for.
#[derive(Clone, Copy)]
enum Signed {
    Chunk,
    Trailers,
}

/// A signature as text.
#[derive(Clone, Copy)]
pub(super) struct SignatureText {
    text: [u8; LONGEST],
    length: usize,
}

impl SignatureText {
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.text[..self.length]
    }
}

impl From<[u8; 64]> for SignatureText {
    fn from(digits: [u8; 64]) -> Self {
        let mut signature = Self { text: [0; LONGEST], length: 64 };
        signature.text[..64].copy_from_slice(&digits);
        signature
    }
}

impl ChunkedSigner {
    /// For the body of a request that `signer` has signed with `credentials`: `headers` are those of the signed request.
    /// The time of the chunks is that of the request, however long the body takes.
    ///
    /// # Errors
    /// [`NotSigned`](crate::SigningErrorKind::NotSigned) where the headers hold no signature, that of another signer or of
    /// other credentials, or none that announces signed chunks.
    pub fn sigv4(signer: &SigV4, credentials: &Credentials, headers: &HeaderMap) -> Result<Self, SigningError> {
        let Authorization { credential, signature } = Authorization::of(headers)?;
        let (now, date) = signing_time(headers)?;
        let day = date.get(..8).unwrap_or_default();
        let (id, region, service) = (credentials.access_key_id(), signer.region(), signer.service());
        if credential != format!("{id}/{day}/{region}/{service}/aws4_request") {
            return Err(not_signed(
                "the request was signed with another access key, or for another day, region or service",
            ));
        }
        let payload = announced(headers)?;
        if !matches!(payload, StreamingPayload::Signed | StreamingPayload::SignedTrailer) {
            return Err(not_signed("the request does not announce chunks that are signed with SigV4"));
        }
        let engine = Engine::SigV4 { signer: signer.clone(), credentials: credentials.clone(), now };
        Ok(Self { engine, payload, previous: SignatureText::from(*signature.as_bytes()) })
    }

    pub(super) fn payload(&self) -> StreamingPayload {
        self.payload
    }

    /// The signature of a chunk whose bytes have this hash.
    pub(super) fn chunk(&mut self, hash: &[u8; 64]) -> Result<SignatureText, SigningError> {
        self.next(Signed::Chunk, &[EMPTY_SHA256.as_bytes(), hash])
    }

    /// The signature of trailers whose canonical form has this hash.
    pub(super) fn trailers(&mut self, hash: &[u8; 64]) -> Result<SignatureText, SigningError> {
        self.next(Signed::Trailers, &[hash])
    }

    fn next(&mut self, signed: Signed, rest: &[&[u8]]) -> Result<SignatureText, SigningError> {
        let previous = self.previous.as_bytes();
        let signature = match &self.engine {
            Engine::SigV4 { signer, credentials, now } => {
                let algorithm = match signed {
                    Signed::Chunk => "AWS4-HMAC-SHA256-PAYLOAD",
                    Signed::Trailers => "AWS4-HMAC-SHA256-TRAILER",
                };
                let previous =
                    previous.try_into().map_err(|_| not_signed("the signature before is not one of SigV4"))?;
                SignatureText::from(signer.sign_next(algorithm, previous, rest, credentials, *now)?)
            }
        };
        self.previous = signature;
        Ok(signature)
    }
}

/// What the headers say of the body.
fn announced(headers: &HeaderMap) -> Result<StreamingPayload, SigningError> {
    let name = headers.get(X_AMZ_CONTENT_SHA256).and_then(|value| value.to_str().ok());
    name.and_then(StreamingPayload::from_name)
        .ok_or_else(|| not_signed("the header x-amz-content-sha256 does not announce a body in chunks"))
}

// No signature: one that stands in a URL is what makes the URL work.
impl fmt::Debug for ChunkedSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChunkedSigner").field("payload", &self.payload).finish_non_exhaustive()
    }
}
