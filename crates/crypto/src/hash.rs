//! The two hash functions of the suites, and keyed hashing with them.

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use sm3::{Digest, Sm3};

/// Length in bytes of every digest of this crate.
pub const DIGEST_LEN: usize = 32;

/// A hash function with a digest of 32 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hash {
    /// SM3 (GB/T 32905, GM/T 0004), the hash of the suite GM.
    Sm3,
    /// SHA-256 (FIPS 180-4), the hash of the suite INTL.
    Sha256,
}

impl Hash {
    /// The digest of `bytes`.
    pub fn digest(self, bytes: &[u8]) -> [u8; DIGEST_LEN] {
        self.digest_parts(&[bytes])
    }

    /// The digest of the concatenation of `parts`, without building it.
    pub fn digest_parts(self, parts: &[&[u8]]) -> [u8; DIGEST_LEN] {
        match self {
            Self::Sm3 => absorb::<Sm3>(parts),
            Self::Sha256 => absorb::<Sha256>(parts),
        }
    }

    /// HMAC (RFC 2104; GB/T 15852.2 for SM3) over the concatenation of `parts`.
    pub fn hmac(self, key: &[u8; 32], parts: &[&[u8]]) -> [u8; DIGEST_LEN] {
        match self {
            Self::Sm3 => authenticate(Hmac::<Sm3>::new(&block(key).into()), parts),
            Self::Sha256 => authenticate(Hmac::<Sha256>::new(&block(key).into()), parts),
        }
    }

    /// The name used in stored headers and published documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sm3 => "sm3",
            Self::Sha256 => "sha-256",
        }
    }
}

/// SM3 of `bytes`.
pub fn sm3(bytes: &[u8]) -> [u8; DIGEST_LEN] {
    Hash::Sm3.digest(bytes)
}

/// SHA-256 of `bytes`.
pub fn sha256(bytes: &[u8]) -> [u8; DIGEST_LEN] {
    Hash::Sha256.digest(bytes)
}

fn absorb<D>(parts: &[&[u8]]) -> [u8; DIGEST_LEN]
where
    D: Digest,
    [u8; DIGEST_LEN]: From<sm3::digest::Output<D>>,
{
    let mut hasher = D::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

fn authenticate<M>(mut mac: M, parts: &[&[u8]]) -> [u8; DIGEST_LEN]
where
    M: Mac,
    [u8; DIGEST_LEN]: From<sm3::digest::Output<M>>,
{
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// HMAC pads a key with zeros to the block of 64 bytes; a key that has that length cannot be refused.
fn block(key: &[u8; 32]) -> [u8; 64] {
    let mut block = [0; 64];
    for (slot, byte) in block.iter_mut().zip(key) {
        *slot = *byte;
    }
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sm3_gives_the_examples_of_gb_t_32905() {
        assert_eq!(
            hex::encode(sm3(b"abc")),
            "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
        );
        assert_eq!(
            hex::encode(sm3(&b"abcd".repeat(16))),
            "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"
        );
    }

    #[test]
    fn sha256_gives_the_example_of_fips_180_4() {
        assert_eq!(
            hex::encode(sha256(b"abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn parts_hash_as_their_concatenation() {
        for hash in [Hash::Sm3, Hash::Sha256] {
            assert_eq!(hash.digest_parts(&[b"ab", b"", b"c"]), hash.digest(b"abc"));
            assert_eq!(hash.hmac(&[7; 32], &[b"ab", b"c"]), hash.hmac(&[7; 32], &[b"abc"]));
        }
    }

    #[test]
    fn hmac_with_a_padded_key_is_the_hmac_of_the_key() {
        let mut plain = Hmac::<Sm3>::new_from_slice(&[9; 32]).unwrap();
        plain.update(b"what do ya want for nothing?");
        let expected: [u8; 32] = plain.finalize().into_bytes().into();
        assert_eq!(Hash::Sm3.hmac(&[9; 32], &[b"what do ya want for nothing?"]), expected);
    }
}
