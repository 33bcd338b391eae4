//! A table as it stands at one moment: the files of its Delta log, and what still waits in the inbox.
//!
//! The files are read as the log lists them, by name and size. A list that is made of what is found in the folder
//! would leave out a file that is missing without a word.

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::memory::MemTable;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::common::stats::{Precision, Statistics};
use datafusion::datasource::TableType;
use datafusion::datasource::file_format::FileFormat as _;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::union::UnionExec;

use crate::delta::{DataFile, Snapshot};
use crate::inbox::Waiting;
use crate::sources::Source;
use crate::stream::Standing;
use crate::{Batch, Lake, LakeError, Table, cluster, compaction, stream};

/// How much of the inbox a reader takes into memory. If more waits it is compacted first.
const INBOX_BYTES: u64 = 64 << 20;

/// The table as it stands now.
pub(crate) async fn provider(lake: &Lake, table: &Table) -> Result<Arc<dyn TableProvider>, LakeError> {
    // First what waits, then which of it came before, then the log: what leaves the inbox meanwhile is in the log.
    let mut inboxes = Vec::new();
    let mut seen = HashSet::new();
    for source in lake.sources() {
        let Some(standing) = bounded(lake, table, &source).await? else { continue };
        let mut waiting: Vec<Waiting> = Vec::new();
        let mut more = standing.messages > 0;
        while more {
            let after = waiting.last().map_or(0, |batch| batch.seq);
            let part = source.waiting(lake, &table.id, after, INBOX_BYTES).await?;
            more = !part.is_empty();
            waiting.extend(part);
        }
        let repeated = match source {
            Source::Ledger => HashSet::new(),
            Source::Stream(_) => {
                stream::repeated(&lake.store().read(), &table.id, &waiting, &mut seen).await?
            }
        };
        waiting.retain(|batch| !repeated.contains(&batch.seq));
        inboxes.push((source, standing, waiting));
    }
    let snapshot = Snapshot::load(lake, table).await?;
    let mut fresh: Vec<RecordBatch> = Vec::new();
    for (source, standing, waiting) in inboxes {
        let had = match &snapshot {
            Some(snapshot) => snapshot.seq(&standing.name).await?,
            None => 0,
        };
        source.check(lake, &table.id, &standing, had).await?;
        for batch in waiting.iter().filter(|batch| batch.seq > had) {
            fresh.extend(Batch::from_ipc(&batch.body, &table.schema)?);
        }
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
    let kept = Arc::new(Kept::new(lake, &schema, &files)?);
    if fresh.is_empty() {
        return Ok(kept);
    }
    let fresh: Arc<dyn TableProvider> = Arc::new(MemTable::try_new(schema, vec![fresh]).map_err(plan)?);
    Ok(Arc::new(Both { kept, fresh }))
}

/// How an inbox stands, after so much of it was compacted that a reader can hold the rest.
async fn bounded(lake: &Lake, table: &Table, source: &Source<'_>) -> Result<Option<Standing>, LakeError> {
    let most = match lake.cluster() {
        Some(_) => cluster::MAX_INLINE,
        None => INBOX_BYTES,
    };
    loop {
        let standing = source.standing(lake, &table.id).await?;
        let much = standing.as_ref().is_some_and(|standing| standing.bytes > most);
        if !much || compaction::compact(lake, table).await?.batches == 0 {
            return Ok(standing);
        }
    }
}

/// Files of a log. Deletion vectors, column mapping and partition columns would be overlooked this way; the tables of
/// the lake are made without them.
#[derive(Debug)]
pub(crate) struct Kept {
    schema: SchemaRef,
    store: ObjectStoreUrl,
    files: Vec<PartitionedFile>,
    rows: usize,
}

impl Kept {
    pub(crate) fn new(lake: &Lake, schema: &SchemaRef, files: &[DataFile]) -> Result<Self, LakeError> {
        Ok(Self {
            schema: schema.clone(),
            store: lake.files().store_url()?,
            files: files
                .iter()
                .map(|file| {
                    let mut part = PartitionedFile::new("", file.size);
                    part.object_meta.location = file.path.clone();
                    part
                })
                .collect(),
            rows: files.iter().map(|file| file.rows).sum(),
        })
    }
}

#[async_trait]
impl TableProvider for Kept {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let format = ParquetFormat::default().with_options(state.default_table_options().parquet);
        let source = format.file_source(TableSchema::from(&self.schema));
        let groups = FileGroup::new(self.files.clone()).split_files(state.config().target_partitions());
        let statistics =
            Statistics { num_rows: Precision::Inexact(self.rows), ..Statistics::new_unknown(&self.schema) };
        let config = FileScanConfigBuilder::new(self.store.clone(), source)
            .with_file_groups(groups)
            .with_statistics(statistics)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        format.create_physical_plan(state, config).await
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }
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
