//! TLS: whom to trust, and what a failed handshake means.

use std::error::Error as StdError;
use std::fmt;
use std::future::Ready;
use std::io;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use http::Uri;
use http::uri::{Authority, Scheme};
use hyper_rustls::{FixedServerNameResolver, HttpsConnector, MaybeHttpsStream};
use hyper_util::rt::TokioIo;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{AlertDescription, CertificateError, ClientConfig, InvalidMessage, PeerIncompatible, RootCertStore};
use tower_service::Service;

use super::connection::Socket;
use crate::{Error, ErrorKind};

/// The TLS settings: trusted certificates, cryptography, server name.
///
/// As they come: Mozilla's root certificates (feature `webpki-roots`, part of `hyper`), TLS 1.2 and 1.3, `ring`. Nothing
/// switches the verification of certificates off.
///
/// They take effect at the first `https` connection: a program that makes none pays for none.
///
/// # Example
/// ```
/// use aws_sigv4_free_http_transport::hyper::{HyperTransport, Tls};
///
/// # let pem = b"-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n";
/// // Besides the web's certificates, trust those of a private CA.
/// let settings = Tls::new().add_ca_pem(pem);
/// let transport = HyperTransport::builder().tls(settings);
/// ```
#[derive(Clone, Default)]
pub struct Tls {
    roots: Roots,
    own: Vec<Vec<u8>>,
    provider: Option<Arc<CryptoProvider>>,
    config: Option<Arc<ClientConfig>>,
    server_name: Option<String>,
}

#[derive(Clone, Copy, Debug, Default)]
enum Roots {
    #[default]
    Web,
    #[cfg(feature = "native-roots")]
    Native,
    OwnOnly,
}

impl Tls {
    /// The default settings.
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts the root certificates of the operating system in the place of the web's. They are loaded at the first `https`
    /// connection; `SSL_CERT_FILE` and `SSL_CERT_DIR` name others.
    #[cfg(feature = "native-roots")]
    #[must_use]
    pub fn native_roots(mut self) -> Self {
        self.roots = Roots::Native;
        self
    }

    /// Trusts the certificates in `pem` too. The text may hold more than one, and other sections, which are passed over.
    #[must_use]
    pub fn add_ca_pem(mut self, pem: impl AsRef<[u8]>) -> Self {
        self.own.push(pem.as_ref().to_vec());
        self
    }

    /// Trusts the certificates in `pem`, those added besides, and no others.
    #[must_use]
    pub fn only_ca_pem(mut self, pem: impl AsRef<[u8]>) -> Self {
        self.roots = Roots::OwnOnly;
        self.add_ca_pem(pem)
    }

    /// Takes the cryptography from `provider`. Without it: `ring` where its feature is on, else `aws-lc-rs`, else the
    /// process-wide default of rustls.
    #[must_use]
    pub fn provider(mut self, provider: Arc<CryptoProvider>) -> Self {
        self.provider = Some(provider);
        self
    }

    /// Expects the server's certificate to be for `name` in the place of the URL's host, on every connection: for a server
    /// that is reached by an address or through a tunnel.
    #[must_use]
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.server_name = Some(name.into());
        self
    }

    /// Takes a whole rustls configuration: client certificates, own verifiers. Only [`server_name`](Self::server_name)
    /// still counts besides it. ALPN has to be empty or `http/1.1`.
    #[must_use]
    pub fn config(mut self, config: Arc<ClientConfig>) -> Self {
        self.config = Some(config);
        self
    }

    /// Reads what was given, so that a bad setting is told when the transport is built.
    pub(super) fn check(self) -> Result<TlsConnector, Error> {
        let mut own = Vec::new();
        for pem in &self.own {
            let before = own.len();
            for certificate in CertificateDer::pem_slice_iter(pem) {
                own.push(certificate.map_err(|error| {
                    configuration("a CA given to the TLS settings is not valid PEM").with_source(error.to_string())
                })?);
            }
            if own.len() == before {
                return Err(configuration("a CA given to the TLS settings holds no certificate in PEM form"));
            }
        }
        let server_name = self.server_name.as_deref().map(|name| {
            ServerName::try_from(name.to_owned())
                .map_err(|error| configuration("the TLS server name is not a host name or address").with_source(error))
        });
        let server_name = server_name.transpose()?;
        Ok(TlsConnector { own, server_name, settings: self, built: OnceLock::new() })
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("roots", &self.roots)
            .field("own", &self.own.len())
            .field("server_name", &self.server_name)
            .finish_non_exhaustive()
    }
}

