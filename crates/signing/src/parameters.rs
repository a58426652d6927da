//! The parameters of a query or a form as pairs, for algorithms that sort them by what they stand for.

use crate::encoding::{Part, decode_escape, encode};
use crate::error::SigningError;
use crate::sigv4::already_signed;

/// What a `+` stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plus {
    /// Itself, as everywhere in this crate's URLs.
    Itself,
    /// A space, as in a form.
    Space,
}

/// Names and values, decoded.
pub(crate) struct ParameterList(Vec<(Vec<u8>, Vec<u8>)>);

impl ParameterList {
    /// Reads a query or a form as it is written. Empty pairs are left out.
    pub(crate) fn parse(text: &str, plus: Plus) -> Self {
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        Self(
            pairs
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                .map(|(name, value)| (decoded(name, plus), decoded(value, plus)))
                .collect(),
        )
    }

    #[cfg(feature = "acs")]
    pub(crate) fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    pub(crate) fn push(&mut self, name: &str, value: &str) {
        self.0.push((name.into(), value.into()));
    }

    /// Refuses parameters with one of these names: the signer sets them.
    pub(crate) fn refuse(&self, names: &[&str]) -> Result<(), SigningError> {
        let taken = names.iter().find(|own| self.0.iter().any(|(name, _)| own.as_bytes() == name));
        match taken {
            Some(name) => Err(already_signed(&format!("the parameter {name}"))),
            None => Ok(()),
        }
    }

    /// The pairs, in their order.
    #[cfg(feature = "sigv2")]
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0.iter().map(|(name, value)| (&name[..], &value[..]))
    }

    /// Sorts by name, then by value, both as they are before they are encoded.
    pub(crate) fn sort(&mut self) {
        self.0.sort();
    }

    /// Writes the pairs, encoded, with `&` between them.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        for (index, (name, value)) in self.0.iter().enumerate() {
            if index > 0 {
                out.push(b'&');
            }
            encode(out, name, Part::Query);
            out.push(b'=');
            encode(out, value, Part::Query);
        }
    }
}

fn decoded(text: &str, plus: Plus) -> Vec<u8> {
    let mut rest = text.as_bytes();
    let mut out = Vec::with_capacity(rest.len());
    while let Some((&byte, after)) = rest.split_first() {
        let (byte, after) = match (byte, decode_escape(rest)) {
            (_, Some(decoded)) => (decoded, rest.get(3..).unwrap_or_default()),
            (b'+', None) if plus == Plus::Space => (b' ', after),
            (byte, None) => (byte, after),
        };
        out.push(byte);
        rest = after;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &str, plus: Plus) -> String {
        let mut parameters = ParameterList::parse(text, plus);
        parameters.sort();
        let mut out = Vec::new();
        parameters.write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn names_are_sorted_before_they_are_encoded() {
        // `0` is below `:`, and `%3A` is below `0`.
        assert_eq!(run("a%3A=1&a0=2", Plus::Itself), "a0=2&a%3A=1");
        assert_eq!(run("b=2&b=1&a&B=", Plus::Itself), "B=&a=&b=1&b=2");
    }

    #[test]
    fn a_plus_is_a_space_in_forms_only() {
        assert_eq!(run("a+b=c+d%2B", Plus::Itself), "a%2Bb=c%2Bd%2B");
        assert_eq!(run("a+b=c+d%2B", Plus::Space), "a%20b=c%20d%2B");
    }

    #[test]
    fn escapes_end_in_one_form() {
        assert_eq!(run("&&a=%e4%BD%a0*~%&", Plus::Itself), "a=%E4%BD%A0%2A~%25");
    }

    #[test]
    fn names_of_the_signer_are_refused_however_they_are_written() {
        let parameters = ParameterList::parse("a=1&Sign%61ture=x", Plus::Itself);
        assert!(parameters.refuse(&["Other", "Signature"]).is_err());
        assert!(parameters.refuse(&["Other", "a1"]).is_ok());
    }
}
