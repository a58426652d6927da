//! Checksums: that what was stored is what was sent, and what arrived is what was stored.
//!
//! An ETag is no checksum: it is an MD5 only for some objects, and nothing here takes it for one.

mod crc;

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};
use md5::Md5;
use sha2::{Digest as _, Sha256};

/// The MD5 of `bytes`, for stores that ask for `Content-MD5` on a batch delete. It guards against accidents only.
pub(crate) fn md5(bytes: &[u8]) -> [u8; 16] {
    Md5::digest(bytes).into()
}

/// What can be computed here of the algorithms that S3 knows.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChecksumAlgorithm {
    /// CRC-32, as of zip: the one that this crate sends.
    Crc32,
    /// CRC-32C (Castagnoli).
    Crc32c,
    /// CRC-64/NVME: the one that S3 computes for objects that came without a checksum.
    Crc64Nvme,
    /// SHA-256.
    Sha256,
}

impl ChecksumAlgorithm {
    /// In the order in which a download prefers them: the quickest to compute of those that find every error first.
    const ALL: [Self; 4] = [Self::Crc32, Self::Crc64Nvme, Self::Crc32c, Self::Sha256];

    /// The name in S3's API, "CRC32".
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha256 => "SHA256",
        }
    }

    /// The header that carries the checksum, `x-amz-checksum-crc32`.
    pub(crate) fn header(self) -> HeaderName {
        HeaderName::from_static(match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Self::Sha256 => "x-amz-checksum-sha256",
        })
    }

    fn length(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64Nvme => 8,
            Self::Sha256 => 32,
        }
    }
}

/// A checksum over a whole object.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Checksum {
    algorithm: ChecksumAlgorithm,
    /// Big-endian, as it travels; only the first bytes are used.
    bytes: [u8; 32],
}

impl Checksum {
    /// The checksum of `bytes`.
    pub fn of(algorithm: ChecksumAlgorithm, bytes: &[u8]) -> Self {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(bytes);
        hasher.finish()
    }

    /// The checksum in base64, as S3 writes it. `None` where the text is not base64 or has another length than the
    /// algorithm, as a checksum of checksums (`AAAAAA==-2`) has.
    pub fn from_base64(algorithm: ChecksumAlgorithm, text: &str) -> Option<Self> {
        let decoded = STANDARD.decode(text.trim()).ok().filter(|decoded| decoded.len() == algorithm.length())?;
        Some(Self::from_slice(algorithm, &decoded))
    }

    /// The algorithm.
    pub fn algorithm(&self) -> ChecksumAlgorithm {
        self.algorithm
    }

    /// The checksum, big-endian.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.algorithm.length()]
    }

    /// The checksum in base64.
    pub fn to_base64(&self) -> String {
        STANDARD.encode(self.as_bytes())
    }

    fn from_slice(algorithm: ChecksumAlgorithm, slice: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes[..slice.len()].copy_from_slice(slice);
        Self { algorithm, bytes }
    }

    /// Puts the checksum into the headers of an upload.
    pub(crate) fn insert_into(&self, headers: &mut HeaderMap) {
        if let Ok(value) = HeaderValue::try_from(self.to_base64()) {
            headers.insert(self.algorithm.header(), value);
        }
    }

    /// The checksum over the whole object that an answer carries: the one that is verified first. A checksum of the
    /// checksums of parts can't be verified over the bytes and counts as none.
    pub(crate) fn from_headers(headers: &HeaderMap) -> Option<Self> {
        if headers.get("x-amz-checksum-type").is_some_and(|kind| kind.as_bytes().eq_ignore_ascii_case(b"COMPOSITE")) {
            return None;
        }
        ChecksumAlgorithm::ALL
            .into_iter()
            .find_map(|algorithm| Self::from_base64(algorithm, headers.get(algorithm.header())?.to_str().ok()?))
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.algorithm.as_str(), self.to_base64())
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Checksum({self})")
    }
}

