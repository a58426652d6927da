//! The one place that signs.

use aws_sigv4_free_http_transport::Request;
use aws_sigv4_free_signing::{Credentials, Payload, SigningError};
use time::OffsetDateTime;

use super::{PayloadHash, Prepared};
use crate::error::{Error, ErrorKind};

/// The request as it is sent: signed at `now` with `credentials`, or unsigned where there are none.
pub(super) fn sign(
    prepared: Prepared,
    credentials: Option<&Credentials>,
    now: OffsetDateTime,
) -> Result<Request, Error> {
    let Prepared { mut request, signer, payload } = prepared;
    let Some(credentials) = credentials else { return Ok(request) };
    match payload {
        PayloadHash::Sha256(hash) => signer.sign(&mut request, Payload::Sha256(hash), credentials, now)?,
        PayloadHash::Unsigned => signer.sign(&mut request, Payload::Unsigned, credentials, now)?,
        PayloadHash::Body => {
            // Taken out for the moment: the signer changes the head while it reads the body.
            let body = std::mem::take(request.body_mut());
            let signed = match body.as_bytes() {
                Some(bytes) => signer.sign(&mut request, Payload::Bytes(bytes), credentials, now).map_err(Error::from),
                None => Err(Error::new(
                    ErrorKind::Signing,
                    "the body is not in memory: give its SHA-256, or leave it out of the signature",
                )),
            };
            *request.body_mut() = body;
            signed?;
        }
    }
    Ok(request)
}

impl From<SigningError> for Error {
    fn from(source: SigningError) -> Self {
        Self::new(ErrorKind::Signing, "the request can't be signed").with_source(source)
    }
}
