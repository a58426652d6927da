//! What S3's errors mean.

use aws_sigv4_free_core::{Error, ErrorKind};
use http::StatusCode;

/// Questions to an [`Error`] that is S3's.
///
/// # Example
/// ```no_run
/// use aws_sigv4_free_s3::{ErrorExt, S3, S3ErrorCode};
///
/// # async fn example(s3: S3) -> Result<(), aws_sigv4_free_s3::Error> {
/// match s3.bucket("photos").object("cat.jpg").head().await {
///     Ok(info) => println!("{:?} bytes", info.size),
///     Err(error) if error.is_not_found() => println!("no cat"),
///     Err(error) => return Err(error),
/// }
/// let created = s3.bucket("photos").create().await;
/// if created.as_ref().is_err_and(|error| error.s3_code() == Some(S3ErrorCode::BucketAlreadyExists)) {
///     println!("somebody else has it");
/// }
/// # Ok(())
/// # }
/// ```
pub trait ErrorExt: sealed::Sealed {
    /// The code of S3's answer, as a value to match on; `None` where S3 did not answer with an error.
    fn s3_code(&self) -> Option<S3ErrorCode>;

    /// Whether the bucket, the object, the version or the upload does not exist. The code tells them apart, but for HEAD,
    /// whose answer has no body to hold it.
    fn is_not_found(&self) -> bool;

    /// Whether the identity may not do it. S3 also answers so about an object that does not exist to somebody who may not
    /// list the bucket.
    fn is_access_denied(&self) -> bool;

    /// Whether a condition (`if_match`, `if_none_match` of an upload, ...) did not hold.
    fn is_precondition_failed(&self) -> bool;

    /// Whether a read with a condition found the object unchanged.
    fn is_not_modified(&self) -> bool;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for aws_sigv4_free_core::Error {}
}

