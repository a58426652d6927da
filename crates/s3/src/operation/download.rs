//! An object's bytes on their way.

use std::fmt;
use std::task::{Context, Poll};

use aws_sigv4_free_core::Error;
use aws_sigv4_free_http_transport::{self as transport, ChunkSource, Response, ResponseBody};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode};

use super::GetObject;
use super::get_object::OnProgress;
use super::range::ByteRange;
use crate::call::Operation;
use crate::checksum::{Checksum, Hasher};
use crate::error::integrity;
use crate::metadata::ObjectInfo;

/// An object's bytes on their way, and what is known of the object.
///
/// The bytes are counted and, where the store has a checksum over the whole object and all of it was asked for, verified:
/// the last chunk is followed by an error if they are not those that were stored. Whoever uses chunks before the end uses
/// what was not verified.
pub struct Download {
    info: ObjectInfo,
    range: Option<(u64, u64)>,
    body: ResponseBody,
    announced: Option<u64>,
    received: u64,
    check: Option<(Hasher, Checksum)>,
    on_progress: Option<OnProgress>,
    is_ended: bool,
}

impl Download {
    /// From the answer to a request for the whole object, or for a range of it.
    pub(super) fn new(
        response: Response,
        asked: Option<ByteRange>,
        on_progress: Option<OnProgress>,
    ) -> Result<Self, Error> {
        let (head, body) = response.into_parts();
        if let Some(range) = asked {
            range.check(&head)?;
        }
        let info = ObjectInfo::from_headers(&head.headers);
        // A checksum belongs to the stored object: to all of it.
        let is_whole = asked.is_none() && head.status == StatusCode::OK;
        let check = info.checksum.filter(|_| is_whole);
        Ok(Self {
            range: content_range(&head.headers),
            announced: body.length().or_else(|| content_length(&head.headers)),
            info,
            body,
            received: 0,
            check: check.map(|checksum| (Hasher::new(checksum.algorithm()), checksum)),
            on_progress,
            is_ended: false,
        })
    }

    pub(super) fn into_info(self) -> ObjectInfo {
        self.info
    }

    /// What is known of the object.
    pub fn info(&self) -> &ObjectInfo {
        &self.info
    }

    /// The first and the last byte of the range that arrives; `None` where it is the whole object.
    pub fn range(&self) -> Option<(u64, u64)> {
        self.range
    }

    /// How many bytes are to arrive; `None` where the store does not tell.
    pub fn length(&self) -> Option<u64> {
        self.announced
    }

    /// The next bytes; `None` at the end. Never empty.
    ///
    /// # Errors
    /// The connection failed; fewer or more bytes arrived than were announced, or others than were stored
    /// ([`ErrorKind::Integrity`](crate::ErrorKind::Integrity)).
    ///
    /// # Cancel safety
    /// No byte is lost if the future is dropped before it is ready.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        std::future::poll_fn(|context| self.poll_next(context)).await.transpose()
    }

    /// Reads all bytes into memory.
    ///
    /// # Errors
    /// There are more than `limit` bytes ([`ErrorKind::Response`](crate::ErrorKind::Response)), and whatever [`chunk`](Self::chunk) meets.
    pub async fn bytes(mut self, limit: usize) -> Result<Bytes, Error> {
        let too_large = || {
            let message = format!("the object is larger than the {limit} bytes that were asked for at most");
            Error::response(message).in_operation("s3", GetObject::NAME)
        };
        if self.announced.is_some_and(|length| length > limit as u64) {
            return Err(too_large());
        }
        let mut all = BytesMut::new();
        while let Some(chunk) = self.chunk().await? {
            if all.len() + chunk.len() > limit {
                return Err(too_large());
            }
            if all.is_empty() && self.announced == Some(chunk.len() as u64) {
                // It arrived at once: the end is looked at, and nothing copied.
                return match self.chunk().await? {
                    None => Ok(chunk),
                    Some(_) => Err(too_large()),
                };
            }
            all.extend_from_slice(&chunk);
        }
        Ok(all.freeze())
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        if self.is_ended {
            return Poll::Ready(None);
        }
        let in_operation = |error: Error| error.in_operation("s3", GetObject::NAME);
        match self.body.poll_chunk(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Some(Ok(chunk))) => {
                self.received += chunk.len() as u64;
                if let Some((hasher, _)) = &mut self.check {
                    hasher.update(&chunk);
                }
                if let Some(on_progress) = &self.on_progress {
                    on_progress(self.received, self.announced);
                }
                Poll::Ready(Some(Ok(chunk)))
            }
            Poll::Ready(Some(Err(error))) => {
                self.is_ended = true;
                Poll::Ready(Some(Err(in_operation(error.into()))))
            }
            Poll::Ready(None) => {
                self.is_ended = true;
                Poll::Ready(self.verify().err().map(|error| Err(in_operation(error))))
            }
        }
    }

    fn verify(&mut self) -> Result<(), Error> {
        if let Some(announced) = self.announced.filter(|announced| *announced != self.received) {
            return Err(integrity(format!("{} bytes arrived of {announced}: read the object again", self.received)));
        }
        let Some((hasher, stored)) = self.check.take() else { return Ok(()) };
        let arrived = hasher.finish();
        if arrived == stored {
            Ok(())
        } else {
            Err(integrity(format!(
                "the bytes that arrived are not those that were stored: their checksum is {arrived}, the store's {stored}; \
                 read the object again"
            )))
        }
    }
}

impl ChunkSource for Download {
    fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, transport::Error>>> {
        self.poll_next(context).map_err(|error| {
            transport::Error::new(transport::ErrorKind::RequestBody, "the object that is passed on can't be read")
                .with_source(error)
        })
    }
}

impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Download").field("info", &self.info).field("received", &self.received).finish_non_exhaustive()
    }
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(http::header::CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

fn content_range(headers: &HeaderMap) -> Option<(u64, u64)> {
    let text = headers.get(http::header::CONTENT_RANGE)?.to_str().ok()?;
    let (start, last) = text.strip_prefix("bytes ")?.split_once('/')?.0.split_once('-')?;
    Some((start.parse().ok()?, last.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::test_support::now;

    #[test]
    fn a_body_of_another_length_is_an_error() {
        for (body, kind) in [("hell", ErrorKind::Integrity), ("hello!", ErrorKind::Integrity)] {
            let download = Download {
                info: ObjectInfo::default(),
                range: None,
                body: ResponseBody::from_bytes(body),
                announced: Some(5),
                received: 0,
                check: None,
                on_progress: None,
                is_ended: false,
            };
            let error = now(download.bytes(100)).unwrap_err();
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.to_string().contains("bytes arrived of 5"), "{error}");
        }
    }
}
