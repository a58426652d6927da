//! What users of other signers report again and again: one case for each, named after it.

use std::process::Command;
use std::time::{Duration, Instant};

use aws_sigv4_free_signing::explain::{CauseKind, ServerView};
use aws_sigv4_free_signing::verify::{ReceivedBody, VerificationErrorKind, Verifier};
use aws_sigv4_free_signing::{Credentials, Payload, RawRequest, RawSignature, SigV4, TokenPlacement};
use http::{HeaderName, HeaderValue, Request};
use libtest_mimic::{Failed, Trial};
use time::{OffsetDateTime, UtcOffset};

use crate::harness::trial;

type Outcome = Result<(), Failed>;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("pains::p01_a_path_is_encoded_once_for_s3_and_twice_for_others", path_encoding),
        trial("pains::p02_special_characters_in_keys", special_characters),
        trial("pains::p03_a_tilde_stays_a_tilde", tilde),
        trial("pains::p04_plus_and_space_in_the_query", plus_and_space),
        trial("pains::p05_white_space_in_headers_is_folded", header_space),
        trial("pains::p06_headers_are_sorted_by_name_alone", header_order),
        trial("pains::p07_host_and_port_are_signed_as_they_are_sent", host_and_port),
        trial("pains::p08_values_outside_ascii_are_signed_not_lost", non_ascii),
        trial("pains::p09_what_proxies_change_is_left_unsigned", proxies),
        trial("pains::p10_every_x_amz_header_is_signed", unsigned_headers),
        trial("pains::p11_a_kept_key_is_never_the_wrong_one", wrong_key),
        trial("pains::p12_a_key_is_derived_once", key_is_kept),
        trial("pains::p13_tokens_go_where_each_service_wants_them", tokens),
        trial("pains::p14_the_clock_is_an_argument", clock),
        trial("pains::p15_a_mismatch_is_explained_and_nothing_secret_is_shown", explained),
        trial("pains::p16_no_sdk_and_few_crates", weight),
        trial("pains::p17_no_c_and_no_assembler_to_build", no_c),
        trial("pains::p18_signing_is_one_call", one_call),
        trial("pains::p19_no_aws_chunked_unless_asked", no_chunks),
    ]
}

const SECRET: &str = "canary/secret+of=pains";

fn now() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_440_938_160).expect("a time")
}

fn credentials() -> Credentials {
    Credentials::new("AKIDEXAMPLE", SECRET)
}

fn general() -> SigV4 {
    SigV4::new("execute-api", "us-east-1")
}

fn sign(signer: &SigV4, request: &RawRequest) -> Result<RawSignature, Failed> {
    Ok(signer.sign_raw(request, Payload::empty(), &credentials(), now())?)
}

/// The second or third line of the canonical request.
fn line(signer: &SigV4, url: &str, number: usize) -> Result<String, Failed> {
    let signed = sign(signer, &RawRequest::new("GET", url))?;
    Ok(signed.canonical_request.lines().nth(number).unwrap_or_default().to_owned())
}

fn path(signer: &SigV4, url: &str) -> Result<String, Failed> {
    line(signer, url, 1)
}

fn path_encoding() -> Outcome {
    let s3 = SigV4::s3("us-east-1");
    for (url, of_s3, of_others) in [
        ("https://h/a%20b", "/a%20b", "/a%2520b"),
        ("https://h/role/arn%3Aaws%3Aiam", "/role/arn%3Aaws%3Aiam", "/role/arn%253Aaws%253Aiam"),
        ("https://h/a//b", "/a//b", "/a/b"),
        ("https://h/a/./b/../c", "/a/./b/../c", "/a/c"),
        ("https://h/./", "/./", "/"),
        ("https://h//lead", "//lead", "/lead"),
        ("https://h", "/", "/"),
    ] {
        assert_eq!(path(&s3, url)?, of_s3, "{url}");
        assert_eq!(path(&general(), url)?, of_others, "{url}");
    }
    Ok(())
}

