//! The text form of a signed message for a QR code: `YW1:` and the base45 (RFC 9285) of its zlib (RFC 1950).
//!
//! Base45 uses only the characters that a QR code packs in pairs of eleven bits, which makes the code about a
//! quarter smaller than base64 would. The reader bounds what it inflates: a text of a few kilobytes may unpack to
//! a gigabyte otherwise.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::bufread::ZlibDecoder;
use flate2::write::ZlibEncoder;
use thiserror::Error;

/// What every text begins with: the project and the version of the form.
pub const PREFIX: &str = "YW1:";

/// The most characters of a text: what the largest QR code holds (version 40, correction L).
pub const MAX_TEXT: usize = 4296;

/// The most bytes that a text unpacks to.
pub const MAX_MESSAGE: usize = 16 * 1024;

/// Packs a message.
pub fn to_text(message: &[u8]) -> Result<String, QrError> {
    if message.len() > MAX_MESSAGE {
        return Err(QrError::TooLong);
    }
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(message).map_err(|_| QrError::NotZlib)?;
    let packed = encoder.finish().map_err(|_| QrError::NotZlib)?;
    let text = format!("{PREFIX}{}", base45::encode(packed));
    if text.len() > MAX_TEXT { Err(QrError::TooLong) } else { Ok(text) }
}

/// Unpacks a message. Nothing in it has been checked yet.
pub fn from_text(text: &str) -> Result<Vec<u8>, QrError> {
    if text.len() > MAX_TEXT {
        return Err(QrError::TooLong);
    }
    let encoded = text.strip_prefix(PREFIX).ok_or(QrError::NoPrefix)?;
    let packed = base45::decode(encoded).map_err(|_| QrError::NotBase45)?;
    let mut decoder = ZlibDecoder::new(packed.as_slice());
    let mut message = Vec::new();
    decoder.by_ref().take(MAX_MESSAGE as u64 + 1).read_to_end(&mut message).map_err(|_| QrError::NotZlib)?;
    if message.len() > MAX_MESSAGE {
        return Err(QrError::TooLong);
    }
    if decoder.into_inner().is_empty() { Ok(message) } else { Err(QrError::NotZlib) }
}

/// Why a text is not packed or unpacked.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum QrError {
    /// Another kind of code, or another version.
    #[error("the text does not begin with {PREFIX}")]
    NoPrefix,
    /// Characters or groups that base45 does not have.
    #[error("the text is not base45")]
    NotBase45,
    /// What base45 gave is not one whole zlib stream.
    #[error("the text does not unpack")]
    NotZlib,
    /// More than a code holds, or more than a message may have.
    #[error("the text or its message is too long")]
    TooLong,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packed(message: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(message).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_text_that_unpacks_to_too_much_is_refused_before_it_does() {
        let bomb = format!("{PREFIX}{}", base45::encode(packed(&vec![0; 2_000_000])));
        assert!(bomb.len() <= MAX_TEXT, "the bomb fits into a code: {}", bomb.len());
        assert_eq!(from_text(&bomb), Err(QrError::TooLong));
        let largest = vec![0; MAX_MESSAGE];
        assert_eq!(from_text(&to_text(&largest).unwrap()), Ok(largest));
        assert_eq!(to_text(&vec![0; MAX_MESSAGE + 1]), Err(QrError::TooLong));
        assert_eq!(from_text(&"A".repeat(MAX_TEXT + 1)), Err(QrError::TooLong));
    }

    #[test]
    fn what_is_wrong_with_a_text_is_named() {
        assert_eq!(from_text("YW2:ABC"), Err(QrError::NoPrefix));
        assert_eq!(from_text("yw1:ABC"), Err(QrError::NoPrefix));
        assert_eq!(from_text("YW1:abc"), Err(QrError::NotBase45));
        assert_eq!(from_text("YW1:A"), Err(QrError::NotBase45));
        assert_eq!(from_text("YW1:"), Err(QrError::NotZlib));
        assert_eq!(from_text("YW1:QED8WEX0"), Err(QrError::NotZlib));
        let mut stream = packed(b"message");
        let whole = format!("{PREFIX}{}", base45::encode(&stream));
        assert_eq!(from_text(&whole), Ok(b"message".to_vec()));
        let cut = format!("{PREFIX}{}", base45::encode(&stream[..stream.len() - 1]));
        assert_eq!(from_text(&cut), Err(QrError::NotZlib));
        stream.push(0);
        let longer = format!("{PREFIX}{}", base45::encode(&stream));
        assert_eq!(from_text(&longer), Err(QrError::NotZlib));
    }

    proptest! {
        #[test]
        fn any_message_comes_back(message in prop::collection::vec(any::<u8>(), 0..1000)) {
            let text = to_text(&message).unwrap();
            let alphanumeric = |c: char| c.is_ascii_digit() || c.is_ascii_uppercase() || " $%*+-./:".contains(c);
            prop_assert!(text.chars().all(alphanumeric));
            prop_assert_eq!(from_text(&text), Ok(message));
        }

        #[test]
        fn whatever_unpacks_is_within_the_bound(text in "[0-9A-Z $%*+./:-]{0,300}") {
            match from_text(&[PREFIX, &text].concat()) {
                Ok(message) => prop_assert!(message.len() <= MAX_MESSAGE),
                Err(error) => prop_assert!(matches!(error, QrError::NotBase45 | QrError::NotZlib)),
            }
        }
    }
}
