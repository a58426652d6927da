//! Signatures of texts that the caller composed: policy documents, and strings to sign that are checked.

use super::SigV4;
use super::scratch::with_scratch;
use crate::Credentials;
use crate::encoding::hex;
use crate::error::SigningError;

impl SigV4 {
    /// The HMAC-SHA256 of `text` under the key of `day`, in hexadecimal digits.
    pub(crate) fn sign_text(
        &self,
        text: &[u8],
        credentials: &Credentials,
        day: [u8; 8],
    ) -> Result<[u8; 64], SigningError> {
        self.check_names(credentials)?;
        Ok(with_scratch(|scratch| {
            hex(&scratch.keys.key(self.dialect, credentials, day, &self.region, &self.service).sign(text))
        }))
    }

    /// The field of a form that carries the session token; `None` for the members of the family whose forms are others.
    #[cfg(feature = "post-policy")]
    pub(crate) fn form_token_field(&self) -> Option<&'static str> {
        let is_aws4 = self.dialect.algorithm == crate::dialect::AWS4_HMAC_SHA256.algorithm;
        is_aws4.then_some(self.dialect.token_header)
    }

    /// How the path goes into the canonical request.
    pub(crate) fn path_settings(&self) -> (crate::PathEncoding, crate::PathNormalization) {
        (self.path_encoding, self.path_normalization)
    }

    /// When `x-amz-content-sha256` is expected.
    pub(crate) fn expected_content_sha256(&self) -> crate::ContentSha256Header {
        self.content_sha256_header
    }

    /// Where the session token is expected.
    pub(crate) fn expected_token(&self) -> crate::TokenPlacement {
        self.token_placement
    }
}
