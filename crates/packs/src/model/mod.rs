//! The typed form of each kind of content file, as read from its canonical JSON.
//!
//! These are wire types of the canonical JSON: field names are the canonical (English) keys, and
//! `crate::words` holds the Chinese key for each. Expressions stand here as canonical text; the
//! compiled form hangs on [`crate::Item`].

mod catalogue;
mod form;
mod item;
mod licence;
mod node;
mod org;
mod procedure;
mod rules;

use serde::{Deserialize, Serialize};

pub use catalogue::{Check, ShareCatalogue, SharedField, SharedSource};
pub use form::{Field, FieldKind, FieldOption, Form, FormPage};
pub use item::{
    AppointmentSpec, Audience, BaseDoc, CaseType, Channel, Condition, Delivery, Eligibility, Example,
    FactDecl, Fee, GuideStep, ItemDoc, ItemResult, ItemType, Limits, Material, MaterialForm, ObtainedFrom,
    OpeningHours, Otherwise, Party, Question, RatingSpec, ReviewTable, Row, Start, Table, UseLevel,
    VenuePlace, Weekday,
};
pub use licence::{Disclosure, LicenceField, LicenceType, Scene, Validity};
pub use node::{NodeDoc, Theme, ThemeKind};
pub use org::{Org, OrgDirectory, OrgLevel, Post, Role};
pub use procedure::{
    AppointmentRules, CaseResult, Clocks, Extension, NationalState, PauseGround, Procedure, ProcedureStep,
    ReviewOnRequest, Stage, StepAction,
};
pub use rules::{RuleRow, RuleSet, RuleSource, RuleUnit};

/// The same words in Chinese and English; both are always there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// Chinese, the first language of content.
    pub zh: String,
    /// English.
    pub en: String,
}

impl Words {
    /// Both languages at once.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }

    /// The words in the reader's language: English for `en…`, Chinese otherwise.
    pub fn get(&self, lang: &str) -> &str {
        if lang.starts_with("en") { &self.en } else { &self.zh }
    }
}

/// A clause of a law, regulation or standard that something rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LegalBasis {
    /// The id that rows and grounds of the same file refer to.
    pub id: String,
    /// 名称, for example 婚姻登记条例.
    pub title: Words,
    /// 文号, for example 国务院令第804号.
    pub number: Words,
    /// 条款, for example 第七条.
    pub clause: Words,
    /// What the clause says, in one plain sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub says: Option<Words>,
    /// Whether someone has read the clause against its official text.
    #[serde(default)]
    pub verified: bool,
}

impl LegalBasis {
    /// The basis in one line: 《婚姻登记条例》（国务院令第804号）第七条.
    pub fn cite(&self, lang: &str) -> String {
        cite(&self.title, &self.number, &self.clause, lang)
    }
}

/// A clause in one line: 《婚姻登记条例》（国务院令第804号）第七条.
pub(crate) fn cite(title: &Words, number: &Words, clause: &Words, lang: &str) -> String {
    let (title, number, clause) = (title.get(lang), number.get(lang), clause.get(lang));
    if lang.starts_with("en") {
        format!("{title} ({number}), {clause}")
    } else {
        format!("《{title}》（{number}）{clause}")
    }
}

/// A span of days as a law or a promise names it. Zero days means on the spot (当场).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// How many days.
    pub days: u32,
    /// Working days (行政许可法 §82) or natural days.
    pub unit: TermUnit,
}

impl Term {
    /// The span in words: 3 个工作日, on the spot.
    pub fn words(self) -> Words {
        match (self.days, self.unit) {
            (0, _) => Words::new("当场", "on the spot"),
            (1, TermUnit::WorkingDays) => Words::new("1 个工作日", "1 working day"),
            (n, TermUnit::WorkingDays) => Words::new(format!("{n} 个工作日"), format!("{n} working days")),
            (1, TermUnit::NaturalDays) => Words::new("1 日", "1 day"),
            (n, TermUnit::NaturalDays) => Words::new(format!("{n} 日"), format!("{n} days")),
        }
    }

    /// Whether this span is certainly not longer than the other. A working day lasts a natural
    /// day at least, so natural days never outlast the same number of working days.
    pub fn within(self, other: Self) -> bool {
        self.days == 0
            || (self.days <= other.days && (self.unit == other.unit || self.unit == TermUnit::NaturalDays))
    }
}

/// The unit of a [`Term`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TermUnit {
    /// 工作日.
    WorkingDays,
    /// 自然日.
    NaturalDays,
}
