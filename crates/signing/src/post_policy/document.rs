//! Reading a policy document, and holding a form against it.

use time::{Duration, OffsetDateTime};

use super::json::Reader;
use crate::claim::parse_time;

/// A policy document of more conditions is refused; S3 allows 20 KiB for all fields of a form.
const MAX_CONDITIONS: usize = 1000;

/// A policy document.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Document {
    pub(crate) expires_at: OffsetDateTime,
    pub(crate) conditions: Vec<Rule>,
}

/// One condition. Names of fields are in lower case.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    Equal { field: String, value: String },
    StartsWith { field: String, prefix: String },
    ContentLength { min: u64, max: u64 },
}

impl Document {
    /// Reads the JSON; `None` where it is no policy.
    pub(crate) fn parse(json: &str) -> Option<Self> {
        let mut reader = Reader::new(json);
        let (mut expires_at, mut conditions) = (None, None);
        reader.expect('{')?;
        loop {
            let name = reader.string()?;
            reader.expect(':')?;
            match name.as_str() {
                "expiration" if expires_at.is_none() => expires_at = Some(parse_iso_time(&reader.string()?)?),
                "conditions" if conditions.is_none() => conditions = Some(rules(&mut reader)?),
                _ => return None,
            }
            if !reader.take(',') {
                break;
            }
        }
        reader.expect('}')?;
        reader.is_at_end().then_some(())?;
        Some(Self { expires_at: expires_at?, conditions: conditions? })
    }

    /// The name of the first field that breaks a condition, or has none. `content_length` is the size of the file.
    pub(crate) fn violated(&self, bucket: &str, fields: &[(String, &str)], content_length: u64) -> Option<String> {
        let value = |wanted: &str| {
            if wanted == "bucket" {
                return Some(bucket);
            }
            fields.iter().find(|(name, _)| name == wanted).map(|(_, value)| *value)
        };
        for rule in &self.conditions {
            let is_kept = match rule {
                Rule::Equal { field, value: wanted } => value(field) == Some(wanted.as_str()),
                // A field that is missing keeps no condition, not even the one that allows every value.
                Rule::StartsWith { field, prefix } => value(field).is_some_and(|value| match field.as_str() {
                    // A list of types, as browsers send for several files.
                    "content-type" => value.split(',').all(|part| part.trim_start().starts_with(prefix)),
                    _ => value.starts_with(prefix),
                }),
                Rule::ContentLength { min, max } => (*min..=*max).contains(&content_length),
            };
            if !is_kept {
                return Some(match rule {
                    Rule::Equal { field, .. } | Rule::StartsWith { field, .. } => field.clone(),
                    Rule::ContentLength { .. } => "content-length-range".to_owned(),
                });
            }
        }
        let has_rule = |name: &str| {
            self.conditions.iter().any(|rule| match rule {
                Rule::Equal { field, .. } | Rule::StartsWith { field, .. } => field == name,
                Rule::ContentLength { .. } => false,
            })
        };
        let is_free = |name: &str| {
            matches!(name, "file" | "policy" | "submit" | "x-amz-signature") || name.starts_with("x-ignore-")
        };
        if !has_rule("bucket") {
            return Some("bucket".to_owned());
        }
        fields.iter().find(|(name, _)| !is_free(name) && !has_rule(name)).map(|(name, _)| name.clone())
    }
}

fn rules(reader: &mut Reader<'_>) -> Option<Vec<Rule>> {
    let mut rules = Vec::new();
    reader.expect('[')?;
    if reader.take(']') {
        return Some(rules);
    }
    loop {
        if reader.take('{') {
            // Several fields in one object are several conditions.
            loop {
                let field = reader.string()?.to_lowercase();
                reader.expect(':')?;
                rules.push(Rule::Equal { field, value: reader.string()? });
                if !reader.take(',') {
                    break;
                }
            }
            reader.expect('}')?;
        } else {
            rules.push(list(reader)?);
        }
        if rules.len() > MAX_CONDITIONS {
            return None;
        }
        if !reader.take(',') {
            break;
        }
    }
    reader.expect(']')?;
    Some(rules)
}

fn list(reader: &mut Reader<'_>) -> Option<Rule> {
    reader.expect('[')?;
    let operator = reader.string()?.to_lowercase();
    reader.expect(',')?;
    let rule = if operator == "content-length-range" {
        let min = reader.number()?;
        reader.expect(',')?;
        Rule::ContentLength { min, max: reader.number()? }
    } else {
        let field = reader.string()?;
        let field = field.strip_prefix('$')?.to_lowercase();
        reader.expect(',')?;
        let value = reader.string()?;
        match operator.as_str() {
            "eq" => Rule::Equal { field, value },
            "starts-with" => Rule::StartsWith { field, prefix: value },
            _ => return None,
        }
    };
    reader.expect(']')?;
    Some(rule)
}

