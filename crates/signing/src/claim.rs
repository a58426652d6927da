//! What a request says of its own signature: who signed, when, for what, and which headers.

use time::{Date, Month, OffsetDateTime, Time};

use crate::Secret;
use crate::dialect::AWS4_HMAC_SHA256;
use crate::encoding::decode_escape;

/// The headers that carry a session token: of all services, and of S3 Express.
pub(crate) const TOKEN_HEADERS: [&str; 2] = ["x-amz-security-token", "x-amz-s3session-token"];
/// The parameters that carry a session token.
const TOKEN_PARAMETERS: [&str; 2] = ["X-Amz-Security-Token", "X-Amz-S3session-Token"];

/// A signature as a request presents it. Nothing of it is checked but its form.
pub(crate) struct Claim {
    pub(crate) access_key_id: String,
    /// The day of the credential scope.
    pub(crate) day: [u8; 8],
    pub(crate) region: String,
    pub(crate) service: String,
    pub(crate) signed_at: OffsetDateTime,
    /// The life of a presigned URL, in seconds; `None` for a signature in headers or in a form.
    pub(crate) expires_in: Option<u64>,
    /// Lower-case names, sorted, each once.
    pub(crate) signed_headers: Vec<String>,
    pub(crate) session_token: Option<Secret>,
    /// Whether the token is one of S3 Express.
    pub(crate) is_s3_express: bool,
    pub(crate) signature: String,
}

