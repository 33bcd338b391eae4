//! Prepared statements: a query with places for values, which are given when it is run.
//!
//! A value takes the place of its parameter as a constant of the type that the plan expects. So a comparison with a
//! parameter is checked, and let below the barrier, just as one with a constant is; and a parameter can hold nothing
//! but a value.

use std::collections::BTreeMap;
use std::future::Future;
use std::ops::ControlFlow;
use std::time::Duration;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::ParamValues;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    Expr as SqlExpr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments, Ident,
    ObjectName, Value, ValueWithSpan, visit_expressions_mut,
};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use super::{SCHEMA, Session, check, lists, plan, run};
use crate::LakeError;
use crate::answer::Answer;
use crate::cells::{Cell, CellKind, shown_as};
use crate::error::Limit;
use crate::lineage::Lineage;

/// The most parameters of a statement.
const MAX_PARAMETERS: usize = 2_000;

/// A statement that was understood, of one session.
#[derive(Clone)]
pub struct Prepared {
    plan: LogicalPlan,
    parameters: Vec<DataType>,
    columns: Vec<(String, CellKind)>,
    tables: Vec<String>,
}

impl Prepared {
    /// What each parameter holds, in order.
    pub fn parameters(&self) -> Vec<CellKind> {
        self.parameters.iter().map(|engine| shown_as(engine).0).collect()
    }

    /// The columns of the answer: what they are called and hold.
    pub fn columns(&self) -> &[(String, CellKind)] {
        &self.columns
    }

    /// The asker's names of the tables that it reads, the catalogue's own left out.
    pub fn tables(&self) -> &[String] {
        &self.tables
    }
}

impl Session {
    /// Understands a query, with `$1`, `$2` and so on in the place of values. `declared` says what the asker takes
    /// them for, where they say so; what the statement itself says goes before.
    pub async fn prepare(&self, sql: &str, declared: &[Option<CellKind>]) -> Result<Prepared, LakeError> {
        let statement = with_own_escapes(self.understand(sql, declared)?);
        let planning = async { self.context.state().statement_to_plan(statement).await.map_err(plan) };
        let logical = tokio::time::timeout(self.lake.limits().time, planning)
            .await
            .map_err(|_| LakeError::Limit(Limit::Time))??;
        let logical = lists::typed(logical).map_err(plan)?;
        check::check(&logical, &self.also)?;
        let parameters = parameters(&logical, declared, highest(sql))?;
        let typed = typed(&logical, &parameters)?;
        // Only what the engine makes of the types: nothing is run, and no table is looked into.
        let state = self.context.state();
        let analysed = state
            .analyzer()
            .execute_and_check(typed, &state.config_options().clone(), |_, _| {})
            .map_err(plan)?;
        let columns = analysed
            .schema()
            .fields()
            .iter()
            .map(|field| (field.name().clone(), shown_as(field.data_type()).0))
            .collect();
        let tables = tables(&logical)?;
        Ok(Prepared { plan: logical, parameters, columns, tables })
    }

