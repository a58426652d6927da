//! The client: settings, the choice of a connection, and the one silent retry.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use http::header::{CONTENT_LENGTH, PROXY_AUTHORIZATION, TRANSFER_ENCODING};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::runtime::Handle;

use super::body::{Replay, RequestBody, Told};
use super::connect::Connector;
use super::connection::{Connection, Forwarded, Socket, Watched};
use super::exchange::{self, Peer, ResponseSource};
use super::log::Subject;
use super::pool::{Key, Pool};
use super::proxy::{Proxy, ProxyServer};
use super::request::{self, Outgoing};
use super::timeout::{Budget, MinThroughput};
use super::tls::{Tls, TlsConnector};
use super::tunnel;
use crate::{BoxFuture, Error, ErrorKind, Request, Response, ResponseBody, Stage, Timeouts, Transport};

/// The largest piece of a body that is read at once. hyper starts small and grows to it.
const READ_BUFFER: usize = 256 * 1024;

/// An HTTPS client. Cheap to clone: all clones share their connections and settings.
///
/// It has to be used inside a tokio runtime (of any flavour) with IO and time enabled. Connections belong to the runtime in
/// which they were opened: where there are several, each has its own.
///
/// # Example
/// ```
/// use std::time::Duration;
/// use aws_sigv4_free_http_transport::hyper::{HyperTransport, Proxy};
///
/// let transport = HyperTransport::new()?;
/// let for_a_local_store = HyperTransport::builder().proxy(Proxy::none()).pool_idle(Duration::from_secs(5)).build()?;
/// # Ok::<(), aws_sigv4_free_http_transport::Error>(())
/// ```
#[derive(Clone)]
pub struct HyperTransport {
    inner: Arc<Inner>,
}

struct Inner {
    connector: Connector,
    tls: Arc<TlsConnector>,
    proxy: Proxy,
    pool: Arc<Pool>,
    timeouts: Timeouts,
    min_throughput: Option<MinThroughput>,
    http: hyper::client::conn::http1::Builder,
}

/// How large the head of a response may be. A larger one fails with [`ErrorKind::TooLarge`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs)]
pub struct Limits {
    /// Bytes of the status line and the headers together; 64 KiB unless set.
    pub head_bytes: usize,
    /// Number of headers; 100 unless set.
    pub headers: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { head_bytes: 64 * 1024, headers: 100 }
    }
}

/// The settings of a [`HyperTransport`].
#[derive(Debug)]
pub struct Builder {
    tls: Tls,
    proxy: Option<Proxy>,
    timeouts: Timeouts,
    limits: Limits,
    min_throughput: Option<MinThroughput>,
    pool_idle: Duration,
    pool_max_idle_per_host: usize,
    connector: Connector,
}

impl HyperTransport {
    /// A client with the default settings, and the proxy that the environment names. No connection is made, no certificate
    /// is loaded.
    ///
    /// # Errors
    /// None at present; see [`Builder::build`].
    pub fn new() -> Result<Self, Error> {
        Self::builder().build()
    }

    /// The settings, to be changed one by one.
    pub fn builder() -> Builder {
        Builder {
            tls: Tls::new(),
            proxy: None,
            timeouts: Timeouts::default(),
            limits: Limits::default(),
            min_throughput: None,
            pool_idle: Duration::from_secs(15),
            pool_max_idle_per_host: 64,
            connector: Connector::default(),
        }
    }
}

impl Builder {
    /// Whom to trust, and the cryptography.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = tls;
        self
    }

    /// The proxy. Unless set: that of the environment, [`Proxy::from_env`], read by [`build`](Self::build).
    #[must_use]
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.proxy = Some(proxy);
        self
    }

    /// The time limits of requests that bring none of their own.
    #[must_use]
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// The limits of response heads.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Gives up bodies that trickle: see [`MinThroughput`]. Off unless set; a body that stands still is given up anyway, by
    /// [`Timeouts::body_progress`].
    #[must_use]
    pub fn min_throughput(mut self, floor: MinThroughput) -> Self {
        self.min_throughput = Some(floor);
        self
    }

    /// How long a connection is kept for reuse while nothing uses it: 15 s unless set. S3 closes idle connections after some
    /// 20 s, so longer invites failures. Zero: each request opens a connection of its own.
    #[must_use]
    pub fn pool_idle(mut self, idle: Duration) -> Self {
        self.pool_idle = idle;
        self
    }

    /// How many idle connections are kept to one host: 64 unless set. Connections in use are not limited.
    #[must_use]
    pub fn pool_max_idle_per_host(mut self, count: usize) -> Self {
        self.pool_max_idle_per_host = count;
        self
    }

    /// Sends requests for `host` to `address`, its port included, in the place of looking the name up. TLS and the `host`
    /// header keep the name; no proxy is used. May be given more than once for a host: all its addresses are tried.
    ///
    /// For one request only, put a [`ConnectTo`](crate::ConnectTo) into its extensions.
    #[must_use]
    pub fn resolve(mut self, host: &str, address: SocketAddr) -> Self {
        self.connector.pin(super::bare_host(host), address);
        self
    }

    /// The client.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] where a CA or the server name in the TLS settings can't be read.
    pub fn build(self) -> Result<HyperTransport, Error> {
        let mut http = hyper::client::conn::http1::Builder::new();
        http.max_header_size(self.limits.head_bytes);
        http.max_buf_size(self.limits.head_bytes.max(READ_BUFFER));
        if self.limits.headers != Limits::default().headers {
            // Other numbers than hyper's own cost an allocation for each response.
            http.max_headers(self.limits.headers);
        }
        let inner = Inner {
            connector: self.connector,
            tls: Arc::new(self.tls.check()?),
            proxy: self.proxy.unwrap_or_else(Proxy::from_env),
            pool: Arc::new(Pool::new(self.pool_idle, self.pool_max_idle_per_host)),
            timeouts: self.timeouts,
            min_throughput: self.min_throughput,
            http,
        };
        Ok(HyperTransport { inner: Arc::new(inner) })
    }
}

