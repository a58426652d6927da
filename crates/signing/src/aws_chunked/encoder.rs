//! Pieces of a body in, frames of its chunks out.

use std::collections::VecDeque;
use std::fmt;

use aws_sigv4_free_http_transport::Bytes;
use http::HeaderMap;
use sha2::{Digest, Sha256};

use super::AwsChunked;
use super::length::{CHUNK_SIGNATURE, CRLF, TRAILER_SIGNATURE};
use super::signer::{ChunkedSigner, SignatureText};
use super::trailer::{Announced, Lines};
use crate::encoding::hex;
use crate::error::{SigningError, SigningErrorKind};

/// Pieces below this many bytes are collected: a chunk is then held in few of them, however small they come.
const SMALL: usize = 1 << 10;

/// Cuts one body into chunks: [`push`](Self::push) pieces of any size, take frames with [`next_frame`](Self::next_frame),
/// [`finish`](Self::finish) after the last piece, and take the frames that are left.
///
/// The frames, one after the other, are what is sent. The encoder holds what was pushed and not yet taken, and one chunk
/// where chunks are signed.
pub struct ChunkedEncoder {
    signer: Option<ChunkedSigner>,
    /// How long a signature is.
    signature_length: u64,
    trailers: Announced,
    body_length: u64,
    chunk_size: u64,
    encoded_length: u64,
    /// How many bytes of the body were pushed.
    pushed: u64,
    /// How many bytes of the body are in chunks that are begun or done.
    begun: u64,
    /// How many bytes the chunk that is begun lacks.
    lacking: u64,
    input: VecDeque<Bytes>,
    chunk: Pieces,
    hash: Sha256,
    /// Whether a chunk has been begun in the output.
    in_chunks: bool,
    output: VecDeque<Bytes>,
    end: End,
    failed: Option<SigningError>,
}

/// What follows the body.
enum End {
    /// More of the body may come.
    Open,
    /// The body is whole; what follows it is not written yet.
    Finished(Lines),
    /// All is written.
    Written,
}

impl ChunkedEncoder {
    pub(super) fn new(chunked: &AwsChunked, signer: Option<ChunkedSigner>, encoded_length: u64) -> Self {
        Self {
            signer,
            signature_length: chunked.signatures.length().unwrap_or(0),
            trailers: chunked.trailers.clone(),
            body_length: chunked.body_length,
            chunk_size: chunked.chunk_size,
            encoded_length,
            pushed: 0,
            begun: 0,
            lacking: 0,
            input: VecDeque::new(),
            chunk: Pieces::default(),
            hash: Sha256::new(),
            in_chunks: false,
            output: VecDeque::new(),
            end: End::Open,
            failed: None,
        }
    }

    /// How many bytes all frames hold together: the request's `content-length`.
    pub fn encoded_length(&self) -> u64 {
        self.encoded_length
    }

    /// Takes the next piece of the body. It is not looked at before frames are taken, so that pushing costs nothing.
    ///
    /// # Errors
    /// [`BodyLength`](SigningErrorKind::BodyLength) where the body is longer with it than was announced, or where it was
    /// finished. The piece is not taken then.
    pub fn push(&mut self, piece: Bytes) -> Result<(), SigningError> {
        let pushed = self.pushed.checked_add(piece.len() as u64).filter(|&pushed| pushed <= self.body_length);
        let Some(pushed) = pushed else {
            let message = format!("the body holds more than the {} bytes that were announced", self.body_length);
            return Err(SigningError::new(SigningErrorKind::BodyLength, message));
        };
        if !matches!(self.end, End::Open) {
            return Err(SigningError::new(
                SigningErrorKind::BodyLength,
                "the body was finished before this piece of it",
            ));
        }
        self.pushed = pushed;
        if !piece.is_empty() {
            self.input.push_back(piece);
        }
        Ok(())
    }

    /// Says that the body is whole, and gives the values of the trailers that were announced.
    ///
    /// # Errors
    /// [`BodyLength`](SigningErrorKind::BodyLength) where the body is shorter than was announced, or was finished before;
    /// [`InvalidTrailer`](SigningErrorKind::InvalidTrailer) where the trailers are not those that were announced. Nothing
    /// has changed then.
    pub fn finish(&mut self, trailers: &HeaderMap) -> Result<(), SigningError> {
        if !matches!(self.end, End::Open) {
            return Err(SigningError::new(SigningErrorKind::BodyLength, "the body was finished twice"));
        }
        if self.pushed != self.body_length {
            let message = format!("the body ended after {} of {} bytes", self.pushed, self.body_length);
            return Err(SigningError::new(SigningErrorKind::BodyLength, message));
        }
        self.end = End::Finished(self.trailers.lines(trailers)?);
        Ok(())
    }

