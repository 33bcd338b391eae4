//! Answers as files: an Arrow stream for programs, CSV and Parquet for people. Files for people are marked: each row says
//! in a column of its own what it is, and a text of it may carry a mark that nobody sees.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, RecordBatch, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::csv::WriterBuilder;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::ipc::writer::StreamWriter;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::file::metadata::KeyValue;
use datafusion::parquet::file::properties::WriterProperties;

use crate::LakeError;
use crate::answer::{Answer, Rows};

/// Rows of a row group of a Parquet file; a file for one person is small.
const GROUP_ROWS: usize = 100_000;

/// Writes an answer as a file, piece by piece.
pub trait RowWriter: Send {
    /// The bytes up to and with these rows, as far as they are ready.
    fn write(&mut self, rows: &Rows) -> Result<Vec<u8>, LakeError>;

    /// The last bytes. A file without them was cut off.
    fn finish(self: Box<Self>) -> Result<Vec<u8>, LakeError>;
}

/// Puts the mark that nobody sees into a text. It gives the marked text, or nothing if this text must stay as it is;
/// where `must` is true it marks any.
pub type Carrier = Box<dyn FnMut(&str, bool) -> Option<String> + Send>;

/// How a file is marked.
pub struct Marks {
    /// The name of the column that everybody sees.
    pub column: String,
    /// What stands in it, in each row.
    pub text: String,
    /// What puts the other mark into one text of each row.
    pub carrier: Carrier,
}

/// An Arrow IPC stream.
pub struct IpcWriter(StreamWriter<Vec<u8>>);

impl IpcWriter {
    /// A stream of the answer's columns.
    pub fn new(answer: &Answer) -> Result<Self, LakeError> {
        Ok(Self(StreamWriter::try_new(Vec::new(), &answer.schema())?))
    }
}

impl RowWriter for IpcWriter {
    fn write(&mut self, rows: &Rows) -> Result<Vec<u8>, LakeError> {
        self.0.write(&rows.0)?;
        Ok(std::mem::take(self.0.get_mut()))
    }

    fn finish(mut self: Box<Self>) -> Result<Vec<u8>, LakeError> {
        self.0.finish()?;
        Ok(self.0.into_inner()?)
    }
}

/// A CSV file in UTF-8 with a byte order mark, by which spreadsheets know the encoding.
///
/// A text that a spreadsheet would run as a formula gets an apostrophe before it: what a citizen wrote into a form must
/// not run on the machine of whoever opens the file.
pub struct CsvWriter {
    marked: Marked,
    begun: bool,
}

impl CsvWriter {
    /// A file of the answer's columns.
    pub fn new(answer: &Answer, marks: Marks) -> Self {
        Self { marked: Marked::new(&answer.schema(), marks), begun: false }
    }

    fn lines(&mut self, batch: &RecordBatch) -> Result<Vec<u8>, LakeError> {
        let mut bytes = Vec::new();
        if !self.begun {
            bytes.extend("\u{feff}".as_bytes());
        }
        let mut writer = WriterBuilder::new().with_header(!self.begun).build(&mut bytes);
        writer.write(&tamed(batch)?)?;
        drop(writer);
        self.begun = true;
        Ok(bytes)
    }
}

impl RowWriter for CsvWriter {
    fn write(&mut self, rows: &Rows) -> Result<Vec<u8>, LakeError> {
        let batch = self.marked.mark(&rows.0)?;
        self.lines(&batch)
    }

    fn finish(mut self: Box<Self>) -> Result<Vec<u8>, LakeError> {
        if self.begun {
            return Ok(Vec::new());
        }
        let none = RecordBatch::new_empty(self.marked.schema.clone());
        self.lines(&none)
    }
}

/// A Parquet file; its metadata says what it is, too.
pub struct ParquetWriter {
    marked: Marked,
    writer: ArrowWriter<Vec<u8>>,
}

