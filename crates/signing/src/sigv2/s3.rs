//! Signature Version 2 as S3 has it.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use time::OffsetDateTime;

use super::{as_text, unusable};
use crate::error::{SigningError, SigningErrorKind};
use crate::in_place::sign_in_place;
use crate::parameters::{ParameterList, Plus};
use crate::sigv4::already_signed;
use crate::timestamp::{Timestamp, http_date};
use crate::{Credentials, PresignedUrl, RawRequest, RawSignature};

/// The query parameters that the signature covers: those that name a part of a resource, and those that override headers of
/// the answer.
const SUB_RESOURCES: [&str; 35] = [
    "accelerate",
    "acl",
    "analytics",
    "cors",
    "defaultObjectAcl",
    "delete",
    "inventory",
    "lifecycle",
    "location",
    "logging",
    "metrics",
    "notification",
    "object-lock",
    "partNumber",
    "policy",
    "replication",
    "requestPayment",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "select",
    "select-type",
    "storageClass",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
    "website",
];

/// The token as a header, and as a parameter of a presigned URL.
const TOKEN: &str = "x-amz-security-token";

/// The parameters that the signer sets in a presigned URL.
const OWN: [&str; 4] = ["AWSAccessKeyId", "Expires", "Signature", TOKEN];

/// Signs requests for S3 with Signature Version 2 (HMAC-SHA1), in the header `authorization` or in the query.
///
/// Legacy: for old stores that know nothing newer (Walrus, early Ceph and Swift), and for clients of them. AWS takes
/// [`SigV4`](crate::SigV4) everywhere, and takes this nowhere new. The signature covers the method, the path, the parameters
/// that name a part of a resource, `content-md5`, `content-type` and all `x-amz-` headers. It covers neither the host nor the
/// body, unless `content-md5` does.
///
/// Source: "Signing and authenticating REST requests (AWS signature version 2)" in the Amazon S3 API Reference
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html>).
///
/// # Example
/// ```
/// use aws_sigv4_free_signing::{Credentials, S3SigV2};
/// use time::{Duration, OffsetDateTime};
///
/// let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
/// let now = OffsetDateTime::UNIX_EPOCH + Duration::seconds(1_175_024_202);
/// let mut request =
///     http::Request::get("https://awsexamplebucket1.us-west-1.s3.amazonaws.com/photos/puppy.jpg").body(())?;
/// S3SigV2::virtual_hosted("awsexamplebucket1").sign(&mut request, &credentials, now)?;
/// assert_eq!(request.headers()["date"], "Tue, 27 Mar 2007 19:36:42 GMT");
/// assert!(request.headers()["authorization"].to_str()?.starts_with("AWS AKIAIOSFODNN7EXAMPLE:"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct S3SigV2 {
    bucket: Option<String>,
    more_sub_resources: Vec<String>,
}

#[derive(Clone, Copy)]
enum Place {
    Headers,
    Query { expires: i64 },
}

impl S3SigV2 {
    /// A signer for URLs that name the bucket in their path, or no bucket.
    pub fn path_style() -> Self {
        Self { bucket: None, more_sub_resources: Vec::new() }
    }

    /// A signer for URLs that name `bucket` in their host. The signature covers the bucket, and no host could tell it.
    pub fn virtual_hosted(bucket: impl Into<String>) -> Self {
        Self { bucket: Some(bucket.into()), more_sub_resources: Vec::new() }
    }

    /// Covers one more query parameter, which the store counts among the sub-resources (such as `publicAccessBlock`).
    #[must_use]
    pub fn sub_resource(mut self, name: impl Into<String>) -> Self {
        self.more_sub_resources.push(name.into());
        self
    }

    /// Signs `request` in place: adds `date`, `x-amz-security-token` where there is a token, `authorization`, and `host`
    /// where it is missing.
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

    /// A URL that lets whoever holds it make `request` until `expires_in` has passed: from 1 second on, fractions cut off.
    ///
    /// `content-md5`, `content-type` and `x-amz-` headers of the request are signed: whoever uses the URL has to send them.
    ///
    /// # Errors
    /// See [`SigningErrorKind`].
    pub fn presign<B>(
        &self,
        request: &http::Request<B>,
        expires_in: Duration,
        credentials: &Credentials,
        now: OffsetDateTime,
    ) -> Result<PresignedUrl, SigningError> {
        self.presign_raw(&RawRequest::from_http(request), expires_in, credentials, now)
            .map(|signed| PresignedUrl(signed.url))
    }

    /// Signs a request that is text, in its headers, and gives every step. The canonical request is the string to sign.
    ///
    /// # Errors
    /// See [`SigningErrorKind`].
    pub fn sign_raw(
        &self,
        request: &RawRequest,
        credentials: &Credentials,
        now: OffsetDateTime,
    ) -> Result<RawSignature, SigningError> {
        self.run(request, Place::Headers, credentials, now)
    }

    /// Signs a request that is text, in its query, and gives every step. The canonical request is the string to sign.
    ///
    /// # Errors
    /// See [`SigningErrorKind`].
    pub fn presign_raw(
        &self,
        request: &RawRequest,
        expires_in: Duration,
        credentials: &Credentials,
        now: OffsetDateTime,
    ) -> Result<RawSignature, SigningError> {
        let seconds = i64::try_from(expires_in.as_secs()).ok().filter(|&seconds| seconds > 0);
        let expires = seconds.and_then(|seconds| now.unix_timestamp().checked_add(seconds)).ok_or_else(|| {
            let message = "a presigned URL lives from 1 second on, and ends at a time that a number of 64 bits holds";
            SigningError::new(SigningErrorKind::InvalidExpiry, message)
        })?;
        self.run(request, Place::Query { expires }, credentials, now)
    }

