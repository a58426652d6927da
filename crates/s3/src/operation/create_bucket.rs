//! Making a bucket.

use aws_sigv4_free_core::Error;
use aws_sigv4_free_core::endpoint::Region;
use aws_sigv4_free_core::protocol::xml::XmlWriter;
use http::{HeaderValue, Method, header, response};

use crate::call::{Answered, Call, Context, Draft, Operation, Purpose, SingleStep};
use crate::xml::NAMESPACE;

/// [`CreateBucket`](https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html): see
/// [`Bucket::create`](crate::Bucket::create).
#[derive(Clone, Debug, Default)]
pub struct CreateBucket {}

impl Call<CreateBucket> {
    /// Makes the bucket in this region, in the place of the client's.
    pub fn region(mut self, region: Region) -> Self {
        self.target.region = Some(region);
        self
    }
}

impl Operation for CreateBucket {
    const NAME: &'static str = "CreateBucket";
    // Another region would be another bucket.
    const FOLLOWS_REGION: bool = false;
    const CREATES_BUCKET: bool = true;

    fn draft(&self, context: Context<'_>) -> Result<Draft, Error> {
        let mut draft = Draft::new(Method::PUT);
        // The first region is not a value of LocationConstraint: there, no body says so. Neither is a store's stand-in.
        if !matches!(context.region.as_str(), "us-east-1" | "aws-global" | "auto") {
            let mut xml = XmlWriter::new("CreateBucketConfiguration", NAMESPACE);
            xml.element("LocationConstraint", context.region.as_str());
            draft.body = xml.finish().into();
            if context.purpose == Purpose::Send {
                draft.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
            }
        }
        Ok(draft)
    }
}

impl Answered for CreateBucket {
    type Output = ();

    fn read(&self, _: &response::Parts, _: &[u8]) -> Result<(), Error> {
        Ok(())
    }
}

impl SingleStep for CreateBucket {}

#[cfg(test)]
mod tests {
    use crate::test_support::{Canned, aws, now, store};
    use crate::{ErrorExt, Region, S3ErrorCode};

    #[test]
    fn the_first_region_has_no_body_and_the_others_name_themselves() {
        let (s3, wire) = aws("us-east-1", [Canned::ok("")]);
        now(s3.bucket("photos").create().send()).unwrap();
        assert_eq!(wire.lines(0), ["PUT https://photos.s3.us-east-1.amazonaws.com/"]);
        assert_eq!(wire.body(0), "");

        let (s3, wire) = aws("us-east-1", [Canned::ok(""), Canned::ok("")]);
        now(s3.bucket("photos").create().region(Region::new("eu-west-1").unwrap()).send()).unwrap();
        now(s3.bucket("photos").head().send()).unwrap();
        assert_eq!(wire.lines(1), ["HEAD https://photos.s3.eu-west-1.amazonaws.com/"]);
        assert_eq!(wire.lines(0), ["PUT https://photos.s3.eu-west-1.amazonaws.com/", "content-type: application/xml"]);
        assert_eq!(
            wire.body(0),
            "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
             <LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>"
        );
        assert!(wire.signed_for(0, "eu-west-1"));
    }

    #[test]
    fn names_that_may_not_be_made_are_refused_before_anything_is_sent() {
        let (s3, wire) = aws("us-east-1", []);
        for name in ["", "ab", "Photos", "a_b", "192.168.0.1", "xn--abc", "abc-s3alias", "../etc", "a\r\nb", "a/b"] {
            let error = now(s3.bucket(name).create().send()).unwrap_err();
            assert!(error.to_string().contains("the bucket name"), "{error}");
        }
        assert_eq!(wire.count(), 0);
    }

    #[test]
    fn another_store_has_its_own_rules() {
        let (s3, wire) = store([Canned::ok("")]);
        now(s3.bucket("My_Bucket").create().send()).unwrap();
        assert_eq!(wire.lines(0)[0], "PUT http://127.0.0.1:9000/My_Bucket");
    }

    #[test]
    fn whose_the_bucket_is_can_be_told() {
        for (code, expected) in [
            ("BucketAlreadyOwnedByYou", S3ErrorCode::BucketAlreadyOwnedByYou),
            ("BucketAlreadyExists", S3ErrorCode::BucketAlreadyExists),
        ] {
            let (s3, _) = aws("eu-west-1", [Canned::error(409, code)]);
            let error = now(s3.bucket("photos").create().send()).unwrap_err();
            assert_eq!(error.s3_code(), Some(expected));
            assert!(error.to_string().contains("bucket photos"), "{error}");
        }
    }

    #[test]
    fn a_redirect_makes_no_bucket_elsewhere() {
        let (s3, wire) =
            aws("us-east-1", [Canned::error(301, "PermanentRedirect").header("x-amz-bucket-region", "eu-west-1")]);
        assert!(now(s3.bucket("photos").create().send()).is_err());
        assert_eq!(wire.count(), 1);
    }
}