/// Makes TLS connections, by settings that were checked.
pub(super) struct TlsConnector {
    settings: Tls,
    own: Vec<CertificateDer<'static>>,
    server_name: Option<ServerName<'static>>,
    built: OnceLock<Result<Arc<ClientConfig>, String>>,
}

/// What HTTP is spoken over: the socket, or TLS over it.
pub(super) type Stream = MaybeHttpsStream<TokioIo<Socket>>;

impl TlsConnector {
    /// Does the TLS handshake over `socket` with the server that is to be `authority`.
    pub(super) async fn handshake(
        self: &Arc<Self>,
        socket: Socket,
        authority: &Authority,
        peer: &str,
    ) -> Result<Stream, Error> {
        let config = self.client_config().await?;
        let uri = Uri::builder().scheme(Scheme::HTTPS).authority(authority.clone()).path_and_query("/").build();
        let uri = uri.map_err(|error| no_server_name(peer).with_source(error))?;
        if self.server_name.is_none() && ServerName::try_from(super::bare_host(authority.host())).is_err() {
            return Err(no_server_name(peer));
        }
        let established = Established(Some(TokioIo::new(socket)));
        let mut connector = match &self.server_name {
            None => HttpsConnector::from((established, config)),
            Some(name) => {
                HttpsConnector::new(established, config, false, Arc::new(FixedServerNameResolver::new(name.clone())))
            }
        };
        connector.call(uri).await.map_err(|error| handshake_error(error, peer))
    }

    async fn client_config(self: &Arc<Self>) -> Result<Arc<ClientConfig>, Error> {
        let built = match self.built.get() {
            Some(built) => built,
            #[cfg(feature = "native-roots")]
            None if matches!(self.settings.roots, Roots::Native) => {
                // Reading the system's certificates takes files and time.
                let this = Arc::clone(self);
                let _ = tokio::task::spawn_blocking(move || {
                    this.built.get_or_init(|| this.build());
                })
                .await;
                self.built.get_or_init(|| self.build())
            }
            None => self.built.get_or_init(|| self.build()),
        };
        built.clone().map_err(configuration)
    }

    fn build(&self) -> Result<Arc<ClientConfig>, String> {
        if let Some(config) = &self.settings.config {
            return Ok(Arc::clone(config));
        }
        let provider = self.settings.provider.clone().or_else(default_provider).ok_or(
            "there is no cryptography for TLS: turn on the feature `ring` or `aws-lc-rs`, or give the TLS settings a provider",
        )?;
        let mut roots = RootCertStore::empty();
        match self.settings.roots {
            Roots::Web => add_web_roots(&mut roots),
            #[cfg(feature = "native-roots")]
            Roots::Native => {
                let found = rustls_native_certs::load_native_certs();
                let (added, _) = roots.add_parsable_certificates(found.certs);
                if added == 0 {
                    let cause = found.errors.first().map_or_else(String::new, |error| format!(": {error}"));
                    return Err(format!("the operating system has no root certificates that can be read{cause}"));
                }
            }
            Roots::OwnOnly => {}
        }
        for certificate in &self.own {
            roots
                .add(certificate.clone())
                .map_err(|error| format!("a CA given to the TLS settings can't be used as one: {error}"))?;
        }
        if roots.is_empty() {
            return Err("no certificate is trusted: turn on the feature `webpki-roots` or `native-roots`, or add a CA"
                .to_owned());
        }
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| format!("the cryptography provider supports neither TLS 1.2 nor TLS 1.3: {error}"))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

fn no_server_name(peer: &str) -> Error {
    Error::new(
        ErrorKind::InvalidRequest,
        format!("{peer} is not a host name or address that a certificate could be for"),
    )
}

fn configuration(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Configuration, message)
}

#[cfg(feature = "webpki-roots")]
fn add_web_roots(roots: &mut RootCertStore) {
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
}

#[cfg(not(feature = "webpki-roots"))]
fn add_web_roots(_: &mut RootCertStore) {}

#[cfg(feature = "ring")]
#[allow(clippy::unnecessary_wraps)]
fn default_provider() -> Option<Arc<CryptoProvider>> {
    Some(Arc::new(rustls::crypto::ring::default_provider()))
}

#[cfg(all(feature = "aws-lc-rs", not(feature = "ring")))]
#[allow(clippy::unnecessary_wraps)]
fn default_provider() -> Option<Arc<CryptoProvider>> {
    Some(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
}

#[cfg(not(any(feature = "ring", feature = "aws-lc-rs")))]
fn default_provider() -> Option<Arc<CryptoProvider>> {
    CryptoProvider::get_default().cloned()
}

/// Hands hyper-rustls a socket that is already connected: connect and handshake have separate limits.
struct Established(Option<TokioIo<Socket>>);

impl Service<Uri> for Established {
    type Response = TokioIo<Socket>;
    type Error = io::Error;
    type Future = Ready<Result<TokioIo<Socket>, io::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        std::future::ready(self.0.take().ok_or_else(|| io::ErrorKind::NotConnected.into()))
    }
}

