//! Reading an object.

use std::fmt;
use std::future::IntoFuture;
use std::ops::RangeBounds;
use std::path::PathBuf;
use std::sync::Arc;

use aws_sigv4_free_core::Error;
use aws_sigv4_free_core::settings::ChecksumMode;
use aws_sigv4_free_http_transport::BoxFuture;
use bytes::Bytes;
use http::{HeaderValue, Method};

use super::range::ByteRange;
use super::{Conditional, Conditions, Download};
use crate::call::{Call, Context, Draft, Operation, Purpose, boxed};
use crate::file::target::{Durability, TargetFile};
use crate::metadata::ObjectInfo;

pub(super) type OnProgress = Arc<dyn Fn(u64, Option<u64>) + Send + Sync>;

/// [`GetObject`](https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html): see
/// [`Object::get`](crate::Object::get).
#[derive(Clone, Default)]
pub struct GetObject {
    range: Option<ByteRange>,
    version_id: Option<String>,
    conditions: Conditions,
    overrides: Vec<(&'static str, String)>,
    on_progress: Option<OnProgress>,
    durability: Durability,
}

impl Call<GetObject> {
    /// Reads these bytes only, `..512` or `100..=199`. A range that goes beyond the end of the object is cut there; one that
    /// begins beyond it fails with `InvalidRange`. The bytes of a range are not verified by a checksum.
    pub fn range(self, range: impl RangeBounds<u64>) -> Self {
        self.with(|operation| operation.range = Some(ByteRange::new(range)))
    }

    /// Reads the last `count` bytes only, or all of them where there are fewer.
    pub fn last_bytes(self, count: u64) -> Self {
        self.with(|operation| operation.range = Some(ByteRange::Last(count)))
    }

    /// Reads this version.
    pub fn version_id(self, version_id: impl Into<String>) -> Self {
        self.with(|operation| operation.version_id = Some(version_id.into()))
    }

    /// Has the answer carry this `Content-Type`, whatever is stored. An anonymous client may not.
    pub fn response_content_type(self, value: impl Into<String>) -> Self {
        self.with(|operation| operation.overrides.push(("response-content-type", value.into())))
    }

    /// Has the answer carry this `Content-Disposition`, "attachment; filename=cat.jpg", whatever is stored: with
    /// [`presign`](Self::presign), the name under which a browser saves it. An anonymous client may not.
    pub fn response_content_disposition(self, value: impl Into<String>) -> Self {
        self.with(|operation| operation.overrides.push(("response-content-disposition", value.into())))
    }

    /// Has the answer carry this `Cache-Control`, whatever is stored. An anonymous client may not.
    pub fn response_cache_control(self, value: impl Into<String>) -> Self {
        self.with(|operation| operation.overrides.push(("response-cache-control", value.into())))
    }

    /// Calls `on_progress` with the bytes that have arrived and, where it is known, the bytes that there are. It should
    /// return at once.
    pub fn on_progress(self, on_progress: impl Fn(u64, Option<u64>) + Send + Sync + 'static) -> Self {
        self.with(|operation| operation.on_progress = Some(Arc::new(on_progress)))
    }

    /// Sets whether [`to_file`](Self::to_file) waits until the file is on the disk.
    pub fn durability(self, durability: Durability) -> Self {
        self.with(|operation| operation.durability = durability)
    }

    /// Sends it: the same as `.await`.
    ///
    /// # Errors
    /// Anything that [`ErrorKind`](crate::ErrorKind) names.
    pub async fn send(self) -> Result<Download, Error> {
        let in_operation = |error: Error| error.in_operation("s3", GetObject::NAME);
        let response = self.send_for_response().await?;
        let GetObject { range, on_progress, .. } = self.operation;
        Download::new(response, range, on_progress).map_err(in_operation)
    }

    /// Reads all bytes into memory.
    ///
    /// # Errors
    /// Those of [`send`](Self::send); the object is larger than `limit` bytes; the bytes are not those that were stored.
    pub async fn bytes(self, limit: usize) -> Result<Bytes, Error> {
        self.send().await?.bytes(limit).await
    }

