//! What is looked up in tables that are always empty, in words that the engine knows.
//!
//! Clients ask for keys, indexes and defaults with what the engine lacks: `unnest` beside `generate_subscripts`, rows of
//! functions, `json_build_object`. There are none here, so that whatever is selected from them has no rows, however it
//! is written; only its columns need their names.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, GroupByExpr, Ident, JoinOperator, ObjectName, ObjectNamePart, Query, Select, SelectItem, SetExpr,
    Statement as SqlStatement, TableFactor, TableWithJoins, Value, Visit, VisitMut, Visitor, VisitorMut,
};

/// Tables that are there and hold nothing, because nothing of their sort is there.
pub(super) const EMPTY: &[&str] = &[
    "pg_attrdef",
    "pg_constraint",
    "pg_default_acl",
    "pg_depend",
    "pg_enum",
    "pg_event_trigger",
    "pg_foreign_data_wrapper",
    "pg_foreign_server",
    "pg_foreign_table",
    "pg_index",
    "pg_inherits",
    "pg_partitioned_table",
    "pg_policy",
    "pg_publication",
    "pg_publication_namespace",
    "pg_publication_rel",
    "pg_rewrite",
    "pg_sequence",
    "pg_statistic_ext",
    "pg_trigger",
];

/// Functions that make one row of none.
const AGGREGATES: &[&str] = &[
    "array_agg",
    "avg",
    "bool_and",
    "bool_or",
    "count",
    "every",
    "json_agg",
    "json_object_agg",
    "jsonb_agg",
    "max",
    "min",
    "string_agg",
    "sum",
];

/// Puts what selects from an empty table into other words. A subquery for one cell that speaks of the row around it, which
/// the engine cannot ask, is NULL: only look-ups come here.
pub(super) fn put(statement: &mut SqlStatement) {
    let _: ControlFlow<()> = statement.visit(&mut Putting);
}

struct Putting;

impl VisitorMut for Putting {
    type Break = ();

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        if let SetExpr::Select(select) = query.body.as_mut() {
            if put_select(select) {
                (query.with, query.order_by, query.limit_clause, query.fetch) = (None, None, None, None);
            }
        } else {
            put_parts(&mut query.body);
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let put = match expr {
            Expr::Subquery(query) if holds_nothing(query) || hangs_on_its_row(query) => Value::Null,
            Expr::Exists { subquery, negated } | Expr::InSubquery { subquery, negated, .. }
                if holds_nothing(subquery) =>
            {
                Value::Boolean(*negated)
            }
            _ => return ControlFlow::Continue(()),
        };
        *expr = Expr::value(put);
        ControlFlow::Continue(())
    }
}

/// The parts of a UNION and the like.
fn put_parts(body: &mut SetExpr) {
    match body {
        SetExpr::Select(select) => {
            put_select(select);
        }
        SetExpr::SetOperation { left, right, .. } => {
            put_parts(left);
            put_parts(right);
        }
        _ => {}
    }
}

/// Whether the columns alone are left of a selection.
fn put_select(select: &mut Select) -> bool {
    if !selects_nothing(select) {
        return false;
    }
    let Some(columns) = columns(&select.projection) else { return false };
    let column = |alias| SelectItem::ExprWithAlias { expr: Expr::value(Value::Null), alias };
    select.projection = columns.into_iter().map(column).collect();
    select.from = Vec::new();
    select.selection = Some(Expr::value(Value::Boolean(false)));
    select.group_by = GroupByExpr::Expressions(Vec::new(), Vec::new());
    (select.having, select.distinct) = (None, None);
    true
}

fn holds_nothing(query: &Query) -> bool {
    fn nothing(body: &SetExpr) -> bool {
        match body {
            SetExpr::Select(select) => selects_nothing(select),
            SetExpr::Query(query) => holds_nothing(query),
            SetExpr::SetOperation { left, right, .. } => nothing(left) && nothing(right),
            _ => false,
        }
    }
    nothing(&query.body)
}

fn selects_nothing(select: &Select) -> bool {
    let never = select.selection.as_ref().is_some_and(
        |condition| matches!(condition, Expr::Value(value) if value.value == Value::Boolean(false)),
    );
    (never || select.from.iter().any(joins_nothing)) && !makes_one_row(select)
}

/// Whether a join has no rows.
fn joins_nothing(joined: &TableWithJoins) -> bool {
    joined.joins.iter().fold(is_nothing(&joined.relation), |left, join| {
        let right = is_nothing(&join.relation);
        match join.join_operator {
            JoinOperator::Join(_) | JoinOperator::Inner(_) | JoinOperator::CrossJoin(_) => left || right,
            JoinOperator::Right(_) | JoinOperator::RightOuter(_) => right,
            JoinOperator::FullOuter(_) => left && right,
            _ => left,
        }
    })
}

fn is_nothing(table: &TableFactor) -> bool {
    match table {
        TableFactor::Table { name, args: None, .. } => {
            last(name).is_some_and(|name| EMPTY.contains(&name.value.to_ascii_lowercase().as_str()))
        }
        TableFactor::Derived { subquery, .. } => holds_nothing(subquery),
        TableFactor::NestedJoin { table_with_joins, .. } => joins_nothing(table_with_joins),
        _ => false,
    }
}

fn last(name: &ObjectName) -> Option<&Ident> {
    name.0.last().and_then(ObjectNamePart::as_ident)
}

/// Whether a selection has one row, whatever it selects from: an aggregate of everything.
fn makes_one_row(select: &Select) -> bool {
    let grouped =
        !matches!(&select.group_by, GroupByExpr::Expressions(by, more) if by.is_empty() && more.is_empty());
    !grouped && aggregates(&select.projection)
}

