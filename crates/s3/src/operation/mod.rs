//! The operations of S3, each one file: how its request is made, and how its answer is read. They do no input or output.

mod copy_object;
mod create_bucket;
mod delete_bucket;
mod delete_object;
mod delete_objects;
mod download;
mod get_object;
mod head_bucket;
mod head_object;
mod list_buckets;
mod list_objects;
mod object_headers;
mod put_object;
mod range;

pub use copy_object::{CopyObject, CopyObjectOutput, CopySource};
pub use create_bucket::CreateBucket;
pub use delete_bucket::DeleteBucket;
pub use delete_object::{DeleteObject, DeleteObjectOutput};
pub use delete_objects::{
    ContentMd5, DeleteFailure, DeleteObjects, DeleteObjectsOutput, DeletedObject, ObjectToDelete,
};
pub use download::Download;
pub use get_object::GetObject;
pub use head_bucket::{HeadBucket, HeadBucketOutput};
pub use head_object::HeadObject;
pub use list_buckets::{BucketList, BucketPage, BucketSummary, ListBuckets};
pub use list_objects::{ListObjects, ObjectList, ObjectPage, ObjectSummary};
pub use put_object::{PutObject, PutObjectOutput};

use aws_sigv4_free_core::Error;
use http::{HeaderMap, HeaderName};
use time::OffsetDateTime;

use crate::call::Call;
use crate::date;
use crate::metadata::{condition_value, header_value};

/// The longest object that one request stores or copies: 5 GiB.
pub(crate) const MAX_SINGLE_OBJECT: u64 = 5 << 30;

/// What an operation asks of the object before it does anything.
#[derive(Clone, Debug, Default)]
pub struct Conditions {
    pub(crate) if_match: Option<String>,
    pub(crate) if_none_match: Option<String>,
    pub(crate) if_modified_since: Option<OffsetDateTime>,
    pub(crate) if_unmodified_since: Option<OffsetDateTime>,
}

/// An operation that reads an object, and may be told when not to.
pub trait Conditional {
    /// Its conditions.
    #[doc(hidden)]
    fn conditions(&mut self) -> &mut Conditions;
}

impl<O: Conditional> Call<O> {
    /// Fails with `PreconditionFailed` unless the object has this ETag.
    pub fn if_match(self, etag: impl Into<String>) -> Self {
        self.with(|operation| operation.conditions().if_match = Some(etag.into()))
    }

    /// Fails with the status 304 where the object has this ETag.
    pub fn if_none_match(self, etag: impl Into<String>) -> Self {
        self.with(|operation| operation.conditions().if_none_match = Some(etag.into()))
    }

    /// Fails with the status 304 unless the object was written after this instant.
    pub fn if_modified_since(self, instant: OffsetDateTime) -> Self {
        self.with(|operation| operation.conditions().if_modified_since = Some(instant))
    }

    /// Fails with `PreconditionFailed` where the object was written after this instant.
    pub fn if_unmodified_since(self, instant: OffsetDateTime) -> Self {
        self.with(|operation| operation.conditions().if_unmodified_since = Some(instant))
    }
}

impl Conditions {
    /// Adds the headers, their names begun by `prefix`.
    pub(crate) fn insert_into(&self, headers: &mut HeaderMap, prefix: &str) -> Result<(), Error> {
        let pairs = [
            ("if-match", self.if_match.as_deref().map(condition_value)),
            ("if-none-match", self.if_none_match.as_deref().map(condition_value)),
            ("if-modified-since", self.if_modified_since.map(date::format_http_date)),
            ("if-unmodified-since", self.if_unmodified_since.map(date::format_http_date)),
        ];
        for (name, value) in pairs {
            if let Some(value) = value {
                let name = HeaderName::try_from(format!("{prefix}{name}"))
                    .map_err(|error| Error::invalid_input("a condition has no header").with_source(error))?;
                let value = header_value(name.as_str(), &value)?;
                headers.insert(name, value);
            }
        }
        Ok(())
    }
}

/// A header of an answer as text.
pub(crate) fn header_text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}
