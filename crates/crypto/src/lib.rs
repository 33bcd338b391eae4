//! The suites GM and INTL, key ring, field encryption, COSE and the Merkle log.
//!
//! | | GM (商用密码) | INTL |
//! |---|---|---|
//! | signature | SM2 with SM3, identity `1234567812345678` | Ed25519; ES256 where a partner asks for it |
//! | hash, HMAC, HKDF | SM3 | SHA-256 |
//! | authenticated encryption | SM4-GCM (RFC 8998) | AES-256-GCM |
//! | signed messages | COSE_Sign1, `alg` -65537 ([`suite::COSE_SM2_SM3`]) | COSE_Sign1, SD-JWT VC |
//!
//! # Where to look
//!
//! - [`suite`], [`hash`], [`signature`]: the algorithms under one name each.
//! - [`root`], [`field`], [`password`]: secrets at rest. A root key derives one key for each domain; [`field`]
//!   derives one for each value's place.
//! - [`keys`]: signing keys with a purpose and a life, and the trust list that others verify with.
//! - [`cbor`], [`cose`], [`cwt`], [`qr`]: signed messages that fit a printed code.
//! - [`sd_jwt`]: credentials whose holder chooses what to show.
//! - [`merkle`]: the log that cannot be rewritten.
//!
//! # Invariants
//!
//! - A key has one algorithm and one purpose for its whole life; no header chooses either.
//! - A message that is signed has one encoding, and a reader accepts no other.
//! - Whatever comes from outside is bounded in size and in nesting before it is unpacked, and gets an error with
//!   a name.
//! - Time and randomness are parameters. Signing needs neither: it is deterministic in all three algorithms.
//! - Secrets are wiped when they are dropped and never print themselves.
//!
//! # What this is not
//!
//! The primitives come from RustCrypto and dalek. They aim at constant time but are not a certified 密码模块
//! (GM/T 0028), and SM4 uses tables that a neighbour on the same processor may observe. A deployment that must
//! pass 密评 keeps its keys in a certified module.

pub mod cbor;
pub mod cose;
pub mod cwt;
pub mod field;
pub mod hash;
pub mod keys;
pub mod merkle;
pub mod password;
pub mod qr;
pub mod root;
pub mod scram;
pub mod sd_jwt;
pub mod signature;
pub mod suite;

mod aead;
mod codes;
mod sm2dsa;
