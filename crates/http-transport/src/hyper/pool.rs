//! Idle connections, kept for the next request.

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use http::uri::Authority;
use tokio::runtime;
use tokio::time::Instant;

use super::connection::Connection;

/// What a connection is for. The proxy does not show here: it follows from the rest and the transport's settings.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) https: bool,
    pub(super) authority: Authority,
    pub(super) pinned: Option<SocketAddr>,
    /// Who drives the connection: a runtime that nobody drives at the moment would let a request of another one wait for ever.
    pub(super) runtime: runtime::Id,
}

/// The idle connections of a transport, last in, first out.
pub(super) struct Pool {
    idle_limit: Duration,
    max_idle_per_host: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    idle: HashMap<Key, Vec<Idle>>,
    /// Whether a task closes what has been idle for too long.
    is_swept: bool,
}

struct Idle {
    connection: Connection,
    since: Instant,
}

impl Pool {
    pub(super) fn new(idle_limit: Duration, max_idle_per_host: usize) -> Self {
        Self { idle_limit, max_idle_per_host, state: Mutex::default() }
    }

    /// The connection that has been idle for the shortest time.
    pub(super) fn take(&self, key: &Key) -> Option<Connection> {
        let mut state = self.lock();
        let idle = state.idle.get_mut(key)?;
        while let Some(Idle { connection, since }) = idle.pop() {
            if since.elapsed() >= self.idle_limit {
                // Those below are older still.
                idle.clear();
                break;
            }
            if !connection.sender.is_closed() {
                return Some(connection);
            }
        }
        None
    }

    /// Keeps `connection` for later, unless there are enough.
    pub(super) fn put(self: &Arc<Self>, key: &Key, connection: Connection) {
        if self.idle_limit.is_zero() || connection.sender.is_closed() {
            return;
        }
        let runtime = connection.runtime.clone();
        let mut state = self.lock();
        if !state.idle.contains_key(key) {
            state.idle.insert(key.clone(), Vec::new());
        }
        let Some(idle) = state.idle.get_mut(key) else { return };
        if idle.len() >= self.max_idle_per_host {
            return;
        }
        idle.push(Idle { connection, since: Instant::now() });
        let was_swept = std::mem::replace(&mut state.is_swept, true);
        // A runtime that is ending drops the task at once, and that takes the lock.
        drop(state);
        if !was_swept {
            runtime.spawn(sweep(Sweeper(Arc::downgrade(self)), self.idle_limit));
        }
    }

    /// Closes all idle connections of `key`: the server has closed one that was idle for a shorter time.
    pub(super) fn forget(&self, key: &Key) {
        let forgotten = self.lock().idle.remove(key);
        drop(forgotten);
    }

    /// Closes what has been idle for too long; when the next one will have been.
    fn close_old(&self) -> Option<Instant> {
        let now = Instant::now();
        let mut state = self.lock();
        let mut next: Option<Instant> = None;
        state.idle.retain(|_, idle| {
            idle.retain(|idle| now.duration_since(idle.since) < self.idle_limit && !idle.connection.sender.is_closed());
            // The first is the oldest.
            let oldest = idle.first().and_then(|idle| idle.since.checked_add(self.idle_limit));
            next = match (next, oldest) {
                (Some(next), Some(oldest)) => Some(next.min(oldest)),
                (next, oldest) => next.or(oldest),
            };
            !idle.is_empty()
        });
        if next.is_none() {
            state.is_swept = false;
        }
        next
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("idle_limit", &self.idle_limit)
            .field("max_idle_per_host", &self.max_idle_per_host)
            .finish_non_exhaustive()
    }
}

/// Tells the pool when the task that sweeps it ends with its runtime.
struct Sweeper(Weak<Pool>);

impl Drop for Sweeper {
    fn drop(&mut self) {
        if let Some(pool) = self.0.upgrade() {
            pool.lock().is_swept = false;
        }
    }
}

async fn sweep(mut sweeper: Sweeper, first: Duration) {
    let Some(mut next) = Instant::now().checked_add(first) else { return };
    loop {
        tokio::time::sleep_until(next).await;
        let Some(pool) = sweeper.0.upgrade() else { return };
        match pool.close_old() {
            Some(at) => next = at,
            None => {
                // The pool knows: it is empty. Another sweeper may have been started by now.
                sweeper.0 = Weak::new();
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hyper::connection::Monitor;
    use hyper_util::rt::TokioIo;

    #[tokio::test]
    async fn a_connection_of_a_runtime_that_has_ended_does_not_block_the_pool() {
        let ended = runtime::Builder::new_current_thread().build().unwrap();
        let runtime = ended.handle().clone();
        ended.shutdown_background();
        let (ours, _theirs) = tokio::io::duplex(64);
        let (sender, driver) = hyper::client::conn::http1::handshake(TokioIo::new(ours)).await.unwrap();
        let task = tokio::spawn(async move { drop(driver.await) }).abort_handle();
        let key = Key { https: false, authority: Authority::from_static("h"), pinned: None, runtime: runtime.id() };
        let connection = Connection { sender, monitor: Arc::new(Monitor::new()), forwarded: None, runtime, task };
        let pool = Arc::new(Pool::new(Duration::from_secs(1), 1));
        let (done, is_done) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            pool.put(&key, connection);
            done.send(pool.take(&key).is_some()).unwrap();
        });
        assert_eq!(is_done.recv_timeout(Duration::from_secs(3)), Ok(true));
    }
}
