//! What a service's operation tells the pipeline.

use std::fmt;
use std::sync::Arc;

use aws_sigv4_free_http_transport::Request;
use aws_sigv4_free_http_transport::redact::{RedactedHeaders, RedactedUrl};
use aws_sigv4_free_signing::SigV4;

use crate::endpoint::Region;
use crate::error::{Error, ServiceError};

/// One call of an API, as data: how its request is made, and how its errors are read. It does no input or output.
///
/// A value of it is good for one [`Caller::call`](super::Caller::call).
pub trait Operation: Send + Sync {
    /// The service, "s3": for errors and log lines.
    fn service(&self) -> &'static str;

    /// The API name, "PutObject": for errors and log lines.
    fn name(&self) -> &'static str;

    /// The unsigned request for `region`, and how it is signed. It is asked for once for each attempt, and has to give the
    /// same request each time, except that a body which can be sent once only ([`Body::once`]) is given the first time: the
    /// call is then not tried again.
    ///
    /// [`Body::once`]: aws_sigv4_free_http_transport::Body::once
    ///
    /// # Errors
    /// An argument is not allowed, or there is no endpoint. The call ends.
    fn prepare(&self, region: &Region) -> Result<Prepared, Error>;

    /// Reads the protocol's error from an answer: code, message, request id. `body` is what came of it, up to 1 MiB; it is
    /// empty for HEAD, and need not be the service's: a proxy may have written it.
    fn read_error(&self, head: &http::response::Parts, body: &[u8]) -> ServiceError;

    /// Whether the body of a success may hold an error.
    fn error_in_success(&self) -> ErrorInSuccess {
        ErrorInSuccess::Never
    }

    /// The region that an error names as the right one. The pipeline goes there once, and only inside the partition of the
    /// first region.
    fn redirected_region(&self, head: &http::response::Parts, error: &ServiceError) -> Option<Region> {
        let _ = (head, error);
        None
    }

    /// Whether the service holds the request open until it has something to tell.
    fn polling(&self) -> Polling {
        Polling::Short
    }
}

/// Whether the body of a success may hold an error, as with some operations of S3: CopyObject, UploadPartCopy,
/// CompleteMultipartUpload.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ErrorInSuccess {
    /// A success is a success. Its body is not read by the pipeline.
    #[default]
    Never,
    /// The body of a success is an XML document, and an error where its root is `Error`. The pipeline reads it before it
    /// hands it on, up to 8 MiB. A body that is empty or cut short counts as a fault of the service that may pass.
    XmlRoot,
}

/// Whether a service holds a request open until it has something to tell.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Polling {
    /// The service answers at once.
    #[default]
    Short,
    /// The service holds the request open, and the caller asks again as soon as it has the answer. Under
    /// [`RetryMode::Standard2026`](super::RetryMode::Standard2026) such a call waits before it fails for want of quota, so
    /// that its caller's loop does not spin.
    Long,
}

/// An unsigned request, and how it is signed.
///
/// `Debug` shows its URL and headers without the values that may be secrets.
#[allow(clippy::exhaustive_structs)]
pub struct Prepared {
    /// The request: absolute URI, headers, body.
    pub request: Request,
    /// The signer, bound to the service's signing name and the region.
    pub signer: Arc<SigV4>,
    /// What the signature says of the body.
    pub payload: PayloadHash,
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared")
            .field("method", self.request.method())
            .field("url", &RedactedUrl::from(self.request.uri()))
            .field("headers", &RedactedHeaders::new(self.request.headers()))
            .field("body", self.request.body())
            .field("signer", &self.signer)
            .field("payload", &self.payload)
            .finish()
    }
}

/// What the signature of a [`Prepared`] request says of its body.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayloadHash {
    /// The SHA-256 of the body, computed when it is signed. The body has to be in memory.
    Body,
    /// The SHA-256 of the body, computed by the operation.
    Sha256([u8; 32]),
    /// The body is not covered by the signature (`UNSIGNED-PAYLOAD`).
    Unsigned,
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sigv4_free_http_transport::Body;

    #[test]
    fn debug_shows_no_secret_of_a_request() {
        let request = http::Request::put("https://h/key?X-Amz-Security-Token=canary")
            .header("x-amz-server-side-encryption-customer-key", "canary")
            .body(Body::from("canary"))
            .unwrap();
        let prepared = Prepared { request, signer: Arc::new(SigV4::s3("us-east-1")), payload: PayloadHash::Unsigned };
        let shown = format!("{prepared:?}");
        assert!(shown.contains("https://h/key") && !shown.contains("canary"), "{shown}");
    }
}
