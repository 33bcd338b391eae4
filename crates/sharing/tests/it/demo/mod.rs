//! The data of the demonstration, looked at from outside.

mod check;
mod files;
mod lake;
mod shape;

use std::collections::BTreeMap;

use jiff::civil::Date;
use sharing::demo::{Cell, DemoResource, Row, Scale, resources};

/// The rows of one resource with the names of their cells.
pub(crate) struct Rows {
    pub(crate) resource: DemoResource,
    pub(crate) rows: Vec<Row>,
}

impl Rows {
    pub(crate) fn iter(&self) -> impl Iterator<Item = Seen<'_>> {
        self.rows.iter().map(|row| Seen { resource: &self.resource, row })
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Seen<'a> {
    pub(crate) resource: &'a DemoResource,
    pub(crate) row: &'a Row,
}

impl<'a> Seen<'a> {
    pub(crate) fn cell(&self, column: &str) -> &'a Cell {
        let place =
            self.resource.place(column).unwrap_or_else(|| panic!("{} has no {column}", self.resource.id));
        &self.row[place]
    }

    pub(crate) fn text(&self, column: &str) -> &'a str {
        self.cell(column).text().unwrap_or_default()
    }

    pub(crate) fn integer(&self, column: &str) -> i64 {
        match self.cell(column) {
            Cell::Integer(number) => *number,
            other => panic!("{column} is {other:?}"),
        }
    }

    pub(crate) fn decimal(&self, column: &str) -> Option<i128> {
        match self.cell(column) {
            Cell::Decimal(digits) => Some(*digits),
            _ => None,
        }
    }

    pub(crate) fn date(&self, column: &str) -> Option<Date> {
        match self.cell(column) {
            Cell::Date(day) => Some(*day),
            _ => None,
        }
    }

    pub(crate) fn key(&self) -> String {
        self.resource.key_of(self.row)
    }
}

/// Everything at a scale, by the name of the resource.
pub(crate) fn world(megabytes: u32) -> BTreeMap<&'static str, Rows> {
    let scale = Scale::megabytes(megabytes).unwrap();
    let read = |resource: DemoResource| {
        let rows = resource.rows(scale).flat_map(Result::unwrap).collect();
        (resource.id, Rows { resource, rows })
    };
    resources().into_iter().map(read).collect()
}
