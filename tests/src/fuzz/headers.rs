//! Headers.

use aws_sigv4_free_signing::{Payload, RawRequest, SigV4};

use super::{Input, canonical};

const NAMES: [&str; 10] = [
    "x-amz-meta-a",
    "X-Amz-Meta-A",
    "x-amz-meta-a-b",
    "x-own",
    "X-OWN",
    "host",
    "User-Agent",
    "content-type",
    "cookie",
    "a",
];

/// Any headers sign, or are refused; white space and the order of different names count for nothing.
pub fn body(data: &[u8]) {
    let mut input = Input::new(data);
    let (now, credentials) = (input.time(), input.credentials());
    // Most of them can be signed; now and then one can't be, or is what the signer adds itself.
    let headers: Vec<(String, Vec<u8>)> = (0..input.below(30))
        .map(|_| {
            let name = match input.byte() {
                0 | 1 => input.text(4),
                2 => ["authorization", "x-amz-date", "x-amz-content-sha256"][input.below(3)].to_owned(),
                _ => NAMES[input.below(NAMES.len())].to_owned(),
            };
            let value = match input.byte() {
                0..3 => input.text(6).into_bytes(),
                3..6 => input.bytes(12).to_vec(),
                6..20 => "\u{e9}  \u{1f408} ".repeat(input.below(3)).into_bytes(),
                _ => input.url_text(10, b" \t").into_bytes(),
            };
            (name, value)
        })
        .collect();
    let sign = |headers: &[(String, Vec<u8>)]| {
        let request = RawRequest::new("GET", "https://h/");
        let request = headers.iter().fold(request, |request, (name, value)| request.header(name, value.as_slice()));
        let shown = format!("{request:?}");
        (SigV4::s3("us-east-1").sign_raw(&request, Payload::empty(), &credentials, now), shown)
    };
    let (signed, _) = sign(&headers);
    let Ok(signed) = signed else { return };
    if headers.iter().all(|(_, value)| value.is_ascii()) {
        let lines = canonical::check(&signed);
        assert!(lines.headers.iter().all(|(name, _)| *name != "user-agent"));
    }
    let mut sorted = headers.clone();
    sorted.sort_by_key(|(name, _)| name.to_ascii_lowercase());
    for (_, value) in &mut sorted {
        value.insert(0, b' ');
        value.push(b'\t');
    }
    let (again, _) = sign(&sorted);
    assert_eq!(again.map(|again| again.signature), Ok(signed.signature));
}
