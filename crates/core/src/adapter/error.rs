//! Why a request was not signed, or not answered.

use std::error::Error;
use std::fmt;

use aws_sigv4_free_signing::SigningError;

use crate::identity::CredentialsError;

/// Why a request was not signed, or not answered by the service behind the layer.
///
/// Its text is one level, the cause is its `source`. It is `Send` and `Sync`, so it goes into the boxed errors of `tower`. It
/// holds no secret of its own; what the service behind the layer says is that service's.
#[non_exhaustive]
#[derive(Debug)]
pub enum SignError {
    /// The provider has no credentials. Nothing was sent. Do what the cause says.
    Credentials(CredentialsError),
    /// The request can't be signed as it is. Nothing was sent. Do what the cause says.
    Signing(SigningError),
    /// The URL is one that an HTTP request can't hold: longer than 64 KiB, mostly. Nothing was sent. Correct the URL.
    Url(http::uri::InvalidUri),
    /// The body is a stream, whose bytes can't be hashed before they are sent. Nothing was sent. Give the body in memory, or
    /// leave it out of the signature where the service accepts that.
    StreamedBody,
    /// The service behind the layer failed.
    Service(Box<dyn Error + Send + Sync>),
}

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Credentials(_) => "there are no credentials to sign the request with",
            Self::Signing(_) => "the request can't be signed",
            Self::Url(_) => "an HTTP request can't hold this URL",
            Self::StreamedBody => {
                "the body is a stream, which can't be hashed before it is sent: give it in memory, or leave it unsigned"
            }
            Self::Service(_) => "the signed request failed",
        })
    }
}

impl Error for SignError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Credentials(cause) => Some(cause),
            Self::Signing(cause) => Some(cause),
            Self::Url(cause) => Some(cause),
            Self::StreamedBody => None,
            Self::Service(cause) => Some(&**cause),
        }
    }
}

impl From<CredentialsError> for SignError {
    fn from(cause: CredentialsError) -> Self {
        Self::Credentials(cause)
    }
}

impl From<SigningError> for SignError {
    fn from(cause: SigningError) -> Self {
        Self::Signing(cause)
    }
}
