//! How services differ in what they expect of a signature.

/// How the path of the URL is encoded in the canonical request.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PathEncoding {
    /// S3 and its kin: what the path stands for, encoded once. Escapes in the URL are decoded first, so `=`, `%3D` and `%3d`
    /// sign alike, as those servers have it.
    Single,
    /// All other services: the path as it stands in the URL, encoded once more, so `%3D` signs as `%253D`.
    Double,
}

/// Whether dot segments and repeated slashes are taken out of the path in the canonical request.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PathNormalization {
    /// `/a/./b/../c//d` signs as `/a/c/d`: what services do that have no meaning for such paths.
    Normalized,
    /// The path signs as it stands: in S3, `a//b` and `a/../b` are names of objects.
    AsIs,
}

/// When the header `x-amz-content-sha256` is added.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ContentSha256Header {
    /// To every request: S3 refuses one without.
    Always,
    /// Where the server can't compute the value from the body: unsigned and streaming payloads.
    WhenNeeded,
}

/// Where the session token goes.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenPlacement {
    /// It is signed: what nearly every service expects.
    Signed,
    /// It is added when the signature is made, and not part of it: AWS IoT over WebSocket.
    AddedAfterSigning,
}

/// Headers that are never signed, since proxies, load balancers and HTTP clients add, change or drop them on the way.
pub(crate) const UNSIGNED_HEADERS: [&str; 12] = [
    "authorization",
    "connection",
    "expect",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "x-amzn-trace-id",
];

/// Whether `name`, in lower case, is one of [`UNSIGNED_HEADERS`].
pub(crate) fn is_unsigned_header(name: &str) -> bool {
    // Most headers are told apart by their first letter alone.
    match name.as_bytes().first() {
        Some(b'a' | b'c' | b'e' | b'k' | b'p' | b't' | b'u' | b'x') => UNSIGNED_HEADERS.contains(&name),
        _ => false,
    }
}
