//! What an asker may see of a table: which columns, behind which masks, and which rows.
//!
//! A policy is data. It is checked against the schema of its table when it is made fit ([`Policy::check`]), and
//! whatever does not fit is refused: a grant that was written for another version of a table shows nothing.

use jiff::civil::Date;
use kernel::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::LakeError;
use crate::schema::{Column, Kind, Schema};

/// The most parts of a row rule.
const MAX_PARTS: usize = 200;
/// The most values of one list.
const MAX_VALUES: usize = 10_000;
/// The deepest row rule.
const MAX_DEPTH: usize = 16;

/// What an asker may see of one table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// The columns that exist for the asker, in this order.
    pub columns: Vec<Shown>,
    /// The rows that exist for the asker; without a rule, all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<RowRule>,
}

/// One column as the asker sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shown {
    /// Its name in the table.
    pub column: String,
    /// What is shown in place of the value (show-mask); without one, the value itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mask: Option<Mask>,
    /// Whether a masked column may be looked up by its true value (match-mask): `column = constant` and
    /// `column IN (constants)` then compare with what is hidden, and still only the mask is shown.
    #[serde(default, rename = "match", skip_serializing_if = "std::ops::Not::not")]
    pub matched: bool,
}

impl Shown {
    /// The value itself.
    pub fn plain(column: &str) -> Self {
        Self { column: column.to_owned(), mask: None, matched: false }
    }

    /// A mask in its place.
    pub fn masked(column: &str, mask: Mask) -> Self {
        Self { column: column.to_owned(), mask: Some(mask), matched: false }
    }

    /// The same column, to be looked up by its true value.
    #[must_use]
    pub fn with_match(mut self) -> Self {
        self.matched = true;
        self
    }
}

/// What is shown in place of a value. An empty cell stays empty behind every mask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum Mask {
    /// Nothing.
    Empty {},
    /// The first and the last letters, a star for each between: `段*慧`, `5329**********1234`. A text that has no
    /// letter between them is all stars.
    Stars {
        /// Letters that are shown at the beginning.
        first: u8,
        /// Letters that are shown at the end.
        last: u8,
    },
    /// The first letters alone, such as the county of a division code.
    Prefix {
        /// How many.
        letters: u8,
    },
    /// The first day of the year.
    Year {},
    /// The next lower multiple of a step.
    Floor {
        /// The step, from 1, in whole units.
        step: u32,
    },
    /// A keyed hash (HMAC with SM3): equal values have equal tokens under one key, and nobody without the key can
    /// find the value by trying.
    Token {
        /// The key, 32 bytes in hex. Askers who share one may join by their tokens.
        key: String,
    },
}

impl Mask {
    /// What a masked column of `kind` holds; nothing if the mask does not fit it.
    pub(crate) fn kind_of(&self, kind: Kind) -> Option<Kind> {
        match (self, kind) {
            (Self::Empty {}, kind) => Some(kind),
            (Self::Stars { .. } | Self::Prefix { .. }, Kind::Text) => Some(kind),
            (Self::Year {}, Kind::Date) => Some(kind),
            (Self::Floor { step }, Kind::Integer) if *step > 0 => Some(kind),
            (Self::Token { key }, Kind::Text) if token_key(key).is_some() => Some(kind),
            _ => None,
        }
    }
}

/// A condition that a row must meet. It compares columns with constants and joins such comparisons: whatever else
/// a condition could do might fail, and a failure tells of a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RowRule {
    /// Every part holds.
    All(Vec<RowRule>),
    /// At least one part holds.
    Any(Vec<RowRule>),
    /// The part does not hold. Of an empty cell neither holds.
    Not(Box<RowRule>),
    /// The column compares with the value.
    Compare {
        /// Which column.
        column: String,
        /// How.
        is: Comparison,
        /// With what; of the column's kind.
        value: Scalar,
    },
    /// The column is one of the values.
    In {
        /// Which column.
        column: String,
        /// Which values; of the column's kind.
        values: Vec<Scalar>,
    },
    /// The text begins with these letters, as the codes of all divisions in a county do.
    StartsWith {
        /// Which column.
        column: String,
        /// Which letters.
        prefix: String,
    },
    /// The cell is empty.
    Empty {
        /// Which column.
        column: String,
    },
}

