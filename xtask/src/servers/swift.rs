//! OpenStack Swift with its S3 interface: four processes over one folder, one replica. The strictest checker of signatures.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use super::venv::Venv;
use super::{Store, http, make_folder, process, write};
use crate::run::output;

/// An access key with a colon: clients that split the credential scope carelessly fail on it.
const USER: (&str, &str) = ("test:tester", "testing");

/// The kinds of storage server, each with one ring.
const STORAGE: [&str; 3] = ["account", "container", "object"];

/// The filters in front of the proxy, outermost first, each with its settings.
const FILTERS: &[(&str, &[(&str, &str)])] = &[
    ("catch_errors", &[]),
    ("gatekeeper", &[]),
    ("healthcheck", &[]),
    ("listing_formats", &[]),
    (
        "s3api",
        &[
            ("location", "us-east-1"),
            ("s3_acl", "yes"),
            ("check_bucket_owner", "yes"),
            ("allow_no_owner", "true"),
            ("dns_compliant_bucket_names", "yes"),
            ("storage_domain", "s3.localhost"),
        ],
    ),
    ("tempauth", &[("user_test_tester", "testing .admin"), ("user_test_tester2", "testing2")]),
    ("copy", &[]),
    ("slo", &[("allow_async_delete", "true")]),
    ("versioned_writes", &[("allow_object_versioning", "true")]),
    ("symlink", &[]),
];

pub fn start(venv: &Venv, folder: &Path) -> Result<Store, String> {
    let [proxy, account, container, object] = http::free_ports()?;
    let settings = folder.join("etc");
    make_folder(&settings)?;
    make_folder(&folder.join("devices/disk"))?;
    make_folder(&folder.join("cache"))?;
    let user = output(Command::new("id").arg("-un"))?;
    let user = user.trim();

    write(
        &settings.join("swift.conf"),
        &section("swift-hash", &[("swift_hash_path_prefix", "tests"), ("swift_hash_path_suffix", "tests")]),
    )?;
    for (kind, port) in STORAGE.into_iter().zip([account, container, object]) {
        make_ring(venv, &settings, kind, port)?;
        write(&settings.join(format!("{kind}.conf")), &storage_settings(folder, user, kind, port))?;
    }
    write(&settings.join("proxy.conf"), &proxy_settings(folder, user, proxy))?;

    let mut children = Vec::new();
    for kind in STORAGE.into_iter().chain(["proxy"]) {
        let mut command = Command::new(venv.python());
        command.args(["-W", "ignore"]).arg(venv.program(&format!("swift-{kind}-server")));
        command.arg(settings.join(format!("{kind}.conf"))).arg("--verbose").current_dir(folder);
        children.push((kind, process::start(folder, kind, &mut command)?));
    }
    let url = format!("http://127.0.0.1:{proxy}");
    process::wait_until_ready(folder, &url, "/healthcheck", &mut children)?;
    let (access_key, secret_key) = USER;
    Ok(Store { name: "swift", url, access_key: access_key.to_owned(), secret_key: secret_key.to_owned() })
}

/// The ring that says where a kind of data lies: one part, one replica, one device.
fn make_ring(venv: &Venv, settings: &Path, kind: &str, port: u16) -> Result<(), String> {
    let builder = format!("{kind}.builder");
    let device = format!("r1z1-127.0.0.1:{port}/disk");
    for arguments in [&["create", "1", "1", "1"][..], &["add", &device, "1"], &["rebalance"]] {
        let mut command = Command::new(venv.program("swift-ring-builder"));
        output(command.arg(&builder).args(arguments).current_dir(settings))?;
    }
    Ok(())
}

/// What all four servers have in common.
fn common(folder: &Path, user: &str, port: u16) -> Vec<(&'static str, String)> {
    vec![
        ("bind_ip", "127.0.0.1".to_owned()),
        ("bind_port", port.to_string()),
        ("swift_dir", folder.join("etc").display().to_string()),
        ("user", user.to_owned()),
        // One process, no children.
        ("workers", "0".to_owned()),
        ("log_level", "WARNING".to_owned()),
        // Not the system's log: what is written to standard error lands in our file.
        ("log_address", folder.join("no-syslog").display().to_string()),
    ]
}

fn storage_settings(folder: &Path, user: &str, kind: &str, port: u16) -> String {
    let mut default = common(folder, user, port);
    default.extend([
        ("devices", folder.join("devices").display().to_string()),
        ("mount_check", "false".to_owned()),
        ("recon_cache_path", folder.join("cache").display().to_string()),
        // It would refuse to write on a disk that is nearly full.
        ("fallocate_reserve", "0".to_owned()),
    ]);
    let server = format!("{kind}-server");
    [
        section("DEFAULT", &default),
        section("pipeline:main", &[("pipeline", &server)]),
        section(&format!("app:{server}"), &[("use", &format!("egg:swift#{kind}"))]),
    ]
    .concat()
}

fn proxy_settings(folder: &Path, user: &str, port: u16) -> String {
    let names = FILTERS.iter().map(|(name, _)| *name).chain(["proxy-server"]);
    let mut text = section("DEFAULT", &common(folder, user, port));
    text += &section("pipeline:main", &[("pipeline", names.collect::<Vec<_>>().join(" "))]);
    text += &section(
        "app:proxy-server",
        &[("use", "egg:swift#proxy"), ("account_autocreate", "true"), ("allow_account_management", "true")],
    );
    for (name, settings) in FILTERS {
        let used = format!("egg:swift#{name}");
        let settings: Vec<(&str, &str)> =
            std::iter::once(("use", used.as_str())).chain(settings.iter().copied()).collect();
        text += &section(&format!("filter:{name}"), &settings);
    }
    text
}

fn section<N: AsRef<str>, V: AsRef<str>>(title: &str, settings: &[(N, V)]) -> String {
    let mut text = format!("[{title}]\n");
    for (name, value) in settings {
        // Writing to a String does not fail.
        let _ = writeln!(text, "{} = {}", name.as_ref(), value.as_ref());
    }
    text.push('\n');
    text
}
