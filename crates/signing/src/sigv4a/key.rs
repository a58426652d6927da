//! The private key of SigV4A, derived of the credentials alone.

use hmac::{Hmac, KeyInit as _, Mac as _};
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{DerSignature, SigningKey};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::Credentials;
use crate::credentials::CredentialsId;
use crate::error::{SigningError, SigningErrorKind};

/// What is derived is for this algorithm: the label of the key derivation function.
const LABEL: &[u8] = b"AWS4-ECDSA-P256-SHA256";

/// The order of the curve's group less two, big-endian: the largest candidate that makes a key.
const LARGEST_CANDIDATE: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
    0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x4f,
];

/// Derives the private key: HMAC-SHA256 in the counter mode of NIST SP 800-108, the key `AWS4A` and the secret, the
/// context the access key id and a counter. A candidate that is too large (one of 2^32) is passed over.
pub(crate) fn derive(access_key_id: &str, secret: &str) -> Result<SigningKey, SigningError> {
    let mut seed = Zeroizing::new(Vec::with_capacity(5 + secret.len()));
    seed.extend_from_slice(b"AWS4A");
    seed.extend_from_slice(secret.as_bytes());
    let keyed = Hmac::<Sha256>::new_from_slice(&seed).map_err(|_| underivable())?;
    for counter in 1..=254_u8 {
        let mut mac = keyed.clone();
        for piece in
            [&1_u32.to_be_bytes()[..], LABEL, &[0], access_key_id.as_bytes(), &[counter], &256_u32.to_be_bytes()]
        {
            mac.update(piece);
        }
        let mut candidate: Zeroizing<[u8; 32]> = Zeroizing::new(mac.finalize().into_bytes().into());
        if !is_above(&candidate, &LARGEST_CANDIDATE) {
            increment(&mut candidate);
            return SigningKey::from_slice(&candidate[..]).map_err(|_| underivable());
        }
    }
    Err(underivable())
}

/// Whether the big-endian `a` is above `b`, in a time that does not depend on their bytes.
fn is_above(a: &[u8; 32], b: &[u8; 32]) -> bool {
    // The borrow of `b - a`.
    let mut borrow = 0;
    for (&a, &b) in a.iter().zip(b).rev() {
        borrow = (u16::from(b).wrapping_sub(u16::from(a)).wrapping_sub(borrow) >> 8) & 1;
    }
    borrow == 1
}

/// Adds one to a big-endian number, in a time that does not depend on its bytes.
fn increment(number: &mut [u8; 32]) {
    let mut carry = 1;
    for byte in number.iter_mut().rev() {
        let sum = u16::from(*byte) + carry;
        *byte = sum as u8;
        carry = sum >> 8;
    }
}

fn underivable() -> SigningError {
    SigningError::new(SigningErrorKind::InvalidCredentials, "no ECDSA key can be derived from these credentials")
}

/// How many keys a thread keeps.
const CAPACITY: usize = 4;

/// The keys that this thread used last, newest first, told apart by their very credentials. Wiped when they are dropped.
#[derive(Default)]
pub(crate) struct KeyStore(Vec<(CredentialsId, SigningKey)>);

impl KeyStore {
    /// The signature of `text` in DER, as lower-case hexadecimal digits. It is the same each time (RFC 6979), so no source of
    /// randomness is needed.
    pub(crate) fn sign(&mut self, credentials: &Credentials, text: &[u8]) -> Result<String, SigningError> {
        let signature: DerSignature = self.key(credentials)?.sign(text);
        let mut digits = String::with_capacity(2 * signature.as_bytes().len());
        for byte in signature.as_bytes() {
            for digit in [byte >> 4, byte & 15] {
                digits.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
            }
        }
        Ok(digits)
    }

