//! The body of a request.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;

use crate::Error;

/// A source of chunks that are produced one after the other.
///
/// Implemented by request bodies that stream, and by transports for the bodies of their responses.
pub trait ChunkSource: Send {
    /// The next chunk; `None` at the end. An empty chunk is allowed and means nothing.
    ///
    /// # Errors
    /// An error ends the source: it is not polled again.
    fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>>;
}

/// A function that starts a stream from its beginning, once for each attempt.
type StartStream = Arc<dyn Fn() -> Box<dyn ChunkSource> + Send + Sync>;
/// A function that is told how many bytes have been handed to the network since the last call.
pub(crate) type OnProgress = Arc<dyn Fn(u64) + Send + Sync>;

/// The body of a request: nothing, bytes, a range of a file, or a stream.
///
/// A body that [`is_replayable`](Self::is_replayable) can be sent again by a retry. Only [`once`](Self::once) is not.
pub struct Body {
    kind: BodyKind,
    on_progress: Option<OnProgress>,
}

/// What a [`Body`] is made of, for a transport that sends it.
#[non_exhaustive]
pub enum BodyKind {
    /// No bytes.
    Empty,
    /// Bytes in memory.
    Bytes(Bytes),
    /// A range of a file, read while it is sent.
    File(FileRange),
    /// A stream, with its length where that is known.
    Stream {
        /// The chunks.
        source: Box<dyn ChunkSource>,
        /// How many bytes the chunks hold together. Without it the body is sent in HTTP chunks.
        length: Option<u64>,
        /// Starts the stream again; `None` for a stream that can be sent once only.
        restart: Option<Restart>,
    },
}

/// Starts a replayable stream again; see [`Body::stream`].
#[derive(Clone)]
pub struct Restart(StartStream);

impl Restart {
    /// The stream from its beginning.
    pub fn start(&self) -> Box<dyn ChunkSource> {
        (self.0)()
    }
}

/// A range of a file.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRange {
    /// The file.
    pub path: PathBuf,
    /// Where the range starts, in bytes.
    pub offset: u64,
    /// How long it is, in bytes.
    pub length: u64,
}

impl Body {
    /// No bytes.
    pub fn empty() -> Self {
        BodyKind::Empty.into()
    }

    /// Bytes in memory. They are not copied by a retry.
    pub fn bytes(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        if bytes.is_empty() { Self::empty() } else { BodyKind::Bytes(bytes).into() }
    }

    /// `length` bytes of the file at `path`, from `offset` on. The transport reads them while it sends: the file has to be
    /// there, and as long, when each attempt is made; a file that has become shorter fails as
    /// [`ErrorKind::RequestBody`](crate::ErrorKind::RequestBody).
    pub fn file(path: impl AsRef<Path>, offset: u64, length: u64) -> Self {
        if length == 0 {
            return Self::empty();
        }
        BodyKind::File(FileRange { path: path.as_ref().to_path_buf(), offset, length }).into()
    }

    /// A stream that `start` begins anew for each attempt, so that it can be retried. With a `length` the stream has to
    /// give just as many bytes.
    pub fn stream<F>(length: Option<u64>, start: F) -> Self
    where
        F: Fn() -> Box<dyn ChunkSource> + Send + Sync + 'static,
    {
        let start: StartStream = Arc::new(start);
        BodyKind::Stream { source: start(), length, restart: Some(Restart(start)) }.into()
    }

    /// A stream that can be sent once only. A request with it is never retried.
    pub fn once(length: Option<u64>, source: Box<dyn ChunkSource>) -> Self {
        BodyKind::Stream { source, length, restart: None }.into()
    }

    /// Calls `on_progress` with the number of bytes each time that some were handed to the network. A retry starts again at
    /// zero: [`try_clone`](Self::try_clone) keeps the function.
    #[must_use]
    pub fn on_progress(mut self, on_progress: impl Fn(u64) + Send + Sync + 'static) -> Self {
        self.on_progress = Some(Arc::new(on_progress));
        self
    }

    /// How many bytes the body holds; `None` where that is not known before its end.
    pub fn length(&self) -> Option<u64> {
        match &self.kind {
            BodyKind::Empty => Some(0),
            BodyKind::Bytes(bytes) => Some(bytes.len() as u64),
            BodyKind::File(range) => Some(range.length),
            BodyKind::Stream { length, .. } => *length,
        }
    }

