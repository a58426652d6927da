//! Why settings can't be used.

use std::fmt;

use crate::profile::ProfileError;

/// Settings that can't be used.
///
/// The text names the variable, or the file and the line, what stands there, and what is accepted. It holds no secret.
#[derive(Debug)]
pub struct SettingsError {
    kind: SettingsErrorKind,
    message: String,
    source: Option<Box<ProfileError>>,
}

/// What is wrong with the settings.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SettingsErrorKind {
    /// A value is not one that the setting may have. Correct it where the message says.
    InvalidValue,
    /// A configuration file is broken or can't be read. Correct it where the message says.
    InvalidFile,
    /// The profile that was asked for is in none of the files. Use one of those that the message lists, or add it.
    MissingProfile,
    /// No region is set. Set `AWS_REGION`, or `region` in the profile.
    MissingRegion,
}

impl SettingsError {
    pub(super) fn new(kind: SettingsErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// What is wrong.
    pub fn kind(&self) -> SettingsErrorKind {
        self.kind
    }
}

impl From<ProfileError> for SettingsError {
    fn from(error: ProfileError) -> Self {
        let message = "the configuration files can't be used".to_owned();
        Self { kind: SettingsErrorKind::InvalidFile, message, source: Some(Box::new(error)) }
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SettingsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
