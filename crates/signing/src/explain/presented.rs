//! The signature that a request already carries.

use time::{Date, Month, OffsetDateTime, Time};

use crate::SigV4;
use crate::dialect::AWS4_HMAC_SHA256;
use crate::encoding::decode_escape;
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
    signature: String,
    request: RawRequest,
}

impl PresentedSignature {
    /// Reads the signature off the headers or the query of `request`; `None` where there is none, or none that can be read.
    pub fn of(request: &RawRequest) -> Option<Self> {
        Self::in_headers(request).or_else(|| Self::in_query(request))
    }

    fn in_headers(request: &RawRequest) -> Option<Self> {
        let header = |wanted: &str| {
            let (_, value) = request.headers().find(|(name, _)| *name == wanted)?;
            std::str::from_utf8(value).ok().map(str::trim)
        };
        let fields = header("authorization")?.strip_prefix(AWS4_HMAC_SHA256.algorithm)?;
        let field =
            |wanted: &str| fields.split(',').find_map(|field| field.trim().strip_prefix(wanted)?.strip_prefix('='));
        let mut presented =
            Self::new(field("Credential")?, field("SignedHeaders")?, header("x-amz-date")?, field("Signature")?)?;
        presented.session_token = header("x-amz-security-token").map(crate::Secret::from);
        presented.request = presented.rebuilt(request, request.url().to_owned());
        Some(presented)
    }

    fn in_query(request: &RawRequest) -> Option<Self> {
        let (base, query) = request.url().split_once('?')?;
        let names = &AWS4_HMAC_SHA256.parameters;
        let parameter = |wanted: &str| {
            query.split('&').find_map(|pair| {
                let (name, value) = pair.split_once('=')?;
                name.eq_ignore_ascii_case(wanted).then(|| decode(value))
            })
        };
        let mut presented = Self::new(
            &parameter(names.credential)?,
            &parameter(names.signed_headers)?,
            &parameter(names.date)?,
            &parameter(names.signature)?,
        )?;
        presented.expires_in = Some(parameter(names.expires)?.parse().ok()?);
        presented.session_token = parameter(names.security_token).map(crate::Secret::from);
        let own = [
            names.algorithm,
            names.credential,
            names.date,
            names.expires,
            names.security_token,
            names.signed_headers,
            names.signature,
        ];
        let is_own = |pair: &str| {
            own.iter().any(|own| pair.split('=').next().is_some_and(|name| own.eq_ignore_ascii_case(name)))
        };
        let rest: Vec<&str> = query.split('&').filter(|pair| !is_own(pair)).collect();
        let url = if rest.is_empty() { base.to_owned() } else { format!("{base}?{}", rest.join("&")) };
        presented.request = presented.rebuilt(request, url);
        Some(presented)
    }

    fn new(credential: &str, signed_headers: &str, date: &str, signature: &str) -> Option<Self> {
        // From the end: an access key id of some stores holds a slash.
        let mut scope = credential.rsplitn(5, '/');
        let (_terminator, service, region, _day) = (scope.next()?, scope.next()?, scope.next()?, scope.next()?);
        Some(Self {
            access_key_id: scope.next()?.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
            signed_at: parse_time(date)?,
            expires_in: None,
            signed_headers: signed_headers.split(';').map(str::to_ascii_lowercase).collect(),
            session_token: None,
            signature: signature.to_owned(),
            request: RawRequest::new("", ""),
        })
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
        SigV4::new(self.service.clone(), self.region.clone())
    }

    fn rebuilt(&self, request: &RawRequest, url: String) -> RawRequest {
        let mut rebuilt = RawRequest::new(request.method(), url);
        for (name, value) in request.headers() {
            let added = matches!(name, "authorization" | "x-amz-date" | "x-amz-security-token");
            if !added && self.signed_headers.iter().any(|signed| signed == name) {
                rebuilt = rebuilt.header(name, value);
            }
        }
        rebuilt
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

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        match decode_escape(rest) {
            Some(byte) => {
                bytes.push(byte);
                rest = &rest[3..];
            }
            None => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// `YYYYMMDD'T'HHMMSS'Z'`.
fn parse_time(text: &str) -> Option<OffsetDateTime> {
    let text = text.strip_suffix('Z')?;
    let (day, hour) = text.split_once('T')?;
    if day.len() != 8 || hour.len() != 6 || !text.is_ascii() {
        return None;
    }
    let number = |digits: &str| digits.parse::<u8>().ok();
    let month = Month::try_from(number(&day[4..6])?).ok()?;
    let date = Date::from_calendar_date(day[..4].parse().ok()?, month, number(&day[6..])?).ok()?;
    let time = Time::from_hms(number(&hour[..2])?, number(&hour[2..4])?, number(&hour[4..])?).ok()?;
    Some(OffsetDateTime::new_utc(date, time))
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
    fn what_is_no_signature_is_none() {
        for authorization in
            ["", "Basic abc", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=h, Signature=s"]
        {
            let request = RawRequest::new("GET", "https://h/")
                .header("authorization", authorization)
                .header("x-amz-date", "2015");
            assert!(PresentedSignature::of(&request).is_none());
        }
        assert_eq!(parse_time("20150830T123600Z").unwrap(), now());
        for bad in ["20151330T123600Z", "2015083\u{e9}T123600Z", "T", "20150830T1236Z", "20150830T126000Z"] {
            assert!(parse_time(bad).is_none(), "{bad}");
        }
    }
}
