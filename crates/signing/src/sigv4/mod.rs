//! AWS Signature Version 4: the signer, and the engine below its forms.

pub(crate) mod canonical;
pub(crate) mod headers;
pub(crate) mod key;
pub(crate) mod presign;
pub(crate) mod raw;
mod scratch;
mod signature;
mod text;

use std::borrow::Cow;

use http::HeaderName;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

pub use presign::PresignedUrl;
pub use raw::{RawRequest, RawSignature};

use crate::Credentials;
use crate::dialect::{
    AWS4_HMAC_SHA256, AWS4_S3_EXPRESS, Dialect, GOOG4_HMAC_SHA256, HeaderRule, OSS4_HMAC_SHA256, Scheme,
};
use crate::encoding::hex;
use crate::error::{SigningError, SigningErrorKind};
use crate::payload::{Payload, PayloadHash};
use crate::settings::{ContentSha256Header, PathEncoding, PathNormalization, TokenPlacement, is_unsigned_header};
use crate::timestamp::Timestamp;
use canonical::{Headers, Listed};
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
    unsigned_headers: Vec<HeaderName>,
    additional_headers: Vec<HeaderName>,
    bucket: Option<Cow<'static, str>>,
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
            additional_headers: Vec::new(),
            bucket: None,
        }
    }

    /// A signer for a store of objects: as [`s3`](Self::s3), in the words of another dialect.
    fn for_objects(dialect: &'static Dialect, service: &'static str, region: impl Into<Cow<'static, str>>) -> Self {
        Self::with_dialect(dialect, service, region)
            .path_encoding(PathEncoding::Single)
            .path_normalization(PathNormalization::AsIs)
            .content_sha256_header(ContentSha256Header::Always)
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

    /// A signer for directory buckets of S3 Express One Zone, with the credentials that CreateSession gave: their token goes
    /// into `x-amz-s3session-token`. CreateSession itself is signed with `SigV4::new("s3express", region)`.
    ///
    /// Source: "Authenticating and authorizing requests" of the S3 Express One Zone chapter in the Amazon S3 User Guide.
    pub fn s3_express(region: impl Into<Cow<'static, str>>) -> Self {
        Self::for_objects(&AWS4_S3_EXPRESS, "s3express", region)
    }

    /// A signer for Google Cloud Storage's XML API with an HMAC key, in AWS's own names. Google's front changes
    /// `accept-encoding`, so it is left unsigned. `region` may be any, `auto` by convention.
    ///
    /// Source: "Migrating from Amazon S3 to Cloud Storage" in Google's documentation.
    pub fn gcs(region: impl Into<Cow<'static, str>>) -> Self {
        Self::s3(region).leave_unsigned(http::header::ACCEPT_ENCODING)
    }

    /// A signer for Cloudflare R2, whose front changes `accept-encoding` too. The region is `auto`.
    pub fn r2() -> Self {
        Self::s3("auto").leave_unsigned(http::header::ACCEPT_ENCODING)
    }

    /// `GOOG4-HMAC-SHA256`: a signer for Google Cloud Storage's XML API with an HMAC key, in Google's names (`x-goog-date`,
    /// `X-Goog-Signature`). `location` is that of the bucket, or `auto`.
    ///
    /// Source: "Signatures" (V4 signing process) in the documentation of Google Cloud Storage.
    pub fn goog4(location: impl Into<Cow<'static, str>>) -> Self {
        Self::for_objects(&GOOG4_HMAC_SHA256, "storage", location).leave_unsigned(http::header::ACCEPT_ENCODING)
    }

    /// `OSS4-HMAC-SHA256`: a signer for Alibaba Cloud OSS in `region`, such as `cn-hangzhou`.
    ///
    /// OSS signs the bucket as a part of the path, also where the host stands for it: give it by [`bucket`](Self::bucket).
    /// It signs `content-type`, `content-md5` and every `x-oss-` header; others by
    /// [`additional_header`](Self::additional_header). It never signs the body: whatever the payload, `UNSIGNED-PAYLOAD` is
    /// sent and signed.
    ///
    /// Source: "Include signatures in the Authorization header (V4)" in the documentation of Alibaba Cloud OSS.
    pub fn oss4(region: impl Into<Cow<'static, str>>) -> Self {
        Self::for_objects(&OSS4_HMAC_SHA256, "oss", region)
    }

    /// [`oss4`](Self::oss4) for a CloudBox, whose id takes the place of the region.
    pub fn oss4_cloudbox(cloudbox_id: impl Into<Cow<'static, str>>) -> Self {
        Self::for_objects(&OSS4_HMAC_SHA256, "oss-cloudbox", cloudbox_id)
    }

    /// Sets the bucket that the host of the URL stands for, where the service signs it as the first segment of the path: OSS
    /// only. Leave it unset where the path of the URL holds the bucket.
    #[must_use]
    pub fn bucket(mut self, bucket: impl Into<Cow<'static, str>>) -> Self {
        self.bucket = Some(bucket.into());
        self
    }

    /// Signs one more header, where the service signs only some by itself: OSS. All others sign every header anyway.
    #[must_use]
    pub fn additional_header(mut self, header: HeaderName) -> Self {
        if !self.is_implicit(header.as_str()) && !self.additional_headers.contains(&header) {
            self.additional_headers.push(header);
        }
        self
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
    pub fn leave_unsigned(mut self, header: HeaderName) -> Self {
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
        match self.dialect.header_rule {
            HeaderRule::AllStable => {
                !is_unsigned_header(name) && !self.unsigned_headers.iter().any(|unsigned| unsigned.as_str() == name)
            }
            HeaderRule::Implicit { .. } => self.is_implicit(name) || self.listed_headers().has(name),
        }
    }

    /// Whether the service signs the header without listing it.
    fn is_implicit(&self, name: &str) -> bool {
        match self.dialect.header_rule {
            HeaderRule::AllStable => false,
            HeaderRule::Implicit { prefix } => {
                name.starts_with(prefix) || matches!(name, "content-type" | "content-md5")
            }
        }
    }

    /// The headers that a signature lists.
    fn listed_headers(&self) -> Listed<'_> {
        match self.dialect.header_rule {
            HeaderRule::AllStable => Listed::All,
            HeaderRule::Implicit { .. } => Listed::Only(&self.additional_headers),
        }
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
        if let Some(host) = input.host_to_add.filter(|_| self.signs_header("host")) {
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
        let listed = self.listed_headers();

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
                if matches!(listed, Listed::All) || headers.as_slice().iter().any(|(name, _)| listed.has(name)) {
                    query.push_header_names(parameters.signed_headers, headers.as_slice(), &listed);
                }
            }
            query.sort();

            let layout = canonical::write(
                text,
                &canonical::Parts {
                    method: input.method,
                    bucket: self.bucket.as_deref(),
                    path: input.path,
                    path_encoding: self.path_encoding,
                    path_normalization: self.path_normalization,
                    query,
                    empty_value: dialect.empty_value,
                    headers: headers.as_slice(),
                    listed: &listed,
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
            self.write_next(text, algorithm, &timestamp, previous, rest);
            hex(&keys.key(self.dialect, credentials, day, &self.region, &self.service).sign(text))
        }))
    }

    /// [`sign_next`](Self::sign_next) with ECDSA: signatures in DER, as hexadecimal digits.
    #[cfg(feature = "sigv4a")]
    pub(crate) fn sign_next_ecdsa(
        &self,
        algorithm: &str,
        previous: &[u8],
        rest: &[&[u8]],
        credentials: &Credentials,
        now: OffsetDateTime,
    ) -> Result<String, SigningError> {
        self.check_names(credentials)?;
        let timestamp = Timestamp::new(now)?;
        with_scratch(|scratch| {
            self.write_next(&mut scratch.string_to_sign, algorithm, &timestamp, previous, rest);
            scratch.ecdsa_keys.sign(credentials, &scratch.string_to_sign)
        })
    }

    /// The text of lines that [`sign_next`](Self::sign_next) signs.
    fn write_next(&self, text: &mut Vec<u8>, algorithm: &str, timestamp: &Timestamp, previous: &[u8], rest: &[&[u8]]) {
        text.extend_from_slice(algorithm.as_bytes());
        text.push(b'\n');
        text.extend_from_slice(timestamp.as_bytes());
        text.push(b'\n');
        self.write_scope(text, &timestamp.day());
        for line in std::iter::once(previous).chain(rest.iter().copied()) {
            text.push(b'\n');
            text.extend_from_slice(line);
        }
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
        credentials.check_sendable()
    }

    fn payload_hash(&self, input: &Input<'_>) -> Result<PayloadHash, SigningError> {
        let hash = match self.dialect.header_rule {
            HeaderRule::AllStable => input.payload.hash(),
            HeaderRule::Implicit { .. } => Payload::Unsigned.hash(),
        };
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

pub(crate) fn already_signed(what: &str) -> SigningError {
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
        let list: [&[u8]; 4] = match self.signed_headers {
            [] => [b"", b"", b"", b""],
            names => [b", ", self.dialect.header_list.as_bytes(), b"=", names],
        };
        let scope: [&[u8]; 5] = [
            self.dialect.algorithm.as_bytes(),
            b" Credential=",
            self.credentials.access_key_id().as_bytes(),
            b"/",
            self.scope,
        ];
        for piece in scope.into_iter().chain(list).chain([&b", Signature="[..], self.signature]) {
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
mod dialect_tests;
#[cfg(test)]
mod tests;
