//! Random requests signed with the older algorithms, by us and by botocore: equal, or the difference is pinned here by a
//! case that says who is right.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use aws_sigv4_free_signing::{Credentials, RawRequest, RawSignature, S3SigV2, SigV2};
use integration_tests::python;
use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::harness::{trial, trial_with};

/// How many requests botocore signs with each algorithm.
const REQUESTS: usize = 10_000;
/// The same requests at every run.
const SEED: u64 = 20_060_301;

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for (name, form) in [("query_api", Form::Query), ("s3_headers", Form::S3Headers), ("s3_query", Form::S3Query)] {
        let python = python::interpreter().map(|_| ());
        trials.push(trial_with(&format!("sigv2_differential::{name}"), python, move |()| botocore_agrees(form)));
    }
    trials.push(trial("sigv2_differential::pinned::an_empty_sub_resource", an_empty_sub_resource));
    trials.push(trial("sigv2_differential::pinned::a_host_in_upper_case", a_host_in_upper_case));
    trials
}

#[derive(Clone, Copy, PartialEq)]
enum Form {
    Query,
    S3Headers,
    S3Query,
}

struct Case {
    form: Form,
    method: &'static str,
    host: &'static str,
    path: String,
    /// In their canonical encoding.
    parameters: Vec<(String, Option<String>)>,
    in_body: bool,
    headers: Vec<(String, String)>,
    bucket: Option<&'static str>,
    secret: String,
    token: Option<String>,
    time: i64,
    expires: u64,
}

impl Case {
    fn random(random: &mut fastrand::Rng, form: Form) -> Self {
        let mut path = String::from("/");
        for index in 0..random.usize(..5) {
            let _ = write!(path, "{}{}", if index == 0 { "" } else { "/" }, encode(&any_text(random, 8)));
        }
        let mut parameters = Vec::new();
        for index in 0..random.usize(..7) {
            let name = match (form, random.u8(..3)) {
                (Form::Query, 0) => format!("Name.{index}"),
                (Form::Query, _) => format!("{}{index}", any_text(random, 3)),
                (_, 0) => format!("other-{index}"),
                (_, _) => SUB_RESOURCES[random.usize(..SUB_RESOURCES.len())].to_owned(),
            };
            let value = match (form, random.u8(..3)) {
                (Form::S3Headers | Form::S3Query, 0) => None,
                _ => Some(any_text(random, 12) + "x"),
            };
            parameters.push((encode(&name), value.map(|value| encode(&value))));
        }
        if form == Form::Query {
            parameters.push(("Action".to_owned(), Some("Act".to_owned())));
        }
        let mut headers = Vec::new();
        for name in ["Content-MD5", "content-type", "x-amz-acl", "X-Amz-Meta-A", "x-amz-meta-a", "x-own", "Range"] {
            if form != Form::Query && random.bool() {
                let value = ["one", " two  three ", "\tfour\tfive", "six,seven"][random.usize(..4)];
                headers.push((name.to_owned(), value.to_owned()));
            }
        }
        Self {
            form,
            method: ["GET", "PUT", "POST", "DELETE", "HEAD"][random.usize(..5)],
            host: ["s3.example", "127.0.0.1:9000", "h:8773"][random.usize(..3)],
            path,
            parameters,
            in_body: form == Form::Query && random.bool(),
            headers,
            bucket: (form != Form::Query && random.bool()).then_some("bucket.of-ours"),
            secret: printable(random, 60),
            token: random.bool().then(|| printable(random, 200)),
            time: random.i64(0..4_102_444_800),
            expires: random.u64(1..=100_000_000),
        }
    }

    fn query(&self) -> String {
        let pairs = self.parameters.iter().map(|(name, value)| match value {
            Some(value) => format!("{name}={value}"),
            None => name.clone(),
        });
        pairs.collect::<Vec<_>>().join("&")
    }

    fn url(&self) -> String {
        let query = self.query();
        let separator = if query.is_empty() || self.in_body { "" } else { "?" };
        format!("https://{}{}{separator}{}", self.host, self.path, if self.in_body { "" } else { &query })
    }

    fn credentials(&self) -> Credentials {
        let credentials = Credentials::new("AKIDEXAMPLE", self.secret.as_str());
        match &self.token {
            Some(token) => credentials.with_session_token(token.as_str()),
            None => credentials,
        }
    }

    fn sign(&self) -> Result<RawSignature, Failed> {
        let request = RawRequest::new(self.method, self.url());
        let request = self.headers.iter().fold(request, |request, (name, value)| request.header(name, value.as_str()));
        let now = OffsetDateTime::from_unix_timestamp(self.time)?;
        let s3 = self.bucket.map_or_else(S3SigV2::path_style, S3SigV2::virtual_hosted);
        Ok(match self.form {
            Form::Query => SigV2::new().sign_raw(&request, &self.credentials(), now)?,
            Form::S3Headers => s3.sign_raw(&request, &self.credentials(), now)?,
            Form::S3Query => s3.presign_raw(&request, Duration::from_secs(self.expires), &self.credentials(), now)?,
        })
    }

    /// The parameters of a signed body, but for the signature; and the signature, encoded.
    fn sign_body(&self) -> Result<(String, String), Failed> {
        let request = http::Request::builder().method(self.method).uri(self.url()).body(())?;
        let now = OffsetDateTime::from_unix_timestamp(self.time)?;
        let body = SigV2::new().sign_form(&request, &self.query(), &self.credentials(), now)?;
        let (parameters, signature) = body.rsplit_once("&Signature=").ok_or("no signature")?;
        Ok((parameters.to_owned(), signature.to_owned()))
    }

