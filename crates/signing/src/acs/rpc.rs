//! The older signature of Alibaba Cloud's RPC APIs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::{as_text, check_nonce, unusable};
use crate::encoding::{Part, encode};
use crate::error::SigningError;
use crate::in_place::sign_in_place;
use crate::parameters::{ParameterList, Plus};
use crate::timestamp::Timestamp;
use crate::{Credentials, RawRequest, RawSignature};

/// The parameters that the signer sets.
const OWN: [&str; 7] =
    ["AccessKeyId", "SecurityToken", "Signature", "SignatureMethod", "SignatureNonce", "SignatureVersion", "Timestamp"];

/// Signs requests to Alibaba Cloud's RPC APIs with the signature version 1.0 (HMAC-SHA1), in the query.
///
/// The caller puts `Action`, `Version`, `Format` and the parameters of the action into the query, or some of them into a
/// form; the signer adds `AccessKeyId`, `SignatureMethod`, `SignatureVersion`, `SignatureNonce`, `Timestamp`,
/// `SecurityToken` where there is a token, and `Signature`. The signature covers the method and all parameters; neither the
/// host nor a header. Newer services take [`Acs3`](super::Acs3), which covers them.
///
/// Source: "Request syntax and signature method V2 for RPC APIs" in the documentation of Alibaba Cloud SDK
/// (<https://www.alibabacloud.com/help/en/sdk/product-overview/rpc-mechanism>).
///
/// # Example
/// ```
/// use aws_sigv4_free_signing::{AcsRpc, Credentials};
/// use time::OffsetDateTime;
///
/// let credentials = Credentials::new("testid", "testsecret");
/// let url = "https://ecs.aliyuncs.com/?Action=DescribeRegions&Version=2014-05-26&Format=XML";
/// let mut request = http::Request::get(url).body(())?;
/// let nonce = "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf"; // Random, another one for each request.
/// AcsRpc::new().sign(&mut request, nonce, &credentials, OffsetDateTime::UNIX_EPOCH)?;
/// assert!(request.uri().query().unwrap().contains("&SignatureMethod=HMAC-SHA1&"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct AcsRpc {}

impl AcsRpc {
    /// A signer. There is nothing to set: the signature knows neither service nor region.
    pub fn new() -> Self {
        Self {}
    }

    /// Signs a request whose parameters are all in the query. The query comes out sorted, its `+` as `%2B`.
    ///
    /// # Errors
    /// See [`SigningErrorKind`](crate::SigningErrorKind). On an error the request is unchanged.
    pub fn sign<B>(
        &self,
        request: &mut http::Request<B>,
        nonce: &str,
        credentials: &Credentials,
        now: OffsetDateTime,
    ) -> Result<(), SigningError> {
        self.sign_with_form(request, "", nonce, credentials, now)
    }

    /// Signs a request with parameters in its body too: `form` is the body (`application/x-www-form-urlencoded`), which is
    /// sent as it is. The parameters of the signature go into the query.
    ///
    /// # Errors
    /// Those of [`sign`](Self::sign).
    pub fn sign_with_form<B>(
        &self,
        request: &mut http::Request<B>,
        form: &str,
        nonce: &str,
        credentials: &Credentials,
        now: OffsetDateTime,
    ) -> Result<(), SigningError> {
        sign_in_place(request, |raw| self.sign_raw(raw, form, nonce, credentials, now))
    }

    /// Signs a request that is text, and gives every step. `form` is its body where that holds parameters, or empty. The
    /// canonical request is the sorted query; the string to sign holds it, encoded.
    ///
    /// # Errors
    /// Those of [`sign`](Self::sign).
    pub fn sign_raw(
        &self,
        request: &RawRequest,
        form: &str,
        nonce: &str,
        credentials: &Credentials,
        now: OffsetDateTime,
    ) -> Result<RawSignature, SigningError> {
        credentials.check_sendable()?;
        check_nonce(nonce)?;
        let url = request.check()?;
        let mut query = ParameterList::parse(url.query.unwrap_or_default(), Plus::Itself);
        let mut form = ParameterList::parse(form, Plus::Space);
        query.refuse(&OWN)?;
        form.refuse(&OWN)?;
        query.push("AccessKeyId", credentials.access_key_id());
        query.push("SignatureMethod", "HMAC-SHA1");
        query.push("SignatureVersion", "1.0");
        query.push("SignatureNonce", nonce);
        query.push("Timestamp", &Timestamp::new(now)?.extended());
        if let Some(token) = credentials.session_token() {
            query.push("SecurityToken", token.expose_secret());
        }
        query.sort();
        let mut signed_url = url.base();
        signed_url.push(b'?');
        query.write(&mut signed_url);

        form.append(query);
        form.sort();
        let mut canonical = Vec::new();
        form.write(&mut canonical);
        let mut text = format!("{}&%2F&", request.method()).into_bytes();
        encode(&mut text, &canonical, Part::Query);

        let secret = credentials.secret_access_key().expose_secret();
        let mut key = Zeroizing::new(Vec::with_capacity(secret.len() + 1));
        key.extend_from_slice(secret.as_bytes());
        key.push(b'&');
        let mac = Hmac::<Sha1>::new_from_slice(&key).map_err(|_| unusable())?;
        let signature = STANDARD.encode(mac.chain_update(&text).finalize().into_bytes());
        signed_url.extend_from_slice(b"&Signature=");
        encode(&mut signed_url, signature.as_bytes(), Part::Query);
        let has_host = request.headers().any(|(name, _)| name == "host");
        Ok(RawSignature {
            canonical_request: as_text(&canonical),
            string_to_sign: as_text(&text),
            signature,
            headers: if has_host { Vec::new() } else { vec![("host".to_owned(), url.host())] },
            url: as_text(&signed_url),
        })
    }
}

#[cfg(test)]
mod tests;
