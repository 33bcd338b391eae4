//! The share catalogue: what the government already holds and can look up itself.

use serde::{Deserialize, Serialize};

use super::Words;
use crate::expr::FactType;

/// Sources and checks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShareCatalogue {
    /// Its id.
    pub id: String,
    /// The sources.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<SharedSource>,
    /// Server checks that answer a question without handing out the record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
}

/// One source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharedSource {
    /// Its id, the first part of `person.name`.
    pub id: String,
    /// Its name.
    pub name: Words,
    /// Who keeps it (数源部门).
    pub provider: Words,
    /// How old a looked-up value may be at the decision, in days.
    pub freshness_days: u32,
    /// Names of papers that an applicant need not bring because of it (国务院令716 §7).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaces: Vec<Words>,
    /// Its fields.
    pub fields: Vec<SharedField>,
}

/// One field of a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharedField {
    /// Its id, the second part of `person.name`.
    pub id: String,
    /// Its label.
    pub label: Words,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: FactType,
}

/// A check of the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Its id.
    pub id: String,
    /// The question it answers.
    pub name: Words,
    /// The type of its answer.
    #[serde(rename = "type")]
    pub kind: FactType,
}

impl ShareCatalogue {
    /// The source and field of `source.field`.
    pub fn field(&self, path: &str) -> Option<(&SharedSource, &SharedField)> {
        let (source, field) = path.split_once('.')?;
        let source = self.source(source)?;
        Some((source, source.fields.iter().find(|f| f.id == field)?))
    }

    /// The source of that id.
    pub fn source(&self, id: &str) -> Option<&SharedSource> {
        self.sources.iter().find(|s| s.id == id)
    }

    /// The check of that id.
    pub fn check(&self, id: &str) -> Option<&Check> {
        self.checks.iter().find(|c| c.id == id)
    }
}
