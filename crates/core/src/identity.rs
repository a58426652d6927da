//! Who makes a call: the credentials, and who provides them.

use std::fmt;
use std::sync::Arc;

pub use aws_sigv4_free_http_transport::{BoxFuture, Secret};
pub use aws_sigv4_free_signing::Credentials;

/// A source of credentials, asked once for each attempt of a call.
///
/// A provider that has to go and fetch something keeps what it got: callers do not cache.
///
/// # Cancel safety
/// Dropping the future of [`identity`](Self::identity) loses nothing but the answer.
pub trait ProvideCredentials: Send + Sync + fmt::Debug {
    /// The credentials of this moment.
    ///
    /// # Errors
    /// A [`CredentialsError`]. Only [`CredentialsErrorKind::NotConfigured`] lets a chain ask its next provider.
    fn identity(&self) -> BoxFuture<'_, Result<Credentials, CredentialsError>>;

    /// Told when a service refused credentials with this access key id, so that a cache can drop them. Returns whether asking
    /// again can help: a provider without a cache says no; one that gave them and holds others by now keeps those, and says
    /// yes.
    fn invalidate(&self, access_key_id: &str) -> bool {
        let _ = access_key_id;
        false
    }
}

/// A provider that is shared by clients.
pub type SharedProvider = Arc<dyn ProvideCredentials>;

impl ProvideCredentials for Credentials {
    fn identity(&self) -> BoxFuture<'_, Result<Credentials, CredentialsError>> {
        let credentials = self.clone();
        Box::pin(async move { Ok(credentials) })
    }
}

impl<T: ProvideCredentials + ?Sized> ProvideCredentials for Arc<T> {
    fn identity(&self) -> BoxFuture<'_, Result<Credentials, CredentialsError>> {
        (**self).identity()
    }

    fn invalidate(&self, access_key_id: &str) -> bool {
        (**self).invalidate(access_key_id)
    }
}

/// Why there are no credentials.
///
/// Its text says which source failed, why, and what to do. It holds no secret.
#[derive(Debug)]
pub struct CredentialsError {
    kind: CredentialsErrorKind,
    message: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What is wrong with a source of credentials.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CredentialsErrorKind {
    /// Nothing is set up here. A chain asks its next provider. Set the variable or the file that the message names.
    NotConfigured,
    /// Something is set up, and wrong. A chain stops. Correct what the message names.
    InvalidConfiguration,
    /// The source did not answer, or refused. A chain stops. Try again, or correct what the message names.
    Unavailable,
    /// What the source gave has expired. Log in again, or renew what the message names.
    Expired,
}

impl CredentialsError {
    /// An error with a sentence that says what happened and what to do: lower case, no final period, no secret.
    pub fn new(kind: CredentialsErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// Adds the cause. It must not hold a secret.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What is wrong.
    pub fn kind(&self) -> CredentialsErrorKind {
        self.kind
    }
}

impl fmt::Display for CredentialsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for CredentialsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
