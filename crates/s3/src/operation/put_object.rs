//! Storing an object.

use std::fmt;
use std::future::IntoFuture;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use aws_sigv4_free_core::settings::ChecksumMode;
use aws_sigv4_free_core::{Error, ErrorKind};
use aws_sigv4_free_http_transport::{self as transport, Body, BodyKind, BoxFuture};
use bytes::Bytes;
use http::{Method, response};
use sha2::{Digest as _, Sha256};

use super::{Conditions, MAX_SINGLE_OBJECT, header_text};
use crate::call::{Answered, Call, Content, Context, Draft, Operation, Purpose, boxed};
use crate::checksum::{Checksum, ChecksumAlgorithm};
use crate::file::source::{self, Measured, Wanted};
use crate::metadata::ObjectHeaders;
use crate::off_thread;

type OnProgress = Arc<dyn Fn(u64, u64) + Send + Sync>;

/// [`PutObject`](https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html): see
/// [`Object::put`](crate::Object::put).
pub struct PutObject {
    /// Taken out by the first attempt where it can be sent once only.
    body: Mutex<Option<Body>>,
    path: Option<PathBuf>,
    pub(super) headers: ObjectHeaders,
    conditions: Conditions,
    checksum: Option<Checksum>,
    sha256: Option<[u8; 32]>,
    is_unsigned: bool,
    on_progress: Option<OnProgress>,
}

/// What is known of a stored object.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PutObjectOutput {
    /// The entity tag, with its quotes. It is not always an MD5.
    pub etag: Option<String>,
    /// The version, in a bucket with versions.
    pub version_id: Option<String>,
    /// The checksum that the store verified; `None` where it does not tell.
    pub checksum: Option<Checksum>,
}

impl PutObject {
    pub(crate) fn body(body: Body) -> Self {
        Self {
            body: Mutex::new(Some(body)),
            path: None,
            headers: ObjectHeaders::default(),
            conditions: Conditions::default(),
            checksum: None,
            sha256: None,
            is_unsigned: false,
            on_progress: None,
        }
    }

    pub(crate) fn file(path: PathBuf) -> Self {
        Self { path: Some(path), ..Self::body(Body::empty()) }
    }

    /// The body of an attempt, with its progress told from zero on.
    fn attempt(&self) -> Result<Body, Error> {
        let mut kept = self.body.lock().unwrap_or_else(PoisonError::into_inner);
        let body = match kept.as_ref().map(Body::try_clone) {
            Some(Some(body)) => Some(body),
            _ => kept.take(),
        };
        let body =
            body.ok_or_else(|| Error::new(ErrorKind::InvalidInput, "the body can be sent once only, and was sent"))?;
        let Some(on_progress) = self.on_progress.clone() else { return Ok(body) };
        let (sent, total) = (AtomicU64::new(0), body.length().unwrap_or_default());
        Ok(body.on_progress(move |count| {
            on_progress(sent.fetch_add(count, Ordering::Relaxed) + count, total);
        }))
    }
}

impl Call<PutObject> {
    /// Stores the object only where none with its key is there: `if_none_match("*")`. Fails with `PreconditionFailed` else.
    pub fn if_none_match(self, etag: impl Into<String>) -> Self {
        self.with(|operation| operation.conditions.if_none_match = Some(etag.into()))
    }

    /// Replaces the object only where it has this ETag. Fails with `PreconditionFailed` else.
    pub fn if_match(self, etag: impl Into<String>) -> Self {
        self.with(|operation| operation.conditions.if_match = Some(etag.into()))
    }

    /// Sends this checksum of the body, in the place of a CRC-32 that is computed. The store refuses a body that does not
    /// have it.
    pub fn checksum(self, checksum: Checksum) -> Self {
        self.with(|operation| operation.checksum = Some(checksum))
    }

    /// Signs the body by this SHA-256 of it, in the place of one that is computed. It lets a stream go over plain HTTP.
    pub fn sha256(self, sha256: [u8; 32]) -> Self {
        self.with(|operation| operation.sha256 = Some(sha256))
    }

