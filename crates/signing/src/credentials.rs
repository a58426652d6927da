//! Who signs.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Weak};

use aws_sigv4_free_http_transport::Secret;
use time::OffsetDateTime;

use crate::error::{SigningError, SigningErrorKind};

/// An access key id with its secret access key, and what belongs to them.
///
/// A clone shares the secrets, it does not copy them. `Debug` shows the access key id and the expiry, no secret.
///
/// # Example
/// ```
/// use aws_sigv4_free_signing::Credentials;
///
/// let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY").with_session_token("token");
/// assert_eq!(credentials.access_key_id(), "AKIDEXAMPLE");
/// assert!(!format!("{credentials:?}").contains("wJalr"));
/// ```
#[derive(Clone)]
pub struct Credentials(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    access_key_id: String,
    secret_access_key: Secret,
    session_token: Option<Secret>,
    expires_at: Option<OffsetDateTime>,
    account_id: Option<String>,
    source: Cow<'static, str>,
}

impl Credentials {
    /// Long-term credentials, without a session token and without an expiry.
    pub fn new(access_key_id: impl Into<String>, secret_access_key: impl Into<Secret>) -> Self {
        Self(Arc::new(Inner {
            access_key_id: access_key_id.into(),
            secret_access_key: secret_access_key.into(),
            session_token: None,
            expires_at: None,
            account_id: None,
            source: Cow::Borrowed("given in code"),
        }))
    }

    /// Adds the token of temporary credentials.
    #[must_use]
    pub fn with_session_token(mut self, session_token: impl Into<Secret>) -> Self {
        self.edit().session_token = Some(session_token.into());
        self
    }

    /// Adds the moment from which on the credentials are refused.
    #[must_use]
    pub fn with_expiry(mut self, expires_at: OffsetDateTime) -> Self {
        self.edit().expires_at = Some(expires_at);
        self
    }

    /// Adds the account that the credentials belong to: 12 digits.
    #[must_use]
    pub fn with_account_id(mut self, account_id: impl Into<String>) -> Self {
        self.edit().account_id = Some(account_id.into());
        self
    }

    /// Adds where the credentials come from, in words that a user understands.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Cow<'static, str>>) -> Self {
        self.edit().source = source.into();
        self
    }

    /// The access key id. It is no secret: it is sent in the clear in every signed request.
    pub fn access_key_id(&self) -> &str {
        &self.0.access_key_id
    }

    /// The secret access key.
    pub fn secret_access_key(&self) -> &Secret {
        &self.0.secret_access_key
    }

    /// The token of temporary credentials.
    pub fn session_token(&self) -> Option<&Secret> {
        self.0.session_token.as_ref()
    }

    /// The moment from which on the credentials are refused; `None` for long-term ones.
    pub fn expires_at(&self) -> Option<OffsetDateTime> {
        self.0.expires_at
    }

    /// The account that the credentials belong to, where that is known.
    pub fn account_id(&self) -> Option<&str> {
        self.0.account_id.as_deref()
    }

    /// Where the credentials come from.
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// Whether the credentials are refused at `now`.
    pub fn is_expired_at(&self, now: OffsetDateTime) -> bool {
        self.0.expires_at.is_some_and(|expires_at| expires_at <= now)
    }

    /// Refuses what can't be part of a header.
    pub(crate) fn check_sendable(&self) -> Result<(), SigningError> {
        let id = self.access_key_id();
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',') {
            let message = if id.is_empty() {
                "the access key id is empty"
            } else {
                "the access key id holds white space, a comma or another character that can't be sent"
            };
            return Err(SigningError::new(SigningErrorKind::InvalidCredentials, message));
        }
        // Without an early end, so that many bytes are looked at in one step: tokens are long.
        let sendable = |text: &str| text.bytes().fold(true, |all, byte| all & byte.is_ascii_graphic());
        if self.session_token().is_some_and(|token| !sendable(token.expose_secret())) {
            let message = "the session token holds white space, a line break or another character that can't be sent";
            return Err(SigningError::new(SigningErrorKind::InvalidCredentials, message));
        }
        Ok(())
    }

    pub(crate) fn id(&self) -> CredentialsId {
        CredentialsId(Arc::downgrade(&self.0))
    }

    fn edit(&mut self) -> &mut Inner {
        Arc::make_mut(&mut self.0)
    }
}

/// Tells credentials apart without keeping their secret alive. While it exists, no other credentials take their place in memory.
pub(crate) struct CredentialsId(Weak<Inner>);

impl CredentialsId {
    pub(crate) fn is_of(&self, credentials: &Credentials) -> bool {
        std::ptr::eq(self.0.as_ptr(), Arc::as_ptr(&credentials.0))
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.0.strong_count() > 0
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("access_key_id", &self.0.access_key_id)
            .field("secret_access_key", &self.0.secret_access_key)
            .field("session_token", &self.0.session_token)
            .field("expires_at", &self.0.expires_at)
            .field("account_id", &self.0.account_id)
            .field("source", &self.0.source)
            .finish()
    }
}
