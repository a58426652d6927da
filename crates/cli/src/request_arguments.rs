//! The options that describe a request, shared by `curl` and `sign`.

use std::io::Read;

use clap::Args;

use crate::exit::{Exit, Failure};
use crate::http_text::MAX_REQUEST;

/// Method, headers and body.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct RequestArguments {
    /// The method; without it GET, or POST where there is data
    #[arg(short = 'X', long = "request", value_name = "METHOD")]
    method: Option<String>,

    /// A header; may be given again
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,

    /// The body: the text itself, `@FILE`, or `-` for standard input; sent as it is, byte by byte
    #[arg(short = 'd', long = "data", value_name = "DATA|@FILE|-", allow_hyphen_values = true)]
    data: Option<String>,
}

impl RequestArguments {
    /// Whether a method, a header or a body was given.
    pub(crate) fn is_given(&self) -> bool {
        self.method.is_some() || !self.headers.is_empty() || self.data.is_some()
    }

    pub(crate) fn method(&self) -> String {
        match &self.method {
            Some(method) => method.clone(),
            None if self.data.is_some() => "POST".to_owned(),
            None => "GET".to_owned(),
        }
    }

    /// The headers as given, with the content type that curl would add where there is a body and none is given.
    pub(crate) fn headers(&self, body: &[u8]) -> Result<Vec<(String, String)>, Failure> {
        let mut headers = Vec::with_capacity(self.headers.len() + 1);
        for header in &self.headers {
            let parsed = header.split_once(':').filter(|(name, _)| !name.is_empty() && !name.contains([' ', '\t']));
            let Some((name, value)) = parsed else {
                return Err(Failure::usage("a header is written as `-H 'name: value'`"));
            };
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
        let has_type = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        if self.data.is_some() && !body.is_empty() && !has_type {
            let is_json =
                body.iter().find(|byte| !byte.is_ascii_whitespace()).is_some_and(|byte| matches!(byte, b'{' | b'['));
            let kind = if is_json { "application/json" } else { "application/x-www-form-urlencoded" };
            headers.push(("content-type".to_owned(), kind.to_owned()));
        }
        Ok(headers)
    }

    /// The body, read from where it is.
    pub(crate) fn body(&self) -> Result<Vec<u8>, Failure> {
        match self.data.as_deref() {
            None => Ok(Vec::new()),
            Some("-" | "@-") => read_stdin(),
            Some(data) => match data.strip_prefix('@') {
                Some(path) => read_file(path),
                None => Ok(data.as_bytes().to_vec()),
            },
        }
    }
}

/// Reads a file or, for `-`, standard input.
pub(crate) fn read_input(path: &str) -> Result<Vec<u8>, Failure> {
    if path == "-" { read_stdin() } else { read_file(path) }
}

fn read_file(path: &str) -> Result<Vec<u8>, Failure> {
    let file = std::fs::File::open(path).map_err(|error| Failure::io(format!("can't open {path}"), &error))?;
    read_bounded(file, path)
}

fn read_stdin() -> Result<Vec<u8>, Failure> {
    read_bounded(std::io::stdin().lock(), "standard input")
}

fn read_bounded(source: impl Read, name: &str) -> Result<Vec<u8>, Failure> {
    let mut content = Vec::new();
    source
        .take(MAX_REQUEST + 1)
        .read_to_end(&mut content)
        .map_err(|error| Failure::io(format!("can't read {name}"), &error))?;
    if content.len() as u64 > MAX_REQUEST {
        let message = format!("{name} is larger than {} MiB, which is the limit here", MAX_REQUEST >> 20);
        return Err(Failure::new(Exit::Usage, message).hint("large objects go through `sigv4 s3 cp`"));
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(headers: &[&str], data: Option<&str>) -> RequestArguments {
        RequestArguments {
            method: None,
            headers: headers.iter().map(|header| (*header).to_owned()).collect(),
            data: data.map(str::to_owned),
        }
    }

    #[test]
    fn data_makes_a_post_with_a_content_type() {
        assert_eq!(arguments(&[], None).method(), "GET");
        let with_type = |data: &str, headers: &[&str]| {
            let arguments = arguments(headers, Some(data));
            assert_eq!(arguments.method(), "POST");
            let headers = arguments.headers(&arguments.body().unwrap()).unwrap();
            headers.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>()
        };
        assert_eq!(with_type(" {\"a\":1}", &[]), ["content-type=application/json"]);
        assert_eq!(with_type("Action=X", &[]), ["content-type=application/x-www-form-urlencoded"]);
        assert_eq!(with_type("Action=X", &["Content-Type: text/plain"]), ["Content-Type=text/plain"]);
        assert!(with_type("", &[]).is_empty());
    }

    #[test]
    fn broken_headers_and_missing_files_are_refused() {
        assert_eq!(arguments(&["novalue"], None).headers(&[]).unwrap_err().exit(), Exit::Usage);
        assert_eq!(arguments(&[": x"], None).headers(&[]).unwrap_err().exit(), Exit::Usage);
        assert_eq!(arguments(&[], Some("@/nowhere/at/all")).body().unwrap_err().exit(), Exit::Other);
    }
}
