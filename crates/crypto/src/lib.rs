//! The suites GM and INTL, key ring, field encryption, COSE and the Merkle log.

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
pub mod signature;
pub mod suite;

mod aead;
mod sm2dsa;
