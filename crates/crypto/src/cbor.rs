//! Deterministic CBOR (RFC 8949, section 4.2.1) with bounds, for everything that is signed or scanned.
//!
//! One value has one encoding: definite lengths, shortest heads, map keys in the order of their bytes and none
//! twice. The reader checks this, and the size and the nesting, in one pass before anything is allocated.
//! Floating-point numbers are not read: an amount is an integer of its smallest unit, a coordinate is text.

pub use ciborium::Value;
use thiserror::Error;

/// What a reader accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes in all.
    pub max_len: usize,
    /// Arrays, maps and tags inside each other.
    pub max_depth: usize,
}

impl Limits {
    /// 64 KiB, 16 levels: more than any licence needs.
    pub const DEFAULT: Self = Self { max_len: 64 * 1024, max_depth: 16 };
}

/// Writes a value deterministically; maps are sorted on the way.
pub fn encode(value: &Value) -> Result<Vec<u8>, CborError> {
    let mut bytes = Vec::new();
    write(&sorted(value, Limits::DEFAULT.max_depth)?, &mut bytes)?;
    check(&bytes, Limits::DEFAULT)?;
    Ok(bytes)
}

/// Reads one value that fills the bytes.
pub fn decode(bytes: &[u8], limits: Limits) -> Result<Value, CborError> {
    check(bytes, limits)?;
    ciborium::from_reader(bytes).map_err(|_| CborError::Malformed)
}

/// Whether the bytes are one deterministically encoded value within the limits.
pub fn check(bytes: &[u8], limits: Limits) -> Result<(), CborError> {
    if bytes.len() > limits.max_len {
        return Err(CborError::TooLong { max: limits.max_len });
    }
    let rest = item(bytes, limits.max_depth)?;
    if rest.is_empty() { Ok(()) } else { Err(CborError::TrailingBytes) }
}

/// Why bytes are not read or a value is not written.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum CborError {
    /// Longer than allowed.
    #[error("more than {max} bytes of CBOR")]
    TooLong {
        /// The limit.
        max: usize,
    },
    /// Nested more deeply than allowed.
    #[error("CBOR is nested too deeply")]
    TooDeep,
    /// The bytes end inside a value.
    #[error("CBOR ends too early")]
    Truncated,
    /// Something follows the value.
    #[error("bytes follow the CBOR value")]
    TrailingBytes,
    /// A head is longer than it needs to be, a length is indefinite, or map keys are out of order or doubled.
    #[error("CBOR is not in its deterministic form")]
    NotDeterministic,
    /// A floating-point number.
    #[error("CBOR holds a floating-point number")]
    Float,
    /// Reserved heads, text that is not UTF-8, or a value this crate has no use for.
    #[error("CBOR is malformed")]
    Malformed,
}

/// Checks one item and returns what follows it.
fn item(bytes: &[u8], depth: usize) -> Result<&[u8], CborError> {
    let (major, argument, rest) = head(bytes)?;
    match major {
        0 | 1 => Ok(rest),
        2 | 3 => {
            let length = usize::try_from(argument).map_err(|_| CborError::Truncated)?;
            let (content, rest) = rest.split_at_checked(length).ok_or(CborError::Truncated)?;
            if major == 3 && std::str::from_utf8(content).is_err() {
                return Err(CborError::Malformed);
            }
            Ok(rest)
        }
        4 => {
            let depth = depth.checked_sub(1).ok_or(CborError::TooDeep)?;
            (0..argument).try_fold(rest, |rest, _| item(rest, depth))
        }
        5 => map(rest, argument, depth.checked_sub(1).ok_or(CborError::TooDeep)?),
        6 => item(rest, depth.checked_sub(1).ok_or(CborError::TooDeep)?),
        // false, true, null; `undefined` and the other simple values have no use here.
        _ if (20..=22).contains(&argument) => Ok(rest),
        _ => Err(CborError::Malformed),
    }
}

