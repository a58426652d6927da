//! Signing an `http::Request` by way of its text: for algorithms that are rare enough for that.

use http::header::{HOST, HeaderName, HeaderValue};
use http::uri::PathAndQuery;
use http::{HeaderMap, Uri};

use crate::error::{SigningError, SigningErrorKind};
use crate::{RawRequest, RawSignature};

/// The headers whose values are secrets.
const SECRET: [&str; 3] = ["authorization", "x-amz-security-token", "x-acs-security-token"];

/// Signs the text of `request`, and changes the request only when everything went well.
pub(crate) fn sign_in_place<B>(
    request: &mut http::Request<B>,
    sign: impl FnOnce(&RawRequest) -> Result<RawSignature, SigningError>,
) -> Result<(), SigningError> {
    let signed = sign(&text_of(request)?)?;
    let mut headers = HeaderMap::with_capacity(signed.headers.len());
    for (name, value) in &signed.headers {
        let invalid =
            |_| SigningError::new(SigningErrorKind::InvalidHeader, "a value to send holds a control character");
        let mut value = HeaderValue::from_str(value).map_err(invalid)?;
        value.set_sensitive(SECRET.contains(&name.as_str()));
        let name = HeaderName::from_bytes(name.as_bytes());
        headers.insert(
            name.map_err(|_| SigningError::new(SigningErrorKind::InvalidHeader, "a header to send has no valid name"))?,
            value,
        );
    }
    let uri = with_query(request.uri(), &signed.url)?;
    if let Some(uri) = uri {
        *request.uri_mut() = uri;
    }
    request.headers_mut().extend(headers);
    Ok(())
}

/// The request as text. Where its URL names no host, the header `host` does.
pub(crate) fn text_of<B>(request: &http::Request<B>) -> Result<RawRequest, SigningError> {
    let uri = request.uri();
    if uri.authority().is_some() && uri.scheme().is_some() {
        return Ok(RawRequest::from_http(request));
    }
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let (Some(host), true) = (host, uri.path().starts_with('/') && uri.authority().is_none()) else {
        let message = "neither the URL nor a header names the host: give an absolute URL";
        return Err(SigningError::new(SigningErrorKind::MissingHost, message));
    };
    let raw = RawRequest::new(request.method().as_str(), format!("https://{host}{uri}"));
    Ok(request.headers().iter().fold(raw, |raw, (name, value)| raw.header(name, value.as_bytes())))
}

/// `uri` with the query of `url`, unless it has that already.
fn with_query(uri: &Uri, url: &str) -> Result<Option<Uri>, SigningError> {
    let query = url.split_once('?').map(|(_, query)| query);
    if query == uri.query() {
        return Ok(None);
    }
    let too_long = || SigningError::new(SigningErrorKind::InvalidUrl, "the signed URL is longer than 64 KiB");
    let path_and_query = format!("{}?{}", uri.path(), query.unwrap_or_default());
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(path_and_query).map_err(|_| too_long())?);
    Uri::from_parts(parts).map(Some).map_err(|_| too_long())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(request: &RawRequest) -> Result<RawSignature, SigningError> {
        Ok(RawSignature {
            canonical_request: String::new(),
            string_to_sign: String::new(),
            signature: String::new(),
            headers: vec![("authorization".to_owned(), "secret".to_owned()), ("date".to_owned(), "now".to_owned())],
            url: format!("{}&s=1", request.url()),
        })
    }

    #[test]
    fn headers_and_query_are_put_in() {
        for (url, expected) in [("https://h/a?b", "https://h/a?b&s=1"), ("/a?b", "/a?b&s=1")] {
            let mut request = http::Request::get(url).header("host", "h").header("date", "then").body(()).unwrap();
            sign_in_place(&mut request, signed).unwrap();
            assert_eq!(request.uri(), expected);
            assert_eq!(request.headers()["date"], "now");
            assert!(request.headers()["authorization"].is_sensitive());
        }
    }

    #[test]
    fn a_request_that_names_no_host_is_refused_unchanged() {
        for url in ["/a", "*", "host:443"] {
            let mut request = http::Request::get(url).body(()).unwrap();
            let error = sign_in_place(&mut request, signed).unwrap_err();
            assert_eq!(error.kind(), SigningErrorKind::MissingHost, "{url}");
            assert!(request.headers().is_empty());
        }
    }

    #[test]
    fn a_url_too_long_is_refused_unchanged() {
        let mut request = http::Request::get(format!("https://h/?{}", "a".repeat(65_500))).body(()).unwrap();
        let before = request.uri().clone();
        let error = sign_in_place(&mut request, |raw| {
            signed(raw).map(|signature| RawSignature { url: signature.url + &"b".repeat(100), ..signature })
        });
        assert_eq!(error.unwrap_err().kind(), SigningErrorKind::InvalidUrl);
        assert_eq!((request.uri(), request.headers().len()), (&before, 0));
    }
}
