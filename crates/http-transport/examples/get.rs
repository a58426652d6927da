//! Fetches a URL, as often as it is told: `get URL [COUNT]`.

#![allow(clippy::print_stdout)]

use std::time::Instant;

use aws_sigv4_free_http_transport::hyper::HyperTransport;
use aws_sigv4_free_http_transport::{Body, Transport};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().ok_or("usage: get URL [COUNT]")?;
    let count: u32 = arguments.next().as_deref().unwrap_or("1").parse()?;

    let transport = HyperTransport::new()?;
    let start = Instant::now();
    let mut bytes = 0;
    for _ in 0..count {
        let request = http::Request::get(&url).body(Body::empty())?;
        let mut response = transport.send(request).await?;
        if !response.status().is_success() {
            return Err(format!("the server answered {}", response.status()).into());
        }
        while let Some(chunk) = response.body_mut().chunk().await? {
            bytes += chunk.len();
        }
    }
    println!("{count} answers, {bytes} bytes, {:?}", start.elapsed());
    Ok(())
}
