//! A question for aggregates: the only shape that is answered. Whatever is not this shape cannot be said.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::policy::{Policy, RowRule};
use crate::schema::{Column, Kind, Schema};
use crate::{LakeError, TableId};

/// The most columns of one question.
const MAX_COLUMNS: usize = 50;
/// The column that marks the remainder.
pub const REMAINDER: &str = "remainder";

/// What aggregates are answered under: part of a grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// The column of the table that says whose row it is, such as `citizen_id`. Rows where it is empty count nowhere.
    pub entity: String,
    /// Whether each entity has at most one row, as in a register. Then a row that is written anew, with other
    /// values, is known to be the same one.
    #[serde(default)]
    pub one_row: bool,
    /// How many entities every answer covers at least.
    pub k: u32,
}

/// A question for aggregates of one table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AggregateQuery {
    /// The asker's name of the table.
    #[serde(with = "crate::tables::as_text")]
    pub table: TableId,
    /// What is answered, from left to right.
    pub columns: Vec<Output>,
    /// Which rows count: columns compared with constants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<RowRule>,
    /// By which columns the rows are grouped.
    #[serde(default)]
    pub groups: BTreeSet<String>,
    /// How the answer is ordered; the groups are not chosen by it.
    #[serde(default)]
    pub order: Vec<Order>,
    /// How many groups of the answer are shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

/// One column of the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// What it is called.
    pub name: String,
    /// What it holds.
    pub item: Item,
}

/// What a column of the answer holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Item {
    /// The value of a column by which the rows are grouped.
    Group(String),
    /// How many rows.
    Rows,
    /// How many entities.
    Entities,
    /// In how many rows the column is not empty.
    Filled(String),
    /// The sum of a column of whole numbers or decimals.
    Sum(String),
    /// Its mean.
    Average(String),
}

/// One column that the answer is ordered by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// Its place among the columns of the answer.
    pub column: usize,
    /// Whether the greatest comes first.
    #[serde(default)]
    pub descending: bool,
}

impl Item {
    /// The column that it is reckoned from.
    pub fn column(&self) -> Option<&str> {
        match self {
            Self::Group(column) | Self::Filled(column) | Self::Sum(column) | Self::Average(column) => {
                Some(column)
            }
            Self::Rows | Self::Entities => None,
        }
    }
}

impl Terms {
    /// Whether the terms fit the table.
    pub fn check(&self, table: &Schema) -> Result<(), LakeError> {
        let entity = table
            .column(&self.entity)
            .ok_or_else(|| LakeError::Policy(format!("there is no column `{}`", self.entity)))?;
        if !matches!(entity.kind, Kind::Text | Kind::Integer) {
            return Err(LakeError::Policy(format!("`{}` names no entity", self.entity)));
        }
        if !(2..=100_000).contains(&self.k) {
            return Err(LakeError::Policy(format!("{} is no number of entities from 2 to 100000", self.k)));
        }
        Ok(())
    }
}

/// The columns as the asker sees them.
pub(crate) fn shown(policy: &Policy, table: &Schema) -> Result<Schema, LakeError> {
    let mut columns = Vec::new();
    for shown in &policy.columns {
        let misfit = || LakeError::Policy(format!("`{}` cannot be shown", shown.column));
        let column = table.column(&shown.column).ok_or_else(misfit)?;
        let kind = match &shown.mask {
            None => column.kind,
            Some(mask) => mask.kind_of(column.kind).ok_or_else(misfit)?,
        };
        columns.push(Column { kind, ..column.clone() });
    }
    Schema::new(columns)
}

impl AggregateQuery {
    /// Whether it can be asked of a table that is seen so. Neither filter nor groups name the entity, or a masked
    /// column that is compared by its true value.
    pub(crate) fn check(&self, policy: &Policy, terms: &Terms, shown: &Schema) -> Result<(), LakeError> {
        let no = |text: String| Err(LakeError::NotAggregate(text));
        if self.columns.is_empty() || self.columns.len() > MAX_COLUMNS || self.groups.len() > MAX_COLUMNS {
            return no("it answers with no column or with too many".to_owned());
        }
        for output in &self.columns {
            if output.name.is_empty() || output.name.len() > 63 {
                return no("a column of the answer has no name that fits".to_owned());
            }
            if let Item::Group(column) = &output.item
                && !self.groups.contains(column)
            {
                return no(format!("`{column}` is not among the columns of GROUP BY"));
            }
            if let Some(column) = output.item.column() {
                let Some(known) = shown.column(column) else {
                    return no(format!("there is no column `{column}`"));
                };
                let sums = matches!(output.item, Item::Sum(_) | Item::Average(_));
                if sums && !matches!(known.kind, Kind::Integer | Kind::Decimal(_)) {
                    return no(format!("`{column}` holds {} and is not summed", known.kind));
                }
            }
        }
        for column in &self.groups {
            match shown.column(column).map(|column| column.kind) {
                None => return no(format!("there is no column `{column}`")),
                Some(Kind::Float) => return no(format!("`{column}` is not grouped by")),
                Some(_) => {}
            }
        }
        if let Some(filter) = &self.filter {
            filter.fits(shown).map_err(|error| LakeError::NotAggregate(error.to_string()))?;
        }
        let filtered: BTreeSet<&str> = self.filter.iter().flat_map(RowRule::columns).collect();
        let looked_up = policy.columns.iter().filter(|shown| shown.matched);
        for column in looked_up.map(|shown| shown.column.as_str()).chain([terms.entity.as_str()]) {
            if filtered.contains(column) || self.groups.contains(column) {
                return no(format!("`{column}` names single people and is neither compared nor grouped by"));
            }
        }
        if self.order.iter().any(|order| order.column >= self.columns.len()) {
            return no("it is ordered by a column that is not answered".to_owned());
        }
        Ok(())
    }

    /// The columns that sums are reckoned of, each once.
    pub(crate) fn summed(&self) -> BTreeSet<&str> {
        let sums = |output: &'_ Output| matches!(output.item, Item::Sum(_) | Item::Average(_));
        self.columns.iter().filter(|output| sums(output)).filter_map(|output| output.item.column()).collect()
    }

    /// Whether it asks how many entities there are.
    pub(crate) fn counts_entities(&self) -> bool {
        self.columns.iter().any(|output| output.item == Item::Entities)
    }

    /// What is asked, without how the answer is laid out.
    pub(crate) fn question(&self) -> Self {
        Self { order: Vec::new(), limit: None, ..self.clone() }
    }
}
