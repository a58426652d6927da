//! Which requests go through a proxy, and through which.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use http::HeaderValue;

use super::no_proxy::NoProxy;
use crate::{Error, ErrorKind, percent};

/// The proxy settings: from the environment, explicit, or none.
///
/// An `https` request goes through the proxy in a tunnel (CONNECT): the proxy sees the host's name and nothing else. An
/// `http` request is forwarded by the proxy. The proxy's user name and password go to the proxy only.
///
/// Never proxied, whatever the settings say: `localhost`, loopback and link-local addresses, and the addresses of the EC2
/// instance metadata and container credential services. A proxy there would see credentials, or answer in the place of the
/// machine itself.
///
/// # Example
/// ```
/// use aws_sigv4_free_http_transport::hyper::{HyperTransport, Proxy};
///
/// let proxy = Proxy::new("http://user:password@proxy.example.com:3128")?.no_proxy(".internal.example.com,10.0.0.0/8");
/// let transport = HyperTransport::builder().proxy(proxy).build()?;
/// # Ok::<(), aws_sigv4_free_http_transport::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Proxy {
    http: Choice,
    https: Choice,
    exceptions: NoProxy,
}

#[derive(Clone, Debug)]
enum Choice {
    Direct,
    Via(Arc<ProxyServer>),
    /// A setting that can't be used, and what is wrong with it. Told when a request needs it: a broken proxy variable does not
    /// stop a call to a local endpoint.
    Broken(String),
}

/// A proxy, and how to present oneself to it.
#[derive(Debug)]
pub(super) struct ProxyServer {
    pub(super) host: String,
    pub(super) port: u16,
    /// Marked as sensitive, so that its Debug form shows nothing.
    pub(super) authorization: Option<HeaderValue>,
}

impl Proxy {
    /// The proxy settings of the environment. They are what a transport uses unless it is told otherwise.
    ///
    /// `HTTPS_PROXY` is for `https`, `HTTP_PROXY` for `http`, `ALL_PROXY` for both where the other is not set; `NO_PROXY`
    /// lists the exceptions, as in [`no_proxy`](Self::no_proxy). Names in lower case come first. `HTTP_PROXY` in upper case
    /// is passed over inside a CGI program (`REQUEST_METHOD` is set), where a client could set it with a `Proxy` header.
    ///
    /// A value that can't be used (another scheme than `http`, no host) fails the requests that would need it with
    /// [`ErrorKind::Configuration`], and no others.
    pub fn from_env() -> Self {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    /// The same from any source of variables.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let choose = |names: &[&'static str]| {
            let found = names.iter().find_map(|name| set(name).map(|value| (*name, value)));
            match found.map(|(name, value)| (name, ProxyServer::parse(&value))) {
                None => Choice::Direct,
                Some((_, Ok(server))) => Choice::Via(Arc::new(server)),
                Some((name, Err(problem))) => Choice::Broken(format!("the variable {name} can't be used: {problem}")),
            }
        };
        let http_names: &[&str] = if set("REQUEST_METHOD").is_some() {
            &["http_proxy", "all_proxy", "ALL_PROXY"]
        } else {
            &["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]
        };
        Self {
            http: choose(http_names),
            https: choose(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]),
            exceptions: NoProxy::parse(&set("no_proxy").or_else(|| set("NO_PROXY")).unwrap_or_default()),
        }
    }

    /// The proxy at `url`, `http://user:password@host:port`, for `http` and `https` alike. User name and password are
    /// optional, and percent-decoded; the port is 80 unless given. The environment is not read.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] where the URL has another scheme than `http` or no host.
    pub fn new(url: &str) -> Result<Self, Error> {
        let server = ProxyServer::parse(url.trim()).map_err(|problem| {
            Error::new(ErrorKind::Configuration, format!("the proxy URL can't be used: {problem}"))
        })?;
        let server = Arc::new(server);
        Ok(Self { http: Choice::Via(Arc::clone(&server)), https: Choice::Via(server), exceptions: NoProxy::parse("") })
    }

    /// No proxy; the environment is not read.
    pub fn none() -> Self {
        Self { http: Choice::Direct, https: Choice::Direct, exceptions: NoProxy::parse("") }
    }

    /// The hosts that are reached directly, in the place of any given before: a list with commas or spaces of
    /// - `example.com` or `.example.com`: this host and all below it,
    /// - an address: `192.0.2.1`, `[2001:db8::1]`,
    /// - a network in CIDR notation: `10.0.0.0/8`, which matches hosts written as addresses (names are not looked up),
    /// - any of the first two with a port, `example.com:8443`, for this port only,
    /// - `*`: all hosts.
    ///
    /// Entries that are none of these match nothing.
    #[must_use]
    pub fn no_proxy(mut self, list: &str) -> Self {
        self.exceptions = NoProxy::parse(list);
        self
    }

    /// The proxy for a request to `host`, an address without brackets or a name.
    pub(super) fn route(&self, https: bool, host: &str, port: u16) -> Result<Option<&Arc<ProxyServer>>, Error> {
        let choice = if https { &self.https } else { &self.http };
        if matches!(choice, Choice::Direct) || is_never_proxied(host) || self.exceptions.matches(host, port) {
            return Ok(None);
        }
        match choice {
            Choice::Direct => Ok(None),
            Choice::Via(server) => Ok(Some(server)),
            Choice::Broken(problem) => Err(Error::new(ErrorKind::Configuration, problem.as_str())),
        }
    }
}

