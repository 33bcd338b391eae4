//! A signed document: one record, signed in both suites, as the file that a person keeps.
//!
//! | part | suite | what for |
//! |---|---|---|
//! | `record` | – | what is said, as plain JSON |
//! | `gm` | SM2 with SM3 | COSE_Sign1 over the record's CBOR; the same bytes as in the QR code |
//! | `intl` | Ed25519 | SD-JWT VC with the record's members as claims; fields may be withheld |
//! | `type` | hash | the definition of the licence type, held to the hash in the record: labels in both languages |
//!
//! The algorithm number of SM2 with SM3 in COSE is [`crypto::suite::COSE_SM2_SM3`] (-65537, private use).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use crypto::cose::{self, CoseError};
use crypto::keys::{KeyRing, Purpose};
use crypto::qr::{self, QrError};
use crypto::sd_jwt::{self, Credential, SdJwtError};
use crypto::suite::Suite;
use kernel::entropy::Entropy;
use kernel::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};
use thiserror::Error;

use crate::model::canonical::{self, CanonicalError};

/// The most bytes of a document that are read.
pub const MAX_FILE: usize = 512 * 1024;

/// What a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Format {
    /// A licence (证照).
    #[serde(rename = "yiwang-licence/1")]
    Licence,
    /// The receipt of a submission (回执).
    #[serde(rename = "yiwang-receipt/1")]
    Receipt,
}

impl Format {
    /// The word in a record.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Licence => "yiwang-licence/1",
            Self::Receipt => "yiwang-receipt/1",
        }
    }

    /// The format of this word.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Licence, Self::Receipt].into_iter().find(|format| format.as_str() == text)
    }

    /// What its key signs for.
    pub fn purpose(self) -> Purpose {
        match self {
            Self::Licence => Purpose::Licence,
            Self::Receipt => Purpose::Receipt,
        }
    }
}

/// A record with its signatures.
#[derive(Clone, Debug, PartialEq)]
pub struct SignedDocument {
    /// What it is.
    pub format: Format,
    /// What it says.
    pub record: Json,
    /// COSE_Sign1 in the GM suite.
    pub gm: Vec<u8>,
    /// SD-JWT in the INTL suite.
    pub intl: String,
    /// The definition of the licence type, for labels; its hash stands in the record.
    pub definition: Option<Json>,
}

/// How the INTL rendering differs from the record.
#[derive(Clone, Copy, Debug)]
pub struct Claims<'a> {
    /// When it was signed, in whole seconds.
    pub issued_at: Timestamp,
    /// The first instant at which it no longer holds.
    pub expires_at: Option<Timestamp>,
    /// `vct`, the type of the credential.
    pub vct: &'a str,
    /// The claims.
    pub claims: &'a Map<String, Json>,
    /// JSON Pointers of those that the holder may withhold.
    pub withholdable: &'a [&'a str],
}

/// Signs a record in both suites: one SM2 and one Ed25519 signature.
pub fn sign(
    keys: &KeyRing,
    format: Format,
    record: Json,
    claims: &Claims<'_>,
    entropy: &dyn Entropy,
) -> Result<SignedDocument, SignError> {
    let payload = canonical::to_cbor(&record)?;
    let gm = cose::sign1(keys, format.purpose(), Suite::Gm, &payload, &[])?;
    let credential = Credential {
        vct: claims.vct,
        issued_at: claims.issued_at,
        expires_at: claims.expires_at,
        claims: claims.claims,
        withholdable: claims.withholdable,
    };
    let intl = sd_jwt::issue(keys, format.purpose(), &credential, entropy)?;
    Ok(SignedDocument { format, record, gm, intl, definition: None })
}

impl SignedDocument {
    /// The file that a person keeps: canonical JSON, so that the same document is the same bytes.
    pub fn to_file_json(&self) -> Result<Vec<u8>, SignError> {
        let mut file = json!({
            "format": self.format.as_str(),
            "record": self.record,
            "gm": URL_SAFE_NO_PAD.encode(&self.gm),
            "intl": self.intl,
        });
        if let (Some(definition), Json::Object(file)) = (&self.definition, &mut file) {
            file.insert("type".to_owned(), definition.clone());
        }
        Ok(canonical::to_text(&file)?.into_bytes())
    }

    /// Reads a file. Nothing is believed yet: [`crate::verify`] checks it.
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        if bytes.len() > MAX_FILE {
            return Err(ParseError::TooLong);
        }
        let wire: Wire = serde_json::from_slice(bytes).map_err(|_| ParseError::Malformed)?;
        if wire.record.get("format").and_then(Json::as_str) != Some(wire.format.as_str()) {
            return Err(ParseError::Malformed);
        }
        let gm = URL_SAFE_NO_PAD.decode(&wire.gm).map_err(|_| ParseError::Malformed)?;
        Ok(Self {
            format: wire.format,
            record: wire.record,
            gm,
            intl: wire.intl,
            definition: wire.definition,
        })
    }

    /// The text form for a QR code: `YW1:` and the GM signature.
    pub fn qr_text(&self) -> Result<String, QrError> {
        qr::to_text(&self.gm)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    format: Format,
    record: Json,
    gm: String,
    intl: String,
    #[serde(default, rename = "type")]
    definition: Option<Json>,
}

/// Why a record was not signed.
#[derive(Debug, Error)]
pub enum SignError {
    /// The record has no canonical form.
    #[error("the record has no canonical form")]
    Canonical(#[from] CanonicalError),
    /// The GM signature failed.
    #[error("the record could not be signed in the GM suite")]
    Gm(#[from] CoseError),
    /// The INTL signature failed.
    #[error("the record could not be signed in the INTL suite")]
    Intl(#[from] SdJwtError),
    /// The record could not be written as JSON.
    #[error("the record could not be written")]
    Json(#[from] serde_json::Error),
}

/// Why bytes are not a document.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ParseError {
    /// More than [`MAX_FILE`] bytes.
    #[error("the file is too long")]
    TooLong,
    /// Not the JSON of a document.
    #[error("not a signed document")]
    Malformed,
}

/// The time of a signature in whole seconds, as the claims of a credential carry it: the second that `now` is in.
/// A verifier asks whether the key was in use within that second.
pub(crate) fn signing_time(now: Timestamp) -> Timestamp {
    const SECOND: i64 = 1_000_000;
    Timestamp::from_micros(now.micros().div_euclid(SECOND) * SECOND)
}
