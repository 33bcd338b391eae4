//! A licence type (证照类型).

use serde::{Deserialize, Serialize};

use super::{LegalBasis, Words};
use crate::expr::FactType;

/// A type of licence, issued here or only held and accepted here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LicenceType {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: Words,
    /// 证照类型代码 (GB/T 36904): the 18 characters of the authority in charge and 3 digits.
    pub type_code: String,
    /// The authority in charge of the type.
    pub in_charge: Words,
    /// Whether this node issues it; otherwise it is only held, presented and accepted.
    pub issued_here: bool,
    /// What it rests on.
    pub legal_basis: Vec<LegalBasis>,
    /// Names of papers that an applicant need not bring because of it (国务院令716 §7).
    pub replaces: Vec<Words>,
    /// Its fields.
    pub fields: Vec<LicenceField>,
    /// Roles of the issuing organisation that may suspend, restore and revoke it; without one nobody may.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept_by: Vec<String>,
    /// How long it holds.
    pub validity: Validity,
    /// The layout's name.
    pub template: String,
    /// Occasions with the least that each needs to know.
    pub scenes: Vec<Scene>,
}

/// A field of a licence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LicenceField {
    /// Its id.
    pub id: String,
    /// Its label.
    pub label: Words,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: FactType,
    /// Who may learn it.
    pub disclosure: Disclosure,
    /// Whether every licence of the type has it.
    #[serde(default)]
    pub required: bool,
}

/// Who may learn a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disclosure {
    /// In every presentation.
    Always,
    /// Only where the scene names it and the holder agrees.
    Selective,
    /// Never outside the holder's own copy.
    HolderOnly,
}

/// How long a licence holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validity {
    /// Days from the day of issue; absent where it holds until revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
    /// The date field that holds the last day, where one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_field: Option<String>,
}

/// An occasion of presenting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scene {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: Words,
    /// The fields that it shows.
    pub claims: Vec<String>,
    /// How many minutes the one-time code lasts.
    pub minutes: u32,
}

impl LicenceType {
    /// The field of that id.
    pub fn field(&self, id: &str) -> Option<&LicenceField> {
        self.fields.iter().find(|f| f.id == id)
    }

    /// The scene of that id.
    pub fn scene(&self, id: &str) -> Option<&Scene> {
        self.scenes.iter().find(|s| s.id == id)
    }
}
