//! The Python virtual environment that holds the servers and the oracles.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{make_folder, write};
use crate::run::output;

/// What is installed: one pinned list.
const REQUIREMENTS: &str = include_str!("requirements.txt");

/// An environment with everything installed.
#[derive(Debug)]
pub struct Venv {
    folder: PathBuf,
}

/// Why there is no environment.
#[derive(Debug)]
pub enum NotReady {
    /// This machine has no Python that could make one.
    Absent(String),
    /// It has, and something went wrong.
    Failed(String),
}

impl fmt::Display for NotReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent(reason) | Self::Failed(reason) => f.write_str(reason),
        }
    }
}

impl Venv {
    /// The interpreter.
    pub fn python(&self) -> PathBuf {
        self.program("python")
    }

    /// A program that a package installed.
    pub fn program(&self, name: &str) -> PathBuf {
        self.folder.join("bin").join(name)
    }
}

/// The environment under `servers/venv`: as it is when it was made from the same list, or made anew.
pub fn ensure(servers: &Path) -> Result<Venv, NotReady> {
    let venv = Venv { folder: servers.join("venv") };
    let stamp = venv.folder.join("installed.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == REQUIREMENTS) && venv.python().exists() {
        return Ok(venv);
    }
    let usable = output(Command::new("python3").args(["-c", "import venv, ensurepip"]));
    usable.map_err(|_| {
        NotReady::Absent(
            "no python3 with the modules venv and ensurepip (Debian: apt-get install python3-venv)".to_owned(),
        )
    })?;

    println!("installing servers and oracles into {}", venv.folder.display());
    if venv.folder.exists() {
        fs::remove_dir_all(&venv.folder)
            .map_err(|error| NotReady::Failed(format!("{} cannot be removed: {error}", venv.folder.display())))?;
    }
    install(servers, &venv).map_err(NotReady::Failed)?;
    write(&stamp, REQUIREMENTS).map_err(NotReady::Failed)?;
    Ok(venv)
}

fn install(servers: &Path, venv: &Venv) -> Result<(), String> {
    make_folder(servers)?;
    output(Command::new("python3").args(["-m", "venv"]).arg(&venv.folder))?;
    let list = servers.join("requirements.txt");
    write(&list, REQUIREMENTS)?;
    let mut pip = Command::new(venv.python());
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--requirement"])
        .arg(&list);
    output(&mut pip).map_err(|error| format!("{error}\nis the Python package index reachable?"))?;
    Ok(())
}
