//! What a thread keeps between two signatures.

use std::cell::RefCell;

use super::canonical::Query;
use super::key::KeyStore;

thread_local! {
    /// What a thread keeps between two signatures.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Buffers and keys that are kept between two signatures, so that signing allocates no memory of its own and takes no lock.
#[derive(Default)]
pub(crate) struct Scratch {
    pub(crate) text: Vec<u8>,
    pub(crate) string_to_sign: Vec<u8>,
    pub(crate) query: Query,
    pub(crate) keys: KeyStore,
    #[cfg(feature = "sigv4a")]
    pub(crate) ecdsa_keys: crate::sigv4a::KeyStore,
}

/// Runs `work` with this thread's buffers, empty; they are wiped afterwards, since they held a token or a signature.
pub(crate) fn with_scratch<R>(work: impl FnOnce(&mut Scratch) -> R) -> R {
    SCRATCH.with(|scratch| {
        let Ok(mut scratch) = scratch.try_borrow_mut() else {
            return work(&mut Scratch::default());
        };
        let result = work(&mut scratch);
        let Scratch { text, string_to_sign, query, .. } = &mut *scratch;
        for buffer in [text, string_to_sign] {
            std::hint::black_box(&mut *buffer).fill(0);
            buffer.clear();
            // One large request does not keep its memory for ever.
            buffer.shrink_to(64 << 10);
        }
        query.clear();
        result
    })
}
