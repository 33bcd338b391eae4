//! The two suites and their signature algorithms, named once for headers, documents and storage.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::hash::Hash;

/// The COSE algorithm number of SM2 with SM3, raw `r || s`, identity [`crate::signature::SM2_IDENTITY`].
///
/// IANA has registered no number for it. RFC 9053, section 8.2 reserves the integers below -65536 for private
/// use, and this is the first of them. A verifier of another maker is told this number in the trust list's
/// documentation; it means nothing outside messages signed by a key of that list.
pub const COSE_SM2_SM3: i64 = -65537;

/// A family of algorithms that a deployment, or a single document, uses throughout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Suite {
    /// 商用密码: SM2, SM3, SM4.
    Gm,
    /// Ed25519 or ES256, SHA-256, AES-256-GCM.
    Intl,
}

impl Suite {
    /// Both suites.
    pub const ALL: [Self; 2] = [Self::Gm, Self::Intl];

    /// The hash function of the suite.
    pub fn hash(self) -> Hash {
        match self {
            Self::Gm => Hash::Sm3,
            Self::Intl => Hash::Sha256,
        }
    }

    /// The signature algorithms of the suite; a key ring that has several signs with the first it has a key for.
    pub fn algorithms(self) -> &'static [Algorithm] {
        match self {
            Self::Gm => &[Algorithm::Sm2Sm3],
            Self::Intl => &[Algorithm::Ed25519, Algorithm::Es256],
        }
    }

    /// The name used in configuration and published documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gm => "gm",
            Self::Intl => "intl",
        }
    }
}

impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Suite {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        Self::ALL.into_iter().find(|suite| suite.name() == text).ok_or_else(|| UnknownName(text.to_owned()))
    }
}

/// A signature algorithm. A key has exactly one, for its whole life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Algorithm {
    /// SM2 (GB/T 32918.2) with SM3.
    #[serde(rename = "SM2-SM3")]
    Sm2Sm3,
    /// Ed25519 (RFC 8032).
    Ed25519,
    /// ECDSA over P-256 with SHA-256 (FIPS 186-5).
    #[serde(rename = "ES256")]
    Es256,
}

impl Algorithm {
    /// Every algorithm.
    pub const ALL: [Self; 3] = [Self::Sm2Sm3, Self::Ed25519, Self::Es256];

    /// The suite that the algorithm belongs to.
    pub fn suite(self) -> Suite {
        match self {
            Self::Sm2Sm3 => Suite::Gm,
            Self::Ed25519 | Self::Es256 => Suite::Intl,
        }
    }

    /// The name used in trust lists and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sm2Sm3 => "SM2-SM3",
            Self::Ed25519 => "Ed25519",
            Self::Es256 => "ES256",
        }
    }

    /// The number in a COSE header (RFC 9053, section 2; [`COSE_SM2_SM3`]).
    pub fn cose_id(self) -> i64 {
        match self {
            Self::Sm2Sm3 => COSE_SM2_SM3,
            Self::Ed25519 => -8,
            Self::Es256 => -7,
        }
    }

    /// The algorithm with this COSE number.
    pub fn from_cose_id(id: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.cose_id() == id)
    }

    /// The `alg` of a JWS header (RFC 7518, RFC 8037). SM2 has no registered name and stays out of JOSE.
    pub fn jose_name(self) -> Option<&'static str> {
        match self {
            Self::Sm2Sm3 => None,
            Self::Ed25519 => Some("EdDSA"),
            Self::Es256 => Some("ES256"),
        }
    }

    /// Length in bytes of the public key: `04 || x || y` on the two curves, 32 bytes for Ed25519.
    pub fn public_key_len(self) -> usize {
        match self {
            Self::Sm2Sm3 | Self::Es256 => 65,
            Self::Ed25519 => 32,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Algorithm {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name() == text)
            .ok_or_else(|| UnknownName(text.to_owned()))
    }
}

/// A suite or an algorithm that this crate does not have.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("unknown suite or algorithm `{0}`")]
pub struct UnknownName(pub String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_algorithm_is_found_by_its_names_and_belongs_to_one_suite() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::from_cose_id(algorithm.cose_id()), Some(algorithm));
            assert_eq!(algorithm.name().parse(), Ok(algorithm));
            assert_eq!(serde_json::to_value(algorithm).unwrap(), algorithm.name());
            assert!(algorithm.suite().algorithms().contains(&algorithm));
        }
        for suite in Suite::ALL {
            assert_eq!(suite.name().parse(), Ok(suite));
            assert_eq!(serde_json::to_value(suite).unwrap(), suite.name());
        }
        assert_eq!("RS256".parse::<Algorithm>(), Err(UnknownName("RS256".into())));
        assert_eq!("GM".parse::<Suite>(), Err(UnknownName("GM".into())));
    }

    #[test]
    fn the_number_of_sm2_lies_in_the_private_use_range() {
        const { assert!(COSE_SM2_SM3 < coset::iana::ALGORITHM_PRIVATE_USE_MAX) };
    }
}
