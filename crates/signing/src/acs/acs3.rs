//! Signature version 3 of Alibaba Cloud.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use sm3::Sm3;
use time::OffsetDateTime;

use super::{as_text, check_nonce, unusable};
use crate::encoding::{Part, encode_decoded, hex};
use crate::error::{SigningError, SigningErrorKind};
use crate::in_place::sign_in_place;
use crate::parameters::{ParameterList, Plus};
use crate::sigv4::already_signed;
use crate::timestamp::Timestamp;
use crate::{Credentials, Payload, RawRequest, RawSignature};

const DATE: &str = "x-acs-date";
const NONCE: &str = "x-acs-signature-nonce";
const CONTENT_SHA256: &str = "x-acs-content-sha256";
const ACCESS_KEY_ID: &str = "x-acs-accesskey-id";
const TOKEN: &str = "x-acs-security-token";

/// The hash function of a signature of version 3.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Acs3Algorithm {
    /// `ACS3-HMAC-SHA256`: what everything takes.
    #[default]
    HmacSha256,
    /// `ACS3-HMAC-SM3`: where Chinese national standards are demanded.
    HmacSm3,
}

impl Acs3Algorithm {
    /// The name as it is signed and sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HmacSha256 => "ACS3-HMAC-SHA256",
            Self::HmacSm3 => "ACS3-HMAC-SM3",
        }
    }

    fn hash(self, text: &[u8]) -> [u8; 64] {
        hex(&match self {
            Self::HmacSha256 => Sha256::digest(text).into(),
            Self::HmacSm3 => Sm3::digest(text).into(),
        })
    }

    fn sign(self, secret: &str, text: &[u8]) -> Result<[u8; 64], SigningError> {
        let bytes = match self {
            Self::HmacSha256 => {
                let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map_err(|_| unusable())?;
                mac.chain_update(text).finalize().into_bytes()
            }
            Self::HmacSm3 => {
                let mac = Hmac::<Sm3>::new_from_slice(secret.as_bytes()).map_err(|_| unusable())?;
                mac.chain_update(text).finalize().into_bytes()
            }
        };
        Ok(hex(&bytes.into()))
    }
}

/// Signs requests to Alibaba Cloud's APIs with signature version 3 (`ACS3-HMAC-SHA256`).
///
/// The caller puts `x-acs-action` and `x-acs-version` on the request, as the API has them; the signer adds `x-acs-date`,
/// `x-acs-signature-nonce`, `x-acs-content-sha256`, and with a token `x-acs-accesskey-id` and `x-acs-security-token`. It
/// signs `host`, `content-type` and everything that starts with `x-acs-`.
///
/// Source: "Request syntax and signature method V3" in the documentation of Alibaba Cloud SDK
/// (<https://www.alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature>).
///
/// # Example
/// ```
/// use aws_sigv4_free_signing::{Acs3, Credentials, Payload};
/// use time::OffsetDateTime;
///
/// let credentials = Credentials::new("YourAccessKeyId", "YourAccessKeySecret");
/// let mut request = http::Request::post("https://kms.cn-hangzhou.aliyuncs.com/?SecretName=database")
///     .header("x-acs-action", "GetSecretValue")
///     .header("x-acs-version", "2016-01-20")
///     .body(())?;
/// let nonce = "3156853299f313e23d1673dc12e1703d"; // Random, another one for each request.
/// Acs3::new().sign(&mut request, Payload::empty(), nonce, &credentials, OffsetDateTime::UNIX_EPOCH)?;
/// assert_eq!(request.headers()["x-acs-date"], "1970-01-01T00:00:00Z");
/// assert!(request.headers()["authorization"].to_str()?.starts_with(
///     "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;"
/// ));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Acs3 {
    algorithm: Acs3Algorithm,
    more_headers: Vec<http::HeaderName>,
}

