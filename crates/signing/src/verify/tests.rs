use http::{HeaderName, HeaderValue, Method, Request};

use super::*;
use crate::Payload;

const SECRET: &str = "canary/of+the/verifier=";
type Change = fn(&mut Request<()>);

fn now() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_440_938_160).unwrap()
}

fn alice() -> Credentials {
    Credentials::new("AKIDALICE", SECRET)
}

fn verifier(credentials: Credentials) -> Verifier<impl Fn(&str) -> Option<Credentials>> {
    Verifier::new(move |id| (id == credentials.access_key_id()).then(|| credentials.clone()))
}

fn request() -> Request<()> {
    Request::put("https://h.example.com:8443/photos/a%20b%3D?b=2&a=1%2B1&acl")
        .header("x-amz-meta-colour", "  black   and white ")
        .header("x-own", "1")
        .header("x-own", "2")
        .header("user-agent", "test")
        .body(())
        .unwrap()
}

fn signed(signer: &SigV4, payload: Payload<'_>, credentials: &Credentials) -> Request<()> {
    let mut request = request();
    signer.sign(&mut request, payload, credentials, now()).unwrap();
    request
}

fn set(request: &mut Request<()>, name: &'static str, value: &'static str) {
    request.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
}

fn edit(request: &mut Request<()>, name: &'static str, from: &str, to: &str) {
    let name = HeaderName::from_static(name);
    let value = request.headers()[&name].to_str().unwrap().replace(from, to);
    request.headers_mut().insert(name, value.parse().unwrap());
}

fn kind(result: Result<Verified, VerificationError>) -> Option<Kind> {
    result.err().map(|error| error.kind())
}

#[test]
fn what_was_signed_is_accepted() {
    let token = alice().with_session_token("token+/=");
    for credentials in [alice(), token] {
        for service in ["s3", "execute-api", "vpc-lattice-svcs"] {
            let signer = SigV4::new(service, "eu-central-1");
            let request = signed(&signer, Payload::bytes("body"), &credentials);
            let verified = verifier(credentials.clone()).verify(&request, ReceivedBody::Bytes(b"body"), now()).unwrap();
            assert_eq!(verified.access_key_id(), "AKIDALICE");
            assert_eq!((verified.region(), verified.service()), ("eu-central-1", service));
            assert_eq!((verified.signed_at(), verified.place()), (now(), Place::Headers));
            assert_eq!((verified.expires_at(), verified.chunks().is_none()), (None, true));
            assert!(matches!(verified.payload(), VerifiedPayload::Sha256(_)));
            assert!(verified.signed_headers().any(|name| name == "x-amz-meta-colour"));
            assert!(!verified.signed_headers().any(|name| name == "user-agent"));
        }
    }
}

// "Examples: Signature Calculations in AWS Signature Version 4", Amazon S3 API Reference: GET Object.
#[test]
fn the_published_request_is_accepted() {
    let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    let request = RawRequest::new("GET", "/test.txt")
        .header("Host", "examplebucket.s3.amazonaws.com")
        .header(
            "Authorization",
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,\
             SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,\
             Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        )
        .header("Range", "bytes=0-9")
        .header("x-amz-content-sha256", crate::payload::EMPTY_SHA256)
        .header("x-amz-date", "20130524T000000Z");
    let then = OffsetDateTime::from_unix_timestamp(1_369_353_600).unwrap();
    verifier(credentials.clone()).verify_raw(&request, ReceivedBody::Bytes(b""), then).unwrap();
    let error = verifier(credentials).verify_raw(&request, ReceivedBody::Bytes(b"x"), then).unwrap_err();
    assert_eq!(error.kind(), Kind::PayloadMismatch);
}

