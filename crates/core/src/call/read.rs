//! Reading bodies within bounds, of size and of time.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use aws_sigv4_free_http_transport::{Bytes, Error, ErrorKind, ResponseBody, Stage};

use crate::clock::Clock;

/// How much of an error's body is read, and for how long.
const MAX_ERROR_BODY: usize = 1 << 20;
const MAX_ERROR_TIME: Duration = Duration::from_secs(10);
/// How much of the body of a success is read where it may hold an error, and for how long: S3 takes minutes to put a large
/// object together, and sends white space meanwhile.
const MAX_SUCCESS_BODY: usize = 8 << 20;
const MAX_SUCCESS_TIME: Duration = Duration::from_secs(15 * 60);

/// The output of `future`; `None` where `limit` passes first. Without a limit it waits for the future alone.
pub(super) async fn within<T>(
    clock: &dyn Clock,
    limit: Option<Duration>,
    future: impl Future<Output = T>,
) -> Option<T> {
    let Some(limit) = limit else { return Some(future.await) };
    let mut future = pin!(future);
    let mut timer = clock.sleep(limit);
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => timer.as_mut().poll(context).map(|()| None),
    })
    .await
}

/// What comes of the body of an error, up to the bounds. A body that breaks off or does not end is cut: its beginning says
/// what it has to say. A cut one closes its connection.
pub(super) async fn error_body(clock: &dyn Clock, mut body: ResponseBody) -> Bytes {
    let mut read = Vec::new();
    let reading = async {
        while let Ok(Some(chunk)) = body.chunk().await {
            let room = MAX_ERROR_BODY - read.len();
            read.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if read.len() == MAX_ERROR_BODY {
                break;
            }
        }
    };
    within(clock, Some(MAX_ERROR_TIME), reading).await;
    read.into()
}

/// The whole body of a success.
pub(super) async fn success_body(clock: &dyn Clock, body: ResponseBody) -> Result<Bytes, Error> {
    within(clock, Some(MAX_SUCCESS_TIME), body.collect(MAX_SUCCESS_BODY)).await.unwrap_or_else(|| {
        let message = format!("the body of the answer did not end within {} s", MAX_SUCCESS_TIME.as_secs());
        Err(Error::new(ErrorKind::Timeout(Stage::Operation), message).after_sending())
    })
}
