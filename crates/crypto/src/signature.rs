//! Key pairs of the three signature algorithms behind one type.
//!
//! A signature is always the 64 bytes that COSE and JOSE use: `r || s` for SM2 and ES256, `R || S` for Ed25519.
//! [`signature_to_der`] and [`signature_from_der`] convert to the form of X.509 and the OpenSSL command line.

use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePublicKey, spki::der::pem::LineEnding};
use ed25519_dalek::{Signer, Verifier};
use kernel::entropy::Entropy;
use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

use crate::root::SecretBytes;
use crate::sm2dsa::Sm2Signer;
use crate::suite::Algorithm;

/// The default identity of a signer (GM/T 0009-2012, section 10), which OpenSSL calls `distid`.
pub const SM2_IDENTITY: &str = "1234567812345678";

/// Length of a signature in bytes.
pub const SIGNATURE_LEN: usize = 64;

/// Draws that may fall outside a curve's range before a source of randomness is called broken. A draw misses
/// with a chance below 2^-31.
const MAX_DRAWS: usize = 8;

/// A secret key, prepared for signing and wiped when dropped.
pub struct SigningKey(Secret);

enum Secret {
    Sm2(Box<Sm2Signer>),
    Ed25519(Box<ed25519_dalek::SigningKey>),
    Es256(Box<p256::ecdsa::SigningKey>),
}

impl SigningKey {
    /// Draws a new key.
    pub fn generate(algorithm: Algorithm, entropy: &dyn Entropy) -> Result<Self, SignatureError> {
        let mut bytes = Zeroizing::new([0; 32]);
        for _ in 0..MAX_DRAWS {
            entropy.fill(bytes.as_mut_slice());
            if let Ok(key) = Self::from_bytes(algorithm, &bytes) {
                return Ok(key);
            }
        }
        Err(SignatureError::BrokenEntropy)
    }

    /// Takes the secret scalar (big endian) of SM2 or ES256, or the seed of Ed25519.
    pub fn from_bytes(algorithm: Algorithm, bytes: &[u8; 32]) -> Result<Self, SignatureError> {
        let secret = match algorithm {
            Algorithm::Sm2Sm3 => {
                Sm2Signer::new(SM2_IDENTITY, bytes).map(|signer| Secret::Sm2(Box::new(signer)))
            }
            Algorithm::Ed25519 => {
                Some(Secret::Ed25519(Box::new(ed25519_dalek::SigningKey::from_bytes(bytes))))
            }
            Algorithm::Es256 => {
                p256::ecdsa::SigningKey::from_slice(bytes).ok().map(|signer| Secret::Es256(Box::new(signer)))
            }
        };
        secret.map(Self).ok_or(SignatureError::BadSecretKey)
    }

    /// Reads a PKCS #8 document, as `openssl genpkey` writes it. The algorithm is the caller's word, never the
    /// document's: a key of another algorithm is refused.
    pub fn from_pkcs8_pem(algorithm: Algorithm, pem: &str) -> Result<Self, SignatureError> {
        let bytes: SecretBytes = match algorithm {
            Algorithm::Sm2Sm3 => Zeroizing::new(
                sm2::SecretKey::from_pkcs8_pem(pem)
                    .map_err(|_| SignatureError::BadSecretKey)?
                    .to_bytes()
                    .into(),
            ),
            Algorithm::Ed25519 => Zeroizing::new(
                ed25519_dalek::SigningKey::from_pkcs8_pem(pem)
                    .map_err(|_| SignatureError::BadSecretKey)?
                    .to_bytes(),
            ),
            Algorithm::Es256 => Zeroizing::new(
                p256::SecretKey::from_pkcs8_pem(pem)
                    .map_err(|_| SignatureError::BadSecretKey)?
                    .to_bytes()
                    .into(),
            ),
        };
        Self::from_bytes(algorithm, &bytes)
    }

