//! The other side: is a request signed by somebody who has the secret?
//!
//! For gateways, local stand-ins of services, and tests. [`Verifier`] takes a request as it arrived, a look-up of secrets, and
//! the time; it computes the signature with the engine that signs, and compares in constant time.

mod chunks;
mod error;
#[cfg(feature = "post-policy")]
mod post;
mod received;
mod verified;

use std::fmt;
use std::time::Duration;

use hmac::digest::CtOutput;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

pub use chunks::ChunkVerifier;
pub use error::{VerificationError, VerificationErrorKind};
#[cfg(feature = "post-policy")]
pub use post::VerifiedForm;
pub use received::Place;
use received::Received;
pub use verified::{ReceivedBody, TokenVerdict, UnsignedPayload, Verified, VerifiedPayload};

use crate::claim::{self, Claim, TOKEN_HEADERS};
use crate::dialect::AWS4_HMAC_SHA256;
use crate::encoding::hex;
use crate::sigv4::canonical;
use crate::timestamp::Timestamp;
use crate::{
    ContentSha256Header, Credentials, PathEncoding, PathNormalization, RawRequest, Secret, SigV4, StreamingPayload,
    TokenPlacement,
};
use VerificationErrorKind as Kind;

/// The longest life of a presigned URL, in seconds.
const MAX_EXPIRY: u64 = 7 * 24 * 60 * 60;
/// A canonical request is not made of a request that is larger.
const MAX_HEAD: usize = 1 << 20;

type TokenCheck = Box<dyn Fn(&str, Option<&Secret>) -> TokenVerdict + Send + Sync>;

/// Verifies signatures of `AWS4-HMAC-SHA256`: in headers, in the query, in the fields of a form, and of chunks.
///
/// The look-up gives the [`Credentials`] of an access key id. Credentials with a session token are accepted with that very
/// token only, those without with none; [`token_check`](Self::token_check) sets another rule. It is called after the form,
/// the scope and the time of the signature were found good, and may be called for ids that nobody has. Give clones of the same
/// `Credentials` each time where you can: the derived key is kept with them.
///
/// A request is accepted when its signature is the one that the secret gives, and covers the host, each `x-amz-` header and,
/// as far as it says so, the body. A service's own rules of encoding are those of [`SigV4::new`] for the service of the scope.
/// Where those normalise the path, `/a/../b` and `/b` sign alike: act on the normalised path then, not on the one that came.
///
/// # Example
/// ```
/// use aws_sigv4_free_signing::verify::{ReceivedBody, VerificationErrorKind, Verifier};
/// use aws_sigv4_free_signing::{Credentials, Payload, SigV4};
/// use time::OffsetDateTime;
///
/// let (alice, now) = (Credentials::new("AKIDALICE", "her secret"), OffsetDateTime::UNIX_EPOCH);
/// let mut request = http::Request::put("https://store.example.com/photos/cat.jpg").body("meow")?;
/// SigV4::s3("eu-central-1").sign(&mut request, Payload::bytes("meow"), &alice, now)?;
///
/// let known = alice.clone();
/// let verifier = Verifier::new(move |id| (id == "AKIDALICE").then(|| known.clone())).region("eu-central-1").service("s3");
/// let verified = verifier.verify(&request, ReceivedBody::Bytes(b"meow"), now)?;
/// assert_eq!(verified.access_key_id(), "AKIDALICE");
///
/// let error = verifier.verify(&request, ReceivedBody::Bytes(b"woof"), now).unwrap_err();
/// assert_eq!(error.kind(), VerificationErrorKind::PayloadMismatch);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Verifier<L> {
    look_up: L,
    region: Option<String>,
    service: Option<String>,
    allowed_skew: Duration,
    unsigned_payload: UnsignedPayload,
    token_check: Option<TokenCheck>,
    token_placement: Option<TokenPlacement>,
    path_encoding: Option<PathEncoding>,
    path_normalization: Option<PathNormalization>,
    content_sha256_header: Option<ContentSha256Header>,
    may_be_unsigned: Vec<http::HeaderName>,
}

