//! What every client of this family shares.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod call;
pub mod clock;
pub mod endpoint;
pub mod environment;
mod error;
pub mod identity;
pub mod profile;
pub mod protocol;
pub mod settings;

// pub use error::{Error, ErrorKind, ServiceError};
