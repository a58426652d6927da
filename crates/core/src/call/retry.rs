//! Whether a failed attempt is followed by another, and when: pure functions over a policy, a quota and a random number.

use std::str::FromStr;
use std::sync::Mutex;
use std::time::Duration;

use super::operation::Polling;
use crate::error::{Error, ErrorKind, Stop};

/// How often a call is tried, and how long it waits in between.
///
/// The default is [`RetryPolicy::standard`].
///
/// # Example
/// ```
/// use aws_sigv4_free_core::call::{RetryMode, RetryPolicy};
///
/// let patient = RetryPolicy::standard().max_attempts(10);
/// assert_eq!(patient.mode(), RetryMode::Standard);
/// assert_eq!("adaptive".parse::<RetryMode>()?, RetryMode::Adaptive);
/// # Ok::<(), aws_sigv4_free_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RetryPolicy {
    mode: RetryMode,
    max_attempts: u32,
    base: Duration,
    max_wait: Duration,
    quota: u32,
}

/// The rules of a [`RetryPolicy`], as every AWS SDK knows them.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RetryMode {
    /// One attempt.
    Off,
    /// The standard mode, version 2.0: 3 attempts, waits of up to 1, 2, 4 ... 20 s, each drawn at random.
    #[default]
    Standard,
    /// The standard mode, version 2.1, that AWS announced for 2026: waits of up to 50, 100, 200 ms ..., of 1, 2, 4 s after
    /// throttling; a retry costs more of the quota.
    Standard2026,
    /// The standard mode, version 2.0, and a limit on the rate of requests that follows what the service takes. It suits a
    /// client that talks to one resource: all its calls wait when one is throttled.
    Adaptive,
}

/// What a failed attempt says of the next.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Failure {
    /// The service or the connection failed; it may pass.
    Transient,
    /// The service did not answer in time, or the body did not reach it in time; it may pass.
    Timeout,
    /// The service asks for fewer requests.
    Throttling,
}

/// What follows a failure.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Decision {
    /// Another attempt, after the wait. The quota has been charged with the cost.
    Retry {
        /// How long to wait.
        wait: Duration,
        /// What the retry cost; to be given back to [`RetryQuota::succeeded`].
        cost: u32,
    },
    /// The end of the call, after the wait, which is zero but for long polling.
    Stop {
        /// Why.
        reason: Stop,
        /// How long to wait before the call ends.
        wait: Duration,
    },
}

/// How many retries a client may still make: shared by its calls, so that a service in trouble is not asked ever more.
#[derive(Debug)]
pub struct RetryQuota {
    available: Mutex<u32>,
    capacity: u32,
}

/// The cap on a single wait.
const MAX_WAIT: Duration = Duration::from_secs(20);
const QUOTA: u32 = 500;
/// The upper bound of the first wait after throttling in version 2.1.
const THROTTLING_BASE: Duration = Duration::from_secs(1);
/// What the service may add to a computed wait in version 2.1.
const MAX_ADDED_WAIT: Duration = Duration::from_secs(5);
/// What a first attempt that succeeds gives back.
const GAIN: u32 = 1;

impl RetryPolicy {
    /// The standard mode with its 3 attempts.
    pub fn standard() -> Self {
        Self::new(RetryMode::Standard)
    }

    /// One attempt for each call.
    pub fn off() -> Self {
        Self::new(RetryMode::Off)
    }

    /// The policy of `mode`, as the AWS SDKs have it.
    pub fn new(mode: RetryMode) -> Self {
        let base = match mode {
            RetryMode::Standard2026 => Duration::from_millis(50),
            _ => Duration::from_secs(1),
        };
        Self { mode, max_attempts: if mode == RetryMode::Off { 1 } else { 3 }, base, max_wait: MAX_WAIT, quota: QUOTA }
    }

    /// Sets how many attempts a call makes, the first one included: at least 1.
    #[must_use]
    pub fn max_attempts(mut self, max_attempts: u32) -> Self {
        self.max_attempts = max_attempts.max(1);
        self
    }

    /// Sets the upper bound of the first wait; that of each further one is twice as long. The default is 1 s, and 50 ms for
    /// version 2.1.
    #[must_use]
    pub fn base_wait(mut self, base: Duration) -> Self {
        self.base = base;
        self
    }

