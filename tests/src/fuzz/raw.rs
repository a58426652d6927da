//! Requests that are text.

use std::time::Duration;

use aws_sigv4_free_signing::{Payload, RawRequest, SigV4};

use super::Input;
use super::input::{SECRET, TOKEN};

/// Anything is signed or refused, the same way each time, and no text for people shows a secret.
pub fn body(data: &[u8]) {
    let mut input = Input::new(data);
    let (now, credentials) = (input.time(), input.credentials());
    let method = if input.below(4) == 0 { input.text(3) } else { "PUT".to_owned() };
    let url = match input.below(3) {
        0 => input.text(30),
        1 => format!("https://{}", input.text(30)),
        _ => format!("http://h:80/{}?{}", input.text(15), input.text(15)),
    };
    let service = ["s3", "service", "vpc-lattice-svcs", "", "a/b"][input.below(5)];
    let mut request = RawRequest::new(method, url);
    for _ in 0..input.below(4) {
        request = request.header(input.text(3), input.text(5));
    }
    let body = input.bytes(64);
    let signer = SigV4::new(service, ["us-east-1", "", "a b"][input.below(12).saturating_sub(9)]);
    let expires_in = Duration::from_secs(input.below(65_535) as u64 * 16);

    let signed = signer.sign_raw(&request, Payload::bytes(body), &credentials, now);
    assert_eq!(signed, signer.sign_raw(&request, Payload::bytes(body), &credentials, now));
    let presigned = signer.presign_raw(&request, None, expires_in, &credentials, now);
    let explained = signer.explain(&request, Payload::bytes(body), &credentials, now);
    assert_eq!(explained.is_ok(), signed.is_ok());

    let mut shown = format!("{signed:?} {presigned:?} {explained:?}");
    match explained {
        Ok(explained) => shown.push_str(&explained.to_string()),
        Err(error) => shown.push_str(&error.to_string()),
    }
    assert!(!shown.contains(SECRET) && !shown.contains(TOKEN), "{shown}");
    if let Ok(signed) = &signed {
        assert!(!shown.contains(&signed.signature), "{shown}");
        assert!(signed.url.bytes().all(|byte| byte.is_ascii_graphic()), "{}", signed.url);
    }
}
