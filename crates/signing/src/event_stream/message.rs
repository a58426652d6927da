//! Messages in the encoding `application/vnd.amazon.eventstream`.

use std::borrow::Cow;
use std::fmt;

use aws_sigv4_free_http_transport::Bytes;
use time::OffsetDateTime;

use crate::error::{SigningError, SigningErrorKind};

/// The longest message, in bytes.
const LONGEST_MESSAGE: usize = 24 << 20;
/// The most bytes of headers.
const MOST_HEADERS: usize = 128 << 10;
/// The lengths and the checksum before the headers.
const PRELUDE: usize = 12;
/// What a message holds besides its headers and its payload.
const OVERHEAD: usize = PRELUDE + 4;

/// A message of an event stream: headers with types, and a payload.
///
/// `Debug` shows the names of the headers and the length of the payload only.
#[derive(Clone, Default, PartialEq)]
pub struct Message {
    headers: Vec<(Cow<'static, str>, Value)>,
    payload: Bytes,
}

/// The value of a message's header.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// True or false.
    Bool(bool),
    /// A signed integer of 8 bits.
    Byte(i8),
    /// A signed integer of 16 bits.
    Int16(i16),
    /// A signed integer of 32 bits.
    Int32(i32),
    /// A signed integer of 64 bits.
    Int64(i64),
    /// At most 65535 bytes.
    Bytes(Bytes),
    /// At most 65535 bytes of UTF-8.
    String(Cow<'static, str>),
    /// A moment, of which milliseconds are kept.
    Timestamp(OffsetDateTime),
    /// The 16 bytes of a UUID.
    Uuid([u8; 16]),
}

impl Message {
    /// A message with a payload and no headers.
    pub fn new(payload: impl Into<Bytes>) -> Self {
        Self { headers: Vec::new(), payload: payload.into() }
    }