impl Default for Builder {
    fn default() -> Self {
        HyperTransport::builder()
    }
}

impl Transport for HyperTransport {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, Error>> {
        Box::pin(self.inner.send(request))
    }
}

impl fmt::Debug for HyperTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HyperTransport")
            .field("timeouts", &self.inner.timeouts)
            .field("proxy", &self.inner.proxy)
            .field("pool", &self.inner.pool)
            .finish_non_exhaustive()
    }
}

/// One attempt, for the events.
struct Attempt<'a> {
    budget: &'a Budget,
    subject: &'a Subject,
    reused: bool,
    number: u32,
}

impl Inner {
    async fn send(&self, request: Request) -> Result<Response, Error> {
        let Ok(runtime) = Handle::try_current() else {
            return Err(Error::new(ErrorKind::Configuration, "there is no tokio runtime here to send the request in"));
        };
        let Outgoing { key, parts, uri, body, timeouts } = request::check(request, &runtime)?;
        let budget = Budget::new(timeouts.unwrap_or(self.timeouts), self.min_throughput);
        let subject = Subject::new(&parts.method, &uri);
        let peer = Peer { key };
        let mut attempt = Attempt { budget: &budget, subject: &subject, reused: false, number: 1 };

        let told = Told::default();
        let mut outgoing = parts;
        let body = match self.idle_connection(&peer.key).await {
            None => {
                let (kind, on_progress) = body.split();
                RequestBody::new(kind, on_progress, &told)
            }
            Some(connection) => {
                attempt.reused = true;
                let spare = outgoing.clone();
                let on_progress = body.on_progress_function();
                let replay = Replay::of(&body, on_progress);
                let (kind, on_progress) = body.split();
                let first = RequestBody::new(kind, on_progress, &told);
                let failure = match self.attempt(connection, outgoing, &uri, first, &peer, &attempt).await {
                    Ok(response) => return Ok(response),
                    Err(failure) => failure,
                };
                if !failure.is_stale {
                    return Err(failure.error);
                }
                // The server ended a connection that was idle: the older ones will have gone the same way.
                self.pool.forget(&peer.key);
                outgoing = spare;
                attempt.reused = false;
                attempt.number = 2;
                match (failure.unsent, replay) {
                    (Some(unsent), _) => unsent.into_body(),
                    (None, Some(replay)) => replay.start(&told),
                    (None, None) => {
                        let message = format!(
                            "{} closed an idle connection while the request was sent on it, and its body can be sent once only: send it again from its source",
                            peer.name()
                        );
                        return Err(Error::new(ErrorKind::ConnectionClosed, message)
                            .after_sending()
                            .with_source(failure.error));
                    }
                }
            }
        };
        let connection = Box::pin(self.connect(&peer, &budget, runtime)).await;
        let connection = connection.inspect_err(|error| subject.failed(error, &budget, false, attempt.number))?;
        self.attempt(connection, outgoing, &uri, body, &peer, &attempt).await.map_err(|failure| failure.error)
    }