fn map(bytes: &[u8], entries: u64, depth: usize) -> Result<&[u8], CborError> {
    let mut rest = bytes;
    let mut previous: Option<&[u8]> = None;
    for _ in 0..entries {
        let after_key = item(rest, depth)?;
        let (key, _) = rest.split_at_checked(rest.len() - after_key.len()).ok_or(CborError::Truncated)?;
        if previous.is_some_and(|previous| previous >= key) {
            return Err(CborError::NotDeterministic);
        }
        previous = Some(key);
        rest = item(after_key, depth)?;
    }
    Ok(rest)
}

/// The major type and the argument of a head, which must be as short as it can be.
fn head(bytes: &[u8]) -> Result<(u8, u64, &[u8]), CborError> {
    let (first, rest) = bytes.split_first().ok_or(CborError::Truncated)?;
    let (major, info) = (first >> 5, first & 0x1f);
    let (argument, least, rest) = match info {
        0..=23 => (u64::from(info), 0, rest),
        24 => {
            let (byte, rest) = rest.split_first().ok_or(CborError::Truncated)?;
            (u64::from(*byte), 24, rest)
        }
        25..=27 if major == 7 => return Err(CborError::Float),
        25 => {
            let (bytes, rest) = rest.split_first_chunk().ok_or(CborError::Truncated)?;
            (u64::from(u16::from_be_bytes(*bytes)), 1 << 8, rest)
        }
        26 => {
            let (bytes, rest) = rest.split_first_chunk().ok_or(CborError::Truncated)?;
            (u64::from(u32::from_be_bytes(*bytes)), 1 << 16, rest)
        }
        27 => {
            let (bytes, rest) = rest.split_first_chunk().ok_or(CborError::Truncated)?;
            (u64::from_be_bytes(*bytes), 1 << 32, rest)
        }
        31 => return Err(CborError::NotDeterministic),
        _ => return Err(CborError::Malformed),
    };
    if argument < least { Err(CborError::NotDeterministic) } else { Ok((major, argument, rest)) }
}

fn write(value: &Value, bytes: &mut Vec<u8>) -> Result<(), CborError> {
    ciborium::into_writer(value, bytes).map_err(|_| CborError::Malformed)
}