    fn run(
        &self,
        request: &RawRequest,
        place: Place,
        credentials: &Credentials,
        now: OffsetDateTime,
    ) -> Result<RawSignature, SigningError> {
        credentials.check_sendable()?;
        let url = request.check()?;
        let mut has_host = false;
        for (name, _) in request.headers() {
            match name {
                "authorization" | "date" | "x-amz-date" | TOKEN => {
                    return Err(already_signed(&format!("the header {name}")));
                }
                "host" => has_host = true,
                _ => {}
            }
        }
        let query = ParameterList::parse(url.query.unwrap_or_default(), Plus::Itself);
        if let Place::Query { .. } = place {
            query.refuse(&OWN)?;
        }

        let token = credentials.session_token().map(crate::Secret::expose_secret);
        // Out of range is refused in either form.
        Timestamp::new(now)?;
        let date = match place {
            Place::Headers => http_date(now),
            Place::Query { expires } => expires.to_string(),
        };
        let mut text = Vec::new();
        for line in [request.method().as_bytes(), &value_of(request, "content-md5"), &value_of(request, "content-type")]
        {
            text.extend_from_slice(line);
            text.push(b'\n');
        }
        text.extend_from_slice(date.as_bytes());
        text.push(b'\n');
        write_amz_headers(&mut text, request, token);
        if let Some(bucket) = &self.bucket {
            text.push(b'/');
            text.extend_from_slice(bucket.as_bytes());
        }
        url.write_path(&mut text);
        self.write_sub_resources(&mut text, &query);

        let signature = sign_text(credentials, &text)?;

        let mut headers = Vec::new();
        let mut signed_url = url.base();
        url.push_query(&mut signed_url);
        let mut add = |name: &str, value: String| headers.push((name.to_owned(), value));
        if !has_host {
            add("host", url.host());
        }
        match place {
            Place::Headers => {
                add("date", date);
                if let Some(token) = token {
                    add(TOKEN, token.to_owned());
                }
                add("authorization", format!("AWS {}:{signature}", credentials.access_key_id()));
            }
            Place::Query { .. } => {
                let mut own = ParameterList::parse("", Plus::Itself);
                own.push("AWSAccessKeyId", credentials.access_key_id());
                own.push("Expires", &date);
                if let Some(token) = token {
                    own.push(TOKEN, token);
                }
                own.push("Signature", &signature);
                match url.query {
                    None => signed_url.push(b'?'),
                    Some("") => {}
                    Some(_) => signed_url.push(b'&'),
                }
                own.write(&mut signed_url);
            }
        }
        let string_to_sign = as_text(&text);
        Ok(RawSignature {
            canonical_request: string_to_sign.clone(),
            string_to_sign,
            signature,
            headers,
            url: as_text(&signed_url),
        })
    }

    /// Writes the sub-resources, sorted by name, their values decoded. One without a value has no `=`.
    fn write_sub_resources(&self, out: &mut Vec<u8>, query: &ParameterList) {
        let is_covered = |name: &[u8]| {
            SUB_RESOURCES.iter().any(|known| known.as_bytes() == name)
                || self.more_sub_resources.iter().any(|known| known.as_bytes() == name)
        };
        let mut covered: Vec<_> = query.pairs().filter(|(name, _)| is_covered(name)).collect();
        covered.sort_by(|a, b| a.0.cmp(b.0));
        for (index, (name, value)) in covered.into_iter().enumerate() {
            out.push(if index == 0 { b'?' } else { b'&' });
            out.extend_from_slice(name);
            if !value.is_empty() {
                out.push(b'=');
                out.extend_from_slice(value);
            }
        }
    }
}

/// The signature of a text: HMAC-SHA1 in Base64.
fn sign_text(credentials: &Credentials, text: &[u8]) -> Result<String, SigningError> {
    let secret = credentials.secret_access_key().expose_secret();
    let mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).map_err(|_| unusable())?;
    Ok(STANDARD.encode(mac.chain_update(text).finalize().into_bytes()))
}

/// The values of one header, with commas between them.
fn value_of(request: &RawRequest, wanted: &str) -> Vec<u8> {
    let values: Vec<Vec<u8>> =
        request.headers().filter(|&(name, _)| name == wanted).map(|(_, value)| unfolded(value)).collect();
    values.join(&b","[..])
}

/// `name:value` lines, sorted by name; the values of equal names are joined by commas.
fn write_amz_headers(out: &mut Vec<u8>, request: &RawRequest, token: Option<&str>) {
    let mut headers: Vec<(&str, Vec<u8>)> = request
        .headers()
        .filter(|(name, _)| name.starts_with("x-amz-"))
        .map(|(name, value)| (name, unfolded(value)))
        .collect();
    headers.extend(token.map(|token| (TOKEN, token.as_bytes().to_vec())));
    headers.sort_by(|a, b| a.0.cmp(b.0));
    let mut previous = None;
    for (name, value) in &headers {
        if previous == Some(*name) {
            // In the place of the line break.
            out.pop();
            out.push(b',');
        } else {
            out.extend_from_slice(name.as_bytes());
            out.push(b':');
            previous = Some(*name);
        }
        out.extend_from_slice(value);
        out.push(b'\n');
    }
}

/// Without white space around it, and a line break that continues the value made one space. Runs of spaces stay.
fn unfolded(value: &[u8]) -> Vec<u8> {
    let mut lines = value.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    let mut out = lines.next().unwrap_or_default().to_vec();
    for line in lines {
        out.push(b' ');
        out.extend_from_slice(line);
    }
    out.trim_ascii().to_vec()
}

#[cfg(test)]
mod tests;
