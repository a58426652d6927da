//! A server that does what a script says, byte for byte, over TCP or TLS: for answers that no honest server gives.
//!
//! Each connection runs the next script; the last one is used again for all further connections. What clients send is kept.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, Interest, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// One thing that the server does on a connection.
#[derive(Clone, Debug)]
pub enum Step {
    /// Reads up to the end of a request head, and keeps the head.
    ReadHead,
    /// Reads a request head and the body that it announces, and keeps both. Ends the script where the client has closed.
    ReadRequest,
    /// Reads this many bytes.
    Read(usize),
    /// Writes.
    Write(Vec<u8>),
    /// Writes byte by byte, with a pause after each.
    Drip(Vec<u8>, Duration),
    /// Writes the same over and over until the client has closed.
    WriteForever(Vec<u8>),
    /// Does nothing for a while.
    Wait(Duration),
    /// Keeps the connection open and silent until the client has closed.
    Hang,
    /// Ends the connection with RST.
    Reset,
    /// Ends the connection with FIN, without a close_notify inside TLS.
    Close,
    /// Sends the end of the stream, and reads on until the client has closed.
    HalfClose,
    /// Becomes a tunnel to this address.
    TunnelTo(SocketAddr),
    /// Goes on with the step of this index.
    GoTo(usize),
}

impl Step {
    /// Writes `text`.
    pub fn write(text: impl Into<String>) -> Self {
        Self::Write(text.into().into_bytes())
    }

    /// Writes a response with `body` and its length.
    pub fn respond(status: &str, body: &str) -> Self {
        Self::write(format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len()))
    }
}

/// A request as it came.
#[derive(Clone, Debug, Default)]
pub struct Received {
    /// The number of the connection, from zero.
    pub connection: usize,
    /// Request line and headers.
    pub head: String,
    /// The body, with its chunk framing where it is chunked.
    pub body: Vec<u8>,
}

/// A running server. It ends when it is dropped.
#[derive(Debug)]
pub struct Scripted {
    address: SocketAddr,
    scheme: &'static str,
    state: Arc<State>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Debug, Default)]
struct State {
    connections: AtomicUsize,
    open: AtomicUsize,
    received: Mutex<Vec<Received>>,
}

