//! Several transfers at a time, each told when it is done.

use std::fmt;
use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;

use aws_sigv4_free_s3::S3;
use tokio::task::JoinSet;

use crate::content_type;
use crate::context::call_failure;
use crate::exit::{Exit, Failure, plain};
use crate::output::Output;
use crate::progress::{Meter, Progress};
use crate::s3_uri::S3Uri;

use super::copy::Verb;

/// How much of standard input is held in memory; what is longer goes through a temporary file.
const MAX_IN_MEMORY: u64 = 8 << 20;

/// One thing to transfer.
#[derive(Clone, Debug)]
pub(crate) enum Job {
    Upload { path: PathBuf, to: S3Uri, size: u64 },
    Download { from: S3Uri, to: PathBuf, size: Option<u64> },
    Copy { from: S3Uri, to: S3Uri, size: Option<u64> },
}

impl Job {
    fn size(&self) -> Option<u64> {
        match self {
            Self::Upload { size, .. } => Some(*size),
            Self::Download { size, .. } | Self::Copy { size, .. } => *size,
        }
    }

    fn verb(&self, verb: Verb) -> &'static str {
        match (verb, self) {
            (Verb::Move, _) => "move",
            (_, Self::Upload { .. }) => "upload",
            (_, Self::Download { .. }) => "download",
            (_, Self::Copy { .. }) => "copy",
        }
    }
}

impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Upload { path, to, .. } => write!(f, "{} to {to}", shown(path)),
            Self::Download { from, to, .. } => write!(f, "{from} to {}", shown(to)),
            Self::Copy { from, to, .. } => write!(f, "{from} to {to}"),
        }
    }
}

/// A path as the AWS CLI shows it: `./a` for a relative one.
fn shown(path: &std::path::Path) -> String {
    let text = path.display().to_string();
    if path.is_absolute() || text.starts_with('.') { text } else { format!("./{text}") }
}

/// What is stored beside the bytes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metadata {
    pub(crate) user: Vec<(String, String)>,
    pub(crate) content_type: Option<String>,
    pub(crate) guess_content_type: bool,
    pub(crate) cache_control: Option<String>,
    pub(crate) content_disposition: Option<String>,
    pub(crate) content_encoding: Option<String>,
    pub(crate) content_language: Option<String>,
    pub(crate) storage_class: Option<String>,
}

impl Metadata {
    fn content_type_of(&self, name: &str) -> Option<String> {
        let guessed = || self.guess_content_type.then(|| content_type::guess(name)).flatten();
        self.content_type.clone().or_else(|| guessed().map(str::to_owned))
    }
}

/// Sets on an operation what was asked for; the two operations have the same setters.
macro_rules! with_metadata {
    ($call:expr, $metadata:expr, $content_type:expr) => {{
        let mut call = $call;
        let metadata: &Metadata = $metadata;
        let content_type: Option<String> = $content_type;
        for (name, value) in &metadata.user {
            call = call.metadata(name, value);
        }
        if let Some(value) = content_type {
            call = call.content_type(value);
        }
        if let Some(value) = &metadata.cache_control {
            call = call.cache_control(value);
        }
        if let Some(value) = &metadata.content_disposition {
            call = call.content_disposition(value);
        }
        if let Some(value) = &metadata.content_encoding {
            call = call.content_encoding(value);
        }
        if let Some(value) = &metadata.content_language {
            call = call.content_language(value);
        }
        if let Some(value) = &metadata.storage_class {
            call = call.storage_class(value);
        }
        call
    }};
}

/// How transfers are made.
pub(crate) struct Settings {
    pub(crate) verb: Verb,
    pub(crate) metadata: Metadata,
    /// Whether nothing is done but told.
    pub(crate) dryrun: bool,
    /// How many run at a time.
    pub(crate) limit: usize,
    /// Whether failures come with their request ids.
    pub(crate) is_debug: bool,
}

/// Transfers under way, and what came of those that have ended.
pub(crate) struct Transfers<'a> {
    s3: S3,
    settings: Settings,
    progress: &'a Progress,
    out: Output,
    running: JoinSet<(Job, Result<(), Failure>)>,
    failures: u64,
    skips: u64,
}

