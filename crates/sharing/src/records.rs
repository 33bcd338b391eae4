//! The statement behind the REST interface of a resource: filters of a closed form, in a fixed order, page by page.

use std::fmt::Write as _;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grants::Admitted;
use jiff::civil::Date;
use kernel::time::Timestamp;
use lake::Kind;

use crate::uses::UseError;

/// The most rows of a page.
pub const MOST: usize = 1000;
/// Rows of a page where nothing else is asked for.
pub const USUAL: usize = 100;
/// The farthest row that pages lead to: whoever wants more asks a query.
const FARTHEST: usize = 1_000_000;

/// How a filter compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `column=value`
    Equal,
    /// `column.in=a,b`
    In,
    /// `column.gte=value`
    AtLeast,
    /// `column.gt=value`
    More,
    /// `column.lte=value`
    AtMost,
    /// `column.lt=value`
    Less,
    /// `column.empty=true`
    Empty,
}

impl Operator {
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "in" => Self::In,
            "gte" => Self::AtLeast,
            "gt" => Self::More,
            "lte" => Self::AtMost,
            "lt" => Self::Less,
            "empty" => Self::Empty,
            _ => return None,
        })
    }
}

/// A page of a resource.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The columns; without a choice, all that are shown.
    pub columns: Vec<String>,
    /// The filters: column, operator, value as it was sent.
    pub filters: Vec<(String, Operator, String)>,
    /// Rows of the page.
    pub limit: usize,
    /// The first row.
    pub offset: usize,
}

impl Wanted {
    /// Reads the pairs of a query; `purpose` and `case_no` are not for here.
    pub fn parse<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, UseError> {
        let mut wanted = Self { columns: Vec::new(), filters: Vec::new(), limit: USUAL, offset: 0 };
        for (name, value) in pairs {
            let refused = || UseError::Filter(name.chars().take(70).collect());
            match name {
                "purpose" | "case_no" | "lang" => {}
                "select" => wanted.columns = value.split(',').map(|part| part.trim().to_owned()).collect(),
                "limit" => {
                    wanted.limit =
                        value.parse().ok().filter(|limit| (1..=MOST).contains(limit)).ok_or_else(refused)?;
                }
                "cursor" => wanted.offset = read_cursor(value).ok_or_else(refused)?,
                _ => {
                    let (column, operator) = match name.split_once('.') {
                        Some((column, word)) => (column, Operator::parse(word).ok_or_else(refused)?),
                        None => (name, Operator::Equal),
                    };
                    wanted.filters.push((column.to_owned(), operator, value.to_owned()));
                }
            }
        }
        Ok(wanted)
    }

    /// The cursor of the page after this one.
    pub fn next(&self) -> Option<String> {
        let next = self.offset + self.limit;
        (next < FARTHEST).then(|| URL_SAFE_NO_PAD.encode(next.to_string()))
    }

    /// The statement. Whatever was sent is in it as a constant of its column's kind or as a name that the grant
    /// shows, never as text of the statement.
    pub fn statement(&self, admitted: &Admitted) -> Result<String, UseError> {
        let kind_of = |column: &str| {
            let refused = || UseError::Filter(column.chars().take(70).collect());
            admitted.policy.shown_kind(&admitted.table.schema, column).ok_or_else(refused)
        };
        let shown: Vec<&str> = admitted.policy.columns.iter().map(|shown| shown.column.as_str()).collect();
        let columns: Vec<&str> =
            if self.columns.is_empty() { shown.clone() } else { self.columns.iter().map(String::as_str).collect() };
        for column in &columns {
            kind_of(column)?;
        }
        let mut sql = format!("SELECT {} FROM {}", names(&columns), name(admitted.resource.id.as_str()));
        for (place, (column, operator, value)) in self.filters.iter().enumerate() {
            sql.push_str(if place == 0 { " WHERE " } else { " AND " });
            // Of a column that is looked up by its true value, the value is of the column's own kind.
            let matched = admitted.policy.columns.iter().any(|shown| shown.column == *column && shown.matched);
            let kind = match (matched, operator) {
                (true, Operator::Equal | Operator::In) => Kind::Text,
                _ => kind_of(column)?,
            };
            let refused = || UseError::Filter(column.clone());
            let constant = |text: &str| literal(kind, text).ok_or_else(refused);
            let written = match operator {
                Operator::Equal => write!(sql, "{} = {}", name(column), constant(value)?),
                Operator::AtLeast => write!(sql, "{} >= {}", name(column), constant(value)?),
                Operator::More => write!(sql, "{} > {}", name(column), constant(value)?),
                Operator::AtMost => write!(sql, "{} <= {}", name(column), constant(value)?),
                Operator::Less => write!(sql, "{} < {}", name(column), constant(value)?),
                Operator::Empty => match value.as_str() {
                    "true" => write!(sql, "{} IS NULL", name(column)),
                    "false" => write!(sql, "{} IS NOT NULL", name(column)),
                    _ => return Err(refused()),
                },
                Operator::In => {
                    let values = value.split(',').map(constant).collect::<Result<Vec<_>, _>>()?;
                    write!(sql, "{} IN ({})", name(column), values.join(", "))
                }
            };
            written.map_err(|_| refused())?;
        }
        // Every column, so that two pages of one state of the table never share a row and miss none.
        let order = names(&shown);
        write!(sql, " ORDER BY {order} LIMIT {} OFFSET {}", self.limit, self.offset)
            .map_err(|_| UseError::Filter("limit".to_owned()))?;
        Ok(sql)
    }
}

