//! `sigv4 sign`: signatures without sending anything.

use std::io::{BufRead, BufReader, Read, Write};
use std::time::Duration;

use aws_sigv4_free_signing::{RawRequest, SigV4, SigningErrorKind};
use clap::{Args, ValueEnum};

use crate::context::{Context, ScopeArguments};
use crate::exit::{Exit, Failure};
use crate::http_text::{RequestText, encode_url};
use crate::json_lines::{self, LineError, parse_payload, parse_time};
use crate::output::{Format, Output, object};
use crate::request_arguments::{RequestArguments, read_input};

/// The longest line of `--jsonl`: 64 MiB.
const MAX_LINE: usize = 64 << 20;

/// The options of `sign`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  sigv4 sign request.http                                        the signed request, ready to be sent
  sigv4 sign --url https://abc.execute-api.us-east-1.amazonaws.com/prod -H 'accept: application/json'
  sigv4 sign --url https://bucket.s3.amazonaws.com/key --in query --expires-in 600
  sigv4 sign request.http --show canonical-request
  sigv4 sign --jsonl < requests.jsonl > signatures.jsonl          keys and times come from the lines, not from settings

A request file holds a request line, headers, an empty line and the body:
  POST /prod/orders?limit=10 HTTP/1.1
  Host: abc.execute-api.us-east-1.amazonaws.com

  {\"item\": \"paws\"}

Characters that a URL can't hold, such as a space, are encoded before the request is signed.

A line of --jsonl is an object with method, url, region, service, time, access_key_id and secret_access_key; it may have id,
headers, body, body_base64, payload, mode (headers or query), session_token, expires, normalize_path, double_encode,
omit_session_token and content_sha256_header. Each line is answered by one line, in order, with canonical_request,
string_to_sign, signature, headers and url, or with an error.")]
pub(crate) struct Arguments {
    /// A file with a request as text, or `-` for standard input
    #[arg(value_name = "REQUEST", conflicts_with_all = ["url", "jsonl"])]
    file: Option<String>,

    /// The URL to sign for, in the place of a file
    #[arg(long, value_name = "URL", conflicts_with = "jsonl")]
    url: Option<String>,

    /// Sign one request a line: JSON from standard input, JSON to standard output
    #[arg(long, conflicts_with_all = ["method", "headers", "data", "service", "place", "expires_in", "payload", "time", "show"])]
    jsonl: bool,

    #[command(flatten)]
    request: RequestArguments,

    #[command(flatten)]
    scope: ScopeArguments,

    /// Where the signature goes
    #[arg(long = "in", value_enum, value_name = "PLACE", default_value = "headers")]
    place: Place,

    /// How long a URL with its signature in the query is accepted: 1 to 604800
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    expires_in: u64,

    /// What the signature says of the body: `signed`, `unsigned`, a STREAMING name or its SHA-256 in hexadecimal digits
    #[arg(long, value_name = "PAYLOAD")]
    payload: Option<String>,

    /// The time to sign for, such as 2015-08-30T12:36:00Z; without it, now
    #[arg(long, value_name = "TIME")]
    time: Option<String>,

    /// What to print; without it, the request, or the URL where the signature is in the query
    #[arg(long, value_enum, value_name = "WHAT")]
    show: Option<Show>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Place {
    Headers,
    Query,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Show {
    /// The signed request
    Request,
    /// The headers to add
    Headers,
    /// The URL to call
    Url,
    /// The canonical request
    CanonicalRequest,
    /// The string to sign
    StringToSign,
    /// The signature
    Signature,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    if arguments.jsonl {
        return sign_lines(std::io::stdin().lock(), std::io::stdout().lock());
    }
    if context.global.no_sign_request {
        return Err(Failure::usage("--no-sign-request leaves nothing to do for sign"));
    }
    let mut request = read_request(arguments.file.as_deref(), arguments.url.as_deref(), &arguments.request)?;
    // What is signed is what can be sent.
    request.url = encode_url(&request.url);
    sign_one(arguments, &request, context)
}

/// A request from a file or from options, but not from both.
pub(crate) fn read_request(
    file: Option<&str>,
    url: Option<&str>,
    request: &RequestArguments,
) -> Result<RequestText, Failure> {
    let (Some(url), None) = (url, file) else {
        let Some(file) = file else {
            return Err(Failure::usage("there is nothing to sign")
                .hint("give a request file, `-` for standard input, or --url"));
        };
        if request.is_given() {
            return Err(Failure::usage("method, headers and data belong into the request file, or use --url"));
        }
        return RequestText::parse(&read_input(file)?)
            .map_err(|error| Failure::usage(format!("{file} is not a request: {error}")));
    };
    let body = request.body()?;
    let headers = request.headers(&body)?;
    Ok(RequestText { method: request.method(), url: url.to_owned(), headers, body })
}

fn sign_one(arguments: &Arguments, request: &RequestText, context: &Context) -> Result<Exit, Failure> {
    let scope = context.scope(&arguments.scope, &request.url)?;
    let now = match &arguments.time {
        None => context.now(),
        Some(text) => parse_time(text)
            .ok_or_else(|| Failure::usage("--time has to be of the form 2015-08-30T12:36:00Z or 20150830T123600Z"))?,
    };
    let payload = arguments.payload.as_deref().map(|name| {
        parse_payload(name, &request.body).ok_or_else(|| {
            Failure::usage("--payload has to be signed, unsigned, a STREAMING name or 64 hexadecimal digits")
        })
    });
    let payload = payload.transpose()?;
    let credentials = context.credentials()?;
    let signer = SigV4::new(scope.service, scope.region);

    let mut raw = RawRequest::new(&*request.method, &*request.url);
    for (name, value) in &request.headers {
        raw = raw.header(name, value.as_bytes());
    }
    let signed = match arguments.place {
        Place::Headers => {
            let payload = payload.unwrap_or_else(|| context.payload_for(&signer, &request.body));
            signer.sign_raw(&raw, payload, &credentials, now)
        }
        Place::Query => signer.presign_raw(&raw, payload, Duration::from_secs(arguments.expires_in), &credentials, now),
    };
    let signed = signed.map_err(|error| {
        let exit = match error.kind() {
            SigningErrorKind::InvalidCredentials => Exit::Configuration,
            _ => Exit::Usage,
        };
        Failure::caused(exit, &error)
    })?;

    let mut out = Output::new();
    if context.global.output == Some(Format::Json) {
        let headers: Vec<_> = signed.headers.iter().map(|(name, value)| serde_json::json!([name, value])).collect();
        out.json(&object(&[
            ("canonical_request", signed.canonical_request.into()),
            ("string_to_sign", signed.string_to_sign.into()),
            ("signature", signed.signature.into()),
            ("headers", headers.into()),
            ("url", signed.url.into()),
        ]))?;
    } else {
        let default = if arguments.place == Place::Query { Show::Url } else { Show::Request };
        match arguments.show.unwrap_or(default) {
            Show::Request => out.bytes(&request.render(&signed.headers, &signed.url))?,
            Show::Headers => {
                for (name, value) in &signed.headers {
                    out.line(&format!("{name}: {value}"))?;
                }
            }
            Show::Url => out.line(&signed.url)?,
            Show::CanonicalRequest => out.line(&signed.canonical_request)?,
            Show::StringToSign => out.line(&signed.string_to_sign)?,
            Show::Signature => out.line(&signed.signature)?,
        }
    }
    out.flush()?;
    Ok(Exit::Success)
}

/// Answers line by line. Memory is bounded by the longest line. What is written is handed on as soon as no further input is
/// at hand, so that a program can talk to this one over two pipes.
fn sign_lines(input: impl Read, mut output: impl Write) -> Result<Exit, Failure> {
    let mut input = BufReader::with_capacity(64 << 10, input);
    let mut line = Vec::new();
    let mut out = Vec::with_capacity(64 << 10);
    let mut number = 0;
    loop {
        line.clear();
        let Some(length) = read_line(&mut input, &mut line, MAX_LINE)
            .map_err(|error| Failure::io("can't read standard input", &error))?
        else {
            break;
        };
        number += 1;
        match length {
            Length::Whole => json_lines::answer(&line, number, &mut out),
            Length::TooLong => {
                let message = format!("the line is longer than {} MiB", MAX_LINE >> 20);
                json_lines::refuse(None, &LineError::new("too_long", message), number, &mut out);
            }
        }
        if out.len() >= 48 << 10 || !input.buffer().contains(&b'\n') {
            output.write_all(&out).and_then(|()| output.flush()).map_err(|error| Failure::stdout(&error))?;
            out.clear();
        }
    }
    Ok(Exit::Success)
}

enum Length {
    Whole,
    TooLong,
}

/// Reads one line without its end into `line`; `None` at the end of the input. Of a line longer than `limit` the rest is
/// skipped.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>, limit: usize) -> std::io::Result<Option<Length>> {
    let mut length = Length::Whole;
    let mut begun = false;
    loop {
        let available = match input.fill_buf() {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            available => available?,
        };
        if available.is_empty() {
            return Ok(begun.then_some(length));
        }
        begun = true;
        let end = available.iter().position(|byte| *byte == b'\n');
        let piece = &available[..end.unwrap_or(available.len())];
        if line.len() + piece.len() > limit {
            length = Length::TooLong;
            line.clear();
            line.shrink_to_fit();
        }
        if matches!(length, Length::Whole) {
            line.extend_from_slice(piece);
        }
        let used = piece.len() + usize::from(end.is_some());
        input.consume(used);
        if end.is_some() {
            return Ok(Some(length));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8], limit: usize) -> Vec<String> {
        let mut input = BufReader::with_capacity(4, text);
        let mut line = Vec::new();
        let mut all = Vec::new();
        while let Some(length) = read_line(&mut input, &mut line, limit).unwrap() {
            all.push(match length {
                Length::Whole => String::from_utf8(line.clone()).unwrap(),
                Length::TooLong => "<too long>".to_owned(),
            });
            line.clear();
        }
        all
    }

    #[test]
    fn lines_are_read_within_a_limit() {
        assert_eq!(lines(b"a\n\nbcdefgh\nlast", 100), ["a", "", "bcdefgh", "last"]);
        assert_eq!(lines(b"abcdefghijk\nb\n", 5), ["<too long>", "b"]);
        assert!(lines(b"", 5).is_empty());
    }

    #[test]
    fn a_bad_line_does_not_stop_the_rest() {
        let good = r#"{"id":"a","method":"GET","url":"https://h/","region":"r","service":"s","time":"2015-08-30T12:36:00Z","access_key_id":"AK","secret_access_key":"x"}"#;
        let input = format!("{good}\nnot json\n{good}");
        let mut output = Vec::new();
        assert_eq!(sign_lines(input.as_bytes(), &mut output).unwrap(), Exit::Success);
        let answers: Vec<serde_json::Value> = output
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect();
        assert_eq!(answers.len(), 3);
        assert_eq!(answers[1]["error"]["line"], 2);
        assert_eq!(answers[0], answers[2]);
    }

    #[test]
    fn each_answer_is_handed_on_before_the_input_stalls() {
        /// Gives one line a read, and fails the test if the answer to the line before is not out by then.
        struct Dialogue<'a> {
            left: usize,
            flushed: &'a std::cell::Cell<usize>,
            asked: usize,
        }
        impl Read for Dialogue<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
                assert_eq!(self.flushed.get(), self.asked, "an answer was held back");
                if self.left == 0 {
                    return Ok(0);
                }
                self.left -= 1;
                self.asked += 1;
                buffer[..3].copy_from_slice(b"{}\n");
                Ok(3)
            }
        }
        struct Count<'a>(&'a std::cell::Cell<usize>);
        impl Write for Count<'_> {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.0.set(self.0.get() + bytes.iter().filter(|byte| **byte == b'\n').count());
                Ok(bytes.len())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let flushed = std::cell::Cell::new(0);
        sign_lines(Dialogue { left: 5, flushed: &flushed, asked: 0 }, Count(&flushed)).unwrap();
        assert_eq!(flushed.get(), 5);
    }
}
