//! `sigv4 s3 cp` and `mv`.

use std::path::{Path, PathBuf};

use aws_sigv4_free_s3::{S3, local_path};
use clap::Args;

use crate::context::{Context, call_failure};
use crate::exit::{Exit, Failure, plain};
use crate::filter::Filters;
use crate::output::Output;
use crate::progress::{Progress, Verbosity};
use crate::s3_uri::{Place, S3Uri};

use super::local::{Found, Walk};
use super::transfer::{Job, Metadata, Transfers};

/// Whether the source is removed afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Copy,
    Move,
}

/// The options of `cp` and `mv`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  sigv4 s3 cp cat.jpg s3://photos/                          keeps the name
  sigv4 s3 cp s3://photos/cat.jpg .
  sigv4 s3 cp s3://photos/cat.jpg s3://backup/2026/cat.jpg
  sigv4 s3 cp photos s3://photos/2026 --recursive --exclude '*' --include '*.jpg'
  pg_dump app | sigv4 s3 cp - s3://backup/app.sql
  sigv4 s3 cp s3://backup/app.sql - | psql app")]
pub(crate) struct Arguments {
    /// A file, a folder, an S3 URI, or `-` for standard input
    #[arg(value_name = "SOURCE")]
    source: Place,

    /// A file, a folder, an S3 URI, or `-` for standard output
    #[arg(value_name = "DESTINATION")]
    destination: Place,

    /// Take every file below the folder, or every object below the prefix
    #[arg(long)]
    recursive: bool,

    #[command(flatten)]
    filters: Filters,

    #[command(flatten)]
    display: Display,

    /// Print what would be done, and do nothing
    #[arg(long, visible_alias = "dry-run")]
    dryrun: bool,

    /// Leave links out
    #[arg(long)]
    no_follow_symlinks: bool,

    /// How many transfers run at a time
    #[arg(long, value_name = "COUNT", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=256))]
    concurrency: u16,

    #[command(flatten)]
    metadata: MetadataArguments,
}

pub(crate) const MOVE_EXAMPLES: &str = "\
Examples:
  sigv4 s3 mv cat.jpg s3://photos/
  sigv4 s3 mv s3://photos/cat.jpg s3://photos/cats/1.jpg
  sigv4 s3 mv s3://inbox inbox --recursive";

/// How much is shown.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(crate) struct Display {
    /// Print nothing
    #[arg(long)]
    quiet: bool,

    /// Print failures only
    #[arg(long)]
    only_show_errors: bool,

    /// Show no progress bar
    #[arg(long)]
    no_progress: bool,
}

impl Display {
    pub(crate) fn verbosity(self) -> Verbosity {
        match (self.quiet, self.only_show_errors, self.no_progress) {
            (true, _, _) => Verbosity::Quiet,
            (_, true, _) => Verbosity::OnlyErrors,
            (_, _, true) => Verbosity::NoProgress,
            _ => Verbosity::Full,
        }
    }
}

/// What is stored beside the bytes.
#[derive(Args, Clone, Debug, Default)]
struct MetadataArguments {
    /// Metadata to store: `name=value`, several separated by commas, or a JSON object
    #[arg(long, value_name = "NAME=VALUE")]
    metadata: Vec<String>,

    /// The content type; without it, by the file's extension
    #[arg(long, value_name = "TYPE")]
    content_type: Option<String>,

    /// Store no content type that was only guessed
    #[arg(long)]
    no_guess_mime_type: bool,

    /// The header Cache-Control to store
    #[arg(long, value_name = "VALUE")]
    cache_control: Option<String>,

    /// The header Content-Disposition to store
    #[arg(long, value_name = "VALUE")]
    content_disposition: Option<String>,

    /// The header Content-Encoding to store
    #[arg(long, value_name = "VALUE")]
    content_encoding: Option<String>,

