//! House rules that no other tool checks: the files of each crate, how crates name each other, and what no file may say.

use std::fs;
use std::path::{Path, PathBuf};

use crate::run::{Outcome, root};
use crate::workspace::{Kind, Package, Workspace};

/// The most lines of a source file. A file that needs more does more than one job.
const LINES: usize = 800;
/// From here on, a warning.
const MANY_LINES: usize = 600;

/// What no file may hold, and why. (Written in two halves, so that this file may stand.)
const WORDS: &[(&str, &str)] = &[
    (concat!("FIX", "ME"), "finish it, or say in CHANGELOG.md what is missing"),
    (concat!("TO", "DO"), "finish it, or say in CHANGELOG.md what is missing"),
    (concat!("/wo", "rk/"), "a path of one machine"),
    (concat!("/ro", "ot/"), "a path of one machine"),
    (concat!("/Us", "ers/"), "a path of one machine"),
];

/// Files that each published crate carries.
const FILES: &[&str] = &["README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE"];

pub fn check(workspace: &Workspace) -> Outcome {
    let mut wrong = Vec::new();
    for package in workspace.members() {
        wrong.extend(manifest(package));
        if package.publish {
            wrong.extend(files(package));
        }
    }
    let mut found = Vec::new();
    collect(root(), &mut found)?;
    for path in &found {
        // A file that is not text is none of these rules' business.
        if let Ok(text) = fs::read_to_string(path) {
            wrong.extend(file(path, &text));
        }
    }
    println!("{} files", found.len());
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

fn manifest(package: &Package) -> Vec<String> {
    let mut wrong = Vec::new();
    let name = &package.name;
    let text = fs::read_to_string(&package.manifest).unwrap_or_default();
    if package.publish && !text.contains("\n[lints]\nworkspace = true\n") {
        // The workspace's lints forbid unsafe code and demand documentation.
        wrong.push(format!("{name}: no `[lints] workspace = true`"));
    }
    if !package.publish && !text.contains("unsafe_code = \"forbid\"") && !text.contains("\n[lints]\nworkspace = true\n")
    {
        wrong.push(format!("{name}: unsafe code is not forbidden"));
    }
    for dependency in &package.dependencies {
        let needs_version = dependency.kind != Kind::Development || dependency.path.is_none();
        if package.publish && needs_version && dependency.requirement == "*" {
            wrong.push(format!("{name}: the dependency {} has no version", dependency.name));
        }
        if dependency.name.starts_with("aws-sigv4-free-") && dependency.path.is_none() {
            wrong.push(format!("{name}: the dependency {} has no path", dependency.name));
        }
    }
    wrong
}

fn files(package: &Package) -> Vec<String> {
    let mut wrong = Vec::new();
    for name in FILES {
        let path = package.folder().join(name);
        let Ok(text) = fs::read_to_string(&path) else {
            wrong.push(format!("{}: missing", short(&path)));
            continue;
        };
        if text.trim().lines().count() < 2 {
            wrong.push(format!("{}: nothing in it", short(&path)));
        }
        if name.starts_with("LICENSE") && fs::read_to_string(root().join(name)).is_ok_and(|original| original != text) {
            wrong.push(format!("{}: not the text of {name} in the root", short(&path)));
        }
    }
    wrong
}

fn file(path: &Path, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for (word, why) in WORDS {
            if line.contains(word) {
                wrong.push(format!("{}:{}: `{word}`: {why}", short(path), number + 1));
            }
        }
    }
    let lines = text.lines().count();
    if path.extension().is_some_and(|extension| extension == "rs") {
        if lines > LINES {
            wrong.push(format!("{}: {lines} lines, {LINES} at most: split it by job", short(path)));
        } else if lines > MANY_LINES {
            println!("warning: {}: {lines} lines", short(path));
        }
    }
    wrong
}

/// Every file of the repository but what is built or generated.
fn collect(folder: &Path, found: &mut Vec<PathBuf>) -> Outcome {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for entry in entries.filter_map(Result::ok) {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir() {
            if !["target", ".git"].iter().any(|skipped| name == *skipped) {
                collect(&path, found)?;
            }
        } else if name != "Cargo.lock" {
            found.push(path);
        }
    }
    Ok(())
}

fn short(path: &Path) -> std::path::Display<'_> {
    path.strip_prefix(root()).unwrap_or(path).display()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forbidden_words_are_found_with_their_line() {
        let text = format!("fine\n// {}: later\n", WORDS[0].0);
        let wrong = file(Path::new("a.rs"), &text);
        assert_eq!(wrong.len(), 1);
        assert!(wrong[0].starts_with("a.rs:2: "), "{}", wrong[0]);
        assert_eq!(file(Path::new("a.rs"), "fine\n"), Vec::<String>::new());
    }

    #[test]
    fn only_source_files_are_measured() {
        let long = "x\n".repeat(LINES + 1);
        assert_eq!(file(Path::new("a.rs"), &long).len(), 1);
        assert_eq!(file(Path::new("a.txt"), &long).len(), 0);
    }
}
