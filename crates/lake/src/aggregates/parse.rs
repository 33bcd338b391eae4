//! A question for aggregates from SQL. What is understood is built up; there is no list of what is refused.

use std::collections::BTreeSet;

use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, DataType, DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArgumentList, FunctionArguments, GroupByExpr, Ident, LimitClause, ObjectName, OrderByExpr,
    OrderByKind, Query, Select, SelectItem, SetExpr, Statement as SqlStatement, TableFactor, TableWithJoins,
    TypedString, UnaryOperator, Value,
};
use kernel::time::Timestamp;

use super::query::{AggregateQuery, Item, Order, Output};
use crate::policy::{Comparison, RowRule, Scalar};
use crate::schema::{Kind, Schema};
use crate::{LakeError, TableId};

/// The question that a statement asks. `shown` are the columns as the asker sees them, `entity` the column that
/// names the entities.
pub(super) fn query(
    statement: &Statement,
    table: &TableId,
    shown: &Schema,
    entity: &str,
) -> Result<AggregateQuery, LakeError> {
    let Statement::Statement(statement) = statement else { return no("it is no query") };
    let SqlStatement::Query(query) = statement.as_ref() else { return no("it is no query") };
    Parser { shown, entity, table }.query(query)
}

fn no<T>(text: &str) -> Result<T, LakeError> {
    Err(LakeError::NotAggregate(text.to_owned()))
}

struct Parser<'a> {
    shown: &'a Schema,
    entity: &'a str,
    table: &'a TableId,
}

