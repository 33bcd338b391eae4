//! The receipt of a submission (回执): what was received, when, and by when it is decided.
//!
//! A receipt is signed on every submission, so it is cheap: one SM2 and one Ed25519 signature, no transaction.
//! It names nobody: the applicant is masked, and what was submitted stands in it as a hash.

use crypto::keys::KeyRing;
use kernel::entropy::Entropy;
use kernel::time::{Date, Timestamp};
use packs::model::Words;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::document::{self, Claims, Format, SignError, SignedDocument, signing_time};
use crate::model::record::IssuerRef;

/// `vct` of a receipt.
const TYPE: &str = "urn:yiwang:receipt:1";

/// What a receipt says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptRecord {
    /// 办件编号.
    pub case_no: String,
    /// The item that was applied for.
    pub item: Words,
    /// The organisation that received it.
    pub issuer: IssuerRef,
    /// The applicant, masked, such as `李*`.
    pub applicant: String,
    /// When it was received.
    pub received_at: Timestamp,
    /// `sm3:` and 64 hexadecimal digits over what was submitted.
    pub content_hash: String,
    /// 法定办结日, where it is known already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statutory_due: Option<Date>,
    /// 承诺办结日, where it is known already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promised_due: Option<Date>,
}

/// Signs a receipt in both suites.
pub fn sign(keys: &KeyRing, record: &ReceiptRecord) -> Result<SignedDocument, SignError> {
    let mut json = serde_json::to_value(record)?;
    if let Json::Object(members) = &mut json {
        members.insert("format".to_owned(), Format::Receipt.as_str().into());
    }
    let claims = json.as_object().cloned().unwrap_or_default();
    let claims = Claims {
        issued_at: signing_time(record.received_at),
        expires_at: None,
        vct: TYPE,
        claims: &claims,
        withholdable: &[],
    };
    document::sign(keys, Format::Receipt, json, &claims, &NothingToHide)
}

impl ReceiptRecord {
    /// Reads the record of a receipt's document.
    pub fn read(record: &Json) -> Option<Self> {
        let mut members: Map<String, Json> = record.as_object()?.clone();
        if members.shift_remove("format")?.as_str()? != Format::Receipt.as_str() {
            return None;
        }
        serde_json::from_value(Json::Object(members)).ok()
    }
}

/// A receipt withholds nothing, so no salt is ever drawn.
struct NothingToHide;

impl Entropy for NothingToHide {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}
