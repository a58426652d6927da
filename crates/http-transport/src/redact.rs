//! What may be printed: the type that holds secrets, and headers and URLs with theirs taken out.

use std::fmt;

use http::{HeaderMap, HeaderName, Uri};
use zeroize::Zeroizing;

use crate::percent;

/// What stands in the place of a secret.
pub const REDACTED: &str = "[redacted]";

/// A secret: a secret access key, a session token, a password.
///
/// It is wiped from memory when it is dropped, prints as `[redacted]`, and can't be compared, displayed or serialized. The
/// only way to its text is [`expose_secret`](Self::expose_secret).
///
/// # Example
/// ```
/// use aws_sigv4_free_http_transport::Secret;
///
/// let secret = Secret::from("wJalrXUtnFEMI");
/// assert_eq!(format!("{secret:?}"), "[redacted]");
/// assert_eq!(secret.expose_secret(), "wJalrXUtnFEMI");
/// ```
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The text of the secret. What is done with it is the caller's responsibility: it must not be printed.
    pub fn expose_secret(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

/// Headers whose values are secrets, or allow a request to be made in another's name.
const SENSITIVE_HEADERS: [&str; 17] = [
    "authorization",
    "cookie",
    "proxy-authorization",
    "set-cookie",
    "x-amz-copy-source-server-side-encryption-customer-key",
    "x-amz-copy-source-server-side-encryption-customer-key-md5",
    "x-amz-mfa",
    "x-amz-s3session-token",
    "x-amz-security-token",
    "x-amz-server-side-encryption-context",
    "x-amz-server-side-encryption-customer-key",
    "x-amz-server-side-encryption-customer-key-md5",
    "x-amz-sso_bearer_token",
    "x-aws-ec2-metadata-token",
    "x-acs-security-token",
    "x-goog-security-token",
    "x-oss-security-token",
];

/// Query parameters, lower case, whose values are secrets or signatures.
const SENSITIVE_PARAMETERS: [&str; 16] = [
    "awsaccesskeyid",
    "code",
    "ossaccesskeyid",
    "password",
    "securitytoken",
    "signature",
    "token",
    "webidentitytoken",
    "x-amz-credential",
    "x-amz-s3session-token",
    "x-amz-security-token",
    "x-amz-signature",
    "x-goog-credential",
    "x-goog-signature",
    "x-oss-security-token",
    "x-oss-signature",
];

/// Whether the value of the header `name` must not be printed.
pub fn is_sensitive_header(name: &HeaderName) -> bool {
    is_sensitive_header_name(name.as_str())
}

/// Whether the value of the header `name`, in any case, must not be printed.
pub fn is_sensitive_header_name(name: &str) -> bool {
    SENSITIVE_HEADERS.iter().any(|sensitive| sensitive.eq_ignore_ascii_case(name))
}

/// Whether the value of the query parameter `name`, in any case, must not be printed.
pub fn is_sensitive_parameter(name: &str) -> bool {
    // An encoded name (`X%2DAmz-Signature`) says the same to a server.
    let name = percent::decode(name);
    SENSITIVE_PARAMETERS.iter().any(|sensitive| name.eq_ignore_ascii_case(sensitive.as_bytes()))
}

/// A URL that prints without user information and without the values of sensitive query parameters.
///
/// # Example
/// ```
/// use aws_sigv4_free_http_transport::redact::RedactedUrl;
///
/// let url = "https://b.s3.amazonaws.com/k?X-Amz-Expires=60&X-Amz-Signature=c0ffee";
/// assert_eq!(RedactedUrl::new(url).to_string(), "https://b.s3.amazonaws.com/k?X-Amz-Expires=60&X-Amz-Signature=[redacted]");
/// ```
#[derive(Clone)]
pub struct RedactedUrl<'a>(std::borrow::Cow<'a, str>);

impl<'a> RedactedUrl<'a> {
    /// Wraps `url` for printing.
    pub fn new(url: &'a str) -> Self {
        Self(url.into())
    }
}

impl From<&Uri> for RedactedUrl<'static> {
    fn from(uri: &Uri) -> Self {
        Self(uri.to_string().into())
    }
}

impl fmt::Display for RedactedUrl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before_query, query) = match self.0.split_once('?') {
            Some((before, query)) => (before, Some(query)),
            None => (&*self.0, None),
        };
        match before_query.split_once("://") {
            Some((scheme, rest)) => {
                let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
                write!(f, "{scheme}://{host}{path}")?;
            }
            None => f.write_str(before_query)?,
        }
        let Some(query) = query else { return Ok(()) };
        for (index, pair) in query.split('&').enumerate() {
            f.write_str(if index == 0 { "?" } else { "&" })?;
            match pair.split_once('=') {
                Some((name, _)) if is_sensitive_parameter(name) => write!(f, "{name}={REDACTED}")?,
                _ => f.write_str(pair)?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for RedactedUrl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// Headers that print without the values of the sensitive ones, and without control characters.
#[derive(Clone, Copy)]
pub struct RedactedHeaders<'a>(&'a HeaderMap);

impl<'a> RedactedHeaders<'a> {
    /// Wraps `headers` for printing.
    pub fn new(headers: &'a HeaderMap) -> Self {
        Self(headers)
    }
}

impl fmt::Debug for RedactedHeaders<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.0.iter().map(|(name, value)| {
                let shown = if value.is_sensitive() || is_sensitive_header(name) {
                    REDACTED.into()
                } else if name == http::header::LOCATION {
                    RedactedUrl::new(&String::from_utf8_lossy(value.as_bytes())).to_string()
                } else {
                    String::from_utf8_lossy(value.as_bytes()).into_owned()
                };
                (name.as_str(), shown)
            }))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn a_secret_prints_as_redacted_however_it_is_nested() {
        assert_eq!(format!("{:?}", Some(Secret::from("canary"))), "Some([redacted])");
    }

    #[test]
    fn user_information_and_signatures_leave_a_url() {
        let shown = RedactedUrl::new("http://user:canary@host:9000/a@b?x=1&X-AMZ-signature=canary&Signature=canary")
            .to_string();
        assert_eq!(shown, "http://host:9000/a@b?x=1&X-AMZ-signature=[redacted]&Signature=[redacted]");
        let uri: Uri = "https://h/?X%2DAmz%2DSecurity-Token=canary&a".parse().unwrap();
        assert_eq!(RedactedUrl::from(&uri).to_string(), "https://h/?X%2DAmz%2DSecurity-Token=[redacted]&a");
        assert_eq!(RedactedUrl::new("/path?token=canary").to_string(), "/path?token=[redacted]");
    }

    #[test]
    fn sensitive_headers_lose_their_values() {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", HeaderValue::from_static("canary"));
        headers.insert("x-amz-security-token", HeaderValue::from_static("canary"));
        headers.insert("x-amz-sso_bearer_token", HeaderValue::from_static("canary"));
        headers.insert("location", HeaderValue::from_static("https://h/?X-Amz-Signature=canary"));
        let mut private = HeaderValue::from_static("canary");
        private.set_sensitive(true);
        headers.insert("x-own", private);
        headers.insert("x-amz-date", HeaderValue::from_static("20150830T123600Z"));
        let shown = format!("{:?}", RedactedHeaders::new(&headers));
        assert!(!shown.contains("canary"), "{shown}");
        assert!(shown.contains("20150830T123600Z"));
    }
}
