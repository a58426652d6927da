//! The signatures of a body that is sent in chunks.

use std::fmt;

use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use super::{VerificationError, VerificationErrorKind as Kind, is_equal};
use crate::encoding::hex;
use crate::payload::EMPTY_SHA256;
use crate::{Credentials, SigV4, StreamingPayload};

/// Verifies the signatures of the chunks of one body, in their order: each continues the one before.
///
/// It checks signatures, and leaves reading the framing to the caller. The body is whole when the empty last chunk has been
/// verified and, where the payload has one, the trailer: see [`is_complete`](Self::is_complete). `Debug` shows no signature.
#[derive(Clone)]
pub struct ChunkVerifier {
    signer: SigV4,
    credentials: Credentials,
    signed_at: OffsetDateTime,
    payload: StreamingPayload,
    previous: [u8; 64],
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Chunks,
    Trailer,
    Complete,
}

impl ChunkVerifier {
    pub(super) fn new(
        signer: SigV4,
        credentials: Credentials,
        signed_at: OffsetDateTime,
        payload: StreamingPayload,
        seed: [u8; 64],
    ) -> Self {
        Self { signer, credentials, signed_at, payload, previous: seed, stage: Stage::Chunks }
    }

    /// Verifies a chunk: its data, without the framing, and the 64 hexadecimal digits of its `chunk-signature`. An empty chunk
    /// is the last one.
    ///
    /// # Errors
    /// [`SignatureMismatch`](Kind::SignatureMismatch) where the chunk is not the one that was signed, or not at this place;
    /// [`Malformed`](Kind::Malformed) where it comes after the last one. After an error, nothing that came in is to be used.
    pub fn verify_chunk(&mut self, data: &[u8], signature: &str) -> Result<(), VerificationError> {
        if self.stage != Stage::Chunks {
            return Err(VerificationError::new(Kind::Malformed, "a chunk comes after the last one"));
        }
        let hash = hex(&Sha256::digest(data).into());
        self.verify("AWS4-HMAC-SHA256-PAYLOAD", &[EMPTY_SHA256.as_bytes(), &hash], signature)?;
        if data.is_empty() {
            let has_trailer = self.payload == StreamingPayload::SignedTrailer;
            self.stage = if has_trailer { Stage::Trailer } else { Stage::Complete };
        }
        Ok(())
    }

    /// Verifies the trailer: its headers, without `x-amz-trailer-signature`, and the 64 hexadecimal digits of that. Names are
    /// taken in lower case and sorted, values without the white space around them.
    ///
    /// # Errors
    /// As for [`verify_chunk`](Self::verify_chunk); [`Malformed`](Kind::Malformed) also where the payload has no trailer, or
    /// its last chunk has not come.
    pub fn verify_trailer<'a>(
        &mut self,
        headers: impl IntoIterator<Item = (&'a str, &'a str)>,
        signature: &str,
    ) -> Result<(), VerificationError> {
        if self.stage != Stage::Trailer {
            return Err(VerificationError::new(Kind::Malformed, "a trailer is not what comes next"));
        }
        let mut headers: Vec<(String, &str)> =
            headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value.trim())).collect();
        headers.sort_unstable();
        let mut text = Sha256::new();
        for (name, value) in &headers {
            for piece in [name.as_str(), ":", value, "\n"] {
                text.update(piece);
            }
        }
        let hash = hex(&text.finalize().into());
        self.verify("AWS4-HMAC-SHA256-TRAILER", &[&hash], signature)?;
        self.stage = Stage::Complete;
        Ok(())
    }

    /// Whether everything that was signed has come: a body that ends earlier was cut off.
    pub fn is_complete(&self) -> bool {
        self.stage == Stage::Complete
    }

    fn verify(&mut self, algorithm: &str, rest: &[&[u8]], signature: &str) -> Result<(), VerificationError> {
        let ours = self
            .signer
            .sign_next(algorithm, &self.previous, rest, &self.credentials, self.signed_at)
            .map_err(|error| VerificationError::new(Kind::Malformed, error.to_string()))?;
        if !is_equal(&ours, signature.as_bytes()) {
            let message = "a chunk or trailer is not the one that was signed, or not the next one";
            return Err(VerificationError::new(Kind::SignatureMismatch, message));
        }
        self.previous = ours;
        Ok(())
    }
}

impl fmt::Debug for ChunkVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChunkVerifier").field("payload", &self.payload).finish_non_exhaustive()
    }
}
