//! What went wrong, in the words of this crate.

use std::error::Error as StdError;
use std::io;

use super::connection::{Mark, Monitor, is_closed_by_peer};
use crate::{Error, ErrorKind};

/// The error of a request whose response head did not come; `peer` is `host:port`.
pub(super) fn request_error(error: hyper::Error, monitor: &Monitor, mark: Mark, peer: &str) -> Error {
    let sent = monitor.has_written_since(mark);
    let error = match monitor.take_body_failure() {
        Some(error) => error,
        None => head_error(error, monitor, mark, peer),
    };
    if sent { error.after_sending() } else { error }
}

fn head_error(error: hyper::Error, monitor: &Monitor, mark: Mark, peer: &str) -> Error {
    let (kind, message) = if monitor.has_head_overflown() {
        (ErrorKind::TooLarge, format!("{peer} sends interim responses without end"))
    } else if is_too_large(&error) {
        (ErrorKind::TooLarge, format!("the head of the answer of {peer} is larger than its limit"))
    } else if error.is_parse() {
        let hint = "check that the port speaks HTTP/1.1, and whether it expects https";
        (ErrorKind::Protocol, format!("the answer of {peer} is not valid HTTP/1.1: {hint}"))
    } else if is_connection_end(&error) {
        let when =
            if monitor.has_read_since(mark) { "in the middle of the response head" } else { "without an answer" };
        (ErrorKind::ConnectionClosed, format!("{peer} closed the connection {when}: retry"))
    } else {
        (ErrorKind::Protocol, format!("the exchange with {peer} failed"))
    };
    Error::new(kind, message).with_source(error)
}

/// The error of a response body after `received` bytes.
pub(super) fn body_error(error: hyper::Error, received: u64, peer: &str) -> Error {
    let (kind, what) = match io_kind(&error) {
        Some(io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) => {
            (ErrorKind::Protocol, "is not valid HTTP/1.1")
        }
        _ => (ErrorKind::ConnectionClosed, "ended early: the connection was closed"),
    };
    let message = format!("the response body of {peer} {what} after {received} bytes");
    Error::new(kind, message).with_source(error).after_sending()
}

/// The error of a body that ended before its announced length.
pub(super) fn short_body(received: u64, peer: &str) -> Error {
    let message = format!("the response body of {peer} ended early, after {received} bytes");
    Error::new(ErrorKind::ConnectionClosed, message).after_sending()
}

/// Whether `error` says that the peer ended the connection.
fn is_connection_end(error: &hyper::Error) -> bool {
    if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        return true;
    }
    io_kind(error).is_some_and(|kind| {
        is_closed_by_peer(kind) || matches!(kind, io::ErrorKind::UnexpectedEof | io::ErrorKind::NotConnected)
    })
}

fn io_kind(error: &hyper::Error) -> Option<io::ErrorKind> {
    let mut next = error.source();
    while let Some(cause) = next {
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            return Some(io.kind());
        }
        next = cause.source();
    }
    None
}

/// hyper tells of a head that is too large in its text only; the tests notice when the text changes.
fn is_too_large(error: &hyper::Error) -> bool {
    error.is_parse() && error.to_string().contains("too large")
}
