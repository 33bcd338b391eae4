//! Which predicates of the asker may act below the barrier.
//!
//! Comparisons of a plainly shown column with a constant of its own type, whether it is empty, membership in a list of
//! constants, constants, and these joined by AND, OR and NOT. None of them can fail, so that none of them tells, by an
//! error, of a row that is hidden; and they are what makes it possible to skip files and pages.

use std::collections::BTreeSet;

use datafusion::arrow::datatypes::Schema;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use datafusion::scalar::ScalarValue;

/// The longest list of constants.
const MAX_LIST: usize = 10_000;

/// What of a table may be compared, and how far.
pub(crate) struct Leakproof<'a> {
    /// The columns as the asker sees them.
    pub(crate) schema: &'a Schema,
    /// Shown as they are: every comparison is allowed.
    pub(crate) plain: &'a BTreeSet<String>,
    /// Shown behind a mask, to be looked up by the true value: equality alone is allowed.
    pub(crate) matched: &'a BTreeSet<String>,
}

impl Leakproof<'_> {
    /// Whether `predicate` may act below the barrier.
    pub(crate) fn admits(&self, predicate: &Expr) -> bool {
        match predicate {
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::And | Operator::Or, right }) => {
                self.admits(left) && self.admits(right)
            }
            Expr::Not(inner) => self.admits(inner),
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
                self.compares(left, *op, right) || self.compares(right, *op, left)
            }
            Expr::InList(list) => {
                list.list.len() <= MAX_LIST
                    && list.list.iter().all(|value| self.compares(&list.expr, Operator::Eq, value))
            }
            Expr::Between(between) => {
                self.compares(&between.expr, Operator::Lt, &between.low)
                    && self.compares(&between.expr, Operator::Lt, &between.high)
            }
            // A masked cell is empty where the true one is.
            Expr::IsNull(inner) | Expr::IsNotNull(inner) => {
                matches!(inner.as_ref(), Expr::Column(column) if self.plain.contains(&column.name))
            }
            Expr::Column(column) => self.plain.contains(&column.name),
            // What the engine makes of a comparison with NULL.
            Expr::Literal(ScalarValue::Boolean(_) | ScalarValue::Null, _) => true,
            _ => false,
        }
    }

    fn compares(&self, column: &Expr, operator: Operator, value: &Expr) -> bool {
        let (Expr::Column(column), Expr::Literal(value, _)) = (column, value) else { return false };
        let Ok(field) = self.schema.field_with_name(&column.name) else { return false };
        let orders = matches!(operator, Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq);
        let equals = matches!(operator, Operator::Eq | Operator::NotEq);
        same_type(value, field.data_type())
            && (self.plain.contains(&column.name) && (orders || equals)
                || self.matched.contains(&column.name) && equals)
    }
}

fn same_type(value: &ScalarValue, wanted: &datafusion::arrow::datatypes::DataType) -> bool {
    value.data_type() == *wanted
}

#[cfg(test)]
mod tests {
    use std::ops::Not;

    use datafusion::arrow::datatypes::{DataType, Field};
    use datafusion::prelude::{cast, col, lit};

    use super::*;

    fn admits(predicate: &Expr) -> bool {
        let schema = Schema::new(vec![
            Field::new("town", DataType::Utf8, true),
            Field::new("citizen_id", DataType::Utf8, true),
            Field::new("name", DataType::Utf8, true),
            Field::new("amount", DataType::Int64, true),
        ]);
        let plain = ["town", "amount"].map(str::to_owned).into();
        let matched = ["citizen_id"].map(str::to_owned).into();
        Leakproof { schema: &schema, plain: &plain, matched: &matched }.admits(predicate)
    }

    #[test]
    fn comparisons_with_constants_pass() {
        for predicate in [
            col("town").eq(lit("532901")),
            lit(3_i64).lt(col("amount")),
            col("town").in_list(vec![lit("a"), lit("b")], false),
            col("amount").between(lit(1_i64), lit(9_i64)),
            col("town").is_null().or(col("amount").gt_eq(lit(0_i64))),
            col("town").eq(lit("a")).not(),
            col("citizen_id").eq(lit("532901199003071234")),
            col("citizen_id").in_list(vec![lit("a")], false),
            col("town").eq(lit("a")).or(lit(ScalarValue::Boolean(None))),
        ] {
            assert!(admits(&predicate), "{predicate}");
        }
    }

    #[test]
    fn whatever_may_fail_or_tell_more_does_not() {
        for predicate in [
            cast(col("town"), DataType::Int64).eq(lit(1_i64)),
            (lit(1_i64) / col("amount")).gt(lit(0_i64)),
            col("amount").eq(col("amount")),
            col("amount").eq(lit("1")),
            col("town").like(lit("5%")),
            // Masked: the order of the true values would tell them digit by digit.
            col("citizen_id").lt(lit("5")),
            col("citizen_id").between(lit("a"), lit("b")),
            col("name").eq(lit("a")),
            col("name").is_null(),
            col("town").eq(lit("a")).and(col("name").eq(lit("b"))),
        ] {
            assert!(!admits(&predicate), "{predicate}");
        }
    }
}
