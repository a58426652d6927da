//! A file that is downloaded: written beside its place, and put there when it is whole.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sigv4_free_core::{Error, ErrorKind};
use bytes::Bytes;

use crate::off_thread::{self, io_error};

/// Whether a download is on the disk when it is done.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Durability {
    /// The operating system writes it to the disk in its own time: the default.
    #[default]
    Buffered,
    /// The file is on the disk when the download ends (`fsync`): it outlives a loss of power, and takes longer.
    Synced,
}

/// How many bytes are gathered before they are written.
const BATCH: usize = 512 << 10;

/// A temporary file in the folder of its target. Dropping it removes it: it stays only if it is [`keep`](Self::keep)t.
#[derive(Debug)]
pub(crate) struct TargetFile {
    target: PathBuf,
    temporary: Temporary,
    batch: Vec<Bytes>,
    batched: usize,
    // The last to be dropped.
    guard: Guard,
}

/// Closes and removes the file when it is dropped, in whichever thread it is then.
#[derive(Debug)]
struct Temporary {
    file: Option<File>,
    guard: Guard,
}

/// Removes the file at its path when it is dropped. There are two: the one that stays with the caller removes it at once
/// when the caller goes away, for a process may end before a write in another thread does; the one that goes along with the
/// write removes it where that is possible only after it was closed.
#[derive(Debug)]
struct Guard(Option<PathBuf>);

impl TargetFile {
    pub(crate) async fn create(target: &Path) -> Result<Self, Error> {
        let target = target.to_path_buf();
        off_thread::run(move || {
            let temporary = create_beside(&target)?;
            let guard = Guard(temporary.guard.0.clone());
            Ok(Self { target, temporary, batch: Vec::new(), batched: 0, guard })
        })
        .await?
    }

    pub(crate) async fn write(mut self, chunk: Bytes) -> Result<Self, Error> {
        self.batched += chunk.len();
        self.batch.push(chunk);
        if self.batched >= BATCH { self.flush().await } else { Ok(self) }
    }

    /// Puts the file in its place.
    pub(crate) async fn keep(self, durability: Durability) -> Result<(), Error> {
        let Self { target, temporary, mut guard, .. } = self.flush().await?;
        off_thread::run(move || temporary.rename(&target, durability)).await??;
        guard.0 = None;
        Ok(())
    }

    async fn flush(self) -> Result<Self, Error> {
        let Self { target, mut temporary, batch, guard, .. } = self;
        let (target, temporary) = off_thread::run(move || {
            for chunk in batch {
                if let Some(file) = &mut temporary.file {
                    file.write_all(&chunk).map_err(|error| io_error("write", &target, error))?;
                }
            }
            Ok::<_, Error>((target, temporary))
        })
        .await??;
        Ok(Self { target, temporary, batch: Vec::new(), batched: 0, guard })
    }
}

impl Temporary {
    fn rename(mut self, target: &Path, durability: Durability) -> Result<(), Error> {
        let fault = |error| io_error("write", target, error);
        if let Some(file) = self.file.take()
            && durability == Durability::Synced
        {
            file.sync_all().map_err(fault)?;
        }
        let Some(path) = &self.guard.0 else { return Ok(()) };
        std::fs::rename(path, target).map_err(fault)?;
        self.guard.0 = None;
        #[cfg(unix)]
        if durability == Durability::Synced {
            let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(fault)?;
        }
        Ok(())
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            // Nobody is left to be told if it fails.
            let _ = std::fs::remove_file(path);
        }
    }
}

fn create_beside(target: &Path) -> Result<Temporary, Error> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let Some(name) = target.file_name() else {
        return Err(Error::invalid_input(format!("can't write {}: it names no file", target.display())));
    };
    match std::fs::metadata(target) {
        Ok(metadata) if metadata.is_dir() => {
            return Err(io_error("write", target, std::io::ErrorKind::IsADirectory.into()));
        }
        // A file renamed over a device or a pipe would take its place.
        Ok(metadata) if !metadata.is_file() => {
            let message =
                format!("can't write {}: it is not a regular file; read the body in chunks", target.display());
            return Err(Error::new(ErrorKind::Io, message));
        }
        _ => {}
    }
    // The name is cut, so that the longest file name still has a temporary one.
    let mut name: String = name.to_string_lossy().chars().take(48).collect();
    name.insert(0, '.');
    for _ in 0..64 {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = target.with_file_name(format!("{name}.{}-{number}.part", std::process::id()));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => return Ok(Temporary { file: Some(file), guard: Guard(Some(path)) }),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(io_error("write", target, error)),
        }
    }
    Err(io_error("write", target, std::io::ErrorKind::AlreadyExists.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{Folder, now};

    #[test]
    fn a_whole_file_takes_its_place_and_nothing_else_stays() {
        let folder = Folder::new();
        let path = folder.file("out", b"old");
        for durability in [Durability::Buffered, Durability::Synced] {
            let file = now(TargetFile::create(&path)).unwrap();
            let file = now(file.write(Bytes::from_static(b"ab"))).unwrap();
            let file = now(file.write(vec![b'c'; BATCH].into())).unwrap();
            now(file.keep(durability)).unwrap();
            assert_eq!(std::fs::read(&path).unwrap().len(), BATCH + 2);
        }
        assert_eq!(folder.names(), ["out"]);
    }

    #[test]
    fn a_file_that_is_not_kept_leaves_the_old_one() {
        let folder = Folder::new();
        let path = folder.file("out", b"old");
        let file = now(TargetFile::create(&path)).unwrap();
        let file = now(file.write(vec![b'c'; BATCH].into())).unwrap();
        assert_eq!(folder.names().len(), 2);
        drop(file);
        assert_eq!(folder.names(), ["out"]);
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
    }

    #[test]
    fn what_can_not_be_written_is_named() {
        let folder = Folder::new();
        let check = |path: &Path, reason: &str| {
            let error = now(TargetFile::create(path)).unwrap_err();
            assert!(error.to_string().contains(reason), "{error}");
        };
        check(folder.path(), "it is a directory");
        check(&folder.path().join("missing/out"), "it is not there");
        check(Path::new("/"), "names no file");
        check(Path::new(""), "names no file");
        #[cfg(unix)]
        check(Path::new("/dev/null"), "not a regular file");
    }

    #[test]
    fn the_longest_name_of_a_file_works() {
        let folder = Folder::new();
        let path = folder.path().join("é".repeat(127));
        now(now(TargetFile::create(&path)).unwrap().keep(Durability::Buffered)).unwrap();
        assert!(path.exists());
    }
}
