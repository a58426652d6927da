//! The body of a request on its way into hyper.

use std::fs::File;
use std::future::Future;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http_body::{Frame, SizeHint};
use tokio::task::JoinHandle;

use super::connection::Monitor;
use crate::body::OnProgress;
use crate::{Body, BodyKind, ChunkSource, Error, ErrorKind, FileRange, Restart};

/// How much of a file is read at once. One such piece is read ahead while the one before is sent.
const FILE_CHUNK: usize = 128 * 1024;

/// A request body as hyper takes it. Sends just the announced number of bytes, or fails.
pub(super) struct RequestBody {
    source: Source,
    /// What is still to come; `None` where the length is not known.
    remaining: Option<u64>,
    progress: Progress,
    monitor: Option<Arc<Monitor>>,
}

enum Source {
    Ended,
    Bytes(Bytes),
    File(FileReader),
    Stream(Box<dyn ChunkSource>),
    /// The last chunk of a stream, kept until the stream has shown that it ends there.
    Last(Bytes, Box<dyn ChunkSource>),
}

/// What it takes to send a body again.
pub(super) struct Replay {
    kind: ReplayKind,
    on_progress: Option<OnProgress>,
}

enum ReplayKind {
    Empty,
    Bytes(Bytes),
    File(FileRange),
    Stream(Restart, Option<u64>),
}

/// Tells how many bytes were handed over. A silent retry must not tell of the same bytes twice.
#[derive(Default)]
struct Progress {
    on_progress: Option<OnProgress>,
    told: Arc<std::sync::atomic::AtomicU64>,
    sent: u64,
}

/// The count of the bytes that were told of, to go on from in a silent retry.
#[derive(Clone, Default)]
pub(super) struct Told(Arc<std::sync::atomic::AtomicU64>);

impl Progress {
    fn add(&mut self, count: u64) {
        use std::sync::atomic::Ordering::Relaxed;
        let Some(on_progress) = &self.on_progress else { return };
        self.sent += count;
        let news = self.sent.saturating_sub(self.told.load(Relaxed));
        if news > 0 {
            self.told.store(self.sent, Relaxed);
            on_progress(news);
        }
    }
}

impl Replay {
    /// How to send `body` again; `None` where it can't be.
    pub(super) fn of(body: &Body, on_progress: Option<OnProgress>) -> Option<Self> {
        let kind = match body.kind() {
            BodyKind::Empty => ReplayKind::Empty,
            BodyKind::Bytes(bytes) => ReplayKind::Bytes(bytes.clone()),
            BodyKind::File(range) => ReplayKind::File(range.clone()),
            BodyKind::Stream { restart, length, .. } => ReplayKind::Stream(restart.clone()?, *length),
        };
        Some(Self { kind, on_progress })
    }

    pub(super) fn start(self, told: &Told) -> RequestBody {
        let kind = match self.kind {
            ReplayKind::Empty => BodyKind::Empty,
            ReplayKind::Bytes(bytes) => BodyKind::Bytes(bytes),
            ReplayKind::File(range) => BodyKind::File(range),
            ReplayKind::Stream(restart, length) => {
                BodyKind::Stream { source: restart.start(), length, restart: Some(restart) }
            }
        };
        RequestBody::new(kind, self.on_progress, told)
    }
}

impl RequestBody {
    pub(super) fn new(kind: BodyKind, on_progress: Option<OnProgress>, told: &Told) -> Self {
        let (source, remaining) = match kind {
            BodyKind::Empty => (Source::Ended, Some(0)),
            BodyKind::Bytes(bytes) => {
                let length = bytes.len() as u64;
                (Source::Bytes(bytes), Some(length))
            }
            BodyKind::File(range) => {
                let length = range.length;
                (Source::File(FileReader::new(range)), Some(length))
            }
            BodyKind::Stream { source, length: Some(0), .. } => (Source::Last(Bytes::new(), source), Some(0)),
            BodyKind::Stream { source, length, .. } => (Source::Stream(source), length),
        };
        let progress = Progress { on_progress, told: Arc::clone(&told.0), sent: 0 };
        Self { source, remaining, progress, monitor: None }
    }

    /// Puts the body onto a connection.
    pub(super) fn attach(&mut self, monitor: Arc<Monitor>) {
        self.monitor = Some(monitor);
    }

