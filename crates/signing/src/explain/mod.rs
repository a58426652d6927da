//! Every step of a signature with a name, and what a server computed instead.

mod compare;
mod presented;

use std::fmt;

use aws_sigv4_free_http_transport::redact::{REDACTED, is_sensitive_header_name, is_sensitive_parameter};
use time::OffsetDateTime;

pub use compare::{Cause, CauseKind, Diagnosis, Difference, ServerView};
pub use presented::PresentedSignature;

use crate::sigv4::RawRequest;
use crate::{Credentials, Payload, SigV4, SigningError};

/// Every step of a signature: what was computed, line by line, and which headers it covers.
///
/// `Display` is a report for people, without the session token and without the signature.
#[derive(Clone)]
pub struct Explanation {
    canonical_request: String,
    string_to_sign: String,
    signature: String,
    access_key_id: String,
    unsigned_headers: Vec<UnsignedHeader>,
}

/// One line of the canonical request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Line<'a> {
    /// What the line is: `method`, `path`, `query`, `header host`, `end of headers`, `signed headers`, `payload hash`.
    pub name: String,
    /// The line, with its secrets redacted.
    pub text: std::borrow::Cow<'a, str>,
}

/// A header that the signature does not cover.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnsignedHeader {
    /// Its name, in lower case.
    pub name: String,
    /// Why it is left out.
    pub reason: &'static str,
}

impl SigV4 {
    /// Explains the signature that [`sign_raw`](Self::sign_raw) makes.
    ///
    /// # Errors
    /// Those of [`sign_raw`](Self::sign_raw).
    ///
    /// # Example
    /// ```
    /// use aws_sigv4_free_signing::{Credentials, Payload, RawRequest, SigV4};
    /// use time::OffsetDateTime;
    ///
    /// let request = RawRequest::new("GET", "https://example.amazonaws.com/a b?x=1");
    /// let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
    /// let explanation =
    ///     SigV4::new("service", "us-east-1").explain(&request, Payload::empty(), &credentials, OffsetDateTime::UNIX_EPOCH)?;
    /// assert_eq!(explanation.lines()[1].name, "path");
    /// assert_eq!(explanation.lines()[1].text, "/a%20b");
    /// assert_eq!(explanation.credential_scope(), "19700101/us-east-1/service/aws4_request");
    /// # Ok::<(), aws_sigv4_free_signing::SigningError>(())
    /// ```
    pub fn explain(
        &self,
        request: &RawRequest,
        payload: Payload<'_>,
        credentials: &Credentials,
        now: OffsetDateTime,
    ) -> Result<Explanation, SigningError> {
        let signed = self.sign_raw(request, payload, credentials, now)?;
        Ok(self.explanation(request, signed, credentials))
    }

    /// Explains the signature that [`presign_raw`](Self::presign_raw) makes.
    ///
    /// # Errors
    /// Those of [`presign_raw`](Self::presign_raw).
    pub fn explain_presigned(
        &self,
        request: &RawRequest,
        payload: Option<Payload<'_>>,
        expires_in: std::time::Duration,
        credentials: &Credentials,
        now: OffsetDateTime,
    ) -> Result<Explanation, SigningError> {
        let signed = self.presign_raw(request, payload, expires_in, credentials, now)?;
        Ok(self.explanation(request, signed, credentials))
    }

    fn explanation(
        &self,
        request: &RawRequest,
        signed: crate::sigv4::RawSignature,
        credentials: &Credentials,
    ) -> Explanation {
        let mut unsigned_headers: Vec<UnsignedHeader> = Vec::new();
        for (name, _) in request.headers() {
            if !self.signs_header(name) && unsigned_headers.iter().all(|header| header.name != name) {
                let reason = if crate::settings::is_unsigned_header(name) {
                    "proxies and HTTP clients add, change or drop it on the way"
                } else {
                    "the signer was told to leave it out"
                };
                unsigned_headers.push(UnsignedHeader { name: name.to_owned(), reason });
            }
        }
        Explanation {
            canonical_request: signed.canonical_request,
            string_to_sign: signed.string_to_sign,
            signature: signed.signature,
            access_key_id: credentials.access_key_id().to_owned(),
            unsigned_headers,
        }
    }
}

impl Explanation {
    /// The canonical request, whole. It holds the session token where that is signed: print [`lines`](Self::lines) instead.
    pub fn canonical_request(&self) -> &str {
        &self.canonical_request
    }