macro_rules! codes {
    ($($(#[$meta:meta])* $code:ident = $text:literal),* $(,)?) => {
        /// The codes of S3's errors that programs ask for. Any other is [`Other`](Self::Other).
        #[non_exhaustive]
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum S3ErrorCode {
            $($(#[$meta])* $code,)*
            /// A code that has no name here.
            Other(String),
        }

        impl S3ErrorCode {
            /// The code as S3 writes it.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$code => $text,)*
                    Self::Other(text) => text,
                }
            }
        }

        impl From<&str> for S3ErrorCode {
            fn from(text: &str) -> Self {
                match text {
                    $($text => Self::$code,)*
                    other => Self::Other(other.to_owned()),
                }
            }
        }
    };
}

codes! {
    /// The identity may not do it.
    AccessDenied = "AccessDenied",
    /// The region that was signed for is not the bucket's.
    AuthorizationHeaderMalformed = "AuthorizationHeaderMalformed",
    /// The body is not the one that the checksum belongs to.
    BadDigest = "BadDigest",
    /// Somebody else has a bucket of this name.
    BucketAlreadyExists = "BucketAlreadyExists",
    /// The bucket is the caller's already.
    BucketAlreadyOwnedByYou = "BucketAlreadyOwnedByYou",
    /// The bucket holds objects, old versions or unfinished uploads.
    BucketNotEmpty = "BucketNotEmpty",
    /// Another request changed the object at the same time.
    ConditionalRequestConflict = "ConditionalRequestConflict",
    /// The body is larger than the operation takes.
    EntityTooLarge = "EntityTooLarge",
    /// The temporary credentials have expired.
    ExpiredToken = "ExpiredToken",
    /// The location is not the one of the endpoint.
    IllegalLocationConstraint = "IllegalLocationConstraintException",
    /// There is no such access key.
    InvalidAccessKeyId = "InvalidAccessKeyId",
    /// An argument is not allowed.
    InvalidArgument = "InvalidArgument",
    /// The name is not one that a bucket can have.
    InvalidBucketName = "InvalidBucketName",
    /// The object is archived, or in a state that does not allow it.
    InvalidObjectState = "InvalidObjectState",
    /// The range is outside the object.
    InvalidRange = "InvalidRange",
    /// The session token is not the key's.
    InvalidToken = "InvalidToken",
    /// The key is longer than 1024 bytes.
    KeyTooLong = "KeyTooLongError",
    /// The metadata is larger than 2 KiB.
    MetadataTooLarge = "MetadataTooLarge",
    /// The body has no known length.
    MissingContentLength = "MissingContentLength",
    /// The store does not have this function.
    NotImplemented = "NotImplemented",
    /// There is no such bucket.
    NoSuchBucket = "NoSuchBucket",
    /// There is no object with this key.
    NoSuchKey = "NoSuchKey",
    /// There is no such multipart upload.
    NoSuchUpload = "NoSuchUpload",
    /// There is no such version.
    NoSuchVersion = "NoSuchVersion",
    /// A condition did not hold.
    PreconditionFailed = "PreconditionFailed",
    /// This machine's clock and the store's differ too much.
    RequestTimeTooSkewed = "RequestTimeTooSkewed",
    /// The secret key is wrong, or the request was changed on its way.
    SignatureDoesNotMatch = "SignatureDoesNotMatch",
    /// Too many requests.
    SlowDown = "SlowDown",
    /// The body is not the one that the signature belongs to.
    ContentSha256Mismatch = "XAmzContentSHA256Mismatch",
}

impl ErrorExt for Error {
    fn s3_code(&self) -> Option<S3ErrorCode> {
        self.code().map(S3ErrorCode::from)
    }

    fn is_not_found(&self) -> bool {
        match self.code() {
            Some("NoSuchBucket" | "NoSuchKey" | "NoSuchUpload" | "NoSuchVersion" | "NotFound") => true,
            // A code that names something else that is missing, such as a policy, is not about the object.
            _ => false,
        }
    }

    fn is_access_denied(&self) -> bool {
        matches!(self.code(), Some("AccessDenied" | "Forbidden" | "AllAccessDisabled" | "AccountProblem"))
    }

    fn is_precondition_failed(&self) -> bool {
        self.status() == Some(StatusCode::PRECONDITION_FAILED) || self.code() == Some("PreconditionFailed")
    }

    fn is_not_modified(&self) -> bool {
        self.status() == Some(StatusCode::NOT_MODIFIED)
    }
}

/// An answer of S3 that can't be understood.
pub(crate) fn unreadable(what: &str) -> Error {
    Error::response(format!("the answer can't be understood: {what}"))
}

/// Bytes that are not those that were stored.
pub(crate) fn integrity(message: String) -> Error {
    Error::new(ErrorKind::Integrity, message).after_sending()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sigv4_free_core::ServiceError;

    fn error(status: u16, code: &str) -> Error {
        ServiceError::new(StatusCode::from_u16(status).unwrap()).with_code(code).into()
    }

    #[test]
    fn codes_are_read_and_written_alike() {
        for code in ["NoSuchKey", "IllegalLocationConstraintException", "SomethingNew"] {
            assert_eq!(S3ErrorCode::from(code).as_str(), code);
        }
        assert_eq!(error(404, "NoSuchKey").s3_code(), Some(S3ErrorCode::NoSuchKey));
        assert_eq!(error(404, "New").s3_code(), Some(S3ErrorCode::Other("New".into())));
        assert_eq!(Error::invalid_input("x").s3_code(), None);
    }

    #[test]
    fn the_questions() {
        assert!(error(404, "NoSuchBucket").is_not_found());
        assert!(error(404, "").is_not_found(), "HEAD");
        assert!(!error(404, "NoSuchBucketPolicy").is_not_found());
        assert!(error(403, "").is_access_denied());
        assert!(!error(403, "SignatureDoesNotMatch").is_access_denied());
        assert!(error(412, "").is_precondition_failed());
        assert!(error(304, "").is_not_modified());
    }
}