    /// Writes the object to the file at `path`, in the place of what was there.
    ///
    /// The bytes are written to a temporary file in the same folder, which is renamed when they are all there and verified,
    /// and removed when anything fails. The folder has to exist. For a path that is made of a key, see
    /// [`local_path`](crate::local_path).
    ///
    /// # Errors
    /// Those of [`send`](Self::send); the file can't be written ([`ErrorKind::Io`](crate::ErrorKind::Io)); the bytes are not those that were stored
    /// ([`ErrorKind::Integrity`](crate::ErrorKind::Integrity)).
    ///
    /// # Cancel safety
    /// Dropping the future removes the temporary file. The file at `path` is as it was.
    pub async fn to_file(self, path: impl Into<PathBuf>) -> Result<ObjectInfo, Error> {
        let in_operation = |error: Error| error.in_operation("s3", GetObject::NAME);
        let path = path.into();
        let durability = self.operation.durability;
        // What can't be written is known before anything is sent.
        let mut file = TargetFile::create(&path).await.map_err(in_operation)?;
        let mut download = self.send().await?;
        while let Some(chunk) = download.chunk().await? {
            file = file.write(chunk).await.map_err(in_operation)?;
        }
        file.keep(durability).await.map_err(in_operation)?;
        Ok(download.into_info())
    }
}

impl Conditional for GetObject {
    fn conditions(&mut self) -> &mut Conditions {
        &mut self.conditions
    }
}

impl Operation for GetObject {
    const NAME: &'static str = "GetObject";

    fn draft(&self, context: Context<'_>) -> Result<Draft, Error> {
        let mut draft = Draft::new(Method::GET);
        for (name, value) in &self.overrides {
            draft.query = draft.query.pair(name, value);
        }
        draft.query = draft.query.optional("versionId", self.version_id.as_deref());
        self.conditions.insert_into(&mut draft.headers, "")?;
        if let Some(range) = self.range {
            range.insert_into(&mut draft.headers)?;
        }
        let verifies = context.client.response_checksum() == ChecksumMode::WhenSupported;
        if context.purpose == Purpose::Send && verifies && self.range.is_none() {
            draft.headers.insert("x-amz-checksum-mode", HeaderValue::from_static("ENABLED"));
        }
        Ok(draft)
    }
}

impl IntoFuture for Call<GetObject> {
    type Output = Result<Download, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        boxed(self.send())
    }
}