    /// The secret, in the form that [`SigningKey::from_bytes`] takes.
    pub fn to_bytes(&self) -> SecretBytes {
        match &self.0 {
            Secret::Sm2(signer) => Zeroizing::new(signer.secret_bytes()),
            Secret::Ed25519(signer) => Zeroizing::new(signer.to_bytes()),
            Secret::Es256(signer) => {
                let mut scalar = signer.to_bytes();
                let bytes = Zeroizing::new(scalar.into());
                scalar.zeroize();
                bytes
            }
        }
    }

    /// The algorithm that the key is for.
    pub fn algorithm(&self) -> Algorithm {
        match self.0 {
            Secret::Sm2(_) => Algorithm::Sm2Sm3,
            Secret::Ed25519(_) => Algorithm::Ed25519,
            Secret::Es256(_) => Algorithm::Es256,
        }
    }

    /// The public half.
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey(match &self.0 {
            Secret::Sm2(signer) => Public::Sm2(Box::new(signer.public().clone())),
            Secret::Ed25519(signer) => Public::Ed25519(signer.verifying_key()),
            Secret::Es256(signer) => Public::Es256(Box::new(*signer.verifying_key())),
        })
    }

    /// Signs `message`. All three algorithms are deterministic: the same message gives the same signature.
    pub fn sign(&self, message: &[u8]) -> Result<[u8; SIGNATURE_LEN], SignatureError> {
        match &self.0 {
            Secret::Sm2(signer) => Ok(signer.sign(message)),
            Secret::Ed25519(signer) => Ok(signer.sign(message).to_bytes()),
            Secret::Es256(signer) => {
                let signature: p256::ecdsa::Signature =
                    signer.try_sign(message).map_err(|_| SignatureError::NotSigned)?;
                Ok(signature.to_bytes().into())
            }
        }
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({}, secret)", self.algorithm())
    }
}

/// A public key, parsed once and checked to lie on its curve.
#[derive(Clone, Debug)]
pub struct VerifyingKey(Public);

#[derive(Clone, Debug)]
enum Public {
    Sm2(Box<sm2::dsa::VerifyingKey>),
    Ed25519(ed25519_dalek::VerifyingKey),
    Es256(Box<p256::ecdsa::VerifyingKey>),
}

impl VerifyingKey {
    /// Reads `04 || x || y` (SM2, ES256) or the 32 bytes of Ed25519.
    pub fn from_bytes(algorithm: Algorithm, bytes: &[u8]) -> Result<Self, SignatureError> {
        if bytes.len() != algorithm.public_key_len() {
            return Err(SignatureError::BadPublicKey);
        }
        let public = match algorithm {
            Algorithm::Sm2Sm3 => sm2::dsa::VerifyingKey::from_sec1_bytes(SM2_IDENTITY, bytes)
                .map(|key| Public::Sm2(Box::new(key)))
                .ok(),
            Algorithm::Ed25519 => ed25519_dalek::VerifyingKey::try_from(bytes)
                .ok()
                .filter(|key| !key.is_weak())
                .map(Public::Ed25519),
            Algorithm::Es256 => {
                p256::ecdsa::VerifyingKey::from_sec1_bytes(bytes).map(|key| Public::Es256(Box::new(key))).ok()
            }
        };
        public.map(Self).ok_or(SignatureError::BadPublicKey)
    }

    /// The form that [`VerifyingKey::from_bytes`] reads.
    pub fn to_bytes(&self) -> Vec<u8> {
        match &self.0 {
            Public::Sm2(key) => key.to_sec1_bytes().into_vec(),
            Public::Ed25519(key) => key.to_bytes().to_vec(),
            Public::Es256(key) => key.to_sec1_point(false).as_bytes().to_vec(),
        }
    }

    /// The SubjectPublicKeyInfo document that OpenSSL reads with `-pubin`.
    pub fn to_spki_pem(&self) -> Result<String, SignatureError> {
        match &self.0 {
            Public::Sm2(key) => key.to_public_key_pem(LineEnding::LF),
            Public::Ed25519(key) => key.to_public_key_pem(LineEnding::LF),
            Public::Es256(key) => key.to_public_key_pem(LineEnding::LF),
        }
        .map_err(|_| SignatureError::BadPublicKey)
    }