#[test]
fn each_change_on_the_way_is_refused_with_its_reason() {
    let changes: [(Kind, Change); 24] = [
        (Kind::SignatureMismatch, |request| *request.method_mut() = Method::POST),
        (Kind::SignatureMismatch, |request| {
            *request.uri_mut() = "https://h.example.com:8443/photos/a%20c%3D?b=2&a=1%2B1&acl".parse().unwrap();
        }),
        (Kind::SignatureMismatch, |request| {
            *request.uri_mut() = "https://h.example.com:8443/photos/a%20b%3D?b=2&a=1%2B2&acl".parse().unwrap();
        }),
        (Kind::SignatureMismatch, |request| {
            *request.uri_mut() = "https://h.example.com:8443/photos/a%20b%3D?b=2&a=1%2B1".parse().unwrap();
        }),
        (Kind::SignatureMismatch, |request| set(request, "host", "evil.example.com")),
        (Kind::SignatureMismatch, |request| set(request, "x-amz-meta-colour", "white")),
        (Kind::SignatureMismatch, |request| set(request, "x-own", "1")),
        (Kind::SignatureMismatch, |request| edit(request, "authorization", "eu-central-1", "eu-central-2")),
        (Kind::SignatureMismatch, |request| edit(request, "authorization", "Signature=", "Signature=0")),
        (Kind::SignatureMismatch, |request| edit(request, "authorization", ";x-own", "")),
        (Kind::SignatureMismatch, |request| set(request, "x-amz-date", "20150830T123601Z")),
        (Kind::UnsignedHeader, |request| set(request, "x-amz-acl", "public-read")),
        (Kind::UnsignedHeader, |request| edit(request, "authorization", "x-amz-meta-colour;", "")),
        (Kind::UnsignedHost, |request| edit(request, "authorization", "host;", "")),
        (Kind::Missing, |request| drop(request.headers_mut().remove("x-own"))),
        (Kind::Missing, |request| drop(request.headers_mut().remove("x-amz-date"))),
        (Kind::Missing, |request| edit(request, "authorization", "Signature=", "Sig=")),
        (Kind::Malformed, |request| edit(request, "authorization", "aws4_request", "aws5_request")),
        (Kind::Malformed, |request| edit(request, "authorization", "20150830/", "2015083X/")),
        (Kind::Malformed, |request| edit(request, "authorization", "Signature=", "Signature=0,Signature=")),
        (Kind::ScopeDateMismatch, |request| edit(request, "authorization", "20150830/", "20150829/")),
        (Kind::UnknownAccessKey, |request| edit(request, "authorization", "AKIDALICE", "AKIDMALLORY")),
        (Kind::UnsupportedAlgorithm, |request| edit(request, "authorization", "HMAC", "ECDSA-P256")),
        (Kind::NotSigned, |request| drop(request.headers_mut().remove("authorization"))),
    ];
    for (index, (expected, change)) in changes.into_iter().enumerate() {
        let mut request = signed(&SigV4::s3("eu-central-1"), Payload::bytes("body"), &alice());
        change(&mut request);
        let result = verifier(alice()).verify(&request, ReceivedBody::Bytes(b"body"), now());
        assert_eq!(kind(result), Some(expected), "change {index}");
    }
    let request = signed(&SigV4::s3("eu-central-1"), Payload::bytes("body"), &alice());
    let other_secret = verifier(Credentials::new("AKIDALICE", "other"));
    assert_eq!(kind(other_secret.verify(&request, ReceivedBody::Bytes(b"body"), now())), Some(Kind::SignatureMismatch));
}

#[test]
fn what_does_not_count_may_change() {
    let mut request = signed(&SigV4::s3("eu-central-1"), Payload::bytes("body"), &alice());
    set(&mut request, "user-agent", "another");
    set(&mut request, "x-forwarded-for", "::1");
    *request.uri_mut() = "/photos/a%20b=?acl=&a=1+1&b=2".parse().unwrap();
    verifier(alice()).verify(&request, ReceivedBody::Bytes(b"body"), now()).unwrap();
    // A header that a proxy adds, when the verifier was told so.
    set(&mut request, "x-amz-cf-id", "1");
    assert_eq!(
        kind(verifier(alice()).verify(&request, ReceivedBody::Bytes(b"body"), now())),
        Some(Kind::UnsignedHeader)
    );
    let lenient = verifier(alice()).may_be_unsigned(HeaderName::from_static("x-amz-cf-id"));
    lenient.verify(&request, ReceivedBody::Bytes(b"body"), now()).unwrap();
}

