//! The rate of requests that a service takes, learnt from its throttling: the adaptive mode's arithmetic.
//!
//! The rate follows a cubic curve: it falls to 0.7 of what it was when the service throttles, comes back to there, stays, and
//! then goes beyond. Times are in seconds since any fixed moment, rates in requests per second.

/// A limit on the rate of requests.
#[derive(Clone, Debug)]
pub struct RateLimiter {
    /// Requests are limited from the first throttling on.
    limits: bool,
    rate: f64,
    capacity: f64,
    available: f64,
    filled_at: Option<f64>,
    measured: f64,
    bucket: f64,
    bucket_requests: f64,
    curve: Curve,
}

/// The cubic curve that the rate follows.
#[derive(Clone, Copy, Debug)]
pub struct Curve {
    last_max_rate: f64,
    last_throttle: f64,
}

const BETA: f64 = 0.7;
const SCALE: f64 = 0.4;
const MIN_RATE: f64 = 0.5;
const MIN_CAPACITY: f64 = 1.0;
const SMOOTHING: f64 = 0.8;
/// The shortest wait, in seconds.
const MIN_WAIT: f64 = 0.001;
/// Requests are counted over half seconds.
const BUCKETS_PER_SECOND: f64 = 2.0;

impl Curve {
    /// A curve whose rate was `last_max_rate` when the service last throttled, at `last_throttle`.
    pub fn new(last_max_rate: f64, last_throttle: f64) -> Self {
        Self { last_max_rate, last_throttle }
    }

    /// The rate at `now`.
    pub fn rate(&self, now: f64) -> f64 {
        let window = (self.last_max_rate * (1.0 - BETA) / SCALE).cbrt();
        let elapsed = now - self.last_throttle;
        SCALE * (elapsed - window).powi(3) + self.last_max_rate
    }

    /// Notes that the service throttled at `now`, when the rate was `rate`. Returns the rate to go on with.
    pub fn throttled(&mut self, rate: f64, now: f64) -> f64 {
        self.last_max_rate = rate;
        self.last_throttle = now;
        rate * BETA
    }
}

impl RateLimiter {
    /// No limit yet, at `now`.
    pub fn new(now: f64) -> Self {
        Self {
            limits: false,
            rate: 0.0,
            capacity: 0.0,
            available: 0.0,
            filled_at: None,
            measured: 0.0,
            bucket: bucket(now),
            bucket_requests: 0.0,
            curve: Curve::new(0.0, now),
        }
    }

    /// Takes leave for one request at `now`.
    ///
    /// # Errors
    /// The seconds to wait before asking again.
    pub fn acquire(&mut self, now: f64) -> Result<(), f64> {
        if !self.limits {
            return Ok(());
        }
        self.fill(now);
        let missing = 1.0 - self.available;
        if missing > 1e-9 {
            // A clock does not tell shorter times apart, and asking again at the same moment would go on for ever.
            return Err((missing / self.rate.max(MIN_RATE)).max(MIN_WAIT));
        }
        self.available = (self.available - 1.0).max(0.0);
        Ok(())
    }

    /// Notes an answer at `now`, and whether it was throttling.
    pub fn answered(&mut self, now: f64, throttled: bool) {
        self.measure(now);
        let wanted = if throttled {
            let rate = if self.limits { self.measured.min(self.rate) } else { self.measured };
            self.limits = true;
            self.curve.throttled(rate, now)
        } else {
            self.curve.rate(now)
        };
        let rate = wanted.min(2.0 * self.measured);
        self.fill(now);
        self.rate = rate.max(MIN_RATE);
        self.capacity = rate.max(MIN_CAPACITY);
        self.available = self.available.min(self.capacity);
    }

    /// The rate that requests are limited to, once the service has throttled.
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// The rate of answers, smoothed.
    pub fn measured(&self) -> f64 {
        self.measured
    }

    fn fill(&mut self, now: f64) {
        if let Some(filled_at) = self.filled_at {
            // A clock that was set back fills nothing.
            let elapsed = (now - filled_at).max(0.0);
            self.available = (self.available + elapsed * self.rate).clamp(0.0, self.capacity);
        }
        self.filled_at = Some(now);
    }

    fn measure(&mut self, now: f64) {
        self.bucket_requests += 1.0;
        let current = bucket(now);
        if current > self.bucket {
            let rate = self.bucket_requests / (current - self.bucket);
            self.measured = rate * SMOOTHING + self.measured * (1.0 - SMOOTHING);
            self.bucket_requests = 0.0;
            self.bucket = current;
        }
    }
}

fn bucket(now: f64) -> f64 {
    (now * BUCKETS_PER_SECOND).floor() / BUCKETS_PER_SECOND
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_limited_before_the_first_throttling() {
        let mut limiter = RateLimiter::new(0.0);
        for _ in 0..1000 {
            assert_eq!(limiter.acquire(0.1), Ok(()));
            limiter.answered(0.1, false);
        }
    }

    #[test]
    fn throttling_slows_down_and_no_debt_is_made() {
        let mut limiter = RateLimiter::new(0.0);
        for step in 1..=10 {
            limiter.answered(f64::from(step) / 10.0, false);
        }
        limiter.answered(1.1, true);
        let mut waited = 0.0;
        for _ in 0..10 {
            while let Err(wait) = limiter.acquire(1.1 + waited) {
                assert!(wait > 0.0 && wait <= 1.0 / MIN_RATE, "{wait}");
                waited += wait;
            }
        }
        assert!(limiter.available >= 0.0 && waited > 0.5, "{waited}");
    }

    #[test]
    fn a_clock_that_jumps_leaves_a_bounded_wait() {
        let mut limiter = RateLimiter::new(1e9);
        limiter.answered(1e9, true);
        for now in [0.0, 1e12, -1e9] {
            limiter.answered(now, true);
            if let Err(wait) = limiter.acquire(now) {
                assert!(wait.is_finite() && wait <= 1.0 / MIN_RATE, "{wait}");
            }
        }
    }
}
