//! Signing keys: what each may sign, how they are replaced, and how others come to trust them.
//!
//! A [`KeyRing`] holds the secret keys of a node and stays inside it, sealed under the root key at rest. A
//! [`TrustList`] is its public half, a JSON document that anyone may fetch and check signatures with, offline.
//!
//! A key passes through four states, one way only:
//!
//! | state | may sign | its signatures verify |
//! |---|---|---|
//! | generated | no | yes, so that a verifier holding yesterday's list accepts today's first signature |
//! | active | yes | yes |
//! | retired | no | yes, if made before it was retired |
//! | destroyed | no, the secret is gone | as for retired |
//!
//! INVARIANT: the algorithm and the purpose belong to the key. A header that names another algorithm, or a
//! verifier that expects another purpose, gets an error, never a second attempt.

mod ring;
mod sealed;
mod trust;

use kernel::time::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use ring::{KeyRing, KeyRingError};
pub use sealed::SealError;
pub use trust::{TrustList, TrustListError};

use crate::signature::{SignatureError, VerifyingKey};
use crate::suite::Algorithm;

/// What a key signs. A verifier asks for one purpose, so that a receipt never passes for a licence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// Receipts of submissions (回执).
    Receipt,
    /// Licences (证照) and their presentations.
    Licence,
    /// Heads of the audit log.
    AuditHead,
    /// Lists that tell which licences are revoked or suspended.
    StatusList,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 4] = [Self::Receipt, Self::Licence, Self::AuditHead, Self::StatusList];
}

/// Where a key stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyState {
    /// Made and published, not yet used.
    Generated,
    /// The one that signs.
    Active,
    /// Signs no more; what it signed stays valid.
    Retired,
    /// The secret is wiped; what it signed stays valid.
    Destroyed,
}

/// The public record of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Its name: 16 hexadecimal digits from the hash of its public half ([`VerifyingKey::kid`]).
    pub kid: String,
    /// The only algorithm that it is used with.
    pub algorithm: Algorithm,
    /// The only purpose that it signs for.
    pub purpose: Purpose,
    /// Where it stands in its life.
    pub state: KeyState,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it began to sign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activated_at: Option<Timestamp>,
    /// When it ceased to sign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired_at: Option<Timestamp>,
    /// When its secret was wiped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destroyed_at: Option<Timestamp>,
    /// The public half: `04 || x || y` or 32 bytes, in hexadecimal digits.
    #[serde(with = "hex")]
    pub public: Vec<u8>,
}

/// A signature with the name of the key that made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// The key.
    pub kid: String,
    /// The algorithm as the signature states it; it must be the key's.
    pub algorithm: Algorithm,
    /// The 64 bytes of the signature, in hexadecimal digits.
    #[serde(with = "hex")]
    pub bytes: Vec<u8>,
}

/// Why a signature is not accepted.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum VerifyError {
    /// No such key is trusted.
    #[error("key `{kid}` is not in the trust list")]
    UnknownKey {
        /// The name that the signature gives.
        kid: String,
    },
    /// The signature names another algorithm than the key's.
    #[error("key `{kid}` signs with {expected}, and the signature claims {claimed}")]
    WrongAlgorithm {
        /// The key.
        kid: String,
        /// Its algorithm.
        expected: Algorithm,
        /// What the signature says.
        claimed: Algorithm,
    },
    /// The key is there for something else.
    #[error("key `{kid}` signs for another purpose")]
    WrongPurpose {
        /// The key.
        kid: String,
        /// What it signs for.
        purpose: Purpose,
    },
    /// The signature claims a time at which the key did not sign.
    #[error("key `{kid}` was not in use at the time of the signature")]
    OutsideLife {
        /// The key.
        kid: String,
    },
    /// The signature itself is wrong.
    #[error("the signature is not genuine")]
    NotGenuine(#[source] SignatureError),
}

impl Key {
    /// A key that was just made.
    fn new(public: &VerifyingKey, purpose: Purpose, now: Timestamp) -> Self {
        Self {
            kid: public.kid(),
            algorithm: public.algorithm(),
            purpose,
            state: KeyState::Generated,
            created_at: now,
            activated_at: None,
            retired_at: None,
            destroyed_at: None,
            public: public.to_bytes(),
        }
    }

    /// Whether the key could have signed at this time, as far as its record tells.
    pub fn in_use_at(&self, time: Timestamp) -> bool {
        let from = self.activated_at.unwrap_or(self.created_at);
        let until = self.retired_at.or(self.destroyed_at);
        from <= time && until.is_none_or(|until| time < until)
    }

    /// Whether the key could have signed within the second that begins at this time: for times that are told
    /// in whole seconds only.
    pub fn in_use_within(&self, second: Timestamp) -> bool {
        let from = self.activated_at.unwrap_or(self.created_at);
        let until = self.retired_at.or(self.destroyed_at);
        let last = Timestamp::from_micros(second.micros().saturating_add(999_999));
        from <= last && until.is_none_or(|until| second < until)
    }

    /// Parses the public half and holds the record against it: the name fits, and the times fit the state.
    fn parse_public(&self) -> Option<VerifyingKey> {
        let public = VerifyingKey::from_bytes(self.algorithm, &self.public).ok()?;
        let (active, retired, destroyed) =
            (self.activated_at.is_some(), self.retired_at.is_some(), self.destroyed_at.is_some());
        let times_fit = match self.state {
            KeyState::Generated => !active && !retired && !destroyed,
            KeyState::Active => active && !retired && !destroyed,
            KeyState::Retired => active && retired && !destroyed,
            // A key that was never used may be destroyed at once.
            KeyState::Destroyed => active == retired && destroyed,
        };
        (times_fit && public.kid() == self.kid).then_some(public)
    }

    fn verify(
        &self,
        public: &VerifyingKey,
        signature: &Signature,
        message: &[u8],
    ) -> Result<(), VerifyError> {
        if signature.algorithm != self.algorithm {
            return Err(VerifyError::WrongAlgorithm {
                kid: self.kid.clone(),
                expected: self.algorithm,
                claimed: signature.algorithm,
            });
        }
        public.verify(message, &signature.bytes).map_err(VerifyError::NotGenuine)
    }
}
