//! Rows of a sheet: where the header is, what merged cells mean, what a number was.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use calamine::{Data, Dimensions};

use super::file::check_columns;
use crate::loading::error::{LoadError, Reason};
use crate::loading::infer::Note;
use crate::loading::names::{column_letters, distinct_names};
use crate::loading::record::{Cell, Cells, Record};
use crate::loading::source::{Head, Reading, Sink};

/// Among the first rows, so many, the header is looked for: titles stand above it.
const HEADER_WITHIN: usize = 20;
/// A spreadsheet keeps fifteen digits of a number.
const EXACT: f64 = 1e15;
/// The most merged areas that are filled.
const MAX_MERGES: usize = 100_000;

/// A cell as text, or why it has none that can be trusted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shown {
    Text(String),
    Fault(Reason, String),
}

impl Shown {
    fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Fault(_, text) => text,
        }
    }
}

/// Merged areas of a sheet: what stands in one holds for each of its cells.
#[derive(Default)]
pub(crate) struct Merges {
    /// By their first row.
    areas: BTreeMap<u32, Vec<Dimensions>>,
    active: Vec<(Dimensions, Shown)>,
}

impl Merges {
    pub(crate) fn new(mut areas: Vec<Dimensions>) -> Self {
        areas.truncate(MAX_MERGES);
        let mut by_row: BTreeMap<u32, Vec<Dimensions>> = BTreeMap::new();
        for area in areas.into_iter().filter(|area| area.start <= area.end) {
            by_row.entry(area.start.0).or_default().push(area);
        }
        Self { areas: by_row, active: Vec::new() }
    }

    fn is_empty(&self) -> bool {
        self.areas.is_empty()
    }

    /// Writes what merged areas hold into the cells of a row that they cover.
    fn fill(&mut self, row: u32, cells: &mut BTreeMap<u32, Shown>) {
        self.active.retain(|(area, _)| area.end.0 >= row);
        for area in self.areas.get(&row).into_iter().flatten() {
            if let Some(value) = cells.get(&area.start.1) {
                self.active.push((*area, value.clone()));
            }
        }
        for (area, value) in &self.active {
            let last = area
                .end
                .1
                .min(area.start.1.saturating_add(u32::try_from(crate::schema::MAX_COLUMNS).unwrap_or(1000)));
            for column in area.start.1..=last {
                cells.entry(column).or_insert_with(|| value.clone());
            }
        }
    }
}

/// Takes the rows of a sheet, and leaves records.
pub(crate) struct Sheet<'a> {
    reading: Reading,
    sheets: Vec<String>,
    merges: Merges,
    sink: &'a mut Sink,
    /// Rows that wait until the header is found.
    waiting: Vec<(u32, usize, BTreeMap<u32, Shown>)>,
    /// The first column, and how many.
    span: Option<(u32, usize)>,
}

impl<'a> Sheet<'a> {
    pub(crate) fn new(
        reading: Reading,
        name: String,
        sheets: Vec<String>,
        merges: Merges,
        sink: &'a mut Sink,
    ) -> Self {
        let reading = Reading { sheet: Some(name), ..reading };
        Self { reading, sheets, merges, sink, waiting: Vec::new(), span: None }
    }

    /// The cells of a row that are not empty.
    pub(crate) fn row(&mut self, row: u32, cells: Vec<(u32, Data)>) -> Result<ControlFlow<()>, LoadError> {
        let mut shown: BTreeMap<u32, Shown> =
            cells.into_iter().filter_map(|(column, cell)| Some((column, show(cell)?))).collect();
        if shown.is_empty() {
            return Ok(ControlFlow::Continue(()));
        }
        let own = shown.len();
        self.merges.fill(row, &mut shown);
        if self.span.is_some() {
            return Ok(self.push(row, &shown));
        }
        self.waiting.push((row, own, shown));
        let enough = match self.reading.header_row {
            Some(header) if header > 0 => row + 1 >= header,
            _ => self.waiting.len() >= HEADER_WITHIN,
        };
        if enough { self.begin() } else { Ok(ControlFlow::Continue(())) }
    }

    /// After the last row.
    pub(crate) fn end(&mut self) -> Result<ControlFlow<()>, LoadError> {
        if self.span.is_none() { self.begin() } else { Ok(ControlFlow::Continue(())) }
    }

