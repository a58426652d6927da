//! What holds for every canonical request.

use aws_sigv4_free_signing::RawSignature;

/// The lines of a canonical request, and its headers.
pub(super) struct Lines<'a> {
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    pub(super) headers: Vec<(&'a str, &'a str)>,
}

/// Takes a canonical request apart, and checks its form.
pub(super) fn check(signature: &RawSignature) -> Lines<'_> {
    let lines: Vec<&str> = signature.canonical_request.split('\n').collect();
    assert!(lines.len() >= 7, "{lines:?}");
    let (front, end) = lines.split_at(lines.len() - 3);
    let [empty, signed, payload] = end else { unreachable!("three lines were split off") };
    assert!(empty.is_empty() && !payload.is_empty(), "{lines:?}");
    let headers: Vec<(&str, &str)> =
        front[3..].iter().map(|line| line.split_once(':').expect("a header line has a colon")).collect();
    let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    assert!(names.is_sorted_by(|a, b| a < b), "sorted by name, each once: {names:?}");
    assert_eq!(names.join(";"), *signed);
    assert!(names.contains(&"host"), "{names:?}");
    for (name, value) in &headers {
        assert_eq!(value.trim(), *value, "{name}");
        assert!(!value.contains("  ") && !value.contains('\t'), "{name}");
    }

    let (path, query) = (front[1], front[2]);
    assert!(path.starts_with('/'), "{path}");
    assert!(path.bytes().all(|byte| byte == b'/' || is_canonical(byte)), "{path}");
    assert!(query.bytes().all(|byte| matches!(byte, b'=' | b'&') || is_canonical(byte)), "{query}");
    let pairs: Vec<(&str, &str)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').expect("each parameter has an equals sign"))
        .collect();
    assert!(pairs.is_sorted(), "{query}");

    assert_eq!(signature.signature.len(), 64);
    assert!(signature.signature.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)));
    assert_eq!(signature.string_to_sign.lines().count(), 4);
    Lines { path, query, headers }
}

fn is_canonical(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.~%".contains(&byte)
}
