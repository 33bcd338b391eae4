//! A form: pages that each ask one thing.

use serde::{Deserialize, Serialize};

use super::Words;

/// The form of an item.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Form {
    /// The pages in their order.
    pub pages: Vec<FormPage>,
}

impl Form {
    /// Every field with its page, in order.
    pub fn fields(&self) -> impl Iterator<Item = (&FormPage, &Field)> {
        self.pages.iter().flat_map(|page| page.fields.iter().map(move |field| (page, field)))
    }

    /// The field of that id.
    pub fn field(&self, id: &str) -> Option<&Field> {
        self.fields().map(|(_, field)| field).find(|field| field.id == id)
    }
}

/// One page, one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FormPage {
    /// The page's id, the last part of its address.
    pub id: String,
    /// The question or heading of the page.
    pub title: Words,
    /// What helps to answer it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<Words>,
    /// Expression: the page is asked only when this holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub show_when: Option<String>,
    /// The fields that make up the one thing.
    pub fields: Vec<Field>,
}

/// One field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// The fact that the answer becomes, for example `operator.name`.
    pub id: String,
    /// The name of the same fact in Chinese expressions, for example 经营者.姓名.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// The label.
    pub label: Words,
    /// What helps to fill it in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<Words>,
    /// What kind of answer it takes.
    #[serde(rename = "type")]
    pub kind: FieldKind,
    /// The choices of radios, checkboxes and select.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<FieldOption>,
    /// Whether an answer must be given while the field is shown.
    #[serde(default)]
    pub required: bool,
    /// The longest text, in characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_len: Option<u32>,
    /// The smallest number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<i64>,
    /// The largest number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<i64>,
    /// Where the answer is taken from beforehand: `source.field` of the share catalogue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// A pre-filled answer that the applicant may dispute but not change here.
    #[serde(default)]
    pub read_only: bool,
    /// The material that is asked for once the applicant changes the pre-filled answer. Such a
    /// field has a second fact `<id>.changed`, which whoever collects the facts sets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_needs: Option<String>,
    /// The server check of the share catalogue that the answer must pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// The party who gives this answer; without it, the applicant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub party: Option<String>,
    /// The material that a `file` field takes in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub material: Option<String>,
    /// Expression: the field is asked only when this holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub show_when: Option<String>,
}

/// One choice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldOption {
    /// What is stored.
    pub value: String,
    /// What is shown.
    pub label: Words,
    /// What helps to choose it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<Words>,
}

/// The kinds of answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// One line of text.
    Text,
    /// Several lines of text.
    Textarea,
    /// One of a few choices, all shown.
    Radios,
    /// Any of a few choices.
    Checkboxes,
    /// One of many choices.
    Select,
    /// A date as year, month, day.
    Date,
    /// A whole number.
    Number,
    /// A telephone number.
    Phone,
    /// A citizen number (GB 11643).
    CitizenId,
    /// A division and the address in it.
    Address,
    /// An uploaded file.
    File,
    /// The named party confirms with their own account.
    PersonConfirm,
    /// A slot of the item's appointment resource.
    Slot,
    /// Yes or no.
    YesNo,
}
