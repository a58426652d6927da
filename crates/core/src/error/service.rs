//! What a service answered in the place of a success.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use aws_sigv4_free_http_transport::redact::REDACTED;
use http::StatusCode;

use super::clean;
use crate::identity::Secret;

/// How many characters of each part of an error are kept.
const MAX_CODE: usize = 128;
const MAX_MESSAGE: usize = 1024;
const MAX_ID: usize = 256;
const MAX_DETAIL: usize = 1024;
const MAX_DETAILS: usize = 16;
/// How many bytes of the service's view of a signature are kept.
const MAX_SIGNATURE_VIEW: usize = 64 << 10;

/// The error that a service answered with: code, message, request id, and what else it told.
///
/// Everything that came from the service is held without control characters and cut to a bounded length.
#[derive(Clone, Debug)]
pub struct ServiceError {
    status: StatusCode,
    code: Cow<'static, str>,
    message: String,
    request_id: Option<String>,
    extended_request_id: Option<String>,
    details: Vec<(Cow<'static, str>, String)>,
    retry_after: Option<RetryAfter>,
    signature_mismatch: Option<SignatureMismatch>,
}

/// How long the service asked to wait, and in which header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RetryAfter(pub(crate) Duration);

/// What the service computed where it refused a signature: to be compared with what was signed.
///
/// It holds the headers of the request, a session token among them: `Debug` shows nothing of it.
#[derive(Clone)]
pub struct SignatureMismatch {
    canonical_request: Option<Secret>,
    string_to_sign: Option<Secret>,
}

impl ServiceError {
    /// An error with nothing but its HTTP status: the code is derived from it ("NotFound" of 404), as it has to be for an
    /// answer without a body.
    pub fn new(status: StatusCode) -> Self {
        Self {
            status,
            code: code_of_status(status),
            message: String::new(),
            request_id: None,
            extended_request_id: None,
            details: Vec::new(),
            retry_after: None,
            signature_mismatch: None,
        }
    }

    /// Sets the error code. An empty one changes nothing.
    #[must_use]
    pub fn with_code(mut self, code: &str) -> Self {
        if !code.trim().is_empty() {
            self.code = clean(code, MAX_CODE).into();
        }
        self
    }

    /// Sets the message.
    #[must_use]
    pub fn with_message(mut self, message: &str) -> Self {
        self.message = clean(message, MAX_MESSAGE);
        self
    }

    /// Sets the id of the request. An empty one changes nothing.
    #[must_use]
    pub fn with_request_id(mut self, request_id: &str) -> Self {
        if !request_id.trim().is_empty() {
            self.request_id = Some(clean(request_id, MAX_ID));
        }
        self
    }

    /// Sets the second id that S3 gives a request, `x-amz-id-2`. An empty one changes nothing.
    #[must_use]
    pub fn with_extended_request_id(mut self, id: &str) -> Self {
        if !id.trim().is_empty() {
            self.extended_request_id = Some(clean(id, MAX_ID));
        }
        self
    }

    /// Adds a detail, "BucketName" or "Region". It must not be a secret. The first of a name stays; no more than 16 are kept.
    #[must_use]
    pub fn with_detail(mut self, name: impl Into<Cow<'static, str>>, value: &str) -> Self {
        let name = name.into();
        if self.details.len() < MAX_DETAILS && !value.trim().is_empty() && self.detail(&name).is_none() {
            self.details.push((clean(&name, MAX_CODE).into(), clean(value, MAX_DETAIL)));
        }
        self
    }

    /// Adds what the service computed where it refused the signature. Texts longer than 64 KiB are dropped.
    #[must_use]
    pub fn with_signature_mismatch(mut self, canonical_request: Option<&str>, string_to_sign: Option<&str>) -> Self {
        let keep = |text: Option<&str>| text.filter(|text| text.len() <= MAX_SIGNATURE_VIEW).map(Secret::from);
        let (canonical_request, string_to_sign) = (keep(canonical_request), keep(string_to_sign));
        if canonical_request.is_some() || string_to_sign.is_some() {
            self.signature_mismatch = Some(SignatureMismatch { canonical_request, string_to_sign });
        }
        self
    }