    /// Sends the request over `connection` and makes its answer one of ours.
    async fn attempt(
        &self,
        mut connection: Connection,
        mut parts: http::request::Parts,
        uri: &Uri,
        body: RequestBody,
        peer: &Peer,
        attempt: &Attempt<'_>,
    ) -> Result<Response, Box<exchange::Failure>> {
        if let Some(forwarded) = &connection.forwarded {
            parts.uri = uri.clone();
            if let Some(authorization) = &forwarded.authorization {
                parts.headers.insert(PROXY_AUTHORIZATION, authorization.clone());
            }
        }
        let Attempt { budget, subject, reused, number } = *attempt;
        subject.request(&parts.headers, body.length());
        let was_forwarded = connection.forwarded.is_some();
        let request = http::Request::from_parts(parts, body);
        let result = exchange::send(&mut connection, request, budget, peer).await;
        let result = result.and_then(|response| match check_head(&response, was_forwarded, peer) {
            Ok(()) => Ok(response),
            Err(error) => Err(error.into()),
        });
        let response = result.inspect_err(|failure| subject.failed(&failure.error, budget, reused, number))?;
        subject.response(response.status(), response.headers(), budget, reused, number);
        let (head, incoming) = response.into_parts();
        let length = hyper::body::Body::size_hint(&incoming).exact();
        let source =
            ResponseSource::new(incoming, connection, Arc::clone(&self.pool), peer.clone(), *budget, subject.clone());
        let body = if source.is_finished() {
            ResponseBody::empty()
        } else {
            ResponseBody::from_source(length, Box::new(source))
        };
        Ok(Response::from_parts(head, body))
    }

    /// A connection from the pool that can take a request now.
    async fn idle_connection(&self, key: &Key) -> Option<Connection> {
        loop {
            let mut connection = self.pool.take(key)?;
            if connection.ready().await {
                return Some(connection);
            }
        }
    }

    /// A new connection.
    async fn connect(&self, peer: &Peer, budget: &Budget, runtime: Handle) -> Result<Connection, Error> {
        let (https, host, port) = (peer.key.https, peer.host(), peer.port());
        let is_pinned = peer.key.pinned.is_some() || self.connector.is_pinned(host);
        let proxy = if is_pinned { None } else { self.proxy.route(https, host, port)? };
        let connect = async {
            match (peer.key.pinned, proxy) {
                (Some(address), _) => self.connector.connect_to(address).await,
                (None, Some(proxy)) => {
                    self.connector.connect(&proxy.host, proxy.port).await.map_err(|error| via(proxy, error))
                }
                (None, None) => self.connector.connect(host, port).await,
            }
        };
        let dialled = || proxy.map_or_else(|| peer.name(), |proxy| format!("the proxy {}", proxy.address()));
        let timeouts = &budget.timeouts;
        let stream = budget.limit(Stage::Connect, timeouts.connect, dialled, connect).await?;
        let socket = Socket::new(stream);
        let monitor = socket.monitor();
        let handshake = async {
            if !https {
                return Ok(super::tls::Stream::Http(TokioIo::new(socket)));
            }
            let socket = match proxy {
                Some(proxy) => tunnel::open(socket, proxy, host, port).await?,
                None => socket,
            };
            self.tls.handshake(socket, &peer.key.authority, &peer.name()).await
        };
        let stream = budget.limit(Stage::Handshake, timeouts.handshake, dialled, handshake).await?;
        let stream = Watched::new(TokioIo::new(stream), Arc::clone(&monitor));
        let (sender, driver) = self.http.handshake(TokioIo::new(stream)).await.map_err(|error| {
            Error::new(ErrorKind::Other, "the HTTP client could not take the connection").with_source(error)
        })?;
        let task = runtime.spawn(async move {
            // What goes wrong is told to the request that waits; on an idle connection nobody needs to know.
            let _ = driver.await;
        });
        let forwarded = proxy.filter(|_| !https).map(|proxy| Forwarded { authorization: proxy.authorization.clone() });
        Ok(Connection { sender, monitor, forwarded, runtime, task: task.abort_handle() })
    }
}

/// The error of a connection to a proxy.
fn via(proxy: &ProxyServer, error: Error) -> Error {
    let message = format!("the proxy {} can't be reached: check the proxy settings", proxy.address());
    Error::new(ErrorKind::Proxy, message).with_source(error)
}

/// What hyper lets pass and an answer must not have.
fn check_head(response: &http::Response<Incoming>, was_forwarded: bool, peer: &Peer) -> Result<(), Error> {
    let headers = response.headers();
    let problem = if headers.get_all(CONTENT_LENGTH).iter().nth(1).is_some() {
        "it announces its length more than once"
    } else if headers.contains_key(TRANSFER_ENCODING) && headers.contains_key(CONTENT_LENGTH) {
        "it announces both a length and a transfer encoding"
    } else if headers.get_all(TRANSFER_ENCODING).iter().any(|value| !value.as_bytes().eq_ignore_ascii_case(b"chunked"))
    {
        "it has a transfer encoding other than chunked"
    } else if response.status() == http::StatusCode::SWITCHING_PROTOCOLS {
        "it switches to another protocol, which nobody asked for"
    } else if was_forwarded && response.status() == http::StatusCode::PROXY_AUTHENTICATION_REQUIRED {
        return Err(tunnel::authentication_required("the proxy").after_sending());
    } else {
        return Ok(());
    };
    Err(Error::new(ErrorKind::Protocol, format!("the answer of {} can't be trusted: {problem}", peer.name()))
        .after_sending())
}

#[cfg(test)]
mod tests;
