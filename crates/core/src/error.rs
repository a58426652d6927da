//! What can go wrong with a call, and what to do about it.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use aws_sigv4_free_http_transport as transport;
use http::StatusCode;

use crate::endpoint::EndpointError;
use crate::identity::CredentialsError;
use crate::settings::SettingsError;

mod advice;
mod service;
mod text;

pub use advice::advice;
pub use service::{ServiceError, SignatureMismatch};
pub(crate) use text::clean;

type Source = Box<dyn StdError + Send + Sync>;

/// A call that failed, or could not be made.
///
/// `Display` names the service, the operation, what went wrong and what to do. It is one level, without the source; walk
/// [`source`](StdError::source) for the cause. No text of an error holds a secret, and what a server wrote is shown without
/// control characters and cut to a bounded length.
///
/// # Example
/// ```
/// use aws_sigv4_free_core::{Error, ErrorKind};
///
/// let error = Error::new(ErrorKind::InvalidInput, "the bucket name is empty, give one");
/// assert_eq!(error.kind(), ErrorKind::InvalidInput);
/// assert_eq!(error.to_string(), "the bucket name is empty, give one");
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    service: &'static str,
    operation: &'static str,
    message: String,
    refusal: Option<ServiceError>,
    attempts: Vec<Attempt>,
    stop: Option<Stop>,
    sent: bool,
    source: Option<Source>,
}

/// What failed.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The service answered with an error: [`Error::service`] has its code and message. What to do depends on the code.
    Service,
    /// No answer: the source says at which stage the connection failed. Check the network, or try again later.
    Transport,
    /// A stage of the call, or the call as a whole, took longer than its limit. Try again, or raise the limit.
    Timeout,
    /// There are no credentials to sign with. Correct what the source names.
    Credentials,
    /// The request can't be signed. Correct what the source names.
    Signing,
    /// An argument is not allowed. Nothing was sent. Correct the argument.
    InvalidInput,
    /// The settings can't be used: a file, a variable or a value given in code. Nothing was sent. Correct the setting.
    Settings,
    /// There is no endpoint for the service in the region with these settings. Nothing was sent.
    Endpoint,
    /// The service answered with success, and the answer can't be understood. What it did is unknown.
    Response,
    /// The bytes are not those that the checksum belongs to. Transfer them again.
    Integrity,
    /// A local file could not be read or written.
    Io,
}

/// One attempt of a call.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// How the attempt ended.
    pub outcome: Outcome,
    /// How long it took, from asking for the identity to the end of the answer's head, or of its error body.
    pub elapsed: Duration,
    /// What followed.
    pub next: Next,
}

/// How an attempt ended.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The service answered with success.
    Success,
    /// The service answered with an error.
    Refused {
        /// The HTTP status. It can be 200: some operations of S3 report an error in the body of a success.
        status: StatusCode,
        /// The error code.
        code: String,
    },
    /// The service answered with success, and the answer can't be understood.
    Unreadable,
    /// There was no answer.
    NoAnswer(transport::ErrorKind),
    /// The attempt failed before anything was sent.
    NotSent(ErrorKind),
}

/// What followed an attempt.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing: the attempt was the last.
    End,
    /// A retry, after a wait.
    Retry {
        /// How long the call waited first.
        wait: Duration,
    },
    /// The same request, signed with the service's time.
    CorrectedClock {
        /// How far the service's clock is ahead of this machine's, in seconds; negative where it is behind.
        skew_seconds: i64,
    },
    /// The same request in the region that the service named.
    Redirect {
        /// The region.
        region: String,
    },
    /// The same request, signed with credentials that the provider was asked for again.
    RenewedIdentity,
}

/// Why a failure that may pass was not followed by another attempt.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stop {
    /// The call has made as many attempts as its retry policy allows.
    AttemptsUsedUp,
    /// The client's retry quota is used up: too many of its recent calls failed.
    QuotaUsedUp,
    /// The body of the request can be sent once only.
    BodyNotReplayable,
}

