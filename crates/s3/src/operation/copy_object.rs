//! Copying an object in the store.

use aws_sigv4_free_core::Error;
use aws_sigv4_free_core::call::ErrorInSuccess;
use http::{HeaderValue, Method, response};
use time::OffsetDateTime;

use super::{Conditions, header_text};
use crate::call::{Answered, Call, Context, Draft, Operation, SingleStep};
use crate::metadata::ObjectHeaders;
use crate::name::{self, NameRules};
use crate::{Object, encode, xml};

/// [`CopyObject`](https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html): see
/// [`Object::copy_from`](crate::Object::copy_from).
#[derive(Clone, Debug)]
pub struct CopyObject {
    source: CopySource,
    conditions: Conditions,
    pub(super) headers: ObjectHeaders,
    replaces_metadata: bool,
}

/// The object that is copied: an [`Object`], or the names of a bucket and a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopySource {
    bucket: String,
    key: String,
    version_id: Option<String>,
}

/// What is known of a copy.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CopyObjectOutput {
    /// The entity tag of the copy, with its quotes.
    pub etag: Option<String>,
    /// When the copy was written.
    pub last_modified: Option<OffsetDateTime>,
    /// The version of the copy, in a bucket with versions.
    pub version_id: Option<String>,
}

impl CopySource {
    /// An object by the names of its bucket and its key.
    pub fn new(bucket: impl Into<String>, key: impl Into<String>) -> Self {
        Self { bucket: bucket.into(), key: key.into(), version_id: None }
    }

    /// This version of it, whatever is written meanwhile.
    #[must_use]
    pub fn version_id(mut self, version_id: impl Into<String>) -> Self {
        self.version_id = Some(version_id.into());
        self
    }

    fn header(&self) -> Result<HeaderValue, Error> {
        name::check_bucket(&self.bucket, NameRules::Legacy).map_err(Error::invalid_input)?;
        name::check_key(&self.key).map_err(Error::invalid_input)?;
        let mut source = format!("{}/{}", encode::query(&self.bucket), encode::path(&self.key));
        if let Some(version_id) = &self.version_id {
            source.push_str("?versionId=");
            source.push_str(&encode::query(version_id));
        }
        HeaderValue::try_from(source).map_err(|error| {
            Error::invalid_input("the source of the copy can't be named in a header").with_source(error)
        })
    }
}

impl From<&Object> for CopySource {
    fn from(object: &Object) -> Self {
        Self::new(object.bucket().name(), object.key())
    }
}

impl<B: Into<String>, K: Into<String>> From<(B, K)> for CopySource {
    fn from((bucket, key): (B, K)) -> Self {
        Self::new(bucket, key)
    }
}

impl CopyObject {
    pub(crate) fn new(source: CopySource) -> Self {
        let (conditions, headers) = (Conditions::default(), ObjectHeaders::default());
        Self { source, conditions, headers, replaces_metadata: false }
    }
}

impl Call<CopyObject> {
    /// Stores the metadata and the system's headers that are given here, and none of the source's. It is implied where any is
    /// given; without any, the copy has none.
    pub fn replace_metadata(self) -> Self {
        self.with(|operation| operation.replaces_metadata = true)
    }

    /// Copies only where the source has this ETag, else fails with `PreconditionFailed`.
    pub fn if_source_match(self, etag: impl Into<String>) -> Self {
        self.with(|operation| operation.conditions.if_match = Some(etag.into()))
    }

    /// Copies only where the source has another ETag, else fails with `PreconditionFailed`.
    pub fn if_source_none_match(self, etag: impl Into<String>) -> Self {
        self.with(|operation| operation.conditions.if_none_match = Some(etag.into()))
    }

    /// Copies only where the source was written after this instant, else fails with `PreconditionFailed`.
    pub fn if_source_modified_since(self, instant: OffsetDateTime) -> Self {
        self.with(|operation| operation.conditions.if_modified_since = Some(instant))
    }

    /// Copies only where the source was not written after this instant, else fails with `PreconditionFailed`.
    pub fn if_source_unmodified_since(self, instant: OffsetDateTime) -> Self {
        self.with(|operation| operation.conditions.if_unmodified_since = Some(instant))
    }
}