fn special_characters() -> Outcome {
    let s3 = SigV4::s3("us-east-1");
    // Written as it is, in upper case or in lower case: one key, and so one signature.
    for (character, escape) in [
        ("=", "%3D"),
        ("@", "%40"),
        (":", "%3A"),
        ("*", "%2A"),
        ("'", "%27"),
        ("(", "%28"),
        (")", "%29"),
        ("!", "%21"),
        ("+", "%2B"),
        ("$", "%24"),
        (",", "%2C"),
        ("&", "%26"),
        (";", "%3B"),
        ("\u{e9}", "%C3%A9"),
        (" ", "%20"),
    ] {
        let canonical = format!("/a{escape}b");
        for written in [character.to_owned(), escape.to_owned(), escape.to_lowercase()] {
            assert_eq!(path(&s3, &format!("https://h/a{written}b"))?, canonical);
        }
    }
    Ok(())
}

fn tilde() -> Outcome {
    let s3 = SigV4::s3("us-east-1");
    assert_eq!(path(&s3, "https://h/~user/%7Euser")?, "/~user/~user");
    assert_eq!(line(&s3, "https://h/?k=~%7E%7e", 2)?, "k=~~~");
    let request = Request::get("https://h/~user").body(())?;
    let url = s3.presign(&request, Duration::from_secs(60), &credentials(), now())?;
    assert!(url.as_str().starts_with("https://h/~user?"), "the URL stays as it was written");
    Ok(())
}

fn plus_and_space() -> Outcome {
    for signer in [general(), SigV4::s3("us-east-1")] {
        assert_eq!(line(&signer, "https://h/?k=a+b", 2)?, "k=a%2Bb");
        assert_eq!(line(&signer, "https://h/?k=a%2Bb", 2)?, "k=a%2Bb");
        assert_eq!(line(&signer, "https://h/?k=a%20b", 2)?, "k=a%20b");
        assert_eq!(line(&signer, "https://h/?k=a b", 2)?, "k=a%20b");
        // Without order, without a value.
        assert_eq!(line(&signer, "https://h/?b&a=2&a=1&a-b&c=", 2)?, "a=1&a=2&a-b=&b=&c=");
    }
    // What comes out has no plus sign that was not put in.
    let request = RawRequest::new("GET", "https://h/?k=a b");
    assert!(sign(&general(), &request)?.url.ends_with("?k=a%20b"));
    Ok(())
}

fn header_space() -> Outcome {
    let request =
        RawRequest::new("GET", "https://h/").header("X-Own", "  a   \"b   c\" \t d  ").header("X-Empty", "   ");
    let signed = sign(&general(), &request)?;
    assert!(signed.canonical_request.contains("\nx-empty:\n"), "{}", signed.canonical_request);
    assert!(signed.canonical_request.contains("\nx-own:a \"b c\" d\n"), "{}", signed.canonical_request);
    Ok(())
}

fn header_order() -> Outcome {
    let key = "x-amz-server-side-encryption-customer-key";
    let request = RawRequest::new("GET", "https://h/")
        .header(format!("{key}-MD5"), "2")
        .header(key, "1")
        .header("Accept-Encoding", "x")
        .header("Accept", "y");
    let signed = sign(&SigV4::s3("us-east-1"), &request)?;
    let canonical = &signed.canonical_request;
    assert!(canonical.contains(&format!("\n{key}:1\n{key}-md5:2\n")), "{canonical}");
    assert!(canonical.contains("\naccept:y\naccept-encoding:x\n"), "{canonical}");
    assert!(canonical.contains(&format!(";{key};{key}-md5\n")), "{canonical}");
    // Of several with one name, all are signed, in their order.
    let twice = RawRequest::new("GET", "https://h/").header("x-own", "b").header("X-Own", "a");
    assert!(sign(&general(), &twice)?.canonical_request.contains("\nx-own:b,a\n"));
    Ok(())
}

