//! What a server says of a signature.

use aws_sigv4_free_signing::explain::ServerView;
use aws_sigv4_free_signing::{Payload, RawRequest, SigV4};

use super::Input;
use super::input::{SECRET, TOKEN};

/// Whatever a server says, there is a diagnosis, and no secret in it.
pub fn body(data: &[u8]) {
    let mut input = Input::new(data);
    let (now, credentials) = (input.time(), input.credentials());
    let url = format!("https://h/{}?{}", input.url_text(10, b"/"), input.url_text(10, b"&="));
    let request = RawRequest::new("GET", url).header("x-own", input.url_text(5, b""));
    let signer = SigV4::new(["s3", "service"][input.below(2)], "us-east-1");
    let Ok(ours) = signer.explain(&request, Payload::empty(), &credentials, now) else { return };

    // The same text with something else in it, or any text.
    let mut change = |text: &str| {
        if input.below(6) == 0 {
            return input.text(20);
        }
        let mut text = text.to_owned();
        for _ in 0..input.below(4) {
            let at = input.below(text.len() + 1);
            let at = (0..=at).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
            if input.below(2) == 0 { text.insert_str(at, &input.text(3)) } else { text.truncate(at) }
        }
        text
    };
    let canonical_request = change(ours.canonical_request());
    let string_to_sign = change(ours.string_to_sign());
    let (code, message) = (change("SignatureDoesNotMatch"), change("the request signature does not match"));
    let mut server = ServerView::new();
    if input.below(4) > 0 {
        server = server.canonical_request(&canonical_request);
    }
    if input.below(2) == 0 {
        server = server.string_to_sign(&string_to_sign);
    }
    if input.below(2) == 0 {
        server = server.code(&code).message(&message);
    }
    let diagnosis = ours.compare(&server);
    assert!(!diagnosis.causes.is_empty());
    // What the server itself made of a token is not known to be one; an unchanged view has it in its place.
    let shown = format!("{diagnosis:?} {ours} {ours:?}");
    assert!(!shown.contains(SECRET), "{shown}");
    assert!(!format!("{ours} {ours:?}").contains(TOKEN));
    if canonical_request == ours.canonical_request() && string_to_sign == ours.string_to_sign() {
        assert_eq!(diagnosis.difference, None);
    }
}
