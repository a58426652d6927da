//! What is wrong with a region, a host or an endpoint URL.

use std::fmt;

/// A region, host or endpoint URL that can't be used.
///
/// The text names what was given, and what is accepted. A URL's user information is never shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointError {
    kind: EndpointErrorKind,
    message: String,
}

/// What can't be used.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EndpointErrorKind {
    /// The region is not a lower-case host label. Write it as `us-east-1`.
    InvalidRegion,
    /// The endpoint URL is not `http[s]://host[:port][/path]`. Correct it.
    InvalidUrl,
    /// A service name, a host prefix or a path can't be a part of a URL. Correct it.
    InvalidPart,
    /// The options exclude each other, or the partition does not have what they ask for. Leave one of them out.
    Unsupported,
}

impl EndpointError {
    pub(super) fn new(kind: EndpointErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// What can't be used.
    pub fn kind(&self) -> EndpointErrorKind {
        self.kind
    }
}

impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for EndpointError {}

/// The longest piece of outside text that an error repeats.
const SHOWN: usize = 80;

/// Outside text as an error may repeat it: quoted, control characters escaped, cut when it is long.
pub(crate) fn quoted(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((cut, _)) => format!("{:?}...", &text[..cut]),
        None => format!("{text:?}"),
    }
}
