//! Running other programs, and saying so.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// What every command gives: nothing, or what went wrong and what to do.
pub type Outcome = Result<(), String>;

/// The folder of the workspace: where cargo says that this package is, else where it was when it was built.
pub fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR").map_or(env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
        manifest.parent().unwrap_or(Path::new(".")).to_owned()
    })
}

/// Where cargo builds.
pub fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(target) => root().join(target),
        None => root().join("target"),
    }
}

/// Refuses arguments where a command has none.
pub fn no_arguments(command: &str, arguments: &[String]) -> Outcome {
    match arguments.first() {
        Some(argument) => Err(format!("`cargo xtask {command}` takes no argument `{argument}`")),
        None => Ok(()),
    }
}

/// `cargo`, in the workspace, as if started from a shell.
///
/// `cargo run` tells this program about the package `xtask` by variables. Build scripts that watch them would run again
/// after every change between `cargo xtask test` and `cargo test`, so they are not passed on.
pub fn cargo<S: AsRef<str>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"].iter().any(|prefix| name.starts_with(prefix))
        {
            command.env_remove(&*name);
        }
    }
    command.current_dir(root()).stdin(Stdio::null());
    for argument in arguments {
        command.arg(argument.as_ref());
    }
    command
}

/// Prints the command, runs it with its output shown, and fails when it fails.
pub fn run(command: &mut Command) -> Outcome {
    println!("$ {}", shown(command));
    let status = command.status().map_err(|error| cannot_start(command, &error))?;
    if status.success() { Ok(()) } else { Err(format!("`{}` ended with {status}", shown(command))) }
}

/// As [`run`], and hands each line of the standard output to `line` after showing it. `Ok(false)`: the command failed.
pub fn run_lines(command: &mut Command, mut line: impl FnMut(&str)) -> Result<bool, String> {
    println!("$ {}", shown(command));
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(|error| cannot_start(command, &error))?;
    if let Some(stdout) = child.stdout.take() {
        let mut reader = BufReader::new(stdout);
        let mut bytes = Vec::new();
        let mut out = std::io::stdout().lock();
        while reader.read_until(b'\n', &mut bytes).map_err(|error| error.to_string())? > 0 {
            // Whoever reads our output may have gone; the command itself goes on.
            let _ = out.write_all(&bytes);
            line(String::from_utf8_lossy(&bytes).trim_end());
            bytes.clear();
        }
        let _ = out.flush();
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    Ok(status.success())
}

/// Runs a command quietly and gives its standard output; on failure the error ends with its standard error.
pub fn output(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| cannot_start(command, &error))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let errors = String::from_utf8_lossy(&output.stderr);
        Err(format!("`{}` ended with {}\n{}", shown(command), output.status, errors.trim_end()))
    }
}

fn cannot_start(command: &Command, error: &std::io::Error) -> String {
    format!("`{}` cannot be started: {error}", command.get_program().to_string_lossy())
}

/// The command as a person would type it, with `cargo` for the path of cargo.
pub fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}
