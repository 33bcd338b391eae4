//! Rows on their way into the lake, and out of the inbox.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use datafusion::arrow::ipc::reader::StreamReader;
use datafusion::arrow::ipc::writer::StreamWriter;
use jiff::civil::Date;
use kernel::time::Timestamp;

use crate::LakeError;
use crate::schema::{Kind, PRECISION, Schema};

/// The values of one column, from the first row to the last; `None` is an empty cell.
#[derive(Clone, Debug)]
pub enum Values {
    /// Of a column of text.
    Text(Vec<Option<String>>),
    /// Of whole numbers.
    Integer(Vec<Option<i64>>),
    /// Of decimals: the digits without their point.
    Decimal(Vec<Option<i128>>),
    /// Of numbers with a floating point.
    Float(Vec<Option<f64>>),
    /// Of yes and no.
    Boolean(Vec<Option<bool>>),
    /// Of days.
    Date(Vec<Option<Date>>),
    /// Of instants.
    Timestamp(Vec<Option<Timestamp>>),
}

/// Rows of one table.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch(pub(crate) RecordBatch);

impl Batch {
    /// Rows from their columns, which are those of the schema in its order.
    pub fn new(schema: &Schema, columns: Vec<Values>) -> Result<Self, LakeError> {
        if columns.len() != schema.columns().len() {
            return Err(LakeError::Data(format!(
                "{} columns instead of {}",
                columns.len(),
                schema.columns().len()
            )));
        }
        let mut arrays = Vec::with_capacity(columns.len());
        for (column, values) in schema.columns().iter().zip(columns) {
            let array = array(column.kind, values)
                .ok_or_else(|| LakeError::Data(format!("`{}` does not hold {}", column.name, column.kind)))?;
            arrays.push(array);
        }
        Ok(Self(RecordBatch::try_new(schema.arrow(), arrays)?))
    }

    /// How many rows.
    pub fn rows(&self) -> usize {
        self.0.num_rows()
    }

    /// Some of the rows.
    #[must_use]
    pub fn slice(&self, from: usize, rows: usize) -> Self {
        Self(self.0.slice(from, rows))
    }

    /// How many bytes it takes in memory.
    pub fn bytes(&self) -> usize {
        self.0.get_array_memory_size()
    }

    /// As an Arrow IPC stream.
    pub(crate) fn to_ipc(&self) -> Result<Vec<u8>, LakeError> {
        let mut writer = StreamWriter::try_new(Vec::with_capacity(self.bytes()), &self.0.schema())?;
        writer.write(&self.0)?;
        Ok(writer.into_inner()?)
    }

    /// The batches of an Arrow IPC stream, with the columns that the table has now: those that it did not have
    /// when they came are empty.
    pub(crate) fn from_ipc(bytes: &[u8], schema: &Schema) -> Result<Vec<RecordBatch>, LakeError> {
        let wanted = schema.arrow();
        let mut batches = Vec::new();
        for batch in StreamReader::try_new(bytes, None)? {
            let batch = batch?;
            let columns = wanted.fields().iter().map(|field| match batch.column_by_name(field.name()) {
                Some(column) => column.clone(),
                None => datafusion::arrow::array::new_null_array(field.data_type(), batch.num_rows()),
            });
            batches.push(RecordBatch::try_new(wanted.clone(), columns.collect())?);
        }
        Ok(batches)
    }
}

fn array(kind: Kind, values: Values) -> Option<ArrayRef> {
    Some(match (kind, values) {
        (Kind::Text, Values::Text(values)) => Arc::new(StringArray::from(values)),
        (Kind::Integer, Values::Integer(values)) => Arc::new(Int64Array::from(values)),
        (Kind::Decimal(scale), Values::Decimal(values)) => {
            let array = Decimal128Array::from(values);
            Arc::new(array.with_precision_and_scale(PRECISION, i8::try_from(scale).ok()?).ok()?)
        }
        (Kind::Float, Values::Float(values)) => Arc::new(Float64Array::from(values)),
        (Kind::Boolean, Values::Boolean(values)) => Arc::new(BooleanArray::from(values)),
        (Kind::Date, Values::Date(values)) => {
            let days = values
                .into_iter()
                .map(|date| date.map(crate::barrier::days).map_or(Some(None), |d| d.map(Some)));
            Arc::new(Date32Array::from(days.collect::<Option<Vec<Option<i32>>>>()?))
        }
        (Kind::Timestamp, Values::Timestamp(values)) => {
            let micros: Vec<Option<i64>> = values.into_iter().map(|at| at.map(|at| at.micros())).collect();
            Arc::new(TimestampMicrosecondArray::from(micros).with_timezone("UTC"))
        }
        _ => return None,
    })
}
