//! The key ring at rest: one JSON document, sealed under a key that the root derives.

use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::Zeroizing;

use super::Key;
use super::ring::{Entry, KeyRing};
use crate::aead::{self, NONCE_LEN};
use crate::root::RootKey;
use crate::signature::SigningKey;
use crate::suite::Suite;

const VERSION: u8 = 1;
const LABEL: &str = "yiwang/key-ring/v1";

impl KeyRing {
    /// The ring with its secrets, readable only with the same root key. The same ring gives the same bytes.
    pub fn to_sealed(&self, root: &RootKey) -> Result<Vec<u8>, SealError> {
        let keys = self.entries.iter().map(|entry| SealedKey {
            key: entry.key.clone(),
            secret: entry.secret.as_ref().map(|secret| Zeroizing::new(hex::encode(*secret.to_bytes()))),
        });
        let document = Document { issuer: self.issuer.clone(), keys: keys.collect() };
        // Room for the whole document, so that growing leaves no copy of a secret behind.
        let mut plaintext = Zeroizing::new(Vec::with_capacity(1024 + 1024 * self.entries.len()));
        serde_json::to_writer(&mut *plaintext, &document).map_err(|_| SealError::Unreadable)?;

        // The nonce is a MAC of the plaintext: equal only for equal rings, so no nonce serves two documents.
        let hash = self.suite.hash();
        let mac = hash.hmac(&root.derive_with(hash, "yiwang/key-ring/nonce"), &[&plaintext]);
        let nonce = mac.first_chunk::<NONCE_LEN>().ok_or(SealError::Unreadable)?;
        let key = root.derive_with(hash, "yiwang/key-ring/seal");
        let sealed = aead::seal(self.suite, &key, nonce, LABEL.as_bytes(), &plaintext)
            .map_err(|_| SealError::Unreadable)?;
        let suite = match self.suite {
            Suite::Gm => 1,
            Suite::Intl => 2,
        };
        Ok([&[VERSION, suite][..], nonce, &sealed].concat())
    }

    /// Opens what [`KeyRing::to_sealed`] made, and holds every secret against its public half.
    pub fn from_sealed(root: &RootKey, bytes: &[u8]) -> Result<Self, SealError> {
        let ([version, suite], rest) = bytes.split_first_chunk::<2>().ok_or(SealError::Unreadable)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>().ok_or(SealError::Unreadable)?;
        let suite = match (version, suite) {
            (&VERSION, 1) => Suite::Gm,
            (&VERSION, 2) => Suite::Intl,
            _ => return Err(SealError::Unreadable),
        };
        let key = root.derive_with(suite.hash(), "yiwang/key-ring/seal");
        let plaintext = aead::open(suite, &key, nonce, LABEL.as_bytes(), sealed)
            .map(Zeroizing::new)
            .map_err(|_| SealError::Refused)?;
        let document: Document = serde_json::from_slice(&plaintext).map_err(|_| SealError::Unreadable)?;
        let entries = document.keys.into_iter().map(SealedKey::open).collect::<Result<_, _>>()?;
        Ok(Self { issuer: document.issuer, suite, entries })
    }
}

/// Why a stored ring could not be sealed or opened.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum SealError {
    /// The root key is another, or the bytes were changed.
    #[error("the key ring was sealed under another root key or was changed")]
    Refused,
    /// The bytes are of no known form.
    #[error("not a sealed key ring")]
    Unreadable,
    /// A secret does not belong to the public half beside it.
    #[error("key `{kid}` in the ring is not what its record says")]
    BadKey {
        /// Its name.
        kid: String,
    },
}

#[derive(Serialize, Deserialize)]
struct Document {
    issuer: String,
    keys: Vec<SealedKey>,
}

#[derive(Serialize, Deserialize)]
struct SealedKey {
    key: Key,
    secret: Option<Zeroizing<String>>,
}

impl SealedKey {
    fn open(self) -> Result<Entry, SealError> {
        let bad = || SealError::BadKey { kid: self.key.kid.clone() };
        let public = self.key.parse_public().ok_or_else(bad)?;
        let secret = match &self.secret {
            None => None,
            Some(digits) => {
                let mut bytes = Zeroizing::new([0; 32]);
                hex::decode_to_slice(digits.as_bytes(), bytes.as_mut_slice()).map_err(|_| bad())?;
                let secret = SigningKey::from_bytes(self.key.algorithm, &bytes).map_err(|_| bad())?;
                Some(secret).filter(|secret| secret.verifying_key() == public).ok_or_else(bad)?.into()
            }
        };
        Ok(Entry { key: self.key, public, secret })
    }
}

#[cfg(test)]
mod tests {
    use kernel::entropy::SeededEntropy;
    use kernel::time::Timestamp;

    use super::*;
    use crate::keys::Purpose;
    use crate::suite::Algorithm;

    #[test]
    fn a_secret_beside_the_public_half_of_another_key_is_refused() {
        let root = RootKey::from_bytes([1; 32]);
        let mut ring = KeyRing::new("https://dali.example", Suite::Gm);
        let now = Timestamp::from_micros(0);
        let kid = ring.generate(Purpose::Receipt, Algorithm::Sm2Sm3, now, &SeededEntropy::new(1)).unwrap();
        assert!(KeyRing::from_sealed(&root, &ring.to_sealed(&root).unwrap()).is_ok());
        ring.entries[0].secret = Some(SigningKey::from_bytes(Algorithm::Sm2Sm3, &[7; 32]).unwrap());
        let opened = KeyRing::from_sealed(&root, &ring.to_sealed(&root).unwrap());
        assert_eq!(opened.map(|_| ()), Err(SealError::BadKey { kid }));
    }
}
