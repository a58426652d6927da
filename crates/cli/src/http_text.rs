//! Requests as text: `METHOD target HTTP/1.1`, headers, an empty line, the body.

use std::fmt;

/// The largest request that is read as text: 64 MiB.
pub(crate) const MAX_REQUEST: u64 = 64 << 20;

/// A request as somebody wrote it: the URL as it stands, the headers in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RequestText {
    pub(crate) method: String,
    /// The absolute URL.
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// Why a text is no request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestTextError {
    line: usize,
    message: &'static str,
}

impl fmt::Display for RequestTextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl RequestText {
    /// Reads a request. Lines end in LF or CRLF; a line that begins with white space goes on with the header before it. The
    /// target may hold spaces and other characters that a URL has to encode, and may be an absolute URL.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, RequestTextError> {
        let fail = |line, message| Err(RequestTextError { line, message });
        let (head, body) = split_head(text);
        let Ok(head) = std::str::from_utf8(head) else {
            return fail(1, "the request line and the headers have to be UTF-8");
        };
        let mut lines = head.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).enumerate();
        let first = lines.next().map(|(_, line)| line).unwrap_or_default();
        let Some((method, target)) = first.split_once(' ') else {
            return fail(1, "expected a request line such as `GET /path HTTP/1.1`");
        };
        let target = match target.rsplit_once(' ') {
            Some((target, version)) if version.starts_with("HTTP/") => target,
            _ => target,
        };
        if method.is_empty() || target.is_empty() {
            return fail(1, "expected a request line such as `GET /path HTTP/1.1`");
        }

        let mut headers: Vec<(String, String)> = Vec::new();
        for (index, line) in lines {
            if line.is_empty() {
                continue;
            }
            if line.starts_with([' ', '\t']) {
                let Some((_, value)) = headers.last_mut() else {
                    return fail(index + 1, "a continued header has no header before it");
                };
                value.push(' ');
                value.push_str(line.trim());
                continue;
            }
            let Some((name, value)) = line.split_once(':') else {
                return fail(index + 1, "expected a header such as `name: value`");
            };
            if name.is_empty() || name.contains([' ', '\t']) {
                return fail(index + 1, "a header's name is not empty and holds no white space");
            }
            headers.push((name.to_owned(), value.trim().to_owned()));
        }

        let header =
            |wanted: &str| headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value);
        let url = if is_absolute(target) {
            target.to_owned()
        } else {
            let Some(host) = header("host").filter(|host| !host.is_empty()) else {
                return fail(1, "there is no `host` header: add it, or write an absolute URL in the request line");
            };
            let slash = if target.starts_with('/') { "" } else { "/" };
            format!("https://{host}{slash}{target}")
        };
        let body = match header("content-length").map(|length| length.parse::<usize>()) {
            None => body,
            Some(Ok(length)) if length == body.len() => body,
            // An editor's line end after the body is not part of it.
            Some(Ok(length))
                if length < body.len() && body[length..].iter().all(|byte| matches!(byte, b'\r' | b'\n')) =>
            {
                &body[..length]
            }
            Some(Ok(_)) => return fail(1, "the body is not as long as `content-length` says"),
            Some(Err(_)) => return fail(1, "`content-length` is not a number"),
        };
        let (method, body) = (method.to_owned(), body.to_vec());
        Ok(Self { method, url, headers, body })
    }

    /// The first header with this name, in any case.
    pub(crate) fn header(&self, wanted: &str) -> Option<&str> {
        self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.as_str())
    }

    /// Writes the request as it goes over the wire, with `headers` added; one that is there already is replaced.
    pub(crate) fn render(&self, added: &[(String, String)], url: &str) -> Vec<u8> {
        let mut text = format!("{} {} HTTP/1.1\r\n", self.method, target_of(url));
        let is_added = |name: &str| added.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
        if self.header("host").is_none() && !is_added("host") {
            text += &format!("host: {}\r\n", authority_of(url));
        }
        for (name, value) in self.headers.iter().filter(|(name, _)| !is_added(name)).chain(added) {
            text += &format!("{name}: {value}\r\n");
        }
        let mut text = (text + "\r\n").into_bytes();
        text.extend_from_slice(&self.body);
        text
    }
}

/// Splits at the first empty line.
fn split_head(text: &[u8]) -> (&[u8], &[u8]) {
    let mut from = 0;
    while let Some(length) = text[from..].iter().position(|byte| *byte == b'\n') {
        let line = &text[from..from + length];
        let next = from + length + 1;
        if from > 0 && (line.is_empty() || line == b"\r") {
            return (&text[..from], &text[next..]);
        }
        from = next;
    }
    (text, &[])
}

fn is_absolute(target: &str) -> bool {
    let scheme = target.split_once("://").map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http"))
}

/// The path and the query of an absolute URL.
pub(crate) fn target_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    match rest.find(['/', '?']) {
        Some(at) => &rest[at..],
        None => "/",
    }
}

/// The host, and the port if any, of an absolute URL.
pub(crate) fn authority_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())]
}

