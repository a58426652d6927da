//! The 38 cases of the SigV4A test suite, in header and in query form: each step compared, our signatures and those of the
//! suite verified with the suite's public keys. And random requests, signed by us and by awscrt, each verified with a key
//! that Python derives by itself.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_sigv4_free_signing::{
    ContentSha256Header, Credentials, PathEncoding, PathNormalization, Payload, RawRequest, RawSignature, SigV4A,
    TokenPlacement,
};
use integration_tests::{python, vectors};
use libtest_mimic::{Failed, Trial};
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{DerSignature, VerifyingKey};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::harness::{skipped, trial, trial_with};
use crate::signing_suite::{Case, Form};

/// How many cases the suite has.
const CASES: usize = 38;
/// How many requests awscrt signs.
const REQUESTS: usize = 1_000;
/// The same requests at every run.
const SEED: u64 = 20_210_707;

pub fn trials() -> Vec<Trial> {
    let python = python::interpreter().map(|_| ());
    let mut trials = vec![trial_with("sigv4a_suite::awscrt_agrees", python, |()| awscrt_agrees())];
    let suite = match vectors::signing_suite() {
        Ok(suite) => suite.join("v4a"),
        Err(reason) => {
            trials.push(skipped("sigv4a_suite::header_form", &reason));
            trials.push(skipped("sigv4a_suite::query_form", &reason));
            return trials;
        }
    };
    let mut folders: Vec<PathBuf> = fs::read_dir(&suite)
        .map(|entries| {
            entries.flatten().map(|entry| entry.path()).filter(|path| path.join("context.json").exists()).collect()
        })
        .unwrap_or_default();
    folders.sort();
    let count = folders.len();
    trials.push(trial("sigv4a_suite::is_whole", move || {
        assert_eq!(count, CASES);
        Ok(())
    }));
    for folder in folders {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (in_headers, in_query) = (folder.clone(), folder);
        trials.push(trial(&format!("sigv4a_suite::header_form::{name}"), move || check(&in_headers, Form::Header)));
        trials.push(trial(&format!("sigv4a_suite::query_form::{name}"), move || check(&in_query, Form::Query)));
    }
    trials
}

fn check(folder: &Path, form: Form) -> Result<(), Failed> {
    let case = Case::read(folder)?;
    let prefix = if form == Form::Header { "header" } else { "query" };
    let given = |step: &str| fs::read_to_string(folder.join(format!("{prefix}-{step}.txt")));
    let key = public_key(&serde_json::from_str(&fs::read_to_string(folder.join("public-key.json"))?)?)?;
    let mut signed = vec![sign(&case, form, &case.raw())?];
    // The cases whose URL is valid as it stands are signed as an `http::Request` too.
    if let Ok(mut request) = case.http() {
        let (signer, credentials, now) = (signer(&case), case.credentials(), case.now()?);
        match form {
            Form::Header => {
                signer.sign(&mut request, case.payload(), &credentials, now)?;
                for (name, value) in &signed[0].headers {
                    assert_eq!(request.headers()[name], value, "{name}");
                }
            }
            Form::Query => {
                let url =
                    signer.presign_with_payload(&request, case.payload(), case.expires_in(), &credentials, now)?;
                assert!(url.as_str().ends_with(&format!("X-Amz-Signature={}", signed[0].signature)));
            }
        }
        let request = case.http()?;
        signed.push(sign(&case, form, &RawRequest::from_http(&request))?);
    }
    for signed in signed {
        assert_eq!(signed.canonical_request, given("canonical-request")?.trim_end_matches('\n'));
        assert_eq!(signed.string_to_sign, given("string-to-sign")?.trim_end_matches('\n'));
        for (whose, signature) in [("ours", signed.signature.as_str()), ("theirs", given("signature")?.trim())] {
            let signature = der(signature)?;
            key.verify(signed.string_to_sign.as_bytes(), &signature).map_err(|_| format!("{whose} is not verified"))?;
            let other = signed.string_to_sign.replacen("aws4_request", "aws4_requess", 1);
            assert!(key.verify(other.as_bytes(), &signature).is_err(), "{whose} is good for anything");
        }
    }
    Ok(())
}

fn signer(case: &Case) -> SigV4A {
    // The suite's paths stand for themselves: its `%20` and its raw space are the same path.
    let signer = SigV4A::new(case.text("/service").to_owned(), case.text("/region").to_owned())
        .path_encoding(PathEncoding::Single)
        .path_normalization(if case.flag("normalize") {
            PathNormalization::Normalized
        } else {
            PathNormalization::AsIs
        });
    let signer =
        if case.flag("sign_body") { signer.content_sha256_header(ContentSha256Header::Always) } else { signer };
    if case.flag("omit_session_token") { signer.token_placement(TokenPlacement::AddedAfterSigning) } else { signer }
}

fn sign(case: &Case, form: Form, request: &RawRequest) -> Result<RawSignature, Failed> {
    let (signer, credentials, now) = (signer(case), case.credentials(), case.now()?);
    Ok(match form {
        Form::Header => signer.sign_raw(request, case.payload(), &credentials, now)?,
        Form::Query => signer.presign_raw(request, Some(case.payload()), case.expires_in(), &credentials, now)?,
    })
}

fn public_key(coordinates: &Value) -> Result<VerifyingKey, Failed> {
    let coordinate = |name: &str| bytes(coordinates[name].as_str().unwrap_or_default());
    let point = [vec![4], coordinate("X")?, coordinate("Y")?].concat();
    Ok(VerifyingKey::from_sec1_bytes(&point)?)
}