impl ProxyServer {
    /// Reads a proxy URL. What is wrong with it is told without its user information.
    fn parse(url: &str) -> Result<Self, String> {
        let rest = match url.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
            Some((scheme, _)) if scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
                return Err(format!("its scheme is `{scheme}`, and only `http` proxies are supported"));
            }
            Some(_) => return Err("it is not a URL; expected `http://host:port`".to_owned()),
            None => url,
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (user, address) = match authority.rsplit_once('@') {
            Some((user, address)) => (Some(user), address),
            None => (None, authority),
        };
        let no_host = || "it has no valid `host:port`".to_owned();
        let address: http::uri::Authority = address.parse().map_err(|_| no_host())?;
        let host = super::bare_host(address.host()).to_owned();
        if host.is_empty() {
            return Err(no_host());
        }
        let port = match (address.port_u16(), address.as_str().rsplit_once(':')) {
            (Some(port), _) => port,
            // A port is there but is not a number below 65536.
            (None, Some((_, tail))) if !tail.contains(']') => return Err(no_host()),
            (None, _) => 80,
        };
        let authorization = match user {
            None => None,
            Some(user) => {
                let (name, password) = user.split_once(':').unwrap_or((user, ""));
                let mut plain = percent::decode(name);
                plain.push(b':');
                plain.extend(percent::decode(password));
                let value = HeaderValue::from_str(&format!("Basic {}", base64(&plain)));
                let mut value = value.map_err(|_| "its user information can't be sent".to_owned())?;
                value.set_sensitive(true);
                Some(value)
            }
        };
        Ok(Self { host, port, authorization })
    }

    /// `host:port`, for messages and connections.
    pub(super) fn address(&self) -> String {
        super::host_port(&self.host, self.port)
    }
}

/// Hosts on this machine or this link, and the metadata services.
fn is_never_proxied(host: &str) -> bool {
    const EC2_METADATA: [u16; 2] = [0xfd00, 0x0ec2];
    let v6 = |ip: Ipv6Addr| {
        ip.is_loopback()
            || ip.is_unspecified()
            || ip.segments()[0] & 0xffc0 == 0xfe80
            || ip.segments()[..2] == EC2_METADATA
    };
    match super::parse_ip(host) {
        Some(IpAddr::V4(ip)) => ip.is_loopback() || ip.is_link_local() || ip.is_unspecified(),
        Some(IpAddr::V6(ip)) => v6(ip),
        None => {
            let name = host.strip_suffix('.').unwrap_or(host);
            let last = name.rsplit('.').next().unwrap_or_default();
            last.eq_ignore_ascii_case("localhost")
        }
    }
}

