//! Whether a peer's signature is right: a wrong one may be as fast as it likes.

use std::collections::BTreeSet;

use aws_sigv4_free_signing::{Credentials, Payload, SigV4};
use http::HeaderMap;
use time::{Date, Month, OffsetDateTime, Time};

use crate::operation::{ACCESS_KEY, EXPIRES_IN, Operation, REGION, SECRET_KEY, URL};

/// What came of an operation.
pub enum Signed {
    Headers(HeaderMap),
    Url(String),
    Key([u8; 32]),
    /// Nothing to check: work that signs no request.
    Nothing,
}

/// Signs what the peer signed, at the peer's time, with this crate; the same signature is a right one, since this crate is held to
/// the published vectors elsewhere.
pub fn check(operation: Operation, signed: &Signed) -> Result<(), String> {
    let mut credentials = Credentials::new(ACCESS_KEY, SECRET_KEY);
    if let Some(token) = operation.token() {
        credentials = credentials.with_session_token(token);
    }
    let signer = SigV4::s3(REGION);
    match signed {
        Signed::Nothing => Ok(()),
        Signed::Headers(headers) => {
            let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
            let mut request = operation.request();
            let body = request.body().clone();
            signer
                .sign(&mut request, Payload::bytes(&body), &credentials, date(text("x-amz-date"))?)
                .map_err(|error| error.to_string())?;
            let expected = request.headers()["authorization"].to_str().unwrap_or_default();
            same(&fields(expected, ','), &fields(text("authorization"), ','))
        }
        Signed::Url(url) => {
            let query = url.split_once('?').map_or("", |(_, query)| query);
            let parameters = fields(query, '&');
            let at = parameters.iter().find_map(|field| field.strip_prefix("X-Amz-Date=")).unwrap_or_default();
            let request = http::Request::get(URL).body(()).map_err(|error| error.to_string())?;
            let expected =
                signer.presign(&request, EXPIRES_IN, &credentials, date(at)?).map_err(|error| error.to_string())?;
            same(&fields(expected.as_str().split_once('?').map_or("", |(_, query)| query), '&'), &parameters)
        }
        Signed::Key(key) => {
            if key == &[0; 32] {
                Err("the key is empty".to_owned())
            } else {
                Ok(())
            }
        }
    }
}

/// The fields of a header or of a query; their order is free.
fn fields(text: &str, separator: char) -> BTreeSet<String> {
    let text = text.strip_prefix("AWS4-HMAC-SHA256 ").unwrap_or(text);
    text.split(separator).map(|field| field.trim().to_owned()).collect()
}

fn same(expected: &BTreeSet<String>, found: &BTreeSet<String>) -> Result<(), String> {
    if expected == found { Ok(()) } else { Err(format!("signed {found:?}, not {expected:?}")) }
}

/// `YYYYMMDD'T'HHMMSS'Z'`.
fn date(text: &str) -> Result<OffsetDateTime, String> {
    let number = |range: std::ops::Range<usize>| text.get(range).and_then(|digits| digits.parse::<u16>().ok());
    let read = || {
        let month = Month::try_from(number(4..6)? as u8).ok()?;
        let date = Date::from_calendar_date(number(0..4)?.into(), month, number(6..8)? as u8).ok()?;
        let time = Time::from_hms(number(9..11)? as u8, number(11..13)? as u8, number(13..15)? as u8).ok()?;
        Some(OffsetDateTime::new_utc(date, time))
    };
    read().ok_or_else(|| format!("no date in {text:?}"))
}
