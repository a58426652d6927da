//! Settings and credentials over real files: what is broken is named by its place, what is absent is not, and no secret shows.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use aws_sigv4_free_core::environment::Env;
use aws_sigv4_free_core::settings::{Settings, SettingsError, SettingsErrorKind};
use aws_sigv4_free_credentials::{Chain, CredentialsErrorKind, ProvideCredentials};
use integration_tests::logs::{Logs, assert_absent, assert_no_secret};
use libtest_mimic::{Failed, Trial};
use tempfile::TempDir;

use crate::harness::{logged_trial, trial};

/// Stands wherever a secret may stand.
const CANARY: &str = "wJalrCanary7MDENGbPxRfiCYEXAMPLEKEY";

pub fn trials() -> Vec<Trial> {
    vec![
        trial("settings::region_with_a_slash", region_with_a_slash),
        trial("settings::broken_files_are_named_by_line_and_column", broken_files),
        trial("settings::directory_in_place_of_a_file", directory),
        trial("settings::pipe_in_place_of_a_file_does_not_hang", pipe),
        trial("settings::file_that_is_too_large", too_large),
        trial("settings::link_that_leads_nowhere", dangling_link),
        trial("settings::not_utf8", not_utf8),
        logged_trial("settings::missing_file_that_a_variable_names_is_a_warning", missing_file),
        logged_trial("settings::public_credentials_file_is_a_warning", public_file),
        logged_trial("settings::no_secret_shows", no_secret_shows),
        trial("settings::loading_is_quick", quick),
    ]
}

/// A home folder with the files that are given by their path inside of it.
struct Home(TempDir);

impl Home {
    fn new(files: &[(&str, &[u8])]) -> Result<Self, Failed> {
        let home = Self(tempfile::tempdir()?);
        for (name, content) in files {
            let path = home.path(name);
            fs::create_dir_all(path.parent().ok_or("a file is in a folder")?)?;
            fs::write(path, content)?;
        }
        Ok(home)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn env(&self, variables: &[(&str, &str)]) -> Env {
        let home = self.0.path().display().to_string();
        let home = [("HOME".to_owned(), home)];
        Env::fixed(
            home.into_iter().chain(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))),
        )
    }

    fn load(&self, variables: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        Settings::builder().env(self.env(variables)).load()
    }
}

/// An error and its causes, one in each line.
fn whole(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}\n{error}");
        cause = error.source();
    }
    text
}

#[track_caller]
fn check_invalid_file(result: Result<Settings, SettingsError>, part: &str) {
    let error = result.expect_err("expected an error");
    assert_eq!(error.kind(), SettingsErrorKind::InvalidFile);
    assert!(whole(&error).contains(part), "{}", whole(&error));
}

fn region_with_a_slash() -> Result<(), Failed> {
    let home = Home::new(&[(".aws/config", b"[profile dev]\nregion = us-east-1/../../evil\n")])?;
    for (variables, origin) in [
        ([("AWS_PROFILE", "dev"), ("AWS_REGION", "")], "profile \"dev\" in ~/.aws/config:2: "),
        ([("AWS_PROFILE", "dev"), ("AWS_REGION", "eu/west")], "AWS_REGION: "),
    ] {
        let error = home.load(&variables).expect_err("expected an error");
        assert_eq!(error.kind(), SettingsErrorKind::InvalidValue);
        assert!(error.to_string().starts_with(origin), "{error}");
        assert!(error.to_string().contains("lower-case letters, digits and hyphens"), "{error}");
    }
    Ok(())
}

fn broken_files() -> Result<(), Failed> {
    for (name, content, place) in [
        (".aws/config", "[default]\nregion = x\n\noops\n", "~/.aws/config:4:5: "),
        (".aws/config", "\u{feff}[default\n", "~/.aws/config:1:9: "),
        (".aws/config", "[default]\n  region = x\n", "~/.aws/config:2:3: "),
        (".aws/credentials", "aws_access_key_id = AKID\n", "~/.aws/credentials:1:1: "),
        (".aws/credentials", "[default]\r\n= x\r\n", "~/.aws/credentials:2:1: "),
        (".boto", "[Credentials]\na = 1\nA : 2\n", "~/.boto:3:1: "),
    ] {
        let home = Home::new(&[(name, content.as_bytes())])?;
        check_invalid_file(home.load(&[("AWS_REGION", "us-east-1")]), place);
    }
    Ok(())
}

