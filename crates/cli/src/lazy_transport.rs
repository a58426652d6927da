//! The HTTPS client, made when the first request is sent: a command that sends none reads no CA bundle for it.

use std::fmt;
use std::path::PathBuf;
use std::sync::OnceLock;

use aws_sigv4_free_http_transport::hyper::{HyperTransport, Tls};
use aws_sigv4_free_http_transport::{BoxFuture, Error, ErrorKind, Request, Response, Timeouts, Transport};

use crate::exit::plain;

/// The HTTPS client, made when the first request is sent.
pub(crate) struct LazyTransport {
    timeouts: Timeouts,
    ca_bundle: Option<CaBundle>,
    made: OnceLock<HyperTransport>,
}

/// A file of certificate authorities to trust besides the built-in ones.
#[derive(Clone, Debug)]
pub(crate) struct CaBundle {
    pub(crate) path: PathBuf,
    /// Where the path was set, for an error.
    pub(crate) origin: String,
}

impl LazyTransport {
    pub(crate) fn new(timeouts: Timeouts, ca_bundle: Option<CaBundle>) -> Self {
        Self { timeouts, ca_bundle, made: OnceLock::new() }
    }

    fn transport(&self) -> Result<&HyperTransport, Error> {
        if let Some(made) = self.made.get() {
            return Ok(made);
        }
        let mut builder = HyperTransport::builder().timeouts(self.timeouts);
        if let Some(CaBundle { path, origin }) = &self.ca_bundle {
            let pem = std::fs::read(path).map_err(|error| {
                let message = format!("can't read the CA bundle {} ({origin}): {}", path.display(), plain(&error));
                Error::new(ErrorKind::Configuration, message)
            })?;
            builder = builder.tls(Tls::new().add_ca_pem(pem));
        }
        let made = builder.build()?;
        Ok(self.made.get_or_init(|| made))
    }
}

impl Transport for LazyTransport {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, Error>> {
        match self.transport() {
            Ok(transport) => transport.send(request),
            Err(error) => Box::pin(async { Err(error) }),
        }
    }
}

impl fmt::Debug for LazyTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LazyTransport").field("ca_bundle", &self.ca_bundle).field("made", &self.made).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_is_read_when_it_is_needed() {
        let bundle = CaBundle { path: "/nowhere/at/all.pem".into(), origin: "AWS_CA_BUNDLE".into() };
        let lazy = LazyTransport::new(Timeouts::default(), Some(bundle));
        let error = lazy.transport().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains("/nowhere/at/all.pem (AWS_CA_BUNDLE): no such file"), "{error}");
    }
}
