//! The HTTPS client: HTTP/1.1 over hyper, tokio and rustls.
//!
//! [`HyperTransport`] sends requests and hands their responses on as they arrive. It keeps connections for reuse, gives each
//! stage its time limit, follows the machine's proxy settings, and tells by the kind of its errors at which stage a request
//! failed. Files are read while they are sent, and no body is held in memory.
//!
//! # Example
//! ```no_run
//! use std::time::Duration;
//! use aws_sigv4_free_http_transport::hyper::{HyperTransport, Tls};
//! use aws_sigv4_free_http_transport::{Body, Timeouts, Transport};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let transport = HyperTransport::builder()
//!     .tls(Tls::new().add_ca_pem(std::fs::read("company-ca.pem")?))
//!     .timeouts(Timeouts { connect: Some(Duration::from_secs(1)), ..Timeouts::default() })
//!     .build()?;
//! let request = http::Request::get("https://example.com/").body(Body::empty())?;
//! let response = transport.send(request).await?;
//! println!("{}: {} bytes", response.status(), response.into_body().collect(1 << 20).await?.len());
//! # Ok(())
//! # }
//! ```
//!
//! # What is sent
//! The request, as it is. Added where they are absent are `host`, and `content-length` or `transfer-encoding`. There is no
//! `user-agent`, no `accept-encoding`, no `expect`; no redirect is followed; only HTTP/1.1 is spoken, which is what S3 and
//! the other services offer over many connections best.
//!
//! # Retries
//! One: a request on a *reused* connection that the server has closed in the meantime, without a byte of an answer, is sent
//! again on a fresh connection, provided that its body can be sent again (or was not touched). All other retries belong to
//! the caller, who has to sign them anew.
//!
//! # Logs
//! Events go to [`tracing`]: the target `aws_sigv4_free::http` has one event per attempt at DEBUG, the target
//! `aws_sigv4_free::wire` has heads and body sizes at TRACE. Both are redacted: no authorization, token, signature, password
//! or body appears at any level.

mod body;
mod client;
mod connect;
mod connection;
mod exchange;
mod fault;
mod log;
mod no_proxy;
mod pool;
mod proxy;
mod request;
mod timeout;
mod tls;
mod tunnel;

use std::net::{IpAddr, Ipv6Addr};

pub use client::{Builder, HyperTransport, Limits};
pub use proxy::Proxy;
pub use timeout::MinThroughput;
pub use tls::Tls;

/// A host of a URI without the brackets around an IPv6 address.
fn bare_host(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

/// `host:port`, with brackets around an IPv6 address.
fn host_port(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// The address that `host` is, if it is one. An IPv4 address written as IPv6 counts as IPv4.
fn parse_ip(host: &str) -> Option<IpAddr> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Some(ip.to_canonical());
    }
    // A zone (`fe80::1%eth0`) says nothing about what the address is.
    let (address, _) = host.split_once('%')?;
    address.parse::<Ipv6Addr>().ok().map(|ip| ip.to_canonical())
}
