//! What comes back.

use std::fmt;
use std::future::poll_fn;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};

use crate::{ChunkSource, Error, ErrorKind};

/// A response: status, headers, and a [`ResponseBody`] that is read as it arrives.
pub type Response = http::Response<ResponseBody>;

/// The body of a response, read chunk by chunk.
///
/// A body that ends before the announced length is an error, never a short success. Dropping it unread closes the connection.
pub struct ResponseBody {
    inner: Inner,
    length: Option<u64>,
}

enum Inner {
    Done,
    Bytes(Bytes),
    Stream(Box<dyn ChunkSource>),
}

impl ResponseBody {
    /// No bytes.
    pub fn empty() -> Self {
        Self { inner: Inner::Done, length: Some(0) }
    }

    /// A body that is already here.
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self { length: Some(bytes.len() as u64), inner: Inner::Bytes(bytes) }
    }

    /// A body that arrives from `source`; `length` is what the response announced, if anything.
    pub fn from_source(length: Option<u64>, source: Box<dyn ChunkSource>) -> Self {
        Self { inner: Inner::Stream(source), length }
    }

    /// How many bytes the response announced.
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// The next chunk; `None` at the end. Never empty.
    ///
    /// # Errors
    /// The connection ended early, made no progress for too long, or broke the protocol.
    ///
    /// # Cancel safety
    /// No byte is lost if the future is dropped before it is ready.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        poll_fn(|context| self.poll_chunk(context)).await.transpose()
    }

    /// Reads the body to its end.
    ///
    /// # Errors
    /// [`ErrorKind::TooLarge`] where the body is longer than `limit` bytes, and whatever [`chunk`](Self::chunk) meets.
    pub async fn collect(mut self, limit: usize) -> Result<Bytes, Error> {
        let too_large =
            || Error::new(ErrorKind::TooLarge, format!("the answer is longer than {limit} bytes")).after_sending();
        if self.length.is_some_and(|length| length > limit as u64) {
            return Err(too_large());
        }
        let Some(first) = self.chunk().await? else { return Ok(Bytes::new()) };
        if first.len() > limit {
            return Err(too_large());
        }
        let Some(second) = self.chunk().await? else { return Ok(first) };
        let mut all = BytesMut::from(&first[..]);
        let mut next = Some(second);
        while let Some(chunk) = next {
            if all.len() + chunk.len() > limit {
                return Err(too_large());
            }
            all.extend_from_slice(&chunk);
            next = self.chunk().await?;
        }
        Ok(all.freeze())
    }
}

impl ChunkSource for ResponseBody {
    fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        loop {
            match std::mem::replace(&mut self.inner, Inner::Done) {
                Inner::Done => return Poll::Ready(None),
                Inner::Bytes(bytes) if bytes.is_empty() => return Poll::Ready(None),
                Inner::Bytes(bytes) => return Poll::Ready(Some(Ok(bytes))),
                Inner::Stream(mut source) => match source.poll_chunk(context) {
                    Poll::Pending => {
                        self.inner = Inner::Stream(source);
                        return Poll::Pending;
                    }
                    Poll::Ready(Some(Ok(chunk))) => {
                        self.inner = Inner::Stream(source);
                        if !chunk.is_empty() {
                            return Poll::Ready(Some(Ok(chunk)));
                        }
                    }
                    Poll::Ready(end) => return Poll::Ready(end),
                },
            }
        }
    }
}

impl fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.length {
            Some(length) => write!(f, "ResponseBody({length} bytes)"),
            None => f.write_str("ResponseBody(unknown length)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use std::pin::pin;
    use std::task::Waker;

    struct Chunks(Vec<&'static str>);
    impl ChunkSource for Chunks {
        fn poll_chunk(&mut self, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
            Poll::Ready((!self.0.is_empty()).then(|| Ok(Bytes::from_static(self.0.remove(0).as_bytes()))))
        }
    }

    fn now<T>(future: impl Future<Output = T>) -> T {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("the future waits"),
        }
    }

    fn body(chunks: &[&'static str]) -> ResponseBody {
        ResponseBody::from_source(None, Box::new(Chunks(chunks.to_vec())))
    }

    #[test]
    fn collects_over_empty_chunks() {
        assert_eq!(now(body(&["a", "", "bc", ""]).collect(3)).unwrap(), "abc");
        assert_eq!(now(body(&[]).collect(0)).unwrap(), "");
        assert_eq!(now(ResponseBody::from_bytes("abc").collect(3)).unwrap(), "abc");
    }

    #[test]
    fn a_limit_holds_with_and_without_an_announced_length() {
        for body in [body(&["ab", "cd"]), body(&["abcd"]), ResponseBody::from_bytes("abcd")] {
            assert_eq!(now(body.collect(3)).unwrap_err().kind(), ErrorKind::TooLarge);
        }
    }
}
