//! What the members of the family call the same things.

/// The names that one member of the SigV4 family uses. The engine is the same for each.
#[derive(Debug)]
pub(crate) struct Dialect {
    /// The name of the algorithm.
    pub(crate) algorithm: &'static str,
    /// What stands before the secret in the first key.
    pub(crate) key_prefix: &'static str,
    /// The end of the credential scope, and the last step of the key.
    pub(crate) terminator: &'static str,
    pub(crate) date_header: &'static str,
    pub(crate) token_header: &'static str,
    pub(crate) content_sha256_header: &'static str,
    /// Query parameters, in the order of their names.
    pub(crate) parameters: Parameters,
    /// What makes the signature.
    pub(crate) scheme: Scheme,
    /// Which headers are signed.
    pub(crate) header_rule: HeaderRule,
    /// What `authorization` calls the list of headers.
    pub(crate) header_list: &'static str,
    /// How a query parameter without a value stands in the canonical request.
    pub(crate) empty_value: EmptyValue,
}

/// Which headers of a request are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderRule {
    /// All but those that change on the way; all of them are listed.
    AllStable,
    /// Those that the service itself names, which are not listed, and those that the signer was told to add, which are.
    Implicit {
        /// The service names each header with this prefix, and `content-type` and `content-md5`.
        prefix: &'static str,
    },
}

/// How a query parameter without a value stands in the canonical request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EmptyValue {
    /// `name=`
    WithEquals,
    /// `name`
    Bare,
}

/// What makes the signature, and with it where the region goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// HMAC-SHA256 with a key of one day, region and service. The region is part of the credential scope.
    Hmac,
    /// ECDSA with a key of the credentials alone. The regions are a header or a parameter, and no part of the scope.
    #[cfg(feature = "sigv4a")]
    Ecdsa(RegionSet),
}

/// Where a set of regions goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RegionSet {
    pub(crate) header: &'static str,
    pub(crate) parameter: &'static str,
}

impl Dialect {
    /// Where the regions go, unless the credential scope holds the one region.
    pub(crate) fn region_set(&self) -> Option<RegionSet> {
        match self.scheme {
            Scheme::Hmac => None,
            #[cfg(feature = "sigv4a")]
            Scheme::Ecdsa(place) => Some(place),
        }
    }
}

/// The query parameters of a presigned URL.
#[derive(Debug)]
pub(crate) struct Parameters {
    pub(crate) algorithm: &'static str,
    pub(crate) credential: &'static str,
    pub(crate) date: &'static str,
    pub(crate) expires: &'static str,
    pub(crate) security_token: &'static str,
    pub(crate) signed_headers: &'static str,
    pub(crate) signature: &'static str,
}

/// AWS Signature Version 4.
pub(crate) const AWS4_HMAC_SHA256: Dialect = Dialect {
    algorithm: "AWS4-HMAC-SHA256",
    key_prefix: "AWS4",
    terminator: "aws4_request",
    date_header: "x-amz-date",
    token_header: "x-amz-security-token",
    content_sha256_header: "x-amz-content-sha256",
    parameters: Parameters {
        algorithm: "X-Amz-Algorithm",
        credential: "X-Amz-Credential",
        date: "X-Amz-Date",
        expires: "X-Amz-Expires",
        security_token: "X-Amz-Security-Token",
        signed_headers: "X-Amz-SignedHeaders",
        signature: "X-Amz-Signature",
    },
    scheme: Scheme::Hmac,
    header_rule: HeaderRule::AllStable,
    header_list: "SignedHeaders",
    empty_value: EmptyValue::WithEquals,
};

/// AWS Signature Version 4 with the session token of S3 Express One Zone.
pub(crate) const AWS4_S3_EXPRESS: Dialect = Dialect {
    token_header: "x-amz-s3session-token",
    parameters: Parameters { security_token: "X-Amz-S3session-Token", ..AWS4_HMAC_SHA256.parameters },
    ..AWS4_HMAC_SHA256
};

/// Google Cloud Storage with HMAC keys.
pub(crate) const GOOG4_HMAC_SHA256: Dialect = Dialect {
    algorithm: "GOOG4-HMAC-SHA256",
    key_prefix: "GOOG4",
    terminator: "goog4_request",
    date_header: "x-goog-date",
    token_header: "x-goog-security-token",
    content_sha256_header: "x-goog-content-sha256",
    parameters: Parameters {
        algorithm: "X-Goog-Algorithm",
        credential: "X-Goog-Credential",
        date: "X-Goog-Date",
        expires: "X-Goog-Expires",
        security_token: "X-Goog-Security-Token",
        signed_headers: "X-Goog-SignedHeaders",
        signature: "X-Goog-Signature",
    },
    ..AWS4_HMAC_SHA256
};

/// Alibaba Cloud OSS, version 4.
pub(crate) const OSS4_HMAC_SHA256: Dialect = Dialect {
    algorithm: "OSS4-HMAC-SHA256",
    key_prefix: "aliyun_v4",
    terminator: "aliyun_v4_request",
    date_header: "x-oss-date",
    token_header: "x-oss-security-token",
    content_sha256_header: "x-oss-content-sha256",
    parameters: Parameters {
        algorithm: "x-oss-signature-version",
        credential: "x-oss-credential",
        date: "x-oss-date",
        expires: "x-oss-expires",
        security_token: "x-oss-security-token",
        signed_headers: "x-oss-additional-headers",
        signature: "x-oss-signature",
    },
    header_rule: HeaderRule::Implicit { prefix: "x-oss-" },
    header_list: "AdditionalHeaders",
    empty_value: EmptyValue::Bare,
    ..AWS4_HMAC_SHA256
};
