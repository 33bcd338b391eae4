//! A table as it stands at one moment: the files of its Delta log, and what still waits in the inbox.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::memory::MemTable;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::datasource::TableType;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::union::UnionExec;

use crate::delta::Snapshot;
use crate::{Batch, Lake, LakeError, Table, inbox};

/// The table as it stands now.
pub(crate) async fn provider(lake: &Lake, table: &Table) -> Result<Arc<dyn TableProvider>, LakeError> {
    // The inbox first: what leaves it meanwhile is then in the log.
    let waiting = inbox::waiting(&lake.store().read(), &table.id, u64::MAX).await?;
    let snapshot = Snapshot::load(lake, table).await?;
    let had = snapshot.as_ref().map_or(0, |snapshot| snapshot.seq);
    let mut fresh: Vec<RecordBatch> = Vec::new();
    for batch in waiting.iter().filter(|batch| batch.seq > had) {
        fresh.extend(Batch::from_ipc(&batch.body, &table.schema)?);
    }
    let schema = table.schema.arrow();
    let files = match &snapshot {
        Some(snapshot) => snapshot.files()?,
        None => Vec::new(),
    };
    let plan = |error| LakeError::Plan(Box::new(error));
    if files.is_empty() {
        return Ok(Arc::new(MemTable::try_new(schema, vec![fresh]).map_err(plan)?));
    }
    let kept = kept(lake, &schema, &files).map_err(plan)?;
    if fresh.is_empty() {
        return Ok(kept);
    }
    let fresh: Arc<dyn TableProvider> = Arc::new(MemTable::try_new(schema, vec![fresh]).map_err(plan)?);
    Ok(Arc::new(Both { kept, fresh }))
}

/// The files of the log as a list. Deletion vectors, column mapping and partition columns would be overlooked
/// this way; the tables of the lake are made without them.
fn kept(lake: &Lake, schema: &SchemaRef, files: &[String]) -> Result<Arc<dyn TableProvider>> {
    let urls = files.iter().map(ListingTableUrl::parse).collect::<Result<Vec<_>>>()?;
    let options = ListingOptions::new(Arc::new(ParquetFormat::default())).with_file_extension("");
    let config = ListingTableConfig::new_with_multi_paths(urls)
        .with_listing_options(options)
        .with_schema(schema.clone());
    let cache = lake.runtime().cache_manager.get_file_statistic_cache();
    Ok(Arc::new(ListingTable::try_new(config)?.with_cache(cache)))
}

/// Two providers of one schema as one table.
#[derive(Debug)]
struct Both {
    kept: Arc<dyn TableProvider>,
    fresh: Arc<dyn TableProvider>,
}

#[async_trait]
impl TableProvider for Both {
    fn schema(&self) -> SchemaRef {
        self.kept.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let kept = self.kept.scan(state, projection, filters, limit).await?;
        let fresh = self.fresh.scan(state, projection, filters, limit).await?;
        UnionExec::try_new(vec![kept, fresh])
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }
}
