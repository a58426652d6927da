//! What goes into a verification beside the request, and what comes out.

use std::fmt;

use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use super::{ChunkVerifier, Place, VerificationError, VerificationErrorKind as Kind};
use crate::claim::Claim;
use crate::{Credentials, SigV4, StreamingPayload};

/// The body of a request, as far as the verifier needs it.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum ReceivedBody<'a> {
    /// The whole body.
    Bytes(&'a [u8]),
    /// The SHA-256 of the whole body, computed by the caller.
    Sha256([u8; 32]),
    /// It has not been read. [`Verified::payload`] says what it has to be, and [`Verified::check_body`] checks it.
    NotRead,
}

impl ReceivedBody<'_> {
    pub(super) fn hash(self) -> Option<[u8; 32]> {
        match self {
            Self::Bytes(bytes) => Some(Sha256::digest(bytes).into()),
            Self::Sha256(hash) => Some(hash),
            Self::NotRead => None,
        }
    }
}

// A body may hold anything: only its size is shown.
impl fmt::Debug for ReceivedBody<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "Bytes({} bytes)", bytes.len()),
            Self::Sha256(_) => f.write_str("Sha256"),
            Self::NotRead => f.write_str("NotRead"),
        }
    }
}

/// What the signature of an accepted request says of its body.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerifiedPayload {
    /// The body has this SHA-256. It was checked, unless the body was [`ReceivedBody::NotRead`].
    Sha256([u8; 32]),
    /// The signature does not cover the body.
    Unsigned,
    /// The body is sent in chunks; where they are signed, [`Verified::chunks`] verifies them.
    Streaming(StreamingPayload),
}

/// Whether a body may go without a signature.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnsignedPayload {
    /// `UNSIGNED-PAYLOAD` and `STREAMING-UNSIGNED-PAYLOAD-TRAILER` are accepted, as S3 does over TLS.
    Allowed,
    /// They are refused.
    Refused,
}

/// What a check of a session token says.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenVerdict {
    /// It belongs to the access key id, and is good now.
    Valid,
    /// It is not.
    Invalid,
}

/// A request whose signature was found good. `Debug` shows no secret.
pub struct Verified {
    pub(super) place: Place,
    pub(super) payload: VerifiedPayload,
    pub(super) signer: SigV4,
    pub(super) credentials: Credentials,
    pub(super) signature: [u8; 64],
    pub(super) claim: Claim,
}

impl Verified {
    /// Who signed.
    pub fn access_key_id(&self) -> &str {
        &self.claim.access_key_id
    }

    /// The credentials that the look-up gave.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// The region that was signed for.
    pub fn region(&self) -> &str {
        &self.claim.region
    }

    /// The service that was signed for.
    pub fn service(&self) -> &str {
        &self.claim.service
    }

    /// When it was signed.
    pub fn signed_at(&self) -> OffsetDateTime {
        self.claim.signed_at
    }

    /// When the presigned URL ends; `None` for a signature in headers.
    pub fn expires_at(&self) -> Option<OffsetDateTime> {
        self.claim.signed_at.checked_add(time::Duration::seconds(i64::try_from(self.claim.expires_in?).ok()?))
    }

    /// Where the signature stands.
    pub fn place(&self) -> Place {
        self.place
    }

    /// The names of the headers that the signature covers: lower case, sorted.
    pub fn signed_headers(&self) -> impl Iterator<Item = &str> {
        self.claim.signed_headers.iter().map(String::as_str)
    }

    /// What the signature says of the body.
    pub fn payload(&self) -> VerifiedPayload {
        self.payload
    }

    /// Holds the SHA-256 of the body against what was signed, for a body that was read afterwards. A body that the signature
    /// does not cover, or covers in chunks, passes.
    ///
    /// # Errors
    /// [`PayloadMismatch`](super::VerificationErrorKind::PayloadMismatch).
    pub fn check_body(&self, sha256: [u8; 32]) -> Result<(), VerificationError> {
        match self.payload {
            VerifiedPayload::Sha256(signed) if signed != sha256 => {
                Err(VerificationError::new(Kind::PayloadMismatch, "the body is not the one that was signed"))
            }
            _ => Ok(()),
        }
    }

    /// What verifies the chunks of the body; `None` where the body is not sent in signed chunks.
    pub fn chunks(&self) -> Option<ChunkVerifier> {
        let VerifiedPayload::Streaming(payload @ (StreamingPayload::Signed | StreamingPayload::SignedTrailer)) =
            self.payload
        else {
            return None;
        };
        Some(ChunkVerifier::new(
            self.signer.clone(),
            self.credentials.clone(),
            self.claim.signed_at,
            payload,
            self.signature,
        ))
    }
}

impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified")
            .field("place", &self.place)
            .field("access_key_id", &self.claim.access_key_id)
            .field("region", &self.claim.region)
            .field("service", &self.claim.service)
            .field("signed_at", &self.claim.signed_at)
            .field("expires_in", &self.claim.expires_in)
            .field("signed_headers", &self.claim.signed_headers)
            .field("payload", &self.payload)
            .finish_non_exhaustive()
    }
}
