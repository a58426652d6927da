//! What can go wrong between the call and the last byte of the answer.

use std::error::Error as StdError;
use std::fmt;

type Source = Box<dyn StdError + Send + Sync>;

/// A request that did not get its answer.
///
/// `Display` is one level, without the source; walk [`source`](StdError::source) for the cause. No text of an error holds a
/// header's value, a query or a body.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    sent: bool,
    permanent: bool,
    source: Option<Source>,
}

/// The stage that a time-out belongs to; see [`Timeouts`](crate::Timeouts).
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Name look-up and TCP connect.
    Connect,
    /// TLS handshake, or the proxy's answer to CONNECT.
    Handshake,
    /// Waiting for the response head.
    ResponseHead,
    /// A body that makes no progress.
    BodyProgress,
    /// The operation as a whole.
    Operation,
}

/// What failed.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The request can't be sent as it is: no host, an unknown scheme, a header that is not allowed. Not retried. Correct it.
    InvalidRequest,
    /// The settings of the transport can't be used: a broken proxy URL, a CA file without certificates. Not retried.
    Configuration,
    /// The host's name has no address. Retried. Check the host, the region in it and the DNS.
    Dns,
    /// No connection: refused, unreachable. Retried.
    Connect,
    /// The TLS handshake failed: an unknown issuer, another name, an expired certificate. Not retried. Add the CA or
    /// correct the host.
    Tls,
    /// The proxy refused or failed. Retried where the proxy was unreachable or overloaded; not where it refused.
    Proxy,
    /// A stage took longer than its limit. Retried where the body can be sent again.
    Timeout(Stage),
    /// The connection ended before the answer was complete: reset, closed early, fewer bytes than announced. Retried where
    /// the body can be sent again.
    ConnectionClosed,
    /// The peer does not speak HTTP/1.1 as it should: a garbled status line, two lengths, more bytes than announced.
    Protocol,
    /// The answer is larger than its limit: headers, an error body, metadata. Not retried.
    TooLarge,
    /// The request's own body failed: its file vanished or changed size, its stream gave an error or another length. Not
    /// retried.
    RequestBody,
    /// A local read or write failed.
    Io,
    /// Anything else. Not retried.
    Other,
}

impl Error {
    /// An error of `kind`, with a sentence that says what happened and what to do: lower case, no final period, no secret.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, message: message.into(), sent: false, permanent: false, source: None }))
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Notes that the server may have received the request, wholly or in part.
    #[must_use]
    pub fn after_sending(mut self) -> Self {
        self.0.sent = true;
        self
    }

    /// Notes that sending the request again can't help, although other errors of this kind pass.
    #[must_use]
    pub fn permanent(mut self) -> Self {
        self.0.permanent = true;
        self
    }

    /// What failed.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether the server may have received the request, wholly or in part.
    pub fn was_sent(&self) -> bool {
        self.0.sent
    }

    /// Whether a stage took longer than its limit.
    pub fn is_timeout(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Timeout(_))
    }

    /// Whether the same request may succeed if it is sent again, its body permitting.
    pub fn is_transient(&self) -> bool {
        !self.0.permanent
            && matches!(
                self.0.kind,
                ErrorKind::Dns
                    | ErrorKind::Connect
                    | ErrorKind::Proxy
                    | ErrorKind::Timeout(_)
                    | ErrorKind::ConnectionClosed
                    | ErrorKind::Protocol
            )
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("sent", &self.0.sent)
            .field("source", &self.0.source)
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

    #[test]
    fn is_one_word() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }

    #[test]
    fn display_leaves_the_source_out() {
        let error = Error::new(ErrorKind::Connect, "connection refused by 127.0.0.1:9").with_source("os error 111");
        assert_eq!(error.to_string(), "connection refused by 127.0.0.1:9");
        assert_eq!(StdError::source(&error).unwrap().to_string(), "os error 111");
    }

    #[test]
    fn a_timeout_is_transient_and_a_tls_failure_is_not() {
        assert!(Error::new(ErrorKind::Timeout(Stage::Connect), "x").is_transient());
        assert!(!Error::new(ErrorKind::Tls, "x").is_transient());
        assert!(!Error::new(ErrorKind::Proxy, "x").permanent().is_transient());
    }
}
