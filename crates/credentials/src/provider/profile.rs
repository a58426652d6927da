//! Keys in a profile of the AWS configuration files.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_sigv4_free_core::environment::{Env, Files};
use aws_sigv4_free_core::identity::{
    BoxFuture, Credentials, CredentialsError, CredentialsErrorKind, ProvideCredentials,
};
use aws_sigv4_free_core::profile::{
    FileLocations, Platform, ProfileError, ProfileSet, Property, Section, profile_name,
};
use aws_sigv4_free_core::settings::{Origin, Settings};
use tracing::warn;

use crate::check::{fault_of_key, fault_of_sent, is_account_id};

const ACCESS_KEY_ID: &str = "aws_access_key_id";
const SECRET_ACCESS_KEY: &str = "aws_secret_access_key";
const SESSION_TOKENS: [&str; 2] = ["aws_session_token", "aws_security_token"];
const ACCOUNT_ID: &str = "aws_account_id";

/// Properties that ask for credentials from elsewhere. They win over keys that stand beside them.
const FROM_ELSEWHERE: [&str; 7] = [
    "role_arn",
    "web_identity_token_file",
    "sso_start_url",
    "sso_account_id",
    "sso_role_name",
    "login_session",
    "credential_process",
];

/// Properties that mean something beside those of [`FROM_ELSEWHERE`] only; without keys they show what was meant.
const BESIDE_ELSEWHERE: [&str; 3] = ["sso_session", "source_profile", "credential_source"];

/// Credentials from a profile of `~/.aws/config` and `~/.aws/credentials`.
///
/// The profile is the one given by [`profile`](Self::profile), else `AWS_PROFILE`, else `AWS_DEFAULT_PROFILE`, else
/// `default`. The files are read when the provider is first asked, in the thread that asks, and again after the keys
/// were refused.
///
/// A profile that gets its credentials from elsewhere (a role, single sign-on, a process) is an error in this version.
#[derive(Default)]
pub struct ProfileProvider {
    env: Env,
    files: Files,
    profile: Option<String>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What was loaded already, until the keys in it are refused.
    loaded: Option<Settings>,
    found: Option<Credentials>,
    /// The key that was refused last.
    refused: Option<String>,
}

impl ProfileProvider {
    /// The files of this machine.
    pub fn new() -> Self {
        Self::default()
    }

    /// The profile of `settings`, without reading the files again.
    pub fn from_settings(settings: &Settings) -> Self {
        let explicit = settings.profile().origin == Origin::Explicit;
        Self {
            env: settings.env().clone(),
            files: settings.files().clone(),
            profile: explicit.then(|| settings.profile().value.clone()),
            state: Mutex::new(State { loaded: Some(settings.clone()), ..State::default() }),
        }
    }

    /// Finds the files and the profile by this environment.
    #[must_use]
    pub fn env(mut self, env: Env) -> Self {
        self.env = env;
        self
    }

    /// Reads these files.
    #[must_use]
    pub fn files(mut self, files: Files) -> Self {
        self.files = files;
        self
    }

    /// Takes this profile, which must exist.
    #[must_use]
    pub fn profile(mut self, profile: impl Into<String>) -> Self {
        self.profile = Some(profile.into());
        self
    }

    fn read(&self) -> Result<Credentials, CredentialsError> {
        let mut state = self.state();
        if let Some(credentials) = &state.found {
            return Ok(credentials.clone());
        }
        let credentials = match &state.loaded {
            Some(settings) => self.find(settings.profiles())?,
            None => self.find(&ProfileSet::load(&self.env, &self.files).map_err(broken_file)?)?,
        };
        state.found = Some(credentials.clone());
        Ok(credentials)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A value is replaced as a whole: a panic elsewhere leaves none half-written.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, profiles: &ProfileSet) -> Result<Credentials, CredentialsError> {
        let (name, asked_by) = match &self.profile {
            Some(name) => (name.clone(), Some("the program")),
            None => {
                let chosen = profile_name(&self.env);
                (chosen.name.into_owned(), chosen.variable)
            }
        };
        match (profiles.profile(&name), asked_by) {
            (Some(profile), _) => credentials_of(profile),
            // To name the default is to ask for nothing in particular.
            (None, Some(asked_by)) if self.profile.is_some() || name != "default" => {
                Err(invalid(format!("{} (asked for by {asked_by})", profiles.missing(&name))))
            }
            (None, _) => {
                let message = format!("there is no profile {name:?} in {}", self.places());
                Err(CredentialsError::new(CredentialsErrorKind::NotConfigured, message))
            }
        }
    }

