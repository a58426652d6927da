//! Signatures in headers.

use aws_sigv4_free_http_transport::Bytes;
use http::header::{AUTHORIZATION, HOST};
use http::uri::Scheme;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use time::OffsetDateTime;

use super::canonical::Headers;
use super::{Input, Outcome, Place, SigV4};
use crate::dialect::Dialect;
use crate::error::{SigningError, SigningErrorKind};
use crate::payload::PayloadHash;
use crate::{Credentials, Payload};

const X_AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");
const X_AMZ_SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");
const X_AMZ_CONTENT_SHA256: HeaderName = HeaderName::from_static("x-amz-content-sha256");

impl SigV4 {
    /// Signs `request` in place: adds `authorization`, `x-amz-date`, `x-amz-security-token` where there is a token,
    /// `x-amz-content-sha256` where the service wants it, and `host` where it is missing.
    ///
    /// All other headers that are there are signed too, but those that change on the way. Headers added afterwards are not
    /// covered; S3 refuses an `x-amz-` header that is not.
    ///
    /// # Errors
    /// See [`SigningErrorKind`]. On an error the request is unchanged.
    ///
    /// Source: "Create a signed AWS API request" in the IAM User Guide.
    pub fn sign<B>(
        &self,
        request: &mut http::Request<B>,
        payload: Payload<'_>,
        credentials: &Credentials,
        now: OffsetDateTime,
    ) -> Result<(), SigningError> {
        let added =
            self.headers_to_add(request.method(), request.uri(), request.headers(), payload, credentials, now)?;
        added.apply(self.dialect, request.headers_mut());
        Ok(())
    }

    /// [`sign`](Self::sign) for a request that was taken apart.
    ///
    /// # Errors
    /// Those of [`sign`](Self::sign).
    pub fn sign_parts(
        &self,
        parts: &mut http::request::Parts,
        payload: Payload<'_>,
        credentials: &Credentials,
        now: OffsetDateTime,
    ) -> Result<(), SigningError> {
        let added = self.headers_to_add(&parts.method, &parts.uri, &parts.headers, payload, credentials, now)?;
        added.apply(self.dialect, &mut parts.headers);
        Ok(())
    }

    fn headers_to_add(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        payload: Payload<'_>,
        credentials: &Credentials,
        now: OffsetDateTime,
    ) -> Result<Added, SigningError> {
        let input = self.input(method, uri, headers, payload, Place::Headers, credentials, now)?;
        self.run(&input, |outcome| Added::of(outcome, input.host_to_add))?
    }

    /// Takes the parts of a request that a signature is made of.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn input<'a>(
        &self,
        method: &'a Method,
        uri: &'a Uri,
        headers: &'a HeaderMap,
        payload: Payload<'a>,
        place: Place,
        credentials: &'a Credentials,
        now: OffsetDateTime,
    ) -> Result<Input<'a>, SigningError> {
        let mut input = Input {
            method: method.as_str(),
            path: uri.path(),
            query: uri.query().unwrap_or(""),
            headers: Headers::new(),
            host_to_add: host_of(uri)?,
            content_sha256: None,
            payload,
            place,
            credentials,
            now,
        };
        for (name, value) in headers {
            input.push_header(self.dialect, name.as_str(), value.as_bytes())?;
        }
        if input.host_to_add.is_none() && !headers.contains_key(HOST) {
            let message = "neither the URL nor a header names the host: give an absolute URL";
            return Err(SigningError::new(SigningErrorKind::MissingHost, message));
        }
        Ok(input)
    }
}

/// The headers that make a request a signed one.
struct Added {
    host: Option<HeaderValue>,
    date: HeaderValue,
    content_sha256: Option<HeaderValue>,
    region_set: Option<(HeaderName, HeaderValue)>,
    token: Option<HeaderValue>,
    authorization: HeaderValue,
}

