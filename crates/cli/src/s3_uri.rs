//! Places: `s3://bucket/key`, a local path, or a standard stream.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// A bucket and a key or prefix, which may be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct S3Uri {
    pub(crate) bucket: String,
    pub(crate) key: String,
}

impl S3Uri {
    /// The same bucket with another key.
    pub(crate) fn with_key(&self, key: impl Into<String>) -> Self {
        Self { bucket: self.bucket.clone(), key: key.into() }
    }

    /// The last part of the key.
    pub(crate) fn base_name(&self) -> &str {
        self.key.rsplit('/').next().unwrap_or_default()
    }

    /// The key as the name of a folder: empty, or ending in a slash.
    pub(crate) fn folder_prefix(&self) -> String {
        if self.key.is_empty() || self.key.ends_with('/') { self.key.clone() } else { format!("{}/", self.key) }
    }
}

impl fmt::Display for S3Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

impl FromStr for S3Uri {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some(rest) = text.strip_prefix("s3://") else {
            return Err(format!("expected s3://bucket or s3://bucket/key, got `{text}`"));
        };
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err("the bucket is missing: write s3://bucket/key".into());
        }
        if bucket.chars().any(|character| character.is_whitespace() || character.is_control()) {
            return Err("a bucket's name holds no white space".into());
        }
        Ok(Self { bucket: bucket.to_owned(), key: key.to_owned() })
    }
}

/// An S3 URI, or `s3://` alone: all buckets. The scheme may be left out, as in `sigv4 s3 ls bucket`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListTarget(pub(crate) Option<S3Uri>);

impl FromStr for ListTarget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "s3://" | "" => Ok(Self(None)),
            text if text.starts_with("s3://") => Ok(Self(Some(text.parse()?))),
            text => Ok(Self(Some(format!("s3://{text}").parse()?))),
        }
    }
}

/// One end of a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    S3(S3Uri),
    Local(PathBuf),
    /// `-`: standard input as a source, standard output as a destination.
    Stream,
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "" => Err("a path is empty".into()),
            "-" => Ok(Self::Stream),
            text if text.starts_with("s3://") => Ok(Self::S3(text.parse()?)),
            text => Ok(Self::Local(text.into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bucket_and_key_are_split_at_the_first_slash() {
        let uri: S3Uri = "s3://b/a//c d/é?#".parse().unwrap();
        assert_eq!((uri.bucket.as_str(), uri.key.as_str()), ("b", "a//c d/é?#"));
        assert_eq!(uri.base_name(), "é?#");
        assert_eq!(uri.to_string(), "s3://b/a//c d/é?#");
        assert_eq!("s3://b".parse::<S3Uri>().unwrap().key, "");
        assert_eq!("s3://b//k".parse::<S3Uri>().unwrap().key, "/k");
    }

    #[test]
    fn what_is_no_s3_uri_is_refused() {
        for text in ["", "b/k", "s3:/b/k", "S3://b/k", "s3://", "s3:///k", "s3://a b/k", "https://b/k"] {
            assert!(text.parse::<S3Uri>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_listing_may_leave_the_scheme_out() {
        assert_eq!("s3://".parse::<ListTarget>().unwrap(), ListTarget(None));
        assert_eq!("b/p".parse::<ListTarget>().unwrap().0.unwrap().key, "p");
    }

    #[test]
    fn places() {
        assert_eq!("-".parse::<Place>().unwrap(), Place::Stream);
        assert_eq!("./-".parse::<Place>().unwrap(), Place::Local("./-".into()));
        assert!(matches!("s3://b/k".parse::<Place>().unwrap(), Place::S3(_)));
        assert!("s3://".parse::<Place>().is_err());
    }

    #[test]
    fn a_prefix_becomes_a_folder_once() {
        for (key, folder) in [("", ""), ("a", "a/"), ("a/", "a/")] {
            assert_eq!(S3Uri { bucket: "b".into(), key: key.into() }.folder_prefix(), folder);
        }
    }
}
