//! What was submitted: sections as a reader sees them, facts as rules read them, materials.

use kernel::ids::{BlobId, LicenceId};
use kernel::time::Timestamp;
use packs::model::Words;
use serde::{Deserialize, Serialize};

/// A submission. It is stored encrypted, as part of the case's first event.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Payload {
    /// What officer and applicant read, in order.
    pub sections: Vec<Section>,
    /// The same as values, by field: what decision tables and licences are made from.
    pub facts: serde_json::Value,
    /// What proves it.
    pub materials: Vec<Material>,
}

/// Some rows under a title.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// What the rows are about.
    pub title: Words,
    /// The rows.
    pub rows: Vec<Row>,
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The field of the item's form.
    pub field: String,
    /// What the field is called.
    pub label: Words,
    /// The answer as it is read.
    pub value: Text,
    /// Where it came from, when nobody typed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
}

/// A text that a person typed, or words of ours in both languages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Text {
    /// As it was typed.
    Plain(String),
    /// In both languages.
    Words(Words),
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::Plain(text)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::Plain(text.to_owned())
    }
}

impl From<Words> for Text {
    fn from(words: Words) -> Self {
        Self::Words(words)
    }
}

/// Where a value came from, and as of when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The source of the share catalogue.
    pub name: Words,
    /// When it said so.
    pub as_of: Timestamp,
}

/// One material of the item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Material {
    /// What the item calls it.
    pub name: Words,
    /// How it was met.
    pub met_by: MetBy,
}

/// How a material was met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum MetBy {
    /// By a licence that the applicant holds.
    Licence {
        /// The licence.
        id: LicenceId,
        /// Its number or name, for the reader.
        label: String,
    },
    /// By a file that was attached.
    Blob {
        /// The file.
        id: BlobId,
        /// The name it was given.
        name: String,
        /// SM3 of its bytes, hex.
        sm3: String,
    },
    /// By data that another authority shares.
    Shared {
        /// The source of the share catalogue.
        source: Words,
        /// When it said so.
        as_of: Timestamp,
    },
    /// By what was filled in.
    FilledIn,
    /// By a signed promise (告知承诺).
    Promise,
    /// It follows later (容缺后补), or is shown at the counter.
    Later,
}
