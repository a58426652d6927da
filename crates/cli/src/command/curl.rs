//! `sigv4 curl`: one signed request, and its answer.

use std::io::Write as _;
use std::path::PathBuf;

use aws_sigv4_free_core::error::advice;
use aws_sigv4_free_core::protocol::rest_xml;
use aws_sigv4_free_http_transport::{Body, Request, Response};
use aws_sigv4_free_signing::{Payload, SigV4};
use clap::Args;
use http::response::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use serde_json::Value;

use crate::context::{Context, ScopeArguments, transport_failure};
use crate::exit::{Exit, Failure, printable};
use crate::http_text::{encode_url, target_of};
use crate::output::Output;
use crate::partial_file::PartialFile;
use crate::request_arguments::RequestArguments;

/// How much of an error body is looked at to find its code.
const ERROR_BODY: usize = 64 << 10;

/// The options of `curl`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  sigv4 curl https://orders-0d.7d67968.vpc-lattice-svcs.us-west-2.on.aws -X POST -d @order.json
  sigv4 curl https://abc.execute-api.us-east-1.amazonaws.com/prod/orders -i
  sigv4 curl 'https://sts.us-east-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15'
  sigv4 curl http://localhost:9000/bucket/key -o key --service s3 --region us-east-1
  sigv4 curl https://bucket.s3.eu-west-1.amazonaws.com/a%20key --dry-run

A status of 400 or more ends with exit code 254; the body is printed nevertheless, unless --fail is given. One attempt is made,
and no redirect is followed.")]
pub(crate) struct Arguments {
    /// The URL; spaces and other characters that a URL can't hold are encoded
    #[arg(value_name = "URL")]
    url: String,

    #[command(flatten)]
    request: RequestArguments,

    #[command(flatten)]
    scope: ScopeArguments,

    /// Print the status and the headers of the answer before its body
    #[arg(short = 'i', long)]
    include: bool,

    /// Write the body into this file, which appears when it is complete
    #[arg(short = 'o', long = "output-file", value_name = "FILE")]
    file: Option<PathBuf>,

    /// Print nothing of an answer with a status of 400 or more
    #[arg(short = 'f', long)]
    fail: bool,

    /// Leave the body out of the signature (UNSIGNED-PAYLOAD); VPC Lattice demands it, and it is the default there
    #[arg(long)]
    unsigned_payload: bool,

    /// Print the signed request instead of sending it
    #[arg(long, visible_alias = "dryrun")]
    dry_run: bool,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let request = signed_request(arguments, context)?;
    if arguments.dry_run {
        let mut out = Output::new();
        out.bytes(&render(&request))?;
        out.flush()?;
        return Ok(Exit::Success);
    }
    let transport = context.transport()?;
    context.block_on(async {
        let response = transport.send(request).await.map_err(|error| transport_failure(&error))?;
        print(response, arguments).await
    })
}

fn signed_request(arguments: &Arguments, context: &Context) -> Result<Request, Failure> {
    let url = if arguments.url.contains("://") { arguments.url.clone() } else { format!("https://{}", arguments.url) };
    let url = encode_url(&url);
    let uri: Uri = url.parse().map_err(|error| Failure::usage(format!("the URL can't be understood: {error}")))?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Err(Failure::usage("the URL starts with neither https:// nor http://"));
    }
    let method = arguments.request.method();
    let method =
        Method::from_bytes(method.as_bytes()).map_err(|_| Failure::usage("the method is no word that HTTP knows"))?;
    let body = arguments.request.body()?;
    let mut headers = HeaderMap::new();
    for (name, value) in arguments.request.headers(&body)? {
        let parsed = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value.as_bytes()));
        let (Ok(name), Ok(value)) = parsed else {
            return Err(Failure::usage("a header holds a character that can't be sent"));
        };
        headers.append(name, value);
    }
    headers
        .entry(http::header::USER_AGENT)
        .or_insert(HeaderValue::from_static(concat!("sigv4/", env!("CARGO_PKG_VERSION"))));

    let mut request = http::Request::new(Body::empty());
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    if !context.global.no_sign_request {
        let scope = context.scope(&arguments.scope, &url)?;
        let credentials = context.credentials()?;
        let signer = SigV4::new(scope.service, scope.region);
        let payload = if arguments.unsigned_payload { Payload::Unsigned } else { context.payload_for(&signer, &body) };
        signer
            .sign(&mut request, payload, &credentials, context.now())
            .map_err(|error| Failure::caused(Exit::Usage, &error))?;
    }
    *request.body_mut() = Body::from(body);
    Ok(request)
}

/// The request as it would go over the wire.
fn render(request: &Request) -> Vec<u8> {
    let mut text = format!("{} {} HTTP/1.1\r\n", request.method(), target_of(&request.uri().to_string())).into_bytes();
    if !request.headers().contains_key(http::header::HOST) {
        let host = request.uri().authority().map(http::uri::Authority::as_str).unwrap_or_default();
        text.extend_from_slice(format!("host: {host}\r\n").as_bytes());
    }
    for (name, value) in request.headers() {
        text.extend_from_slice(name.as_str().as_bytes());
        text.extend_from_slice(b": ");
        text.extend_from_slice(value.as_bytes());
        text.extend_from_slice(b"\r\n");
    }
    let body = request.body().as_bytes().unwrap_or_default();
    if !body.is_empty() && !request.headers().contains_key(http::header::CONTENT_LENGTH) {
        text.extend_from_slice(format!("content-length: {}\r\n", body.len()).as_bytes());
    }
    text.extend_from_slice(b"\r\n");
    text.extend_from_slice(body);
    text
}

