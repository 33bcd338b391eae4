//! Parquet files, row group by row group.

use std::fs::File;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::file::check_columns;
use crate::Kind;
use crate::loading::error::{LoadError, Reason};
use crate::loading::names::distinct_names;
use crate::loading::record::{Cell, Cells, Record};
use crate::loading::source::{Head, Reading, Sink};

/// Rows that are decoded at once.
const ROWS: usize = 1_024;
/// How large a row group may be in memory, as the file itself says.
const MAX_GROUP: i64 = 4 << 30;

pub(crate) fn read(
    file: File,
    reading: Reading,
    done: &AtomicU64,
    sink: &mut Sink,
) -> Result<ControlFlow<()>, LoadError> {
    let size = file.metadata()?.len();
    let unreadable = |error: &dyn std::fmt::Display| LoadError::Unreadable(error.to_string());
    let builder = ParquetRecordBatchReaderBuilder::try_new(file)
        .map_err(|error| unreadable(&error))?
        .with_batch_size(ROWS);
    let meta = builder.metadata();
    let rows_total = u64::try_from(meta.file_metadata().num_rows()).unwrap_or(0).max(1);
    if meta.row_groups().iter().any(|group| group.total_byte_size() > MAX_GROUP) {
        return Err(LoadError::TooLarge("a row group of the file".to_owned()));
    }
    let fields = builder.schema().fields().clone();
    check_columns(fields.len())?;
    let columns = distinct_names(fields.iter().map(|field| field.name().as_str()));
    let kinds = fields.iter().map(|field| kind(field.data_type())).collect();
    let head = Head { columns, kinds, reading, ..Head::default() };
    if sink.head(head).is_break() {
        return Ok(ControlFlow::Break(()));
    }
    let mut number = 0;
    for batch in builder.build().map_err(|error| unreadable(&error))? {
        let batch = batch.map_err(|error| unreadable(&error))?;
        if push(&batch, &mut number, sink)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        done.store(
            u64::try_from(u128::from(size) * u128::from(number) / u128::from(rows_total)).unwrap_or(size),
            Ordering::Relaxed,
        );
    }
    Ok(ControlFlow::Continue(()))
}

fn push(batch: &RecordBatch, number: &mut u64, sink: &mut Sink) -> Result<ControlFlow<()>, LoadError> {
    let unreadable = |error: &dyn std::fmt::Display| LoadError::Unreadable(error.to_string());
    let options = FormatOptions::default();
    let formats = batch
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column.as_ref(), &options))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| unreadable(&error))?;
    for row in 0..batch.num_rows() {
        *number += 1;
        let mut cells = Cells::default();
        for (column, format) in batch.columns().iter().zip(&formats) {
            if column.is_null(row) || *column.data_type() == DataType::Null {
                cells.push(Cell::Empty);
                continue;
            }
            let text = format.value(row).try_to_string().map_err(|error| unreadable(&error))?;
            cells.push(Cell::Text(&text));
        }
        let nul = cells.has_nul();
        let mut record = Record::whole(*number, cells);
        if nul {
            record = Record::broken(*number, Reason::Encoding, &record.to_csv());
        }
        if sink.push(record).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

fn kind(found: &DataType) -> Option<Kind> {
    match found {
        DataType::Boolean => Some(Kind::Boolean),
        DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32 => Some(Kind::Integer),
        DataType::UInt64 => Some(Kind::Decimal(0)),
        DataType::Float16 | DataType::Float32 | DataType::Float64 => Some(Kind::Float),
        DataType::Decimal32(_, scale) | DataType::Decimal64(_, scale) | DataType::Decimal128(_, scale) => {
            Some(Kind::Decimal(u8::try_from(*scale).ok()?))
        }
        DataType::Date32 | DataType::Date64 => Some(Kind::Date),
        DataType::Timestamp(..) => Some(Kind::Timestamp),
        // Text is looked at: what it holds may be codes or numbers.
        _ => None,
    }
}
