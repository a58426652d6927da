//! What is sent, and how long it may take.

use std::net::SocketAddr;
use std::time::Duration;

use crate::Body;

/// A request: method, absolute URI, headers, [`Body`].
///
/// [`Timeouts`] put into its extensions override those of the transport for this request; [`ConnectTo`] says where to connect.
pub type Request = http::Request<Body>;

/// How long each stage of a request may take. `None` means no limit of its own.
///
/// The defaults suit S3: connect 3 s, TLS handshake 5 s, response head 60 s, body progress 20 s, no limit for the whole
/// operation.
///
/// # Example
/// ```
/// use std::time::Duration;
/// use aws_sigv4_free_http_transport::{Body, Request, Timeouts};
///
/// let mut request: Request = http::Request::get("http://169.254.169.254/").body(Body::empty())?;
/// request.extensions_mut().insert(Timeouts { operation: Some(Duration::from_secs(1)), ..Timeouts::default() });
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs)]
pub struct Timeouts {
    /// Name look-up and TCP connect, over all addresses of the host together; to the proxy where there is one.
    pub connect: Option<Duration>,
    /// The TLS handshake, and the proxy's answer to CONNECT.
    pub handshake: Option<Duration>,
    /// From the last byte of the request handed over to the response head received.
    pub response_head: Option<Duration>,
    /// The longest stretch in which a body, in either direction, makes no progress. It counts only while the transport
    /// waits for the network: not while the caller does not read, nor while a stream given as request body has nothing.
    pub body_progress: Option<Duration>,
    /// The whole operation, from the call to the last byte of the response body.
    pub operation: Option<Duration>,
}

/// Where to connect for one request, in the place of looking its host up: put it into the extensions of the request.
///
/// For a host whose address was checked and must not become another between the check and the connection. The URL, the
/// `host` header and the name that TLS verifies stay as they are; no proxy is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs)]
pub struct ConnectTo(pub SocketAddr);

impl Timeouts {
    /// No limit at any stage.
    pub const NONE: Self =
        Self { connect: None, handshake: None, response_head: None, body_progress: None, operation: None };
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Some(Duration::from_secs(3)),
            handshake: Some(Duration::from_secs(5)),
            response_head: Some(Duration::from_secs(60)),
            body_progress: Some(Duration::from_secs(20)),
            operation: None,
        }
    }
}
