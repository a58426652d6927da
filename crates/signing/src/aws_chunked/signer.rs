//! What signs the chunks of one body, one after the other.

use std::fmt;

use http::{HeaderMap, HeaderName};
use time::OffsetDateTime;

#[cfg(feature = "sigv4a")]
use crate::SigV4A;
use crate::error::SigningError;
use crate::payload::{EMPTY_SHA256, StreamingPayload};
use crate::seed::{Authorization, SeedSignature, not_signed, signing_time};
use crate::{Credentials, SigV4};

const X_AMZ_CONTENT_SHA256: HeaderName = HeaderName::from_static("x-amz-content-sha256");

/// The longest text of a signature: that of SigV4A.
const LONGEST: usize = 144;

/// Signs the chunks and the trailers of one body, each continuing the signature before it; the first continues that of the
/// request.
pub struct ChunkedSigner {
    engine: Engine,
    credentials: Credentials,
    /// The time of the request.
    now: OffsetDateTime,
    /// What the signed request says of its body.
    payload: StreamingPayload,
    previous: SignatureText,
}

/// The algorithms that a chunk can be signed with.
enum Engine {
    SigV4(SigV4),
    #[cfg(feature = "sigv4a")]
    SigV4A(SigV4A),
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

    /// Appends it as it is sent: those of SigV4A vary in length, and are filled up to the longest, so that the length of the
    /// body is known before it.
    pub(super) fn write(&self, out: &mut Vec<u8>, length: u64) {
        out.extend_from_slice(self.as_bytes());
        let missing = usize::try_from(length).unwrap_or(LONGEST).saturating_sub(self.length);
        out.extend(std::iter::repeat_n(b'*', missing));
    }
}

#[cfg(feature = "sigv4a")]
impl SignatureText {
    /// A signature in DER, as hexadecimal digits.
    fn of_ecdsa(digits: &str) -> Result<Self, SigningError> {
        let mut signature = Self { text: [0; LONGEST], length: digits.len() };
        let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        match signature.text.get_mut(..digits.len()) {
            Some(text) if !text.is_empty() && digits.as_bytes().iter().all(is_digit) => {
                text.copy_from_slice(digits.as_bytes());
                Ok(signature)
            }
            _ => Err(not_signed("a signature of SigV4A is at most 144 lower-case hexadecimal digits, and this is not")),
        }
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
        let region = format!("{}/", signer.region());
        let payloads = [StreamingPayload::Signed, StreamingPayload::SignedTrailer];
        let request =
            SignedRequest::read(headers, "AWS4-HMAC-SHA256", credentials, &region, signer.service(), payloads)?;
        let previous = SignatureText::from(*SeedSignature::from_hex(request.signature)?.as_bytes());
        Ok(Self::new(Engine::SigV4(signer.clone()), credentials, &request, previous))
    }

    /// [`sigv4`](Self::sigv4) for a request that was signed with SigV4A.
    ///
    /// # Errors
    /// Those of [`sigv4`](Self::sigv4).
    #[cfg(feature = "sigv4a")]
    pub fn sigv4a(signer: &SigV4A, credentials: &Credentials, headers: &HeaderMap) -> Result<Self, SigningError> {
        let payloads = [StreamingPayload::EcdsaSigned, StreamingPayload::EcdsaSignedTrailer];
        let algorithm = "AWS4-ECDSA-P256-SHA256";
        let request = SignedRequest::read(headers, algorithm, credentials, "", signer.service(), payloads)?;
        let previous = SignatureText::of_ecdsa(request.signature)?;
        Ok(Self::new(Engine::SigV4A(signer.clone()), credentials, &request, previous))
    }

    fn new(engine: Engine, credentials: &Credentials, request: &SignedRequest<'_>, previous: SignatureText) -> Self {
        Self { engine, credentials: credentials.clone(), now: request.now, payload: request.payload, previous }
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
            Engine::SigV4(signer) => {
                let algorithm = match signed {
                    Signed::Chunk => "AWS4-HMAC-SHA256-PAYLOAD",
                    Signed::Trailers => "AWS4-HMAC-SHA256-TRAILER",
                };
                let previous =
                    previous.try_into().map_err(|_| not_signed("the signature before is not one of SigV4"))?;
                SignatureText::from(signer.sign_next(algorithm, previous, rest, &self.credentials, self.now)?)
            }
            #[cfg(feature = "sigv4a")]
            Engine::SigV4A(signer) => {
                let algorithm = match signed {
                    Signed::Chunk => "AWS4-ECDSA-P256-SHA256-PAYLOAD",
                    Signed::Trailers => "AWS4-ECDSA-P256-SHA256-TRAILER",
                };
                let next = signer.0.sign_next_ecdsa(algorithm, previous, rest, &self.credentials, self.now)?;
                SignatureText::of_ecdsa(&next)?
            }
        };
        self.previous = signature;
        Ok(signature)
    }
}

/// What the headers of a signed request say.
struct SignedRequest<'a> {
    signature: &'a str,
    now: OffsetDateTime,
    payload: StreamingPayload,
}

impl<'a> SignedRequest<'a> {
    /// `region` as it stands in the credential scope.
    fn read(
        headers: &'a HeaderMap,
        algorithm: &str,
        credentials: &Credentials,
        region: &str,
        service: &str,
        payloads: [StreamingPayload; 2],
    ) -> Result<Self, SigningError> {
        let Authorization { credential, signature } = Authorization::of(headers, algorithm)?;
        let (now, date) = signing_time(headers)?;
        let (id, day) = (credentials.access_key_id(), date.get(..8).unwrap_or_default());
        if credential != format!("{id}/{day}/{region}{service}/aws4_request") {
            let message = "the request was signed with another access key, or for another day, region or service";
            return Err(not_signed(message));
        }
        let name = headers.get(X_AMZ_CONTENT_SHA256).and_then(|value| value.to_str().ok());
        let payload = name.and_then(StreamingPayload::from_name).filter(|payload| payloads.contains(payload));
        let payload = payload.ok_or_else(|| {
            not_signed(
                "the header x-amz-content-sha256 does not announce a body in chunks that are signed like the request",
            )
        })?;
        Ok(Self { signature, now, payload })
    }
}

// No signature: one that stands in a URL is what makes the URL work.
impl fmt::Debug for ChunkedSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChunkedSigner").field("payload", &self.payload).finish_non_exhaustive()
    }
}
