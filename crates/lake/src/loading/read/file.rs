//! A file, of whatever form.

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::delimited::{self, Delimited};
use super::json::JsonLines;
use super::lines::{Encoding, Lines};
use super::{parquet, workbook};
use crate::loading::error::LoadError;
use crate::loading::infer::Note;
use crate::loading::names::distinct;
use crate::loading::source::{Form, Head, Reading, Sink};
use crate::schema::MAX_COLUMNS;

/// How much of a text is looked at to find out how it is written.
const SAMPLE: u64 = 256 << 10;
/// How many lines of JSON are looked at for their keys.
const KEYED_LINES: usize = 1_000;

/// Reads a file into the sink.
pub(crate) fn read(
    path: &Path,
    reading: &Reading,
    columns: Option<Vec<String>>,
    done: Arc<AtomicU64>,
    sink: &mut Sink,
) -> Result<ControlFlow<()>, LoadError> {
    let mut file = File::open(path)?;
    let mut sample = Vec::new();
    file.by_ref().take(SAMPLE).read_to_end(&mut sample)?;
    file.rewind()?;
    if sample.is_empty() {
        return Err(LoadError::Unreadable("the file is empty".to_owned()));
    }
    let form = match reading.form {
        Some(form) => form,
        None => form_of(&sample, &file)?,
    };
    let mut reading = Reading { form: Some(form), ..reading.clone() };
    match form {
        Form::Parquet => return parquet::read(file, reading, &done, sink),
        Form::Xlsx | Form::Xls | Form::Ods => return workbook::read(file, form, reading, &done, sink),
        Form::Table => return Err(LoadError::Reading("a file is no table of a database".to_owned())),
        Form::Delimited | Form::JsonLines => {}
    }
    let mut notes = Vec::new();
    let encoding = reading.encoding.unwrap_or_else(|| {
        let (encoding, sure) = Encoding::of(&sample);
        if !sure {
            notes.push(Note::EncodingUnsure);
        }
        encoding
    });
    reading.encoding = Some(encoding);
    let text = decoded(&sample, encoding);
    let terminator = if !text.contains('\n') && text.contains('\r') { b'\r' } else { b'\n' };
    let lines = |file: File| {
        let counted = Counted { file, done: done.clone() };
        Lines::new(Box::new(BufReader::with_capacity(256 << 10, counted)), encoding, terminator)
    };
    if form == Form::JsonLines {
        let columns = match columns {
            Some(columns) => columns,
            None => JsonLines::keys(lines(File::open(path)?)?, KEYED_LINES)?,
        };
        check_columns(columns.len())?;
        done.store(0, Ordering::Relaxed);
        let mut reader = JsonLines::new(lines(file)?, &columns);
        let kinds = vec![None; columns.len()];
        let head = Head { columns, kinds, reading, notes, sheets: Vec::new() };
        if sink.head(head).is_break() {
            return Ok(ControlFlow::Break(()));
        }
        while let Some(record) = reader.next()? {
            if sink.push(record).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        return Ok(ControlFlow::Continue(()));
    }
    let delimiter = reading.delimiter.unwrap_or_else(|| {
        let (delimiter, sure) = delimited::detect(&text);
        if !sure {
            notes.push(Note::DelimiterUnsure);
        }
        delimiter
    });
    if !delimiter.is_ascii() || matches!(delimiter, '"' | '\n' | '\r' | '\0') {
        return Err(LoadError::Reading(format!("`{delimiter}` does not delimit cells")));
    }
    reading.delimiter = Some(delimiter);
    let header_row = reading.header_row.unwrap_or(1);
    reading.header_row = Some(header_row);
    let mut reader = Delimited::new(lines(file)?, delimiter);
    reader.skip_lines(header_row.saturating_sub(1))?;
    let first = reader.next()?.ok_or_else(|| LoadError::Unreadable("the file has no rows".to_owned()))?;
    if first.fault.is_some() {
        return Err(LoadError::Reading(format!(
            "line {} cannot be taken apart, so the columns are not known",
            first.line
        )));
    }
    check_columns(first.cells.len())?;
    let columns = if header_row > 0 { distinct(&first.cells) } else { numbered(first.cells.len()) };
    reader.expect(columns.len());
    let kinds = vec![None; columns.len()];
    if sink.head(Head { columns, kinds, reading, notes, sheets: Vec::new() }).is_break() {
        return Ok(ControlFlow::Break(()));
    }
    if header_row == 0 && sink.push(first).is_break() {
        return Ok(ControlFlow::Break(()));
    }
    while let Some(record) = reader.next()? {
        if sink.push(record).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

pub(crate) fn check_columns(many: usize) -> Result<(), LoadError> {
    if many == 0 || many > MAX_COLUMNS {
        return Err(LoadError::Reading(format!("{many} columns: from 1 to {MAX_COLUMNS} are read")));
    }
    Ok(())
}

/// Names of columns that have none.
pub(crate) fn numbered(many: usize) -> Vec<String> {
    (1..=many).map(|number| format!("column {number}")).collect()
}

/// What form a file has, by its first bytes; its name may say anything.
fn form_of(sample: &[u8], file: &File) -> Result<Form, LoadError> {
    if sample.starts_with(b"PAR1") {
        return Ok(Form::Parquet);
    }
    if sample.starts_with(&[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]) {
        return Ok(Form::Xls);
    }
    if sample.starts_with(b"PK\x03\x04") {
        return workbook::form_of_zip(file.try_clone()?);
    }
    if sample.starts_with(b"%PDF") || sample.starts_with(&[0x1f, 0x8b]) {
        return Err(LoadError::Reading("files of this form are not read".to_owned()));
    }
    let text = decoded(sample, Encoding::of(sample).0);
    let json = text
        .lines()
        .find(|line| !line.trim().is_empty())
        .is_some_and(|line| line.trim_start_matches('\u{feff}').trim_start().starts_with('{'));
    Ok(if json { Form::JsonLines } else { Form::Delimited })
}

fn decoded(sample: &[u8], encoding: Encoding) -> String {
    let encoding = match encoding {
        Encoding::Utf8 => encoding_rs::UTF_8,
        Encoding::Gb18030 => encoding_rs::GB18030,
        Encoding::Utf16Le => encoding_rs::UTF_16LE,
        Encoding::Utf16Be => encoding_rs::UTF_16BE,
    };
    encoding.decode_with_bom_removal(sample).0.into_owned()
}

/// A file that says how far it was read.
pub(crate) struct Counted {
    file: File,
    done: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.done.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
