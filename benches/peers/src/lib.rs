//! Signing beside its peers: each signer of the registry that can sign the same requests, in one program.

#![forbid(unsafe_code)]

pub mod check;
pub mod harness;
pub mod operation;
pub mod peer;
