//! The 38 cases of the SigV4 test suite, in header and in query form, compared at each step; and its two cases of double
//! encoding.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_sigv4_free_signing::{
    ContentSha256Header, Credentials, PathEncoding, PathNormalization, Payload, RawRequest, RawSignature, SigV4,
    TokenPlacement,
};
use integration_tests::vectors;
use libtest_mimic::{Failed, Trial};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::harness::{skipped, trial};

/// How many cases the suite has with both forms.
const CASES: usize = 38;

pub fn trials() -> Vec<Trial> {
    let suite = match vectors::signing_suite() {
        Ok(suite) => suite.join("v4"),
        Err(reason) => {
            return vec![
                skipped("signing_suite::header_form", &reason),
                skipped("signing_suite::query_form", &reason),
                skipped("signing_suite::double_encoding", &reason),
            ];
        }
    };
    let mut folders: Vec<PathBuf> = fs::read_dir(&suite)
        .map(|entries| {
            entries.flatten().map(|entry| entry.path()).filter(|path| path.join("context.json").exists()).collect()
        })
        .unwrap_or_default();
    folders.sort();
    let count = folders.len();
    let mut trials = vec![trial("signing_suite::is_whole", move || {
        assert_eq!(count, CASES);
        Ok(())
    })];
    for folder in folders {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (in_headers, in_query) = (folder.clone(), folder);
        trials.push(trial(&format!("signing_suite::header_form::{name}"), move || check(&in_headers, Form::Header)));
        trials.push(trial(&format!("signing_suite::query_form::{name}"), move || check(&in_query, Form::Query)));
    }
    for name in ["double-encode-path", "double-url-encode"] {
        let folder = suite.join(name);
        trials.push(trial(&format!("signing_suite::double_encoding::{name}"), move || check_double(&folder)));
    }
    trials
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Form {
    Header,
    Query,
}

fn check(folder: &Path, form: Form) -> Result<(), Failed> {
    let case = Case::read(folder)?;
    let mut signed = vec![case.sign(form, case.raw())?];
    // The cases whose URL is valid as it stands are signed as an `http::Request` too.
    if let Ok(request) = case.http() {
        signed.push(case.sign(form, RawRequest::from_http(&request))?);
        case.check_in_place(request, form, &signed[0])?;
    }
    let prefix = if form == Form::Header { "header" } else { "query" };
    for signed in signed {
        for (step, ours) in [
            ("canonical-request", &signed.canonical_request),
            ("string-to-sign", &signed.string_to_sign),
            ("signature", &signed.signature),
        ] {
            let expected = fs::read_to_string(folder.join(format!("{prefix}-{step}.txt")))?;
            assert_eq!(*ours, expected.trim_end_matches('\n'), "{step}");
        }
    }
    Ok(())
}

/// The suite's two cases that show why most services encode twice; only their canonical path is given.
fn check_double(folder: &Path) -> Result<(), Failed> {
    let (method, path, headers, _) = read_request(&fs::read_to_string(folder.join("request.txt"))?)?;
    let host = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("host")).ok_or("no host")?;
    let expected = fs::read_to_string(folder.join("header-canonical-request.txt"))?;
    let request = RawRequest::new(method, format!("https://{}{path}", host.1));
    let now = OffsetDateTime::parse("2021-05-11T15:40:45Z", &Rfc3339)?;
    let credentials = Credentials::new("AKIDEXAMPLE", "secret");
    let signed = SigV4::new("service", "us-east-1").sign_raw(&request, Payload::empty(), &credentials, now)?;
    assert_eq!(signed.canonical_request, expected.trim_end());
    Ok(())
}

/// A case of the suite, of SigV4 and of SigV4A alike.
pub(crate) struct Case {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: String,
    context: Value,
}

impl Case {
    pub(crate) fn read(folder: &Path) -> Result<Self, Failed> {
        let (method, path, headers, body) = read_request(&fs::read_to_string(folder.join("request.txt"))?)?;
        let context = serde_json::from_str(&fs::read_to_string(folder.join("context.json"))?)?;
        Ok(Self { method, path, headers, body, context })
    }

    pub(crate) fn raw(&self) -> RawRequest {
        let request = RawRequest::new(&self.method, format!("https://example.amazonaws.com{}", self.path));
        self.headers.iter().fold(request, |request, (name, value)| request.header(name, value.as_str()))
    }