/// The cause of type `T` in a chain of errors; an `io::Error` hides what it wraps from `source`.
fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    // A chain is short; the bound is against one that loops.
    for _ in 0..16 {
        let error = next?;
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

fn handshake_error(error: Box<dyn StdError + Send + Sync>, peer: &str) -> Error {
    let Some(tls) = find::<rustls::Error>(&*error) else {
        let message = format!("{peer} closed the connection during the TLS handshake: check that the port speaks TLS");
        return Error::new(ErrorKind::ConnectionClosed, message).with_source(error);
    };
    let message = match tls {
        rustls::Error::InvalidCertificate(problem) => certificate_problem(problem, peer),
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            format!("{peer} does not answer in TLS: it looks like a plain http:// endpoint")
        }
        rustls::Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13 | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        )
        | rustls::Error::AlertReceived(AlertDescription::ProtocolVersion) => {
            format!("{peer} speaks only TLS versions older than 1.2, which are not safe: update the server")
        }
        rustls::Error::AlertReceived(alert) => {
            format!(
                "{peer} refused the TLS handshake ({alert:?}): check the host name and whether it wants a client certificate"
            )
        }
        _ => format!("the TLS handshake with {peer} failed: {tls}"),
    };
    Error::new(ErrorKind::Tls, message).with_source(error)
}

fn certificate_problem(problem: &CertificateError, peer: &str) -> String {
    use CertificateError as Problem;
    match problem {
        Problem::UnknownIssuer => format!(
            "the certificate of {peer} is signed by an issuer that is not trusted: add the CA that signed it to the TLS settings (`Tls::add_ca_pem`)"
        ),
        Problem::NotValidForName | Problem::NotValidForNameContext { .. } => {
            format!(
                "the certificate of {peer} is for another name: correct the host, or name the server with `Tls::server_name`"
            )
        }
        Problem::Expired | Problem::ExpiredContext { .. } => {
            format!("the certificate of {peer} has expired: it has to be renewed, unless this machine's clock is wrong")
        }
        Problem::NotValidYet | Problem::NotValidYetContext { .. } => {
            format!("the certificate of {peer} is not valid yet: check this machine's clock")
        }
        Problem::Revoked => format!("the certificate of {peer} was revoked"),
        other => format!("the certificate of {peer} is not acceptable: {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ca_that_is_none_is_told_when_the_transport_is_built() {
        for pem in ["", "hello", "-----BEGIN PRIVATE KEY-----\nMA==\n-----END PRIVATE KEY-----\n"] {
            let error = Tls::new().add_ca_pem(pem).check().err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Configuration, "{pem}");
        }
        let error = Tls::new().only_ca_pem("-----BEGIN CERTIFICATE-----\n%\n-----END CERTIFICATE-----\n").check().err();
        assert_eq!(error.unwrap().kind(), ErrorKind::Configuration);
        assert_eq!(Tls::new().server_name("no name").check().err().unwrap().kind(), ErrorKind::Configuration);
    }

    #[tokio::test]
    async fn a_certificate_that_can_not_be_a_root_is_a_configuration_error() {
        let pem = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n";
        let connector = Arc::new(Tls::new().add_ca_pem(pem).check().unwrap());
        assert_eq!(connector.client_config().await.unwrap_err().kind(), ErrorKind::Configuration);
    }

    #[cfg(all(feature = "ring", feature = "webpki-roots"))]
    #[tokio::test]
    async fn the_default_settings_speak_http_1_and_are_built_once() {
        let connector = Arc::new(Tls::new().check().unwrap());
        assert!(connector.built.get().is_none());
        let first = connector.client_config().await.unwrap();
        assert_eq!(first.alpn_protocols, [b"http/1.1"]);
        assert!(Arc::ptr_eq(&first, &connector.client_config().await.unwrap()));
    }

    #[test]
    fn a_cause_is_found_under_the_wrapping() {
        let inner = io::Error::new(io::ErrorKind::InvalidData, rustls::Error::DecryptError);
        let error: Box<dyn StdError + Send + Sync> = Box::new(io::Error::other(inner));
        assert!(matches!(find::<rustls::Error>(&*error), Some(rustls::Error::DecryptError)));
        assert!(find::<rustls::Error>(&io::Error::from(io::ErrorKind::UnexpectedEof)).is_none());
    }
}
