//! The values that settings may have, and how they are written.

use std::num::NonZeroU32;

use crate::call::{RetryMode, SkewCorrection};
use crate::endpoint::error::quoted;
use crate::endpoint::{DualStack, EndpointUrl, Fips, Region};

/// How an S3 bucket is named in a URL.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum AddressingStyle {
    /// In the host where that works, else in the path.
    #[default]
    Auto,
    /// In the path.
    Path,
    /// In the host.
    Virtual,
}

/// When checksums are sent and compared.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ChecksumMode {
    /// Wherever the operation has them.
    #[default]
    WhenSupported,
    /// Where the operation insists only. For stores that refuse them.
    WhenRequired,
}

impl AddressingStyle {
    /// The word for it, as in a profile.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Path => "path",
            Self::Virtual => "virtual",
        }
    }
}

impl ChecksumMode {
    /// The word for it, as in `AWS_REQUEST_CHECKSUM_CALCULATION`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WhenSupported => "when_supported",
            Self::WhenRequired => "when_required",
        }
    }
}

/// A value that is written in an environment variable or a file.
pub(super) trait FromSetting: Sized {
    /// Reads `text`; the error says what is accepted, and repeats the text where it can't be a secret.
    fn from_setting(key: &str, text: &str) -> Result<Self, String>;
}

impl FromSetting for Region {
    fn from_setting(_: &str, text: &str) -> Result<Self, String> {
        Self::new(text).map_err(|error| error.to_string())
    }
}

impl FromSetting for EndpointUrl {
    fn from_setting(_: &str, text: &str) -> Result<Self, String> {
        Self::new(text).map_err(|error| error.to_string())
    }
}

impl FromSetting for NonZeroU32 {
    fn from_setting(key: &str, text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| refuse(key, text, "a whole number from 1 on"))
    }
}

impl FromSetting for bool {
    fn from_setting(key: &str, text: &str) -> Result<Self, String> {
        choose(key, text, &[("true", true), ("false", false)])
    }
}

impl FromSetting for Fips {
    fn from_setting(key: &str, text: &str) -> Result<Self, String> {
        choose(key, text, &[("true", Self::Enabled), ("false", Self::Disabled)])
    }
}

impl FromSetting for DualStack {
    fn from_setting(key: &str, text: &str) -> Result<Self, String> {
        choose(key, text, &[("true", Self::Enabled), ("false", Self::Disabled)])
    }
}

impl FromSetting for SkewCorrection {
    // The variable says "disable".
    fn from_setting(key: &str, text: &str) -> Result<Self, String> {
        choose(key, text, &[("true", Self::Disabled), ("false", Self::Enabled)])
    }
}

impl FromSetting for RetryMode {
    fn from_setting(key: &str, text: &str) -> Result<Self, String> {
        // The mode that the AWS CLI had before `standard` does the same with fewer guards.
        choose(key, text, &[("standard", Self::Standard), ("adaptive", Self::Adaptive), ("legacy", Self::Standard)])
    }
}

impl FromSetting for AddressingStyle {
    fn from_setting(key: &str, text: &str) -> Result<Self, String> {
        choose(key, text, &[("auto", Self::Auto), ("path", Self::Path), ("virtual", Self::Virtual)])
    }
}

impl FromSetting for ChecksumMode {
    fn from_setting(key: &str, text: &str) -> Result<Self, String> {
        choose(key, text, &[("when_supported", Self::WhenSupported), ("when_required", Self::WhenRequired)])
    }
}

impl FromSetting for std::path::PathBuf {
    fn from_setting(key: &str, text: &str) -> Result<Self, String> {
        if text.contains('\0') { Err(refuse(key, text, "the path of a file")) } else { Ok(text.into()) }
    }
}

/// Looks up a word, in any case.
fn choose<T: Copy>(key: &str, text: &str, words: &[(&str, T)]) -> Result<T, String> {
    let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text.trim()));
    found.map(|(_, value)| *value).ok_or_else(|| {
        let accepted: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        refuse(key, text, &accepted.join(" or "))
    })
}

fn refuse(key: &str, text: &str, accepted: &str) -> String {
    format!("invalid {key} {}: use {accepted}", quoted(text))
}
