//! Workbooks: `.xlsx`, `.xls` and `.ods`.
//!
//! A workbook is small as a file and may be huge when it is unpacked, so each is measured before the library sees
//! it: how much its parts inflate to, how long one piece of text is, and how large a table its cells span. Rows of
//! an `.xlsx` are then read one after another; the other two forms are held in memory.

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};

use calamine::{Data, Ods, Range, Reader as _, Xls, Xlsx};
use quick_xml::events::{BytesStart, Event};
use zip::ZipArchive;

use super::sheet::{Merges, Sheet};
use crate::loading::error::LoadError;
use crate::loading::source::{Form, Reading, Sink};

/// The largest workbook, as a file.
const MAX_FILE: u64 = 256 << 20;
/// The largest workbook of the forms that are held in memory.
const MAX_HELD_FILE: u64 = 64 << 20;
/// What the sheets of a workbook may inflate to, which are read one row after another.
const MAX_SHEETS: u64 = 4 << 30;
/// What all else in it may inflate to, the texts that cells share above all.
const MAX_OTHER: u64 = 256 << 20;
/// The longest piece of XML between two tags, and the longest tag.
const MAX_PIECE: usize = 4 << 20;
/// The most parts.
const MAX_PARTS: usize = 10_000;
/// The most cells of a table that is held in memory, the empty ones counted.
const MAX_CELLS: u64 = 8_000_000;

/// Which form of workbook a zip file holds.
pub(crate) fn form_of_zip(file: File) -> Result<Form, LoadError> {
    let zip = archive(file)?;
    if zip.index_for_name("xl/workbook.xml").is_some() {
        return Ok(Form::Xlsx);
    }
    if zip.index_for_name("content.xml").is_some() {
        return Ok(Form::Ods);
    }
    Err(LoadError::Reading("a zip file that is no workbook is not read".to_owned()))
}

pub(crate) fn read(
    file: File,
    form: Form,
    reading: Reading,
    done: &AtomicU64,
    sink: &mut Sink,
) -> Result<ControlFlow<()>, LoadError> {
    let size = file.metadata()?.len();
    let limit = if form == Form::Xlsx { MAX_FILE } else { MAX_HELD_FILE };
    if size > limit {
        return Err(LoadError::TooLarge(format!("a workbook of {size} bytes; {limit} are read")));
    }
    let flow = match form {
        Form::Xlsx => xlsx(file, reading, sink)?,
        Form::Ods => ods(file, reading, sink)?,
        _ => xls(file, reading, sink)?,
    };
    done.store(size, Ordering::Relaxed);
    Ok(flow)
}

fn xlsx(file: File, reading: Reading, sink: &mut Sink) -> Result<ControlFlow<()>, LoadError> {
    measure_zip(file.try_clone()?, "xl/worksheets/")?;
    let mut book: Xlsx<_> = Xlsx::new(rewound(file)?).map_err(unreadable)?;
    let sheets = book.sheet_names();
    let name = choose(&reading, &sheets)?;
    let merges = Merges::new(book.merge_cells_by_sheet_name(&name).map_err(unreadable)?);
    let mut sheet = Sheet::new(reading, name.clone(), sheets, merges, sink);
    let mut cells = book.worksheet_cells_reader(&name).map_err(unreadable)?;
    let mut row: Vec<(u32, Data)> = Vec::new();
    let mut at = 0;
    while let Some(cell) = cells.next_cell().map_err(unreadable)? {
        let (line, column) = cell.get_position();
        if line < at {
            return Err(LoadError::Unreadable("the rows of the sheet are not in order".to_owned()));
        }
        if line > at {
            if sheet.row(at, std::mem::take(&mut row))?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
            at = line;
        }
        row.push((column, Data::from(cell.get_value().clone())));
    }
    if sheet.row(at, row)?.is_break() {
        return Ok(ControlFlow::Break(()));
    }
    sheet.end()
}

fn ods(file: File, reading: Reading, sink: &mut Sink) -> Result<ControlFlow<()>, LoadError> {
    measure_zip(file.try_clone()?, "content.xml")?;
    measure_ods(file.try_clone()?)?;
    let mut book: Ods<_> = Ods::new(rewound(file)?).map_err(unreadable)?;
    let sheets = book.sheet_names();
    let name = choose(&reading, &sheets)?;
    let range = book.worksheet_range(&name).map_err(unreadable)?;
    held(&range, Sheet::new(reading, name, sheets, Merges::default(), sink))
}