    /// How many bytes are to come, where that is known.
    pub(super) fn length(&self) -> Option<u64> {
        self.remaining
    }

    pub(super) fn is_empty(&self) -> bool {
        matches!(self.source, Source::Ended)
    }

    fn ended(&mut self) {
        self.source = Source::Ended;
        if let Some(monitor) = &self.monitor {
            monitor.body_ended();
        }
    }

    /// Takes `chunk` off what remains; `None` where it is more than that.
    fn count(&mut self, chunk: &Bytes) -> Option<()> {
        if let Some(remaining) = &mut self.remaining {
            *remaining = remaining.checked_sub(chunk.len() as u64)?;
        }
        Some(())
    }

    fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        loop {
            match &mut self.source {
                Source::Ended => return Poll::Ready(None),
                Source::Bytes(bytes) => {
                    let bytes = std::mem::take(bytes);
                    self.remaining = Some(0);
                    self.ended();
                    return Poll::Ready(Some(Ok(bytes)));
                }
                Source::File(file) => {
                    let chunk = ready!(file.poll_chunk(context))?;
                    self.remaining = Some(file.remaining());
                    if file.remaining() == 0 {
                        self.ended();
                    }
                    return Poll::Ready(Some(Ok(chunk)));
                }
                Source::Stream(source) => {
                    let Some(chunk) = ready!(source.poll_chunk(context)?) else {
                        if let Some(missing) = self.remaining.filter(|remaining| *remaining > 0) {
                            let message = format!(
                                "the request body ended {missing} bytes before the length that was given for it"
                            );
                            return Poll::Ready(Some(Err(Error::new(ErrorKind::RequestBody, message))));
                        }
                        self.ended();
                        return Poll::Ready(None);
                    };
                    if chunk.is_empty() {
                        continue;
                    }
                    if self.count(&chunk).is_none() {
                        return Poll::Ready(Some(Err(too_long())));
                    }
                    if self.remaining != Some(0) {
                        return Poll::Ready(Some(Ok(chunk)));
                    }
                    if let Source::Stream(source) = std::mem::replace(&mut self.source, Source::Ended) {
                        self.source = Source::Last(chunk, source);
                    }
                }
                Source::Last(chunk, source) => match ready!(source.poll_chunk(context)?) {
                    Some(more) if more.is_empty() => {}
                    Some(_) => return Poll::Ready(Some(Err(too_long()))),
                    None => {
                        let chunk = std::mem::take(chunk);
                        self.ended();
                        return Poll::Ready((!chunk.is_empty()).then_some(Ok(chunk)));
                    }
                },
            }
        }
    }
}

fn too_long() -> Error {
    Error::new(ErrorKind::RequestBody, "the request body holds more bytes than the length that was given for it")
}

/// Stands in for an error of the body, which waits in the [`Monitor`].
#[derive(Debug)]
pub(super) struct BodyFailed;

impl std::fmt::Display for BodyFailed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the request body failed")
    }
}

impl std::error::Error for BodyFailed {}