    pub(crate) fn with_retry_after(mut self, retry_after: Option<Duration>) -> Self {
        self.retry_after = retry_after.map(RetryAfter);
        self
    }

    /// The HTTP status. It can be 200: some operations of S3 report an error in the body of a success.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The error code, "NoSuchKey". Never empty.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The service's words; empty where it gave none.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The id by which the service's support finds the request.
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// The second id that S3 gives a request, `x-amz-id-2`.
    pub fn extended_request_id(&self) -> Option<&str> {
        self.extended_request_id.as_deref()
    }

    /// A detail by its name, "BucketName" or "Region", where the service told it.
    pub fn detail(&self, name: &str) -> Option<&str> {
        self.details.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The details that the service told, in its order.
    pub fn details(&self) -> impl Iterator<Item = (&str, &str)> {
        self.details.iter().map(|(name, value)| (&**name, value.as_str()))
    }

    /// How long the service asked to wait before another attempt.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after.map(|RetryAfter(wait)| wait)
    }

    /// What the service computed, where it refused the signature and said so. S3 does.
    pub fn signature_mismatch(&self) -> Option<&SignatureMismatch> {
        self.signature_mismatch.as_ref()
    }

    /// Takes `secrets` out of every text, for a service that repeats what it was sent.
    pub(crate) fn without(mut self, secrets: &[&str]) -> Self {
        let scrub = |text: &mut String| {
            for secret in secrets.iter().filter(|secret| secret.len() >= 8) {
                take_out(text, secret);
            }
        };
        let mut code = self.code.into_owned();
        scrub(&mut code);
        self.code = code.into();
        scrub(&mut self.message);
        self.request_id.iter_mut().chain(&mut self.extended_request_id).for_each(scrub);
        self.details.iter_mut().for_each(|(_, value)| scrub(value));
        self
    }
}

/// Replaces `secret` in `text`, as much of it as is there: a text that was cut in its middle holds its beginning.
fn take_out(text: &mut String, secret: &str) {
    let head = secret.get(..16).unwrap_or(secret);
    let mut clean = String::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find(head) {
        clean.push_str(&rest[..at]);
        clean.push_str(REDACTED);
        let found = rest[at..].chars().zip(secret.chars()).take_while(|(a, b)| a == b);
        rest = &rest[at + found.map(|(character, _)| character.len_utf8()).sum::<usize>()..];
    }
    if !clean.is_empty() {
        *text = clean + rest;
    }
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.code)?;
        let message = self.message.trim_end_matches('.');
        if !message.is_empty() {
            write!(f, ": {message}")?;
        }
        write!(f, " (status {}", self.status.as_u16())?;
        if let Some(id) = &self.request_id {
            write!(f, ", request id {id}")?;
        }
        for (name, word) in [("BucketName", "bucket"), ("Key", "key"), ("Region", "region"), ("Endpoint", "endpoint")] {
            if let Some(value) = self.detail(name) {
                write!(f, ", {word} {value}")?;
            }
        }
        f.write_str(")")
    }
}

impl std::error::Error for ServiceError {}

impl SignatureMismatch {
    /// The canonical request that the service computed. It is a secret: it holds a session token where one was sent.
    pub fn canonical_request(&self) -> Option<&str> {
        self.canonical_request.as_ref().map(Secret::expose_secret)
    }

    /// The string to sign that the service computed.
    pub fn string_to_sign(&self) -> Option<&str> {
        self.string_to_sign.as_ref().map(Secret::expose_secret)
    }
}

impl fmt::Debug for SignatureMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignatureMismatch([redacted])")
    }
}

