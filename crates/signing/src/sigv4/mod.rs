//! AWS Signature Version 4: the signer, and the engine below its forms.

pub(crate) mod canonical;
mod headers;
pub(crate) mod key;
mod presign;
pub(crate) mod raw;
mod scratch;
mod signature;

use std::borrow::Cow;

use sha2::{Digest, Sha256};
use time::OffsetDateTime;

pub use presign::PresignedUrl;
pub use raw::{RawRequest, RawSignature};

use crate::Credentials;
use crate::dialect::{AWS4_HMAC_SHA256, Dialect, Scheme};
use crate::encoding::hex;
use crate::error::{SigningError, SigningErrorKind};
use crate::payload::{Payload, PayloadHash};
use crate::settings::{ContentSha256Header, PathEncoding, PathNormalization, TokenPlacement, is_unsigned_header};
use crate::timestamp::Timestamp;
use canonical::Headers;
use scratch::{Scratch, with_scratch};
pub(crate) use signature::Signature;

/// Signs requests for one service in one region.
///
/// It holds no credentials and no clock: both are arguments, so that each signature is made with those of its moment. It can
/// be shared by threads; signing takes no lock, and the keys derived last are kept per thread, told apart by the credentials
/// themselves, the day, the region and the service.
///
/// # Example
/// ```
/// use aws_sigv4_free_signing::{Credentials, Payload, SigV4};
/// use time::{Date, Month, OffsetDateTime, Time};
///
/// let signer = SigV4::new("execute-api", "us-east-1");
/// let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
/// let now = OffsetDateTime::new_utc(Date::from_calendar_date(2015, Month::August, 30)?, Time::from_hms(12, 36, 0)?);
///
/// let body = r#"{"item":"paws"}"#;
/// let mut request = http::Request::post("https://abc.execute-api.us-east-1.amazonaws.com/prod/orders?limit=10")
///     .header("content-type", "application/json")
///     .body(body)?;
/// signer.sign(&mut request, Payload::bytes(body), &credentials, now)?;
///
/// assert!(request.headers().contains_key("authorization"));
/// assert_eq!(request.headers()["x-amz-date"], "20150830T123600Z");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct SigV4 {
    dialect: &'static Dialect,
    service: Cow<'static, str>,
    region: Cow<'static, str>,
    path_encoding: PathEncoding,
    path_normalization: PathNormalization,
    content_sha256_header: ContentSha256Header,
    token_placement: TokenPlacement,
    unsigned_headers: Vec<http::HeaderName>,
}

impl SigV4 {
    /// A signer for `service` (its signing name, such as `execute-api`) in `region`.
    ///
    /// The names `s3`, `s3-object-lambda`, `s3-outposts` and `s3express` give what [`s3`](Self::s3) gives, and
    /// `vpc-lattice-svcs` what [`vpc_lattice`](Self::vpc_lattice) gives, each under its own name.
    pub fn new(service: impl Into<Cow<'static, str>>, region: impl Into<Cow<'static, str>>) -> Self {
        Self::with_dialect(&AWS4_HMAC_SHA256, service, region)
    }

    /// [`new`](Self::new) for another member of the family.
    pub(crate) fn with_dialect(
        dialect: &'static Dialect,
        service: impl Into<Cow<'static, str>>,
        region: impl Into<Cow<'static, str>>,
    ) -> Self {
        let service = service.into();
        let (path_encoding, path_normalization, content_sha256_header) = match &*service {
            "s3" | "s3-object-lambda" | "s3-outposts" | "s3express" => {
                (PathEncoding::Single, PathNormalization::AsIs, ContentSha256Header::Always)
            }
            "vpc-lattice-svcs" => (PathEncoding::Double, PathNormalization::Normalized, ContentSha256Header::Always),
            _ => (PathEncoding::Double, PathNormalization::Normalized, ContentSha256Header::WhenNeeded),
        };
        Self {
            dialect,
            service,
            region: region.into(),
            path_encoding,
            path_normalization,
            content_sha256_header,
            token_placement: TokenPlacement::Signed,
            unsigned_headers: Vec::new(),
        }
    }

    /// A signer for S3 and the stores that speak it: the path encoded once and never normalised, `x-amz-content-sha256` on
    /// every request.
    pub fn s3(region: impl Into<Cow<'static, str>>) -> Self {
        Self::new("s3", region)
    }

