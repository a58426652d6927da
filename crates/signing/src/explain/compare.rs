//! What a server computed instead, and what that tells of the cause.

use std::fmt;

use aws_sigv4_free_http_transport::redact::{REDACTED, is_sensitive_header_name};

use super::{Explanation, lines_of};
use crate::encoding::{Part, encode, encode_decoded};

/// What a server said of a signature: fields of the error that it answered with. All are optional; the more, the surer.
#[derive(Clone, Copy, Default)]
#[non_exhaustive]
pub struct ServerView<'a> {
    /// The error's code, such as `SignatureDoesNotMatch`.
    pub code: Option<&'a str>,
    /// The error's message.
    pub message: Option<&'a str>,
    /// The canonical request that the server computed (`<CanonicalRequest>`).
    pub canonical_request: Option<&'a str>,
    /// The string to sign that the server computed (`<StringToSign>`).
    pub string_to_sign: Option<&'a str>,
}

impl<'a> ServerView<'a> {
    /// Nothing known yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the error's code.
    #[must_use]
    pub fn code(mut self, code: &'a str) -> Self {
        self.code = Some(code);
        self
    }

    /// Adds the error's message.
    #[must_use]
    pub fn message(mut self, message: &'a str) -> Self {
        self.message = Some(message);
        self
    }

    /// Adds the canonical request that the server computed.
    #[must_use]
    pub fn canonical_request(mut self, canonical_request: &'a str) -> Self {
        self.canonical_request = Some(canonical_request);
        self
    }

    /// Adds the string to sign that the server computed.
    #[must_use]
    pub fn string_to_sign(mut self, string_to_sign: &'a str) -> Self {
        self.string_to_sign = Some(string_to_sign);
        self
    }
}

// A canonical request may hold a session token.
impl fmt::Debug for ServerView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerView")
            .field("code", &self.code)
            .field("message", &self.message)
            .field("canonical_request", &self.canonical_request.map(lines_of))
            .field("string_to_sign", &self.string_to_sign)
            .finish()
    }
}

/// Why a server refused a signature: where it differs first, and the likely causes, the likeliest first.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Diagnosis {
    /// The first place where the two sides differ; `None` where they agree, or the server did not say.
    pub difference: Option<Difference>,
    /// The likely causes.
    pub causes: Vec<Cause>,
}

/// The first place where the two sides differ.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// The line: `path`, `query`, `header host`, `signed headers`, `payload hash`, `credential scope`, ...
    pub line: String,
    /// The position in the line of the first byte that differs, from 0.
    pub at: usize,
    /// The line as it was signed here; `None` where the line is missing. Redacted.
    pub ours: Option<String>,
    /// The line as the server has it; `None` where the line is missing. Redacted.
    pub server: Option<String>,
}

/// A likely cause.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cause {
    /// What it is.
    pub kind: CauseKind,
    /// What happened, and what to do, in words.
    pub text: String,
}

/// What makes signatures differ.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CauseKind {
    /// Both sides signed the same text: the secret access key is another one.
    Secret,
    /// The access key id is unknown to the server.
    AccessKeyId,
    /// The session token is missing, expired, or belongs to other credentials.
    SessionToken,
    /// The clocks differ, or the URL has expired.
    Clock,
    /// The region or the service of the credential scope.
    Scope,
    /// The method.
    Method,
    /// The path: how often it is encoded, or whether it is normalised.
    Path,
    /// The query: encoding, a parameter more or less.
    Query,
    /// The host, or its port.
    Host,
    /// Another header: changed, added or dropped on the way.
    Header,
    /// The body, or what the signature says of it.
    Payload,
    /// The server did not say enough to tell.
    Unknown,
}

