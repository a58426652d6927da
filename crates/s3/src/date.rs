//! The two forms of dates in S3's answers.

use time::{Date, Month, OffsetDateTime, Time, UtcOffset};

/// `2026-02-28T17:50:30.000Z`, as in XML.
pub(crate) fn parse_iso8601(text: &str) -> Option<OffsetDateTime> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let mut date = date.splitn(3, '-');
    let (year, month, day) = (number(date.next()?, 4)?, number(date.next()?, 2)?, number(date.next()?, 2)?);
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    if fraction.is_empty() || fraction.len() > 9 {
        return None;
    }
    let nanosecond = number(fraction, fraction.len())? * 10_u32.pow(9 - fraction.len() as u32);
    at(year, Month::try_from(month as u8).ok()?, day, time, nanosecond)
}

/// `Sat, 28 Feb 2026 17:50:30 GMT`, as in headers.
pub(crate) fn parse_http_date(text: &str) -> Option<OffsetDateTime> {
    let (_, rest) = text.trim().strip_suffix(" GMT")?.split_once(", ")?;
    let mut parts = rest.split(' ');
    let (day, month, year, time) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let month = (1..=12)
        .filter_map(|number| Month::try_from(number).ok())
        .find(|name| name.to_string().get(..3) == Some(month))?;
    at(number(year, 4)?, month, number(day, 2)?, time, 0)
}

/// `Sat, 28 Feb 2026 17:50:30 GMT`, for the headers of conditional requests.
pub(crate) fn format_http_date(date: OffsetDateTime) -> String {
    let date = date.to_offset(UtcOffset::UTC);
    let (weekday, month) = (date.weekday().to_string(), date.month().to_string());
    format!(
        "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
        weekday.get(..3).unwrap_or_default(),
        date.day(),
        month.get(..3).unwrap_or_default(),
        date.year(),
        date.hour(),
        date.minute(),
        date.second()
    )
}

fn at(year: u32, month: Month, day: u32, time: &str, nanosecond: u32) -> Option<OffsetDateTime> {
    let mut time = time.splitn(3, ':');
    let (hour, minute, second) = (number(time.next()?, 2)?, number(time.next()?, 2)?, number(time.next()?, 2)?);
    let date = Date::from_calendar_date(year as i32, month, day as u8).ok()?;
    let time = Time::from_hms_nano(hour as u8, minute as u8, second as u8, nanosecond).ok()?;
    Some(date.with_time(time).assume_utc())
}

/// A number of exactly `digits` digits: at most nine of them.
fn number(text: &str, digits: usize) -> Option<u32> {
    (text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const INSTANT: i64 = 1_772_301_030;

    #[test]
    fn both_forms_are_read() {
        for text in ["2026-02-28T17:50:30Z", "2026-02-28T17:50:30.000Z"] {
            assert_eq!(parse_iso8601(text).unwrap().unix_timestamp(), INSTANT);
        }
        assert_eq!(parse_iso8601("2026-02-28T17:50:30.25Z").unwrap().millisecond(), 250);
        assert_eq!(parse_http_date("Sat, 28 Feb 2026 17:50:30 GMT").unwrap().unix_timestamp(), INSTANT);
    }

    #[test]
    fn an_http_date_is_written_as_it_is_read() {
        let date = OffsetDateTime::from_unix_timestamp(INSTANT).unwrap();
        assert_eq!(format_http_date(date), "Sat, 28 Feb 2026 17:50:30 GMT");
        assert_eq!(parse_http_date(&format_http_date(date)), Some(date));
    }

    #[test]
    fn anything_else_is_no_date() {
        for text in [
            "",
            "2026",
            "2026-02-30T00:00:00Z",
            "2026-02-28T24:00:00Z",
            "2026-02-28T17:50:30",
            "2026-02-28T17:50:30.Z",
            "2026-02-28T17:50:é0Z",
        ] {
            assert_eq!(parse_iso8601(text), None, "{text}");
        }
        for text in ["", "Sat, 28 Foo 2026 17:50:30 GMT", "Sat, 28 Feb 2026 17:50 GMT", "28 Feb 2026 17:50:30 GMT"] {
            assert_eq!(parse_http_date(text), None, "{text}");
        }
    }
}
