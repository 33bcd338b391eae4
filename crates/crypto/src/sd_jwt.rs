//! Credentials whose holder chooses what to show: SD-JWT (RFC 9901) with the claims of SD-JWT VC, suite INTL.
//!
//! The issuer signs digests in the place of the claims that may be withheld, and hands the claims themselves to
//! the holder as *disclosures*. A presentation is the signed part with some of the disclosures. Claims are named
//! by JSON Pointers (RFC 6901): `/name`, `/address/street`, `/scope/0`; a claim inside a withheld one is
//! withheld with it.
//!
//! The profile: compact form, `typ` is `dc+sd-jwt`, `_sd_alg` is `sha-256`, `alg` is the one of the key that
//! `kid` names (EdDSA or ES256). A key-binding JWT is not read yet and is refused, not ignored.

mod disclosure;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::entropy::Entropy;
use kernel::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::keys::{KeyRing, KeyRingError, Purpose, Signature, TrustList, VerifyError};
use crate::suite::{Algorithm, Suite};
use disclosure::{Disclosures, conceal};

/// The most bytes of a credential or a presentation.
pub const MAX_LEN: usize = 64 * 1024;
/// The most claims that may be withheld.
pub const MAX_DISCLOSURES: usize = 256;
/// The `typ` of the header.
pub const TYPE: &str = "dc+sd-jwt";

/// Claims that a verifier always needs (SD-JWT VC, section 2.2.2.2).
const ALWAYS_SHOWN: [&str; 7] = ["iss", "iat", "nbf", "exp", "cnf", "vct", "status"];

/// What is to be issued.
#[derive(Clone, Copy, Debug)]
pub struct Credential<'a> {
    /// `vct`: the type of the credential, a URL.
    pub vct: &'a str,
    /// When it is issued.
    pub issued_at: Timestamp,
    /// When it ends, if it does.
    pub expires_at: Option<Timestamp>,
    /// Every other claim. `iss`, `iat`, `exp` and `vct` are written by [`issue`] and must not be here.
    pub claims: &'a Map<String, Value>,
    /// Which of them the holder may withhold.
    pub withholdable: &'a [&'a str],
}

/// A presentation that was checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified {
    /// The key that signed.
    pub kid: String,
    /// Its algorithm.
    pub algorithm: Algorithm,
    /// The type of the credential.
    pub vct: String,
    /// All claims that are shown, the registered ones among them.
    pub claims: Map<String, Value>,
}

/// Issues a credential with all its disclosures, signed by the active INTL key for the purpose. The issuer is
/// the ring's.
pub fn issue(
    ring: &KeyRing,
    purpose: Purpose,
    credential: &Credential<'_>,
    entropy: &dyn Entropy,
) -> Result<String, SdJwtError> {
    let key = ring.signer(purpose, Suite::Intl)?;
    let alg = key.algorithm.jose_name().ok_or(SdJwtError::UnknownAlgorithm)?;
    let mut payload = Map::new();
    let mut put = |name: &str, value: Value| payload.insert(name.to_owned(), value);
    put("iss", ring.issuer().into());
    put("iat", seconds(credential.issued_at).into());
    if let Some(expires_at) = credential.expires_at {
        put("exp", seconds(expires_at).into());
    }
    put("vct", credential.vct.into());
    for (name, value) in credential.claims {
        if payload.contains_key(name) || name == "exp" || name == "_sd_alg" {
            return Err(SdJwtError::ReservedClaim { name: name.clone() });
        }
        payload.insert(name.clone(), value.clone());
    }
    if let Some(name) = credential.withholdable.iter().find(|pointer| always_shown(pointer)) {
        return Err(SdJwtError::NotWithholdable { pointer: (*name).to_owned() });
    }
    let (mut payload, disclosures) = conceal(payload, credential.withholdable, entropy)?;
    payload.insert("_sd_alg".into(), "sha-256".into());

    let header = Header { alg: alg.to_owned(), typ: TYPE.to_owned(), kid: key.kid.clone() };
    let mut text = format!("{}.{}", encode_json(&header)?, encode_json(&payload)?);
    let signature = ring.sign_with(&key.kid, text.as_bytes())?;
    text.push('.');
    text.push_str(&URL_SAFE_NO_PAD.encode(&signature.bytes));
    for disclosure in disclosures {
        text.push('~');
        text.push_str(&disclosure);
    }
    text.push('~');
    if text.len() > MAX_LEN { Err(SdJwtError::TooLong) } else { Ok(text) }
}

