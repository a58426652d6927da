//! Percent-encoding, in the one form that the signature and the wire share.

use std::fmt::Write as _;

/// Encodes a key for the path of a URL: `/` stays, and so do `A-Z a-z 0-9 - . _ ~`. Nothing is normalised.
pub(crate) fn path(key: &str) -> String {
    encode(key, |byte| byte == b'/')
}

/// Encodes a name or a value of a query: only `A-Z a-z 0-9 - . _ ~` stay.
pub(crate) fn query(text: &str) -> String {
    encode(text, |_| false)
}

fn encode(text: &str, also_kept: impl Fn(u8) -> bool) -> String {
    let mut encoded = String::with_capacity(text.len() + text.len() / 8);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') || also_kept(byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string can't fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// Decodes what a list in `encoding-type=url` holds: `%XX`, and `+` for a space. `None` for a broken escape or bytes that
/// are not UTF-8. A text with characters that no encoding leaves is taken as it is: some stores say that they encode, and
/// do not.
pub(crate) fn decode_list_text(text: &str) -> Option<String> {
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Some(text.to_owned());
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => hex(bytes.next()?)? << 4 | hex(bytes.next()?)?,
            other => other,
        });
    }
    String::from_utf8(decoded).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_keeps_slashes_and_dots_and_encodes_the_rest() {
        assert_eq!(path("/a//b/../c d+e=f%2b?#é~"), "/a//b/../c%20d%2Be%3Df%252b%3F%23%C3%A9~");
    }

    #[test]
    fn a_query_encodes_slashes() {
        assert_eq!(query("a/b c+*"), "a%2Fb%20c%2B%2A");
    }

    #[test]
    fn list_text_is_decoded_with_plus_as_space() {
        assert_eq!(decode_list_text("a+b%2Bc%0A%C3%A9").as_deref(), Some("a b+c\né"));
        assert_eq!(decode_list_text("a+b é").as_deref(), Some("a+b é"));
        for broken in ["%", "%2", "%zz", "%+1", "%FF"] {
            assert_eq!(decode_list_text(broken), None, "{broken}");
        }
    }
}