impl<'a> Transfers<'a> {
    pub(crate) fn new(s3: &S3, settings: Settings, progress: &'a Progress) -> Self {
        let (out, running) = (Output::new(), JoinSet::new());
        Self { s3: s3.clone(), settings, progress, out, running, failures: 0, skips: 0 }
    }

    /// Starts a transfer, as soon as there is room for it.
    pub(crate) async fn add(&mut self, job: Job) -> Result<(), Failure> {
        if self.settings.dryrun {
            let line = format!("(dryrun) {}: {job}", job.verb(self.settings.verb));
            return self.progress.line(&mut self.out, &line);
        }
        while self.running.len() >= self.settings.limit {
            self.next_end().await?;
        }
        let meter = Arc::new(self.progress.meter(job.size()));
        let (s3, verb, metadata) = (self.s3.clone(), self.settings.verb, self.settings.metadata.clone());
        self.running.spawn(async move {
            let result = transfer(&s3, &job, verb, &metadata, &meter).await;
            meter.finish();
            (job, result)
        });
        Ok(())
    }

    /// Something could not be transferred.
    pub(crate) fn failed(&mut self, text: &str) {
        self.failures += 1;
        self.progress.error(text);
    }

    /// Something was left out.
    pub(crate) fn skipped(&mut self, text: &str) {
        self.skips += 1;
        self.progress.error(text);
    }

    /// Waits for the transfers that are under way, and says how the command ends.
    pub(crate) async fn finish(mut self) -> Result<Exit, Failure> {
        while !self.running.is_empty() {
            self.next_end().await?;
        }
        Ok(match (self.failures, self.skips) {
            (0, 0) => Exit::Success,
            (0, _) => Exit::Skipped,
            _ => Exit::Partial,
        })
    }

    async fn next_end(&mut self) -> Result<(), Failure> {
        let Some(joined) = self.running.join_next().await else { return Ok(()) };
        let (job, result) =
            joined.map_err(|error| Failure::new(Exit::Other, format!("a transfer ended early: {error}")))?;
        match result {
            Ok(()) => self.progress.line(&mut self.out, &format!("{}: {job}", job.verb(self.settings.verb))),
            // Every other transfer would fail alike.
            Err(failure) if matches!(failure.exit(), Exit::Configuration | Exit::Interrupted) => Err(failure),
            Err(failure) => {
                let text = format!(
                    "{} failed: {job}\n{}",
                    job.verb(self.settings.verb),
                    failure.render(self.settings.is_debug)
                );
                self.failed(&text);
                Ok(())
            }
        }
    }

    /// Stores standard input.
    pub(crate) async fn upload_stdin(&mut self, to: &S3Uri) -> Result<(), Failure> {
        if self.settings.dryrun {
            return self.progress.line(&mut self.out, &format!("(dryrun) upload: - to {to}"));
        }
        // Removed by whoever waits for the reading, which goes on when the user interrupts.
        let spool = Spool::new();
        let path = spool.path.clone();
        let input = tokio::task::spawn_blocking(move || read_stdin(&path))
            .await
            .map_err(|error| Failure::new(Exit::Other, format!("reading standard input ended early: {error}")))??;
        let object = self.s3.bucket(&to.bucket).object(&to.key);
        let content_type = self.settings.metadata.content_type_of(&to.key);
        let stored = match input {
            Input::Memory(bytes) => with_metadata!(object.put(bytes), &self.settings.metadata, content_type).await,
            Input::File => with_metadata!(object.put_file(&spool.path), &self.settings.metadata, content_type).await,
        };
        stored.map_err(|error| partial(call_failure(&error)))?;
        self.progress.line(&mut self.out, &format!("upload: - to {to}"))
    }
}

/// The failure of one transfer: some were not done, whatever the service said.
pub(crate) fn partial(failure: Failure) -> Failure {
    match failure.exit() {
        Exit::Service | Exit::Other => failure.with_exit(Exit::Partial),
        _ => failure,
    }
}