impl Added {
    /// All values share one buffer, so that they cost one allocation.
    fn of(outcome: &Outcome<'_>, host: Option<&str>) -> Result<Self, SigningError> {
        let token = outcome.token_to_add.map_or("", |token| token.expose_secret());
        let hash = match outcome.payload_hash {
            PayloadHash::Hex(digits) if outcome.add_content_sha256 => &digits[..],
            _ => &[],
        };
        let host = host.unwrap_or_default();
        let mut buffer = Vec::with_capacity(512 + outcome.signed_headers.len() + token.len() + host.len());
        outcome.write_authorization(&mut buffer);
        let authorization = ..buffer.len();
        let mut append = |bytes: &[u8]| {
            let start = buffer.len();
            buffer.extend_from_slice(bytes);
            start..buffer.len()
        };
        let (date, token, hash, host) =
            (append(outcome.timestamp.as_bytes()), append(token.as_bytes()), append(hash), append(host.as_bytes()));
        let buffer = Bytes::from(buffer);
        let value = |bytes: Bytes| HeaderValue::from_maybe_shared(bytes).map_err(|_| unsendable());
        let secret = |bytes: Bytes| {
            value(bytes).map(|mut value| {
                value.set_sensitive(true);
                value
            })
        };
        let unless_empty = |range: std::ops::Range<usize>| (!range.is_empty()).then(|| buffer.slice(range));
        Ok(Self {
            authorization: secret(buffer.slice(authorization))?,
            date: value(buffer.slice(date))?,
            region_set: match outcome.dialect.region_set() {
                Some(place) => Some((
                    HeaderName::from_static(place.header),
                    HeaderValue::from_str(outcome.region_set).map_err(|_| unsendable())?,
                )),
                None => None,
            },
            token: unless_empty(token).map(secret).transpose()?,
            host: unless_empty(host).map(value).transpose()?,
            content_sha256: match outcome.payload_hash {
                PayloadHash::Name(name) if outcome.add_content_sha256 => Some(HeaderValue::from_static(name)),
                _ => unless_empty(hash).map(value).transpose()?,
            },
        })
    }

    fn apply(self, dialect: &Dialect, headers: &mut HeaderMap) {
        headers.reserve(5);
        if let Some(host) = self.host {
            headers.insert(HOST, host);
        }
        headers.insert(name_of(dialect.date_header), self.date);
        if let Some(content_sha256) = self.content_sha256 {
            headers.insert(name_of(dialect.content_sha256_header), content_sha256);
        }
        if let Some((name, value)) = self.region_set {
            headers.insert(name, value);
        }
        if let Some(token) = self.token {
            headers.insert(name_of(dialect.token_header), token);
        }
        headers.insert(AUTHORIZATION, self.authorization);
    }
}

/// The name of a header, without reading it anew where it is the usual one.
fn name_of(name: &'static str) -> HeaderName {
    match name {
        "x-amz-date" => X_AMZ_DATE,
        "x-amz-content-sha256" => X_AMZ_CONTENT_SHA256,
        "x-amz-security-token" => X_AMZ_SECURITY_TOKEN,
        _ => HeaderName::from_static(name),
    }
}

/// The host as an HTTP client sends it: without user information, which is refused, and without the scheme's own port.
pub(crate) fn host_of(uri: &Uri) -> Result<Option<&str>, SigningError> {
    let Some(authority) = uri.authority() else { return Ok(None) };
    if authority.as_str().contains('@') {
        let message = "the URL holds a user name or password, which a signed request can't";
        return Err(SigningError::new(SigningErrorKind::InvalidUrl, message));
    }
    let default_port = match uri.scheme() {
        Some(scheme) if *scheme == Scheme::HTTPS => Some(443),
        Some(scheme) if *scheme == Scheme::HTTP => Some(80),
        _ => None,
    };
    let is_default = default_port.is_some() && authority.port_u16() == default_port;
    // An empty port (`host:`) is none.
    let without_port = is_default || authority.as_str().ends_with(':');
    Ok(Some(if without_port { authority.host() } else { authority.as_str() }))
}

fn unsendable() -> SigningError {
    SigningError::new(SigningErrorKind::InvalidHeader, "a value to send holds a control character")
}