    /// The header Content-Language to store
    #[arg(long, value_name = "VALUE")]
    content_language: Option<String>,

    /// The storage class, such as STANDARD_IA
    #[arg(long, value_name = "CLASS")]
    storage_class: Option<String>,
}

impl MetadataArguments {
    fn parse(&self) -> Result<Metadata, Failure> {
        Ok(Metadata {
            user: parse_metadata(&self.metadata)?,
            content_type: self.content_type.clone(),
            guess_content_type: !self.no_guess_mime_type,
            cache_control: self.cache_control.clone(),
            content_disposition: self.content_disposition.clone(),
            content_encoding: self.content_encoding.clone(),
            content_language: self.content_language.clone(),
            storage_class: self.storage_class.clone(),
        })
    }
}

/// Reads `name=value,name=value` or `{"name": "value"}`. A piece without `=` belongs to the value before it.
fn parse_metadata(texts: &[String]) -> Result<Vec<(String, String)>, Failure> {
    let mut metadata: Vec<(String, String)> = Vec::new();
    for text in texts {
        if text.trim_start().starts_with('{') {
            let members: std::collections::BTreeMap<String, String> =
                serde_json::from_str(text).map_err(|_| Failure::usage("--metadata is no JSON object of strings"))?;
            metadata.extend(members);
            continue;
        }
        let start = metadata.len();
        for piece in text.split(',') {
            match (piece.split_once('='), metadata.len() > start) {
                (Some((name, value)), _) if !name.is_empty() => metadata.push((name.to_owned(), value.to_owned())),
                (None, true) => {
                    if let Some((_, value)) = metadata.last_mut() {
                        value.push(',');
                        value.push_str(piece);
                    }
                }
                _ => return Err(Failure::usage("metadata is written `--metadata name=value`")),
            }
        }
    }
    Ok(metadata)
}

pub(crate) fn run(arguments: &Arguments, verb: Verb, context: &Context) -> Result<Exit, Failure> {
    check(arguments, verb)?;
    let metadata = arguments.metadata.parse()?;
    let s3 = super::client(context)?;
    let to_stdout = arguments.destination == Place::Stream;
    // Objects on standard output leave no room for lines.
    let verbosity = match arguments.display.verbosity() {
        Verbosity::Full | Verbosity::NoProgress if to_stdout => Verbosity::OnlyErrors,
        verbosity => verbosity,
    };
    let progress = Progress::new(verbosity);
    let settings = super::transfer::Settings {
        verb,
        metadata,
        dryrun: arguments.dryrun,
        limit: usize::from(arguments.concurrency),
        is_debug: context.global.debug.is_some(),
    };
    let mut transfers = Transfers::new(&s3, settings, &progress);
    context.block_on(async {
        if arguments.recursive {
            run_recursive(arguments, &s3, &mut transfers).await?;
        } else {
            run_single(arguments, &s3, &mut transfers).await?;
        }
        transfers.finish().await
    })
}

/// What can be told to be wrong before anything is done.
fn check(arguments: &Arguments, verb: Verb) -> Result<(), Failure> {
    use Place::{Local, S3, Stream};
    match (&arguments.source, &arguments.destination) {
        (Local(_) | Stream, Local(_) | Stream) => {
            return Err(Failure::usage("one of source and destination has to be an S3 URI, such as s3://bucket/key"));
        }
        (Stream, _) | (_, Stream) if arguments.recursive => {
            return Err(Failure::usage("`-` is one stream: it does not go with --recursive"));
        }
        (Stream, _) | (_, Stream) if verb == Verb::Move => {
            return Err(Failure::usage("`-` can't be moved: use cp"));
        }
        (Stream, S3(to)) if to.key.is_empty() || to.key.ends_with('/') => {
            return Err(Failure::usage("standard input has no name: give the whole key"));
        }
        (S3(from), S3(to)) if verb == Verb::Move => {
            let (from, to) = if arguments.recursive {
                (from.with_key(from.folder_prefix()), to.with_key(to.folder_prefix()))
            } else {
                (from.clone(), target_key(to, from.base_name()))
            };
            if from == to {
                return Err(Failure::usage(format!("{from} can't be moved onto itself")));
            }
        }
        _ => {}
    }
    if !arguments.recursive && !arguments.filters.is_empty() {
        return Err(Failure::usage("--exclude and --include go with --recursive"));
    }
    if let (S3(from), false) = (&arguments.source, arguments.recursive)
        && (from.key.is_empty() || from.key.ends_with('/'))
    {
        return Err(Failure::usage(format!("{from} is no object")).hint("add --recursive to take everything below it"));
    }
    Ok(())
}