impl Error {
    /// An error of `kind`, with a sentence that says what happened and what to do: lower case, no final period, no secret.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            service: "",
            operation: "",
            message: message.into(),
            refusal: None,
            attempts: Vec::new(),
            stop: None,
            sent: false,
            source: None,
        }))
    }

    /// An argument that is not allowed: [`ErrorKind::InvalidInput`].
    pub fn invalid_input(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidInput, message)
    }

    /// A success that can't be understood: [`ErrorKind::Response`].
    pub fn response(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Response, message).after_sending()
    }

    /// Adds the cause. It must not hold a secret.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Adds the service ("s3") and the API name of the operation ("PutObject") that the error belongs to.
    #[must_use]
    pub fn in_operation(mut self, service: &'static str, operation: &'static str) -> Self {
        self.0.service = service;
        self.0.operation = operation;
        self
    }

    /// Notes that the service may have received the request, wholly or in part.
    #[must_use]
    pub fn after_sending(mut self) -> Self {
        self.0.sent = true;
        self
    }

    pub(crate) fn with_attempts(mut self, attempts: Vec<Attempt>) -> Self {
        self.0.attempts = attempts;
        self
    }

    pub(crate) fn with_stop(mut self, stop: Option<Stop>) -> Self {
        self.0.stop = stop;
        self
    }

    /// What failed.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What the service answered; `None` unless the kind is [`ErrorKind::Service`].
    pub fn service(&self) -> Option<&ServiceError> {
        self.0.refusal.as_ref()
    }

    /// The service's error code, "NoSuchKey"; `None` unless the service answered with an error.
    pub fn code(&self) -> Option<&str> {
        self.service().map(ServiceError::code)
    }

    /// The HTTP status of the service's error; `None` unless the service answered with one.
    pub fn status(&self) -> Option<StatusCode> {
        self.service().map(ServiceError::status)
    }

    /// The id by which the service's support finds the request, where there was an answer that held one.
    pub fn request_id(&self) -> Option<&str> {
        self.service().and_then(ServiceError::request_id)
    }

    /// The service, "s3"; `None` where the error belongs to no operation.
    pub fn service_name(&self) -> Option<&'static str> {
        Some(self.0.service).filter(|name| !name.is_empty())
    }

    /// The API name of the operation, "PutObject"; `None` where the error belongs to none.
    pub fn operation(&self) -> Option<&'static str> {
        Some(self.0.operation).filter(|name| !name.is_empty())
    }

    /// The attempts of the call, in order. Empty where the call ended before the first.
    pub fn attempts(&self) -> &[Attempt] {
        &self.0.attempts
    }

    /// Why the call was not tried again although the failure may pass; `None` where trying again would not help.
    pub fn stop(&self) -> Option<Stop> {
        self.0.stop
    }

    /// Whether the service may have received the request, wholly or in part, so that what it did is unknown.
    pub fn was_sent(&self) -> bool {
        self.0.sent
    }

    /// What to do about it, where the error is a service's and its code is known; see [`advice`].
    pub fn advice(&self) -> Option<&'static str> {
        self.code().and_then(advice)
    }
}

impl From<ServiceError> for Error {
    fn from(refusal: ServiceError) -> Self {
        let mut error = Self::new(ErrorKind::Service, "").after_sending();
        error.0.refusal = Some(refusal);
        error
    }
}

impl From<transport::Error> for Error {
    fn from(source: transport::Error) -> Self {
        let (kind, message) = match source.kind() {
            transport::ErrorKind::Timeout(_) => (ErrorKind::Timeout, "the service did not answer in time"),
            transport::ErrorKind::InvalidRequest => (ErrorKind::InvalidInput, "the request can't be sent"),
            transport::ErrorKind::Configuration => (ErrorKind::Settings, "the transport can't be used as it is set up"),
            transport::ErrorKind::RequestBody => (ErrorKind::Io, "the body of the request can't be read"),
            transport::ErrorKind::TooLarge => (ErrorKind::Response, "the answer is larger than its limit"),
            _ if source.was_sent() => (ErrorKind::Transport, "the connection failed before the answer was complete"),
            _ => (ErrorKind::Transport, "the service can't be reached"),
        };
        let mut error = Self::new(kind, message);
        error.0.sent = source.was_sent();
        error.with_source(source)
    }
}

impl From<CredentialsError> for Error {
    fn from(source: CredentialsError) -> Self {
        Self::new(ErrorKind::Credentials, "there are no credentials to sign the request with").with_source(source)
    }
}

