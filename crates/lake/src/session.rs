//! A session: governed tables by name, one read-only statement at a time, within limits.
//!
//! Each asker gets a session of their own with nothing in it but what they may see. Statements are checked as text,
//! as a tree and as a plan; whatever is not known to be a query over governed tables is refused.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use datafusion::catalog::{CatalogProvider, MemoryCatalogProvider, MemorySchemaProvider, SchemaProvider};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::error::DataFusionError;
use datafusion::execution::context::SQLOptions;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::GreedyMemoryPool;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::sqlparser::ast::{Query, SetExpr, Statement as SqlStatement};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;

use crate::answer::Answer;
use crate::barrier::governed::{GovernedTable, MATCHED};
use crate::barrier::masks;
use crate::error::{Limit, Refusal};
use crate::policy::Policy;
use crate::{Lake, LakeError, TableId, cluster, reading};

/// The longest statement, in bytes.
pub const MAX_SQL: usize = 64 << 10;
/// The name of the catalogue and of the schema in it.
const CATALOG: &str = "yiwang";
const SCHEMA: &str = "public";

/// What one statement may use.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How long it may run.
    pub time: Duration,
    /// How much memory all statements together may take, in bytes.
    pub memory: usize,
    /// The most rows of an answer.
    pub rows: usize,
    /// How many statements run at once.
    pub concurrency: usize,
    /// How many threads' worth of work one statement is cut into.
    pub partitions: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(30),
            memory: 1 << 30,
            rows: 1_000_000,
            concurrency: 8,
            partitions: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }
}

pub(crate) fn runtime(limits: &Limits) -> Result<Arc<RuntimeEnv>, LakeError> {
    // What does not fit into memory is refused: on a disk it would lie in clear, and stay there after a kill.
    let no_spilling = DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled);
    RuntimeEnvBuilder::new()
        .with_disk_manager_builder(no_spilling)
        .with_memory_pool(Arc::new(GreedyMemoryPool::new(limits.memory)))
        .build_arc()
        .map_err(|error| LakeError::Plan(Box::new(error)))
}

/// One table of a session: the name that the asker uses, the table, and what they may see of it.
#[derive(Clone, Debug)]
pub struct Granted {
    /// The asker's name of it.
    pub name: TableId,
    /// The table of the lake.
    pub table: TableId,
    /// What may be seen.
    pub policy: Policy,
}

/// What an asker sees.
pub struct Session {
    lake: Lake,
    context: SessionContext,
}

impl Lake {
    /// A session over these tables, each as it stands now.
    pub async fn session(&self, granted: &[Granted]) -> Result<Session, LakeError> {
        let mut tables: BTreeMap<&TableId, Arc<GovernedTable>> = BTreeMap::new();
        for one in granted {
            let table = Self::table(&self.store().read(), &one.table).await?;
            if self.cluster().is_some() {
                cluster::make_room(self, &table).await?;
            }
            let below = reading::provider(self, &table).await?;
            let governed = GovernedTable::new(below, &table.schema, &one.policy)?;
            if tables.insert(&one.name, Arc::new(governed)).is_some() {
                return Err(LakeError::Policy(format!("`{}` is granted twice in one session", one.name)));
            }
        }
        let schema = MemorySchemaProvider::new();
        for (name, table) in tables {
            schema.register_table(name.to_string(), table).map_err(plan)?;
        }
        let catalog = MemoryCatalogProvider::new();
        catalog.register_schema(SCHEMA, Arc::new(schema)).map_err(plan)?;
        let context = SessionContext::new_with_state(self.state().build());
        context.register_catalog(CATALOG, Arc::new(catalog));
        Ok(Session { lake: self.clone(), context })
    }

    fn state(&self) -> SessionStateBuilder {
        let config = match self.cluster() {
            Some(cluster) => cluster::settings(config(cluster.partitions())),
            None => config(self.limits().partitions),
        };
        SessionStateBuilder::new()
            .with_config(config)
            .with_runtime_env(self.runtime().clone())
            .with_default_features()
            .with_table_factories(std::collections::HashMap::new())
            .with_file_formats(Vec::new())
            .with_table_function_list(Vec::new())
    }
}

/// The settings of a session.
pub(crate) fn config(partitions: usize) -> SessionConfig {
    let mut config = SessionConfig::new()
        .with_default_catalog_and_schema(CATALOG, SCHEMA)
        .with_create_default_catalog_and_schema(false)
        .with_information_schema(false)
        .with_target_partitions(partitions)
        .set_str("datafusion.sql_parser.dialect", "postgresql");
    // Off by default, and to stay so: with it, a conjunct may be lost where an older file lacks its column.
    config.options_mut().execution.parquet.pushdown_filters = false;
    config
}

