//! The public half of a key ring, as a document that others fetch and keep.

use kernel::time::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Key, Purpose, Signature, VerifyError};
use crate::signature::VerifyingKey;

/// The keys of an issuer that a verifier trusts. Published as JSON; reading it checks every key, so that
/// verifying needs nothing but this list.
///
/// How the list itself is trusted (a TLS certificate, a printed fingerprint, a signature by another list) is up
/// to who fetches it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "Document", into = "Document")]
pub struct TrustList {
    issuer: String,
    keys: Vec<(Key, VerifyingKey)>,
}

impl TrustList {
    /// A list of these keys. Each must be what its record says.
    pub fn new(issuer: impl Into<String>, keys: Vec<Key>) -> Result<Self, TrustListError> {
        let mut checked: Vec<(Key, VerifyingKey)> = Vec::with_capacity(keys.len());
        for key in keys {
            if checked.iter().any(|(other, _)| other.kid == key.kid) {
                return Err(TrustListError::Twice { kid: key.kid });
            }
            match key.parse_public() {
                Some(public) => checked.push((key, public)),
                None => return Err(TrustListError::BadKey { kid: key.kid }),
            }
        }
        Ok(Self { issuer: issuer.into(), keys: checked })
    }

    /// The list of a ring, whose entries were checked when they were made.
    pub(super) fn of_ring(issuer: String, keys: Vec<(Key, VerifyingKey)>) -> Self {
        Self { issuer, keys }
    }

    /// Who signs with these keys, as a URL.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The records of the keys.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.keys.iter().map(|(key, _)| key)
    }

    /// The record and the parsed public half of a key.
    pub fn get(&self, kid: &str) -> Option<(&Key, &VerifyingKey)> {
        self.keys.iter().find(|(key, _)| key.kid == kid).map(|(key, public)| (key, public))
    }

    /// Checks a signature and returns the key that made it, whose purpose the caller must look at.
    /// [`TrustList::verify_for`] does so itself.
    pub fn verify(&self, signature: &Signature, message: &[u8]) -> Result<&Key, VerifyError> {
        let (key, public) =
            self.get(&signature.kid).ok_or_else(|| VerifyError::UnknownKey { kid: signature.kid.clone() })?;
        key.verify(public, signature, message)?;
        Ok(key)
    }

    /// Checks a signature made for `purpose`. Where the time of signing is known, the key must have been in use
    /// then.
    pub fn verify_for(
        &self,
        purpose: Purpose,
        signed_at: Option<Timestamp>,
        signature: &Signature,
        message: &[u8],
    ) -> Result<&Key, VerifyError> {
        let key = self.verify(signature, message)?;
        if key.purpose != purpose {
            return Err(VerifyError::WrongPurpose { kid: key.kid.clone(), purpose: key.purpose });
        }
        if let Some(time) = signed_at {
            self.in_use_at(&key.kid, time)?;
        }
        Ok(key)
    }

    /// Whether a key was in use at the time that a verified message gives for its signature.
    pub fn in_use_at(&self, kid: &str, time: Timestamp) -> Result<(), VerifyError> {
        let (key, _) = self.get(kid).ok_or_else(|| VerifyError::UnknownKey { kid: kid.to_owned() })?;
        if key.in_use_at(time) { Ok(()) } else { Err(VerifyError::OutsideLife { kid: kid.to_owned() }) }
    }

    /// As [`Self::in_use_at`], for a time that is told in whole seconds, as the claims of a token are.
    pub fn in_use_within(&self, kid: &str, second: Timestamp) -> Result<(), VerifyError> {
        let (key, _) = self.get(kid).ok_or_else(|| VerifyError::UnknownKey { kid: kid.to_owned() })?;
        if key.in_use_within(second) { Ok(()) } else { Err(VerifyError::OutsideLife { kid: kid.to_owned() }) }
    }
}

/// Why a trust list is refused.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum TrustListError {
    /// A key's bytes, name or times contradict each other.
    #[error("key `{kid}` is not what its record says")]
    BadKey {
        /// The name in the list.
        kid: String,
    },
    /// A key is listed twice.
    #[error("key `{kid}` is listed twice")]
    Twice {
        /// The name in the list.
        kid: String,
    },
}

/// The JSON form.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    issuer: String,
    keys: Vec<Key>,
}

impl TryFrom<Document> for TrustList {
    type Error = TrustListError;

    fn try_from(document: Document) -> Result<Self, TrustListError> {
        Self::new(document.issuer, document.keys)
    }
}

impl From<TrustList> for Document {
    fn from(list: TrustList) -> Self {
        Self { issuer: list.issuer, keys: list.keys.into_iter().map(|(key, _)| key).collect() }
    }
}
