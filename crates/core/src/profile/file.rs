//! Where a value stands: file and line.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The name of a file, shown with `~` in the place of the home folder. A clone is cheap.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileName(Arc<Inner>);

#[derive(PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Inner {
    path: PathBuf,
    shown: String,
}

impl FileName {
    /// The name of the file at `path`, shown as it is.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let shown = path.display().to_string();
        Self(Arc::new(Inner { path, shown }))
    }

    /// The name of the file at `path`, shown with `~` where it is inside of `home`.
    pub fn in_home(path: impl Into<PathBuf>, home: Option<&Path>) -> Self {
        let path = path.into();
        let inside = home.filter(|home| home.parent().is_some()).and_then(|home| path.strip_prefix(home).ok());
        let shown = match inside {
            Some(rest) => Path::new("~").join(rest).display().to_string(),
            None => path.display().to_string(),
        };
        Self(Arc::new(Inner { path, shown }))
    }

    /// The path, as it is opened.
    pub fn as_path(&self) -> &Path {
        &self.0.path
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.shown)
    }
}

impl fmt::Debug for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0.path)
    }
}

/// A line of a file.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// The file.
    pub file: FileName,
    /// The line, from 1 on.
    pub line: u32,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_home_folder_is_shown_as_a_tilde() {
        let shown = |path: &str, home: Option<&str>| FileName::in_home(path, home.map(Path::new)).to_string();
        assert_eq!(shown("/home/a/.aws/config", Some("/home/a")), "~/.aws/config");
        assert_eq!(shown("/home/ab/.aws/config", Some("/home/a")), "/home/ab/.aws/config");
        assert_eq!(shown("/etc/boto.cfg", None), "/etc/boto.cfg");
        // A container's home may be the root: everything would be inside of it.
        assert_eq!(shown("/.aws/config", Some("/")), "/.aws/config");
    }
}