fn der(digits: &str) -> Result<DerSignature, Failed> {
    Ok(DerSignature::from_bytes(&bytes(digits)?)?)
}

fn bytes(digits: &str) -> Result<Vec<u8>, Failed> {
    let pairs = (0..digits.len()).step_by(2).map(|at| digits.get(at..at + 2).ok_or("half a byte"));
    pairs.map(|pair| Ok(u8::from_str_radix(pair?, 16)?)).collect()
}

struct Random {
    in_query: bool,
    method: &'static str,
    url: String,
    host: &'static str,
    headers: Vec<(String, String)>,
    body: String,
    service: &'static str,
    region_set: &'static str,
    access_key_id: String,
    secret: String,
    token: Option<String>,
    time: i64,
    expires: u64,
}

impl Random {
    fn new(random: &mut fastrand::Rng) -> Self {
        let host = ["example.amazonaws.com", "h", "example.com:8443"][random.usize(..3)];
        let mut url = format!("https://{host}/");
        for index in 0..random.usize(..5) {
            let _ = write!(url, "{}{}", if index == 0 { "" } else { "/" }, encoded(random, 8));
        }
        for index in 0..random.usize(..5) {
            let separator = if index == 0 { '?' } else { '&' };
            let _ = write!(url, "{separator}p{index}{}={}", encoded(random, 4), encoded(random, 8));
        }
        let mut headers = Vec::new();
        for name in ["x-amz-meta-a", "X-Amz-Meta-B", "Content-Type", "x-own-md5", "X-Own"] {
            if random.bool() {
                headers.push((name.to_owned(), [" one", "two  three ", ""][random.usize(..3)].to_owned()));
            }
        }
        let in_query = random.u8(..4) == 0;
        let printable = |random: &mut fastrand::Rng, most: usize| -> String {
            (0..random.usize(1..=most)).map(|_| char::from(random.u8(b'!'..=b'~'))).collect()
        };
        Self {
            in_query,
            method: ["GET", "PUT", "POST", "DELETE"][random.usize(..4)],
            url,
            host,
            headers,
            body: if in_query { String::new() } else { printable(random, 30) },
            service: ["s3", "service", "execute-api"][random.usize(..3)],
            region_set: ["us-east-1", "*", "us-east-1,eu-west-1", "us-west-*"][random.usize(..4)],
            access_key_id: format!("AKID{:016X}", random.u64(..)),
            secret: printable(random, 60),
            token: random.bool().then(|| printable(random, 200)),
            time: random.i64(0..4_102_444_800),
            expires: random.u64(1..=604_800),
        }
    }

    fn sign(&self) -> Result<RawSignature, Failed> {
        let credentials = Credentials::new(self.access_key_id.as_str(), self.secret.as_str());
        let credentials = match &self.token {
            Some(token) => credentials.with_session_token(token.as_str()),
            None => credentials,
        };
        let request = RawRequest::new(self.method, &self.url);
        let request = self.headers.iter().fold(request, |request, (name, value)| request.header(name, value.as_str()));
        let now = OffsetDateTime::from_unix_timestamp(self.time)?;
        let signer = SigV4A::new(self.service, self.region_set);
        Ok(if self.in_query {
            signer.presign_raw(&request, None, Duration::from_secs(self.expires), &credentials, now)?
        } else {
            signer.sign_raw(&request, Payload::bytes(&self.body), &credentials, now)?
        })
    }

    fn to_json(&self, ours: &RawSignature) -> Value {
        json!({
            "in_query": self.in_query, "s3": self.service == "s3", "method": self.method, "url": self.url,
            "host": self.host, "headers": self.headers, "body": self.body, "service": self.service,
            "region_set": self.region_set, "access_key_id": self.access_key_id, "secret_access_key": self.secret,
            "session_token": self.token, "time": self.time, "expires": self.expires,
            "string_to_sign": ours.string_to_sign, "signature": ours.signature,
        })
    }
}

/// Any characters, in the canonical encoding.
fn encoded(random: &mut fastrand::Rng, most: usize) -> String {
    let characters: String = (0..random.usize(1..=most)).map(|_| random.char(..)).collect();
    let mut text = String::new();
    for byte in characters.bytes() {
        let _ = if byte.is_ascii_alphanumeric() {
            write!(text, "{}", char::from(byte))
        } else {
            write!(text, "%{byte:02X}")
        };
    }
    text
}

fn awscrt_agrees() -> Result<(), Failed> {
    let mut random = fastrand::Rng::with_seed(SEED);
    let mut input = String::new();
    let mut cases = Vec::new();
    for _ in 0..REQUESTS {
        let case = Random::new(&mut random);
        let ours = case.sign()?;
        let line = case.to_json(&ours).to_string();
        let _ = writeln!(input, "{line}");
        cases.push((line, ours.canonical_request));
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("oracles/awscrt_sign.py");
    let output = String::from_utf8(python::run(&script, &[], input.as_bytes())?)?;
    let answers: Vec<[bool; 3]> = output.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    assert_eq!(answers.len(), REQUESTS);
    for ((case, canonical_request), [ours, theirs, refused]) in cases.iter().zip(answers) {
        assert!(ours, "our signature is not verified: {case}");
        assert!(theirs, "awscrt's signature is not one of our text: {case}\n{canonical_request}");
        assert!(refused, "a changed text is verified: {case}");
    }
    Ok(())
}
