//! The signers, one file each.

mod aws_sign_v4;
mod aws_sigv4;
mod limit;
mod object_store;
mod reqsign;
mod rusty_s3;
mod this;

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use crate::harness::Contender;
use crate::operation::Operation;

/// The name of this crate's own signer.
pub const THIS: &str = "this crate";
/// The name of what this crate does with a key that it kept: to be taken from what it does with one that it derives.
pub const KEPT: &str = "this crate, key kept";
/// The name of what no signer can do without.
pub const LIMIT: &str = "hashing alone";

/// All who can do `operation`: what no signer can do without, this crate, and the peers.
pub fn contenders(operation: Operation) -> Vec<Contender> {
    let kept = (operation == Operation::ColdKey).then(this::with_kept_key);
    let all = [
        kept,
        limit::contender(operation),
        this::contender(operation),
        aws_sigv4::contender(operation),
        reqsign::contender(operation),
        object_store::contender(operation),
        rusty_s3::contender(operation),
        aws_sign_v4::contender(operation),
    ];
    all.into_iter().flatten().collect()
}

/// The result of a future that never waits.
fn at_once<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("a signer without I/O waits"),
    }
}
