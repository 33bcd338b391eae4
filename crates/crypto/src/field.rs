//! Encryption of single fields, and blind indexes that find them again by equality.
//!
//! A value is encrypted under a data key of its own table, column and subject, and these three are authenticated
//! with it: a ciphertext that is copied to another row, column or table does not decrypt. The header names the
//! suite and the root key, so that values of several generations stand side by side while they are rewritten.
//!
//! ```text
//! 1 byte   version, now 1
//! 1 byte   suite: 1 GM (SM4-GCM), 2 INTL (AES-256-GCM)
//! 4 bytes  which root key
//! 12 bytes nonce, random
//! n bytes  ciphertext
//! 16 bytes tag
//! ```
//!
//! A blind index is a truncated HMAC under a key of its column. It gives away which rows hold equal values, and
//! so does not belong on a column with few possible values, such as a sex or a county.

use kernel::entropy::Entropy;
use thiserror::Error;

use crate::aead::{self, NONCE_LEN, TAG_LEN};
use crate::root::{Kdf, RootKey, SecretBytes};
use crate::suite::Suite;

/// Bytes that encryption adds to a value.
pub const OVERHEAD: usize = HEADER_LEN + NONCE_LEN + TAG_LEN;

const VERSION: u8 = 1;
const HEADER_LEN: usize = 6;

/// Where a value stands; it decrypts only there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldContext<'a> {
    /// The table, such as `person`.
    pub table: &'a str,
    /// The column, such as `citizen_id`.
    pub column: &'a str,
    /// Whose row it is: the subject's id, or the row's id where there is no subject.
    pub subject: &'a str,
}

/// Encrypts and decrypts fields under the current root key, and decrypts those of earlier ones.
#[derive(Clone)]
pub struct FieldCipher {
    current: Domain,
    retired: Vec<Domain>,
}

impl FieldCipher {
    /// Derives the domain keys of the suite from the root.
    pub fn new(root: &RootKey, suite: Suite) -> Self {
        Self { current: Domain::new(root, suite), retired: Vec::new() }
    }

    /// Adds a root or a suite that is no longer used for new values.
    #[must_use]
    pub fn with_retired(mut self, root: &RootKey, suite: Suite) -> Self {
        self.retired.push(Domain::new(root, suite));
        self
    }

    /// Encrypts a value. Twice the same value gives two ciphertexts.
    #[expect(clippy::expect_used, reason = "GCM refuses only values past 64 GiB, which no field holds")]
    pub fn encrypt(&self, context: &FieldContext<'_>, value: &[u8], entropy: &dyn Entropy) -> Vec<u8> {
        let domain = &self.current;
        let mut nonce = [0; NONCE_LEN];
        entropy.fill(&mut nonce);
        let header = domain.header();
        let place = context.encode();
        let sealed = aead::seal(
            domain.suite,
            &domain.data_key(&place),
            &nonce,
            &[&header[..], &place].concat(),
            value,
        )
        .expect("a field is shorter than 64 GiB");
        [&header[..], &nonce, &sealed].concat()
    }

    /// Decrypts what [`FieldCipher::encrypt`] made for the same place.
    pub fn decrypt(&self, context: &FieldContext<'_>, ciphertext: &[u8]) -> Result<Vec<u8>, FieldError> {
        let (header, rest) =
            ciphertext.split_first_chunk::<HEADER_LEN>().ok_or(FieldError::NotACiphertext)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>().ok_or(FieldError::NotACiphertext)?;
        if sealed.len() < TAG_LEN {
            return Err(FieldError::NotACiphertext);
        }
        let [version, suite, ..] = *header;
        if version != VERSION {
            return Err(FieldError::UnknownVersion(version));
        }
        if suite_of(suite).is_none() {
            return Err(FieldError::NotACiphertext);
        }
        let domain = std::iter::once(&self.current)
            .chain(&self.retired)
            .find(|domain| domain.header() == *header)
            .ok_or(FieldError::UnknownKey)?;
        let place = context.encode();
        aead::open(domain.suite, &domain.data_key(&place), nonce, &[&header[..], &place].concat(), sealed)
            .map_err(|_| FieldError::Refused)
    }

    /// Like [`FieldCipher::decrypt`], for a column that holds text.
    pub fn decrypt_text(&self, context: &FieldContext<'_>, ciphertext: &[u8]) -> Result<String, FieldError> {
        String::from_utf8(self.decrypt(context, ciphertext)?).map_err(|_| FieldError::NotText)
    }

    /// Whether a ciphertext is already under the current root and suite, or is to be rewritten.
    pub fn is_current(&self, ciphertext: &[u8]) -> bool {
        ciphertext.first_chunk::<HEADER_LEN>() == Some(&self.current.header())
    }

