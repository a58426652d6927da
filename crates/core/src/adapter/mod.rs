//! Signatures for HTTP clients of others: a layer for `tower`, a function for `reqwest`.
//!
//! An adapter signs, and nothing else: it does not retry, does not correct the clock, and does not read answers.
//! [`call`](crate::call) does.

mod error;
#[cfg(feature = "reqwest")]
pub mod reqwest;
#[cfg(feature = "tower")]
pub mod tower;

pub use error::SignError;
