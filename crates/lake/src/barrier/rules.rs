//! Row rules as predicates of the engine.

use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::common::Column;
use datafusion::logical_expr::{Expr, Operator, binary_expr};
use datafusion::prelude::lit;
use datafusion::scalar::ScalarValue;
use jiff::civil::Date;

use crate::LakeError;
use crate::policy::{Comparison, RowRule, Scalar};
use crate::schema::PRECISION;

/// The rule as a predicate over a table of this schema. Its constants have the types of their columns, so that
/// nothing is cast and nothing fails.
pub(crate) fn predicate(rule: &RowRule, schema: &Schema) -> Result<Expr, LakeError> {
    match rule {
        RowRule::All(rules) => join(rules, Operator::And, schema),
        RowRule::Any(rules) => join(rules, Operator::Or, schema),
        RowRule::Not(rule) => Ok(Expr::Not(Box::new(predicate(rule, schema)?))),
        RowRule::Compare { column, is, value } => {
            let value = constant(value, of(schema, column)?)?;
            Ok(binary_expr(named(column), operator(*is), value))
        }
        RowRule::In { column, values } => {
            let kind = of(schema, column)?;
            let values = values.iter().map(|value| constant(value, kind)).collect::<Result<Vec<_>, _>>()?;
            Ok(named(column).in_list(values, false))
        }
        RowRule::StartsWith { column, prefix } => {
            // As a range, so that files and pages can be skipped.
            let kind = of(schema, column)?;
            let bound = |text: &str| constant(&Scalar::Text(text.to_owned()), kind);
            let from = named(column).gt_eq(bound(prefix)?);
            Ok(match after(prefix) {
                Some(end) => from.and(named(column).lt(bound(&end)?)),
                None => from,
            })
        }
        RowRule::Empty { column } => {
            of(schema, column)?;
            Ok(named(column).is_null())
        }
    }
}

fn join(rules: &[RowRule], operator: Operator, schema: &Schema) -> Result<Expr, LakeError> {
    let mut joined: Option<Expr> = None;
    for rule in rules {
        let next = predicate(rule, schema)?;
        joined = Some(match joined {
            Some(before) => binary_expr(before, operator, next),
            None => next,
        });
    }
    joined.ok_or_else(|| LakeError::Policy("the rule of the rows has an empty list".to_owned()))
}

/// A column by its exact name.
pub(crate) fn named(column: &str) -> Expr {
    Expr::Column(Column::from_name(column))
}

fn of<'a>(schema: &'a Schema, column: &str) -> Result<&'a DataType, LakeError> {
    let field = schema.field_with_name(column);
    field
        .map(|field| field.data_type())
        .map_err(|_| LakeError::Policy(format!("there is no column `{column}`")))
}

fn operator(is: Comparison) -> Operator {
    match is {
        Comparison::Equal => Operator::Eq,
        Comparison::NotEqual => Operator::NotEq,
        Comparison::Less => Operator::Lt,
        Comparison::AtMost => Operator::LtEq,
        Comparison::More => Operator::Gt,
        Comparison::AtLeast => Operator::GtEq,
    }
}

fn constant(value: &Scalar, kind: &DataType) -> Result<Expr, LakeError> {
    let misfit = || LakeError::Policy(format!("a constant does not fit a column of {kind}"));
    let scalar = match (value, kind) {
        (Scalar::Text(text), DataType::Utf8) => ScalarValue::Utf8(Some(text.clone())),
        (Scalar::Text(text), DataType::Utf8View) => ScalarValue::Utf8View(Some(text.clone())),
        (Scalar::Integer(number), DataType::Int64) => ScalarValue::Int64(Some(*number)),
        (Scalar::Integer(number), DataType::Decimal128(_, scale)) => {
            let unit = u32::try_from(*scale).ok().and_then(|scale| 10_i128.checked_pow(scale));
            let whole = unit.and_then(|unit| i128::from(*number).checked_mul(unit)).ok_or_else(misfit)?;
            ScalarValue::Decimal128(Some(whole), PRECISION, *scale)
        }
        (Scalar::Boolean(yes), DataType::Boolean) => ScalarValue::Boolean(Some(*yes)),
        (Scalar::Date(date), DataType::Date32) => ScalarValue::Date32(Some(days(*date).ok_or_else(misfit)?)),
        (Scalar::Timestamp(at), DataType::Timestamp(_, zone)) => {
            ScalarValue::TimestampMicrosecond(Some(at.micros()), zone.clone())
        }
        _ => return Err(misfit()),
    };
    Ok(lit(scalar))
}

/// Days since 1970, as the engine counts them.
pub(crate) fn days(date: Date) -> Option<i32> {
    date.since(Date::constant(1970, 1, 1)).ok().map(|span| span.get_days())
}

/// The least text that is greater than every text that begins with `prefix`.
fn after(prefix: &str) -> Option<String> {
    let mut letters: Vec<char> = prefix.chars().collect();
    while let Some(last) = letters.pop() {
        let next = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32);
        if let Some(next) = next {
            letters.push(next);
            return Some(letters.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_prefix() {
        assert_eq!(after("5329").as_deref(), Some("532:"));
        assert_eq!(after("a\u{d7ff}").as_deref(), Some("a\u{e000}"));
        assert_eq!(after("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(after("\u{10ffff}"), None);
    }
}
