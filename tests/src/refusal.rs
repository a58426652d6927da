//! What Amazon S3 adds when it refuses a signature: the canonical request and the string to sign that it computed.
//!
//! The in-process server says only that the signature does not match. This computes the rest from the request as it arrived,
//! by a canonicaliser of its own: nothing of the signer under test is used.

use std::fmt::Write as _;

use http::request::Parts;
use sha2::{Digest as _, Sha256};

/// What a server computed.
#[derive(Debug, PartialEq, Eq)]
pub struct Computed {
    /// The canonical request.
    pub canonical_request: String,
    /// The string to sign.
    pub string_to_sign: String,
}

/// Computes both for a request with a signature in its headers or in its query; `None` for one without.
pub fn compute(request: &Parts) -> Option<Computed> {
    let header = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok());
    let pairs: Vec<(String, String)> =
        request.uri.query().unwrap_or_default().split('&').filter(|p| !p.is_empty()).map(pair).collect();
    let parameter = |wanted: &str| pairs.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());

    let (credential, signed_headers, date, payload) = match header("authorization") {
        Some(value) => {
            let field =
                |wanted: &str| value.split([' ', ',']).find_map(|part| part.strip_prefix(wanted)?.strip_prefix('='));
            let payload = header("x-amz-content-sha256")?;
            (field("Credential")?, field("SignedHeaders")?, header("x-amz-date")?, payload)
        }
        None => (
            parameter("X-Amz-Credential")?,
            parameter("X-Amz-SignedHeaders")?,
            parameter("X-Amz-Date")?,
            header("x-amz-content-sha256").unwrap_or("UNSIGNED-PAYLOAD"),
        ),
    };
    let (_, scope) = credential.split_once('/')?;

    let mut canonical_request = format!("{}\n{}\n", request.method, encoded(&decoded(request.uri.path()), true));
    let mut query: Vec<(String, String)> = pairs
        .iter()
        .filter(|(name, _)| name != "X-Amz-Signature")
        .map(|(name, value)| (encoded(name.as_bytes(), false), encoded(value.as_bytes(), false)))
        .collect();
    query.sort();
    let query: Vec<String> = query.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    canonical_request += &query.join("&");
    canonical_request.push('\n');
    for name in signed_headers.split(';') {
        let values =
            request.headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let values: Vec<String> = values
            .map(|value| value.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" "))
            .collect();
        let _ = writeln!(canonical_request, "{name}:{}", values.join(","));
    }
    let _ = write!(canonical_request, "\n{signed_headers}\n{payload}");

    let hash = hex(&Sha256::digest(canonical_request.as_bytes()));
    let string_to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{hash}");
    Some(Computed { canonical_request, string_to_sign })
}

/// The error document with what was computed, as Amazon S3 lays it out.
pub fn with_details(document: &str, computed: &Computed) -> Option<String> {
    let (front, end) = document.rsplit_once("</Error>")?;
    Some(format!(
        "{front}<StringToSign>{}</StringToSign><CanonicalRequest>{}</CanonicalRequest></Error>{end}",
        escaped(&computed.string_to_sign),
        escaped(&computed.canonical_request),
    ))
}

fn pair(text: &str) -> (String, String) {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    let plain = |text: &str| String::from_utf8_lossy(&decoded(text)).into_owned();
    (plain(name), plain(value))
}

fn decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = bytes.get(at + 1..at + 3).and_then(|digits| std::str::from_utf8(digits).ok());
        match escape.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if bytes[at] == b'%' => {
                out.push(byte);
                at += 3;
            }
            _ => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    out
}

fn encoded(bytes: &[u8], keep_slash: bool) -> String {
    let mut out = String::new();
    for &byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            b'/' if keep_slash => out.push('/'),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

fn hex(bytes: &[u8]) -> String {
    let mut out = String::new();
    for byte in bytes {
        let _ = write!(out, "{byte:02x}");
    }
    out
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
