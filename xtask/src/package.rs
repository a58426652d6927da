//! `package`: what would be published, and whether it builds from what is in the package alone.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::run::{Outcome, cargo, output, run, target};
use crate::summary::Steps;
use crate::workspace::{Package, Workspace};

/// What a package may hold: these files, and anything in these folders.
const FILES: &[&str] = &[
    ".cargo_vcs_info.json",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "Cargo.toml.orig",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "clippy.toml",
];
const FOLDERS: &[&str] = &["src/", "examples/", "tests/"];

/// What the registry shows of a package.
const SHOWN: &[&str] = &["description", "license", "readme", "documentation"];

pub fn package() -> Outcome {
    let workspace = Workspace::load()?;
    let mut steps = Steps::default();
    for package in workspace.published() {
        steps.step(format!("files of {}", package.name), || {
            metadata(package)?;
            files(package)
        });
    }
    steps.step("dry run", || dry_run(&workspace));
    steps.finish("package")
}

fn metadata(package: &Package) -> Outcome {
    let is_empty = |field: &&&str| package.metadata[**field].as_str().unwrap_or_default().is_empty();
    let mut missing: Vec<&str> = SHOWN.iter().filter(is_empty).copied().collect();
    missing.extend(
        ["keywords", "categories"]
            .iter()
            .filter(|field| package.metadata[**field].as_array().is_none_or(Vec::is_empty)),
    );
    if missing.is_empty() {
        Ok(())
    } else {
        Err(format!("{}: the manifest lacks {}", package.name, missing.join(", ")))
    }
}

fn files(package: &Package) -> Outcome {
    // A change that is not yet committed is packed too: this is a check, not a release.
    let text = output(&mut cargo(["package", "--list", "--allow-dirty", "--locked", "-p", &package.name]))?;
    let (stray, missing) = judge(&text);
    println!("{} files", text.lines().count());
    if !stray.is_empty() {
        return Err(format!("{}: does not belong into the package: {}", package.name, stray.join(", ")));
    }
    if !missing.is_empty() {
        return Err(format!("{}: missing from the package: {}", package.name, missing.join(", ")));
    }
    Ok(())
}

/// Files that do not belong into a package, and files that it lacks.
fn judge(list: &str) -> (Vec<&str>, Vec<&'static str>) {
    let belongs = |path: &str| FILES.contains(&path) || FOLDERS.iter().any(|folder| path.starts_with(folder));
    let stray = list.lines().filter(|path| !belongs(path)).collect();
    let needed = ["CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT", "README.md"];
    let missing = needed.into_iter().filter(|file| !list.lines().any(|path| path == *file)).collect();
    (stray, missing)
}

/// Packs each crate and builds it from the package, in order; nothing is uploaded.
fn dry_run(workspace: &Workspace) -> Outcome {
    forget_earlier_runs(workspace)?;
    let mut command = cargo(["publish", "--dry-run", "--allow-dirty", "--locked", "--quiet"]);
    for package in workspace.published() {
        command.args(["-p", &package.name]);
    }
    run(&mut command)
}

/// Removes what cargo keeps of the packages of an earlier run. To cargo a version never changes, so it would build each
/// crate against the others as they were then.
fn forget_earlier_runs(workspace: &Workspace) -> Outcome {
    let is_ours = |name: &str| workspace.published().any(|package| name.starts_with(&package.name));
    // The registry that a dry run makes for itself has no host, so its folders start with a hyphen.
    for kept in ["src", "cache"] {
        for registry in entries(&cargo_home().join("registry").join(kept), |name| name.starts_with('-'))? {
            remove(&registry, is_ours)?;
        }
    }
    remove(&target().join("debug/.fingerprint"), is_ours)
}

fn cargo_home() -> PathBuf {
    match std::env::var_os("CARGO_HOME") {
        Some(home) => PathBuf::from(home),
        None => PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cargo"),
    }
}

/// The entries of a folder with such names; none where there is no folder.
fn entries(folder: &Path, wanted: impl Fn(&str) -> bool) -> Result<Vec<PathBuf>, String> {
    match fs::read_dir(folder) {
        Ok(entries) => Ok(entries
            .flatten()
            .filter(|entry| entry.file_name().to_str().is_some_and(&wanted))
            .map(|entry| entry.path())
            .collect()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(format!("{}: {error}", folder.display())),
    }
}

fn remove(folder: &Path, wanted: impl Fn(&str) -> bool) -> Outcome {
    for entry in entries(folder, wanted)? {
        let removed = if entry.is_dir() { fs::remove_dir_all(&entry) } else { fs::remove_file(&entry) };
        removed.map_err(|error| format!("{}: {error}", entry.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stray_and_missing_files_are_named() {
        let list = "Cargo.toml\nREADME.md\nCHANGELOG.md\nLICENSE-MIT\nsrc/lib.rs\nnotes.txt\nsrcs/x\n";
        assert_eq!(judge(list), (vec!["notes.txt", "srcs/x"], vec!["LICENSE-APACHE"]));
    }

    #[test]
    fn only_what_is_meant_is_removed() {
        let folder = std::env::temp_dir().join(format!("xtask-package-{}", std::process::id()));
        for name in ["ours-1", "theirs-1"] {
            fs::create_dir_all(folder.join(name)).unwrap();
        }
        remove(&folder, |name| name.starts_with("ours")).unwrap();
        assert_eq!(entries(&folder, |_| true).unwrap(), [folder.join("theirs-1")]);
        fs::remove_dir_all(&folder).unwrap();
        remove(&folder, |_| true).unwrap();
    }
}
