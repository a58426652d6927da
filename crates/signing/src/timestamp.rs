//! The signing time as signatures write it.

use time::{OffsetDateTime, UtcOffset};

use crate::error::{SigningError, SigningErrorKind};

/// `YYYYMMDD'T'HHMMSS'Z'`, in UTC.
#[derive(Clone, Copy)]
pub(crate) struct Timestamp([u8; 16]);

impl Timestamp {
    /// Fractions of a second are cut off.
    pub(crate) fn new(now: OffsetDateTime) -> Result<Self, SigningError> {
        let utc =
            if now.offset().is_utc() { now } else { now.checked_to_offset(UtcOffset::UTC).ok_or_else(out_of_range)? };
        let (year, month, day) = utc.to_calendar_date();
        let year = u16::try_from(year).ok().filter(|&year| year <= 9999).ok_or_else(out_of_range)?;
        let (hour, minute, second) = utc.to_hms();
        let mut text = *b"00000000T000000Z";
        let [y1, y2] = [(year / 100) as u8, (year % 100) as u8];
        for (position, value) in
            [(0, y1), (2, y2), (4, u8::from(month)), (6, day), (9, hour), (11, minute), (13, second)]
        {
            text[position] += value / 10;
            text[position + 1] += value % 10;
        }
        Ok(Self(text))
    }

    /// All 16 characters.
    pub(crate) fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// `YYYY-MM-DD'T'HH:MM:SS'Z'`.
    #[cfg(any(feature = "sigv2", feature = "acs"))]
    pub(crate) fn extended(&self) -> String {
        let mut text = String::with_capacity(20);
        for (index, &byte) in self.0.iter().enumerate() {
            match index {
                4 | 6 => text.push('-'),
                11 | 13 => text.push(':'),
                _ => {}
            }
            text.push(char::from(byte));
        }
        text
    }

    /// The 8 characters of the day.
    pub(crate) fn day(&self) -> [u8; 8] {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        [a, b, c, d, e, f, g, h]
    }
}

/// A time as the header `date` has it, such as `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7).
#[cfg(feature = "sigv2")]
pub(crate) fn http_date(now: OffsetDateTime) -> String {
    let now = now.to_offset(UtcOffset::UTC);
    let (year, month, day) = now.to_calendar_date();
    let (hour, minute, second) = now.to_hms();
    let (weekday, month) = (now.weekday().to_string(), month.to_string());
    let short = |name: &str| name.chars().take(3).collect::<String>();
    format!("{}, {day:02} {} {year:04} {hour:02}:{minute:02}:{second:02} GMT", short(&weekday), short(&month))
}

fn out_of_range() -> SigningError {
    SigningError::new(SigningErrorKind::InvalidTime, "the signing time is outside the years 0 to 9999")
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::{Date, Month, Time};

    fn at(year: i32, month: Month, day: u8, hms: (u8, u8, u8)) -> OffsetDateTime {
        let date = Date::from_calendar_date(year, month, day).unwrap();
        OffsetDateTime::new_utc(date, Time::from_hms(hms.0, hms.1, hms.2).unwrap())
    }

    fn text(now: OffsetDateTime) -> String {
        String::from_utf8(Timestamp::new(now).unwrap().as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn is_written_in_utc() {
        let noon = at(2015, Month::August, 30, (12, 36, 0));
        assert_eq!(text(noon), "20150830T123600Z");
        assert_eq!(text(noon.to_offset(UtcOffset::from_hms(14, 0, 0).unwrap())), "20150830T123600Z");
        assert_eq!(text(at(7, Month::December, 1, (1, 2, 3))), "00071201T010203Z");
    }

    #[test]
    #[cfg(any(feature = "sigv2", feature = "acs"))]
    fn is_written_with_separators() {
        let time = Timestamp::new(at(2026, Month::January, 2, (3, 4, 5))).unwrap();
        assert_eq!(time.extended(), "2026-01-02T03:04:05Z");
    }

    #[test]
    #[cfg(feature = "sigv2")]
    fn is_written_as_http_has_it() {
        assert_eq!(http_date(at(1994, Month::November, 6, (8, 49, 37))), "Sun, 06 Nov 1994 08:49:37 GMT");
        let elsewhere = at(2007, Month::March, 27, (19, 36, 42)).to_offset(UtcOffset::from_hms(-7, 0, 0).unwrap());
        assert_eq!(http_date(elsewhere), "Tue, 27 Mar 2007 19:36:42 GMT");
    }

    #[test]
    fn a_year_before_zero_is_refused() {
        assert!(Timestamp::new(at(-1, Month::January, 1, (0, 0, 0))).is_err());
    }
}