async fn transfer(s3: &S3, job: &Job, verb: Verb, metadata: &Metadata, meter: &Arc<Meter>) -> Result<(), Failure> {
    let failed = |error: aws_sigv4_free_s3::Error| call_failure(&error);
    let object = |uri: &S3Uri| s3.bucket(&uri.bucket).object(&uri.key);
    match job {
        Job::Upload { path, to, .. } => {
            let content_type = metadata.content_type_of(&path.to_string_lossy());
            let meter = Arc::clone(meter);
            let put = object(to).put_file(path).on_progress(move |done, total| meter.set(done, total));
            with_metadata!(put, metadata, content_type).await.map_err(failed)?;
            if verb == Verb::Move {
                std::fs::remove_file(path)
                    .map_err(|error| Failure::io(format!("stored, but {} can't be removed", path.display()), &error))?;
            }
        }
        Job::Download { from, to, .. } => {
            if let Some(folder) = to.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                std::fs::create_dir_all(folder)
                    .map_err(|error| Failure::io(format!("can't make the folder {}", folder.display()), &error))?;
            }
            let meter = Arc::clone(meter);
            let get = object(from).get().on_progress(move |done, total| meter.set(done, total.unwrap_or(done)));
            get.to_file(to).await.map_err(failed)?;
            if verb == Verb::Move {
                object(from).delete().await.map_err(failed)?;
            }
        }
        Job::Copy { from, to, .. } => {
            let source = object(from);
            let content_type = metadata.content_type.clone();
            with_metadata!(object(to).copy_from(&source), metadata, content_type).await.map_err(failed)?;
            if verb == Verb::Move {
                source.delete().await.map_err(failed)?;
            }
        }
    }
    Ok(())
}

/// Where standard input is, whole.
enum Input {
    Memory(Vec<u8>),
    File,
}

/// The place of a temporary file, which is removed, if it was made, when this is dropped.
struct Spool {
    path: PathBuf,
}

impl Spool {
    fn new() -> Self {
        let unique = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |age| age.as_nanos());
        Self { path: std::env::temp_dir().join(format!("sigv4-stdin-{}-{unique}", std::process::id())) }
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Reads standard input to its end: into memory, or into a file at `path` where it is long.
fn read_stdin(path: &std::path::Path) -> Result<Input, Failure> {
    let failed =
        |error: std::io::Error| Failure::new(Exit::Other, format!("can't read standard input: {}", plain(&error)));
    let mut stdin = std::io::stdin().lock();
    let mut beginning = Vec::new();
    (&mut stdin).take(MAX_IN_MEMORY + 1).read_to_end(&mut beginning).map_err(failed)?;
    if beginning.len() as u64 <= MAX_IN_MEMORY {
        return Ok(Input::Memory(beginning));
    }
    let spooled = |error: std::io::Error| {
        Failure::new(Exit::Other, format!("can't keep standard input in a temporary file: {}", plain(&error)))
            .hint("set TMPDIR to a folder with more room")
    };
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    // Nobody else is to read what goes by.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(spooled)?;
    std::io::Write::write_all(&mut file, &beginning).map_err(spooled)?;
    drop(beginning);
    std::io::copy(&mut stdin, &mut file).map_err(spooled)?;
    Ok(Input::File)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_of_the_aws_cli() {
        let upload = Job::Upload { path: "a".into(), to: "s3://b/a".parse().unwrap(), size: 1 };
        assert_eq!(format!("{}: {upload}", upload.verb(Verb::Copy)), "upload: ./a to s3://b/a");
        let download = Job::Download { from: "s3://b/a".parse().unwrap(), to: "../x/a".into(), size: None };
        assert_eq!(format!("{}: {download}", download.verb(Verb::Move)), "move: s3://b/a to ../x/a");
        let download = Job::Download { from: "s3://b/a".parse().unwrap(), to: "/tmp/a".into(), size: None };
        assert_eq!(format!("{}: {download}", download.verb(Verb::Copy)), "download: s3://b/a to /tmp/a");
    }

    #[test]
    fn a_content_type_is_guessed_unless_it_is_given_or_forbidden() {
        let metadata = Metadata { guess_content_type: true, ..Metadata::default() };
        assert_eq!(metadata.content_type_of("a.html").as_deref(), Some("text/html"));
        assert_eq!(Metadata::default().content_type_of("a.html"), None);
        let given = Metadata { content_type: Some("x/y".into()), ..Metadata::default() };
        assert_eq!(given.content_type_of("a.html").as_deref(), Some("x/y"));
    }
}
