//! `tree`: what a user pulls in, held to a budget.

use std::collections::{BTreeMap, BTreeSet};

use crate::run::{Outcome, cargo, output};
use crate::workspace::{Package, Workspace};

/// The most crates a package may pull in with its default features, itself included.
const BUDGETS: &[(&str, usize)] = &[("aws-sigv4-free-signing", 22), ("aws-sigv4-free-s3", 68)];

/// Crates that a package must never pull in with its default features.
const ABSENT: &[(&str, &[&str])] = &[
    ("aws-sigv4-free-signing", &["hyper", "tokio", "rustls", "serde", "tracing"]),
    ("aws-sigv4-free-http-transport", &["hyper", "tokio", "rustls", "serde", "tracing"]),
];

/// Crypto libraries of AWS-LC: not part of the SDK.
const ALLOWED_AWS: &[&str] = &["aws-lc-rs", "aws-lc-sys", "aws-lc-fips-sys"];

/// A crate in a tree, as `cargo tree` prints it: name and version.
type Crate = (String, String);

pub fn tree() -> Outcome {
    let workspace = Workspace::load()?;
    let mut wrong = Vec::new();
    println!("crates, the package itself included, without development dependencies:");
    println!("{:>10} {:>10}", "default", "all");
    for package in workspace.published() {
        let default = crates(package, &[])?;
        let everything = crates(package, &["--all-features"])?;
        println!("{:>10} {:>10}  {}", default.len(), everything.len(), package.name);
        wrong.extend(check(&package.name, &default));
        let anywhere = listed(&package.name, &["--all-features", "--target", "all", "-e", "normal,build"])?;
        wrong.extend(sdk_crates(&package.name, &anywhere));
        for (name, versions) in twice(&default) {
            println!("   warning: {} has {name} in {} versions: {}", package.name, versions.len(), versions.join(", "));
        }
    }
    for (name, _) in BUDGETS {
        if !workspace.published().any(|package| package.name == *name) {
            wrong.push(format!("{name} has a budget, and no such package is published"));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

fn crates(package: &Package, arguments: &[&str]) -> Result<BTreeSet<Crate>, String> {
    let arguments: Vec<&str> = arguments.iter().copied().chain(["-e", "normal"]).collect();
    listed(&package.name, &arguments)
}

fn listed(package: &str, arguments: &[&str]) -> Result<BTreeSet<Crate>, String> {
    let fixed = ["tree", "--locked", "-p", package, "--prefix", "none"];
    let text = output(&mut cargo(fixed.into_iter().chain(arguments.iter().copied())))?;
    Ok(read(&text))
}

/// `name v1.2.3 (path or proc-macro) (*)`, one crate a line; a crate that was shown before ends in `(*)`.
fn read(text: &str) -> BTreeSet<Crate> {
    let words = text.lines().map(str::split_whitespace);
    words
        .filter_map(|mut words| Some((words.next()?.to_owned(), words.next()?.trim_start_matches('v').to_owned())))
        .collect()
}

fn check(package: &str, crates: &BTreeSet<Crate>) -> Vec<String> {
    let mut wrong = Vec::new();
    for (_, budget) in BUDGETS.iter().filter(|(name, _)| *name == package) {
        if crates.len() > *budget {
            let names: Vec<&str> = crates.iter().map(|(name, _)| name.as_str()).collect();
            wrong.push(format!(
                "{package} pulls in {} crates, {budget} are allowed: {}",
                crates.len(),
                names.join(" ")
            ));
        }
    }
    for name in ABSENT.iter().filter(|(name, _)| *name == package).flat_map(|(_, absent)| *absent) {
        if crates.iter().any(|(found, _)| found == name) {
            wrong.push(format!("{package} pulls in {name}; `cargo tree -p {package} -e normal -i {name}` says why"));
        }
    }
    wrong
}

fn sdk_crates(package: &str, crates: &BTreeSet<Crate>) -> Vec<String> {
    let ours = |name: &str| name.starts_with("aws-sigv4-free-") || ALLOWED_AWS.contains(&name);
    let names: BTreeSet<&str> = crates.iter().map(|(name, _)| name.as_str()).collect();
    let found = names.into_iter().filter(|name| name.starts_with("aws-") && !ours(name));
    found.map(|name| format!("{package} pulls in {name}, a crate of the AWS SDK")).collect()
}

fn twice(crates: &BTreeSet<Crate>) -> BTreeMap<&str, Vec<&str>> {
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, version) in crates {
        versions.entry(name).or_default().push(version);
    }
    versions.retain(|_, versions| versions.len() > 1);
    versions
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "aws-sigv4-free-signing v0.1.0 (/somewhere)\nsha2 v0.11.0\nsha2 v0.11.0 (*)\nsha2 v0.10.9\n\nserde_derive v1.0.0 (proc-macro)\n";

    #[test]
    fn a_crate_counts_once_for_each_version() {
        let crates = read(TREE);
        assert_eq!(crates.len(), 4);
        assert_eq!(twice(&crates).into_iter().collect::<Vec<_>>(), [("sha2", vec!["0.10.9", "0.11.0"])]);
    }

    #[test]
    fn budgets_and_absences_are_held() {
        assert_eq!(check("aws-sigv4-free-signing", &read(TREE)), Vec::<String>::new());
        let many: String = (0..30).map(|number| format!("crate{number} v1.0.0\n")).collect();
        assert_eq!(check("aws-sigv4-free-signing", &read(&many)).len(), 1);
        assert_eq!(check("aws-sigv4-free-signing", &read("tokio v1.0.0\nhyper v1.0.0\n")).len(), 2);
    }

    #[test]
    fn the_sdk_is_found_and_the_crypto_library_is_not_the_sdk() {
        let crates = read("aws-lc-rs v1.0.0\naws-sigv4-free-core v0.1.0\naws-sigv4 v1.6.4\naws-smithy-types v1.0.0\n");
        assert_eq!(sdk_crates("p", &crates).len(), 2);
    }
}