impl http_body::Body for RequestBody {
    type Data = Bytes;
    type Error = BodyFailed;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyFailed>>> {
        match ready!(self.poll_chunk(context)) {
            None => Poll::Ready(None),
            Some(Ok(chunk)) => {
                self.progress.add(chunk.len() as u64);
                Poll::Ready(Some(Ok(Frame::data(chunk))))
            }
            Some(Err(error)) => {
                // A source of the user's may have given an error of any kind.
                let error = match error.kind() {
                    ErrorKind::RequestBody => error,
                    _ => {
                        Error::new(ErrorKind::RequestBody, "the request body's stream gave an error").with_source(error)
                    }
                };
                if let Some(monitor) = &self.monitor {
                    monitor.body_failed(error);
                }
                self.source = Source::Ended;
                Poll::Ready(Some(Err(BodyFailed)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        self.remaining.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// Reads a range of a file, one piece ahead of what is sent.
struct FileReader {
    path: Arc<PathBuf>,
    /// Bytes that were not given out, and not asked for, yet.
    to_give: u64,
    to_read: u64,
    state: FileState,
}

enum FileState {
    Closed { offset: u64 },
    Reading(JoinHandle<io::Result<Piece>>),
}

/// An open file, and what was read from it last.
struct Piece {
    file: File,
    buffer: BytesMut,
}

impl FileReader {
    fn new(range: FileRange) -> Self {
        Self {
            path: Arc::new(range.path),
            to_give: range.length,
            to_read: range.length,
            state: FileState::Closed { offset: range.offset },
        }
    }

    fn remaining(&self) -> u64 {
        self.to_give
    }

    fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<Result<Bytes, Error>> {
        loop {
            match &mut self.state {
                FileState::Closed { offset } => {
                    let (path, offset, length) = (Arc::clone(&self.path), *offset, self.next_length());
                    self.state = FileState::Reading(tokio::task::spawn_blocking(move || {
                        read(open(&path, offset)?, BytesMut::new(), length)
                    }));
                }
                FileState::Reading(reading) => {
                    let piece = match ready!(Pin::new(reading).poll(context)) {
                        Ok(piece) => piece,
                        Err(error) => Err(io::Error::other(error)),
                    };
                    let Piece { file, mut buffer } = piece.map_err(|error| self.error(error))?;
                    let chunk = buffer.split().freeze();
                    self.to_give = self.to_give.saturating_sub(chunk.len() as u64);
                    if self.to_read > 0 {
                        let length = self.next_length();
                        // The buffer's memory is used again once the network has taken the chunk before.
                        self.state =
                            FileState::Reading(tokio::task::spawn_blocking(move || read(file, buffer, length)));
                    }
                    return Poll::Ready(Ok(chunk));
                }
            }
        }
    }

    fn next_length(&mut self) -> usize {
        let length = usize::try_from(self.to_read).map_or(FILE_CHUNK, |left| left.min(FILE_CHUNK));
        self.to_read -= length as u64;
        length
    }

    fn error(&self, error: io::Error) -> Error {
        let path = self.path.display();
        let message = match error.kind() {
            io::ErrorKind::NotFound => format!("the file {path} is not there"),
            io::ErrorKind::PermissionDenied => format!("the file {path} may not be read"),
            io::ErrorKind::UnexpectedEof => {
                format!("the file {path} is shorter than what was to be sent of it: did it change?")
            }
            _ => format!("the file {path} can't be read"),
        };
        Error::new(ErrorKind::RequestBody, message).with_source(error)
    }
}

/// Opens a regular file: reading a folder fails, and a pipe or a device might not end.
fn open(path: &Path, offset: u64) -> io::Result<File> {
    // Looked at before it is opened: opening a pipe waits for a writer, and nothing could end that.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    Ok(file)
}

/// Reads `length` bytes, no fewer.
fn read(mut file: File, mut buffer: BytesMut, length: usize) -> io::Result<Piece> {
    buffer.resize(length, 0);
    file.read_exact(&mut buffer)?;
    Ok(Piece { file, buffer })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body::Body as _;
    use std::future::poll_fn;
    use std::io::Write;
    use std::sync::atomic::{AtomicU64, Ordering};

    struct Chunks(Vec<Result<&'static str, ErrorKind>>);
    impl ChunkSource for Chunks {
        fn poll_chunk(&mut self, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
            let next = (!self.0.is_empty()).then(|| self.0.remove(0));
            Poll::Ready(next.map(|next| match next {
                Ok(text) => Ok(Bytes::from_static(text.as_bytes())),
                Err(kind) => Err(Error::new(kind, "the source's own words")),
            }))
        }
    }

    /// What the network gets, and the error's kind where there is one.
    async fn drive(body: Body) -> (Vec<u8>, Option<ErrorKind>) {
        let (kind, on_progress) = body.split();
        let mut body = RequestBody::new(kind, on_progress, &Told::default());
        let monitor = Arc::new(Monitor::new());
        body.attach(Arc::clone(&monitor));
        let mut sent = Vec::new();
        while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
            match frame {
                Ok(frame) => sent.extend_from_slice(&frame.into_data().unwrap()),
                Err(BodyFailed) => return (sent, Some(monitor.take_body_failure().unwrap().kind())),
            }
        }
        assert!(body.is_end_stream() && monitor.has_body_ended());
        (sent, None)
    }

    fn stream(length: Option<u64>, chunks: &[Result<&'static str, ErrorKind>]) -> Body {
        Body::once(length, Box::new(Chunks(chunks.to_vec())))
    }

    #[tokio::test]
    async fn a_stream_gives_just_its_length_or_fails() {
        let failed = Some(ErrorKind::RequestBody);
        assert_eq!(drive(stream(Some(4), &[Ok("ab"), Ok(""), Ok("cd"), Ok("")])).await, (b"abcd".to_vec(), None));
        assert_eq!(drive(stream(None, &[Ok("ab"), Ok("cd")])).await, (b"abcd".to_vec(), None));
        assert_eq!(drive(stream(Some(0), &[])).await, (Vec::new(), None));
        assert_eq!(drive(stream(Some(0), &[Ok("a")])).await, (Vec::new(), failed));
        assert_eq!(drive(stream(Some(5), &[Ok("ab"), Ok("cd")])).await, (b"abcd".to_vec(), failed));
        // What would complete the request is held back until the stream has ended.
        assert_eq!(drive(stream(Some(4), &[Ok("ab"), Ok("cd"), Ok("e")])).await, (b"ab".to_vec(), failed));
        assert_eq!(drive(stream(Some(3), &[Ok("ab"), Ok("cd")])).await, (b"ab".to_vec(), failed));
        assert_eq!(drive(stream(None, &[Ok("ab"), Err(ErrorKind::Io)])).await, (b"ab".to_vec(), failed));
    }

    #[tokio::test]
    async fn a_range_of_a_file_is_read_whole() {
        let mut file = tempfile("range");
        let content: Vec<u8> = (0..FILE_CHUNK * 2 + 77).map(|index| (index % 251) as u8).collect();
        file.1.write_all(&content).unwrap();
        let all = content.len() as u64;
        for (offset, length) in [(0, all), (1, all - 1), (FILE_CHUNK as u64, 5), (all - 1, 1), (3, FILE_CHUNK as u64)] {
            let (sent, error) = drive(Body::file(&file.0, offset, length)).await;
            assert_eq!(error, None);
            assert!(sent == content[offset as usize..(offset + length) as usize], "{offset}, {length}");
        }
        let (_, error) = drive(Body::file(&file.0, 1, all)).await;
        assert_eq!(error, Some(ErrorKind::RequestBody));
        std::fs::remove_file(&file.0).unwrap();
        for missing in [file.0.as_path(), Path::new("/")] {
            assert_eq!(drive(Body::file(missing, 0, 1)).await, (Vec::new(), Some(ErrorKind::RequestBody)));
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_pipe_is_refused_without_waiting_for_its_writer() {
        let path = tempfile("pipe").0;
        std::fs::remove_file(&path).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        let sent = tokio::time::timeout(std::time::Duration::from_secs(3), drive(Body::file(&path, 0, 1))).await;
        // Whoever waits to read it after all is let go, or the test would never end.
        drop(File::options().read(true).write(true).open(&path).unwrap());
        std::fs::remove_file(&path).unwrap();
        assert_eq!(sent.expect("no wait"), (Vec::new(), Some(ErrorKind::RequestBody)));
    }

    fn tempfile(name: &str) -> (PathBuf, File) {
        let path = std::env::temp_dir().join(format!("http-transport-{}-{name}", std::process::id()));
        let file = File::create(&path).unwrap();
        (path, file)
    }

    #[tokio::test]
    async fn a_silent_retry_does_not_tell_of_the_same_bytes_twice() {
        let seen = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&seen);
        let on_progress: OnProgress = Arc::new(move |count| {
            counter.fetch_add(count, Ordering::Relaxed);
        });
        let told = Told::default();
        let chunks = || -> Box<dyn ChunkSource> { Box::new(Chunks(vec![Ok("ab"), Ok("cd"), Ok("ef")])) };
        let body = Body::stream(Some(6), chunks);
        let replay = Replay::of(&body, Some(Arc::clone(&on_progress))).unwrap();
        let mut first = RequestBody::new(body.split().0, Some(on_progress), &told);
        for _ in 0..2 {
            poll_fn(|context| Pin::new(&mut first).poll_frame(context)).await.unwrap().unwrap();
        }
        assert_eq!(seen.load(Ordering::Relaxed), 4);
        let mut second = replay.start(&told);
        while let Some(frame) = poll_fn(|context| Pin::new(&mut second).poll_frame(context)).await {
            frame.unwrap();
        }
        assert_eq!(seen.load(Ordering::Relaxed), 6);
    }
}