/// Holds an explanation against a server's view.
pub(super) fn diagnose(ours: &Explanation, server: &ServerView<'_>) -> Diagnosis {
    let mut causes = Vec::new();
    let mut difference = None;
    let theirs = server.canonical_request.map(|text| text.replace("\r\n", "\n"));
    if let Some(theirs) = &theirs {
        compare_canonical(ours.canonical_request(), theirs.trim_end_matches('\n'), &mut difference, &mut causes);
    }
    if let (None, Some(theirs)) = (&difference, server.string_to_sign) {
        let request_is_equal = server.canonical_request.is_some();
        compare_strings(ours.string_to_sign(), theirs, request_is_equal, &mut difference, &mut causes);
    }
    let both_agree = difference.is_none() && server.string_to_sign.is_some();
    if both_agree || (difference.is_none() && theirs.is_some()) {
        causes.push(Cause {
            kind: CauseKind::Secret,
            text: format!(
                "the server computed the very same string to sign, so the secret access key is not the one that belongs to \
                 the access key id {}: check for another key pair, a missing character, or white space from copying",
                ours.access_key_id()
            ),
        });
    }
    causes_of_code(ours, server, &mut causes);
    if causes.is_empty() {
        causes.push(Cause {
            kind: CauseKind::Unknown,
            text: "the server did not say what it computed: compare the secret access key, the region and the clock first, \
                   then the lines of the canonical request"
                .into(),
        });
    }
    Diagnosis { difference, causes }
}

/// A canonical request, taken apart.
struct View<'a> {
    method: &'a str,
    path: &'a str,
    query: &'a str,
    headers: Vec<(&'a str, &'a str)>,
    signed_headers: &'a str,
    payload_hash: &'a str,
}

impl<'a> View<'a> {
    fn of(text: &'a str) -> Self {
        let mut lines: Vec<&str> = text.split('\n').collect();
        let payload_hash = lines.pop().unwrap_or_default();
        let signed_headers = lines.pop().unwrap_or_default();
        let line = |index: usize| lines.get(index).copied().unwrap_or_default();
        let headers = lines.iter().skip(3).filter(|line| !line.is_empty());
        Self {
            method: line(0),
            path: line(1),
            query: line(2),
            headers: headers.map(|line| line.split_once(':').unwrap_or((line, ""))).collect(),
            signed_headers,
            payload_hash,
        }
    }
}

fn compare_canonical(ours: &str, theirs: &str, difference: &mut Option<Difference>, causes: &mut Vec<Cause>) {
    if ours == theirs {
        return;
    }
    let (ours, theirs) = (View::of(ours), View::of(theirs));
    let mut found = |line: &str, our: Option<&str>, their: Option<&str>, cause: Option<(CauseKind, String)>| {
        difference.get_or_insert_with(|| {
            let at = first_difference(our.unwrap_or_default(), their.unwrap_or_default());
            let shown = |text: Option<&str>| {
                let is_secret = line.strip_prefix("header ").is_some_and(is_sensitive_header_name);
                text.map(|text| match line {
                    _ if is_secret => REDACTED.to_owned(),
                    "query" => super::redact_query(text),
                    _ => text.to_owned(),
                })
            };
            Difference { line: line.to_owned(), at, ours: shown(our), server: shown(their) }
        });
        if let Some((kind, text)) = cause {
            causes.push(Cause { kind, text });
        }
    };
    if ours.method != theirs.method {
        let text = format!(
            "you signed {}, the server received {}: sign the method that is sent (a redirect or a proxy may change it)",
            ours.method, theirs.method
        );
        found("method", Some(ours.method), Some(theirs.method), Some((CauseKind::Method, text)));
    }
    if ours.path != theirs.path {
        let text = explain_path(ours.path, theirs.path);
        found("path", Some(ours.path), Some(theirs.path), Some((CauseKind::Path, text)));
    }
    if ours.query != theirs.query {
        let text = explain_query(ours.query, theirs.query);
        found("query", Some(ours.query), Some(theirs.query), Some((CauseKind::Query, text)));
    }
    for &(name, our) in &ours.headers {
        let their = theirs.headers.iter().find(|(their, _)| *their == name).map(|(_, value)| *value);
        if their == Some(our) {
            continue;
        }
        let kind = if name == "host" { CauseKind::Host } else { CauseKind::Header };
        let text = match their {
            Some(their) => explain_header(name, our, their),
            None => format!(
                "you signed the header {name}, and the server does not see it: a proxy or the HTTP client dropped it, so \
                 leave it unsigned"
            ),
        };
        found(&format!("header {name}"), Some(our), their, Some((kind, text)));
    }
    for &(name, their) in &theirs.headers {
        if ours.headers.iter().all(|(our, _)| *our != name) {
            let text = format!(
                "the server counts the header {name} among the signed ones, and you did not sign it: add it before signing"
            );
            found(&format!("header {name}"), None, Some(their), Some((CauseKind::Header, text)));
        }
    }
    if ours.signed_headers != theirs.signed_headers {
        // What differs was named with its header, unless only the list differs.
        found("signed headers", Some(ours.signed_headers), Some(theirs.signed_headers), None);
    }
    if ours.payload_hash != theirs.payload_hash {
        let text = explain_payload(ours.payload_hash, theirs.payload_hash);
        found("payload hash", Some(ours.payload_hash), Some(theirs.payload_hash), Some((CauseKind::Payload, text)));
    }
    if difference.is_none() {
        // Equal parts in another arrangement.
        *difference = Some(Difference { line: "canonical request".into(), at: 0, ours: None, server: None });
    }
}

