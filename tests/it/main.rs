//! The integration tests: one binary, one file for each topic, each registered by one line in [`topics`].
//!
//! `cargo test -p integration-tests -- NAME` runs the cases whose name holds NAME; `--list` lists all of them.

mod harness;
mod harness_cases;
mod s3_server;
mod signing_suite;

use libtest_mimic::{Arguments, Trial};

/// Every topic: the name before the dots of its cases, and its cases.
fn topics() -> Vec<(&'static str, Vec<Trial>)> {
    vec![
        ("harness", harness_cases::trials()),
        ("s3_server", s3_server::trials()),
        ("signing_suite", signing_suite::trials()),
    ]
}

fn main() -> std::process::ExitCode {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for (topic, cases) in topics() {
        for case in &cases {
            assert!(case.name().starts_with(&format!("{topic}::")), "case {} is not named {topic}::...", case.name());
        }
        trials.extend(cases);
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}
