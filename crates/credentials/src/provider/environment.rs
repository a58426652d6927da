//! Keys in environment variables.

use aws_sigv4_free_core::environment::Env;
use aws_sigv4_free_core::identity::{
    BoxFuture, Credentials, CredentialsError, CredentialsErrorKind, ProvideCredentials,
};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tracing::warn;

use crate::check::{fault_of_key, fault_of_sent, is_account_id};

const ACCESS_KEY_ID: &str = "AWS_ACCESS_KEY_ID";
const SECRET_ACCESS_KEY: &str = "AWS_SECRET_ACCESS_KEY";
const SESSION_TOKENS: [&str; 2] = ["AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"];
const EXPIRATION: &str = "AWS_CREDENTIAL_EXPIRATION";
const ACCOUNT_ID: &str = "AWS_ACCOUNT_ID";

/// Credentials from environment variables, read each time.
///
/// | variable | |
/// |---|---|
/// | `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` | both, or neither |
/// | `AWS_SESSION_TOKEN`, else `AWS_SECURITY_TOKEN` | the token of temporary credentials |
/// | `AWS_CREDENTIAL_EXPIRATION` | when they expire, by RFC 3339. Expired ones are given all the same: the service judges by its own clock. |
/// | `AWS_ACCOUNT_ID` | the account, 12 digits; anything else is left out with a warning |
///
/// A blank variable counts as not set.
#[derive(Clone, Debug, Default)]
pub struct EnvironmentProvider {
    env: Env,
}

impl EnvironmentProvider {
    /// The environment of this process.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads this environment.
    #[must_use]
    pub fn env(mut self, env: Env) -> Self {
        self.env = env;
        self
    }

    fn read(&self) -> Result<Credentials, CredentialsError> {
        let variable = |name: &'static str| self.env.get(name).map(|value| (name, value));
        let (access_key_id, secret) = match (variable(ACCESS_KEY_ID), variable(SECRET_ACCESS_KEY)) {
            (Some(access_key_id), Some(secret)) => (access_key_id, secret),
            (None, None) => {
                let message = format!("{ACCESS_KEY_ID} and {SECRET_ACCESS_KEY} are not set");
                return Err(CredentialsError::new(CredentialsErrorKind::NotConfigured, message));
            }
            (Some(_), None) => return Err(half_set(ACCESS_KEY_ID, SECRET_ACCESS_KEY)),
            (None, Some(_)) => return Err(half_set(SECRET_ACCESS_KEY, ACCESS_KEY_ID)),
        };
        let access_key_id = checked(access_key_id, fault_of_sent)?;
        let mut credentials =
            Credentials::new(access_key_id, checked(secret, fault_of_key)?).with_source("environment variables");
        if let Some(token) = SESSION_TOKENS.into_iter().find_map(variable) {
            credentials = credentials.with_session_token(checked(token, fault_of_sent)?);
        }
        if let Some((_, text)) = variable(EXPIRATION) {
            let expires_at = OffsetDateTime::parse(text.trim(), &Rfc3339)
                .map_err(|_| invalid(format!("{EXPIRATION} is not a date: write it as 2030-01-31T12:00:00Z")))?;
            credentials = credentials.with_expiry(expires_at);
        }
        if let Some((_, account_id)) = variable(ACCOUNT_ID) {
            if is_account_id(&account_id) {
                credentials = credentials.with_account_id(account_id);
            } else {
                warn!("{ACCOUNT_ID} is left out: it is not a number of 12 digits");
            }
        }
        Ok(credentials)
    }
}

impl ProvideCredentials for EnvironmentProvider {
    fn identity(&self) -> BoxFuture<'_, Result<Credentials, CredentialsError>> {
        Box::pin(async move { self.read() })
    }
}

fn half_set(set: &str, missing: &str) -> CredentialsError {
    invalid(format!("{set} is set and {missing} is not: set both, or neither"))
}

fn checked((name, value): (&str, String), fault: fn(&str) -> Option<&'static str>) -> Result<String, CredentialsError> {
    match fault(&value) {
        Some(why) => Err(invalid(format!("{name} can't be used: {why}"))),
        None => Ok(value),
    }
}