fn directory() -> Result<(), Failed> {
    let home = Home::new(&[(".aws/config/x", b"")])?;
    check_invalid_file(home.load(&[]), "~/.aws/config: the file can't be read");
    check_invalid_file(home.load(&[]), "it is a directory");
    let other = home.path("").display().to_string();
    check_invalid_file(home.load(&[("AWS_CONFIG_FILE", &other)]), "it is a directory");
    Ok(())
}

fn pipe() -> Result<(), Failed> {
    let home = Home::new(&[(".aws/x", b"")])?;
    let made = Command::new("mkfifo").arg(home.path(".aws/credentials")).status()?;
    assert!(made.success());
    let start = Instant::now();
    check_invalid_file(home.load(&[]), "not a regular file");
    assert!(start.elapsed() < Duration::from_secs(5));
    Ok(())
}

fn too_large() -> Result<(), Failed> {
    let home = Home::new(&[(".aws/config", b"")])?;
    fs::OpenOptions::new().write(true).open(home.path(".aws/config"))?.set_len(100 << 20)?;
    check_invalid_file(home.load(&[]), "larger than 16 MiB");
    Ok(())
}

#[cfg(unix)]
fn dangling_link() -> Result<(), Failed> {
    let home = Home::new(&[(".aws/x", b"")])?;
    std::os::unix::fs::symlink("nowhere", home.path(".aws/config"))?;
    assert!(home.load(&[])?.region().is_none());
    fs::remove_file(home.path(".aws/config"))?;
    std::os::unix::fs::symlink("config", home.path(".aws/config"))?;
    check_invalid_file(home.load(&[]), "~/.aws/config: the file can't be read");
    Ok(())
}

#[cfg(not(unix))]
fn dangling_link() -> Result<(), Failed> {
    Ok(())
}

fn not_utf8() -> Result<(), Failed> {
    let home = Home::new(&[(".aws/config", b"[default]\nname = \xc3\xa9 caf\xe9\n")])?;
    check_invalid_file(home.load(&[]), "~/.aws/config:2:13: the file is not UTF-8");
    Ok(())
}

async fn missing_file(logs: Logs) -> Result<(), Failed> {
    let home = Home::new(&[(".aws/credentials", b"[default]\nregion = x\n")])?;
    let settings = home.load(&[("AWS_CONFIG_FILE", "/nowhere/config"), ("BOTO_CONFIG", "/nowhere/boto")])?;
    assert_eq!(settings.region().ok_or("no region")?.value, "x");
    let text = logs.text();
    for variable in ["AWS_CONFIG_FILE", "BOTO_CONFIG"] {
        let warned =
            text.lines().any(|line| line.contains("WARN") && line.contains(variable) && line.contains("/nowhere/"));
        assert!(warned, "{text}");
    }
    let settings = Settings::builder().env(Home::new(&[])?.env(&[])).load()?;
    assert!(settings.region().is_none());
    Ok(())
}

#[cfg(unix)]
async fn public_file(logs: Logs) -> Result<(), Failed> {
    use std::os::unix::fs::PermissionsExt as _;

    let home = Home::new(&[(".aws/credentials", b"[default]\n")])?;
    let mode = |mode| fs::set_permissions(home.path(".aws/credentials"), fs::Permissions::from_mode(mode));
    mode(0o600)?;
    home.load(&[])?;
    assert!(!logs.text().contains("chmod 600"), "{}", logs.text());
    mode(0o640)?;
    home.load(&[])?;
    assert!(logs.text().contains("chmod 600 ~/.aws/credentials"), "{}", logs.text());
    Ok(())
}

#[cfg(not(unix))]
async fn public_file(_: Logs) -> Result<(), Failed> {
    Ok(())
}

