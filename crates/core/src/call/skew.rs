//! How far the service's clock is from this machine's, and what follows from it.
//!
//! A signature holds the time and is refused when that is too far off. Every answer holds the service's time, so that the
//! difference is known after the first one: it is kept for later signatures, and a call that was refused for it is made again.

use std::sync::Mutex;

use http::HeaderMap;
use time::{Duration, OffsetDateTime};

use super::http_date;

/// Whether the time that is signed follows the service's clock.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SkewCorrection {
    /// The difference is measured from each answer and added to the time that is signed. A call that is refused for its time
    /// is made again, once.
    #[default]
    Enabled,
    /// The time that is signed is this machine's. The difference is measured all the same, for
    /// [`Caller::skew`](super::Caller::skew).
    Disabled,
}

/// A difference that is smaller than this is not the reason of a refusal that may have others.
const THRESHOLD: Duration = Duration::minutes(4);
/// An answer that took longer says too little about the moment of its `Date`.
const MAX_ROUND_TRIP: Duration = Duration::minutes(15);

/// Codes that mean nothing else than a wrong time.
const CERTAIN: [&str; 3] = ["RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture"];
/// Codes that a wrong time leads to, among other reasons. `Forbidden` is what is known of an answer to HEAD.
const POSSIBLE: [&str; 6] = [
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "AuthFailure",
    "AccessDeniedException",
    "IncompleteSignature",
    "Forbidden",
];

/// How far the service's clock is ahead of this machine's, by the headers of an answer to a request that was sent and
/// received at these times of this machine. `None` where the answer has no usable date, came from a cache, or took longer
/// than 15 minutes.
pub fn measure(headers: &HeaderMap, sent: OffsetDateTime, received: OffsetDateTime) -> Option<Duration> {
    if headers.contains_key(http::header::AGE) {
        return None;
    }
    let round_trip = received - sent;
    if round_trip.is_negative() || round_trip > MAX_ROUND_TRIP {
        return None;
    }
    let date = http_date::parse(headers.get(http::header::DATE)?.to_str().ok()?)?;
    Some(date - (sent + round_trip / 2))
}

/// Whether a request that was refused with `code` can be expected to pass when it is signed with the service's time:
/// `signed_with` is the difference that its signature was made with, `measured` the one that the refusal shows.
pub fn explains(code: &str, signed_with: Duration, measured: Option<Duration>) -> bool {
    let Some(measured) = measured else { return false };
    CERTAIN.contains(&code)
        || (POSSIBLE.contains(&code) && measured.checked_sub(signed_with).is_none_or(|off| off.abs() > THRESHOLD))
}

/// The difference last measured, shared by the calls of a client.
#[derive(Debug, Default)]
pub(super) struct Skew(Mutex<Option<Duration>>);

impl Skew {
    pub(super) fn get(&self) -> Option<Duration> {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(super) fn set(&self, skew: Duration) {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(skew);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn sent() -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(1_767_225_600).unwrap() // 2026-01-01T00:00:00Z
    }

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn the_date_is_compared_with_the_middle_of_the_exchange() {
        let headers = headers(&[("date", "Thu, 01 Jan 2026 00:05:01 GMT")]);
        assert_eq!(measure(&headers, sent(), sent() + Duration::seconds(2)), Some(Duration::minutes(5)));
        assert_eq!(
            measure(&headers, sent() + Duration::days(1), sent() + Duration::days(1)).unwrap().whole_hours(),
            -23
        );
    }

    #[test]
    fn an_answer_that_says_nothing_about_now_is_not_measured() {
        let date = ("date", "Thu, 01 Jan 2026 00:05:01 GMT");
        assert_eq!(measure(&headers(&[date, ("age", "0")]), sent(), sent()), None);
        assert_eq!(measure(&headers(&[date]), sent(), sent() + Duration::minutes(16)), None);
        assert_eq!(measure(&headers(&[date]), sent(), sent() - Duration::seconds(1)), None);
        assert_eq!(measure(&headers(&[("date", "soon")]), sent(), sent()), None);
        assert_eq!(measure(&headers(&[]), sent(), sent()), None);
    }

    #[test]
    fn a_certain_code_needs_a_date_and_a_possible_one_a_difference_that_was_not_corrected_yet() {
        let (five, zero) = (Some(Duration::minutes(5)), Duration::ZERO);
        assert!(explains("RequestTimeTooSkewed", zero, five));
        assert!(explains("RequestTimeTooSkewed", zero, Some(zero)));
        assert!(!explains("RequestTimeTooSkewed", zero, None));
        assert!(explains("SignatureDoesNotMatch", zero, five));
        assert!(!explains("SignatureDoesNotMatch", Duration::minutes(5), five));
        assert!(!explains("SignatureDoesNotMatch", zero, Some(Duration::minutes(4))));
        assert!(!explains("NoSuchKey", zero, five));
    }
}