    /// The files where a profile would be, in words.
    fn places(&self) -> String {
        let FileLocations { config, credentials, .. } = FileLocations::of(&self.env, Platform::CURRENT);
        let places: Vec<String> =
            [config, credentials].into_iter().flatten().map(|location| location.file.to_string()).collect();
        if places.is_empty() {
            "the configuration files, because HOME is not set".to_owned()
        } else {
            places.join(" or ")
        }
    }
}

impl ProvideCredentials for ProfileProvider {
    fn identity(&self) -> BoxFuture<'_, Result<Credentials, CredentialsError>> {
        Box::pin(async move { self.read() })
    }

    fn invalidate(&self, access_key_id: &str) -> bool {
        let mut state = self.state();
        if state.found.as_ref().is_some_and(|credentials| credentials.access_key_id() == access_key_id) {
            // Somebody may have put new keys into the file since it was read.
            *state = State { refused: Some(access_key_id.to_owned()), ..State::default() };
        }
        // Of the calls that were under way with one key, each may go on with the next.
        state.refused.as_deref() == Some(access_key_id)
    }
}

impl fmt::Debug for ProfileProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProfileProvider")
            .field("env", &self.env)
            .field("files", &self.files)
            .field("profile", &self.profile)
            .finish_non_exhaustive()
    }
}

fn credentials_of(profile: &Section) -> Result<Credentials, CredentialsError> {
    let property = |key: &str| profile.property(key).filter(|property| !property.value().trim().is_empty());
    if let Some((key, property)) = FROM_ELSEWHERE.into_iter().find_map(|key| Some((key, property(key)?))) {
        return Err(unsupported(profile, key, property));
    }
    let keys = (property(ACCESS_KEY_ID), property(SECRET_ACCESS_KEY));
    let token = SESSION_TOKENS.into_iter().find_map(|key| Some((key, property(key)?)));
    let (access_key_id, secret) = match keys {
        (Some(access_key_id), Some(secret)) => (access_key_id, secret),
        (Some(set), None) => return Err(half_set(profile, ACCESS_KEY_ID, set, SECRET_ACCESS_KEY)),
        (None, Some(set)) => return Err(half_set(profile, SECRET_ACCESS_KEY, set, ACCESS_KEY_ID)),
        (None, None) => {
            if let Some((key, set)) = token {
                return Err(half_set(profile, key, set, ACCESS_KEY_ID));
            }
            if let Some((key, property)) = BESIDE_ELSEWHERE.into_iter().find_map(|key| Some((key, property(key)?))) {
                return Err(unsupported(profile, key, property));
            }
            let message = format!("the profile {:?} in {} holds no credentials", profile.name(), profile.location());
            return Err(CredentialsError::new(CredentialsErrorKind::NotConfigured, message));
        }
    };
    let source = format!("profile {:?} in {}", profile.name(), access_key_id.location());
    let mut credentials = Credentials::new(
        checked(ACCESS_KEY_ID, access_key_id, fault_of_sent)?,
        checked(SECRET_ACCESS_KEY, secret, fault_of_key)?,
    )
    .with_source(source);
    if let Some((key, token)) = token {
        credentials = credentials.with_session_token(checked(key, token, fault_of_sent)?);
    }
    if let Some(account_id) = property(ACCOUNT_ID) {
        if is_account_id(account_id.value()) {
            credentials = credentials.with_account_id(account_id.value());
        } else {
            warn!(at = %account_id.location(), "{ACCOUNT_ID} is left out: it is not a number of 12 digits");
        }
    }
    Ok(credentials)
}

fn unsupported(profile: &Section, key: &str, property: &Property) -> CredentialsError {
    let name = profile.name();
    invalid(format!(
        "the profile {name:?} sets {key} in {}, which this version does not support: use a profile with keys, or run `aws \
         configure export-credentials --profile {name} --format env` and set what it prints",
        property.location(),
    ))
}

fn half_set(profile: &Section, set: &str, property: &Property, missing: &str) -> CredentialsError {
    invalid(format!(
        "the profile {:?} sets {set} in {} and does not set {missing}: set both, or neither",
        profile.name(),
        property.location(),
    ))
}

fn checked<'a>(
    key: &str,
    property: &'a Property,
    fault: fn(&str) -> Option<&'static str>,
) -> Result<&'a str, CredentialsError> {
    match fault(property.value()) {
        Some(why) => Err(invalid(format!("{key} in {} can't be used: {why}", property.location()))),
        None => Ok(property.value()),
    }
}

fn broken_file(error: ProfileError) -> CredentialsError {
    invalid("the AWS configuration files can't be used".to_owned()).with_source(error)
}

fn invalid(message: String) -> CredentialsError {
    CredentialsError::new(CredentialsErrorKind::InvalidConfiguration, message)
}

#[cfg(test)]
mod tests;
