//! Reading structure out of any bytes.

use aws_sigv4_free_signing::Credentials;
use time::OffsetDateTime;

/// The secret that no text for people may show.
pub(super) const SECRET: &str = "canary+secret/of=fuzz";
/// The token that no text for people may show.
pub(super) const TOKEN: &str = "canary+token/of=fuzz";

/// Pieces that mean something to a parser.
const PIECES: [&str; 40] = [
    "/",
    "//",
    ".",
    "..",
    "%",
    "%2",
    "%2F",
    "%2f",
    "%zz",
    "%00",
    "%25",
    "%E1%88%B4",
    "+",
    " ",
    "  ",
    "\t",
    "\r\n ",
    "\r\n",
    "=",
    "&",
    "?",
    "#",
    ";",
    ",",
    ":",
    "@",
    "\u{e9}",
    "\u{1f408}",
    "https://",
    "http://h",
    ":443",
    "x-amz-",
    "X-Amz-Signature",
    "X-Amz-Date",
    "X-Amz-Expires=604801",
    "AWS4-HMAC-SHA256",
    "Credential=",
    "20150830T123600Z",
    "aws4_request",
    "\u{0}",
];

/// Bytes from which values are taken, front to back. Where they end, everything is zero or empty.
#[derive(Debug)]
pub struct Input<'a> {
    rest: &'a [u8],
}

impl<'a> Input<'a> {
    /// All of `data`.
    pub fn new(data: &'a [u8]) -> Self {
        Self { rest: data }
    }

    /// One byte.
    pub fn byte(&mut self) -> u8 {
        match self.rest.split_first() {
            Some((&byte, rest)) => {
                self.rest = rest;
                byte
            }
            None => 0,
        }
    }

    /// A number below `limit`, at most 65,535.
    pub fn below(&mut self, limit: usize) -> usize {
        (usize::from(self.byte()) << 8 | usize::from(self.byte())) % limit.max(1)
    }

    /// At most `most` bytes.
    pub fn bytes(&mut self, most: usize) -> &'a [u8] {
        let length = self.below(most + 1).min(self.rest.len());
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    /// Text of at most `most` pieces: any bytes, read as UTF-8 where they can be, among words that mean something.
    pub fn text(&mut self, most: usize) -> String {
        let mut text = String::new();
        for _ in 0..self.below(most + 1) {
            match self.byte() {
                choice @ 0..80 => text.push_str(PIECES[usize::from(choice) % PIECES.len()]),
                choice @ 80..200 => text.push(char::from(b' ' + choice % 95)),
                _ => text.push_str(&String::from_utf8_lossy(self.bytes(4))),
            }
        }
        text
    }

    /// Text of characters that a URL may hold, with escapes that are whole.
    pub fn url_text(&mut self, most: usize, separators: &[u8]) -> String {
        let mut text = String::new();
        for _ in 0..self.below(most + 1) {
            match self.byte() {
                choice @ 0..60 => text.push_str(&format!("%{:02X}", choice.wrapping_mul(37) ^ self.byte())),
                choice @ 60..100 if !separators.is_empty() => {
                    text.push(char::from(separators[usize::from(choice) % separators.len()]));
                }
                choice => text.push(char::from(b"abcXYZ019-_.~!$'()*,:@"[usize::from(choice) % 22])),
            }
        }
        text
    }

    /// Credentials, with or without a token.
    pub fn credentials(&mut self) -> Credentials {
        let credentials = Credentials::new(["AKIDFUZZ", "a/b"][self.below(2)], SECRET);
        if self.below(2) == 0 { credentials } else { credentials.with_session_token(TOKEN) }
    }

    /// A time between 1970 and 2106.
    pub fn time(&mut self) -> OffsetDateTime {
        let seconds = u32::from_be_bytes([self.byte(), self.byte(), self.byte(), self.byte()]);
        OffsetDateTime::from_unix_timestamp(i64::from(seconds)).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}
