//! Limits in time: of each stage, of the whole operation, and a floor under the speed of a body.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

use crate::{Error, ErrorKind, Stage, Timeouts};

/// The speed below which a body counts as stalled although bytes still trickle.
///
/// It is measured over the time for which the transport waits for the network, as
/// [`Timeouts::body_progress`](crate::Timeouts::body_progress) is: not while the caller does not read, nor while a request
/// stream has nothing to send, nor after the request has been handed over. Bodies without bytes are exempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs)]
pub struct MinThroughput {
    /// The floor.
    pub bytes_per_second: u64,
    /// The stretch of waiting over which the speed is measured; no body is given up before. Some seconds are sensible.
    pub over: Duration,
}

impl MinThroughput {
    fn is_met(self, bytes: u64) -> bool {
        u128::from(bytes) * 1_000 >= u128::from(self.bytes_per_second) * self.over.as_millis()
    }
}

/// The limits of one request, from the moment of the call.
#[derive(Clone, Copy)]
pub(super) struct Budget {
    pub(super) timeouts: Timeouts,
    pub(super) min_throughput: Option<MinThroughput>,
    pub(super) started: Instant,
    deadline: Option<Instant>,
}

impl Budget {
    pub(super) fn new(timeouts: Timeouts, min_throughput: Option<MinThroughput>) -> Self {
        let started = Instant::now();
        // A limit beyond what an instant can hold is none.
        let deadline = timeouts.operation.and_then(|limit| started.checked_add(limit));
        Self { timeouts, min_throughput, started, deadline }
    }

    /// The end of the whole operation.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Waits for `future` for as long as `stage` and the operation may take.
    pub(super) async fn limit<T>(
        &self,
        stage: Stage,
        limit: Option<Duration>,
        peer: impl FnOnce() -> String,
        future: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let stage_end = limit.and_then(|limit| Instant::now().checked_add(limit));
        let (end, stage, limit) = match (stage_end, self.deadline) {
            (None, None) => return future.await,
            (Some(stage_end), Some(deadline)) if stage_end <= deadline => (stage_end, stage, limit),
            (Some(stage_end), None) => (stage_end, stage, limit),
            (_, Some(deadline)) => (deadline, Stage::Operation, self.timeouts.operation),
        };
        match tokio::time::timeout_at(end, future).await {
            Ok(result) => result,
            Err(_) => Err(timeout(stage, limit, &peer())),
        }
    }
}

/// The error of a stage that took longer than `limit`; `peer` is who was waited for, `host:port`.
pub(super) fn timeout(stage: Stage, limit: Option<Duration>, peer: &str) -> Error {
    let limit = limit.unwrap_or_default();
    let message = match stage {
        Stage::Connect => format!(
            "no connection to {peer} within {limit:?}: check the address, the network, a firewall that drops packets and the proxy settings"
        ),
        Stage::Handshake => {
            format!("{peer} did not finish the TLS or proxy handshake within {limit:?}: check that the port speaks TLS")
        }
        Stage::ResponseHead => {
            format!("{peer} did not answer within {limit:?} of the request: retry, or raise the response-head time-out")
        }
        Stage::BodyProgress => format!("the body to or from {peer} made too little progress for {limit:?}: retry"),
        Stage::Operation => {
            format!("the operation with {peer} did not end within {limit:?}: retry, or raise the operation time-out")
        }
    };
    Error::new(ErrorKind::Timeout(stage), message)
}

/// Measures a body against a [`MinThroughput`].
pub(super) struct Window {
    floor: Option<MinThroughput>,
    /// Waiting and bytes at the start of the window.
    waited: Duration,
    bytes: u64,
}

impl Window {
    pub(super) fn new(floor: Option<MinThroughput>, waited: Duration, bytes: u64) -> Self {
        // A window of no length can't be measured.
        let floor = floor.filter(|floor| !floor.over.is_zero());
        Self { floor, waited, bytes }
    }

    /// How long the body may still be waited for, given what was waited for and moved so far, all told; `Err` with the
    /// window's length where it was too slow.
    pub(super) fn check(&mut self, waited: Duration, bytes: u64) -> Result<Option<Duration>, Duration> {
        let Some(floor) = self.floor else { return Ok(None) };
        let in_window = waited.saturating_sub(self.waited);
        if in_window < floor.over {
            return Ok(Some(floor.over - in_window));
        }
        if !floor.is_met(bytes.saturating_sub(self.bytes)) {
            return Err(floor.over);
        }
        (self.waited, self.bytes) = (waited, bytes);
        Ok(Some(floor.over))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_window_gives_up_below_its_floor_and_not_at_it() {
        let floor = Some(MinThroughput { bytes_per_second: 10, over: 5 * SECOND });
        let mut window = Window::new(floor, Duration::ZERO, 0);
        assert_eq!(window.check(4 * SECOND, 0), Ok(Some(SECOND)));
        assert_eq!(window.check(5 * SECOND, 50), Ok(Some(5 * SECOND)));
        assert_eq!(window.check(9 * SECOND, 50), Ok(Some(SECOND)));
        assert_eq!(window.check(10 * SECOND, 99), Err(5 * SECOND));
    }

    #[test]
    fn without_a_floor_or_a_length_a_window_never_gives_up() {
        let no_length = MinThroughput { bytes_per_second: 10, over: Duration::ZERO };
        for floor in [None, Some(no_length)] {
            assert_eq!(Window::new(floor, Duration::ZERO, 0).check(1000 * SECOND, 0), Ok(None));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_shorter_limit_names_the_stage() {
        for (operation, expected) in
            [(None, Stage::Connect), (Some(SECOND), Stage::Operation), (Some(9 * SECOND), Stage::Connect)]
        {
            let budget = Budget::new(Timeouts { operation, ..Timeouts::NONE }, None);
            let waiting = std::future::pending::<Result<(), Error>>();
            let error = budget.limit(Stage::Connect, Some(3 * SECOND), || "h:1".to_owned(), waiting).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Timeout(expected));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_that_no_clock_can_hold_is_none() {
        let budget = Budget::new(Timeouts { operation: Some(Duration::MAX), ..Timeouts::NONE }, None);
        assert!(budget.deadline().is_none());
        budget.limit(Stage::Connect, Some(Duration::MAX), String::new, async { Ok(()) }).await.unwrap();
    }
}