    /// Sets the upper bound of every wait. The default is 20 s.
    #[must_use]
    pub fn max_wait(mut self, max_wait: Duration) -> Self {
        self.max_wait = max_wait;
        self
    }

    /// Sets the size of the retry quota. The default is 500.
    #[must_use]
    pub fn quota(mut self, quota: u32) -> Self {
        self.quota = quota;
        self
    }

    /// The mode.
    pub fn mode(&self) -> RetryMode {
        self.mode
    }

    /// How many attempts a call makes at most: 1 where the mode is [`RetryMode::Off`].
    pub fn attempts(&self) -> u32 {
        if self.mode == RetryMode::Off { 1 } else { self.max_attempts }
    }

    /// What follows attempt number `attempt` (1 is the first) that failed with `failure`. `retry_after` is the wait that the
    /// service asked for, `random` a number from 0 to 1. Charges `quota` where the decision is a retry.
    pub fn decide(
        &self,
        failure: Failure,
        attempt: u32,
        retry_after: Option<Duration>,
        polling: Polling,
        quota: &RetryQuota,
        random: f64,
    ) -> Decision {
        if attempt >= self.attempts() {
            return Decision::Stop { reason: Stop::AttemptsUsedUp, wait: Duration::ZERO };
        }
        let wait = self.wait(failure, attempt, retry_after, random);
        let cost = self.cost(failure);
        if quota.charge(cost) {
            return Decision::Retry { wait, cost };
        }
        let waits = self.mode == RetryMode::Standard2026 && polling == Polling::Long;
        Decision::Stop { reason: Stop::QuotaUsedUp, wait: if waits { wait } else { Duration::ZERO } }
    }

    fn cost(&self, failure: Failure) -> u32 {
        match (self.mode, failure) {
            (RetryMode::Standard2026, Failure::Throttling) => 5,
            (RetryMode::Standard2026, _) => 14,
            (_, Failure::Timeout) => 10,
            (_, _) => 5,
        }
    }

    fn wait(&self, failure: Failure, attempt: u32, retry_after: Option<Duration>, random: f64) -> Duration {
        let base = match (self.mode, failure) {
            (RetryMode::Standard2026, Failure::Throttling) => self.base.max(THROTTLING_BASE),
            _ => self.base,
        };
        let random = if random.is_finite() { random.clamp(0.0, 1.0) } else { 1.0 };
        let doubled = 2_u32.checked_pow(attempt.saturating_sub(1)).and_then(|factor| base.checked_mul(factor));
        let bound = doubled.unwrap_or(self.max_wait).min(self.max_wait);
        let wait = Duration::try_from_secs_f64(bound.as_secs_f64() * random).unwrap_or(bound);
        match retry_after {
            None => wait,
            Some(asked) if self.mode == RetryMode::Standard2026 => {
                asked.clamp(wait, wait.saturating_add(MAX_ADDED_WAIT))
            }
            // Version 2.0 takes the service's word. It is still not worth an hour.
            Some(asked) => asked.min(self.max_wait),
        }
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self::standard()
    }
}

impl RetryQuota {
    /// The full quota of `policy`.
    pub fn new(policy: &RetryPolicy) -> Self {
        Self { available: Mutex::new(policy.quota), capacity: policy.quota }
    }

    /// A quota of the size of `policy`'s of which `available` is left.
    pub fn with_available(policy: &RetryPolicy, available: u32) -> Self {
        Self { available: Mutex::new(available.min(policy.quota)), capacity: policy.quota }
    }

    /// How much is left.
    pub fn available(&self) -> u32 {
        *self.lock()
    }

    /// Notes a success. `last_cost` is what the retry that led to it cost; `None` where it was the first attempt.
    pub fn succeeded(&self, last_cost: Option<u32>) {
        let mut available = self.lock();
        *available = available.saturating_add(last_cost.unwrap_or(GAIN)).min(self.capacity);
    }

