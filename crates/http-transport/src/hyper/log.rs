//! The events of a request. Everything passes through the redaction.

use http::{HeaderMap, Method, StatusCode, Uri};

use super::timeout::Budget;
use crate::Error;
use crate::redact::{RedactedHeaders, RedactedUrl};

const HTTP: &str = "aws_sigv4_free::http";
const WIRE: &str = "aws_sigv4_free::wire";

/// What the events of a request name. Empty, and free, where nobody listens.
#[derive(Clone, Default)]
pub(super) struct Subject(Option<Box<(Method, String)>>);

impl Subject {
    pub(super) fn new(method: &Method, uri: &Uri) -> Self {
        let is_heard = tracing::enabled!(target: HTTP, tracing::Level::DEBUG)
            || tracing::enabled!(target: WIRE, tracing::Level::TRACE);
        Self(is_heard.then(|| Box::new((method.clone(), RedactedUrl::from(uri).to_string()))))
    }

    /// A request is about to be written.
    pub(super) fn request(&self, headers: &HeaderMap, body_length: Option<u64>) {
        let Some((method, url)) = self.0.as_deref() else { return };
        tracing::trace!(
            target: WIRE, %method, url, headers = ?RedactedHeaders::new(headers), body_length, "request"
        );
    }

    /// A response head has arrived.
    pub(super) fn response(
        &self,
        status: StatusCode,
        headers: &HeaderMap,
        budget: &Budget,
        reused: bool,
        attempt: u32,
    ) {
        let Some((method, url)) = self.0.as_deref() else { return };
        let elapsed = budget.started.elapsed();
        tracing::debug!(
            target: HTTP, %method, url, status = status.as_u16(), ?elapsed, reused_connection = reused, attempt, "response"
        );
        tracing::trace!(
            target: WIRE, %method, url, status = status.as_u16(), headers = ?RedactedHeaders::new(headers), "response head"
        );
    }

    /// An attempt has failed.
    pub(super) fn failed(&self, error: &Error, budget: &Budget, reused: bool, attempt: u32) {
        let Some((method, url)) = self.0.as_deref() else { return };
        let elapsed = budget.started.elapsed();
        tracing::debug!(
            target: HTTP, %method, url, kind = ?error.kind(), %error, ?elapsed, reused_connection = reused, attempt,
            "request failed"
        );
    }

    /// A response body has ended.
    pub(super) fn body_ended(&self, received: u64) {
        let Some((method, url)) = self.0.as_deref() else { return };
        tracing::trace!(target: WIRE, %method, url, received, "response body ended");
    }

    /// A response body has failed.
    pub(super) fn body_failed(&self, error: &Error, received: u64) {
        let Some((method, url)) = self.0.as_deref() else { return };
        tracing::debug!(target: HTTP, %method, url, kind = ?error.kind(), %error, received, "response body failed");
    }
}
