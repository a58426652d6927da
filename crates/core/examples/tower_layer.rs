//! Signs what passes to the HTTP client of hyper-util: GET of an object in a store that speaks S3 over plain HTTP.
//!
//! `AWS_ACCESS_KEY_ID=... AWS_SECRET_ACCESS_KEY=... cargo run --example tower_layer --features tower http://127.0.0.1:9000/bucket/key`

#![allow(clippy::print_stdout)]

use aws_sigv4_free_core::adapter::tower::SignLayer;
use aws_sigv4_free_core::environment::Env;
use aws_sigv4_free_core::identity::Credentials;
use aws_sigv4_free_signing::SigV4;
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tower::{Service as _, ServiceBuilder, ServiceExt as _};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let url = std::env::args().nth(1).ok_or("give the URL of an object")?;
    let env = Env::process();
    let id = env.get("AWS_ACCESS_KEY_ID").ok_or("set AWS_ACCESS_KEY_ID")?;
    let secret = env.get("AWS_SECRET_ACCESS_KEY").ok_or("set AWS_SECRET_ACCESS_KEY")?;

    // The layer reads bodies of bytes; the client wants them in its own type, which comes after.
    let mut client = ServiceBuilder::new()
        .layer(SignLayer::new(SigV4::s3("us-east-1"), Credentials::new(id, secret)))
        .map_request(|request: Request<Bytes>| request.map(Full::new))
        .service(Client::builder(TokioExecutor::new()).build_http());

    let request = Request::get(url).body(Bytes::new())?;
    let response = client.ready().await?.call(request).await?;

    let status = response.status();
    let body = Limited::new(response.into_body(), 16 << 20).collect().await?.to_bytes();
    println!("{status}, {} bytes", body.len());
    Ok(())
}