/// Why a signature can't be read. The text names a header, a parameter or a field, and never shows its value.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A part of the signature is missing.
    Missing(&'static str),
    /// A part of the signature is not what it should be.
    Malformed(&'static str, &'static str),
    /// A part is there more than once: which one counts would be a guess.
    Repeated(&'static str),
    /// The signature is of another kind.
    Algorithm,
}

/// Headers: lower-case names and values.
pub(crate) type HeaderList<'a> = [(&'a str, &'a [u8])];

/// The one value of a header.
pub(crate) fn header<'a>(headers: &HeaderList<'a>, name: &'static str) -> Result<Option<&'a str>, Fault> {
    let mut found = headers.iter().filter(|(other, _)| *other == name);
    let Some((_, value)) = found.next() else { return Ok(None) };
    if found.next().is_some() {
        return Err(Fault::Repeated(name));
    }
    let text = std::str::from_utf8(value).map_err(|_| Fault::Malformed(name, "holds bytes that are no text"))?;
    Ok(Some(text.trim()))
}

impl Claim {
    /// Reads the header `authorization`; `None` where there is none.
    pub(crate) fn in_headers(headers: &HeaderList<'_>) -> Result<Option<Self>, Fault> {
        let Some(authorization) = header(headers, "authorization")? else { return Ok(None) };
        let (algorithm, fields) = authorization.split_once(' ').unwrap_or((authorization, ""));
        if algorithm != AWS4_HMAC_SHA256.algorithm {
            return Err(Fault::Algorithm);
        }
        let field = |wanted: &'static str| {
            let mut found = fields.split(',').filter_map(|field| field.trim().strip_prefix(wanted)?.strip_prefix('='));
            let value = found.next().ok_or(Fault::Missing(wanted))?;
            if found.next().is_some() { Err(Fault::Repeated(wanted)) } else { Ok(value) }
        };
        let signed_at = match header(headers, "x-amz-date")? {
            Some(date) => {
                parse_time(date).ok_or(Fault::Malformed("x-amz-date", "is no time such as 20150830T123600Z"))?
            }
            None => {
                let date = header(headers, "date")?.ok_or(Fault::Missing("x-amz-date"))?;
                parse_time(date).or_else(|| parse_http_date(date)).ok_or(Fault::Malformed("date", "is no time"))?
            }
        };
        let mut claim = Self::new(field("Credential")?, field("SignedHeaders")?, signed_at, field("Signature")?)?;
        for name in TOKEN_HEADERS {
            if let Some(token) = header(headers, name)? {
                claim.session_token = Some(Secret::from(token));
                claim.is_s3_express = name == TOKEN_HEADERS[1];
            }
        }
        Ok(Some(claim))
    }

    /// Reads the parameters of a presigned URL; `None` where there are none.
    pub(crate) fn in_query(query: &str) -> Result<Option<Self>, Fault> {
        let names = &AWS4_HMAC_SHA256.parameters;
        let parameter = |wanted: &'static str| {
            let mut found = pairs(query).filter(|(name, _)| wanted.eq_ignore_ascii_case(&decode(name)));
            let value = found.next().map(|(_, value)| decode(value));
            if found.next().is_some() { Err(Fault::Repeated(wanted)) } else { Ok(value) }
        };
        let required = |wanted: &'static str| parameter(wanted)?.ok_or(Fault::Missing(wanted));
        let algorithm = parameter(names.algorithm)?;
        let (credential, signature) = (parameter(names.credential)?, parameter(names.signature)?);
        if algorithm.is_none() && credential.is_none() && signature.is_none() {
            return Ok(None);
        }
        if algorithm.ok_or(Fault::Missing(names.algorithm))? != AWS4_HMAC_SHA256.algorithm {
            return Err(Fault::Algorithm);
        }
        let signed_at = parse_time(&required(names.date)?)
            .ok_or(Fault::Malformed(names.date, "is no time such as 20150830T123600Z"))?;
        let expires = required(names.expires)?;
        let mut claim = Self::new(
            &credential.ok_or(Fault::Missing(names.credential))?,
            &required(names.signed_headers)?,
            signed_at,
            &signature.ok_or(Fault::Missing(names.signature))?,
        )?;
        let seconds = expires.bytes().all(|byte| byte.is_ascii_digit()).then(|| expires.parse().ok()).flatten();
        claim.expires_in = Some(seconds.ok_or(Fault::Malformed(names.expires, "is no number of seconds"))?);
        for name in TOKEN_PARAMETERS {
            if let Some(token) = parameter(name)? {
                claim.session_token = Some(Secret::from(token));
                claim.is_s3_express = name == TOKEN_PARAMETERS[1];
            }
        }
        Ok(Some(claim))
    }

    /// A claim of its parts, without a token and without an end.
    pub(crate) fn new(
        credential: &str,
        signed_headers: &str,
        signed_at: OffsetDateTime,
        signature: &str,
    ) -> Result<Self, Fault> {
        // From the end: an access key id of some stores holds a slash.
        let mut scope = credential.rsplitn(5, '/');
        let (terminator, service, region, day, id) =
            (scope.next(), scope.next(), scope.next(), scope.next(), scope.next());
        let (Some(terminator), Some(service), Some(region), Some(day), Some(id)) =
            (terminator, service, region, day, id)
        else {
            return Err(Fault::Malformed("Credential", "is not ACCESS_KEY_ID/DAY/REGION/SERVICE/aws4_request"));
        };
        if terminator != AWS4_HMAC_SHA256.terminator {
            return Err(Fault::Malformed("Credential", "does not end in aws4_request"));
        }
        if id.is_empty() || service.is_empty() || region.is_empty() {
            return Err(Fault::Malformed("Credential", "has an empty part"));
        }
        let day = <[u8; 8]>::try_from(day.as_bytes()).ok().filter(|day| day.iter().all(u8::is_ascii_digit));
        let day = day.ok_or(Fault::Malformed("Credential", "holds a day that is not eight digits"))?;
        let mut signed_headers: Vec<String> = signed_headers.split(';').map(str::to_ascii_lowercase).collect();
        signed_headers.sort_unstable();
        signed_headers.dedup();
        Ok(Self {
            access_key_id: id.to_owned(),
            day,
            region: region.to_owned(),
            service: service.to_owned(),
            signed_at,
            expires_in: None,
            signed_headers,
            session_token: None,
            is_s3_express: false,
            signature: signature.to_owned(),
        })
    }

    /// Whether the signature covers a header, named in lower case.
    pub(crate) fn covers(&self, header: &str) -> bool {
        self.signed_headers.binary_search_by(|signed| signed.as_str().cmp(header)).is_ok()
    }
}

