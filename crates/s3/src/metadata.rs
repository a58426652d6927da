//! What is stored beside an object's bytes: the system's headers and the user's own names and values.

use std::collections::BTreeMap;
use std::fmt;

use aws_sigv4_free_core::Error;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::date;
use crate::name::shown;
use time::OffsetDateTime;

/// The most bytes that the names and values of an object's user metadata have together.
pub(crate) const MAX_METADATA_BYTES: usize = 2048;

const PREFIX: &str = "x-amz-meta-";

/// Headers that this crate or the signature sets.
const RESERVED: [&str; 12] = [
    "authorization",
    "connection",
    "content-length",
    "expect",
    "host",
    "te",
    "transfer-encoding",
    "upgrade",
    "x-amz-content-sha256",
    "x-amz-copy-source",
    "x-amz-date",
    "x-amz-security-token",
];

/// Headers that a caller gives for an object, kept until they are checked all together.
#[derive(Clone, Default)]
pub(crate) struct ObjectHeaders {
    headers: Vec<(String, String)>,
    metadata: Vec<(String, String)>,
}

impl ObjectHeaders {
    pub(crate) fn header(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.headers.push((name.into(), value.into()));
    }

    pub(crate) fn metadata(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.metadata.push((name.into(), value.into()));
    }

    /// Whether anything is given that a copy would have to replace.
    pub(crate) fn replaces_metadata(&self) -> bool {
        const STORED: [&str; 6] =
            ["cache-control", "content-disposition", "content-encoding", "content-language", "content-type", "expires"];
        let is_stored = |name: &str| STORED.iter().any(|stored| stored.eq_ignore_ascii_case(name));
        !self.metadata.is_empty() || self.headers.iter().any(|(name, _)| is_stored(name))
    }

    /// Checks everything and puts it into `headers`.
    pub(crate) fn insert_into(&self, headers: &mut HeaderMap) -> Result<(), Error> {
        for (name, value) in &self.headers {
            headers.insert(header_name(name)?, header_value(name, value)?);
        }
        let mut total = 0;
        for (name, value) in &self.metadata {
            let name = name.to_ascii_lowercase();
            let name = name.strip_prefix(PREFIX).unwrap_or(&name);
            total += name.len() + value.len();
            let header = metadata_name(name)?;
            if headers.contains_key(&header) {
                return Err(Error::invalid_input(format!("the metadata name {} is given twice", shown(name))));
            }
            headers.insert(header, metadata_value(name, value)?);
        }
        if total > MAX_METADATA_BYTES {
            return Err(Error::invalid_input(format!(
                "the metadata has {total} bytes: names and values have at most {MAX_METADATA_BYTES} bytes together"
            )));
        }
        Ok(())
    }
}

// A header may hold a key of encryption: only the names are shown.
impl fmt::Debug for ObjectHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.headers.iter().chain(&self.metadata).map(|(name, _)| name)).finish()
    }
}

fn header_name(name: &str) -> Result<HeaderName, Error> {
    let invalid = |why: &str| Error::invalid_input(format!("the header {} {why}", shown(name)));
    let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid("is not a header name"))?;
    if RESERVED.contains(&header.as_str()) {
        return Err(invalid("is set by the client: it can't be given"));
    }
    if header.as_str().starts_with(PREFIX) {
        return Err(invalid("is metadata: give it as such"));
    }
    Ok(header)
}

pub(crate) fn header_value(name: &str, value: &str) -> Result<HeaderValue, Error> {
    // The value is not shown: it may be a secret.
    let invalid = |why: &str| Error::invalid_input(format!("the value of the header {} {why}", shown(name)));
    if value.is_empty() {
        return Err(invalid("is empty"));
    }
    plain_value(value).map_err(|why| invalid(&why))
}

fn metadata_name(name: &str) -> Result<HeaderName, Error> {
    let invalid = |why: &str| Error::invalid_input(format!("the metadata name {} {why}", shown(name)));
    if name.is_empty() {
        return Err(invalid("is empty"));
    }
    HeaderName::try_from(format!("{PREFIX}{name}"))
        .map_err(|_| invalid("has characters that a header name can't: use letters, digits, '-', '_' and '.'"))
}

