//! `bench`: the criterion benchmarks.

use crate::run::{Outcome, cargo, run};

pub fn bench(arguments: &[String]) -> Outcome {
    // `cargo xtask bench -- sign` and `cargo xtask bench sign` mean the same.
    let arguments = arguments.strip_prefix(&["--".to_owned()]).unwrap_or(arguments);
    let mut command = cargo(["bench", "-p", "benches", "--"]);
    run(command.args(arguments))
}
