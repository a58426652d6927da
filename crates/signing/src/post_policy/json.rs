//! The JSON of a policy document: as much of it as that takes.

use std::fmt::Write as _;

/// Appends a string with its quotes. Everything outside printable ASCII is escaped, so that the document survives any
/// transport and means the same in every encoding.
pub(super) fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            ' '..='~' => out.push(character),
            _ => {
                let mut units = [0; 2];
                for unit in character.encode_utf16(&mut units) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}

/// Reads JSON from its beginning on. Each step gives `None` where the text is something else.
pub(crate) struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    /// Whether `character` comes next; then it is taken.
    pub(crate) fn take(&mut self, character: char) -> bool {
        self.skip_space();
        match self.rest.strip_prefix(character) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    pub(crate) fn expect(&mut self, character: char) -> Option<()> {
        self.take(character).then_some(())
    }

    /// Whether nothing is left.
    pub(crate) fn is_at_end(&mut self) -> bool {
        self.skip_space();
        self.rest.is_empty()
    }

    pub(crate) fn string(&mut self) -> Option<String> {
        self.expect('"')?;
        let mut text = String::new();
        let mut characters = self.rest.chars();
        loop {
            match characters.next()? {
                '"' => break,
                '\\' => text.push(escape(&mut characters)?),
                character if character < ' ' => return None,
                character => text.push(character),
            }
        }
        self.rest = characters.as_str();
        Some(text)
    }

    /// A whole number without a sign; in quotes too, as some write it.
    pub(crate) fn number(&mut self) -> Option<u64> {
        self.skip_space();
        if self.rest.starts_with('"') {
            let text = self.string()?;
            return if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None };
        }
        let end = self.rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        self.rest = rest;
        digits.parse().ok()
    }
}

fn escape(characters: &mut std::str::Chars<'_>) -> Option<char> {
    Some(match characters.next()? {
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => {
            let first = unit(characters)?;
            if !(0xd800..0xdc00).contains(&first) {
                return char::from_u32(first);
            }
            if characters.next() != Some('\\') || characters.next() != Some('u') {
                return None;
            }
            let second = unit(characters)?.checked_sub(0xdc00).filter(|&low| low < 0x400)?;
            return char::from_u32(0x10000 + ((first - 0xd800) << 10) + second);
        }
        // `\$` is what the documentation of policies asks for, though it is not JSON.
        same @ ('"' | '\\' | '/' | '$') => same,
        _ => return None,
    })
}

fn unit(characters: &mut std::str::Chars<'_>) -> Option<u32> {
    (0..4).try_fold(0, |unit, _| Some(unit << 4 | characters.next()?.to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_escaped_and_read_back() {
        let every_kind =
            "plain \"quoted\" \\back/ \u{0}\u{7}\u{8}\u{c}\n\r\t\u{1f}\u{7f}\u{80} \u{e9}\u{1234}\u{ffff}\u{1f408}$";
        let mut written = String::new();
        write_string(&mut written, every_kind);
        assert_eq!(
            written,
            r#""plain \"quoted\" \\back/ \u0000\u0007\u0008\u000c\n\r\t\u001f\u007f\u0080 \u00e9\u1234\uffff\ud83d\udc08$""#
        );
        assert_eq!(Reader::new(&written).string().as_deref(), Some(every_kind));
    }

    #[test]
    fn every_character_is_read_back() {
        for character in (0..=0x10ffff).step_by(7).filter_map(char::from_u32) {
            let mut written = String::new();
            write_string(&mut written, &character.to_string());
            assert!(written.is_ascii());
            assert_eq!(Reader::new(&written).string(), Some(character.to_string()), "{written}");
        }
    }

    #[test]
    fn what_is_no_string_is_refused() {
        for bad in [
            "",
            "a",
            "\"",
            "\"a",
            "\"\\",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\ud800\"",
            "\"\\ud800\\u0041\"",
            "\"\\udc00\"",
            "\"\n\"",
        ] {
            assert_eq!(Reader::new(bad).string(), None, "{bad}");
        }
    }

    #[test]
    fn numbers_are_whole() {
        for (text, number) in [
            ("12,", Some(12)),
            (" \"34\"", Some(34)),
            ("-1", None),
            ("", None),
            ("\"+1\"", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(Reader::new(text).number(), number, "{text}");
        }
    }
}
