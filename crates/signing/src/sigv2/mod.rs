//! AWS Signature Version 2, in its two forms: query APIs (EC2 and its kin), and S3.
//!
//! Both are legacy. AWS itself takes them nowhere new; use them for what takes nothing else.

mod s3;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use time::OffsetDateTime;

pub use s3::S3SigV2;

use crate::error::{SigningError, SigningErrorKind};
use crate::in_place::{sign_in_place, text_of};
use crate::parameters::{ParameterList, Plus};
use crate::timestamp::Timestamp;
use crate::{Credentials, RawRequest, RawSignature};

/// The parameters that the signer sets.
const OWN: [&str; 6] =
    ["AWSAccessKeyId", "SecurityToken", "Signature", "SignatureMethod", "SignatureVersion", "Timestamp"];

/// Signs requests of query APIs with Signature Version 2 (HMAC-SHA256): EC2 and its kin as Eucalyptus and other private
/// clouds have them.
///
/// Legacy: for services that know nothing newer. AWS itself takes [`SigV4`](crate::SigV4) everywhere, and has regions that
/// take nothing else.
///
/// The signature covers the method, the host, the path and the parameters. It covers no header, and no body other than a
/// form: [`sign_form`](Self::sign_form).
///
/// Source: "Signature Version 2 signing process" in the AWS General Reference, as kept in the Amazon SimpleDB Developer
/// Guide, "HMAC-SHA Signature"
/// (<https://docs.aws.amazon.com/AmazonSimpleDB/latest/DeveloperGuide/HMACAuth.html>).
///
/// # Example
/// ```
/// use aws_sigv4_free_signing::{Credentials, SigV2};
/// use time::OffsetDateTime;
///
/// let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
/// let url = "https://compute.cloud.internal:8773/services/compute?Action=DescribeInstances&Version=2016-11-15";
/// let mut request = http::Request::get(url).body(())?;
/// SigV2::new().sign(&mut request, &credentials, OffsetDateTime::UNIX_EPOCH)?;
/// assert!(request.uri().query().unwrap().starts_with(
///     "AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Action=DescribeInstances&SignatureMethod=HmacSHA256&SignatureVersion=2&\
///      Timestamp=1970-01-01T00%3A00%3A00Z&Version=2016-11-15&Signature="
/// ));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct SigV2 {}

impl SigV2 {
    /// A signer. There is nothing to set: the signature knows neither service nor region.
    pub fn new() -> Self {
        Self {}
    }

    /// Signs a request with its parameters in the query: adds `AWSAccessKeyId`, `SignatureVersion`, `SignatureMethod`,
    /// `Timestamp`, `SecurityToken` where there is a token, and `Signature`. The query comes out sorted, its `+` as `%2B`.
    ///
    /// # Errors
    /// See [`SigningErrorKind`]. On an error the request is unchanged.
    pub fn sign<B>(
        &self,
        request: &mut http::Request<B>,
        credentials: &Credentials,
        now: OffsetDateTime,
    ) -> Result<(), SigningError> {
        sign_in_place(request, |raw| self.sign_raw(raw, credentials, now))
    }

    /// Signs a request with its parameters in the body, and gives the body to send: `form`
    /// (`application/x-www-form-urlencoded`), sorted, with the parameters of the signature. The URL has no query.
    ///
    /// # Errors
    /// See [`SigningErrorKind`].
    pub fn sign_form<B>(
        &self,
        request: &http::Request<B>,
        form: &str,
        credentials: &Credentials,
        now: OffsetDateTime,
    ) -> Result<String, SigningError> {
        let request = text_of(request)?;
        if request.check()?.query.is_some_and(|query| !query.is_empty()) {
            let message = "the parameters are in the body, and the URL has a query too: put all of them into one place";
            return Err(SigningError::new(SigningErrorKind::InvalidUrl, message));
        }
        let signed = sign_parameters(&request, ParameterList::parse(form, Plus::Space), credentials, now)?;
        Ok(signed.parameters)
    }

    /// Signs a request that is text, with its parameters in the query, and gives every step. The canonical request is the
    /// string to sign.
    ///
    /// # Errors
    /// See [`SigningErrorKind`].
    pub fn sign_raw(
        &self,
        request: &RawRequest,
        credentials: &Credentials,
        now: OffsetDateTime,
    ) -> Result<RawSignature, SigningError> {
        let url = request.check()?;
        let parameters = ParameterList::parse(url.query.unwrap_or_default(), Plus::Itself);
        let signed = sign_parameters(request, parameters, credentials, now)?;
        let headers = match host_header(request) {
            Some(_) => Vec::new(),
            None => vec![("host".to_owned(), url.host())],
        };
        Ok(RawSignature {
            canonical_request: signed.string_to_sign.clone(),
            string_to_sign: signed.string_to_sign,
            signature: signed.signature,
            headers,
            url: format!("{}?{}", String::from_utf8_lossy(&url.base()), signed.parameters),
        })
    }
}

struct Signed {
    string_to_sign: String,
    signature: String,
    /// All parameters, that of the signature last.
    parameters: String,
}

fn sign_parameters(
    request: &RawRequest,
    mut parameters: ParameterList,
    credentials: &Credentials,
    now: OffsetDateTime,
) -> Result<Signed, SigningError> {
    credentials.check_sendable()?;
    parameters.refuse(&OWN)?;
    let url = request.check()?;
    parameters.push("AWSAccessKeyId", credentials.access_key_id());
    parameters.push("SignatureVersion", "2");
    parameters.push("SignatureMethod", "HmacSHA256");
    parameters.push("Timestamp", &Timestamp::new(now)?.extended());
    if let Some(token) = credentials.session_token() {
        parameters.push("SecurityToken", token.expose_secret());
    }
    parameters.sort();

    let host = host_header(request).unwrap_or_else(|| url.host());
    let mut query = Vec::new();
    parameters.write(&mut query);
    let mut text = format!("{}\n{host}\n", request.method()).into_bytes();
    url.write_path(&mut text);
    text.push(b'\n');
    text.extend_from_slice(&query);

    let signature = sign_text(credentials, &text)?;
    let mut signature_parameter = ParameterList::parse("", Plus::Itself);
    signature_parameter.push("Signature", &signature);
    query.push(b'&');
    signature_parameter.write(&mut query);
    Ok(Signed { string_to_sign: as_text(&text), signature, parameters: as_text(&query) })
}

/// The signature of a text: HMAC-SHA256 in Base64.
fn sign_text(credentials: &Credentials, text: &[u8]) -> Result<String, SigningError> {
    let secret = credentials.secret_access_key().expose_secret();
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map_err(|_| unusable())?;
    Ok(STANDARD.encode(mac.chain_update(text).finalize().into_bytes()))
}

/// The host that a header names, in lower case.
fn host_header(request: &RawRequest) -> Option<String> {
    let value = request.headers().find(|&(name, _)| name == "host").map(|(_, value)| value)?;
    Some(as_text(value.trim_ascii()).to_ascii_lowercase())
}

fn as_text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The length of an HMAC key is free, so this is never seen.
fn unusable() -> SigningError {
    SigningError::new(SigningErrorKind::InvalidCredentials, "the secret access key can't be used as a key")
}

#[cfg(test)]
mod tests;
