//! How a case is made: [`trial`], [`async_trial`], [`logged_trial`], and [`skipped`] for one that cannot run here.

use std::future::Future;
use std::time::Duration;

use integration_tests::logs::Logs;
use libtest_mimic::{Completion, Failed, Trial};

/// No case runs longer: a hang is a failure with a name, not a run that never ends.
const WITHIN: Duration = Duration::from_secs(120);

/// A case without a runtime. A panic or an `Err` fails it.
pub fn trial(name: &str, run: impl FnOnce() -> Result<(), Failed> + Send + 'static) -> Trial {
    Trial::test(name, run)
}

/// A case on a tokio runtime of its own with two threads, bounded in time.
pub fn async_trial<F>(name: &str, run: impl FnOnce() -> F + Send + 'static) -> Trial
where
    F: Future<Output = Result<(), Failed>>,
{
    Trial::test(name, move || block_on(None, run))
}

/// As [`async_trial`], and everything that its threads log, down to TRACE, is captured and handed to the case.
pub fn logged_trial<F>(name: &str, run: impl FnOnce(Logs) -> F + Send + 'static) -> Trial
where
    F: Future<Output = Result<(), Failed>>,
{
    Trial::test(name, move || {
        let logs = Logs::new();
        block_on(Some(logs.clone()), move || run(logs))
    })
}

/// A case that is listed and counted as skipped, with the reason.
pub fn skipped(name: &str, reason: &str) -> Trial {
    let reason = reason.to_owned();
    Trial::ignorable_test(name, move || Ok(Completion::ignored_with(reason)))
}

/// The case when what it needs is there, or its skipped form with the reason.
pub fn trial_with<T: Send + 'static>(
    name: &str,
    needed: Result<T, String>,
    run: impl FnOnce(T) -> Result<(), Failed> + Send + 'static,
) -> Trial {
    match needed {
        Ok(needed) => trial(name, move || run(needed)),
        Err(reason) => skipped(name, &reason),
    }
}

fn block_on<F>(logs: Option<Logs>, run: impl FnOnce() -> F) -> Result<(), Failed>
where
    F: Future<Output = Result<(), Failed>>,
{
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all();
    if let Some(logs) = logs.clone() {
        builder.on_thread_start(move || logs.enter());
    }
    let runtime = builder.build()?;
    let _leave = logs.as_ref().map(|logs| {
        logs.enter();
        Leave
    });
    let outcome = runtime.block_on(async { tokio::time::timeout(WITHIN, run()).await });
    // A blocking task that hangs must not hang the whole run.
    runtime.shutdown_timeout(Duration::from_secs(1));
    outcome.unwrap_or_else(|_| Err(format!("the case did not end within {} s", WITHIN.as_secs()).into()))
}

/// Ends the capture of the current thread, also when the case panics: the thread goes on to other cases.
struct Leave;

impl Drop for Leave {
    fn drop(&mut self) {
        Logs::leave();
    }
}
