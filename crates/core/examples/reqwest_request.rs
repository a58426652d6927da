//! Signs a request of reqwest: GET of an object in a store that speaks S3 over plain HTTP.
//!
//! `AWS_ACCESS_KEY_ID=... AWS_SECRET_ACCESS_KEY=... cargo run --example reqwest_request --features reqwest http://127.0.0.1:9000/bucket/key`

#![allow(clippy::print_stdout)]

use aws_sigv4_free_core::adapter::reqwest::{PayloadSigning, sign};
use aws_sigv4_free_core::environment::Env;
use aws_sigv4_free_core::identity::Credentials;
use aws_sigv4_free_signing::SigV4;
use reqwest::Client;
use reqwest::redirect::Policy;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(1).ok_or("give the URL of an object")?;
    let env = Env::process();
    let id = env.get("AWS_ACCESS_KEY_ID").ok_or("set AWS_ACCESS_KEY_ID")?;
    let secret = env.get("AWS_SECRET_ACCESS_KEY").ok_or("set AWS_SECRET_ACCESS_KEY")?;
    let (signer, credentials) = (SigV4::s3("us-east-1"), Credentials::new(id, secret));

    // A signature is for one host: no redirects.
    let client = Client::builder().redirect(Policy::none()).build()?;
    let request = client.get(url).build()?;
    let response = client.execute(sign(&signer, request, &credentials, PayloadSigning::Signed).await?).await?;

    println!("{}, {} bytes", response.status(), response.bytes().await?.len());
    Ok(())
}