    /// The lines of the canonical request with their names, secrets redacted.
    pub fn lines(&self) -> Vec<Line<'_>> {
        lines_of(&self.canonical_request)
    }

    /// The string to sign: algorithm, time, credential scope, SHA-256 of the canonical request.
    pub fn string_to_sign(&self) -> &str {
        &self.string_to_sign
    }

    /// The credential scope: day, region, service, `aws4_request`.
    pub fn credential_scope(&self) -> &str {
        self.string_to_sign.lines().nth(2).unwrap_or_default()
    }

    /// The access key id.
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// The names of the headers that the signature covers.
    pub fn signed_headers(&self) -> impl Iterator<Item = &str> {
        let mut lines = self.canonical_request.rsplit('\n');
        lines.nth(1).unwrap_or_default().split(';')
    }

    /// The headers that the signature does not cover, and why.
    pub fn unsigned_headers(&self) -> &[UnsignedHeader] {
        &self.unsigned_headers
    }

    /// The signature: 64 hexadecimal digits. Whoever sees it with the request can send that request for some minutes.
    pub fn signature(&self) -> &str {
        &self.signature
    }

    /// Holds this signature against what a server said of it.
    pub fn compare(&self, server: &ServerView<'_>) -> Diagnosis {
        compare::diagnose(self, server)
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "canonical request")?;
        for line in self.lines() {
            writeln!(f, "  {:<24} {}", line.name, line.text)?;
        }
        writeln!(f, "string to sign")?;
        let names = ["algorithm", "time", "credential scope", "canonical request hash"];
        for (name, line) in names.iter().zip(self.string_to_sign.lines()) {
            writeln!(f, "  {name:<24} {line}")?;
        }
        writeln!(f, "access key id              {}", self.access_key_id)?;
        for header in &self.unsigned_headers {
            writeln!(f, "not signed: {} ({})", header.name, header.reason)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Explanation")
            .field("lines", &self.lines())
            .field("string_to_sign", &self.string_to_sign)
            .field("access_key_id", &self.access_key_id)
            .field("unsigned_headers", &self.unsigned_headers)
            .finish_non_exhaustive()
    }
}

/// Names and redacts the lines of any canonical request, a server's too.
pub(crate) fn lines_of(canonical_request: &str) -> Vec<Line<'_>> {
    let all: Vec<&str> = canonical_request.split('\n').collect();
    let from_end = all.len().saturating_sub(2);
    all.iter()
        .enumerate()
        .map(|(index, &text)| match index {
            0 => Line { name: "method".into(), text: text.into() },
            1 => Line { name: "path".into(), text: text.into() },
            2 => Line { name: "query".into(), text: redact_query(text).into() },
            _ if index == from_end + 1 => Line { name: "payload hash".into(), text: text.into() },
            _ if index == from_end => Line { name: "signed headers".into(), text: text.into() },
            _ if text.is_empty() => Line { name: "end of headers".into(), text: text.into() },
            _ => {
                let (name, _) = text.split_once(':').unwrap_or((text, ""));
                let shown =
                    if is_sensitive_header_name(name) { format!("{name}:{REDACTED}").into() } else { text.into() };
                Line { name: format!("header {name}"), text: shown }
            }
        })
        .collect()
}

/// The query of a canonical request, without its token. The access key id and the scope stay: they are what is compared.
fn redact_query(query: &str) -> String {
    let pairs: Vec<String> = query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name, _)) if is_sensitive_parameter(name) && !name.eq_ignore_ascii_case("X-Amz-Credential") => {
                format!("{name}={REDACTED}")
            }
            _ => pair.to_owned(),
        })
        .collect();
    pairs.join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explain(request: &RawRequest) -> Explanation {
        let credentials = Credentials::new("AKID", "canary-secret").with_session_token("canary-token");
        SigV4::s3("us-east-1").explain(request, Payload::Unsigned, &credentials, OffsetDateTime::UNIX_EPOCH).unwrap()
    }

    #[test]
    fn each_line_has_a_name() {
        let explanation =
            explain(&RawRequest::new("GET", "https://h/k?a").header("User-Agent", "x").header("X-B", "1"));
        let names: Vec<String> = explanation.lines().into_iter().map(|line| line.name).collect();
        assert_eq!(
            names,
            [
                "method",
                "path",
                "query",
                "header host",
                "header x-amz-content-sha256",
                "header x-amz-date",
                "header x-amz-security-token",
                "header x-b",
                "end of headers",
                "signed headers",
                "payload hash"
            ]
        );
        assert_eq!(explanation.unsigned_headers()[0].name, "user-agent");
        let signed: Vec<&str> = explanation.signed_headers().collect();
        assert_eq!(signed, ["host", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token", "x-b"]);
    }

    #[test]
    fn no_secret_is_printed() {
        let explanation = explain(&RawRequest::new("GET", "https://h/k?token=canary-query"));
        for shown in [format!("{explanation}"), format!("{explanation:?}")] {
            assert!(!shown.contains("canary"), "{shown}");
            assert!(!shown.contains(explanation.signature()), "{shown}");
        }
    }
}
