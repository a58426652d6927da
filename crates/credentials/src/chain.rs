//! Providers, asked one after the other.

use std::borrow::Cow;
use std::sync::Arc;

use aws_sigv4_free_core::identity::{
    BoxFuture, Credentials, CredentialsError, CredentialsErrorKind, ProvideCredentials, SharedProvider,
};
use aws_sigv4_free_core::settings::{Origin, Settings};
use tracing::debug;

use crate::explain::{Attempt, Explanation, Outcome};
use crate::provider::{EnvironmentProvider, ProfileProvider};

/// The chain that most programs want: the environment, then the profile that the environment names.
///
/// Nothing is read before the chain is asked. See [`Chain::from_settings`] for a program with a `--profile` option.
pub async fn default_chain() -> Chain {
    Chain::new().with(ENVIRONMENT, EnvironmentProvider::new()).with(PROFILE, ProfileProvider::new())
}

const ENVIRONMENT: &str = "environment";
const PROFILE: &str = "profile";

/// Providers, asked one after the other. A clone shares them.
///
/// A provider that is not configured lets the chain go on; any other error ends it. See [`CredentialsErrorKind`].
///
/// # Example
/// ```
/// use aws_sigv4_free_credentials::{Chain, Credentials, EnvironmentProvider};
///
/// let chain = Chain::new()
///     .with("environment", EnvironmentProvider::new())
///     .with("built in", Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Chain {
    links: Vec<Link>,
}

#[derive(Clone, Debug)]
struct Link {
    name: Cow<'static, str>,
    provider: SharedProvider,
}

impl Chain {
    /// A chain without providers.
    pub fn new() -> Self {
        Self::default()
    }

    /// The default chain over the environment and the files of `settings`, without reading the files again.
    ///
    /// Where the profile of `settings` is explicit, only the profile is asked: it wins over variables that may be left
    /// over in the environment, as in every AWS tool.
    pub fn from_settings(settings: &Settings) -> Self {
        let chain = match settings.profile().origin {
            Origin::Explicit => Self::new(),
            _ => Self::new().with(ENVIRONMENT, EnvironmentProvider::new().env(settings.env().clone())),
        };
        chain.with(PROFILE, ProfileProvider::from_settings(settings))
    }

    /// Adds a provider at the end, under the name that errors and explanations have for it.
    #[must_use]
    pub fn with(mut self, name: impl Into<Cow<'static, str>>, provider: impl ProvideCredentials + 'static) -> Self {
        self.links.push(Link { name: name.into(), provider: Arc::new(provider) });
        self
    }

    /// Asks the providers as [`identity`](ProvideCredentials::identity) does, and says what came of each.
    pub async fn explain(&self) -> Explanation {
        let (mut attempts, _) = self.ask().await;
        let rest = self.links.iter().skip(attempts.len());
        attempts.extend(rest.map(|link| Attempt { provider: link.name.clone(), outcome: Outcome::NotAsked }));
        Explanation::new(attempts)
    }

    /// What came of each provider that was asked, and what the last one said.
    async fn ask(&self) -> (Vec<Attempt>, Option<Result<Credentials, CredentialsError>>) {
        let mut attempts = Vec::with_capacity(self.links.len());
        let mut last = None;
        for link in &self.links {
            let result = link.provider.identity().await;
            let outcome = Outcome::of(&result);
            debug!(provider = %link.name, %outcome, "asked for credentials");
            let goes_on = matches!(outcome, Outcome::NotConfigured { .. });
            attempts.push(Attempt { provider: link.name.clone(), outcome });
            last = Some(result);
            if !goes_on {
                break;
            }
        }
        (attempts, last)
    }

    async fn first(&self) -> Result<Credentials, CredentialsError> {
        let (attempts, last) = self.ask().await;
        // The text holds the causes of the failure too, so that it is whole wherever it is printed.
        let tried = || attempts.iter().map(Attempt::to_string).collect::<Vec<_>>().join("; ");
        match last {
            Some(Ok(credentials)) => Ok(credentials),
            Some(Err(error)) if error.kind() != CredentialsErrorKind::NotConfigured => {
                Err(CredentialsError::new(error.kind(), format!("no credentials: {}", tried())))
            }
            Some(Err(_)) => {
                let message = format!("no credentials: {}; {ADVICE}", tried());
                Err(CredentialsError::new(CredentialsErrorKind::NotConfigured, message))
            }
            None => {
                let message = "no credentials: the chain has no providers";
                Err(CredentialsError::new(CredentialsErrorKind::NotConfigured, message))
            }
        }
    }
}

/// What to do where nothing is set up.
const ADVICE: &str =
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or add a profile with keys to ~/.aws/credentials";

impl ProvideCredentials for Chain {
    fn identity(&self) -> BoxFuture<'_, Result<Credentials, CredentialsError>> {
        Box::pin(self.first())
    }

    fn invalidate(&self, access_key_id: &str) -> bool {
        // Each one is told: a key may be known to several.
        self.links.iter().filter(|link| link.provider.invalidate(access_key_id)).count() > 0
    }
}

#[cfg(test)]
mod tests;
