//! MiniStack: many AWS services on one port, with every signature checked.

use std::path::Path;
use std::process::Command;

use super::venv::Venv;
use super::{Store, http, process};
use crate::run::output;

/// Makes a user with all permissions and prints its keys: requests with the root keys are not checked.
const MAKE_USER: &str = include_str!("ministack_user.py");

pub fn start(venv: &Venv, folder: &Path) -> Result<Store, String> {
    let [port] = http::free_ports()?;
    let url = format!("http://127.0.0.1:{port}");
    let mut command = Command::new(venv.python());
    command
        .arg(venv.program("ministack"))
        .current_dir(folder)
        .env("AUTH", "true")
        // It listens on every interface unless told otherwise.
        .env("BIND_HOST", "127.0.0.1")
        .env("GATEWAY_PORT", port.to_string())
        .env("MINISTACK_IMDS_V2_REQUIRED", "1")
        .env("HOME", folder);
    let child = process::start(folder, "ministack", &mut command)?;
    process::wait_until_ready(folder, &url, "/_ministack/health", &mut [("ministack", child)])?;

    let keys = output(Command::new(venv.python()).args(["-c", MAKE_USER, &url]).env("HOME", folder))?;
    match keys.split_whitespace().collect::<Vec<_>>()[..] {
        [access_key, secret_key] => {
            Ok(Store { name: "ministack", url, access_key: access_key.to_owned(), secret_key: secret_key.to_owned() })
        }
        _ => Err("the user of MiniStack could not be made: no keys came back".to_owned()),
    }
}
