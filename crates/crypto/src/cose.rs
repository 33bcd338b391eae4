//! Signed messages as COSE_Sign1 (RFC 9052), in either suite, and their text form for a QR code.
//!
//! The profile is narrow, so that one message has one form: the tag 18, a protected header with exactly `alg` and
//! `kid` (the 8 bytes of the key's name), an empty unprotected header, the payload inside, everything in
//! deterministic CBOR. SM2 with SM3 is [`crate::suite::COSE_SM2_SM3`]; Ed25519 is -8 and ES256 is -7.
//!
//! The `alg` of a message is held against the key's record before any signature is computed. It chooses nothing.

use coset::{
    CoseSign1, CoseSign1Builder, HeaderBuilder, RegisteredLabelWithPrivate, TaggedCborSerializable,
    iana::{self, EnumI64},
};
use kernel::time::Timestamp;
use thiserror::Error;

use crate::cbor::{self, CborError, Limits};
use crate::keys::{KeyRing, KeyRingError, Purpose, Signature, TrustList, VerifyError};
use crate::suite::{Algorithm, Suite};

/// A message whose signature was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The key that signed.
    pub kid: String,
    /// Its algorithm.
    pub algorithm: Algorithm,
    /// What that key signs for.
    pub purpose: Purpose,
    /// What was signed.
    pub payload: Vec<u8>,
}

/// Signs `payload` with the active key of the suite for the purpose. `external_aad` is signed too, and is not
/// part of the message: the verifier must know it.
pub fn sign1(
    ring: &KeyRing,
    purpose: Purpose,
    suite: Suite,
    payload: &[u8],
    external_aad: &[u8],
) -> Result<Vec<u8>, CoseError> {
    let key = ring.signer(purpose, suite)?;
    let kid = hex::decode(&key.kid).map_err(|_| CoseError::Malformed)?;
    let header = HeaderBuilder::new().algorithm_label(label(key.algorithm)).key_id(kid).build();
    let message = CoseSign1Builder::new()
        .protected(header)
        .payload(payload.to_vec())
        .try_create_signature(external_aad, |signed| {
            ring.sign_with(&key.kid, signed).map(|signature| signature.bytes)
        })?
        .build();
    let bytes = message.to_tagged_vec().map_err(|_| CoseError::Malformed)?;
    cbor::check(&bytes, Limits::DEFAULT)?;
    Ok(bytes)
}

/// Checks a message that was signed without external data. The caller must look at the purpose of the result;
/// [`verify1_for`] does so itself.
pub fn verify1(trust: &TrustList, bytes: &[u8]) -> Result<Verified, CoseError> {
    let message = Message::read(bytes)?;
    let key = trust.verify(&message.signature, &message.sign1.tbs_data(&[]))?;
    Ok(message.verified(key.purpose))
}

/// What a verifier expects of a message.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// What it was signed for.
    pub purpose: Purpose,
    /// When it was signed, where that is known: the key must have been in use then.
    pub signed_at: Option<Timestamp>,
    /// What was signed beside the message.
    pub external_aad: &'a [u8],
}

impl Expected<'_> {
    /// A message of this purpose, with nothing beside it, at an unknown time.
    pub fn purpose(purpose: Purpose) -> Self {
        Self { purpose, signed_at: None, external_aad: &[] }
    }
}

/// Checks a message against everything that is expected of it.
pub fn verify1_for(trust: &TrustList, expected: &Expected<'_>, bytes: &[u8]) -> Result<Verified, CoseError> {
    let message = Message::read(bytes)?;
    let signed = message.sign1.tbs_data(expected.external_aad);
    trust.verify_for(expected.purpose, expected.signed_at, &message.signature, &signed)?;
    Ok(message.verified(expected.purpose))
}

/// Why a message is not signed or not accepted.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum CoseError {
    /// Not deterministic CBOR within the limits.
    #[error("the message is not acceptable CBOR")]
    Cbor(#[from] CborError),
    /// CBOR, but not a tagged COSE_Sign1 message with its payload.
    #[error("not a COSE_Sign1 message")]
    Malformed,
    /// A header parameter that this profile does not have, or one of the two missing.
    #[error("the header does not hold exactly an algorithm and a key name")]
    Header,
    /// An algorithm that no key of this crate has.
    #[error("the message names an unknown algorithm")]
    UnknownAlgorithm,
    /// No key could sign.
    #[error("the message was not signed")]
    KeyRing(#[from] KeyRingError),
    /// The signature is not accepted.
    #[error("the signature is not accepted")]
    Signature(#[from] VerifyError),
}

struct Message {
    sign1: CoseSign1,
    signature: Signature,
}

impl Message {
    fn read(bytes: &[u8]) -> Result<Self, CoseError> {
        cbor::check(bytes, Limits::DEFAULT)?;
        let sign1 = CoseSign1::from_tagged_slice(bytes).map_err(|_| CoseError::Malformed)?;
        cbor::check(sign1.protected.original_data.as_deref().unwrap_or_default(), Limits::DEFAULT)?;
        if sign1.payload.is_none() {
            return Err(CoseError::Malformed);
        }
        let header = &sign1.protected.header;
        let alg = header.alg.clone().ok_or(CoseError::Header)?;
        let expected =
            HeaderBuilder::new().algorithm_label(alg.clone()).key_id(header.key_id.clone()).build();
        if header.key_id.len() != 8 || *header != expected || !sign1.unprotected.is_empty() {
            return Err(CoseError::Header);
        }
        let signature = Signature {
            kid: hex::encode(&header.key_id),
            algorithm: algorithm(&alg).ok_or(CoseError::UnknownAlgorithm)?,
            bytes: sign1.signature.clone(),
        };
        Ok(Self { sign1, signature })
    }

    fn verified(self, purpose: Purpose) -> Verified {
        Verified {
            kid: self.signature.kid,
            algorithm: self.signature.algorithm,
            purpose,
            payload: self.sign1.payload.unwrap_or_default(),
        }
    }
}

fn label(algorithm: Algorithm) -> RegisteredLabelWithPrivate<iana::Algorithm> {
    let id = algorithm.cose_id();
    iana::Algorithm::from_i64(id)
        .map_or(RegisteredLabelWithPrivate::PrivateUse(id), RegisteredLabelWithPrivate::Assigned)
}

fn algorithm(label: &RegisteredLabelWithPrivate<iana::Algorithm>) -> Option<Algorithm> {
    match label {
        RegisteredLabelWithPrivate::PrivateUse(id) => Algorithm::from_cose_id(*id),
        RegisteredLabelWithPrivate::Assigned(assigned) => Algorithm::from_cose_id(assigned.to_i64()),
        RegisteredLabelWithPrivate::Text(_) => None,
    }
}
