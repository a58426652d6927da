//! A file that is uploaded: read once for its checksums, and looked at again after it was sent.

use std::fs::{File, Metadata};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use aws_sigv4_free_core::{Error, ErrorKind};

use crate::checksum::{Checksum, ChecksumAlgorithm, Hasher};
use crate::off_thread::{self, io_error};

/// How much of a file is in memory while its checksums are computed.
const BUFFER: usize = 256 << 10;

/// Which checksums an upload needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) crc32: bool,
    pub(crate) sha256: bool,
}

/// What is known of a range of a file before it is sent.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(crate) crc32: Option<Checksum>,
    pub(crate) sha256: Option<[u8; 32]>,
    state: State,
}

/// What shows that a file was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct State {
    path: PathBuf,
    length: u64,
    modified: Option<SystemTime>,
}

/// The size of the regular file at `path`.
pub(crate) async fn length(path: &Path) -> Result<u64, Error> {
    let path = path.to_path_buf();
    off_thread::run(move || regular(&path).map(|metadata| metadata.len())).await?
}

/// Computes the checksums of `length` bytes from `offset` on. Nothing is read where none is wanted.
pub(crate) async fn measure(path: &Path, offset: u64, length: u64, wanted: Wanted) -> Result<Measured, Error> {
    let path = path.to_path_buf();
    off_thread::run(move || read(&path, offset, length, wanted)).await?
}

impl Measured {
    /// An error if the file is not as it was when it was measured.
    pub(crate) async fn is_unchanged(&self) -> Result<(), Error> {
        let before = self.state.clone();
        off_thread::run(move || {
            let changed = |what: &str| {
                let path = before.path.display();
                Error::new(ErrorKind::Io, format!("the file {path} {what} while it was sent: upload it again"))
                    .after_sending()
            };
            let after = regular(&before.path).map_err(|error| changed("vanished").with_source(error))?;
            if State::of(&before.path, &after) == before { Ok(()) } else { Err(changed("was changed")) }
        })
        .await?
    }
}

impl State {
    fn of(path: &Path, metadata: &Metadata) -> Self {
        Self { path: path.to_path_buf(), length: metadata.len(), modified: metadata.modified().ok() }
    }
}

fn regular(path: &Path) -> Result<Metadata, Error> {
    let metadata = std::fs::metadata(path).map_err(|error| io_error("read", path, error))?;
    if metadata.is_dir() {
        return Err(io_error("read", path, std::io::ErrorKind::IsADirectory.into()));
    }
    if !metadata.is_file() {
        // A pipe has no length and can't be read twice.
        let message = format!("can't read {}: it is not a regular file; send it as a stream", path.display());
        return Err(Error::new(ErrorKind::Io, message));
    }
    Ok(metadata)
}

fn read(path: &Path, offset: u64, length: u64, wanted: Wanted) -> Result<Measured, Error> {
    let fault = |error| io_error("read", path, error);
    let state = State::of(path, &regular(path)?);
    if offset.checked_add(length).is_none_or(|end| end > state.length) {
        let message = format!("can't read {}: it has {} bytes only", path.display(), state.length);
        return Err(Error::new(ErrorKind::Io, message));
    }
    let mut file = File::open(path).map_err(fault)?;
    let mut crc32 = wanted.crc32.then(|| Hasher::new(ChecksumAlgorithm::Crc32));
    let mut sha256 = wanted.sha256.then(|| Hasher::new(ChecksumAlgorithm::Sha256));
    if crc32.is_some() || sha256.is_some() {
        std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(offset)).map_err(fault)?;
        let mut buffer = vec![0; BUFFER.min(usize::try_from(length).unwrap_or(BUFFER))];
        let mut left = length;
        while left > 0 {
            let want = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            let got = match file.read(&mut buffer[..want]) {
                Ok(0) => return Err(fault(std::io::ErrorKind::UnexpectedEof.into())),
                Ok(got) => got,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(fault(error)),
            };
            crc32.iter_mut().chain(&mut sha256).for_each(|hasher| hasher.update(&buffer[..got]));
            left -= got as u64;
        }
    }
    let sha256 = sha256.map(|hasher| {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(hasher.finish().as_bytes());
        bytes
    });
    Ok(Measured { crc32: crc32.map(Hasher::finish), sha256, state })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{Folder, now};

    const BOTH: Wanted = Wanted { crc32: true, sha256: true };

    #[test]
    fn a_range_is_measured_in_one_pass() {
        let folder = Folder::new();
        let path = folder.file("a", &vec![7; BUFFER * 2 + 5]);
        let measured = now(measure(&path, 5, (BUFFER * 2) as u64, BOTH)).unwrap();
        let bytes = vec![7; BUFFER * 2];
        assert_eq!(measured.crc32, Some(Checksum::of(ChecksumAlgorithm::Crc32, &bytes)));
        assert_eq!(measured.sha256.unwrap(), Checksum::of(ChecksumAlgorithm::Sha256, &bytes).as_bytes());
        assert!(now(measured.is_unchanged()).is_ok());
    }

    #[test]
    fn what_is_no_readable_file_is_named() {
        let folder = Folder::new();
        let missing = folder.path().join("missing");
        let error = now(length(&missing)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        assert_eq!(error.to_string(), format!("can't read {}: it is not there", missing.display()));
        assert!(now(length(folder.path())).unwrap_err().to_string().ends_with("it is a directory"));
        let short = folder.file("short", b"abc");
        assert!(now(measure(&short, 2, 2, BOTH)).unwrap_err().to_string().ends_with("it has 3 bytes only"));
        assert!(now(measure(&short, u64::MAX, 2, BOTH)).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_no_file() {
        assert!(now(length(Path::new("/dev/null"))).unwrap_err().to_string().contains("not a regular file"));
    }

    #[test]
    fn a_change_is_noticed() {
        let folder = Folder::new();
        let path = folder.file("a", b"abc");
        let measured = now(measure(&path, 0, 3, BOTH)).unwrap();
        folder.file("a", b"abcd");
        let error = now(measured.is_unchanged()).unwrap_err();
        assert!(error.to_string().contains("was changed while it was sent"), "{error}");
        std::fs::remove_file(&path).unwrap();
        assert!(now(measured.is_unchanged()).unwrap_err().to_string().contains("vanished"));
    }
}
