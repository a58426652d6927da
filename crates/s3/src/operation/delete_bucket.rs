//! Removing a bucket.

use aws_sigv4_free_core::Error;
use http::{Method, response};

use crate::call::{Answered, Context, Draft, Operation, SingleStep};

/// [`DeleteBucket`](https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucket.html): see
/// [`Bucket::delete`](crate::Bucket::delete).
#[derive(Clone, Debug, Default)]
pub struct DeleteBucket {}

impl Operation for DeleteBucket {
    const NAME: &'static str = "DeleteBucket";

    fn draft(&self, _: Context<'_>) -> Result<Draft, Error> {
        Ok(Draft::new(Method::DELETE))
    }
}

impl Answered for DeleteBucket {
    type Output = ();

    fn read(&self, _: &response::Parts, _: &[u8]) -> Result<(), Error> {
        Ok(())
    }
}

impl SingleStep for DeleteBucket {}

#[cfg(test)]
mod tests {
    use crate::test_support::{Canned, aws, now};
    use crate::{ErrorExt, S3ErrorCode};

    #[test]
    fn the_request() {
        let (s3, wire) = aws("eu-west-1", [Canned::new(204, "")]);
        now(s3.bucket("my.photos").delete().send()).unwrap();
        assert_eq!(wire.lines(0), ["DELETE https://s3.eu-west-1.amazonaws.com/my.photos"]);
    }

    #[test]
    fn a_bucket_with_objects_is_told() {
        let (s3, _) = aws("eu-west-1", [Canned::error(409, "BucketNotEmpty")]);
        let error = now(s3.bucket("photos").delete().send()).unwrap_err();
        assert_eq!(error.s3_code(), Some(S3ErrorCode::BucketNotEmpty));
    }
}
