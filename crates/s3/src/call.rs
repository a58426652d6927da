//! A call: an operation with its target, ready to be sent or presigned.

// The traits have to be public to stand in the bounds of `Call`, and can't be named outside: the operations are this crate's.
#![allow(unreachable_pub)]

use std::future::{Future, IntoFuture};
use std::time::Duration;

use aws_sigv4_free_core::call::ErrorInSuccess;
use aws_sigv4_free_core::endpoint::Region;
use aws_sigv4_free_core::protocol::rest_xml;
use aws_sigv4_free_core::{Error, ServiceError};
use aws_sigv4_free_http_transport::{Body, BoxFuture, Response};
use aws_sigv4_free_signing::PresignedUrl;
use http::{HeaderMap, Method, response};

use crate::S3;
use crate::address::Query;

/// The most that is read of an answer that is a document.
const MAX_DOCUMENT: usize = 8 << 20;

/// An operation on a bucket or an object. Set what else it needs, then `.await` it, or make a URL of it with
/// [`presign`](Self::presign).
///
/// # Cancel safety
/// Dropping the future of an operation abandons the attempt under way and closes its connection. Whether S3 acted on it is
/// unknown.
#[must_use = "an operation does nothing until it is awaited"]
#[derive(Clone, Debug)]
pub struct Call<O> {
    pub(crate) client: S3,
    pub(crate) target: Target,
    pub(crate) operation: O,
}

/// What an operation is about.
#[derive(Clone, Debug, Default)]
pub struct Target {
    pub(crate) bucket: Option<String>,
    pub(crate) key: Option<String>,
    /// The region, where it is not the client's, nor the one that the bucket was found in.
    pub(crate) region: Option<Region>,
}

/// What an unsigned request is made of, without its host.
#[derive(Debug)]
pub struct Draft {
    pub(crate) method: Method,
    pub(crate) query: Query,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
    pub(crate) content: Content,
}

/// What the signature says of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// The request itself: always signed.
    Document,
    /// An object's bytes: signed where the connection does not protect them. The SHA-256 is given where it is known.
    Object { sha256: Option<[u8; 32]> },
    /// An object's bytes that are never signed.
    Unsigned,
}

/// What a draft is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// It is sent by this crate, which may add headers of its own.
    Send,
    /// It becomes a URL: every header has to be sent by whoever uses it.
    Presign,
}

/// What is known about the request when it is drafted.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    pub client: &'a S3,
    pub region: &'a Region,
    pub purpose: Purpose,
}

impl Draft {
    pub(crate) fn new(method: Method) -> Self {
        Self {
            method,
            query: Query::default(),
            headers: HeaderMap::new(),
            body: Body::empty(),
            content: Content::Document,
        }
    }
}

/// One operation of the API, as data.
pub trait Operation: Send + Sync {
    /// The API name.
    const NAME: &'static str;
    /// Whether S3 may report an error in the body of a success.
    const ERROR_IN_SUCCESS: ErrorInSuccess = ErrorInSuccess::Never;
    /// Whether the operation follows the bucket into another region.
    const FOLLOWS_REGION: bool = true;
    /// Whether the bucket's name has to be one that may be created.
    const CREATES_BUCKET: bool = false;

    /// The request. It is asked for once for each attempt.
    fn draft(&self, context: Context<'_>) -> Result<Draft, Error>;
}

/// An operation whose answer is its head, or a small document.
pub trait Answered: Operation {
    /// What it says.
    type Output: Send;

    /// What the answer says.
    fn read(&self, head: &response::Parts, body: &[u8]) -> Result<Self::Output, Error>;
}

/// An operation that is one request: awaiting its call sends it.
pub trait SingleStep: Answered {}

impl<O> Call<O> {
    pub(crate) fn new(client: &S3, target: Target, operation: O) -> Self {
        Self { client: client.clone(), target, operation }
    }

    /// Changes the operation.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut O)) -> Self {
        change(&mut self.operation);
        self
    }
}

impl<O: Operation> Call<O> {
    /// A URL that lets whoever holds it make this call, without credentials, for the time `expires_in`: 1 second to 7 days.
    ///
    /// Nothing is sent. Headers that were set on the operation (a content type, a range) become a part of the signature:
    /// whoever uses the URL has to send the same ones. A body is not covered by the signature.
    ///
    /// The URL stops working earlier where the credentials do: that of temporary ones at their end, which is logged as a
    /// warning. It is a secret: its `Debug` shows no signature.
    ///
    /// # Errors
    /// There are no credentials, or they have expired; `expires_in` is out of range; the bucket or the key can't be used.
    pub async fn presign(self, expires_in: Duration) -> Result<PresignedUrl, Error> {
        self.client.presign(&self.target, &self.operation, expires_in).await
    }

    /// Sends it, and gives the answer with its body unread.
    pub(crate) async fn send_for_response(&self) -> Result<Response, Error> {
        self.client.call(&self.target, &self.operation).await
    }
}