/// A checksum in the making.
#[derive(Clone)]
pub(crate) enum Hasher {
    Crc32(crc32fast::Hasher),
    Crc32c(u64),
    Crc64Nvme(u64),
    Sha256(Sha256),
}

impl Hasher {
    pub(crate) fn new(algorithm: ChecksumAlgorithm) -> Self {
        match algorithm {
            ChecksumAlgorithm::Crc32 => Self::Crc32(crc32fast::Hasher::new()),
            ChecksumAlgorithm::Crc32c => Self::Crc32c(0),
            ChecksumAlgorithm::Crc64Nvme => Self::Crc64Nvme(0),
            ChecksumAlgorithm::Sha256 => Self::Sha256(Sha256::new()),
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Crc32(hasher) => hasher.update(bytes),
            Self::Crc32c(crc) => *crc = crc::CRC32C.update(*crc, bytes),
            Self::Crc64Nvme(crc) => *crc = crc::CRC64_NVME.update(*crc, bytes),
            Self::Sha256(hasher) => hasher.update(bytes),
        }
    }

    pub(crate) fn finish(self) -> Checksum {
        match self {
            Self::Crc32(hasher) => Checksum::from_slice(ChecksumAlgorithm::Crc32, &hasher.finalize().to_be_bytes()),
            Self::Crc32c(crc) => Checksum::from_slice(ChecksumAlgorithm::Crc32c, &(crc as u32).to_be_bytes()),
            Self::Crc64Nvme(crc) => Checksum::from_slice(ChecksumAlgorithm::Crc64Nvme, &crc.to_be_bytes()),
            Self::Sha256(hasher) => Checksum::from_slice(ChecksumAlgorithm::Sha256, &hasher.finalize()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_values() {
        // Of the catalogue of CRCs for "123456789", and of FIPS 180 for "abc".
        for (algorithm, bytes, base64) in [
            (ChecksumAlgorithm::Crc32, &b"123456789"[..], "y/Q5Jg=="),
            (ChecksumAlgorithm::Crc32c, b"123456789", "4waSgw=="),
            (ChecksumAlgorithm::Crc64Nvme, b"123456789", "rosUhgp5mIg="),
            (ChecksumAlgorithm::Sha256, b"abc", "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="),
        ] {
            let checksum = Checksum::of(algorithm, bytes);
            assert_eq!(checksum.to_base64(), base64, "{algorithm:?}");
            assert_eq!(Checksum::from_base64(algorithm, base64), Some(checksum));
        }
    }

    #[test]
    fn text_that_is_no_checksum_of_a_whole_object() {
        for text in ["", "y/Q5Jg", "y/Q5Jg==-2", "AAAA", "rosUhgp5mIg=", "????"] {
            assert_eq!(Checksum::from_base64(ChecksumAlgorithm::Crc32, text), None, "{text}");
        }
    }

    #[test]
    fn of_several_headers_one_that_can_be_verified_is_taken() {
        let mut headers = HeaderMap::new();
        assert_eq!(Checksum::from_headers(&headers), None);
        headers.insert("x-amz-checksum-sha1", HeaderValue::from_static("qZk+NkcGgWq6PiVxeFDCbJzQ2J0="));
        assert_eq!(Checksum::from_headers(&headers), None);
        headers.insert("x-amz-checksum-crc32", HeaderValue::from_static("y/Q5Jg==-3"));
        headers.insert("x-amz-checksum-crc64nvme", HeaderValue::from_static("rosUhgp5mIg="));
        assert_eq!(Checksum::from_headers(&headers).unwrap().algorithm(), ChecksumAlgorithm::Crc64Nvme);
        headers.insert("x-amz-checksum-type", HeaderValue::from_static("COMPOSITE"));
        assert_eq!(Checksum::from_headers(&headers), None);
    }

    #[test]
    fn a_checksum_is_put_under_its_own_header() {
        let mut headers = HeaderMap::new();
        Checksum::of(ChecksumAlgorithm::Crc32, b"").insert_into(&mut headers);
        assert_eq!(headers["x-amz-checksum-crc32"], "AAAAAA==");
    }
}