    fn to_json(&self) -> Result<Value, Failed> {
        let parameters: Vec<(String, String)> = self
            .parameters
            .iter()
            .map(|(name, value)| Ok((decode(name)?, decode(value.as_deref().unwrap_or_default())?)))
            .collect::<Result<_, Failed>>()?;
        let (form, url) = match self.form {
            // botocore takes these parameters beside the URL.
            Form::Query => ("query", format!("https://{}{}", self.host, self.path)),
            Form::S3Headers => ("s3-headers", self.url()),
            Form::S3Query => ("s3-query", self.url()),
        };
        Ok(json!({
            "form": form, "method": self.method, "url": url, "parameters": parameters, "in_body": self.in_body,
            "auth_path": self.bucket.map(|bucket| format!("/{bucket}{}", self.path)), "headers": self.headers,
            "access_key_id": "AKIDEXAMPLE", "secret_access_key": self.secret, "session_token": self.token,
            "time": self.time, "expires": self.expires,
        }))
    }
}

const SUB_RESOURCES: [&str; 12] = [
    "acl",
    "uploads",
    "uploadId",
    "partNumber",
    "versionId",
    "versions",
    "response-content-type",
    "response-content-disposition",
    "tagging",
    "delete",
    "select",
    "select-type",
];

fn any_text(random: &mut fastrand::Rng, most: usize) -> String {
    (0..random.usize(1..=most)).map(|_| if random.bool() { random.char(' '..='~') } else { random.char(..) }).collect()
}

fn printable(random: &mut fastrand::Rng, most: usize) -> String {
    (0..random.usize(1..=most)).map(|_| random.char('!'..='~')).collect()
}

fn encode(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        let _ = match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => write!(out, "{}", char::from(byte)),
            _ => write!(out, "%{byte:02X}"),
        };
    }
    out
}

fn decode(text: &str) -> Result<String, Failed> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((plain, escaped)) = rest.split_once('%') {
        bytes.extend_from_slice(plain.as_bytes());
        let (digits, after) = escaped.split_at_checked(2).ok_or("half an escape")?;
        bytes.push(u8::from_str_radix(digits, 16)?);
        rest = after;
    }
    bytes.extend_from_slice(rest.as_bytes());
    Ok(String::from_utf8(bytes)?)
}

fn botocore_agrees(form: Form) -> Result<(), Failed> {
    let mut random = fastrand::Rng::with_seed(SEED);
    let cases: Vec<Case> = (0..REQUESTS).map(|_| Case::random(&mut random, form)).collect();
    let answers = ask_botocore(&cases)?;
    assert_eq!(answers.len(), REQUESTS);
    for (case, [text, signature]) in cases.iter().zip(&answers) {
        if case.in_body {
            let (parameters, ours) = case.sign_body()?;
            assert_eq!((&parameters, &decode(&ours)?), (text, signature), "{}", case.to_json()?);
            continue;
        }
        let ours = case.sign()?;
        match form {
            // botocore shows the last line alone.
            Form::Query => assert_eq!(ours.string_to_sign.lines().last(), Some(&**text), "{}", case.to_json()?),
            _ => assert_eq!(ours.string_to_sign, *text, "{}", case.to_json()?),
        }
        assert_eq!(ours.signature, *signature, "{}", case.to_json()?);
    }
    Ok(())
}

fn ask_botocore(cases: &[Case]) -> Result<Vec<[String; 2]>, Failed> {
    let mut input = String::new();
    for case in cases {
        let _ = writeln!(input, "{}", case.to_json()?);
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("oracles/botocore_sign_v2.py");
    let output = String::from_utf8(python::run(&script, &[], input.as_bytes())?)?;
    Ok(output.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
}

/// `acl=` names what `acl` names, and signs alike, as the stores have it that take these signatures (Swift, Ceph, MinIO);
/// botocore leaves the `=` in.
fn an_empty_sub_resource() -> Result<(), Failed> {
    let now = OffsetDateTime::UNIX_EPOCH;
    let credentials = Credentials::new("AKIDEXAMPLE", "secret");
    let sign = |url: &str| S3SigV2::path_style().sign_raw(&RawRequest::new("GET", url), &credentials, now);
    let signed = sign("https://h/b?acl=")?;
    assert!(signed.string_to_sign.ends_with("\n/b?acl"));
    assert_eq!(signed.signature, sign("https://h/b?acl")?.signature);
    Ok(())
}

/// The host signs in lower case and without the scheme's own port, as the specification has it and as it is sent; botocore
/// signs it as the URL has it.
fn a_host_in_upper_case() -> Result<(), Failed> {
    let now = OffsetDateTime::UNIX_EPOCH;
    let credentials = Credentials::new("AKIDEXAMPLE", "secret");
    let sign = |url: &str| SigV2::new().sign_raw(&RawRequest::new("GET", url), &credentials, now);
    let signed = sign("https://EC2.Example:443/?Action=A")?;
    assert!(signed.string_to_sign.starts_with("GET\nec2.example\n/\n"));
    assert_eq!(signed.signature, sign("https://ec2.example/?Action=A")?.signature);
    Ok(())
}
