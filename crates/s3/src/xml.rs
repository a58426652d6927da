//! Reading the documents of S3's answers.

use aws_sigv4_free_core::Error;
use aws_sigv4_free_core::protocol::xml::Element;
use time::OffsetDateTime;

use crate::encode;
use crate::error::unreadable;

/// The namespace of S3's documents.
pub(crate) const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// The document whose root is `root`.
pub(crate) fn document(body: &[u8], root: &str) -> Result<Element, Error> {
    let element =
        Element::parse(body).map_err(|error| unreadable("it is not the XML that was expected").with_source(error))?;
    if element.name() == root {
        Ok(element)
    } else {
        Err(unreadable(&format!("its root is {:?}, not {root}: is the endpoint an S3 store?", cut(element.name()))))
    }
}

/// The text of a child that has to be there.
pub(crate) fn required<'a>(element: &'a Element, name: &str) -> Result<&'a str, Error> {
    element.text_of(name).ok_or_else(|| unreadable(&format!("a {} has no {name}", cut(element.name()))))
}

/// The text of a child; `None` where there is none, or it is empty.
pub(crate) fn optional(element: &Element, name: &str) -> Option<String> {
    element.text_of(name).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The number in a child that has to be there.
pub(crate) fn number(element: &Element, name: &str) -> Result<u64, Error> {
    required(element, name)?.trim().parse().map_err(|_| unreadable(&format!("{name} is not a number")))
}

/// The instant in a child.
pub(crate) fn instant(element: &Element, name: &str) -> Option<OffsetDateTime> {
    element.text_of(name).and_then(|text| crate::date::parse_iso8601(text.trim()))
}

/// Whether a child says `true`.
pub(crate) fn is_true(element: &Element, name: &str) -> bool {
    element.text_of(name).is_some_and(|text| text.trim().eq_ignore_ascii_case("true"))
}

/// A key or a prefix of a list, decoded where the list says that it is encoded.
pub(crate) fn key(list: &Element, element: &Element, name: &str) -> Result<String, Error> {
    let text = required(element, name)?;
    if list.text_of("EncodingType").is_some_and(|encoding| encoding.trim().eq_ignore_ascii_case("url")) {
        encode::decode_list_text(text).ok_or_else(|| unreadable("a key is not encoded as the list says"))
    } else {
        Ok(text.to_owned())
    }
}

fn cut(name: &str) -> String {
    name.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_document_is_named() {
        let error = document(b"<html/>", "ListBucketResult").unwrap_err().to_string();
        assert!(error.contains("its root is \"html\", not ListBucketResult"), "{error}");
        assert!(document(b"", "ListBucketResult").is_err());
    }

    #[test]
    fn a_key_is_decoded_where_the_list_says_so() {
        let plain = Element::parse(b"<L><C><Key>a+b%20</Key></C></L>").unwrap();
        assert_eq!(key(&plain, plain.child("C").unwrap(), "Key").unwrap(), "a+b%20");
        let encoded = Element::parse(b"<L><EncodingType>url</EncodingType><C><Key>a+b%0A</Key></C></L>").unwrap();
        assert_eq!(key(&encoded, encoded.child("C").unwrap(), "Key").unwrap(), "a b\n");
        let broken = Element::parse(b"<L><EncodingType>url</EncodingType><C><Key>%</Key></C></L>").unwrap();
        assert!(key(&broken, broken.child("C").unwrap(), "Key").is_err());
    }

    #[test]
    fn missing_and_wrong_values() {
        let element = Element::parse(b"<C><Size>12</Size><Bad>x</Bad><Empty/><Flag>True</Flag></C>").unwrap();
        assert_eq!(number(&element, "Size").unwrap(), 12);
        assert!(number(&element, "Bad").is_err());
        assert!(number(&element, "None").unwrap_err().to_string().contains("a C has no None"));
        assert_eq!(optional(&element, "Empty"), None);
        assert!(is_true(&element, "Flag") && !is_true(&element, "Bad"));
    }
}