#[test]
fn headers_that_other_signers_cover_are_taken_as_signed() {
    // `user-agent` is not signed by this crate, and is by others.
    let canonical = format!(
        "GET\n/\n\nhost:h\nuser-agent:x\nx-amz-date:20150830T123600Z\n\nhost;user-agent;x-amz-date\n{}",
        crate::payload::EMPTY_SHA256
    );
    let hash = hex(&Sha256::digest(&canonical).into());
    let string_to_sign = format!(
        "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/r/service/aws4_request\n{}",
        String::from_utf8_lossy(&hash)
    );
    let signature = SigV4::new("service", "r").sign_text(string_to_sign.as_bytes(), &alice(), *b"20150830").unwrap();
    let request = |agent: &str| {
        RawRequest::new("GET", "http://H/").header("user-agent", agent).header("x-amz-date", "20150830T123600Z").header(
            "authorization",
            format!(
                "AWS4-HMAC-SHA256 Credential=AKIDALICE/20150830/r/service/aws4_request, \
                 SignedHeaders=host;user-agent;x-amz-date, Signature={}",
                String::from_utf8_lossy(&signature)
            ),
        )
    };
    verifier(alice()).verify_raw(&request("x"), ReceivedBody::Bytes(b""), now()).unwrap();
    let error = verifier(alice()).verify_raw(&request("y"), ReceivedBody::Bytes(b""), now()).unwrap_err();
    assert_eq!(error.canonical_request(), Some(canonical.replace(":x", ":y").as_str()));
    assert_eq!((error.s3_code(), error.status().as_u16()), ("SignatureDoesNotMatch", 403));
    assert!(error.string_to_sign().unwrap().starts_with("AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/r/"));
}

#[test]
fn clocks_may_differ_by_so_much() {
    let request = signed(&SigV4::s3("eu-central-1"), Payload::empty(), &alice());
    for (seconds, expected) in
        [(900, None), (-900, None), (901, Some(Kind::TimeTooSkewed)), (-901, Some(Kind::TimeTooSkewed))]
    {
        let at = now() + time::Duration::seconds(seconds);
        assert_eq!(kind(verifier(alice()).verify(&request, ReceivedBody::Bytes(b""), at)), expected, "{seconds}");
    }
    let strict = verifier(alice()).allowed_skew(Duration::from_secs(5));
    assert_eq!(
        kind(strict.verify(&request, ReceivedBody::Bytes(b""), now() + time::Duration::seconds(6))),
        Some(Kind::TimeTooSkewed)
    );
}

#[test]
fn presigned_urls_end() {
    let signer = SigV4::s3("eu-central-1");
    let url = signer.presign(&request(), Duration::from_secs(60), &alice(), now()).unwrap();
    let received = |url: &str| {
        let mut request = request();
        request.headers_mut().remove("user-agent");
        *request.uri_mut() = url.parse().unwrap();
        request
    };
    let verify = |url: &str, seconds: i64| {
        let at = now() + time::Duration::seconds(seconds);
        verifier(alice()).verify(&received(url), ReceivedBody::NotRead, at)
    };
    let verified = verify(url.as_str(), 60).unwrap();
    assert_eq!((verified.place(), verified.payload()), (Place::Query, VerifiedPayload::Unsigned));
    assert_eq!(verified.expires_at(), Some(now() + time::Duration::seconds(60)));
    assert_eq!(kind(verify(url.as_str(), 61)), Some(Kind::Expired));
    assert_eq!(kind(verify(url.as_str(), -901)), Some(Kind::TimeTooSkewed));
    for (from, to, expected) in [
        ("Expires=60", "Expires=61", Kind::SignatureMismatch),
        ("Expires=60", "Expires=604801", Kind::InvalidExpiry),
        ("Expires=60", "Expires=0", Kind::InvalidExpiry),
        ("Expires=60", "Expires=-1", Kind::Malformed),
        ("Expires=60", "Expires=99999999999999999999", Kind::Malformed),
        ("&X-Amz-Expires=60", "", Kind::Missing),
        ("X-Amz-Expires=60", "X-Amz-Expires=60&x-amz-expires=60", Kind::Malformed),
        ("host%3B", "", Kind::UnsignedHost),
        ("x-amz-meta-colour%3B", "", Kind::UnsignedHeader),
        ("a=1", "a=2", Kind::SignatureMismatch),
    ] {
        let changed = url.as_str().replace(from, to);
        assert_ne!(changed, url.as_str(), "{from}");
        assert_eq!(kind(verify(&changed, 0)), Some(expected), "{from} -> {to}");
    }
    let demanding = verifier(alice()).unsigned_payload(UnsignedPayload::Refused);
    assert_eq!(
        kind(demanding.verify(&received(url.as_str()), ReceivedBody::NotRead, now())),
        Some(Kind::UnsignedPayload)
    );
    let mut both = received(url.as_str());
    set(&mut both, "x-amz-date", "20150830T123600Z");
    set(
        &mut both,
        "authorization",
        "AWS4-HMAC-SHA256 Credential=A/20150830/r/s/aws4_request, SignedHeaders=host, Signature=0",
    );
    assert_eq!(kind(verifier(alice()).verify(&both, ReceivedBody::NotRead, now())), Some(Kind::Malformed));
}

