//! Deleting an object.

use aws_sigv4_free_core::Error;
use http::{Method, response};

use super::{Conditions, header_text};
use crate::address::Query;
use crate::call::{Answered, Call, Context, Draft, Operation, SingleStep};

/// [`DeleteObject`](https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html): see
/// [`Object::delete`](crate::Object::delete).
#[derive(Clone, Debug, Default)]
pub struct DeleteObject {
    version_id: Option<String>,
    conditions: Conditions,
}

/// What became of a deleted object, in a bucket with versions.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeleteObjectOutput {
    /// The version that was deleted, or the delete marker that was made.
    pub version_id: Option<String>,
    /// Whether that is a delete marker.
    pub is_delete_marker: bool,
}

impl Call<DeleteObject> {
    /// Deletes this version for good.
    pub fn version_id(self, version_id: impl Into<String>) -> Self {
        self.with(|operation| operation.version_id = Some(version_id.into()))
    }

    /// Fails with `PreconditionFailed` unless the object has this ETag.
    pub fn if_match(self, etag: impl Into<String>) -> Self {
        self.with(|operation| operation.conditions.if_match = Some(etag.into()))
    }
}

impl Operation for DeleteObject {
    const NAME: &'static str = "DeleteObject";

    fn draft(&self, _: Context<'_>) -> Result<Draft, Error> {
        let mut draft = Draft::new(Method::DELETE);
        draft.query = Query::default().optional("versionId", self.version_id.as_deref());
        self.conditions.insert_into(&mut draft.headers, "")?;
        Ok(draft)
    }
}

impl Answered for DeleteObject {
    type Output = DeleteObjectOutput;

    fn read(&self, head: &response::Parts, _: &[u8]) -> Result<DeleteObjectOutput, Error> {
        Ok(DeleteObjectOutput {
            version_id: header_text(&head.headers, "x-amz-version-id"),
            is_delete_marker: head.headers.get("x-amz-delete-marker").is_some_and(|value| value == "true"),
        })
    }
}

impl SingleStep for DeleteObject {}

#[cfg(test)]
mod tests {
    use crate::test_support::{Canned, aws, now};

    #[test]
    fn the_request_and_its_answer() {
        let marker = Canned::new(204, "").header("x-amz-version-id", "v2").header("x-amz-delete-marker", "true");
        let (s3, wire) = aws("eu-west-1", [marker, Canned::new(204, "")]);
        let object = s3.bucket("photos").object("a//../b?");
        let output = now(object.delete().send()).unwrap();
        assert_eq!((output.version_id.as_deref(), output.is_delete_marker), (Some("v2"), true));
        now(object.delete().version_id("v1").if_match("e").send()).unwrap();
        assert_eq!(wire.lines(0), ["DELETE https://photos.s3.eu-west-1.amazonaws.com/a//../b%3F"]);
        assert_eq!(
            wire.lines(1),
            ["DELETE https://photos.s3.eu-west-1.amazonaws.com/a//../b%3F?versionId=v1", "if-match: \"e\""]
        );
    }
}
