//! The AWS SDKs' own cases for credentials: where this version can give what they expect, it does; where it can't, it gives an
//! error, and never the credentials of somebody else.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use aws_sigv4_free_core::environment::{Env, Files};
use aws_sigv4_free_core::identity::{Credentials, ProvideCredentials};
use aws_sigv4_free_core::settings::Settings;
use aws_sigv4_free_credentials::{Chain, CredentialsErrorKind, ProfileProvider};
use integration_tests::logs::Logs;
use integration_tests::vectors;
use libtest_mimic::{Failed, Trial};
use serde_json::Value;

use crate::harness::{logged_trial, skipped, trial};

const ROOT: &str = "aws-config/smithy-rs-aws-config";

pub fn trials() -> Vec<Trial> {
    let mut trials = folders("default-credential-provider-chain", 29, &GIVEN_BY_THE_CHAIN, Asked::Chain);
    trials.extend(folders("profile-provider", 18, &[], Asked::Profile));
    trials.extend(roles());
    trials
}

/// The cases of the chain that need no other provider than those of this version.
const GIVEN_BY_THE_CHAIN: [&str; 6] = [
    "environment_variables",
    "environment_variables_blank",
    "prefer_environment",
    "profile_name",
    "profile_static_keys",
    "profile_static_keys_case_insensitive",
];

/// Whom a set of cases is about.
#[derive(Clone, Copy)]
enum Asked {
    Chain,
    Profile,
}

/// One case for each folder of a set, and one that counts them.
fn folders(set: &'static str, expected: usize, given: &'static [&'static str], asked: Asked) -> Vec<Trial> {
    let name = format!("credential_vectors::{set}");
    let folders = match vectors::shared_path(&format!("{ROOT}/{set}")).and_then(|root| {
        let mut folders = subfolders(&root).map_err(|error| error.to_string())?;
        folders.sort();
        Ok(folders)
    }) {
        Ok(folders) => folders,
        Err(reason) => return vec![skipped(&name, &reason)],
    };
    let count = folders.len();
    let is_whole = trial(&format!("{name}::is_whole"), move || {
        assert_eq!(count, expected);
        Ok(())
    });
    let cases = folders.into_iter().map(|folder| {
        let case = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let is_given = given.contains(&case.as_str());
        logged_trial(&format!("{name}::{case}"), move |logs| check_folder(folder, asked, is_given, logs))
    });
    [is_whole].into_iter().chain(cases).collect()
}

fn subfolders(root: &Path) -> io::Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(root)? {
        let path = entry?.path();
        if path.join("test-case.json").is_file() {
            folders.push(path);
        }
    }
    Ok(folders)
}

async fn check_folder(folder: PathBuf, asked: Asked, is_given: bool, logs: Logs) -> Result<(), Failed> {
    let variables = read_json(&folder.join("env.json"))?;
    let variables = variables.as_object().ok_or("the environment is an object")?;
    let env = Env::fixed(variables.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default())));
    let files = Files::fixed(mounted(&folder.join("fs"))?);
    let expected = read_json(&folder.join("test-case.json"))?["result"]["Ok"].take();

    let (found, shown) = match asked {
        Asked::Chain => match Settings::builder().env(env).files(files).load() {
            Ok(settings) => {
                let chain = Chain::from_settings(&settings);
                let explanation = chain.explain().await;
                (
                    chain.identity().await.map_err(|error| format!("{error} {error:?}")),
                    format!("{explanation} {explanation:?}"),
                )
            }
            Err(error) => (Err(format!("{error:?}")), String::new()),
        },
        Asked::Profile => {
            let provider = ProfileProvider::new().env(env).files(files);
            (provider.identity().await.map_err(|error| format!("{error} {error:?}")), format!("{provider:?}"))
        }
    };
    let said = format!("{shown} {} {}", found.as_ref().err().cloned().unwrap_or_default(), logs.text());
    for key in ["secret_access_key", "session_token"] {
        // Some of the secrets of these cases are words that stand everywhere.
        if let Some(secret) = expected[key].as_str().filter(|secret| secret.len() >= 8) {
            assert!(!said.contains(secret), "{key} shows in {said}");
        }
    }
    assert_eq!(found.is_ok(), is_given, "{said}");
    match found {
        Ok(credentials) => check_credentials(&credentials, &expected),
        Err(_) => Ok(()),
    }
}

