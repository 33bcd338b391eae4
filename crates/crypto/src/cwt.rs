//! CBOR Web Token claims (RFC 8392): who says what about whom, from when until when.

use kernel::time::Timestamp;
use thiserror::Error;

use crate::cbor::{self, CborError, Limits, Value};
use crate::cose::{self, CoseError, Expected, Verified};
use crate::keys::{KeyRing, Purpose, TrustList};
use crate::suite::Suite;

const ISS: i64 = 1;
const SUB: i64 = 2;
const AUD: i64 = 3;
const EXP: i64 = 4;
const NBF: i64 = 5;
const IAT: i64 = 6;
const CTI: i64 = 7;

const MICROS: i64 = 1_000_000;

/// The claims of a token. Times are whole seconds: a fraction is cut off when they are written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Claims {
    /// `iss`: who vouches.
    pub issuer: Option<String>,
    /// `sub`: about whom or what.
    pub subject: Option<String>,
    /// `aud`: for whom.
    pub audience: Option<String>,
    /// `exp`: from this time on it is not valid.
    pub expires_at: Option<Timestamp>,
    /// `nbf`: before this time it is not valid.
    pub not_before: Option<Timestamp>,
    /// `iat`: when it was signed.
    pub issued_at: Option<Timestamp>,
    /// `cti`: the token's own name.
    pub id: Option<Vec<u8>>,
    /// Everything else, by number or text.
    pub extra: Vec<(Name, Value)>,
}

/// The name of a claim.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name {
    /// A number: registered, or private below -65536.
    Number(i64),
    /// A text.
    Text(String),
}

impl Claims {
    /// The claims as a deterministic CBOR map.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ClaimsError> {
        let text =
            |key, value: &Option<String>| value.clone().map(|value| (Value::from(key), Value::Text(value)));
        let time = |key, value: Option<Timestamp>| {
            value.map(|time| (Value::from(key), Value::from(time.micros().div_euclid(MICROS))))
        };
        let known = [
            text(ISS, &self.issuer),
            text(SUB, &self.subject),
            text(AUD, &self.audience),
            time(EXP, self.expires_at),
            time(NBF, self.not_before),
            time(IAT, self.issued_at),
            self.id.clone().map(|id| (Value::from(CTI), Value::Bytes(id))),
        ];
        let extra = self.extra.iter().map(|(name, value)| {
            let name = match name {
                Name::Number(number) => Value::from(*number),
                Name::Text(text) => Value::Text(text.clone()),
            };
            (name, value.clone())
        });
        Ok(cbor::encode(&Value::Map(known.into_iter().flatten().chain(extra).collect()))?)
    }

    /// Reads what [`Claims::to_bytes`] wrote, or any other deterministic map of claims.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ClaimsError> {
        let Value::Map(entries) = cbor::decode(bytes, Limits::DEFAULT)? else {
            return Err(ClaimsError::NotClaims);
        };
        let mut claims = Self::default();
        for (name, value) in entries {
            let name = match name {
                Value::Text(text) => Name::Text(text),
                Value::Integer(number) => {
                    Name::Number(number.try_into().map_err(|_| ClaimsError::NotClaims)?)
                }
                _ => return Err(ClaimsError::NotClaims),
            };
            let wrong = |claim| ClaimsError::WrongType { claim };
            match name {
                Name::Number(ISS) => claims.issuer = Some(value.into_text().map_err(|_| wrong("iss"))?),
                Name::Number(SUB) => claims.subject = Some(value.into_text().map_err(|_| wrong("sub"))?),
                Name::Number(AUD) => claims.audience = Some(value.into_text().map_err(|_| wrong("aud"))?),
                Name::Number(EXP) => claims.expires_at = Some(time(&value).ok_or(wrong("exp"))?),
                Name::Number(NBF) => claims.not_before = Some(time(&value).ok_or(wrong("nbf"))?),
                Name::Number(IAT) => claims.issued_at = Some(time(&value).ok_or(wrong("iat"))?),
                Name::Number(CTI) => claims.id = Some(value.into_bytes().map_err(|_| wrong("cti"))?),
                other => claims.extra.push((other, value)),
            }
        }
        Ok(claims)
    }

    /// A claim beyond the registered seven.
    pub fn get(&self, name: &Name) -> Option<&Value> {
        self.extra.iter().find(|(other, _)| other == name).map(|(_, value)| value)
    }

    /// Whether the claims are valid at this time.
    pub fn check_time(&self, now: Timestamp) -> Result<(), ClaimsError> {
        if let Some(expired_at) = self.expires_at.filter(|end| now >= *end) {
            return Err(ClaimsError::Expired { expired_at });
        }
        if let Some(valid_from) = self.not_before.filter(|start| now < *start) {
            return Err(ClaimsError::NotYetValid { valid_from });
        }
        Ok(())
    }
}

/// Signs claims with the active key of the suite for the purpose.
pub fn sign(ring: &KeyRing, purpose: Purpose, suite: Suite, claims: &Claims) -> Result<Vec<u8>, ClaimsError> {
    Ok(cose::sign1(ring, purpose, suite, &claims.to_bytes()?, &[])?)
}

/// Checks a signed token: the signature, the purpose, that the key was in use at `iat`, and that the token is
/// valid `now`.
pub fn verify(
    trust: &TrustList,
    purpose: Purpose,
    bytes: &[u8],
    now: Timestamp,
) -> Result<(Claims, Verified), ClaimsError> {
    let verified = cose::verify1_for(trust, &Expected::purpose(purpose), bytes)?;
    let claims = Claims::from_bytes(&verified.payload)?;
    if let Some(signed_at) = claims.issued_at {
        trust.in_use_at(&verified.kid, signed_at).map_err(CoseError::from)?;
    }
    claims.check_time(now)?;
    Ok((claims, verified))
}

/// Why claims are not written, read or accepted.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ClaimsError {
    /// Not acceptable CBOR.
    #[error("the claims are not acceptable CBOR")]
    Cbor(#[from] CborError),
    /// Not a map of claims.
    #[error("the payload is not a map of claims")]
    NotClaims,
    /// A registered claim has another type than its registration says.
    #[error("the claim {claim} has a wrong type")]
    WrongType {
        /// Its name.
        claim: &'static str,
    },
    /// The token is no longer valid.
    #[error("the token expired at {expired_at}")]
    Expired {
        /// The end of its validity.
        expired_at: Timestamp,
    },
    /// The token is not valid yet.
    #[error("the token is valid from {valid_from}")]
    NotYetValid {
        /// The begin of its validity.
        valid_from: Timestamp,
    },
    /// The message around the claims is not accepted.
    #[error("the token is not accepted")]
    Cose(#[from] CoseError),
}

/// A NumericDate in whole seconds, within the range of a [`Timestamp`].
fn time(value: &Value) -> Option<Timestamp> {
    let seconds: i64 = value.as_integer()?.try_into().ok()?;
    seconds.checked_mul(MICROS).map(Timestamp::from_micros)
}
