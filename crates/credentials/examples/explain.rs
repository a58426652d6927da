//! Says where the credentials of this machine come from, and why not from elsewhere.
//!
//! `cargo run -p aws-sigv4-free-credentials --example explain`

#![allow(clippy::print_stdout, reason = "it is what the example is for")]

use aws_sigv4_free_credentials::default_chain;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let provider = default_chain().await;
    println!("{}", provider.explain().await);
}
