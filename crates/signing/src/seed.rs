//! The signature that a chunk, a trailer or a message continues.

use std::fmt;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, Uri};
use time::OffsetDateTime;

use crate::claim::parse_time;
use crate::error::{SigningError, SigningErrorKind};

const X_AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");

/// The signature of a request, as the one that the first chunk or message of its body continues.
///
/// `Debug` does not show it: the signature of a presigned URL is what makes the URL work.
#[derive(Clone, PartialEq, Eq)]
pub struct SeedSignature([u8; 64]);

impl SeedSignature {
    /// The signature in the header `authorization` of a signed request.
    ///
    /// # Errors
    /// [`SigningErrorKind::NotSigned`] where there is no such header, or none with a signature of SigV4 in it.
    pub fn from_headers(headers: &HeaderMap) -> Result<Self, SigningError> {
        Self::from_hex(Authorization::of(headers, "AWS4-HMAC-SHA256")?.signature)
    }

    /// The signature in the query of a presigned URL: what the first message over a WebSocket continues.
    ///
    /// # Errors
    /// [`SigningErrorKind::NotSigned`] where the query holds no `X-Amz-Signature`, or two.
    pub fn from_uri(uri: &Uri) -> Result<Self, SigningError> {
        let parameters = uri.query().unwrap_or_default().split('&');
        let mut found = parameters.filter_map(|parameter| parameter.strip_prefix("X-Amz-Signature="));
        match (found.next(), found.next()) {
            (Some(signature), None) => Self::from_hex(signature),
            (None, _) => Err(not_signed("the URL holds no signature")),
            (Some(_), Some(_)) => Err(not_signed("the URL holds two signatures")),
        }
    }

    /// A signature of 64 lower-case hexadecimal digits.
    ///
    /// # Errors
    /// [`SigningErrorKind::NotSigned`] where `digits` are not that.
    pub fn from_hex(digits: &str) -> Result<Self, SigningError> {
        let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        match <[u8; 64]>::try_from(digits.as_bytes()) {
            Ok(signature) if signature.iter().all(is_digit) => Ok(Self(signature)),
            _ => Err(not_signed("a signature of SigV4 is 64 lower-case hexadecimal digits, and this is not")),
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl fmt::Debug for SeedSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SeedSignature")
    }
}

/// What a header `authorization` says.
pub(crate) struct Authorization<'a> {
    /// The access key id and the credential scope.
    pub(crate) credential: &'a str,
    /// Any text.
    pub(crate) signature: &'a str,
}

impl<'a> Authorization<'a> {
    /// Reads a header of this algorithm.
    pub(crate) fn of(headers: &'a HeaderMap, algorithm: &str) -> Result<Self, SigningError> {
        let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let value = value.ok_or_else(|| not_signed("the request carries no authorization header"))?;
        let malformed = || not_signed(&format!("the authorization header is not one of {algorithm}"));
        let fields = value.strip_prefix(algorithm).and_then(|fields| fields.strip_prefix(' ')).ok_or_else(malformed)?;
        let field = |name: &str| fields.split(',').find_map(|field| field.trim().strip_prefix(name));
        match (field("Credential="), field("Signature=")) {
            (Some(credential), Some(signature)) => Ok(Self { credential, signature }),
            _ => Err(malformed()),
        }
    }
}

/// The signing time in the header `x-amz-date`, with its text.
pub(crate) fn signing_time(headers: &HeaderMap) -> Result<(OffsetDateTime, &str), SigningError> {
    let text = headers.get(X_AMZ_DATE).and_then(|value| value.to_str().ok());
    let text = text.ok_or_else(|| not_signed("the request carries no header x-amz-date"))?;
    let time =
        parse_time(text).ok_or_else(|| not_signed("the header x-amz-date is not of the form YYYYMMDDTHHMMSSZ"))?;
    Ok((time, text))
}

pub(crate) fn not_signed(message: &str) -> SigningError {
    SigningError::new(SigningErrorKind::NotSigned, format!("{message}: sign the request before its body"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGITS: &str = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";

    #[test]
    fn a_signature_is_read_from_either_place() {
        let seed = SeedSignature::from_hex(DIGITS).unwrap();
        let mut headers = HeaderMap::new();
        let value =
            format!("AWS4-HMAC-SHA256 Credential=AK/20130524/r/s/aws4_request,SignedHeaders=host,Signature={DIGITS}");
        headers.insert(AUTHORIZATION, value.parse().unwrap());
        assert_eq!(SeedSignature::from_headers(&headers), Ok(seed.clone()));
        assert_eq!(Authorization::of(&headers, "AWS4-HMAC-SHA256").unwrap().credential, "AK/20130524/r/s/aws4_request");
        let uri = format!("wss://h/?a=b&X-Amz-Signature={DIGITS}").parse().unwrap();
        assert_eq!(SeedSignature::from_uri(&uri), Ok(seed.clone()));
        assert!(!format!("{seed:?}").contains("4f23"));
    }

    #[test]
    fn what_is_no_signature_is_refused() {
        let mut headers = HeaderMap::new();
        for value in
            ["", "Basic eDp5", "AWS4-HMAC-SHA256 Credential=AK", "AWS4-HMAC-SHA256 Credential=AK, Signature=0f"]
        {
            headers.insert(AUTHORIZATION, value.parse().unwrap());
            let error = SeedSignature::from_headers(&headers).unwrap_err();
            assert_eq!(error.kind(), SigningErrorKind::NotSigned, "{value}");
        }
        for uri in ["/", "/?X-Amz-Signature=", "/?x-amz-signature=00"] {
            assert!(SeedSignature::from_uri(&uri.parse().unwrap()).is_err(), "{uri}");
        }
        let twice = format!("/?X-Amz-Signature={DIGITS}&X-Amz-Signature={DIGITS}").parse().unwrap();
        assert!(SeedSignature::from_uri(&twice).is_err());
        assert!(SeedSignature::from_hex(&DIGITS.to_uppercase()).is_err());
    }

    #[test]
    fn times_are_read_as_they_are_written() {
        let now = OffsetDateTime::from_unix_timestamp(1_369_353_600 + 3_661).unwrap();
        assert_eq!(parse_time("20130524T010101Z"), Some(now));
        for bad in [
            "20130524T010101",
            "2013-0524T010101",
            "20131324T010101Z",
            "20130230T010101Z",
            "20130524T240000Z",
            "+0130524T010101Z",
        ] {
            assert_eq!(parse_time(bad), None, "{bad}");
        }
    }
}
