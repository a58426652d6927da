//! What an answer, or the lack of one, means for the call.

use std::time::Duration;

use aws_sigv4_free_http_transport as transport;
use http::{HeaderMap, Method, StatusCode};

use super::retry::{Failure, RetryMode};
use crate::error::ServiceError;
use crate::identity::Credentials;

/// Codes by which a service asks for fewer requests.
const THROTTLING: [&str; 14] = [
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
];

/// Codes of faults that pass, whatever the status.
const TRANSIENT: [&str; 2] = ["RequestTimeout", "RequestTimeoutException"];
/// Codes of faults that pass, of one service. S3 reports them in the body of a success as well.
const TRANSIENT_OF: [(&str, &str); 3] =
    [("s3", "InternalError"), ("s3", "ServiceUnavailable"), ("sts", "IDPCommunicationError")];

/// Codes by which a service refuses the identity rather than what it asks for.
const REJECTED_IDENTITY: [&str; 9] = [
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidToken",
    "RequestExpired",
    "TokenRefreshRequired",
    "UnrecognizedClientException",
];

/// Whether, and how, an error of `service` may pass; `None` where trying again would not help.
pub fn failure(service: &str, status: StatusCode, code: &str) -> Option<Failure> {
    if THROTTLING.contains(&code) || status == StatusCode::TOO_MANY_REQUESTS {
        return Some(Failure::Throttling);
    }
    (is_transient_code(service, code) || matches!(status.as_u16(), 500 | 502 | 503 | 504)).then_some(Failure::Transient)
}

/// Whether, and how, the lack of an answer may pass.
pub(super) fn transport_failure(error: &transport::Error) -> Option<Failure> {
    if !error.is_transient() {
        return None;
    }
    Some(if error.is_timeout() { Failure::Timeout } else { Failure::Transient })
}

/// The wait that the service asks for. Version 2.0 of the standard mode heeds `x-amz-retry-after` (milliseconds) where the
/// code is known only; `Retry-After` (seconds) is what other stores and proxies send with 429 and 503.
pub fn retry_after(
    mode: RetryMode,
    service: &str,
    status: StatusCode,
    code: &str,
    headers: &HeaderMap,
) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
    let is_known = || THROTTLING.contains(&code) || is_transient_code(service, code);
    if (mode == RetryMode::Standard2026 || is_known())
        && let Some(milliseconds) = number("x-amz-retry-after")
    {
        return Some(Duration::from_millis(milliseconds));
    }
    matches!(status.as_u16(), 429 | 503).then(|| number("retry-after").map(Duration::from_secs)).flatten()
}

/// Whether the service refuses the credentials that the request was signed with, so that others may pass.
pub(super) fn rejects_identity(method: &Method, error: &ServiceError, credentials: &Credentials) -> bool {
    // An answer to HEAD has no code: S3 refuses an expired token with a bare 400.
    let bare_head = method == Method::HEAD && error.code() == "BadRequest" && credentials.session_token().is_some();
    bare_head || REJECTED_IDENTITY.contains(&error.code())
}

fn is_transient_code(service: &str, code: &str) -> bool {
    TRANSIENT.contains(&code) || TRANSIENT_OF.contains(&(service, code))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn throttling_and_faults_pass_and_refusals_do_not() {
        let of = |status: u16, code| failure("s3", StatusCode::from_u16(status).unwrap(), code);
        for code in THROTTLING {
            assert_eq!(of(400, code), Some(Failure::Throttling), "{code}");
        }
        assert_eq!(of(429, "TooManyRequests"), Some(Failure::Throttling));
        for status in [500, 502, 503, 504] {
            assert_eq!(of(status, "Whatever"), Some(Failure::Transient), "{status}");
        }
        assert_eq!(of(400, "RequestTimeout"), Some(Failure::Transient));
        assert_eq!(of(200, "InternalError"), Some(Failure::Transient));
        assert_eq!(of(200, "SlowDown"), Some(Failure::Throttling));
        assert_eq!(failure("ec2", StatusCode::OK, "InternalError"), None);
        assert_eq!(failure("sts", StatusCode::BAD_REQUEST, "IDPCommunicationError"), Some(Failure::Transient));
        for (status, code) in [(400, "BadDigest"), (403, "AccessDenied"), (404, "NoSuchKey"), (501, "NotImplemented")] {
            assert_eq!(of(status, code), None, "{code}");
        }
    }

    #[test]
    fn a_wait_that_is_no_number_is_not_heeded() {
        let asked = |mode, code, status: u16, name: &'static str, value: &'static str| {
            let headers =
                HeaderMap::from_iter([(http::HeaderName::from_static(name), HeaderValue::from_static(value))]);
            retry_after(mode, "s3", StatusCode::from_u16(status).unwrap(), code, &headers)
        };
        let (old, new) = (RetryMode::Standard, RetryMode::Standard2026);
        assert_eq!(asked(new, "Odd", 500, "x-amz-retry-after", "1500"), Some(Duration::from_millis(1500)));
        assert_eq!(asked(old, "Odd", 500, "x-amz-retry-after", "1500"), None);
        assert_eq!(asked(old, "SlowDown", 503, "x-amz-retry-after", "1500"), Some(Duration::from_millis(1500)));
        for value in ["-1", "soon", "", "1e9", "99999999999999999999999"] {
            assert_eq!(asked(new, "SlowDown", 503, "x-amz-retry-after", value), None, "{value}");
        }
        assert_eq!(asked(old, "TooManyRequests", 429, "retry-after", "7"), Some(Duration::from_secs(7)));
        assert_eq!(asked(old, "BadGateway", 502, "retry-after", "7"), None);
    }

    #[test]
    fn a_bare_400_to_head_is_a_rejected_token_where_there_is_one() {
        let error = ServiceError::new(StatusCode::BAD_REQUEST);
        let long_term = Credentials::new("AKID", "secret");
        let temporary = long_term.clone().with_session_token("token");
        assert!(rejects_identity(&Method::HEAD, &error, &temporary));
        assert!(!rejects_identity(&Method::HEAD, &error, &long_term));
        assert!(!rejects_identity(&Method::GET, &error, &temporary));
        assert!(rejects_identity(&Method::GET, &error.with_code("ExpiredToken"), &long_term));
    }
}
