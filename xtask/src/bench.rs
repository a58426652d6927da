//! `bench`: the criterion benchmarks, and signing beside its peers.

mod instructions;

use crate::run::{Outcome, cargo, root, run, target};
use std::process::Command;

pub fn bench(arguments: &[String]) -> Outcome {
    // `cargo xtask bench -- sign` and `cargo xtask bench sign` mean the same.
    let arguments = arguments.strip_prefix(&["--".to_owned()]).unwrap_or(arguments);
    match arguments {
        [first, rest @ ..] if first == "signing" => signing(rest),
        _ => run(cargo(["bench", "-p", "benches", "--"]).args(arguments)),
    }
}

/// All signers in one run. They have a manifest of their own, so that nothing else fetches or builds them.
fn signing(arguments: &[String]) -> Outcome {
    let (build, binaries) = (target(), target().join("release"));
    let mut peers = cargo(["build", "--release", "--locked", "--manifest-path", "benches/peers/Cargo.toml"]);
    run(peers.env("CARGO_TARGET_DIR", &build))?;
    let timed = run(Command::new(binaries.join("peers")).args(arguments).current_dir(root()));
    timed.and(instructions::print(&binaries.join("instructions"), &build.join("instructions")))
}