fn read_cursor(text: &str) -> Option<usize> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    std::str::from_utf8(&bytes).ok()?.parse().ok().filter(|offset| *offset < FARTHEST)
}

/// A name in quotes. Names of the lake have none in them; a quote that got here all the same stays inside.
pub fn name(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

fn names(columns: &[&str]) -> String {
    columns.iter().map(|column| name(column)).collect::<Vec<_>>().join(", ")
}

/// A constant of this kind, if the text is one.
pub fn literal(kind: Kind, text: &str) -> Option<String> {
    match kind {
        Kind::Text => (!text.contains('\0')).then(|| format!("'{}'", text.replace('\'', "''"))),
        Kind::Integer => text.parse::<i64>().ok().map(|number| number.to_string()),
        Kind::Decimal(_) => {
            let digits = text.strip_prefix('-').unwrap_or(text);
            let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
                && digits.bytes().filter(|byte| *byte == b'.').count() <= 1
                && digits.bytes().any(|byte| byte.is_ascii_digit())
                && digits.len() <= 39;
            plain.then(|| text.to_owned())
        }
        Kind::Float => {
            text.parse::<f64>().ok().filter(|number| number.is_finite()).map(|number| format!("{number:e}"))
        }
        Kind::Boolean => match text {
            "true" => Some("TRUE".to_owned()),
            "false" => Some("FALSE".to_owned()),
            _ => None,
        },
        Kind::Date => text.parse::<Date>().ok().map(|date| format!("DATE '{date}'")),
        Kind::Timestamp => {
            Timestamp::parse(text).ok().map(|at| format!("TIMESTAMP '{}'", at))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_a_constant_of_its_kind_or_nothing() {
        assert_eq!(literal(Kind::Text, "it's'; DROP").unwrap(), "'it''s''; DROP'");
        for (kind, text) in [
            (Kind::Text, "a\0b"),
            (Kind::Integer, "1 OR 1=1"),
            (Kind::Integer, "9223372036854775808"),
            (Kind::Decimal(2), "1.2.3"),
            (Kind::Decimal(2), "-"),
            (Kind::Decimal(2), "1e9"),
            (Kind::Float, "nan"),
            (Kind::Boolean, "yes"),
            (Kind::Date, "2026-02-30"),
            (Kind::Timestamp, "now()"),
        ] {
            assert_eq!(literal(kind, text), None, "{kind} {text}");
        }
        assert_eq!(literal(Kind::Date, "2026-11-24").unwrap(), "DATE '2026-11-24'");
        assert_eq!(literal(Kind::Decimal(2), "-12.50").unwrap(), "-12.50");
        assert_eq!(literal(Kind::Float, "0.5").unwrap(), "5e-1");
    }

    #[test]
    fn a_name_never_ends_its_quotes() {
        assert_eq!(name("a\" FROM b --"), "\"a\"\" FROM b --\"");
    }

    #[test]
    fn filters_are_of_a_closed_form() {
        let parse = |pairs: &[(&str, &str)]| Wanted::parse(pairs.iter().copied());
        let wanted = parse(&[("town", "大理镇"), ("age.gte", "18"), ("limit", "5"), ("purpose", "statistics")]).unwrap();
        assert_eq!(wanted.filters.len(), 2);
        assert_eq!(wanted.limit, 5);
        for pair in [("age.like", "1%"), ("limit", "0"), ("limit", "5000"), ("cursor", "x"), ("cursor", "LTE")] {
            assert!(parse(&[pair]).is_err(), "{pair:?}");
        }
    }

    #[test]
    fn a_cursor_leads_to_the_next_page() {
        let first = Wanted { columns: vec![], filters: vec![], limit: 100, offset: 200 };
        let next = Wanted::parse([("cursor", first.next().unwrap().as_str())]).unwrap();
        assert_eq!(next.offset, 300);
    }
}
