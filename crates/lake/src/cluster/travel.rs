//! Which questions may leave the gateway at all, by their logical plan.
//!
//! A question that the engine answers otherwise when it is cut into parts stays. So does one that asks for any rows,
//! which one process finds sooner than a cluster does.

use datafusion::common::Result;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, LogicalPlan};

use crate::session::{SCHEMA, is_engines};

/// Functions whose result hangs on the order in which rows come, which several machines do not keep.
const BY_ORDER: [&str; 6] =
    ["any_value", "array_agg", "first_value", "last_value", "nth_value", "string_agg"];

/// Whether several machines answer the question as one process does.
pub(crate) fn may_travel(plan: &LogicalPlan) -> Result<bool> {
    let mut may = true;
    plan.apply_with_subqueries(|node| {
        may &= node_may(node);
        node.apply_expressions(|expr| {
            expr.apply(|part| {
                may &= expression_may(part);
                Ok(if may { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
            })
        })?;
        Ok(if may { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    })?;
    Ok(may)
}

fn node_may(node: &LogicalPlan) -> bool {
    match node {
        // The catalogues lie in the gateway's memory alone.
        LogicalPlan::TableScan(scan) => scan.table_name.schema().is_none_or(|schema| schema == SCHEMA),
        LogicalPlan::Limit(limit) => is_ordered(&limit.input),
        LogicalPlan::RecursiveQuery(_) | LogicalPlan::Extension(_) => false,
        _ => true,
    }
}

/// Whether the rows come in an order that the asker named.
fn is_ordered(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Sort(_) => true,
        LogicalPlan::Projection(projection) => is_ordered(&projection.input),
        LogicalPlan::SubqueryAlias(alias) => is_ordered(&alias.input),
        _ => false,
    }
}

fn expression_may(expr: &Expr) -> bool {
    match expr {
        // Elsewhere it becomes a join, which would double rows where one process says that there are too many.
        Expr::ScalarSubquery(inner) => inner.subquery.max_rows().is_some_and(|rows| rows <= 1),
        Expr::ScalarFunction(call) => is_engines(call.name()),
        Expr::AggregateFunction(call) => !BY_ORDER.contains(&call.func.name()),
        Expr::WindowFunction(call) => !BY_ORDER.contains(&call.fun.name()),
        Expr::HigherOrderFunction(_) => false,
        _ => true,
    }
}