/// The host of an authority: without the port, with the brackets of an IPv6 address.
pub(crate) fn host_of(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

/// Percent-encodes what a URL may not hold as it is: spaces, non-ASCII characters, quotes and the like. What is encoded
/// already stays, a `%` that encodes nothing becomes `%25`, and a fragment is dropped.
pub(crate) fn encode_url(url: &str) -> String {
    let url = url.split('#').next().unwrap_or_default();
    let start = url.len() - target_of_or_empty(url).len();
    let mut encoded = String::with_capacity(url.len() + 16);
    encoded.push_str(&url[..start]);
    let bytes = &url.as_bytes()[start..];
    for (index, &byte) in bytes.iter().enumerate() {
        let digits = || bytes.get(index + 1..index + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let stands = match byte {
            b'%' => digits(),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => true,
            b'-' | b'.' | b'_' | b'~' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=' => {
                true
            }
            b':' | b'@' | b'/' | b'?' => true,
            _ => false,
        };
        if stands {
            encoded.push(char::from(byte));
        } else {
            encoded += &format!("%{byte:02X}");
        }
    }
    encoded
}

fn target_of_or_empty(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find(['/', '?']).map_or("", |at| &rest[at..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_with_raw_path_and_folded_header() {
        let text =
            b"GET /a b/\xc3\xa9?x= y HTTP/1.1\r\nHost:example.amazonaws.com\r\nX-A: v1\r\n  v2\r\nX-A:v3\r\n\r\n";
        let request = RequestText::parse(text).unwrap();
        assert_eq!(request.method, "GET");
        assert_eq!(request.url, "https://example.amazonaws.com/a b/é?x= y");
        let headers: Vec<_> = request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(headers, [("Host", "example.amazonaws.com"), ("X-A", "v1 v2"), ("X-A", "v3")]);
        assert!(request.body.is_empty());
    }

    #[test]
    fn an_absolute_url_needs_no_host_header() {
        let request = RequestText::parse(b"POST http://localhost:9000/x HTTP/1.1\n\nbody\n").unwrap();
        assert_eq!((request.url.as_str(), request.body.as_slice()), ("http://localhost:9000/x", &b"body\n"[..]));
        assert_eq!(RequestText::parse(b"GET https://h").unwrap().url, "https://h");
    }

    #[test]
    fn a_content_length_ends_the_body() {
        let with = |length: &str| {
            RequestText::parse(format!("PUT / HTTP/1.1\nhost: h\ncontent-length: {length}\n\nab\r\n").as_bytes())
        };
        assert_eq!(with("2").unwrap().body, b"ab");
        assert_eq!(with("4").unwrap().body, b"ab\r\n");
        assert!(with("1").is_err() && with("9").is_err() && with("x").is_err());
    }

    #[test]
    fn what_is_no_request_is_refused_with_its_line() {
        let line = |text: &[u8]| RequestText::parse(text).unwrap_err().to_string();
        assert!(line(b"").starts_with("line 1: expected a request line"));
        assert!(line(b"GET / HTTP/1.1\n\n").contains("no `host` header"));
        assert!(line(b"GET / HTTP/1.1\nhost: h\nbroken\n\n").starts_with("line 3: "));
        assert!(line(b"GET / HTTP/1.1\n folded\n\n").starts_with("line 2: "));
        assert!(line(b"GET / HTTP/1.1\nbad name: x\n\n").starts_with("line 2: "));
        assert!(line(b"GET /\xff HTTP/1.1\n\n").contains("UTF-8"));
    }

    #[test]
    fn an_added_header_replaces_its_namesake() {
        let request = RequestText::parse(b"GET /a?b HTTP/1.1\nHost: h\nAuthorization: old\n\n").unwrap();
        let text = request.render(&[("authorization".into(), "new".into())], "https://h/a?b");
        assert_eq!(String::from_utf8(text).unwrap(), "GET /a?b HTTP/1.1\r\nHost: h\r\nauthorization: new\r\n\r\n");
    }

    #[test]
    fn urls_come_apart() {
        assert_eq!(target_of("https://h:1/a/b?c"), "/a/b?c");
        assert_eq!(target_of("https://h"), "/");
        assert_eq!(target_of("https://h?c"), "?c");
        assert_eq!(authority_of("https://h:1?c/d"), "h:1");
        assert_eq!((host_of("h:1"), host_of("[::1]:9"), host_of("[::1]")), ("h", "[::1]", "[::1]"));
    }

    #[test]
    fn urls_are_encoded_once() {
        assert_eq!(encode_url("https://h/a b/é?q=ü \"x\"#top"), "https://h/a%20b/%C3%A9?q=%C3%BC%20%22x%22");
        assert_eq!(encode_url("https://h/a%20b%2Fc?x=%7e+y"), "https://h/a%20b%2Fc?x=%7e+y");
        assert_eq!(encode_url("https://h/100%"), "https://h/100%25");
        assert_eq!(encode_url("https://[::1]:9/[x]|^"), "https://[::1]:9/%5Bx%5D%7C%5E");
        assert_eq!(encode_url("https://h"), "https://h");
    }
}