fn invalid(message: String) -> CredentialsError {
    CredentialsError::new(CredentialsErrorKind::InvalidConfiguration, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [(&str, &str); 2] = [(ACCESS_KEY_ID, "AKID"), (SECRET_ACCESS_KEY, "secret")];

    fn read(variables: &[(&str, &str)]) -> Result<Credentials, CredentialsError> {
        EnvironmentProvider::new().env(Env::fixed(variables.iter().copied())).read()
    }

    fn read_with(more: &[(&str, &str)]) -> Result<Credentials, CredentialsError> {
        read(&[&KEYS, more].concat())
    }

    #[track_caller]
    fn check_error(variables: &[(&str, &str)], kind: CredentialsErrorKind, message: &str) {
        let error = read(variables).unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (kind, message));
    }

    #[tokio::test]
    async fn two_keys_are_enough() {
        let provider = EnvironmentProvider::new().env(Env::fixed(KEYS));
        let credentials = provider.identity().await.unwrap();
        assert_eq!(credentials.access_key_id(), "AKID");
        assert_eq!(credentials.secret_access_key().expose_secret(), "secret");
        assert!(credentials.session_token().is_none());
        assert_eq!(credentials.expires_at(), None);
        assert_eq!(credentials.account_id(), None);
        assert_eq!(credentials.source(), "environment variables");
    }

    #[test]
    fn the_token_has_an_old_name() {
        let token = |variables: &[(&str, &str)]| {
            read_with(variables).unwrap().session_token().map(|token| token.expose_secret().to_owned())
        };
        assert_eq!(token(&[("AWS_SESSION_TOKEN", "new"), ("AWS_SECURITY_TOKEN", "old")]).as_deref(), Some("new"));
        assert_eq!(token(&[("AWS_SECURITY_TOKEN", "old")]).as_deref(), Some("old"));
        assert_eq!(token(&[("AWS_SESSION_TOKEN", " ")]), None);
    }

    #[test]
    fn expiry_and_account_are_taken() {
        let credentials =
            read_with(&[(EXPIRATION, "2030-01-31T13:00:00+01:00"), (ACCOUNT_ID, "123456789012")]).unwrap();
        assert_eq!(credentials.expires_at().unwrap().unix_timestamp(), 1_896_091_200);
        assert_eq!(credentials.account_id(), Some("123456789012"));
        assert_eq!(read_with(&[(ACCOUNT_ID, "x")]).unwrap().account_id(), None);
    }

    #[test]
    fn nothing_set_lets_the_chain_go_on() {
        let message = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set";
        check_error(&[], CredentialsErrorKind::NotConfigured, message);
        check_error(&[(ACCESS_KEY_ID, ""), (SECRET_ACCESS_KEY, " ")], CredentialsErrorKind::NotConfigured, message);
        check_error(&[("AWS_SESSION_TOKEN", "left over")], CredentialsErrorKind::NotConfigured, message);
    }

    #[test]
    fn half_of_a_pair_is_an_error_that_names_the_other_half() {
        check_error(
            &KEYS[..1],
            CredentialsErrorKind::InvalidConfiguration,
            "AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not: set both, or neither",
        );
        check_error(
            &KEYS[1..],
            CredentialsErrorKind::InvalidConfiguration,
            "AWS_SECRET_ACCESS_KEY is set and AWS_ACCESS_KEY_ID is not: set both, or neither",
        );
    }

    #[test]
    fn what_would_break_a_header_is_refused_and_not_repeated() {
        for bad in ["canary\r\nx: y", "canary\n", "can\0ary", " canary", "canary "] {
            for name in [ACCESS_KEY_ID, SECRET_ACCESS_KEY, "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"] {
                let error = read_with(&[(name, bad)]).unwrap_err();
                assert_eq!(error.kind(), CredentialsErrorKind::InvalidConfiguration, "{name} {bad:?}");
                assert!(error.to_string().starts_with(&format!("{name} can't be used: ")), "{error}");
                assert!(!format!("{error:?}").replace("can't", "").contains("can"), "{error:?}");
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn keys_that_are_not_unicode_do_not_let_the_chain_go_on() {
        use std::ffi::OsString;
        use std::os::unix::ffi::OsStringExt;
        let odd = || OsString::from_vec(b"canary\xff".to_vec());
        for (key, secret) in [(odd(), "secret".into()), ("AKID".into(), odd()), (odd(), odd())] {
            let env = Env::fixed([(ACCESS_KEY_ID, key), (SECRET_ACCESS_KEY, secret)]);
            let error = EnvironmentProvider::new().env(env).read().unwrap_err();
            assert_eq!(error.kind(), CredentialsErrorKind::InvalidConfiguration);
            assert!(
                error.to_string().ends_with("it is not Unicode") && !error.to_string().contains("canary"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_date_that_is_none_is_refused() {
        check_error(
            &[&KEYS[..], &[(EXPIRATION, "tomorrow")]].concat(),
            CredentialsErrorKind::InvalidConfiguration,
            "AWS_CREDENTIAL_EXPIRATION is not a date: write it as 2030-01-31T12:00:00Z",
        );
    }

    #[test]
    fn debug_shows_no_value() {
        let provider = EnvironmentProvider::new().env(Env::fixed([(SECRET_ACCESS_KEY, "canary")]));
        assert!(!format!("{provider:?}").contains("canary"));
    }
}
