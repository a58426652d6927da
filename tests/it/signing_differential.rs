//! Random requests signed by us, by botocore and by the crate `aws-sigv4`: equal, or the difference is pinned here by a case
//! that says who is right.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use aws_sigv4::SigningOutput;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation, SigningInstructions,
    SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use aws_sigv4_free_signing::{Credentials, Payload, RawRequest, RawSignature, SigV4};
use integration_tests::python;
use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::harness::{trial, trial_with};

/// How many requests each oracle signs.
const REQUESTS: usize = 10_000;
/// The same requests at every run.
const SEED: u64 = 20_130_524;

pub fn trials() -> Vec<Trial> {
    let python = python::interpreter().map(|_| ());
    vec![
        trial_with("signing_differential::botocore_agrees", python, |()| botocore_agrees()),
        trial("signing_differential::aws_sigv4_agrees", aws_sigv4_agrees),
        trial("signing_differential::pinned::escapes_in_an_s3_path", escapes_in_an_s3_path),
        trial("signing_differential::pinned::dot_segments_at_the_end", dot_segments_at_the_end),
        trial("signing_differential::pinned::tabs_in_a_header", tabs_in_a_header),
        trial("signing_differential::pinned::a_plus_in_the_query", a_plus_in_the_query),
        trial("signing_differential::pinned::bytes_in_the_query_that_are_no_text", bytes_in_the_query_that_are_no_text),
    ]
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Mode {
    Headers,
    Query,
}

pub(crate) struct Case {
    pub(crate) mode: Mode,
    pub(crate) is_s3: bool,
    pub(crate) method: &'static str,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    pub(crate) region: &'static str,
    pub(crate) service: &'static str,
    pub(crate) secret: String,
    pub(crate) token: Option<String>,
    pub(crate) time: i64,
    pub(crate) expires: u64,
}

/// What a generator has to leave out for an oracle, since the two differ there; the pinned cases hold the differences.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Oracle {
    Botocore,
    AwsSigv4,
}

impl Case {
    fn random(random: &mut fastrand::Rng, oracle: Oracle) -> Self {
        let mode = if random.u8(..4) == 0 { Mode::Query } else { Mode::Headers };
        let is_s3 = random.bool();
        let mut url = format!(
            "https://{}",
            ["example.amazonaws.com", "h", "127.0.0.1:9000", "example.com:8443"][random.usize(..4)]
        );
        url.push_str(&random_path(random, oracle, is_s3));
        // botocore keeps one of several parameters of a name when it presigns.
        let may_repeat = !(oracle == Oracle::Botocore && mode == Mode::Query);
        let is_text = oracle == Oracle::AwsSigv4 || mode == Mode::Query;
        if let Some(query) = random_query(random, is_text, may_repeat) {
            url.push('?');
            url.push_str(&query);
        }
        Self {
            mode,
            is_s3,
            method: ["GET", "PUT", "POST", "DELETE", "HEAD", "PATCH", "OPTIONS"][random.usize(..7)],
            url,
            headers: random_headers(random, oracle),
            // botocore moves a body into the query when it presigns.
            body: if mode == Mode::Query || random.bool() { String::new() } else { text(random, 64, b' '..=b'~') },
            region: ["us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1"][random.usize(..4)],
            service: if is_s3 { "s3" } else { ["service", "execute-api", "lambda"][random.usize(..3)] },
            secret: text(random, 40, b'!'..=b'~') + "x",
            token: random.bool().then(|| text(random, 200, b'!'..=b'~') + "x"),
            time: random.i64(0..4_102_444_800),
            expires: random.u64(1..=604_800),
        }
    }

    pub(crate) fn credentials(&self) -> Credentials {
        let credentials = Credentials::new("AKIDEXAMPLE", self.secret.as_str());
        match &self.token {
            Some(token) => credentials.with_session_token(token.as_str()),
            None => credentials,
        }
    }

