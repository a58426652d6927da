//! Requests, responses, streaming bodies and the [`Transport`] that sends them.
//!
//! Without features this crate is a vocabulary: types only, over [`http`] and [`bytes`], with no runtime, no TLS and no
//! clock. Crates that build or sign requests depend on it and stay light. The feature `hyper` adds
//! `hyper::HyperTransport`, an HTTP/1.1 client over tokio and rustls.
//!
//! You will not find here: redirects that are followed by themselves, cookies, decompression, retries of anything but a
//! stale pooled connection. A client that signs its requests must see each answer as it came.
//!
//! # Example
//! ```
//! use aws_sigv4_free_http_transport::{Body, Request};
//!
//! let request: Request = http::Request::put("https://example.com/key").body(Body::from("hello"))?;
//! assert_eq!(request.body().length(), Some(5));
//! assert!(request.body().is_replayable());
//! # Ok::<(), http::Error>(())
//! ```

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod body;
mod error;
#[cfg(feature = "hyper-base")]
pub mod hyper;
mod percent;
pub mod redact;
mod request;
mod response;
mod transport;

pub use body::{Body, BodyKind, ChunkSource, FileRange, Restart};
pub use bytes::Bytes;
pub use error::{Error, ErrorKind, Stage};
pub use redact::Secret;
pub use request::{ConnectTo, Request, Timeouts};
pub use response::{Response, ResponseBody};
pub use transport::{BoxFuture, Transport};

/// The examples of the README are compiled with the tests.
#[cfg(all(doctest, feature = "hyper"))]
#[doc = include_str!("../README.md")]
struct Readme;
