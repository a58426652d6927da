//! The environment and the files, as values: so that every decision over them can be tested as a function.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The environment variables: of this process, or a fixed set.
#[derive(Clone, Default)]
pub struct Env(Option<Arc<BTreeMap<String, OsString>>>);

impl Env {
    /// The variables of this process, read when they are asked for.
    pub fn process() -> Self {
        Self(None)
    }

    /// A fixed set of variables.
    pub fn fixed<K: Into<String>, V: Into<OsString>>(variables: impl IntoIterator<Item = (K, V)>) -> Self {
        Self(Some(Arc::new(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())))
    }

    /// The value of a variable; `None` where it is not set or blank (as every AWS tool has it). What is not Unicode in it
    /// shows as U+FFFD: it is set, and whoever reads it refuses it.
    pub fn get(&self, name: &str) -> Option<String> {
        self.raw(name).map(|value| value.to_string_lossy().into_owned())
    }

    fn raw(&self, name: &str) -> Option<OsString> {
        let value = match &self.0 {
            None => std::env::var_os(name),
            Some(fixed) => fixed.get(name).cloned(),
        };
        value.filter(|value| value.to_str().is_none_or(|text| !text.trim().is_empty()))
    }

    /// The home folder: `HOME`, else `USERPROFILE`, else `HOMEDRIVE` and `HOMEPATH`.
    pub fn home(&self) -> Option<PathBuf> {
        let drive_and_path = || {
            let mut home = self.raw("HOMEDRIVE")?;
            home.push(self.raw("HOMEPATH")?);
            Some(home)
        };
        self.raw("HOME").or_else(|| self.raw("USERPROFILE")).or_else(drive_and_path).map(PathBuf::from)
    }
}

// Values may be secrets: only the names are shown.
impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            None => f.write_str("Env(process)"),
            Some(fixed) => f.debug_tuple("Env").field(&fixed.keys().collect::<Vec<_>>()).finish(),
        }
    }
}

/// The files: of this machine, or a fixed set.
#[derive(Clone, Default)]
pub struct Files(Option<Arc<BTreeMap<PathBuf, Vec<u8>>>>);

/// The largest file that is read as configuration: 16 MiB.
pub const MAX_FILE_SIZE: u64 = 16 << 20;

impl Files {
    /// The files of this machine.
    pub fn machine() -> Self {
        Self(None)
    }

    /// A fixed set of files.
    pub fn fixed<P: Into<PathBuf>, C: Into<Vec<u8>>>(files: impl IntoIterator<Item = (P, C)>) -> Self {
        Self(Some(Arc::new(files.into_iter().map(|(path, content)| (path.into(), content.into())).collect())))
    }

    /// Reads a regular file.
    ///
    /// # Errors
    /// The file is missing, unreadable, not a regular file, or larger than [`MAX_FILE_SIZE`].
    pub fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        if let Some(fixed) = &self.0 {
            return fixed.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into());
        }
        // The metadata first: opening a pipe would wait for a writer.
        let metadata = std::fs::metadata(path)?;
        if metadata.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory"));
        }
        if !metadata.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
        }
        let file = std::fs::File::open(path)?;
        let mut content = Vec::with_capacity(metadata.len().min(MAX_FILE_SIZE) as usize);
        io::Read::read_to_end(&mut io::Read::take(file, MAX_FILE_SIZE + 1), &mut content)?;
        if content.len() as u64 > MAX_FILE_SIZE {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than 16 MiB"));
        }
        Ok(content)
    }

    /// Whether nobody but its owner has access to a file; `None` where that is not known: a fixed set, or no Unix.
    pub fn is_private(&self, path: &Path) -> Option<bool> {
        #[cfg(unix)]
        if self.0.is_none() {
            let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(path).ok()?);
            return Some(mode & 0o077 == 0);
        }
        let _ = path;
        None
    }
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            None => f.write_str("Files(machine)"),
            Some(fixed) => f.debug_tuple("Files").field(&fixed.keys().collect::<Vec<_>>()).finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blank_variable_counts_as_not_set() {
        let env = Env::fixed([("A", " "), ("B", "b")]);
        assert_eq!(env.get("A"), None);
        assert_eq!(env.get("B").as_deref(), Some("b"));
    }

    #[cfg(unix)]
    #[test]
    fn a_variable_that_is_not_unicode_is_set() {
        use std::os::unix::ffi::OsStringExt;
        let odd = OsString::from_vec(b"/\xff".to_vec());
        let env = Env::fixed([("AWS_PROFILE", odd.clone()), ("HOME", odd.clone())]);
        assert_eq!(env.get("AWS_PROFILE").as_deref(), Some("/\u{fffd}"));
        assert_eq!(env.home(), Some(odd.into()));
    }

    #[test]
    fn the_home_folder_has_three_names() {
        assert_eq!(Env::fixed([("HOME", "/h"), ("USERPROFILE", "/u")]).home(), Some("/h".into()));
        assert_eq!(Env::fixed([("USERPROFILE", "/u")]).home(), Some("/u".into()));
        assert_eq!(Env::fixed([("HOMEDRIVE", "C:"), ("HOMEPATH", "\\u")]).home(), Some("C:\\u".into()));
        assert_eq!(Env::fixed([("HOMEDRIVE", "C:")]).home(), None);
    }

    #[test]
    fn a_directory_is_not_read() {
        assert_eq!(Files::machine().read(&std::env::temp_dir()).unwrap_err().kind(), io::ErrorKind::IsADirectory);
    }

    #[test]
    fn debug_shows_no_value() {
        assert_eq!(
            format!("{:?}", Env::fixed([("AWS_SECRET_ACCESS_KEY", "canary")])),
            "Env([\"AWS_SECRET_ACCESS_KEY\"])"
        );
    }
}
