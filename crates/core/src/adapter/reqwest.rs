//! Signs requests of `reqwest`.

use ::reqwest::Request;
use aws_sigv4_free_signing::{Credentials, Payload, SigV4};
use time::OffsetDateTime;

use super::SignError;
use crate::clock::system_now;
use crate::identity::ProvideCredentials;

/// Whether the signature covers the body.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PayloadSigning {
    /// It does: the SHA-256 of the body is computed, about 0.5 ms for each MiB. The body has to be in memory; a stream is
    /// refused. The default.
    #[default]
    Signed,
    /// It does not (`UNSIGNED-PAYLOAD`), so that the body may be a stream. S3 accepts it, VPC Lattice demands it, most other
    /// services refuse it. Only the connection protects the bytes then.
    Unsigned,
}

/// Signs `request` with the credentials that `provider` gives now, at the time of this machine's clock.
///
/// Everything that the client sends beside is not signed: set headers that start with `x-amz-` on the request, not as the client's
/// default headers. Turn the client's redirects off (`redirect::Policy::none()`): a signature is for one host. Sign again before
/// you send a clone of a request again.
///
/// # Errors
/// A [`SignError`]: no credentials, a request that can't be signed, or a body that is a stream.
///
/// # Cancel safety
/// Dropping the future sends nothing; the request is gone with it.
///
/// # Example
/// ```no_run
/// use aws_sigv4_free_core::adapter::reqwest::{PayloadSigning, sign};
/// use aws_sigv4_free_core::identity::Credentials;
/// use aws_sigv4_free_signing::SigV4;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
/// let signer = SigV4::new("execute-api", "us-east-1");
/// let provider = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
///
/// let request = client.post("https://abc.execute-api.us-east-1.amazonaws.com/prod/orders").body("{}").build()?;
/// let response = client.execute(sign(&signer, request, &provider, PayloadSigning::Signed).await?).await?;
/// # Ok(()) }
/// ```
pub async fn sign(
    signer: &SigV4,
    request: Request,
    provider: &dyn ProvideCredentials,
    payload: PayloadSigning,
) -> Result<Request, SignError> {
    let credentials = provider.identity().await?;
    sign_at(signer, request, &credentials, payload, system_now())
}

/// [`sign`] with credentials at hand, at the time `now`.
///
/// # Errors
/// Those of [`sign`], but for the credentials.
pub fn sign_at(
    signer: &SigV4,
    mut request: Request,
    credentials: &Credentials,
    payload: PayloadSigning,
    now: OffsetDateTime,
) -> Result<Request, SignError> {
    let mut head = http::Request::new(());
    *head.method_mut() = request.method().clone();
    // The client sends the URL as `Url` writes it: those are the characters to sign.
    *head.uri_mut() = request.url().as_str().parse().map_err(SignError::Url)?;
    *head.headers_mut() = std::mem::take(request.headers_mut());
    let payload = match (payload, request.body()) {
        (PayloadSigning::Unsigned, _) => Payload::Unsigned,
        (PayloadSigning::Signed, None) => Payload::empty(),
        (PayloadSigning::Signed, Some(body)) => Payload::Bytes(body.as_bytes().ok_or(SignError::StreamedBody)?),
    };
    signer.sign(&mut head, payload, credentials, now)?;
    *request.headers_mut() = head.into_parts().0.headers;
    Ok(request)
}

#[cfg(test)]
mod tests;