async fn print(response: Response, arguments: &Arguments) -> Result<Exit, Failure> {
    let (head, mut body) = response.into_parts();
    let refused = head.status.as_u16() >= 400;
    let mut out = Output::new();
    if arguments.include && !(refused && arguments.fail) {
        out.bytes(&head_text(&head))?;
    }
    // An error goes to the terminal, not into the file.
    let mut file = match &arguments.file {
        Some(path) if !refused => Some(
            PartialFile::create(path)
                .map_err(|error| Failure::io(format!("can't write {}", path.display()), &error))?,
        ),
        _ => None,
    };
    let mut beginning = Vec::new();
    let mut last = b'\n';
    while let Some(chunk) = body.chunk().await.map_err(|error| transport_failure(&error))? {
        if refused {
            beginning.extend_from_slice(&chunk[..chunk.len().min(ERROR_BODY - beginning.len())]);
        }
        match &mut file {
            Some(file) => file.write_all(&chunk).map_err(|error| write_failure(arguments, &error))?,
            None if refused && arguments.fail => {}
            None => {
                out.bytes(&chunk)?;
                // Streams are seen as they arrive.
                out.flush()?;
                last = chunk.last().copied().unwrap_or(last);
            }
        }
    }
    out.flush()?;
    if let Some(file) = file {
        file.finish().map_err(|error| write_failure(arguments, &error))?;
    }
    if !refused {
        return Ok(Exit::Success);
    }
    if last != b'\n' {
        // The message starts on a line of its own.
        let _ = std::io::stderr().lock().write_all(b"\n");
    }
    Err(refusal(&head, &beginning))
}

fn write_failure(arguments: &Arguments, error: &std::io::Error) -> Failure {
    let path = arguments.file.as_deref().unwrap_or("the file".as_ref());
    Failure::io(format!("can't write {}", path.display()), error)
}

fn head_text(head: &Parts) -> Vec<u8> {
    let mut text = format!("{:?} {}\r\n", head.version, head.status).into_bytes();
    for (name, value) in &head.headers {
        text.extend_from_slice(format!("{name}: ").as_bytes());
        text.extend_from_slice(value.as_bytes());
        text.extend_from_slice(b"\r\n");
    }
    text.extend_from_slice(b"\r\n");
    text
}

/// The failure that an answer with an error is.
fn refusal(head: &Parts, body: &[u8]) -> Failure {
    let error = rest_xml::read_error(head, body);
    let code = json_code(head, body).map_or_else(|| error.code().to_owned(), |code| printable(&code));
    let message = format!("the server answered {} ({code})", head.status);
    let failure = Failure::new(Exit::Service, message).request_id(error.request_id());
    match advice(&code) {
        Some(advice) => failure.hint(advice),
        None if head.status == http::StatusCode::FORBIDDEN => {
            failure.hint("`--dry-run` prints what was signed, `sigv4 explain` each step of it")
        }
        None => failure,
    }
}

/// The code of an error in one of the JSON forms.
fn json_code(head: &Parts, body: &[u8]) -> Option<String> {
    let header = head.headers.get("x-amzn-errortype").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let from_body = || {
        let value: Value = serde_json::from_slice(body).ok()?;
        let code = value.get("__type").or_else(|| value.get("code")).or_else(|| value.get("Code"))?;
        code.as_str().map(str::to_owned)
    };
    let code = header.or_else(from_body)?;
    // aws.service#Code:http://...
    let code = code.split(':').next()?.rsplit('#').next()?;
    (!code.is_empty() && code.len() <= 128).then(|| code.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(status: u16, headers: &[(&str, &str)]) -> Parts {
        let mut response = http::Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        response.body(()).unwrap().into_parts().0
    }

    #[test]
    fn the_code_is_found_in_each_protocol() {
        let message = |head: &Parts, body: &[u8]| refusal(head, body).message().to_owned();
        let xml = b"<Error><Code>NoSuchKey</Code><Message>x</Message></Error>";
        assert_eq!(message(&head(404, &[]), xml), "the server answered 404 Not Found (NoSuchKey)");
        let json = br#"{"__type":"com.amazonaws.dynamodb#ResourceNotFoundException","message":"x"}"#;
        assert!(message(&head(400, &[]), json).ends_with("(ResourceNotFoundException)"));
        let typed = head(403, &[("x-amzn-errortype", "AccessDeniedException:http://internal/")]);
        assert!(message(&typed, b"{}").ends_with("(AccessDeniedException)"));
        assert!(message(&head(502, &[]), b"<html>").starts_with("the server answered 502 Bad Gateway"));
        assert_eq!(refusal(&head(403, &[]), b"").exit(), Exit::Service);
    }
}