    /// The index value under which equal values of a column are found. The caller brings the value into its one
    /// written form first (trimmed, upper-case check digit).
    pub fn blind_index(&self, column: &str, value: &str) -> [u8; 16] {
        self.current.blind_index(column, value)
    }

    /// The index values under the current and every retired root, for a search while indexes are rewritten.
    pub fn blind_indexes(&self, column: &str, value: &str) -> Vec<[u8; 16]> {
        std::iter::once(&self.current)
            .chain(&self.retired)
            .map(|domain| domain.blind_index(column, value))
            .collect()
    }
}

impl std::fmt::Debug for FieldCipher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FieldCipher({}, {} retired)", self.current.suite, self.retired.len())
    }
}

/// Why a field was not decrypted.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum FieldError {
    /// Too short, or of no known suite.
    #[error("not an encrypted field")]
    NotACiphertext,
    /// A later version of the format.
    #[error("encrypted fields of version `{0}` are not known")]
    UnknownVersion(u8),
    /// The root key that it was encrypted under is not at hand.
    #[error("the field was encrypted under a root key that is not at hand")]
    UnknownKey,
    /// It was changed, or belongs to another table, column or subject.
    #[error("the field was changed or belongs elsewhere")]
    Refused,
    /// The column should hold text and holds other bytes.
    #[error("the field is not text")]
    NotText,
}

/// The keys that one root gives to the domain of fields.
#[derive(Clone)]
struct Domain {
    suite: Suite,
    id: [u8; 4],
    data: Kdf,
    index: Kdf,
}

impl Domain {
    fn new(root: &RootKey, suite: Suite) -> Self {
        let hash = suite.hash();
        let kdf = |label| Kdf::extract(hash, b"yiwang/field/v1", root.derive_with(hash, label).as_slice());
        let [a, b, c, d, ..] = *root.derive_with(hash, "yiwang/field/id");
        Self { suite, id: [a, b, c, d], data: kdf("yiwang/field/data"), index: kdf("yiwang/field/index") }
    }

    fn header(&self) -> [u8; HEADER_LEN] {
        let suite = match self.suite {
            Suite::Gm => 1,
            Suite::Intl => 2,
        };
        let [a, b, c, d] = self.id;
        [VERSION, suite, a, b, c, d]
    }

    fn data_key(&self, place: &[u8]) -> SecretBytes {
        self.data.expand(&[place])
    }

    fn blind_index(&self, column: &str, value: &str) -> [u8; 16] {
        let key = self.index.expand(&[column.as_bytes()]);
        let digest = self.suite.hash().hmac(&key, &[value.as_bytes()]);
        let mut index = [0; 16];
        for (slot, byte) in index.iter_mut().zip(digest) {
            *slot = byte;
        }
        index
    }
}

impl FieldContext<'_> {
    /// Each part after its length, so that no two places share an encoding.
    fn encode(&self) -> Vec<u8> {
        let parts = [self.table, self.column, self.subject];
        let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.len() + 4).sum());
        for part in parts {
            bytes.extend_from_slice(&(part.len() as u32).to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        bytes
    }
}