/// Where a file or an object called `name` goes: to the key itself, or below it where it is a folder.
fn target_key(uri: &S3Uri, name: &str) -> S3Uri {
    if uri.key.is_empty() || uri.key.ends_with('/') { uri.with_key(format!("{}{name}", uri.key)) } else { uri.clone() }
}

async fn run_single(arguments: &Arguments, s3: &S3, transfers: &mut Transfers<'_>) -> Result<(), Failure> {
    let job = match (&arguments.source, &arguments.destination) {
        (Place::Local(path), Place::S3(to)) => {
            let metadata = std::fs::metadata(path)
                .map_err(|error| Failure::io(format!("can't read {}", path.display()), &error))?;
            if metadata.is_dir() {
                let message = format!("{} is a folder", path.display());
                return Err(Failure::usage(message).hint("add --recursive to take everything in it"));
            }
            let name = path.file_name().and_then(|name| name.to_str());
            let Some(name) = name else {
                return Err(Failure::usage("the file's name is not UTF-8: give the whole key"));
            };
            Job::Upload { path: path.clone(), to: target_key(to, name), size: metadata.len() }
        }
        (Place::S3(from), Place::Local(path)) => {
            let path = if path.is_dir() || ends_with_separator(path) {
                local_path(path, from.base_name())
                    .map_err(|error| Failure::caused(Exit::Usage, &error).hint("give the file a name of your own"))?
            } else {
                path.clone()
            };
            Job::Download { from: from.clone(), to: path, size: None }
        }
        (Place::S3(from), Place::S3(to)) => {
            Job::Copy { from: from.clone(), to: target_key(to, from.base_name()), size: None }
        }
        (Place::Stream, Place::S3(to)) => return transfers.upload_stdin(to).await,
        (Place::S3(from), Place::Stream) => return download_to_stdout(s3, from, arguments.dryrun).await,
        // Refused before.
        _ => return Ok(()),
    };
    transfers.add(job).await
}

fn ends_with_separator(path: &Path) -> bool {
    path.to_str().is_some_and(|path| path.ends_with(std::path::is_separator))
}

async fn download_to_stdout(s3: &S3, from: &S3Uri, dryrun: bool) -> Result<(), Failure> {
    let mut out = Output::new();
    if dryrun {
        out.line(&format!("(dryrun) download: {from} to -"))?;
        return out.flush();
    }
    let failed = |error: &aws_sigv4_free_s3::Error| super::transfer::partial(call_failure(error));
    let mut download = s3.bucket(&from.bucket).object(&from.key).get().await.map_err(|error| failed(&error))?;
    while let Some(chunk) = download.chunk().await.map_err(|error| failed(&error))? {
        out.bytes(&chunk)?;
    }
    out.flush()
}