fn host_and_port() -> Outcome {
    for (url, host) in [
        ("https://h.example.com/", "h.example.com"),
        ("https://h.example.com:443/", "h.example.com"),
        ("http://h.example.com:80/", "h.example.com"),
        ("https://h.example.com:80/", "h.example.com:80"),
        ("http://h.example.com:443/", "h.example.com:443"),
        ("http://127.0.0.1:9000/", "127.0.0.1:9000"),
        ("https://[::1]:8443/", "[::1]:8443"),
    ] {
        let mut request = Request::get(url).body(())?;
        general().sign(&mut request, Payload::empty(), &credentials(), now())?;
        assert_eq!(request.headers()["host"], host, "{url}");
        let signed = sign(&general(), &RawRequest::new("GET", url))?;
        assert!(signed.canonical_request.contains(&format!("\nhost:{host}\n")), "{url}");
    }
    // A host that the caller sets is the one that is sent, and so the one that is signed.
    let request = RawRequest::new("GET", "https://127.0.0.1:9000/").header("Host", "bucket.example.com");
    assert!(sign(&general(), &request)?.canonical_request.contains("\nhost:bucket.example.com\n"));
    Ok(())
}

fn non_ascii() -> Outcome {
    for bytes in ["\u{e9}t\u{e9} \u{1f408}".as_bytes(), b"\xe9\xff"] {
        let mut request =
            Request::put("https://h/k").header("x-amz-meta-name", HeaderValue::from_bytes(bytes)?).body(())?;
        SigV4::s3("us-east-1").sign(&mut request, Payload::empty(), &credentials(), now())?;
        let verifier = Verifier::new(|_: &str| Some(credentials()));
        verifier.verify(&request, ReceivedBody::Bytes(b""), now())?;
        let other = HeaderValue::from_bytes(&[bytes, b"\xe8"].concat())?;
        request.headers_mut().insert("x-amz-meta-name", other);
        let error = verifier.verify(&request, ReceivedBody::Bytes(b""), now()).unwrap_err();
        assert_eq!(error.kind(), VerificationErrorKind::SignatureMismatch, "the very bytes are signed");
    }
    Ok(())
}

fn signed_headers(signer: &SigV4, header: &str) -> Result<String, Failed> {
    let request = RawRequest::new("GET", "https://h/").header(header, "x");
    Ok(sign(signer, &request)?.canonical_request.lines().rev().nth(1).unwrap_or_default().to_owned())
}

fn proxies() -> Outcome {
    for header in ["User-Agent", "X-Amzn-Trace-Id", "Connection", "Expect", "TE", "Transfer-Encoding", "Keep-Alive"] {
        assert_eq!(signed_headers(&general(), header)?, "host;x-amz-date", "{header}");
    }
    assert_eq!(signed_headers(&general(), "Accept-Encoding")?, "accept-encoding;host;x-amz-date");
    let chosen = general().leave_unsigned(http::header::ACCEPT_ENCODING);
    assert_eq!(signed_headers(&chosen, "Accept-Encoding")?, "host;x-amz-date");
    for preset in [SigV4::gcs("auto"), SigV4::r2()] {
        assert_eq!(signed_headers(&preset, "Accept-Encoding")?, "host;x-amz-content-sha256;x-amz-date");
    }
    Ok(())
}

fn unsigned_headers() -> Outcome {
    let signer = SigV4::s3("us-east-1");
    let verifier = Verifier::new(|_: &str| Some(credentials()));
    let mut request = Request::put("https://h/k")
        .header("x-amz-acl", "private")
        .header("x-amz-meta-a", "1")
        .header("x-amz-checksum-crc32", "AAAAAA==")
        .body(())?;
    signer.sign(&mut request, Payload::empty(), &credentials(), now())?;
    let verified = verifier.verify(&request, ReceivedBody::Bytes(b""), now())?;
    let signed: Vec<&str> = verified.signed_headers().collect();
    for name in request.headers().keys().filter(|name| name.as_str().starts_with("x-amz-")) {
        assert!(signed.contains(&name.as_str()), "{name}");
    }
    // One that is added to a presigned URL afterwards is what breaks it.
    let url = signer.presign(&Request::put("https://h/k").body(())?, Duration::from_secs(60), &credentials(), now())?;
    let plain = Request::put(url.as_str()).body(())?;
    verifier.verify(&plain, ReceivedBody::NotRead, now())?;
    let added = Request::put(url.as_str()).header("x-amz-checksum-crc32", "AAAAAA==").body(())?;
    let error = verifier.verify(&added, ReceivedBody::NotRead, now()).unwrap_err();
    assert_eq!(error.kind(), VerificationErrorKind::UnsignedHeader);
    assert!(error.to_string().contains("x-amz-checksum-crc32"), "{error}");
    Ok(())
}