fn suite_of(byte: u8) -> Option<Suite> {
    match byte {
        1 => Some(Suite::Gm),
        2 => Some(Suite::Intl),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use kernel::entropy::SeededEntropy;
    use proptest::prelude::*;

    use super::*;

    const PLACE: FieldContext<'static> = FieldContext {
        table: "person",
        column: "citizen_id",
        subject: "0190a0e2-0000-7000-8000-000000000001",
    };

    fn cipher(root: u8, suite: Suite) -> FieldCipher {
        FieldCipher::new(&RootKey::from_bytes([root; 32]), suite)
    }

    #[test]
    fn a_value_decrypts_in_its_place_and_nowhere_else() {
        let entropy = SeededEntropy::new(1);
        for suite in Suite::ALL {
            let cipher = cipher(1, suite);
            let sealed = cipher.encrypt(&PLACE, "张三".as_bytes(), &entropy);
            assert_eq!(sealed.len(), "张三".len() + OVERHEAD);
            assert_eq!(cipher.decrypt_text(&PLACE, &sealed).unwrap(), "张三");
            for other in [
                FieldContext { table: "firm", ..PLACE },
                FieldContext { column: "name", ..PLACE },
                FieldContext { subject: "0190a0e2-0000-7000-8000-000000000002", ..PLACE },
                FieldContext { table: "personc", column: "itizen_id", ..PLACE },
            ] {
                assert_eq!(cipher.decrypt(&other, &sealed), Err(FieldError::Refused));
            }
        }
    }

    #[test]
    fn each_place_has_an_encoding_and_a_data_key_of_its_own() {
        let places = [
            PLACE,
            FieldContext { table: "firm", ..PLACE },
            FieldContext { subject: "another", ..PLACE },
            FieldContext { table: "a", column: "b\0\0\0\0c", subject: "d" },
            FieldContext { table: "a\0\0\0\0b", column: "c", subject: "d" },
        ];
        for suite in Suite::ALL {
            let domain = cipher(1, suite).current;
            let mut keys = places.map(|place| *domain.data_key(&place.encode())).to_vec();
            keys.sort();
            keys.dedup();
            assert_eq!(keys.len(), places.len());
        }
    }

    #[test]
    fn the_same_value_twice_gives_two_ciphertexts_and_one_index() {
        let entropy = SeededEntropy::new(2);
        let cipher = cipher(1, Suite::Gm);
        assert_ne!(cipher.encrypt(&PLACE, b"same", &entropy), cipher.encrypt(&PLACE, b"same", &entropy));
        let index = cipher.blind_index("citizen_id", "532901199001011234");
        assert_eq!(index, cipher.blind_index("citizen_id", "532901199001011234"));
        assert_ne!(index, cipher.blind_index("citizen_id", "532901199001011235"));
        assert_ne!(index, cipher.blind_index("phone", "532901199001011234"));
        assert_ne!(index, self::cipher(2, Suite::Gm).blind_index("citizen_id", "532901199001011234"));
    }

    #[test]
    fn every_byte_of_a_ciphertext_counts() {
        let entropy = SeededEntropy::new(3);
        for suite in Suite::ALL {
            let cipher = cipher(1, suite);
            let sealed = cipher.encrypt(&PLACE, b"value", &entropy);
            for index in 0..sealed.len() {
                let mut changed = sealed.clone();
                changed[index] ^= 0x40;
                assert!(cipher.decrypt(&PLACE, &changed).is_err(), "byte {index}");
                assert!(cipher.decrypt(&PLACE, &sealed[..index]).is_err(), "length {index}");
            }
        }
    }

    #[test]
    fn what_is_wrong_with_a_ciphertext_is_named() {
        let entropy = SeededEntropy::new(4);
        let cipher = cipher(1, Suite::Gm);
        let sealed = cipher.encrypt(&PLACE, b"value", &entropy);
        assert_eq!(cipher.decrypt(&PLACE, b""), Err(FieldError::NotACiphertext));
        assert_eq!(cipher.decrypt(&PLACE, &sealed[..OVERHEAD - 1]), Err(FieldError::NotACiphertext));
        let with = |index: usize, byte: u8| {
            let mut changed = sealed.clone();
            changed[index] = byte;
            cipher.decrypt(&PLACE, &changed)
        };
        assert_eq!(with(0, 9), Err(FieldError::UnknownVersion(9)));
        assert_eq!(with(1, 7), Err(FieldError::NotACiphertext));
        assert_eq!(
            with(1, 2),
            Err(FieldError::UnknownKey),
            "the header cannot move a value to the other suite"
        );
        assert_eq!(self::cipher(2, Suite::Gm).decrypt(&PLACE, &sealed), Err(FieldError::UnknownKey));
        let bytes = cipher.encrypt(&PLACE, &[0xff], &entropy);
        assert_eq!(cipher.decrypt_text(&PLACE, &bytes), Err(FieldError::NotText));
    }

    #[test]
    fn values_of_a_retired_root_stay_readable_and_are_known_to_be_old() {
        let entropy = SeededEntropy::new(5);
        let old_root = RootKey::from_bytes([1; 32]);
        let old = FieldCipher::new(&old_root, Suite::Intl);
        let sealed = old.encrypt(&PLACE, b"value", &entropy);
        let new =
            FieldCipher::new(&RootKey::from_bytes([2; 32]), Suite::Gm).with_retired(&old_root, Suite::Intl);
        assert_eq!(new.decrypt(&PLACE, &sealed).unwrap(), b"value");
        assert!(!new.is_current(&sealed));
        assert!(new.is_current(&new.encrypt(&PLACE, b"value", &entropy)));
        assert!(new.blind_indexes("phone", "1").contains(&old.blind_index("phone", "1")));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_value_comes_back(value: Vec<u8>, table: String, column: String, subject: String, seed: u64) {
            let context = FieldContext { table: &table, column: &column, subject: &subject };
            for suite in Suite::ALL {
                let cipher = cipher(1, suite);
                let sealed = cipher.encrypt(&context, &value, &SeededEntropy::new(seed));
                prop_assert_eq!(cipher.decrypt(&context, &sealed).unwrap(), value.clone());
            }
        }

        #[test]
        fn any_bytes_decrypt_to_an_error_and_not_to_a_panic(bytes: Vec<u8>) {
            prop_assert!(cipher(1, Suite::Gm).decrypt(&PLACE, &bytes).is_err());
        }
    }
}
