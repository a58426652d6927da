//! Signatures in the query: presigned URLs.

use std::fmt;
use std::time::Duration;

use aws_sigv4_free_http_transport::redact::RedactedUrl;
use http::Uri;
use time::OffsetDateTime;

use super::{Outcome, Place, SigV4, already_signed};
use crate::dialect::Dialect;
use crate::encoding::encode;
use crate::error::{SigningError, SigningErrorKind};
use crate::{Credentials, Payload};

/// The longest life of a presigned URL: 7 days.
const MAX_EXPIRY: u64 = 7 * 24 * 60 * 60;

impl SigV4 {
    /// A URL that lets whoever holds it make `request` until `expires_in` has passed: 1 second to 7 days, fractions cut off.
    /// It ends sooner where the credentials do.
    ///
    /// The headers of `request` are signed: whoever uses the URL has to send the same ones. The body is not covered for S3
    /// (`UNSIGNED-PAYLOAD`); for all other services it is empty. See [`presign_with_payload`](Self::presign_with_payload).
    ///
    /// # Errors
    /// See [`SigningErrorKind`].
    ///
    /// Source: "Authenticating Requests: Using Query Parameters" in the Amazon S3 API Reference.
    pub fn presign<B>(
        &self,
        request: &http::Request<B>,
        expires_in: Duration,
        credentials: &Credentials,
        now: OffsetDateTime,
    ) -> Result<PresignedUrl, SigningError> {
        self.presign_with_payload(request, self.presigned_payload(), expires_in, credentials, now)
    }

    /// [`presign`](Self::presign) for a body that the signature covers.
    ///
    /// # Errors
    /// Those of [`presign`](Self::presign).
    pub fn presign_with_payload<B>(
        &self,
        request: &http::Request<B>,
        payload: Payload<'_>,
        expires_in: Duration,
        credentials: &Credentials,
        now: OffsetDateTime,
    ) -> Result<PresignedUrl, SigningError> {
        let uri = request.uri();
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            let message = "a presigned URL needs an absolute URL to start from";
            return Err(SigningError::new(SigningErrorKind::InvalidUrl, message));
        };
        let place = Place::Query { expires_in: expiry(expires_in)? };
        check_query(self.dialect, uri.query().unwrap_or(""))?;
        let input = self.input(request.method(), uri, request.headers(), payload, place, credentials, now)?;
        self.run(&input, |outcome| {
            let path_and_query = uri.path_and_query().map_or("/", |path_and_query| path_and_query.as_str());
            let mut url = Vec::with_capacity(scheme.len() + authority.as_str().len() + path_and_query.len() + 512);
            for piece in [scheme, "://", authority.as_str(), path_and_query] {
                url.extend_from_slice(piece.as_bytes());
            }
            outcome.append_query(&mut url, uri.query());
            // Everything that was put in is text.
            PresignedUrl(String::from_utf8(url).unwrap_or_default())
        })
    }
}

pub(crate) fn expiry(expires_in: Duration) -> Result<u32, SigningError> {
    match expires_in.as_secs() {
        seconds @ 1..=MAX_EXPIRY => Ok(seconds as u32),
        seconds => {
            let message = format!("a presigned URL lives from 1 second to 7 days (604800 s), not {seconds} s");
            Err(SigningError::new(SigningErrorKind::InvalidExpiry, message))
        }
    }
}

/// Refuses a query that holds parameters of a signature.
pub(super) fn check_query(dialect: &Dialect, query: &str) -> Result<(), SigningError> {
    let parameters = &dialect.parameters;
    let own = [
        parameters.algorithm,
        parameters.credential,
        parameters.date,
        parameters.expires,
        parameters.security_token,
        parameters.signed_headers,
        parameters.signature,
    ];
    for pair in query.split('&') {
        let name = pair.split_once('=').map_or(pair, |(name, _)| name);
        let region_set = dialect.region_set().map(|place| place.parameter);
        if own.iter().chain(&region_set).any(|own| own.eq_ignore_ascii_case(name)) {
            return Err(already_signed(&format!("the query parameter {name}")));
        }
    }
    Ok(())
}

impl Outcome<'_> {
    /// Appends the parameters of the signature to a URL that ends in `query`, or has none. What is there stays as written.
    pub(super) fn append_query(&self, url: &mut Vec<u8>, query: Option<&str>) {
        match query {
            None => url.push(b'?'),
            Some("") => {}
            Some(_) => url.push(b'&'),
        }
        self.query.write_signature(url);
        let parameters = &self.dialect.parameters;
        if let Some(token) = self.token_to_add.filter(|_| !self.token_is_signed) {
            url.push(b'&');
            url.extend_from_slice(parameters.security_token.as_bytes());
            url.push(b'=');
            encode(url, token.expose_secret().as_bytes(), crate::encoding::Part::Query);
        }
        url.push(b'&');
        url.extend_from_slice(parameters.signature.as_bytes());
        url.push(b'=');
        url.extend_from_slice(self.signature);
    }
}

/// A URL with its signature in the query. Whoever holds it can make the request: `Display` shows it whole, `Debug` without
/// what is secret in it.
#[derive(Clone, PartialEq, Eq)]
pub struct PresignedUrl(pub(crate) String);

impl PresignedUrl {
    /// The URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The URL, parsed.
    ///
    /// # Errors
    /// The URL is longer than 64 KiB, which `http::Uri` does not hold.
    pub fn to_uri(&self) -> Result<Uri, http::uri::InvalidUri> {
        self.0.parse()
    }

    /// The URL, taken out.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Display for PresignedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for PresignedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PresignedUrl({:?})", RedactedUrl::new(&self.0))
    }
}
