//! `sigv4 explain`: each step of a signature, and where the server went another way.

use std::time::Duration;

use aws_sigv4_free_core::protocol::xml::Element;
use aws_sigv4_free_signing::explain::{Diagnosis, Explanation, PresentedSignature, ServerView};
use aws_sigv4_free_signing::{Credentials, Payload, RawRequest, SigV4, SigningError};
use clap::Args;
use serde_json::{Value, json};

use crate::command::sign::read_request;
use crate::context::{Context, ScopeArguments};
use crate::exit::{Exit, Failure, printable};
use crate::http_text::RequestText;
use crate::json_lines::{parse_payload, parse_time};
use crate::output::{Format, Output};
use crate::request_arguments::{RequestArguments, read_input};
use crate::terminal::Paint;

/// The options of `explain`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  sigv4 explain request.http
  sigv4 explain request.http --server-error error.xml     the first difference from what the server computed, and likely causes
  sigv4 explain --url https://bucket.s3.amazonaws.com/key --region eu-west-1
  sigv4 explain request.http --output json

A request that carries a signature already is explained as it was signed; any other as it would be signed now. The server's
error is the body of its answer: XML, as of S3, or JSON. Without credentials everything but the signature is explained.")]
pub(crate) struct Arguments {
    /// A file with a request as text, or `-` for standard input
    #[arg(value_name = "REQUEST", conflicts_with = "url", required_unless_present = "url")]
    file: Option<String>,

    /// The URL of the request, in the place of a file
    #[arg(long, value_name = "URL")]
    url: Option<String>,

    #[command(flatten)]
    request: RequestArguments,

    #[command(flatten)]
    scope: ScopeArguments,

    /// The body of the server's error, to be compared
    #[arg(long, value_name = "FILE")]
    server_error: Option<String>,

    /// The time to sign for, such as 2015-08-30T12:36:00Z; without it, that of the request, or now
    #[arg(long, value_name = "TIME")]
    time: Option<String>,
}

/// What was explained, and what has to be said about it.
struct Explained {
    explanation: Explanation,
    /// Whether the request's own signature is the one that these credentials give; `None` where there is nothing to compare.
    is_same: Option<bool>,
    notes: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let request = read_request(arguments.file.as_deref(), arguments.url.as_deref(), &arguments.request)?;
    let server = arguments.server_error.as_deref().map(|path| read_input(path).map(|body| ServerError::parse(&body)));
    let server = server.transpose()?;
    let explained = explain(arguments, &request, context)?;
    let diagnosis = server.as_ref().map(|server| explained.explanation.compare(&server.view()));

    let mut out = Output::new();
    if context.global.output == Some(Format::Json) {
        out.json(&to_json(&explained, diagnosis.as_ref()))?;
    } else {
        let paint = Paint::stdout(context.global.color);
        out.bytes(to_text(&explained, diagnosis.as_ref(), paint).as_bytes())?;
    }
    out.flush()?;
    Ok(Exit::Success)
}

