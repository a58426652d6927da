//! `sigv4 s3`: buckets and objects, with the habits of the AWS CLI.

mod bucket;
mod cat;
mod copy;
mod local;
mod ls;
mod presign;
mod rm;
mod transfer;

use aws_sigv4_free_s3::S3;
use clap::Subcommand;

use crate::context::{Context, call_failure};
use crate::exit::{Exit, Failure};

/// The commands of `s3`.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a bucket
    Mb(bucket::MakeArguments),
    /// Remove a bucket, which has to be empty unless --force is given
    Rb(bucket::RemoveArguments),
    /// List buckets or objects
    Ls(ls::Arguments),
    /// Copy files to S3, objects to files, and objects to objects
    Cp(copy::Arguments),
    /// Move: copy, and then remove the source
    #[command(after_help = copy::MOVE_EXAMPLES)]
    Mv(copy::Arguments),
    /// Remove objects
    Rm(rm::Arguments),
    /// Write objects to standard output
    Cat(cat::Arguments),
    /// Print a URL that works for a while without credentials
    Presign(presign::Arguments),
}

pub(crate) fn run(command: &Command, context: &Context) -> Result<Exit, Failure> {
    match command {
        Command::Mb(arguments) => bucket::make(arguments, context),
        Command::Rb(arguments) => bucket::remove(arguments, context),
        Command::Ls(arguments) => ls::run(arguments, context),
        Command::Cp(arguments) => copy::run(arguments, copy::Verb::Copy, context),
        Command::Mv(arguments) => copy::run(arguments, copy::Verb::Move, context),
        Command::Rm(arguments) => rm::run(arguments, context),
        Command::Cat(arguments) => cat::run(arguments, context),
        Command::Presign(arguments) => presign::run(arguments, context),
    }
}

/// The client, with the options of the command line.
fn client(context: &Context) -> Result<S3, Failure> {
    let mut builder = S3::builder().settings(context.settings()?.clone()).transport(context.transport()?);
    if context.global.no_sign_request {
        builder = builder.anonymous();
    }
    builder.build().map_err(|error| call_failure(&error))
}