impl Scripted {
    /// A plain server on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start(scripts: Vec<Vec<Step>>) -> io::Result<Self> {
        Self::run(TcpListener::bind("127.0.0.1:0").await?, None, scripts)
    }

    /// A TLS server on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start_tls(config: rustls::ServerConfig, scripts: Vec<Vec<Step>>) -> io::Result<Self> {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Self::run(TcpListener::bind("127.0.0.1:0").await?, Some(acceptor), scripts)
    }

    fn run(listener: TcpListener, tls: Option<TlsAcceptor>, scripts: Vec<Vec<Step>>) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let state = Arc::new(State::default());
        let scheme = if tls.is_some() { "https" } else { "http" };
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            let mut running = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let number = shared.connections.fetch_add(1, Ordering::SeqCst);
                let script = scripts.get(number).or(scripts.last()).cloned().unwrap_or_default();
                let (tls, state) = (tls.clone(), Arc::clone(&shared));
                running.spawn(async move {
                    state.open.fetch_add(1, Ordering::SeqCst);
                    // A client that goes away ends its script.
                    let _ = play(stream, tls, script, number, &state).await;
                    state.open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Ok(Self { address, scheme, state, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of `path`, which begins with a slash, by address.
    pub fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.address)
    }

    /// The same by host name.
    pub fn url_for(&self, host: &str, path: &str) -> String {
        format!("{}://{host}:{}{path}", self.scheme, self.address.port())
    }

    /// How many connections were accepted.
    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    /// How many connections are open.
    pub fn open(&self) -> usize {
        self.state.open.load(Ordering::SeqCst)
    }

    /// The requests that came.
    pub fn received(&self) -> Vec<Received> {
        self.state.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn play(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    script: Vec<Step>,
    connection: usize,
    state: &State,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = match tls {
        None => Stream::Plain(stream),
        Some(tls) => Stream::Tls(Box::new(tls.accept(stream).await?)),
    };
    let keep = |head: Vec<u8>, body: Vec<u8>| {
        let head = String::from_utf8_lossy(&head).into_owned();
        state.received.lock().unwrap_or_else(PoisonError::into_inner).push(Received { connection, head, body });
    };
    let mut at = 0;
    while let Some(step) = script.get(at) {
        at += 1;
        match step {
            Step::ReadHead => keep(read_head(&mut stream).await?, Vec::new()),
            Step::ReadRequest => {
                let head = read_head(&mut stream).await?;
                let body = read_body(&mut stream, &head).await?;
                keep(head, body);
            }
            Step::Read(count) => {
                let mut bytes = vec![0; *count];
                stream.read_exact(&mut bytes).await?;
            }
            Step::Write(bytes) => send(&mut stream, bytes).await?,
            Step::Drip(bytes, pause) => {
                for byte in bytes {
                    send(&mut stream, &[*byte]).await?;
                    tokio::time::sleep(*pause).await;
                }
            }
            Step::WriteForever(bytes) => loop {
                send(&mut stream, bytes).await?;
            },
            Step::Wait(time) => tokio::time::sleep(*time).await,
            Step::Hang => hang(&stream).await,
            Step::Reset => return stream.tcp().set_zero_linger(),
            Step::Close => return Ok(()),
            Step::HalfClose => {
                stream.shutdown().await?;
                while stream.read_u8().await.is_ok() {}
            }
            Step::TunnelTo(address) => {
                let mut target = TcpStream::connect(address).await?;
                tokio::io::copy_bidirectional(&mut stream, &mut target).await?;
            }
            Step::GoTo(index) => at = *index,
        }
    }
    stream.shutdown().await
}

/// Waits until the client has closed, without reading: what it sends fills the buffers.
async fn hang(stream: &Stream) {
    while let Ok(ready) = stream.tcp().ready(Interest::READABLE).await {
        if ready.is_read_closed() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn send(stream: &mut Stream, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}

async fn read_head(stream: &mut Stream) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    Ok(head)
}

async fn read_body(stream: &mut Stream, head: &[u8]) -> io::Result<Vec<u8>> {
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let mut body = Vec::new();
    if head.contains("transfer-encoding: chunked") {
        while !body.ends_with(b"0\r\n\r\n") {
            body.push(stream.read_u8().await?);
        }
    } else if let Some(length) = head.lines().find_map(|line| line.strip_prefix("content-length: ")) {
        let length: u64 = length.trim().parse().map_err(io::Error::other)?;
        stream.take(length).read_to_end(&mut body).await?;
        if body.len() as u64 != length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(body)
}

/// A certificate authority of this process.
#[derive(Debug)]
pub struct TestCa {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// When a certificate is valid.
#[derive(Clone, Copy, Debug)]
pub enum Validity {
    /// Now.
    Current,
    /// It has ended.
    Expired,
    /// It has not begun.
    Future,
}

impl TestCa {
    /// A new one.
    ///
    /// # Errors
    /// When no key can be made.
    pub fn new() -> Result<Self, rcgen::Error> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        params.distinguished_name.push(DnType::CommonName, "scripted test CA");
        let key = KeyPair::generate()?;
        let pem = params.self_signed(&key)?.pem();
        Ok(Self { pem, issuer: Issuer::new(params, key) })
    }

    /// Its certificate.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A server's configuration with a certificate for `names`, which may be addresses.
    ///
    /// # Errors
    /// When no key can be made.
    pub fn server(&self, names: &[&str], validity: Validity) -> Result<rustls::ServerConfig, rcgen::Error> {
        let mut params = server_params(names)?;
        (params.not_before, params.not_after) = match validity {
            Validity::Current => (date_time_ymd(2020, 1, 1), date_time_ymd(2120, 1, 1)),
            Validity::Expired => (date_time_ymd(2020, 1, 1), date_time_ymd(2020, 1, 2)),
            Validity::Future => (date_time_ymd(2119, 1, 1), date_time_ymd(2120, 1, 1)),
        };
        let key = KeyPair::generate()?;
        Ok(server_config(&params.signed_by(&key, &self.issuer)?, &key))
    }
}

/// A server's configuration with a certificate that nobody else has signed.
///
/// # Errors
/// When no key can be made.
pub fn self_signed(names: &[&str]) -> Result<rustls::ServerConfig, rcgen::Error> {
    let key = KeyPair::generate()?;
    Ok(server_config(&server_params(names)?.self_signed(&key)?, &key))
}

fn server_params(names: &[&str]) -> Result<CertificateParams, rcgen::Error> {
    CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
}

fn server_config(certificate: &rcgen::Certificate, key: &KeyPair) -> rustls::ServerConfig {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring speaks TLS 1.2 and 1.3")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .expect("the key belongs to the certificate")
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => stream.get_ref().0,
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

/// Runs `future` and fails when it takes longer than `limit`.
///
/// # Panics
/// When it does.
#[track_caller]
pub fn within<T>(limit: Duration, future: impl Future<Output = T>) -> impl Future<Output = T> {
    let caller = std::panic::Location::caller();
    async move {
        match tokio::time::timeout(limit, future).await {
            Ok(value) => value,
            Err(_) => panic!("took longer than {limit:?} at {caller}"),
        }
    }
}