#[test]
fn a_presigned_url_of_another_service_covers_the_body() {
    let signer = SigV4::new("execute-api", "us-east-1");
    let url = signer.presign(&Request::get("https://h/a").body(()).unwrap(), Duration::from_secs(60), &alice(), now());
    let request = Request::get(url.unwrap().as_str()).body(()).unwrap();
    verifier(alice()).verify(&request, ReceivedBody::Bytes(b""), now()).unwrap();
    assert_eq!(
        kind(verifier(alice()).verify(&request, ReceivedBody::Bytes(b"x"), now())),
        Some(Kind::SignatureMismatch)
    );
    assert_eq!(kind(verifier(alice()).verify(&request, ReceivedBody::NotRead, now())), Some(Kind::Missing));
}

#[test]
fn region_and_service_may_be_demanded() {
    let request = signed(&SigV4::s3("eu-central-1"), Payload::empty(), &alice());
    let verify = |verifier: Verifier<_>| kind(verifier.verify(&request, ReceivedBody::Bytes(b""), now()));
    assert_eq!(verify(verifier(alice()).region("eu-central-1").service("s3")), None);
    assert_eq!(verify(verifier(alice()).region("eu-central-2")), Some(Kind::WrongRegion));
    assert_eq!(verify(verifier(alice()).service("sns")), Some(Kind::WrongService));
}

#[test]
fn tokens_belong_to_their_credentials() {
    let temporary = alice().with_session_token("canary-token");
    let signer = SigV4::s3("eu-central-1");
    let with_token = signed(&signer, Payload::empty(), &temporary);
    let without = signed(&signer, Payload::empty(), &alice());
    let verify =
        |verifier: Verifier<_>, request: &Request<()>| kind(verifier.verify(request, ReceivedBody::Bytes(b""), now()));
    assert_eq!(verify(verifier(temporary.clone()), &with_token), None);
    assert_eq!(verify(verifier(temporary.clone()), &without), Some(Kind::InvalidToken));
    assert_eq!(verify(verifier(alice()), &with_token), Some(Kind::InvalidToken));
    let other = alice().with_session_token("other");
    assert_eq!(verify(verifier(other.clone()), &with_token), Some(Kind::InvalidToken));

    let check = |id: &str, token: Option<&Secret>| match token {
        Some(token) if id == "AKIDALICE" && token.expose_secret() == "canary-token" => TokenVerdict::Valid,
        _ => TokenVerdict::Invalid,
    };
    assert_eq!(verify(verifier(alice()).token_check(check), &with_token), None);
    assert_eq!(verify(verifier(alice()).token_check(check), &without), Some(Kind::InvalidToken));

    // A token that is added after signing.
    let signer = SigV4::new("iotdevicegateway", "eu-central-1").token_placement(TokenPlacement::AddedAfterSigning);
    let late = signed(&signer, Payload::empty(), &temporary);
    assert_eq!(verify(verifier(temporary.clone()), &late), Some(Kind::UnsignedHeader));
    let placed = || verifier(temporary.clone()).token_placement(TokenPlacement::AddedAfterSigning);
    assert_eq!(verify(placed(), &late), None);
    let url = signer
        .presign(&Request::get("https://h/mqtt").body(()).unwrap(), Duration::from_secs(60), &temporary, now())
        .unwrap();
    let request = Request::get(url.as_str()).body(()).unwrap();
    assert_eq!(verify(placed(), &request), None);
    assert_eq!(verify(verifier(temporary), &request), Some(Kind::SignatureMismatch));
}

