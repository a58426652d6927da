//! The verifier against requests that others signed, and against random ones of our own.

use std::fmt::Write as _;
use std::path::Path;

use aws_sigv4_free_signing::verify::{
    Place, ReceivedBody, VerificationError, VerificationErrorKind, Verified, Verifier,
};
use aws_sigv4_free_signing::{Credentials, Payload, RawRequest, SigV4, TokenPlacement};
use integration_tests::{fuzz, python, vectors};
use libtest_mimic::{Failed, Trial};
use time::OffsetDateTime;

use crate::harness::{trial, trial_with};
use crate::signing_differential::{Case, Mode, Oracle, cases};

pub fn trials() -> Vec<Trial> {
    let python = python::interpreter().map(|_| ());
    vec![
        trial_with("verify::requests_that_botocore_signed_are_accepted", python, |()| botocore()),
        trial("verify::requests_that_aws_sigv4_signed_are_accepted", aws_sigv4),
        trial_with("verify::the_signing_suite_is_accepted", vectors::signing_suite(), |suite| self::suite(&suite)),
        trial("verify::random_requests_go_there_and_back", random),
    ]
}

fn verifier(credentials: Credentials) -> Verifier<impl Fn(&str) -> Option<Credentials>> {
    Verifier::new(move |id| (id == credentials.access_key_id()).then(|| credentials.clone()))
}

fn verify(case: &Case, request: &RawRequest, credentials: Credentials) -> Result<Verified, VerificationError> {
    let now = OffsetDateTime::from_unix_timestamp(case.time).expect("a time");
    let verifier = verifier(credentials).region(case.region).service(case.service);
    verifier.verify_raw(request, ReceivedBody::Bytes(case.body.as_bytes()), now)
}

/// What another signer signed is accepted, and refused as soon as something of it changes.
fn check(case: &Case, request: &RawRequest) -> Result<(), Failed> {
    let verified = match verify(case, request, case.credentials()) {
        Ok(verified) => verified,
        Err(error) => return Err(format!("{}: {error:?}", case.to_json()).into()),
    };
    let place = if case.mode == Mode::Headers { Place::Headers } else { Place::Query };
    assert_eq!((verified.place(), verified.access_key_id()), (place, "AKIDEXAMPLE"));

    let kind = |request: &RawRequest, credentials| verify(case, request, credentials).err().map(|error| error.kind());
    let other = Credentials::new("AKIDEXAMPLE", "another");
    assert_eq!(kind(request, other), Some(VerificationErrorKind::SignatureMismatch));
    let copy = |method: &str, url: &str| {
        request.headers().fold(RawRequest::new(method, url), |copy, (name, value)| copy.header(name, value))
    };
    let mismatch = Some(VerificationErrorKind::SignatureMismatch);
    assert_eq!(kind(&copy("TRACE", request.url()), case.credentials()), mismatch);
    let separator = if request.url().contains('?') { '&' } else { '?' };
    let longer = format!("{}{separator}zzz=1", request.url());
    assert_eq!(kind(&copy(request.method(), &longer), case.credentials()), mismatch);
    let more = copy(request.method(), request.url()).header("x-amz-acl", "public-read");
    assert_eq!(kind(&more, case.credentials()), Some(VerificationErrorKind::UnsignedHeader));
    if case.token.is_some() {
        let without = Credentials::new("AKIDEXAMPLE", case.secret.as_str());
        assert_eq!(kind(request, without), Some(VerificationErrorKind::InvalidToken));
    }
    Ok(())
}