impl Operation for CopyObject {
    const NAME: &'static str = "CopyObject";
    // S3 answers before it has copied, and may fail afterwards.
    const ERROR_IN_SUCCESS: ErrorInSuccess = ErrorInSuccess::XmlRoot;

    fn draft(&self, _: Context<'_>) -> Result<Draft, Error> {
        let mut draft = Draft::new(Method::PUT);
        self.headers.insert_into(&mut draft.headers)?;
        self.conditions.insert_into(&mut draft.headers, "x-amz-copy-source-")?;
        draft.headers.insert("x-amz-copy-source", self.source.header()?);
        if self.replaces_metadata || self.headers.replaces_metadata() {
            draft.headers.insert("x-amz-metadata-directive", HeaderValue::from_static("REPLACE"));
        }
        Ok(draft)
    }
}

impl Answered for CopyObject {
    type Output = CopyObjectOutput;

    fn read(&self, head: &response::Parts, body: &[u8]) -> Result<CopyObjectOutput, Error> {
        let result = xml::document(body, "CopyObjectResult")?;
        Ok(CopyObjectOutput {
            etag: xml::optional(&result, "ETag"),
            last_modified: xml::instant(&result, "LastModified"),
            version_id: header_text(&head.headers, "x-amz-version-id"),
        })
    }
}

impl SingleStep for CopyObject {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{Canned, aws, now};

    const RESULT: &str = "<CopyObjectResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
        <LastModified>2026-02-28T17:50:30.000Z</LastModified><ETag>&quot;e&quot;</ETag></CopyObjectResult>";

    #[test]
    fn the_source_is_encoded_and_the_answer_read() {
        let (s3, wire) = aws("eu-west-1", [Canned::ok(RESULT).header("x-amz-version-id", "v9")]);
        let bucket = s3.bucket("photos");
        let source = CopySource::from(&s3.bucket("other").object("a b/+ü?.jpg")).version_id("v/1");
        let output = now(bucket.object("b.jpg").copy_from(source).if_source_match("e").send()).unwrap();
        assert_eq!(
            wire.lines(0),
            [
                "PUT https://photos.s3.eu-west-1.amazonaws.com/b.jpg",
                "x-amz-copy-source-if-match: \"e\"",
                "x-amz-copy-source: other/a%20b/%2B%C3%BC%3F.jpg?versionId=v%2F1",
            ]
        );
        assert_eq!((output.etag.as_deref(), output.version_id.as_deref()), (Some("\"e\""), Some("v9")));
        assert_eq!(output.last_modified.unwrap().unix_timestamp(), 1_772_301_030);
    }

    #[test]
    fn what_is_given_anew_replaces_everything() {
        let (s3, wire) = aws("eu-west-1", [Canned::ok(RESULT), Canned::ok(RESULT), Canned::ok(RESULT)]);
        let object = s3.bucket("photos").object("a");
        now(object.copy_from(&object).metadata("colour", "black").send()).unwrap();
        assert_eq!(wire.header(0, "x-amz-metadata-directive"), Some("REPLACE".into()));
        assert_eq!(wire.header(0, "x-amz-meta-colour"), Some("black".into()));
        now(object.copy_from(("photos", "b")).storage_class("GLACIER").send()).unwrap();
        assert_eq!(wire.header(1, "x-amz-metadata-directive"), None);
        now(object.copy_from(("photos", "b")).replace_metadata().send()).unwrap();
        assert_eq!(wire.header(2, "x-amz-metadata-directive"), Some("REPLACE".into()));
    }

    #[test]
    fn an_error_in_a_success_is_an_error() {
        let failed = "<?xml version=\"1.0\"?>\n<Error><Code>InvalidRequest</Code><Message>no</Message></Error>";
        let (s3, _) = aws("eu-west-1", [Canned::ok(failed)]);
        let error = now(s3.bucket("photos").object("a").copy_from(("photos", "b")).send()).unwrap_err();
        assert_eq!(error.code(), Some("InvalidRequest"));
    }

    #[test]
    fn a_source_that_can_not_be_is_refused() {
        let (s3, wire) = aws("eu-west-1", []);
        for source in [("", "a"), ("a/b", "a"), ("..", "a"), ("abc", "")] {
            assert!(now(s3.bucket("photos").object("a").copy_from(source).send()).is_err());
        }
        assert_eq!(wire.count(), 0);
    }
}
