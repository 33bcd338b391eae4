//! The secret half: making, using, replacing and destroying keys.

use kernel::entropy::Entropy;
use kernel::time::Timestamp;
use thiserror::Error;

use super::{Key, KeyState, Purpose, Signature, TrustList, VerifyError};
use crate::signature::{SignatureError, SigningKey, VerifyingKey};
use crate::suite::{Algorithm, Suite};

/// The signing keys of a node.
///
/// INVARIANT: at most one key is active for a purpose and an algorithm. INVARIANT: a key has its secret until
/// it is destroyed, and never after.
#[derive(Debug)]
pub struct KeyRing {
    pub(super) issuer: String,
    pub(super) suite: Suite,
    pub(super) entries: Vec<Entry>,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: Key,
    pub(super) public: VerifyingKey,
    pub(super) secret: Option<SigningKey>,
}

impl KeyRing {
    /// An empty ring of an issuer (a URL), which is sealed at rest with the cipher of `suite`. What the keys
    /// themselves sign with is chosen for each key.
    pub fn new(issuer: impl Into<String>, suite: Suite) -> Self {
        Self { issuer: issuer.into(), suite, entries: Vec::new() }
    }

    /// Makes the first key for a purpose and an algorithm and puts it to use. Refused where one is in use:
    /// [`KeyRing::rotate`] replaces it. Returns the name of the key.
    pub fn generate(
        &mut self,
        purpose: Purpose,
        algorithm: Algorithm,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<String, KeyRingError> {
        if let Some(key) = self.active(purpose, algorithm) {
            return Err(KeyRingError::AlreadyActive { kid: key.kid.clone() });
        }
        self.rotate(purpose, algorithm, now, entropy)
    }

    /// Makes a new key, puts it to use and retires the one before it, whose signatures stay valid. Returns the
    /// name of the new key.
    pub fn rotate(
        &mut self,
        purpose: Purpose,
        algorithm: Algorithm,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<String, KeyRingError> {
        let kid = self.prepare(purpose, algorithm, now, entropy)?;
        self.activate(&kid, now)?;
        Ok(kid)
    }

    /// Makes a key and publishes it without using it, so that verifiers have it before its first signature.
    /// Returns the name of the key.
    pub fn prepare(
        &mut self,
        purpose: Purpose,
        algorithm: Algorithm,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<String, KeyRingError> {
        self.import(purpose, SigningKey::generate(algorithm, entropy)?, now)
    }

    /// Takes in a key that was made elsewhere, without using it. Returns the name of the key.
    pub fn import(
        &mut self,
        purpose: Purpose,
        secret: SigningKey,
        now: Timestamp,
    ) -> Result<String, KeyRingError> {
        let public = secret.verifying_key();
        let key = Key::new(&public, purpose, now);
        let kid = key.kid.clone();
        if self.get(&kid).is_some() {
            return Err(KeyRingError::Twice { kid });
        }
        self.entries.push(Entry { key, public, secret: Some(secret) });
        Ok(kid)
    }

    /// Puts a generated key to use and retires the one before it.
    pub fn activate(&mut self, kid: &str, now: Timestamp) -> Result<(), KeyRingError> {
        let key = &self.entry(kid)?.key;
        let (purpose, algorithm) = (key.purpose, key.algorithm);
        expect_state(key, &[KeyState::Generated])?;
        for entry in &mut self.entries {
            let key = &mut entry.key;
            if key.kid == kid {
                key.state = KeyState::Active;
                key.activated_at = Some(now);
            } else if key.state == KeyState::Active && (key.purpose, key.algorithm) == (purpose, algorithm) {
                key.state = KeyState::Retired;
                key.retired_at = Some(now);
            }
        }
        Ok(())
    }

    /// Ends the use of an active key without a successor.
    pub fn retire(&mut self, kid: &str, now: Timestamp) -> Result<(), KeyRingError> {
        let key = &mut self.entry_mut(kid)?.key;
        expect_state(key, &[KeyState::Active])?;
        key.state = KeyState::Retired;
        key.retired_at = Some(now);
        Ok(())
    }

    /// Wipes the secret of a key that is not in use. Its public half stays, so that what it signed verifies.
    pub fn destroy(&mut self, kid: &str, now: Timestamp) -> Result<(), KeyRingError> {
        let entry = self.entry_mut(kid)?;
        expect_state(&entry.key, &[KeyState::Generated, KeyState::Retired])?;
        entry.secret = None;
        entry.key.state = KeyState::Destroyed;
        entry.key.destroyed_at = Some(now);
        Ok(())
    }

    /// Takes a destroyed key off the trust list: from then on nothing that it signed verifies.
    pub fn forget(&mut self, kid: &str) -> Result<(), KeyRingError> {
        expect_state(&self.entry(kid)?.key, &[KeyState::Destroyed])?;
        self.entries.retain(|entry| entry.key.kid != kid);
        Ok(())
    }

    /// Signs with the active key of the suite for the purpose.
    pub fn sign(&self, purpose: Purpose, suite: Suite, message: &[u8]) -> Result<Signature, KeyRingError> {
        let key = self.signer(purpose, suite)?;
        self.sign_with(&key.kid, message)
    }

    /// The key that [`KeyRing::sign`] would use, for a header that names it before the signature exists.
    pub fn signer(&self, purpose: Purpose, suite: Suite) -> Result<&Key, KeyRingError> {
        suite
            .algorithms()
            .iter()
            .find_map(|algorithm| self.active(purpose, *algorithm))
            .ok_or(KeyRingError::NoActiveKey { purpose, suite })
    }

    /// Signs with a named key, which must be active.
    pub fn sign_with(&self, kid: &str, message: &[u8]) -> Result<Signature, KeyRingError> {
        let entry = self.entry(kid)?;
        expect_state(&entry.key, &[KeyState::Active])?;
        let secret = entry.secret.as_ref().ok_or(KeyRingError::NoSecret { kid: kid.to_owned() })?;
        Ok(Signature {
            kid: entry.key.kid.clone(),
            algorithm: entry.key.algorithm,
            bytes: secret.sign(message)?.to_vec(),
        })
    }

    /// Checks a signature and returns the key that made it, whose purpose the caller must look at.
    pub fn verify(&self, signature: &Signature, message: &[u8]) -> Result<&Key, VerifyError> {
        let entry =
            self.entry(&signature.kid).map_err(|_| VerifyError::UnknownKey { kid: signature.kid.clone() })?;
        entry.key.verify(&entry.public, signature, message)?;
        Ok(&entry.key)
    }

    /// The active key for a purpose and an algorithm.
    pub fn active(&self, purpose: Purpose, algorithm: Algorithm) -> Option<&Key> {
        self.keys()
            .find(|key| key.state == KeyState::Active && key.purpose == purpose && key.algorithm == algorithm)
    }

    /// The record of a key.
    pub fn get(&self, kid: &str) -> Option<&Key> {
        self.keys().find(|key| key.kid == kid)
    }

    /// The records of all keys, the oldest first.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.entries.iter().map(|entry| &entry.key)
    }

    /// Who signs with these keys.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The public half, to be published.
    pub fn trust_list(&self) -> TrustList {
        TrustList::of_ring(
            self.issuer.clone(),
            self.entries.iter().map(|entry| (entry.key.clone(), entry.public.clone())).collect(),
        )
    }

    fn entry(&self, kid: &str) -> Result<&Entry, KeyRingError> {
        let unknown = || KeyRingError::UnknownKey { kid: kid.to_owned() };
        self.entries.iter().find(|entry| entry.key.kid == kid).ok_or_else(unknown)
    }

    fn entry_mut(&mut self, kid: &str) -> Result<&mut Entry, KeyRingError> {
        let unknown = || KeyRingError::UnknownKey { kid: kid.to_owned() };
        self.entries.iter_mut().find(|entry| entry.key.kid == kid).ok_or_else(unknown)
    }
}

/// Why the ring did not do what it was asked.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum KeyRingError {
    /// No key can sign for this.
    #[error("no key of the suite {suite} is active for {purpose:?}")]
    NoActiveKey {
        /// What was to be signed.
        purpose: Purpose,
        /// With which suite.
        suite: Suite,
    },
    /// The ring has no such key.
    #[error("key `{kid}` is not in the ring")]
    UnknownKey {
        /// The name asked for.
        kid: String,
    },
    /// A key with this name is there already.
    #[error("key `{kid}` is in the ring already")]
    Twice {
        /// Its name.
        kid: String,
    },
    /// A key is in use for this purpose and algorithm.
    #[error("key `{kid}` is in use; rotate to replace it")]
    AlreadyActive {
        /// Its name.
        kid: String,
    },
    /// The key's state does not allow the step.
    #[error("key `{kid}` is {state:?}, which does not allow this step")]
    WrongState {
        /// Its name.
        kid: String,
        /// Its state.
        state: KeyState,
    },
    /// The secret is not in this ring.
    #[error("the secret of key `{kid}` is not in this ring")]
    NoSecret {
        /// Its name.
        kid: String,
    },
    /// The key could not be made or did not sign.
    #[error("the key could not be made or did not sign")]
    Signature(#[from] SignatureError),
}

fn expect_state(key: &Key, allowed: &[KeyState]) -> Result<(), KeyRingError> {
    if allowed.contains(&key.state) {
        return Ok(());
    }
    Err(KeyRingError::WrongState { kid: key.kid.clone(), state: key.state })
}