impl Acs3 {
    /// A signer with HMAC-SHA256.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the hash function.
    #[must_use]
    pub fn algorithm(mut self, algorithm: Acs3Algorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// Signs one more header where a request carries it, as the vendor's own clients do with `accept` and `user-agent`.
    #[must_use]
    pub fn also_sign(mut self, header: http::HeaderName) -> Self {
        if !self.more_headers.contains(&header) {
            self.more_headers.push(header);
        }
        self
    }

    /// Signs `request` in place, in its headers. `payload` is the body, or its SHA-256.
    ///
    /// # Errors
    /// See [`SigningErrorKind`]; [`InvalidPayload`](SigningErrorKind::InvalidPayload) for a payload that is neither. On an
    /// error the request is unchanged.
    pub fn sign<B>(
        &self,
        request: &mut http::Request<B>,
        payload: Payload<'_>,
        nonce: &str,
        credentials: &Credentials,
        now: OffsetDateTime,
    ) -> Result<(), SigningError> {
        sign_in_place(request, |raw| self.sign_raw(raw, payload, nonce, credentials, now))
    }

    /// Signs a request that is text, in its headers, and gives every step.
    ///
    /// # Errors
    /// Those of [`sign`](Self::sign).
    pub fn sign_raw(
        &self,
        request: &RawRequest,
        payload: Payload<'_>,
        nonce: &str,
        credentials: &Credentials,
        now: OffsetDateTime,
    ) -> Result<RawSignature, SigningError> {
        credentials.check_sendable()?;
        check_nonce(nonce)?;
        let url = request.check()?;
        let hash = self.payload_hash(payload)?;
        let mut given: Vec<(&str, Vec<u8>)> = Vec::new();
        let mut says_hash = false;
        for (name, value) in request.headers() {
            match name {
                "authorization" | DATE | NONCE | ACCESS_KEY_ID | TOKEN => {
                    return Err(already_signed(&format!("the header {name}")));
                }
                CONTENT_SHA256 if value != hash => {
                    let message =
                        "the header x-acs-content-sha256 says something else than the payload: leave it to the signer";
                    return Err(SigningError::new(SigningErrorKind::InvalidHeader, message));
                }
                CONTENT_SHA256 => says_hash = true,
                _ => {}
            }
            if self.signs(name) {
                given.push((name, value.trim_ascii().to_vec()));
            }
        }
        let mut added = Vec::new();
        let mut add = |name: &'static str, value: String| added.push((name, value));
        if !given.iter().any(|(name, _)| *name == "host") {
            add("host", url.host());
        }
        add(DATE, Timestamp::new(now)?.extended());
        add(NONCE, nonce.to_owned());
        if !says_hash {
            add(CONTENT_SHA256, as_text(&hash));
        }
        if let Some(token) = credentials.session_token() {
            add(ACCESS_KEY_ID, credentials.access_key_id().to_owned());
            add(TOKEN, token.expose_secret().to_owned());
        }
        let mut headers = given;
        headers.extend(added.iter().map(|(name, value)| (*name, value.as_bytes().to_vec())));
        // Stable: values of equal names keep their order.
        headers.sort_by(|a, b| a.0.cmp(b.0));

        let mut text = format!("{}\n", request.method()).into_bytes();
        encode_decoded(&mut text, if url.path.is_empty() { "/" } else { url.path }.as_bytes(), Part::Path);
        text.push(b'\n');
        let mut query = ParameterList::parse(url.query.unwrap_or_default(), Plus::Itself);
        query.sort();
        query.write(&mut text);
        text.push(b'\n');
        let names = write_headers(&mut text, &headers);
        text.push(b'\n');
        text.extend_from_slice(names.as_bytes());
        text.push(b'\n');
        text.extend_from_slice(&hash);

        let algorithm = self.algorithm.as_str();
        let string_to_sign = format!("{algorithm}\n{}", as_text(&self.algorithm.hash(&text)));
        let secret = credentials.secret_access_key().expose_secret();
        let signature = as_text(&self.algorithm.sign(secret, string_to_sign.as_bytes())?);
        let id = credentials.access_key_id();
        let authorization = format!("{algorithm} Credential={id},SignedHeaders={names},Signature={signature}");
        let mut headers: Vec<_> = added.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        headers.push(("authorization".to_owned(), authorization));
        let mut signed_url = url.base();
        url.push_query(&mut signed_url);
        Ok(RawSignature {
            canonical_request: as_text(&text),
            string_to_sign,
            signature,
            headers,
            url: as_text(&signed_url),
        })
    }

    fn signs(&self, name: &str) -> bool {
        matches!(name, "host" | "content-type")
            || name.starts_with("x-acs-")
            || self.more_headers.iter().any(|header| header.as_str() == name)
    }

    fn payload_hash(&self, payload: Payload<'_>) -> Result<[u8; 64], SigningError> {
        match (payload, self.algorithm) {
            (Payload::Bytes(bytes), algorithm) => Ok(algorithm.hash(bytes)),
            (Payload::Sha256(hash), Acs3Algorithm::HmacSha256) => Ok(hex(&hash)),
            _ => Err(SigningError::new(
                SigningErrorKind::InvalidPayload,
                "the algorithm signs a body that is here, or with HMAC-SHA256 its SHA-256, and nothing else",
            )),
        }
    }
}

/// Writes `name:value` lines, the values of equal names joined by commas, and gives the names.
fn write_headers(out: &mut Vec<u8>, headers: &[(&str, Vec<u8>)]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for (name, value) in headers {
        if names.last() == Some(name) {
            // In the place of the line break.
            out.pop();
            out.push(b',');
        } else {
            names.push(name);
            out.extend_from_slice(name.as_bytes());
            out.push(b':');
        }
        out.extend_from_slice(value);
        out.push(b'\n');
    }
    names.join(";")
}

#[cfg(test)]
mod tests;
