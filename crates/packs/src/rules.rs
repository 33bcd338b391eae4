//! Dated rule rows by id and day.

use std::collections::BTreeMap;

use jiff::civil::Date;
use kernel::error::Coded;

use crate::model::{RuleRow, RuleUnit};

/// Every rule row of a node, by id, in the order of their first days.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rules(BTreeMap<String, Vec<RuleRow>>);

/// Why a rule has no value on a day.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// No row has that id.
    #[error("there is no rule `{id}`")]
    Unknown {
        /// The id.
        id: String,
    },
    /// No row of the rule is in force on that day.
    #[error("the rule `{id}` is not in force on {day}")]
    NotInForce {
        /// The id.
        id: String,
        /// The day.
        day: Date,
    },
    /// A row of another unit where days, say, are needed.
    #[error("the rule `{id}` does not count {wanted}")]
    WrongUnit {
        /// The id.
        id: String,
        /// What was needed.
        wanted: &'static str,
    },
}

impl Coded for RuleError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "packs.unknown_rule",
            Self::NotInForce { .. } => "packs.rule_not_in_force",
            Self::WrongUnit { .. } => "packs.rule_of_another_unit",
        }
    }
}

impl Rules {
    /// Orders rows; the loader has refused overlaps before.
    pub fn new(rows: impl IntoIterator<Item = RuleRow>) -> Self {
        let mut by_id: BTreeMap<String, Vec<RuleRow>> = BTreeMap::new();
        for row in rows {
            by_id.entry(row.id.clone()).or_default().push(row);
        }
        for rows in by_id.values_mut() {
            rows.sort_by_key(|row| row.effective_from);
        }
        Self(by_id)
    }

    /// The row of a rule that is in force on that day.
    pub fn at(&self, id: &str, day: Date) -> Result<&RuleRow, RuleError> {
        let rows = self.0.get(id).ok_or_else(|| RuleError::Unknown { id: id.to_owned() })?;
        rows.iter()
            .rev()
            .find(|row| row.effective_from <= day && row.effective_to.is_none_or(|last| day <= last))
            .ok_or_else(|| RuleError::NotInForce { id: id.to_owned(), day })
    }

    /// The days of a rule that counts working or natural days, with the unit.
    pub fn days(&self, id: &str, day: Date) -> Result<crate::model::Term, RuleError> {
        let row = self.at(id, day)?;
        let wrong = || RuleError::WrongUnit { id: id.to_owned(), wanted: "days" };
        let unit = match row.unit {
            RuleUnit::WorkingDays => crate::model::TermUnit::WorkingDays,
            RuleUnit::NaturalDays => crate::model::TermUnit::NaturalDays,
            _ => return Err(wrong()),
        };
        Ok(crate::model::Term { days: u32::try_from(row.value).map_err(|_| wrong())?, unit })
    }

    /// The unit of each rule.
    pub fn units(&self) -> BTreeMap<String, RuleUnit> {
        self.0.iter().filter_map(|(id, rows)| Some((id.clone(), rows.first()?.unit))).collect()
    }

    /// Every row, by id and first day.
    pub fn rows(&self) -> impl Iterator<Item = &RuleRow> {
        self.0.values().flatten()
    }
}