    /// A signer for services behind VPC Lattice. They accept [`Payload::Unsigned`] only.
    pub fn vpc_lattice(region: impl Into<Cow<'static, str>>) -> Self {
        Self::new("vpc-lattice-svcs", region)
    }

    /// Sets how the path is encoded in the canonical request.
    #[must_use]
    pub fn path_encoding(mut self, encoding: PathEncoding) -> Self {
        self.path_encoding = encoding;
        self
    }

    /// Sets whether the path is normalised in the canonical request.
    #[must_use]
    pub fn path_normalization(mut self, normalization: PathNormalization) -> Self {
        self.path_normalization = normalization;
        self
    }

    /// Sets when the header `x-amz-content-sha256` is added.
    #[must_use]
    pub fn content_sha256_header(mut self, header: ContentSha256Header) -> Self {
        self.content_sha256_header = header;
        self
    }

    /// Sets where the session token goes.
    #[must_use]
    pub fn token_placement(mut self, placement: TokenPlacement) -> Self {
        self.token_placement = placement;
        self
    }

    /// Leaves one more header out of the signature: one that a proxy on the way changes, such as `accept-encoding` before
    /// Google Cloud Storage. Those that proxies always change (`user-agent`, `x-amzn-trace-id`, `connection`, ...) are left
    /// out anyway.
    #[must_use]
    pub fn leave_unsigned(mut self, header: http::HeaderName) -> Self {
        if !self.unsigned_headers.contains(&header) {
            self.unsigned_headers.push(header);
        }
        self
    }

    /// The service's signing name.
    pub fn service(&self) -> &str {
        &self.service
    }

    /// The region.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Whether a header, named in lower case, is part of the signature when a request carries it.
    pub(crate) fn signs_header(&self, name: &str) -> bool {
        !is_unsigned_header(name) && !self.unsigned_headers.iter().any(|unsigned| unsigned.as_str() == name)
    }