/// Each thread keeps its own keys: a new one has none.
fn on_a_new_thread<T: Send>(run: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| scope.spawn(run).join().expect("the thread ends well"))
}

fn wrong_key() -> Outcome {
    let secrets = ["one", "two"].map(|secret| Credentials::new("AKIDEXAMPLE", secret));
    let midnight = OffsetDateTime::from_unix_timestamp(1_440_979_200)?;
    let times = [midnight - time::Duration::seconds(1), midnight];
    // Names that run into each other when they are put side by side.
    let signers = ["s3", "sns", "a", "ab"]
        .map(|service| ["us-east-1", "us-east-2", "b", "bc"].map(|region| SigV4::new(service, region)));
    let mut all: Vec<(SigV4, Credentials, OffsetDateTime)> = Vec::new();
    for signer in signers.into_iter().flatten() {
        for credentials in &secrets {
            all.extend(times.map(|time| (signer.clone(), credentials.clone(), time)));
        }
    }
    let signature = |(signer, credentials, time): &(SigV4, Credentials, OffsetDateTime)| {
        let request = RawRequest::new("GET", "https://h/");
        signer.sign_raw(&request, Payload::empty(), credentials, *time).map(|signed| signed.signature)
    };
    let cold: Vec<String> = all.iter().map(|each| on_a_new_thread(|| signature(each))).collect::<Result<_, _>>()?;
    let mut distinct = cold.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), all.len(), "each is another key");
    let mut random = fastrand::Rng::with_seed(11);
    for _ in 0..2_000 {
        let index = random.usize(..all.len());
        assert_eq!(signature(&all[index])?, cold[index], "{:?}", all[index]);
    }
    // The same access key id with another secret, at the place in memory where the first one was.
    for secret in ["one", "two", "one"] {
        let credentials = Credentials::new("AKIDEXAMPLE", secret);
        let each = (SigV4::new("s3", "us-east-1"), credentials, times[0]);
        assert_eq!(signature(&each)?, on_a_new_thread(|| signature(&each))?);
    }
    Ok(())
}

fn key_is_kept() -> Outcome {
    let signer = general();
    let kept = credentials();
    let request = RawRequest::new("GET", "https://h/");
    let round = |fresh: bool| -> Result<Duration, Failed> {
        let many: Vec<Credentials> = (0..200).map(|_| if fresh { credentials() } else { kept.clone() }).collect();
        let start = Instant::now();
        for credentials in &many {
            signer.sign_raw(&request, Payload::empty(), credentials, now())?;
        }
        Ok(start.elapsed())
    };
    let best = |fresh: bool| -> Result<Duration, Failed> {
        let rounds = (0..15).map(|_| round(fresh)).collect::<Result<Vec<_>, _>>()?;
        Ok(rounds.into_iter().min().unwrap_or_default())
    };
    let (warm, cold) = (best(false)?, best(true)?);
    assert!(warm < cold, "200 signatures: {warm:?} with a kept key, {cold:?} with keys that have to be derived");
    Ok(())
}