/// How a column compares with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// Equal.
    Equal,
    /// Not equal.
    NotEqual,
    /// Less.
    Less,
    /// Less or equal.
    AtMost,
    /// Greater.
    More,
    /// Greater or equal.
    AtLeast,
}

/// A constant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Scalar {
    /// Text.
    Text(String),
    /// A whole number, also for columns of decimals.
    Integer(i64),
    /// Yes or no.
    Boolean(bool),
    /// A day.
    Date(Date),
    /// An instant.
    Timestamp(Timestamp),
}

impl Scalar {
    fn fits(&self, kind: Kind) -> bool {
        matches!(
            (self, kind),
            (Self::Text(_), Kind::Text)
                | (Self::Integer(_), Kind::Integer | Kind::Decimal(_))
                | (Self::Boolean(_), Kind::Boolean)
                | (Self::Date(_), Kind::Date)
                | (Self::Timestamp(_), Kind::Timestamp)
        )
    }
}

impl Policy {
    /// Everything of a table, as it is.
    pub fn everything(schema: &Schema) -> Self {
        let columns = schema.columns().iter().map(|column| Shown::plain(&column.name)).collect();
        Self { columns, rows: None }
    }

    /// What a shown column holds, mask and all; none where the policy does not show it or does not fit.
    pub fn shown_kind(&self, schema: &Schema, name: &str) -> Option<Kind> {
        let shown = self.columns.iter().find(|shown| shown.column == name)?;
        let kind = schema.column(name)?.kind;
        shown.mask.as_ref().map_or(Some(kind), |mask| mask.kind_of(kind))
    }

    /// Whether every name and every value fits the table.
    pub fn check(&self, schema: &Schema) -> Result<(), LakeError> {
        if self.columns.is_empty() {
            return Err(LakeError::Policy("it shows no column".to_owned()));
        }
        for (place, shown) in self.columns.iter().enumerate() {
            let column = known(schema, &shown.column)?;
            if self.columns.iter().take(place).any(|earlier| earlier.column == shown.column) {
                return Err(LakeError::Policy(format!("`{}` stands twice", shown.column)));
            }
            if let Some(mask) = &shown.mask
                && mask.kind_of(column.kind).is_none()
            {
                let text = format!("the mask of `{}` does not fit a column of {}", shown.column, column.kind);
                return Err(LakeError::Policy(text));
            }
            if shown.matched && (shown.mask.is_none() || column.kind != Kind::Text) {
                let text = format!("`{}` is no masked text, so it cannot be matched", shown.column);
                return Err(LakeError::Policy(text));
            }
        }
        match &self.rows {
            Some(rule) => rule.fits(schema),
            None => Ok(()),
        }
    }
}

impl RowRule {
    /// `column = value`.
    pub fn equal(column: &str, value: Scalar) -> Self {
        Self::Compare { column: column.to_owned(), is: Comparison::Equal, value }
    }

    /// Whether every name and every value fits a table of these columns.
    pub(crate) fn fits(&self, schema: &Schema) -> Result<(), LakeError> {
        self.check(schema, 0, &mut 0)
    }

    /// The columns that it compares.
    pub(crate) fn columns(&self) -> Vec<&str> {
        match self {
            Self::All(rules) | Self::Any(rules) => rules.iter().flat_map(Self::columns).collect(),
            Self::Not(rule) => rule.columns(),
            Self::Compare { column, .. }
            | Self::In { column, .. }
            | Self::StartsWith { column, .. }
            | Self::Empty { column } => vec![column],
        }
    }

