//! Rows on their way to an asker.

use std::collections::BTreeSet;
use std::time::Duration;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures_util::StreamExt;
use kernel::time::Timestamp;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use crate::error::Limit;
use crate::lineage::Lineage;
use crate::session::run;
use crate::{LakeError, TableId};

/// The rows of one query as they come. Dropped, it ends the query.
pub struct Answer {
    stream: SendableRecordBatchStream,
    plan_hash: [u8; 32],
    lineage: Lineage,
    as_of: Option<Timestamp>,
    tables: BTreeSet<String>,
    deadline: Instant,
    rows_left: usize,
    rows: usize,
    bytes: usize,
    _permit: OwnedSemaphorePermit,
}

/// What a column of an answer is called and holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerColumn {
    /// Its name.
    pub name: String,
    /// What it holds, as the engine names it, such as `Utf8`.
    pub kind: String,
    /// Whether it is a number.
    pub numeric: bool,
}

/// Some rows of an answer.
#[derive(Clone, Debug)]
pub struct Rows(pub(crate) RecordBatch);

impl Answer {
    pub(crate) fn new(
        stream: SendableRecordBatchStream,
        plan: &LogicalPlan,
        lineage: Lineage,
        deadline: Instant,
        rows: usize,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        // The plan before the engine changed it: what was asked, whatever the data.
        let plan_hash = crypto::hash::sm3(plan.display_indent_schema().to_string().as_bytes());
        let tables = tables_of(plan);
        let (rows_left, rows, bytes, as_of) = (rows, 0, 0, None);
        Self { stream, plan_hash, lineage, as_of, tables, deadline, rows_left, rows, bytes, _permit: permit }
    }

    /// An answer that is there already.
    pub(crate) fn whole(
        batch: RecordBatch,
        plan_hash: [u8; 32],
        lineage: Lineage,
        as_of: Option<Timestamp>,
        table: &TableId,
        deadline: Instant,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        let (schema, rows_left) = (batch.schema(), batch.num_rows());
        let once = futures_util::stream::iter([Ok(batch)]);
        let stream = Box::pin(RecordBatchStreamAdapter::new(schema, once));
        let (rows, bytes) = (0, 0);
        let tables = BTreeSet::from([table.to_string()]);
        Self { stream, plan_hash, lineage, as_of, tables, deadline, rows_left, rows, bytes, _permit: permit }
    }

    /// From which columns each column of the answer comes.
    pub fn lineage(&self) -> &Lineage {
        &self.lineage
    }

    /// When it was answered, if it is an earlier answer to the same question.
    pub fn as_of(&self) -> Option<Timestamp> {
        self.as_of
    }

    /// The tables that the query names, by the asker's names.
    pub fn tables(&self) -> &BTreeSet<String> {
        &self.tables
    }

    /// SM3 of the plan of the query.
    pub fn plan_hash(&self) -> [u8; 32] {
        self.plan_hash
    }

    /// The columns.
    pub fn columns(&self) -> Vec<AnswerColumn> {
        self.schema()
            .fields()
            .iter()
            .map(|field| AnswerColumn {
                name: field.name().clone(),
                kind: field.data_type().to_string(),
                numeric: field.data_type().is_numeric(),
            })
            .collect()
    }

    pub(crate) fn schema(&self) -> SchemaRef {
        self.stream.schema()
    }

    /// Rows that were answered so far.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Bytes of the rows that were answered so far, as they are in memory.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The next rows; none at the end.
    pub async fn next(&mut self) -> Result<Option<Rows>, LakeError> {
        let next = tokio::time::timeout_at(self.deadline, self.stream.next())
            .await
            .map_err(|_| LakeError::Limit(Limit::Time))?;
        let Some(batch) = next else { return Ok(None) };
        let batch = batch.map_err(run)?;
        self.rows_left = self.rows_left.checked_sub(batch.num_rows()).ok_or(LakeError::Limit(Limit::Rows))?;
        self.rows += batch.num_rows();
        self.bytes += batch.get_array_memory_size();
        Ok(Some(Rows(batch)))
    }

    /// All rows at once.
    pub async fn all(&mut self) -> Result<Vec<Rows>, LakeError> {
        let mut all = Vec::new();
        while let Some(rows) = self.next().await? {
            all.push(rows);
        }
        Ok(all)
    }

    /// How long the query may still run.
    pub fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

impl Rows {
    /// How many.
    pub fn len(&self) -> usize {
        self.0.num_rows()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes they take in memory.
    pub fn bytes(&self) -> usize {
        self.0.get_array_memory_size()
    }

    /// The first rows.
    #[must_use]
    pub fn first(&self, rows: usize) -> Self {
        Self(self.0.slice(0, rows.min(self.len())))
    }

    /// Cell by cell as text; an empty cell is none.
    pub fn texts(&self) -> Result<Vec<Vec<Option<String>>>, LakeError> {
        use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
        let options = FormatOptions::default();
        let columns = self
            .0
            .columns()
            .iter()
            .map(|column| ArrayFormatter::try_new(column.as_ref(), &options))
            .collect::<Result<Vec<_>, _>>()?;
        let mut rows = Vec::with_capacity(self.len());
        for row in 0..self.len() {
            let cells = self.0.columns().iter().zip(&columns).map(|(column, texts)| {
                (!column.is_null(row) && *column.data_type() != DataType::Null)
                    .then(|| texts.value(row).to_string())
            });
            rows.push(cells.collect());
        }
        Ok(rows)
    }
}

fn tables_of(plan: &LogicalPlan) -> BTreeSet<String> {
    let mut tables = BTreeSet::new();
    // The walk looks and never fails.
    let walked = plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            tables.insert(scan.table_name.table().to_owned());
        }
        Ok(TreeNodeRecursion::Continue)
    });
    debug_assert!(walked.is_ok(), "a look at a plan failed");
    tables
}
