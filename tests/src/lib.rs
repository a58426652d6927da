//! What the integration tests and the demo share: servers that others wrote, places where test data lies, captured logs.
//!
//! Nothing here is published. The cases are in `it/`; `README.md` beside this folder says how to add one.

#![forbid(unsafe_code)]

pub mod calls;
pub mod fuzz;
pub mod logs;
pub mod narrator;
pub mod plain_http;
pub mod python;
pub mod refusal;
pub mod s3_server;
pub mod scripted;
pub mod vectors;
