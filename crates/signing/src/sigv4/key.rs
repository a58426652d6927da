//! The signing key, and the store of those that were used last.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::credentials::CredentialsId;
use crate::dialect::Dialect;

/// A signing key with its first hash block done, so that a signature costs only the blocks of its own text. Wiped when dropped.
#[derive(Clone)]
pub(crate) struct SigningKey(Hmac<Sha256>);

impl SigningKey {
    /// Derives the key of one day, region and service.
    pub(crate) fn derive(dialect: &Dialect, secret: &str, day: &[u8; 8], region: &str, service: &str) -> Self {
        let mut seed = Zeroizing::new(Vec::with_capacity(dialect.key_prefix.len() + secret.len()));
        seed.extend_from_slice(dialect.key_prefix.as_bytes());
        seed.extend_from_slice(secret.as_bytes());
        let mut key = keyed(&seed);
        for step in [&day[..], region.as_bytes(), service.as_bytes(), dialect.terminator.as_bytes()] {
            key.update(step);
            let bytes: Zeroizing<[u8; 32]> = Zeroizing::new(key.finalize().into_bytes().into());
            key = keyed(&bytes[..]);
        }
        Self(key)
    }

    /// The signature of `text`.
    pub(crate) fn sign(&self, text: &[u8]) -> [u8; 32] {
        let mut mac = self.0.clone();
        mac.update(text);
        mac.finalize().into_bytes().into()
    }
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    match Hmac::new_from_slice(key) {
        Ok(mac) => mac,
        // The length of an HMAC key is free, so this arm is never taken; without it there would be a panic to explain.
        Err(_) => Hmac::new(&Default::default()),
    }
}

/// How many keys a thread keeps: enough for a client of several services and regions.
const CAPACITY: usize = 8;

/// The keys that this thread used last, newest first.
///
/// A key is found by everything that went into it: the algorithm, day, region, service, and the very credentials (not a
/// copy of their secret, nor their access key id, which may come with another secret one day).
#[derive(Default)]
pub(crate) struct KeyStore(Vec<Entry>);

struct Entry {
    algorithm: &'static str,
    day: [u8; 8],
    region: Box<str>,
    service: Box<str>,
    credentials: CredentialsId,
    key: SigningKey,
}

impl KeyStore {
    /// The key for these, derived unless it is kept.
    pub(crate) fn key(
        &mut self,
        dialect: &Dialect,
        credentials: &crate::Credentials,
        day: [u8; 8],
        region: &str,
        service: &str,
    ) -> &SigningKey {
        let found = self.0.iter().position(|entry| {
            entry.day == day
                && entry.credentials.is_of(credentials)
                && *entry.region == *region
                && *entry.service == *service
                && entry.algorithm == dialect.algorithm
        });
        match found {
            Some(0) => {}
            Some(index) => self.0[..=index].rotate_right(1),
            None => {
                // Keys of credentials that are gone are gone too.
                self.0.retain(|entry| entry.credentials.is_alive());
                self.0.truncate(CAPACITY - 1);
                let secret = credentials.secret_access_key().expose_secret();
                let entry = Entry {
                    algorithm: dialect.algorithm,
                    day,
                    region: region.into(),
                    service: service.into(),
                    credentials: credentials.id(),
                    key: SigningKey::derive(dialect, secret, &day, region, service),
                };
                self.0.insert(0, entry);
            }
        }
        &self.0[0].key
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Credentials;
    use crate::dialect::AWS4_HMAC_SHA256;
    use crate::encoding::hex;

    fn key_of(store: &mut KeyStore, credentials: &Credentials, day: &[u8; 8], region: &str, service: &str) -> [u8; 32] {
        store.key(&AWS4_HMAC_SHA256, credentials, *day, region, service).sign(b"text")
    }

    // The example of the IAM User Guide, "Elements of an AWS API request signature".
    #[test]
    fn derives_the_published_key() {
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        let key = SigningKey::derive(&AWS4_HMAC_SHA256, secret, b"20150830", "us-east-1", "iam");
        let text = "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/iam/aws4_request\n\
                    f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59";
        let signature = hex(&key.sign(text.as_bytes()));
        assert_eq!(&signature, b"5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
    }

    #[test]
    fn every_part_of_a_key_tells_it_apart() {
        let mut store = KeyStore::default();
        let credentials = Credentials::new("AKID", "secret");
        let first = key_of(&mut store, &credentials, b"20150830", "us-east-1", "s3");
        assert_eq!(key_of(&mut store, &credentials, b"20150830", "us-east-1", "s3"), first);
        assert_eq!(store.0.len(), 1);
        assert_ne!(key_of(&mut store, &credentials, b"20150831", "us-east-1", "s3"), first);
        assert_ne!(key_of(&mut store, &credentials, b"20150830", "us-east-2", "s3"), first);
        assert_ne!(key_of(&mut store, &credentials, b"20150830", "us-east-1", "sns"), first);
        // The same access key id with another secret.
        assert_ne!(key_of(&mut store, &Credentials::new("AKID", "other"), b"20150830", "us-east-1", "s3"), first);
        assert_eq!(key_of(&mut store, &credentials, b"20150830", "us-east-1", "s3"), first);
    }

    #[test]
    fn neighbouring_fields_do_not_run_into_each_other() {
        let mut store = KeyStore::default();
        let credentials = Credentials::new("AKID", "secret");
        assert_ne!(
            key_of(&mut store, &credentials, b"20150830", "ab", "c"),
            key_of(&mut store, &credentials, b"20150830", "a", "bc")
        );
    }

    #[test]
    fn a_thread_keeps_a_bounded_number_of_keys_and_none_of_dropped_credentials() {
        let mut store = KeyStore::default();
        let credentials = Credentials::new("AKID", "secret");
        for region in 0..100 {
            key_of(&mut store, &credentials, b"20150830", &region.to_string(), "s3");
        }
        assert_eq!(store.0.len(), CAPACITY);
        drop(credentials);
        key_of(&mut store, &Credentials::new("AKID", "secret"), b"20150830", "us-east-1", "s3");
        assert_eq!(store.0.len(), 1);
    }
}
