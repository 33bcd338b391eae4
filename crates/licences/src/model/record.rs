//! What a licence says: the one record that every rendering is made from.

use std::collections::BTreeMap;

use crypto::hash::sm3;
use kernel::entropy::Entropy;
use kernel::ids::OrgCode;
use kernel::licence_id::LicenceIdentifier;
use kernel::time::{Date, Timestamp};
use packs::expr::FactType;
use packs::model::{Disclosure, LicenceType, Words};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use thiserror::Error;

use super::canonical::{self, CanonicalError};

/// The `format` of a licence's record.
pub const LICENCE_FORMAT: &str = "yiwang-licence/1";

/// The most characters of one value, so that a record fits a code on paper more often than not.
pub const MAX_VALUE: usize = 2_000;

/// The most characters of all values together: beyond it a record would outgrow a signed message.
pub const MAX_VALUES: usize = 6_000;

/// What is signed. It names no more than a verifier may learn from the holder's own copy: a field for the
/// holder alone stands in it as a commitment only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LicenceRecord {
    /// [`LICENCE_FORMAT`].
    pub format: String,
    /// 证照标识 (GB/T 36904), with the version of the licence.
    pub identifier: LicenceIdentifier,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: TypeRef,
    /// Who vouches for it.
    pub issuer: IssuerRef,
    /// Its fields, but for those that only the holder may know.
    pub fields: BTreeMap<String, FieldValue>,
    /// Commitments to the other fields: SM3 over the salt and the value, in hexadecimal digits.
    pub withheld: BTreeMap<String, String>,
    /// When it was signed, in whole seconds.
    pub issued_at: Timestamp,
    /// The first day on which it holds.
    pub valid_from: Date,
    /// The last day on which it holds; absent where it holds until revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<Date>,
    /// Where the status list speaks of it.
    pub status: StatusRef,
}

/// The type of a licence, with the hash of the definition that it was issued under.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TypeRef {
    /// The id in the pack.
    pub id: String,
    /// Its name.
    pub name: Words,
    /// Content hash of the definition.
    pub hash: String,
}

/// The organisation that vouches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerRef {
    /// Its short code.
    pub code: OrgCode,
    /// Its name.
    pub name: Words,
    /// 统一社会信用代码.
    pub uscc: String,
}

/// A place in the status lists, drawn at random: it tells nothing about the licence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusRef {
    /// Which list.
    pub list: u32,
    /// Which entry of it.
    pub index: u32,
}

/// The value of a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FieldValue {
    /// Yes or no.
    Truth(bool),
    /// Money in fen.
    Whole(i64),
    /// Text, a date, or a number with its digits as they were written.
    Text(String),
    /// Several texts.
    List(Vec<String>),
}

/// A field for the holder alone, and the salt that opens its commitment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnField {
    /// 16 random bytes in hexadecimal digits.
    pub salt: String,
    /// The value.
    pub value: FieldValue,
}

/// Why fields do not make a licence of their type.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FieldsError {
    /// The type has no such field.
    #[error("the type has no field `{0}`")]
    Unknown(String),
    /// A field that every licence of the type has.
    #[error("the field `{0}` is missing")]
    Missing(String),
    /// A value of another type, or one that is empty or too long.
    #[error("the value of the field `{0}` does not fit its type")]
    BadValue(String),
}

/// Fields, sorted by who may learn them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SortedFields {
    /// Fields of the record.
    pub open: BTreeMap<String, FieldValue>,
    /// Commitments of the record.
    pub withheld: BTreeMap<String, String>,
    /// What the commitments are to; only the ledger and the holder have it.
    pub own: BTreeMap<String, OwnField>,
}

/// Holds the fields against their type and sorts them.
pub fn sort_fields(
    kind: &LicenceType,
    fields: &Map<String, Json>,
    entropy: &dyn Entropy,
) -> Result<SortedFields, FieldsError> {
    if let Some(unknown) = fields.keys().find(|id| kind.field(id).is_none()) {
        return Err(FieldsError::Unknown(unknown.clone()));
    }
    let mut sorted = SortedFields::default();
    let mut length = 0;
    for field in &kind.fields {
        let value = match fields.get(&field.id) {
            None | Some(Json::Null) if field.required => {
                return Err(FieldsError::Missing(field.id.clone()));
            }
            None | Some(Json::Null) => continue,
            Some(value) => {
                FieldValue::read(field.kind, value).ok_or_else(|| FieldsError::BadValue(field.id.clone()))?
            }
        };
        length += value.shown(None).zh.chars().count();
        if length > MAX_VALUES {
            return Err(FieldsError::BadValue(field.id.clone()));
        }
        if field.disclosure == Disclosure::HolderOnly {
            let mut salt = [0; 16];
            entropy.fill(&mut salt);
            let own = OwnField { salt: hex::encode(salt), value };
            sorted.withheld.insert(field.id.clone(), own.commitment(&field.id));
            sorted.own.insert(field.id.clone(), own);
        } else {
            sorted.open.insert(field.id.clone(), value);
        }
    }
    Ok(sorted)
}

