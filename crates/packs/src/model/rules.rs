//! Dated rule rows: every number that a law or a local document fixes.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::Words;

/// The rows of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSet {
    /// The set's id.
    pub id: String,
    /// The rows.
    pub rules: Vec<RuleRow>,
}

/// One number, its term and its source. Rows of one id follow each other in time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleRow {
    /// Its id, for example `marriage.min_age.male`.
    pub id: String,
    /// What it is.
    pub name: Words,
    /// The number, in the unit.
    pub value: i64,
    /// The unit.
    pub unit: RuleUnit,
    /// The first day in force.
    pub effective_from: Date,
    /// The last day in force; absent while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_to: Option<Date>,
    /// Where the number comes from.
    pub source: RuleSource,
    /// Whether someone has read it against the official text.
    pub verified: bool,
    /// What remains to be looked up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Words>,
}

/// The source of a number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSource {
    /// 名称.
    pub title: Words,
    /// 文号.
    pub number: Words,
    /// 条款.
    pub clause: Words,
}

impl RuleSource {
    /// The source in one line, as [`super::LegalBasis::cite`] has it.
    pub fn cite(&self, lang: &str) -> String {
        super::cite(&self.title, &self.number, &self.clause, lang)
    }
}

/// The unit of a rule's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleUnit {
    /// 工作日.
    WorkingDays,
    /// 自然日.
    NaturalDays,
    /// 周岁.
    YearsOfAge,
    /// 分 (money, in fen).
    Fen,
    /// A plain count.
    Count,
    /// Hundredths.
    Percent,
}
