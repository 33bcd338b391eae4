//! Masks as functions of a column. None of them can fail: each is total over its column's type.

use std::sync::Arc;

use crypto::hash::Hash;
use datafusion::arrow::array::{Array, ArrayRef, Date32Array, Int64Array, StringArray, StringViewArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::cast::{as_date32_array, as_int64_array, as_string_array, as_string_view_array};
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::prelude::lit;
use datafusion::scalar::ScalarValue;
use jiff::civil::Date;
use jiff::{Span, ToSpan};

use crate::policy::{Mask, token_key};

/// The name of the function: `yiwang_mask(column, mask)`. Askers cannot call it.
pub(crate) const NAME: &str = "yiwang_mask";

/// `column` behind `mask`.
pub(crate) fn masked(column: Expr, mask: &Mask, of: &DataType) -> Result<Expr> {
    if let Mask::Empty {} = mask {
        return Ok(Expr::Literal(ScalarValue::try_from(of)?, None));
    }
    let spec = serde_json::to_string(mask)
        .map_err(|error| datafusion::error::DataFusionError::External(Box::new(error)))?;
    Ok(Expr::ScalarFunction(datafusion::logical_expr::expr::ScalarFunction::new_udf(
        Arc::new(function()),
        vec![column, lit(spec)],
    )))
}

/// The function, to be registered where plans are run.
pub(crate) fn function() -> ScalarUDF {
    ScalarUDF::new_from_impl(MaskFunction { signature: Signature::any(2, Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct MaskFunction {
    signature: Signature,
}

impl ScalarUDFImpl for MaskFunction {
    fn name(&self) -> &'static str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        match arguments {
            [DataType::Utf8 | DataType::Utf8View, _] => Ok(DataType::Utf8),
            [of @ (DataType::Date32 | DataType::Int64), _] => Ok(of.clone()),
            _ => plan_err!("no mask fits this column"),
        }
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [column, spec] = arguments.args.as_slice() else { return exec_err!("a mask has two arguments") };
        let ColumnarValue::Scalar(ScalarValue::Utf8(Some(spec))) = spec else {
            return exec_err!("a mask is a constant");
        };
        let mask: Mask = serde_json::from_str(spec)
            .map_err(|error| datafusion::error::DataFusionError::External(Box::new(error)))?;
        let array = column.to_array(arguments.number_rows)?;
        Ok(ColumnarValue::Array(apply(&mask, &array)?))
    }
}

fn apply(mask: &Mask, array: &ArrayRef) -> Result<ArrayRef> {
    match (mask, array.data_type()) {
        (Mask::Stars { first, last }, _) => texts(array, |text| stars(text, (*first).into(), (*last).into())),
        (Mask::Prefix { letters }, _) => texts(array, |text| text.chars().take((*letters).into()).collect()),
        (Mask::Token { key }, _) => {
            let Some(key) = token_key(key) else { return exec_err!("the key of a mask is not one") };
            // Half of the hash: short enough to read, long enough that no two values of a country share it.
            texts(array, |text| hex::encode(Hash::Sm3.hmac(&key, &[text.as_bytes()]).split_at(16).0))
        }
        (Mask::Year {}, DataType::Date32) => {
            let years: Date32Array =
                as_date32_array(array)?.iter().map(|day| day.map(first_of_year)).collect();
            Ok(Arc::new(years))
        }
        (Mask::Floor { step }, DataType::Int64) => {
            let step = i64::from(*step).max(1);
            let floors: Int64Array = as_int64_array(array)?
                .iter()
                .map(|value| value.map(|value| value.saturating_sub(value.rem_euclid(step))))
                .collect();
            Ok(Arc::new(floors))
        }
        _ => exec_err!("the mask does not fit this column"),
    }
}

fn texts(array: &ArrayRef, mask: impl Fn(&str) -> String) -> Result<ArrayRef> {
    let masked: StringArray = match array.data_type() {
        DataType::Utf8View => {
            let array: &StringViewArray = as_string_view_array(array)?;
            array.iter().map(|text| text.map(&mask)).collect()
        }
        _ => as_string_array(array)?.iter().map(|text| text.map(&mask)).collect(),
    };
    Ok(Arc::new(masked))
}

/// The first and the last letters with a star for each between; all stars where nothing is between.
fn stars(text: &str, first: usize, last: usize) -> String {
    let letters = text.chars().count();
    if letters <= first + last {
        return "*".repeat(letters);
    }
    text.chars()
        .enumerate()
        .map(|(place, letter)| if place < first || place >= letters - last { letter } else { '*' })
        .collect()
}

/// The first day of the year of a day, both counted from 1970. A day beyond the calendar stays what it is.
fn first_of_year(day: i32) -> i32 {
    let epoch = Date::constant(1970, 1, 1);
    let first = epoch
        .checked_add(day.days())
        .ok()
        .map(Date::first_of_year)
        .and_then(|first| first.since(epoch).ok())
        .map(|span: Span| span.get_days());
    first.unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_hides_what_it_says() {
        assert_eq!(stars("段小慧", 1, 1), "段*慧");
        assert_eq!(stars("段慧", 1, 1), "**");
        assert_eq!(stars("", 1, 1), "");
        assert_eq!(stars("532901199003071234", 4, 4), "5329**********1234");
        let days: ArrayRef = Arc::new(Date32Array::from(vec![Some(0), Some(400), Some(-1), None]));
        let years = apply(&Mask::Year {}, &days).unwrap();
        assert_eq!(
            as_date32_array(&years).unwrap(),
            &Date32Array::from(vec![Some(0), Some(365), Some(-365), None])
        );
        let amounts: ArrayRef = Arc::new(Int64Array::from(vec![Some(1234), Some(-1), Some(i64::MIN), None]));
        let floors = apply(&Mask::Floor { step: 1000 }, &amounts).unwrap();
        let floors = as_int64_array(&floors).unwrap();
        assert_eq!(floors.value(0), 1000);
        assert_eq!(floors.value(1), -1000);
        assert_eq!(floors.value(2), i64::MIN);
        assert!(floors.is_null(3));
    }

    #[test]
    fn equal_values_have_equal_tokens_under_one_key_only() {
        let column: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "a"]));
        let token = |key: &str| apply(&Mask::Token { key: key.repeat(32) }, &column).unwrap();
        let one = token("01");
        let one = as_string_array(&one).unwrap();
        assert_eq!(one.value(0), one.value(2));
        assert_ne!(one.value(0), one.value(1));
        assert_eq!(one.value(0).len(), 32);
        let other = token("02");
        assert_ne!(one.value(0), as_string_array(&other).unwrap().value(0));
    }
}