fn tokens() -> Outcome {
    let temporary = credentials().with_session_token("token");
    let sign = |signer: &SigV4, credentials: &Credentials| -> Result<_, Failed> {
        let mut request = Request::get("https://h/").body(())?;
        signer.sign(&mut request, Payload::empty(), credentials, now())?;
        let authorization = request.headers()["authorization"].to_str()?.to_owned();
        Ok((request.headers().clone(), authorization))
    };
    let (headers, authorization) = sign(&general(), &temporary)?;
    assert_eq!(headers["x-amz-security-token"], "token");
    assert!(authorization.contains("x-amz-security-token"));

    let (headers, authorization) = sign(&general(), &credentials())?;
    assert!(!headers.contains_key("x-amz-security-token") && !authorization.contains("token"));

    let late = SigV4::new("iotdevicegateway", "us-east-1").token_placement(TokenPlacement::AddedAfterSigning);
    let (headers, authorization) = sign(&late, &temporary)?;
    assert_eq!(headers["x-amz-security-token"], "token");
    assert!(!authorization.contains("x-amz-security-token"));
    let url = late.presign(&Request::get("wss://h/mqtt").body(())?, Duration::from_secs(60), &temporary, now())?;
    let unsigned =
        late.presign(&Request::get("wss://h/mqtt").body(())?, Duration::from_secs(60), &credentials(), now())?;
    let signature = |url: &str| url.split("X-Amz-Signature=").nth(1).map(str::to_owned);
    assert_eq!(signature(url.as_str()), signature(unsigned.as_str()), "the token is no part of it");
    assert!(url.as_str().contains("&X-Amz-Security-Token=token&"));

    // S3 Express: the session's token under its own name; CreateSession itself under the common one.
    let (headers, _) = sign(&SigV4::s3_express("us-east-1"), &temporary)?;
    assert_eq!(headers["x-amz-s3session-token"], "token");
    assert!(!headers.contains_key("x-amz-security-token"));
    let (headers, _) = sign(&SigV4::new("s3express", "us-east-1"), &temporary)?;
    assert_eq!(headers["x-amz-security-token"], "token");
    assert!(!headers.contains_key("x-amz-s3session-token"));
    Ok(())
}

fn clock() -> Outcome {
    let at = |now: OffsetDateTime| -> Result<String, Failed> {
        let mut request = Request::get("https://h/").body(())?;
        general().sign(&mut request, Payload::empty(), &credentials(), now)?;
        Ok(request.headers()["x-amz-date"].to_str()?.to_owned())
    };
    assert_eq!(at(now())?, "20150830T123600Z");
    assert_eq!(at(now() + time::Duration::hours(12))?, "20150831T003600Z");
    assert_eq!(at(now().to_offset(UtcOffset::from_hms(-11, 0, 0)?))?, "20150830T123600Z");
    // A server whose clock is an hour ahead refuses, and accepts what is signed for its own time.
    let server = now() + time::Duration::hours(1);
    let verifier = Verifier::new(|_: &str| Some(credentials()));
    let mut request = Request::get("https://h/").body(())?;
    let fresh = request.clone();
    general().sign(&mut request, Payload::empty(), &credentials(), now())?;
    let error = verifier.verify(&request, ReceivedBody::Bytes(b""), server).unwrap_err();
    assert_eq!((error.kind(), error.s3_code()), (VerificationErrorKind::TimeTooSkewed, "RequestTimeTooSkewed"));
    let mut again = fresh;
    general().sign(&mut again, Payload::empty(), &credentials(), server)?;
    verifier.verify(&again, ReceivedBody::Bytes(b""), server)?;
    Ok(())
}

fn explained() -> Outcome {
    let temporary = credentials().with_session_token("canary-token");
    let request = RawRequest::new("GET", "https://h/a+b?X-Amz-Security-Token-Hint=1").header("Cookie", "canary-cookie");
    let ours = general().explain(&request, Payload::bytes("canary-body"), &temporary, now())?;
    let theirs = ours.canonical_request().replace("/a%2Bb\n", "/a%20b\n");
    assert_ne!(theirs, ours.canonical_request());
    let diagnosis = ours.compare(&ServerView::new().code("SignatureDoesNotMatch").canonical_request(&theirs));
    let difference = diagnosis.difference.as_ref().ok_or("the paths differ")?;
    assert_eq!((difference.line.as_str(), difference.ours.as_deref()), ("path", Some("/a%2Bb")));
    assert_eq!(diagnosis.causes[0].kind, CauseKind::Path);
    assert!(diagnosis.causes[0].text.contains("%2B"), "{}", diagnosis.causes[0].text);
    // The very same text on both sides leaves the secret.
    let same = ServerView::new().canonical_request(ours.canonical_request()).string_to_sign(ours.string_to_sign());
    assert_eq!(ours.compare(&same).causes[0].kind, CauseKind::Secret);

    let signed = general().sign_raw(&request, Payload::empty(), &temporary, now())?;
    let http = Request::get("https://h/").body(())?;
    let url = general().presign(&http, Duration::from_secs(60), &temporary, now())?;
    let mut sent = http;
    general().sign(&mut sent, Payload::empty(), &temporary, now())?;
    let shown = format!(
        "{temporary:?} {request:?} {ours} {ours:?} {diagnosis:?} {signed:?} {url:?} {:?} {:?}",
        sent.headers(),
        Payload::bytes("canary-body")
    );
    for secret in ["canary", ours.signature(), &signed.signature, url.as_str()] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    Ok(())
}

