//! What a chain did, in words and as data.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use aws_sigv4_free_core::identity::{Credentials, CredentialsError, CredentialsErrorKind};
use time::{OffsetDateTime, UtcOffset};

/// Which provider of a chain gave the credentials, and why not the others. It holds no secret.
///
/// `Display` gives one line for each provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    attempts: Vec<Attempt>,
}

/// What came of one provider.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The name of the provider in the chain.
    pub provider: Cow<'static, str>,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a provider.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It gave the credentials.
    #[non_exhaustive]
    Used {
        /// The access key id, which is no secret.
        access_key_id: String,
        /// Where it comes from.
        source: String,
        /// When they expire; `None` for long-term ones, or where it is not known.
        expires_at: Option<OffsetDateTime>,
        /// The account, where it is known.
        account_id: Option<String>,
    },
    /// It is not configured, and the next one was asked.
    #[non_exhaustive]
    NotConfigured {
        /// Which variable or file is missing.
        reason: String,
    },
    /// It failed, and none of the others was asked.
    #[non_exhaustive]
    Failed {
        /// What is wrong.
        kind: CredentialsErrorKind,
        /// What happened, with its causes, and what to do.
        reason: String,
    },
    /// It was not asked, because an earlier one gave credentials or failed.
    NotAsked,
}

impl Explanation {
    pub(crate) fn new(attempts: Vec<Attempt>) -> Self {
        Self { attempts }
    }

    /// The providers in the order of the chain.
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    /// The provider that gave the credentials.
    pub fn used(&self) -> Option<&Attempt> {
        self.attempts.iter().find(|attempt| matches!(attempt.outcome, Outcome::Used { .. }))
    }
}

impl Outcome {
    pub(crate) fn of(result: &Result<Credentials, CredentialsError>) -> Self {
        match result {
            Ok(credentials) => Self::Used {
                access_key_id: credentials.access_key_id().to_owned(),
                source: credentials.source().to_owned(),
                expires_at: credentials.expires_at(),
                account_id: credentials.account_id().map(str::to_owned),
            },
            Err(error) if error.kind() == CredentialsErrorKind::NotConfigured => {
                Self::NotConfigured { reason: with_causes(error) }
            }
            Err(error) => Self::Failed { kind: error.kind(), reason: with_causes(error) },
        }
    }
}

/// An error and its causes in one line.
fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.attempts.is_empty() {
            return f.write_str("the chain has no providers");
        }
        for (index, attempt) in self.attempts.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            attempt.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.provider, self.outcome)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Used { access_key_id, source, expires_at, account_id } => {
                write!(f, "used: access key {access_key_id}")?;
                if let Some(account_id) = account_id {
                    write!(f, " of account {account_id}")?;
                }
                write!(f, ", from {source}")?;
                match expires_at {
                    Some(expires_at) => write!(f, ", expires at {}", InUtc(*expires_at)),
                    None => Ok(()),
                }
            }
            Self::NotConfigured { reason } => write!(f, "not configured: {reason}"),
            Self::Failed { reason, .. } => write!(f, "failed: {reason}"),
            Self::NotAsked => f.write_str("not asked"),
        }
    }
}

/// An instant as RFC 3339 writes it, in UTC.
struct InUtc(OffsetDateTime);

impl fmt::Display for InUtc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The ends of the calendar have no UTC form.
        let instant = self.0.checked_to_offset(UtcOffset::UTC).unwrap_or(self.0);
        let (year, month, day) = instant.to_calendar_date();
        let (hour, minute, second) = instant.to_hms();
        write!(f, "{year:04}-{:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z", u8::from(month))
    }
}