    /// The algorithm that the key is for.
    pub fn algorithm(&self) -> Algorithm {
        match self.0 {
            Public::Sm2(_) => Algorithm::Sm2Sm3,
            Public::Ed25519(_) => Algorithm::Ed25519,
            Public::Es256(_) => Algorithm::Es256,
        }
    }

    /// The name of the key: the first 8 bytes of the hash of its bytes, as 16 hexadecimal digits.
    pub fn kid(&self) -> String {
        let [a, b, c, d, e, f, g, h, ..] = self.algorithm().suite().hash().digest(&self.to_bytes());
        hex::encode([a, b, c, d, e, f, g, h])
    }

    /// Checks a signature of 64 bytes. `r` and `s` outside `1 ..= n - 1`, and the points of small order that
    /// RFC 8032 leaves to the implementation, are refused.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        let signature: &[u8; SIGNATURE_LEN] =
            signature.try_into().map_err(|_| SignatureError::WrongLength)?;
        match &self.0 {
            Public::Sm2(key) => sm2::dsa::Signature::from_slice(signature)
                .and_then(|signature| key.verify(message, &signature))
                .map_err(|_| SignatureError::Refused),
            Public::Ed25519(key) => key
                .verify_strict(message, &ed25519_dalek::Signature::from_bytes(signature))
                .map_err(|_| SignatureError::Refused),
            Public::Es256(key) => p256::ecdsa::Signature::from_slice(signature)
                .and_then(|signature| key.verify(message, &signature))
                .map_err(|_| SignatureError::Refused),
        }
    }
}

impl PartialEq for VerifyingKey {
    fn eq(&self, other: &Self) -> bool {
        self.algorithm() == other.algorithm() && self.to_bytes() == other.to_bytes()
    }
}

impl Eq for VerifyingKey {}

/// `r || s` as the ASN.1 sequence of two integers that X.509 and OpenSSL use. Ed25519 has no such form.
pub fn signature_to_der(algorithm: Algorithm, raw: &[u8; SIGNATURE_LEN]) -> Result<Vec<u8>, SignatureError> {
    match algorithm {
        Algorithm::Sm2Sm3 => {
            sm2::dsa::Signature::from_slice(raw).map(|signature| signature.to_der().as_ref().to_vec())
        }
        Algorithm::Es256 => {
            p256::ecdsa::Signature::from_slice(raw).map(|signature| signature.to_der().as_bytes().to_vec())
        }
        Algorithm::Ed25519 => return Err(SignatureError::NoDerForm),
    }
    .map_err(|_| SignatureError::Refused)
}

/// The inverse of [`signature_to_der`]; only the one distinguished encoding is read.
pub fn signature_from_der(algorithm: Algorithm, der: &[u8]) -> Result<[u8; SIGNATURE_LEN], SignatureError> {
    match algorithm {
        Algorithm::Sm2Sm3 => sm2::dsa::Signature::from_der(der).map(|signature| signature.to_bytes().into()),
        Algorithm::Es256 => {
            p256::ecdsa::Signature::from_der(der).map(|signature| signature.to_bytes().into())
        }
        Algorithm::Ed25519 => return Err(SignatureError::NoDerForm),
    }
    .map_err(|_| SignatureError::Refused)
}

/// Why a key or a signature is refused.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum SignatureError {
    /// The signature does not fit the message and the key.
    #[error("the signature does not fit the message and the key")]
    Refused,
    /// A signature has another length than 64 bytes.
    #[error("a signature has {SIGNATURE_LEN} bytes")]
    WrongLength,
    /// The bytes are not a secret key of the algorithm.
    #[error("not a secret key of this algorithm")]
    BadSecretKey,
    /// The bytes are not a public key of the algorithm.
    #[error("not a public key of this algorithm")]
    BadPublicKey,
    /// The algorithm's library refused to sign.
    #[error("the message could not be signed")]
    NotSigned,
    /// Every draw fell outside the range of keys.
    #[error("the source of randomness gave no usable key in {MAX_DRAWS} draws")]
    BrokenEntropy,
    /// Ed25519 signatures exist in raw form only.
    #[error("this algorithm has no DER form of a signature")]
    NoDerForm,
}