    /// The key of these credentials, derived unless it is kept.
    pub(crate) fn key(&mut self, credentials: &Credentials) -> Result<&SigningKey, SigningError> {
        match self.0.iter().position(|(id, _)| id.is_of(credentials)) {
            Some(0) => {}
            Some(index) => self.0[..=index].rotate_right(1),
            None => {
                let key = derive(credentials.access_key_id(), credentials.secret_access_key().expose_secret())?;
                // Keys of credentials that are gone are gone too.
                self.0.retain(|(id, _)| id.is_alive());
                self.0.truncate(CAPACITY - 1);
                self.0.insert(0, (credentials.id(), key));
            }
        }
        self.0.first().map(|(_, key)| key).ok_or_else(underivable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use p256::ecdsa::VerifyingKey;
    use p256::ecdsa::signature::Verifier as _;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    fn digits(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    // The credentials and the public key of the test suite of AWS.
    #[test]
    fn derives_the_published_key() {
        let key = derive("AKIDEXAMPLE", SECRET).unwrap();
        let public = key.verifying_key().to_sec1_point(false);
        assert_eq!(
            digits(public.as_bytes()),
            "04b6618f6a65740a99e650b33b6b4b5bd0d43b176d721a3edfea7e7d2d56d936b1\
             865ed22a7eadc9c5cb9d2cbaca1b3699139fedc5043dc6661864218330c8e518"
        );
    }

    #[test]
    fn candidates_are_compared_and_incremented_as_numbers() {
        let mut number = LARGEST_CANDIDATE;
        assert!(!is_above(&number, &LARGEST_CANDIDATE));
        increment(&mut number);
        assert!(is_above(&number, &LARGEST_CANDIDATE));
        // The order less one is the largest key.
        assert!(SigningKey::from_slice(&number).is_ok());
        increment(&mut number);
        assert!(SigningKey::from_slice(&number).is_err());
        assert!(is_above(&[0xff; 32], &LARGEST_CANDIDATE));
        assert!(!is_above(&[0; 32], &LARGEST_CANDIDATE));
        let mut larger = LARGEST_CANDIDATE;
        larger[4] = 1;
        larger[31] = 0;
        assert!(is_above(&larger, &LARGEST_CANDIDATE));
        let mut carried = [0xff; 32];
        carried[0] = 7;
        increment(&mut carried);
        assert_eq!((carried[0], carried[1..].iter().all(|&byte| byte == 0)), (8, true));
    }

    #[test]
    fn a_signature_is_verified_and_repeatable() {
        let mut store = KeyStore::default();
        let credentials = Credentials::new("AKIDEXAMPLE", SECRET);
        let signature = store.sign(&credentials, b"text").unwrap();
        assert_eq!(store.sign(&credentials, b"text").unwrap(), signature);
        let der: Vec<u8> =
            (0..signature.len()).step_by(2).map(|at| u8::from_str_radix(&signature[at..at + 2], 16).unwrap()).collect();
        let public = VerifyingKey::from(store.key(&credentials).unwrap());
        let signature = DerSignature::from_bytes(&der).unwrap();
        assert!(public.verify(b"text", &signature).is_ok());
        assert!(public.verify(b"test", &signature).is_err());
    }

    #[test]
    fn keys_are_told_apart_by_their_credentials_and_bounded() {
        let mut store = KeyStore::default();
        let first = Credentials::new("AKID", "secret");
        let other_secret = Credentials::new("AKID", "other");
        let other_id = Credentials::new("AKID2", "secret");
        let signature = store.sign(&first, b"text").unwrap();
        assert_ne!(store.sign(&other_secret, b"text").unwrap(), signature);
        assert_ne!(store.sign(&other_id, b"text").unwrap(), signature);
        assert_eq!(store.sign(&first, b"text").unwrap(), signature);
        assert_eq!(store.0.len(), 3);
        let more: Vec<_> = (0..9).map(|number| Credentials::new(format!("AKID{number}"), "secret")).collect();
        for credentials in &more {
            store.sign(credentials, b"text").unwrap();
        }
        assert_eq!(store.0.len(), CAPACITY);
        drop((first, other_secret, other_id, more));
        store.sign(&Credentials::new("AKID", "secret"), b"text").unwrap();
        assert_eq!(store.0.len(), 1);
    }
}