/// What a user of the default features pulls in: names of crates, build dependencies too.
fn tree() -> Result<Vec<String>, Failed> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "tree",
            "--locked",
            "--offline",
            "-p",
            "aws-sigv4-free-signing",
            "-e",
            "normal,build",
            "--prefix",
            "none",
        ])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    let text = String::from_utf8(output.stdout)?;
    let mut names: Vec<String> = text.lines().filter_map(|line| Some(line.split(' ').next()?.to_owned())).collect();
    names.sort();
    names.dedup();
    Ok(names)
}

fn weight() -> Outcome {
    let names = tree()?;
    assert!(names.iter().any(|name| name == "aws-sigv4-free-signing"), "{names:?}");
    assert!(names.len() <= 22, "{} crates: {names:?}", names.len());
    for name in &names {
        let is_ours = name.starts_with("aws-sigv4-free-");
        assert!(is_ours || !name.starts_with("aws-"), "{name} is of the SDK");
        assert!(!["hyper", "tokio", "rustls", "serde", "url", "chrono", "regex"].contains(&name.as_str()), "{name}");
    }
    Ok(())
}

fn no_c() -> Outcome {
    for name in tree()? {
        let builds_c =
            ["cc", "cmake", "bindgen", "ring", "openssl", "openssl-sys", "aws-lc-rs", "aws-lc-sys", "nasm-rs"];
        assert!(!builds_c.contains(&name.as_str()) && !name.ends_with("-sys"), "{name} needs a C compiler");
    }
    Ok(())
}

fn one_call() -> Outcome {
    // Amazon API Gateway: nothing but the request, the credentials and the time. The request is changed in place.
    let body = r#"{"item":"paws"}"#;
    let mut request =
        Request::post("https://abc.execute-api.us-east-1.amazonaws.com/prod/orders?limit=10").body(body)?;
    SigV4::new("execute-api", "us-east-1").sign(&mut request, Payload::bytes(body), &credentials(), now())?;
    assert_eq!(*request.body(), body);
    for name in ["authorization", "x-amz-date", "host"] {
        assert!(request.headers().contains_key(name), "{name}");
    }
    let verifier = Verifier::new(|_: &str| Some(credentials()));
    verifier.verify(&request, ReceivedBody::Bytes(body.as_bytes()), now())?;
    // Signed once more by mistake, it is refused and unchanged, and the error says what to do.
    let before = request.headers().clone();
    let error = general().sign(&mut request, Payload::bytes(body), &credentials(), now()).unwrap_err();
    assert!(error.to_string().contains("sign a request that was not signed"), "{error}");
    assert_eq!(*request.headers(), before);
    Ok(())
}

fn no_chunks() -> Outcome {
    let mut request = Request::put("https://store.example.com/photos/cat.jpg").body("meow")?;
    SigV4::s3("us-east-1").sign(&mut request, Payload::bytes("meow"), &credentials(), now())?;
    let names: Vec<&str> = request.headers().keys().map(HeaderName::as_str).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, ["authorization", "host", "x-amz-content-sha256", "x-amz-date"], "and nothing else is added");
    let hash = request.headers()["x-amz-content-sha256"].to_str()?;
    assert!(hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()), "{hash}");
    assert_eq!(*request.body(), "meow", "the body goes as it is");
    Ok(())
}
