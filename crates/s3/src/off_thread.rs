//! Work that blocks, kept off the threads of the runtime.

use aws_sigv4_free_core::{Error, ErrorKind};

/// Runs `work` on tokio's threads for blocking work, or right here where there is no tokio runtime.
pub(crate) async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    #[cfg(feature = "hyper")]
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        return runtime.spawn_blocking(work).await.map_err(|failure| {
            Error::new(ErrorKind::Io, "the work on a local file ended early: the runtime is shutting down")
                .with_source(failure)
        });
    }
    Ok(work())
}

/// A local read or write that failed: what was done, and to which file.
pub(crate) fn io_error(what: &str, path: &std::path::Path, source: std::io::Error) -> Error {
    let reason = match source.kind() {
        std::io::ErrorKind::NotFound => "it is not there",
        std::io::ErrorKind::PermissionDenied => "permission is denied",
        std::io::ErrorKind::StorageFull => "the disk is full",
        std::io::ErrorKind::QuotaExceeded => "the quota is used up",
        std::io::ErrorKind::IsADirectory => "it is a directory",
        std::io::ErrorKind::NotADirectory => "a part of its path is not a directory",
        std::io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only",
        _ => {
            return Error::new(ErrorKind::Io, format!("can't {what} {}: {source}", path.display())).with_source(source);
        }
    };
    Error::new(ErrorKind::Io, format!("can't {what} {}: {reason}", path.display())).with_source(source)
}
