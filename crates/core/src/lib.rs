//! What every AWS client of this family shares: settings, identity, endpoints, and the call itself.
//!
//! | module | what |
//! |---|---|
//! | [`call`] | the path of one call: identity, request, signature, retries, clock skew, wrong region |
//! | [`error`] | what can go wrong, in words that say what to do |
//! | [`identity`] | credentials, and who provides them |
//! | [`settings`], [`profile`] | settings in layers, each with its origin; the AWS configuration files |
//! | [`endpoint`] | regions, partitions, hosts |
//! | [`protocol`] | how requests are written and answers are read |
//! | `adapter` | signatures for the HTTP clients of others, behind the features `tower` and `reqwest` |
//! | [`clock`], [`environment`] | the time, the variables and the files, as values that a test can replace |
//!
//! # Example
//! An operation is data; a [`call::Caller`] makes it happen. See [`call::Operation`], and the example `own_operation`.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(any(feature = "reqwest", feature = "tower"))]
#[cfg_attr(docsrs, doc(cfg(any(feature = "reqwest", feature = "tower"))))]
pub mod adapter;
pub mod call;
pub mod clock;
pub mod endpoint;
pub mod environment;
pub mod error;
pub mod identity;
pub mod profile;
pub mod protocol;
pub mod settings;

pub use error::{Error, ErrorKind, ServiceError};

// The examples of the README are compiled with those of the documentation.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
