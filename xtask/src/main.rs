//! House-keeping of the workspace: `cargo xtask help` lists the commands.

mod bench;
mod ci;
mod demo;
mod lint;
mod package;
mod run;
mod servers;
mod summary;
mod test;
mod tree;
mod workspace;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask <command>

  demo [ARGUMENTS]     make a bucket, upload, list, presign, share, refuse, explain: on an S3 server in one process
  test [--quick] [FILTER]
                       units, doctests and examples of each published crate, then the integration tests against vectors,
                       servers and Python oracles, which are installed under target/servers and started first;
                       --quick leaves servers and Python out (their cases are listed as skipped);
                       FILTER runs only the integration cases whose name holds it
  lint [--fix]         format, clippy and rustdoc per package and feature set, the oldest compiler, licences, house rules;
                       --fix formats first
  tree                 the size and the content of the dependency trees, held to their budgets
  servers up|down|status
                       the S3 stores of the integration tests: OpenStack Swift and MiniStack, on 127.0.0.1
  bench [ARGUMENTS]    the benchmarks; arguments go to criterion (`cargo xtask bench -- sign`)
  bench signing [SECONDS]
                       signing beside its peers, which are fetched and built for it alone: times by turns, SECONDS for each
                       operation (5), and instructions where valgrind is installed
  package              what would be published: file lists, metadata, and a dry run of each crate
  ci                   lint, tree, test, demo, package: what every change must pass
  help                 this text

Nothing has to be installed by hand but a Rust toolchain. `test` and `servers` use python3 with its venv module where it is there.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let rest = arguments.get(1..).unwrap_or_default();
    let outcome = match arguments.first().map(String::as_str) {
        Some("demo") => demo::demo(rest),
        Some("test") => test::test(rest),
        Some("lint") => lint::lint(rest),
        Some("tree") => run::no_arguments("tree", rest).and_then(|()| tree::tree()),
        Some("servers") => servers::servers(rest),
        Some("bench") => bench::bench(rest),
        Some("package") => run::no_arguments("package", rest).and_then(|()| package::package()),
        Some("ci") => run::no_arguments("ci", rest).and_then(|()| ci::ci()),
        Some("help" | "--help" | "-h") | None => {
            print!("{HELP}");
            Ok(())
        }
        Some(other) => Err(format!("no command `{other}`; `cargo xtask help` lists the commands")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}
