//! The seam between a client and the network.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::{Error, Request, Response};

/// A boxed future, so that [`Transport`] can be a trait object.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Sends one request and returns its response head, with the body still to be read.
///
/// A transport sends what it is given: it does not follow redirects, retry on a status, add authorization, nor decompress.
/// Every status is a response, not an error.
///
/// # Cancel safety
/// Dropping the future abandons the request and closes its connection. Whether the server acted on it is unknown.
pub trait Transport: Send + Sync + std::fmt::Debug {
    /// Sends `request`.
    ///
    /// # Errors
    /// An [`Error`] whose [`kind`](Error::kind) says at which stage it failed, and whose
    /// [`was_sent`](Error::was_sent) says whether the server may have seen the request.
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, Error>>;
}

impl<T: Transport + ?Sized> Transport for Arc<T> {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, Error>> {
        (**self).send(request)
    }
}

impl<T: Transport + ?Sized> Transport for Box<T> {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, Error>> {
        (**self).send(request)
    }
}