impl ParquetWriter {
    /// A file of the answer's columns.
    pub fn new(answer: &Answer, marks: Marks) -> Result<Self, LakeError> {
        let told = KeyValue::new("yiwang.watermark".to_owned(), Some(marks.text.clone()));
        let marked = Marked::new(&answer.schema(), marks);
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_max_row_group_row_count(Some(GROUP_ROWS))
            .set_key_value_metadata(Some(vec![told]))
            .build();
        let writer = ArrowWriter::try_new(Vec::new(), marked.schema.clone(), Some(properties))
            .map_err(ArrowError::from)?;
        Ok(Self { marked, writer })
    }
}

impl RowWriter for ParquetWriter {
    fn write(&mut self, rows: &Rows) -> Result<Vec<u8>, LakeError> {
        self.writer.write(&self.marked.mark(&rows.0)?).map_err(ArrowError::from)?;
        Ok(std::mem::take(self.writer.inner_mut()))
    }

    fn finish(self: Box<Self>) -> Result<Vec<u8>, LakeError> {
        Ok(self.writer.into_inner().map_err(ArrowError::from)?)
    }
}

/// Rows with both marks.
struct Marked {
    schema: SchemaRef,
    marks: Marks,
}

impl Marked {
    fn new(schema: &SchemaRef, marks: Marks) -> Self {
        let mut fields: Vec<Field> = schema
            .fields()
            .iter()
            .map(|field| match is_text(field.data_type()) {
                true => Field::new(field.name(), DataType::Utf8, true),
                false => field.as_ref().clone(),
            })
            .collect();
        fields.push(Field::new(&marks.column, DataType::Utf8, true));
        Self { schema: Arc::new(Schema::new(fields)), marks }
    }

    /// One text of each row gets the mark: the first that may carry it, else that which says what the row is.
    fn mark(&mut self, batch: &RecordBatch) -> Result<RecordBatch, LakeError> {
        let mut columns = Vec::with_capacity(batch.num_columns() + 1);
        let mut done = vec![false; batch.num_rows()];
        for column in batch.columns() {
            if is_text(column.data_type()) {
                let texts = cast(column, &DataType::Utf8)?;
                columns.push(self.carry(&texts, &mut done)?);
            } else {
                columns.push(column.clone());
            }
        }
        let told = done.iter().map(|done| match done {
            true => Some(self.marks.text.clone()),
            false => (self.marks.carrier)(&self.marks.text, true),
        });
        columns.push(Arc::new(told.collect::<StringArray>()) as ArrayRef);
        Ok(RecordBatch::try_new(self.schema.clone(), columns)?)
    }

    fn carry(&mut self, texts: &ArrayRef, done: &mut [bool]) -> Result<ArrayRef, LakeError> {
        let Some(texts) = texts.as_any().downcast_ref::<StringArray>() else {
            return Err(LakeError::Data("a text is none".to_owned()));
        };
        let marked = texts.iter().zip(done).map(|(text, done)| {
            let text = text?;
            let carried = if *done { None } else { (self.marks.carrier)(text, false) };
            *done |= carried.is_some();
            Some(carried.unwrap_or_else(|| text.to_owned()))
        });
        Ok(Arc::new(marked.collect::<StringArray>()))
    }
}

fn is_text(kind: &DataType) -> bool {
    matches!(kind, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

/// The same rows, without texts that a spreadsheet would run.
fn tamed(batch: &RecordBatch) -> Result<RecordBatch, LakeError> {
    let columns = batch.columns().iter().map(|column| match column.as_any().downcast_ref::<StringArray>() {
        Some(texts) => Arc::new(texts.iter().map(|text| text.map(tame)).collect::<StringArray>()) as ArrayRef,
        None => column.clone(),
    });
    Ok(RecordBatch::try_new(batch.schema(), columns.collect())?)
}

fn tame(text: &str) -> String {
    let runs = match text.as_bytes() {
        [b'=' | b'@' | b'\t' | b'\r', ..] => true,
        // A sign before a number is one.
        [b'+' | b'-', rest @ ..] => {
            !rest.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b' '))
        }
        _ => false,
    };
    if runs { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_is_a_text() {
        for text in ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3+cmd", "\t=1"] {
            assert_eq!(tame(text), format!("'{text}"));
        }
        for text in ["-", "-12.5", "+86 139-0000-0000", "段*慧", "", "a=b"] {
            assert_eq!(tame(text), text);
        }
    }
}
