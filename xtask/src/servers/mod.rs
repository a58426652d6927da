//! `servers`: S3 stores that others wrote, installed from the Python package index into `target/servers` and run on 127.0.0.1.

mod http;
mod ministack;
mod process;
mod swift;
mod venv;

use std::fs;
use std::path::{Path, PathBuf};

use crate::run::{Outcome, target};
use crate::servers::venv::{NotReady, Venv};

/// A store that runs.
#[derive(Debug, Clone)]
pub struct Store {
    name: &'static str,
    url: String,
    access_key: String,
    secret_key: String,
}

/// A server that can be started.
struct Server {
    name: &'static str,
    /// The path that answers 200 when the server is ready.
    health: &'static str,
    /// Starts it in an empty folder, and gives what a client needs.
    start: fn(&Venv, &Path) -> Result<Store, String>,
}

const SERVERS: &[Server] = &[
    Server { name: "swift", health: "/healthcheck", start: swift::start },
    Server { name: "ministack", health: "/_ministack/health", start: ministack::start },
];

pub fn servers(arguments: &[String]) -> Outcome {
    match arguments {
        [command] if command == "up" => {
            let venv = venv::ensure(&folder()).map_err(|reason| reason.to_string())?;
            let mut failed = Vec::new();
            for server in SERVERS {
                match up(server, &venv) {
                    Ok(_) => println!("{}", line(server)),
                    Err(error) => failed.push(error),
                }
            }
            println!("`cargo xtask servers down` stops them");
            if failed.is_empty() { Ok(()) } else { Err(failed.join("\n")) }
        }
        [command] if command == "down" => {
            for server in SERVERS {
                let stopped = process::stop_all(&folder().join(server.name))?;
                println!("{:<10} {}", server.name, if stopped == 0 { "was not running" } else { "stopped" });
            }
            Ok(())
        }
        [command] if command == "status" => {
            for server in SERVERS {
                println!("{}", line(server));
            }
            Ok(())
        }
        _ => Err("`cargo xtask servers` takes one of `up`, `down`, `status`".to_owned()),
    }
}

/// What the integration tests may use; the rest of their cases are skipped.
#[derive(Debug, Default)]
pub struct Oracles {
    python: Option<PathBuf>,
    stores: Vec<Store>,
    /// Servers that were started for this run, and end with it.
    started: Vec<&'static str>,
}

impl Oracles {
    /// The variables that tell the integration tests where everything is.
    pub fn variables(&self) -> Vec<(String, String)> {
        let mut variables = Vec::new();
        if let Some(python) = &self.python {
            variables.push(("SIGV4_TEST_PYTHON".to_owned(), python.display().to_string()));
        }
        for store in &self.stores {
            let value = format!("{} {} {}", store.url, store.access_key, store.secret_key);
            variables.push((format!("SIGV4_TEST_{}", store.name.to_uppercase()), value));
        }
        variables
    }

    /// Stops what was started for this run; servers that ran before go on.
    pub fn release(self) {
        for name in self.started {
            if let Err(error) = process::stop_all(&folder().join(name)) {
                println!("{name} could not be stopped: {error}");
            }
        }
    }
}

/// Installs and starts what can be had. Without python3 there is nothing, and a line says so; anything else that goes wrong is an error.
pub fn for_tests() -> Result<Oracles, String> {
    let venv = match venv::ensure(&folder()) {
        Ok(venv) => venv,
        Err(NotReady::Absent(reason)) => {
            println!("cases that need Python or its servers are skipped: {reason}");
            return Ok(Oracles::default());
        }
        Err(NotReady::Failed(reason)) => return Err(reason),
    };
    let mut oracles = Oracles { python: Some(venv.python()), ..Oracles::default() };
    for server in SERVERS {
        match up(server, &venv) {
            Ok(Up { store, started }) => {
                oracles.stores.push(store);
                oracles.started.extend(started.then_some(server.name));
            }
            Err(error) => {
                oracles.release();
                return Err(error);
            }
        }
    }
    Ok(oracles)
}

struct Up {
    store: Store,
    started: bool,
}

/// The server that runs already, or a new one.
fn up(server: &Server, venv: &Venv) -> Result<Up, String> {
    let folder = folder().join(server.name);
    if let Some(store) = running(server) {
        return Ok(Up { store, started: false });
    }
    process::stop_all(&folder)?;
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| format!("{} cannot be emptied: {error}", folder.display()))?;
    }
    make_folder(&folder)?;
    println!("starting {}", server.name);
    let store = (server.start)(venv, &folder).inspect_err(|_| {
        let _ = process::stop_all(&folder);
    })?;
    let line = format!("{} {} {}\n", store.url, store.access_key, store.secret_key);
    write(&folder.join("store"), &line)?;
    Ok(Up { store, started: true })
}

/// The server as its file describes it, when it answers.
fn running(server: &Server) -> Option<Store> {
    let text = fs::read_to_string(folder().join(server.name).join("store")).ok()?;
    let mut words = text.split_whitespace().map(str::to_owned);
    let (url, access_key, secret_key) = (words.next()?, words.next()?, words.next()?);
    http::is_ok(&url, server.health).then_some(Store { name: server.name, url, access_key, secret_key })
}

fn line(server: &Server) -> String {
    match running(server) {
        // Keys of a server on the loopback address, made for this run: not secrets.
        Some(store) => {
            format!(
                "{:<10} {}  access key {}  secret key {}",
                store.name, store.url, store.access_key, store.secret_key
            )
        }
        None => format!("{:<10} not running", server.name),
    }
}

fn folder() -> PathBuf {
    target().join("servers")
}

fn make_folder(path: &Path) -> Outcome {
    fs::create_dir_all(path).map_err(|error| format!("{} cannot be made: {error}", path.display()))
}

fn write(path: &Path, text: &str) -> Outcome {
    fs::write(path, text).map_err(|error| format!("{} cannot be written: {error}", path.display()))
}
