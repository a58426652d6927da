//! The canonical URI.

use aws_sigv4_free_signing::{Payload, RawRequest, SigV4};

use super::{Input, canonical};

/// Any path signs to a canonical one; once it is that, it stays so.
pub fn body(data: &[u8]) {
    let mut input = Input::new(data);
    let (now, credentials) = (input.time(), input.credentials());
    let url = format!("https://h/{}", input.text(40));
    let s3 = SigV4::s3("us-east-1");
    let Ok(signed) = s3.sign_raw(&RawRequest::new("GET", &url), Payload::Unsigned, &credentials, now) else {
        assert!(url.contains(['#', '@', '\0', '\r', '\n']) || !url.is_ascii() || url.contains("://"), "{url:?}");
        return;
    };
    let once = canonical::check(&signed);
    let again = RawRequest::new("GET", format!("https://h{}", once.path));
    let again = s3.sign_raw(&again, Payload::Unsigned, &credentials, now).expect("a canonical path can be signed");
    assert_eq!(canonical::check(&again).path, once.path, "{url:?}");

    let general = SigV4::new("service", "us-east-1");
    let signed = general.sign_raw(&RawRequest::new("GET", &url), Payload::Unsigned, &credentials, now);
    let signed = signed.expect("what signs for one service signs for another");
    let path = canonical::check(&signed).path;
    assert!(!path.split('/').any(|segment| matches!(segment, "." | "..")), "{path}");
    assert!(!path.contains("//"), "{path}");
}
