//! `--debug`: the events of all crates on standard error. They are redacted where they are made.

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::arguments::{Debug, Global};
use crate::terminal::Paint;

/// Starts to print events, if that was asked for.
pub(crate) fn start(global: &Global) {
    let level = match global.debug {
        None => return,
        Some(Debug::On) => LevelFilter::DEBUG,
        Some(Debug::Wire) => LevelFilter::TRACE,
    };
    // Only this family's own events are known to be redacted.
    let targets = Targets::new().with_target("aws_sigv4_free", level).with_target("sigv4", level);
    let lines = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(Paint::stderr(global.color).is_enabled())
        .with_max_level(level)
        .finish();
    lines.with(targets).init();
}
