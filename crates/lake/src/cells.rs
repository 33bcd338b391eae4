//! The cells of an answer one by one, for doors that write them in a format of their own.
//!
//! The engine has several dozen types; a door is shown the few of [`CellKind`]. Whatever fits none of them (structures,
//! maps, lists of lists) is shown as the text that the engine prints.

use std::borrow::Cow;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::{CastOptions, cast_with_options};
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Decimal256Type, Field, Float32Type, Float64Type, Int16Type,
    Int32Type, Int64Type, IntervalMonthDayNanoType, IntervalUnit, Time64MicrosecondType, TimeUnit,
    TimestampMicrosecondType,
};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::scalar::ScalarValue;

use crate::LakeError;
use crate::answer::{Answer, Rows};

/// What the cells of a column hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CellKind {
    /// Yes or no.
    Bool,
    /// A whole number of 16 bits.
    Int2,
    /// A whole number of 32 bits.
    Int4,
    /// A whole number of 64 bits.
    Int8,
    /// A number of 32 bits with a floating point.
    Float4,
    /// A number of 64 bits with a floating point.
    Float8,
    /// A decimal number.
    Numeric,
    /// Text.
    Text,
    /// Bytes.
    Bytes,
    /// A day.
    Date,
    /// A time of day.
    Time,
    /// A day and a time, of no zone.
    Timestamp,
    /// An instant.
    Instant,
    /// A span of time.
    Interval,
    /// A list of one of the others.
    List(Box<CellKind>),
}