fn botocore() -> Result<(), Failed> {
    let cases = cases(Oracle::Botocore);
    let mut input = String::new();
    for case in &cases {
        let _ = writeln!(input, "{}", case.to_json());
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("oracles/botocore_sign.py");
    let output = String::from_utf8(python::run(&script, &["--requests"], input.as_bytes())?)?;
    let requests: Vec<(String, Vec<(String, String)>)> =
        output.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    assert_eq!(requests.len(), cases.len());
    for (case, (url, headers)) in cases.iter().zip(requests) {
        let request = RawRequest::new(case.method, url);
        let request = headers.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        check(case, &request)?;
    }
    Ok(())
}

fn aws_sigv4() -> Result<(), Failed> {
    for case in cases(Oracle::AwsSigv4) {
        let (instructions, _) = case.output_of_aws_sigv4()?.into_parts();
        let mut request = http::Request::builder().method(case.method).uri(&case.url);
        for (name, value) in &case.headers {
            request = request.header(name, value);
        }
        let mut request = request.body(())?;
        instructions.apply_to_request_http1x(&mut request);
        check(&case, &RawRequest::from_http(&request))?;
        // The same as a request of `http`.
        let now = OffsetDateTime::from_unix_timestamp(case.time)?;
        verifier(case.credentials()).verify(&request, ReceivedBody::Bytes(case.body.as_bytes()), now)?;
    }
    Ok(())
}

/// The signed requests of the published suite, as they stand in it.
fn suite(suite: &Path) -> Result<(), Failed> {
    let (mut accepted, mut left_out) = (0, 0);
    for entry in std::fs::read_dir(suite.join("v4"))? {
        let folder = entry?.path();
        let Ok(context) = std::fs::read_to_string(folder.join("context.json")) else { continue };
        let context: serde_json::Value = serde_json::from_str(&context)?;
        for form in ["header", "query"] {
            let Ok(text) = std::fs::read_to_string(folder.join(format!("{form}-signed-request.txt"))) else { continue };
            let Some((request, body)) = read(&text) else {
                return Err(format!("{} can't be read", folder.display()).into());
            };
            // A raw space or letter in the target is the suite's own way to write: no server receives one.
            if !request.url().bytes().all(|byte| byte.is_ascii_graphic()) {
                left_out += 1;
                continue;
            }
            let keys = &context["credentials"];
            let key = |name: &str| keys[name].as_str().unwrap_or_default().to_owned();
            let mut credentials = Credentials::new(key("access_key_id"), key("secret_access_key"));
            if keys["token"].is_string() {
                credentials = credentials.with_session_token(key("token"));
            }
            let mut verifier = verifier(credentials).region("us-east-1");
            if context["normalize"] == false {
                verifier = verifier.path_normalization(aws_sigv4_free_signing::PathNormalization::AsIs);
            }
            if context["omit_session_token"] == true {
                verifier = verifier.token_placement(TokenPlacement::AddedAfterSigning);
            }
            // Where the suite does not sign the body, it hashes an empty one.
            let body = if context["sign_body"] == true { body.as_bytes() } else { b"" };
            let now = OffsetDateTime::from_unix_timestamp(1_440_938_160)?;
            match verifier.verify_raw(&request, ReceivedBody::Bytes(body), now) {
                Ok(_) => accepted += 1,
                Err(error) => return Err(format!("{} {form}: {error:?}", folder.display()).into()),
            }
        }
    }
    println!("{accepted} signed requests of the suite accepted, {left_out} left out");
    assert!(accepted >= 60, "{accepted} accepted, {left_out} left out");
    Ok(())
}

/// A request as HTTP/1.1 writes it, with folded lines.
fn read(text: &str) -> Option<(RawRequest, String)> {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let (method, rest) = lines.next()?.split_once(' ')?;
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in lines {
        if line.starts_with([' ', '\t']) {
            let (_, value) = headers.last_mut()?;
            value.push(' ');
            value.push_str(line.trim());
        } else {
            let (name, value) = line.split_once(':')?;
            headers.push((name.to_owned(), value.to_owned()));
        }
    }
    let request = RawRequest::new(method, rest.strip_suffix(" HTTP/1.1")?);
    Some((headers.into_iter().fold(request, |request, (name, value)| request.header(name, value)), body.to_owned()))
}

/// Random requests of `http`, signed and presigned, are accepted, and refused as soon as any byte of the head changes.
fn random() -> Result<(), Failed> {
    let mut random = fastrand::Rng::with_seed(20_130_524);
    for _ in 0..2_000 {
        let mut data = vec![0; 300];
        random.fill(&mut data);
        let mut input = fuzz::Input::new(&data);
        let (now, credentials) = (input.time(), input.credentials());
        let service = ["s3", "execute-api", "sns"][input.below(3)];
        let url = format!("https://h.example.com/{}?{}", input.url_text(10, b"/"), input.url_text(10, b"&="));
        let body = input.bytes(40);
        let mut request = http::Request::post(&url).header("x-own", input.url_text(8, b" ")).body(())?;
        SigV4::new(service, "us-east-1").sign(&mut request, Payload::bytes(body), &credentials, now)?;
        let verifier = verifier(credentials);
        verifier.verify(&request, ReceivedBody::Bytes(body), now)?;
        // Without the host of the URL, as it arrives in HTTP/1.1.
        let mut received = request.clone();
        *received.uri_mut() = url["https://h.example.com".len()..].parse()?;
        verifier.verify(&received, ReceivedBody::Bytes(body), now)?;
        let names: Vec<_> = request.headers().keys().cloned().collect();
        for name in names {
            let mut changed = request.clone();
            changed.headers_mut().remove(&name);
            // With the header `host` gone, the URL still says the same.
            let is_same = name == http::header::HOST;
            assert_eq!(verifier.verify(&changed, ReceivedBody::Bytes(body), now).is_ok(), is_same, "{name}");
            let mut changed = request.clone();
            let value = [request.headers()[&name].as_bytes(), b"7"].concat();
            changed.headers_mut().insert(&name, http::HeaderValue::from_bytes(&value)?);
            assert!(verifier.verify(&changed, ReceivedBody::Bytes(body), now).is_err(), "{name}");
        }
    }
    Ok(())
}