async fn run_recursive(arguments: &Arguments, s3: &S3, transfers: &mut Transfers<'_>) -> Result<(), Failure> {
    match (&arguments.source, &arguments.destination) {
        (Place::Local(folder), Place::S3(to)) => upload_folder(arguments, folder, to, transfers).await,
        (Place::S3(from), to) => {
            let prefix = from.folder_prefix();
            let mut keys = s3.bucket(&from.bucket).list(&prefix).await;
            // Copies that land below the source must not be copied again: all keys are read first.
            let overlaps =
                matches!(to, Place::S3(to) if to.bucket == from.bucket && to.folder_prefix().starts_with(&prefix));
            let mut waiting = Vec::new();
            while let Some(object) =
                keys.try_next().await.map_err(|error| super::transfer::partial(call_failure(&error)))?
            {
                let relative = object.key.strip_prefix(&prefix).unwrap_or_default();
                // What some tools store to stand for a folder is no file.
                if relative.is_empty() || relative.ends_with('/') || !arguments.filters.admits(relative) {
                    continue;
                }
                let source = from.with_key(&object.key);
                let job = match to {
                    Place::S3(to) => {
                        let to = to.with_key(format!("{}{relative}", to.folder_prefix()));
                        Job::Copy { from: source, to, size: Some(object.size) }
                    }
                    Place::Local(folder) => match local_path(folder, relative) {
                        Ok(path) => Job::Download { from: source, to: path, size: Some(object.size) },
                        Err(error) => {
                            transfers.failed(&format!("download failed: {source} to {}: {error}", folder.display()));
                            continue;
                        }
                    },
                    Place::Stream => return Ok(()),
                };
                if overlaps { waiting.push(job) } else { transfers.add(job).await? }
            }
            for job in waiting {
                transfers.add(job).await?;
            }
            Ok(())
        }
        // Refused before.
        _ => Ok(()),
    }
}

async fn upload_folder(
    arguments: &Arguments,
    folder: &PathBuf,
    to: &S3Uri,
    transfers: &mut Transfers<'_>,
) -> Result<(), Failure> {
    let metadata =
        std::fs::metadata(folder).map_err(|error| Failure::io(format!("can't read {}", folder.display()), &error))?;
    if !metadata.is_dir() {
        let message = format!("{} is no folder", folder.display());
        return Err(Failure::usage(message).hint("leave --recursive out to copy one file"));
    }
    let prefix = to.folder_prefix();
    // A folder that can't be read at all is a failure, not a file that is left out.
    std::fs::read_dir(folder)
        .map_err(|error| Failure::new(Exit::Other, format!("can't read {}: {}", folder.display(), plain(&error))))?;
    for found in Walk::new(folder, !arguments.no_follow_symlinks) {
        match found {
            Found::Skipped { path, reason } => transfers.skipped(&format!("skipped: {}: {reason}", path.display())),
            Found::File { path, relative, size } => {
                if arguments.filters.admits(&relative) {
                    let to = to.with_key(format!("{prefix}{relative}"));
                    transfers.add(Job::Upload { path, to, size }).await?;
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(texts: &[&str]) -> Result<Vec<(String, String)>, Failure> {
        parse_metadata(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn metadata_in_its_forms() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(metadata(&["a=1,b=2", "c=x=y"]).unwrap(), [pair("a", "1"), pair("b", "2"), pair("c", "x=y")]);
        assert_eq!(metadata(&["a=one,two,b=2"]).unwrap(), [pair("a", "one,two"), pair("b", "2")]);
        assert_eq!(metadata(&[r#"{"a":"b,c=d"}"#]).unwrap(), [pair("a", "b,c=d")]);
        for text in ["a", "=1", "", "{", r#"{"a":1}"#] {
            assert_eq!(metadata(&[text]).unwrap_err().exit(), Exit::Usage, "{text}");
        }
    }

    #[test]
    fn a_folder_takes_the_name_of_the_source() {
        let key = |uri: &str| target_key(&uri.parse().unwrap(), "cat.jpg").to_string();
        assert_eq!(key("s3://b"), "s3://b/cat.jpg");
        assert_eq!(key("s3://b/x/"), "s3://b/x/cat.jpg");
        assert_eq!(key("s3://b/x"), "s3://b/x");
    }
}
