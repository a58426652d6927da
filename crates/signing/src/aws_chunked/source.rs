//! A body that a transport sends, cut into chunks while it is sent.

use std::fmt;
use std::task::{Context, Poll};

use aws_sigv4_free_http_transport::{Body, Bytes, ChunkSource, Error, ErrorKind};
use http::HeaderMap;

use super::ChunkedEncoder;
use crate::SigningError;

/// Computes the trailers of a body while it passes, such as a checksum.
pub trait TrailerSource: Send {
    /// Sees the next bytes of the body, before they are cut into chunks.
    fn update(&mut self, piece: &[u8]);

    /// The trailers, once, after the last byte.
    fn trailers(&mut self) -> HeaderMap;
}

/// No trailers.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoTrailers;

impl TrailerSource for NoTrailers {
    fn update(&mut self, _: &[u8]) {}

    fn trailers(&mut self) -> HeaderMap {
        HeaderMap::new()
    }
}

impl<T: TrailerSource + ?Sized> TrailerSource for Box<T> {
    fn update(&mut self, piece: &[u8]) {
        (**self).update(piece);
    }

    fn trailers(&mut self) -> HeaderMap {
        (**self).trailers()
    }
}

/// A [`ChunkSource`] of the encoded body over one of the body as it is.
///
/// A source that ends early, or gives more than was announced, fails as
/// [`ErrorKind::RequestBody`](aws_sigv4_free_http_transport::ErrorKind::RequestBody).
pub struct ChunkedSource<S, T> {
    source: S,
    encoder: ChunkedEncoder,
    trailers: T,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Reading,
    /// The source has ended; frames are left.
    Ending,
    Over,
}

impl<S: ChunkSource, T: TrailerSource> ChunkedSource<S, T> {
    /// Encodes what `source` gives, with what `trailers` computes of it.
    pub fn new(source: S, encoder: ChunkedEncoder, trailers: T) -> Self {
        Self { source, encoder, trailers, state: State::Reading }
    }

    /// The body of the request. It can be sent once: another attempt is signed anew, and so are its chunks.
    pub fn into_body(self) -> Body
    where
        S: 'static,
        T: 'static,
    {
        Body::once(Some(self.encoder.encoded_length()), Box::new(self))
    }

    /// What the source gives next goes to the encoder.
    fn take(&mut self, next: Option<Result<Bytes, Error>>) -> Result<(), Error> {
        match next {
            Some(piece) => {
                let piece = piece?;
                self.encoder.push(piece.clone()).map_err(broken_body)?;
                self.trailers.update(&piece);
            }
            None => {
                self.encoder.finish(&self.trailers.trailers()).map_err(broken_body)?;
                self.state = State::Ending;
            }
        }
        Ok(())
    }
}

impl<S: ChunkSource, T: TrailerSource> ChunkSource for ChunkedSource<S, T> {
    fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        loop {
            if self.state == State::Over {
                return Poll::Ready(None);
            }
            match self.encoder.next_frame() {
                Ok(Some(frame)) => return Poll::Ready(Some(Ok(frame))),
                Ok(None) if self.state == State::Ending => {
                    self.state = State::Over;
                    return Poll::Ready(None);
                }
                Ok(None) => {}
                Err(error) => {
                    self.state = State::Over;
                    return Poll::Ready(Some(Err(broken_body(error))));
                }
            }
            let Poll::Ready(next) = self.source.poll_chunk(context) else { return Poll::Pending };
            if let Err(error) = self.take(next) {
                self.state = State::Over;
                return Poll::Ready(Some(Err(error)));
            }
        }
    }
}

fn broken_body(error: SigningError) -> Error {
    Error::new(ErrorKind::RequestBody, "the body can't be sent in chunks").with_source(error)
}

impl<S, T> fmt::Debug for ChunkedSource<S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChunkedSource").field("encoder", &self.encoder).finish_non_exhaustive()
    }
}