/// The claims that the holder of this credential or presentation may still withhold, as JSON Pointers.
pub fn withholdable(sd_jwt: &str) -> Result<Vec<String>, SdJwtError> {
    let parts = Parts::split(sd_jwt)?;
    let (_, disclosures) = parts.disclose(parts.payload()?)?;
    Ok(disclosures.pointers())
}

/// A presentation that shows these claims, and none of the others that may be withheld. A claim inside a
/// withheld one brings that one along.
pub fn present(sd_jwt: &str, shown: &[&str]) -> Result<String, SdJwtError> {
    let parts = Parts::split(sd_jwt)?;
    let (_, disclosures) = parts.disclose(parts.payload()?)?;
    let mut text = parts.jwt.to_owned();
    for disclosure in disclosures.select(shown)? {
        text.push('~');
        text.push_str(disclosure);
    }
    text.push('~');
    Ok(text)
}

/// Checks a presentation: the key and its purpose, the signature, every disclosure, the issuer and the times.
pub fn verify(
    trust: &TrustList,
    purpose: Purpose,
    presentation: &str,
    now: Timestamp,
) -> Result<Verified, SdJwtError> {
    let parts = Parts::split(presentation)?;
    let header: Header = decode_json(parts.header)?;
    if header.typ != TYPE {
        return Err(SdJwtError::WrongType { typ: header.typ });
    }
    let algorithm = Algorithm::ALL
        .into_iter()
        .find(|algorithm| algorithm.jose_name() == Some(&header.alg))
        .ok_or(SdJwtError::UnknownAlgorithm)?;
    let bytes = URL_SAFE_NO_PAD.decode(parts.signature).map_err(|_| SdJwtError::Malformed)?;
    let signature = Signature { kid: header.kid, algorithm, bytes };
    trust.verify_for(purpose, None, &signature, parts.signed.as_bytes())?;

    let (mut claims, _) = parts.disclose(parts.payload()?)?;
    if claims.remove("_sd_alg").is_some_and(|alg| alg != "sha-256") {
        return Err(SdJwtError::UnknownAlgorithm);
    }
    if claims.get("iss").and_then(Value::as_str) != Some(trust.issuer()) {
        return Err(SdJwtError::WrongIssuer);
    }
    if let Some(issued_at) = time(&claims, "iat")? {
        trust.in_use_within(&signature.kid, issued_at)?;
    }
    if let Some(expired_at) = time(&claims, "exp")?.filter(|end| now >= *end) {
        return Err(SdJwtError::Expired { expired_at });
    }
    if let Some(valid_from) = time(&claims, "nbf")?.filter(|start| now < *start) {
        return Err(SdJwtError::NotYetValid { valid_from });
    }
    let vct = claims.get("vct").and_then(Value::as_str).ok_or(SdJwtError::Malformed)?.to_owned();
    Ok(Verified { kid: signature.kid, algorithm, vct, claims })
}

