//! The signature that a request already carries.

use time::OffsetDateTime;

use crate::SigV4;
use crate::claim::{self, Claim, TOKEN_HEADERS};
use crate::sigv4::RawRequest;

/// The signature that a request carries, taken apart, so that a request that a server refused can be explained as it was
/// signed.
#[derive(Clone)]
#[non_exhaustive]
pub struct PresentedSignature {
    /// The access key id.
    pub access_key_id: String,
    /// The region of the credential scope.
    pub region: String,
    /// The service of the credential scope.
    pub service: String,
    /// When it was signed.
    pub signed_at: OffsetDateTime,
    /// How long a presigned URL lives, in seconds; `None` for a signature in headers.
    pub expires_in: Option<u64>,
    /// The headers that it covers.
    pub signed_headers: Vec<String>,
    /// Whether the session token is part of the signature.
    pub session_token: Option<crate::Secret>,
    is_s3_express: bool,
    signature: String,
    request: RawRequest,
}

impl PresentedSignature {
    /// Reads the signature off the headers or the query of `request`; `None` where there is none, or none that can be read.
    /// Nothing is checked: that is what [`Verifier`](crate::verify::Verifier) does.
    pub fn of(request: &RawRequest) -> Option<Self> {
        let headers: Vec<(&str, &[u8])> = request.headers().collect();
        if let Ok(Some(claim)) = Claim::in_headers(&headers) {
            return Some(Self::new(claim, request, request.url().to_owned()));
        }
        let (base, query) = request.url().split_once('?')?;
        let claim = Claim::in_query(query).ok().flatten()?;
        let rest: Vec<&str> = query
            .split('&')
            .filter(|pair| !claim::is_of_signature(pair.split_once('=').map_or(*pair, |(name, _)| name)))
            .collect();
        let url = if rest.is_empty() { base.to_owned() } else { format!("{base}?{}", rest.join("&")) };
        Some(Self::new(claim, request, url))
    }

    fn new(claim: Claim, request: &RawRequest, url: String) -> Self {
        let mut unsigned = RawRequest::new(request.method(), url);
        for (name, value) in request.headers() {
            let added = matches!(name, "authorization" | "x-amz-date") || TOKEN_HEADERS.contains(&name);
            if !added && claim.covers(name) {
                unsigned = unsigned.header(name, value);
            }
        }
        Self {
            access_key_id: claim.access_key_id,
            region: claim.region,
            service: claim.service,
            signed_at: claim.signed_at,
            expires_in: claim.expires_in,
            signed_headers: claim.signed_headers,
            session_token: claim.session_token,
            is_s3_express: claim.is_s3_express,
            signature: claim.signature,
            request: unsigned,
        }
    }

    /// The request as it was before it was signed: only the headers that the signature covers, without those that signing adds.
    pub fn unsigned_request(&self) -> &RawRequest {
        &self.request
    }

    /// The signature: 64 hexadecimal digits.
    pub fn signature(&self) -> &str {
        &self.signature
    }

    /// A signer for the same service and region.
    pub fn signer(&self) -> SigV4 {
        if self.is_s3_express {
            SigV4::s3_express(self.region.clone())
        } else {
            SigV4::new(self.service.clone(), self.region.clone())
        }
    }
}

impl std::fmt::Debug for PresentedSignature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PresentedSignature")
            .field("access_key_id", &self.access_key_id)
            .field("region", &self.region)
            .field("service", &self.service)
            .field("signed_at", &self.signed_at)
            .field("expires_in", &self.expires_in)
            .field("signed_headers", &self.signed_headers)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{Credentials, Payload};

    fn credentials() -> Credentials {
        Credentials::new("test:tester", "secret").with_session_token("token+/=")
    }

    fn now() -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(1_440_938_160).unwrap()
    }

    #[test]
    fn a_signature_in_headers_is_read_back() {
        let request = RawRequest::new("PUT", "https://h/a?b=1").header("X-Own", "1").header("User-Agent", "x");
        let signer = SigV4::new("sns", "eu-west-1");
        let signed = signer.sign_raw(&request, Payload::empty(), &credentials(), now()).unwrap();
        let sent = signed.headers.iter().fold(request, |request, (name, value)| request.header(name, value.as_str()));
        let presented = PresentedSignature::of(&sent).unwrap();
        assert_eq!(presented.access_key_id, "test:tester");
        assert_eq!((presented.service.as_str(), presented.region.as_str()), ("sns", "eu-west-1"));
        assert_eq!(presented.signed_at, now());
        assert_eq!(presented.signature(), signed.signature);
        let again = presented
            .signer()
            .sign_raw(presented.unsigned_request(), Payload::empty(), &credentials(), presented.signed_at)
            .unwrap();
        assert_eq!(again.signature, signed.signature);
    }

    #[test]
    fn a_signature_in_the_query_is_read_back() {
        let request = RawRequest::new("GET", "https://h/a?b=1%202");
        let signer = SigV4::s3("eu-west-1");
        let day = Duration::from_secs(86_400);
        let signed = signer.presign_raw(&request, None, day, &credentials(), now()).unwrap();
        let presented = PresentedSignature::of(&RawRequest::new("GET", &signed.url)).unwrap();
        assert_eq!(presented.expires_in, Some(86_400));
        assert_eq!(presented.session_token.as_ref().unwrap().expose_secret(), "token+/=");
        assert_eq!(presented.unsigned_request().url(), request.url());
        let again =
            presented.signer().presign_raw(presented.unsigned_request(), None, day, &credentials(), now()).unwrap();
        assert_eq!(again.signature, signed.signature);
    }

    #[test]
    fn a_token_of_s3_express_is_read_back() {
        let signer = SigV4::s3_express("eu-west-1");
        let request = RawRequest::new("GET", "https://h/a");
        let signed = signer.sign_raw(&request, Payload::empty(), &credentials(), now()).unwrap();
        let sent = signed.headers.iter().fold(request, |request, (name, value)| request.header(name, value.as_str()));
        let presented = PresentedSignature::of(&sent).unwrap();
        assert_eq!(presented.session_token.as_ref().unwrap().expose_secret(), "token+/=");
        let again = presented
            .signer()
            .sign_raw(presented.unsigned_request(), Payload::empty(), &credentials(), presented.signed_at)
            .unwrap();
        assert_eq!(again.signature, signed.signature);
    }

    #[test]
    fn what_is_no_signature_is_none() {
        for authorization in
            ["", "Basic abc", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=h, Signature=s"]
        {
            let request = RawRequest::new("GET", "https://h/")
                .header("authorization", authorization)
                .header("x-amz-date", "2015");
            assert!(PresentedSignature::of(&request).is_none());
        }
    }
}