    /// Whether the server expects a presigned URL to say `UNSIGNED-PAYLOAD`: S3 does, all others hash the empty body.
    fn presigned_payload(&self) -> Payload<'static> {
        match self.content_sha256_header {
            ContentSha256Header::Always => Payload::Unsigned,
            ContentSha256Header::WhenNeeded => Payload::empty(),
        }
    }

    /// The one engine: takes the parts of a request, and hands what came of them to `finish`.
    fn run<R>(&self, input: &Input<'_>, finish: impl FnOnce(&Outcome<'_>) -> R) -> Result<R, SigningError> {
        self.check_names(input.credentials)?;
        let dialect = self.dialect;
        let timestamp = Timestamp::new(input.now)?;
        let day = timestamp.day();
        let credentials = input.credentials;
        let payload_hash = self.payload_hash(input)?;

        let mut headers = Headers::new();
        for &(name, value) in input.headers.as_slice() {
            if self.signs_header(name) {
                headers.push(name, value);
            }
        }
        if let Some(host) = input.host_to_add {
            headers.push("host", host.as_bytes());
        }
        let signed_token = credentials.session_token().filter(|_| self.token_placement == TokenPlacement::Signed);
        let mut add_content_sha256 = false;
        if input.place == Place::Headers {
            headers.push(dialect.date_header, timestamp.as_bytes());
            if let Some(token) = signed_token {
                headers.push(dialect.token_header, token.expose_secret().as_bytes());
            }
            add_content_sha256 = input.content_sha256.is_none()
                && (self.content_sha256_header == ContentSha256Header::Always || input.payload.must_be_told());
            if add_content_sha256 {
                headers.push(dialect.content_sha256_header, payload_hash.as_bytes());
            }
            if let Some(place) = dialect.region_set() {
                headers.push(place.header, self.region.as_bytes());
            }
        }
        headers.sort();

        with_scratch(|scratch| {
            let Scratch { text, string_to_sign, query, keys, .. } = scratch;
            query.push_query(input.query);
            if let Place::Query { expires_in } = input.place {
                let expires = Digits::of(expires_in);
                let parameters = &dialect.parameters;
                query.push(parameters.algorithm, &[dialect.algorithm.as_bytes()]);
                string_to_sign.extend_from_slice(credentials.access_key_id().as_bytes());
                string_to_sign.push(b'/');
                self.write_scope(string_to_sign, &day);
                query.push(parameters.credential, &[string_to_sign]);
                string_to_sign.clear();
                query.push(parameters.date, &[timestamp.as_bytes()]);
                query.push(parameters.expires, &[expires.digits()]);
                if let Some(place) = dialect.region_set() {
                    query.push(place.parameter, &[self.region.as_bytes()]);
                }
                if let Some(token) = signed_token {
                    query.push(parameters.security_token, &[token.expose_secret().as_bytes()]);
                }
                query.push_header_names(parameters.signed_headers, headers.as_slice());
            }
            query.sort();

            let layout = canonical::write(
                text,
                &canonical::Parts {
                    method: input.method,
                    path: input.path,
                    path_encoding: self.path_encoding,
                    path_normalization: self.path_normalization,
                    query,
                    headers: headers.as_slice(),
                    payload_hash: payload_hash.as_bytes(),
                },
            );

            string_to_sign.extend_from_slice(dialect.algorithm.as_bytes());
            string_to_sign.push(b'\n');
            string_to_sign.extend_from_slice(timestamp.as_bytes());
            string_to_sign.push(b'\n');
            let scope_start = string_to_sign.len();
            self.write_scope(string_to_sign, &day);
            let scope = scope_start..string_to_sign.len();
            string_to_sign.push(b'\n');
            string_to_sign.extend_from_slice(&hex(&Sha256::digest(&*text).into()));

            let signature = match dialect.scheme {
                Scheme::Hmac => {
                    let key = keys.key(dialect, credentials, day, &self.region, &self.service);
                    Signature::Hmac(hex(&key.sign(string_to_sign)))
                }
                #[cfg(feature = "sigv4a")]
                Scheme::Ecdsa(_) => Signature::Ecdsa(scratch.ecdsa_keys.sign(credentials, string_to_sign)?),
            };
            Ok(finish(&Outcome {
                dialect,
                region_set: &self.region,
                credentials,
                timestamp: &timestamp,
                canonical_request: text,
                signed_headers: &text[layout.signed_headers],
                string_to_sign,
                scope: &string_to_sign[scope],
                query,
                payload_hash: &payload_hash,
                add_content_sha256,
                token_to_add: credentials.session_token(),
                token_is_signed: signed_token.is_some(),
                signature: &signature,
            }))
        })
    }

    /// Signs a text of lines that continues another signature: a chunk of a body, a trailer, a message of a stream.
    ///
    /// The lines are `algorithm`, time, credential scope, `previous`, and those of `rest`.
    pub(crate) fn sign_next(
        &self,
        algorithm: &str,
        previous: &[u8; 64],
        rest: &[&[u8]],
        credentials: &Credentials,
        now: OffsetDateTime,
    ) -> Result<[u8; 64], SigningError> {
        self.check_names(credentials)?;
        let timestamp = Timestamp::new(now)?;
        let day = timestamp.day();
        Ok(with_scratch(|scratch| {
            let Scratch { string_to_sign: text, keys, .. } = scratch;
            text.extend_from_slice(algorithm.as_bytes());
            text.push(b'\n');
            text.extend_from_slice(timestamp.as_bytes());
            text.push(b'\n');
            self.write_scope(text, &day);
            for line in std::iter::once(&previous[..]).chain(rest.iter().copied()) {
                text.push(b'\n');
                text.extend_from_slice(line);
            }
            hex(&keys.key(self.dialect, credentials, day, &self.region, &self.service).sign(text))
        }))
    }

    /// The credential scope.
    fn write_scope(&self, out: &mut Vec<u8>, day: &[u8; 8]) {
        out.extend_from_slice(day);
        if self.dialect.region_set().is_none() {
            out.push(b'/');
            out.extend_from_slice(self.region.as_bytes());
        }
        for part in [&*self.service, self.dialect.terminator] {
            out.push(b'/');
            out.extend_from_slice(part.as_bytes());
        }
    }

    /// What must hold before anything is computed.
    fn check_names(&self, credentials: &Credentials) -> Result<(), SigningError> {
        for (what, value) in [("service", &self.service), ("region", &self.region)] {
            if value.is_empty() {
                let message = format!("the {what} to sign for is empty");
                return Err(SigningError::new(SigningErrorKind::InvalidScope, message));
            }
            if !value.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/') {
                let bad = value.chars().find(|&c| !c.is_ascii_graphic() || c == '/').unwrap_or_default();
                let message = format!("the {what} to sign for holds {bad:?}, which a credential scope can't");
                return Err(SigningError::new(SigningErrorKind::InvalidScope, message));
            }
        }
        let id = credentials.access_key_id();
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',') {
            let message = if id.is_empty() {
                "the access key id is empty"
            } else {
                "the access key id holds white space, a comma or another character that can't be sent"
            };
            return Err(SigningError::new(SigningErrorKind::InvalidCredentials, message));
        }
        let sendable = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        if credentials.session_token().is_some_and(|token| !sendable(token.expose_secret())) {
            let message = "the session token holds white space, a line break or another character that can't be sent";
            return Err(SigningError::new(SigningErrorKind::InvalidCredentials, message));
        }
        Ok(())
    }

    fn payload_hash(&self, input: &Input<'_>) -> Result<PayloadHash, SigningError> {
        let hash = input.payload.hash();
        match input.content_sha256 {
            Some(given) if given != hash.as_bytes() => Err(SigningError::new(
                SigningErrorKind::InvalidHeader,
                "the header x-amz-content-sha256 says something else than the payload: leave it to the signer",
            )),
            _ => Ok(hash),
        }
    }
}

