//! `sigv4 s3 rm`.

use aws_sigv4_free_s3::Bucket;
use clap::Args;

use crate::context::{Context, call_failure};
use crate::exit::{Exit, Failure};
use crate::filter::Filters;
use crate::output::Output;
use crate::progress::Progress;
use crate::s3_uri::S3Uri;

use super::copy::Display;
use super::transfer::partial;

/// How many objects one request removes.
const BATCH: usize = 1000;

/// The options of `rm`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  sigv4 s3 rm s3://photos/cat.jpg
  sigv4 s3 rm s3://photos/2026 --recursive --exclude '*' --include '*.tmp' --dryrun")]
pub(crate) struct Arguments {
    #[arg(value_name = "S3URI")]
    uri: S3Uri,

    /// Remove every object below the prefix
    #[arg(long)]
    recursive: bool,

    #[command(flatten)]
    filters: Filters,

    #[command(flatten)]
    display: Display,

    /// Print what would be removed, and remove nothing
    #[arg(long, visible_alias = "dry-run")]
    dryrun: bool,
}

/// How many objects were removed, and how many were not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) removed: u64,
    pub(crate) failed: u64,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let uri = &arguments.uri;
    if !arguments.recursive {
        if uri.key.is_empty() {
            return Err(Failure::usage(format!("{uri} is no object"))
                .hint("add --recursive to remove everything in it; `sigv4 s3 rb` removes the bucket"));
        }
        if !arguments.filters.is_empty() {
            return Err(Failure::usage("--exclude and --include go with --recursive"));
        }
    }
    let s3 = super::client(context)?;
    let bucket = s3.bucket(&uri.bucket);
    let progress = Progress::new(arguments.display.verbosity());
    let mut out = Output::new();
    context.block_on(async {
        if arguments.recursive {
            let prefix = uri.folder_prefix();
            if arguments.dryrun {
                return list_only(&bucket, &prefix, arguments, &progress, &mut out).await;
            }
            let admits = |relative: &str| arguments.filters.admits(relative);
            let tally = remove_all(&bucket, &prefix, admits, &progress, &mut out).await?;
            return Ok(if tally.failed == 0 { Exit::Success } else { Exit::Partial });
        }
        if arguments.dryrun {
            progress.line(&mut out, &format!("(dryrun) delete: {uri}"))?;
            return Ok(Exit::Success);
        }
        bucket.object(&uri.key).delete().await.map_err(|error| partial(call_failure(&error)))?;
        progress.line(&mut out, &format!("delete: {uri}"))?;
        Ok(Exit::Success)
    })
}

async fn list_only(
    bucket: &Bucket,
    prefix: &str,
    arguments: &Arguments,
    progress: &Progress,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let mut objects = bucket.list(prefix).await;
    while let Some(object) = objects.try_next().await.map_err(|error| partial(call_failure(&error)))? {
        if arguments.filters.admits(object.key.strip_prefix(prefix).unwrap_or_default()) {
            progress.line(out, &format!("(dryrun) delete: s3://{}/{}", bucket.name(), object.key))?;
        }
    }
    Ok(Exit::Success)
}

/// Removes every object below `prefix` whose path below it is admitted.
pub(crate) async fn remove_all(
    bucket: &Bucket,
    prefix: &str,
    admits: impl Fn(&str) -> bool,
    progress: &Progress,
    out: &mut Output,
) -> Result<Tally, Failure> {
    let mut tally = Tally::default();
    let mut batch = Vec::with_capacity(BATCH);
    let mut objects = bucket.list(prefix).await;
    loop {
        let object = objects.try_next().await.map_err(|error| partial(call_failure(&error)))?;
        let is_end = object.is_none();
        if let Some(object) = object
            && admits(object.key.strip_prefix(prefix).unwrap_or_default())
        {
            batch.push(object.key);
        }
        if batch.len() == BATCH || (is_end && !batch.is_empty()) {
            remove_batch(bucket, std::mem::take(&mut batch), &mut tally, progress, out).await?;
        }
        if is_end {
            return Ok(tally);
        }
    }
}

async fn remove_batch(
    bucket: &Bucket,
    keys: Vec<String>,
    tally: &mut Tally,
    progress: &Progress,
    out: &mut Output,
) -> Result<(), Failure> {
    let outcome =
        bucket.delete_objects(keys.iter().map(String::as_str)).await.map_err(|error| partial(call_failure(&error)))?;
    for failure in &outcome.failures {
        tally.failed += 1;
        progress.error(&format!("delete failed: s3://{}/{}: {failure}", bucket.name(), failure.key));
    }
    let refused: std::collections::HashSet<&str> =
        outcome.failures.iter().map(|failure| failure.key.as_str()).collect();
    for key in keys.iter().filter(|key| !refused.contains(key.as_str())) {
        tally.removed += 1;
        progress.line(out, &format!("delete: s3://{}/{key}", bucket.name()))?;
    }
    Ok(())
}
