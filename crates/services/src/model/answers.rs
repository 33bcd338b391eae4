//! What was answered so far: the content of a draft, encrypted as one JSON.

use std::collections::{BTreeMap, BTreeSet};

use kernel::ids::BlobId;
use kernel::time::Timestamp;
use packs::Item;
use packs::expr::Value;
use packs::model::Party;
use serde::{Deserialize, Serialize};

use super::input::Answer;

/// The answers of an application.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Answers {
    /// Who applies, as the register knew them when the draft was begun.
    #[serde(default)]
    pub own: Own,
    /// By field: what was answered; none for a field that was seen and left empty.
    #[serde(default)]
    pub values: BTreeMap<String, Answer>,
    /// By field: what a register said when the draft was begun.
    #[serde(default)]
    pub prefilled: BTreeMap<String, Prefilled>,
    /// By material: the file that was attached.
    #[serde(default)]
    pub files: BTreeMap<String, AttachedFile>,
    /// Materials that the applicant promises or brings later.
    #[serde(default)]
    pub promised: BTreeSet<String>,
}

/// Who applies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Own {
    /// 姓名.
    pub name: String,
    /// 公民身份号码.
    pub citizen_id: String,
}

/// A value that nobody typed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prefilled {
    /// The value.
    pub value: Value,
    /// The source of the share catalogue: `person` of `person.name`.
    pub source: String,
    /// When the source said so.
    pub as_of: Timestamp,
}

/// A file as the draft knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachedFile {
    /// Where its bytes are.
    pub blob: BlobId,
    /// The name it was given.
    pub name: String,
    /// SM3 of its bytes, hex.
    pub sm3: String,
    /// Its size in bytes.
    pub size: u64,
    /// The media type of its bytes.
    pub media_type: String,
}

impl Answers {
    /// The party that the applicant is: whose citizen number is theirs.
    pub fn own_party<'a>(&self, item: &'a Item) -> Option<&'a str> {
        let own = |party: &&Party| match self.value(&party.citizen_id_field) {
            Some(Value::Text(number)) => !number.is_empty() && *number == self.own.citizen_id,
            _ => false,
        };
        item.parties.iter().find(own).map(|party| party.id.as_str())
    }

    /// The answer to a field, where one was given.
    pub fn value(&self, field: &str) -> Option<&Value> {
        self.values.get(field).and_then(Option::as_ref)
    }

    /// Whether the field was seen and answered or left empty.
    pub fn has(&self, field: &str) -> bool {
        self.values.contains_key(field)
    }

    /// What stands in the field when its page is shown: the answer, or what the register said.
    pub fn shown(&self, field: &str) -> Option<&Value> {
        match self.values.get(field) {
            Some(answer) => answer.as_ref(),
            None => self.prefilled.get(field).map(|prefilled| &prefilled.value),
        }
    }

    /// Whether the answer differs from what the register said, or the register said nothing.
    pub fn was_changed(&self, field: &str) -> bool {
        match (self.value(field), self.prefilled.get(field)) {
            (Some(value), Some(prefilled)) => *value != prefilled.value,
            (Some(_), None) => true,
            (None, _) => false,
        }
    }
}
