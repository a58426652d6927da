use super::*;
use http::header::{ACCEPT, USER_AGENT};

const NONCE_VALUE: &str = "3156853299f313e23d1673dc12e1703d";

fn credentials() -> Credentials {
    Credentials::new("YourAccessKeyId", "YourAccessKeySecret")
}

fn time() -> OffsetDateTime {
    // 2023-10-26T10:22:32Z
    OffsetDateTime::UNIX_EPOCH + time::Duration::seconds(1_698_315_752)
}

fn request() -> RawRequest {
    RawRequest::new("POST", "https://ecs.cn-shanghai.aliyuncs.com/?RegionId=cn-shanghai&ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd")
        .header("x-acs-action", "RunInstances")
        .header("x-acs-version", "2014-05-26")
}

// The worked example of the vendor's page on signature version 3.
#[test]
fn the_published_example() {
    let signed = Acs3::new().sign_raw(&request(), Payload::empty(), NONCE_VALUE, &credentials(), time()).unwrap();
    assert_eq!(
        signed.canonical_request,
        "POST\n/\nImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai\n\
         host:ecs.cn-shanghai.aliyuncs.com\nx-acs-action:RunInstances\n\
         x-acs-content-sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n\
         x-acs-date:2023-10-26T10:22:32Z\nx-acs-signature-nonce:3156853299f313e23d1673dc12e1703d\n\
         x-acs-version:2014-05-26\n\n\
         host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version\n\
         e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    assert_eq!(
        signed.string_to_sign,
        "ACS3-HMAC-SHA256\n7ea06492da5221eba5297e897ce16e55f964061054b7695beedaac1145b1e259"
    );
    assert_eq!(signed.signature, "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0");
}

#[test]
fn an_http_request_is_signed_alike() {
    let raw = Acs3::new().sign_raw(&request(), Payload::empty(), NONCE_VALUE, &credentials(), time()).unwrap();
    let mut http = http::Request::post(request().url()).body(()).unwrap();
    for (name, value) in request().headers() {
        let name = http::HeaderName::from_bytes(name.as_bytes()).unwrap();
        http.headers_mut().insert(name, http::HeaderValue::from_bytes(value).unwrap());
    }
    Acs3::new().sign(&mut http, Payload::empty(), NONCE_VALUE, &credentials(), time()).unwrap();
    for (name, value) in &raw.headers {
        assert_eq!(http.headers()[name], value);
    }
    assert_eq!(http.headers().len(), 2 + raw.headers.len());
    assert!(http.headers()["authorization"].is_sensitive());
}

#[test]
fn a_token_is_signed_and_never_shown() {
    let credentials = credentials().with_session_token("canary");
    let signed = Acs3::new().sign_raw(&request(), Payload::empty(), NONCE_VALUE, &credentials, time()).unwrap();
    assert!(signed.canonical_request.contains("\nx-acs-accesskey-id:YourAccessKeyId\n"));
    assert!(signed.canonical_request.contains("\nx-acs-security-token:canary\n"));
    let shown = format!("{signed:?}");
    assert!(!shown.contains("canary") && !shown.contains(&signed.signature), "{shown}");
    assert!(shown.contains("ACS3-HMAC-SHA256"), "{shown}");
}

#[test]
fn headers_are_trimmed_joined_and_chosen() {
    let request = request()
        .header("X-Acs-Two", " a  b ")
        .header("x-acs-two", "c")
        .header("content-type", "text/plain")
        .header("accept", "*/*")
        .header("user-agent", "u");
    let names = |signer: &Acs3| {
        let signed = signer.sign_raw(&request, Payload::empty(), NONCE_VALUE, &credentials(), time()).unwrap();
        assert!(signed.canonical_request.contains("\nx-acs-two:a  b,c\n"));
        signed.canonical_request.lines().rev().nth(1).unwrap().to_owned()
    };
    let few = names(&Acs3::new());
    assert!(few.starts_with("content-type;host;x-acs-action;") && few.ends_with(";x-acs-two;x-acs-version"), "{few}");
    let many = names(&Acs3::new().also_sign(ACCEPT).also_sign(USER_AGENT));
    assert!(many.starts_with("accept;content-type;host;user-agent;x-acs-action;"), "{many}");
}

#[test]
fn a_hash_that_is_given_has_to_be_right() {
    let sign = |hash: &str, payload| {
        let request = request().header(CONTENT_SHA256, hash);
        Acs3::new().sign_raw(&request, payload, NONCE_VALUE, &credentials(), time())
    };
    let empty = crate::payload::EMPTY_SHA256;
    let signed = sign(empty, Payload::empty()).unwrap();
    assert!(signed.headers.iter().all(|(name, _)| name != CONTENT_SHA256));
    let by_hash = sign(empty, Payload::sha256_hex(empty).unwrap()).unwrap();
    assert_eq!(by_hash.signature, signed.signature);
    assert_eq!(sign(empty, Payload::bytes("x")).unwrap_err().kind(), SigningErrorKind::InvalidHeader);
}

#[test]
fn what_can_not_be_signed_is_refused() {
    let sign = |signer: &Acs3, request: &RawRequest, payload, nonce: &str| {
        signer.sign_raw(request, payload, nonce, &credentials(), time()).unwrap_err().kind()
    };
    let signer = Acs3::new();
    for nonce in ["", "a b", "a\n"] {
        assert_eq!(sign(&signer, &request(), Payload::empty(), nonce), SigningErrorKind::InvalidNonce);
    }
    for name in ["authorization", DATE, NONCE, ACCESS_KEY_ID, TOKEN] {
        let request = request().header(name, "x");
        assert_eq!(sign(&signer, &request, Payload::empty(), "n"), SigningErrorKind::AlreadySigned, "{name}");
    }
    assert_eq!(sign(&signer, &request(), Payload::Unsigned, "n"), SigningErrorKind::InvalidPayload);
    let sm3 = Acs3::new().algorithm(Acs3Algorithm::HmacSm3);
    assert_eq!(sign(&sm3, &request(), Payload::Sha256([0; 32]), "n"), SigningErrorKind::InvalidPayload);
    let mut request = http::Request::get("https://h/").body(()).unwrap();
    assert!(signer.sign(&mut request, Payload::Unsigned, "n", &credentials(), time()).is_err());
    assert!(request.headers().is_empty());
}