fn first_difference(a: &str, b: &str) -> usize {
    a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count()
}

/// The first differing character or escape of each side, for a sentence.
fn at_difference<'a>(a: &'a str, b: &'a str) -> (String, String) {
    let mut at = first_difference(a, b);
    // An escape is shown whole.
    for back in 1..=2 {
        if at >= back && a.as_bytes().get(at - back) == Some(&b'%') {
            at -= back;
            break;
        }
    }
    let piece = |text: &str| {
        let bytes = text.as_bytes().get(at..).unwrap_or_default();
        match bytes.first() {
            None => "nothing".to_owned(),
            Some(b'%') => String::from_utf8_lossy(&bytes[..bytes.len().min(3)]).into_owned(),
            Some(_) => {
                let length = bytes.iter().skip(1).take_while(|&&byte| byte & 0xC0 == 0x80).count() + 1;
                String::from_utf8_lossy(&bytes[..length]).into_owned()
            }
        }
    };
    (piece(a), piece(b))
}

fn text_of(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8_lossy(&out).into_owned()
}

fn explain_path(ours: &str, theirs: &str) -> String {
    let encoded_again = |text: &str| text_of(|out| encode(out, text.as_bytes(), Part::Path));
    let encoded_once = |text: &str| text_of(|out| encode_decoded(out, text.as_bytes(), Part::Path));
    fn squeezed(text: &str) -> Vec<&str> {
        text.split('/').filter(|segment| !matches!(*segment, "" | ".")).collect()
    }
    if ours.contains("%25") && encoded_again(theirs) == ours {
        return "you signed the path encoded twice, the server encodes it once, as S3 and its kin do: sign with \
                PathEncoding::Single (`SigV4::s3`)"
            .into();
    }
    if theirs.contains("%25") && encoded_again(ours) == theirs {
        return "you signed the path encoded once, the server encodes it twice, as all services but S3 do: sign with \
                PathEncoding::Double (`SigV4::new` with the service's name)"
            .into();
    }
    if encoded_once(ours) == encoded_once(theirs) {
        let (our, their) = at_difference(ours, theirs);
        return format!(
            "you signed {our} in the path where the server has {their}, which stands for the same: sign the path \
                        in its canonical encoding, all but letters, digits and -_.~/ as upper-case escapes"
        );
    }
    if squeezed(ours) == squeezed(theirs) || ours.contains("..") || theirs.contains("..") {
        return if theirs.len() < ours.len() {
            "the server takes dot segments and repeated slashes out of the path, and you signed them: sign with \
             PathNormalization::Normalized"
                .into()
        } else {
            "the server takes the path as it stands, as S3 does, and you signed it normalised: sign with \
             PathNormalization::AsIs"
                .into()
        };
    }
    let (our, their) = at_difference(ours, theirs);
    match (our.as_str(), their.as_str()) {
        ("%20", "%2B" | "+") | ("%2B" | "+", "%20") => format!(
            "you signed {our} in the path where the server has {their}: one side takes + for a space; send %20 for a space and \
             %2B for a plus"
        ),
        _ => format!(
            "you signed {our} in the path where the server has {their}: the path that arrived is not the path that was signed; \
             look for a proxy that rewrites it, or a base path that was added afterwards"
        ),
    }
}

