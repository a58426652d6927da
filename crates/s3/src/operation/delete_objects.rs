//! Deleting many objects.

use std::collections::HashSet;
use std::fmt;
use std::future::IntoFuture;

use aws_sigv4_free_core::Error;
use aws_sigv4_free_core::call::ErrorInSuccess;
use aws_sigv4_free_core::protocol::xml::XmlWriter;
use aws_sigv4_free_http_transport::{Body, BoxFuture, Bytes};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, Method, header, response};

use crate::address::Query;
use crate::call::{Answered, Call, Context, Draft, Operation, boxed};
use crate::checksum::{Checksum, ChecksumAlgorithm, md5};
use crate::name;
use crate::xml::{self, NAMESPACE};

/// How many objects one request deletes.
const BATCH: usize = 1000;

/// [`DeleteObjects`](https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html): see
/// [`Bucket::delete_objects`](crate::Bucket::delete_objects).
#[derive(Clone, Debug, Default)]
pub struct DeleteObjects {
    objects: Vec<ObjectToDelete>,
    md5: ContentMd5,
}

/// Whether a batch delete carries the old checksum besides, or in the place of, the new one.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ContentMd5 {
    /// A CRC-32, as AWS wants it: the default.
    #[default]
    Absent,
    /// `Content-MD5` in its place, for stores that know no other.
    InPlaceOfCrc32,
}

/// An object to be deleted: a key, or a version of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectToDelete {
    key: String,
    version_id: Option<String>,
}

/// What became of a batch.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeleteObjectsOutput {
    /// What was deleted, or was not there.
    pub deleted: Vec<DeletedObject>,
    /// What was not deleted, and why.
    pub failures: Vec<DeleteFailure>,
}

/// An object that was deleted.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeletedObject {
    /// The key.
    pub key: String,
    /// The version that was asked for.
    pub version_id: Option<String>,
    /// The version of the delete marker that was made or deleted, in a bucket with versions.
    pub delete_marker_version_id: Option<String>,
}

/// An object that was not deleted.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteFailure {
    /// The key.
    pub key: String,
    /// The version that was asked for.
    pub version_id: Option<String>,
    /// The error code, "AccessDenied".
    pub code: String,
    /// The store's words.
    pub message: String,
}

impl fmt::Display for DeleteFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", name::shown(&self.key), self.code)?;
        match self.message.trim_end_matches('.') {
            "" => Ok(()),
            // It is the store's: nothing of it may move a terminal's cursor.
            message => write!(f, ": {}", message.replace(char::is_control, " ")),
        }
    }
}

impl ObjectToDelete {
    /// The object with this key.
    pub fn new(key: impl Into<String>) -> Self {
        Self { key: key.into(), version_id: None }
    }

    /// This version of it, for good.
    #[must_use]
    pub fn version_id(mut self, version_id: impl Into<String>) -> Self {
        self.version_id = Some(version_id.into());
        self
    }
}

impl<T: Into<String>> From<T> for ObjectToDelete {
    fn from(key: T) -> Self {
        Self::new(key)
    }
}

impl DeleteObjects {
    pub(crate) fn new(objects: Vec<ObjectToDelete>) -> Self {
        Self { objects, md5: ContentMd5::default() }
    }
}

impl Call<DeleteObjects> {
    /// Sets whether `Content-MD5` is sent, for stores that demand it: Google Cloud Storage, older MinIO and Ceph.
    pub fn content_md5(self, md5: ContentMd5) -> Self {
        self.with(|operation| operation.md5 = md5)
    }

    /// Sends it: the same as `.await`.
    ///
    /// # Errors
    /// A request failed as a whole. Those before it have deleted what they were about; to delete all of them again does no
    /// harm. That single objects were not deleted is no error: see [`DeleteObjectsOutput::failures`].
    pub async fn send(self) -> Result<DeleteObjectsOutput, Error> {
        let Self { client, target, operation } = self;
        let mut all = DeleteObjectsOutput::default();
        for batch in operation.objects.chunks(BATCH) {
            let operation = DeleteBatch { objects: batch.to_vec(), md5: operation.md5 };
            let output = Call { client: client.clone(), target: target.clone(), operation }.exchange().await?;
            all.deleted.extend(output.deleted);
            all.failures.extend(output.failures);
        }
        Ok(all)
    }
}

