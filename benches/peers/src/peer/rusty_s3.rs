//! `rusty-s3`, which presigns only.

use rusty_s3::{Bucket, Credentials, S3Action as _, UrlStyle};

use crate::check::Signed;
use crate::harness::Contender;
use crate::operation::{ACCESS_KEY, BUCKET, EXPIRES_IN, KEY, Operation, REGION, SECRET_KEY};

pub(super) fn contender(operation: Operation) -> Option<Contender> {
    if operation != Operation::Presign {
        return None;
    }
    let endpoint = "https://s3.us-east-1.amazonaws.com".parse().expect("a URL");
    let bucket = Bucket::new(endpoint, UrlStyle::VirtualHost, BUCKET, REGION).expect("a bucket");
    let credentials = Credentials::new(ACCESS_KEY, SECRET_KEY);
    Some(Contender::new(
        "rusty-s3 0.11.0",
        || (),
        move |()| bucket.get_object(Some(&credentials), KEY).sign(EXPIRES_IN),
        |(), url| Signed::Url(url.to_string()),
    ))
}