/// Every way that keys can be wrong, with a canary in the place of each secret.
async fn no_secret_shows(logs: Logs) -> Result<(), Failed> {
    let canary = CANARY;
    let contents = [
        format!(
            "[default]\naws_access_key_id = AKID\naws_secret_access_key = {canary}\naws_session_token = {canary}\n"
        ),
        format!("[default]\naws_secret_access_key = {canary}\n"),
        format!("[default]\naws_session_token = {canary}\n"),
        format!("[default]\naws_access_key_id = AKID\naws_secret_access_key = {canary}\n  {canary}\n"),
        format!("[default]\naws_access_key_id = AKID\naws_secret_access_key {canary}\n"),
        format!("[default]\n{canary}\n"),
        format!("[default]\n  {canary}\n"),
        format!("[default]\nodd {canary} = x\n"),
        format!("[default]\n= {canary}\n"),
        format!("[default]\ns3 =\n  {canary}\n"),
        format!("{canary}\n"),
        format!("[default]\naws_account_id = {canary}\naws_access_key_id = AKID\naws_secret_access_key = {canary}\n"),
        format!("[default]\ncredential_process = echo {canary}\n"),
        format!("[default]\nlogin_session = {canary}\naws_secret_access_key = {canary}\n"),
    ];
    let environments: Vec<Vec<(&str, String)>> = vec![
        vec![],
        vec![
            ("AWS_ACCESS_KEY_ID", "AKID".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", canary.to_owned()),
            ("AWS_SESSION_TOKEN", canary.to_owned()),
            ("AWS_ACCOUNT_ID", canary.to_owned()),
        ],
        vec![("AWS_SECRET_ACCESS_KEY", canary.to_owned())],
        vec![("AWS_ACCESS_KEY_ID", "AKID".to_owned()), ("AWS_SECRET_ACCESS_KEY", format!("{canary}\r\nx: y"))],
        vec![
            ("AWS_ACCESS_KEY_ID", "AKID".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", canary.to_owned()),
            ("AWS_SESSION_TOKEN", format!("{canary} {canary}")),
        ],
        vec![
            ("AWS_ACCESS_KEY_ID", "AKID".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", canary.to_owned()),
            ("AWS_CREDENTIAL_EXPIRATION", canary.to_owned()),
        ],
        vec![("AWS_ENDPOINT_URL", format!("https://me:{canary}@host"))],
        vec![("AWS_ENDPOINT_URL_S3", format!("https://host/?token={canary}"))],
    ];
    let (mut given, mut refused) = (0, 0);
    for (name, content) in [".aws/config", ".aws/credentials", ".boto"]
        .iter()
        .flat_map(|name| contents.iter().map(move |content| (name, content)))
    {
        let home = Home::new(&[(name, content.as_bytes())])?;
        for environment in &environments {
            let variables: Vec<(&str, &str)> =
                environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let shown = match home.load(&variables) {
                Ok(settings) => {
                    let chain = Chain::from_settings(&settings);
                    let explanation = chain.explain().await;
                    let outcome = match chain.identity().await {
                        Ok(credentials) => {
                            given += 1;
                            format!("{credentials:?} {}", credentials.source())
                        }
                        Err(error) => {
                            refused += 1;
                            assert!(matches!(
                                error.kind(),
                                CredentialsErrorKind::NotConfigured | CredentialsErrorKind::InvalidConfiguration
                            ));
                            format!("{error:?}\n{}", whole(&error))
                        }
                    };
                    format!("{settings:?}\n{chain:?}\n{explanation:?}\n{explanation}\n{outcome}")
                }
                Err(error) => {
                    refused += 1;
                    format!("{error:?}\n{}", whole(&error))
                }
            };
            assert_absent(
                &shown,
                &[CANARY],
                &format!("what {name} and {:?} lead to", variables.first().map(|(name, _)| name)),
            );
        }
    }
    assert!(given > 10 && refused > 100, "{given} given, {refused} refused");
    assert_no_secret(&logs, &[CANARY]);
    Ok(())
}

fn quick() -> Result<(), Failed> {
    let profiles: String = (0..1_000).map(|i| format!("[profile p{i}]\nregion = us-east-1\noutput = json\n")).collect();
    let home =
        Home::new(&[(".aws/config", profiles.as_bytes()), (".aws/credentials", b"[p7]\naws_access_key_id = x\n")])?;
    assert!(Path::new(&home.path(".aws/config")).metadata()?.len() > 40_000);
    let fastest = (0..5).map(|_| {
        let start = Instant::now();
        let loaded = home.load(&[("AWS_PROFILE", "p7")]).is_ok();
        (loaded, start.elapsed())
    });
    let (loaded, elapsed) = fastest.min_by_key(|(_, elapsed)| *elapsed).ok_or("no run")?;
    // Without optimisation and on a busy machine: a loose bound, that a quadratic parser breaks.
    assert!(loaded && elapsed < Duration::from_millis(500), "{elapsed:?}");
    Ok(())
}
