//! The names of buckets and objects, and what is wrong with them.

use std::net::Ipv4Addr;

/// The longest key, in bytes of UTF-8.
pub(crate) const MAX_KEY_BYTES: usize = 1024;

/// How strictly a bucket's name is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameRules {
    /// A bucket of AWS that is to be created: every rule of today.
    Create,
    /// A bucket of AWS that may be there: today's characters and length, aliases of access points included.
    Use,
    /// A store of its own rules, or a bucket of AWS that is older than the rules.
    Legacy,
}

/// Checks a bucket's name; the error says what is wrong with it.
pub(crate) fn check_bucket(name: &str, rules: NameRules) -> Result<(), String> {
    let fault = match rules {
        NameRules::Legacy => legacy_fault(name),
        NameRules::Use => current_fault(name),
        NameRules::Create => current_fault(name).or_else(|| reserved_fault(name)),
    };
    // A name may be anything that a user typed: it is shown escaped, and not at any length.
    fault.map_or(Ok(()), |fault| Err(format!("the bucket name {} {fault}", shown(name))))
}

/// Checks a key; the error says what is wrong with it.
pub(crate) fn check_key(key: &str) -> Result<(), String> {
    if key.is_empty() {
        return Err("the key is empty: an object needs a key of 1 to 1024 bytes".to_owned());
    }
    if key.len() > MAX_KEY_BYTES {
        return Err(format!(
            "the key {} has {} bytes: a key has at most {MAX_KEY_BYTES} bytes of UTF-8",
            shown(key),
            key.len()
        ));
    }
    Ok(())
}

/// Whether `name` can be a label (or labels) of a host name.
pub(crate) fn is_host_label(name: &str) -> bool {
    current_fault(name).is_none()
}

/// A name for an error text: quoted, escaped, and cut where it is too long to be read.
pub(crate) fn shown(name: &str) -> String {
    const LIMIT: usize = 80;
    match name.char_indices().nth(LIMIT) {
        Some((end, _)) => format!("{:?}...", &name[..end]),
        None => format!("{name:?}"),
    }
}

fn current_fault(name: &str) -> Option<&'static str> {
    let is_alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = name.as_bytes();
    if name.starts_with("arn:") {
        return Some("is an ARN: give the bucket's name, or the alias of the access point");
    }
    if !(3..=63).contains(&bytes.len()) {
        return Some("is not 3 to 63 characters long");
    }
    if !bytes.iter().all(|&byte| is_alphanumeric(byte) || matches!(byte, b'.' | b'-')) {
        return Some("has characters other than a-z, 0-9, '.' and '-'");
    }
    if !is_alphanumeric(bytes[0]) || !is_alphanumeric(bytes[bytes.len() - 1]) {
        return Some("does not begin and end with a letter or a digit");
    }
    if name.contains("..") {
        return Some("has two periods in a row");
    }
    if name.contains(".-") || name.contains("-.") {
        return Some("has a period beside a hyphen, which no host name has");
    }
    if name.parse::<Ipv4Addr>().is_ok() {
        return Some("looks like an IP address");
    }
    if name.ends_with("--x-s3") {
        return Some(
            "is that of a directory bucket, which needs session authentication that this client does not have",
        );
    }
    None
}

fn reserved_fault(name: &str) -> Option<&'static str> {
    const PREFIXES: [&str; 3] = ["xn--", "sthree-", "amzn-s3-demo-"];
    const SUFFIXES: [&str; 4] = ["-s3alias", "--ol-s3", ".mrap", "--table-s3"];
    if PREFIXES.iter().any(|prefix| name.starts_with(prefix)) {
        return Some("begins with a prefix that is reserved: 'xn--', 'sthree-', 'amzn-s3-demo-'");
    }
    if SUFFIXES.iter().any(|suffix| name.ends_with(suffix)) {
        return Some("ends with a suffix that is reserved: '-s3alias', '--ol-s3', '.mrap', '--table-s3'");
    }
    None
}

fn legacy_fault(name: &str) -> Option<&'static str> {
    if !(1..=255).contains(&name.len()) {
        return Some("is not 1 to 255 characters long");
    }
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':')) {
        return Some("has characters other than A-Z, a-z, 0-9, '.', '-', '_' and ':'");
    }
    if name.contains("..") || name == "." {
        return Some("would be a step in a path: '.' or '..'");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(name: &str, rules: NameRules, reason: &str) {
        let error = check_bucket(name, rules).expect_err(name);
        assert!(error.contains(reason), "{error}");
    }

    #[test]
    fn names_of_today() {
        let longest = "a".repeat(63);
        for name in ["abc", "a.b", "my-bucket.example.com", "123", "a--b", longest.as_str(), "x-abc-s3alias", "9z9"] {
            assert_eq!(check_bucket(name, NameRules::Use), Ok(()), "{name}");
        }
        let too_long = "a".repeat(64);
        for (name, reason) in [
            ("", "3 to 63"),
            ("ab", "3 to 63"),
            (too_long.as_str(), "3 to 63"),
            ("Photos", "a-z"),
            ("a_b", "a-z"),
            ("a/b", "a-z"),
            ("../x", "a-z"),
            ("bücher", "a-z"),
            ("a b", "a-z"),
            ("a\r\nb", "a-z"),
            ("-ab", "begin and end"),
            ("ab.", "begin and end"),
            ("a..b", "two periods"),
            ("a.-b", "hyphen"),
            ("192.168.0.1", "IP address"),
            ("logs--use1-az4--x-s3", "directory bucket"),
            ("arn:aws:s3:us-east-1:123456789012:accesspoint/a", "ARN"),
        ] {
            refused(name, NameRules::Use, reason);
            refused(name, NameRules::Create, reason);
        }
    }

    #[test]
    fn reserved_names_are_used_but_not_created() {
        for name in
            ["xn--abc", "sthree-abc", "amzn-s3-demo-bucket", "abc-s3alias", "abc--ol-s3", "abc.mrap", "a--table-s3"]
        {
            assert_eq!(check_bucket(name, NameRules::Use), Ok(()));
            refused(name, NameRules::Create, "reserved");
        }
    }

    #[test]
    fn other_stores_have_wider_names_that_still_stay_one_path_segment() {
        for name in ["a", "My_Bucket", "tenant:photos", "192.168.0.1"] {
            assert_eq!(check_bucket(name, NameRules::Legacy), Ok(()));
        }
        for name in ["", ".", "..", "a..b", "a/b", "a\\b", "a?b", "a%2fb", "a\0", "a\nb", "é", &"a".repeat(256)] {
            assert!(check_bucket(name, NameRules::Legacy).is_err(), "{name:?}");
        }
    }

    #[test]
    fn keys_have_1_to_1024_bytes() {
        assert_eq!(check_key("é ?#%//../\u{1}"), Ok(()));
        assert_eq!(check_key(&"k".repeat(1024)), Ok(()));
        assert!(check_key(&"k".repeat(1025)).unwrap_err().contains("1025 bytes"));
        assert!(check_key(&"é".repeat(513)).is_err());
        assert!(check_key("").unwrap_err().contains("empty"));
    }

    #[test]
    fn a_name_is_shown_escaped_and_cut() {
        assert_eq!(shown("a\r\nb"), r#""a\r\nb""#);
        assert_eq!(shown(&"é".repeat(100)).chars().count(), 80 + 2 + 3);
    }
}
