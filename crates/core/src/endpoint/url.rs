//! An endpoint that the user gives as a URL.

use std::fmt;
use std::str::FromStr;

use http::uri::{Authority, Scheme};

use super::error::{EndpointError, EndpointErrorKind, quoted};
use super::host;

/// The URL of an endpoint: `http` or `https`, host, port, and a path that goes before each request's own.
///
/// # Example
/// ```
/// use aws_sigv4_free_core::endpoint::EndpointUrl;
///
/// let url: EndpointUrl = "http://localhost:9000/store/".parse()?;
/// assert_eq!(url.to_string(), "http://localhost:9000/store");
/// assert!("https://user:password@host".parse::<EndpointUrl>().is_err());
/// # Ok::<(), aws_sigv4_free_core::endpoint::EndpointError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct EndpointUrl {
    scheme: Scheme,
    authority: Authority,
    base_path: String,
}

impl EndpointUrl {
    /// Checks `url`.
    ///
    /// # Errors
    /// The URL is not `http[s]://host[:port][/path]`: it has another scheme or none, user information, a query, a
    /// fragment, a port outside 1 to 65535, dot segments, or characters that a URL does not have.
    pub fn new(url: impl AsRef<str>) -> Result<Self, EndpointError> {
        let url = url.as_ref();
        let (scheme, rest) = split_scheme(url)?;
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len()));
        if authority.contains('@') {
            // Not repeated in the text: it may be a password.
            return Err(invalid("the endpoint URL holds user information: leave out what stands before the @"));
        }
        if url.contains('?') || url.contains('#') {
            // Not repeated either: queries carry tokens.
            return Err(invalid("the endpoint URL has a query or a fragment: leave out what follows ? or #"));
        }
        let refuse = |why: &str| match url.contains('@') {
            // A password with a slash in it ends the host for a URL, and not for who wrote it.
            true => invalid(format!("invalid endpoint URL: {why}")),
            false => invalid(format!("invalid endpoint URL {}: {why}", quoted(url))),
        };
        let (host, port) = split_port(authority);
        if !host::is_host_name(host) && !host::is_ip_address(host) {
            return Err(refuse("its host is not a host name or an IP address"));
        }
        if port.is_some_and(|port| {
            !port.bytes().all(|byte| byte.is_ascii_digit()) || !matches!(port.parse::<u16>(), Ok(1..))
        }) {
            return Err(refuse("its port is not a number from 1 to 65535"));
        }
        if !path.bytes().all(is_path_byte) {
            return Err(refuse("its path has characters that must be percent-encoded"));
        }
        if path.split('/').any(|segment| matches!(segment, "." | "..")) {
            return Err(refuse("its path has a dot segment"));
        }
        let authority = authority.parse().map_err(|_| refuse("its host is not a host name or an IP address"))?;
        Ok(Self { scheme, authority, base_path: path.trim_end_matches('/').to_owned() })
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    /// The host, and the port where one is given.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The host, an IPv6 address in brackets.
    pub fn host(&self) -> &str {
        self.authority.host()
    }

    /// The path that goes before each request's own: empty, or a slash and what follows, without a slash at the end.
    pub fn base_path(&self) -> &str {
        &self.base_path
    }

    /// The endpoint of a host that was checked already.
    pub(super) fn https(authority: Authority) -> Self {
        Self { scheme: Scheme::HTTPS, authority, base_path: String::new() }
    }

    pub(super) fn with_authority(&self, authority: Authority) -> Self {
        Self { scheme: self.scheme.clone(), authority, base_path: self.base_path.clone() }
    }
}

fn split_scheme(url: &str) -> Result<(Scheme, &str), EndpointError> {
    for (name, scheme) in [("http://", Scheme::HTTP), ("https://", Scheme::HTTPS)] {
        if let (Some(start), Some(rest)) = (url.get(..name.len()), url.get(name.len()..))
            && start.eq_ignore_ascii_case(name)
        {
            return Ok((scheme, rest));
        }
    }
    // What was given is not repeated: without its scheme nobody can tell where a password would stand in it.
    Err(invalid("an endpoint URL begins with http:// or https://, as in \"http://localhost:9000\""))
}

/// Splits at the colon that stands before the port, not at one inside an IPv6 address.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    let after_address = authority.rfind(']').map_or(0, |index| index + 1);
    match authority[after_address..].find(':') {
        Some(colon) => (&authority[..after_address + colon], Some(&authority[after_address + colon + 1..])),
        None => (authority, None),
    }
}

/// The bytes of a path by RFC 3986.
fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@%/".contains(&byte)
}

fn invalid(message: impl Into<String>) -> EndpointError {
    EndpointError::new(EndpointErrorKind::InvalidUrl, message)
}

impl fmt::Display for EndpointUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority, self.base_path)
    }
}

impl fmt::Debug for EndpointUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EndpointUrl({self})")
    }
}

impl FromStr for EndpointUrl {
    type Err = EndpointError;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        Self::new(url)
    }
}

impl TryFrom<&str> for EndpointUrl {
    type Error = EndpointError;

    fn try_from(url: &str) -> Result<Self, Self::Error> {
        Self::new(url)
    }
}

impl TryFrom<String> for EndpointUrl {
    type Error = EndpointError;

    fn try_from(url: String) -> Result<Self, Self::Error> {
        Self::new(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, shown: &str) {
        assert_eq!(EndpointUrl::new(url).unwrap().to_string(), shown);
    }

    #[test]
    fn port_and_path_are_kept() {
        check("https://s3.example.com", "https://s3.example.com");
        check("http://127.0.0.1:9000/", "http://127.0.0.1:9000");
        check("HTTP://localhost:1/a/b%20c//", "http://localhost:1/a/b%20c");
        check("https://[fd00:ec2::1]:8443/x", "https://[fd00:ec2::1]:8443/x");
        check("http://my_minio:9000", "http://my_minio:9000");
    }

    #[test]
    fn what_would_change_the_request_is_refused() {
        for url in [
            "",
            "localhost:9000",
            "ftp://host",
            "https://",
            "https:///path",
            "https://host:0",
            "https://host:65536",
            "https://host:",
            "https://host:+1",
            "https://host:80:80",
            "https://a b",
            "https://host/a b",
            "https://host\r\nx: y",
            "https://host/\0",
            "https://host\\@evil",
            "https://host/../x",
            "https://host/./x",
            "https://[::1",
            "https://::1",
            "https://é",
            "é",
        ] {
            let error = EndpointUrl::new(url).unwrap_err();
            assert_eq!(error.kind(), EndpointErrorKind::InvalidUrl, "{url:?}");
            assert!(!error.to_string().contains(['\r', '\n', '\0']), "{error}");
        }
    }

    #[test]
    fn what_may_be_a_secret_is_not_repeated() {
        for url in [
            "https://user:canary@host/",
            "https://user:canary/canary@host",
            "https://host/?token=canary",
            "https://host/#canary",
            "user:canary@host",
        ] {
            let error = EndpointUrl::new(url).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
        }
    }
}