impl fmt::Debug for GetObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GetObject")
            .field("range", &self.range)
            .field("version_id", &self.version_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{Canned, Folder, aws, client, now};
    use crate::{Checksum, ChecksumAlgorithm, Credentials, ErrorExt, ErrorKind, S3};
    use std::sync::Mutex;
    use std::time::Duration;
    use time::OffsetDateTime;

    #[test]
    fn the_whole_object_is_verified() {
        let stored = Checksum::of(ChecksumAlgorithm::Crc64Nvme, b"hello").to_base64();
        let answer = || Canned::ok("hello").header("content-length", "5").header("etag", "\"e\"");
        let (s3, wire) = aws(
            "eu-west-1",
            [
                answer().header("x-amz-checksum-crc64nvme", stored),
                answer().header("x-amz-checksum-crc32", "AAAAAA=="),
                answer().header("x-amz-checksum-crc32", "AAAAAA==-2"),
                answer().header("x-amz-checksum-crc32", "AAAAAA==").header("x-amz-checksum-type", "COMPOSITE"),
            ],
        );
        let object = s3.bucket("photos").object("a");
        let download = now(object.get().send()).unwrap();
        assert_eq!((download.length(), download.info().etag.as_deref()), (Some(5), Some("\"e\"")));
        assert_eq!(now(download.bytes(5)).unwrap(), "hello");
        assert_eq!(wire.lines(0), ["GET https://photos.s3.eu-west-1.amazonaws.com/a", "x-amz-checksum-mode: ENABLED"]);
        let error = now(object.get().bytes(5)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Integrity);
        assert!(error.to_string().contains("CRC32 NhCmhg==, the store's CRC32 AAAAAA=="), "{error}");
        // A checksum of checksums says nothing about the bytes.
        for _ in 0..2 {
            assert_eq!(now(object.get().bytes(5)).unwrap(), "hello");
        }
    }

    #[test]
    fn memory_has_a_limit() {
        let (s3, _) = aws("eu-west-1", [Canned::ok("hello"), Canned::ok("hello").header("content-length", "5")]);
        for _ in 0..2 {
            let error = now(s3.bucket("photos").object("a").get().bytes(4)).unwrap_err();
            assert!(error.to_string().contains("larger than the 4 bytes"), "{error}");
        }
    }

    #[test]
    fn a_range_is_asked_for_and_checked() {
        let partial = |range: &str| Canned::new(206, "el").header("content-range", format!("bytes {range}/5"));
        let (s3, wire) = aws(
            "eu-west-1",
            [partial("1-2").header("x-amz-checksum-crc32", "AAAAAA=="), partial("2-3"), Canned::ok("hello")],
        );
        let object = s3.bucket("photos").object("a");
        let download = now(object.get().range(1..3).send()).unwrap();
        assert_eq!((download.range(), download.info().size), (Some((1, 2)), Some(5)));
        assert_eq!(now(download.bytes(2)).unwrap(), "el");
        assert_eq!(wire.lines(0), ["GET https://photos.s3.eu-west-1.amazonaws.com/a", "range: bytes=1-2"]);
        assert!(now(object.get().range(1..3).send()).unwrap_err().to_string().contains("another range"));
        assert!(now(object.get().range(1..3).send()).unwrap_err().to_string().contains("may not know ranges"));
        assert!(now(object.get().range(3..3).send()).unwrap_err().to_string().contains("the range is empty"));
        assert_eq!(wire.count(), 3);
    }

    #[test]
    fn to_file_puts_the_whole_object_in_its_place_or_nothing() {
        let folder = Folder::new();
        let path = folder.file("cat.jpg", b"old");
        let good = Checksum::of(ChecksumAlgorithm::Sha256, b"hello").to_base64();
        let (s3, wire) = aws(
            "eu-west-1",
            [
                Canned::ok("hellO").header("x-amz-checksum-sha256", good.clone()),
                Canned::error(404, "NoSuchKey"),
                Canned::ok("hello").header("x-amz-checksum-sha256", good).header("x-amz-meta-colour", "black"),
            ],
        );
        let object = s3.bucket("photos").object("a");
        assert_eq!(now(object.get().to_file(&path)).unwrap_err().kind(), ErrorKind::Integrity);
        assert!(now(object.get().to_file(&path)).unwrap_err().is_not_found());
        assert_eq!((std::fs::read(&path).unwrap(), folder.names()), (b"old".to_vec(), vec!["cat.jpg".to_owned()]));
        let info = now(object.get().durability(Durability::Synced).to_file(&path)).unwrap();
        assert_eq!(info.metadata["colour"], "black");
        assert_eq!((std::fs::read(&path).unwrap(), folder.names()), (b"hello".to_vec(), vec!["cat.jpg".to_owned()]));

        let missing = now(object.get().to_file(folder.path().join("missing/cat.jpg"))).unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::Io);
        assert!(now(object.get().to_file(folder.path())).unwrap_err().to_string().contains("it is a directory"));
        assert_eq!(wire.count(), 3);
    }

    #[test]
    fn conditions_overrides_and_progress() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&seen);
        let (s3, wire) = aws("eu-west-1", [Canned::ok("hello").header("content-length", "5")]);
        let get = s3.bucket("photos").object("a").get().version_id("v 1").if_match("e");
        let get =
            get.response_content_disposition("attachment; filename=cat.jpg").on_progress(move |received, total| {
                shared.lock().unwrap().push((received, total));
            });
        now(get.bytes(5)).unwrap();
        assert_eq!(
            wire.lines(0),
            [
                "GET https://photos.s3.eu-west-1.amazonaws.com/a?response-content-disposition=attachment%3B%20filename%3Dcat.jpg\
                 &versionId=v%201",
                "if-match: \"e\"",
                "x-amz-checksum-mode: ENABLED",
            ]
        );
        assert_eq!(*seen.lock().unwrap(), [(5, Some(5))]);
    }

    #[test]
    fn an_anonymous_client_signs_nothing_and_presigns_nothing() {
        let (s3, wire) = client(S3::builder().anonymous(), [Canned::ok("hello")]);
        let object = s3.bucket("photos").object("a");
        assert_eq!(now(object.get().bytes(5)).unwrap(), "hello");
        assert_eq!(wire.header(0, "authorization"), None);
        let error = now(object.presign_get(Duration::from_secs(60))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Credentials);
    }

    #[test]
    fn a_url_lives_for_1_second_to_7_days_and_no_longer_than_its_credentials() {
        let (s3, wire) = aws("eu-west-1", []);
        let object = s3.bucket("photos").object("a");
        let week = Duration::from_secs(7 * 24 * 60 * 60);
        for life in [Duration::from_secs(1), week] {
            let url = now(object.presign_get(life)).unwrap();
            assert!(url.as_str().contains(&format!("X-Amz-Expires={}&", life.as_secs())), "{}", url.as_str());
            assert!(!format!("{url:?}").contains(url.as_str().rsplit('=').next().unwrap()));
        }
        for life in [Duration::ZERO, Duration::from_millis(999), week + Duration::from_secs(1)] {
            let error = now(object.presign_get(life)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains("7 days"), "{error}");
        }
        assert_eq!(wire.count(), 0);
        let ended = OffsetDateTime::from_unix_timestamp(1_772_301_030).unwrap();
        let credentials = Credentials::new("AKIDEXAMPLE", "canary").with_session_token("t").with_expiry(ended);
        let (s3, _) = client(S3::builder().credentials(credentials), []);
        let error = now(s3.bucket("photos").object("a").presign_get(Duration::from_secs(60))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Credentials);
    }
}
