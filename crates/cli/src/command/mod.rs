//! The commands, one module each.

pub(crate) mod credentials;
pub(crate) mod curl;
pub(crate) mod explain;
pub(crate) mod s3;
pub(crate) mod sign;

use crate::arguments::Command;
use crate::context::Context;
use crate::exit::{Exit, Failure};

/// Runs a command to its end.
pub(crate) fn run(command: Command, context: &Context) -> Result<Exit, Failure> {
    match command {
        Command::Curl(arguments) => curl::run(&arguments, context),
        Command::Sign(arguments) => sign::run(&arguments, context),
        Command::Explain(arguments) => explain::run(&arguments, context),
        Command::Credentials(command) => credentials::run(&command, context),
        Command::S3(command) => s3::run(&command, context),
    }
}
