//! The same rows as CSV files, and one file with cells that no loader may take.

use std::io::Write;

use super::model::{DemoColumn, Row};
use super::planted::other_check;
use super::registers::{DemoResource, resources};
use super::{DemoError, Scale};

/// Writes a resource as CSV in UTF-8 with its Chinese titles.
pub fn write_csv(resource: &DemoResource, scale: Scale, to: &mut impl Write) -> Result<(), DemoError> {
    writeln!(to, "{}", heading(resource))?;
    for rows in resource.rows(scale) {
        for row in rows? {
            writeln!(to, "{}", line(&cells(&resource.columns, &row)))?;
        }
    }
    Ok(())
}

fn heading(resource: &DemoResource) -> String {
    let titles: Vec<String> = resource.columns.iter().map(|column| column.title.zh.to_owned()).collect();
    line(&titles)
}

fn cells(columns: &[DemoColumn], row: &Row) -> Vec<String> {
    columns.iter().zip(row).map(|(column, cell)| cell.written(column.column.kind)).collect()
}

fn line(cells: &[String]) -> String {
    let quoted = cells.iter().map(|cell| match cell.contains(['"', ',', '\n', '\r']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell.clone(),
    });
    quoted.collect::<Vec<_>>().join(",")
}

/// Why a row of the faulty file is not to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RejectReason {
    /// Not a day of the calendar.
    NotADate,
    /// Not a number.
    NotANumber,
    /// Fewer cells than columns.
    TooFewCells,
    /// More cells than columns.
    TooManyCells,
    /// The check character of the credit code is wrong. Only a loader that is told what the column holds can see it.
    CheckCharacter,
}

/// A row that is not to be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// The line in the file; the heading is the first.
    pub line: usize,
    /// The column, by its name in the lake; none where the row as a whole is wrong.
    pub column: Option<&'static str>,
    /// Why.
    pub reason: RejectReason,
}

/// The permits as a CSV file of which some rows cannot be taken, and which ones. All the others are those of the
/// resource less what is planted there, so they load without a complaint.
pub fn faulty_permits() -> Result<(String, Vec<Reject>), DemoError> {
    let permits = resources().into_iter().find(|one| one.id == "permits").ok_or(DemoError::Row("permits"))?;
    let mut text = format!("{}\n", heading(&permits));
    let mut rejects = Vec::new();
    let (mut at, planted) = (1, permits.part(0, Scale::default())?);
    let (rows, planted) = planted;
    let place = |name: &str| permits.place(name).unwrap_or(usize::MAX);
    let sound = rows.iter().filter(|row| planted.iter().all(|one| one.key != permits.key_of(row)));
    for row in sound {
        at += 1;
        let mut cells = cells(&permits.columns, row);
        let spoilt = match at {
            9 => Some((Some("issued_on"), "2025-02-30", RejectReason::NotADate)),
            17 => Some((Some("area"), "八十六平方米", RejectReason::NotANumber)),
            24 => Some((None, "", RejectReason::TooFewCells)),
            33 => Some((Some("uscc"), "", RejectReason::CheckCharacter)),
            41 => Some((None, "", RejectReason::TooManyCells)),
            _ => None,
        };
        if let Some((column, value, reason)) = spoilt {
            rejects.push(Reject { line: at, column, reason });
            let cell = column.and_then(|column| cells.get_mut(place(column)));
            match (reason, cell) {
                (RejectReason::TooFewCells, _) => cells.truncate(4),
                (RejectReason::TooManyCells, _) => cells.push("备注".to_owned()),
                (RejectReason::CheckCharacter, Some(cell)) => *cell = other_check(cell),
                (_, Some(cell)) => value.clone_into(cell),
                (_, None) => return Err(DemoError::Row("permits")),
            }
        }
        text.push_str(&line(&cells));
        text.push('\n');
    }
    Ok((text, rejects))
}