fn xls(file: File, reading: Reading, sink: &mut Sink) -> Result<ControlFlow<()>, LoadError> {
    measure_xls(file.try_clone()?)?;
    let mut book: Xls<_> = Xls::new(rewound(file)?).map_err(unreadable)?;
    let sheets = book.sheet_names();
    let name = choose(&reading, &sheets)?;
    let merges = Merges::new(book.merge_cells_by_sheet_name(&name).map_err(unreadable)?);
    let range = book.worksheet_range(&name).map_err(unreadable)?;
    held(&range, Sheet::new(reading, name, sheets, merges, sink))
}

fn held(range: &Range<Data>, mut sheet: Sheet<'_>) -> Result<ControlFlow<()>, LoadError> {
    let (first_row, first_column) = range.start().unwrap_or_default();
    for (row, at) in range.rows().zip(first_row..) {
        let cells = row.iter().zip(first_column..).filter(|(cell, _)| **cell != Data::Empty);
        if sheet.row(at, cells.map(|(cell, column)| (column, cell.clone())).collect())?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    sheet.end()
}

fn unreadable(error: impl std::fmt::Display) -> LoadError {
    LoadError::Unreadable(error.to_string())
}

fn rewound(mut file: File) -> Result<BufReader<File>, LoadError> {
    file.rewind()?;
    Ok(BufReader::new(file))
}

fn archive(file: File) -> Result<ZipArchive<BufReader<File>>, LoadError> {
    ZipArchive::new(rewound(file)?).map_err(unreadable)
}

/// The sheet that was asked for, by its name or its number; the first if none was.
fn choose(reading: &Reading, sheets: &[String]) -> Result<String, LoadError> {
    let found = match &reading.sheet {
        None => sheets.first(),
        Some(name) => sheets.iter().find(|sheet| *sheet == name).or_else(|| {
            let number: usize = name.parse().ok()?;
            sheets.get(number.checked_sub(1)?)
        }),
    };
    found.cloned().ok_or_else(|| {
        let wanted = reading.sheet.as_deref().unwrap_or_default();
        LoadError::Reading(format!("there is no sheet `{wanted}`, but {}", sheets.join(", ")))
    })
}

/// Inflates every part once without keeping it: what the directory of a zip file says of sizes may be a lie.
fn measure_zip(file: File, sheets: &str) -> Result<(), LoadError> {
    let mut zip = archive(file)?;
    if zip.len() > MAX_PARTS {
        return Err(LoadError::TooLarge(format!("a workbook of {} parts", zip.len())));
    }
    let (mut large, mut other) = (0_u64, 0_u64);
    let mut buffer = vec![0; 64 << 10];
    for index in 0..zip.len() {
        let mut part = zip.by_index(index).map_err(unreadable)?;
        let name = part.name().map_err(unreadable)?.into_owned();
        let is_xml = name.ends_with(".xml") || name.ends_with(".rels");
        let is_sheet = is_xml && name.starts_with(sheets);
        let mut piece = 0;
        loop {
            let read = part.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            let (sum, limit) = if is_sheet { (&mut large, MAX_SHEETS) } else { (&mut other, MAX_OTHER) };
            *sum += read as u64;
            if *sum > limit {
                return Err(LoadError::TooLarge(format!("the workbook unpacks to more than {limit} bytes")));
            }
            // Pieces are longer than a buffer, so it is enough to see whether one ends in it.
            let ends = buffer.get(..read).unwrap_or_default().contains(&b'<');
            piece = if ends { 0 } else { piece + read };
            if is_xml && piece > MAX_PIECE {
                return Err(LoadError::TooLarge("a cell of the workbook".to_owned()));
            }
        }
    }
    Ok(())
}

/// How large a table the cells of an OpenDocument sheet span: a cell and a row may be said to stand there
/// thousands of times.
fn measure_ods(file: File) -> Result<(), LoadError> {
    let mut zip = archive(file)?;
    let part = zip.by_name("content.xml").map_err(unreadable)?;
    let mut xml = quick_xml::Reader::from_reader(BufReader::new(part));
    let mut buffer = Vec::new();
    let mut sum = 0_u64;
    let (mut rows, mut width, mut row_width, mut row_cells, mut repeated) =
        (0_u64, 0_u64, 0_u64, 0_u64, 1_u64);
    loop {
        buffer.clear();
        let event = xml.read_event_into(&mut buffer).map_err(unreadable)?;
        match &event {
            Event::Eof => return Ok(()),
            Event::Start(tag) if tag.name().as_ref() == "table:table" => (rows, width) = (0, 0),
            Event::Start(tag) if tag.name().as_ref() == "table:table-row" => {
                (row_width, row_cells) = (0, 0);
                repeated = count(tag, "table:number-rows-repeated");
            }
            Event::Start(tag) | Event::Empty(tag)
                if matches!(tag.name().as_ref(), "table:table-cell" | "table:covered-table-cell") =>
            {
                row_cells = row_cells.saturating_add(count(tag, "table:number-columns-repeated"));
                let filled = matches!(event, Event::Start(_))
                    || tag.attributes().flatten().any(|one| one.key.as_ref().starts_with("office:"));
                if filled {
                    row_width = row_cells;
                }
            }
            Event::End(tag) if tag.name().as_ref() == "table:table-row" => {
                rows = rows.saturating_add(repeated);
                if row_width > 0 {
                    width = width.max(row_width);
                    sum = sum.saturating_add(row_width.saturating_mul(repeated));
                    check_cells(sum.max(rows.saturating_mul(width)))?;
                }
            }
            _ => {}
        }
    }
}

fn count(tag: &BytesStart<'_>, name: &str) -> u64 {
    let found = tag.attributes().flatten().find(|one| one.key.as_ref() == name);
    found.and_then(|one| one.value.trim().parse().ok()).unwrap_or(1)
}

/// How large a table the cells of an old workbook span (\[MS-XLS\] 2.3): two cells in opposite corners make the
/// library hold all between them.
fn measure_xls(file: File) -> Result<(), LoadError> {
    /// Records of cells: each begins with its row and its column.
    const CELLS: [u16; 10] = [0x0006, 0x00bd, 0x00be, 0x00d6, 0x00fd, 0x0201, 0x0203, 0x0204, 0x0205, 0x027e];
    /// Those of several cells end with the last column.
    const SEVERAL: [u16; 2] = [0x00bd, 0x00be];
    const BEGIN: u16 = 0x0809;
    let mut book = cfb::CompoundFile::open(rewound(file)?).map_err(unreadable)?;
    let name = if book.exists("/Workbook") { "/Workbook" } else { "/Book" };
    let mut stream = BufReader::new(book.open_stream(name).map_err(unreadable)?);
    let (mut sum, mut rows, mut width) = (0_u64, 0_u64, 0_u64);
    let mut header = [0; 4];
    let mut body = Vec::new();
    while stream.read_exact(&mut header).is_ok() {
        let [kind_low, kind_high, low, high] = header;
        let kind = u16::from_le_bytes([kind_low, kind_high]);
        body.clear();
        let length = u64::from(u16::from_le_bytes([low, high]));
        stream.by_ref().take(length).read_to_end(&mut body)?;
        if kind == BEGIN {
            sum += rows * width;
            (rows, width) = (0, 0);
        }
        if let ([row_low, row_high, column_low, column_high, ..], true) =
            (body.as_slice(), CELLS.contains(&kind))
        {
            let mut column = u16::from_le_bytes([*column_low, *column_high]);
            if let ([.., last_low, last_high], true) = (body.as_slice(), SEVERAL.contains(&kind)) {
                column = column.max(u16::from_le_bytes([*last_low, *last_high]));
            }
            rows = rows.max(u64::from(u16::from_le_bytes([*row_low, *row_high])) + 1);
            width = width.max(u64::from(column) + 1);
            check_cells(sum + rows * width)?;
        }
    }
    Ok(())
}

fn check_cells(cells: u64) -> Result<(), LoadError> {
    if cells > MAX_CELLS {
        return Err(LoadError::TooLarge(format!(
            "a table of {cells} cells; {MAX_CELLS} are read in this form"
        )));
    }
    Ok(())
}
