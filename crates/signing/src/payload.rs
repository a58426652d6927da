//! What a signature says of the body.

use sha2::{Digest, Sha256};

use crate::encoding::hex;

/// SHA-256 of nothing.
pub(crate) const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// What a signature says of the body.
#[non_exhaustive]
#[derive(Clone, Copy)]
pub enum Payload<'a> {
    /// The body is here: its SHA-256 is computed and signed.
    Bytes(&'a [u8]),
    /// The SHA-256 of the body, computed by the caller.
    Sha256([u8; 32]),
    /// The body is not covered by the signature (`UNSIGNED-PAYLOAD`). S3 accepts it over TLS, VPC Lattice demands it.
    Unsigned,
    /// The body is sent in chunks, under one of the names for that.
    Streaming(StreamingPayload),
}

/// The names under which S3 and event streams accept a body that is sent in chunks.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StreamingPayload {
    /// `STREAMING-AWS4-HMAC-SHA256-PAYLOAD`: each chunk is signed.
    Signed,
    /// `STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER`: each chunk and the trailer are signed.
    SignedTrailer,
    /// `STREAMING-UNSIGNED-PAYLOAD-TRAILER`: nothing is signed, a trailer holds a checksum.
    UnsignedTrailer,
    /// `STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD`: each chunk is signed with SigV4A.
    EcdsaSigned,
    /// `STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER`: each chunk and the trailer are signed with SigV4A.
    EcdsaSignedTrailer,
    /// `STREAMING-AWS4-HMAC-SHA256-EVENTS`: each message of an event stream is signed.
    Events,
}

impl StreamingPayload {
    const ALL: [Self; 6] = [
        Self::Signed,
        Self::SignedTrailer,
        Self::UnsignedTrailer,
        Self::EcdsaSigned,
        Self::EcdsaSignedTrailer,
        Self::Events,
    ];

    /// The name as it is signed and sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Signed => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
            Self::SignedTrailer => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
            Self::UnsignedTrailer => "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            Self::EcdsaSigned => "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD",
            Self::EcdsaSignedTrailer => "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER",
            Self::Events => "STREAMING-AWS4-HMAC-SHA256-EVENTS",
        }
    }

    /// The payload with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|payload| payload.as_str() == name)
    }
}

impl<'a> Payload<'a> {
    /// The body is here.
    pub fn bytes(bytes: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        Self::Bytes(bytes.as_ref())
    }

    /// There is no body.
    pub fn empty() -> Self {
        Self::Bytes(&[])
    }

    /// The SHA-256 of the body in 64 hexadecimal digits; `None` where `digits` are not that.
    pub fn sha256_hex(digits: &str) -> Option<Self> {
        let digits = digits.as_bytes();
        if digits.len() != 64 {
            return None;
        }
        let value = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
        let mut hash = [0; 32];
        for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = value(pair[0])? << 4 | value(pair[1])?;
        }
        Some(Self::Sha256(hash))
    }

    /// The last line of the canonical request.
    pub(crate) fn hash(self) -> PayloadHash {
        match self {
            Self::Bytes([]) => PayloadHash::Name(EMPTY_SHA256),
            Self::Bytes(bytes) => PayloadHash::Hex(hex(&Sha256::digest(bytes).into())),
            Self::Sha256(hash) => PayloadHash::Hex(hex(&hash)),
            Self::Unsigned => PayloadHash::Name("UNSIGNED-PAYLOAD"),
            Self::Streaming(streaming) => PayloadHash::Name(streaming.as_str()),
        }
    }

    /// Whether the server must be told by `x-amz-content-sha256`, since it can't compute the value from the body.
    pub(crate) fn must_be_told(self) -> bool {
        matches!(self, Self::Unsigned | Self::Streaming(_))
    }
}

/// The last line of the canonical request.
#[derive(Clone, Copy)]
pub(crate) enum PayloadHash {
    Name(&'static str),
    Hex([u8; 64]),
}

impl PayloadHash {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Name(name) => name.as_bytes(),
            Self::Hex(digits) => digits,
        }
    }
}

// A body may hold anything: only its size is shown.
impl std::fmt::Debug for Payload<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "Bytes({} bytes)", bytes.len()),
            Self::Sha256(_) => f.write_str("Sha256"),
            Self::Unsigned => f.write_str("Unsigned"),
            Self::Streaming(streaming) => write!(f, "Streaming({})", streaming.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_has_the_well_known_hash() {
        let computed = hex(&Sha256::digest(b"").into());
        assert_eq!(computed, *EMPTY_SHA256.as_bytes());
        assert_eq!(Payload::empty().hash().as_bytes(), EMPTY_SHA256.as_bytes());
    }

    #[test]
    fn digits_are_read_in_either_case() {
        let upper = EMPTY_SHA256.to_uppercase();
        assert_eq!(Payload::sha256_hex(&upper).unwrap().hash().as_bytes(), EMPTY_SHA256.as_bytes());
        assert!(Payload::sha256_hex("abc").is_none());
        assert!(Payload::sha256_hex(&EMPTY_SHA256.replace('e', "g")).is_none());
    }

    #[test]
    fn names_are_read_back() {
        for payload in StreamingPayload::ALL {
            assert_eq!(StreamingPayload::from_name(payload.as_str()), Some(payload));
        }
        assert_eq!(StreamingPayload::from_name("STREAMING"), None);
    }
}