impl Parser<'_> {
    fn query(&self, query: &Query) -> Result<AggregateQuery, LakeError> {
        // Every part is named, so that one which the parser learns does not go by unseen.
        let Query {
            with: None,
            body,
            order_by,
            limit_clause,
            fetch: None,
            locks,
            for_clause: None,
            settings: None,
            format_clause: None,
            pipe_operators,
        } = query
        else {
            return no("it has a part that is not answered");
        };
        let SetExpr::Select(select) = body.as_ref() else { return no("it is not one SELECT") };
        if !locks.is_empty() || !pipe_operators.is_empty() {
            return no("it has a part that is not answered");
        }
        let mut asked = self.select(select)?;
        if let Some(order_by) = order_by {
            let OrderByKind::Expressions(orders) = &order_by.kind else {
                return no("it is ordered by no column");
            };
            for order in orders {
                let order = Self::order(order, &asked.columns)?;
                asked.order.push(order);
            }
        }
        asked.limit = match limit_clause {
            None => None,
            Some(LimitClause::LimitOffset { limit: Some(limit), offset: None, limit_by })
                if limit_by.is_empty() =>
            {
                let Some(limit) = whole(limit).and_then(|limit| usize::try_from(limit).ok()) else {
                    return no("the limit is no number");
                };
                Some(limit)
            }
            Some(_) => return no("the limit is more than a number"),
        };
        Ok(asked)
    }

    fn select(&self, select: &Select) -> Result<AggregateQuery, LakeError> {
        let Select {
            select_token: _,
            optimizer_hints: _,
            distinct: None,
            select_modifiers: None,
            top: None,
            top_before_distinct: _,
            projection,
            exclude: None,
            into: None,
            from,
            lateral_views,
            prewhere: None,
            selection,
            connect_by,
            group_by,
            cluster_by,
            distribute_by,
            sort_by,
            having: None,
            named_window,
            qualify: None,
            window_before_qualify: _,
            value_table_mode: None,
            flavor: _,
        } = select
        else {
            return no("it has a part that is not answered");
        };
        let empty = lateral_views.is_empty()
            && connect_by.is_empty()
            && cluster_by.is_empty()
            && distribute_by.is_empty()
            && sort_by.is_empty()
            && named_window.is_empty();
        if !empty {
            return no("it has a part that is not answered");
        }
        self.from(from)?;
        let GroupByExpr::Expressions(groups, modifiers) = group_by else {
            return no("GROUP BY names no columns");
        };
        if !modifiers.is_empty() {
            return no("GROUP BY names more than columns");
        }
        let groups = groups.iter().map(|expr| self.column(expr)).collect::<Result<BTreeSet<_>, _>>()?;
        let columns = projection.iter().map(|item| self.output(item)).collect::<Result<Vec<_>, _>>()?;
        let filter = selection.as_ref().map(|expr| self.rule(expr)).transpose()?;
        Ok(AggregateQuery {
            table: self.table.clone(),
            columns,
            filter,
            groups,
            order: Vec::new(),
            limit: None,
        })
    }

    fn from(&self, from: &[TableWithJoins]) -> Result<(), LakeError> {
        let [TableWithJoins { relation, joins }] = from else { return no("it is not of one table") };
        let TableFactor::Table {
            name,
            alias: None,
            args: None,
            with_hints,
            version: None,
            with_ordinality: false,
            partitions,
            json_path: None,
            sample: None,
            index_hints,
        } = relation
        else {
            return no("it is not of one table by its name");
        };
        let plain = joins.is_empty()
            && with_hints.is_empty()
            && partitions.is_empty()
            && index_hints.is_empty()
            && one_name(name).as_deref() == Some(self.table.as_str());
        if plain { Ok(()) } else { Err(LakeError::NotAggregate(format!("`{}` alone is asked", self.table))) }
    }

    fn column(&self, expr: &Expr) -> Result<String, LakeError> {
        let Expr::Identifier(ident) = expr else { return no("it uses more than columns by their names") };
        Ok(folded(ident))
    }

    fn output(&self, item: &SelectItem) -> Result<Output, LakeError> {
        let (expr, alias) = match item {
            SelectItem::UnnamedExpr(expr) => (expr, None),
            SelectItem::ExprWithAlias { expr, alias } => (expr, Some(folded(alias))),
            _ => return no("its columns are not named one by one"),
        };
        let item = match expr {
            Expr::Function(function) => self.aggregate(function)?,
            other => Item::Group(self.column(other)?),
        };
        let name = alias.unwrap_or_else(|| match &item {
            Item::Group(column) => column.clone(),
            Item::Rows | Item::Entities | Item::Filled(_) => "count".to_owned(),
            Item::Sum(_) => "sum".to_owned(),
            Item::Average(_) => "avg".to_owned(),
        });
        Ok(Output { name, item })
    }

    fn aggregate(&self, function: &Function) -> Result<Item, LakeError> {
        let Function {
            name,
            uses_odbc_syntax: false,
            parameters: FunctionArguments::None,
            args: FunctionArguments::List(FunctionArgumentList { duplicate_treatment, args, clauses }),
            filter: None,
            null_treatment: None,
            over: None,
            within_group,
        } = function
        else {
            return no("an aggregate has a part that is not answered");
        };
        let [FunctionArg::Unnamed(arg)] = args.as_slice() else { return no("an aggregate is of one column") };
        if !clauses.is_empty() || !within_group.is_empty() {
            return no("an aggregate has a part that is not answered");
        }
        let distinct = *duplicate_treatment == Some(DuplicateTreatment::Distinct);
        let name = one_name(name).unwrap_or_default();
        match (name.as_str(), distinct, arg) {
            ("count", false, FunctionArgExpr::Wildcard) => Ok(Item::Rows),
            ("count", true, FunctionArgExpr::Expr(expr)) => match self.column(expr)? == self.entity {
                true => Ok(Item::Entities),
                false => Err(LakeError::NotAggregate(format!(
                    "different values are counted of `{}` alone",
                    self.entity
                ))),
            },
            ("count", false, FunctionArgExpr::Expr(expr)) => self.column(expr).map(Item::Filled),
            ("sum", false, FunctionArgExpr::Expr(expr)) => self.column(expr).map(Item::Sum),
            ("avg", false, FunctionArgExpr::Expr(expr)) => self.column(expr).map(Item::Average),
            _ => no("COUNT, SUM and AVG of a column are the aggregates"),
        }
    }

    fn order(order: &OrderByExpr, columns: &[Output]) -> Result<Order, LakeError> {
        let OrderByExpr { expr, options, with_fill: None } = order else {
            return no("it is ordered by more");
        };
        if options.nulls_first.is_some() {
            return no("empty cells come last");
        }
        let column = match expr {
            Expr::Identifier(ident) => {
                let name = folded(ident);
                columns.iter().position(|output| output.name == name)
            }
            other => whole(other).and_then(|place| usize::try_from(place).ok()?.checked_sub(1)),
        };
        let Some(column) = column.filter(|column| *column < columns.len()) else {
            return no("it is ordered by something else than a column of the answer");
        };
        Ok(Order { column, descending: options.asc == Some(false) })
    }

    fn rule(&self, expr: &Expr) -> Result<RowRule, LakeError> {
        Ok(match expr {
            Expr::Nested(inner) => self.rule(inner)?,
            Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
                RowRule::All(vec![self.rule(left)?, self.rule(right)?])
            }
            Expr::BinaryOp { left, op: BinaryOperator::Or, right } => {
                RowRule::Any(vec![self.rule(left)?, self.rule(right)?])
            }
            Expr::BinaryOp { left, op, right } => {
                let Some(is) = comparison(op) else { return no("it is filtered by more than comparisons") };
                match (self.kind(left), self.kind(right)) {
                    (Some((column, kind)), None) => {
                        RowRule::Compare { column, is, value: constant(right, kind)? }
                    }
                    (None, Some((column, kind))) => {
                        RowRule::Compare { column, is: mirrored(is), value: constant(left, kind)? }
                    }
                    _ => return no("it is filtered by something else than a column and a constant"),
                }
            }
            Expr::UnaryOp { op: UnaryOperator::Not, expr } => RowRule::Not(Box::new(self.rule(expr)?)),
            Expr::InList { expr, list, negated } => {
                let (column, kind) = self.known(expr)?;
                let values = list.iter().map(|value| constant(value, kind)).collect::<Result<_, _>>()?;
                negate(RowRule::In { column, values }, *negated)
            }
            Expr::Between { expr, negated, low, high } => {
                let (column, kind) = self.known(expr)?;
                let from = RowRule::Compare {
                    column: column.clone(),
                    is: Comparison::AtLeast,
                    value: constant(low, kind)?,
                };
                let to = RowRule::Compare { column, is: Comparison::AtMost, value: constant(high, kind)? };
                negate(RowRule::All(vec![from, to]), *negated)
            }
            Expr::IsNull(expr) => RowRule::Empty { column: self.known(expr)?.0 },
            Expr::IsNotNull(expr) => negate(RowRule::Empty { column: self.known(expr)?.0 }, true),
            Expr::Identifier(_) => {
                let (column, _) = self.known(expr)?;
                RowRule::equal(&column, Scalar::Boolean(true))
            }
            _ => return no("it is filtered by more than columns and constants"),
        })
    }

    fn kind(&self, expr: &Expr) -> Option<(String, Kind)> {
        let Expr::Identifier(ident) = expr else { return None };
        let name = folded(ident);
        self.shown.column(&name).map(|column| (name, column.kind))
    }

    fn known(&self, expr: &Expr) -> Result<(String, Kind), LakeError> {
        match self.kind(expr) {
            Some(known) => Ok(known),
            None => no("it is filtered by something else than a column"),
        }
    }
}

