//! The Python that `cargo xtask servers` and `cargo xtask test` install oracles into. Cases that need it are listed as
//! skipped where it is absent.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The interpreter of the virtual environment with botocore: `SIGV4_TEST_PYTHON`, or the one under `target/servers/venv`.
///
/// # Errors
/// The reason for a skipped case.
pub fn interpreter() -> Result<PathBuf, String> {
    if let Some(python) = std::env::var_os("SIGV4_TEST_PYTHON") {
        let python = PathBuf::from(python);
        return if python.is_file() {
            Ok(python)
        } else {
            Err("SIGV4_TEST_PYTHON names no file: `cargo xtask test` installs the Python oracles".to_owned())
        };
    }
    let target = match std::env::var_os("CARGO_TARGET_DIR") {
        Some(target) => PathBuf::from(target),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"),
    };
    let python = target.join("servers/venv/bin/python");
    if python.is_file() { Ok(python) } else { Err("no Python oracles: `cargo xtask test` installs them".to_owned()) }
}

/// Runs a script with `input` on its standard input and gives what it wrote, or what went wrong.
///
/// # Errors
/// The script did not start or did not end well; the text ends with its standard error.
pub fn run(script: &Path, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, String> {
    let python = interpreter()?;
    let mut child = Command::new(python)
        .arg(script)
        .args(arguments)
        // An oracle must not take settings or keys from the machine it runs on.
        .env_clear()
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("python did not start: {error}"))?;
    let mut stdin = child.stdin.take().ok_or("python has no standard input")?;
    let input = input.to_vec();
    // On a thread: a script that writes before it has read everything would wait for us, and we for it.
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let Output { status, stdout, stderr } = child.wait_with_output().map_err(|error| format!("python: {error}"))?;
    let _ = writer.join();
    if status.success() {
        Ok(stdout)
    } else {
        Err(format!("{} ended with {status}:\n{}", script.display(), String::from_utf8_lossy(&stderr)))
    }
}
