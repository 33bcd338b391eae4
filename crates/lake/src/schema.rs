//! What a table of the lake looks like: columns of few kinds, each said to be personal or not.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema as ArrowSchema, SchemaRef, TimeUnit};
use serde::{Deserialize, Serialize};

use crate::LakeError;

/// The most columns of a table.
pub const MAX_COLUMNS: usize = 1_000;
/// All digits of a decimal.
pub(crate) const PRECISION: u8 = 38;

/// What a column holds. Written as `text`, `integer`, `decimal(2)`, `float`, `boolean`, `date`, `timestamp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Kind {
    /// Text in UTF-8.
    Text,
    /// A whole number of 64 bits.
    Integer,
    /// A number of 38 digits, this many behind the point.
    Decimal(u8),
    /// A number of 64 bits with a floating point.
    Float,
    /// Yes or no.
    Boolean,
    /// A day.
    Date,
    /// An instant in microseconds, UTC.
    Timestamp,
}

impl Kind {
    /// As Arrow has it.
    pub(crate) fn arrow(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8,
            Self::Integer => DataType::Int64,
            Self::Decimal(scale) => DataType::Decimal128(PRECISION, i8::try_from(scale).unwrap_or(i8::MAX)),
            Self::Float => DataType::Float64,
            Self::Boolean => DataType::Boolean,
            Self::Date => DataType::Date32,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => f.write_str("text"),
            Self::Integer => f.write_str("integer"),
            Self::Decimal(scale) => write!(f, "decimal({scale})"),
            Self::Float => f.write_str("float"),
            Self::Boolean => f.write_str("boolean"),
            Self::Date => f.write_str("date"),
            Self::Timestamp => f.write_str("timestamp"),
        }
    }
}

impl FromStr for Kind {
    type Err = LakeError;

    fn from_str(text: &str) -> Result<Self, LakeError> {
        let decimal = || {
            let scale = text.strip_prefix("decimal(")?.strip_suffix(')')?.parse().ok()?;
            (scale < PRECISION).then_some(Self::Decimal(scale))
        };
        match text {
            "text" => Ok(Self::Text),
            "integer" => Ok(Self::Integer),
            "float" => Ok(Self::Float),
            "boolean" => Ok(Self::Boolean),
            "date" => Ok(Self::Date),
            "timestamp" => Ok(Self::Timestamp),
            _ => decimal().ok_or_else(|| LakeError::Schema {
                name: text.chars().take(40).collect(),
                reason: "is not a kind of column".to_owned(),
            }),
        }
    }
}

impl TryFrom<String> for Kind {
    type Error = LakeError;

    fn try_from(text: String) -> Result<Self, LakeError> {
        text.parse()
    }
}

impl From<Kind> for String {
    fn from(kind: Kind) -> Self {
        kind.to_string()
    }
}

/// One column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its name: lower case letters, digits and underscores, so that no client has to quote it.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    /// Whether it tells something of a person. The log of a table keeps no statistics of such a column.
    pub personal: bool,
}

impl Column {
    /// A column that tells nothing of a person.
    pub fn new(name: &str, kind: Kind) -> Self {
        Self { name: name.to_owned(), kind, personal: false }
    }

    /// A column that does.
    pub fn personal(name: &str, kind: Kind) -> Self {
        Self { name: name.to_owned(), kind, personal: true }
    }
}

/// The columns of a table, in order. Any cell may be empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Column>", into = "Vec<Column>")]
pub struct Schema(Vec<Column>);

impl Schema {
    /// A schema of these columns.
    pub fn new(columns: Vec<Column>) -> Result<Self, LakeError> {
        if columns.is_empty() || columns.len() > MAX_COLUMNS {
            return Err(LakeError::Schema {
                name: columns.len().to_string(),
                reason: format!("is not a number of columns from 1 to {MAX_COLUMNS}"),
            });
        }
        let mut seen = BTreeSet::new();
        for column in &columns {
            check_name(&column.name)?;
            if !seen.insert(column.name.as_str()) {
                return Err(LakeError::Schema {
                    name: column.name.clone(),
                    reason: "stands twice among the columns".to_owned(),
                });
            }
        }
        Ok(Self(columns))
    }

    /// The columns, in order.
    pub fn columns(&self) -> &[Column] {
        &self.0
    }

    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.0.iter().find(|column| column.name == name)
    }

    /// As Arrow has it.
    pub(crate) fn arrow(&self) -> SchemaRef {
        let fields: Vec<Field> =
            self.0.iter().map(|column| Field::new(&column.name, column.kind.arrow(), true)).collect();
        Arc::new(ArrowSchema::new(fields))
    }

    /// This schema with more columns at its end, which older files lack and which are empty there. A column is
    /// never removed and never changes its kind.
    pub fn extended(&self, more: Vec<Column>) -> Result<Self, LakeError> {
        Self::new(self.0.iter().cloned().chain(more).collect())
    }
}

impl TryFrom<Vec<Column>> for Schema {
    type Error = LakeError;

    fn try_from(columns: Vec<Column>) -> Result<Self, LakeError> {
        Self::new(columns)
    }
}

impl From<Schema> for Vec<Column> {
    fn from(schema: Schema) -> Self {
        schema.0
    }
}

/// Names of tables and columns: a letter, then letters, digits and underscores; 63 at most, as PostgreSQL has it.
pub(crate) fn check_name(name: &str) -> Result<(), LakeError> {
    let fits = name.len() <= 63
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|one| one.is_ascii_lowercase() || one.is_ascii_digit() || one == '_');
    if fits {
        return Ok(());
    }
    Err(LakeError::Schema {
        name: name.chars().take(70).collect(),
        reason: "is not a name of lower case letters, digits and underscores".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_read_as_it_is_written() {
        for kind in [Kind::Text, Kind::Integer, Kind::Decimal(2), Kind::Float, Kind::Boolean, Kind::Date] {
            assert_eq!(kind.to_string().parse::<Kind>().unwrap(), kind);
        }
        for text in ["", "varchar", "decimal(38)", "decimal()", "decimal(-1)"] {
            assert!(text.parse::<Kind>().is_err(), "{text}");
        }
    }

    #[test]
    fn names_need_no_quotes() {
        for name in ["a", "citizen_id", "x1"] {
            check_name(name).unwrap();
        }
        for name in ["", "1a", "A", "a b", "a\"b", "_a", "名", &"a".repeat(64)] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_column_stands_once() {
        let twice = vec![Column::new("a", Kind::Text), Column::new("a", Kind::Integer)];
        assert!(Schema::new(twice).is_err());
        assert!(Schema::new(vec![]).is_err());
    }
}
