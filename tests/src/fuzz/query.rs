//! The canonical query.

use aws_sigv4_free_signing::{Payload, RawRequest, SigV4};

use super::{Input, canonical};

/// Any query signs to a canonical one, in whatever order its parameters stand.
pub fn body(data: &[u8]) {
    let mut input = Input::new(data);
    let (now, credentials) = (input.time(), input.credentials());
    let query = input.text(40);
    let signer = SigV4::new("service", "us-east-1");
    let sign = |query: &str| {
        let request = RawRequest::new("GET", format!("https://h/?{query}"));
        signer.sign_raw(&request, Payload::empty(), &credentials, now)
    };
    let Ok(signed) = sign(&query) else {
        assert!(query.contains('#'), "{query:?}");
        return;
    };
    let once = canonical::check(&signed);
    let again = sign(once.query).expect("a canonical query can be signed");
    assert_eq!(canonical::check(&again).query, once.query, "{query:?}");
    let reversed: Vec<&str> = query.rsplit('&').collect();
    let reversed = sign(&reversed.join("&")).expect("the order does not decide whether it can be signed");
    assert_eq!(canonical::check(&reversed).query, once.query, "{query:?}");
    assert_eq!(reversed.signature, signed.signature);
}
