//! `sigv4`: sign, explain and send AWS requests, and work with S3, without the AWS SDK.
//!
//! Data goes to standard output, everything else to standard error. The exit codes are those of the AWS CLI.

mod arguments;
mod command;
mod content_type;
mod context;
mod debug;
mod exit;
mod filter;
mod host;
mod http_text;
mod json_lines;
mod lazy_transport;
mod output;
mod partial_file;
mod progress;
mod request_arguments;
mod s3_uri;
mod terminal;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;

use crate::arguments::Arguments;
use crate::context::Context;
use crate::exit::Exit;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // A closed pipe is no reason to complain.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage } else { Exit::Success }.into();
        }
    };
    let is_debug = arguments.global.debug.is_some();
    debug::start(&arguments.global);
    let mut context = Context::new(arguments.global);
    let result = context.check_options().and_then(|()| command::run(arguments.command, &context));
    context.shut_down();
    match result {
        Ok(exit) => exit.into(),
        Err(failure) => {
            let _ = std::io::stderr().lock().write_all(failure.render(is_debug).as_bytes());
            failure.exit().into()
        }
    }
}
