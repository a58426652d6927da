//! Reading and verifying signatures that somebody presents.

use aws_sigv4_free_signing::explain::PresentedSignature;
use aws_sigv4_free_signing::verify::{ReceivedBody, Verifier};
use aws_sigv4_free_signing::{Payload, RawRequest, SigV4};
use time::OffsetDateTime;

use super::Input;
use super::input::{SECRET, TOKEN};

/// Anything is read or not, and refused: nobody without the secret makes a signature.
pub fn body(data: &[u8]) {
    let mut input = Input::new(data);
    let (now, credentials) = (input.time(), input.credentials());
    let mut url = match input.below(3) {
        0 => format!("https://h/{}", input.text(20)),
        1 => format!("/{}", input.text(20)),
        _ => input.text(20),
    };
    let names = ["Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature", "Security-Token"];
    if input.below(2) == 0 {
        for (index, name) in names.iter().enumerate() {
            if input.below(12) == 0 {
                continue;
            }
            let value = match index {
                _ if input.below(6) == 0 => input.text(5),
                0 => "AWS4-HMAC-SHA256".to_owned(),
                1 => "AKIDFUZZ/20150830/us-east-1/s3/aws4_request".to_owned(),
                2 => "20150830T123600Z".to_owned(),
                3 => input.below(700).to_string(),
                4 => "host".to_owned(),
                5 => "0".repeat(64),
                _ => TOKEN.to_owned(),
            };
            url.push_str(&format!("{}X-Amz-{name}={value}", if url.contains('?') { '&' } else { '?' }));
        }
    }
    let mut request = RawRequest::new("GET", url);
    if input.below(2) == 0 {
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDFUZZ/20150830/us-east-1/s3/{}, SignedHeaders={}, Signature={}",
            ["aws4_request".to_owned(), input.text(3)][input.below(2)],
            ["host;x-amz-date".to_owned(), input.text(5)][input.below(2)],
            ["0".repeat(64), input.text(5)][input.below(2)],
        );
        request = request.header("authorization", authorization).header("x-amz-date", "20150830T123600Z");
    }
    for _ in 0..input.below(4) {
        request = request
            .header(["host", "x-amz-date", "authorization", "x-amz-content-sha256"][input.below(4)], input.text(5));
    }
    if let Some(presented) = PresentedSignature::of(&request) {
        let signer: SigV4 = presented.signer();
        let _ = signer.sign_raw(presented.unsigned_request(), Payload::empty(), &credentials, presented.signed_at);
        let shown = format!("{presented:?}");
        assert!(!shown.contains(TOKEN), "{shown}");
    }
    let known = credentials.clone();
    let verifier = Verifier::new(move |id: &str| (id == known.access_key_id()).then(|| known.clone()));
    let then = OffsetDateTime::from_unix_timestamp(1_440_938_160).unwrap_or(now);
    for now in [now, then] {
        let error = verifier.verify_raw(&request, ReceivedBody::Bytes(b""), now).expect_err("nobody signed this");
        let shown = format!("{error:?} {error}");
        assert!(!shown.contains(SECRET) && !shown.contains(TOKEN), "{shown}");
    }
}
