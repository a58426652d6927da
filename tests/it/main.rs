//! The integration tests: one binary, one file for each topic, each registered by one line in [`topics`].
//!
//! `cargo test -p integration-tests -- NAME` runs the cases whose name holds NAME; `--list` lists all of them.

mod adapters;
mod aliyun_vectors;
mod aws_chunked;
mod call_faults;
mod cli;
mod cli_s3;
mod cli_support;
mod credential_vectors;
mod endpoint_differential;
mod fuzz;
mod harness;
mod harness_cases;
mod oss_vectors;
mod pains;
mod post_policy;
mod profile_vectors;
mod retry_vectors;
mod s3;
mod s3_bad_input;
mod s3_faults;
mod s3_presign;
mod s3_server;
mod settings;
mod signing_differential;
mod signing_suite;
mod sigv2_differential;
mod sigv2_swift;
mod sigv4a_suite;
mod skew_vectors;
mod stores;
mod transport_faults;
mod transport_logs;
mod transport_proxy;
mod transport_tls;
mod verify;

use libtest_mimic::{Arguments, Trial};

/// Every topic: the name before the dots of its cases, and its cases.
fn topics() -> Vec<(&'static str, Vec<Trial>)> {
    vec![
        ("aws_chunked", aws_chunked::trials()),
        ("adapters", adapters::trials()),
        ("aliyun_vectors", aliyun_vectors::trials()),
        ("credential_vectors", credential_vectors::trials()),
        ("endpoint_differential", endpoint_differential::trials()),
        ("call_faults", call_faults::trials()),
        ("cli", cli::trials()),
        ("cli_s3", cli_s3::trials()),
        ("fuzz", fuzz::trials()),
        ("harness", harness_cases::trials()),
        ("pains", pains::trials()),
        ("post_policy", post_policy::trials()),
        ("profile_vectors", profile_vectors::trials()),
        ("retry_vectors", retry_vectors::trials()),
        ("s3", s3::trials()),
        ("s3_bad_input", s3_bad_input::trials()),
        ("s3_faults", s3_faults::trials()),
        ("s3_presign", s3_presign::trials()),
        ("oss_vectors", oss_vectors::trials()),
        ("s3_server", s3_server::trials()),
        ("settings", settings::trials()),
        ("signing_differential", signing_differential::trials()),
        ("signing_suite", signing_suite::trials()),
        ("sigv4a_suite", sigv4a_suite::trials()),
        ("sigv2_differential", sigv2_differential::trials()),
        ("sigv2_swift", sigv2_swift::trials()),
        ("skew_vectors", skew_vectors::trials()),
        ("stores", stores::trials()),
        ("transport_faults", transport_faults::trials()),
        ("transport_logs", transport_logs::trials()),
        ("transport_proxy", transport_proxy::trials()),
        ("transport_tls", transport_tls::trials()),
        ("verify", verify::trials()),
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
