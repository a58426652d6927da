//! What is measured: the same requests for every signer.

use std::time::{Duration, SystemTime};

use time::OffsetDateTime;

pub const ACCESS_KEY: &str = "AKIDEXAMPLE";
pub const SECRET_KEY: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
pub const REGION: &str = "us-east-1";
pub const BUCKET: &str = "examplebucket";
pub const KEY: &str = "photos/2026/cat.jpg";
pub const HOST: &str = "examplebucket.s3.us-east-1.amazonaws.com";
pub const URL: &str = "https://examplebucket.s3.us-east-1.amazonaws.com/photos/2026/cat.jpg";
pub const EXPIRES_IN: Duration = Duration::from_secs(3600);

/// A request with its body in memory.
pub type Request = http::Request<Vec<u8>>;

/// What is measured, from the natural input of a signer to the signed request. The clock is read inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Get,
    GetWithToken,
    Post4KiB,
    Presign,
    ColdKey,
    Put1MiB,
}

impl Operation {
    pub const ALL: [Self; 6] =
        [Self::Get, Self::GetWithToken, Self::Post4KiB, Self::Presign, Self::ColdKey, Self::Put1MiB];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::GetWithToken => "get-with-token",
            Self::Post4KiB => "post-4-kib",
            Self::Presign => "presign",
            Self::ColdKey => "cold-key",
            Self::Put1MiB => "put-1-mib",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Get => "GET, 6 headers, no body",
            Self::GetWithToken => "GET, 6 headers, a session token of 600 bytes",
            Self::Post4KiB => "POST, 6 headers, a body of 4 KiB hashed",
            Self::Presign => "presigned GET for an hour",
            Self::ColdKey => "derivation of a key that was not kept",
            Self::Put1MiB => "PUT, 6 headers, a body of 1 MiB hashed",
        }
    }

    /// The share of the best peer's time that this crate may take at most.
    pub fn target(self) -> Option<f64> {
        match self {
            Self::Get => Some(0.22),
            Self::GetWithToken => Some(0.28),
            Self::Post4KiB => Some(0.42),
            Self::Presign => Some(0.15),
            Self::ColdKey => Some(0.85),
            Self::Put1MiB => None,
        }
    }

    pub fn token(self) -> Option<String> {
        (self == Self::GetWithToken).then(|| "t".repeat(600))
    }

    pub fn body(self) -> Vec<u8> {
        let length = match self {
            Self::Post4KiB => 4 << 10,
            Self::Put1MiB => 1 << 20,
            _ => 0,
        };
        vec![b'a'; length]
    }

    /// The request before it is signed.
    pub fn request(self) -> Request {
        let method = match self {
            Self::Post4KiB => "POST",
            Self::Put1MiB => "PUT",
            _ => "GET",
        };
        let builder = http::Request::builder().method(method).uri(URL);
        let builder = match self {
            Self::Presign | Self::ColdKey => builder,
            // Six headers, as a client of S3 sends them.
            _ => builder
                .header("accept", "*/*")
                .header("content-type", "application/octet-stream")
                .header("range", "bytes=0-1048575")
                .header("x-amz-meta-colour", "black")
                .header("x-amz-request-payer", "requester")
                .header("x-amz-checksum-mode", "ENABLED"),
        };
        builder.body(self.body()).expect("a valid request")
    }
}

/// The time of day, as a client asks for it.
pub fn now() -> OffsetDateTime {
    OffsetDateTime::from(SystemTime::now())
}
