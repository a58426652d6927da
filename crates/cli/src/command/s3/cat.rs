//! `sigv4 s3 cat`.

use clap::Args;

use crate::context::{Context, call_failure};
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::s3_uri::S3Uri;

/// The options of `cat`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  sigv4 s3 cat s3://logs/2026/11/22.log | grep ERROR
  sigv4 s3 cat s3://films/film.mkv --range 0-1023 > head.bin
  sigv4 s3 cat s3://logs/part-1 s3://logs/part-2 > whole")]
pub(crate) struct Arguments {
    #[arg(value_name = "S3URI", required = true)]
    uris: Vec<S3Uri>,

    /// The bytes to read: `FIRST-LAST` counted from 0, `FIRST-` to the end, or `-COUNT` from the end
    #[arg(long, value_name = "RANGE", allow_hyphen_values = true)]
    range: Option<ByteRange>,
}

/// A range of bytes as HTTP has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ByteRange {
    From(u64),
    Within(u64, u64),
    Last(u64),
}

impl std::str::FromStr for ByteRange {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "expected FIRST-LAST, FIRST- or -COUNT";
        let text = text.strip_prefix("bytes=").unwrap_or(text);
        let (first, last) = text.split_once('-').ok_or(EXPECTED)?;
        let number = |text: &str| text.parse::<u64>().map_err(|_| EXPECTED);
        match (first, last) {
            ("", "") => Err(EXPECTED),
            ("", count) => Ok(Self::Last(number(count)?)),
            (first, "") => Ok(Self::From(number(first)?)),
            (first, last) => match (number(first)?, number(last)?) {
                (first, last) if first <= last => Ok(Self::Within(first, last)),
                _ => Err("the range ends before it begins"),
            },
        }
    }
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    for uri in &arguments.uris {
        if uri.key.is_empty() {
            return Err(Failure::usage(format!("the key is missing: write s3://{}/key", uri.bucket)));
        }
    }
    let s3 = super::client(context)?;
    let mut out = Output::new();
    context.block_on(async {
        for uri in &arguments.uris {
            let mut get = s3.bucket(&uri.bucket).object(&uri.key).get();
            get = match arguments.range {
                None => get,
                Some(ByteRange::From(first)) => get.range(first..),
                Some(ByteRange::Within(first, last)) => get.range(first..=last),
                Some(ByteRange::Last(count)) => get.last_bytes(count),
            };
            let mut download = get.await.map_err(|error| call_failure(&error))?;
            while let Some(chunk) = download.chunk().await.map_err(|error| call_failure(&error))? {
                out.bytes(&chunk)?;
            }
            out.flush()?;
        }
        Ok(Exit::Success)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_as_http_has_them() {
        assert_eq!("0-99".parse(), Ok(ByteRange::Within(0, 99)));
        assert_eq!("bytes=5-".parse(), Ok(ByteRange::From(5)));
        assert_eq!("-7".parse(), Ok(ByteRange::Last(7)));
        for text in ["", "-", "5", "9-1", "a-b", "1-2-3"] {
            assert!(text.parse::<ByteRange>().is_err(), "{text}");
        }
    }
}
