//! What keys may look like, wherever they come from.

/// What is wrong with the text of a key or a token; it goes into headers, and into signatures as it is.
pub(crate) fn fault_of_key(text: &str) -> Option<&'static str> {
    if text.contains(['\r', '\n', '\0']) {
        Some("it holds a line break or a NUL")
    } else if text.contains(char::REPLACEMENT_CHARACTER) {
        Some("it is not Unicode")
    } else if text.trim() != text {
        Some("it begins or ends with white space")
    } else {
        None
    }
}

/// What is wrong with the text of an access key id or a token, which are sent as they are.
pub(crate) fn fault_of_sent(text: &str) -> Option<&'static str> {
    let sendable = || text.bytes().all(|byte| byte.is_ascii_graphic());
    fault_of_key(text).or_else(|| (!sendable()).then_some("it holds a character that can't be sent in a header"))
}

/// Whether `text` is the number of an account: 12 digits.
pub(crate) fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys() {
        for bad in ["a\rb", "a\nb", "a\0b", " a", "a\t", "a\u{fffd}"] {
            assert!(fault_of_key(bad).is_some() && fault_of_sent(bad).is_some(), "{bad:?}");
        }
        assert_eq!(fault_of_key("a b/+é"), None);
        for bad in ["a b", "é", "a\u{7f}"] {
            assert!(fault_of_sent(bad).is_some(), "{bad:?}");
        }
        assert_eq!(fault_of_sent("AKID/+=:"), None);
    }

    #[test]
    fn accounts() {
        assert!(is_account_id("123456789012"));
        for bad in ["", "12345678901", "1234567890123", "12345678901x", "１２３４"] {
            assert!(!is_account_id(bad), "{bad}");
        }
    }
}
