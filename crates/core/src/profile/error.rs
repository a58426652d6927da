//! What is wrong with a configuration file.

use std::fmt;
use std::io;

use super::FileName;

/// A configuration file that can't be used.
///
/// The text names the file, the line and the column, and what should stand there. It repeats nothing of the file but
/// names of sections.
#[derive(Debug)]
pub struct ProfileError {
    kind: ProfileErrorKind,
    file: FileName,
    position: Option<(u32, u32)>,
    message: String,
    source: Option<io::Error>,
}

/// What is wrong with a configuration file.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProfileErrorKind {
    /// A line does not follow the grammar. Correct it.
    Syntax,
    /// The file is not UTF-8. Save it as UTF-8.
    NotUtf8,
    /// The file is there and can't be read: no permission, a directory, too large.
    Unreadable,
}

impl ProfileError {
    pub(super) fn syntax(file: &FileName, line: u32, column: u32, message: impl Into<String>) -> Self {
        Self::at(ProfileErrorKind::Syntax, file, line, column, message)
    }

    pub(super) fn at(
        kind: ProfileErrorKind,
        file: &FileName,
        line: u32,
        column: u32,
        message: impl Into<String>,
    ) -> Self {
        Self { kind, file: file.clone(), position: Some((line, column)), message: message.into(), source: None }
    }

    pub(super) fn unreadable(file: &FileName, source: io::Error) -> Self {
        let message = "the file can't be read: correct its permissions, or name another file".to_owned();
        Self { kind: ProfileErrorKind::Unreadable, file: file.clone(), position: None, message, source: Some(source) }
    }

    /// What is wrong.
    pub fn kind(&self) -> ProfileErrorKind {
        self.kind
    }

    /// The file.
    pub fn file(&self) -> &FileName {
        &self.file
    }

    /// The line, from 1 on.
    pub fn line(&self) -> Option<u32> {
        self.position.map(|(line, _)| line)
    }

    /// The column, from 1 on, in characters.
    pub fn column(&self) -> Option<u32> {
        self.position.map(|(_, column)| column)
    }
}

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.position {
            Some((line, column)) => write!(f, "{}:{line}:{column}: {}", self.file, self.message),
            None => write!(f, "{}: {}", self.file, self.message),
        }
    }
}

impl std::error::Error for ProfileError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}