    /// The next bytes to send. `None` asks for more of the body, or ends it where it was [finished](Self::finish).
    ///
    /// # Errors
    /// Those of signing. The body can't be sent then: each further call gives the error again.
    pub fn next_frame(&mut self) -> Result<Option<Bytes>, SigningError> {
        loop {
            if let Some(frame) = self.output.pop_front() {
                return Ok(Some(frame));
            }
            if let Some(error) = &self.failed {
                return Err(error.clone());
            }
            let step = match self.input.pop_front() {
                Some(piece) => self.add(piece),
                None => match std::mem::replace(&mut self.end, End::Written) {
                    End::Finished(lines) => self.write_end(&lines),
                    end => {
                        self.end = end;
                        return Ok(None);
                    }
                },
            };
            if let Err(error) = step {
                self.failed = Some(error);
            }
        }
    }

    /// Whether all has been taken.
    pub fn is_done(&self) -> bool {
        matches!(self.end, End::Written) && self.output.is_empty() && self.failed.is_none()
    }

    /// Adds to the chunk what it lacks, and puts the rest of the piece back.
    fn add(&mut self, mut piece: Bytes) -> Result<(), SigningError> {
        if self.lacking == 0 {
            let length = self.chunk_size.min(self.body_length - self.begun);
            self.lacking = length;
            if self.signer.is_none() {
                let head = self.head(length, None);
                self.output.push_back(head.into());
            }
            self.begun += length;
        }
        let room = usize::try_from(self.lacking).unwrap_or(usize::MAX);
        let part = piece.split_to(room.min(piece.len()));
        if !piece.is_empty() {
            self.input.push_front(piece);
        }
        self.lacking -= part.len() as u64;
        let Some(signer) = &mut self.signer else {
            self.output.push_back(part);
            return Ok(());
        };
        self.hash.update(&part);
        self.chunk.push(part);
        if self.lacking == 0 {
            let signature = signer.chunk(&hex(&self.hash.finalize_reset().into()))?;
            let head = self.head(self.chunk.length, Some(&signature));
            self.output.push_back(head.into());
            self.chunk.drain_into(&mut self.output);
        }
        Ok(())
    }

    /// The line before a chunk, after the line break that ends the chunk before.
    fn head(&mut self, length: u64, signature: Option<&SignatureText>) -> Vec<u8> {
        let before = if std::mem::replace(&mut self.in_chunks, true) { CRLF } else { "" };
        let mut out = format!("{before}{length:x}").into_bytes();
        if let Some(signature) = signature {
            out.extend_from_slice(CHUNK_SIGNATURE.as_bytes());
            signature.write(&mut out, self.signature_length);
        }
        out.extend_from_slice(CRLF.as_bytes());
        out
    }

    /// The empty chunk and the trailers.
    fn write_end(&mut self, lines: &Lines) -> Result<(), SigningError> {
        let nothing = hex(&Sha256::digest([]).into());
        let signature = self.signer.as_mut().map(|signer| signer.chunk(&nothing)).transpose()?;
        let mut out = self.head(0, signature.as_ref());
        out.extend_from_slice(&lines.wire);
        if let Some(signer) = self.signer.as_mut().filter(|_| !lines.wire.is_empty()) {
            let signature = signer.trailers(&lines.canonical_hash())?;
            out.extend_from_slice(TRAILER_SIGNATURE.as_bytes());
            signature.write(&mut out, self.signature_length);
            out.extend_from_slice(CRLF.as_bytes());
        }
        out.extend_from_slice(CRLF.as_bytes());
        self.output.push_back(out.into());
        Ok(())
    }
}

/// The bytes of one chunk.
#[derive(Default)]
struct Pieces {
    large: Vec<Bytes>,
    /// Small pieces that follow the large ones.
    small: Vec<u8>,
    length: u64,
}

impl Pieces {
    fn push(&mut self, piece: Bytes) {
        self.length += piece.len() as u64;
        if piece.len() < SMALL {
            self.small.extend_from_slice(&piece);
        } else {
            self.collect_small();
            self.large.push(piece);
        }
    }

    fn collect_small(&mut self) {
        if !self.small.is_empty() {
            self.large.push(std::mem::take(&mut self.small).into());
        }
    }

    fn drain_into(&mut self, output: &mut VecDeque<Bytes>) {
        self.collect_small();
        output.extend(self.large.drain(..));
        self.length = 0;
    }
}

// No byte of the body, no signature.
impl fmt::Debug for ChunkedEncoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChunkedEncoder")
            .field("body_length", &self.body_length)
            .field("pushed", &self.pushed)
            .field("encoded_length", &self.encoded_length)
            .finish_non_exhaustive()
    }
}
