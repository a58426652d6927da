//! A file that appears under its name only when it is complete.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A file that is being written. Dropped before [`finish`](Self::finish), it vanishes.
#[derive(Debug)]
pub(crate) struct PartialFile {
    file: Option<File>,
    temporary: PathBuf,
    target: PathBuf,
}

impl PartialFile {
    /// Starts a file beside `target`, under a name of its own. Where `target` is a device, a pipe or the like, it is written
    /// directly.
    pub(crate) fn create(target: &Path) -> io::Result<Self> {
        if std::fs::metadata(target).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir()) {
            let file = OpenOptions::new().write(true).open(target)?;
            return Ok(Self { file: Some(file), temporary: PathBuf::new(), target: target.to_owned() });
        }
        if target.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let name = target.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        for attempt in 0..100_u32 {
            let mut partial = std::ffi::OsString::from(".");
            partial.push(name);
            partial.push(format!(".{}-{attempt}.part", std::process::id()));
            let temporary = target.with_file_name(partial);
            match OpenOptions::new().write(true).create_new(true).open(&temporary) {
                Ok(file) => return Ok(Self { file: Some(file), temporary, target: target.to_owned() }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Adds bytes.
    pub(crate) fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.as_mut().ok_or(io::ErrorKind::BrokenPipe)?.write_all(bytes)
    }

    /// Gives the file its name, in the place of one that was there.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        // Closed first: elsewhere an open file can't be renamed.
        drop(self.file.take());
        if self.temporary.as_os_str().is_empty() {
            return Ok(());
        }
        let renamed = std::fs::rename(&self.temporary, &self.target);
        if renamed.is_ok() {
            self.temporary = PathBuf::new();
        }
        renamed
    }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        drop(self.file.take());
        if !self.temporary.as_os_str().is_empty() {
            let _ = std::fs::remove_file(&self.temporary);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("sigv4-partial-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn a_file_appears_when_it_is_complete() {
        let folder = folder("complete");
        let target = folder.join("out");
        std::fs::write(&target, "old").unwrap();
        let mut partial = PartialFile::create(&target).unwrap();
        partial.write_all(b"new").unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), b"old");
        partial.finish().unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), b"new");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn an_unfinished_file_vanishes() {
        let folder = folder("unfinished");
        let mut partial = PartialFile::create(&folder.join("out")).unwrap();
        partial.write_all(b"half").unwrap();
        drop(partial);
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
        assert!(PartialFile::create(&folder).is_err());
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_written_directly() {
        let mut partial = PartialFile::create(Path::new("/dev/null")).unwrap();
        partial.write_all(b"x").unwrap();
        partial.finish().unwrap();
        assert!(!std::fs::metadata("/dev/null").unwrap().is_file());
    }
}