    fn charge(&self, cost: u32) -> bool {
        let mut available = self.lock();
        match available.checked_sub(cost) {
            Some(rest) => {
                *available = rest;
                true
            }
            None => false,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, u32> {
        // A number is whole even where a thread panicked over it.
        self.available.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl FromStr for RetryMode {
    type Err = Error;

    /// Reads the name that `AWS_RETRY_MODE` and `retry_mode` use: `standard`, `adaptive`; `legacy` means `standard`, and
    /// `off` is ours.
    fn from_str(name: &str) -> Result<Self, Error> {
        match name.trim().to_ascii_lowercase().as_str() {
            "standard" | "legacy" => Ok(Self::Standard),
            "standard-2026" => Ok(Self::Standard2026),
            "adaptive" => Ok(Self::Adaptive),
            "off" => Ok(Self::Off),
            other => Err(Error::new(
                ErrorKind::Settings,
                format!("there is no retry mode \"{}\": use standard, adaptive or off", crate::error::clean(other, 64)),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(policy: &RetryPolicy, failure: Failure, random: f64) -> Vec<u128> {
        (1..=7).map(|attempt| policy.wait(failure, attempt, None, random).as_millis()).collect()
    }

    #[test]
    fn waits_double_up_to_the_cap_and_are_drawn_at_random() {
        let standard = RetryPolicy::standard();
        assert_eq!(waits(&standard, Failure::Transient, 1.0), [1000, 2000, 4000, 8000, 16000, 20000, 20000]);
        assert_eq!(waits(&standard, Failure::Throttling, 0.5), [500, 1000, 2000, 4000, 8000, 10000, 10000]);
        assert_eq!(waits(&standard, Failure::Transient, 0.0), [0; 7]);
        let newer = RetryPolicy::new(RetryMode::Standard2026);
        assert_eq!(waits(&newer, Failure::Timeout, 1.0), [50, 100, 200, 400, 800, 1600, 3200]);
        assert_eq!(waits(&newer, Failure::Throttling, 1.0), [1000, 2000, 4000, 8000, 16000, 20000, 20000]);
    }

    #[test]
    fn no_number_makes_a_wait_longer_than_its_bound() {
        for policy in [RetryPolicy::standard(), RetryPolicy::new(RetryMode::Standard2026)] {
            for random in [f64::NAN, f64::INFINITY, -1.0, 1e300] {
                for attempt in [0, 1, 31, 32, 33, u32::MAX] {
                    let wait = policy.wait(Failure::Transient, attempt, Some(Duration::MAX), random);
                    assert!(wait <= MAX_WAIT + MAX_ADDED_WAIT, "{wait:?}");
                }
            }
        }
    }

    #[test]
    fn the_longest_waits_that_can_be_asked_for_are_taken() {
        let policy = RetryPolicy::standard().base_wait(Duration::MAX).max_wait(Duration::MAX);
        assert_eq!(policy.wait(Failure::Transient, 1, None, 1.0), Duration::MAX);
    }

    #[test]
    fn a_time_out_costs_twice_as_much_in_version_two_zero() {
        let policy = RetryPolicy::standard();
        let quota = RetryQuota::with_available(&policy, 12);
        let decide = |failure| policy.decide(failure, 1, None, Polling::Short, &quota, 0.0);
        assert_eq!(decide(Failure::Timeout), Decision::Retry { wait: Duration::ZERO, cost: 10 });
        assert_eq!(decide(Failure::Transient), Decision::Stop { reason: Stop::QuotaUsedUp, wait: Duration::ZERO });
        quota.succeeded(Some(10));
        quota.succeeded(None);
        assert_eq!(quota.available(), 13);
        (0..1000).for_each(|_| quota.succeeded(None));
        assert_eq!(quota.available(), QUOTA);
    }

    #[test]
    fn off_means_one_attempt_whatever_the_number() {
        let policy = RetryPolicy::off().max_attempts(9);
        assert_eq!(policy.attempts(), 1);
        assert_eq!(RetryPolicy::standard().max_attempts(0).attempts(), 1);
    }

    #[test]
    fn a_mode_has_the_name_of_the_aws_tools() {
        assert_eq!("Standard ".parse::<RetryMode>().unwrap(), RetryMode::Standard);
        assert_eq!("legacy".parse::<RetryMode>().unwrap(), RetryMode::Standard);
        let error = "eager\x1b".parse::<RetryMode>().unwrap_err();
        assert_eq!(error.to_string(), "there is no retry mode \"eager\\u{1b}\": use standard, adaptive or off");
    }
}