impl<L: Fn(&str) -> Option<Credentials>> Verifier<L> {
    /// A verifier for any region and service, with 15 minutes of allowed clock skew. `look_up` gives the credentials with an
    /// access key id; it must not block for long, and must tell ids apart by every byte.
    pub fn new(look_up: L) -> Self {
        Self {
            look_up,
            region: None,
            service: None,
            allowed_skew: Duration::from_secs(15 * 60),
            unsigned_payload: UnsignedPayload::Allowed,
            token_check: None,
            token_placement: None,
            path_encoding: None,
            path_normalization: None,
            content_sha256_header: None,
            may_be_unsigned: Vec::new(),
        }
    }

    /// Accepts signatures for this region only.
    #[must_use]
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// Accepts signatures for this service only.
    #[must_use]
    pub fn service(mut self, service: impl Into<String>) -> Self {
        self.service = Some(service.into());
        self
    }

    /// Sets how far the signing time may be from the verifier's clock; for presigned URLs and forms, how far ahead of it.
    #[must_use]
    pub fn allowed_skew(mut self, skew: Duration) -> Self {
        self.allowed_skew = skew;
        self
    }

    /// Sets whether a body may go without a signature.
    #[must_use]
    pub fn unsigned_payload(mut self, unsigned: UnsignedPayload) -> Self {
        self.unsigned_payload = unsigned;
        self
    }

    /// Sets who says whether a session token is good: for tokens that are not kept with the credentials. It is called with
    /// the access key id and the token, if any, after the signature was found good.
    #[must_use]
    pub fn token_check(
        mut self,
        check: impl Fn(&str, Option<&Secret>) -> TokenVerdict + Send + Sync + 'static,
    ) -> Self {
        self.token_check = Some(Box::new(check));
        self
    }

    /// Sets whether the session token is part of the signature.
    #[must_use]
    pub fn token_placement(mut self, placement: TokenPlacement) -> Self {
        self.token_placement = Some(placement);
        self
    }

    /// Sets how the path is encoded in the canonical request, for all services.
    #[must_use]
    pub fn path_encoding(mut self, encoding: PathEncoding) -> Self {
        self.path_encoding = Some(encoding);
        self
    }

    /// Sets whether the path is normalised in the canonical request, for all services.
    #[must_use]
    pub fn path_normalization(mut self, normalization: PathNormalization) -> Self {
        self.path_normalization = Some(normalization);
        self
    }

    /// Sets when the header `x-amz-content-sha256` has to be there, for all services.
    #[must_use]
    pub fn content_sha256_header(mut self, header: ContentSha256Header) -> Self {
        self.content_sha256_header = Some(header);
        self
    }

    /// Lets one more `x-amz-` header go without a signature: one that a proxy in front adds, such as `x-amz-cf-id`. Nothing
    /// that it says is to be trusted.
    #[must_use]
    pub fn may_be_unsigned(mut self, header: http::HeaderName) -> Self {
        self.may_be_unsigned.push(header);
        self
    }

    /// Verifies a request with a signature in its headers or its query. The host is that of the header `host`, else that of
    /// the URL.
    ///
    /// # Errors
    /// See [`VerificationErrorKind`].
    pub fn verify<B>(
        &self,
        request: &http::Request<B>,
        body: ReceivedBody<'_>,
        now: OffsetDateTime,
    ) -> Result<Verified, VerificationError> {
        self.verify_received(&Received::of_http(request)?, body, now)
    }

    /// Verifies a request that is text. Its URL is taken as it arrived: with scheme and host, or from its path on.
    ///
    /// # Errors
    /// See [`VerificationErrorKind`].
    pub fn verify_raw(
        &self,
        request: &RawRequest,
        body: ReceivedBody<'_>,
        now: OffsetDateTime,
    ) -> Result<Verified, VerificationError> {
        self.verify_received(&Received::of_raw(request)?, body, now)
    }

