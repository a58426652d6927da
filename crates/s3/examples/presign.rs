//! URLs for somebody without credentials: `cargo run --example presign -- BUCKET KEY`. Nothing is sent.

#![allow(clippy::print_stdout)]

use std::time::Duration;

use aws_sigv4_free_s3::S3;

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(bucket), Some(key)) = (arguments.next(), arguments.next()) else {
        return Err("usage: presign BUCKET KEY".into());
    };

    let object = S3::from_env().await?.bucket(bucket).object(key);
    println!("read:   {}", object.presign_get(HOUR).await?);
    println!("delete: {}", object.presign_delete(HOUR).await?);
    // A browser saves it under this name.
    let named = object.get().response_content_disposition("attachment; filename=cat.jpg");
    println!("save:   {}", named.presign(HOUR).await?);
    // Whoever uses it has to send `content-type: image/jpeg`.
    println!("store:  {}", object.put("").content_type("image/jpeg").presign(HOUR).await?);
    Ok(())
}