#[test]
fn a_look_up_that_gives_another_key_is_not_followed() {
    let request = signed(&SigV4::s3("eu-central-1"), Payload::empty(), &alice());
    let careless = Verifier::new(|_: &str| Some(Credentials::new("AKIDBOB", SECRET)));
    assert_eq!(kind(careless.verify(&request, ReceivedBody::Bytes(b""), now())), Some(Kind::UnknownAccessKey));
}

#[test]
fn a_date_header_does_where_there_is_no_other() {
    let canonical =
        format!("GET\n/\n\ndate:Sun, 30 Aug 2015 12:36:00 GMT\nhost:h\n\ndate;host\n{}", crate::payload::EMPTY_SHA256);
    let hash = hex(&Sha256::digest(&canonical).into());
    let text = format!(
        "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/r/service/aws4_request\n{}",
        String::from_utf8_lossy(&hash)
    );
    let signature = SigV4::new("service", "r").sign_text(text.as_bytes(), &alice(), *b"20150830").unwrap();
    let request = RawRequest::new("GET", "/").header("host", "h").header("date", "Sun, 30 Aug 2015 12:36:00 GMT").header(
        "authorization",
        format!(
            "AWS4-HMAC-SHA256 Credential=AKIDALICE/20150830/r/service/aws4_request, SignedHeaders=date;host, Signature={}",
            String::from_utf8_lossy(&signature)
        ),
    );
    verifier(alice()).verify_raw(&request, ReceivedBody::Bytes(b""), now()).unwrap();
}

// "Signature calculations for the Authorization header: Transferring payload in multiple chunks", Amazon S3 API Reference.
fn chunked() -> (Verified, [u8; 65536], [u8; 1024]) {
    let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    let request = RawRequest::new("PUT", "/examplebucket/chunkObject.txt")
        .header("host", "s3.amazonaws.com")
        .header("x-amz-date", "20130524T000000Z")
        .header("x-amz-storage-class", "REDUCED_REDUNDANCY")
        .header("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD")
        .header("content-encoding", "aws-chunked")
        .header("x-amz-decoded-content-length", "66560")
        .header("content-length", "66824")
        .header(
            "authorization",
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,\
             SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;\
             x-amz-decoded-content-length;x-amz-storage-class,\
             Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
        );
    let then = OffsetDateTime::from_unix_timestamp(1_369_353_600).unwrap();
    let verified = verifier(credentials).verify_raw(&request, ReceivedBody::NotRead, then).unwrap();
    (verified, [b'a'; 65536], [b'a'; 1024])
}

const CHUNKS: [&str; 3] = [
    "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
    "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
    "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
];

#[test]
fn the_published_chunks_are_accepted_in_their_order() {
    let (verified, first, second) = chunked();
    assert_eq!(verified.payload(), VerifiedPayload::Streaming(StreamingPayload::Signed));
    let mut chunks = verified.chunks().unwrap();
    chunks.verify_chunk(&first, CHUNKS[0]).unwrap();
    chunks.verify_chunk(&second, CHUNKS[1]).unwrap();
    assert!(!chunks.is_complete());
    chunks.verify_chunk(b"", CHUNKS[2]).unwrap();
    assert!(chunks.is_complete());
    assert_eq!(chunks.verify_chunk(b"more", CHUNKS[2]).unwrap_err().kind(), Kind::Malformed);
    assert_eq!(chunks.verify_trailer([], CHUNKS[2]).unwrap_err().kind(), Kind::Malformed);
}

#[test]
fn chunks_that_are_changed_swapped_or_left_out_are_refused() {
    let (verified, mut first, second) = chunked();
    let fresh = || verified.chunks().unwrap();
    let mismatch = Some(Kind::SignatureMismatch);
    let kind = |result: Result<(), VerificationError>| result.err().map(|error| error.kind());
    assert_eq!(kind(fresh().verify_chunk(&second, CHUNKS[1])), mismatch, "the first is left out");
    assert_eq!(kind(fresh().verify_chunk(b"", CHUNKS[2])), mismatch, "cut off");
    assert_eq!(kind(fresh().verify_chunk(&first, CHUNKS[1])), mismatch);
    first[7] = b'b';
    assert_eq!(kind(fresh().verify_chunk(&first, CHUNKS[0])), mismatch);
}

