//! AWS Signature Version 4A: one signature for a set of regions.

mod key;

use std::borrow::Cow;
use std::time::Duration;

use time::OffsetDateTime;

pub(crate) use key::KeyStore;

use crate::dialect::{AWS4_HMAC_SHA256, Dialect, Parameters, RegionSet, Scheme};
use crate::{
    ContentSha256Header, Credentials, PathEncoding, PathNormalization, Payload, PresignedUrl, RawRequest, RawSignature,
    SigV4, SigningError, TokenPlacement,
};

/// What SigV4A calls things: as SigV4 does, with another algorithm and a set of regions.
const AWS4_ECDSA_P256_SHA256: Dialect = Dialect {
    algorithm: "AWS4-ECDSA-P256-SHA256",
    key_prefix: "AWS4A",
    parameters: Parameters { ..AWS4_HMAC_SHA256.parameters },
    scheme: Scheme::Ecdsa(RegionSet { header: "x-amz-region-set", parameter: "X-Amz-Region-Set" }),
    ..AWS4_HMAC_SHA256
};

/// Signs requests with `AWS4-ECDSA-P256-SHA256`: one signature that is good in a set of regions, for S3 Multi-Region Access
/// Points, EventBridge global endpoints and the like.
///
/// It signs what [`SigV4`] signs, in the same ways; the regions are a header (`x-amz-region-set`) or a parameter, and the key
/// is an ECDSA key derived of the credentials. Signatures are deterministic (RFC 6979): equal input, equal signature.
/// It can be shared by threads; the keys used last are kept per thread.
///
/// Source: "AWS Signature Version 4 for API requests" and "Create a signed AWS API request" in the IAM User Guide
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html>).
///
/// # Example
/// ```
/// use aws_sigv4_free_signing::{Credentials, Payload, SigV4A};
/// use time::OffsetDateTime;
///
/// let signer = SigV4A::s3("*");
/// let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
/// let mut request = http::Request::get("https://mfzwi23gnjvgw.mrap.accesspoint.s3-global.amazonaws.com/cat.txt").body(())?;
/// signer.sign(&mut request, Payload::empty(), &credentials, OffsetDateTime::UNIX_EPOCH)?;
/// assert_eq!(request.headers()["x-amz-region-set"], "*");
/// assert!(request.headers()["authorization"].to_str()?.starts_with(
///     "AWS4-ECDSA-P256-SHA256 Credential=AKIDEXAMPLE/19700101/s3/aws4_request, \
///      SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-region-set, Signature=30"
/// ));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct SigV4A(pub(crate) SigV4);

impl SigV4A {
    /// A signer for `service` (its signing name, such as `execute-api`) in a set of regions: names with commas between them
    /// (`us-east-1,us-west-2`), `us-west-*`, or `*` for all.
    ///
    /// Services differ as they do in [`SigV4::new`].
    pub fn new(service: impl Into<Cow<'static, str>>, region_set: impl Into<Cow<'static, str>>) -> Self {
        Self(SigV4::with_dialect(&AWS4_ECDSA_P256_SHA256, service, region_set))
    }

    /// A signer for S3: see [`SigV4::s3`].
    pub fn s3(region_set: impl Into<Cow<'static, str>>) -> Self {
        Self::new("s3", region_set)
    }

    /// Sets how the path is encoded in the canonical request.
    #[must_use]
    pub fn path_encoding(self, encoding: PathEncoding) -> Self {
        Self(self.0.path_encoding(encoding))
    }

    /// Sets whether the path is normalised in the canonical request.
    #[must_use]
    pub fn path_normalization(self, normalization: PathNormalization) -> Self {
        Self(self.0.path_normalization(normalization))
    }

    /// Sets when the header `x-amz-content-sha256` is added.
    #[must_use]
    pub fn content_sha256_header(self, header: ContentSha256Header) -> Self {
        Self(self.0.content_sha256_header(header))
    }

    /// Sets where the session token goes.
    #[must_use]
    pub fn token_placement(self, placement: TokenPlacement) -> Self {
        Self(self.0.token_placement(placement))
    }

    /// Leaves one more header out of the signature: see [`SigV4::leave_unsigned`].
    #[must_use]
    pub fn leave_unsigned(self, header: http::HeaderName) -> Self {
        Self(self.0.leave_unsigned(header))
    }

    /// The service's signing name.
    pub fn service(&self) -> &str {
        self.0.service()
    }

    /// The set of regions.
    pub fn region_set(&self) -> &str {
        self.0.region()
    }

    /// Signs `request` in place: adds what [`SigV4::sign`] adds, and `x-amz-region-set`.
    ///
    /// # Errors
    /// See [`SigningErrorKind`](crate::SigningErrorKind). On an error the request is unchanged.
    pub fn sign<B>(
        &self,
        request: &mut http::Request<B>,
        payload: Payload<'_>,
        credentials: &Credentials,
        now: OffsetDateTime,
    ) -> Result<(), SigningError> {
        self.0.sign(request, payload, credentials, now)
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
        self.0.sign_parts(parts, payload, credentials, now)
    }

    /// A URL that lets whoever holds it make `request` until `expires_in` has passed, in each of the regions: see
    /// [`SigV4::presign`].
    ///
    /// # Errors
    /// See [`SigningErrorKind`](crate::SigningErrorKind).
    pub fn presign<B>(
        &self,
        request: &http::Request<B>,
        expires_in: Duration,
        credentials: &Credentials,
        now: OffsetDateTime,
    ) -> Result<PresignedUrl, SigningError> {
        self.0.presign(request, expires_in, credentials, now)
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
        self.0.presign_with_payload(request, payload, expires_in, credentials, now)
    }

    /// Signs a request that is text, in its headers, and gives every step: see [`SigV4::sign_raw`].
    ///
    /// # Errors
    /// See [`SigningErrorKind`](crate::SigningErrorKind).
    pub fn sign_raw(
        &self,
        request: &RawRequest,
        payload: Payload<'_>,
        credentials: &Credentials,
        now: OffsetDateTime,
    ) -> Result<RawSignature, SigningError> {
        self.0.sign_raw(request, payload, credentials, now)
    }

    /// Signs a request that is text, in its query, and gives every step: see [`SigV4::presign_raw`].
    ///
    /// # Errors
    /// See [`SigningErrorKind`](crate::SigningErrorKind).
    pub fn presign_raw(
        &self,
        request: &RawRequest,
        payload: Option<Payload<'_>>,
        expires_in: Duration,
        credentials: &Credentials,
        now: OffsetDateTime,
    ) -> Result<RawSignature, SigningError> {
        self.0.presign_raw(request, payload, expires_in, credentials, now)
    }
}
