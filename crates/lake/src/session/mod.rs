//! A session: governed tables by name, one read-only statement at a time, within limits.
//!
//! Each asker gets a session of their own with nothing in it but what they may see. Statements are checked as text,
//! as a tree and as a plan; whatever is not known to be a query over governed tables is refused.

mod catalog;
mod check;
mod functions;
mod lists;
mod prepared;

pub use catalog::Asker;
pub use prepared::Prepared;

pub(crate) use check::matches as check_matches;
pub(crate) use functions::is_allowed as is_engines;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use datafusion::catalog::{CatalogProvider, MemoryCatalogProvider, MemorySchemaProvider, SchemaProvider};
use datafusion::error::DataFusionError;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::GreedyMemoryPool;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;

use crate::answer::Answer;
use crate::barrier::governed::GovernedTable;
use crate::error::{Limit, Refusal};
use crate::policy::Policy;
use crate::{Lake, LakeError, TableId, Witness, cluster, reading};

/// The longest statement, in bytes.
pub const MAX_SQL: usize = 64 << 10;
/// The name of the catalogue and of the schema in it.
const CATALOG: &str = "yiwang";
pub(crate) const SCHEMA: &str = "public";

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
    /// Who takes down whose rows pass the barrier.
    pub witness: Option<Witness>,
}

/// What an asker sees.
pub struct Session {
    lake: Lake,
    context: SessionContext,
    granted: Vec<Granted>,
    /// Functions that may be called beside those of the engine: those of the catalogues, where it has them.
    also: BTreeSet<String>,
}

impl Lake {
    /// A session over these tables, each as it stands now.
    pub async fn session(&self, granted: &[Granted]) -> Result<Session, LakeError> {
        let mut tables: BTreeMap<&TableId, Arc<GovernedTable>> = BTreeMap::new();
        for one in granted {
            let table = Self::table(&self.store().read(), &one.table).await?;
            let below = reading::provider(self, &table).await?;
            let governed = GovernedTable::new(below, &table.schema, &one.policy, one.witness.clone())?;
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
        Ok(Session { lake: self.clone(), context, granted: granted.to_vec(), also: BTreeSet::new() })
    }

    fn state(&self) -> SessionStateBuilder {
        let config = config(self.limits().partitions);
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
        .set_str("datafusion.sql_parser.dialect", "postgresql")
        // The columns of the lake are no views into shared buffers, and a cluster could not send any.
        .set_bool("datafusion.sql_parser.map_string_types_to_utf8view", false);
    // Off by default, and to stay so: with it, a conjunct may be lost where an older file lacks its column.
    config.options_mut().execution.parquet.pushdown_filters = false;
    config
}

impl Session {
    /// Runs one query. Its rows come as they are made; dropping the answer ends it.
    pub async fn query(&self, sql: &str) -> Result<Answer, LakeError> {
        let statement = parse(sql)?;
        self.start(async { self.context.state().statement_to_plan(statement).await.map_err(plan) }, None)
            .await
    }
}

/// The statement, if it is one and a query.
pub(crate) fn parse(sql: &str) -> Result<Statement, LakeError> {
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
    check::statement(&statement)?;
    Ok(statement)
}

fn plan(error: DataFusionError) -> LakeError {
    LakeError::Plan(Box::new(error))
}

pub(crate) fn run(error: DataFusionError) -> LakeError {
    match error.find_root() {
        DataFusionError::ResourcesExhausted(_) => LakeError::Limit(Limit::Memory),
        DataFusionError::External(other) if other.is::<cluster::Lost>() => {
            LakeError::Cluster(other.to_string())
        }
        _ => LakeError::Run(Box::new(error)),
    }
}
