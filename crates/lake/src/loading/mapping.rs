//! What was confirmed: how a source is read, and what becomes of each of its columns.

use kernel::citizen_id::CitizenId;
use kernel::division::{DivisionCode, Divisions};
use kernel::time::Date;
use kernel::uscc::Uscc;
use serde::{Deserialize, Serialize};

use super::error::{LoadError, Reason};
use super::source::Reading;
use crate::{Column, Schema, Table};

/// How the rows of a source become rows of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// How the source is read.
    pub reading: Reading,
    /// Each column of the source, in its order. Of JSON lines, in any.
    pub columns: Vec<MappedColumn>,
}

/// What becomes of one column of the source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MappedColumn {
    /// Its name in the source.
    pub source: String,
    /// The column of the table; none leaves it out.
    pub column: Option<Column>,
    /// Whether a row without it is rejected.
    #[serde(default)]
    pub required: bool,
    /// Whether spaces at the ends of a text are taken away.
    #[serde(default)]
    pub trim: bool,
    /// Words that stand for an empty cell, such as `NULL`.
    #[serde(default)]
    pub empty: Vec<String>,
    /// What the text must be.
    #[serde(default)]
    pub check: Option<Check>,
}

/// A code that a text must be, by its own rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// A citizen number of 18 or 15 characters.
    CitizenId,
    /// A unified social credit code.
    Uscc,
    /// The code of an administrative division that is or was.
    Division,
}

impl Check {
    pub(crate) fn run(self, text: &str, today: Date) -> Result<(), Reason> {
        match self {
            Self::CitizenId => {
                CitizenId::parse(text, today, Divisions::embedded()).map(drop).map_err(|_| Reason::CitizenId)
            }
            Self::Uscc => Uscc::parse(text).map(drop).map_err(|_| Reason::Uscc),
            Self::Division => {
                let known = DivisionCode::parse(text.trim())
                    .is_ok_and(|code| Divisions::embedded().get(code).is_some());
                if known { Ok(()) } else { Err(Reason::Division) }
            }
        }
    }
}

impl Mapping {
    /// The columns that it fills: the schema of a table that is made for it.
    pub fn schema(&self) -> Result<Schema, LoadError> {
        let columns = self.columns.iter().filter_map(|mapped| mapped.column.clone()).collect();
        Ok(Schema::new(columns)?)
    }

    /// The names of the source's columns.
    pub(crate) fn sources(&self) -> Vec<String> {
        self.columns.iter().map(|mapped| mapped.source.clone()).collect()
    }

    /// Refuses a table that lacks one of the columns, or has it as another kind.
    pub fn check(&self, table: &Table) -> Result<(), LoadError> {
        let refused = |name: &str, what: &str| LoadError::Mapping(format!("`{name}` {what}"));
        for column in self.schema()?.columns() {
            match table.schema.column(&column.name) {
                None => return Err(refused(&column.name, "is no column of the table")),
                Some(there) if there.kind != column.kind => {
                    return Err(refused(&column.name, &format!("holds {} in the table", there.kind)));
                }
                // The log of a table keeps statistics of columns that are not personal.
                Some(there) if column.personal && !there.personal => {
                    return Err(refused(&column.name, "is personal, and not so in the table"));
                }
                Some(_) => {}
            }
        }
        for mapped in &self.columns {
            let kind = mapped.column.as_ref().map(|column| column.kind);
            if mapped.check.is_some() && kind.is_some_and(|kind| kind != crate::Kind::Text) {
                return Err(refused(&mapped.source, "is checked as a code, and codes are text"));
            }
        }
        Ok(())
    }
}
