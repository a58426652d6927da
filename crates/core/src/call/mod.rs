//! The call: from an operation, which is data, to its answer.
//!
//! A [`Caller`] is one client's way to the network. It asks the provider for an identity, has the [`Operation`] make its
//! request, signs it, sends it, and decides what the answer means: done, another attempt (signed anew, after a wait), a clock
//! to correct, another region, credentials to renew, or an [`Error`] that says what to do.
//!
//! Each step is one file, and each decision a function without input and output: [`retry`], [`skew`], [`rate`].

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sigv4_free_http_transport::{Response, Transport};
use aws_sigv4_free_signing::Credentials;
use time::OffsetDateTime;

use crate::clock::Clock;
use crate::endpoint::Region;
use crate::error::{Attempt, Error};
use crate::identity::SharedProvider;

pub mod classify;
mod http_date;
mod operation;
mod pipeline;
pub mod rate;
mod read;
mod redirect;
pub mod retry;
mod sign;
pub mod skew;
#[cfg(test)]
mod testing;

pub use operation::{ErrorInSuccess, Operation, PayloadHash, Polling, Prepared};
pub use retry::{RetryMode, RetryPolicy};
pub use skew::SkewCorrection;

/// One client's way to the network: transport, credentials, clock, retry policy, retry quota, measured skew.
///
/// A clone is cheap and shares all of it.
#[derive(Clone)]
pub struct Caller(Arc<Inner>);

struct Inner {
    transport: Arc<dyn Transport>,
    credentials: Option<SharedProvider>,
    clock: Arc<dyn Clock>,
    retry: RetryPolicy,
    quota: retry::RetryQuota,
    limiter: Option<Mutex<rate::RateLimiter>>,
    skew: skew::Skew,
    skew_correction: SkewCorrection,
    timeout: Option<Duration>,
    random: fn() -> f64,
}

/// Sets up a [`Caller`].
pub struct CallerBuilder {
    transport: Arc<dyn Transport>,
    credentials: Option<SharedProvider>,
    clock: Option<Arc<dyn Clock>>,
    retry: RetryPolicy,
    skew_correction: SkewCorrection,
    timeout: Option<Duration>,
    random: fn() -> f64,
}

/// How a call came to its success: in the extensions of the response of [`Caller::call`].
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct CallSummary {
    /// The region that answered. It is another than the one that was asked for where the service sent the call there.
    pub region: Region,
    /// The attempts, the last of which succeeded.
    pub attempts: Arc<[Attempt]>,
}

impl Caller {
    /// A caller that sends through `transport`. Without further settings it is anonymous: its requests are not signed.
    pub fn builder(transport: Arc<dyn Transport>) -> CallerBuilder {
        CallerBuilder {
            transport,
            credentials: None,
            clock: None,
            retry: RetryPolicy::default(),
            skew_correction: SkewCorrection::default(),
            timeout: None,
            random: fastrand::f64,
        }
    }

    /// Makes the call in `region`, and returns the head of its success with the body still to be read.
    ///
    /// A [`CallSummary`] is in the extensions of the response.
    ///
    /// # Errors
    /// Anything that [`ErrorKind`](crate::ErrorKind) names, with the [attempts](crate::Error::attempts) that were made.
    ///
    /// # Cancel safety
    /// Dropping the future abandons the attempt under way and closes its connection. Whether the service acted on it is
    /// unknown.
    pub async fn call(&self, operation: &dyn Operation, region: &Region) -> Result<Response, Error> {
        pipeline::call(&self.0, operation, region).await
    }

    /// The credentials of this moment; `None` for an anonymous caller. For what is signed outside of a call: a presigned URL.
    ///
    /// # Errors
    /// The provider has none.
    pub async fn identity(&self) -> Result<Option<Credentials>, Error> {
        match &self.0.credentials {
            None => Ok(None),
            Some(provider) => Ok(Some(provider.identity().await?)),
        }
    }

    /// The time of day by this machine, without the measured skew: for a presigned URL, whose life begins when it is made.
    pub fn now(&self) -> OffsetDateTime {
        self.0.clock.now()
    }

    /// How far the service's clock is ahead of this machine's, by its last answer; `None` before the first.
    pub fn skew(&self) -> Option<time::Duration> {
        self.0.skew.get()
    }

    /// How many retries the client may still make, in units of its retry quota.
    pub fn retry_quota(&self) -> u32 {
        self.0.quota.available()
    }

    /// The retry policy.
    pub fn retry_policy(&self) -> &RetryPolicy {
        &self.0.retry
    }

    /// The clock.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }

    /// The transport.
    pub fn transport(&self) -> &Arc<dyn Transport> {
        &self.0.transport
    }
}

impl CallerBuilder {
    /// Signs with the credentials of `provider`, asked for once for each attempt.
    #[must_use]
    pub fn credentials(mut self, provider: SharedProvider) -> Self {
        self.credentials = Some(provider);
        self
    }

    /// Takes the time from `clock`, and waits with it. The default is the `SystemClock` of the feature `tokio`.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Retries by `policy`.
    #[must_use]
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Sets whether the time that is signed follows the service's clock. It does by default.
    #[must_use]
    pub fn skew_correction(mut self, skew_correction: SkewCorrection) -> Self {
        self.skew_correction = skew_correction;
        self
    }

    /// Limits how long a call may take, with all its attempts and waits, to the head of its answer. There is no such limit by
    /// default; each attempt has those of the transport.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Draws the numbers from 0 to 1 that waits are multiplied with from `random`, in the place of a random generator: for
    /// tests that want the same waits each time.
    #[must_use]
    pub fn random(mut self, random: fn() -> f64) -> Self {
        self.random = random;
        self
    }

    /// The caller.
    ///
    /// # Errors
    /// No clock was given, and the crate was built without the feature `tokio`, which has one.
    pub fn build(self) -> Result<Caller, Error> {
        let clock = match self.clock {
            Some(clock) => clock,
            None => default_clock()?,
        };
        let limiter = (self.retry.mode() == RetryMode::Adaptive)
            .then(|| Mutex::new(rate::RateLimiter::new(pipeline::seconds(clock.now()))));
        Ok(Caller(Arc::new(Inner {
            transport: self.transport,
            credentials: self.credentials,
            clock,
            quota: retry::RetryQuota::new(&self.retry),
            retry: self.retry,
            limiter,
            skew: skew::Skew::default(),
            skew_correction: self.skew_correction,
            timeout: self.timeout,
            random: self.random,
        })))
    }
}

#[cfg(feature = "tokio")]
fn default_clock() -> Result<Arc<dyn Clock>, Error> {
    Ok(Arc::new(crate::clock::SystemClock))
}

#[cfg(not(feature = "tokio"))]
fn default_clock() -> Result<Arc<dyn Clock>, Error> {
    Err(Error::new(crate::ErrorKind::Settings, "there is no clock: give one, or switch the feature `tokio` on"))
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller")
            .field("transport", &self.0.transport)
            .field("credentials", &self.0.credentials)
            .field("clock", &self.0.clock)
            .field("retry", &self.0.retry)
            .field("retry_quota", &self.retry_quota())
            .field("skew", &self.skew())
            .field("skew_correction", &self.0.skew_correction)
            .field("timeout", &self.0.timeout)
            .finish()
    }
}

impl fmt::Debug for CallerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallerBuilder")
            .field("transport", &self.transport)
            .field("credentials", &self.credentials)
            .field("clock", &self.clock)
            .field("retry", &self.retry)
            .field("skew_correction", &self.skew_correction)
            .field("timeout", &self.timeout)
            .finish()
    }
}
