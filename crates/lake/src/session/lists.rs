//! Lists that an asker compares with: `= ANY($1)`, `<> ALL('{a,b}')`.
//!
//! PostgreSQL takes the type of such a list from what it is compared with. The engine chooses its functions over lists
//! before it knows the types of parameters, and knows no list that is written as text; so a list is first cast to what
//! the asker says it is, or to texts, and the plan then says what it must be.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Cast, Expr, ExprSchemable, LogicalPlan};
use datafusion::sql::sqlparser::ast::{
    Array, ArrayElemTypeDef, BinaryOperator, CastKind, DataType as SqlType, ExactNumberInfo, Expr as SqlExpr,
    FunctionArg, FunctionArgExpr, FunctionArguments, Statement as SqlStatement, TimezoneInfo, Value,
    visit_expressions_mut,
};

use crate::cells::CellKind;

/// The function that `= ANY` becomes, and the name that a rule of the catalogues writes for it.
const HAS: &str = "array_has";
const CONTAINS: &str = "array_contains";
/// The function that a list of constants becomes.
const MAKE: &str = "make_array";

/// Casts each list of a statement: a parameter to what `declared` says it is, and to texts where it says nothing, as
/// does a list that is written as text.
pub(super) fn cast(statement: &mut SqlStatement, declared: &[Option<CellKind>]) {
    let _: ControlFlow<()> = visit_expressions_mut(statement, |expr| {
        match expr {
            SqlExpr::AnyOp { right, compare_op: BinaryOperator::Eq, .. }
            | SqlExpr::AllOp { right, compare_op: BinaryOperator::NotEq, .. } => as_texts(right),
            SqlExpr::Function(call) if call.name.to_string().eq_ignore_ascii_case(CONTAINS) => {
                if let FunctionArguments::List(list) = &mut call.args
                    && let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(first))) = list.args.first_mut()
                {
                    as_texts(first);
                }
            }
            SqlExpr::Value(value) => {
                if let Value::Placeholder(name) = &value.value
                    && let Some(item) = declared_item(name, declared)
                {
                    *expr = cast_to_list(expr.clone(), item);
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    });
}

/// Of what a parameter is a list, if the asker says that it is one.
fn declared_item(name: &str, declared: &[Option<CellKind>]) -> Option<SqlType> {
    let place: usize = name.strip_prefix('$')?.parse().ok()?;
    let Some(CellKind::List(item)) = declared.get(place.checked_sub(1)?)? else { return None };
    Some(match item.as_ref() {
        CellKind::Bool => SqlType::Boolean,
        CellKind::Int2 | CellKind::Int4 | CellKind::Int8 => SqlType::BigInt(None),
        CellKind::Float4 | CellKind::Float8 => SqlType::DoublePrecision,
        CellKind::Numeric => SqlType::Numeric(ExactNumberInfo::PrecisionAndScale(38, 10)),
        CellKind::Text => SqlType::Text,
        CellKind::Bytes => SqlType::Bytea,
        CellKind::Date => SqlType::Date,
        CellKind::Time => SqlType::Time(None, TimezoneInfo::None),
        CellKind::Timestamp => SqlType::Timestamp(None, TimezoneInfo::None),
        CellKind::Instant => SqlType::Timestamp(None, TimezoneInfo::WithTimeZone),
        CellKind::Interval | CellKind::List(_) => return None,
    })
}

/// A list of which nobody says what it is: a parameter, or one that is written as text.
fn as_texts(list: &mut SqlExpr) {
    while let SqlExpr::Nested(inner) = list {
        *list = inner.as_ref().clone();
    }
    let SqlExpr::Value(value) = list else { return };
    let written = match &value.value {
        Value::Placeholder(_) => list.clone(),
        Value::SingleQuotedString(text) => match items(text) {
            Some(items) => array(items),
            None => return,
        },
        _ => return,
    };
    *list = cast_to_list(written, SqlType::Text);
}

fn array(items: Vec<Option<String>>) -> SqlExpr {
    let value = |item: Option<String>| SqlExpr::value(item.map_or(Value::Null, Value::SingleQuotedString));
    SqlExpr::Array(Array { elem: items.into_iter().map(value).collect(), named: true })
}

fn cast_to_list(expr: SqlExpr, item: SqlType) -> SqlExpr {
    SqlExpr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(expr),
        data_type: SqlType::Array(ArrayElemTypeDef::SquareBracket(Box::new(item), None)),
        array: false,
        format: None,
    }
}

/// The items of `{1,NULL,"a b"}`, of one dimension; none if it is no such list.
fn items(written: &str) -> Option<Vec<Option<String>>> {
    let inside = written.trim().strip_prefix('{')?.strip_suffix('}')?;
    let mut items = Vec::new();
    let mut letters = inside.chars().peekable();
    while letters.peek().is_some() {
        let (mut word, mut quoted) = (String::new(), false);
        loop {
            match letters.next() {
                None | Some(',') => break,
                Some('"') => {
                    quoted = true;
                    while let Some(letter) = letters.next().filter(|letter| *letter != '"') {
                        word.push(if letter == '\\' { letters.next()? } else { letter });
                    }
                }
                Some('\\') => word.push(letters.next()?),
                Some('{' | '}') => return None,
                Some(other) => word.push(other),
            }
        }
        items.push(match quoted {
            true => Some(word),
            false => Some(word.trim().to_owned()).filter(|word| !word.eq_ignore_ascii_case("null")),
        });
    }
    Some(items)
}