    /// Adds a header. Services want `:message-type`, `:event-type` and often `:content-type`.
    #[must_use]
    pub fn header(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Value>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The message as it is sent: lengths, headers, payload and two CRC32.
    ///
    /// # Errors
    /// [`InvalidMessage`](SigningErrorKind::InvalidMessage) for a name that is empty or longer than 255 bytes, a value
    /// longer than 65535 bytes, headers of more than 128 KiB, or a message of more than 24 MiB.
    pub fn encode(&self) -> Result<Vec<u8>, SigningError> {
        let mut headers = Vec::new();
        for (name, value) in &self.headers {
            write_header(&mut headers, name, value)?;
        }
        frame(&headers, &self.payload)
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("Message").field("headers", &names).field("payload", &self.payload.len()).finish()
    }
}

macro_rules! from {
    ($($from:ty => $variant:ident),* $(,)?) => {$(
        impl From<$from> for Value {
            fn from(value: $from) -> Self {
                Self::$variant(value.into())
            }
        }
    )*};
}

from! {
    bool => Bool, i8 => Byte, i16 => Int16, i32 => Int32, i64 => Int64, Bytes => Bytes, Vec<u8> => Bytes,
    &'static str => String, String => String, OffsetDateTime => Timestamp, [u8; 16] => Uuid,
}

/// Appends a header as it is sent.
pub(super) fn write_header(out: &mut Vec<u8>, name: &str, value: &Value) -> Result<(), SigningError> {
    let length = u8::try_from(name.len()).ok().filter(|&length| length > 0);
    let length = length.ok_or_else(|| invalid("the name of a header has to hold 1 to 255 bytes"))?;
    out.push(length);
    out.extend_from_slice(name.as_bytes());
    match value {
        Value::Bool(true) => out.push(0),
        Value::Bool(false) => out.push(1),
        Value::Byte(number) => write_fixed(out, 2, &number.to_be_bytes()),
        Value::Int16(number) => write_fixed(out, 3, &number.to_be_bytes()),
        Value::Int32(number) => write_fixed(out, 4, &number.to_be_bytes()),
        Value::Int64(number) => write_fixed(out, 5, &number.to_be_bytes()),
        Value::Bytes(bytes) => write_sized(out, 6, bytes)?,
        Value::String(text) => write_sized(out, 7, text.as_bytes())?,
        Value::Timestamp(moment) => write_fixed(out, 8, &milliseconds(*moment).to_be_bytes()),
        Value::Uuid(bytes) => write_fixed(out, 9, bytes),
    }
    Ok(())
}

/// A message of encoded headers and a payload.
pub(super) fn frame(headers: &[u8], payload: &[u8]) -> Result<Vec<u8>, SigningError> {
    if headers.len() > MOST_HEADERS {
        return Err(invalid("the headers of a message hold more than 128 KiB"));
    }
    let total = payload.len().checked_add(headers.len() + OVERHEAD).filter(|&total| total <= LONGEST_MESSAGE);
    let lengths = total.and_then(|total| Some((total, u32::try_from(total).ok()?, u32::try_from(headers.len()).ok()?)));
    let (length, total, headers_length) = lengths.ok_or_else(|| invalid("a message holds more than 24 MiB"))?;

    let mut out = Vec::with_capacity(length);
    out.extend_from_slice(&total.to_be_bytes());
    out.extend_from_slice(&headers_length.to_be_bytes());
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(&out);
    out.extend_from_slice(&checksum.clone().finalize().to_be_bytes());
    out.extend_from_slice(headers);
    out.extend_from_slice(payload);
    checksum.update(&out[8..]);
    out.extend_from_slice(&checksum.finalize().to_be_bytes());
    Ok(out)
}

fn write_fixed(out: &mut Vec<u8>, kind: u8, bytes: &[u8]) {
    out.push(kind);
    out.extend_from_slice(bytes);
}

fn write_sized(out: &mut Vec<u8>, kind: u8, bytes: &[u8]) -> Result<(), SigningError> {
    let length =
        u16::try_from(bytes.len()).map_err(|_| invalid("the value of a header holds more than 65535 bytes"))?;
    out.push(kind);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes);
    Ok(())
}

/// Since 1970; the years that the type holds fit.
fn milliseconds(moment: OffsetDateTime) -> i64 {
    moment.unix_timestamp() * 1000 + i64::from(moment.millisecond())
}

fn invalid(message: &str) -> SigningError {
    SigningError::new(SigningErrorKind::InvalidMessage, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bit by bit, as the checksum is defined.
    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0_u32, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1)))
        })
    }

    #[test]
    fn a_message_without_anything_is_sixteen_bytes() {
        // The empty message that implementations of the encoding are tested with.
        let expected = [0, 0, 0, 0x10, 0, 0, 0, 0, 0x05, 0xc2, 0x48, 0xeb, 0x7d, 0x98, 0xc8, 0xff];
        assert_eq!(Message::default().encode().unwrap(), expected);
    }

    #[test]
    fn every_type_of_a_value_is_written_with_its_number() {
        let moment = OffsetDateTime::from_unix_timestamp_nanos(1_500_000_000_123_999_999).unwrap();
        for (value, expected) in [
            (Value::from(true), vec![0]),
            (false.into(), vec![1]),
            ((-2_i8).into(), vec![2, 0xfe]),
            (0x0102_i16.into(), vec![3, 1, 2]),
            (0x0102_0304_i32.into(), vec![4, 1, 2, 3, 4]),
            ((-1_i64).into(), vec![5, 255, 255, 255, 255, 255, 255, 255, 255]),
            (vec![7_u8, 8].into(), vec![6, 0, 2, 7, 8]),
            ("\u{e9}".into(), vec![7, 0, 2, 0xc3, 0xa9]),
            (moment.into(), [&[8][..], &1_500_000_000_123_i64.to_be_bytes()].concat()),
            ([9; 16].into(), [9; 17].to_vec()),
        ] {
            let mut out = Vec::new();
            write_header(&mut out, "n", &value).unwrap();
            assert_eq!(out, [&[1, b'n'][..], &expected].concat(), "{value:?}");
        }
    }

    #[test]
    fn a_moment_before_1970_is_rounded_down() {
        let moment = OffsetDateTime::from_unix_timestamp_nanos(-1).unwrap();
        assert_eq!(milliseconds(moment), -1);
    }

    #[test]
    fn lengths_and_checksums_cover_what_they_should() {
        let message = Message::new("payload").header(":event-type", "AudioEvent").header("n", 1_i32);
        let sent = message.encode().unwrap();
        let number = |at: usize| u32::from_be_bytes(sent[at..at + 4].try_into().unwrap());
        assert_eq!(number(0) as usize, sent.len());
        assert_eq!(number(4) as usize, sent.len() - 16 - 7);
        assert_eq!(number(8), crc32(&sent[..8]));
        assert_eq!(number(sent.len() - 4), crc32(&sent[..sent.len() - 4]));
        assert!(sent[..sent.len() - 4].ends_with(b"payload"));
        assert!(!format!("{message:?}").contains("AudioEvent"));
    }

    #[test]
    fn what_the_encoding_can_not_hold_is_refused() {
        for message in [
            Message::default().header("", true),
            Message::default().header("n".repeat(256), true),
            Message::default().header("n", vec![0; 65_536]),
            Message::default().header("a", vec![0; 65_535]).header("b", vec![0; 65_535]),
            Message::new(vec![0; (24 << 20) - 15]),
        ] {
            let error = message.encode().unwrap_err();
            assert_eq!(error.kind(), SigningErrorKind::InvalidMessage, "{message:?}");
        }
        assert_eq!(Message::new(vec![0; (24 << 20) - 16]).encode().unwrap().len(), 24 << 20);
    }
}
