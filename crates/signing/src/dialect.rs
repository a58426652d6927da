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
};