fn explain_query(ours: &str, theirs: &str) -> String {
    let pairs = |query: &str| {
        let mut pairs: Vec<String> = query.split('&').map(str::to_owned).collect();
        pairs.sort();
        pairs
    };
    let (our_pairs, their_pairs) = (pairs(ours), pairs(theirs));
    if our_pairs == their_pairs {
        return "both sides have the same parameters in another order: the canonical query is sorted by encoded name, then by \
                encoded value"
            .into();
    }
    let name = |pair: &str| pair.split('=').next().unwrap_or_default().to_owned();
    let names = |pairs: &[String]| pairs.iter().map(|pair| name(pair)).collect::<Vec<_>>();
    let (our_names, their_names) = (names(&our_pairs), names(&their_pairs));
    if let Some(missing) = our_names.iter().find(|name| !their_names.contains(name)) {
        return format!(
            "you signed the query parameter {missing}, and the server does not see it: it was dropped or renamed \
                        on the way"
        );
    }
    if let Some(added) = their_names.iter().find(|name| !our_names.contains(name)) {
        return format!("the server sees the query parameter {added}, which you did not sign: add it before signing");
    }
    let Some(changed) = our_pairs.iter().find(|pair| !their_pairs.contains(pair)) else {
        return "a query parameter occurs more often on one side: sign the query that is sent".into();
    };
    let changed = name(changed);
    let (our, their) = at_difference(ours, theirs);
    match (our.as_str(), their.as_str()) {
        ("%20", "%2B" | "+") | ("%2B" | "+", "%20") => format!(
            "the query parameter {changed} has {our} where the server has {their}: one side takes + for a space; send %20 for \
             a space and %2B for a plus"
        ),
        _ => format!(
            "the query parameter {changed} is not what the server received: sign the query that is sent, each byte but letters, \
             digits and -_.~ as an upper-case escape"
        ),
    }
}

fn explain_header(name: &str, ours: &str, theirs: &str) -> String {
    if is_sensitive_header_name(name) {
        return format!("the header {name} is not what the server received: send it as it was signed");
    }
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    if name == "host" {
        let host = |text: &str| text.rsplit_once(':').map_or(text.to_owned(), |(host, _)| host.to_owned());
        return if host(ours).eq_ignore_ascii_case(&host(theirs)) && ours.len() != theirs.len() {
            format!(
                "you signed the host {ours}, the server has {theirs}: only one of them has the port; leave out a scheme's \
                     own port (443, 80), send any other"
            )
        } else {
            format!(
                "you signed the host {ours}, the server has {theirs}: a proxy or a load balancer rewrites it; keep the host \
                     on the way, or sign the one that arrives"
            )
        };
    }
    if words(ours) == words(theirs) {
        return format!(
            "the header {name} differs in white space only: the canonical form has none around and single spaces \
                        inside"
        );
    }
    if name == "accept-encoding" {
        return "a proxy on the way changes accept-encoding (Google Cloud Storage and Cloudflare do): leave it unsigned \
                (`SigV4::leave_unsigned`)"
            .into();
    }
    format!(
        "you signed {name}: {ours}, the server has {theirs}: it was changed on the way; leave it unsigned, or find what \
             changes it"
    )
}

fn explain_payload(ours: &str, theirs: &str) -> String {
    let empty = crate::payload::EMPTY_SHA256;
    let is_hash = |text: &str| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match (ours, theirs) {
        (ours, "UNSIGNED-PAYLOAD") if is_hash(ours) => {
            "you signed the hash of the body, the server expects UNSIGNED-PAYLOAD, as in presigned S3 URLs and VPC Lattice: \
             sign with Payload::Unsigned"
                .into()
        }
        ("UNSIGNED-PAYLOAD", _) => {
            "you signed UNSIGNED-PAYLOAD, the server wants the body's hash: sign the body, or send the header \
             x-amz-content-sha256"
                .into()
        }
        (_, theirs) if theirs == empty => {
            "the server saw an empty body: it was not sent, was dropped by a redirect, or the signature is for a body that \
             comes later"
                .into()
        }
        (ours, _) if ours == empty => {
            "you signed an empty body, and one was sent: give the signer the body (`Payload::bytes`)".into()
        }
        _ => "the body that arrived is not the body that was signed: it was changed after signing, compressed on the way, or \
              signed in another encoding"
            .into(),
    }
}