/// Where the signature goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Headers,
    Query { expires_in: u32 },
}

/// The parts of a request that a signature is made of.
struct Input<'a> {
    method: &'a str,
    path: &'a str,
    query: &'a str,
    /// Lower-case names; those that are never signed may be among them.
    headers: Headers<'a>,
    /// Where no header names the host.
    host_to_add: Option<&'a str>,
    /// The value of `x-amz-content-sha256`, where the request carries one.
    content_sha256: Option<&'a [u8]>,
    payload: Payload<'a>,
    place: Place,
    credentials: &'a Credentials,
    now: OffsetDateTime,
}

impl<'a> Input<'a> {
    /// Adds a header of the request, and refuses what the signer itself sets.
    fn push_header(&mut self, dialect: &Dialect, name: &'a str, value: &'a [u8]) -> Result<(), SigningError> {
        match name.as_bytes() {
            [b'x', ..] if name == dialect.content_sha256_header => self.content_sha256 = Some(value),
            [b'x', ..]
                if name == dialect.date_header
                    || name == dialect.token_header
                    || dialect.region_set().is_some_and(|place| place.header == name) =>
            {
                return Err(already_signed(&format!("the header {name}")));
            }
            b"authorization" => return Err(already_signed("the header authorization")),
            b"host" => self.host_to_add = None,
            _ => {}
        }
        self.headers.push(name, value);
        Ok(())
    }
}

fn already_signed(what: &str) -> SigningError {
    let message = format!("the request already carries {what}: sign a request that was not signed");
    SigningError::new(SigningErrorKind::AlreadySigned, message)
}

/// What came of a signature, borrowed from the buffers.
struct Outcome<'a> {
    dialect: &'static Dialect,
    /// The regions, where they go somewhere else than into the scope.
    region_set: &'a str,
    credentials: &'a Credentials,
    timestamp: &'a Timestamp,
    canonical_request: &'a [u8],
    signed_headers: &'a [u8],
    string_to_sign: &'a [u8],
    scope: &'a [u8],
    query: &'a canonical::Query,
    payload_hash: &'a PayloadHash,
    add_content_sha256: bool,
    token_to_add: Option<&'a crate::Secret>,
    token_is_signed: bool,
    signature: &'a [u8],
}

impl Outcome<'_> {
    /// Appends the value of the header `authorization`.
    fn write_authorization(&self, out: &mut Vec<u8>) {
        let pieces: [&[u8]; 9] = [
            self.dialect.algorithm.as_bytes(),
            b" Credential=",
            self.credentials.access_key_id().as_bytes(),
            b"/",
            self.scope,
            b", SignedHeaders=",
            self.signed_headers,
            b", Signature=",
            self.signature,
        ];
        for piece in pieces {
            out.extend_from_slice(piece);
        }
    }
}

/// The decimal digits of a number, without an allocation.
struct Digits {
    buffer: [u8; 10],
    start: usize,
}

impl Digits {
    fn of(mut number: u32) -> Self {
        let mut digits = Self { buffer: [0; 10], start: 10 };
        loop {
            digits.start -= 1;
            digits.buffer[digits.start] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                return digits;
            }
        }
    }

    fn digits(&self) -> &[u8] {
        &self.buffer[self.start..]
    }
}

#[cfg(test)]
mod tests;