    pub(crate) fn http(&self) -> Result<http::Request<()>, http::Error> {
        let mut builder =
            http::Request::builder().method(&*self.method).uri(format!("https://example.amazonaws.com{}", self.path));
        for (name, value) in &self.headers {
            builder = builder.header(name, value);
        }
        builder.body(())
    }

    pub(crate) fn text(&self, pointer: &str) -> &str {
        self.context.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        self.context[name].as_bool().unwrap_or_default()
    }

    fn signer(&self) -> SigV4 {
        // The suite's paths stand for themselves: its `%20` and its raw space are the same path.
        let signer = SigV4::new(self.text("/service").to_owned(), self.text("/region").to_owned())
            .path_encoding(PathEncoding::Single)
            .path_normalization(if self.flag("normalize") {
                PathNormalization::Normalized
            } else {
                PathNormalization::AsIs
            });
        let signer =
            if self.flag("sign_body") { signer.content_sha256_header(ContentSha256Header::Always) } else { signer };
        if self.flag("omit_session_token") { signer.token_placement(TokenPlacement::AddedAfterSigning) } else { signer }
    }

    pub(crate) fn credentials(&self) -> Credentials {
        let credentials =
            Credentials::new(self.text("/credentials/access_key_id"), self.text("/credentials/secret_access_key"));
        match self.text("/credentials/token") {
            "" => credentials,
            token => credentials.with_session_token(token),
        }
    }

    pub(crate) fn now(&self) -> Result<OffsetDateTime, Failed> {
        Ok(OffsetDateTime::parse(self.text("/timestamp"), &Rfc3339)?)
    }

    pub(crate) fn payload(&self) -> Payload<'_> {
        if self.flag("sign_body") { Payload::bytes(&self.body) } else { Payload::empty() }
    }

    pub(crate) fn expires_in(&self) -> Duration {
        Duration::from_secs(self.context["expiration_in_seconds"].as_u64().unwrap_or_default())
    }

    fn sign(&self, form: Form, request: RawRequest) -> Result<RawSignature, Failed> {
        let (signer, credentials, now) = (self.signer(), self.credentials(), self.now()?);
        Ok(match form {
            Form::Header => signer.sign_raw(&request, self.payload(), &credentials, now)?,
            Form::Query => signer.presign_raw(&request, Some(self.payload()), self.expires_in(), &credentials, now)?,
        })
    }

    /// Signing an `http::Request` gives what signing its text gave.
    fn check_in_place(&self, mut request: http::Request<()>, form: Form, raw: &RawSignature) -> Result<(), Failed> {
        let (signer, credentials, now) = (self.signer(), self.credentials(), self.now()?);
        match form {
            Form::Header => {
                signer.sign(&mut request, self.payload(), &credentials, now)?;
                for (name, value) in &raw.headers {
                    assert_eq!(request.headers()[name], value, "{name}");
                }
            }
            Form::Query => {
                let url =
                    signer.presign_with_payload(&request, self.payload(), self.expires_in(), &credentials, now)?;
                // The text's URL has what no URL can hold encoded, the request's URL was valid before.
                if self.path.is_ascii() {
                    assert_eq!(url.as_str(), raw.url);
                }
                assert!(url.as_str().ends_with(&format!("X-Amz-Signature={}", raw.signature)));
            }
        }
        Ok(())
    }
}

type Request = (String, String, Vec<(String, String)>, String);

/// Reads a request as the suite writes it: no carriage returns, header lines that may go on in the next line.
fn read_request(text: &str) -> Result<Request, Failed> {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let line = lines.next().ok_or("an empty request")?;
    let (method, rest) = line.split_once(' ').ok_or("no path")?;
    let path = rest.strip_suffix(" HTTP/1.1").ok_or("no version")?;
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in lines.filter(|line| !line.is_empty()) {
        if line.starts_with([' ', '\t']) {
            let (_, value) = headers.last_mut().ok_or("a continuation of nothing")?;
            value.push_str(line);
        } else {
            let (name, value) = line.split_once(':').ok_or("a header without a colon")?;
            headers.push((name.to_owned(), value.to_owned()));
        }
    }
    Ok((method.to_owned(), path.to_owned(), headers, body.to_owned()))
}