fn aggregates(projection: &[SelectItem]) -> bool {
    struct Finding(bool);
    impl Visitor for Finding {
        type Break = ();
        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            if let Expr::Function(call) = expr
                && let Some(name) = last(&call.name)
            {
                self.0 |= AGGREGATES.contains(&name.value.to_ascii_lowercase().as_str());
            }
            ControlFlow::Continue(())
        }
    }
    let mut finding = Finding(false);
    for item in projection {
        let _: ControlFlow<()> = item.visit(&mut finding);
    }
    finding.0
}

/// What the columns of a selection are called, each by a name of its own; none if that is not to be seen from it.
fn columns(projection: &[SelectItem]) -> Option<Vec<Ident>> {
    let mut taken = BTreeSet::new();
    let mut columns = Vec::new();
    for item in projection {
        let mut name = match item {
            SelectItem::ExprWithAlias { alias, .. } => alias.clone(),
            SelectItem::UnnamedExpr(expr) => called(expr),
            _ => return None,
        };
        while !taken.insert(name.value.to_ascii_lowercase()) {
            name.value.push('_');
        }
        columns.push(name);
    }
    Some(columns)
}

/// What PostgreSQL calls a column without a name.
fn called(expr: &Expr) -> Ident {
    let nameless = || Ident::with_quote('"', "?column?");
    match expr {
        Expr::Identifier(name) => name.clone(),
        Expr::CompoundIdentifier(names) => names.last().cloned().unwrap_or_else(nameless),
        Expr::Function(call) => last(&call.name).cloned().unwrap_or_else(nameless),
        Expr::Cast { expr, .. } | Expr::Nested(expr) => called(expr),
        Expr::Case { .. } => Ident::with_quote('"', "case"),
        _ => nameless(),
    }
}

/// Whether a subquery for one cell speaks of the row around it, but for an aggregate, of which the engine makes a join.
fn hangs_on_its_row(query: &Query) -> bool {
    /// What a subquery and those within it select from, and what their columns are said to be of.
    #[derive(Default)]
    struct Finding {
        tables: BTreeSet<String>,
        spoken_of: BTreeSet<String>,
    }
    impl Visitor for Finding {
        type Break = ();
        fn pre_visit_table_factor(&mut self, table: &TableFactor) -> ControlFlow<()> {
            let (name, alias) = match table {
                TableFactor::Table { name, alias, .. } => (last(name), alias),
                TableFactor::Derived { alias, .. } | TableFactor::UNNEST { alias, .. } => (None, alias),
                _ => return ControlFlow::Continue(()),
            };
            let name = alias.as_ref().map(|alias| &alias.name).or(name);
            self.tables.extend(name.map(|name| name.value.to_ascii_lowercase()));
            ControlFlow::Continue(())
        }
        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            if let Expr::CompoundIdentifier(names) = expr {
                let table = names.len().checked_sub(2).and_then(|place| names.get(place));
                self.spoken_of.extend(table.map(|name| name.value.to_ascii_lowercase()));
            }
            ControlFlow::Continue(())
        }
    }
    let one_row = matches!(query.body.as_ref(), SetExpr::Select(select) if makes_one_row(select));
    let mut finding = Finding::default();
    let _: ControlFlow<()> = query.visit(&mut finding);
    !one_row && !finding.spoken_of.is_subset(&finding.tables)
}

#[cfg(test)]
mod tests {
    use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
    use datafusion::sql::sqlparser::parser::Parser;

    use super::*;

    fn after(sql: &str) -> String {
        let mut statement = Parser::parse_sql(&PostgreSqlDialect {}, sql).unwrap().remove(0);
        put(&mut statement);
        statement.to_string()
    }

    #[test]
    fn what_selects_from_an_empty_table_keeps_its_columns_alone() {
        for (sql, wanted) in [
            (
                "SELECT c.oid, unnest(i.indkey) AS k FROM pg_class c JOIN pg_catalog.pg_index i ON true ORDER BY c.oid",
                "SELECT NULL AS oid, NULL AS k WHERE false",
            ),
            (
                "SELECT r.a FROM (SELECT (f(i.indkey)).n AS a FROM pg_index i) r WHERE r.a = 1",
                "SELECT NULL AS a WHERE false",
            ),
            (
                "SELECT a, max(b) FROM pg_index, pg_class GROUP BY a",
                "SELECT NULL AS a, NULL AS max WHERE false",
            ),
            (
                "SELECT 1 FROM pg_class c WHERE EXISTS (SELECT 1 FROM pg_trigger) OR c.x IN (SELECT y FROM pg_index)",
                "SELECT 1 FROM pg_class c WHERE false OR false",
            ),
            (
                "SELECT CASE WHEN a THEN (SELECT json_build_object('x', s.y) FROM pg_sequence s) END FROM pg_class",
                "SELECT CASE WHEN a THEN NULL END FROM pg_class",
            ),
            (
                "SELECT (SELECT t.typname FROM pg_type t WHERE t.oid = c.reltype) FROM pg_class c",
                "SELECT NULL FROM pg_class c",
            ),
        ] {
            assert_eq!(after(sql), wanted);
        }
    }

    #[test]
    fn what_may_have_rows_stays_as_it_is() {
        for sql in [
            "SELECT count(*) FROM pg_index",
            "SELECT * FROM pg_index",
            "SELECT c.oid FROM pg_class AS c LEFT JOIN pg_index AS i ON c.oid = i.indrelid",
            "SELECT c.oid FROM pg_index AS i RIGHT JOIN pg_class AS c ON c.oid = i.indrelid",
            "SELECT c.oid FROM pg_class AS c WHERE c.oid = (SELECT max(t.oid) FROM pg_type AS t)",
        ] {
            assert_eq!(after(sql), sql);
        }
    }
}