    /// Leaves the body out of the signature, whatever the client's
    /// [`payload_signing`](crate::S3Builder::payload_signing) says. On plain HTTP nothing protects it then.
    pub fn unsigned_payload(self) -> Self {
        self.with(|operation| operation.is_unsigned = true)
    }

    /// Calls `on_progress` with the bytes that were handed to the network and the bytes that there are. Each attempt begins
    /// at zero. It is called often, from within the sending: it should return at once.
    pub fn on_progress(self, on_progress: impl Fn(u64, u64) + Send + Sync + 'static) -> Self {
        self.with(|operation| operation.on_progress = Some(Arc::new(on_progress)))
    }

    /// Finds out what has to be known before the head is sent: the length, and the checksums.
    async fn measure(&mut self) -> Result<Option<Measured>, Error> {
        let operation = &mut self.operation;
        let signs = self.client.signs_objects() && !operation.is_unsigned;
        let wanted = Wanted {
            crc32: operation.checksum.is_none() && self.client.request_checksum() == ChecksumMode::WhenSupported,
            sha256: signs && operation.sha256.is_none(),
        };
        let body = operation.body.get_mut().unwrap_or_else(PoisonError::into_inner);
        let measured = if let Some(path) = &operation.path {
            let length = source::length(path).await?;
            check_length(body.insert(Body::file(path, 0, length)))?;
            Some(source::measure(path, 0, length, wanted).await?)
        } else {
            let Some(body) = body else { return Ok(None) };
            check_length(body)?;
            match body.kind() {
                BodyKind::File(range) => Some(source::measure(&range.path, range.offset, range.length, wanted).await?),
                BodyKind::Stream { .. } if wanted.sha256 => {
                    return Err(Error::invalid_input(
                        "a stream can't be signed before it was read, and plain HTTP does not protect it: give its SHA-256, \
                         or choose an unsigned payload, or use HTTPS",
                    ));
                }
                BodyKind::Bytes(bytes) => {
                    let sums = sums(bytes.clone(), wanted).await?;
                    operation.checksum = operation.checksum.or(sums.0);
                    operation.sha256 = operation.sha256.or(sums.1);
                    None
                }
                BodyKind::Empty if wanted.crc32 => {
                    operation.checksum = Some(Checksum::of(ChecksumAlgorithm::Crc32, b""));
                    None
                }
                _ => None,
            }
        };
        if let Some(measured) = &measured {
            operation.checksum = operation.checksum.or(measured.crc32);
            operation.sha256 = operation.sha256.or(measured.sha256);
        }
        Ok(measured)
    }

    /// Sends it: the same as `.await`.
    ///
    /// # Errors
    /// Anything that [`ErrorKind`] names: [`ErrorKind::Io`] where a file can't be read, or was changed while it was sent.
    pub async fn send(mut self) -> Result<PutObjectOutput, Error> {
        let in_operation = |error: Error| error.in_operation("s3", PutObject::NAME);
        let measured = self.measure().await.map_err(in_operation)?;
        let result = self.exchange().await;
        // Where the file was changed meanwhile, that is the reason of a failure; and a success has stored a mixture.
        if let Some(measured) = measured
            && result.as_ref().err().is_none_or(is_about_the_body)
            && let Err(changed) = measured.is_unchanged().await
        {
            let changed = in_operation(changed);
            return Err(match result {
                Ok(_) => changed,
                Err(error) => changed.with_source(error),
            });
        }
        result
    }
}

/// Whether a failure may come from a body that is not as it was announced.
fn is_about_the_body(error: &Error) -> bool {
    matches!(
        error.code(),
        Some("BadDigest" | "XAmzContentSHA256Mismatch" | "XAmzContentChecksumMismatch" | "IncompleteBody")
    ) || std::error::Error::source(error)
        .and_then(|source| source.downcast_ref::<transport::Error>())
        .is_some_and(|source| source.kind() == transport::ErrorKind::RequestBody)
}

