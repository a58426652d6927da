//! Percent-encoding as signatures want it, and hexadecimal digits.

/// Which bytes stay as they are: the unreserved characters of RFC 3986, and `/` in paths.
const UNRESERVED: [bool; 256] = table(b"");
const PATH: [bool; 256] = table(b"/");

const fn table(more: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let character = byte as u8;
        table[byte] = character.is_ascii_alphanumeric() || matches!(character, b'-' | b'_' | b'.' | b'~');
        byte += 1;
    }
    let mut index = 0;
    while index < more.len() {
        table[more[index] as usize] = true;
        index += 1;
    }
    table
}

const UPPER: &[u8; 16] = b"0123456789ABCDEF";

/// The two lower-case digits of each byte.
const PAIRS: [[u8; 2]; 256] = {
    let digits = b"0123456789abcdef";
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        pairs[byte] = [digits[byte >> 4], digits[byte & 15]];
        byte += 1;
    }
    pairs
};

/// What is being encoded: in a path, `/` separates; in a query, it is data.
#[derive(Clone, Copy)]
pub(crate) enum Part {
    Path,
    Query,
}

impl Part {
    fn kept(self) -> &'static [bool; 256] {
        match self {
            Self::Path => &PATH,
            Self::Query => &UNRESERVED,
        }
    }
}

/// Encodes every byte of `text` that is not kept, `%` too.
pub(crate) fn encode(out: &mut Vec<u8>, text: &[u8], part: Part) {
    let kept = part.kept();
    let mut start = 0;
    for (index, &byte) in text.iter().enumerate() {
        if !kept[usize::from(byte)] {
            out.extend_from_slice(&text[start..index]);
            push_encoded(out, byte);
            start = index + 1;
        }
    }
    out.extend_from_slice(&text[start..]);
}

/// Encodes what `text` stands for: escapes are decoded first, so that each byte ends encoded once, in upper case. A `%` that
/// starts no escape stands for itself.
pub(crate) fn encode_decoded(out: &mut Vec<u8>, text: &[u8], part: Part) {
    let kept = part.kept();
    let mut start = 0;
    let mut index = 0;
    while let Some(&byte) = text.get(index) {
        if kept[usize::from(byte)] {
            index += 1;
            continue;
        }
        out.extend_from_slice(&text[start..index]);
        let decoded = if byte == b'%' { decode_escape(&text[index..]) } else { None };
        match decoded {
            Some(decoded) => {
                if kept[usize::from(decoded)] {
                    out.push(decoded);
                } else {
                    push_encoded(out, decoded);
                }
                index += 3;
            }
            None => {
                push_encoded(out, byte);
                index += 1;
            }
        }
        start = index;
    }
    out.extend_from_slice(&text[start..]);
}

/// Writes `text` as it may stand in a URL: bytes outside the URI grammar are encoded, all else, escapes too, is kept.
pub(crate) fn encode_for_url(out: &mut Vec<u8>, text: &[u8]) {
    for &byte in text {
        if byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}') {
            out.push(byte);
        } else {
            push_encoded(out, byte);
        }
    }
}

fn push_encoded(out: &mut Vec<u8>, byte: u8) {
    out.extend_from_slice(&[b'%', UPPER[usize::from(byte >> 4)], UPPER[usize::from(byte & 15)]]);
}

/// The byte that an escape at the start of `text` stands for.
pub(crate) fn decode_escape(text: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    match text {
        [b'%', high, low, ..] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    }
}

/// 32 bytes as 64 lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8; 32]) -> [u8; 64] {
    let mut digits = [0; 64];
    for (pair, byte) in digits.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
        *pair = PAIRS[usize::from(*byte)];
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(write: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_byte_but_the_unreserved_is_encoded() {
        let all: Vec<u8> = (0..=255).collect();
        let encoded = run(|out| encode(out, &all, Part::Query));
        assert!(encoded.starts_with("%00%01"));
        assert!(encoded.contains("%2C-.%2F0123456789%3A"));
        assert!(encoded.contains("%5E_%60abc"));
        assert!(encoded.contains("z%7B%7C%7D~%7F%80"));
        assert_eq!(encoded.len(), 66 + 190 * 3);
        assert_eq!(run(|out| encode(out, b"/a b/", Part::Path)), "/a%20b/");
    }

    #[test]
    fn encode_decoded_is_idempotent_and_upper_case() {
        for (text, canonical) in [
            ("a%2bb", "a%2Bb"),
            ("a+b=c@d", "a%2Bb%3Dc%40d"),
            ("%7Etilde", "~tilde"),
            ("100%", "100%25"),
            ("%zz%4", "%25zz%254"),
            ("%e1%88%b4", "%E1%88%B4"),
            ("\u{1234}", "%E1%88%B4"),
        ] {
            let once = run(|out| encode_decoded(out, text.as_bytes(), Part::Path));
            assert_eq!(once, canonical);
            assert_eq!(run(|out| encode_decoded(out, once.as_bytes(), Part::Path)), canonical);
        }
    }

    #[test]
    fn a_url_keeps_what_its_grammar_allows() {
        assert_eq!(run(|out| encode_for_url(out, "/a b%20=+\u{e9}\r\n".as_bytes())), "/a%20b%20=+%C3%A9%0D%0A");
    }
}
