//! What a request must be, and what it lacks before it is sent.

use http::header::{CONTENT_LENGTH, EXPECT, HOST, TRANSFER_ENCODING, UPGRADE};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderValue, Method, Uri, Version};
use tokio::runtime::Handle;

use super::pool::Key;
use crate::{Body, ConnectTo, Error, ErrorKind, Request, Timeouts};

/// A request that can be sent.
pub(super) struct Outgoing {
    pub(super) key: Key,
    /// Headers complete, the URI in origin form.
    pub(super) parts: http::request::Parts,
    /// The whole URI.
    pub(super) uri: Uri,
    pub(super) body: Body,
    pub(super) timeouts: Option<Timeouts>,
}

/// Checks `request`, which `runtime` is to send, and completes its headers.
pub(super) fn check(request: Request, runtime: &Handle) -> Result<Outgoing, Error> {
    let (mut parts, body) = request.into_parts();
    let uri = parts.uri;
    let https = match uri.scheme() {
        Some(scheme) if *scheme == Scheme::HTTPS => true,
        Some(scheme) if *scheme == Scheme::HTTP => false,
        Some(scheme) => return Err(invalid(format!("the URL's scheme is `{scheme}`; expected `https` or `http`"))),
        None => return Err(invalid("the URL has no scheme; expected `https://` or `http://`")),
    };
    let authority = match uri.authority() {
        Some(authority) if !authority.host().is_empty() => authority.clone(),
        _ => return Err(invalid("the URL has no host")),
    };
    if authority.as_str().contains('@') {
        return Err(invalid("the URL holds user information, which is not sent: remove it"));
    }
    if parts.method == Method::CONNECT {
        return Err(invalid("CONNECT is not a request that a server answers"));
    }
    for name in [EXPECT, UPGRADE] {
        if parts.headers.contains_key(&name) {
            return Err(invalid(format!("the header `{name}` is not supported: remove it")));
        }
    }
    check_length(&mut parts.headers, &parts.method, &body)?;
    if !parts.headers.contains_key(HOST) {
        parts.headers.insert(HOST, host_header(&authority, https)?);
    }
    parts.uri = Uri::from(uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/")));
    parts.version = Version::HTTP_11;
    let timeouts = parts.extensions.get::<Timeouts>().copied();
    let pinned = parts.extensions.get::<ConnectTo>().map(|to| to.0);
    // Nothing of what others have put there is meant for the HTTP engine.
    parts.extensions = http::Extensions::new();
    let key = Key { https, authority, pinned, runtime: runtime.id() };
    Ok(Outgoing { key, parts, uri, body, timeouts })
}

/// Announces the body's length, or that it comes in chunks, just once and as it is.
fn check_length(headers: &mut HeaderMap, method: &Method, body: &Body) -> Result<(), Error> {
    if let Some(encoding) = headers.get(TRANSFER_ENCODING) {
        if headers.contains_key(CONTENT_LENGTH) {
            return Err(invalid("the request has both a `content-length` and a `transfer-encoding`"));
        }
        if !encoding.as_bytes().eq_ignore_ascii_case(b"chunked") || body.length().is_some() {
            let message =
                "`transfer-encoding` is not for the caller to set, but for `chunked` with a body of unknown length";
            return Err(invalid(message));
        }
    }
    let mut given = headers.get_all(CONTENT_LENGTH).iter();
    if let Some(value) = given.next() {
        let announced = value.to_str().ok().and_then(|text| text.parse::<u64>().ok());
        let Some(announced) = announced.filter(|_| given.next().is_none()) else {
            return Err(invalid("the request's `content-length` is not one number"));
        };
        return match body.length() {
            Some(length) if length == announced => Ok(()),
            Some(length) => Err(invalid(format!(
                "the request's `content-length` is {announced}, and its body holds {length} bytes"
            ))),
            None => Err(invalid("a body with a `content-length` has to be made with that length")),
        };
    }
    match body.length() {
        Some(0) if !expects_body(method) => {}
        Some(length) => {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        None => {
            headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }
    }
    Ok(())
}

/// Whether servers expect to be told that a body is empty.
fn expects_body(method: &Method) -> bool {
    matches!(*method, Method::PUT | Method::POST | Method::PATCH)
}

/// The authority without the port that goes without saying.
fn host_header(authority: &Authority, https: bool) -> Result<HeaderValue, Error> {
    let default = if https { 443 } else { 80 };
    let host = if authority.port_u16() == Some(default) { authority.host() } else { authority.as_str() };
    HeaderValue::from_str(host).map_err(|error| invalid("the URL's host can't be sent as a header").with_source(error))
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidRequest, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ChunkSource;
    use bytes::Bytes;
    use std::task::{Context, Poll};

    struct Nothing;
    impl ChunkSource for Nothing {
        fn poll_chunk(&mut self, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
            Poll::Ready(None)
        }
    }

    fn check(request: crate::Request) -> Result<Outgoing, Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        super::check(request, runtime.handle())
    }

    fn unknown() -> Body {
        Body::once(None, Box::new(Nothing))
    }

    fn refused(request: http::request::Builder, body: Body) -> String {
        let error = check(request.body(body).unwrap()).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        error.to_string()
    }

    #[test]
    fn what_is_no_request_to_an_http_server_is_refused() {
        for url in ["/path", "ftp://example.com/", "example.com:443", "http://user:canary@example.com/"] {
            let message = refused(Request::builder(url), Body::empty());
            assert!(!message.contains("canary"), "{message}");
        }
        refused(Request::builder("https://h/").method("CONNECT"), Body::empty());
        refused(Request::builder("https://h/").header("expect", "100-continue"), Body::empty());
        refused(Request::builder("https://h/").header("upgrade", "h2c"), Body::empty());
    }

    #[test]
    fn two_ways_to_tell_the_length_are_refused() {
        let put = || Request::builder("https://h/").method("PUT");
        refused(put().header("content-length", "4"), Body::from("abc"));
        refused(put().header("content-length", "3").header("content-length", "3"), Body::from("abc"));
        refused(put().header("content-length", "+3"), unknown());
        refused(put().header("content-length", "3"), unknown());
        refused(put().header("content-length", "x"), Body::empty());
        refused(put().header("transfer-encoding", "chunked"), Body::from("abc"));
        refused(put().header("transfer-encoding", "gzip"), unknown());
        refused(put().header("transfer-encoding", "chunked").header("content-length", "0"), unknown());
    }

    #[track_caller]
    fn headers(request: http::request::Builder, body: Body) -> HeaderMap {
        check(request.body(body).unwrap()).ok().unwrap().parts.headers
    }

    #[test]
    fn host_and_length_are_added_where_they_are_absent() {
        for (url, host) in [
            ("https://Example.com/a", "Example.com"),
            ("https://example.com:443/", "example.com"),
            ("http://example.com:443/", "example.com:443"),
            ("http://[::1]:80?q", "[::1]"),
        ] {
            assert_eq!(headers(Request::builder(url), Body::empty())["host"], host);
        }
        assert_eq!(headers(Request::builder("http://a/").header("host", "b"), Body::empty())["host"], "b");
        let length = |method: &str, body: Body| {
            let headers = headers(Request::builder("https://h/").method(method), body);
            headers
                .get(CONTENT_LENGTH)
                .or(headers.get(TRANSFER_ENCODING))
                .map(|value| value.to_str().unwrap().to_owned())
        };
        for method in ["PUT", "POST", "PATCH"] {
            assert_eq!(length(method, Body::empty()).as_deref(), Some("0"), "{method}");
        }
        for method in ["GET", "HEAD", "DELETE"] {
            assert_eq!(length(method, Body::empty()), None, "{method}");
        }
        assert_eq!(length("GET", Body::from("abc")).as_deref(), Some("3"));
        assert_eq!(length("GET", unknown()).as_deref(), Some("chunked"));
        let given =
            headers(Request::builder("https://h/").method("PUT").header("content-length", "3"), Body::from("abc"));
        assert_eq!(given[CONTENT_LENGTH], "3");
    }

    #[test]
    fn the_path_is_sent_as_it_is() {
        for (url, expected) in
            [("https://h", "/"), ("https://h?a=%2f", "/?a=%2f"), ("https://h//a/../b%2F?c&d=", "//a/../b%2F?c&d=")]
        {
            let outgoing = check(Request::builder(url).body(Body::empty()).unwrap()).ok().unwrap();
            assert_eq!(outgoing.parts.uri.to_string(), expected);
        }
    }

    /// A builder with a URL, so that the tests above read well.
    struct Request;
    impl Request {
        fn builder(url: &str) -> http::request::Builder {
            http::Request::builder().uri(url)
        }
    }
}
