//! An S3 server inside the test's own process, over a temporary folder, that checks every signature (crates `s3s` and `s3s-fs`).
//!
//! It verifies signatures in headers and in URLs, payload hashes, clock skew and expiry. It does not check the region of
//! the scope, and it has no versioning, ACL, policy or conditional requests: those need the stores of `cargo xtask servers`.

use std::future::Future;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::StatusCode;
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use s3s::auth::SimpleAuth;
use s3s::host::MultiDomain;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{HttpError, HttpResponse};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::refusal::{self, Computed};

/// The access key that a server knows unless it is told another.
pub const ACCESS_KEY: &str = "AKIDINTEGRATIONTESTS";
/// The secret key that belongs to [`ACCESS_KEY`]. Tests also use it as the canary that no log may show.
pub const SECRET_KEY: &str = "canary/secret+of/the+integration=tests==";

/// How long `stop` waits for open connections before it drops them.
const STOP_WITHIN: Duration = Duration::from_secs(5);

/// A running server. Dropping it stops accepting and removes its folder; [`stop`](Self::stop) also waits for it.
#[derive(Debug)]
pub struct S3Server {
    port: u16,
    access_key: String,
    secret_key: String,
    requests: Arc<AtomicU64>,
    folder: TempDir,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

/// What can be set before a server starts.
#[derive(Debug, Clone)]
pub struct S3ServerBuilder {
    access_key: String,
    secret_key: String,
    delay: Duration,
}

impl S3ServerBuilder {
    /// The one key pair that the server knows.
    pub fn keys(mut self, access_key: impl Into<String>, secret_key: impl Into<String>) -> Self {
        self.access_key = access_key.into();
        self.secret_key = secret_key.into();
        self
    }

    /// Waits this long before each answer, as a store at some distance does.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Starts the server on a free port of 127.0.0.1, on the runtime of the caller.
    ///
    /// # Errors
    /// No port, or no temporary folder.
    pub async fn start(self) -> io::Result<S3Server> {
        let folder = tempfile::Builder::new().prefix("s3-server-").tempdir()?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();

        let store = s3s_fs::FileSystem::new(folder.path()).map_err(|error| io::Error::other(format!("{error:?}")))?;
        let mut builder = S3ServiceBuilder::new(store);
        builder.set_auth(SimpleAuth::from_single(self.access_key.clone(), self.secret_key.clone()));
        // Virtual-host style under `localhost`; the bare address is a base domain too, or it would be taken for a bucket.
        let hosts = MultiDomain::new([format!("localhost:{port}"), format!("127.0.0.1:{port}")]);
        builder.set_host(hosts.map_err(io::Error::other)?);

        let requests = Arc::new(AtomicU64::new(0));
        let service = Counted { inner: builder.build(), delay: self.delay, requests: Arc::clone(&requests) };
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(accept(listener, service, stopped));
        let (access_key, secret_key) = (self.access_key, self.secret_key);
        Ok(S3Server { port, access_key, secret_key, requests, folder, stop: Some(stop), task })
    }
}

impl S3Server {
    /// A server with [`ACCESS_KEY`], [`SECRET_KEY`] and no delay.
    ///
    /// # Panics
    /// When no port or no temporary folder is to be had: no test can go on then.
    pub async fn start() -> Self {
        Self::builder().start().await.expect("a loopback port and a temporary folder")
    }

    /// A server with other settings.
    pub fn builder() -> S3ServerBuilder {
        S3ServerBuilder { access_key: ACCESS_KEY.to_owned(), secret_key: SECRET_KEY.to_owned(), delay: Duration::ZERO }
    }

    /// `http://127.0.0.1:PORT`, for path style.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// `http://localhost:PORT`: the base of virtual-host style, `http://BUCKET.localhost:PORT`.
    pub fn virtual_host_endpoint(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The access key that the server knows.
    pub fn access_key(&self) -> &str {
        &self.access_key
    }

    /// Its secret key.
    pub fn secret_key(&self) -> &str {
        &self.secret_key
    }

    /// How many requests have arrived, refused ones too: a call that must not touch the network is seen here.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::SeqCst)
    }

    /// The folder with a folder for each bucket.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Stops accepting, waits a bounded time for open connections, and removes the folder.
    pub async fn stop(mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        let _ = (&mut self.task).await;
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        // The accept loop ends when the sender is gone; its connections end with the runtime or with their clients.
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, service: Counted, mut stopped: oneshot::Receiver<()>) {
    let server = auto::Builder::new(TokioExecutor::new());
    let connections = GracefulShutdown::new();
    loop {
        let socket = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((socket, _)) => socket,
                // Out of file descriptors, or a client that has gone: neither ends the server.
                Err(_) => { tokio::time::sleep(Duration::from_millis(10)).await; continue }
            },
            _ = &mut stopped => break,
        };
        // Without it, each small answer waits for the client's delayed acknowledgement.
        let _ = socket.set_nodelay(true);
        let connection = server.serve_connection(TokioIo::new(socket), service.clone()).into_owned();
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            let _ = connection.await;
        });
    }
    let _ = tokio::time::timeout(STOP_WITHIN, connections.shutdown()).await;
}

/// The S3 service, with a count of its requests, an optional delay, and the details of refused signatures.
#[derive(Clone)]
struct Counted {
    inner: S3Service,
    delay: Duration,
    requests: Arc<AtomicU64>,
}

impl Service<http::Request<Incoming>> for Counted {
    type Response = HttpResponse;
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send>>;

    fn call(&self, request: http::Request<Incoming>) -> Self::Future {
        self.requests.fetch_add(1, Ordering::SeqCst);
        let delay = self.delay;
        let (head, body) = request.into_parts();
        let computed = refusal::compute(&head);
        let answer = Service::call(&self.inner, http::Request::from_parts(head, body));
        Box::pin(async move {
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            let answer = answer.await?;
            Ok(match computed {
                Some(computed) if answer.status() == StatusCode::FORBIDDEN => detailed(answer, &computed),
                _ => answer,
            })
        })
    }
}

/// The refusal of a signature with what the server computed, as Amazon S3 sends it.
fn detailed(answer: HttpResponse, computed: &Computed) -> HttpResponse {
    let document = answer.body().bytes().map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    if !document.contains("<Code>SignatureDoesNotMatch</Code>") {
        return answer;
    }
    let Some(document) = refusal::with_details(&document, computed) else { return answer };
    let (mut head, _) = answer.into_parts();
    head.headers.remove(http::header::CONTENT_LENGTH);
    HttpResponse::from_parts(head, document.into())
}
