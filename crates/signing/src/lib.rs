//! AWS Signature Version 4, sans-IO.

#![forbid(unsafe_code)]

mod credentials;

pub use credentials::Credentials;