    /// The bytes, where they are in memory.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match &self.kind {
            BodyKind::Empty => Some(&[]),
            BodyKind::Bytes(bytes) => Some(bytes),
            BodyKind::File(_) | BodyKind::Stream { .. } => None,
        }
    }

    /// What the body is made of.
    pub fn kind(&self) -> &BodyKind {
        &self.kind
    }

    /// Whether the body can be sent again.
    pub fn is_replayable(&self) -> bool {
        !matches!(self.kind, BodyKind::Stream { restart: None, .. })
    }

    /// The same body from its beginning; `None` where it can be sent once only.
    pub fn try_clone(&self) -> Option<Self> {
        let kind = match &self.kind {
            BodyKind::Empty => BodyKind::Empty,
            BodyKind::Bytes(bytes) => BodyKind::Bytes(bytes.clone()),
            BodyKind::File(range) => BodyKind::File(range.clone()),
            BodyKind::Stream { length, restart, .. } => {
                let restart = restart.clone()?;
                BodyKind::Stream { source: (restart.0)(), length: *length, restart: Some(restart) }
            }
        };
        Some(Self { kind, on_progress: self.on_progress.clone() })
    }

    /// The function that is told about the progress.
    #[cfg(feature = "hyper-base")]
    pub(crate) fn on_progress_function(&self) -> Option<OnProgress> {
        self.on_progress.clone()
    }

    /// Takes the body apart without wrapping the function that is told about the progress.
    #[cfg(feature = "hyper-base")]
    pub(crate) fn split(self) -> (BodyKind, Option<OnProgress>) {
        (self.kind, self.on_progress)
    }

    /// Takes the body apart, for a transport: what to send, and whom to tell about its progress.
    pub fn into_parts(self) -> (BodyKind, impl Fn(u64) + Send + Sync + 'static) {
        let on_progress = self.on_progress;
        (self.kind, move |count| {
            if let Some(on_progress) = &on_progress {
                on_progress(count);
            }
        })
    }
}

impl From<BodyKind> for Body {
    fn from(kind: BodyKind) -> Self {
        Self { kind, on_progress: None }
    }
}

impl Default for Body {
    fn default() -> Self {
        Self::empty()
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::bytes(bytes)
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self::bytes(bytes)
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self::bytes(text)
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Self::bytes(text)
    }
}

impl From<&'static [u8]> for Body {
    fn from(bytes: &'static [u8]) -> Self {
        Self::bytes(bytes)
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.kind, f)
    }
}

// A body may hold anything: only its shape is shown.
impl fmt::Debug for BodyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::Bytes(bytes) => write!(f, "Bytes({} bytes)", bytes.len()),
            Self::File(range) => {
                write!(f, "File({}, {} bytes from {})", range.path.display(), range.length, range.offset)
            }
            Self::Stream { length: Some(length), .. } => write!(f, "Stream({length} bytes)"),
            Self::Stream { length: None, .. } => f.write_str("Stream(unknown length)"),
        }
    }
}

impl fmt::Debug for Restart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Restart")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Two(u8);
    impl ChunkSource for Two {
        fn poll_chunk(&mut self, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
            self.0 += 1;
            Poll::Ready((self.0 <= 2).then(|| Ok(Bytes::from_static(b"ab"))))
        }
    }

    #[test]
    fn an_empty_body_of_any_kind_is_empty() {
        for body in [Body::from(""), Body::from(Vec::new()), Body::file("/nowhere", 3, 0), Body::default()] {
            assert!(matches!(body.kind(), BodyKind::Empty));
            assert_eq!(body.length(), Some(0));
        }
    }

    #[test]
    fn a_stream_with_a_start_is_replayed_from_its_beginning() {
        let body = Body::stream(Some(4), || Box::new(Two(0)));
        assert!(body.is_replayable());
        assert_eq!(body.try_clone().unwrap().try_clone().unwrap().length(), Some(4));
    }

    #[test]
    fn a_stream_that_is_given_once_is_not_replayable() {
        let body = Body::once(None, Box::new(Two(0)));
        assert!(!body.is_replayable());
        assert!(body.try_clone().is_none());
        assert_eq!(body.length(), None);
    }

    #[test]
    fn progress_survives_a_clone() {
        use std::sync::atomic::{AtomicU64, Ordering};
        let seen = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&seen);
        let body = Body::from("abc").on_progress(move |count| {
            counter.fetch_add(count, Ordering::Relaxed);
        });
        let (_, on_progress) = body.try_clone().unwrap().into_parts();
        on_progress(3);
        assert_eq!(seen.load(Ordering::Relaxed), 3);
    }

    #[test]
    fn debug_shows_no_byte_of_a_body() {
        assert_eq!(format!("{:?}", Body::from("topsecret")), "Bytes(9 bytes)");
    }
}
