//! What a transfer command shows: lines of what was done, failures, and on a terminal a bar.

use std::io::{IsTerminal, Write as _, stderr};
use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::exit::{Failure, printable};
use crate::output::Output;

/// How much is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verbosity {
    /// Lines, failures, and a bar on a terminal.
    Full,
    /// Lines and failures.
    NoProgress,
    /// Failures.
    OnlyErrors,
    /// Nothing.
    Quiet,
}

/// What a transfer command shows.
pub(crate) struct Progress {
    verbosity: Verbosity,
    bar: ProgressBar,
}

/// Moves the bar for one transfer; can be handed to another thread.
pub(crate) struct Meter {
    bar: ProgressBar,
    /// How much of the bar's length and position belongs to this transfer.
    expected: AtomicU64,
    done: AtomicU64,
}

impl Progress {
    pub(crate) fn new(verbosity: Verbosity) -> Self {
        let is_shown = verbosity == Verbosity::Full && stderr().is_terminal();
        let target = if is_shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        let template = "{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta} {msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self { verbosity, bar }
    }

    /// The handle that moves the bar for one transfer, of so many bytes where that is known.
    pub(crate) fn meter(&self, expected: Option<u64>) -> Meter {
        let expected = expected.unwrap_or(0);
        self.bar.inc_length(expected);
        Meter { bar: self.bar.clone(), expected: AtomicU64::new(expected), done: AtomicU64::new(0) }
    }

    /// Says what was done, on standard output.
    pub(crate) fn line(&self, out: &mut Output, text: &str) -> Result<(), Failure> {
        if !matches!(self.verbosity, Verbosity::Full | Verbosity::NoProgress) {
            return Ok(());
        }
        self.bar.suspend(|| {
            out.line(text)?;
            out.flush()
        })
    }

    /// Says what failed, on standard error.
    pub(crate) fn error(&self, text: &str) {
        if self.verbosity != Verbosity::Quiet {
            self.bar.suspend(|| {
                let _ = stderr().lock().write_all(format!("{}\n", printable(text).trim_end()).as_bytes());
            });
        }
    }
}

impl Meter {
    /// So many bytes have gone over, of so many in all. Fewer than before mean that an attempt begins anew.
    pub(crate) fn set(&self, done: u64, total: u64) {
        let expected = self.expected.swap(total, Ordering::Relaxed);
        if total > expected {
            self.bar.inc_length(total - expected);
        }
        let before = self.done.swap(done, Ordering::Relaxed);
        if done >= before {
            self.bar.inc(done - before);
        } else {
            self.bar.dec(before - done);
        }
    }

    /// The transfer has ended.
    pub(crate) fn finish(&self) {
        let expected = self.expected.load(Ordering::Relaxed);
        self.set(expected, expected);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retry_takes_its_bytes_back() {
        let progress = Progress::new(Verbosity::Quiet);
        let (known, unknown) = (progress.meter(Some(10)), progress.meter(None));
        known.set(7, 10);
        unknown.set(1, 5);
        assert_eq!((progress.bar.position(), progress.bar.length()), (8, Some(15)));
        known.set(0, 10);
        known.set(4, 10);
        assert_eq!(progress.bar.position(), 5);
        known.finish();
        unknown.finish();
        assert_eq!((progress.bar.position(), progress.bar.length()), (15, Some(15)));
    }
}
