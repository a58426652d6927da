//! Why a request can't be signed.

use std::fmt;

/// A request that can't be signed as it is. The request is unchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningError {
    kind: SigningErrorKind,
    message: String,
}

/// What stands in the way of a signature.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SigningErrorKind {
    /// The request carries a signature, or a header or parameter that the signer sets. Sign a request that was not signed.
    AlreadySigned,
    /// Neither the URL nor a header names the host. Give an absolute URL.
    MissingHost,
    /// The URL can't be signed: it is not absolute, or holds user information or a fragment.
    InvalidUrl,
    /// A header holds a character that can't be sent, or contradicts the payload.
    InvalidHeader,
    /// The region or the service is empty or holds a character that a credential scope can't.
    InvalidScope,
    /// The access key id or the session token is empty or holds a character that can't be sent.
    InvalidCredentials,
    /// The policy of a form is empty, or contradicts itself.
    InvalidPolicy,
    /// A presigned URL lives from 1 second to 7 days.
    InvalidExpiry,
    /// The algorithm can't say this of a body.
    InvalidPayload,
    /// The nonce is empty or holds a character that can't be sent.
    InvalidNonce,
    /// The signing time is outside the years 0 to 9999.
    InvalidTime,
    /// The request carries no signature that its body could continue, or that of another signer. Sign the request first.
    NotSigned,
    /// The chunk size is out of range, or the body is too long for chunks of that size.
    InvalidChunking,
    /// A trailer was not announced, or is not what was announced: its name, or the length of its value.
    InvalidTrailer,
    /// The body is longer or shorter than was announced.
    BodyLength,
    /// A message of an event stream holds more than the encoding can, or a header without a name.
    InvalidMessage,
}

impl SigningError {
    pub(crate) fn new(kind: SigningErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// What stands in the way.
    pub fn kind(&self) -> SigningErrorKind {
        self.kind
    }
}

impl fmt::Display for SigningError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SigningError {}
