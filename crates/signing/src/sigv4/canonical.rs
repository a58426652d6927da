//! The canonical request: the form of a request that both sides compute alike.

use std::ops::Range;

use http::HeaderName;

use crate::dialect::EmptyValue;
use crate::encoding::{Part, encode, encode_decoded};
use crate::settings::{PathEncoding, PathNormalization};

/// How many headers are sorted without an allocation.
const INLINE_HEADERS: usize = 20;

/// The headers to sign: lower-case name and value. Filled in any order, then sorted by name; equal names keep their order.
pub(crate) struct Headers<'a> {
    inline: [(&'a str, &'a [u8]); INLINE_HEADERS],
    count: usize,
    spilled: Vec<(&'a str, &'a [u8])>,
}

impl<'a> Headers<'a> {
    pub(crate) fn new() -> Self {
        Self { inline: [("", &[]); INLINE_HEADERS], count: 0, spilled: Vec::new() }
    }

    pub(crate) fn push(&mut self, name: &'a str, value: &'a [u8]) {
        if self.spilled.is_empty() {
            if let Some(slot) = self.inline.get_mut(self.count) {
                *slot = (name, value);
                self.count += 1;
                return;
            }
            self.spilled.extend_from_slice(&self.inline);
        }
        self.spilled.push((name, value));
    }

    pub(crate) fn as_slice(&self) -> &[(&'a str, &'a [u8])] {
        if self.spilled.is_empty() { &self.inline[..self.count] } else { &self.spilled }
    }

    pub(crate) fn sort(&mut self) {
        let headers = if self.spilled.is_empty() { &mut self.inline[..self.count] } else { &mut self.spilled[..] };
        // Stable, and without an allocation at this size.
        headers.sort_by(|a, b| a.0.cmp(b.0));
    }
}

/// Query parameters in their canonical encoding, to be sorted.
#[derive(Default)]
pub(crate) struct Query {
    text: Vec<u8>,
    parameters: Vec<Parameter>,
}

struct Parameter {
    name: Range<usize>,
    value: Range<usize>,
    origin: Origin,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    Request,
    Signature,
}

impl Query {
    pub(crate) fn clear(&mut self) {
        self.text.fill(0);
        self.text.clear();
        self.parameters.clear();
    }

    /// Adds the parameters of a query as it stands in a URL. A `+` is a plus sign, not a space.
    pub(crate) fn push_query(&mut self, query: &str) {
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            self.push_pair(name, value);
        }
    }

    /// Adds one parameter as it stands in a URL.
    pub(crate) fn push_pair(&mut self, name: &str, value: &str) {
        let start = self.text.len();
        encode_decoded(&mut self.text, name.as_bytes(), Part::Query);
        let middle = self.text.len();
        encode_decoded(&mut self.text, value.as_bytes(), Part::Query);
        self.add(start, middle, Origin::Request);
    }

    /// Adds a parameter of the signature: a name that needs no encoding, and a value in pieces that do.
    pub(crate) fn push(&mut self, name: &str, value: &[&[u8]]) {
        let (start, middle) = self.push_name(name);
        for piece in value {
            encode(&mut self.text, piece, Part::Query);
        }
        self.add(start, middle, Origin::Signature);
    }

    /// Adds the parameter that lists the signed headers.
    pub(crate) fn push_header_names(&mut self, name: &str, headers: &[(&str, &[u8])], listed: &Listed<'_>) {
        let (start, middle) = self.push_name(name);
        for (index, name) in listed_names(headers, listed).enumerate() {
            if index > 0 {
                self.text.extend_from_slice(b"%3B");
            }
            encode(&mut self.text, name.as_bytes(), Part::Query);
        }
        self.add(start, middle, Origin::Signature);
    }

    fn push_name(&mut self, name: &str) -> (usize, usize) {
        let start = self.text.len();
        self.text.extend_from_slice(name.as_bytes());
        (start, self.text.len())
    }

    fn add(&mut self, start: usize, middle: usize, origin: Origin) {
        self.parameters.push(Parameter { name: start..middle, value: middle..self.text.len(), origin });
    }

    /// Writes all parameters.
    pub(crate) fn write(&self, out: &mut Vec<u8>, empty_value: EmptyValue) {
        self.write_those(out, empty_value, |_| true);
    }

    /// Writes the parameters of the signature.
    pub(crate) fn write_signature(&self, out: &mut Vec<u8>) {
        self.write_those(out, EmptyValue::WithEquals, |parameter| parameter.origin == Origin::Signature);
    }

    fn write_those(&self, out: &mut Vec<u8>, empty_value: EmptyValue, wanted: impl Fn(&Parameter) -> bool) {
        for (index, parameter) in self.parameters.iter().filter(|parameter| wanted(parameter)).enumerate() {
            if index > 0 {
                out.push(b'&');
            }
            out.extend_from_slice(&self.text[parameter.name.clone()]);
            if empty_value == EmptyValue::Bare && parameter.value.is_empty() {
                continue;
            }
            out.push(b'=');
            out.extend_from_slice(&self.text[parameter.value.clone()]);
        }
    }

    /// Sorts by encoded name, then by encoded value.
    pub(crate) fn sort(&mut self) {
        let text = &self.text;
        let key = |parameter: &Parameter| (&text[parameter.name.clone()], &text[parameter.value.clone()]);
        if !self.parameters.is_sorted_by(|a, b| key(a) <= key(b)) {
            self.parameters.sort_by(|a, b| key(a).cmp(&key(b)));
        }
    }
}