impl IntoFuture for Call<DeleteObjects> {
    type Output = Result<DeleteObjectsOutput, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    /// Sends it, 1000 objects in a request, one request after the other. Without objects nothing is sent.
    fn into_future(self) -> Self::IntoFuture {
        boxed(self.send())
    }
}

/// The objects of one request.
#[derive(Clone, Debug)]
struct DeleteBatch {
    objects: Vec<ObjectToDelete>,
    md5: ContentMd5,
}

impl Operation for DeleteBatch {
    const NAME: &'static str = "DeleteObjects";
    // Some stores answer before they have deleted.
    const ERROR_IN_SUCCESS: ErrorInSuccess = ErrorInSuccess::XmlRoot;

    fn draft(&self, _: Context<'_>) -> Result<Draft, Error> {
        let mut xml = XmlWriter::new("Delete", NAMESPACE);
        for object in &self.objects {
            name::check_key(&object.key).map_err(Error::invalid_input)?;
            xml.open("Object").element("Key", &object.key).optional("VersionId", object.version_id.as_deref()).close();
        }
        let body = Bytes::from(xml.finish());
        let mut draft = Draft::new(Method::POST);
        draft.query = Query::default().flag("delete");
        draft.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
        // The operation demands a checksum, whatever the client's mode is.
        match self.md5 {
            ContentMd5::Absent => Checksum::of(ChecksumAlgorithm::Crc32, &body).insert_into(&mut draft.headers),
            ContentMd5::InPlaceOfCrc32 => {
                if let Ok(value) = HeaderValue::try_from(STANDARD.encode(md5(&body))) {
                    draft.headers.insert("content-md5", value);
                }
            }
        }
        draft.body = Body::from(body);
        Ok(draft)
    }
}

impl Answered for DeleteBatch {
    type Output = DeleteObjectsOutput;

    fn read(&self, _: &response::Parts, body: &[u8]) -> Result<DeleteObjectsOutput, Error> {
        let result = xml::document(body, "DeleteResult")?;
        let deleted = result.all("Deleted").map(|deleted| {
            Ok(DeletedObject {
                key: xml::required(deleted, "Key")?.to_owned(),
                version_id: xml::optional(deleted, "VersionId"),
                delete_marker_version_id: xml::optional(deleted, "DeleteMarkerVersionId"),
            })
        });
        let failures = result.all("Error").map(|error| {
            Ok(DeleteFailure {
                key: xml::required(error, "Key")?.to_owned(),
                version_id: xml::optional(error, "VersionId"),
                code: xml::optional(error, "Code").unwrap_or_else(|| "UnknownError".to_owned()),
                message: xml::optional(error, "Message").unwrap_or_default(),
            })
        });
        let mut output = DeleteObjectsOutput {
            deleted: deleted.collect::<Result<_, Error>>()?,
            failures: failures.collect::<Result<_, Error>>()?,
        };
        self.complete(&mut output);
        Ok(output)
    }
}