/// The checksums of bytes in memory, computed once for all attempts. Many bytes are not hashed in a thread of the runtime.
async fn sums(bytes: Bytes, wanted: Wanted) -> Result<(Option<Checksum>, Option<[u8; 32]>), Error> {
    const MANY: usize = 1 << 20;
    let is_many = bytes.len() >= MANY;
    let compute = move || {
        let crc32 = wanted.crc32.then(|| Checksum::of(ChecksumAlgorithm::Crc32, &bytes));
        (crc32, wanted.sha256.then(|| Sha256::digest(&bytes).into()))
    };
    if is_many { off_thread::run(compute).await } else { Ok(compute()) }
}

fn check_length(body: &Body) -> Result<(), Error> {
    match body.length() {
        None => Err(Error::invalid_input("the length of the body is not known: S3 needs it before the first byte")),
        Some(length) if length > MAX_SINGLE_OBJECT => Err(Error::invalid_input(format!(
            "the body has {length} bytes: one request stores at most 5 GiB, more takes an upload in parts"
        ))),
        Some(_) => Ok(()),
    }
}

impl Operation for PutObject {
    const NAME: &'static str = "PutObject";

    fn draft(&self, context: Context<'_>) -> Result<Draft, Error> {
        let mut draft = Draft::new(Method::PUT);
        self.headers.insert_into(&mut draft.headers)?;
        self.conditions.insert_into(&mut draft.headers, "")?;
        if let Some(checksum) = &self.checksum {
            checksum.insert_into(&mut draft.headers);
        }
        if context.purpose == Purpose::Send {
            draft.body = self.attempt()?;
        }
        draft.content = if self.is_unsigned { Content::Unsigned } else { Content::Object { sha256: self.sha256 } };
        Ok(draft)
    }
}

impl Answered for PutObject {
    type Output = PutObjectOutput;

    fn read(&self, head: &response::Parts, _: &[u8]) -> Result<PutObjectOutput, Error> {
        Ok(PutObjectOutput {
            etag: header_text(&head.headers, "etag"),
            version_id: header_text(&head.headers, "x-amz-version-id"),
            checksum: Checksum::from_headers(&head.headers),
        })
    }
}

impl IntoFuture for Call<PutObject> {
    type Output = Result<PutObjectOutput, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        boxed(self.send())
    }
}

