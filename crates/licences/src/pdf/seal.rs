//! The seal of a PDF: a signature over every byte of the file, as its last line.
//!
//! Readers of PDF skip a comment after the end of the file. The comment holds `%YWSEAL:` and, in base64url, a
//! COSE_Sign1 message in the GM suite: its payload is the SM3 of all bytes before the comment, the licence and,
//! for an annotated copy, its purpose, recipient and term. The message is bound to this use by external data, so
//! that it can never pass for a licence.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use crypto::cose::{self, CoseError, Expected};
use crypto::hash::sm3;
use crypto::keys::{KeyRing, Purpose, TrustList, VerifyError};
use crypto::suite::Suite;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::actions::AnnotatedCopy;
use crate::model::canonical::{self, CanonicalError};

/// What begins the last line.
const MARK: &[u8] = b"\n%YWSEAL:";

/// External data of the signature.
const CONTEXT: &[u8] = b"yiwang-pdf/1";

/// The most bytes of the last line.
const MAX_LINE: usize = 8 * 1024;

/// What is sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sealed {
    /// SM3 over the bytes before the seal, in hexadecimal digits.
    pub content_hash: String,
    /// The licence that the file shows.
    pub identifier: String,
    /// What makes it an annotated copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy: Option<AnnotatedCopy>,
}

/// Why a file is not sealed.
#[derive(Debug, Error)]
pub enum SealError {
    /// The seal has no canonical form.
    #[error("the seal has no canonical form")]
    Canonical(#[from] CanonicalError),
    /// It could not be written as JSON.
    #[error("the seal could not be written")]
    Json(#[from] serde_json::Error),
    /// No key could sign.
    #[error("the seal was not signed")]
    Cose(#[from] CoseError),
}

/// Why a seal is not accepted.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum BrokenSeal {
    /// The file has no seal, or bytes after it.
    #[error("the file has no seal")]
    Missing,
    /// The seal belongs to other bytes, or is no seal.
    #[error("the file was changed after it was sealed")]
    Changed,
    /// The key is not trusted.
    #[error("the seal is of an unknown key")]
    UnknownKey(String),
}

/// Appends the seal.
pub fn seal(
    keys: &KeyRing,
    mut pdf: Vec<u8>,
    identifier: &str,
    copy: Option<&AnnotatedCopy>,
) -> Result<Vec<u8>, SealError> {
    let sealed = Sealed {
        content_hash: hex::encode(sm3(&pdf)),
        identifier: identifier.to_owned(),
        copy: copy.cloned(),
    };
    let payload = canonical::to_cbor(&serde_json::to_value(&sealed)?)?;
    let message = cose::sign1(keys, Purpose::Licence, Suite::Gm, &payload, CONTEXT)?;
    pdf.extend_from_slice(MARK);
    pdf.extend_from_slice(URL_SAFE_NO_PAD.encode(message).as_bytes());
    pdf.push(b'\n');
    Ok(pdf)
}

/// Checks the seal of a file.
pub fn check(trust: &TrustList, pdf: &[u8]) -> Result<Sealed, BrokenSeal> {
    let (content, line) = split(pdf).ok_or(BrokenSeal::Missing)?;
    let message = URL_SAFE_NO_PAD.decode(line).map_err(|_| BrokenSeal::Changed)?;
    let expected = Expected { external_aad: CONTEXT, ..Expected::purpose(Purpose::Licence) };
    let verified = cose::verify1_for(trust, &expected, &message).map_err(|error| match error {
        CoseError::Signature(VerifyError::UnknownKey { kid }) => BrokenSeal::UnknownKey(kid),
        _ => BrokenSeal::Changed,
    })?;
    let json = canonical::from_cbor(&verified.payload).map_err(|_| BrokenSeal::Changed)?;
    let sealed: Sealed = serde_json::from_value(json).map_err(|_| BrokenSeal::Changed)?;
    if sealed.content_hash == hex::encode(sm3(content)) { Ok(sealed) } else { Err(BrokenSeal::Changed) }
}

/// The bytes before the seal, and its text.
fn split(pdf: &[u8]) -> Option<(&[u8], &[u8])> {
    let body = pdf.strip_suffix(b"\n")?;
    let from = body.len().saturating_sub(MAX_LINE);
    let window = body.get(from..)?;
    let at = from + window.windows(MARK.len()).rposition(|bytes| bytes == MARK)?;
    let line = body.get(at + MARK.len()..)?;
    Some((body.get(..at)?, line))
}
