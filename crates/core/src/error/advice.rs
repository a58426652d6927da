//! What to do about an error code.

/// What to do about a service's error with `code`; `None` where the service's own message has to do.
///
/// # Example
/// ```
/// use aws_sigv4_free_core::error::advice;
///
/// assert!(advice("RequestTimeTooSkewed").unwrap().contains("clock"));
/// assert_eq!(advice("SomethingElse"), None);
/// ```
pub fn advice(code: &str) -> Option<&'static str> {
    Some(match code {
        "SignatureDoesNotMatch" | "InvalidSignatureException" | "IncompleteSignature" => {
            "check the secret access key first; then the region, the service name, and that nothing between here and the \
             service changes the request"
        }
        "InvalidAccessKeyId" | "InvalidClientTokenId" | "UnrecognizedClientException" => {
            "check the access key id: it may be deleted, inactive, of another partition, or temporary and used without its \
             session token"
        }
        "InvalidToken" | "MissingAuthenticationToken" | "MissingAuthenticationTokenException" => {
            "check that the session token belongs to the access key id, and that it is set where the key is temporary"
        }
        "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" => {
            "the temporary credentials have expired: log in again, or renew them"
        }
        "RequestTimeTooSkewed" | "RequestExpired" | "RequestInTheFuture" => {
            "set the clock of this machine: it differs too much from the service's"
        }
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" | "Forbidden" | "AllAccessDisabled" => {
            "check the policies of the identity and of the resource, and that the resource exists: a service may hide that it \
             does not"
        }
        "AuthFailure" | "Unauthorized" | "OptInRequired" | "SubscriptionRequiredException" => {
            "check the credentials, and that the account is signed up for the service in this region"
        }
        "AuthorizationHeaderMalformed" | "PermanentRedirect" | "IllegalLocationConstraintException" => {
            "use the region of the bucket, and its endpoint"
        }
        "TemporaryRedirect" => "try again later, or use the endpoint of the bucket's region",
        "NoSuchBucket" => "check the bucket's name and the endpoint; create the bucket if it is missing",
        "NoSuchKey" => {
            "check the key, and that the bucket is the right one: keys are case-sensitive and do not start with a slash"
        }
        "NoSuchUpload" => "the upload was completed or aborted: start it again",
        "NotFound" => "check the bucket's name, the key and the endpoint",
        "BucketAlreadyExists" => "choose another name: bucket names are shared by all accounts of a partition",
        "BucketAlreadyOwnedByYou" => "the bucket is yours already: use it",
        "BucketNotEmpty" => "delete what is in the bucket first, old versions and unfinished uploads included",
        "InvalidBucketName" => "use 3 to 63 lower-case letters, digits, hyphens and dots",
        "PreconditionFailed" => "the object is not as the condition wants it: read it again, then decide",
        "InvalidRange" => "ask for a range that begins within the object",
        "EntityTooLarge" => "upload the object in parts",
        "EntityTooSmall" => "make every part but the last at least 5 MiB long",
        "InvalidPart" | "InvalidPartOrder" => "name each uploaded part with its ETag, in ascending order",
        "KeyTooLongError" => "use a key of at most 1024 bytes in UTF-8",
        "MetadataTooLarge" => "keep user metadata below 2 KiB",
        "MissingContentLength" => "send a body of known length",
        "BadDigest" | "InvalidDigest" | "XAmzContentSHA256Mismatch" | "XAmzContentChecksumMismatch" => {
            "the body was changed on its way or while it was read: send it again, and look for a proxy if it happens again"
        }
        "IncompleteBody" => "the service received fewer bytes than announced: send the body again",
        "SlowDown"
        | "Throttling"
        | "ThrottlingException"
        | "RequestLimitExceeded"
        | "TooManyRequestsException"
        | "TooManyRequests"
        | "BandwidthLimitExceeded" => "send fewer requests at a time, or try again later",
        "ServiceUnavailable"
        | "InternalError"
        | "InternalFailure"
        | "InternalServerError"
        | "BadGateway"
        | "GatewayTimeout" => "the fault is with the service or a proxy before it: try again later",
        "RequestTimeout" | "RequestTimeoutException" => {
            "the service waited too long for the body: check the network, or send less at a time"
        }
        "NotImplemented" => {
            "the service does not know a header or a feature that was used: a store that is not AWS may need its checksums \
             switched off"
        }
        "MethodNotAllowed" => "the service does not allow this on the resource: check the endpoint and the resource",
        "InvalidAction" | "UnknownOperationException" => {
            "check the API name of the operation, and the version of the API"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_advice_ends_in_a_period_or_holds_a_line_break() {
        for code in ["SignatureDoesNotMatch", "AccessDenied", "NoSuchKey", "SlowDown", "NotImplemented", "BadDigest"] {
            let text = advice(code).unwrap();
            assert!(!text.ends_with('.') && !text.contains('\n') && !text.contains("  "), "{text}");
        }
        assert_eq!(advice("Unheard"), None);
    }
}
