//! Why a signature is not accepted.

use std::fmt;

use crate::claim::Fault;
use crate::explain::lines_of;

/// Why a request is not accepted.
///
/// The message names headers, parameters and rules. It shows no secret, no signature and no value of the request.
#[derive(Clone)]
pub struct VerificationError {
    kind: VerificationErrorKind,
    message: String,
    computed: Option<Box<Computed>>,
}

/// What stands in the way of accepting a request.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VerificationErrorKind {
    /// The request carries no signature.
    NotSigned,
    /// The request carries a signature of another algorithm than `AWS4-HMAC-SHA256`.
    UnsupportedAlgorithm,
    /// A header, parameter or field that belongs to the signature is missing.
    Missing,
    /// A header, parameter or field of the signature can't be read, or is there more than once.
    Malformed,
    /// The credential scope names another region than the one that is served.
    WrongRegion,
    /// The credential scope names another service than the one that is served.
    WrongService,
    /// The day of the credential scope is not the day of the signing time.
    ScopeDateMismatch,
    /// The signing time is too far from the verifier's clock.
    TimeTooSkewed,
    /// The presigned URL or the policy has expired.
    Expired,
    /// The life of a presigned URL or a form is not 1 second to 7 days.
    InvalidExpiry,
    /// The signature does not cover the host.
    UnsignedHost,
    /// The request carries an `x-amz-` header that the signature does not cover.
    UnsignedHeader,
    /// The body is not covered by the signature, and the verifier was told to demand that.
    UnsignedPayload,
    /// Nobody has the access key id.
    UnknownAccessKey,
    /// The session token is missing, or is not the one that belongs to the credentials.
    InvalidToken,
    /// The signature is not the one that the secret gives: [`VerificationError::canonical_request`] has what was computed.
    SignatureMismatch,
    /// The body is not the one that was signed.
    PayloadMismatch,
    /// The form does not keep a condition of its policy.
    PolicyViolation,
}

/// What the verifier computed.
#[derive(Clone)]
struct Computed {
    canonical_request: Option<String>,
    string_to_sign: String,
}

impl VerificationError {
    pub(super) fn new(kind: VerificationErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), computed: None }
    }

    /// A signature that is not the one that was computed.
    pub(super) fn mismatch(canonical_request: Option<String>, string_to_sign: String) -> Self {
        let message = "the signature is not the one that the secret access key gives: hold the canonical request against the \
                       sender's";
        Self {
            kind: VerificationErrorKind::SignatureMismatch,
            message: message.into(),
            computed: Some(Box::new(Computed { canonical_request, string_to_sign })),
        }
    }

    /// What stands in the way.
    pub fn kind(&self) -> VerificationErrorKind {
        self.kind
    }

    /// The canonical request that the verifier computed, where the signature of a request did not match. S3 puts it into the
    /// error that it answers with. It holds the headers and the session token of the request: it is for the sender alone,
    /// not for a log.
    pub fn canonical_request(&self) -> Option<&str> {
        self.computed.as_ref()?.canonical_request.as_deref()
    }

    /// The string to sign that the verifier computed, where a signature did not match.
    pub fn string_to_sign(&self) -> Option<&str> {
        self.computed.as_ref().map(|computed| computed.string_to_sign.as_str())
    }

    /// The code under which S3 reports the like, such as `SignatureDoesNotMatch`.
    pub fn s3_code(&self) -> &'static str {
        use VerificationErrorKind as Kind;
        match self.kind {
            Kind::NotSigned
            | Kind::Expired
            | Kind::UnsignedHost
            | Kind::UnsignedHeader
            | Kind::UnsignedPayload
            | Kind::PolicyViolation => "AccessDenied",
            Kind::UnsupportedAlgorithm => "InvalidRequest",
            Kind::Missing => "MissingSecurityHeader",
            Kind::Malformed | Kind::WrongRegion | Kind::WrongService | Kind::ScopeDateMismatch => {
                "AuthorizationHeaderMalformed"
            }
            Kind::InvalidExpiry => "AuthorizationQueryParametersError",
            Kind::TimeTooSkewed => "RequestTimeTooSkewed",
            Kind::UnknownAccessKey => "InvalidAccessKeyId",
            Kind::InvalidToken => "InvalidToken",
            Kind::SignatureMismatch => "SignatureDoesNotMatch",
            Kind::PayloadMismatch => "XAmzContentSHA256Mismatch",
        }
    }

    /// The HTTP status that S3 answers with: 400 for what can't be read, 403 for what is refused.
    pub fn status(&self) -> http::StatusCode {
        use VerificationErrorKind as Kind;
        match self.kind {
            Kind::UnsupportedAlgorithm
            | Kind::Missing
            | Kind::Malformed
            | Kind::WrongRegion
            | Kind::WrongService
            | Kind::ScopeDateMismatch
            | Kind::InvalidExpiry
            | Kind::InvalidToken
            | Kind::PayloadMismatch => http::StatusCode::BAD_REQUEST,
            _ => http::StatusCode::FORBIDDEN,
        }
    }
}

impl From<Fault> for VerificationError {
    fn from(fault: Fault) -> Self {
        use VerificationErrorKind as Kind;
        match fault {
            Fault::Missing(what) => Self::new(Kind::Missing, format!("{what} is missing from the signature")),
            Fault::Malformed(what, how) => Self::new(Kind::Malformed, format!("{what} {how}")),
            Fault::Repeated(what) => Self::new(Kind::Malformed, format!("{what} is there more than once")),
            Fault::Algorithm => {
                Self::new(Kind::UnsupportedAlgorithm, "the signature is not of the algorithm AWS4-HMAC-SHA256")
            }
        }
    }
}

impl fmt::Display for VerificationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

// The canonical request may hold a session token: its lines are shown without.
impl fmt::Debug for VerificationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerificationError")
            .field("kind", &self.kind)
            .field("message", &self.message)
            .field("canonical_request", &self.canonical_request().map(lines_of))
            .finish_non_exhaustive()
    }
}

impl std::error::Error for VerificationError {}
