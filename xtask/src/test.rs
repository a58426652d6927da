//! `test`: units, doctests and examples of each published crate; then the integration tests.

use crate::run::{Outcome, cargo, run_lines};
use crate::servers::{self, Oracles};
use crate::summary::{Counts, Steps};
use crate::workspace::{FeatureSet, Workspace};

pub fn test(arguments: &[String]) -> Outcome {
    let mut quick = false;
    let mut filter = None;
    for argument in arguments {
        match argument.as_str() {
            "--quick" => quick = true,
            option if option.starts_with('-') => return Err(format!("`cargo xtask test` has no option `{option}`")),
            name if filter.is_none() => filter = Some(name),
            name => return Err(format!("`cargo xtask test` takes one filter, `{name}` is a second one")),
        }
    }

    let workspace = Workspace::load()?;
    let mut counts = Counts::default();
    let mut steps = Steps::default();
    if filter.is_none() {
        for package in workspace.published() {
            for features in package.main_feature_sets() {
                let title = format!("{} {}", package.name, features.arguments().join(" "));
                steps.step(title.trim_end(), || units(&package.name, &features, &mut counts));
            }
        }
        steps.step("xtask", || units("xtask", &FeatureSet::Default, &mut counts));
        steps.step("integration-tests --lib", || {
            let mut command = cargo(["test", "--quiet", "--locked", "-p", "integration-tests", "--lib"]);
            passed(run_lines(&mut command, |line| counts.add_line(line))?)
        });
        steps.step("allocations", || {
            let mut command = cargo(["test", "--quiet", "--locked", "-p", "integration-tests", "--test", "alloc"]);
            passed(run_lines(&mut command, |line| counts.add_line(line))?)
        });
    }
    steps.step("integration", || integration(quick, filter, &mut counts));
    let outcome = steps.finish("test");
    // This line is read by programs: it stays alone on its line.
    println!("\n{counts}");
    if outcome.is_ok() && counts.passed == 0 {
        return Err("no test ran".to_owned());
    }
    outcome
}

/// Library and binary tests, doctests, and examples, which `cargo test` compiles.
fn units(package: &str, features: &FeatureSet, counts: &mut Counts) -> Outcome {
    let mut command = cargo(["test", "--quiet", "--locked", "--no-fail-fast", "-p", package]);
    command.args(features.arguments());
    passed(run_lines(&mut command, |line| counts.add_line(line))?)
}

fn integration(quick: bool, filter: Option<&str>, counts: &mut Counts) -> Outcome {
    // The cases of the command line run it as a program, which `cargo test` does not build for another package.
    passed(run_lines(&mut cargo(["build", "--quiet", "--locked", "-p", "aws-sigv4-free-cli"]), |_| {})?)?;
    let mut command = cargo(["test", "--quiet", "--locked", "-p", "integration-tests", "--test", "it", "--"]);
    command.args(filter);
    let oracles = if quick {
        println!("--quick: cases that need servers or Python are skipped");
        // A virtual environment of an earlier run would be found otherwise.
        command.env("SIGV4_TEST_PYTHON", "/nonexistent");
        Oracles::default()
    } else {
        servers::for_tests()?
    };
    for (name, value) in oracles.variables() {
        command.env(name, value);
    }
    let outcome = run_lines(&mut command, |line| counts.add_line(line)).and_then(passed);
    oracles.release();
    outcome
}

fn passed(success: bool) -> Outcome {
    if success { Ok(()) } else { Err("tests failed; their names are above".to_owned()) }
}