fn compare_strings(
    ours: &str,
    theirs: &str,
    request_is_equal: bool,
    difference: &mut Option<Difference>,
    causes: &mut Vec<Cause>,
) {
    let names = ["algorithm", "time", "credential scope", "canonical request hash"];
    let (our_lines, their_lines): (Vec<&str>, Vec<&str>) =
        (ours.lines().collect(), theirs.trim_end().lines().collect());
    for (index, name) in names.into_iter().enumerate() {
        let (our, their) = (our_lines.get(index).copied(), their_lines.get(index).copied());
        if our == their {
            continue;
        }
        let at = first_difference(our.unwrap_or_default(), their.unwrap_or_default());
        difference.get_or_insert_with(|| Difference {
            line: name.to_owned(),
            at,
            ours: our.map(str::to_owned),
            server: their.map(str::to_owned),
        });
        let (our, their) = (our.unwrap_or_default(), their.unwrap_or_default());
        let (kind, text) = match index {
            0 => (CauseKind::Unknown, format!("you signed with {our}, the server expects {their}")),
            1 => (CauseKind::Clock, format!("you signed for {our}, the server reads {their}: send the x-amz-date that was signed")),
            2 => {
                let parts = our.split('/').zip(their.split('/')).zip(["day", "region", "service"]);
                let wrong: Vec<String> = parts
                    .filter(|((our, their), _)| our != their)
                    .map(|((our, their), name)| format!("the {name} is {our} here and {their} there"))
                    .collect();
                (CauseKind::Scope, format!("the credential scopes differ: {}", wrong.join(", ")))
            }
            _ if request_is_equal => (
                CauseKind::Unknown,
                "the canonical requests look alike, but their hashes differ: the server's text was changed in the error, by \
                 line ends or escapes"
                    .into(),
            ),
            _ => (
                CauseKind::Unknown,
                "the canonical requests differ, and the server did not send its own: compare the lines with the request that \
                 arrives there"
                    .into(),
            ),
        };
        causes.push(Cause { kind, text });
    }
}

fn causes_of_code(ours: &Explanation, server: &ServerView<'_>, causes: &mut Vec<Cause>) {
    let message = server.message.unwrap_or_default().to_ascii_lowercase();
    let found = match server.code.unwrap_or_default() {
        "InvalidAccessKeyId"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "AuthFailure"
        | "NotSignedUp" => (
            CauseKind::AccessKeyId,
            format!(
                "the server does not know the access key id {}: check that it was not deleted, belongs to this partition or \
                 store, and, where it is temporary (ASIA...), that its session token is sent",
                ours.access_key_id()
            ),
        ),
        "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" => {
            (CauseKind::SessionToken, "the session token has expired: get new temporary credentials".into())
        }
        "InvalidToken" => (
            CauseKind::SessionToken,
            "the session token is damaged or belongs to another access key id: take all three values from one answer"
                .into(),
        ),
        "RequestTimeTooSkewed" | "RequestExpired" | "RequestInTheFuture" => (
            CauseKind::Clock,
            "this machine's clock and the server's are too far apart: set the clock (more than 15 minutes)".into(),
        ),
        "AuthorizationHeaderMalformed" | "AuthorizationQueryParametersError" => (
            CauseKind::Scope,
            format!(
                "the server does not accept the credential scope {}: sign for the region that its message names",
                ours.credential_scope()
            ),
        ),
        "XAmzContentSHA256Mismatch" | "BadDigest" => (
            CauseKind::Payload,
            "the body that arrived does not have the hash that was signed: it was changed after signing".into(),
        ),
        "AccessDenied" | "ExpiredPresignedRequest" if message.contains("expired") => (
            CauseKind::Clock,
            "the presigned URL has expired: make a new one, or let it live longer (7 days at the most)".into(),
        ),
        "AccessDenied" if message.contains("headers present") => (
            CauseKind::Header,
            "a header that starts with x-amz- was sent and not signed: add it before signing".into(),
        ),
        _ => return,
    };
    causes.push(Cause { kind: found.0, text: found.1 });
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(difference) = &self.difference {
            writeln!(f, "first difference: {}, byte {}", difference.line, difference.at)?;
            for (side, text) in [("signed here", &difference.ours), ("server", &difference.server)] {
                match text {
                    Some(text) => writeln!(f, "  {side:<12} {}", printable(text))?,
                    None => writeln!(f, "  {side:<12} (no such line)")?,
                }
            }
        }
        for (index, cause) in self.causes.iter().enumerate() {
            writeln!(f, "{} {}", if index == 0 { "likely cause:" } else { "or:          " }, printable(&cause.text))?;
        }
        Ok(())
    }
}

/// What a server sent may hold control characters, which a terminal would obey.
fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() { shown.extend(character.escape_default()) } else { shown.push(character) }
    }
    shown
}

#[cfg(test)]
mod tests;