fn explain(arguments: &Arguments, request: &RequestText, context: &Context) -> Result<Explained, Failure> {
    let mut raw = RawRequest::new(&*request.method, &*request.url);
    for (name, value) in &request.headers {
        raw = raw.header(name, value.as_bytes());
    }
    let time =
        match &arguments.time {
            None => None,
            Some(text) => Some(parse_time(text).ok_or_else(|| {
                Failure::usage("--time has to be of the form 2015-08-30T12:36:00Z or 20150830T123600Z")
            })?),
        };
    let mut notes = Vec::new();
    let own = match context.global.no_sign_request {
        true => None,
        false => match context.credentials() {
            Ok(credentials) => Some(credentials),
            // Nothing set up is no trouble here; something broken is told.
            Err(failure) if failure.exit() == Exit::Interrupted => return Err(failure),
            Err(failure) => {
                notes.push(failure.message().to_owned());
                None
            }
        },
    };
    let refused = |error: SigningError| Failure::caused(Exit::Usage, &error);

    let Some(presented) = PresentedSignature::of(&raw) else {
        let scope = context.scope(&arguments.scope, &request.url)?;
        let signer = SigV4::new(scope.service, scope.region);
        let credentials = own.unwrap_or_else(|| {
            notes.push(
                "no credentials are at hand: the signature is left out, and the access key id is a made-up one"
                    .to_owned(),
            );
            stand_in("AKIDEXAMPLE", None)
        });
        let now = time.unwrap_or_else(|| context.now());
        let payload = declared_payload(request).unwrap_or_else(|| context.payload_for(&signer, &request.body));
        let explanation = signer.explain(&raw, payload, &credentials, now).map_err(refused)?;
        return Ok(Explained { explanation, is_same: None, notes });
    };

    notes.push("the request carries a signature: it is explained as it was signed".to_owned());
    let token = presented.session_token.clone();
    let has_secret = own.as_ref().is_some_and(|own| own.access_key_id() == presented.access_key_id);
    let credentials = match own.filter(|_| has_secret) {
        // The token counts that was sent.
        Some(own) => {
            let same = Credentials::new(own.access_key_id(), own.secret_access_key().clone());
            token.map_or(same.clone(), |token| same.with_session_token(token))
        }
        None => {
            notes.push(format!(
                "the secret access key of {} is not at hand: whether the signature is right can't be told",
                presented.access_key_id
            ));
            stand_in(&presented.access_key_id, token)
        }
    };
    let signer = presented.signer();
    let unsigned = presented.unsigned_request();
    let now = time.unwrap_or(presented.signed_at);
    let explanation = match presented.expires_in {
        None => {
            let payload = declared_payload(request).unwrap_or_else(|| context.payload_for(&signer, &request.body));
            signer.explain(unsigned, payload, &credentials, now)
        }
        Some(seconds) => signer.explain_presigned(
            unsigned,
            declared_payload(request),
            Duration::from_secs(seconds),
            &credentials,
            now,
        ),
    };
    let explanation = explanation.map_err(refused)?;
    let is_same = has_secret.then(|| explanation.signature() == presented.signature());
    Ok(Explained { explanation, is_same, notes })
}

/// Credentials that are good for everything but the signature.
fn stand_in(access_key_id: &str, token: Option<aws_sigv4_free_signing::Secret>) -> Credentials {
    let credentials = Credentials::new(access_key_id, "the secret is not known");
    token.map_or(credentials.clone(), |token| credentials.with_session_token(token))
}

/// What the request itself says of its payload.
fn declared_payload(request: &RequestText) -> Option<Payload<'_>> {
    request.header("x-amz-content-sha256").and_then(|name| parse_payload(name, &request.body))
}

/// The fields of a server's error that matter here.
#[derive(Debug, Default, PartialEq, Eq)]
struct ServerError {
    code: Option<String>,
    message: Option<String>,
    canonical_request: Option<String>,
    string_to_sign: Option<String>,
}

impl ServerError {
    /// Reads the body of an error: XML as of S3 or of the query services, or JSON. A head before the body is skipped.
    fn parse(body: &[u8]) -> Self {
        let start = body.iter().position(|byte| matches!(byte, b'<' | b'{')).unwrap_or(body.len());
        let body = &body[start..];
        let mut error = if body.first() == Some(&b'{') { Self::from_json(body) } else { Self::from_xml(body) };
        // Most services write what they computed into the message.
        if let (None, Some(message)) = (&error.canonical_request, &error.message) {
            let quoted = |title: &str| {
                let rest = &message[message.find(title)? + title.len()..];
                let rest = &rest[rest.find('\'')? + 1..];
                Some(rest[..rest.find('\'')?].to_owned())
            };
            error.canonical_request = quoted("Canonical String for this request should have been");
            error.string_to_sign = error.string_to_sign.take().or(quoted("String-to-Sign should have been"));
        }
        error
    }

