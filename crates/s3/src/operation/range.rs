//! A range of an object's bytes.

use std::ops::{Bound, RangeBounds};

use aws_sigv4_free_core::Error;
use http::{HeaderMap, HeaderValue};

use crate::error::unreadable;

/// Which bytes are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ByteRange {
    /// From the first number on, up to and including the second.
    From(u64, Option<u64>),
    /// The last ones.
    Last(u64),
    /// None: nothing that can be asked for.
    Empty,
}

impl ByteRange {
    pub(crate) fn new(range: impl RangeBounds<u64>) -> Self {
        let start = match range.start_bound() {
            Bound::Included(&start) => Some(start),
            Bound::Excluded(&start) => start.checked_add(1),
            Bound::Unbounded => Some(0),
        };
        let last = match range.end_bound() {
            Bound::Included(&last) => Some(Some(last)),
            Bound::Excluded(&end) => end.checked_sub(1).map(Some),
            Bound::Unbounded => Some(None),
        };
        match (start, last) {
            (Some(start), Some(last)) if last.is_none_or(|last| start <= last) => Self::From(start, last),
            _ => Self::Empty,
        }
    }

    pub(crate) fn insert_into(self, headers: &mut HeaderMap) -> Result<(), Error> {
        let text = match self {
            Self::From(start, Some(last)) => format!("bytes={start}-{last}"),
            Self::From(start, None) => format!("bytes={start}-"),
            Self::Last(0) | Self::Empty => {
                return Err(Error::invalid_input("the range is empty: ask for at least one byte"));
            }
            Self::Last(count) => format!("bytes=-{count}"),
        };
        if let Ok(value) = HeaderValue::try_from(text) {
            headers.insert(http::header::RANGE, value);
        }
        Ok(())
    }

    /// Checks that an answer holds this range. A store that does not know ranges sends the whole object.
    pub(crate) fn check(self, head: &http::response::Parts) -> Result<(), Error> {
        if self == Self::From(0, None) && head.status == http::StatusCode::OK {
            return Ok(());
        }
        let content_range = head.headers.get(http::header::CONTENT_RANGE).and_then(|value| value.to_str().ok());
        let Some((start, last, size)) = content_range.and_then(parse) else {
            return Err(unreadable("it does not say which range it holds: the store may not know ranges"));
        };
        let is_asked_for = match self {
            Self::From(from, None) => start == from && last + 1 == size,
            Self::From(from, Some(to)) => start == from && last == to.min(size - 1),
            Self::Last(count) => start == size.saturating_sub(count) && last + 1 == size,
            Self::Empty => false,
        };
        if is_asked_for { Ok(()) } else { Err(unreadable("it holds another range than was asked for")) }
    }
}

/// `bytes 0-2/1000`.
fn parse(text: &str) -> Option<(u64, u64, u64)> {
    let (range, size) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (start, last) = range.split_once('-')?;
    let (start, last, size) = (start.parse().ok()?, last.parse().ok()?, size.parse().ok()?);
    (start <= last && last < size).then_some((start, last, size))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(range: ByteRange) -> Option<String> {
        let mut headers = HeaderMap::new();
        range.insert_into(&mut headers).ok()?;
        Some(headers["range"].to_str().unwrap().to_owned())
    }

    #[test]
    fn ranges_are_written_with_their_last_byte() {
        for (range, expected) in [
            (ByteRange::new(0..10), "bytes=0-9"),
            (ByteRange::new(5..=5), "bytes=5-5"),
            (ByteRange::new(..7), "bytes=0-6"),
            (ByteRange::new(7..), "bytes=7-"),
            (ByteRange::new(..), "bytes=0-"),
            (ByteRange::new((Bound::Excluded(1), Bound::Unbounded)), "bytes=2-"),
            (ByteRange::Last(3), "bytes=-3"),
        ] {
            assert_eq!(header(range).as_deref(), Some(expected));
        }
    }

    #[test]
    #[allow(clippy::reversed_empty_ranges)]
    fn empty_ranges_are_refused() {
        for range in [ByteRange::new(5..5), ByteRange::new(5..3), ByteRange::new(..0), ByteRange::Last(0)] {
            assert_eq!(header(range), None);
        }
        assert_eq!(ByteRange::new((Bound::Excluded(u64::MAX), Bound::Unbounded)), ByteRange::Empty);
    }

    #[test]
    fn an_answer_has_to_hold_the_range() {
        let check = |range: ByteRange, content_range: Option<&str>| {
            let mut response = http::Response::new(());
            if let Some(text) = content_range {
                response.headers_mut().insert("content-range", text.parse().unwrap());
            }
            range.check(&response.into_parts().0).is_ok()
        };
        assert!(check(ByteRange::new(0..10), Some("bytes 0-9/100")));
        assert!(check(ByteRange::new(0..10), Some("bytes 0-4/5")));
        assert!(check(ByteRange::Last(10), Some("bytes 0-4/5")));
        assert!(check(ByteRange::Last(2), Some("bytes 3-4/5")));
        assert!(check(ByteRange::new(3..), Some("bytes 3-4/5")));
        assert!(check(ByteRange::new(..), None));
        assert!(!check(ByteRange::new(0..10), None));
        assert!(!check(ByteRange::new(1..10), Some("bytes 0-9/100")));
        assert!(!check(ByteRange::new(0..10), Some("bytes 0-8/100")));
        for garbled in ["", "bytes */5", "bytes 3-2/5", "bytes 0-5/5", "bytes 0-18446744073709551615/1", "chars 0-4/5"]
        {
            assert!(!check(ByteRange::new(0..10), Some(garbled)), "{garbled}");
        }
    }
}
