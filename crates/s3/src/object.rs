//! An object, and what can be done with it.

use std::path::PathBuf;
use std::time::Duration;

use aws_sigv4_free_http_transport::{Body, ChunkSource};
use aws_sigv4_free_signing::PresignedUrl;

use crate::call::{Call, Target};
use crate::operation::{CopyObject, CopySource, DeleteObject, GetObject, HeadObject, PutObject};
use crate::{Bucket, Error};

/// An object of a bucket. It need not exist. Its key is checked by each operation, before anything is sent.
#[derive(Clone, Debug)]
pub struct Object {
    bucket: Bucket,
    key: String,
}

impl Object {
    pub(crate) fn new(bucket: &Bucket, key: String) -> Self {
        Self { bucket: bucket.clone(), key }
    }

    /// The key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The bucket.
    pub fn bucket(&self) -> &Bucket {
        &self.bucket
    }

    /// Stores `body`: bytes, a text, or a [`Body`] of any kind whose length is known. At most 5 GiB.
    ///
    /// Over HTTPS the bytes are not signed, and a CRC-32 is sent that S3 verifies before it stores anything. On plain HTTP
    /// they are signed as well. Neither is known of a stream before it was read: see [`put_stream`](Self::put_stream).
    ///
    /// API: [`PutObject`](https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html).
    ///
    /// # Example
    /// ```no_run
    /// # async fn example(bucket: aws_sigv4_free_s3::Bucket) -> Result<(), aws_sigv4_free_s3::Error> {
    /// bucket.object("greeting.txt").put("hello").content_type("text/plain").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn put(&self, body: impl Into<Body>) -> Call<PutObject> {
        self.call(PutObject::body(body.into()))
    }

    /// Stores the file at `path`, at most 5 GiB of it. The file is read twice, in small pieces: for its checksums, and to be
    /// sent.
    ///
    /// # Errors
    /// Besides those of every call: the file is missing, unreadable, or no regular file; or it was changed while it was sent,
    /// in which case what is stored is not what the file holds.
    pub fn put_file(&self, path: impl Into<PathBuf>) -> Call<PutObject> {
        self.call(PutObject::file(path.into()))
    }

    /// Stores the `length` bytes that `source` gives. A stream can be sent once: the call is not tried again.
    ///
    /// Its checksum is not known before it was read. Over HTTPS it is sent without one, unless
    /// [`checksum`](Call::checksum) gives it. On plain HTTP, where nothing would protect the bytes,
    /// [`sha256`](Call::sha256) has to give it, or [`unsigned_payload`](Call::unsigned_payload) do without.
    pub fn put_stream(&self, length: u64, source: impl ChunkSource + 'static) -> Call<PutObject> {
        self.put(Body::once(Some(length), Box::new(source)))
    }

    /// Reads the object, or a range of it. The bytes are read from the answer as they arrive, or by
    /// [`bytes`](Call::bytes) and [`to_file`](Call::to_file).
    ///
    /// API: [`GetObject`](https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html).
    ///
    /// # Example
    /// ```no_run
    /// # async fn example(bucket: aws_sigv4_free_s3::Bucket) -> Result<(), aws_sigv4_free_s3::Error> {
    /// let cat = bucket.object("cat.jpg");
    /// let info = cat.get().to_file("cat.jpg").await?;
    /// let start = cat.get().range(..512).bytes(512).await?;
    /// let mut download = cat.get().await?;
    /// while let Some(chunk) = download.chunk().await? {
    ///     println!("{} bytes", chunk.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn get(&self) -> Call<GetObject> {
        self.call(GetObject::default())
    }

    /// What is known of the object, without its bytes.
    ///
    /// API: [`HeadObject`](https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html).
    pub fn head(&self) -> Call<HeadObject> {
        self.call(HeadObject::default())
    }

    /// Deletes the object. One that is not there counts as deleted. In a bucket with versions it becomes an old version.
    ///
    /// API: [`DeleteObject`](https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html).
    pub fn delete(&self) -> Call<DeleteObject> {
        self.call(DeleteObject::default())
    }

    /// Makes this object a copy of another, in the store, of at most 5 GiB. What is stored beside the bytes is copied along,
    /// unless any of it is given anew: then none is.
    ///
    /// API: [`CopyObject`](https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html).
    ///
    /// # Example
    /// ```no_run
    /// # async fn example(bucket: aws_sigv4_free_s3::Bucket) -> Result<(), aws_sigv4_free_s3::Error> {
    /// let cat = bucket.object("cat.jpg");
    /// bucket.object("cats/1.jpg").copy_from(&cat).await?;
    /// bucket.object("dog.jpg").copy_from(("other-bucket", "dog.jpg")).content_type("image/jpeg").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn copy_from(&self, source: impl Into<CopySource>) -> Call<CopyObject> {
        self.call(CopyObject::new(source.into()))
    }

    /// A URL that reads the object, without credentials, for 1 second to 7 days: short for `get().presign(..)`.
    ///
    /// # Errors
    /// See [`Call::presign`].
    pub async fn presign_get(&self, expires_in: Duration) -> Result<PresignedUrl, Error> {
        self.get().presign(expires_in).await
    }

    /// A URL that stores the object: short for `put(..).presign(..)`. A content type that is to be stored has to be set there,
    /// and sent by whoever uses the URL.
    ///
    /// # Errors
    /// See [`Call::presign`].
    pub async fn presign_put(&self, expires_in: Duration) -> Result<PresignedUrl, Error> {
        self.put(Body::empty()).presign(expires_in).await
    }

    /// A URL that asks for what is known of the object: short for `head().presign(..)`.
    ///
    /// # Errors
    /// See [`Call::presign`].
    pub async fn presign_head(&self, expires_in: Duration) -> Result<PresignedUrl, Error> {
        self.head().presign(expires_in).await
    }

    /// A URL that deletes the object: short for `delete().presign(..)`.
    ///
    /// # Errors
    /// See [`Call::presign`].
    pub async fn presign_delete(&self, expires_in: Duration) -> Result<PresignedUrl, Error> {
        self.delete().presign(expires_in).await
    }

    fn call<O>(&self, operation: O) -> Call<O> {
        let target =
            Target { bucket: Some(self.bucket.name().to_owned()), key: Some(self.key.clone()), ..Target::default() };
        Call::new(self.bucket.client(), target, operation)
    }
}