impl From<EndpointError> for Error {
    fn from(source: EndpointError) -> Self {
        Self::new(ErrorKind::Endpoint, "there is no endpoint to send the request to").with_source(source)
    }
}

impl From<SettingsError> for Error {
    fn from(source: SettingsError) -> Self {
        Self::new(ErrorKind::Settings, "the settings can't be used").with_source(source)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        if !inner.service.is_empty() {
            write!(f, "{} {}: ", inner.service, inner.operation)?;
        }
        match &inner.refusal {
            Some(refusal) => fmt::Display::fmt(refusal, f)?,
            None => f.write_str(&inner.message)?,
        }
        match inner.stop {
            Some(Stop::AttemptsUsedUp) if inner.attempts.len() > 1 => {
                write!(f, "; given up after {} attempts", inner.attempts.len())?;
            }
            Some(Stop::QuotaUsedUp) => {
                f.write_str("; not tried again: too many of this client's recent calls failed")?;
            }
            Some(Stop::BodyNotReplayable) => f.write_str("; not tried again: the body can be sent once only")?,
            _ => {}
        }
        match self.advice() {
            Some(advice) => write!(f, "; {advice}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        let mut shown = f.debug_struct("Error");
        shown.field("kind", &inner.kind);
        if !inner.service.is_empty() {
            shown.field("service", &inner.service).field("operation", &inner.operation);
        }
        match &inner.refusal {
            Some(refusal) => shown.field("refusal", refusal),
            None => shown.field("message", &inner.message),
        };
        shown
            .field("attempts", &inner.attempts)
            .field("stop", &inner.stop)
            .field("sent", &inner.sent)
            .field("source", &inner.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::CredentialsErrorKind;

    #[test]
    fn is_one_word() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }

    #[test]
    fn a_service_error_says_what_happened_and_what_to_do() {
        let refusal = ServiceError::new(StatusCode::NOT_FOUND)
            .with_code("NoSuchKey")
            .with_message("The specified key does not exist.")
            .with_request_id("4442587FB7D0A2F9");
        let error = Error::from(refusal).in_operation("s3", "GetObject");
        assert_eq!(
            error.to_string(),
            "s3 GetObject: NoSuchKey: The specified key does not exist (status 404, request id 4442587FB7D0A2F9); \
             check the key, and that the bucket is the right one: keys are case-sensitive and do not start with a slash"
        );
        assert_eq!((error.kind(), error.code(), error.was_sent()), (ErrorKind::Service, Some("NoSuchKey"), true));
        assert_eq!(error.request_id(), Some("4442587FB7D0A2F9"));
    }

    #[test]
    fn the_end_of_the_retries_is_told() {
        let attempt = Attempt {
            outcome: Outcome::NoAnswer(transport::ErrorKind::Connect),
            elapsed: Duration::ZERO,
            next: Next::End,
        };
        let refused = || Error::from(transport::Error::new(transport::ErrorKind::Connect, "connection refused"));
        let error =
            refused().with_attempts(vec![attempt.clone(), attempt.clone()]).with_stop(Some(Stop::AttemptsUsedUp));
        assert_eq!(error.to_string(), "the service can't be reached; given up after 2 attempts");
        let error = refused().with_attempts(vec![attempt]).with_stop(Some(Stop::BodyNotReplayable));
        assert_eq!(error.to_string(), "the service can't be reached; not tried again: the body can be sent once only");
        assert_eq!(error.source().unwrap().to_string(), "connection refused");
    }

    #[test]
    fn the_kind_follows_the_cause() {
        let kind = |kind| Error::from(transport::Error::new(kind, "x")).kind();
        assert_eq!(kind(transport::ErrorKind::Timeout(transport::Stage::Connect)), ErrorKind::Timeout);
        assert_eq!(kind(transport::ErrorKind::Dns), ErrorKind::Transport);
        assert_eq!(kind(transport::ErrorKind::InvalidRequest), ErrorKind::InvalidInput);
        assert_eq!(kind(transport::ErrorKind::RequestBody), ErrorKind::Io);
        let missing = CredentialsError::new(CredentialsErrorKind::NotConfigured, "set AWS_ACCESS_KEY_ID");
        assert_eq!(Error::from(missing).kind(), ErrorKind::Credentials);
    }
}