    fn from_xml(body: &[u8]) -> Self {
        let Ok(root) = Element::parse(body) else { return Self::default() };
        let error = root.child("Error").unwrap_or(&root);
        let text = |name: &str| error.text_of(name).map(str::to_owned);
        Self {
            code: text("Code"),
            message: text("Message"),
            canonical_request: text("CanonicalRequest"),
            string_to_sign: text("StringToSign"),
        }
    }

    fn from_json(body: &[u8]) -> Self {
        let Ok(value) = serde_json::from_slice::<Value>(body) else { return Self::default() };
        let text = |names: &[&str]| names.iter().find_map(|name| value.get(name)?.as_str()).map(str::to_owned);
        Self {
            code: text(&["__type", "code", "Code"]).map(|code| code.rsplit('#').next().unwrap_or_default().to_owned()),
            message: text(&["message", "Message"]),
            ..Self::default()
        }
    }

    fn view(&self) -> ServerView<'_> {
        let mut view = ServerView::new();
        if let Some(code) = &self.code {
            view = view.code(code);
        }
        if let Some(message) = &self.message {
            view = view.message(message);
        }
        if let Some(canonical_request) = &self.canonical_request {
            view = view.canonical_request(canonical_request);
        }
        if let Some(string_to_sign) = &self.string_to_sign {
            view = view.string_to_sign(string_to_sign);
        }
        view
    }
}

const STRING_TO_SIGN: [&str; 4] = ["algorithm", "time", "credential scope", "canonical request hash"];

fn to_text(explained: &Explained, diagnosis: Option<&Diagnosis>, paint: Paint) -> String {
    let explanation = &explained.explanation;
    let mut text = String::new();
    let mut line = |line: &str| {
        text.push_str(line);
        text.push('\n');
    };
    let width = explanation.lines().iter().map(|line| line.name.len()).max().unwrap_or(0).max(22);
    let differs = |name: &str| {
        let difference = diagnosis.and_then(|diagnosis| diagnosis.difference.as_ref());
        difference.is_some_and(|difference| difference.line == name)
    };
    let row = |name: &str, value: &str| {
        let value = printable(value);
        let name = format!("{name:<width$}");
        if differs(name.trim_end()) {
            paint.red(&format!("> {name} {value}"))
        } else {
            format!("  {} {value}", paint.dim(&name))
        }
    };
    line(&paint.bold("canonical request"));
    for part in explanation.lines() {
        line(&row(&part.name, &part.text));
    }
    line("");
    line(&paint.bold("string to sign"));
    for (name, value) in STRING_TO_SIGN.iter().zip(explanation.string_to_sign().lines()) {
        line(&row(name, value));
    }
    line("");
    line(&paint.bold("headers"));
    line(&row("signed", &explanation.signed_headers().collect::<Vec<_>>().join(", ")));
    for header in explanation.unsigned_headers() {
        line(&row("not signed", &format!("{}: {}", header.name, header.reason)));
    }
    line("");
    line(&row("access key id", explanation.access_key_id()));
    match explained.is_same {
        Some(true) => line(&paint.green("the signature is the one that these credentials give for this request")),
        Some(false) => line(&paint.red(
            "the signature is not the one that these credentials give for this request: another secret access key, or the \
             request was changed after it was signed",
        )),
        None => {}
    }
    for note in &explained.notes {
        line(&paint.dim(&format!("note: {}", printable(note))));
    }
    let Some(diagnosis) = diagnosis else { return text };
    line("");
    line(&paint.bold("compared with the server"));
    match &diagnosis.difference {
        None => line("  no difference is known"),
        Some(difference) => {
            line(&format!(
                "  the first difference is in {}, at position {}",
                paint.bold(&difference.line),
                difference.at + 1
            ));
            let side = |side: &Option<String>| side.as_deref().map_or("(no such line)".to_owned(), printable);
            line(&format!("    signed here  {}", paint.green(&side(&difference.ours))));
            line(&format!("    the server   {}", paint.red(&side(&difference.server))));
        }
    }
    if !diagnosis.causes.is_empty() {
        line(&paint.bold("likely causes, the likeliest first"));
        for (index, cause) in diagnosis.causes.iter().enumerate() {
            line(&format!("  {}. {}", index + 1, printable(&cause.text)));
        }
    }
    text
}