impl OwnField {
    /// What the record says instead of the value.
    pub fn commitment(&self, id: &str) -> String {
        let value = self.value.to_json().to_string();
        hex::encode(sm3(format!("{}\u{1f}{id}\u{1f}{value}", self.salt).as_bytes()))
    }
}

impl FieldValue {
    /// Reads a value of the field's type; `None` where it does not fit.
    pub fn read(kind: FactType, json: &Json) -> Option<Self> {
        let text = |json: &Json| {
            let text = json.as_str()?.trim();
            let sound = !text.is_empty()
                && text.chars().count() <= MAX_VALUE
                && !text.chars().any(|letter| letter.is_control() && letter != '\n');
            sound.then(|| text.to_owned())
        };
        match kind {
            FactType::Boolean => json.as_bool().map(Self::Truth),
            FactType::Money => json.as_i64().map(Self::Whole),
            FactType::Number => match json {
                Json::Number(number) => Some(Self::Text(number.to_string())),
                other => text(other).filter(|text| text.parse::<f64>().is_ok()).map(Self::Text),
            },
            FactType::Date => text(json).filter(|text| text.parse::<Date>().is_ok()).map(Self::Text),
            FactType::Text => text(json).map(Self::Text),
            FactType::List => {
                let items: Option<Vec<String>> = json.as_array()?.iter().map(text).collect();
                items.filter(|items| !items.is_empty() && items.len() <= 64).map(Self::List)
            }
        }
    }

    /// The value in a record.
    pub fn to_json(&self) -> Json {
        match self {
            Self::Truth(truth) => Json::from(*truth),
            Self::Whole(number) => Json::from(*number),
            Self::Text(text) => Json::from(text.as_str()),
            Self::List(items) => Json::from(items.clone()),
        }
    }

    /// The value as a reader sees it, the same in both languages but for yes and no.
    pub fn shown(&self, kind: Option<FactType>) -> Words {
        match self {
            Self::Truth(true) => Words::new("是", "yes"),
            Self::Truth(false) => Words::new("否", "no"),
            Self::Whole(fen) if kind == Some(FactType::Money) => {
                let (yuan, rest) = (fen / 100, (fen % 100).abs());
                let sign = if *fen < 0 && yuan == 0 { "-" } else { "" };
                Words::new(format!("{sign}{yuan}.{rest:02}元"), format!("CNY {sign}{yuan}.{rest:02}"))
            }
            Self::Whole(number) => Words::new(number.to_string(), number.to_string()),
            Self::Text(text) => Words::new(text.as_str(), text.as_str()),
            Self::List(items) => Words::new(items.join("；"), items.join("; ")),
        }
    }
}

impl LicenceRecord {
    /// The record as JSON.
    pub fn to_json(&self) -> Result<Json, serde_json::Error> {
        serde_json::to_value(self)
    }

    /// Its canonical JSON: the bytes that [`LicenceRecord::hash`] is over.
    pub fn canonical(&self) -> Result<String, CanonicalError> {
        let json = self.to_json().map_err(|_| CanonicalError::NotPlain)?;
        canonical::to_text(&json)
    }

    /// SM3 over the canonical JSON, in hexadecimal digits.
    pub fn hash(&self) -> Result<String, CanonicalError> {
        Ok(hex::encode(sm3(self.canonical()?.as_bytes())))
    }

    /// What the licence is called on a card: the first of its naming fields, else its type.
    pub fn title(&self) -> &str {
        ["name", "holder", "operator", "owner", "groom"]
            .into_iter()
            .find_map(|id| match self.fields.get(id) {
                Some(FieldValue::Text(text)) => Some(text.as_str()),
                _ => None,
            })
            .unwrap_or(&self.kind.name.zh)
    }

    /// The number that people know the licence by: a credit code or a number of its own, else the serial.
    pub fn number(&self) -> &str {
        ["uscc", "number"]
            .into_iter()
            .find_map(|id| match self.fields.get(id) {
                Some(FieldValue::Text(text)) => Some(text.as_str()),
                _ => None,
            })
            .unwrap_or_else(|| self.identifier.serial())
    }
}