fn sorted(value: &Value, depth: usize) -> Result<Value, CborError> {
    let inner = || depth.checked_sub(1).ok_or(CborError::TooDeep);
    Ok(match value {
        Value::Array(items) => {
            let depth = inner()?;
            Value::Array(items.iter().map(|item| sorted(item, depth)).collect::<Result<_, _>>()?)
        }
        Value::Tag(tag, content) => Value::Tag(*tag, Box::new(sorted(content, inner()?)?)),
        Value::Map(entries) => {
            let depth = inner()?;
            let mut keyed = Vec::with_capacity(entries.len());
            for (key, value) in entries {
                let mut bytes = Vec::new();
                let key = sorted(key, depth)?;
                write(&key, &mut bytes)?;
                keyed.push((bytes, (key, sorted(value, depth)?)));
            }
            keyed.sort_by(|(left, _), (right, _)| left.cmp(right));
            Value::Map(keyed.into_iter().map(|(_, entry)| entry).collect())
        }
        other => other.clone(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn checked(hex_bytes: &str) -> Result<(), CborError> {
        check(&hex::decode(hex_bytes).unwrap(), Limits::DEFAULT)
    }

    #[test]
    fn only_the_deterministic_form_is_read() {
        for good in [
            "00",
            "17",
            "1818",
            "190100",
            "1a00010000",
            "1b0000000100000000",
            "20",
            "3863",
            "40",
            "60",
            "63e4b880",
            "80",
            "8201820203",
            "a0",
            "a2010203182a",
            "a201022003",
            "d2f6",
            "f4",
            "f5",
            "f6",
        ] {
            assert_eq!(checked(good), Ok(()), "{good}");
        }
        for (bad, why) in [
            ("", CborError::Truncated),
            ("18", CborError::Truncated),
            ("4201", CborError::Truncated),
            ("5b7fffffffffffffff", CborError::Truncated),
            ("9b7fffffffffffffff", CborError::Truncated),
            ("bb7fffffffffffffff", CborError::Truncated),
            ("0000", CborError::TrailingBytes),
            ("1817", CborError::NotDeterministic),
            ("1900ff", CborError::NotDeterministic),
            ("1a0000ffff", CborError::NotDeterministic),
            ("1b00000000ffffffff", CborError::NotDeterministic),
            ("5f4101ff", CborError::NotDeterministic),
            ("9f01ff", CborError::NotDeterministic),
            ("a202000100", CborError::NotDeterministic),
            ("a201000100", CborError::NotDeterministic),
            ("f93c00", CborError::Float),
            ("fa3f800000", CborError::Float),
            ("1c", CborError::Malformed),
            ("62c328", CborError::Malformed),
            ("f7", CborError::Malformed),
            ("f820", CborError::Malformed),
        ] {
            assert_eq!(checked(bad), Err(why), "{bad}");
        }
    }

    #[test]
    fn size_and_nesting_are_bounded() {
        let limits = Limits { max_len: 8, max_depth: 3 };
        assert_eq!(check(&[0x81, 0x81, 0x81, 0x00], limits), Ok(()));
        assert_eq!(check(&[0x81, 0x81, 0x81, 0x80], limits), Err(CborError::TooDeep));
        assert_eq!(check(&[0xd2, 0xd2, 0xd2, 0xd2, 0x00], limits), Err(CborError::TooDeep));
        assert_eq!(check(&[0xa1, 0xa1, 0xa1, 0xa0], limits), Err(CborError::TooDeep));
        assert_eq!(check(&[0x48; 9], limits), Err(CborError::TooLong { max: 8 }));
        let bomb = vec![0x81; Limits::DEFAULT.max_len];
        assert_eq!(check(&bomb, Limits::DEFAULT), Err(CborError::TooDeep));
    }

    #[test]
    fn maps_are_written_in_the_order_of_their_keys_and_never_with_one_twice() {
        let map =
            |keys: &[i64]| Value::Map(keys.iter().map(|key| (Value::from(*key), Value::Null)).collect());
        assert_eq!(hex::encode(encode(&map(&[-1, 100, 2, 24])).unwrap()), "a402f61818f61864f620f6");
        assert_eq!(encode(&map(&[1, 1])), Err(CborError::NotDeterministic));
        assert_eq!(encode(&Value::Float(1.5)), Err(CborError::Float));
        let deep = (0..20).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
        assert_eq!(encode(&deep), Err(CborError::TooDeep));
    }

    /// Values of every kind that is written, three levels deep.
    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<i64>().prop_map(Value::from),
            any::<Vec<u8>>().prop_map(Value::Bytes),
            any::<String>().prop_map(Value::Text),
            any::<bool>().prop_map(Value::Bool),
            Just(Value::Null),
        ];
        leaf.prop_recursive(3, 24, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
                prop::collection::btree_map(any::<i64>(), inner.clone(), 0..6).prop_map(|map| Value::Map(
                    map.into_iter().map(|(key, value)| (Value::from(key), value)).collect()
                )),
                (24u64..1000, inner).prop_map(|(tag, value)| Value::Tag(tag, Box::new(value))),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back_and_written_the_same(value in values()) {
            let bytes = encode(&value).unwrap();
            let read = decode(&bytes, Limits::DEFAULT).unwrap();
            prop_assert_eq!(encode(&read).unwrap(), bytes);
        }

        #[test]
        fn whatever_passes_the_check_is_the_one_encoding_of_its_value(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            if check(&bytes, Limits::DEFAULT).is_ok() {
                let value = decode(&bytes, Limits::DEFAULT).unwrap();
                prop_assert_eq!(encode(&value).unwrap(), bytes);
            }
        }
    }
}
