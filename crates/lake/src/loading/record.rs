//! A row as its source has it: cells of text, before anything is understood.

use super::error::Reason;

/// The most bytes of one row. What is longer is rejected and skipped without being held.
pub(crate) const MAX_RECORD: usize = 1 << 20;
/// How much of the text of a rejected row is kept.
pub(crate) const MAX_RAW: usize = 16 << 10;

/// One cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cell<'a> {
    /// Nothing stands there.
    Empty,
    /// Some text, the empty one included where the source tells it from nothing.
    Text(&'a str),
    /// Something that the source itself could not keep, and what it shows there.
    Fault(Reason, &'a str),
}

/// The cells of a row, in one piece of memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cells {
    text: String,
    ends: Vec<(usize, Mark)>,
}

#[derive(Clone, Copy, Debug)]
enum Mark {
    Empty,
    Text,
    Fault(Reason),
}

impl Cells {
    pub(crate) fn push(&mut self, cell: Cell<'_>) {
        let mark = match cell {
            Cell::Empty => Mark::Empty,
            Cell::Text(text) => {
                self.text.push_str(text);
                Mark::Text
            }
            Cell::Fault(reason, text) => {
                self.text.push_str(text);
                Mark::Fault(reason)
            }
        };
        self.ends.push((self.text.len(), mark));
    }

    /// Text that the cell begins or goes on with; [`Cells::close`] ends it.
    pub(crate) fn append(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Ends a cell that was appended to. One without text is empty.
    pub(crate) fn close(&mut self) {
        let start = self.ends.last().map_or(0, |end| end.0);
        let mark = if self.text.len() == start { Mark::Empty } else { Mark::Text };
        self.ends.push((self.text.len(), mark));
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Bytes of text.
    pub(crate) fn bytes(&self) -> usize {
        self.text.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Cell<'_>> {
        let mut start = 0;
        self.ends.iter().map(move |(end, mark)| {
            let text = self.text.get(start..*end).unwrap_or_default();
            start = *end;
            match mark {
                Mark::Empty => Cell::Empty,
                Mark::Text => Cell::Text(text),
                Mark::Fault(reason) => Cell::Fault(*reason, text),
            }
        })
    }

    /// Whether a NUL stands in one of them.
    pub(crate) fn has_nul(&self) -> bool {
        self.text.contains('\0')
    }
}

/// A row with its place in the source.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    /// The physical line of a text file on which the row begins, the row of a sheet, else the count; from 1.
    pub(crate) line: u64,
    /// Its cells. Of a row that could not be taken apart, one with the text as it was, cut where it is long.
    pub(crate) cells: Cells,
    /// Why the row as a whole cannot be taken.
    pub(crate) fault: Option<Reason>,
}

impl Record {
    pub(crate) fn broken(line: u64, reason: Reason, raw: &str) -> Self {
        let mut cells = Cells::default();
        cells.push(Cell::Text(cut(raw, MAX_RAW)));
        Self { line, cells, fault: Some(reason) }
    }

    /// A row of cells that are all there; one that is longer than what is read is rejected.
    pub(crate) fn whole(line: u64, cells: Cells) -> Self {
        if cells.bytes() > MAX_RECORD {
            let raw: String = cells.iter().filter_map(text_of).collect::<Vec<_>>().join(",");
            return Self::broken(line, Reason::TooLong, &raw);
        }
        Self { line, cells, fault: None }
    }

    /// As one line of CSV, to be kept when it is rejected.
    pub(crate) fn to_csv(&self) -> String {
        if self.fault.is_some() {
            return self.cells.iter().filter_map(text_of).next().unwrap_or_default().to_owned();
        }
        let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
        // Writing into memory cannot fail.
        let written = writer.write_record(self.cells.iter().map(|cell| text_of(cell).unwrap_or_default()));
        debug_assert!(written.is_ok());
        let line = writer.into_inner().map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let line = line.unwrap_or_default();
        cut(line.trim_end_matches('\n'), MAX_RAW).to_owned()
    }
}

fn text_of(cell: Cell<'_>) -> Option<&str> {
    match cell {
        Cell::Empty => None,
        Cell::Text(text) | Cell::Fault(_, text) => Some(text),
    }
}

/// The first bytes of a text, whole characters only.
pub(crate) fn cut(text: &str, bytes: usize) -> &str {
    if text.len() <= bytes {
        return text;
    }
    let end = (0..=bytes).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}