impl DeleteBatch {
    /// An object that the answer does not mention may still be there: it counts as not deleted.
    fn complete(&self, output: &mut DeleteObjectsOutput) {
        if output.deleted.len() + output.failures.len() >= self.objects.len() {
            return;
        }
        let deleted = output.deleted.iter().map(|deleted| (deleted.key.as_str(), deleted.version_id.as_deref()));
        let failed = output.failures.iter().map(|failed| (failed.key.as_str(), failed.version_id.as_deref()));
        let told: HashSet<_> = deleted.chain(failed).collect();
        let untold = self.objects.iter().filter(|object| !told.contains(&(&object.key, object.version_id.as_deref())));
        let untold: Vec<_> = untold
            .map(|object| DeleteFailure {
                key: object.key.clone(),
                version_id: object.version_id.clone(),
                code: "NotReported".to_owned(),
                message: "the store's answer does not mention it".to_owned(),
            })
            .collect();
        output.failures.extend(untold);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{Canned, aws, now};

    fn result(keys: impl IntoIterator<Item = String>) -> Canned {
        let deleted: String = keys.into_iter().map(|key| format!("<Deleted><Key>{key}</Key></Deleted>")).collect();
        Canned::ok(format!("<DeleteResult>{deleted}</DeleteResult>"))
    }

    #[test]
    fn the_request_and_its_answer() {
        let answer = "<DeleteResult><Deleted><Key>a&amp;b</Key><VersionId>v1</VersionId></Deleted>\
            <Error><Key>c</Key><Code>AccessDenied</Code><Message>Access Denied.</Message></Error></DeleteResult>";
        let (s3, wire) = aws("eu-west-1", [Canned::ok(answer)]);
        let objects = [ObjectToDelete::new("a&b").version_id("v1"), "c".into()];
        let output = now(s3.bucket("photos").delete_objects(objects).into_future()).unwrap();
        let body = "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Object><Key>a&amp;b</Key>\
            <VersionId>v1</VersionId></Object><Object><Key>c</Key></Object></Delete>";
        assert_eq!(wire.body(0), body);
        let crc32 = Checksum::of(ChecksumAlgorithm::Crc32, body.as_bytes()).to_base64();
        assert_eq!(
            wire.lines(0),
            [
                "POST https://photos.s3.eu-west-1.amazonaws.com/?delete=".to_owned(),
                "content-type: application/xml".to_owned(),
                format!("x-amz-checksum-crc32: {crc32}"),
            ]
        );
        assert_eq!(output.deleted[0].version_id.as_deref(), Some("v1"));
        assert_eq!(output.failures[0].to_string(), "\"c\": AccessDenied: Access Denied");
    }

    #[test]
    fn many_objects_go_in_batches_of_1000() {
        let keys = |range: std::ops::Range<u32>| range.map(|number| format!("k{number}"));
        let (s3, wire) = aws("eu-west-1", [result(keys(0..1000)), result(keys(1000..2000)), result(keys(2000..2001))]);
        let output = now(s3.bucket("photos").delete_objects(keys(0..2001)).into_future()).unwrap();
        assert_eq!((output.deleted.len(), wire.count()), (2001, 3));
        assert_eq!(wire.body(2).matches("<Key>").count(), 1);
    }

    #[test]
    fn nothing_to_delete_is_nothing_to_send() {
        let (s3, wire) = aws("eu-west-1", []);
        let output = now(s3.bucket("photos").delete_objects(Vec::<String>::new()).into_future()).unwrap();
        assert_eq!((output, wire.count()), (DeleteObjectsOutput::default(), 0));
    }

    #[test]
    fn a_store_of_old_gets_an_md5() {
        let (s3, wire) = aws("eu-west-1", [result(["a".to_owned()])]);
        let call = s3.bucket("photos").delete_objects(["a"]).content_md5(ContentMd5::InPlaceOfCrc32);
        now(call.into_future()).unwrap();
        assert_eq!(wire.header(0, "content-md5"), Some(STANDARD.encode(md5(wire.body(0).as_bytes()))));
        assert_eq!(wire.header(0, "x-amz-checksum-crc32"), None);
    }

    #[test]
    fn an_object_that_the_answer_leaves_out_is_not_taken_for_deleted() {
        let (s3, _) = aws("eu-west-1", [result(["a".to_owned()])]);
        let output = now(s3.bucket("photos").delete_objects(["a", "b"]).into_future()).unwrap();
        assert_eq!(output.deleted.len(), 1);
        assert_eq!(output.failures[0].to_string(), "\"b\": NotReported: the store's answer does not mention it");
    }

    #[test]
    fn a_key_that_can_not_be_is_refused() {
        let (s3, wire) = aws("eu-west-1", []);
        assert!(now(s3.bucket("photos").delete_objects(["a", ""]).into_future()).is_err());
        assert_eq!(wire.count(), 0);
    }
}
