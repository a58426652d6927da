//! Signed here, verified there.

use std::time::Duration;

use aws_sigv4_free_signing::explain::PresentedSignature;
use aws_sigv4_free_signing::verify::{ReceivedBody, VerificationErrorKind, Verifier};
use aws_sigv4_free_signing::{Credentials, Payload, RawRequest, SigV4};

use super::Input;

/// Whatever is signed is accepted; with one character changed, it is not.
pub fn body(data: &[u8]) {
    let mut input = Input::new(data);
    let (now, credentials) = (input.time(), input.credentials());
    let service = ["s3", "execute-api", "vpc-lattice-svcs"][input.below(3)];
    let signer = SigV4::new(service, "us-east-1");
    let path = input.url_text(20, b"/");
    let query = input.url_text(20, b"&=");
    let url = format!("https://h.example.com{}/{path}?{query}", ["", ":443", ":8443"][input.below(3)]);
    let mut request = RawRequest::new(["GET", "PUT"][input.below(2)], url);
    for _ in 0..input.below(4) {
        let name = ["x-own", "x-amz-meta-a", "x-amz-meta-a-b", "user-agent", "range"][input.below(5)];
        request = request.header(name, input.url_text(8, b" \t"));
    }
    let body = input.bytes(32);

    let is_presigned = input.below(2) == 0;
    let (sent, received) = if is_presigned {
        let expires_in = Duration::from_secs(1 + input.below(65_535) as u64);
        let Ok(signed) = signer.presign_raw(&request, None, expires_in, &credentials, now) else {
            return;
        };
        let sent = request
            .headers()
            .fold(RawRequest::new(request.method(), &signed.url), |sent, (name, value)| sent.header(name, value));
        let presented = PresentedSignature::of(&sent).expect("a presigned URL presents a signature");
        assert_eq!((presented.expires_in, presented.signed_at), (Some(expires_in.as_secs()), now));
        let again = presented
            .signer()
            .presign_raw(presented.unsigned_request(), None, expires_in, &credentials, now)
            .expect("it was signed before");
        assert_eq!(again.signature, signed.signature);
        (sent, ReceivedBody::Bytes(b""))
    } else {
        let Ok(signed) = signer.sign_raw(&request, Payload::bytes(body), &credentials, now) else {
            return;
        };
        let sent = request
            .headers()
            .fold(RawRequest::new(request.method(), &signed.url), |sent, (name, value)| sent.header(name, value));
        let sent = signed.headers.iter().fold(sent, |sent, (name, value)| sent.header(name, value.as_str()));
        (sent, ReceivedBody::Bytes(body))
    };

    let known = credentials.clone();
    let verifier = Verifier::new(move |id: &str| (id == known.access_key_id()).then(|| known.clone()));
    let verified = match verifier.verify_raw(&sent, received, now) {
        Ok(verified) => verified,
        Err(error) => panic!("{:?} is refused: {error:?}", sent.url()),
    };
    assert_eq!((verified.service(), verified.access_key_id()), (service, credentials.access_key_id()));

    // Another secret.
    let id = credentials.access_key_id().to_owned();
    let stranger = Verifier::new(|_: &str| Some(Credentials::new(id.as_str(), "another")));
    let error = stranger.verify_raw(&sent, received, now).expect_err("the secret is another");
    assert_eq!(error.kind(), VerificationErrorKind::SignatureMismatch);

    // Another body, where the signature covers it.
    let covers_body = !(is_presigned && service != "execute-api");
    let longer = [body, b"x"].concat();
    assert_eq!(verifier.verify_raw(&sent, ReceivedBody::Bytes(&longer), now).is_err(), covers_body);

    // Another letter or digit in the path or the query, or another value of a signed header.
    // A segment before `..` is no part of the path where paths are normalised.
    let (base, _) = sent.url().split_once('?').unwrap_or((sent.url(), ""));
    let is_taken_back = service != "s3" && base.split('/').any(|segment| segment == "..");
    let start = if is_taken_back { base.len() } else { "https://h.example.com".len() };
    let significant: Vec<usize> = (start..sent.url().len()).filter(|&at| is_significant(sent.url(), at)).collect();
    if let Some(&at) = significant.get(input.below(significant.len().max(1))) {
        let mut url = sent.url().as_bytes().to_vec();
        url[at] = if url[at] == b'Q' { b'W' } else { b'Q' };
        let changed = RawRequest::new(sent.method(), String::from_utf8_lossy(&url));
        let changed = sent.headers().fold(changed, |changed, (name, value)| changed.header(name, value));
        assert!(verifier.verify_raw(&changed, received, now).is_err(), "{} for {}", changed.url(), sent.url());
    }
    let other_method = RawRequest::new("DELETE", sent.url());
    let other_method = sent.headers().fold(other_method, |changed, (name, value)| changed.header(name, value));
    assert!(verifier.verify_raw(&other_method, received, now).is_err());
    for covered in verified.signed_headers() {
        let changed = sent.headers().fold(RawRequest::new(sent.method(), sent.url()), |changed, (name, value)| {
            let value = if name == covered { [value, b"9"].concat() } else { value.to_vec() };
            changed.header(name, value)
        });
        if sent.headers().any(|(name, _)| name == covered) {
            assert!(verifier.verify_raw(&changed, received, now).is_err(), "{covered}");
        }
    }
}

/// Whether another letter at this place makes another request: not in the port, which may be in a header that says otherwise,
/// and not inside of an escape.
fn is_significant(url: &str, at: usize) -> bool {
    let bytes = url.as_bytes();
    let authority_end = url[8..].find('/').map_or(url.len(), |end| end + 8);
    at > authority_end && bytes[at].is_ascii_alphanumeric() && bytes[at - 1] != b'%' && bytes[at - 2] != b'%'
}
