//! A bucket, and what can be done with it.

use crate::call::{Call, Target};
use crate::operation::{CreateBucket, DeleteBucket, DeleteObjects, HeadBucket, ListObjects, ObjectToDelete};
use crate::{Error, ErrorExt, Object, Region, S3};

/// A bucket of a client. It need not exist. Its name is checked by each operation, before anything is sent.
#[derive(Clone, Debug)]
pub struct Bucket {
    client: S3,
    name: String,
}

/// Whether there is a bucket, and whether the identity may look into it.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BucketState {
    /// It is there, in this region, and may be read.
    Accessible {
        /// The region; `None` where the store does not tell.
        region: Option<Region>,
    },
    /// It is there, and the identity may not look into it. It may be somebody else's.
    Forbidden,
    /// It is not there.
    Missing,
}

impl Bucket {
    pub(crate) fn new(client: &S3, name: String) -> Self {
        Self { client: client.clone(), name }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The client that the bucket belongs to.
    pub fn client(&self) -> &S3 {
        &self.client
    }

    /// An object, which need not exist. A key has 1 to 1024 bytes of UTF-8, and is sent as it is: `a//b`, `../c` and `/d`
    /// are keys like any other.
    pub fn object(&self, key: impl Into<String>) -> Object {
        Object::new(self, key.into())
    }

    /// Makes the bucket, in the client's region unless another is set.
    ///
    /// The name must keep today's rules: 3 to 63 of a-z, 0-9, '.' and '-', begun and ended by a letter or a digit, no IP
    /// address, no reserved prefix or suffix. Stores other than AWS have wider rules.
    ///
    /// A bucket that is there already is an error whose code tells whether it is the caller's (`BucketAlreadyOwnedByYou`; in
    /// `us-east-1` AWS answers with success instead) or somebody else's (`BucketAlreadyExists`).
    ///
    /// API: [`CreateBucket`](https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html).
    pub fn create(&self) -> Call<CreateBucket> {
        self.call(CreateBucket::default())
    }

    /// Asks whether the bucket is there and may be read, and for its region. See [`state`](Self::state) for the three answers
    /// as values.
    ///
    /// API: [`HeadBucket`](https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html).
    pub fn head(&self) -> Call<HeadBucket> {
        self.call(HeadBucket::default())
    }

    /// Asks whether the bucket is there.
    ///
    /// The answer to HEAD has no body: a refusal does not say whether it is about the bucket or about the signature. It is
    /// followed by a list of one key, whose answer does.
    ///
    /// # Errors
    /// Anything but S3's answers that it is there, that it is forbidden, and that it is missing: a wrong secret key, for one.
    pub async fn state(&self) -> Result<BucketState, Error> {
        match self.head().send().await {
            Ok(head) => return Ok(BucketState::Accessible { region: head.region }),
            Err(error) if error.is_not_found() => return Ok(BucketState::Missing),
            Err(error) if matches!(error.code(), Some("Forbidden" | "BadRequest")) => {}
            Err(error) => return Err(error),
        }
        match self.list("").max_keys(1).await.try_next_page().await {
            Ok(_) => Ok(BucketState::Accessible { region: None }),
            Err(error) if error.is_not_found() => Ok(BucketState::Missing),
            Err(error) if error.is_access_denied() => Ok(BucketState::Forbidden),
            Err(error) => Err(error),
        }
    }

    /// Removes the bucket, which must be empty: no objects, no old versions, no unfinished uploads.
    ///
    /// API: [`DeleteBucket`](https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucket.html).
    pub fn delete(&self) -> Call<DeleteBucket> {
        self.call(DeleteBucket::default())
    }

    /// The objects whose keys begin with `prefix`, in the order of the bytes of their keys: a stream, over as many requests
    /// as it takes. An empty prefix means all of them.
    ///
    /// API: [`ListObjectsV2`](https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html).
    ///
    /// # Example
    /// ```no_run
    /// # async fn example(bucket: aws_sigv4_free_s3::Bucket) -> Result<(), aws_sigv4_free_s3::Error> {
    /// let mut objects = bucket.list("2026/").await;
    /// while let Some(object) = objects.try_next().await? {
    ///     println!("{} {}", object.size, object.key);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn list(&self, prefix: impl Into<String>) -> Call<ListObjects> {
        self.call(ListObjects::new(prefix.into()))
    }

    /// Deletes many objects, 1000 in a request. Objects that are not there count as deleted.
    ///
    /// API: [`DeleteObjects`](https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html).
    ///
    /// # Example
    /// ```no_run
    /// # async fn example(bucket: aws_sigv4_free_s3::Bucket) -> Result<(), aws_sigv4_free_s3::Error> {
    /// let outcome = bucket.delete_objects(["a.jpg", "b.jpg"]).await?;
    /// for failure in &outcome.failures {
    ///     println!("{failure}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn delete_objects<T: Into<ObjectToDelete>>(&self, objects: impl IntoIterator<Item = T>) -> Call<DeleteObjects> {
        self.call(DeleteObjects::new(objects.into_iter().map(Into::into).collect()))
    }

    fn call<O>(&self, operation: O) -> Call<O> {
        let target = Target { bucket: Some(self.name.clone()), ..Target::default() };
        Call::new(&self.client, target, operation)
    }
}