/// One cell, or the value of one parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell<'a> {
    /// Nothing.
    Empty,
    /// Yes or no.
    Bool(bool),
    /// A whole number, of whichever width.
    Int(i64),
    /// A number of 32 bits.
    Float4(f32),
    /// A number of 64 bits.
    Float8(f64),
    /// A decimal number as it is written: `-12.50`.
    Numeric(String),
    /// Text.
    Text(Cow<'a, str>),
    /// Bytes.
    Bytes(Cow<'a, [u8]>),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since midnight.
    Time(i64),
    /// Microseconds since 1970-01-01, of no zone.
    Timestamp(i64),
    /// Microseconds since 1970-01-01 UTC.
    Instant(i64),
    /// Months, days and microseconds.
    Interval(i32, i32, i64),
    /// Several cells of one kind.
    List(Vec<Cell<'static>>),
}

/// Some rows, cell by cell.
pub struct Cells {
    columns: Vec<(CellKind, ArrayRef)>,
    rows: usize,
}

impl Answer {
    /// What the columns hold.
    pub fn kinds(&self) -> Vec<CellKind> {
        self.schema().fields().iter().map(|field| shown_as(field.data_type()).0).collect()
    }
}

impl Rows {
    /// The cells.
    pub fn cells(&self) -> Result<Cells, LakeError> {
        let columns = self.0.columns().iter().map(shown).collect::<Result<_, _>>()?;
        Ok(Cells { columns, rows: self.0.num_rows() })
    }
}

impl Cells {
    /// How many rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// How many columns.
    pub fn columns(&self) -> usize {
        self.columns.len()
    }

    /// One cell; nothing where there is none.
    pub fn at(&self, row: usize, column: usize) -> Cell<'_> {
        match self.columns.get(column) {
            Some((kind, cells)) if row < cells.len() => cell(kind, cells, row),
            _ => Cell::Empty,
        }
    }
}

/// How a column of the engine's is shown, and as which of the engine's types it is read for that.
pub(crate) fn shown_as(engine: &DataType) -> (CellKind, DataType) {
    use {CellKind as K, DataType as T};
    match engine {
        T::Boolean => (K::Bool, T::Boolean),
        T::Int8 | T::UInt8 | T::Int16 => (K::Int2, T::Int16),
        T::UInt16 | T::Int32 => (K::Int4, T::Int32),
        T::UInt32 | T::Int64 => (K::Int8, T::Int64),
        T::UInt64 => (K::Numeric, T::Decimal128(20, 0)),
        T::Float16 | T::Float32 => (K::Float4, T::Float32),
        T::Float64 => (K::Float8, T::Float64),
        T::Decimal32(_, scale) | T::Decimal64(_, scale) => (K::Numeric, T::Decimal128(38, *scale)),
        T::Decimal128(..) | T::Decimal256(..) => (K::Numeric, engine.clone()),
        T::Binary | T::LargeBinary | T::BinaryView | T::FixedSizeBinary(_) => (K::Bytes, T::Binary),
        T::Date32 => (K::Date, T::Date32),
        T::Date64 | T::Timestamp(_, None) => (K::Timestamp, T::Timestamp(TimeUnit::Microsecond, None)),
        T::Timestamp(_, Some(_)) => (K::Instant, T::Timestamp(TimeUnit::Microsecond, Some(Arc::from("UTC")))),
        T::Time32(_) | T::Time64(_) => (K::Time, T::Time64(TimeUnit::Microsecond)),
        T::Interval(_) | T::Duration(_) => (K::Interval, T::Interval(IntervalUnit::MonthDayNano)),
        T::Dictionary(_, value) => shown_as(value),
        T::RunEndEncoded(_, values) => shown_as(values.data_type()),
        T::List(item)
        | T::LargeList(item)
        | T::ListView(item)
        | T::LargeListView(item)
        | T::FixedSizeList(item, _)
            if is_flat(item.data_type()) =>
        {
            let (kind, inner) = shown_as(item.data_type());
            (K::List(Box::new(kind)), T::List(Arc::new(Field::new("item", inner, true))))
        }
        _ => (K::Text, T::Utf8),
    }
}

fn is_flat(engine: &DataType) -> bool {
    !engine.is_nested()
}

fn shown(column: &ArrayRef) -> Result<(CellKind, ArrayRef), LakeError> {
    let (kind, wanted) = shown_as(column.data_type());
    if *column.data_type() == wanted {
        return Ok((kind, column.clone()));
    }
    if kind == CellKind::Text && (column.data_type().is_nested() || *column.data_type() == DataType::Null) {
        return Ok((kind, printed(column)?));
    }
    // A value that does not fit is an error, never an empty cell.
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    Ok((kind, cast_with_options(column, &wanted, &strict)?))
}

fn printed(column: &ArrayRef) -> Result<ArrayRef, LakeError> {
    let options = FormatOptions::default().with_null("null");
    let texts = ArrayFormatter::try_new(column.as_ref(), &options)?;
    let text = |row| {
        (!column.is_null(row) && *column.data_type() != DataType::Null).then(|| texts.value(row).to_string())
    };
    let array: datafusion::arrow::array::StringArray = (0..column.len()).map(text).collect();
    Ok(Arc::new(array))
}

fn cell<'a>(kind: &CellKind, cells: &'a ArrayRef, row: usize) -> Cell<'a> {
    if cells.is_null(row) {
        return Cell::Empty;
    }
    match kind {
        CellKind::Bool => Cell::Bool(cells.as_boolean().value(row)),
        CellKind::Int2 => Cell::Int(cells.as_primitive::<Int16Type>().value(row).into()),
        CellKind::Int4 => Cell::Int(cells.as_primitive::<Int32Type>().value(row).into()),
        CellKind::Int8 => Cell::Int(cells.as_primitive::<Int64Type>().value(row)),
        CellKind::Float4 => Cell::Float4(cells.as_primitive::<Float32Type>().value(row)),
        CellKind::Float8 => Cell::Float8(cells.as_primitive::<Float64Type>().value(row)),
        CellKind::Numeric => Cell::Numeric(match cells.data_type() {
            DataType::Decimal256(..) => cells.as_primitive::<Decimal256Type>().value_as_string(row),
            _ => cells.as_primitive::<Decimal128Type>().value_as_string(row),
        }),
        CellKind::Text => Cell::Text(Cow::Borrowed(cells.as_string::<i32>().value(row))),
        CellKind::Bytes => Cell::Bytes(Cow::Borrowed(cells.as_binary::<i32>().value(row))),
        CellKind::Date => Cell::Date(cells.as_primitive::<Date32Type>().value(row)),
        CellKind::Time => Cell::Time(cells.as_primitive::<Time64MicrosecondType>().value(row)),
        CellKind::Timestamp => Cell::Timestamp(cells.as_primitive::<TimestampMicrosecondType>().value(row)),
        CellKind::Instant => Cell::Instant(cells.as_primitive::<TimestampMicrosecondType>().value(row)),
        CellKind::Interval => {
            let span = cells.as_primitive::<IntervalMonthDayNanoType>().value(row);
            Cell::Interval(span.months, span.days, span.nanoseconds / 1_000)
        }
        CellKind::List(inner) => {
            let items = cells.as_list::<i32>().value(row);
            Cell::List((0..items.len()).map(|place| cell(inner, &items, place).into_owned()).collect())
        }
    }
}