    fn check(&self, schema: &Schema, depth: usize, parts: &mut usize) -> Result<(), LakeError> {
        *parts += 1;
        if depth > MAX_DEPTH || *parts > MAX_PARTS {
            return Err(LakeError::Policy("the rule of the rows is too large".to_owned()));
        }
        let fits = |column: &str, value: &Scalar| -> Result<(), LakeError> {
            let kind = known(schema, column)?.kind;
            if value.fits(kind) {
                return Ok(());
            }
            Err(LakeError::Policy(format!("`{column}` is compared with something else than {kind}")))
        };
        match self {
            Self::All(rules) | Self::Any(rules) => {
                if rules.is_empty() {
                    return Err(LakeError::Policy("the rule of the rows has an empty list".to_owned()));
                }
                rules.iter().try_for_each(|rule| rule.check(schema, depth + 1, parts))
            }
            Self::Not(rule) => rule.check(schema, depth + 1, parts),
            Self::Compare { column, value, .. } => fits(column, value),
            Self::In { column, values } => {
                if values.is_empty() || values.len() > MAX_VALUES {
                    return Err(LakeError::Policy(format!("`{column}` has no or too many values")));
                }
                values.iter().try_for_each(|value| fits(column, value))
            }
            Self::StartsWith { column, prefix } => {
                if prefix.is_empty() || known(schema, column)?.kind != Kind::Text {
                    return Err(LakeError::Policy(format!("`{column}` begins with nothing")));
                }
                Ok(())
            }
            Self::Empty { column } => known(schema, column).map(drop),
        }
    }
}

/// The key of a token mask.
pub(crate) fn token_key(hex_text: &str) -> Option<[u8; 32]> {
    let mut key = [0; 32];
    hex::decode_to_slice(hex_text, &mut key).ok().map(|()| key)
}

fn known<'a>(schema: &'a Schema, column: &str) -> Result<&'a Column, LakeError> {
    schema.column(column).ok_or_else(|| LakeError::Policy(format!("there is no column `{column}`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Schema {
        Schema::new(vec![
            Column::personal("citizen_id", Kind::Text),
            Column::new("amount", Kind::Integer),
            Column::new("born", Kind::Date),
        ])
        .unwrap()
    }

    #[test]
    fn what_does_not_fit_the_table_is_refused() {
        let shown = |shown: Shown| Policy { columns: vec![shown], rows: None };
        let ruled = |rule: RowRule| Policy { columns: vec![Shown::plain("amount")], rows: Some(rule) };
        for policy in [
            Policy { columns: vec![], rows: None },
            Policy { columns: vec![Shown::plain("amount"), Shown::plain("amount")], rows: None },
            shown(Shown::plain("salary")),
            shown(Shown::masked("amount", Mask::Year {})),
            shown(Shown::masked("amount", Mask::Floor { step: 0 })),
            shown(Shown::masked("citizen_id", Mask::Token { key: "short".to_owned() })),
            shown(Shown::plain("citizen_id").with_match()),
            shown(Shown::masked("born", Mask::Year {}).with_match()),
            ruled(RowRule::equal("amount", Scalar::Text("1".to_owned()))),
            ruled(RowRule::equal("salary", Scalar::Integer(1))),
            ruled(RowRule::All(vec![])),
            ruled(RowRule::In { column: "amount".to_owned(), values: vec![] }),
            ruled(RowRule::StartsWith { column: "amount".to_owned(), prefix: "1".to_owned() }),
        ] {
            assert!(policy.check(&schema()).is_err(), "{policy:?}");
        }
        Policy::everything(&schema()).check(&schema()).unwrap();
    }

    #[test]
    fn an_unknown_term_is_refused_and_never_dropped() {
        for text in [
            r#"{"columns": [{"column": "amount", "until": "2027"}]}"#,
            r#"{"columns": [{"column": "amount", "mask": {"kind": "blur"}}]}"#,
            r#"{"columns": [{"column": "amount"}], "rows": {"like": {"column": "a"}}}"#,
            r#"{"columns": [{"column": "amount"}], "duties": []}"#,
        ] {
            assert!(serde_json::from_str::<Policy>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_rule_that_is_too_deep_is_refused() {
        let mut rule = RowRule::Empty { column: "amount".to_owned() };
        for _ in 0..MAX_DEPTH + 1 {
            rule = RowRule::Not(Box::new(rule));
        }
        let policy = Policy { columns: vec![Shown::plain("amount")], rows: Some(rule) };
        assert!(policy.check(&schema()).is_err());
    }
}