    fn verify_received(
        &self,
        received: &Received<'_>,
        body: ReceivedBody<'_>,
        now: OffsetDateTime,
    ) -> Result<Verified, VerificationError> {
        let size = received
            .headers
            .iter()
            .fold(received.path.len() + received.query.len(), |size, (name, value)| size + name.len() + value.len());
        if size > MAX_HEAD {
            return Err(VerificationError::new(Kind::Malformed, "the URL and the headers are larger than 1 MiB"));
        }
        let (claim, place) = received.claim()?;
        self.check_scope(&claim)?;
        self.check_time(&claim, now)?;
        let signer = self.signer(&claim);
        let token_is_signed = signer.expected_token() == TokenPlacement::Signed;
        self.check_coverage(received, &claim, token_is_signed)?;
        let headers = received.signed_headers(&claim)?;
        let (payload, payload_hash) = self.payload(received, &signer, place, body)?;

        let mut query = canonical::Query::default();
        for (name, value) in claim::pairs(received.query) {
            if claim::is_signature(name) || (!token_is_signed && claim::is_token(name)) {
                continue;
            }
            query.push_pair(name, value);
        }
        query.sort();
        let (path_encoding, path_normalization) = signer.path_settings();
        let mut canonical_request = Vec::with_capacity(size + 512);
        canonical::write(
            &mut canonical_request,
            &canonical::Parts {
                method: received.method,
                bucket: None,
                path: received.path,
                path_encoding,
                path_normalization,
                query: &query,
                empty_value: AWS4_HMAC_SHA256.empty_value,
                headers: headers.as_slice(),
                listed: &canonical::Listed::All,
                payload_hash: payload_hash.as_bytes(),
            },
        );
        let hash = hex(&Sha256::digest(&canonical_request).into());
        let string_to_sign = string_to_sign(&claim, &String::from_utf8_lossy(&hash))?;

        let credentials = self.credentials(&claim)?;
        let ours =
            signer.sign_text(string_to_sign.as_bytes(), &credentials, claim.day).map_err(|error| unsignable(&error))?;
        if !is_equal(&ours, claim.signature.as_bytes()) {
            let canonical_request = String::from_utf8_lossy(&canonical_request).into_owned();
            return Err(VerificationError::mismatch(Some(canonical_request), string_to_sign));
        }
        self.check_token(&claim, &credentials)?;
        let verified = Verified { place, payload, signer, credentials, signature: ours, claim };
        match (body.hash(), verified.payload) {
            (Some(hash), VerifiedPayload::Sha256(_)) => verified.check_body(hash).map(|()| verified),
            _ => Ok(verified),
        }
    }

    fn check_scope(&self, claim: &Claim) -> Result<(), VerificationError> {
        let day = Timestamp::new(claim.signed_at).map_err(|error| unsignable(&error))?.day();
        if claim.day != day {
            let message = "the day of the credential scope is not the day of the signing time";
            return Err(VerificationError::new(Kind::ScopeDateMismatch, message));
        }
        if let Some(region) = self.region.as_ref().filter(|region| **region != claim.region) {
            let message = format!("the signature is for another region: this one is {region}");
            return Err(VerificationError::new(Kind::WrongRegion, message));
        }
        if let Some(service) = self.service.as_ref().filter(|service| **service != claim.service) {
            let message = format!("the signature is for another service: this one is {service}");
            return Err(VerificationError::new(Kind::WrongService, message));
        }
        Ok(())
    }