impl Session {
    /// Runs one query. Its rows come as they are made; dropping the answer ends it.
    pub async fn query(&self, sql: &str) -> Result<Answer, LakeError> {
        let permit = self
            .lake
            .running()
            .clone()
            .try_acquire_owned()
            .map_err(|_| LakeError::Limit(Limit::Concurrency))?;
        let statement = self.parse(sql)?;
        let time = self.lake.limits().time;
        let deadline = tokio::time::Instant::now() + time;
        let planned = async {
            let plan = self.context.state().statement_to_plan(statement).await.map_err(plan)?;
            self.check(&plan)?;
            let optimised = self.context.state().optimize(&plan).map_err(run)?;
            check_matches(&optimised)?;
            let physical = self.context.state().create_physical_plan(&optimised).await.map_err(run)?;
            Ok::<_, LakeError>((plan, physical))
        };
        let (plan, physical) =
            tokio::time::timeout_at(deadline, planned).await.map_err(|_| LakeError::Limit(Limit::Time))??;
        let elsewhere = match self.lake.cluster() {
            Some(cluster) => cluster.run(&self.lake, &physical, deadline).await?,
            None => None,
        };
        let stream = match elsewhere {
            Some(stream) => stream,
            None => {
                datafusion::physical_plan::execute_stream(physical, self.context.task_ctx()).map_err(run)?
            }
        };
        Ok(Answer::new(stream, &plan, deadline, self.lake.limits().rows, permit))
    }

    /// The statement, if it is one and a query.
    fn parse(&self, sql: &str) -> Result<Statement, LakeError> {
        if sql.len() > MAX_SQL {
            return Err(LakeError::Refused(Refusal::TooLong));
        }
        let mut statements = DFParserBuilder::new(sql)
            .with_dialect(&PostgreSqlDialect {})
            .with_recursion_limit(50)
            .build()
            .and_then(|mut parser| parser.parse_statements())
            .map_err(plan)?;
        let statement = match (statements.pop_front(), statements.is_empty()) {
            (Some(statement), true) => statement,
            (Some(_), false) => return Err(LakeError::Refused(Refusal::Several)),
            (None, _) => return Err(LakeError::Refused(Refusal::NotAQuery)),
        };
        match &statement {
            Statement::Statement(inner) => match inner.as_ref() {
                SqlStatement::Query(query) if is_select(query) => Ok(statement),
                SqlStatement::Explain { .. } | SqlStatement::ExplainTable { .. } => {
                    Err(LakeError::Refused(Refusal::Explain))
                }
                _ => Err(LakeError::Refused(Refusal::NotAQuery)),
            },
            Statement::Explain(_) => Err(LakeError::Refused(Refusal::Explain)),
            _ => Err(LakeError::Refused(Refusal::NotAQuery)),
        }
    }

    /// Whether the plan only reads and calls none of the functions that are refused. Tables need no look: the session
    /// knows governed ones alone.
    fn check(&self, plan: &LogicalPlan) -> Result<(), LakeError> {
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
                        && !is_allowed(name)
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
}

fn plan(error: DataFusionError) -> LakeError {
    LakeError::Plan(Box::new(error))
}

pub(crate) fn run(error: DataFusionError) -> LakeError {
    match error.find_root() {
        DataFusionError::ResourcesExhausted(_) => LakeError::Limit(Limit::Memory),
        _ => LakeError::Run(Box::new(error)),
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

/// Functions that an asker may call: every one of the pinned engine's but those that tell of the engine, that belong to
/// the barrier, that are not the same when called again, or that estimate: an estimate depends on how the rows are
/// cut into parts, and the hidden ones have their share in that.
fn is_allowed(name: &str) -> bool {
    const REFUSED: [&str; 10] = [
        masks::NAME,
        "version",
        "random",
        "uuid",
        "arrow_metadata",
        "with_metadata",
        "get_field_metadata",
        "approx_median",
        "approx_percentile_cont",
        "approx_percentile_cont_with_weight",
    ];
    !REFUSED.contains(&name)
}

/// What is looked up by its true value may be compared with constants alone, which the barrier has then taken
/// below. A comparison that is left above would look at the mask and answer wrongly, so it is refused.
fn check_matches(plan: &LogicalPlan) -> Result<(), LakeError> {
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