impl Cell<'_> {
    /// The same, on its own.
    pub fn into_owned(self) -> Cell<'static> {
        match self {
            Cell::Empty => Cell::Empty,
            Cell::Bool(value) => Cell::Bool(value),
            Cell::Int(value) => Cell::Int(value),
            Cell::Float4(value) => Cell::Float4(value),
            Cell::Float8(value) => Cell::Float8(value),
            Cell::Numeric(value) => Cell::Numeric(value),
            Cell::Text(value) => Cell::Text(Cow::Owned(value.into_owned())),
            Cell::Bytes(value) => Cell::Bytes(Cow::Owned(value.into_owned())),
            Cell::Date(value) => Cell::Date(value),
            Cell::Time(value) => Cell::Time(value),
            Cell::Timestamp(value) => Cell::Timestamp(value),
            Cell::Instant(value) => Cell::Instant(value),
            Cell::Interval(months, days, micros) => Cell::Interval(months, days, micros),
            Cell::List(items) => Cell::List(items),
        }
    }

    /// As the engine has it; of a list, as a list of `item`.
    pub(crate) fn scalar(&self, wanted: &DataType) -> Option<ScalarValue> {
        let value = match self {
            Cell::Empty => return ScalarValue::try_from(wanted).ok(),
            Cell::Bool(value) => ScalarValue::Boolean(Some(*value)),
            Cell::Int(value) => ScalarValue::Int64(Some(*value)),
            Cell::Float4(value) => ScalarValue::Float32(Some(*value)),
            Cell::Float8(value) => ScalarValue::Float64(Some(*value)),
            Cell::Numeric(text) => ScalarValue::Utf8(Some(text.clone())),
            Cell::Text(text) => ScalarValue::Utf8(Some(text.clone().into_owned())),
            Cell::Bytes(bytes) => ScalarValue::Binary(Some(bytes.clone().into_owned())),
            Cell::Date(days) => ScalarValue::Date32(Some(*days)),
            Cell::Time(micros) => ScalarValue::Time64Microsecond(Some(*micros)),
            Cell::Timestamp(micros) => ScalarValue::TimestampMicrosecond(Some(*micros), None),
            Cell::Instant(micros) => ScalarValue::TimestampMicrosecond(Some(*micros), Some(Arc::from("UTC"))),
            Cell::Interval(months, days, micros) => {
                let nanos = micros.checked_mul(1_000)?;
                ScalarValue::new_interval_mdn(*months, *days, nanos)
            }
            Cell::List(items) => {
                let item = match wanted {
                    DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
                        item.data_type().clone()
                    }
                    _ => return None,
                };
                let items = items.iter().map(|one| one.scalar(&item)).collect::<Option<Vec<_>>>()?;
                ScalarValue::List(ScalarValue::new_list_nullable(&items, &item))
            }
        };
        if value.data_type() == *wanted {
            return Some(value);
        }
        let strict = CastOptions { safe: false, ..CastOptions::default() };
        value.cast_to_with_options(wanted, &strict).ok()
    }
}

impl CellKind {
    /// The type by which the engine takes a parameter of this kind.
    pub(crate) fn engine(&self) -> DataType {
        match self {
            Self::Bool => DataType::Boolean,
            Self::Int2 => DataType::Int16,
            Self::Int4 => DataType::Int32,
            Self::Int8 => DataType::Int64,
            Self::Float4 => DataType::Float32,
            Self::Float8 => DataType::Float64,
            // Half of the digits behind the point: what a client sends is of unknown scale.
            Self::Numeric => DataType::Decimal128(38, 10),
            Self::Text => DataType::Utf8,
            Self::Bytes => DataType::Binary,
            Self::Date => DataType::Date32,
            Self::Time => DataType::Time64(TimeUnit::Microsecond),
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::Instant => DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::from("UTC"))),
            Self::Interval => DataType::Interval(IntervalUnit::MonthDayNano),
            Self::List(item) => DataType::List(Arc::new(Field::new("item", item.engine(), true))),
        }
    }
}