impl<O: Answered> Call<O> {
    /// Sends one request and reads its answer.
    pub(crate) async fn exchange(self) -> Result<O::Output, Error> {
        let (head, body) = self.send_for_response().await?.into_parts();
        let in_operation = |error: Error| error.in_operation("s3", O::NAME);
        // An answer whose body does not matter is read too: its connection can be used again.
        let body = body.collect(MAX_DOCUMENT).await.map_err(|error| in_operation(error.into()))?;
        self.operation.read(&head, &body).map_err(in_operation)
    }
}

impl<O: SingleStep> Call<O> {
    /// Sends it: the same as `.await`.
    ///
    /// # Errors
    /// Anything that [`ErrorKind`](aws_sigv4_free_core::ErrorKind) names. The text names the operation, and the bucket and
    /// the key where S3 answered.
    pub async fn send(self) -> Result<O::Output, Error> {
        self.exchange().await
    }
}

impl<O: SingleStep + 'static> IntoFuture for Call<O> {
    type Output = Result<O::Output, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// The error of an answer, with the bucket and the key that were asked for.
pub(crate) fn read_error(target: &Target, head: &response::Parts, body: &[u8]) -> ServiceError {
    rest_xml::read_error(head, body)
        .with_detail("BucketName", target.bucket.as_deref().unwrap_or_default())
        .with_detail("Key", target.key.as_deref().unwrap_or_default())
}

/// The region that an error names as the bucket's.
pub(crate) fn redirected_region(head: &response::Parts, error: &ServiceError) -> Option<Region> {
    let is_redirect = matches!(head.status.as_u16(), 301 | 302 | 307 | 308)
        || matches!(
            error.code(),
            "AuthorizationHeaderMalformed" | "PermanentRedirect" | "TemporaryRedirect" | "IllegalLocationConstraintException"
        )
        // HEAD has no body that could say so.
        || (error.code() == "BadRequest" && head.headers.contains_key("x-amz-bucket-region"));
    let named = head.headers.get("x-amz-bucket-region").and_then(|value| value.to_str().ok());
    Region::new(named.or_else(|| error.detail("Region")).filter(|_| is_redirect)?).ok()
}

/// A future that is dyn, for operations that take more than one step.
pub(crate) fn boxed<T>(future: impl Future<Output = T> + Send + 'static) -> BoxFuture<'static, T> {
    Box::pin(future)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::StatusCode;

    fn head(status: u16, headers: &[(&'static str, &'static str)]) -> response::Parts {
        let mut response = http::Response::new(());
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        for (name, value) in headers {
            response.headers_mut().insert(*name, http::HeaderValue::from_static(value));
        }
        response.into_parts().0
    }

    fn target() -> Target {
        Target { bucket: Some("photos".into()), key: Some("cat.jpg".into()), region: None }
    }

    #[test]
    fn an_error_names_code_message_ids_bucket_and_key() {
        let body =
            b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchKey</Code><Message>No &amp; no.</Message>\
            <RequestId>R1</RequestId><HostId>H1</HostId></Error>";
        let error = read_error(&target(), &head(404, &[]), body);
        assert_eq!((error.code(), error.message()), ("NoSuchKey", "No & no."));
        assert_eq!((error.request_id(), error.extended_request_id()), (Some("R1"), Some("H1")));
        let shown = error.to_string();
        assert!(shown.contains("bucket photos") && shown.contains("key cat.jpg"), "{shown}");
    }

    #[test]
    fn without_a_body_the_head_has_to_do() {
        let error = read_error(&target(), &head(403, &[("x-amz-request-id", "R2"), ("x-amz-id-2", "H2")]), b"");
        assert_eq!(
            (error.code(), error.request_id(), error.extended_request_id()),
            ("Forbidden", Some("R2"), Some("H2"))
        );
    }

    #[test]
    fn the_bucket_region_is_found_in_the_header_or_in_the_body() {
        let find = |status, headers: &[_], body: &[u8]| {
            let head = head(status, headers);
            redirected_region(&head, &read_error(&target(), &head, body)).map(|region| region.as_str().to_owned())
        };
        let there = Some("eu-west-1".to_owned());
        let header = [("x-amz-bucket-region", "eu-west-1")];
        assert_eq!(find(301, &header, b""), there);
        assert_eq!(find(307, &header, b""), there);
        assert_eq!(find(400, &header, b""), there);
        let malformed = b"<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>";
        assert_eq!(find(400, &[], malformed), there);
        // A refusal that happens to name the region is none, and a name that is no region leads nowhere.
        assert_eq!(find(403, &header, b""), None);
        assert_eq!(find(404, &header, b""), None);
        assert_eq!(find(301, &[("x-amz-bucket-region", "evil.example/")], b""), None);
        assert_eq!(find(301, &[], b""), None);
    }
}
