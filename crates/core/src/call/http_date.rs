//! The `Date` of a response.

use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time};

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Reads an `IMF-fixdate` (RFC 9110, 5.6.7): "Thu, 01 Jan 2026 00:00:01 GMT". The day of the week is not checked.
pub(super) fn parse(text: &str) -> Option<OffsetDateTime> {
    let (_, text) = text.trim().split_once(", ")?;
    let mut parts = text.split(' ');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    let mut clock = parts.next()?.split(':');
    let (hour, minute, second) = (clock.next()?, clock.next()?, clock.next()?);
    if clock.next().is_some() || !matches!(parts.next()?, "GMT" | "UTC" | "+0000") || parts.next().is_some() {
        return None;
    }
    let month = MONTHS.iter().position(|name| *name == month)?;
    let month = Month::try_from(u8::try_from(month + 1).ok()?).ok()?;
    let date =
        Date::from_calendar_date(i32::from(digits(year, 4)?), month, u8::try_from(digits(day, 2)?).ok()?).ok()?;
    // A leap second is the last second of its minute.
    let second = u8::try_from(digits(second, 2)?.min(60)).ok()?.min(59);
    let time =
        Time::from_hms(u8::try_from(digits(hour, 2)?).ok()?, u8::try_from(digits(minute, 2)?).ok()?, second).ok()?;
    Some(PrimitiveDateTime::new(date, time).assume_utc())
}

fn digits(text: &str, count: usize) -> Option<u16> {
    let all_digits = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read() {
        let seconds = |text| parse(text).map(OffsetDateTime::unix_timestamp);
        assert_eq!(seconds("Thu, 01 Jan 1970 00:00:01 GMT"), Some(1));
        assert_eq!(seconds("Tue, 15 Nov 1994 12:45:26 GMT"), Some(784_903_526));
        assert_eq!(seconds(" Sat, 31 Dec 2016 23:59:60 GMT"), Some(1_483_228_799));
        assert_eq!(seconds("Thu, 29 Feb 2024 00:00:00 UTC"), Some(1_709_164_800));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "now",
            ", ",
            "Thu, 01 Jan 2026 00:00:01",
            "Thu, 1 Jan 2026 00:00:01 GMT",
            "Thu, 01 Jan 2026 00:00:01 CET",
            "Thu, 01 Jan 2026 24:00:01 GMT",
            "Thu, 30 Feb 2026 00:00:01 GMT",
            "Thu, 01 Jan 2026 00:00:01:00 GMT",
            "Thu, 01 Jan 2026 00:00:01 GMT GMT",
            "Thu, +1 Jan 2026 00:00:01 GMT",
            "Thu, 01 Jän 2026 00:00:01 GMT",
            "Thu, 01 Jan 99999 00:00:01 GMT",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
