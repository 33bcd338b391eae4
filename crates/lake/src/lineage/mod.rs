//! Column lineage: from which columns of the lake each column of an answer comes.
//!
//! It is read off the plan that is run, not off the text of the statement: what the optimiser removed is not in it,
//! and what a view, a subquery or a masked column hides from a reader of the text is. A column counts as an input
//! if changing its cells may change the output's ([`Use::Direct`]) or decide which rows there are, how they are
//! joined, grouped and ordered ([`Use::Indirect`]).

mod openlineage;
mod plan;

use std::collections::{BTreeMap, BTreeSet};

use datafusion::arrow::datatypes::Schema as ArrowSchema;
use serde::{Deserialize, Serialize};

use crate::aggregates::{AggregateQuery, Item};
use crate::session::Granted;
use crate::{LakeError, TableId};

pub use openlineage::{Facts, PRODUCER, Stage};

/// A column of the lake. Written as `table.column`; neither has a dot.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Input {
    /// The table, by its name in the lake.
    pub table: TableId,
    /// The column.
    pub column: String,
}

impl From<Input> for String {
    fn from(input: Input) -> Self {
        format!("{}.{}", input.table, input.column)
    }
}

impl TryFrom<String> for Input {
    type Error = LakeError;

    fn try_from(text: String) -> Result<Self, LakeError> {
        let (table, column) = text.split_once('.').unwrap_or((&text, ""));
        Ok(Self { table: table.parse()?, column: column.to_owned() })
    }
}

/// What an input is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Use {
    /// Its cells make the output's cells.
    Direct(Direct),
    /// Its cells decide which of the output's cells there are.
    Indirect(Indirect),
}

/// How cells become cells; the later the more is done to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direct {
    /// As they are.
    Identity,
    /// Each by a function.
    Transformation,
    /// Many into one.
    Aggregation,
}

/// What decides over rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Indirect {
    /// A condition.
    Filter,
    /// A condition between tables.
    Join,
    /// Grouping.
    GroupBy,
    /// Ordering.
    Sort,
    /// The frame of a window.
    Window,
    /// The choice between values.
    Conditional,
}

/// The inputs of something, each with its uses.
pub type Uses = BTreeMap<Input, BTreeSet<Use>>;

/// One column of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// Its name.
    pub name: String,
    /// What it holds, as the engine names it.
    pub kind: String,
    /// Where it comes from.
    pub inputs: Uses,
}

/// Where an answer comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lineage {
    /// Its columns, from left to right.
    pub columns: Vec<Output>,
    /// What decided over its rows, and so over every column.
    pub rows: Uses,
    /// The tables that were read, also where none of their columns is an input, as by `count(*)`.
    pub tables: BTreeSet<TableId>,
    /// Which inputs were seen behind a mask.
    pub masked: BTreeSet<Input>,
}

impl Lineage {
    /// The inputs on which a column of the answer may depend, by any use.
    pub fn of(&self, column: usize) -> BTreeSet<&Input> {
        let own = self.columns.get(column).into_iter().flat_map(|output| output.inputs.keys());
        own.chain(self.rows.keys()).collect()
    }

    /// Every input.
    pub fn inputs(&self) -> BTreeSet<&Input> {
        self.columns.iter().flat_map(|output| output.inputs.keys()).chain(self.rows.keys()).collect()
    }

    /// The lineage of a question for aggregates.
    pub(crate) fn of_aggregates(asked: &AggregateQuery, granted: &Granted, answer: &ArrowSchema) -> Self {
        let input = |column: &str| Input { table: granted.table.clone(), column: column.to_owned() };
        let mut lineage = Self { tables: BTreeSet::from([granted.table.clone()]), ..Self::default() };
        for (place, field) in answer.fields().iter().enumerate() {
            let used = asked.columns.get(place).and_then(|output| {
                let how = match output.item {
                    Item::Group(_) => Direct::Identity,
                    _ => Direct::Aggregation,
                };
                Some((input(output.item.column()?), BTreeSet::from([Use::Direct(how)])))
            });
            lineage.columns.push(Output {
                name: field.name().clone(),
                kind: field.data_type().to_string(),
                inputs: used.into_iter().collect(),
            });
        }
        let rules = granted.policy.rows.iter().chain(&asked.filter);
        for column in rules.flat_map(crate::RowRule::columns) {
            lineage.rows.entry(input(column)).or_default().insert(Use::Indirect(Indirect::Filter));
        }
        for column in &asked.groups {
            lineage.rows.entry(input(column)).or_default().insert(Use::Indirect(Indirect::GroupBy));
        }
        lineage.mark(granted);
        lineage
    }

    /// Marks the inputs that a grant masks.
    fn mark(&mut self, granted: &Granted) {
        let masked = granted.policy.columns.iter().filter(|shown| shown.mask.is_some());
        let masked = masked.map(|shown| Input { table: granted.table.clone(), column: shown.column.clone() });
        let inputs: BTreeSet<Input> = self.inputs().into_iter().cloned().collect();
        self.masked.extend(masked.filter(|input| inputs.contains(input)));
    }
}
