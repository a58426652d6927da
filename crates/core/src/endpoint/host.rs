//! What may be a part of a host name.

/// The longest label of a host name, by RFC 1123.
const MAX_LABEL: usize = 63;

/// The longest host name, by RFC 1123.
const MAX_HOST: usize = 253;

/// Whether `label` is an RFC 1123 label in lower case: 1 to 63 letters, digits and hyphens, no hyphen at either end.
pub(super) fn is_lower_case_label(label: &str) -> bool {
    (1..=MAX_LABEL).contains(&label.len())
        && label.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// Whether `host` is a host name as it occurs in the wild: labels of letters, digits, hyphens and underscores (which
/// names of containers have), with or without the final dot.
pub(super) fn is_host_name(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    host.len() <= MAX_HOST
        && host.split('.').all(|label| {
            (1..=MAX_LABEL).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        })
}

/// Whether `host` is an IP address, the one of version 6 in brackets.
pub(super) fn is_ip_address(host: &str) -> bool {
    host.parse::<std::net::Ipv4Addr>().is_ok()
        || host
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .is_some_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels() {
        for good in ["a", "us-east-1", "1", "a--b", &"a".repeat(63)] {
            assert!(is_lower_case_label(good), "{good}");
        }
        for bad in ["", "-a", "a-", "A", "a.b", "a/b", "a_b", "a b", "é", "a\n", "a\0", &"a".repeat(64)] {
            assert!(!is_lower_case_label(bad), "{bad:?}");
        }
    }

    #[test]
    fn host_names() {
        for good in ["localhost", "my_minio", "s3.eu-central-1.amazonaws.com", "a.b.", "10.0.0.1"] {
            assert!(is_host_name(good), "{good}");
        }
        for bad in ["", ".", "a..b", ".a", "a b", "a\r\nb", &vec!["a".repeat(63); 4].join(".")] {
            assert!(!is_host_name(bad), "{bad:?}");
        }
    }

    #[test]
    fn ip_addresses() {
        for good in ["127.0.0.1", "[::1]", "[fd00:ec2::254]"] {
            assert!(is_ip_address(good), "{good}");
        }
        for bad in ["localhost", "::1", "[127.0.0.1]", "1.2.3", "[::1", "s3.127.0.0.1"] {
            assert!(!is_ip_address(bad), "{bad}");
        }
    }
}
