//! AWS Signature Version 4, sans-IO: bytes in, signature out.
//!
//! [`SigV4`] signs [`http`] requests in place, in their headers or in their query ([`PresignedUrl`]). It reads no clock, no
//! environment, no file and no socket: the time and the [`Credentials`] are arguments.
//!
//! You will not find here: an HTTP client, a source of credentials, an async function.
//!
//! | service | signer | what differs |
//! |---|---|---|
//! | most | `SigV4::new("execute-api", region)` | the path is encoded twice, dot segments are resolved |
//! | S3 and stores like it | [`SigV4::s3`] | the path is encoded once; `x-amz-content-sha256` on every request |
//! | VPC Lattice | [`SigV4::vpc_lattice`] | the body is never signed: [`Payload::Unsigned`] |
//! | AWS IoT over WebSocket | `SigV4::new("iotdevicegateway", region)` | [`TokenPlacement::AddedAfterSigning`] |
//!
//! A body that is signed or gets a checksum while it is sent: [`aws_chunked`]. Messages that are signed one by one:
//! `event_stream`, behind the feature `event-stream`.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "acs")]
mod acs;
pub mod aws_chunked;
mod claim;
mod credentials;
mod dialect;
mod encoding;
mod error;
#[cfg(feature = "event-stream")]
pub mod event_stream;
pub mod explain;
#[cfg(any(feature = "sigv2", feature = "acs"))]
mod in_place;
#[cfg(any(feature = "sigv2", feature = "acs"))]
mod parameters;
mod payload;
#[cfg(feature = "post-policy")]
mod post_policy;
mod seed;
mod settings;
#[cfg(feature = "sigv2")]
mod sigv2;
mod sigv4;
#[cfg(feature = "sigv4a")]
mod sigv4a;
mod timestamp;
pub mod verify;

#[cfg(feature = "acs")]
pub use acs::{Acs3, Acs3Algorithm, AcsRpc};
pub use aws_sigv4_free_http_transport::Secret;
pub use credentials::Credentials;
pub use error::{SigningError, SigningErrorKind};
pub use payload::{Payload, StreamingPayload};
#[cfg(feature = "post-policy")]
pub use post_policy::{PostForm, PostPolicy};
pub use seed::SeedSignature;
pub use settings::{ContentSha256Header, PathEncoding, PathNormalization, TokenPlacement};
#[cfg(feature = "sigv2")]
pub use sigv2::{S3SigV2, SigV2};
pub use sigv4::{PresignedUrl, RawRequest, RawSignature, SigV4};
#[cfg(feature = "sigv4a")]
pub use sigv4a::SigV4A;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
