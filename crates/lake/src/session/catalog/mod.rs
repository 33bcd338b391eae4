//! What clients of PostgreSQL look up: `pg_catalog` and `information_schema`, of this session's tables alone.
//!
//! Two kinds of table stand there. What names tables, columns, people or settings is made here from what the session
//! can name anyway, and is the same whatever the tables hold: no number of rows, no statistics, no path. What
//! PostgreSQL itself brings (types, operators, collations) is constant and comes with the library. A name that is in
//! neither list does not exist.

mod functions;
mod known;
mod nothing;
mod rewrite;
mod tables;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{MemTable, SchemaProvider, TableProvider};
use datafusion::common::Result as EngineResult;
use datafusion::error::DataFusionError;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::sql::parser::Statement;
use datafusion_pg_catalog::pg_catalog::PgCatalogStaticTables;
use datafusion_pg_catalog::pg_catalog::oid_type_planner::PgOidTypePlanner;

use super::{CATALOG, Granted, SCHEMA, Session, lists, plan};
use crate::{CellKind, Lake, LakeError};

/// The schema of PostgreSQL's own tables.
const PG_CATALOG: &str = "pg_catalog";
/// The schema of the standard's.
const INFORMATION_SCHEMA: &str = "information_schema";

/// Who asks, as far as a client may look it up.
#[derive(Clone, Debug, Default)]
pub struct Asker {
    /// The user's name, for `current_user`.
    pub user: String,
    /// What `version()` answers.
    pub version: String,
    /// What `current_setting` answers, by lower-case name.
    pub settings: BTreeMap<String, String>,
}

/// A table that an asker may name.
#[derive(Clone, Debug)]
struct Named {
    name: String,
    columns: SchemaRef,
}

impl Lake {
    /// As [`Lake::session`], with the catalogues that clients of PostgreSQL look up.
    pub async fn session_with_catalog(
        &self,
        granted: &[Granted],
        asker: &Asker,
    ) -> Result<Session, LakeError> {
        self.session(granted).await?.with_catalog(asker).await
    }
}

impl Session {
    /// This session with the catalogues that clients of PostgreSQL look up.
    pub async fn with_catalog(mut self, asker: &Asker) -> Result<Self, LakeError> {
        let catalog =
            self.context.catalog(CATALOG).ok_or_else(|| LakeError::Policy("no catalogue".to_owned()))?;
        let mut named = Vec::new();
        if let Some(schema) = catalog.schema(SCHEMA) {
            let mut names = schema.table_names();
            names.sort_unstable();
            for name in names {
                if let Some(table) = schema.table(&name).await.map_err(plan)? {
                    named.push(Named { name, columns: table.schema() });
                }
            }
        }
        let shown = Arc::new(tables::Shown::new(named, asker));
        catalog.register_schema(PG_CATALOG, Arc::new(PgCatalog(shown.clone()))).map_err(plan)?;
        catalog.register_schema(INFORMATION_SCHEMA, Arc::new(InformationSchema(shown))).map_err(plan)?;
        // Types such as `regclass` in casts.
        let state = self.context.state_ref();
        let planner = Arc::new(PgOidTypePlanner);
        let wider =
            SessionStateBuilder::new_from_existing(state.read().clone()).with_type_planner(planner).build();
        *state.write() = wider;
        self.also = functions::register(&self.context, asker);
        Ok(self)
    }

    /// The statement, if it is one and a query, with its lists cast; where the session has the catalogues, with what
    /// clients of PostgreSQL write and the engine does not know put into its words.
    pub(super) fn understand(
        &self,
        sql: &str,
        declared: &[Option<CellKind>],
    ) -> Result<Statement, LakeError> {
        let has_catalog =
            self.context.catalog(CATALOG).is_some_and(|catalog| catalog.schema(PG_CATALOG).is_some());
        match has_catalog {
            true => rewrite::understand(self, sql, declared),
            false => {
                let mut statement = super::parse(sql)?;
                if let Statement::Statement(inner) = &mut statement {
                    lists::cast(inner, declared);
                }
                Ok(statement)
            }
        }
    }
}

/// `pg_catalog`.
#[derive(Debug)]
struct PgCatalog(Arc<tables::Shown>);

/// `information_schema`.
#[derive(Debug)]
struct InformationSchema(Arc<tables::Shown>);

#[async_trait]
impl SchemaProvider for PgCatalog {
    fn table_names(&self) -> Vec<String> {
        tables::PG_OWN.iter().chain(CONSTANT).map(|name| (*name).to_owned()).collect()
    }

    async fn table(&self, name: &str) -> EngineResult<Option<Arc<dyn TableProvider>>> {
        match self.0.pg_catalog(name)? {
            Some(table) => Ok(Some(table)),
            None => constant(name),
        }
    }

    fn table_exist(&self, name: &str) -> bool {
        tables::PG_OWN.contains(&name) || CONSTANT.contains(&name)
    }
}

#[async_trait]
impl SchemaProvider for InformationSchema {
    fn table_names(&self) -> Vec<String> {
        tables::STANDARD.iter().map(|name| (*name).to_owned()).collect()
    }

