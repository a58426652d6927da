//! Everything that is logged while one test runs, down to TRACE, so that a test can show that no secret is in it.
//!
//! One subscriber serves the whole process; which test an event belongs to is decided by the thread it is logged on. So a
//! test's runtime calls [`Logs::enter`] on each of its threads.

use std::cell::RefCell;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, Once, PoisonError};

use base64::Engine as _;
use tracing::Metadata;
use tracing_subscriber::filter::dynamic_filter_fn;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};

/// At most this much is kept of one test's logs; what follows is dropped, and [`Logs::text`] says so.
const LIMIT: usize = 64 << 20;

thread_local! {
    static CURRENT: RefCell<Option<Logs>> = const { RefCell::new(None) };
}

/// The captured logs of one test. A clone is the same capture.
#[derive(Debug, Clone, Default)]
pub struct Logs {
    text: Arc<Mutex<Vec<u8>>>,
}

impl Logs {
    /// An empty capture. The first call of the process installs the subscriber.
    pub fn new() -> Self {
        install();
        Self::default()
    }

    /// From here on, events of this thread go to this capture, until [`Logs::leave`].
    pub fn enter(&self) {
        CURRENT.with(|current| *current.borrow_mut() = Some(self.clone()));
    }

    /// Events of this thread are dropped again.
    pub fn leave() {
        CURRENT.with(|current| *current.borrow_mut() = None);
    }

    /// What was logged so far: events with their fields and the spans around them.
    pub fn text(&self) -> String {
        let text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        let mut shown = String::from_utf8_lossy(&text).into_owned();
        if text.len() >= LIMIT {
            shown.push_str("\n... the rest was dropped\n");
        }
        shown
    }
}

/// Fails the test when a secret shows in the logs, in any of the spellings of [`find_secret`].
///
/// # Panics
/// When a secret shows, or when nothing was logged at all: then the check would prove nothing.
#[track_caller]
pub fn assert_no_secret(logs: &Logs, secrets: &[&str]) {
    let text = logs.text();
    assert!(!text.is_empty(), "nothing was logged, so this check proves nothing");
    assert_absent(&text, secrets, "the logs");
}

/// Fails the test when a secret shows in `text`, in any of the spellings of [`find_secret`].
///
/// # Panics
/// When a secret shows.
#[track_caller]
pub fn assert_absent(text: &str, secrets: &[&str], place: &str) {
    if let Some(found) = find_secret(text, secrets) {
        panic!("a secret shows in {place} {found}");
    }
}

/// Where a secret shows: as it is, percent-encoded, in base64, in hex, as a list of bytes, or as a debug string.
///
/// # Panics
/// When a secret is shorter than eight bytes: it may show by chance.
#[track_caller]
pub fn find_secret(text: &str, secrets: &[&str]) -> Option<String> {
    for secret in secrets {
        assert!(secret.len() >= 8, "a canary of {} bytes may show by chance", secret.len());
        for (spelling, form) in spellings(secret) {
            if let Some(at) = text.find(&form) {
                let number = text[..at].matches('\n').count();
                let line = text.lines().nth(number).unwrap_or_default();
                return Some(format!("({spelling}), line {}: {line}", number + 1));
            }
        }
    }
    None
}

fn spellings(secret: &str) -> Vec<(&'static str, String)> {
    let percent: String = secret
        .bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect();
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let bytes = format!("{:?}", secret.as_bytes());
    vec![
        ("as it is", secret.to_owned()),
        ("percent-encoded", percent),
        ("in base64", base64::engine::general_purpose::STANDARD_NO_PAD.encode(secret)),
        ("in hex", hex),
        ("as a list of bytes", bytes),
        ("as a debug string", format!("{secret:?}")),
    ]
}

fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let layer = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(ToCurrent);
        // The S3 server logs what it received, secrets included; it is the far side, and not what is tested.
        let wanted = |meta: &Metadata<'_>| !meta.target().starts_with("s3s") && capturing();
        let subscriber =
            tracing_subscriber::registry().with(layer.with_filter(dynamic_filter_fn(move |meta, _| wanted(meta))));
        tracing::subscriber::set_global_default(subscriber).expect("the only subscriber of the process");
    });
}

fn capturing() -> bool {
    CURRENT.with(|current| current.borrow().is_some())
}

struct ToCurrent;

impl<'a> MakeWriter<'a> for ToCurrent {
    type Writer = Capture;

    fn make_writer(&'a self) -> Capture {
        Capture(CURRENT.with(|current| current.borrow().clone()))
    }
}

struct Capture(Option<Logs>);

impl Write for Capture {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(logs) = &self.0 {
            let mut text = logs.text.lock().unwrap_or_else(PoisonError::into_inner);
            let room = LIMIT.saturating_sub(text.len()).min(bytes.len());
            text.extend_from_slice(&bytes[..room]);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
