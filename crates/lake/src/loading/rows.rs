//! Records as rows of a table.

use std::collections::BTreeSet;

use kernel::time::Date;
use serde::{Deserialize, Serialize};

use super::error::{LoadError, Reason};
use super::mapping::{MappedColumn, Mapping};
use super::parse::{Value, parse};
use super::record::{Cell, Record};
use crate::batch::Values;
use crate::{Batch, Kind, Table};

/// The most faults of one row that are named.
const MAX_FAULTS: usize = 20;

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The column of the source; none if it is the row as a whole.
    pub column: Option<String>,
    /// Why.
    pub reason: Reason,
}

/// Builds the columns of a batch, row by row.
pub(crate) struct Rows<'a> {
    table: &'a Table,
    mapping: &'a Mapping,
    today: Date,
    /// Of each column of the table, which of the source fills it.
    filled: Vec<Option<usize>>,
    empty: Vec<BTreeSet<&'a str>>,
    columns: Vec<Values>,
    rows: usize,
}

impl<'a> Rows<'a> {
    pub(crate) fn new(table: &'a Table, mapping: &'a Mapping, today: Date) -> Self {
        let filled = table.schema.columns().iter().map(|column| {
            mapping
                .columns
                .iter()
                .position(|mapped| mapped.column.as_ref().is_some_and(|filled| filled.name == column.name))
        });
        let empty =
            mapping.columns.iter().map(|one| one.empty.iter().map(String::as_str).collect()).collect();
        Self { table, mapping, today, filled: filled.collect(), empty, columns: fresh(table), rows: 0 }
    }

    /// How many rows are there.
    pub(crate) fn len(&self) -> usize {
        self.rows
    }

    /// Takes a row, or says what is wrong with it.
    pub(crate) fn take(&mut self, record: &Record) -> Result<(), Vec<Fault>> {
        if let Some(reason) = record.fault {
            return Err(vec![Fault { column: None, reason }]);
        }
        let mut values = Vec::with_capacity(self.mapping.columns.len());
        let mut faults = Vec::new();
        let rules = self.mapping.columns.iter().zip(&self.empty);
        for (cell, (mapped, empty)) in record.cells.iter().zip(rules) {
            match value(cell, mapped, empty, self.today) {
                Ok(value) => values.push(value),
                Err(reason) => {
                    values.push(None);
                    faults.push(Fault { column: Some(mapped.source.clone()), reason });
                }
            }
        }
        if !faults.is_empty() {
            faults.truncate(MAX_FAULTS);
            return Err(faults);
        }
        for (column, from) in self.columns.iter_mut().zip(&self.filled) {
            let value = from.and_then(|from| values.get_mut(from)?.take());
            push(column, value);
        }
        self.rows += 1;
        Ok(())
    }

    /// The rows so far; the next begin a new batch.
    pub(crate) fn batch(&mut self) -> Result<Batch, LoadError> {
        self.rows = 0;
        let columns = std::mem::replace(&mut self.columns, fresh(self.table));
        Ok(Batch::new(&self.table.schema, columns)?)
    }

    /// Forgets the rows so far.
    pub(crate) fn clear(&mut self) {
        self.rows = 0;
        self.columns = fresh(self.table);
    }
}

fn value(
    cell: Cell<'_>,
    mapped: &MappedColumn,
    empty: &BTreeSet<&str>,
    today: Date,
) -> Result<Option<Value>, Reason> {
    // What is left out may hold what it will.
    let Some(column) = &mapped.column else { return Ok(None) };
    let text = match cell {
        Cell::Empty => None,
        // A column of floating point keeps no more of a number than the source did.
        Cell::Fault(Reason::DigitsLost, text) if column.kind == Kind::Float => Some(text),
        Cell::Fault(reason, _) => return Err(reason),
        Cell::Text(text) => Some(if mapped.trim { text.trim() } else { text }),
    };
    let filled = text.filter(|text| {
        let blank = text.trim().is_empty() && (column.kind != Kind::Text || mapped.trim);
        !blank && !empty.contains(text.trim())
    });
    let Some(text) = filled else {
        return if mapped.required { Err(Reason::Empty) } else { Ok(None) };
    };
    if mapped.required && text.trim().is_empty() {
        return Err(Reason::Empty);
    }
    if let Some(check) = mapped.check {
        check.run(text, today)?;
    }
    parse(column.kind, text).map(Some)
}

fn fresh(table: &Table) -> Vec<Values> {
    let column = |kind| match kind {
        Kind::Text => Values::Text(Vec::new()),
        Kind::Integer => Values::Integer(Vec::new()),
        Kind::Decimal(_) => Values::Decimal(Vec::new()),
        Kind::Float => Values::Float(Vec::new()),
        Kind::Boolean => Values::Boolean(Vec::new()),
        Kind::Date => Values::Date(Vec::new()),
        Kind::Timestamp => Values::Timestamp(Vec::new()),
    };
    table.schema.columns().iter().map(|one| column(one.kind)).collect()
}

/// The mapping was checked against the table, so a value has the kind of its column.
fn push(column: &mut Values, value: Option<Value>) {
    match (column, value) {
        (Values::Text(column), Some(Value::Text(value))) => column.push(Some(value)),
        (Values::Integer(column), Some(Value::Integer(value))) => column.push(Some(value)),
        (Values::Decimal(column), Some(Value::Decimal(value))) => column.push(Some(value)),
        (Values::Float(column), Some(Value::Float(value))) => column.push(Some(value)),
        (Values::Boolean(column), Some(Value::Boolean(value))) => column.push(Some(value)),
        (Values::Date(column), Some(Value::Date(value))) => column.push(Some(value)),
        (Values::Timestamp(column), Some(Value::Timestamp(value))) => column.push(Some(value)),
        (Values::Text(column), _) => column.push(None),
        (Values::Integer(column), _) => column.push(None),
        (Values::Decimal(column), _) => column.push(None),
        (Values::Float(column), _) => column.push(None),
        (Values::Boolean(column), _) => column.push(None),
        (Values::Date(column), _) => column.push(None),
        (Values::Timestamp(column), _) => column.push(None),
    }
}
