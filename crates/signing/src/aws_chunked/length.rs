//! How long a body is in its chunks.

/// What stands before each signature of a chunk.
pub(super) const CHUNK_SIGNATURE: &str = ";chunk-signature=";
/// What stands before the signature of the trailers.
pub(super) const TRAILER_SIGNATURE: &str = "x-amz-trailer-signature:";
pub(super) const CRLF: &str = "\r\n";

/// What the length of an encoded body follows from.
pub(super) struct Lengths {
    pub(super) body: u64,
    /// Above zero.
    pub(super) chunk: u64,
    /// The digits of one signature; `None` where nothing is signed.
    pub(super) signature: Option<u64>,
    /// All trailers as lines, without the line of their signature.
    pub(super) trailers: u64,
}

impl Lengths {
    /// The length of the whole encoded body; `None` where 64 bits do not hold it.
    pub(super) fn encoded(&self) -> Option<u64> {
        let full = self.body / self.chunk;
        let rest = self.body % self.chunk;
        let mut total = full.checked_mul(self.chunk_of(self.chunk)?)?;
        if rest > 0 {
            total = total.checked_add(self.chunk_of(rest)?)?;
        }
        total = total.checked_add(self.head_of(0)?)?.checked_add(self.trailers)?;
        if let Some(signature) = self.signature.filter(|_| self.trailers > 0) {
            total = total.checked_add(TRAILER_SIGNATURE.len() as u64)?.checked_add(signature)?.checked_add(2)?;
        }
        total.checked_add(2)
    }

    /// A chunk with `length` bytes of the body.
    fn chunk_of(&self, length: u64) -> Option<u64> {
        self.head_of(length)?.checked_add(length)?.checked_add(2)
    }

    /// The line before the bytes of a chunk.
    fn head_of(&self, length: u64) -> Option<u64> {
        let digits = u64::from(length.checked_ilog(16).unwrap_or(0)) + 1;
        let signature = match self.signature {
            Some(signature) => signature.checked_add(CHUNK_SIGNATURE.len() as u64)?,
            None => 0,
        };
        digits.checked_add(signature)?.checked_add(2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_lengths() {
        let signed = Lengths { body: 66_560, chunk: 65_536, signature: Some(64), trailers: 0 };
        assert_eq!(signed.encoded(), Some(66_824));
        let with_trailer = Lengths { trailers: "x-amz-checksum-crc32c:sOO8/Q==\r\n".len() as u64, ..signed };
        assert_eq!(with_trailer.encoded(), Some(66_946));
    }

    #[test]
    fn digits_grow_at_powers_of_sixteen() {
        let unsigned = |body| Lengths { body, chunk: 1 << 40, signature: None, trailers: 0 }.encoded().unwrap();
        assert_eq!(unsigned(0), "0\r\n\r\n".len() as u64);
        for (body, digits) in [(1, 1), (15, 1), (16, 2), (255, 2), (256, 3), (65_535, 4), (65_536, 5)] {
            assert_eq!(unsigned(body), digits + 2 + body + 2 + 5, "{body}");
        }
    }

    #[test]
    fn what_no_length_holds_is_none() {
        let lengths = |body, chunk| Lengths { body, chunk, signature: Some(64), trailers: 0 };
        assert_eq!(lengths(u64::MAX, 8192).encoded(), None);
        assert_eq!(lengths(u64::MAX, u64::MAX).encoded(), None);
        assert!(lengths(u64::MAX / 2, 8192).encoded().is_some());
    }
}
