//! One line of `sign --jsonl`: a request as JSON in, its signature as JSON out.

mod algorithm;

use std::borrow::Cow;

use algorithm::Task;
use aws_sigv4_free_signing::{
    Credentials, Payload, RawRequest, RawSignature, Secret, SigningError, SigningErrorKind, StreamingPayload,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// How long a presigned URL lives unless the line says otherwise.
const DEFAULT_EXPIRES: u64 = 3600;

/// A member: its name, what it has to be, and whether a value is that.
type Member = (&'static str, &'static str, fn(&Value) -> bool);

/// Members that a line may have, with what each has to be: to name the one that is wrong without repeating its value, which
/// may be a secret.
const MEMBERS: [Member; 20] = [
    ("method", "a string", Value::is_string),
    ("url", "a string", Value::is_string),
    ("region", "a string", Value::is_string),
    ("service", "a string", Value::is_string),
    ("time", "a string", Value::is_string),
    ("access_key_id", "a string", Value::is_string),
    ("secret_access_key", "a string", Value::is_string),
    ("algorithm", "a string", Value::is_string),
    ("mode", "a string", Value::is_string),
    ("body", "a string", Value::is_string),
    ("body_base64", "a string", Value::is_string),
    ("payload", "a string", Value::is_string),
    ("session_token", "a string", Value::is_string),
    ("expires", "a number of seconds", Value::is_u64),
    ("normalize_path", "true or false", Value::is_boolean),
    ("double_encode", "true or false", Value::is_boolean),
    ("omit_session_token", "true or false", Value::is_boolean),
    ("content_sha256_header", "true or false", Value::is_boolean),
    ("headers", "a list of [name, value] pairs of strings", is_headers),
    ("id", "any value", |_| true),
];

/// How many of [`MEMBERS`], from the first on, every line has to have.
const REQUIRED: usize = 7;

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    algorithm: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    mode: Option<Cow<'a, str>>,
    #[serde(borrow)]
    method: Cow<'a, str>,
    #[serde(borrow)]
    url: Cow<'a, str>,
    #[serde(borrow, default)]
    headers: Option<Vec<(Cow<'a, str>, Cow<'a, str>)>>,
    #[serde(borrow, default)]
    body: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    body_base64: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    payload: Option<Cow<'a, str>>,
    #[serde(borrow)]
    region: Cow<'a, str>,
    #[serde(borrow)]
    service: Cow<'a, str>,
    #[serde(borrow)]
    time: Cow<'a, str>,
    #[serde(borrow)]
    access_key_id: Cow<'a, str>,
    #[serde(borrow)]
    secret_access_key: Cow<'a, str>,
    #[serde(borrow, default)]
    session_token: Option<Cow<'a, str>>,
    expires: Option<u64>,
    normalize_path: Option<bool>,
    double_encode: Option<bool>,
    omit_session_token: Option<bool>,
    content_sha256_header: Option<bool>,
}

#[derive(Serialize)]
struct Signed<'a> {
    id: Option<&'a RawValue>,
    canonical_request: &'a str,
    string_to_sign: &'a str,
    signature: &'a str,
    headers: &'a [(String, String)],
    url: &'a str,
}

#[derive(Serialize)]
struct Unsigned<'a> {
    id: Option<&'a RawValue>,
    error: ErrorObject<'a>,
}

#[derive(Serialize)]
struct ErrorObject<'a> {
    kind: &'static str,
    message: &'a str,
    line: u64,
}

/// Why a line was not signed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LineError {
    kind: &'static str,
    message: String,
}

impl LineError {
    pub(crate) fn new(kind: &'static str, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

impl From<SigningError> for LineError {
    fn from(error: SigningError) -> Self {
        Self::new(signing_error_name(error.kind()), error.to_string())
    }
}

/// The name of a signing error in JSON.
fn signing_error_name(kind: SigningErrorKind) -> &'static str {
    match kind {
        SigningErrorKind::AlreadySigned => "already_signed",
        SigningErrorKind::MissingHost => "missing_host",
        SigningErrorKind::InvalidUrl => "invalid_url",
        SigningErrorKind::InvalidHeader => "invalid_header",
        SigningErrorKind::InvalidScope => "invalid_scope",
        SigningErrorKind::InvalidCredentials => "invalid_credentials",
        SigningErrorKind::InvalidExpiry => "invalid_expires",
        SigningErrorKind::InvalidTime => "invalid_time",
        _ => "signing_failed",
    }
}

/// Signs the request in `text`, which is line `number` of the input, and appends the answer with its line end to `out`.
pub(crate) fn answer(text: &[u8], number: u64, out: &mut Vec<u8>) {
    match serde_json::from_slice::<Line<'_>>(text) {
        Ok(line) => match sign(&line) {
            Ok(signature) => write(
                out,
                &Signed {
                    id: line.id,
                    canonical_request: &signature.canonical_request,
                    string_to_sign: &signature.string_to_sign,
                    signature: &signature.signature,
                    headers: &signature.headers,
                    url: &signature.url,
                },
            ),
            Err(error) => refuse(line.id, &error, number, out),
        },
        Err(error) => {
            let error = if error.is_data() { explain_members(text) } else { not_json(&error) };
            refuse(id_of(text), &error, number, out);
        }
    }
}