/// The plan with each list of texts that is compared with something else cast to a list of that.
pub(super) fn typed(logical: LogicalPlan) -> Result<LogicalPlan> {
    let wanted = wanted(&logical)?;
    let retyped = logical.transform_up_with_subqueries(|node| {
        let schema = merge_schema(&node.inputs());
        let names = NamePreserver::new(&node);
        node.map_expressions(|expr| {
            let name = names.save(&expr);
            let changed = expr.transform_up(|part| {
                Ok(match retype(&part, &schema, &wanted) {
                    Some(retyped) => Transformed::yes(retyped),
                    None => Transformed::no(part),
                })
            })?;
            Ok(changed.update_data(|expr| name.restore(expr)))
        })
    })?;
    Ok(retyped.data)
}

/// For each parameter that is a list of texts, with what it is compared.
fn wanted(logical: &LogicalPlan) -> Result<BTreeMap<String, DataType>> {
    let mut wanted = BTreeMap::new();
    logical.apply_with_subqueries(|node| {
        let schema = merge_schema(&node.inputs());
        node.apply_expressions(|expr| {
            expr.apply(|part| {
                if let Some((list, item)) = compared(part, &schema)
                    && let Expr::Placeholder(place) = list.expr.as_ref()
                {
                    wanted.insert(place.id.clone(), item);
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(wanted)
}

/// A part of a plan with its list of texts as a list of what it is compared with.
fn retype(part: &Expr, schema: &DFSchema, wanted: &BTreeMap<String, DataType>) -> Option<Expr> {
    if let Expr::Cast(list) = part
        && let Expr::Placeholder(place) = list.expr.as_ref()
        && is_list_of_texts(list)
    {
        return wanted.get(&place.id).map(|item| list_of(list, item));
    }
    let Some((list, item)) = compared(part, schema) else { return widened(part, schema) };
    let Expr::ScalarFunction(call) = part else { return None };
    let mut call = call.clone();
    *call.args.first_mut()? = list_of(list, &item);
    Some(Expr::ScalarFunction(call))
}

/// A whole number that is looked for among decimal ones, as one of these: the engine does not see to it.
fn widened(part: &Expr, schema: &DFSchema) -> Option<Expr> {
    let Expr::ScalarFunction(call) = part else { return None };
    let [list, item] = call.args.as_slice() else { return None };
    let DataType::List(items) = list.get_type(schema).ok()? else { return None };
    if call.name() != HAS || !items.data_type().is_decimal() || !item.get_type(schema).ok()?.is_integer() {
        return None;
    }
    let item = Expr::Cast(Cast::new(Box::new(item.clone()), items.data_type().clone()));
    let mut call = call.clone();
    *call.args.last_mut()? = item;
    Some(Expr::ScalarFunction(call))
}

/// The list of texts that a part of a plan looks something into, and of which type that is, if it is no text.
fn compared<'a>(part: &'a Expr, schema: &DFSchema) -> Option<(&'a Cast, DataType)> {
    let Expr::ScalarFunction(call) = part else { return None };
    let [Expr::Cast(list), item] = call.args.as_slice() else { return None };
    if call.name() != HAS || !is_list_of_texts(list) {
        return None;
    }
    let item = match item.get_type(schema).ok()? {
        DataType::Dictionary(_, value) => *value,
        other => other,
    };
    (!item.is_string() && !item.is_null() && !item.is_nested()).then_some((list, item))
}

/// Whether a list of texts is one that [`cast`] made, or might have: a list of cells is what its asker says it is.
fn is_list_of_texts(list: &Cast) -> bool {
    let constant = match list.expr.as_ref() {
        Expr::Placeholder(_) => true,
        Expr::ScalarFunction(call) => {
            call.name() == MAKE && call.args.iter().all(|item| matches!(item, Expr::Literal(..)))
        }
        _ => false,
    };
    constant && matches!(list.field.data_type(), DataType::List(item) if item.data_type().is_string())
}

fn list_of(list: &Cast, item: &DataType) -> Expr {
    let list_type = DataType::List(Arc::new(Field::new_list_field(item.clone(), true)));
    Expr::Cast(Cast::new(list.expr.clone(), list_type))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_as_text_are_read_as_postgresql_reads_them() {
        for (written, wanted) in [
            ("{}", Some(vec![])),
            ("{1, 2}", Some(vec![Some("1"), Some("2")])),
            ("{a,NULL,\"NULL\",\"\"}", Some(vec![Some("a"), None, Some("NULL"), Some("")])),
            ("{\"a,b\",\"c\\\"d\",e\\,f}", Some(vec![Some("a,b"), Some("c\"d"), Some("e,f")])),
            ("{{1},{2}}", None),
            ("1,2", None),
        ] {
            let read = items(written);
            let read: Option<Vec<Option<&str>>> =
                read.as_ref().map(|items| items.iter().map(Option::as_deref).collect());
            assert_eq!(read, wanted, "{written}");
        }
    }
}
