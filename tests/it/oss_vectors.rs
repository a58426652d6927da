//! Alibaba Cloud's OSS4 signatures against the shared vectors, which its own client made.

use std::fs;
use std::time::Duration;

use aws_sigv4_free_signing::{Credentials, Payload, RawRequest, SigV4};
use integration_tests::vectors;
use libtest_mimic::{Failed, Trial};
use serde_json::Value;
use time::OffsetDateTime;
use time::macros::format_description;

use crate::harness::{skipped, trial};

/// How many cases the file holds.
const CASES: usize = 16;

pub fn trials() -> Vec<Trial> {
    let cases = match vectors::shared_path("aliyun/oss4.json").and_then(|path| read(&path)) {
        Ok(cases) => cases,
        Err(reason) => return vec![skipped("oss_vectors::all", &reason)],
    };
    let count = cases.len();
    let mut trials = vec![trial("oss_vectors::are_whole", move || {
        assert_eq!(count, CASES);
        Ok(())
    })];
    for case in cases {
        let name = format!("oss_vectors::{}", text(&case, "name"));
        trials.push(trial(&name, move || check(&case)));
    }
    trials
}

fn read(path: &std::path::Path) -> Result<Vec<Value>, String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let file: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    file["cases"].as_array().cloned().ok_or_else(|| "the vectors hold no cases".to_owned())
}

fn text<'a>(case: &'a Value, name: &str) -> &'a str {
    case[name].as_str().unwrap_or_default()
}

fn encoded(text: &str, keep: &[u8]) -> String {
    text.bytes()
        .map(|byte| match byte {
            byte if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) || keep.contains(&byte) => {
                char::from(byte).to_string()
            }
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

fn check(case: &Value) -> Result<(), Failed> {
    let mut signer = match text(case, "cloudbox_id") {
        "" => SigV4::oss4(text(case, "region").to_owned()),
        id => SigV4::oss4_cloudbox(id.to_owned()),
    };
    let mut host = "oss-cn-hangzhou.aliyuncs.com".to_owned();
    if !text(case, "bucket").is_empty() {
        signer = signer.bucket(text(case, "bucket").to_owned());
        host = format!("{}.{host}", text(case, "bucket"));
    }
    for name in case["additional_headers"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        signer = signer.additional_header(name.to_ascii_lowercase().parse()?);
    }
    let mut url = format!("https://{host}/{}", encoded(text(case, "key"), b"/"));
    let query = case["query"].as_object().into_iter().flatten();
    for (index, (name, value)) in query.enumerate() {
        url.push(if index == 0 { '?' } else { '&' });
        url.push_str(&encoded(name, b""));
        match value.as_str().unwrap_or_default() {
            "" => {}
            value => url.push_str(&format!("={}", encoded(value, b""))),
        }
    }
    let mut request = RawRequest::new(text(case, "method"), url);
    for (name, value) in case["headers_in"].as_object().into_iter().flatten() {
        request = request.header(name, value.as_str().unwrap_or_default());
    }
    let mut credentials = Credentials::new(text(case, "access_key_id"), text(case, "access_key_secret"));
    if let Some(token) = case["security_token"].as_str() {
        credentials = credentials.with_session_token(token);
    }
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    let now = time::PrimitiveDateTime::parse(text(case, "time"), format)?.assume_utc();
    let signed = sign(case, &signer, &request, &credentials, now)?;
    assert_eq!(signed.canonical_request, text(case, "canonical_request"));
    assert_eq!(signed.string_to_sign, text(case, "string_to_sign"));
    assert_eq!(signed.signature, text(case, "signature"));
    Ok(())
}

fn sign(
    case: &Value,
    signer: &SigV4,
    request: &RawRequest,
    credentials: &Credentials,
    now: OffsetDateTime,
) -> Result<aws_sigv4_free_signing::RawSignature, Failed> {
    if text(case, "kind") == "header" {
        return Ok(signer.sign_raw(request, Payload::Unsigned, credentials, now)?);
    }
    let expires_in = Duration::from_secs(case["expires"].as_u64().ok_or("no expiry")?);
    let signed = signer.presign_raw(request, None, expires_in, credentials, now)?;
    // The clients differ in the order of the parameters.
    let parameters = |url: &str| {
        let mut parameters: Vec<String> =
            url.split_once('?').map_or(Vec::new(), |(_, query)| query.split('&').map(str::to_owned).collect());
        parameters.sort();
        parameters
    };
    assert_eq!(parameters(&signed.url), parameters(text(case, "url")));
    Ok(signed)
}
