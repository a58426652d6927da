//! Where fixed inputs and outputs lie that this repository does not carry: the folder of shared vectors, and the signing
//! test suite inside the published crate `aws-sigv4`. Cases that need an absent one are listed as skipped.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The version of the crate whose package holds the signing test suite.
const SUITE_CRATE: (&str, &str) = ("aws-sigv4", "1.6.4");

/// `../shared/vectors` beside the repository, or the folder that `SIGV4_VECTORS` names.
///
/// # Errors
/// The reason for a skipped case.
pub fn shared() -> Result<PathBuf, String> {
    let folder = match std::env::var_os("SIGV4_VECTORS") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors"),
    };
    folder.canonicalize().map_err(|_| "no shared vectors; SIGV4_VECTORS names their folder".to_owned())
}

/// One file or folder under [`shared`].
///
/// # Errors
/// The reason for a skipped case.
pub fn shared_path(relative: &str) -> Result<PathBuf, String> {
    let path = shared()?.join(relative);
    if path.exists() { Ok(path) } else { Err(format!("no {relative} among the shared vectors")) }
}

/// The folder `aws-signing-test-suite` in the registry's copy of the crate `aws-sigv4`, asked of cargo once.
///
/// # Errors
/// The reason for a skipped case.
pub fn signing_suite() -> Result<PathBuf, String> {
    static SUITE: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    SUITE.get_or_init(find_suite).clone()
}

fn find_suite() -> Result<PathBuf, String> {
    let (name, version) = SUITE_CRATE;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked", "--offline", "--manifest-path"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        .output()
        .map_err(|error| format!("cargo metadata did not start: {error}"))?;
    if !output.status.success() {
        return Err("cargo metadata failed".to_owned());
    }
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).map_err(|error| format!("cargo metadata: {error}"))?;
    let manifest = metadata["packages"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|package| package["name"] == name && package["version"] == version)
        .and_then(|package| package["manifest_path"].as_str())
        .ok_or_else(|| format!("{name} {version} is not among the dependencies"))?;
    let suite = Path::new(manifest).with_file_name("aws-signing-test-suite");
    if suite.is_dir() { Ok(suite) } else { Err(format!("the package of {name} {version} holds no signing test suite")) }
}
