//! The tables without the barrier: for measuring what the barrier costs, and for nothing else.
//!
//! Whoever holds one of these sessions sees every row and every cell. No door of the platform has one: only the crate
//! `bench` calls this module, which a test of it holds.

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::prelude::{SessionConfig, SessionContext};

use crate::answer::Answer;
use crate::barrier::governed::GovernedTable;
use crate::delta::Snapshot;
use crate::error::Limit;
use crate::lineage::Lineage;
use crate::session::{Granted, run};
use crate::{Lake, LakeError, TableId, reading};

/// A session of the bare engine.
pub struct Plain {
    lake: Lake,
    context: SessionContext,
}

impl Lake {
    /// The tables as they are.
    pub async fn plain_tables(&self, tables: &[TableId]) -> Result<Plain, LakeError> {
        let plain = self.plain();
        for id in tables {
            let table = Self::table(&self.store().read(), id).await?;
            plain.register(id, reading::provider(self, &table).await?)?;
        }
        Ok(plain)
    }

    /// The tables behind ordinary views that filter and mask as the policies say. The engine may move an asker's
    /// predicate below such a view, where an error tells what is hidden: as fast as a policy can be, and leaking.
    pub async fn plain_views(&self, granted: &[Granted]) -> Result<Plain, LakeError> {
        let plain = self.plain();
        for one in granted {
            let table = Self::table(&self.store().read(), &one.table).await?;
            let below = reading::provider(self, &table).await?;
            let view = GovernedTable::new(below, &table.schema, &one.policy, None)?.leaking_view();
            plain.register(&one.name, Arc::new(view.map_err(run)?))?;
        }
        Ok(plain)
    }

    /// The files of a table that are compacted, for another engine to read.
    pub async fn plain_files(&self, id: &TableId) -> Result<Vec<String>, LakeError> {
        let table = Self::table(&self.store().read(), id).await?;
        match Snapshot::load(self, &table).await? {
            Some(_) if self.files().local().is_none() => {
                Err(LakeError::Files("they lie in no folder".to_owned()))
            }
            // The store of a folder begins at the root of the machine's files.
            Some(snapshot) => Ok(snapshot.files()?.iter().map(|file| format!("/{}", file.path)).collect()),
            None => Ok(Vec::new()),
        }
    }

    fn plain(&self) -> Plain {
        let config = SessionConfig::new()
            .with_target_partitions(self.limits().partitions)
            .set_str("datafusion.sql_parser.dialect", "postgresql");
        let context = SessionContext::new_with_config_rt(config, self.runtime().clone());
        Plain { lake: self.clone(), context }
    }
}

impl Plain {
    fn register(&self, id: &TableId, table: Arc<dyn TableProvider>) -> Result<(), LakeError> {
        self.context.register_table(id.as_str(), table).map_err(run)?;
        Ok(())
    }

    /// Runs a query without a look at what it is.
    pub async fn query(&self, sql: &str) -> Result<Answer, LakeError> {
        let permit = self
            .lake
            .running()
            .clone()
            .try_acquire_owned()
            .map_err(|_| LakeError::Limit(Limit::Concurrency))?;
        let limits = self.lake.limits();
        let deadline = tokio::time::Instant::now() + limits.time;
        let frame = self.context.sql(sql).await.map_err(run)?;
        let plan = frame.logical_plan().clone();
        // Nobody is told what a measurement comes from.
        let lineage = Lineage::default();
        let stream = frame.execute_stream().await.map_err(run)?;
        Ok(Answer::new(stream, &plan, lineage, deadline, limits.rows, permit))
    }
}
