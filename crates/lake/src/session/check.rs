//! What a statement must be, as a tree and as a plan, before it is run.

use std::collections::BTreeSet;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::execution::context::SQLOptions;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{Query, SetExpr, Statement as SqlStatement};

use super::{functions, run};
use crate::LakeError;
use crate::barrier::governed::MATCHED;
use crate::error::Refusal;

/// Whether a statement is a query that only reads.
pub(super) fn statement(statement: &Statement) -> Result<(), LakeError> {
    match statement {
        Statement::Statement(inner) => match inner.as_ref() {
            SqlStatement::Query(query) if is_select(query) => Ok(()),
            SqlStatement::Explain { .. } | SqlStatement::ExplainTable { .. } => {
                Err(LakeError::Refused(Refusal::Explain))
            }
            _ => Err(LakeError::Refused(Refusal::NotAQuery)),
        },
        Statement::Explain(_) => Err(LakeError::Refused(Refusal::Explain)),
        _ => Err(LakeError::Refused(Refusal::NotAQuery)),
    }
}

/// Whether the plan only reads and calls no function but those that are allowed, and those in `also`. Tables need no look: the session
/// knows governed ones alone.
pub(super) fn check(plan: &LogicalPlan, also: &BTreeSet<String>) -> Result<(), LakeError> {
    SQLOptions::new()
        .with_allow_ddl(false)
        .with_allow_dml(false)
        .with_allow_statements(false)
        .verify_plan(plan)
        .map_err(|_| LakeError::Refused(Refusal::NotAQuery))?;
    let mut refusal = None;
    let walked = plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            expr.apply(|part| {
                if let Some(name) = called(part)
                    && !functions::is_allowed(name)
                    && !also.contains(name)
                {
                    refusal = Some(Refusal::Function);
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })?;
        if matches!(
            node,
            LogicalPlan::Explain(_)
                | LogicalPlan::Analyze(_)
                | LogicalPlan::DescribeTable(_)
                | LogicalPlan::Extension(_)
        ) {
            refusal = Some(Refusal::Explain);
        }
        Ok(TreeNodeRecursion::Continue)
    });
    walked.map_err(run)?;
    match refusal {
        Some(refusal) => Err(LakeError::Refused(refusal)),
        None => Ok(()),
    }
}

/// What is looked up by its true value may be compared with constants alone, which the barrier has then taken
/// below. A comparison that is left above would look at the mask and answer wrongly, so it is refused.
pub(crate) fn matches(plan: &LogicalPlan) -> Result<(), LakeError> {
    let mut misplaced = None;
    let walked = plan.apply_with_subqueries(|node| {
        if !matches!(node, LogicalPlan::Filter(_) | LogicalPlan::Join(_)) {
            return Ok(TreeNodeRecursion::Continue);
        }
        let inputs = node.inputs();
        node.apply_expressions(|expr| {
            expr.apply(|part| {
                if let Expr::Column(column) = part {
                    let marked = inputs.iter().any(|input| {
                        input
                            .schema()
                            .field_with_name(column.relation.as_ref(), &column.name)
                            .is_ok_and(|field| field.metadata().contains_key(MATCHED))
                    });
                    if marked {
                        misplaced = Some(column.name.clone());
                    }
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    });
    walked.map_err(run)?;
    match misplaced {
        Some(column) => Err(LakeError::Matched(column)),
        None => Ok(()),
    }
}

/// Whether a query only reads: `WITH` may hold a `DELETE`, and `SELECT … INTO` makes a table.
fn is_select(query: &Query) -> bool {
    let named = query.with.iter().flat_map(|with| &with.cte_tables);
    named.map(|named| named.query.as_ref()).all(is_select) && selects(&query.body)
}

fn selects(body: &SetExpr) -> bool {
    match body {
        SetExpr::Select(select) => select.into.is_none(),
        SetExpr::Query(query) => is_select(query),
        SetExpr::SetOperation { left, right, .. } => selects(left) && selects(right),
        SetExpr::Values(_) => true,
        _ => false,
    }
}

/// The name of the function that an expression calls.
fn called(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::ScalarFunction(call) => Some(call.name()),
        Expr::AggregateFunction(call) => Some(call.func.name()),
        Expr::WindowFunction(call) => Some(call.fun.name()),
        Expr::HigherOrderFunction(call) => Some(call.name()),
        _ => None,
    }
}