#[test]
fn a_trailer_is_verified_after_the_last_chunk() {
    let signer = SigV4::s3("eu-central-1");
    let request = signed(&signer, Payload::Streaming(StreamingPayload::SignedTrailer), &alice());
    let verified = verifier(alice()).verify(&request, ReceivedBody::NotRead, now()).unwrap();
    let authorization = request.headers()["authorization"].to_str().unwrap();
    let seed: [u8; 64] = authorization.rsplit('=').next().unwrap().as_bytes().try_into().unwrap();
    let empty = crate::payload::EMPTY_SHA256.as_bytes();
    let last = signer.sign_next("AWS4-HMAC-SHA256-PAYLOAD", &seed, &[empty, empty], &alice(), now()).unwrap();
    let hash = hex(&Sha256::digest("x-amz-checksum-crc32:AAAAAA==\nx-b:1\n").into());
    let trailer = signer.sign_next("AWS4-HMAC-SHA256-TRAILER", &last, &[&hash], &alice(), now()).unwrap();
    let (last, trailer) = (String::from_utf8_lossy(&last), String::from_utf8_lossy(&trailer));

    let mut chunks = verified.chunks().unwrap();
    assert_eq!(chunks.verify_trailer([], &trailer).unwrap_err().kind(), Kind::Malformed);
    chunks.verify_chunk(b"", &last).unwrap();
    assert!(!chunks.is_complete(), "the trailer is missing");
    let fields = |value| [("X-B", " 1"), ("X-Amz-Checksum-Crc32", value)];
    assert_eq!(chunks.verify_trailer(fields("AAAAAB=="), &trailer).unwrap_err().kind(), Kind::SignatureMismatch);
    chunks.verify_trailer(fields("AAAAAA=="), &trailer).unwrap();
    assert!(chunks.is_complete());
}

#[test]
fn what_a_body_is_said_to_be_is_read_strictly() {
    for (value, expected) in [
        ("UNSIGNED-PAYLOAD", Kind::SignatureMismatch),
        ("unsigned-payload", Kind::Malformed),
        ("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", Kind::Malformed),
        ("E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855", Kind::Malformed),
        ("", Kind::Malformed),
    ] {
        let mut request = signed(&SigV4::s3("eu-central-1"), Payload::empty(), &alice());
        set(&mut request, "x-amz-content-sha256", value);
        assert_eq!(kind(verifier(alice()).verify(&request, ReceivedBody::NotRead, now())), Some(expected), "{value}");
    }
    let mut request = signed(&SigV4::s3("eu-central-1"), Payload::empty(), &alice());
    request.headers_mut().remove("x-amz-content-sha256");
    edit(&mut request, "authorization", "x-amz-content-sha256;", "");
    assert_eq!(kind(verifier(alice()).verify(&request, ReceivedBody::NotRead, now())), Some(Kind::Missing));
    // A body that is read afterwards.
    let request = signed(&SigV4::s3("eu-central-1"), Payload::bytes("body"), &alice());
    let verified = verifier(alice()).verify(&request, ReceivedBody::NotRead, now()).unwrap();
    verified.check_body(Sha256::digest("body").into()).unwrap();
    assert_eq!(verified.check_body([0; 32]).unwrap_err().kind(), Kind::PayloadMismatch);
}

#[test]
fn nothing_secret_is_shown() {
    let temporary = alice().with_session_token("canary-token");
    let request = signed(&SigV4::s3("eu-central-1"), Payload::empty(), &temporary);
    let verifier = verifier(temporary);
    let verified = verifier.verify(&request, ReceivedBody::Bytes(b""), now()).unwrap();
    let mut changed = request.clone();
    set(&mut changed, "x-amz-meta-colour", "white");
    let error = verifier.verify(&changed, ReceivedBody::Bytes(b""), now()).unwrap_err();
    let shown = format!("{verifier:?} {verified:?} {error:?} {error} {:?}", ReceivedBody::Bytes(b"canary"));
    let signature = request.headers()["authorization"].to_str().unwrap().rsplit('=').next().unwrap();
    assert!(!shown.contains("canary") && !shown.contains(signature), "{shown}");
}