/// Why a credential is not issued, presented or accepted.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum SdJwtError {
    /// Longer than [`MAX_LEN`], or more disclosures than [`MAX_DISCLOSURES`].
    #[error("the credential is too long")]
    TooLong,
    /// Nested more deeply than is read.
    #[error("the claims are nested too deeply")]
    TooDeep,
    /// Not the compact form of an SD-JWT.
    #[error("not an SD-JWT")]
    Malformed,
    /// A key-binding JWT follows the disclosures.
    #[error("a key-binding JWT is not read")]
    KeyBinding,
    /// The header names another kind of token.
    #[error("`{typ}` is not the type of this credential")]
    WrongType {
        /// What the header says.
        typ: String,
    },
    /// An algorithm that no key of this crate has, or no name for the key's algorithm in JOSE.
    #[error("the credential names an unknown algorithm")]
    UnknownAlgorithm,
    /// The credential is of another issuer than the trust list.
    #[error("the credential is not of the issuer of the trust list")]
    WrongIssuer,
    /// A claim that the issuer of SD-JWTs writes itself.
    #[error("the claim `{name}` has a meaning of its own")]
    ReservedClaim {
        /// Its name.
        name: String,
    },
    /// The claims have nothing there, or nothing that may be withheld.
    #[error("there is no claim at `{pointer}` to withhold or to show")]
    NoSuchClaim {
        /// The place asked for.
        pointer: String,
    },
    /// A claim that every verifier needs.
    #[error("the claim `{pointer}` is always shown")]
    NotWithholdable {
        /// Its place.
        pointer: String,
    },
    /// A disclosure that is no array of salt, name and value.
    #[error("a disclosure is malformed")]
    BadDisclosure,
    /// A disclosure that the signed part does not know.
    #[error("a disclosure does not belong to the credential")]
    UnknownDisclosure,
    /// A digest stands twice.
    #[error("a digest stands twice in the credential")]
    TwiceDisclosed,
    /// A disclosure would overwrite a claim.
    #[error("a disclosure would overwrite the claim `{name}`")]
    Overwrites {
        /// Its name.
        name: String,
    },
    /// The credential has ended.
    #[error("the credential expired at {expired_at}")]
    Expired {
        /// The end of its validity.
        expired_at: Timestamp,
    },
    /// The credential has not begun.
    #[error("the credential is valid from {valid_from}")]
    NotYetValid {
        /// The begin of its validity.
        valid_from: Timestamp,
    },
    /// No key could sign.
    #[error("the credential was not signed")]
    KeyRing(#[from] KeyRingError),
    /// The signature is not accepted.
    #[error("the signature is not accepted")]
    Signature(#[from] VerifyError),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: String,
    kid: String,
}

/// The pieces of the compact form.
struct Parts<'a> {
    jwt: &'a str,
    signed: &'a str,
    header: &'a str,
    payload: &'a str,
    signature: &'a str,
    disclosures: Vec<&'a str>,
}

impl<'a> Parts<'a> {
    fn split(text: &'a str) -> Result<Self, SdJwtError> {
        if text.len() > MAX_LEN {
            return Err(SdJwtError::TooLong);
        }
        let (jwt, tail) = text.split_once('~').ok_or(SdJwtError::Malformed)?;
        let mut disclosures: Vec<&str> = tail.split('~').collect();
        if disclosures.pop().is_some_and(|last| !last.is_empty()) {
            return Err(SdJwtError::KeyBinding);
        }
        if disclosures.len() > MAX_DISCLOSURES {
            return Err(SdJwtError::TooLong);
        }
        let (signed, signature) = jwt.rsplit_once('.').ok_or(SdJwtError::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(SdJwtError::Malformed)?;
        Ok(Self { jwt, signed, header, payload, signature, disclosures })
    }

    fn payload(&self) -> Result<Map<String, Value>, SdJwtError> {
        decode_json(self.payload)
    }

    /// Puts the disclosed claims in their places.
    fn disclose(
        &self,
        payload: Map<String, Value>,
    ) -> Result<(Map<String, Value>, Disclosures<'a>), SdJwtError> {
        Disclosures::read(&self.disclosures)?.apply(payload)
    }
}

fn always_shown(pointer: &str) -> bool {
    let first = pointer.split('/').nth(1).unwrap_or_default();
    ALWAYS_SHOWN.contains(&first)
}

fn encode_json(value: &impl Serialize) -> Result<String, SdJwtError> {
    serde_json::to_vec(value).map(|json| URL_SAFE_NO_PAD.encode(json)).map_err(|_| SdJwtError::Malformed)
}

fn decode_json<T: for<'de> Deserialize<'de>>(text: &str) -> Result<T, SdJwtError> {
    let json = URL_SAFE_NO_PAD.decode(text).map_err(|_| SdJwtError::Malformed)?;
    serde_json::from_slice(&json).map_err(|_| SdJwtError::Malformed)
}

fn seconds(time: Timestamp) -> i64 {
    time.micros().div_euclid(1_000_000)
}

/// A NumericDate in whole seconds; absent is fine, another type is not.
fn time(claims: &Map<String, Value>, name: &str) -> Result<Option<Timestamp>, SdJwtError> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let micros = value.as_i64().and_then(|seconds| seconds.checked_mul(1_000_000));
    micros.map(|micros| Some(Timestamp::from_micros(micros))).ok_or(SdJwtError::Malformed)
}
