//! Asking for a bucket.

use aws_sigv4_free_core::Error;
use aws_sigv4_free_core::endpoint::Region;
use http::{Method, response};

use super::header_text;
use crate::call::{Answered, Context, Draft, Operation, SingleStep};

/// [`HeadBucket`](https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html): see
/// [`Bucket::head`](crate::Bucket::head).
#[derive(Clone, Debug, Default)]
pub struct HeadBucket {}

/// What is known of a bucket.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeadBucketOutput {
    /// The region that the bucket is in; `None` where the store does not tell.
    pub region: Option<Region>,
}

impl Operation for HeadBucket {
    const NAME: &'static str = "HeadBucket";

    fn draft(&self, _: Context<'_>) -> Result<Draft, Error> {
        Ok(Draft::new(Method::HEAD))
    }
}

impl Answered for HeadBucket {
    type Output = HeadBucketOutput;

    fn read(&self, head: &response::Parts, _: &[u8]) -> Result<HeadBucketOutput, Error> {
        let region = header_text(&head.headers, "x-amz-bucket-region").and_then(|region| Region::new(region).ok());
        Ok(HeadBucketOutput { region })
    }
}

impl SingleStep for HeadBucket {}

#[cfg(test)]
mod tests {
    use crate::test_support::{Canned, aws, now};
    use crate::{BucketState, Region};

    #[test]
    fn there_forbidden_missing_and_failed_are_told_apart() {
        let state = |canned: Vec<Canned>| now(aws("eu-west-1", canned).0.bucket("photos").state());
        let region = Region::new("eu-west-1").unwrap();
        let there = Canned::ok("").header("x-amz-bucket-region", "eu-west-1");
        assert_eq!(state(vec![there]).unwrap(), BucketState::Accessible { region: Some(region) });
        assert_eq!(state(vec![Canned::ok("")]).unwrap(), BucketState::Accessible { region: None });
        assert_eq!(state(vec![Canned::new(404, "")]).unwrap(), BucketState::Missing);
        let forbidden = vec![Canned::new(403, ""), Canned::error(403, "AccessDenied")];
        assert_eq!(state(forbidden).unwrap(), BucketState::Forbidden);
        assert_eq!(state(vec![Canned::new(405, "")]).unwrap_err().code(), Some("MethodNotAllowed"));
    }

    #[test]
    fn a_refusal_of_the_signature_is_not_taken_for_one_of_the_bucket() {
        for (status, code) in [(403, "SignatureDoesNotMatch"), (400, "ExpiredToken")] {
            let (s3, wire) = aws("eu-west-1", [Canned::new(status, ""), Canned::error(status, code)]);
            assert_eq!(now(s3.bucket("photos").state()).unwrap_err().code(), Some(code));
            assert_eq!(wire.lines(1), ["GET https://photos.s3.eu-west-1.amazonaws.com/?list-type=2&max-keys=1"]);
        }
    }

    #[test]
    fn a_bucket_of_another_region_is_followed_once_and_then_remembered() {
        let elsewhere = || Canned::new(301, "").header("x-amz-bucket-region", "ap-southeast-2");
        let (s3, wire) = aws("us-east-1", [elsewhere(), Canned::ok(""), Canned::ok(""), Canned::ok("")]);
        now(s3.bucket("photos").head().send()).unwrap();
        now(s3.bucket("photos").head().send()).unwrap();
        now(s3.bucket("others").head().send()).unwrap();
        assert_eq!(wire.lines(0), ["HEAD https://photos.s3.us-east-1.amazonaws.com/"]);
        assert_eq!(wire.lines(1), ["HEAD https://photos.s3.ap-southeast-2.amazonaws.com/"]);
        assert!(wire.signed_for(1, "ap-southeast-2"));
        assert_eq!(wire.lines(2), ["HEAD https://photos.s3.ap-southeast-2.amazonaws.com/"]);
        assert_eq!(wire.lines(3), ["HEAD https://others.s3.us-east-1.amazonaws.com/"]);
    }

    #[test]
    fn a_redirect_out_of_the_partition_is_an_error_that_names_the_region() {
        let (s3, wire) = aws("us-east-1", [Canned::new(301, "").header("x-amz-bucket-region", "cn-north-1")]);
        let error = now(s3.bucket("photos").head().send()).unwrap_err();
        assert!(error.to_string().contains("cn-north-1"), "{error}");
        assert_eq!(wire.count(), 1);
    }
}
