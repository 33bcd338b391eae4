//! Text with delimiters (RFC 4180), read so that one wrong quote costs one row.
//!
//! The reader of the crate `csv` takes whatever stands there: a quote that never closes swallows the rest of the
//! file without a word. Here a quoted cell may go over some lines; where it does not close in time, or closes in
//! the midst of text, or its row has another number of cells, the line on which the row began is rejected and
//! reading goes on with the next physical line. So an error has its exact line, and costs no other.

use std::collections::VecDeque;

use super::lines::{Line, Lines};
use crate::loading::error::{LoadError, Reason};
use crate::loading::record::{Cells, MAX_RECORD, Record};

/// The most lines that one row goes over.
const MAX_LINES: usize = 100;

/// Reads rows.
pub(crate) struct Delimited {
    lines: Lines,
    delimiter: char,
    /// How many cells a row has; none before the header was read.
    columns: Option<usize>,
    /// Lines that were read ahead and given back.
    ahead: VecDeque<Line>,
}

impl Delimited {
    pub(crate) fn new(lines: Lines, delimiter: char) -> Self {
        Self { lines, delimiter, columns: None, ahead: VecDeque::new() }
    }

    /// From now on each row has so many cells.
    pub(crate) fn expect(&mut self, columns: usize) {
        self.columns = Some(columns);
    }

    /// Leaves lines out.
    pub(crate) fn skip_lines(&mut self, many: u32) -> Result<(), LoadError> {
        for _ in 0..many {
            self.line()?;
        }
        Ok(())
    }

    fn line(&mut self) -> Result<Option<Line>, LoadError> {
        match self.ahead.pop_front() {
            Some(line) => Ok(Some(line)),
            None => Ok(self.lines.next()?),
        }
    }

    /// The next row; lines without a character are left out.
    pub(crate) fn next(&mut self) -> Result<Option<Record>, LoadError> {
        let first = loop {
            match self.line()? {
                None => return Ok(None),
                Some(line) if line.text.is_empty() && line.fault.is_none() => {}
                Some(line) => break line,
            }
        };
        if let Some(reason) = first.fault {
            return Ok(Some(Record::broken(first.number, reason, &first.text)));
        }
        let mut row = Row { cells: Cells::default(), quoted: false, delimiter: self.delimiter };
        let mut step = row.take(&first.text);
        let mut bytes = first.text.len();
        let mut more: Vec<Line> = Vec::new();
        while step == Step::Open {
            row.cells.append(more.last().map_or(first.end, |line| line.end));
            let Some(next) = self.line()? else { break };
            bytes += next.text.len();
            let fits = next.fault.is_none() && more.len() + 1 < MAX_LINES && bytes <= MAX_RECORD;
            if fits {
                step = row.take(&next.text);
            }
            more.push(next);
            if !fits {
                break;
            }
        }
        let reason = match (step, self.columns) {
            (Step::Open | Step::Broken, _) => Some(Reason::Broken),
            (Step::Done, Some(wanted)) if row.cells.len() != wanted && !more.is_empty() => {
                Some(Reason::Broken)
            }
            (Step::Done, Some(wanted)) if row.cells.len() < wanted => Some(Reason::TooFewCells),
            (Step::Done, Some(wanted)) if row.cells.len() > wanted => Some(Reason::TooManyCells),
            (Step::Done, _) => None,
        };
        let Some(reason) = reason else {
            return Ok(Some(Record::whole(first.number, row.cells)));
        };
        for line in more.into_iter().rev() {
            self.ahead.push_front(line);
        }
        Ok(Some(Record::broken(first.number, reason, &first.text)))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The row is complete.
    Done,
    /// A quoted cell goes on with the next line.
    Open,
    /// Text behind a closing quote.
    Broken,
}

struct Row {
    cells: Cells,
    quoted: bool,
    delimiter: char,
}

impl Row {
    /// Takes one line apart, at the beginning of a row or within a quoted cell.
    fn take(&mut self, line: &str) -> Step {
        let mut rest = line;
        loop {
            if !self.quoted {
                match rest.strip_prefix('"') {
                    Some(inner) => {
                        self.quoted = true;
                        rest = inner;
                    }
                    None => match rest.split_once(self.delimiter) {
                        Some((cell, behind)) => {
                            self.cells.append(cell);
                            self.cells.close();
                            rest = behind;
                            continue;
                        }
                        None => {
                            self.cells.append(rest);
                            self.cells.close();
                            return Step::Done;
                        }
                    },
                }
            }
            let Some((inner, behind)) = rest.split_once('"') else {
                self.cells.append(rest);
                return Step::Open;
            };
            self.cells.append(inner);
            if let Some(behind) = behind.strip_prefix('"') {
                self.cells.append("\"");
                rest = behind;
                continue;
            }
            self.quoted = false;
            self.cells.close();
            if behind.is_empty() {
                return Step::Done;
            }
            match behind.strip_prefix(self.delimiter) {
                Some(behind) => rest = behind,
                None => return Step::Broken,
            }
        }
    }
}

/// The delimiter that cuts the lines of a sample most evenly, and whether any does.
pub(crate) fn detect(sample: &str) -> (char, bool) {
    let mut best = (',', 0.0_f64);
    for delimiter in [',', '\t', ';', '|'] {
        let counts: Vec<usize> = sample
            .lines()
            .filter(|line| !line.is_empty())
            .take(100)
            .map(|line| {
                let mut row = Row { cells: Cells::default(), quoted: false, delimiter };
                row.take(line);
                row.cells.len()
            })
            .collect();
        let mut often = counts.clone();
        often.sort_unstable();
        let Some(usual) = often.get(often.len() / 2).copied() else { continue };
        if usual < 2 {
            continue;
        }
        let even = counts.iter().filter(|count| **count == usual).count();
        let share = f64::from(u32::try_from(even).unwrap_or(u32::MAX))
            / f64::from(u32::try_from(counts.len()).unwrap_or(u32::MAX));
        // Of two that cut evenly, the one that gives more cells.
        let score = share + f64::from(u32::try_from(usual.min(1000)).unwrap_or(1000)) / 10_000.0;
        if score > best.1 {
            best = (delimiter, score);
        }
    }
    (best.0, best.1 > 0.5)
}