/// Appends the answer to a line that can't be signed.
pub(crate) fn refuse(id: Option<&RawValue>, error: &LineError, line: u64, out: &mut Vec<u8>) {
    let message = match error.kind {
        "invalid_json" | "too_long" => Cow::Owned(format!("line {line}: {}", error.message)),
        _ => Cow::Borrowed(error.message.as_str()),
    };
    write(out, &Unsigned { id, error: ErrorObject { kind: error.kind, message: &message, line } });
}

fn write(out: &mut Vec<u8>, value: &impl Serialize) {
    // A vector takes everything, and these values have string keys only.
    if serde_json::to_writer(&mut *out, value).is_ok() {
        out.push(b'\n');
    }
}

/// The id of a line whose other members are wrong.
fn id_of(text: &[u8]) -> Option<&RawValue> {
    #[derive(Deserialize)]
    struct Id<'a> {
        #[serde(borrow, default)]
        id: Option<&'a RawValue>,
    }
    serde_json::from_slice::<Id<'_>>(text).ok()?.id
}

/// A syntax error. These texts of the parser never repeat the input.
fn not_json(error: &serde_json::Error) -> LineError {
    let text = error.to_string();
    let reason = text.split(" at line ").next().unwrap_or_default();
    LineError::new("invalid_json", format!("not JSON: {reason} at column {}", error.column()))
}

/// What is wrong with the members of a JSON value. The parser's own words may repeat a value, so they are not used.
fn explain_members(text: &[u8]) -> LineError {
    let Ok(Value::Object(members)) = serde_json::from_slice::<Value>(text) else {
        return LineError::new("invalid_request", "the line is not a JSON object");
    };
    for (index, (name, expected, fits)) in MEMBERS.iter().enumerate() {
        match members.get(*name) {
            None | Some(Value::Null) if index < REQUIRED => {
                return LineError::new("missing_member", format!("`{name}` is missing"));
            }
            None | Some(Value::Null) => {}
            Some(value) if fits(value) => {}
            Some(_) => return LineError::new("invalid_member", format!("`{name}` has to be {expected}")),
        }
    }
    LineError::new("invalid_request", "a member occurs twice")
}

fn is_headers(value: &Value) -> bool {
    let is_pair =
        |pair: &Value| pair.as_array().is_some_and(|pair| pair.len() == 2 && pair.iter().all(Value::is_string));
    value.as_array().is_some_and(|headers| headers.iter().all(is_pair))
}

fn sign(line: &Line<'_>) -> Result<RawSignature, LineError> {
    let now = parse_time(&line.time).ok_or_else(|| {
        LineError::new("invalid_time", "`time` has to be of the form 2015-08-30T12:36:00Z or 20150830T123600Z")
    })?;
    let body = body(line)?;
    let payload = payload(line.payload.as_deref(), &body)?;
    let mut credentials = Credentials::new(&*line.access_key_id, Secret::from(&*line.secret_access_key));
    if let Some(token) = line.session_token.as_deref().filter(|token| !token.is_empty()) {
        credentials = credentials.with_session_token(token);
    }
    let mut request = RawRequest::new(&*line.method, &*line.url);
    for (name, value) in line.headers.iter().flatten() {
        request = request.header(name, value.as_bytes());
    }
    algorithm::sign(line, &Task { request, payload, credentials, now })
}

fn body<'a>(line: &'a Line<'_>) -> Result<Cow<'a, [u8]>, LineError> {
    match (&line.body, &line.body_base64) {
        (Some(_), Some(_)) => Err(LineError::new("invalid_member", "`body` and `body_base64` exclude each other")),
        (Some(text), None) => Ok(Cow::Borrowed(text.as_bytes())),
        (None, Some(encoded)) => STANDARD
            .decode(&**encoded)
            .map(Cow::Owned)
            .map_err(|_| LineError::new("invalid_member", "`body_base64` is not base64 with its padding")),
        (None, None) => Ok(Cow::Borrowed(&[])),
    }
}

fn payload<'a>(name: Option<&str>, body: &'a [u8]) -> Result<Payload<'a>, LineError> {
    parse_payload(name.unwrap_or("signed"), body).ok_or_else(|| {
        LineError::new(
            "invalid_member",
            "`payload` has to be signed, unsigned, a STREAMING name or 64 hexadecimal digits",
        )
    })
}

/// What the signature says of the body, by the names of this tool.
pub(crate) fn parse_payload<'a>(name: &str, body: &'a [u8]) -> Option<Payload<'a>> {
    match name {
        "signed" => Some(Payload::Bytes(body)),
        "unsigned" | "UNSIGNED-PAYLOAD" => Some(Payload::Unsigned),
        name if name.starts_with("STREAMING-") => StreamingPayload::from_name(name).map(Payload::Streaming),
        digits => Payload::sha256_hex(digits),
    }
}

/// A time as `2015-08-30T12:36:00Z` or `20150830T123600Z`.
pub(crate) fn parse_time(text: &str) -> Option<OffsetDateTime> {
    let bytes = text.as_bytes();
    if bytes.len() == 16 && bytes[8] == b'T' && bytes.is_ascii() {
        let extended = format!(
            "{}-{}-{}T{}:{}:{}",
            &text[..4],
            &text[4..6],
            &text[6..8],
            &text[9..11],
            &text[11..13],
            &text[13..]
        );
        return OffsetDateTime::parse(&extended, &Rfc3339).ok();
    }
    OffsetDateTime::parse(text, &Rfc3339).ok()
}

#[cfg(test)]
mod tests;
