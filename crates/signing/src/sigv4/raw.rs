//! Signing requests that are text: a URL as somebody wrote it, and every step of the signature in the answer.

use std::fmt;
use std::time::Duration;

use aws_sigv4_free_http_transport::redact::{REDACTED, RedactedUrl, is_sensitive_header_name};
use time::OffsetDateTime;

use super::canonical::Headers;
use super::presign::{check_query, expiry};
use super::{Input, Place, SigV4};
use crate::encoding::encode_for_url;
use crate::error::{SigningError, SigningErrorKind};
use crate::{Credentials, Payload};

/// A request as text: for tools that sign what others wrote.
///
/// The URL is taken as written. Characters that a URL can't hold (a space, letters outside ASCII) are allowed; they sign as
/// they would if they had been encoded once, and come out encoded.
#[derive(Clone)]
pub struct RawRequest {
    method: String,
    url: String,
    headers: Vec<(String, Vec<u8>)>,
}

impl RawRequest {
    /// A request without headers.
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        Self { method: method.into(), url: url.into(), headers: Vec::new() }
    }

    /// Adds a header. The name may be in any case; a name that repeats adds a value.
    #[must_use]
    pub fn header(mut self, name: impl AsRef<str>, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.as_ref().to_ascii_lowercase(), value.into()));
        self
    }

    /// The same request as text, to see each step of its signature.
    pub fn from_http<B>(request: &http::Request<B>) -> Self {
        let mut raw = Self::new(request.method().as_str(), request.uri().to_string());
        for (name, value) in request.headers() {
            raw = raw.header(name, value.as_bytes());
        }
        raw
    }

    /// The method.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The URL as written.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The headers: lower-case name and value, in the order in which they were added.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()))
    }

    /// Refuses what can't be sent, and takes the URL apart.
    pub(crate) fn check(&self) -> Result<Url<'_>, SigningError> {
        let invalid = |message: String| Err(SigningError::new(SigningErrorKind::InvalidHeader, message));
        if self.method.parse::<http::Method>().is_err() {
            return invalid("the method is empty or holds a character that it can't".to_owned());
        }
        for (name, value) in &self.headers {
            if http::HeaderName::from_bytes(name.as_bytes()).is_err() {
                return invalid(format!("{name:?} is not the name of a header"));
            }
            if !is_sendable(value) {
                return invalid(format!(
                    "the header {name} holds a line break or another control character, which can't be sent"
                ));
            }
        }
        Url::parse(&self.url)
    }
}

impl fmt::Debug for RawRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<_> = self.headers().map(|(name, value)| (name, shown(name, value))).collect();
        f.debug_struct("RawRequest")
            .field("method", &self.method)
            .field("url", &RedactedUrl::new(&self.url))
            .field("headers", &headers)
            .finish()
    }
}

/// Whether a value can be sent: a line break only where the next line continues the value, and no other control character
/// but the tab.
fn is_sendable(value: &[u8]) -> bool {
    value.iter().enumerate().all(|(index, &byte)| match byte {
        b'\r' => value.get(index + 1) == Some(&b'\n'),
        b'\n' => matches!(value.get(index + 1), Some(b' ' | b'\t')),
        b'\t' => true,
        byte => byte >= b' ' && byte != 127,
    })
}

fn shown(name: &str, value: &[u8]) -> String {
    if is_sensitive_header_name(name) { REDACTED.into() } else { String::from_utf8_lossy(value).into_owned() }
}

/// Every step of a signature, and what makes the request a signed one. Its `Debug` shows no token and no signature.
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq)]
pub struct RawSignature {
    /// The canonical request. It holds the session token where that is signed.
    pub canonical_request: String,
    /// The string to sign.
    pub string_to_sign: String,
    /// The signature as it is sent: hexadecimal digits, or Base64 where an older algorithm says so.
    pub signature: String,
    /// The headers to add, in lower case.
    pub headers: Vec<(String, String)>,
    /// The URL to call, as it can be sent; with the signature where that is in the query.
    pub url: String,
}

impl fmt::Debug for RawSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<_> = self.headers.iter().map(|(name, value)| (name, shown(name, value.as_bytes()))).collect();
        // An algorithm without a hashed canonical request signs the token in the clear.
        let is_hashed = self.string_to_sign != self.canonical_request
            && self.string_to_sign.lines().last().is_some_and(|line| line.bytes().all(|byte| byte.is_ascii_hexdigit()));
        f.debug_struct("RawSignature")
            .field("string_to_sign", if is_hashed { &self.string_to_sign } else { &REDACTED })
            .field("headers", &headers)
            .field("url", &RedactedUrl::new(&self.url))
            .finish_non_exhaustive()
    }
}

/// The parts of a URL as written.
pub(crate) struct Url<'a> {
    scheme: &'a str,
    authority: &'a str,
    pub(crate) path: &'a str,
    pub(crate) query: Option<&'a str>,
}