/// The parameters of a query as they stand in it.
pub(crate) fn pairs(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// Whether a parameter, named as it stands in the query, is the signature itself, which no signature covers.
pub(crate) fn is_signature(name: &str) -> bool {
    AWS4_HMAC_SHA256.parameters.signature.eq_ignore_ascii_case(&decode(name))
}

/// Whether a parameter, named as it stands in the query, is a session token.
pub(crate) fn is_token(name: &str) -> bool {
    let name = decode(name);
    TOKEN_PARAMETERS.iter().any(|token| token.eq_ignore_ascii_case(&name))
}

/// Whether a parameter, named as it stands in the query, is part of a signature.
pub(crate) fn is_of_signature(name: &str) -> bool {
    let names = &AWS4_HMAC_SHA256.parameters;
    let decoded = decode(name);
    is_token(name)
        || [names.algorithm, names.credential, names.date, names.expires, names.signed_headers, names.signature]
            .iter()
            .any(|own| own.eq_ignore_ascii_case(&decoded))
}

/// What a part of a query stands for. A `+` is a plus sign.
pub(crate) fn decode(text: &str) -> String {
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

/// A number of so many digits.
fn number<const DIGITS: usize>(text: &[u8]) -> Option<u16> {
    let digits = <[u8; DIGITS]>::try_from(text).ok()?;
    digits.iter().try_fold(0_u16, |number, digit| {
        Some(number * 10 + u16::from(digit.checked_sub(b'0').filter(|&digit| digit < 10)?))
    })
}

fn moment(year: u16, month: Month, day: u16, hms: [u16; 3]) -> Option<OffsetDateTime> {
    let small = |number: u16| u8::try_from(number).ok();
    let date = Date::from_calendar_date(i32::from(year), month, small(day)?).ok()?;
    let time = Time::from_hms(small(hms[0])?, small(hms[1])?, small(hms[2])?).ok()?;
    Some(OffsetDateTime::new_utc(date, time))
}

/// `YYYYMMDD'T'HHMMSS'Z'`.
pub(crate) fn parse_time(text: &str) -> Option<OffsetDateTime> {
    let text = text.as_bytes();
    if text.len() != 16 || text[8] != b'T' || text[15] != b'Z' {
        return None;
    }
    let month = Month::try_from(u8::try_from(number::<2>(&text[4..6])?).ok()?).ok()?;
    let hms = [number::<2>(&text[9..11])?, number::<2>(&text[11..13])?, number::<2>(&text[13..15])?];
    moment(number::<4>(&text[..4])?, month, number::<2>(&text[6..8])?, hms)
}

/// `Sun, 30 Aug 2015 12:36:00 GMT`, as HTTP writes it.
fn parse_http_date(text: &str) -> Option<OffsetDateTime> {
    const MONTHS: [&[u8]; 12] =
        [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
    let (_, text) = text.split_once(", ")?;
    let text = text.as_bytes();
    if text.len() != 24 || &text[20..] != b" GMT" || [text[2], text[6], text[11], text[14], text[17]] != *b"   ::" {
        return None;
    }
    let month = MONTHS.iter().position(|month| *month == &text[3..6])?;
    let month = Month::try_from(u8::try_from(month + 1).ok()?).ok()?;
    let hms = [number::<2>(&text[12..14])?, number::<2>(&text[15..17])?, number::<2>(&text[18..20])?];
    moment(number::<4>(&text[7..11])?, month, number::<2>(&text[..2])?, hms)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(1_440_938_160).unwrap()
    }

    #[test]
    fn times_are_read_strictly() {
        assert_eq!(parse_time("20150830T123600Z"), Some(now()));
        assert_eq!(parse_http_date("Sun, 30 Aug 2015 12:36:00 GMT"), Some(now()));
        for bad in [
            "",
            "20151330T123600Z",
            "2015083\u{e9}T123600Z",
            "T",
            "20150830T1236Z",
            "20150830T126000Z",
            "+0150830T123600Z",
            "201508+3T123600Z",
            "20150830t123600z",
            "2015-08-30T12:36:00Z",
        ] {
            assert_eq!(parse_time(bad), None, "{bad}");
        }
        for bad in
            ["", "Sun, ", "Sun, 30 Aug 2015 12:36:00 UTC", "30 Aug 2015 12:36:00 GMT", "Sun, 31 Jun 2015 12:36:00 GMT"]
        {
            assert_eq!(parse_http_date(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_part_that_repeats_is_no_part() {
        let query = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A/20150830/r/s/aws4_request&X-Amz-Date=20150830T123600Z\
                     &X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=s";
        assert!(Claim::in_query(query).unwrap().is_some());
        let fault = |query: &str| Claim::in_query(query).err();
        assert_eq!(fault(&format!("{query}&X%2DAmz-Expires=600000")), Some(Fault::Repeated("X-Amz-Expires")));
        assert_eq!(fault(&format!("{query}&x-amz-signature=t")), Some(Fault::Repeated("X-Amz-Signature")));
        assert_eq!(fault("X-Amz-Signature=s"), Some(Fault::Missing("X-Amz-Algorithm")));
        assert_eq!(
            fault(&query.replace("Expires=60", "Expires=+60")),
            Some(Fault::Malformed("X-Amz-Expires", "is no number of seconds"))
        );
        assert_eq!(fault(&query.replace("HMAC-SHA256", "ECDSA-P256-SHA256")), Some(Fault::Algorithm));
        assert!(Claim::in_query("a=1&X-Amz-Date=1").unwrap().is_none());
    }
}