/// The standard alphabet with padding, for one short header.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for index in 0..4 {
            let digit = (bits >> (18 - 6 * index)) as usize & 63;
            text.push(if index <= group.len() { char::from(ALPHABET[digit]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(variables: &[(&str, &str)]) -> Proxy {
        Proxy::from_variables(|name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[track_caller]
    fn check(proxy: &Proxy, url: &str, expected: Option<&str>) {
        let uri: http::Uri = url.parse().unwrap();
        let https = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if https { 443 } else { 80 });
        let route = proxy.route(https, super::super::bare_host(uri.host().unwrap()), port).unwrap();
        assert_eq!(route.map(|server| server.address()).as_deref(), expected, "{url}");
    }

    #[test]
    fn each_scheme_has_its_variable_and_all_proxy_stands_in() {
        let proxy = from(&[("HTTPS_PROXY", "http://s:1"), ("HTTP_PROXY", "h:2"), ("ALL_PROXY", "http://a:3")]);
        check(&proxy, "https://example.com/", Some("s:1"));
        check(&proxy, "http://example.com/", Some("h:2"));
        let proxy = from(&[("ALL_PROXY", "HTTP://a/")]);
        check(&proxy, "https://example.com/", Some("a:80"));
        check(&proxy, "http://example.com/", Some("a:80"));
        check(&from(&[("HTTPS_PROXY", "  ")]), "https://example.com/", None);
        check(&from(&[("HTTPS_PROXY", "s:1"), ("https_proxy", "lower:2")]), "https://example.com/", Some("lower:2"));
    }

    #[test]
    fn a_cgi_program_takes_http_proxy_in_lower_case_only() {
        let cgi = ("REQUEST_METHOD", "GET");
        check(&from(&[cgi, ("HTTP_PROXY", "http://evil:1")]), "http://example.com/", None);
        check(&from(&[cgi, ("http_proxy", "http://good:1")]), "http://example.com/", Some("good:1"));
    }

    #[test]
    fn loopback_link_local_and_metadata_are_never_proxied() {
        let proxy = Proxy::new("http://proxy:3128").unwrap();
        for host in [
            "localhost",
            "LOCALHOST.",
            "s3.localhost",
            "127.0.0.1",
            "127.9.9.9",
            "0.0.0.0",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "169.254.169.254",
            "169.254.170.2",
            "169.254.170.23",
            "[fe80::1]",
            "[febf::1]",
            "[fd00:ec2::254]",
            "[fd00:ec2::23]",
            "[::ffff:169.254.169.254]",
        ] {
            check(&proxy, &format!("http://{host}/"), None);
            check(&proxy, &format!("https://{host}:8443/"), None);
        }
        for host in [
            "localhost.example.com",
            "notlocalhost",
            "128.0.0.1",
            "169.255.0.1",
            "[fec0::1]",
            "[fd00:ec3::254]",
            "10.0.0.1",
        ] {
            check(&proxy, &format!("http://{host}/"), Some("proxy:3128"));
        }
    }

    #[test]
    fn exceptions_come_from_no_proxy() {
        let proxy = from(&[("ALL_PROXY", "http://p:1"), ("NO_PROXY", "example.com"), ("no_proxy", "example.org")]);
        check(&proxy, "https://a.example.org/", None);
        check(&proxy, "https://example.com/", Some("p:1"));
        check(&proxy.no_proxy("*"), "https://example.com/", None);
    }

    #[test]
    fn a_broken_variable_fails_only_the_requests_that_need_it() {
        for value in [
            "socks5://h:1",
            "https://h:1",
            "http://",
            "http://h:99999",
            "http://h:x",
            "http://user:canary@",
            "c@n://ary",
        ] {
            let proxy = from(&[("HTTPS_PROXY", value)]);
            let error = proxy.route(true, "example.com", 443).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration, "{value}");
            assert!(error.to_string().contains("HTTPS_PROXY") && !error.to_string().contains("canary"), "{error}");
            assert!(proxy.route(true, "127.0.0.1", 443).unwrap().is_none());
            assert!(proxy.route(false, "example.com", 80).unwrap().is_none());
            assert!(Proxy::new(value).is_err(), "{value}");
        }
    }

    #[test]
    fn user_information_is_decoded_encoded_and_never_shown() {
        let proxy = Proxy::new("http://us%40er:pa%3Ass%zz@[2001:db8::1]:3128").unwrap();
        let server = Arc::clone(proxy.route(true, "example.com", 443).unwrap().unwrap());
        assert_eq!(server.address(), "[2001:db8::1]:3128");
        assert_eq!(server.authorization.as_ref().unwrap(), &format!("Basic {}", base64(b"us@er:pa:ss%zz")));
        let shown = format!("{proxy:?}");
        assert!(!shown.contains("pa") && !shown.contains("Basic"), "{shown}");
    }

    #[test]
    fn base64_pads() {
        let cases = ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"];
        for (length, expected) in cases.into_iter().enumerate() {
            assert_eq!(base64(&b"foobar"[..length]), expected);
        }
        assert_eq!(base64(&[0xff, 0xfe, 0xfd]), "//79");
    }
}
