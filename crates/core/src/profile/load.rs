//! Reading the files.

use std::io;

use aws_sigv4_free_http_transport::Secret;
use tracing::{debug, warn};

use super::{FileKind, FileLocation, FileLocations, FileName, Platform, ProfileError, ProfileErrorKind, ProfileSet};
use crate::environment::{Env, Files};

impl ProfileSet {
    /// Reads the AWS configuration files from where `env` says; see [`FileLocations`].
    ///
    /// A file that is not there counts as an empty one; where a variable names it, a warning is logged. A credentials
    /// file that others than its owner may read draws a warning too.
    ///
    /// # Errors
    /// A file that is there can't be read, is not UTF-8, or does not follow the grammar.
    pub fn load(env: &Env, files: &Files) -> Result<Self, ProfileError> {
        let FileLocations { config, credentials } = FileLocations::of(env, Platform::CURRENT);
        let mut profiles = Self::new();
        for (location, kind) in [(config, FileKind::Config), (credentials, FileKind::Credentials)] {
            let Some(FileLocation { file, variable }) = location else {
                debug!("no home folder is set: there is no {kind:?} file");
                continue;
            };
            let Some(text) = read(files, &file)? else {
                match variable {
                    Some(variable) => warn!("the file {file} that {variable} names does not exist"),
                    None => debug!("there is no {file}"),
                }
                continue;
            };
            profiles.add(text.expose_secret(), &file, kind)?;
            if kind == FileKind::Credentials {
                warn_if_public(files, &file);
            }
        }
        Ok(profiles)
    }
}

/// The text of a file; `None` where there is none.
pub(super) fn read(files: &Files, file: &FileName) -> Result<Option<Secret>, ProfileError> {
    let content = match files.read(file.as_path()) {
        Ok(content) => content,
        // A folder of the path may be missing, or be a file.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(ProfileError::unreadable(file, error)),
    };
    match String::from_utf8(content) {
        // Wiped when it is dropped: it may hold keys.
        Ok(text) => Ok(Some(text.into())),
        Err(error) => {
            let (line, column) = position_of(error.as_bytes(), error.utf8_error().valid_up_to());
            let message = "the file is not UTF-8: save it as UTF-8";
            Err(ProfileError::at(ProfileErrorKind::NotUtf8, file, line, column, message))
        }
    }
}

/// Line and column, from 1 on, of the byte at `offset`; the bytes before it are UTF-8.
fn position_of(content: &[u8], offset: usize) -> (u32, u32) {
    let before = content.get(..offset).and_then(|before| std::str::from_utf8(before).ok()).unwrap_or_default();
    let (lines, last) =
        before.rsplit_once('\n').map_or((0, before), |(above, last)| (above.matches('\n').count() + 1, last));
    let from_one = |count: usize| u32::try_from(count).unwrap_or(u32::MAX).saturating_add(1);
    (from_one(lines), from_one(last.chars().count()))
}

fn warn_if_public(files: &Files, file: &FileName) {
    if files.is_private(file.as_path()) == Some(false) {
        warn!("others than its owner may read {file}, which holds credentials: run `chmod 600 {file}`");
    }
}
