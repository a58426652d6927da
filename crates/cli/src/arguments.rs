//! The command line: the global options and the commands.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::command;
use crate::output::Format;
use crate::terminal::ColorChoice;

/// Sign, explain and send AWS requests, and work with S3, without the AWS SDK.
#[derive(Debug, Parser)]
#[command(
    name = "sigv4",
    version,
    disable_help_subcommand = false,
    arg_required_else_help = true,
    subcommand_required = true,
    max_term_width = 110,
    after_help = "\
Examples:
  sigv4 curl https://orders-0d.7d67968.vpc-lattice-svcs.us-west-2.on.aws -X POST -d @order.json
  sigv4 sign --jsonl < requests.jsonl
  sigv4 explain request.http --server-error error.xml
  sigv4 credentials show
  sigv4 s3 cp photos s3://bucket/photos --recursive --exclude '*.tmp'
  sigv4 s3 presign s3://bucket/cat.jpg --expires-in 600

Environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_PROFILE, AWS_REGION, AWS_DEFAULT_REGION,
AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3, AWS_CA_BUNDLE, AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE, HTTPS_PROXY, NO_PROXY.

Exit codes: 0 done; 1 some transfers failed; 2 some files were skipped; 130 interrupted; 252 wrong usage; 253 wrong settings or
no credentials; 254 the service refused; 255 anything else."
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The options of every command.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// The profile of the configuration files to use [env: AWS_PROFILE]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,

    /// The region [env: AWS_REGION, AWS_DEFAULT_REGION]
    #[arg(long, global = true, value_name = "REGION")]
    pub(crate) region: Option<String>,

    /// The address of the service, for S3-compatible stores and tests [env: AWS_ENDPOINT_URL]
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) endpoint_url: Option<String>,

    /// How structured data is printed; without it, for people
    #[arg(long, global = true, value_enum, value_name = "FORMAT")]
    pub(crate) output: Option<Format>,

    /// Tell on standard error what happens, without secrets; `--debug=wire` with each request and answer
    #[arg(long, global = true, value_name = "DETAIL", num_args = 0..=1, require_equals = true, default_missing_value = "on")]
    pub(crate) debug: Option<Debug>,

    /// Send requests without a signature, as somebody without credentials
    #[arg(long, global = true)]
    pub(crate) no_sign_request: bool,

    /// A PEM file of certificate authorities to trust besides the built-in ones [env: AWS_CA_BUNDLE]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) ca_bundle: Option<PathBuf>,

    /// Not available: a connection that is not verified is open to anybody in its path.
    #[arg(long, global = true, hide = true)]
    pub(crate) no_verify_ssl: bool,

    /// How long connecting may take; 0 for no limit
    #[arg(long, global = true, value_name = "SECONDS")]
    pub(crate) cli_connect_timeout: Option<u64>,

    /// How long the service may take to answer, and a transfer may stand still; 0 for no limit
    #[arg(long, global = true, value_name = "SECONDS")]
    pub(crate) cli_read_timeout: Option<u64>,

    /// When to use colours
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t, hide_possible_values = false)]
    pub(crate) color: ColorChoice,
}

/// What `--debug` tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Debug {
    /// Each decision and each call.
    On,
    /// Each request and answer as well, redacted.
    Wire,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Send a signed request; the service and the region are read off the host
    Curl(command::curl::Arguments),
    /// Sign requests without sending them
    Sign(command::sign::Arguments),
    /// Show each step of a signature, and what the server saw differently
    Explain(command::explain::Arguments),
    /// Show where the credentials come from
    #[command(subcommand, arg_required_else_help = true)]
    Credentials(command::credentials::Command),
    /// Work with buckets and objects
    #[command(subcommand, arg_required_else_help = true)]
    S3(command::s3::Command),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_definition_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn global_options_stand_before_and_behind_the_command() {
        for line in [
            &["sigv4", "--region", "eu-west-1", "s3", "ls"][..],
            &["sigv4", "s3", "--region", "eu-west-1", "ls"],
            &["sigv4", "s3", "ls", "--region", "eu-west-1"],
        ] {
            assert_eq!(Arguments::try_parse_from(line).unwrap().global.region.as_deref(), Some("eu-west-1"));
        }
    }

    #[test]
    fn debug_takes_a_detail_after_an_equals_sign_only() {
        let debug = |line: &[&str]| Arguments::try_parse_from(line).unwrap().global.debug;
        assert_eq!(debug(&["sigv4", "--debug", "s3", "ls"]), Some(Debug::On));
        assert_eq!(debug(&["sigv4", "s3", "ls", "--debug=wire"]), Some(Debug::Wire));
        assert_eq!(debug(&["sigv4", "s3", "ls"]), None);
    }

    #[test]
    fn a_typing_error_is_answered_with_a_suggestion() {
        let error = Arguments::try_parse_from(["sigv4", "s3", "persign", "s3://b/k"]).unwrap_err();
        assert!(error.use_stderr() && error.to_string().contains("presign"), "{error}");
    }

    #[test]
    fn every_command_has_examples() {
        fn walk(command: &clap::Command) {
            let subcommands: Vec<_> =
                command.get_subcommands().filter(|command| command.get_name() != "help").collect();
            if subcommands.is_empty() {
                let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
                assert!(help.starts_with("Examples:\n  sigv4 "), "{}: {help}", command.get_name());
            }
            subcommands.into_iter().for_each(walk);
        }
        walk(&Arguments::command());
    }
}