    fn sign(&self) -> Result<RawSignature, Failed> {
        let signer = SigV4::new(self.service, self.region);
        let request = RawRequest::new(self.method, &self.url);
        let request = self.headers.iter().fold(request, |request, (name, value)| request.header(name, value.as_str()));
        let now = OffsetDateTime::from_unix_timestamp(self.time)?;
        Ok(match self.mode {
            Mode::Headers => signer.sign_raw(&request, Payload::bytes(&self.body), &self.credentials(), now)?,
            Mode::Query => {
                let payload = if self.is_s3 { Payload::Unsigned } else { Payload::bytes(&self.body) };
                let expires_in = Duration::from_secs(self.expires);
                signer.presign_raw(&request, Some(payload), expires_in, &self.credentials(), now)?
            }
        })
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "mode": if self.mode == Mode::Headers { "headers" } else { "query" },
            "s3": self.is_s3, "method": self.method, "url": self.url, "headers": self.headers, "body": self.body,
            "region": self.region, "service": self.service, "access_key_id": "AKIDEXAMPLE",
            "secret_access_key": self.secret, "session_token": self.token, "time": self.time, "expires": self.expires,
        })
    }

    fn sign_with_aws_sigv4(&self) -> Result<String, Failed> {
        Ok(self.output_of_aws_sigv4()?.signature().to_owned())
    }

    /// What `aws-sigv4` makes of the request: the signature, and what to add.
    pub(crate) fn output_of_aws_sigv4(&self) -> Result<SigningOutput<SigningInstructions>, Failed> {
        let identity =
            aws_credential_types::Credentials::new("AKIDEXAMPLE", &*self.secret, self.token.clone(), None, "test")
                .into();
        let mut settings = SigningSettings::default();
        if self.is_s3 {
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        let mut body = SignableBody::Bytes(self.body.as_bytes());
        if self.mode == Mode::Query {
            settings.signature_location = SignatureLocation::QueryParams;
            settings.expires_in = Some(Duration::from_secs(self.expires));
            settings.payload_checksum_kind = PayloadChecksumKind::NoHeader;
            if self.is_s3 {
                body = SignableBody::UnsignedPayload;
            }
        }
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.region)
            .name(self.service)
            .time(SystemTime::UNIX_EPOCH + Duration::from_secs(self.time.unsigned_abs()))
            .settings(settings)
            .build()?
            .into();
        let headers = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let request = SignableRequest::new(self.method, &*self.url, headers, body)?;
        Ok(sign(request, &parameters)?)
    }
}

fn text(random: &mut fastrand::Rng, most: usize, bytes: std::ops::RangeInclusive<u8>) -> String {
    (0..random.usize(..=most)).map(|_| char::from(random.u8(bytes.clone()))).collect()
}

