//! A bucket, an object, a URL, a list: `cargo run --example quickstart -- BUCKET FILE`.
//!
//! Region, endpoint and credentials come from the environment and the AWS configuration files.

#![allow(clippy::print_stdout)]

use std::time::Duration;

use aws_sigv4_free_s3::S3;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(name), Some(file)) = (arguments.next(), arguments.next()) else {
        return Err("usage: quickstart BUCKET FILE".into());
    };

    let s3 = S3::from_env().await?;
    let bucket = s3.bucket(name);
    bucket.create().await?;
    bucket.object("cat.jpg").put_file(file).metadata("colour", "black").await?;
    println!("{}", bucket.object("cat.jpg").presign_get(Duration::from_secs(3600)).await?);

    let mut objects = bucket.list("").await;
    while let Some(object) = objects.try_next().await? {
        println!("{:>12} {}", object.size, object.key);
    }
    Ok(())
}
