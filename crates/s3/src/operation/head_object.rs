//! Asking for an object.

use aws_sigv4_free_core::Error;
use http::{HeaderValue, Method, response};

use super::{Conditional, Conditions};
use crate::address::Query;
use crate::call::{Answered, Call, Context, Draft, Operation, Purpose, SingleStep};
use crate::metadata::ObjectInfo;
use aws_sigv4_free_core::settings::ChecksumMode;

/// [`HeadObject`](https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html): see
/// [`Object::head`](crate::Object::head).
#[derive(Clone, Debug, Default)]
pub struct HeadObject {
    version_id: Option<String>,
    conditions: Conditions,
}

impl Call<HeadObject> {
    /// Asks for this version.
    pub fn version_id(self, version_id: impl Into<String>) -> Self {
        self.with(|operation| operation.version_id = Some(version_id.into()))
    }
}

impl Conditional for HeadObject {
    fn conditions(&mut self) -> &mut Conditions {
        &mut self.conditions
    }
}

impl Operation for HeadObject {
    const NAME: &'static str = "HeadObject";

    fn draft(&self, context: Context<'_>) -> Result<Draft, Error> {
        let mut draft = Draft::new(Method::HEAD);
        draft.query = Query::default().optional("versionId", self.version_id.as_deref());
        self.conditions.insert_into(&mut draft.headers, "")?;
        if context.purpose == Purpose::Send && context.client.response_checksum() == ChecksumMode::WhenSupported {
            draft.headers.insert("x-amz-checksum-mode", HeaderValue::from_static("ENABLED"));
        }
        Ok(draft)
    }
}

impl Answered for HeadObject {
    type Output = ObjectInfo;

    fn read(&self, head: &response::Parts, _: &[u8]) -> Result<ObjectInfo, Error> {
        Ok(ObjectInfo::from_headers(&head.headers))
    }
}

impl SingleStep for HeadObject {}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::ErrorExt;
    use crate::test_support::{Canned, aws, now};

    #[test]
    fn the_request_and_its_answer() {
        let (s3, wire) = aws(
            "eu-west-1",
            [Canned::ok("")
                .header("content-length", "12")
                .header("x-amz-meta-colour", "black")
                .header("etag", "\"e\"")],
        );
        let head = s3.bucket("photos").object("a b/ü.jpg").head().version_id("v/1").if_none_match("e");
        let info = now(head.send()).unwrap();
        assert_eq!(
            wire.lines(0),
            [
                "HEAD https://photos.s3.eu-west-1.amazonaws.com/a%20b/%C3%BC.jpg?versionId=v%2F1",
                "if-none-match: \"e\"",
                "x-amz-checksum-mode: ENABLED",
            ]
        );
        assert_eq!((info.size, info.etag.as_deref()), (Some(12), Some("\"e\"")));
        assert_eq!(info.metadata["colour"], "black");
    }

    #[test]
    fn a_missing_object_and_an_unchanged_one() {
        let (s3, _) = aws("eu-west-1", [Canned::new(404, ""), Canned::new(304, "")]);
        let object = s3.bucket("photos").object("cat.jpg");
        let missing = now(object.head().send()).unwrap_err();
        assert!(missing.is_not_found());
        assert!(missing.to_string().contains("bucket photos, key cat.jpg"), "{missing}");
        assert!(now(object.head().if_none_match("e").send()).unwrap_err().is_not_modified());
    }

    #[test]
    fn a_url_needs_no_header_of_its_user() {
        let (s3, _) = aws("eu-west-1", []);
        let url = now(s3.bucket("photos").object("cat.jpg").presign_head(Duration::from_secs(60))).unwrap();
        assert!(url.as_str().contains("X-Amz-SignedHeaders=host&"), "{}", url.as_str());
    }
}