/// Where the parts of a canonical request stand in its text.
pub(crate) struct Layout {
    pub(crate) signed_headers: Range<usize>,
}

/// The parts of a canonical request.
pub(crate) struct Parts<'a> {
    pub(crate) method: &'a str,
    /// The first segment of the path, where the host stands for it in the URL.
    pub(crate) bucket: Option<&'a str>,
    pub(crate) path: &'a str,
    pub(crate) path_encoding: PathEncoding,
    pub(crate) path_normalization: PathNormalization,
    /// Sorted.
    pub(crate) query: &'a Query,
    pub(crate) empty_value: EmptyValue,
    /// Sorted.
    pub(crate) headers: &'a [(&'a str, &'a [u8])],
    pub(crate) listed: &'a Listed<'a>,
    pub(crate) payload_hash: &'a [u8],
}

/// Writes the canonical request.
pub(crate) fn write(out: &mut Vec<u8>, parts: &Parts<'_>) -> Layout {
    out.extend_from_slice(parts.method.as_bytes());
    out.push(b'\n');
    if let Some(bucket) = parts.bucket {
        out.push(b'/');
        encode(out, bucket.as_bytes(), Part::Path);
    }
    write_path(out, parts.path, parts.path_encoding, parts.path_normalization);
    out.push(b'\n');
    parts.query.write(out, parts.empty_value);
    out.push(b'\n');
    write_headers(out, parts.headers);
    out.push(b'\n');
    let start = out.len();
    write_header_names(out, parts.headers, parts.listed);
    let signed_headers = start..out.len();
    out.push(b'\n');
    out.extend_from_slice(parts.payload_hash);
    Layout { signed_headers }
}

fn write_path(out: &mut Vec<u8>, path: &str, encoding: PathEncoding, normalization: PathNormalization) {
    let encode_part = match encoding {
        PathEncoding::Single => encode_decoded,
        PathEncoding::Double => encode,
    };
    if path.is_empty() {
        out.push(b'/');
        return;
    }
    let is_plain = |segment: &str| !matches!(segment, "" | "." | "..");
    let trimmed = path.strip_suffix('/').unwrap_or(path);
    let as_is = normalization == PathNormalization::AsIs
        || trimmed.strip_prefix('/').is_some_and(|inner| inner.split('/').all(is_plain));
    if as_is {
        encode_part(out, path.as_bytes(), Part::Path);
        return;
    }
    let start = out.len();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            // Back to before the last segment, which starts at the last slash.
            ".." => out.truncate(start + out[start..].iter().rposition(|&byte| byte == b'/').unwrap_or(0)),
            _ => {
                out.push(b'/');
                encode_part(out, segment.as_bytes(), Part::Path);
            }
        }
    }
    if out.len() == start || path.ends_with('/') {
        out.push(b'/');
    }
}

/// `name:value` lines; the values of equal names are joined by commas.
fn write_headers(out: &mut Vec<u8>, headers: &[(&str, &[u8])]) {
    let mut previous = None;
    for &(name, value) in headers {
        if previous == Some(name) {
            // In the place of the line break.
            out.pop();
            out.push(b',');
        } else {
            out.extend_from_slice(name.as_bytes());
            out.push(b':');
            previous = Some(name);
        }
        write_header_value(out, value);
        out.push(b'\n');
    }
}

fn write_header_names(out: &mut Vec<u8>, headers: &[(&str, &[u8])], listed: &Listed<'_>) {
    for (index, name) in listed_names(headers, listed).enumerate() {
        if index > 0 {
            out.push(b';');
        }
        out.extend_from_slice(name.as_bytes());
    }
}

/// Which of the signed headers are listed.
pub(crate) enum Listed<'a> {
    All,
    Only(&'a [HeaderName]),
}

impl Listed<'_> {
    pub(crate) fn has(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.iter().any(|listed| listed.as_str() == name),
        }
    }
}

/// Each listed name of the sorted headers once.
fn listed_names<'a>(headers: &'a [(&'a str, &'a [u8])], listed: &'a Listed<'a>) -> impl Iterator<Item = &'a str> {
    let mut previous = None;
    headers.iter().map(|&(name, _)| name).filter(move |&name| previous.replace(name) != Some(name) && listed.has(name))
}

