//! Headers that follow the body: their names are announced before it, their values are known after it.

use http::{HeaderMap, HeaderName, HeaderValue};
use sha2::{Digest, Sha256};

use super::length::{CRLF, TRAILER_SIGNATURE};
use crate::encoding::hex;
use crate::error::{SigningError, SigningErrorKind};

/// The most trailers of one body.
const MOST: usize = 16;
/// The longest value, in bytes.
const LONGEST: usize = 4096;

/// The names of the trailers in order, each with the length of its value.
#[derive(Clone, Debug, Default)]
pub(super) struct Announced(Vec<(HeaderName, usize)>);

impl Announced {
    pub(super) fn push(&mut self, name: HeaderName, value_length: usize) {
        self.0.push((name, value_length));
        // The canonical form is sorted; the wire form follows it.
        self.0.sort_by(|(a, _), (b, _)| a.as_str().cmp(b.as_str()));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn check(&self) -> Result<(), SigningError> {
        if self.0.len() > MOST {
            return Err(invalid(format!("a body has at most {MOST} trailers")));
        }
        for (index, (name, length)) in self.0.iter().enumerate() {
            if TRAILER_SIGNATURE.strip_suffix(':') == Some(name.as_str()) {
                return Err(invalid(format!("the trailer {name} is for the encoder to write")));
            }
            if !(1..=LONGEST).contains(length) {
                return Err(invalid(format!("the value of the trailer {name} has to hold 1 to {LONGEST} bytes")));
            }
            if self.0[..index].iter().any(|(other, _)| other == name) {
                return Err(invalid(format!("the trailer {name} was announced twice")));
            }
        }
        Ok(())
    }

    /// How long all of them are as lines.
    pub(super) fn length(&self) -> u64 {
        self.0.iter().map(|(name, length)| (name.as_str().len() + 1 + length + CRLF.len()) as u64).sum()
    }

    /// The value of the header `x-amz-trailer`.
    pub(super) fn header_value(&self) -> Result<Option<HeaderValue>, SigningError> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let names: Vec<&str> = self.0.iter().map(|(name, _)| name.as_str()).collect();
        let value = HeaderValue::try_from(names.join(",")).map_err(|_| invalid("a trailer's name can't be sent"))?;
        Ok(Some(value))
    }

    /// The values as lines, where they are those that were announced.
    pub(super) fn lines(&self, values: &HeaderMap) -> Result<Lines, SigningError> {
        if let Some(name) = values.keys().find(|name| !self.0.iter().any(|(announced, _)| announced == *name)) {
            return Err(invalid(format!("the trailer {name} was not announced")));
        }
        let mut lines = Lines { wire: Vec::new(), canonical: Sha256::new() };
        for (name, length) in &self.0 {
            let mut given = values.get_all(name).iter();
            let (Some(value), None) = (given.next(), given.next()) else {
                return Err(invalid(format!("the trailer {name} needs one value")));
            };
            let value = value.as_bytes();
            if value.len() != *length {
                let given = value.len();
                return Err(invalid(format!("the trailer {name} was announced with {length} bytes and has {given}")));
            }
            if value.first().is_some_and(u8::is_ascii_whitespace) || value.last().is_some_and(u8::is_ascii_whitespace) {
                return Err(invalid(format!("the value of the trailer {name} starts or ends with white space")));
            }
            for (part, end) in [(name.as_str().as_bytes(), ":"), (value, "")] {
                lines.wire.extend_from_slice(part);
                lines.wire.extend_from_slice(end.as_bytes());
                lines.canonical.update(part);
                lines.canonical.update(end);
            }
            lines.wire.extend_from_slice(CRLF.as_bytes());
            lines.canonical.update("\n");
        }
        Ok(lines)
    }
}

/// Trailers as they are sent, and the hash of them as they are signed.
pub(super) struct Lines {
    pub(super) wire: Vec<u8>,
    canonical: Sha256,
}

impl Lines {
    /// SHA-256 of the canonical form: `name:value` and a line feed for each, sorted by name.
    pub(super) fn canonical_hash(&self) -> [u8; 64] {
        hex(&self.canonical.clone().finalize().into())
    }
}

fn invalid(message: impl Into<String>) -> SigningError {
    SigningError::new(SigningErrorKind::InvalidTrailer, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn announced(names: &[(&'static str, usize)]) -> Announced {
        let mut announced = Announced::default();
        for (name, length) in names {
            announced.push(HeaderName::from_static(name), *length);
        }
        announced
    }

    fn values(values: &[(&'static str, &'static str)]) -> HeaderMap {
        values.iter().map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v))).collect()
    }

    #[test]
    fn lines_are_sorted_by_name() {
        let announced = announced(&[("third", 3), ("first", 3), ("second", 3)]);
        announced.check().unwrap();
        assert_eq!(announced.header_value().unwrap().unwrap(), "first,second,third");
        let lines = announced.lines(&values(&[("second", "2nd"), ("third", "3rd"), ("first", "1st")])).unwrap();
        assert_eq!(lines.wire, b"first:1st\r\nsecond:2nd\r\nthird:3rd\r\n");
        assert_eq!(lines.wire.len() as u64, announced.length());
        assert_eq!(lines.canonical_hash(), hex(&Sha256::digest("first:1st\nsecond:2nd\nthird:3rd\n").into()));
    }

    #[test]
    fn values_are_those_that_were_announced() {
        let announced = announced(&[("a", 2), ("b", 3)]);
        for bad in [
            values(&[("a", "12")]),
            values(&[("a", "12"), ("b", "12")]),
            values(&[("a", "12"), ("b", " 12")]),
            values(&[("a", "12"), ("b", "123"), ("c", "1")]),
            HeaderMap::from_iter(["12", "34"].map(|v| (HeaderName::from_static("a"), HeaderValue::from_static(v)))),
        ] {
            let error = announced.lines(&bad).err().unwrap();
            assert_eq!(error.kind(), SigningErrorKind::InvalidTrailer, "{bad:?}");
        }
    }

    #[test]
    fn names_that_can_not_be_trailers_are_refused() {
        for bad in
            [announced(&[("x-amz-trailer-signature", 64)]), announced(&[("a", 1), ("a", 1)]), announced(&[("a", 0)])]
        {
            assert_eq!(bad.check().unwrap_err().kind(), SigningErrorKind::InvalidTrailer, "{bad:?}");
        }
    }
}