impl<'a> Url<'a> {
    pub(crate) fn parse(url: &'a str) -> Result<Self, SigningError> {
        let invalid = |message: &str| SigningError::new(SigningErrorKind::InvalidUrl, message);
        let (scheme, rest) = url
            .split_once("://")
            .ok_or_else(|| invalid("the URL has no scheme: it starts with https:// or http://"))?;
        if !scheme.eq_ignore_ascii_case("https") && !scheme.eq_ignore_ascii_case("http") {
            return Err(invalid("the URL starts with neither https:// nor http://"));
        }
        if url.contains('#') {
            return Err(invalid("the URL holds a fragment: write # as %23"));
        }
        let (authority, rest) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(invalid("the URL holds a user name or password, which a signed request can't"));
        }
        if authority.is_empty() || !authority.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') {
            return Err(invalid("the host of the URL is empty or holds a character that a host can't"));
        }
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (rest, None),
        };
        Ok(Self { scheme, authority, path, query })
    }

    /// The host as an HTTP client sends it: in lower case, without the scheme's own port.
    pub(crate) fn host(&self) -> String {
        let default = if self.scheme.eq_ignore_ascii_case("https") { ":443" } else { ":80" };
        let host = self.authority.strip_suffix(default).or(self.authority.strip_suffix(':')).unwrap_or(self.authority);
        host.to_ascii_lowercase()
    }

    /// The URL as it can be sent, without its query.
    pub(crate) fn base(&self) -> Vec<u8> {
        let mut url = Vec::with_capacity(self.path.len() + 256);
        for piece in [self.scheme, "://", self.authority] {
            url.extend_from_slice(piece.as_bytes());
        }
        self.write_path(&mut url);
        url
    }

    /// The path as it can be sent.
    pub(crate) fn write_path(&self, out: &mut Vec<u8>) {
        encode_for_url(out, if self.path.is_empty() { "/" } else { self.path }.as_bytes());
    }

    pub(crate) fn push_query(&self, url: &mut Vec<u8>) {
        if let Some(query) = self.query {
            url.push(b'?');
            encode_for_url(url, query.as_bytes());
        }
    }
}

impl SigV4 {
    /// Signs a request that is text, in its headers.
    ///
    /// # Errors
    /// See [`SigningErrorKind`].
    pub fn sign_raw(
        &self,
        request: &RawRequest,
        payload: Payload<'_>,
        credentials: &Credentials,
        now: OffsetDateTime,
    ) -> Result<RawSignature, SigningError> {
        self.run_raw(request, payload, Place::Headers, credentials, now)
    }

    /// Signs a request that is text, in its query. `payload` is what the signature says of the body; `None` is what servers
    /// expect of a presigned URL: `UNSIGNED-PAYLOAD` for S3, the empty body for all others.
    ///
    /// # Errors
    /// See [`SigningErrorKind`].
    pub fn presign_raw(
        &self,
        request: &RawRequest,
        payload: Option<Payload<'_>>,
        expires_in: Duration,
        credentials: &Credentials,
        now: OffsetDateTime,
    ) -> Result<RawSignature, SigningError> {
        let place = Place::Query { expires_in: expiry(expires_in)? };
        self.run_raw(request, payload.unwrap_or_else(|| self.presigned_payload()), place, credentials, now)
    }

    fn run_raw(
        &self,
        request: &RawRequest,
        payload: Payload<'_>,
        place: Place,
        credentials: &Credentials,
        now: OffsetDateTime,
    ) -> Result<RawSignature, SigningError> {
        let url = request.check()?;
        let query = url.query.unwrap_or("");
        if place != Place::Headers {
            check_query(self.dialect, query)?;
        }
        let host = url.host();
        let mut input = Input {
            method: &request.method,
            path: url.path,
            query,
            headers: Headers::new(),
            host_to_add: Some(&host),
            content_sha256: None,
            payload,
            place,
            credentials,
            now,
        };
        for (name, value) in &request.headers {
            input.push_header(self.dialect, name, value)?;
        }
        self.run(&input, |outcome| {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let mut headers = Vec::new();
            let mut add = |name: &str, value: &[u8]| headers.push((name.to_owned(), text(value)));
            if let Some(host) = input.host_to_add {
                add("host", host.as_bytes());
            }
            let mut signed_url = url.base();
            url.push_query(&mut signed_url);
            match place {
                Place::Headers => {
                    add(self.dialect.date_header, outcome.timestamp.as_bytes());
                    if outcome.add_content_sha256 {
                        add(self.dialect.content_sha256_header, outcome.payload_hash.as_bytes());
                    }
                    if let Some(place) = self.dialect.region_set() {
                        add(place.header, outcome.region_set.as_bytes());
                    }
                    if let Some(token) = outcome.token_to_add {
                        add(self.dialect.token_header, token.expose_secret().as_bytes());
                    }
                    let mut authorization = Vec::new();
                    outcome.write_authorization(&mut authorization);
                    add("authorization", &authorization);
                }
                Place::Query { .. } => outcome.append_query(&mut signed_url, url.query),
            }
            RawSignature {
                canonical_request: text(outcome.canonical_request),
                string_to_sign: text(outcome.string_to_sign),
                signature: text(outcome.signature),
                headers,
                url: text(&signed_url),
            }
        })
    }
}