impl fmt::Debug for PutObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Headers may hold keys of encryption.
        f.debug_struct("PutObject").field("path", &self.path).field("checksum", &self.checksum).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{Canned, Folder, aws, client, now, store};
    use crate::{Credentials, ErrorExt, PayloadSigning, S3};
    use std::task::{Context as TaskContext, Poll};
    use std::time::Duration;

    /// A stream of one chunk.
    struct Once(Option<&'static str>);
    impl transport::ChunkSource for Once {
        fn poll_chunk(&mut self, _: &mut TaskContext<'_>) -> Poll<Option<Result<transport::Bytes, transport::Error>>> {
            Poll::Ready(self.0.take().map(|text| Ok(text.into())))
        }
    }

    fn hex(bytes: &[u8]) -> String {
        Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn over_https_a_crc32_protects_the_bytes() {
        let answer = Canned::ok("")
            .header("etag", "\"e\"")
            .header("x-amz-version-id", "v1")
            .header("x-amz-checksum-crc32", "NhCmhg==");
        let (s3, wire) = aws("eu-west-1", [answer]);
        let put =
            s3.bucket("photos").object("greeting").put("hello").content_type("text/plain").metadata("Colour", "black");
        let output =
            now(put.cache_control("max-age=1").storage_class("STANDARD_IA").if_none_match("*").send()).unwrap();
        assert_eq!(
            wire.lines(0),
            [
                "PUT https://photos.s3.eu-west-1.amazonaws.com/greeting",
                "content-type: text/plain",
                "cache-control: max-age=1",
                "x-amz-storage-class: STANDARD_IA",
                "x-amz-meta-colour: black",
                "if-none-match: *",
                "x-amz-checksum-crc32: NhCmhg==",
            ]
        );
        assert_eq!(wire.header(0, "x-amz-content-sha256").as_deref(), Some("UNSIGNED-PAYLOAD"));
        assert_eq!(wire.body(0), "hello");
        assert_eq!((output.etag.as_deref(), output.version_id.as_deref()), (Some("\"e\""), Some("v1")));
        assert_eq!(output.checksum, Some(Checksum::of(ChecksumAlgorithm::Crc32, b"hello")));
    }

    #[test]
    fn on_plain_http_the_bytes_are_signed_too() {
        let folder = Folder::new();
        let path = folder.file("a", b"hello");
        let (s3, wire) = store([Canned::ok(""), Canned::ok(""), Canned::ok("")]);
        let object = s3.bucket("photos").object("a");
        now(object.put("hello").send()).unwrap();
        now(object.put_file(&path).send()).unwrap();
        now(object.put("").send()).unwrap();
        for (index, body) in ["hello", "hello", ""].into_iter().enumerate() {
            assert_eq!(wire.body(index), body);
            assert_eq!(wire.header(index, "x-amz-content-sha256"), Some(hex(body.as_bytes())));
            assert_eq!(
                wire.header(index, "x-amz-checksum-crc32"),
                Some(Checksum::of(ChecksumAlgorithm::Crc32, body.as_bytes()).to_base64())
            );
        }
    }

    #[test]
    fn both_can_be_switched() {
        let set = |builder: crate::S3Builder| {
            let builder = builder.credentials(Credentials::new("AKIDEXAMPLE", "canary"));
            let (s3, wire) = client(builder, [Canned::ok("")]);
            now(s3.bucket("photos").object("a").put("hello").send()).unwrap();
            (wire.header(0, "x-amz-content-sha256").unwrap(), wire.header(0, "x-amz-checksum-crc32"))
        };
        let (payload, checksum) = set(S3::builder().payload_signing(PayloadSigning::Signed));
        assert_eq!((payload, checksum.is_some()), (hex(b"hello"), true));
        let http = S3::builder().endpoint("http://127.0.0.1:9000");
        let (payload, checksum) =
            set(http.payload_signing(PayloadSigning::Unsigned).request_checksum(ChecksumMode::WhenRequired));
        assert_eq!((payload.as_str(), checksum), ("UNSIGNED-PAYLOAD", None));
    }

    #[test]
    fn a_stream_goes_as_far_as_it_is_safe() {
        let stream = || Once(Some("hello"));
        let (s3, wire) = aws("eu-west-1", [Canned::ok("")]);
        let checksum = Checksum::of(ChecksumAlgorithm::Crc64Nvme, b"hello");
        now(s3.bucket("photos").object("a").put_stream(5, stream()).checksum(checksum).send()).unwrap();
        assert_eq!(wire.header(0, "x-amz-checksum-crc64nvme"), Some(checksum.to_base64()));
        assert_eq!(wire.header(0, "x-amz-checksum-crc32"), None);

        let (s3, wire) = store([Canned::ok(""), Canned::ok("")]);
        let object = s3.bucket("photos").object("a");
        let error = now(object.put_stream(5, stream()).send()).unwrap_err();
        assert!(error.to_string().contains("give its SHA-256"), "{error}");
        assert_eq!((error.kind(), wire.count()), (ErrorKind::InvalidInput, 0));
        now(object.put_stream(5, stream()).sha256(Sha256::digest(b"hello").into()).send()).unwrap();
        now(object.put_stream(5, stream()).unsigned_payload().send()).unwrap();
        assert_eq!(wire.header(0, "x-amz-content-sha256"), Some(hex(b"hello")));
        assert_eq!(wire.header(1, "x-amz-content-sha256").as_deref(), Some("UNSIGNED-PAYLOAD"));
        assert_eq!((wire.body(0), wire.body(1)), ("hello".into(), "hello".into()));
    }

    #[test]
    fn a_stream_is_not_sent_twice_and_bytes_are() {
        let cut = Canned::failure(transport::ErrorKind::ConnectionClosed);
        let (s3, wire) = aws("eu-west-1", [cut, Canned::error(503, "SlowDown"), Canned::ok("")]);
        now(s3.bucket("photos").object("a").put("hello").send()).unwrap();
        assert_eq!((wire.body(0), wire.body(2)), ("hello".into(), "hello".into()));
        let (s3, wire) = aws("eu-west-1", [Canned::error(503, "SlowDown")]);
        let error = now(s3.bucket("photos").object("a").put_stream(5, Once(Some("hello"))).send()).unwrap_err();
        assert!(error.to_string().contains("can be sent once only"), "{error}");
        assert_eq!(wire.count(), 1);
    }

    #[test]
    fn lengths_that_one_request_does_not_take() {
        let (s3, wire) = aws("eu-west-1", []);
        let object = s3.bucket("photos").object("a");
        let unknown = now(object.put(Body::once(None, Box::new(Once(None)))).send()).unwrap_err();
        assert!(unknown.to_string().contains("length of the body is not known"), "{unknown}");
        let large = now(object.put_stream((5 << 30) + 1, Once(None)).send()).unwrap_err();
        assert!(large.to_string().contains("at most 5 GiB"), "{large}");
        assert_eq!(wire.count(), 0);
    }

    #[test]
    fn a_file_that_is_none_is_named_and_nothing_sent() {
        let folder = Folder::new();
        let (s3, wire) = aws("eu-west-1", []);
        let object = s3.bucket("photos").object("a");
        let missing = now(object.put_file(folder.path().join("missing.jpg")).send()).unwrap_err();
        assert!(missing.to_string().contains("missing.jpg: it is not there"), "{missing}");
        assert_eq!(missing.kind(), ErrorKind::Io);
        let directory = now(object.put_file(folder.path()).send()).unwrap_err();
        assert!(directory.to_string().ends_with("it is a directory"), "{directory}");
        assert_eq!(wire.count(), 0);
    }

    #[test]
    fn a_file_that_changes_while_it_is_sent_is_told() {
        let folder = Folder::new();
        for answer in [Canned::ok(""), Canned::error(400, "BadDigest")] {
            let path = folder.file("a", b"hello");
            let (s3, _) = aws("eu-west-1", [answer]);
            let changed = path.clone();
            let put = s3.bucket("photos").object("a").put_file(&path).on_progress(move |_, _| {
                std::fs::write(&changed, b"hello, world").unwrap();
            });
            let error = now(put.send()).unwrap_err();
            assert!(error.to_string().contains("was changed while it was sent"), "{error}");
        }
        // A refusal that has nothing to do with the bytes stays what it is.
        let path = folder.file("a", b"hello");
        let (s3, _) = aws("eu-west-1", [Canned::error(403, "AccessDenied")]);
        let error = now(s3.bucket("photos").object("a").put_file(&path).send()).unwrap_err();
        assert!(error.is_access_denied());
    }

    #[test]
    fn progress_begins_anew_with_each_attempt() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&seen);
        let (s3, _) = aws("eu-west-1", [Canned::error(500, "InternalError"), Canned::ok("")]);
        let put = s3.bucket("photos").object("a").put("hello").on_progress(move |sent, total| {
            shared.lock().unwrap().push((sent, total));
        });
        now(put.send()).unwrap();
        assert_eq!(*seen.lock().unwrap(), [(2, 5), (5, 5), (2, 5), (5, 5)]);
    }

    #[test]
    fn metadata_that_a_header_can_not_carry_stops_the_call() {
        let (s3, wire) = aws("eu-west-1", []);
        let error = now(s3.bucket("photos").object("a").put("x").metadata("colour", "a\r\nb").send()).unwrap_err();
        assert!(error.to_string().contains("\"colour\" has a line break"), "{error}");
        assert_eq!(wire.count(), 0);
    }

    #[test]
    fn a_url_holds_what_was_set_and_no_checksum_of_nothing() {
        let (s3, wire) = aws("eu-west-1", []);
        let object = s3.bucket("photos").object("a b");
        let url = now(object.presign_put(Duration::from_secs(60))).unwrap();
        assert!(url.as_str().starts_with("https://photos.s3.eu-west-1.amazonaws.com/a%20b?"), "{}", url.as_str());
        assert!(url.as_str().contains("X-Amz-SignedHeaders=host&"), "{}", url.as_str());
        let typed = now(object.put("").content_type("text/plain").presign(Duration::from_secs(60))).unwrap();
        assert!(typed.as_str().contains("X-Amz-SignedHeaders=content-type%3Bhost&"), "{}", typed.as_str());
        assert_eq!(wire.count(), 0);
    }
}