fn metadata_value(name: &str, value: &str) -> Result<HeaderValue, Error> {
    plain_value(value).map_err(|why| Error::invalid_input(format!("the value of the metadata {} {why}", shown(name))))
}

/// A value that reaches the other end as it is: printable ASCII, and no space that a parser would trim.
fn plain_value(value: &str) -> Result<HeaderValue, String> {
    if let Some((at, found)) = value.char_indices().find(|(_, found)| !matches!(found, ' '..='~')) {
        let what = match found {
            '\r' | '\n' => "a line break",
            '\0' => "a NUL",
            found if found.is_control() => "a control character",
            _ => "a character outside ASCII",
        };
        return Err(format!("has {what} at byte {at}: a header carries printable ASCII only, encode the value"));
    }
    if value.starts_with(' ') || value.ends_with(' ') {
        return Err("begins or ends with a space, which a header loses: encode the value".to_owned());
    }
    HeaderValue::try_from(value).map_err(|_| "can't be sent in a header".to_owned())
}

/// An ETag for a condition: in quotes, or `*`.
pub(crate) fn condition_value(etag: &str) -> String {
    let etag = etag.trim();
    if etag == "*" || etag.starts_with('"') || etag.starts_with("W/") { etag.to_owned() } else { format!("\"{etag}\"") }
}

/// What is known of an object, without its bytes.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ObjectInfo {
    /// The size of the whole object in bytes.
    pub size: Option<u64>,
    /// The entity tag, with its quotes. It changes with the content; it is not always an MD5.
    pub etag: Option<String>,
    /// When the object was written.
    pub last_modified: Option<OffsetDateTime>,
    /// The user's own names (lower case, without `x-amz-meta-`) and values.
    pub metadata: BTreeMap<String, String>,
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `Cache-Control`.
    pub cache_control: Option<String>,
    /// `Content-Disposition`.
    pub content_disposition: Option<String>,
    /// `Content-Encoding`.
    pub content_encoding: Option<String>,
    /// `Content-Language`.
    pub content_language: Option<String>,
    /// `Expires`, as it was stored: S3 does not check that it is a date.
    pub expires: Option<String>,
    /// The version, in a bucket with versions.
    pub version_id: Option<String>,
    /// The storage class; `None` means `STANDARD`.
    pub storage_class: Option<String>,
    /// The encryption at rest, "AES256" or "aws:kms".
    pub server_side_encryption: Option<String>,
    /// The checksum over the whole object, where the store has one that can be verified.
    pub checksum: Option<crate::Checksum>,
}