    fn check_time(&self, claim: &Claim, now: OffsetDateTime) -> Result<(), VerificationError> {
        // The signing time has whole seconds.
        let ahead = (claim.signed_at - now).whole_seconds();
        let allowed = i64::try_from(self.allowed_skew.as_secs()).unwrap_or(i64::MAX);
        let too_skewed = |seconds: i64, direction: &str| {
            let message = format!("the signing time is {seconds} s {direction} this clock, {allowed} s are allowed");
            Err(VerificationError::new(Kind::TimeTooSkewed, message))
        };
        if ahead > allowed {
            return too_skewed(ahead, "ahead of");
        }
        match claim.expires_in {
            None if -ahead > allowed => too_skewed(-ahead, "behind"),
            None => Ok(()),
            Some(seconds) if !(1..=MAX_EXPIRY).contains(&seconds) => {
                let message = format!("a presigned URL lives from 1 second to 7 days (604800 s), not {seconds} s");
                Err(VerificationError::new(Kind::InvalidExpiry, message))
            }
            Some(seconds) => {
                if now - claim.signed_at > Duration::from_secs(seconds) {
                    return Err(VerificationError::new(Kind::Expired, "the presigned URL has expired"));
                }
                Ok(())
            }
        }
    }

    /// A signer with the settings that the request was signed with.
    fn signer(&self, claim: &Claim) -> SigV4 {
        let mut signer = SigV4::new(claim.service.clone(), claim.region.clone());
        if let Some(encoding) = self.path_encoding {
            signer = signer.path_encoding(encoding);
        }
        if let Some(normalization) = self.path_normalization {
            signer = signer.path_normalization(normalization);
        }
        if let Some(header) = self.content_sha256_header {
            signer = signer.content_sha256_header(header);
        }
        if let Some(placement) = self.token_placement {
            signer = signer.token_placement(placement);
        }
        signer
    }

    /// The host and each `x-amz-` header have to be covered: otherwise somebody on the way could change what they say.
    fn check_coverage(
        &self,
        received: &Received<'_>,
        claim: &Claim,
        token_is_signed: bool,
    ) -> Result<(), VerificationError> {
        if !claim.covers("host") {
            return Err(VerificationError::new(Kind::UnsignedHost, "the signature does not cover the header host"));
        }
        for (name, _) in &received.headers {
            let is_free = self.may_be_unsigned.iter().any(|free| free.as_str() == *name)
                || (!token_is_signed && TOKEN_HEADERS.contains(name));
            if name.starts_with("x-amz-") && !claim.covers(name) && !is_free {
                let message = format!("the signature does not cover the header {name}");
                return Err(VerificationError::new(Kind::UnsignedHeader, message));
            }
        }
        Ok(())
    }

    /// What the signature says of the body, and the last line of the canonical request.
    fn payload(
        &self,
        received: &Received<'_>,
        signer: &SigV4,
        place: Place,
        body: ReceivedBody<'_>,
    ) -> Result<(VerifiedPayload, String), VerificationError> {
        let told = received.value(AWS4_HMAC_SHA256.content_sha256_header)?;
        let always = signer.expected_content_sha256() == ContentSha256Header::Always;
        let told = match told {
            Some(told) => told,
            None if always && place == Place::Query => "UNSIGNED-PAYLOAD".to_owned(),
            None if always => return Err(claim::Fault::Missing(AWS4_HMAC_SHA256.content_sha256_header).into()),
            None => {
                let hash = body.hash().ok_or_else(|| {
                    let message = "the signature covers the body, which has not been read";
                    VerificationError::new(Kind::Missing, message)
                })?;
                return Ok((VerifiedPayload::Sha256(hash), String::from_utf8_lossy(&hex(&hash)).into_owned()));
            }
        };
        let payload = match (&*told, StreamingPayload::from_name(&told)) {
            ("UNSIGNED-PAYLOAD", _) => VerifiedPayload::Unsigned,
            (_, Some(StreamingPayload::EcdsaSigned | StreamingPayload::EcdsaSignedTrailer)) => {
                let message = "x-amz-content-sha256 promises chunks signed with another algorithm than the request";
                return Err(VerificationError::new(Kind::Malformed, message));
            }
            (_, Some(streaming)) => VerifiedPayload::Streaming(streaming),
            (digits, None) => VerifiedPayload::Sha256(unhex(digits).ok_or(claim::Fault::Malformed(
                AWS4_HMAC_SHA256.content_sha256_header,
                "is neither 64 hexadecimal digits nor the name of a payload",
            ))?),
        };
        let is_unsigned = matches!(
            payload,
            VerifiedPayload::Unsigned | VerifiedPayload::Streaming(StreamingPayload::UnsignedTrailer)
        );
        if is_unsigned && self.unsigned_payload == UnsignedPayload::Refused {
            let message = "the signature does not cover the body: sign its SHA-256";
            return Err(VerificationError::new(Kind::UnsignedPayload, message));
        }
        Ok((payload, told))
    }

