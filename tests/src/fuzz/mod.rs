//! Bodies for fuzzing: each takes any bytes, and panics where something that must hold does not. They read no clock and no
//! random numbers, so that an input that fails once fails again.
//!
//! `it/fuzz.rs` runs a seeded slice of them; `SIGV4_FUZZ_ITERATIONS` makes it longer. A coverage-guided fuzzer can call them as
//! they are.

pub mod canonical;
pub mod chunks;
pub mod explain;
pub mod forms;
pub mod headers;
mod input;
pub mod presented;
pub mod query;
pub mod raw;
pub mod round_trip;
pub mod uri;

pub use input::Input;

/// A body: what it is called, and what it does.
pub type Body = (&'static str, fn(&[u8]));

/// All bodies.
pub const ALL: [Body; 9] = [
    ("uri", uri::body),
    ("query", query::body),
    ("headers", headers::body),
    ("raw", raw::body),
    ("presented", presented::body),
    ("explain", explain::body),
    ("round_trip", round_trip::body),
    ("chunks", chunks::body),
    ("forms", forms::body),
];
