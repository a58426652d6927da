//! `lint`: everything that can be checked without running the code.

mod compiler;
mod licences;
mod rules;

use std::process::Stdio;

use crate::run::{Outcome, cargo, run};
use crate::summary::Steps;
use crate::workspace::{FeatureSet, Workspace};

pub fn lint(arguments: &[String]) -> Outcome {
    let fix = match arguments {
        [] => false,
        [option] if option == "--fix" => true,
        [other, ..] => return Err(format!("`cargo xtask lint` has no argument `{other}`")),
    };
    let workspace = Workspace::load()?;
    let mut steps = Steps::default();
    if fix {
        steps.step("format", || run(&mut cargo(["fmt", "--all"])));
    } else {
        steps.step("format", || run(&mut cargo(["fmt", "--all", "--check"])));
    }
    steps.step("house rules", || rules::check(&workspace));
    steps.step("licences", || licences::check(&workspace));
    steps.step("oldest compiler", || compiler::check(&workspace));
    for package in workspace.members() {
        // One package at a time: a build of the whole workspace would turn on every feature that any member asks for.
        let sets = if package.publish { package.every_feature_set() } else { vec![FeatureSet::Default] };
        for features in sets {
            let title = format!("clippy {} {}", package.name, features.arguments().join(" "));
            steps.step(title.trim_end(), || clippy(&package.name, &features));
        }
        if package.publish {
            steps.step(format!("rustdoc {}", package.name), || rustdoc(&package.name));
        }
    }
    if has_cargo("deny") {
        steps.step("cargo deny", || run(&mut cargo(["deny", "--workspace", "check"])));
    } else {
        println!("\ncargo-deny is not installed: advisories were not checked");
    }
    steps.finish("lint")
}

fn clippy(package: &str, features: &FeatureSet) -> Outcome {
    let mut command = cargo(["clippy", "--quiet", "--locked", "--all-targets", "-p", package]);
    run(command.args(features.arguments()).args(["--", "-D", "warnings"]))
}

fn rustdoc(package: &str) -> Outcome {
    let mut command = cargo(["doc", "--quiet", "--locked", "--no-deps", "--all-features", "-p", package]);
    run(command.env("RUSTDOCFLAGS", "-D warnings"))
}

fn has_cargo(subcommand: &str) -> bool {
    let mut command = cargo([subcommand, "--version"]);
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}