/// `2015-08-30T12:36:00.000Z`, with or without the fraction.
fn parse_iso_time(text: &str) -> Option<OffsetDateTime> {
    let text = text.strip_suffix('Z')?;
    let (text, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if fraction.is_empty() || fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let bytes = text.as_bytes();
    if bytes.len() != 19 || [bytes[4], bytes[7], bytes[10], bytes[13], bytes[16]] != *b"--T::" {
        return None;
    }
    let compact: String = text.chars().filter(|character| !matches!(character, '-' | ':')).collect();
    let nanoseconds = format!("{fraction:0<9}").parse().ok()?;
    parse_time(&(compact + "Z"))?.checked_add(Duration::nanoseconds(nanoseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_read_as_others_write_them() {
        let document = Document::parse(
            r#" { "expiration": "2015-12-30T12:00:00.250Z",
              "conditions": [ {"bucket": "b"}, ["starts-with", "$Key", "user/"], ["eq", "$acl", "public-read"],
                {"x-amz-meta-uuid": "1", "Content-Type": "a"}, ["content-length-range", 1, "10"] ] } "#,
        )
        .unwrap();
        assert_eq!(document.expires_at.unix_timestamp_nanos(), 1_451_476_800_250_000_000);
        let equal = |field: &str, value: &str| Rule::Equal { field: field.into(), value: value.into() };
        assert_eq!(
            document.conditions,
            [
                equal("bucket", "b"),
                Rule::StartsWith { field: "key".into(), prefix: "user/".into() },
                equal("acl", "public-read"),
                equal("x-amz-meta-uuid", "1"),
                equal("content-type", "a"),
                Rule::ContentLength { min: 1, max: 10 },
            ]
        );
    }

    #[test]
    fn what_is_no_policy_is_refused() {
        for bad in [
            "",
            "{}",
            "[]",
            r#"{"expiration":"2015-12-30T12:00:00Z"}"#,
            r#"{"conditions":[]}"#,
            r#"{"expiration":"tomorrow","conditions":[]}"#,
            r#"{"expiration":"2015-12-30T12:00:00+01:00","conditions":[]}"#,
            r#"{"expiration":"2015-12-30T12:00:00Z","expiration":"2016-12-30T12:00:00Z","conditions":[]}"#,
            r#"{"expiration":"2015-12-30T12:00:00Z","conditions":[],"more":1}"#,
            r#"{"expiration":"2015-12-30T12:00:00Z","conditions":[["contains","$key","a"]]}"#,
            r#"{"expiration":"2015-12-30T12:00:00Z","conditions":[["eq","key","a"]]}"#,
            r#"{"expiration":"2015-12-30T12:00:00Z","conditions":[{"a":1}]}"#,
            r#"{"expiration":"2015-12-30T12:00:00Z","conditions":[]} x"#,
        ] {
            assert_eq!(Document::parse(bad), None, "{bad}");
        }
        assert!(Document::parse(r#"{"expiration":"2015-12-30T12:00:00Z","conditions":[]}"#).is_some());
    }

    #[test]
    fn no_text_makes_the_reader_fall() {
        let pieces = [
            "{",
            "}",
            "[",
            "]",
            ":",
            ",",
            "\"",
            "\\",
            "\\u",
            "d83d",
            "\"expiration\"",
            "\"conditions\"",
            "\"eq\"",
            "\"$key\"",
            "\"2015-12-30T12:00:00.000Z\"",
            "\"content-length-range\"",
            "1",
            "18446744073709551616",
            "-",
            " ",
            "\u{e9}",
            "\"\"",
        ];
        let whole = r#"{"expiration":"2015-12-30T12:00:00Z","conditions":[{"bucket":"b"},["eq","$a","b"]]}"#;
        let mut state = 20_151_229_u64;
        let mut next = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        let mut accepted = 0;
        for _ in 0..20_000 {
            let mut text = if next(2) == 0 { whole.to_owned() } else { String::new() };
            for _ in 0..next(12) {
                let at = (0..=next(text.len() + 1)).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
                text.insert_str(at, pieces[next(pieces.len())]);
            }
            accepted += usize::from(Document::parse(&text).is_some());
        }
        assert!(accepted > 0, "some are policies after all");
    }
}