fn negate(rule: RowRule, negated: bool) -> RowRule {
    if negated { RowRule::Not(Box::new(rule)) } else { rule }
}

/// Names are folded as PostgreSQL does.
fn folded(ident: &Ident) -> String {
    match ident.quote_style {
        Some(_) => ident.value.clone(),
        None => ident.value.to_lowercase(),
    }
}

fn one_name(name: &ObjectName) -> Option<String> {
    let [part] = name.0.as_slice() else { return None };
    part.as_ident().map(folded)
}

fn comparison(op: &BinaryOperator) -> Option<Comparison> {
    Some(match op {
        BinaryOperator::Eq => Comparison::Equal,
        BinaryOperator::NotEq => Comparison::NotEqual,
        BinaryOperator::Lt => Comparison::Less,
        BinaryOperator::LtEq => Comparison::AtMost,
        BinaryOperator::Gt => Comparison::More,
        BinaryOperator::GtEq => Comparison::AtLeast,
        _ => return None,
    })
}

fn mirrored(is: Comparison) -> Comparison {
    match is {
        Comparison::Less => Comparison::More,
        Comparison::AtMost => Comparison::AtLeast,
        Comparison::More => Comparison::Less,
        Comparison::AtLeast => Comparison::AtMost,
        same @ (Comparison::Equal | Comparison::NotEqual) => same,
    }
}

fn whole(expr: &Expr) -> Option<i64> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(text, _) => text.parse().ok(),
            _ => None,
        },
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => whole(expr)?.checked_neg(),
        _ => None,
    }
}

fn text(expr: &Expr) -> Option<&str> {
    let value = match expr {
        Expr::Value(value) => &value.value,
        Expr::TypedString(TypedString {
            data_type: DataType::Date | DataType::Timestamp(..), value, ..
        }) => &value.value,
        _ => return None,
    };
    match value {
        Value::SingleQuotedString(text) => Some(text),
        _ => None,
    }
}

fn constant(expr: &Expr, kind: Kind) -> Result<Scalar, LakeError> {
    let scalar = match kind {
        Kind::Text => match expr {
            Expr::Value(_) => text(expr).map(|text| Scalar::Text(text.to_owned())),
            _ => None,
        },
        Kind::Integer | Kind::Decimal(_) => whole(expr).map(Scalar::Integer),
        Kind::Boolean => match expr {
            Expr::Value(value) => match value.value {
                Value::Boolean(yes) => Some(Scalar::Boolean(yes)),
                _ => None,
            },
            _ => None,
        },
        Kind::Date => text(expr).and_then(|text| text.parse().ok()).map(Scalar::Date),
        Kind::Timestamp => text(expr).and_then(|text| Timestamp::parse(text).ok()).map(Scalar::Timestamp),
        Kind::Float => None,
    };
    scalar.ok_or_else(|| LakeError::NotAggregate(format!("a constant does not fit a column of {kind}")))
}
