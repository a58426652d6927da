//! `demo`: the walk of the whole, on a server in its own process.

use crate::run::{Outcome, cargo, run};

pub fn demo(arguments: &[String]) -> Outcome {
    // The build is apart from the run, so that a failure says which of the two it was.
    run(&mut cargo(["build", "-p", "integration-tests", "--bin", "demo"]))?;
    let mut command = cargo(["run", "--quiet", "-p", "integration-tests", "--bin", "demo", "--"]);
    run(command.args(arguments))
}
