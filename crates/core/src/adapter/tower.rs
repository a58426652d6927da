//! A `tower` layer that signs every request on its way to an HTTP client.

use std::error::Error;
use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};

use aws_sigv4_free_http_transport::BoxFuture;
use aws_sigv4_free_signing::{Payload, SigV4};
use http::Request;
use tower_layer::Layer;
use tower_service::Service;

use super::SignError;
use crate::clock::{Clock, system_now};
use crate::identity::{ProvideCredentials, SharedProvider};

/// What the signature says of a body of the type `B`.
///
/// The two choices here cover bodies in memory and all others. Implement it for a type of your own to tell bodies apart by
/// what they are, or to give a SHA-256 that is known already.
pub trait SignPayload<B> {
    /// What the signature says of `body`. It is called once for each request, and can't wait.
    ///
    /// # Errors
    /// [`SignError::StreamedBody`] where the signature is to cover a body that is not in memory.
    fn payload<'a>(&self, body: &'a B) -> Result<Payload<'a>, SignError>;
}

/// The signature covers the body: its SHA-256 is computed. For bodies in memory: `Bytes`, `Vec<u8>`, `String`, `[u8; 0]`.
///
/// The hash is computed where the request is polled, about 0.5 ms for each MiB. HTTP clients whose body type hides its bytes,
/// such as `http_body_util::Full`, follow behind a `map_request`: see the example `tower_layer`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BodyInMemory;

impl<B: AsRef<[u8]>> SignPayload<B> for BodyInMemory {
    fn payload<'a>(&self, body: &'a B) -> Result<Payload<'a>, SignError> {
        Ok(Payload::Bytes(body.as_ref()))
    }
}

/// The body is not looked at, so that it may be of any type, a stream too.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyNotRead {
    /// The signature does not cover the body (`UNSIGNED-PAYLOAD`). S3 accepts it, VPC Lattice demands it, most other services
    /// refuse it. Only the connection protects the bytes then.
    Unsigned,
    /// The signature says that the body is empty. For clients that only read; a service refuses a request with any other body.
    Empty,
}

impl<B> SignPayload<B> for BodyNotRead {
    fn payload<'a>(&self, _: &'a B) -> Result<Payload<'a>, SignError> {
        Ok(match self {
            Self::Unsigned => Payload::Unsigned,
            Self::Empty => Payload::empty(),
        })
    }
}

/// Signs every request that passes, with the credentials and the time of that moment.
///
/// Put it below layers that retry, so that each attempt is signed anew, and below layers that set headers or change the URL.
/// What changes the request after it (a header `x-amz-...`, the host) breaks the signature. `host` is added where it is
/// missing. A client behind it must not follow redirects: a signature is for one host.
///
/// The body has to be in memory unless [`payload`](Self::payload) says otherwise.
///
/// # Example
/// ```
/// use aws_sigv4_free_core::adapter::tower::SignLayer;
/// use aws_sigv4_free_core::identity::Credentials;
/// use aws_sigv4_free_signing::SigV4;
/// use tower::{Service, ServiceBuilder, ServiceExt};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
/// # let client = tower::service_fn(|request: http::Request<String>| async move {
/// #     Ok::<_, std::io::Error>(request.headers().contains_key("authorization"))
/// # });
/// let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
/// let signer = SigV4::new("execute-api", "us-east-1");
/// let mut client = ServiceBuilder::new().layer(SignLayer::new(signer, credentials)).service(client);
///
/// let request = http::Request::post("https://abc.execute-api.us-east-1.amazonaws.com/prod/orders").body("{}".to_owned())?;
/// let response = client.ready().await?.call(request).await?;
/// # assert!(response);
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct SignLayer<P = BodyInMemory> {
    shared: Arc<Shared<P>>,
}

/// A service behind a [`SignLayer`].
#[derive(Debug)]
pub struct SignService<S, P = BodyInMemory> {
    inner: S,
    shared: Arc<Shared<P>>,
}

#[derive(Debug)]
struct Shared<P> {
    signer: SigV4,
    provider: SharedProvider,
    /// The clock of this machine where there is none.
    clock: Option<Arc<dyn Clock>>,
    payload: P,
}

impl SignLayer {
    /// Signs with `signer` and the credentials that `provider` gives for each request. Bodies are in memory and signed.
    pub fn new(signer: SigV4, provider: impl ProvideCredentials + 'static) -> Self {
        let shared = Shared { signer, provider: Arc::new(provider), clock: None, payload: BodyInMemory };
        Self { shared: Arc::new(shared) }
    }
}

impl<P> SignLayer<P> {
    /// Sets what signatures say of bodies.
    #[must_use]
    pub fn payload<Q>(self, payload: Q) -> SignLayer<Q> {
        let Shared { signer, provider, clock, .. } = &*self.shared;
        let (signer, provider, clock) = (signer.clone(), Arc::clone(provider), clock.clone());
        SignLayer { shared: Arc::new(Shared { signer, provider, clock, payload }) }
    }

    /// Sets the clock that gives the signing time. Without it, the clock of this machine does.
    #[must_use]
    pub fn clock(self, clock: Arc<dyn Clock>) -> Self
    where
        P: Clone,
    {
        let Shared { signer, provider, payload, .. } = &*self.shared;
        let (signer, provider, payload) = (signer.clone(), Arc::clone(provider), payload.clone());
        Self { shared: Arc::new(Shared { signer, provider, clock: Some(clock), payload }) }
    }
}

impl<S, P> Layer<S> for SignLayer<P> {
    type Service = SignService<S, P>;

    fn layer(&self, inner: S) -> Self::Service {
        SignService { inner, shared: Arc::clone(&self.shared) }
    }
}

// By hand: a policy need not be `Clone` to be shared.
impl<P> Clone for SignLayer<P> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<S: Clone, P> Clone for SignService<S, P> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), shared: Arc::clone(&self.shared) }
    }
}

impl<P> Shared<P> {
    async fn sign<B>(&self, request: Request<B>) -> Result<Request<B>, SignError>
    where
        P: SignPayload<B>,
    {
        let credentials = self.provider.identity().await?;
        // After the credentials are there: fetching them may have taken a while.
        let now = self.clock.as_ref().map_or_else(system_now, |clock| clock.now());
        let (mut parts, body) = request.into_parts();
        self.signer.sign_parts(&mut parts, self.payload.payload(&body)?, &credentials, now)?;
        Ok(Request::from_parts(parts, body))
    }
}

/// # Cancel safety
/// Dropping the future before the request was handed on sends nothing.
impl<S, B, P> Service<Request<B>> for SignService<S, P>
where
    S: Service<Request<B>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Send + 'static,
    P: SignPayload<B> + Send + Sync + 'static,
{
    type Response = S::Response;
    type Error = SignError;
    type Future = BoxFuture<'static, Result<S::Response, SignError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), SignError>> {
        self.inner.poll_ready(context).map_err(|cause| SignError::Service(cause.into()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let shared = Arc::clone(&self.shared);
        // The service that was polled ready is the one to call: its clone has reserved nothing.
        let clone = self.inner.clone();
        let mut ready = mem::replace(&mut self.inner, clone);
        Box::pin(async move {
            let signed = shared.sign(request).await?;
            ready.call(signed).await.map_err(|cause| SignError::Service(cause.into()))
        })
    }
}

#[cfg(test)]
mod tests;