    /// Finds the header, and leaves what waited for it.
    fn begin(&mut self) -> Result<ControlFlow<()>, LoadError> {
        let waiting = std::mem::take(&mut self.waiting);
        let most = waiting.iter().map(|(_, own, _)| *own).max().unwrap_or(0);
        let header = match self.reading.header_row {
            Some(0) => None,
            Some(number) => Some(number - 1),
            None => waiting.iter().find(|(_, own, _)| own * 2 > most).map(|(row, _, _)| *row),
        };
        let mut notes = Vec::new();
        let titled = match header {
            Some(header) => waiting.iter().find(|(row, _, _)| *row == header),
            None => None,
        };
        let (first, columns) = match titled {
            Some((row, _, cells)) => {
                if self.reading.header_row.is_none() && *row > 0 {
                    notes.push(Note::HeaderRow(row + 1));
                }
                let first = cells.keys().next().copied().unwrap_or(0);
                let last = cells.keys().last().copied().unwrap_or(0);
                let names = (first..=last).take(crate::schema::MAX_COLUMNS + 1).map(|column| {
                    match cells.get(&column) {
                        Some(Shown::Text(text) | Shown::Fault(_, text)) => text.trim().to_owned(),
                        None => format!("column {}", column_letters(column)),
                    }
                });
                let names: Vec<String> = names.collect();
                (first, distinct_names(names.iter().map(String::as_str)))
            }
            None if header.is_some() => {
                return Err(LoadError::Reading("the row of the header is empty".to_owned()));
            }
            None => {
                let all = || waiting.iter().flat_map(|(_, _, cells)| cells.keys().copied());
                let (first, last) = (all().min().unwrap_or(0), all().max().unwrap_or(0));
                let names = (first..=last).take(crate::schema::MAX_COLUMNS + 1);
                (first, names.map(|column| format!("column {}", column_letters(column))).collect())
            }
        };
        if waiting.is_empty() {
            return Err(LoadError::Unreadable("the sheet is empty".to_owned()));
        }
        check_columns(columns.len())?;
        if !self.merges.is_empty() {
            notes.push(Note::Merged);
        }
        self.span = Some((first, columns.len()));
        self.reading.header_row = Some(header.map_or(0, |row| row + 1));
        let kinds = vec![None; columns.len()];
        let head = Head { columns, kinds, reading: self.reading.clone(), sheets: self.sheets.clone(), notes };
        if self.sink.head(head).is_break() {
            return Ok(ControlFlow::Break(()));
        }
        for (row, _, cells) in &waiting {
            if header.is_some_and(|header| *row <= header) {
                continue;
            }
            if self.push(*row, cells).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn push(&mut self, row: u32, shown: &BTreeMap<u32, Shown>) -> ControlFlow<()> {
        let (first, many) = self.span.unwrap_or_default();
        let end = first.saturating_add(u32::try_from(many).unwrap_or(u32::MAX));
        let line = u64::from(row) + 1;
        let outside = shown.keys().next().is_some_and(|column| *column < first)
            || shown.keys().last().is_some_and(|column| *column >= end);
        let mut cells = Cells::default();
        for column in first..end {
            match shown.get(&column) {
                None => cells.push(Cell::Empty),
                Some(Shown::Text(text)) => cells.push(Cell::Text(text)),
                Some(Shown::Fault(reason, text)) => cells.push(Cell::Fault(*reason, text)),
            }
        }
        let nul = cells.has_nul();
        let mut record = Record::whole(line, cells);
        if outside {
            let all: Vec<&str> = shown.values().map(Shown::text).collect();
            record = Record::broken(line, Reason::TooManyCells, &all.join(","));
        } else if nul {
            record = Record::broken(line, Reason::Encoding, &record.to_csv());
        }
        self.sink.push(record)
    }
}

/// A cell as one would type it; none if nothing stands there.
fn show(cell: Data) -> Option<Shown> {
    Some(match cell {
        Data::Empty => return None,
        Data::String(text) if text.is_empty() => return None,
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => Shown::Text(text),
        Data::Int(number) => Shown::Text(number.to_string()),
        Data::Float(number) if number.fract() == 0.0 && number.abs() >= EXACT => {
            Shown::Fault(Reason::DigitsLost, format!("{number}"))
        }
        Data::Float(number) => Shown::Text(format!("{number}")),
        Data::Bool(yes) => Shown::Text(if yes { "true" } else { "false" }.to_owned()),
        Data::Error(error) => Shown::Fault(Reason::Formula, error.to_string()),
        Data::DateTime(at) if at.is_duration() => Shown::Text(format!("{}", at.as_f64())),
        Data::DateTime(at) => {
            let (year, month, day, hour, minute, second, milli) = at.to_ymd_hms_milli();
            let time = format!("{hour:02}:{minute:02}:{second:02}");
            Shown::Text(if at.as_f64() < 1.0 {
                time
            } else if (hour, minute, second, milli) == (0, 0, 0, 0) {
                format!("{year:04}-{month:02}-{day:02}")
            } else if milli == 0 {
                format!("{year:04}-{month:02}-{day:02} {time}")
            } else {
                format!("{year:04}-{month:02}-{day:02} {time}.{milli:03}")
            })
        }
    })
}