fn to_json(explained: &Explained, diagnosis: Option<&Diagnosis>) -> Value {
    let explanation = &explained.explanation;
    let lines: Vec<_> = explanation.lines().iter().map(|line| json!({"name": line.name, "text": line.text})).collect();
    let unsigned: Vec<_> = explanation
        .unsigned_headers()
        .iter()
        .map(|header| json!({"name": header.name, "reason": header.reason}))
        .collect();
    let mut value = json!({
        "canonical_request": lines,
        "string_to_sign": explanation.string_to_sign(),
        "credential_scope": explanation.credential_scope(),
        "access_key_id": explanation.access_key_id(),
        "signed_headers": explanation.signed_headers().collect::<Vec<_>>(),
        "unsigned_headers": unsigned,
        "signature_matches": explained.is_same,
        "notes": explained.notes,
    });
    if let (Some(diagnosis), Some(members)) = (diagnosis, value.as_object_mut()) {
        let difference = diagnosis.difference.as_ref().map(|difference| {
            json!({"line": difference.line, "at": difference.at, "ours": difference.ours, "server": difference.server})
        });
        members.insert("difference".to_owned(), difference.unwrap_or(Value::Null));
        let causes: Vec<_> = diagnosis
            .causes
            .iter()
            .map(|cause| json!({"kind": format!("{:?}", cause.kind), "text": cause.text}))
            .collect();
        members.insert("causes".to_owned(), causes.into());
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_s3_holds_both_texts() {
        let body = b"HTTP/1.1 403 Forbidden\r\n\r\n<?xml version=\"1.0\"?>\n<Error><Code>SignatureDoesNotMatch</Code>\
            <Message>No.</Message><StringToSign>AWS4-HMAC-SHA256\na</StringToSign>\
            <CanonicalRequest>GET\n/</CanonicalRequest></Error>";
        let error = ServerError::parse(body);
        assert_eq!(error.code.as_deref(), Some("SignatureDoesNotMatch"));
        assert_eq!(error.string_to_sign.as_deref(), Some("AWS4-HMAC-SHA256\na"));
        assert_eq!(error.canonical_request.as_deref(), Some("GET\n/"));
    }

    #[test]
    fn other_services_write_it_into_the_message() {
        let message = "The request signature we calculated does not match.\n\nThe Canonical String for this request should \
            have been\n'POST\n/\n\nhost:h'\n\nThe String-to-Sign should have been\n'AWS4-HMAC-SHA256\nx'\n";
        let xml = format!(
            "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>{message}</Message></Error></ErrorResponse>"
        );
        let json =
            json!({"__type": "com.amazon.coral.service#InvalidSignatureException", "message": message}).to_string();
        for (body, code) in [(xml, "SignatureDoesNotMatch"), (json, "InvalidSignatureException")] {
            let error = ServerError::parse(body.as_bytes());
            assert_eq!(error.code.as_deref(), Some(code));
            assert_eq!(error.canonical_request.as_deref(), Some("POST\n/\n\nhost:h"));
            assert_eq!(error.string_to_sign.as_deref(), Some("AWS4-HMAC-SHA256\nx"));
        }
    }

    #[test]
    fn what_is_no_error_gives_nothing() {
        for body in [&b""[..], b"<html><body>Bad Gateway", b"{", b"nonsense"] {
            assert_eq!(ServerError::parse(body), ServerError::default());
        }
    }
}