    async fn table(&self, name: &str) -> EngineResult<Option<Arc<dyn TableProvider>>> {
        Ok(self.0.information_schema(name)?.map(|table| table as Arc<dyn TableProvider>))
    }

    fn table_exist(&self, name: &str) -> bool {
        tables::STANDARD.contains(&name)
    }
}

/// PostgreSQL's own, the same on every installation. What an installation fills (roles, statistics, settings,
/// replication, large objects) is not among them, and those of [`nothing::EMPTY`] hold nothing.
const CONSTANT: &[&str] = &[
    "pg_aggregate",
    "pg_am",
    "pg_amop",
    "pg_amproc",
    "pg_attrdef",
    "pg_auth_members",
    "pg_cast",
    "pg_collation",
    "pg_constraint",
    "pg_conversion",
    "pg_default_acl",
    "pg_depend",
    "pg_description",
    "pg_enum",
    "pg_event_trigger",
    "pg_extension",
    "pg_foreign_data_wrapper",
    "pg_foreign_server",
    "pg_foreign_table",
    "pg_index",
    "pg_inherits",
    "pg_language",
    "pg_opclass",
    "pg_operator",
    "pg_opfamily",
    "pg_partitioned_table",
    "pg_policy",
    "pg_proc",
    "pg_publication",
    "pg_publication_namespace",
    "pg_publication_rel",
    "pg_range",
    "pg_rewrite",
    "pg_sequence",
    "pg_shdescription",
    "pg_statistic_ext",
    "pg_tablespace",
    "pg_trigger",
    "pg_ts_config",
    "pg_ts_dict",
    "pg_ts_parser",
    "pg_ts_template",
    "pg_type",
];

/// A constant table.
fn constant(name: &str) -> EngineResult<Option<Arc<dyn TableProvider>>> {
    static TABLES: OnceLock<Result<PgCatalogStaticTables, String>> = OnceLock::new();
    if !CONSTANT.contains(&name) {
        return Ok(None);
    }
    let tables = TABLES.get_or_init(|| PgCatalogStaticTables::try_new().map_err(|error| error.to_string()));
    let tables = tables.as_ref().map_err(|text| DataFusionError::Internal(text.clone()))?;
    let table = match name {
        "pg_aggregate" => &tables.pg_aggregate,
        "pg_am" => &tables.pg_am,
        "pg_amop" => &tables.pg_amop,
        "pg_amproc" => &tables.pg_amproc,
        "pg_attrdef" => &tables.pg_attrdef,
        "pg_auth_members" => &tables.pg_auth_members,
        "pg_cast" => &tables.pg_cast,
        "pg_collation" => &tables.pg_collation,
        "pg_constraint" => &tables.pg_constraint,
        "pg_conversion" => &tables.pg_conversion,
        "pg_default_acl" => &tables.pg_default_acl,
        "pg_depend" => &tables.pg_depend,
        "pg_description" => &tables.pg_description,
        "pg_enum" => &tables.pg_enum,
        "pg_event_trigger" => &tables.pg_event_trigger,
        "pg_extension" => &tables.pg_extension,
        "pg_foreign_data_wrapper" => &tables.pg_foreign_data_wrapper,
        "pg_foreign_server" => &tables.pg_foreign_server,
        "pg_foreign_table" => &tables.pg_foreign_table,
        "pg_index" => &tables.pg_index,
        "pg_inherits" => &tables.pg_inherits,
        "pg_language" => &tables.pg_language,
        "pg_opclass" => &tables.pg_opclass,
        "pg_operator" => &tables.pg_operator,
        "pg_opfamily" => &tables.pg_opfamily,
        "pg_partitioned_table" => &tables.pg_partitioned_table,
        "pg_policy" => &tables.pg_policy,
        "pg_proc" => &tables.pg_proc,
        "pg_publication" => &tables.pg_publication,
        "pg_publication_namespace" => &tables.pg_publication_namespace,
        "pg_publication_rel" => &tables.pg_publication_rel,
        "pg_range" => &tables.pg_range,
        "pg_rewrite" => &tables.pg_rewrite,
        "pg_sequence" => &tables.pg_sequence,
        "pg_shdescription" => &tables.pg_shdescription,
        "pg_statistic_ext" => &tables.pg_statistic_ext,
        "pg_tablespace" => &tables.pg_tablespace,
        "pg_trigger" => &tables.pg_trigger,
        "pg_ts_config" => &tables.pg_ts_config,
        "pg_ts_dict" => &tables.pg_ts_dict,
        "pg_ts_parser" => &tables.pg_ts_parser,
        "pg_ts_template" => &tables.pg_ts_template,
        "pg_type" => &tables.pg_type,
        _ => return Ok(None),
    };
    let table: Arc<MemTable> = table.try_into_memtable()?;
    if nothing::EMPTY.contains(&name) {
        return Ok(Some(Arc::new(MemTable::try_new(table.schema(), vec![Vec::new()])?)));
    }
    Ok(Some(table))
}
