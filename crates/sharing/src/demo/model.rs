//! What a resource of the demonstration says of itself.

use jiff::civil::Date;
use kernel::time::Timestamp;
use lake::batch::Values;
use lake::{Column, Kind};

/// The same in both languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bilingual {
    /// 中文.
    pub zh: &'static str,
    /// English.
    pub en: &'static str,
}

pub use grants::Grade;
pub use grants::resources::UpdateCycle;

/// A column and what people call it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoColumn {
    /// As the lake has it.
    pub column: Column,
    /// Its title.
    pub title: Bilingual,
}

impl DemoColumn {
    /// A column that tells nothing of a person.
    pub(super) fn open(name: &str, kind: Kind, zh: &'static str, en: &'static str) -> Self {
        Self { column: Column::new(name, kind), title: Bilingual { zh, en } }
    }

    /// A column that does.
    pub(super) fn personal(name: &str, kind: Kind, zh: &'static str, en: &'static str) -> Self {
        Self { column: Column::personal(name, kind), title: Bilingual { zh, en } }
    }
}

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Nothing.
    Empty,
    /// Text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// The digits of a decimal without its point.
    Decimal(i128),
    /// Yes or no.
    Boolean(bool),
    /// A day.
    Date(Date),
    /// An instant.
    Timestamp(Timestamp),
}

impl Cell {
    /// The text, if it is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// As a file has it: days as 2026-10-31, instants in China's time, yes and no as 是 and 否.
    #[must_use]
    pub fn written(&self, kind: Kind) -> String {
        match (self, kind) {
            (Self::Empty, _) => String::new(),
            (Self::Text(text), _) => text.clone(),
            (Self::Integer(number), _) => number.to_string(),
            (Self::Decimal(digits), Kind::Decimal(scale)) => point(*digits, usize::from(scale)),
            (Self::Decimal(digits), _) => digits.to_string(),
            (Self::Boolean(yes), _) => if *yes { "是" } else { "否" }.to_owned(),
            (Self::Date(day), _) => day.to_string(),
            (Self::Timestamp(at), _) => at.to_china_string(),
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<bool> for Cell {
    fn from(yes: bool) -> Self {
        Self::Boolean(yes)
    }
}

impl From<Date> for Cell {
    fn from(day: Date) -> Self {
        Self::Date(day)
    }
}

impl From<Timestamp> for Cell {
    fn from(at: Timestamp) -> Self {
        Self::Timestamp(at)
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Empty, Into::into)
    }
}

/// One row, its cells in the order of the columns.
pub type Row = Vec<Cell>;

/// An amount in fen, or whatever else has its point inside.
pub(super) fn decimal(digits: i64) -> Cell {
    Cell::Decimal(i128::from(digits))
}

fn point(digits: i128, scale: usize) -> String {
    let sign = if digits < 0 { "-" } else { "" };
    let all = format!("{:0width$}", digits.unsigned_abs(), width = scale + 1);
    match all.split_at_checked(all.len().saturating_sub(scale)) {
        Some((whole, part)) if !part.is_empty() => format!("{sign}{whole}.{part}"),
        _ => format!("{sign}{all}"),
    }
}

/// The rows by columns. A cell of another kind than its column has would be lost, so it is an error.
pub(super) fn columns(columns: &[DemoColumn], rows: Vec<Row>) -> Option<Vec<Values>> {
    let mut all: Vec<Values> = columns.iter().map(|column| empty(column.column.kind, rows.len())).collect();
    for row in rows {
        if row.len() != all.len() {
            return None;
        }
        for (values, cell) in all.iter_mut().zip(row) {
            push(values, cell)?;
        }
    }
    Some(all)
}

fn empty(kind: Kind, rows: usize) -> Values {
    match kind {
        Kind::Text => Values::Text(Vec::with_capacity(rows)),
        Kind::Integer => Values::Integer(Vec::with_capacity(rows)),
        Kind::Decimal(_) => Values::Decimal(Vec::with_capacity(rows)),
        Kind::Float => Values::Float(Vec::with_capacity(rows)),
        Kind::Boolean => Values::Boolean(Vec::with_capacity(rows)),
        Kind::Date => Values::Date(Vec::with_capacity(rows)),
        Kind::Timestamp => Values::Timestamp(Vec::with_capacity(rows)),
    }
}

fn push(values: &mut Values, cell: Cell) -> Option<()> {
    match (values, cell) {
        (Values::Text(all), Cell::Text(text)) => all.push(Some(text)),
        (Values::Text(all), Cell::Empty) => all.push(None),
        (Values::Integer(all), Cell::Integer(number)) => all.push(Some(number)),
        (Values::Integer(all), Cell::Empty) => all.push(None),
        (Values::Decimal(all), Cell::Decimal(digits)) => all.push(Some(digits)),
        (Values::Decimal(all), Cell::Empty) => all.push(None),
        (Values::Float(all), Cell::Empty) => all.push(None),
        (Values::Boolean(all), Cell::Boolean(yes)) => all.push(Some(yes)),
        (Values::Boolean(all), Cell::Empty) => all.push(None),
        (Values::Date(all), Cell::Date(day)) => all.push(Some(day)),
        (Values::Date(all), Cell::Empty) => all.push(None),
        (Values::Timestamp(all), Cell::Timestamp(at)) => all.push(Some(at)),
        (Values::Timestamp(all), Cell::Empty) => all.push(None),
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_is_written_with_its_point() {
        for (digits, scale, text) in
            [(12_345, 2, "123.45"), (5, 2, "0.05"), (-5, 2, "-0.05"), (-12_000, 3, "-12.000"), (7, 0, "7")]
        {
            assert_eq!(Cell::Decimal(digits).written(Kind::Decimal(scale)), text);
        }
    }

    #[test]
    fn a_cell_of_another_kind_is_not_taken() {
        let text = [DemoColumn::open("a", Kind::Text, "甲", "a")];
        assert!(columns(&text, vec![vec!["x".into()], vec![Cell::Empty]]).is_some());
        assert!(columns(&text, vec![vec![Cell::Integer(1)]]).is_none());
        assert!(columns(&text, vec![vec![]]).is_none());
    }
}