/// Any bytes, in the canonical encoding.
fn encoded(random: &mut fastrand::Rng, most: usize) -> String {
    let mut text = String::new();
    for _ in 0..random.usize(..=most) {
        let byte = if random.bool() { random.u8(b'a'..=b'z') } else { random.u8(..) };
        // A slash in a name would be a separator to some.
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            text.push(char::from(byte));
        } else if byte != b'/' {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

/// Any characters, in the canonical encoding.
fn encoded_text(random: &mut fastrand::Rng, most: usize) -> String {
    let characters: String = (0..random.usize(..=most)).map(|_| random.char(..)).collect();
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

fn random_path(random: &mut fastrand::Rng, oracle: Oracle, is_s3: bool) -> String {
    let mut path = String::new();
    for _ in 0..random.usize(..6) {
        path.push('/');
        match random.u8(..10) {
            0 => path.push('.'),
            1 => path.push_str(".."),
            2 => {}
            _ => path.push_str(&encoded(random, 12)),
        }
    }
    match random.u8(..3) {
        0 => path.push('/'),
        1 => path.push_str("/end"),
        _ => {}
    }
    // See `dot_segments_at_the_end`.
    if oracle == Oracle::AwsSigv4 && !is_s3 && (path.ends_with("/.") || path.ends_with("/..")) {
        path.push_str("/end");
    }
    if path.is_empty() { "/".to_owned() } else { path }
}

fn random_query(random: &mut fastrand::Rng, is_text: bool, may_repeat: bool) -> Option<String> {
    // See `bytes_in_the_query_that_are_no_text`.
    let part =
        |random: &mut fastrand::Rng, most| if is_text { encoded_text(random, most) } else { encoded(random, most) };
    let count = random.usize(..6);
    if count == 0 {
        return None;
    }
    let mut pairs: Vec<String> = Vec::new();
    for index in 0..count {
        let name = match random.u8(..4) {
            0 if may_repeat => "repeated".to_owned(),
            1 => format!("plain-{index}"),
            _ => format!("{index}{}", part(random, 8)),
        };
        match random.u8(..5) {
            // botocore drops a parameter without a value when it presigns; with an empty one it does not.
            0 if may_repeat => pairs.push(name),
            1 => pairs.push(name + "="),
            _ => pairs.push(format!("{name}={}", part(random, 12))),
        }
    }
    Some(pairs.join("&"))
}

fn random_headers(random: &mut fastrand::Rng, oracle: Oracle) -> Vec<(String, String)> {
    let names = [
        "x-amz-meta-a",
        "X-Amz-Meta-B",
        "Content-Type",
        "x-own",
        "X-Own-md5",
        "range",
        "if-match",
        "user-agent",
        "Expect",
    ];
    let mut headers = Vec::new();
    for _ in 0..random.usize(..8) {
        let name = names[random.usize(..names.len())];
        // `aws-sigv4` signs `expect`.
        if oracle == Oracle::AwsSigv4 && name == "Expect" {
            continue;
        }
        // See `tabs_in_a_header`.
        let spaces: &[&str] =
            if oracle == Oracle::Botocore { &["", " ", "  ", "\t", " \t "] } else { &["", " ", "  ", "   "] };
        let mut space = || spaces[random.usize(..spaces.len())];
        let value = [space(), "one", space(), "tw,o=", space(), "\"three\"", space()].concat();
        headers.push((name.to_owned(), value));
    }
    headers
}

pub(crate) fn cases(oracle: Oracle) -> Vec<Case> {
    let mut random = fastrand::Rng::with_seed(SEED);
    (0..REQUESTS).map(|_| Case::random(&mut random, oracle)).collect()
}

fn botocore_agrees() -> Result<(), Failed> {
    let cases = cases(Oracle::Botocore);
    let mut input = String::new();
    for case in &cases {
        let _ = writeln!(input, "{}", case.to_json());
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("oracles/botocore_sign.py");
    let output = String::from_utf8(python::run(&script, &[], input.as_bytes())?)?;
    let answers: Vec<[String; 3]> = output.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    assert_eq!(answers.len(), REQUESTS);
    for (case, [canonical_request, string_to_sign, signature]) in cases.iter().zip(&answers) {
        let ours = case.sign()?;
        assert_eq!(ours.canonical_request, *canonical_request, "{}", case.to_json());
        assert_eq!(ours.string_to_sign, *string_to_sign, "{}", case.to_json());
        assert_eq!(ours.signature, *signature, "{}", case.to_json());
    }
    Ok(())
}

fn aws_sigv4_agrees() -> Result<(), Failed> {
    for case in cases(Oracle::AwsSigv4) {
        let ours = case.sign()?;
        let theirs = case.sign_with_aws_sigv4()?;
        assert_eq!(ours.signature, theirs, "{}\n{}", case.to_json(), ours.canonical_request);
    }
    Ok(())
}

fn case(is_s3: bool, url: &str) -> Case {
    Case {
        mode: Mode::Headers,
        is_s3,
        method: "GET",
        url: url.to_owned(),
        headers: Vec::new(),
        body: String::new(),
        region: "us-east-1",
        service: if is_s3 { "s3" } else { "service" },
        secret: "secret".to_owned(),
        token: None,
        time: 1_440_938_160,
        expires: 60,
    }
}

/// The second line of the canonical request.
fn path_of(case: &Case) -> Result<String, Failed> {
    Ok(case.sign()?.canonical_request.lines().nth(1).unwrap_or_default().to_owned())
}

/// S3 decodes a key and encodes it once: `=`, `%3D` and `%3d` are one key, and sign alike with us. `aws-sigv4` and botocore
/// sign the path as it stands, so that only `%3D` gives the signature that S3 computes.
fn escapes_in_an_s3_path() -> Result<(), Failed> {
    let canonical = case(true, "https://h/a%3Db%2Bc%40d");
    assert_eq!(canonical.sign()?.signature, canonical.sign_with_aws_sigv4()?);
    for other in ["https://h/a=b+c@d", "https://h/a%3db%2bc%40d"] {
        let other = case(true, other);
        assert_eq!(path_of(&other)?, "/a%3Db%2Bc%40d");
        assert_eq!(other.sign()?.signature, canonical.sign()?.signature);
        assert_ne!(other.sign_with_aws_sigv4()?, canonical.sign()?.signature);
    }
    Ok(())
}

/// A path that ends in `.` or `..` has no slash at its end when it is normalised, as with botocore; `aws-sigv4` leaves one.
fn dot_segments_at_the_end() -> Result<(), Failed> {
    for (url, path) in [("https://h/a/.", "/a"), ("https://h/a/b/..", "/a")] {
        let case = case(false, url);
        assert_eq!(path_of(&case)?, path);
        assert_ne!(case.sign()?.signature, case.sign_with_aws_sigv4()?, "{url}");
    }
    Ok(())
}

/// All white space in a header's value is folded, as with botocore; `aws-sigv4` folds spaces, and keeps tabs.
fn tabs_in_a_header() -> Result<(), Failed> {
    let mut case = case(false, "https://h/");
    case.headers.push(("x-own".to_owned(), "one\ttwo".to_owned()));
    assert!(case.sign()?.canonical_request.contains("\nx-own:one two\n"));
    assert_ne!(case.sign()?.signature, case.sign_with_aws_sigv4()?);
    Ok(())
}

/// A byte of a query that is no UTF-8 signs as it stands, as with botocore in headers; `aws-sigv4`, and botocore
/// when it presigns, put a replacement character.
fn bytes_in_the_query_that_are_no_text() -> Result<(), Failed> {
    let case = case(false, "https://h/?a=%FF");
    assert!(case.sign()?.canonical_request.contains("\na=%FF\n"));
    assert_ne!(case.sign()?.signature, case.sign_with_aws_sigv4()?);
    Ok(())
}

/// A `+` in a query is a plus sign and signs as `%2B`; `aws-sigv4` takes it for a space, botocore signs it as it stands.
fn a_plus_in_the_query() -> Result<(), Failed> {
    let case = case(false, "https://h/?a=1+2");
    assert!(case.sign()?.canonical_request.contains("\na=1%2B2\n"));
    assert_ne!(case.sign()?.signature, case.sign_with_aws_sigv4()?);
    Ok(())
}
