//! Authenticated encryption of the two suites: SM4-GCM (RFC 8998) and AES-256-GCM (NIST SP 800-38D).

use aes_gcm::aead::consts::U12;
use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, AesGcm};
use sm4::Sm4;
use thiserror::Error;

use crate::root::SecretBytes;
use crate::suite::Suite;

/// Length of a nonce in bytes.
pub(crate) const NONCE_LEN: usize = 12;
/// Length of the tag that follows the ciphertext, in bytes.
pub(crate) const TAG_LEN: usize = 16;

/// GCM is defined over any cipher with blocks of 128 bits; RFC 8998 fixes it for SM4.
type Sm4Gcm = AesGcm<Sm4, U12>;

/// The ciphertext was changed, or the key or the context is another.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("the ciphertext does not belong to this key and context, or was changed")]
pub(crate) struct Refused;

/// Ciphertext followed by its tag.
///
/// INVARIANT: a nonce is used once with a key. Callers draw it at random for keys that encrypt few values, or
/// derive it from the plaintext.
pub(crate) fn seal(
    suite: Suite,
    key: &SecretBytes,
    nonce: &[u8; NONCE_LEN],
    aad: &[u8],
    plaintext: &[u8],
) -> Result<Vec<u8>, Refused> {
    let payload = Payload { msg: plaintext, aad };
    match suite {
        Suite::Gm => sm4_gcm(key).encrypt(&(*nonce).into(), payload),
        Suite::Intl => Aes256Gcm::new(&(**key).into()).encrypt(&(*nonce).into(), payload),
    }
    .map_err(|_| Refused)
}

/// The plaintext of what [`seal`] made with the same suite, key, nonce and associated data.
pub(crate) fn open(
    suite: Suite,
    key: &SecretBytes,
    nonce: &[u8; NONCE_LEN],
    aad: &[u8],
    sealed: &[u8],
) -> Result<Vec<u8>, Refused> {
    let payload = Payload { msg: sealed, aad };
    match suite {
        Suite::Gm => sm4_gcm(key).decrypt(&(*nonce).into(), payload),
        Suite::Intl => Aes256Gcm::new(&(**key).into()).decrypt(&(*nonce).into(), payload),
    }
    .map_err(|_| Refused)
}

/// SM4 has keys of 128 bits: the first half of the derived key.
fn sm4_gcm(key: &SecretBytes) -> Sm4Gcm {
    let mut half = [0; 16];
    for (slot, byte) in half.iter_mut().zip(key.iter()) {
        *slot = *byte;
    }
    Sm4Gcm::new(&half.into())
}

#[cfg(test)]
mod tests {
    use sm4::cipher::{BlockCipherDecrypt, BlockCipherEncrypt};
    use zeroize::Zeroizing;

    use super::*;

    fn key(hex_key: &str) -> SecretBytes {
        let mut key = Zeroizing::new([0; 32]);
        let bytes = hex::decode(hex_key).unwrap();
        key[..bytes.len()].copy_from_slice(&bytes);
        key
    }

    fn nonce(hex_nonce: &str) -> [u8; NONCE_LEN] {
        hex::decode(hex_nonce).unwrap().try_into().unwrap()
    }

    #[test]
    fn sm4_gives_the_examples_of_gb_t_32907() {
        let bytes: [u8; 16] = hex::decode("0123456789abcdeffedcba9876543210").unwrap().try_into().unwrap();
        let cipher = Sm4::new(&bytes.into());
        let mut block = bytes.into();
        cipher.encrypt_block(&mut block);
        assert_eq!(hex::encode(block), "681edf34d206965e86b3e94f536e4246");
        cipher.decrypt_block(&mut block);
        assert_eq!(<[u8; 16]>::from(block), bytes);
    }

    #[test]
    fn sm4_gcm_gives_the_example_of_rfc_8998_a_1() {
        let key = key("0123456789abcdeffedcba9876543210");
        let nonce = nonce("00001234567800000000abcd");
        let aad = hex::decode("feedfacedeadbeeffeedfacedeadbeefabaddad2").unwrap();
        let plaintext: Vec<u8> =
            [0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff, 0xee, 0xaa].map(|byte| [byte; 8]).concat();
        let expected = "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735\
                        d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d\
                        83de3541e4c2b58177e065a9bf7b62ec";
        let sealed = seal(Suite::Gm, &key, &nonce, &aad, &plaintext).unwrap();
        assert_eq!(hex::encode(&sealed), expected);
        assert_eq!(open(Suite::Gm, &key, &nonce, &aad, &sealed).unwrap(), plaintext);
    }

    #[test]
    fn aes_256_gcm_gives_the_zero_example_of_the_gcm_specification() {
        // McGrew and Viega, test case 14: key, nonce and one block of zeros.
        let sealed = seal(Suite::Intl, &key(&"00".repeat(32)), &[0; 12], &[], &[0; 16]).unwrap();
        assert_eq!(hex::encode(sealed), "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
    }

    #[test]
    fn a_changed_byte_anywhere_is_refused() {
        for suite in [Suite::Gm, Suite::Intl] {
            let key = Zeroizing::new([5; 32]);
            let sealed = seal(suite, &key, &[1; 12], b"context", b"message").unwrap();
            for index in 0..sealed.len() {
                let mut changed = sealed.clone();
                changed[index] ^= 1;
                assert_eq!(open(suite, &key, &[1; 12], b"context", &changed), Err(Refused));
            }
            assert_eq!(open(suite, &key, &[1; 12], b"contexT", &sealed), Err(Refused));
            assert_eq!(open(suite, &key, &[2; 12], b"context", &sealed), Err(Refused));
            assert_eq!(open(suite, &key, &[1; 12], b"context", &sealed[..TAG_LEN - 1]), Err(Refused));
        }
    }
}
