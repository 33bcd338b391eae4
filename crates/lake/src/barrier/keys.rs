//! Keyed hashes that stand for rows and entities where they are counted and must not be named.

use std::hash::Hasher;
use std::sync::Arc;

use crypto::hash::Hash;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, FixedSizeBinaryBuilder};
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType,
};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::rules;

/// The length of a key in bytes.
pub(crate) const KEY_LEN: i32 = 16;
/// The name of the function. Askers cannot call it.
pub(crate) const NAME: &str = "yiwang_key";

/// The key of these columns' values, each with its place in its table. An empty cell adds nothing, so that a row keeps
/// its key when its table gets another column.
pub(crate) fn of(columns: &[(u16, &str)], secret: [u8; 32]) -> Expr {
    let places = columns.iter().map(|(place, _)| *place).collect();
    let function = KeyFunction { signature: Signature::variadic_any(Volatility::Immutable), places, secret };
    Expr::ScalarFunction(datafusion::logical_expr::expr::ScalarFunction::new_udf(
        Arc::new(ScalarUDF::new_from_impl(function)),
        columns.iter().map(|(_, name)| rules::named(name)).collect(),
    ))
}

struct KeyFunction {
    signature: Signature,
    places: Vec<u16>,
    secret: [u8; 32],
}

impl std::fmt::Debug for KeyFunction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyFunction({:?})", self.places)
    }
}

impl PartialEq for KeyFunction {
    fn eq(&self, other: &Self) -> bool {
        self.places == other.places && self.secret == other.secret
    }
}

impl Eq for KeyFunction {}

impl std::hash::Hash for KeyFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::hash::Hash::hash(&self.places, state);
    }
}

impl ScalarUDFImpl for KeyFunction {
    fn name(&self) -> &'static str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::FixedSizeBinary(KEY_LEN))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = arguments.number_rows;
        let columns =
            arguments.args.iter().map(|column| column.to_array(rows)).collect::<Result<Vec<_>>>()?;
        let mut keys = FixedSizeBinaryBuilder::with_capacity(rows, KEY_LEN);
        let mut written = Vec::new();
        for row in 0..rows {
            written.clear();
            for (place, column) in self.places.iter().zip(&columns) {
                write(&mut written, *place, column, row)?;
            }
            let hash = Hash::Sm3.hmac(&self.secret, &[&written]);
            keys.append_value(hash.split_at(16).0)?;
        }
        Ok(ColumnarValue::Array(Arc::new(keys.finish())))
    }
}

/// The one written form of a cell: its place, then its value, a text with its length before it.
fn write(to: &mut Vec<u8>, place: u16, column: &ArrayRef, row: usize) -> Result<()> {
    if column.is_null(row) {
        return Ok(());
    }
    to.extend(place.to_le_bytes());
    let text = |to: &mut Vec<u8>, text: &str| {
        to.extend((text.len() as u64).to_le_bytes());
        to.extend(text.as_bytes());
    };
    match column.data_type() {
        DataType::Utf8 => text(to, column.as_string::<i32>().value(row)),
        DataType::Utf8View => text(to, column.as_string_view().value(row)),
        DataType::Int64 => to.extend(column.as_primitive::<Int64Type>().value(row).to_le_bytes()),
        DataType::Decimal128(..) => {
            to.extend(column.as_primitive::<Decimal128Type>().value(row).to_le_bytes())
        }
        DataType::Float64 => {
            to.extend(column.as_primitive::<Float64Type>().value(row).to_bits().to_le_bytes());
        }
        DataType::Boolean => to.push(u8::from(column.as_boolean().value(row))),
        DataType::Date32 => to.extend(column.as_primitive::<Date32Type>().value(row).to_le_bytes()),
        DataType::Timestamp(..) => {
            to.extend(column.as_primitive::<TimestampMicrosecondType>().value(row).to_le_bytes());
        }
        other => return exec_err!("a column of {other} has no key"),
    }
    Ok(())
}
