//! The signatures of Alibaba Cloud's APIs: version 3 (`ACS3-HMAC-SHA256`), and the older one of RPC APIs (HMAC-SHA1).
//!
//! Both take a nonce, which makes each request one of its kind: the server refuses one that it has seen. It is an argument,
//! as the time is; a random UUID is what the vendor's own clients take.

mod acs3;
mod rpc;

pub use acs3::{Acs3, Acs3Algorithm};
pub use rpc::AcsRpc;

use crate::error::{SigningError, SigningErrorKind};

fn check_nonce(nonce: &str) -> Result<(), SigningError> {
    if nonce.is_empty() || !nonce.bytes().all(|byte| byte.is_ascii_graphic()) {
        let message =
            "the nonce is empty or holds white space or another character that can't be sent: give a random UUID";
        return Err(SigningError::new(SigningErrorKind::InvalidNonce, message));
    }
    Ok(())
}

/// The length of an HMAC key is free, so this is never seen.
fn unusable() -> SigningError {
    SigningError::new(SigningErrorKind::InvalidCredentials, "the secret access key can't be used as a key")
}

fn as_text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
