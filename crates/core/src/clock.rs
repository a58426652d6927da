//! The time, and waiting for it.

use std::fmt;
use std::time::{Duration, SystemTime};

use aws_sigv4_free_http_transport::BoxFuture;
use time::OffsetDateTime;

/// A clock: tells the time of day, and waits.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The time of day, by this machine.
    fn now(&self) -> OffsetDateTime;

    /// Waits. Dropping the future ends the wait.
    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()>;
}

/// The clock of this machine, with tokio's timer.
#[cfg(feature = "tokio")]
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[cfg(feature = "tokio")]
impl Clock for SystemClock {
    fn now(&self) -> OffsetDateTime {
        system_now()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// The time of day, by this machine.
pub fn system_now() -> OffsetDateTime {
    OffsetDateTime::from(SystemTime::now())
}
