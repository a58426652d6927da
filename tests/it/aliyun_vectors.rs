//! The signatures that Alibaba Cloud's own clients made, with fixed times and nonces.

use std::fs;

use aws_sigv4_free_signing::{Acs3, Acs3Algorithm, AcsRpc, Credentials, Payload, RawRequest};
use http::HeaderName;
use integration_tests::vectors;
use libtest_mimic::{Failed, Trial};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::harness::{skipped, trial};

type Check = fn(&Value) -> Result<(), Failed>;

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    let files: [(&str, &str, usize, Check); 2] =
        [("acs3", "aliyun/acs3.json", 8, acs3), ("rpc", "aliyun/rpc_v1_hmac_sha1.json", 8, rpc)];
    for (name, file, expected, check) in files {
        let cases = match read(file) {
            Ok(cases) => cases,
            Err(reason) => {
                trials.push(skipped(&format!("aliyun_vectors::{name}"), &reason));
                continue;
            }
        };
        let count = cases.len();
        trials.push(trial(&format!("aliyun_vectors::{name}::is_whole"), move || {
            assert_eq!(count, expected);
            Ok(())
        }));
        for case in cases {
            let name = format!("aliyun_vectors::{name}::{}", text(&case, "name"));
            trials.push(trial(&name, move || check(&case)));
        }
    }
    trials
}

fn read(file: &str) -> Result<Vec<Value>, String> {
    let path = vectors::shared_path(file)?;
    let content = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let vectors: Value = serde_json::from_str(&content).map_err(|error| error.to_string())?;
    vectors["cases"].as_array().cloned().ok_or_else(|| format!("{file} holds no cases"))
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

fn object<'a>(value: &'a Value, name: &str) -> Result<&'a Map<String, Value>, Failed> {
    Ok(value[name].as_object().ok_or("not an object")?)
}

/// A query of these parameters, every byte that is no letter or digit encoded.
fn query<'a>(parameters: impl IntoIterator<Item = (&'a String, &'a Value)>) -> String {
    let encode = |text: &str| -> String {
        let byte = |byte: u8| match byte.is_ascii_alphanumeric() {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02x}"),
        };
        text.bytes().map(byte).collect()
    };
    let pairs = parameters.into_iter().map(|(name, value)| (encode(name), encode(value.as_str().unwrap_or_default())));
    pairs.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

fn acs3(case: &Value) -> Result<(), Failed> {
    let headers = object(case, "headers")?;
    let header = |name: &str| headers.get(name).and_then(Value::as_str);
    let credentials = Credentials::new(text(case, "access_key_id"), text(case, "access_key_secret"));
    let credentials = match header("x-acs-security-token") {
        Some(token) => credentials.with_session_token(token),
        None => credentials,
    };
    let mut signer = Acs3::new().algorithm(match text(case, "algorithm") {
        "ACS3-HMAC-SM3" => Acs3Algorithm::HmacSm3,
        _ => Acs3Algorithm::HmacSha256,
    });
    let url =
        format!("https://{}{}?{}", header("host").ok_or("no host")?, text(case, "path"), query(object(case, "query")?));
    let mut request = RawRequest::new(text(case, "method"), url);
    for (name, value) in headers {
        match name.as_str() {
            // What the signer adds.
            "host" | "x-acs-date" | "x-acs-signature-nonce" | "x-acs-content-sha256" => {}
            "x-acs-accesskey-id" | "x-acs-security-token" => {}
            _ => {
                // The vendor's clients sign every header that is there.
                signer = signer.also_sign(HeaderName::from_bytes(name.as_bytes())?);
                request = request.header(name, value.as_str().unwrap_or_default());
            }
        }
    }
    let now = OffsetDateTime::parse(header("x-acs-date").ok_or("no time")?, &Rfc3339)?;
    let nonce = header("x-acs-signature-nonce").ok_or("no nonce")?;
    let signed = signer.sign_raw(&request, Payload::bytes(text(case, "body")), nonce, &credentials, now)?;
    let authorization = &signed.headers.iter().find(|(name, _)| name == "authorization").ok_or("not signed")?.1;
    for name in ["x-acs-content-sha256", "x-acs-accesskey-id", "x-acs-security-token"] {
        let ours = signed.headers.iter().find(|(added, _)| added == name).map(|(_, value)| value.as_str());
        assert_eq!(ours, header(name), "{name}");
    }
    if text(case, "name") == "roa-json" {
        // The client that made this one leaves the space in a parameter's name as it is; no URL can hold it so.
        let theirs = text(case, "canonical_request");
        assert_eq!(signed.canonical_request, theirs.replace("\nA=2&a b=", "\nA=2&a%20b="));
        assert_ne!(signed.canonical_request, theirs);
        let hash: String = Sha256::digest(&signed.canonical_request).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(signed.string_to_sign, format!("ACS3-HMAC-SHA256\n{hash}"));
        let (ours, _) = authorization.rsplit_once("Signature=").ok_or("no signature")?;
        assert_eq!(text(case, "authorization").rsplit_once("Signature=").map(|(before, _)| before), Some(ours));
        return Ok(());
    }
    for (step, ours) in [("canonical_request", &signed.canonical_request), ("string_to_sign", &signed.string_to_sign)] {
        if let Some(theirs) = case[step].as_str() {
            assert_eq!(ours, theirs, "{step}");
        }
    }
    assert_eq!(authorization, text(case, "authorization"));
    Ok(())
}

fn rpc(case: &Value) -> Result<(), Failed> {
    let all = object(case, "all_query")?;
    let parameter = |name: &str| all.get(name).and_then(Value::as_str).unwrap_or_default();
    let own = ["AccessKeyId", "SecurityToken", "SignatureMethod", "SignatureNonce", "SignatureVersion", "Timestamp"];
    let credentials = Credentials::new(parameter("AccessKeyId"), text(case, "access_key_secret"));
    let credentials = match parameter("SecurityToken") {
        "" => credentials,
        token => credentials.with_session_token(token),
    };
    let given = all.iter().filter(|(name, _)| !own.contains(&name.as_str()));
    let request = RawRequest::new(text(case, "method"), format!("https://x.aliyuncs.com/?{}", query(given)));
    let form = case["body_params"].as_object().map(query).unwrap_or_default();
    let now = OffsetDateTime::parse(parameter("Timestamp"), &Rfc3339)?;
    let signed = AcsRpc::new().sign_raw(&request, &form, parameter("SignatureNonce"), &credentials, now)?;
    if let Some(theirs) = case["string_to_sign"].as_str() {
        assert_eq!(signed.string_to_sign, theirs);
    }
    assert_eq!(signed.signature, text(case, "signature"));
    if let Some(theirs) = case["url"].as_str() {
        let sorted = |url: &str| {
            let mut pairs: Vec<_> = url.split_once('?').unwrap_or_default().1.split('&').map(str::to_owned).collect();
            pairs.sort_unstable();
            pairs
        };
        assert_eq!(sorted(&signed.url), sorted(theirs));
    }
    Ok(())
}
