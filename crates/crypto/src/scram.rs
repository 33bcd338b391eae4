//! SCRAM-SHA-256 (RFC 5802, RFC 7677), the server's side: what is kept of a secret, and how a proof is checked.
//!
//! Whoever steals a [`Verifier`] can neither sign in with it nor turn it back into the secret; it can only be tried
//! against guesses, of which a random secret of 32 bytes has too many.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::hash::sha256;

/// How often the secret is hashed. The secrets of this platform are random and need no stretching; clients refuse less.
pub const ITERATIONS: u32 = 4_096;

/// What is kept of a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Verifier {
    /// Random, one for each secret.
    pub salt: [u8; 16],
    /// How often it was hashed.
    pub iterations: u32,
    /// Recognises the client's proof.
    pub stored_key: [u8; 32],
    /// Proves to the client that the server knows the verifier.
    pub server_key: [u8; 32],
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Verifier")
    }
}

impl Verifier {
    /// Of a secret in ASCII (any other would have to be normalised first).
    pub fn new(secret: &str, salt: [u8; 16], iterations: u32) -> Self {
        let salted = stretch(secret.as_bytes(), &salt, iterations);
        Self {
            salt,
            iterations,
            stored_key: sha256(&authenticate(&salted, &[b"Client Key"])),
            server_key: authenticate(&salted, &[b"Server Key"]),
        }
    }

    /// Whether `proof` is one by somebody who knows the secret, for this exchange of messages.
    pub fn accepts(&self, exchange: &str, proof: &[u8]) -> bool {
        let signature = authenticate(&self.stored_key, &[exchange.as_bytes()]);
        let Ok(proof) = <[u8; 32]>::try_from(proof) else { return false };
        let mut client_key = proof;
        client_key.iter_mut().zip(signature).for_each(|(byte, mask)| *byte ^= mask);
        sha256(&client_key).ct_eq(&self.stored_key).into()
    }

    /// Whether `secret` is the one.
    pub fn is_of(&self, secret: &str) -> bool {
        Self::new(secret, self.salt, self.iterations).stored_key.ct_eq(&self.stored_key).into()
    }

    /// The server's proof for this exchange of messages.
    pub fn signature(&self, exchange: &str) -> [u8; 32] {
        authenticate(&self.server_key, &[exchange.as_bytes()])
    }

    /// As bytes, for a column that is sealed.
    pub fn to_bytes(&self) -> Vec<u8> {
        [&self.salt[..], &self.iterations.to_be_bytes(), &self.stored_key, &self.server_key].concat()
    }

    /// What [`Verifier::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (salt, rest) = bytes.split_first_chunk::<16>()?;
        let (iterations, rest) = rest.split_first_chunk::<4>()?;
        let (stored_key, rest) = rest.split_first_chunk::<32>()?;
        Some(Self {
            salt: *salt,
            iterations: u32::from_be_bytes(*iterations),
            stored_key: *stored_key,
            server_key: rest.try_into().ok()?,
        })
    }
}

/// PBKDF2 with HMAC-SHA-256, one block: `Hi` of the RFC.
fn stretch(secret: &[u8], salt: &[u8], iterations: u32) -> [u8; 32] {
    let mut block = authenticate(secret, &[salt, &1_u32.to_be_bytes()]);
    let mut sum = block;
    for _ in 1..iterations {
        block = authenticate(secret, &[&block]);
        sum.iter_mut().zip(block).for_each(|(byte, more)| *byte ^= more);
    }
    sum
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
fn authenticate(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of every length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    /// The exchange of RFC 7677, section 3.
    const EXCHANGE: &str = "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
        s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";

    fn verifier() -> Verifier {
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        Verifier::new("pencil", salt.try_into().unwrap(), 4_096)
    }

    #[test]
    fn the_example_of_the_rfc_is_accepted_and_answered() {
        let proof = STANDARD.decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=").unwrap();
        assert!(verifier().accepts(EXCHANGE, &proof));
        let signature = STANDARD.encode(verifier().signature(EXCHANGE));
        assert_eq!(signature, "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    }

    #[test]
    fn another_proof_another_exchange_and_another_secret_are_refused() {
        let mut proof = STANDARD.decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=").unwrap();
        assert!(!verifier().accepts(&EXCHANGE.replace("biws", "eSws"), &proof));
        proof[31] ^= 1;
        assert!(!verifier().accepts(EXCHANGE, &proof));
        assert!(!verifier().accepts(EXCHANGE, &proof[..31]));
        assert!(verifier().is_of("pencil") && !verifier().is_of("pencils"));
    }

    #[test]
    fn a_verifier_is_read_as_it_is_written() {
        assert_eq!(Verifier::from_bytes(&verifier().to_bytes()), Some(verifier()));
        assert_eq!(Verifier::from_bytes(&verifier().to_bytes()[1..]), None);
    }
}
