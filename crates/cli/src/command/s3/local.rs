//! Local folders: every file below one.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// How deep folders may be nested.
const MAX_DEPTH: usize = 256;

/// What was found below a folder.
#[derive(Debug)]
pub(crate) enum Found {
    /// A regular file.
    File {
        path: PathBuf,
        /// Its path below the folder, with `/` between the parts.
        relative: String,
        size: u64,
    },
    /// Something that is left out, and why.
    Skipped { path: PathBuf, reason: String },
}

/// Every file below a folder, folder by folder, in the order of their names.
#[derive(Debug)]
pub(crate) struct Walk {
    follow_links: bool,
    /// What is still to be visited, the next one last.
    pending: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    path: PathBuf,
    relative: Option<String>,
    parents: Option<Rc<Folder>>,
}

/// A folder that the walk is in, without links in its path.
#[derive(Debug)]
struct Folder {
    path: PathBuf,
    depth: usize,
    parent: Option<Rc<Folder>>,
}

impl Folder {
    fn is_inside(&self, path: &Path) -> bool {
        self.path == path || self.parent.as_ref().is_some_and(|parent| parent.is_inside(path))
    }
}

impl Walk {
    pub(crate) fn new(root: &Path, follow_links: bool) -> Self {
        Self {
            follow_links,
            pending: vec![Entry { path: root.to_owned(), relative: Some(String::new()), parents: None }],
        }
    }

    fn visit(&mut self, entry: Entry) -> Option<Found> {
        let skip = |path: PathBuf, reason: &str| Some(Found::Skipped { path, reason: reason.to_owned() });
        let Entry { path, relative, parents } = entry;
        let metadata = match self.metadata(&path, parents.is_some()) {
            Ok(Some(metadata)) => metadata,
            Ok(None) => return None,
            Err(error) => return skip(path, &crate::exit::plain(&error)),
        };
        let Some(relative) = relative else {
            return skip(path, "its name is not UTF-8, so it can't be a key");
        };
        if metadata.is_file() {
            return Some(Found::File { path, relative, size: metadata.len() });
        }
        if !metadata.is_dir() {
            return skip(path, "it is a device, a pipe or a socket");
        }
        let depth = parents.as_ref().map_or(0, |parent| parent.depth + 1);
        if depth >= MAX_DEPTH {
            return skip(path, "the folders are nested too deep");
        }
        match self.enter(&path, &relative, depth, parents) {
            Ok(Entered::Yes) => None,
            Ok(Entered::Loop) => skip(path, "it is a link to a folder that it is in"),
            Err(error) => skip(path, &crate::exit::plain(&error)),
        }
    }

    /// What the path leads to; `None` for a link that is not followed.
    fn metadata(&self, path: &Path, is_below: bool) -> io::Result<Option<Metadata>> {
        if !self.follow_links && is_below && fs::symlink_metadata(path)?.is_symlink() {
            return Ok(None);
        }
        fs::metadata(path).map(Some)
    }

    fn enter(
        &mut self,
        folder: &Path,
        relative: &str,
        depth: usize,
        parent: Option<Rc<Folder>>,
    ) -> io::Result<Entered> {
        let path = fs::canonicalize(folder)?;
        if parent.as_ref().is_some_and(|parent| parent.is_inside(&path)) {
            return Ok(Entered::Loop);
        }
        let here = Rc::new(Folder { path, depth, parent });
        let mut entries = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let relative = entry.file_name().to_str().map(|name| match relative {
                "" => name.to_owned(),
                folder => format!("{folder}/{name}"),
            });
            entries.push(Entry { path: entry.path(), relative, parents: Some(Rc::clone(&here)) });
        }
        entries.sort_by(|a, b| b.path.cmp(&a.path));
        self.pending.append(&mut entries);
        Ok(Entered::Yes)
    }
}

/// What came of entering a folder.
enum Entered {
    Yes,
    /// The walk is in it already.
    Loop,
}

impl Iterator for Walk {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        loop {
            let entry = self.pending.pop()?;
            if let Some(found) = self.visit(entry) {
                return Some(found);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("sigv4-walk-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("b/c")).unwrap();
        for file in ["a.txt", "b/x", "b/c/y", "z"] {
            fs::write(folder.join(file), file).unwrap();
        }
        folder
    }

    fn names(walk: Walk) -> Vec<String> {
        let name = |found| match found {
            Found::File { relative, .. } => relative,
            Found::Skipped { path, reason } => format!("{}: {reason}", path.file_name().unwrap().display()),
        };
        walk.map(name).collect()
    }

    #[test]
    fn files_come_in_order() {
        let folder = folder("order");
        assert_eq!(names(Walk::new(&folder, true)), ["a.txt", "b/c/y", "b/x", "z"]);
        fs::remove_dir_all(folder).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_only_if_asked_for_and_never_for_ever() {
        let folder = folder("links");
        std::os::unix::fs::symlink("a.txt", folder.join("link")).unwrap();
        std::os::unix::fs::symlink("nowhere", folder.join("n")).unwrap();
        assert_eq!(names(Walk::new(&folder, false)), ["a.txt", "b/c/y", "b/x", "z"]);
        assert_eq!(
            names(Walk::new(&folder, true)),
            ["a.txt", "b/c/y", "b/x", "link", "n: no such file or directory", "z"]
        );
        for name in ["b/up", "b/again", "b/c/more"] {
            std::os::unix::fs::symlink(&folder, folder.join(name)).unwrap();
        }
        let all = names(Walk::new(&folder, true));
        assert_eq!(all.iter().filter(|name| name.contains("a folder that it is in")).count(), 3, "{all:?}");
        fs::remove_dir_all(folder).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn what_can_not_be_a_key_is_told() {
        use std::os::unix::ffi::OsStrExt as _;
        let folder = folder("bytes");
        fs::write(folder.join(std::ffi::OsStr::from_bytes(b"\xff")), "x").unwrap();
        assert!(names(Walk::new(&folder, true)).iter().any(|name| name.contains("not UTF-8")));
        fs::remove_dir_all(folder).unwrap();
    }
}
