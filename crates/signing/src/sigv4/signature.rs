//! The signature as it is sent.

use std::ops::Deref;

/// The digits of a signature.
pub(crate) enum Signature {
    /// HMAC-SHA256.
    Hmac([u8; 64]),
    /// ECDSA in DER, which varies in length.
    #[cfg(feature = "sigv4a")]
    Ecdsa(String),
}

impl Deref for Signature {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Hmac(digits) => digits,
            #[cfg(feature = "sigv4a")]
            Self::Ecdsa(digits) => digits.as_bytes(),
        }
    }
}