    fn credentials(&self, claim: &Claim) -> Result<Credentials, VerificationError> {
        (self.look_up)(&claim.access_key_id)
            .filter(|credentials| credentials.access_key_id() == claim.access_key_id)
            .ok_or_else(|| VerificationError::new(Kind::UnknownAccessKey, "nobody has the access key id"))
    }

    fn check_token(&self, claim: &Claim, credentials: &Credentials) -> Result<(), VerificationError> {
        let presented = claim.session_token.as_ref();
        let verdict = match &self.token_check {
            Some(check) => check(&claim.access_key_id, presented),
            None => match (presented, credentials.session_token()) {
                (None, None) => TokenVerdict::Valid,
                (Some(presented), Some(ours))
                    if is_equal(presented.expose_secret().as_bytes(), ours.expose_secret().as_bytes()) =>
                {
                    TokenVerdict::Valid
                }
                _ => TokenVerdict::Invalid,
            },
        };
        match verdict {
            TokenVerdict::Valid => Ok(()),
            TokenVerdict::Invalid => {
                let message = "the session token is missing, or does not belong to the access key id";
                Err(VerificationError::new(Kind::InvalidToken, message))
            }
        }
    }
}

impl<L> fmt::Debug for Verifier<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("region", &self.region)
            .field("service", &self.service)
            .field("allowed_skew", &self.allowed_skew)
            .field("unsigned_payload", &self.unsigned_payload)
            .finish_non_exhaustive()
    }
}

/// Compares in a time that depends on nothing but the lengths.
fn is_equal(a: &[u8], b: &[u8]) -> bool {
    CtOutput::<Sha256>::new(Sha256::digest(a)) == CtOutput::new(Sha256::digest(b))
}

/// The text that a signature of a request is made of.
fn string_to_sign(claim: &Claim, hash: &str) -> Result<String, VerificationError> {
    let timestamp = Timestamp::new(claim.signed_at).map_err(|error| unsignable(&error))?;
    let Claim { region, service, .. } = claim;
    let [algorithm, terminator] = [AWS4_HMAC_SHA256.algorithm, AWS4_HMAC_SHA256.terminator];
    let time = String::from_utf8_lossy(timestamp.as_bytes());
    let day = &time[..8];
    Ok(format!("{algorithm}\n{time}\n{day}/{region}/{service}/{terminator}\n{hash}"))
}

/// 64 lower-case hexadecimal digits: what is signed is the text, so another spelling is another text.
fn unhex(digits: &str) -> Option<[u8; 32]> {
    let digits = digits.as_bytes();
    let mut bytes = [0; 32];
    if digits.len() != 64 {
        return None;
    }
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = value(pair[0])? << 4 | value(pair[1])?;
    }
    Some(bytes)
}

/// What the signer can't sign, it can't verify either.
fn unsignable(error: &crate::SigningError) -> VerificationError {
    VerificationError::new(Kind::Malformed, error.to_string())
}

#[cfg(test)]
mod tests;
