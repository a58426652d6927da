//! The oldest compiler: one version for all published crates, which every dependency accepts too.

use std::process::Command;

use crate::run::{Outcome, output, root, run, target};
use crate::workspace::{Package, Workspace, version_numbers};

pub fn check(workspace: &Workspace) -> Outcome {
    let ours = ours(workspace)?;
    let mut wrong = Vec::new();
    let (mut silent, mut needed) = (0, 0);
    for package in workspace.needed_by_published() {
        needed += 1;
        match &package.rust_version {
            Some(theirs) if version_numbers(theirs) > version_numbers(&ours) => {
                wrong.push(format!("{} {} needs Rust {theirs}, we promise {ours}", package.name, package.version));
            }
            Some(_) => {}
            None => silent += 1,
        }
    }
    println!("Rust {ours}: {needed} packages, {silent} of them declare no version");
    if !wrong.is_empty() {
        return Err(wrong.join("\n"));
    }
    build_with(workspace, &ours)
}

/// The one `rust-version` of the published crates.
fn ours(workspace: &Workspace) -> Result<String, String> {
    let mut ours: Option<&str> = None;
    for package in workspace.published() {
        let Package { name, rust_version: Some(version), .. } = package else {
            return Err(format!("{} declares no rust-version; add `rust-version.workspace = true`", package.name));
        };
        match ours {
            Some(other) if other != version => {
                return Err(format!("{name} declares Rust {version}, another crate {other}"));
            }
            _ => ours = Some(version),
        }
    }
    ours.map(str::to_owned).ok_or_else(|| "no published crate".to_owned())
}

/// Builds with that very compiler when rustup has it. (Uses of a newer standard library are found by clippy either way.)
fn build_with(workspace: &Workspace, version: &str) -> Outcome {
    let installed = output(Command::new("rustup").args(["toolchain", "list"])).unwrap_or_default();
    let is_it = |line: &&str| {
        line.strip_prefix(version).is_some_and(|rest| rest.starts_with(['-', '.', ' ']) || rest.is_empty())
    };
    let Some(toolchain) = installed.lines().find(is_it).and_then(|line| line.split_whitespace().next()) else {
        println!("Rust {version} is not installed: nothing was built with it");
        return Ok(());
    };
    for package in workspace.published() {
        // The cargo that runs this program belongs to another toolchain: rustup chooses one by name.
        let mut rustup = Command::new("rustup");
        rustup.args(["run", toolchain, "cargo", "check", "--quiet", "--locked", "--all-features", "-p", &package.name]);
        rustup.current_dir(root()).env_remove("CARGO").env_remove("RUSTUP_TOOLCHAIN");
        rustup.env("CARGO_TARGET_DIR", target().join("oldest-compiler"));
        run(&mut rustup)?;
    }
    Ok(())
}
