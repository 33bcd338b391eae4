//! The root key, from which every other symmetric key of a node is derived.
//!
//! Keys form the tree root -> domain -> data key. The root is 32 random bytes that never encrypt anything
//! themselves: [`RootKey::derive`] gives one independent key for each label (a domain), and a domain such as
//! [`crate::field`] derives its data keys from that.

use hkdf::Hkdf;
use kernel::entropy::Entropy;
use sha2::Sha256;
use sm3::Sm3;
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::hash::Hash;

/// A secret of 32 bytes that is wiped when it goes out of use.
pub type SecretBytes = Zeroizing<[u8; 32]>;

/// The salt of every extraction, so that a root shared with another product by mistake gives other keys.
const SALT: &[u8] = b"yiwang/root/v1";

/// The root key of a node: 32 bytes that only derive.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct RootKey([u8; 32]);

impl RootKey {
    /// Draws a new root.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; 32];
        entropy.fill(&mut bytes);
        Self(bytes)
    }

    /// Takes a root that came from a key ceremony, a hardware module or a file.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads the form written by [`RootKey::to_hex`]; white space around it is ignored.
    pub fn from_hex(text: &str) -> Result<Self, RootKeyError> {
        let mut bytes = Zeroizing::new([0; 32]);
        hex::decode_to_slice(text.trim(), bytes.as_mut_slice()).map_err(|_| RootKeyError::NotHex)?;
        Ok(Self(*bytes))
    }

    /// The 64 hexadecimal digits that a deployment stores in a file readable by one user only.
    pub fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(hex::encode(self.0))
    }

    /// The key of the domain `label`, by HKDF-SM3. The same label gives the same key; two labels give
    /// independent keys.
    pub fn derive(&self, label: &str) -> SecretBytes {
        self.derive_with(Hash::Sm3, label)
    }

    /// The key of the domain `label`, by HKDF (RFC 5869) with the hash of the suite that will use it.
    pub fn derive_with(&self, hash: Hash, label: &str) -> SecretBytes {
        Kdf::extract(hash, SALT, &self.0).expand(&[label.as_bytes()])
    }
}

impl std::fmt::Debug for RootKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RootKey(secret)")
    }
}

/// Why a root key could not be read.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum RootKeyError {
    /// The text is not 64 hexadecimal digits.
    #[error("a root key is 64 hexadecimal digits")]
    NotHex,
}

/// HKDF with either hash; the extracted state is kept, so that an expansion costs one HMAC.
#[derive(Clone)]
pub(crate) enum Kdf {
    Sm3(Hkdf<Sm3>),
    Sha256(Hkdf<Sha256>),
}

impl Kdf {
    pub(crate) fn extract(hash: Hash, salt: &[u8], secret: &[u8]) -> Self {
        match hash {
            Hash::Sm3 => Self::Sm3(Hkdf::new(Some(salt), secret)),
            Hash::Sha256 => Self::Sha256(Hkdf::new(Some(salt), secret)),
        }
    }

    #[expect(clippy::expect_used, reason = "HKDF-Expand refuses only more than 255 digests, and this is one")]
    pub(crate) fn expand(&self, info: &[&[u8]]) -> SecretBytes {
        let mut key = Zeroizing::new([0; 32]);
        match self {
            Self::Sm3(hkdf) => hkdf.expand_multi_info(info, key.as_mut_slice()),
            Self::Sha256(hkdf) => hkdf.expand_multi_info(info, key.as_mut_slice()),
        }
        .expect("32 bytes are within the limit of HKDF");
        key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hkdf_sha256_gives_the_first_block_of_rfc_5869_test_case_1() {
        let secret = [0x0b; 22];
        let salt: Vec<u8> = (0x00..=0x0c).collect();
        let info: Vec<u8> = (0xf0..=0xf9).collect();
        let key = Kdf::extract(Hash::Sha256, &salt, &secret).expand(&[&info]);
        assert_eq!(hex::encode(*key), "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf");
    }

    #[test]
    fn hkdf_sm3_is_hmac_applied_twice() {
        // RFC 5869, section 2: PRK = HMAC(salt, secret); the first block = HMAC(PRK, info | 0x01).
        let root = RootKey::from_bytes([3; 32]);
        let mut salt = [0; 32];
        salt[..SALT.len()].copy_from_slice(SALT);
        let prk = Hash::Sm3.hmac(&salt, &[&[3; 32]]);
        assert_eq!(*root.derive("field"), Hash::Sm3.hmac(&prk, &[b"field", &[1]]));
    }

    #[test]
    fn each_label_and_each_hash_gives_a_key_of_its_own() {
        let root = RootKey::from_bytes([1; 32]);
        assert_eq!(root.derive("field"), root.derive("field"));
        assert_ne!(root.derive("field"), root.derive("keys"));
        assert_ne!(root.derive("field"), root.derive_with(Hash::Sha256, "field"));
        assert_ne!(root.derive("field"), RootKey::from_bytes([2; 32]).derive("field"));
    }

    #[test]
    fn a_root_key_never_prints_itself() {
        let root = RootKey::from_bytes([0xab; 32]);
        assert!(!format!("{root:?}").contains("ab"));
        assert_eq!(
            *RootKey::from_hex(&format!(" {}\n", *root.to_hex())).unwrap().derive("x"),
            *root.derive("x")
        );
        assert_eq!(RootKey::from_hex("abcd").unwrap_err(), RootKeyError::NotHex);
    }
}