/// White space around the value goes, and runs of it inside become one space.
fn write_header_value(out: &mut Vec<u8>, value: &[u8]) {
    let value = value.trim_ascii();
    let is_space = |byte: u8| byte.is_ascii_whitespace();
    // Without an early end, so that many bytes are looked at in one step.
    let breaks = value.iter().fold(false, |found, &byte| found | (byte < b' '));
    let next = value.get(1..).unwrap_or_default();
    let runs = value.iter().zip(next).fold(false, |found, (&a, &b)| found | ((a == b' ') & (b == b' ')));
    if !(breaks || runs) {
        out.extend_from_slice(value);
        return;
    }
    let words = value.split(|&byte| is_space(byte)).filter(|word| !word.is_empty());
    for (index, word) in words.enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_path(path: &str, encoding: PathEncoding, normalization: PathNormalization, canonical: &str) {
        let mut out = b"GET\n".to_vec();
        write_path(&mut out, path, encoding, normalization);
        assert_eq!(String::from_utf8(out).unwrap(), format!("GET\n{canonical}"), "{path}");
    }

    #[test]
    fn paths_are_normalized() {
        for (path, canonical) in [
            ("", "/"),
            ("/", "/"),
            ("//", "/"),
            ("/./", "/"),
            ("/..", "/"),
            ("/../..", "/"),
            ("/a/..", "/"),
            ("/a/../", "/"),
            ("/a/b/..", "/a"),
            ("/a/b/../..", "/"),
            ("/a/.", "/a"),
            ("/./a", "/a"),
            ("//a//b//", "/a/b/"),
            ("/a/b", "/a/b"),
            ("/a/b/", "/a/b/"),
            ("/a/.b/..c/...", "/a/.b/..c/..."),
            ("/%2E%2E/a", "/%252E%252E/a"),
        ] {
            check_path(path, PathEncoding::Double, PathNormalization::Normalized, canonical);
        }
    }

    #[test]
    fn names_of_objects_are_not() {
        for (path, canonical) in [
            ("", "/"),
            ("//a//b/", "//a//b/"),
            ("/a/../b/.", "/a/../b/."),
            ("/a=b@c+d", "/a%3Db%40c%2Bd"),
            ("/a%2bb%2Fc", "/a%2Bb/c"),
            ("/%7Ea%20b", "/~a%20b"),
        ] {
            check_path(path, PathEncoding::Single, PathNormalization::AsIs, canonical);
        }
    }

    #[test]
    fn an_escape_is_encoded_again_where_services_expect_that() {
        check_path("/a%20b", PathEncoding::Double, PathNormalization::Normalized, "/a%2520b");
        check_path("/a b", PathEncoding::Double, PathNormalization::Normalized, "/a%20b");
    }

    #[track_caller]
    fn check_query(query: &str, canonical: &str) {
        let mut parameters = Query::default();
        parameters.push_query(query);
        parameters.sort();
        let mut out = Vec::new();
        parameters.write(&mut out, EmptyValue::WithEquals);
        assert_eq!(String::from_utf8(out).unwrap(), canonical, "{query}");
    }

    #[test]
    fn queries_are_sorted_by_encoded_name_then_value() {
        check_query("b=2&a=1", "a=1&b=2");
        check_query("a=2&a=1&a", "a=&a=1&a=2");
        check_query("Param-3=3&Param=2&%E1%88%B4=1", "%E1%88%B4=1&Param=2&Param-3=3");
        check_query("a-b=1&a=2", "a=2&a-b=1");
        check_query("acl", "acl=");
        check_query("a=b=c", "a=b%3Dc");
        check_query("a=1+2%2B3%203", "a=1%2B2%2B3%203");
        check_query("&&a=1&", "a=1");
        check_query("=x", "=x");
    }

    #[track_caller]
    fn check_headers(headers: &[(&'static str, &str)], canonical: &str, names: &str) {
        let mut sorted = Headers::new();
        for (name, value) in headers {
            sorted.push(name, value.as_bytes());
        }
        sorted.sort();
        let mut out = Vec::new();
        write_headers(&mut out, sorted.as_slice());
        assert_eq!(String::from_utf8(out).unwrap(), canonical);
        let mut out = Vec::new();
        write_header_names(&mut out, sorted.as_slice(), &Listed::All);
        assert_eq!(String::from_utf8(out).unwrap(), names);
    }

    #[test]
    fn headers_are_sorted_by_name_alone() {
        // `-` sorts before `:`, so a sort of whole lines would turn these round.
        check_headers(&[("key-md5", "2"), ("key", "1")], "key:1\nkey-md5:2\n", "key;key-md5");
    }

    #[test]
    fn values_of_one_name_keep_their_order() {
        check_headers(&[("b", "x"), ("a", "2"), ("a", " 1 "), ("a", "")], "a:2,1,\nb:x\n", "a;b");
    }

    #[test]
    fn white_space_is_folded() {
        check_headers(&[("a", "\t one  two\tthree \n four ")], "a:one two three four\n", "a");
        check_headers(&[("a", "\"x   y\"")], "a:\"x y\"\n", "a");
        check_headers(&[("a", "   ")], "a:\n", "a");
    }

    #[test]
    fn more_headers_than_fit_inline_are_sorted_too() {
        let names: Vec<String> = (0..50).rev().map(|number| format!("n{number:02}")).collect();
        let mut headers = Headers::new();
        for name in &names {
            headers.push(name, b"");
        }
        headers.sort();
        assert_eq!(headers.as_slice().len(), 50);
        assert!(headers.as_slice().is_sorted_by(|a, b| a.0 < b.0));
    }
}
