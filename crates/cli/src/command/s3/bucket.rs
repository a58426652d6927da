//! `sigv4 s3 mb` and `rb`.

use clap::Args;

use crate::context::{Context, call_failure};
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::progress::{Progress, Verbosity};
use crate::s3_uri::S3Uri;

use super::rm::remove_all;

/// The options of `mb`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  sigv4 s3 mb s3://photos --region eu-west-1
  sigv4 s3 mb s3://photos --endpoint-url http://localhost:9000")]
pub(crate) struct MakeArguments {
    #[arg(value_name = "S3URI")]
    uri: S3Uri,
}

/// The options of `rb`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  sigv4 s3 rb s3://photos
  sigv4 s3 rb s3://photos --force        removes every object first, but no old version")]
pub(crate) struct RemoveArguments {
    #[arg(value_name = "S3URI")]
    uri: S3Uri,

    /// Remove the objects in it first
    #[arg(long)]
    force: bool,
}

fn check_no_key(uri: &S3Uri) -> Result<(), Failure> {
    if uri.key.is_empty() {
        return Ok(());
    }
    Err(Failure::usage(format!("a bucket is written s3://{}, without a key", uri.bucket)))
}

pub(crate) fn make(arguments: &MakeArguments, context: &Context) -> Result<Exit, Failure> {
    let bucket = &arguments.uri.bucket;
    check_no_key(&arguments.uri)?;
    let s3 = super::client(context)?;
    context.block_on(async { s3.bucket(bucket).create().await.map_err(|error| call_failure(&error)) })?;
    let fields = [("Bucket", bucket.as_str().into()), ("Region", s3.region().as_str().into())];
    Output::new().record(context.global.output, &fields, &format!("make_bucket: {bucket}"))?;
    Ok(Exit::Success)
}

pub(crate) fn remove(arguments: &RemoveArguments, context: &Context) -> Result<Exit, Failure> {
    let bucket = &arguments.uri.bucket;
    check_no_key(&arguments.uri)?;
    let s3 = super::client(context)?;
    let mut out = Output::new();
    context.block_on(async {
        let bucket = s3.bucket(bucket);
        if arguments.force {
            let verbosity = if context.global.output.is_some() { Verbosity::OnlyErrors } else { Verbosity::NoProgress };
            let tally = remove_all(&bucket, "", |_| true, &Progress::new(verbosity), &mut out).await?;
            if tally.failed > 0 {
                return Err(Failure::new(Exit::Partial, format!("{} objects could not be removed", tally.failed)));
            }
        }
        bucket.delete().await.map_err(|error| {
            let failure = call_failure(&error);
            match error.code() {
                Some("BucketNotEmpty") if arguments.force => failure
                    .hint("old versions or unfinished uploads are left: remove them, or let a lifecycle rule do it"),
                Some("BucketNotEmpty") => failure.hint("--force removes the objects first"),
                _ => failure,
            }
        })
    })?;
    let fields = [("Bucket", bucket.as_str().into())];
    out.record(context.global.output, &fields, &format!("remove_bucket: {bucket}"))?;
    Ok(Exit::Success)
}