/// The code of an answer without one: its reason phrase as one word, as botocore and the services' own models have it.
fn code_of_status(status: StatusCode) -> Cow<'static, str> {
    match status.as_u16() {
        301 => "PermanentRedirect".into(),
        302 => "Found".into(),
        304 => "NotModified".into(),
        307 => "TemporaryRedirect".into(),
        308 => "PermanentRedirect".into(),
        400 => "BadRequest".into(),
        401 => "Unauthorized".into(),
        403 => "Forbidden".into(),
        404 => "NotFound".into(),
        405 => "MethodNotAllowed".into(),
        409 => "Conflict".into(),
        411 => "MissingContentLength".into(),
        412 => "PreconditionFailed".into(),
        413 => "EntityTooLarge".into(),
        416 => "InvalidRange".into(),
        429 => "TooManyRequests".into(),
        500 => "InternalServerError".into(),
        501 => "NotImplemented".into(),
        502 => "BadGateway".into(),
        503 => "ServiceUnavailable".into(),
        504 => "GatewayTimeout".into(),
        other => format!("Status{other}").into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_without_a_body_has_a_code() {
        assert_eq!(ServiceError::new(StatusCode::NOT_FOUND).code(), "NotFound");
        assert_eq!(ServiceError::new(StatusCode::from_u16(599).unwrap()).code(), "Status599");
        assert_eq!(ServiceError::new(StatusCode::FORBIDDEN).with_code("  ").code(), "Forbidden");
    }

    #[test]
    fn what_the_server_wrote_is_bounded() {
        let mut error = ServiceError::new(StatusCode::BAD_REQUEST)
            .with_code(&"c".repeat(1 << 20))
            .with_message(&"\x1b".repeat(1 << 20))
            .with_request_id(&"r".repeat(1 << 20));
        for index in 0..100 {
            error = error.with_detail(format!("Name{index}"), &"v".repeat(1 << 20));
        }
        assert_eq!(error.details().count(), MAX_DETAILS);
        assert!(format!("{error:?}").len() < 64 << 10);
        assert!(!error.to_string().contains('\x1b'));
    }

    #[test]
    fn the_view_of_a_signature_is_named_and_not_printed() {
        let error =
            ServiceError::new(StatusCode::FORBIDDEN).with_signature_mismatch(Some("PUT canary"), Some("AWS4 canary"));
        assert_eq!(error.signature_mismatch().unwrap().canonical_request(), Some("PUT canary"));
        assert_eq!(error.signature_mismatch().unwrap().string_to_sign(), Some("AWS4 canary"));
        assert!(!format!("{error:?} {error}").contains("canary"));
    }

    #[test]
    fn a_secret_that_the_service_repeats_is_taken_out_even_where_it_is_cut() {
        let token = format!("canary{}", "x".repeat(3000));
        let error = ServiceError::new(StatusCode::FORBIDDEN)
            .with_code("InvalidToken")
            .with_message(&format!("the token {token} is malformed, {token}"))
            .with_detail("Resource", &format!("/?t={token}&x=1"))
            .without(&[&token]);
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
        assert_eq!(error.code(), "InvalidToken");
        assert!(error.message().starts_with("the token [redacted]"), "{error}");
    }

    #[test]
    fn any_text_can_be_a_secret_that_the_service_repeats() {
        for (secret, message, expected) in [
            // One that is a part of what takes its place.
            ("redacted", "it was redacted", "it was [redacted]"),
            ("[redacted", "[redacted [redacted", "[redacted] [redacted]"),
            // Characters that differ in their last byte only.
            ("0123456789abcdefä", "0123456789abcdefå", "[redacted]å"),
            ("0123456789abcdeä", "0123456789abcdeä0123456789abcdeä", "[redacted][redacted]"),
            ("ääääääääää", "ä ääääääääää", "ä [redacted]"),
        ] {
            let error = ServiceError::new(StatusCode::FORBIDDEN).with_message(message).without(&[secret]);
            assert_eq!(error.message(), expected);
        }
    }
}