impl ObjectInfo {
    /// From the headers of an answer. The size is that of the whole object also where the answer holds a range of it.
    pub(crate) fn from_headers(headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let mut metadata = BTreeMap::new();
        for (name, value) in headers {
            if let Some(name) = name.as_str().strip_prefix(PREFIX) {
                metadata
                    .entry(name.to_owned())
                    .and_modify(|all: &mut String| {
                        all.push_str(", ");
                        all.push_str(&String::from_utf8_lossy(value.as_bytes()));
                    })
                    .or_insert_with(|| String::from_utf8_lossy(value.as_bytes()).into_owned());
            }
        }
        let whole = text("content-range").and_then(|range| range.rsplit_once('/')?.1.parse().ok());
        Self {
            size: match text("content-range") {
                Some(_) => whole,
                None => text("content-length").and_then(|length| length.trim().parse().ok()),
            },
            etag: text("etag"),
            last_modified: text("last-modified").and_then(|text| date::parse_http_date(&text)),
            metadata,
            content_type: text("content-type"),
            cache_control: text("cache-control"),
            content_disposition: text("content-disposition"),
            content_encoding: text("content-encoding"),
            content_language: text("content-language"),
            expires: text("expires"),
            version_id: text("x-amz-version-id"),
            storage_class: text("x-amz-storage-class"),
            server_side_encryption: text("x-amz-server-side-encryption"),
            checksum: crate::Checksum::from_headers(headers),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_metadata(name: &str, value: &str) -> Result<HeaderMap, Error> {
        let mut given = ObjectHeaders::default();
        given.metadata(name, value);
        let mut headers = HeaderMap::new();
        given.insert_into(&mut headers).map(|()| headers)
    }

    #[test]
    fn metadata_becomes_headers_in_lower_case() {
        assert_eq!(with_metadata("Colour", "black & white").unwrap()["x-amz-meta-colour"], "black & white");
        assert_eq!(with_metadata("x-amz-meta-a_b.c", "").unwrap()["x-amz-meta-a_b.c"], "");
    }

    #[test]
    fn what_a_header_can_not_carry_is_refused_with_its_reason() {
        for (name, value, reason) in [
            ("colour", "black\r\nx-amz-acl: public-read", "a line break at byte 5"),
            ("colour", "a\nb", "a line break"),
            ("colour", "a\0b", "a NUL at byte 1"),
            ("colour", "a\tb", "a control character"),
            ("colour", "grün", "outside ASCII at byte 2"),
            ("colour", " black", "begins or ends with a space"),
            ("", "x", "is empty"),
            ("x-amz-meta-", "x", "is empty"),
            ("a b", "x", "can't"),
            ("a\r\nb", "x", "can't"),
            ("farbe:", "x", "can't"),
            ("größe", "x", "can't"),
        ] {
            let error = with_metadata(name, value).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
            assert!(!error.contains("public-read") && !error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn metadata_has_2_kib_at_most_names_included() {
        assert!(with_metadata("name", &"v".repeat(2044)).is_ok());
        assert!(with_metadata("name", &"v".repeat(2045)).unwrap_err().to_string().contains("2049 bytes"));
    }

    #[test]
    fn a_name_counts_once_whatever_its_case() {
        let mut given = ObjectHeaders::default();
        given.metadata("a", "1");
        given.metadata("A", "2");
        assert!(given.insert_into(&mut HeaderMap::new()).unwrap_err().to_string().contains("twice"));
    }

    #[test]
    fn headers_of_the_signature_can_not_be_given() {
        for name in ["Host", "authorization", "X-Amz-Date", "content-length", "x-amz-meta-a", "a b", ""] {
            let mut given = ObjectHeaders::default();
            given.header(name, "x");
            assert!(given.insert_into(&mut HeaderMap::new()).is_err(), "{name}");
        }
        let mut given = ObjectHeaders::default();
        given.header("Content-Type", "");
        assert!(given.insert_into(&mut HeaderMap::new()).is_err());
    }

    #[test]
    fn debug_shows_no_value() {
        let mut given = ObjectHeaders::default();
        given.header("x-amz-server-side-encryption-customer-key", "canary");
        given.metadata("colour", "canary");
        assert_eq!(format!("{given:?}"), "[\"x-amz-server-side-encryption-customer-key\", \"colour\"]");
    }

    #[test]
    fn a_copy_replaces_what_is_stored_and_nothing_else() {
        let mut given = ObjectHeaders::default();
        given.header("x-amz-storage-class", "GLACIER");
        assert!(!given.replaces_metadata());
        given.header("Content-Type", "text/plain");
        assert!(given.replaces_metadata());
    }

    #[test]
    fn an_etag_is_quoted_for_a_condition() {
        for (etag, value) in [("abc", "\"abc\""), ("\"abc\"", "\"abc\""), ("*", "*"), ("W/\"a\"", "W/\"a\"")] {
            assert_eq!(condition_value(etag), value);
        }
    }

    #[test]
    fn an_answer_tells_about_the_whole_object() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("content-length", "3"),
            ("content-range", "bytes 0-2/1000"),
            ("etag", "\"e\""),
            ("last-modified", "Sat, 28 Feb 2026 17:50:30 GMT"),
            ("x-amz-meta-colour", "black"),
            ("x-amz-version-id", "v1"),
        ] {
            headers.append(name, HeaderValue::from_static(value));
        }
        headers.append("x-amz-meta-colour", HeaderValue::from_static("white"));
        let info = ObjectInfo::from_headers(&headers);
        assert_eq!((info.size, info.etag.as_deref()), (Some(1000), Some("\"e\"")));
        assert_eq!(info.last_modified.unwrap().unix_timestamp(), 1_772_301_030);
        assert_eq!(info.metadata["colour"], "black, white");
        assert_eq!(info.version_id.as_deref(), Some("v1"));
        headers.remove("content-range");
        assert_eq!(ObjectInfo::from_headers(&headers).size, Some(3));
    }
}
