//! A store that is not AWS: `cargo run --example compatible_store -- http://127.0.0.1:9000 ACCESS_KEY SECRET_KEY`.

#![allow(clippy::print_stdout)]

use aws_sigv4_free_s3::{Credentials, ErrorExt, S3, S3ErrorCode};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(endpoint), Some(access_key), Some(secret_key)) = (arguments.next(), arguments.next(), arguments.next())
    else {
        return Err("usage: compatible_store URL ACCESS_KEY SECRET_KEY".into());
    };

    let credentials = Credentials::new(access_key, secret_key);
    let s3 = S3::builder().endpoint(endpoint).path_style().credentials(credentials).build()?;
    let bucket = s3.bucket("example-bucket");
    match bucket.create().await {
        Err(error) if error.s3_code() == Some(S3ErrorCode::BucketAlreadyOwnedByYou) => {}
        result => result?,
    }
    let greeting = bucket.object("greeting.txt");
    greeting.put("hello").content_type("text/plain").await?;
    println!("{} bytes", greeting.get().bytes(1024).await?.len());
    greeting.delete().await?;
    bucket.delete().await?;
    Ok(())
}