fn check_credentials(found: &Credentials, expected: &Value) -> Result<(), Failed> {
    assert_eq!(Some(found.access_key_id()), expected["access_key_id"].as_str());
    assert_eq!(Some(found.secret_access_key().expose_secret()), expected["secret_access_key"].as_str());
    assert_eq!(found.session_token().map(|token| token.expose_secret()), expected["session_token"].as_str());
    assert_eq!(found.account_id(), expected["account_id"].as_str());
    assert_eq!(found.expires_at(), None);
    Ok(())
}

fn read_json(path: &Path) -> Result<Value, Failed> {
    Ok(serde_json::from_str(&fs::read_to_string(path)?)?)
}

/// The files under `root`, by the paths that they have when `root` is `/`.
fn mounted(root: &Path) -> io::Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        // A case without files has no folder for them.
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(inside) = path.strip_prefix(root) {
                files.push((Path::new("/").join(inside), fs::read(&path)?));
            }
        }
    }
    Ok(files)
}

/// The cases of profiles that lead to roles: all of them need a role or single sign-on, or are wrong.
fn roles() -> Vec<Trial> {
    let name = "credential_vectors::roles";
    let read = || -> Result<Vec<Value>, String> {
        let path = vectors::shared_path(&format!("{ROOT}/assume-role-tests.json"))?;
        let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
        serde_json::from_str(&text).map_err(|error| error.to_string())
    };
    let cases = match read() {
        Ok(cases) => cases,
        Err(reason) => return vec![skipped(name, &reason)],
    };
    let count = cases.len();
    let is_whole = trial(&format!("{name}::is_whole"), move || {
        assert_eq!(count, 28);
        Ok(())
    });
    let cases = cases.into_iter().enumerate().map(|(index, case)| {
        let docs = case["docs"].as_str().unwrap_or("no name").to_owned();
        logged_trial(&format!("{name}::{:02} {docs}", index + 1), move |_| check_role(case))
    });
    [is_whole].into_iter().chain(cases).collect()
}

async fn check_role(case: Value) -> Result<(), Failed> {
    let selected = case["input"]["selected_profile"].as_str().ok_or("no profile")?;
    let mut text = String::new();
    for (kind, map) in [("profile", "profiles"), ("sso-session", "sso_sessions")] {
        for (name, properties) in case["input"][map].as_object().into_iter().flatten() {
            text.push_str(&format!("[{kind} {name}]\n"));
            for (key, value) in properties.as_object().into_iter().flatten() {
                text.push_str(&format!("{key} = {}\n", value.as_str().unwrap_or_default()));
            }
        }
    }
    let env = Env::fixed([("HOME", "/home/me")]);
    let files = Files::fixed([("/home/me/.aws/config", text)]);
    let error = ProfileProvider::new().env(env).files(files).profile(selected).identity().await;
    let error = error.err().ok_or("expected an error")?;
    // A profile with nothing in it lets a chain go on; everything else stops it.
    let holds_none = case["output"]["Error"].as_str().is_some_and(|error| error.contains("`A` did not contain"));
    let kind =
        if holds_none { CredentialsErrorKind::NotConfigured } else { CredentialsErrorKind::InvalidConfiguration };
    assert_eq!(error.kind(), kind, "{error}");
    for secret in ["def456", "jkl123", "pqr789", "profile_b_secret", "bug_if_returned"] {
        assert!(!format!("{error} {error:?}").contains(secret), "{error:?}");
    }
    Ok(())
}