    /// Runs what [`Session::prepare`] of this session understood, for `within` at the longest.
    pub async fn run(
        &self,
        prepared: &Prepared,
        values: &[Cell<'_>],
        within: Option<Duration>,
    ) -> Result<Answer, LakeError> {
        if values.len() != prepared.parameters.len() {
            return Err(LakeError::Parameter(values.len().min(prepared.parameters.len()) + 1));
        }
        let constants = values
            .iter()
            .zip(&prepared.parameters)
            .enumerate()
            .map(|(place, (value, wanted))| value.scalar(wanted).ok_or(LakeError::Parameter(place + 1)))
            .collect::<Result<Vec<_>, _>>()?;
        let logical = match constants.is_empty() {
            true => prepared.plan.clone(),
            false => prepared
                .plan
                .clone()
                .replace_params_with_values(&ParamValues::from(constants))
                .map_err(plan)?,
        };
        self.start(async { Ok(logical) }, within).await
    }

    /// Runs what `planning` comes to.
    pub(super) async fn start(
        &self,
        planning: impl Future<Output = Result<LogicalPlan, LakeError>>,
        within: Option<Duration>,
    ) -> Result<Answer, LakeError> {
        let permit = self
            .lake
            .running()
            .clone()
            .try_acquire_owned()
            .map_err(|_| LakeError::Limit(Limit::Concurrency))?;
        let time = within.map_or(self.lake.limits().time, |within| within.min(self.lake.limits().time));
        let deadline = tokio::time::Instant::now() + time;
        let planned = async {
            let logical = planning.await?;
            check::check(&logical, &self.also)?;
            let optimised = self.context.state().optimize(&logical).map_err(run)?;
            check::matches(&optimised)?;
            let physical = self.context.state().create_physical_plan(&optimised).await.map_err(run)?;
            let lineage = Lineage::of_plan(&optimised, &self.granted, &physical.schema())?;
            Ok::<_, LakeError>((logical, physical, lineage))
        };
        let (logical, physical, lineage) =
            tokio::time::timeout_at(deadline, planned).await.map_err(|_| LakeError::Limit(Limit::Time))??;
        let elsewhere = match self.lake.cluster() {
            Some(cluster) => {
                cluster.answer(&self.lake, &self.context, &logical, &physical.schema(), deadline).await?
            }
            None => None,
        };
        let stream = match elsewhere {
            Some(stream) => stream,
            None => {
                datafusion::physical_plan::execute_stream(physical, self.context.task_ctx()).map_err(run)?
            }
        };
        Ok(Answer::new(stream, &logical, lineage, deadline, self.lake.limits().rows, permit))
    }
}

/// The statement with each `ESCAPE` in the engine's words.
fn with_own_escapes(mut statement: Statement) -> Statement {
    if let Statement::Statement(inner) = &mut statement {
        let _: ControlFlow<()> = visit_expressions_mut(inner.as_mut(), |expr| {
            if let SqlExpr::Like { pattern, escape_char, .. } = expr {
                unescaped(pattern, escape_char);
            }
            ControlFlow::Continue(())
        });
    }
    statement
}

/// `LIKE pattern ESCAPE '/'` as a pattern with the engine's own escape, which is the backslash: it knows no other.
fn unescaped(pattern: &mut Box<SqlExpr>, escape: &mut Option<ValueWithSpan>) {
    let Some(Value::SingleQuotedString(letter)) = escape.as_ref().map(|value| value.value.clone()) else {
        return;
    };
    if letter.chars().count() != 1 || letter == "\\" {
        return;
    }
    let text = |text: &str| SqlExpr::value(Value::SingleQuotedString(text.to_owned()));
    let doubled = call("replace", vec![*pattern.clone(), text("\\"), text("\\\\")]);
    **pattern = call("replace", vec![doubled, text(&letter), text("\\")]);
    *escape = None;
}

fn call(name: &str, arguments: Vec<SqlExpr>) -> SqlExpr {
    let arguments = arguments.into_iter().map(|one| FunctionArg::Unnamed(FunctionArgExpr::Expr(one)));
    SqlExpr::Function(Function {
        name: ObjectName::from(vec![Ident::new(name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: arguments.collect(),
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

/// The types that the statement itself casts its parameters to.
fn cast_to(logical: &LogicalPlan) -> Result<BTreeMap<String, DataType>, LakeError> {
    let mut types = BTreeMap::new();
    logical
        .apply_with_subqueries(|node| {
            // The engine asks for a whole number there and does not say so beforehand.
            if let LogicalPlan::Limit(limit) = node {
                for bound in [&limit.skip, &limit.fetch].into_iter().flatten() {
                    if let Expr::Placeholder(place) = bound.as_ref() {
                        types.insert(place.id.clone(), DataType::Int64);
                    }
                }
            }
            node.apply_expressions(|expr| {
                expr.apply(|part| {
                    if let Expr::Cast(cast) = part
                        && let Expr::Placeholder(place) = cast.expr.as_ref()
                    {
                        types.insert(place.id.clone(), cast.field.data_type().clone());
                    }
                    Ok(TreeNodeRecursion::Continue)
                })
            })
        })
        .map_err(run)?;
    Ok(types)
}

/// The highest number of a parameter in a text: one that the plan does without is a parameter all the same.
fn highest(sql: &str) -> usize {
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, sql).tokenize().unwrap_or_default();
    let number = |token| match token {
        Token::Placeholder(name) => name.strip_prefix('$')?.parse().ok(),
        _ => None,
    };
    tokens.into_iter().filter_map(number).max().unwrap_or(0)
}

/// What each parameter is: what the plan expects, else what the asker said, else text. There are `written` of them in
/// the text.
fn parameters(
    logical: &LogicalPlan,
    declared: &[Option<CellKind>],
    written: usize,
) -> Result<Vec<DataType>, LakeError> {
    let mut found = BTreeMap::new();
    let casts = cast_to(logical)?;
    for (name, expected) in logical.get_parameter_types().map_err(plan)? {
        let place = name.strip_prefix('$').and_then(|digits| digits.parse::<usize>().ok());
        match place {
            Some(place) if (1..=MAX_PARAMETERS).contains(&place) => {
                found.insert(place, expected.or_else(|| casts.get(&name).cloned()))
            }
            _ => return Err(LakeError::Parameter(0)),
        };
    }
    let last =
        found.keys().next_back().copied().unwrap_or(0).max(declared.len().max(written).min(MAX_PARAMETERS));
    let of = |place: usize| {
        let expected = found.get(&place).cloned().flatten().filter(|engine| *engine != DataType::Null);
        let said = declared.get(place - 1).and_then(Option::as_ref).map(CellKind::engine);
        match (expected, said) {
            (Some(expected), Some(said)) if loses(&said, &expected) => said,
            (Some(expected), _) => expected,
            (None, said) => said.unwrap_or(DataType::Utf8),
        }
    };
    Ok((1..=last).map(of).collect())
}

/// Whether a value of `said` would be cut to become one of `expected`: 1.5 must not be compared as 1.
fn loses(said: &DataType, expected: &DataType) -> bool {
    (said.is_floating() || said.is_decimal()) && expected.is_integer()
        || matches!((said, expected), (DataType::Timestamp(..), DataType::Date32))
}

/// The plan with an empty cell of its type in the place of each parameter.
fn typed(logical: &LogicalPlan, parameters: &[DataType]) -> Result<LogicalPlan, LakeError> {
    if parameters.is_empty() {
        return Ok(logical.clone());
    }
    let empty: Option<Vec<_>> = parameters.iter().map(|engine| Cell::Empty.scalar(engine)).collect();
    let empty = empty.ok_or(LakeError::Parameter(0))?;
    logical.clone().replace_params_with_values(&ParamValues::from(empty)).map_err(plan)
}

/// The tables of the asker that a plan reads.
fn tables(logical: &LogicalPlan) -> Result<Vec<String>, LakeError> {
    let mut tables = std::collections::BTreeSet::new();
    logical
        .apply_with_subqueries(|node| {
            if let LogicalPlan::TableScan(scan) = node
                && scan.table_name.schema().is_none_or(|schema| schema == SCHEMA)
            {
                tables.insert(scan.table_name.table().to_owned());
            }
            Ok(TreeNodeRecursion::Continue)
        })
        .map_err(run)?;
    Ok(tables.into_iter().collect())
}
